//! Scan-fail: no light that stands still, or as good as still, for longer than the dwell time.
//!
//! Light is still while it stays within a small circle, whatever it does there: a figure that small is a
//! standing beam. Time is counted in lit points; only a long dark pause or leaving the circle ends the count.

use super::zones::Shape;

/// What counts as still, and how long that may be lit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DwellLimit {
    /// Where it holds: the audience. None: nowhere.
    pub protected: Option<Shape>,
    /// Light that stays within this distance of where it was is still, half-fields.
    pub still_radius: f32,
    /// The longest time that still light may be on, seconds.
    pub max_dwell_s: f32,
}

impl DwellLimit {
    /// The speed that light has to have on average, half-fields per second.
    #[must_use]
    pub fn least_speed(&self) -> f32 {
        self.still_radius / self.max_dwell_s
    }
}

impl Default for DwellLimit {
    /// The whole field is protected: a hundredth of a half-field, 20 ms.
    fn default() -> Self {
        Self { protected: Some(Shape::FIELD), still_radius: 0.01, max_dwell_s: 0.02 }
    }
}

/// Watches the sent points.
#[derive(Clone, Copy, Debug, Default)]
pub struct DwellGuard {
    anchor: [f32; 2],
    lit_points: u32,
    dark_points: u32,
    max_points: u32,
    radius_squared: f32,
}

impl DwellGuard {
    /// Takes the limit at `pps`. What is on the count stays on it.
    ///
    /// The circle is twice as wide and the time half as long as asked for: a stay may begin at one end of a
    /// circle and go on into the next, and must keep the limit in all.
    pub fn set(&mut self, limit: &DwellLimit, pps: u32) {
        let points = 0.5 * limit.max_dwell_s * pps as f32;
        self.max_points = if points.is_finite() { points.max(0.0) as u32 } else { 0 };
        let radius = if limit.still_radius.is_finite() { 2.0 * limit.still_radius } else { 4.0 };
        self.radius_squared = radius * radius;
    }

    /// Judges the next sent point; true if it may be lit. `lit` says whether it is to be.
    #[inline]
    pub fn allows(&mut self, at: [f32; 2], lit: bool, limit: &DwellLimit) -> bool {
        let (x, y) = (at[0] - self.anchor[0], at[1] - self.anchor[1]);
        if x * x + y * y > self.radius_squared {
            self.anchor = at;
            self.lit_points = 0;
            self.dark_points = 0;
        }
        if !lit {
            self.dark_points = self.dark_points.saturating_add(1);
            if self.dark_points >= self.max_points {
                self.lit_points = 0;
            }
            return false;
        }
        self.dark_points = 0;
        if self.lit_points < self.max_points {
            self.lit_points += 1;
            return true;
        }
        !limit.protected.is_some_and(|zone| zone.contains(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(pps: u32) -> (DwellGuard, DwellLimit) {
        let limit = DwellLimit::default();
        let mut guard = DwellGuard::default();
        guard.set(&limit, pps);
        (guard, limit)
    }

    #[test]
    fn a_standing_beam_goes_dark_within_the_dwell_time_at_every_rate() {
        for pps in [8_000, 30_000, 100_000] {
            let (mut guard, limit) = guard(pps);
            let lit = (0..pps).filter(|_| guard.allows([0.5, 0.5], true, &limit)).count();
            assert!(lit as f32 <= 0.02 * pps as f32, "{lit}");
        }
    }

    #[test]
    fn a_tiny_figure_is_a_standing_beam() {
        let (mut guard, limit) = guard(30_000);
        let lit = (0..30_000)
            .map(|k| (k as f32 * 0.3).sin_cos())
            .filter(|(y, x)| guard.allows([0.5 + 0.005 * x, 0.5 + 0.005 * y], true, &limit))
            .count();
        assert!(lit <= 600, "{lit}");
    }

    #[test]
    fn short_dark_gaps_do_not_make_a_standing_beam_move() {
        let (mut guard, limit) = guard(30_000);
        let lit = (0..30_000).filter(|k| guard.allows([0.5, 0.5], k % 2 == 0, &limit)).count();
        assert!(lit <= 600, "{lit}");
    }

    #[test]
    fn a_figure_of_size_stays_lit() {
        let (mut guard, limit) = guard(30_000);
        let all = (0..30_000)
            .map(|k| (k as f32 * 0.03).sin_cos())
            .all(|(y, x)| guard.allows([0.5 * x, 0.5 * y], true, &limit));
        assert!(all);
    }

    #[test]
    fn outside_the_protected_zone_a_beam_may_stand() {
        let (mut guard, mut limit) = guard(30_000);
        limit.protected = Some(Shape::Rect { low: [-1.0, -1.0], high: [1.0, 0.0] });
        assert!((0..30_000).all(|_| guard.allows([0.5, 0.5], true, &limit)));
    }
}
