//! Drawings made from music: generators behind one [`Pattern`] trait, driven by named parameters.
//!
//! A pattern cannot read a clock, a device or a file: all it knows is the [`Scene`]. A [`Preset`] names a
//! generator, its parameters, what of the music moves them, and the colours; an [`Instrument`] is a preset
//! ready to play.

pub mod board;
pub mod bundled;
pub mod catalog;
pub mod colouring;
mod controls;
pub mod cost;
pub mod effects;
pub mod figure;
pub mod font;
pub mod formula;
pub mod gauges;
pub mod generators;
pub mod instrument;
pub mod modulation;
pub mod morph;
pub mod pen;
pub mod preset;
pub mod random;
pub mod silhouette;

pub use board::{DrawingAt, Owner};
pub use catalog::{Generator, ParamSpec};
pub use figure::{Figure, Stroke, Vertex};
pub use gauges::Gauges;
pub use instrument::{Instrument, Shade};
pub use preset::{Preset, PresetError};
pub use silhouette::{Sight, Silhouette};

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
    /// The parameters after modulation, in the order of the generator's `params` in the catalog.
    pub params: &'a [f32],
}

/// A generator of drawings. It may hold state (particles, phases), moved only by `dt`.
///
/// It draws in white; the level of a vertex is its share of the light. Colours are the preset's.
pub trait Pattern: Send {
    /// Draws one frame into an empty figure. Real-time: no allocation, lock or clock.
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure);

    /// Shows it the mask stream at the moment of the next frame: for the patterns that draw silhouettes.
    /// Real-time: no allocation, lock or clock.
    fn see(&mut self, _sight: Sight<'_>) {}

    /// It may work out so many points from now on: for the patterns whose cost a preset chooses.
    fn allow(&mut self, _points: usize) {}
}
