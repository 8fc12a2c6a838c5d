//! Mask streams: silhouettes from ASVP and ASVR files, on time.
//!
//! [`Builder`] makes a [`MaskHandle`]; the handle loads a [`MaskSource`] and gives frames: pictures for a
//! texture, triangle strips, outlines for the laser. Behind it, the [`scheduler`] decides what is fetched next,
//! a worker reads, decodes and draws on threads of a Tokio runtime, and the [`cache`] keeps the newest 512
//! frames as bits.

pub mod bitmask;
pub mod cache;
pub mod config;
pub mod error;
pub mod handle;
pub mod lettering;
pub mod light;
pub mod light_window;
mod pictures;
pub mod raster;
pub mod rate;
pub mod runtime;
pub mod scheduler;
pub mod shapes;
pub mod source;
pub mod strips;
pub mod trace;
mod worker;

pub use bitmask::{BitMask, Bitmap};
pub use config::{Builder, Output, Settings};
pub use error::{Category, ErrorCode, MaskError};
pub use handle::{MaskHandle, MaskSource, Metadata, StreamKey};
pub use light::{Eye, LightSettings};
pub use light_window::{ASKED_AHEAD, LightFeeder, LightFrames, LightWindow, light_window};
pub use rate::Rate;
pub use source::RangeSource;
pub use worker::{Counters, Frame};
