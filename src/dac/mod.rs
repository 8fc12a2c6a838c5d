//! Projectors: one file per device behind one [`Backend`] trait, and a simulator of each.

pub mod backend;
pub mod ether_dream;
pub mod link;
pub mod simulator;
pub mod transport;
pub mod worker;

pub use backend::{Backend, Capabilities, DacError, Delivery, DeviceReport, Written};
pub use link::{
    LinkControl, LinkCounts, LinkReport, LinkStats, ReportReceiver, ReportSender, reports,
};
pub use worker::{Worker, WorkerHandle, WorkerParts, WorkerState, WorkerStatus, WorkerView, spawn};
