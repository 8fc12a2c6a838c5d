//! The streaming engine: decides when points are wanted and what reaches the safety gate.
//!
//! [`Stream`] is the real-time half. Drive it from an audio callback with [`Stream::tick`] and
//! [`Stream::submit`] (or [`Stream::fill_from`]), or let [`run_fill`] drive it by its own clock: both send
//! the same points. [`StreamControl`] is the handle for everybody else.

pub mod config;
pub mod control;
mod core;
pub mod fill;
pub mod frame_adapter;
pub mod fullness;
pub mod media_map;
#[cfg(test)]
mod on_an_ether_dream;
pub mod push;
pub mod rates;
mod run;
pub mod session;
pub mod stats;
pub mod sync;
pub mod timeline;

pub use config::{ConfigError, Pacing, StreamConfig, UnderrunPolicy};
pub use control::StreamControl;
pub use core::{DeviceEnd, RunExit, Stream, StreamParts, Submitted, link};
pub use fill::{FillRequest, FillResult, Producer};
pub use frame_adapter::{FrameAdapter, FrameWriter, SharedFrameAdapter, shared_frames};
pub use media_map::MediaMap;
pub use push::{FramePusher, WriteFrameError};
pub use run::run_fill;
pub use session::{Session, SessionError};
pub use stats::{StatsSnapshot, StreamStats};
pub use sync::SyncSnapshot;
