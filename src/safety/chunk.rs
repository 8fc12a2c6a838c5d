//! Points that passed the gate. Nothing else reaches a device.

use crate::point::LaserPoint;
use crate::time::StreamInstant;

/// A run of points that the safety gate has passed, borrowed from its buffer.
///
/// Only this layer can build one, and a device backend takes nothing else.
#[derive(Clone, Copy, Debug)]
pub struct SafeChunk<'a> {
    points: &'a [LaserPoint],
    start: StreamInstant,
    pps: u32,
    generation: u64,
    settle_points: u32,
}

impl<'a> SafeChunk<'a> {
    /// For the gate and its queue alone.
    pub(in crate::safety) const fn new(
        points: &'a [LaserPoint],
        start: StreamInstant,
        pps: u32,
        generation: u64,
        settle_points: u32,
    ) -> Self {
        Self { points, start, pps, generation, settle_points }
    }

    /// The points, in order.
    #[must_use]
    pub const fn points(&self) -> &'a [LaserPoint] {
        self.points
    }

    /// Stream time of the first point.
    #[must_use]
    pub const fn start(&self) -> StreamInstant {
        self.start
    }

    /// The rate these points are meant for, points per second.
    #[must_use]
    pub const fn pps(&self) -> u32 {
        self.pps
    }

    /// The arming generation these points were passed under; see [`super::Arm`].
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Points that pass until mirrors that were anywhere have come to rest on these: what a device shows
    /// first after a break in its flow has to be dark for so long.
    #[must_use]
    pub const fn settle_points(&self) -> u32 {
        self.settle_points
    }

    /// How many points.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.points.len()
    }

    /// True when there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.points.is_empty()
    }
}
