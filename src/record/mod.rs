//! Shows into files: the same instrument, path and gate as live, driven by media time alone.
//!
//! [`Offline`] makes the points, [`export()`] writes them. Nothing here reads a clock: the same inputs give the
//! same bytes.

pub mod beam;
pub mod export;
pub mod offline;
mod rows;
pub mod test_music;

pub use beam::BeamView;
pub use export::{ExportError, ExportSettings, Exported, FileKind, export};
pub use offline::{Offline, OfflineError, OfflineSettings};
