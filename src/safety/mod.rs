//! The last stage that sees every point: nothing reaches a projector but through here.
//!
//! A program is no interlock. See `docs/safety.md`.

pub mod arm;
pub mod chunk;
pub mod gate;
pub mod queue;

pub use arm::{Arm, Trip, TripReason};
pub use chunk::SafeChunk;
pub use gate::Gate;
pub use queue::{SafeReceiver, SafeSender, queue};
