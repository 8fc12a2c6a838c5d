//! The show: media, analysis, patterns and streams put together, commanded by a surface.

pub mod command;
pub mod editor;
pub mod library;
pub mod config;
pub mod notices;
pub mod report;
pub mod snapshot;

pub use command::Command;
pub use editor::PresetEditor;
pub use library::Library;
pub use snapshot::{Desk, Snapshot};
