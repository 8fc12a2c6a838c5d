//! The gate: the last look at every point.

use super::arm::Arm;
use super::chunk::SafeChunk;
use crate::point::LaserPoint;
use crate::time::{HostTime, StreamInstant};

/// Passes, dims or blanks points in place; the one builder of [`SafeChunk`]s.
#[derive(Debug)]
pub struct Gate {
    arm: Arm,
    master: f32,
}

impl Gate {
    /// A gate on one projector's switch, at the default master of 20 %.
    #[must_use]
    pub const fn new(arm: Arm) -> Self {
        Self { arm, master: 0.2 }
    }

    /// Brightness of all light, 0..=1.
    pub const fn set_master(&mut self, master: f32) {
        self.master = master;
    }

    /// Judges `points`, which will follow what was passed before without a gap. Their number never changes.
    pub fn pass<'a>(
        &mut self,
        _now: HostTime,
        points: &'a mut [LaserPoint],
        start: StreamInstant,
        pps: u32,
    ) -> SafeChunk<'a> {
        let generation = self.arm.generation();
        let lit = self.arm.allows(generation);
        for point in points.iter_mut() {
            if !point.is_in_range() {
                *point = LaserPoint::CENTRE;
            }
            *point = if lit { point.scaled(self.master) } else { point.blanked() };
        }
        SafeChunk::new(points, start, pps, generation)
    }
}
