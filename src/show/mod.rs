//! The show: media, analysis, patterns and streams put together, commanded by a surface.

pub mod ahead;
pub mod bench;
pub mod command;
pub mod config;
pub mod deck;
pub mod director;
pub mod edit;
pub mod editor;
pub mod engine;
pub mod error;
pub mod handle;
pub mod hearing;
pub mod library;
pub mod masks;
pub mod mountings;
pub mod notices;
pub mod playlist;
pub mod projector;
pub mod renderer;
pub mod report;
pub mod shuffle;
pub mod snapshot;
pub mod whole_track;

pub use bench::PresetBench;
pub use command::Command;
pub use config::{ShowConfig, Source};
pub use deck::{Begin, Transition};
pub use edit::PresetEdit;
pub use editor::{PresetEditor, Side};
pub use error::ShowError;
pub use handle::{ShowHandle, start};
pub use library::Library;
pub use mountings::{Mountings, MountingsError};
pub use report::Report;
pub use snapshot::{Desk, Snapshot};
