//! Virtual projectors: each speaks the device side of its protocol over the real transport.

pub mod ether_dream;
pub mod playback;

pub use playback::{Playback, QueuedPoint, Recorder};
