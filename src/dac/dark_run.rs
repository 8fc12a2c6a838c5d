//! Points that a device is spared while nothing of them is lit: its output stays off, and they pass by time alone.
//!
//! A device whose diodes have a switch of their own is switched on by the first light after a start or stop, and not
//! by the dark points of a show that nobody has armed. No device, no clock.

use std::time::Duration;

use crate::time::HostTime;

/// Dark time at least before the first light: longer than the full swing of any mirrors.
const LEAST_LEAD: Duration = Duration::from_millis(10);

/// Dark points that were taken and have not passed yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct DarkRun {
    points: u32,
    /// When the first of them passes.
    at: HostTime,
    pps: u32,
}

impl DarkRun {
    /// None.
    pub(super) const fn new(now: HostTime) -> Self {
        Self { points: 0, at: now, pps: 0 }
    }

    /// Those of them that have not passed at `now`; the fraction of a point is carried.
    fn left(self, now: HostTime) -> Self {
        let passed = now.since(self.at).as_nanos() * u128::from(self.pps) / 1_000_000_000;
        if self.points == 0 || passed >= u128::from(self.points) {
            return Self { points: 0, at: now, ..self };
        }
        let passed = passed as u32;
        let took = u64::from(passed) * 1_000_000_000 / u64::from(self.pps);
        Self { points: self.points - passed, at: self.at.plus_nanos(took as i64), ..self }
    }

    /// Takes `points` more at `pps`, if no more than `capacity` are waiting then.
    pub(super) fn take(&mut self, now: HostTime, points: usize, pps: u32, capacity: u32) -> bool {
        *self = self.left(now);
        let fits = self.points as usize + points <= capacity as usize;
        if fits {
            self.points += points as u32;
            self.pps = pps;
        }
        fits
    }

    /// Ends it: how many dark points a device is to be given first, at `pps`, so that what follows is shown when it
    /// was meant to be, and after its mirrors have come to rest.
    pub(super) fn lead(&mut self, now: HostTime, pps: u32) -> u32 {
        let left = self.left(now);
        *self = Self::new(now);
        let time = Duration::from_nanos(
            u64::from(left.points) * 1_000_000_000 / u64::from(left.pps.max(1)),
        );
        (time.max(LEAST_LEAD).as_nanos() * u128::from(pps)).div_ceil(1_000_000_000) as u32
    }

    /// When the first of the points left passes, how many there are, and their rate if there are any.
    pub(super) fn told(&self, now: HostTime) -> (HostTime, u32, Option<u32>) {
        let left = self.left(now);
        match left.points {
            0 => (self.at, 0, None),
            points => (left.at, points, Some(left.pps)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us(us: i64) -> HostTime {
        HostTime::from_nanos(us * 1000)
    }

    #[test]
    fn dark_points_pass_by_time_with_their_fractions() {
        let mut run = DarkRun::new(us(0));
        // 7.5 points in each 250 µs: in a second exactly 30 000 pass.
        for step in 0..4000 {
            assert!(run.take(us(step * 250), if step % 2 == 0 { 8 } else { 7 }, 30_000, 1000));
        }
        let (_, left, pps) = run.told(us(999_999));
        assert!(left <= 16 && pps == Some(30_000), "{left}");
        assert_eq!(run.told(us(1_100_000)), (run.at, 0, None));
    }

    #[test]
    fn no_more_are_taken_than_the_device_would_hold() {
        let mut run = DarkRun::new(us(0));
        assert!(run.take(us(0), 900, 30_000, 1000));
        assert!(!run.take(us(0), 101, 30_000, 1000));
        assert!(run.take(us(10_000), 400, 30_000, 1000));
    }

    #[test]
    fn light_is_led_by_what_is_still_to_pass_and_by_ten_milliseconds_at_least() {
        let mut run = DarkRun::new(us(0));
        run.take(us(0), 1200, 30_000, 6000);
        assert_eq!(run.lead(us(10_000), 30_000), 900);
        assert_eq!(run.lead(us(10_000), 30_000), 300);
        run.take(us(20_000), 600, 30_000, 6000);
        assert_eq!(run.lead(us(20_000), 60_000), 1200);
    }
}
