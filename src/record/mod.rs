//! Shows into files: the same instrument, path and gate as live, driven by media time alone.
//!
//! [`Offline`] makes the points, [`export()`] writes them. Nothing here reads a clock: the same inputs give the
//! same bytes.

pub mod beam;
pub mod draft;
pub mod export;
pub mod offline;
pub mod render;
mod rows;
pub mod test_music;

pub use crate::format::FileKind;
pub use beam::BeamView;
pub use draft::{Draft, DraftError};
pub use export::{ExportError, ExportSettings, Exported, export};
pub use offline::{Offline, OfflineError, OfflineSettings};
pub use render::{RenderError, Rendered, render, usual_settings};
