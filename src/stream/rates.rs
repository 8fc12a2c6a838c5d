//! The nominal duration of every point: the rate may change while the stream runs.

/// Changes of rate that may be on their way to the mirrors at one time.
const CHANGES: usize = 32;

#[derive(Clone, Copy, Debug, Default)]
struct Segment {
    /// Its first point.
    point: f64,
    /// The nominal time of that point, seconds.
    seconds: f64,
    /// Points per second from there on.
    pps: f64,
}

/// Points ↔ seconds on a device whose clock is exact. No jump at a change of rate.
#[derive(Debug)]
pub struct Rates {
    segments: [Segment; CHANGES],
    len: usize,
}

impl Rates {
    /// One rate, in points per second, from point 0 on.
    #[must_use]
    pub fn new(pps: u32) -> Self {
        let mut segments = [Segment::default(); CHANGES];
        segments[0].pps = f64::from(pps.max(1));
        Self { segments, len: 1 }
    }

    /// From `point` on the rate is `pps`. What was said before of later points is forgotten.
    pub fn change(&mut self, point: f64, pps: u32) {
        let seconds = self.seconds(point);
        while self.len > 1 && self.segments[self.len - 1].point >= point {
            self.len -= 1;
        }
        if self.len == CHANGES {
            self.segments.copy_within(1.., 0);
            self.len -= 1;
        }
        let segment = Segment { point, seconds, pps: f64::from(pps.max(1)) };
        if self.segments[0].point >= point {
            self.len = 0;
        }
        self.segments[self.len] = segment;
        self.len += 1;
    }

    /// Nominal time of a point, seconds since point 0.
    #[must_use]
    pub fn seconds(&self, point: f64) -> f64 {
        let at = self.find(|segment| segment.point <= point);
        at.seconds + (point - at.point) / at.pps
    }

    /// The point at a nominal time.
    #[must_use]
    pub fn point(&self, seconds: f64) -> f64 {
        let at = self.find(|segment| segment.seconds <= seconds);
        at.point + (seconds - at.seconds) * at.pps
    }

    /// The rate at a point, points per second.
    #[must_use]
    pub fn pps_at(&self, point: f64) -> f64 {
        self.find(|segment| segment.point <= point).pps
    }

    /// The rate of points yet to come, points per second.
    #[must_use]
    pub fn newest_pps(&self) -> f64 {
        self.segments[self.len - 1].pps
    }

    fn find(&self, begins_before: impl Fn(&Segment) -> bool) -> Segment {
        let known = &self.segments[..self.len];
        *known.iter().rev().find(|segment| begins_before(segment)).unwrap_or(&known[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_continuous_over_changes_of_rate() {
        let mut rates = Rates::new(30_000);
        rates.change(30_000.0, 15_000);
        rates.change(45_000.0, 60_000);
        assert_eq!(rates.seconds(30_000.0), 1.0);
        assert_eq!(rates.seconds(45_000.0), 2.0);
        assert_eq!(rates.seconds(105_000.0), 3.0);
        for seconds in [0.5, 1.0, 1.5, 2.0, 2.5, 9.0] {
            assert!((rates.seconds(rates.point(seconds)) - seconds).abs() < 1e-12);
        }
        assert_eq!((rates.pps_at(1.0), rates.pps_at(40_000.0)), (30_000.0, 15_000.0));
        assert_eq!(rates.newest_pps(), 60_000.0);
    }

    #[test]
    fn a_change_before_another_replaces_it() {
        let mut rates = Rates::new(30_000);
        rates.change(3_000.0, 20_000);
        rates.change(1_500.0, 10_000);
        assert_eq!(rates.seconds(2_500.0), 0.05 + 0.1);
        assert_eq!(rates.newest_pps(), 10_000.0);
    }

    #[test]
    fn endless_changes_need_no_more_memory() {
        let mut rates = Rates::new(10_000);
        for k in 1..1000_u32 {
            rates.change(f64::from(k) * 100.0, 10_000 + k % 7);
        }
        let (before, after) = (rates.seconds(99_900.0), rates.seconds(99_901.0));
        assert!(after > before && after - before < 1.01e-4);
    }
}
