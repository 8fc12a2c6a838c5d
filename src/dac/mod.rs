//! Projectors: one file per device behind one [`Backend`] trait, and a simulator of each.

pub mod backend;
pub mod link;

pub use backend::{Backend, Capabilities, DacError, Delivery, DeviceReport, Written};
pub use link::{
    LinkControl, LinkCounts, LinkReport, LinkStats, ReportReceiver, ReportSender, reports,
};
