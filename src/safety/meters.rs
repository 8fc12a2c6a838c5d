//! What the gate has seen and done, readable from any thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Counts of points since the gate was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Points judged.
    pub points: u64,
    /// Points sent lit.
    pub lit: u64,
    /// Lit points made dark because a position was no number or out of the field.
    pub bad_position: u64,
    /// Lit points made dark because the mirrors had still to catch up.
    pub travel: u64,
    /// Lit points made dark by a zone.
    pub zone: u64,
    /// Lit points made dark because light stood still too long.
    pub dwell: u64,
    /// Lit points made dark in the first millisecond after arming.
    pub start_up: u64,
    /// Lit points made dark because the switch was off.
    pub disarmed: u64,
    /// Warnings of more than three flashes of the whole picture in a second.
    pub flash_warnings: u64,
}

const COUNTERS: usize = 9;

impl Counts {
    const fn as_array(&self) -> [u64; COUNTERS] {
        [
            self.points,
            self.lit,
            self.bad_position,
            self.travel,
            self.zone,
            self.dwell,
            self.start_up,
            self.disarmed,
            self.flash_warnings,
        ]
    }
}

/// The meters of one gate. Clones show the same.
#[derive(Clone, Debug, Default)]
pub struct Meters(Arc<Dials>);

#[derive(Debug, Default)]
struct Dials {
    counts: [AtomicU64; COUNTERS],
    peak: AtomicU32,
}

impl Meters {
    /// Adds a chunk's counts and its highest drive.
    pub(in crate::safety) fn add(&self, counts: &Counts, peak: u16) {
        for (dial, count) in self.0.counts.iter().zip(counts.as_array()) {
            if count > 0 {
                dial.fetch_add(count, Ordering::Relaxed);
            }
        }
        self.0.peak.fetch_max(u32::from(peak), Ordering::Relaxed);
    }

    /// The counts now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut values = [0; COUNTERS];
        for (value, dial) in values.iter_mut().zip(&self.0.counts) {
            *value = dial.load(Ordering::Relaxed);
        }
        let [points, lit, bad_position, travel, zone, dwell, start_up, disarmed, flash_warnings] =
            values;
        Counts {
            points,
            lit,
            bad_position,
            travel,
            zone,
            dwell,
            start_up,
            disarmed,
            flash_warnings,
        }
    }

    /// The highest drive sent since this was last asked, 0 to 65 535.
    #[must_use]
    pub fn take_peak(&self) -> u16 {
        self.0.peak.swap(0, Ordering::Relaxed) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_back_under_their_own_names() {
        let meters = Meters::default();
        let twin = meters.clone();
        let counts = Counts {
            points: 9,
            lit: 1,
            bad_position: 2,
            travel: 3,
            zone: 4,
            dwell: 5,
            start_up: 6,
            disarmed: 7,
            flash_warnings: 8,
        };
        meters.add(&counts, 500);
        meters.add(&Counts::default(), 20);
        assert_eq!(twin.counts(), counts);
        assert_eq!((twin.take_peak(), meters.take_peak()), (500, 0));
    }
}
