//! Blanked travel: from rest at one place to rest at another, eased.
//!
//! The speed rises and falls along raised cosines, with a stretch at full speed between them where the way is
//! long. Acceleration starts and ends at zero, so mirrors ring less than after a trapezoid. Towards a goal near the edge
//! of the field the speed falls as much longer as the law of [`super::edge`] asks for: by up to two points from 8 kpps
//! on, found by trying; onto a goal at the very edge the last of them is a short step of its own.

use std::f32::consts::PI;

use super::edge::Ahead;
use super::profile::PointLimits;

/// Below this distance (half-fields) a travel is no travel: a thousandth of the widest beam.
pub const NO_DISTANCE: f32 = 1e-5;

/// A travel ends in a step of its own where less than this part of the mirrors' change of step is left to the edge.
const LANDS: f32 = 0.005;
/// A travel that brakes as hard as it may asks for less room than this part of its top speed.
const ROOMY: f32 = 0.27;

/// A travel over a distance, with its duration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Travel {
    /// Without the landing.
    distance: f32,
    top_speed: f32,
    up: f32,
    down: f32,
    duration: f32,
    /// The last step, onto a goal at the edge of the field.
    landing: f32,
}

impl Travel {
    /// The quickest such travel over `distance` half-fields within `limits`, towards what is `ahead`.
    #[must_use]
    pub fn over(distance: f32, limits: PointLimits, ahead: Ahead) -> Self {
        if distance <= NO_DISTANCE {
            return Self::eased(0.0, limits, 0.0);
        }
        let mut travel = Self::eased(distance, limits, 0.0);
        if travel.keeps_off(limits.change, ahead) {
            return travel;
        }
        let (mut distance, mut ahead, mut landing) = (distance, ahead, 0.0);
        if ahead.room < LANDS * limits.change {
            landing = (2.0 * limits.change * ahead.room / ahead.share).sqrt().min(distance);
            distance -= landing;
            ahead.room += landing;
        }
        // A longer end, until it does. Each attempt costs a sine a point, for the few goals near the edge.
        for longer in 0..64 {
            travel = Self::eased(distance, limits, longer as f32);
            if travel.keeps_off(limits.change, ahead) {
                break;
            }
        }
        Self { landing, ..travel }
    }

    /// The quickest from rest at one place to rest at another.
    #[must_use]
    pub fn between(from: [f32; 2], to: [f32; 2], limits: PointLimits) -> Self {
        let (x, y) = (to[0] - from[0], to[1] - from[1]);
        let distance = (x * x + y * y).sqrt();
        Self::over(distance, limits, Ahead::of(from, to, distance))
    }

    /// With a slowing that lasts `longer` points more than the speeding up.
    fn eased(distance: f32, limits: PointLimits, longer: f32) -> Self {
        if distance <= NO_DISTANCE {
            return Self {
                distance,
                top_speed: 0.0,
                up: 0.0,
                down: 0.0,
                duration: 0.0,
                landing: 0.0,
            };
        }
        // A ramp to speed v lasts (π/2)·v/a and covers half of v times that.
        let lost = 0.5 * longer * limits.change / PI;
        let reach = (2.0 * limits.change * distance / PI + lost * lost).sqrt() - lost;
        let top_speed = limits.step.min(reach);
        let up = PI / 2.0 * top_speed / limits.change;
        let down = up + longer;
        let duration = distance / top_speed + 0.5 * (up + down);
        Self { distance, top_speed, up, down, duration, landing: 0.0 }
    }

    /// True if each of its points keeps the law of the edge.
    fn keeps_off(&self, change: f32, ahead: Ahead) -> bool {
        if ahead.room >= ROOMY * self.top_speed {
            return true;
        }
        let points = self.points();
        let left =
            |k: usize| self.distance - self.covered_at(self.duration * k as f32 / points as f32);
        // From the end, where it is nearest to the edge, to where it was fastest.
        let mut after = 0.0;
        for k in (0..points).rev() {
            let before = left(k);
            if !ahead.can_stop(before - after, after, change) {
                return false;
            }
            if self.duration * (points - k) as f32 >= (self.down + 1.0) * points as f32 {
                break;
            }
            after = before;
        }
        true
    }

    /// Its points: the last is at the destination, the first has left the origin. 0 for no distance.
    #[must_use]
    pub fn points(&self) -> usize {
        self.duration.ceil() as usize + usize::from(self.landing > 0.0)
    }

