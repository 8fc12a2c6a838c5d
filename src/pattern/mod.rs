//! Drawings made from music: generators behind one [`Pattern`] trait, driven by named parameters.
//!
//! A pattern cannot read a clock, a device or a file: all it knows is the [`Scene`].

pub mod figure;

pub use figure::{Figure, Stroke, Vertex};

use crate::analysis::Features;
use crate::time::MediaTime;

/// All a pattern may know when it draws a frame.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The sound at the time the frame is seen.
    pub features: &'a Features,
    /// The media time at which the frame is seen.
    pub media: MediaTime,
    /// Seconds since the last frame of this pattern, 0 for the first; bounded to 0..=0.25.
    pub dt: f32,
    /// The parameters after modulation, in the order of [`Pattern::params`] declared by its catalog entry.
    pub params: &'a [f32],
}

/// A generator of drawings. It may hold state (particles, phases), moved only by `dt`.
pub trait Pattern: Send {
    /// Draws one frame into an empty figure. Real-time: no allocation, lock or clock.
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure);
}
