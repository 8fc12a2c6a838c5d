//! When a run of points is frame enough for a device that takes whole frames.
//!
//! Long frames cost latency, short ones cost the USB bus; the makers of the Helios advise against less than
//! 10 ms. A frame is handed over as soon as it is long enough, and a shorter one only if the device would
//! run dry waiting for more.

use std::time::Duration;

use crate::time::HostTime;

/// The longest frame made.
const LONGEST: Duration = Duration::from_millis(20);
/// The shortest frame made while there is time.
const SHORTEST: Duration = Duration::from_millis(10);
/// Light left in the device below which a short frame is better than none: a step, a question and a transfer.
const GUARD: Duration = Duration::from_millis(7);

/// What is known of the frame being gathered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FramePlan {
    /// When its first point was seen with the device empty.
    begun: Option<HostTime>,
}

/// Points of the longest frame at `pps`.
pub(super) fn most_points(pps: u32) -> usize {
    points(LONGEST, pps).ceil().max(1.0) as usize
}

fn points(time: Duration, pps: u32) -> f64 {
    time.as_secs_f64() * f64::from(pps)
}

impl FramePlan {
    /// True if the `len` points gathered should be handed over now, `most` being the longest frame and `held`
    /// the points left in the device.
    pub(super) fn is_due(
        &mut self,
        now: HostTime,
        len: usize,
        most: usize,
        pps: u32,
        held: f64,
    ) -> bool {
        if len >= most || len as f64 >= points(SHORTEST, pps) {
            return true;
        }
        if held > 0.0 {
            return held <= points(GUARD, pps);
        }
        // An empty device starts with a frame that leaves time to make the next one.
        let begun = *self.begun.get_or_insert(now);
        now.since(begun) >= SHORTEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PPS: u32 = 30_000;

    fn ms(ms: i64) -> HostTime {
        HostTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_short_frame_waits_for_more_until_the_device_would_run_dry() {
        let mut plan = FramePlan::default();
        let most = most_points(PPS);
        assert_eq!(most, 600);
        assert!(plan.is_due(ms(0), 300, most, PPS, 600.0));
        assert!(!plan.is_due(ms(0), 299, most, PPS, 600.0));
        assert!(plan.is_due(ms(0), 1, most, PPS, 209.0));
    }

    #[test]
    fn an_empty_device_is_given_what_there_is_after_ten_milliseconds() {
        let mut plan = FramePlan::default();
        assert!(!plan.is_due(ms(5), 20, 600, PPS, 0.0));
        assert!(!plan.is_due(ms(14), 20, 600, PPS, 0.0));
        assert!(plan.is_due(ms(15), 20, 600, PPS, 0.0));
    }

    #[test]
    fn a_chunk_limit_below_the_shortest_frame_does_not_hold_up_the_light() {
        assert!(FramePlan::default().is_due(ms(0), 100, 100, PPS, 1000.0));
    }
}
