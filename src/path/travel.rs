//! Blanked travel: from rest at one place to rest at another, eased.
//!
//! The speed rises and falls along raised cosines, with a stretch at full speed between them where the way is
//! long. Acceleration starts and ends at zero, so mirrors ring less than after a trapezoid.

use std::f32::consts::PI;

use super::profile::PointLimits;

/// Below this distance (half-fields) a travel is no travel: a thousandth of the widest beam.
pub const NO_DISTANCE: f32 = 1e-5;

/// A travel over a distance, with its duration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Travel {
    distance: f32,
    top_speed: f32,
    ramp: f32,
    duration: f32,
}

impl Travel {
    /// The quickest such travel over `distance` half-fields within `limits`.
    #[must_use]
    pub fn over(distance: f32, limits: PointLimits) -> Self {
        if distance <= NO_DISTANCE {
            return Self { distance: 0.0, top_speed: 0.0, ramp: 0.0, duration: 0.0 };
        }
        // A ramp to speed v lasts (π/2)·v/a and covers half of v times that.
        let top_speed = limits.step.min((2.0 * limits.change * distance / PI).sqrt());
        let ramp = PI / 2.0 * top_speed / limits.change;
        Self { distance, top_speed, ramp, duration: distance / top_speed + ramp }
    }

    /// Its points: the last is at the destination, the first has left the origin. 0 for no distance.
    #[must_use]
    pub fn points(&self) -> usize {
        self.duration.ceil() as usize
    }

    /// The fraction of the way covered at point `k` of 1..=`points()`.
    #[must_use]
    pub fn fraction_at(&self, k: usize) -> f32 {
        let points = self.points();
        if k >= points || self.distance <= 0.0 {
            return 1.0;
        }
        // Stretched to a whole number of points: slower, so still within the limits.
        let t = self.duration * k as f32 / points as f32;
        let ease =
            |t: f32| 0.5 * self.top_speed * (t - self.ramp / PI * (PI * t / self.ramp).sin());
        let covered = if t < self.ramp {
            ease(t)
        } else if t > self.duration - self.ramp {
            self.distance - ease(self.duration - t)
        } else {
            self.top_speed * (t - 0.5 * self.ramp)
        };
        (covered / self.distance).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::GalvoProfile;
    use super::*;

    #[test]
    fn no_travel_breaks_a_limit_whatever_its_length_and_rate() {
        for pps in [1_000, 12_000, 30_000, 100_000] {
            let limits = GalvoProfile::K30.at(pps);
            for d in [1e-4_f32, 0.003, 0.05, 0.4, 1.3, 2.0, 2.83] {
                let travel = Travel::over(d, limits);
                let mut at = vec![0.0_f32, 0.0];
                at.extend((1..=travel.points()).map(|k| d * travel.fraction_at(k)));
                at.extend([d, d]);
                let step: Vec<f32> = at.windows(2).map(|w| w[1] - w[0]).collect();
                assert!(step.iter().all(|s| *s >= -1e-6 && *s <= limits.step * 1.0001 + 1e-6));
                let worst = step.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
                assert!(worst <= limits.change * 1.0001 + 1e-6, "{pps} {d} {worst}");
            }
        }
    }

    #[test]
    fn a_full_swing_takes_about_a_millisecond_at_thirty_kpps() {
        let points = Travel::over(2.0, GalvoProfile::K30.at(30_000)).points();
        assert!((24..=30).contains(&points), "{points}");
    }

    #[test]
    fn no_distance_needs_no_points() {
        assert_eq!(Travel::over(0.0, GalvoProfile::K30.at(30_000)).points(), 0);
    }
}
