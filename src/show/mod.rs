//! The show: media, analysis, patterns and streams put together, commanded by a surface.

pub mod command;
pub mod config;
pub mod notices;
pub mod report;
pub mod snapshot;

pub use command::Command;
pub use snapshot::{Desk, Snapshot};
