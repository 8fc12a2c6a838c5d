//! The dark beginning that a driver makes by itself.
//!
//! What a device shows first after a break in its flow is dark until the mirrors have settled. The device thread makes
//! it so for the breaks that a device reports (`SafeReceiver::begin_dark`). A driver that takes points over before
//! they leave, or that can tell before any report that the device has run dry, may hold lit points already: those it
//! darkens itself.

use crate::safety::SafeChunk;

/// How much of what leaves next has to be dark.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settling {
    /// Mirrors that were anywhere have come to rest after so long, seconds.
    settle_s: f64,
    /// What is left of it, seconds.
    left_s: f64,
}

impl Settling {
    /// Notes how long the mirrors need: the chunk says so.
    pub(super) fn learn(&mut self, chunk: &SafeChunk<'_>) {
        self.settles_within(f64::from(chunk.settle_points()) / f64::from(chunk.pps().max(1)));
    }

    /// The mirrors need so many seconds.
    pub(super) const fn settles_within(&mut self, seconds: f64) {
        self.settle_s = seconds;
    }

    /// The flow of the device is broken: its mirrors may be anywhere.
    pub(super) const fn begin(&mut self) {
        self.left_s = self.settle_s;
    }

    /// How many of the next `points` points, shown at `pps`, have to be dark.
    pub(super) fn dark(&self, points: usize, pps: u32) -> usize {
        // What is left of a sum of times is no whole number of points to the last bit.
        ((self.left_s * f64::from(pps) - 1e-6).ceil().max(0.0) as usize).min(points)
    }

    /// They have left.
    pub(super) fn passed(&mut self, points: usize, pps: u32) {
        self.left_s = (self.left_s - points as f64 / f64::from(pps.max(1))).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_break_is_dark_for_its_time_whatever_the_rate_becomes() {
        let mut settling = Settling::default();
        settling.settles_within(0.001);
        assert_eq!(settling.dark(100, 30_000), 0);
        settling.begin();
        assert_eq!((settling.dark(20, 30_000), settling.dark(100, 30_000)), (20, 30));
        settling.passed(20, 30_000);
        assert_eq!(settling.dark(100, 90_000), 30);
        settling.passed(100, 90_000);
        assert_eq!(settling.dark(100, 90_000), 0);
    }
}