    /// The fraction of the way covered at point `k` of 1..=`points()`.
    #[must_use]
    pub fn fraction_at(&self, k: usize) -> f32 {
        let points = self.duration.ceil() as usize;
        let whole = self.distance + self.landing;
        if k > points || whole <= 0.0 || (k == points && self.landing <= 0.0) {
            return 1.0;
        }
        // Stretched to a whole number of points: slower, so still within the limits.
        let covered = self.covered_at(self.duration * k as f32 / points as f32);
        (covered / whole).clamp(0.0, 1.0)
    }

    /// The way covered after a time, the landing left out.
    fn covered_at(&self, t: f32) -> f32 {
        let ease =
            |t: f32, ramp: f32| 0.5 * self.top_speed * (t - ramp / PI * (PI * t / ramp).sin());
        if t < self.up {
            ease(t, self.up)
        } else if t > self.duration - self.down {
            self.distance - ease(self.duration - t, self.down)
        } else {
            self.top_speed * (t - 0.5 * self.up)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::edge::SLACK;
    use super::super::profile::GalvoProfile;
    use super::*;

    /// Far from any edge.
    const FREE: Ahead = Ahead { share: 1.0, room: f32::INFINITY };

    const LENGTHS: [f32; 12] = [2e-5, 1e-4, 0.003, 0.05, 0.2, 0.4, 0.7, 1.0, 1.3, 1.7, 2.0, 2.83];

    /// Rooms from the edge itself to where a travel needs none.
    fn ahead() -> impl Iterator<Item = Ahead> {
        let share = [1.0_f32, 0.72].into_iter();
        share.flat_map(|share| {
            (0..24).map(move |k| Ahead { share, room: SLACK * 1.5_f32.powi(k) / share })
        })
    }

    /// The steps of a travel from rest to rest.
    fn steps(travel: &Travel, length: f32) -> Vec<f32> {
        let mut at = vec![0.0_f32, 0.0];
        at.extend((1..=travel.points()).map(|k| length * travel.fraction_at(k)));
        at.extend([length, length]);
        at.windows(2).map(|w| w[1] - w[0]).collect()
    }

    #[test]
    fn no_travel_breaks_a_limit_whatever_its_length_rate_and_goal() {
        for pps in [1_000, 8_000, 12_000, 30_000, 100_000] {
            for profile in GalvoProfile::ALL {
                let limits = profile.at(pps);
                for length in LENGTHS {
                    for ahead in ahead().chain([FREE]) {
                        let step = steps(&Travel::over(length, limits, ahead), length);
                        let within = |s: &f32| *s >= -1e-6 && *s <= limits.step * 1.0001 + 1e-6;
                        assert!(step.iter().all(within), "{pps} {length} {ahead:?}");
                        let worst =
                            step.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
                        assert!(
                            worst <= limits.change * 1.0001 + 1e-6,
                            "{pps} {length} {ahead:?}: {worst}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_travel_to_a_goal_at_the_edge_keeps_the_law_and_costs_few_points() {
        for pps in [1_000, 3_000, 8_000, 10_000, 12_000, 20_000, 30_000, 60_000, 100_000] {
            for profile in GalvoProfile::ALL {
                let limits = profile.at(pps);
                for length in LENGTHS {
                    let freely = Travel::over(length, limits, FREE).points();
                    for ahead in ahead() {
                        let travel = Travel::over(length, limits, ahead);
                        let mut left = length;
                        for step in steps(&travel, length) {
                            left -= step;
                            // The gate's limits are a fiftieth wider than those of the layout.
                            let kept = ahead.can_stop(step, left.max(0.0), 1.001 * limits.change);
                            assert!(kept, "{pps} {} {length} {ahead:?}: {step}", profile.name);
                        }
                        let more = travel.points() - freely;
                        assert!(
                            more <= if pps < 8_000 { 4 } else { 2 },
                            "{pps} {} {length} {ahead:?}: {more}",
                            profile.name
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_full_swing_takes_about_a_millisecond_at_thirty_kpps() {
        let points = Travel::over(2.0, GalvoProfile::K30.at(30_000), FREE).points();
        assert!((24..=30).contains(&points), "{points}");
        let to_the_edge = Travel::between([-1.0, 0.0], [1.0, 0.0], GalvoProfile::K30.at(30_000));
        assert!((24..=32).contains(&to_the_edge.points()), "{}", to_the_edge.points());
    }

    #[test]
    fn no_distance_needs_no_points() {
        let limits = GalvoProfile::K30.at(30_000);
        assert_eq!(Travel::over(0.0, limits, FREE).points(), 0);
        assert_eq!(Travel::between([1.0, -1.0], [1.0, -1.0], limits).points(), 0);
    }
}
