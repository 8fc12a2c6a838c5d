//! Projectors: one file per device behind one [`Backend`] trait, and a simulator of each.

pub mod audio_xy;
pub mod backend;
pub mod catalog;
mod dark_run;
pub mod discovery;
pub mod ether_dream;
pub mod helios;
pub mod identity;
pub mod idn;
pub mod lasercube_usb;
pub mod lasercube_wifi;
pub mod link;
pub mod networks;
mod settling;
pub mod simulator;
pub mod transport;
pub mod uri;
pub mod usb;
#[cfg(feature = "usb")]
mod usb_listing;
pub mod watch;
pub mod worker;

pub use backend::{
    AnswerTime, Backend, Capabilities, DacError, Delivery, DeviceReport, Hindrance, Written,
};
pub use catalog::{KINDS, Kind, open};
pub use discovery::{Discovery, FoundDevice, devices, look_for};
pub use identity::identity;
pub use link::{
    LinkControl, LinkCounts, LinkReport, LinkStats, ReportReceiver, ReportSender, reports,
};
pub use uri::DacUri;
pub use watch::Watch;
pub use worker::{Worker, WorkerHandle, WorkerParts, WorkerState, WorkerStatus, WorkerView, spawn};
