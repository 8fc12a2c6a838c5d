//! Shows into files.
//!
//! A rendering is the same instrument, path and gate as live, driven by media time alone: [`Offline`] makes the
//! points, [`export()`] writes them, and the same inputs give the same bytes. A [`Recording`] is what projectors get
//! while the show runs. [`FileStudio`] makes both for a desk, on threads of its own.

pub mod beam;
pub mod draft;
pub mod export;
mod job;
pub mod live;
mod local_time;
pub mod offline;
mod reel;
pub mod render;
mod rows;
pub mod studio;
pub mod test_music;

pub use crate::format::FileKind;
pub use beam::BeamView;
pub use draft::{Draft, DraftError};
pub use export::{ExportError, ExportSettings, Exported, export};
pub use live::{RecordError, Recording};
pub use local_time::Zone;
pub use offline::{Offline, OfflineError, OfflineSettings};
pub use render::{RenderError, Rendered, render, usual_settings};
pub use studio::FileStudio;
