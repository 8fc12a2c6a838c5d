//! How fast an axis may go towards the edge of the field, at any rate: one law for what is laid out and for what the
//! safety gate lets pass.
//!
//! Beyond the edge there is no place to stop in. A mirror at speed v that slows by a stops within v²/2a, whatever the
//! rate, so the law is: *after each step the way left to the edge is at least v²/2a*. In points, with a step s outwards
//! and a change c from step to step, v²/2a is s²/2c. A rate that changes between two points changes s and c and neither
//! v nor a: what held before holds after. The sum over whole points, s + (s − c) + (s − 2c) + …, allows half a step
//! more, and is right only while the rate stays: after a rise each further point takes off less, from the same speed.
//!
//! *It can always be kept.* Say w is left before a point, and s²/2c ≤ w + ε. The step s − c leads to
//! (s − c)²/2c = s²/2c − s + c/2 ≤ (w − (s − c)) + ε − c/2. It is within w if ε ≤ c/2, since s − c ≤ s²/2c − c/2 ≤ w;
//! an axis with s ≤ c stands at once. So a slack ε of up to half the change of a point breaks nothing, and with it a
//! place on the very edge is reached in a few points; without it, never quite. The law is therefore kept against an edge
//! that lies [`SLACK`] outside the field; *room* is the way left to that.
//!
//! *The largest step* d that keeps it solves d²/2c = room − d.
//!
//! *A motion in continuous time, looked at once a point.* Let it slow by at most a = q·c and pass a place at speed u with
//! a room r beyond. Where it is v fast, the step that led there is at most v + a/2, and (v² − u²)/2a are left to the
//! place, so the law asks for (v + a/2)²/2c − (v² − u²)/2a ≤ r. The left side is greatest at v₀ = qa/2(1 − q), where it is
//! aq/8(1 − q) + u²/2a, or at v = u if that is more. [`Arrival`] solves it for u, and where even u = 0 asks for too
//! much, for a.

/// How far outside the field the law puts the edge, half-fields. Not above half the change of a point of the slowest
/// built-in mirrors at 100 kpps, the highest rate of the projectors driven here.
pub const SLACK: f32 = 4e-4;

/// Where the law puts the edge.
pub const EDGE: f32 = 1.0 + SLACK;

/// The way left to the edge at `to`, for an axis that comes from `from`.
#[inline]
#[must_use]
pub fn room(from: f32, to: f32) -> f32 {
    if to > from { EDGE - to } else { EDGE + to }
}

/// The law: true if an axis that has just made `step` and has `room` left can stop in the field, whatever the rate.
#[inline]
#[must_use]
pub fn can_stop(step: f32, room: f32, change: f32) -> bool {
    step * step <= 2.0 * change * room
}

/// The change of step from which on the law holds.
#[inline]
#[must_use]
pub fn demand(step: f32, room: f32) -> f32 {
    0.5 * step * step / room
}

/// The largest step into `room` after which the law holds; none that leaves the field.
#[must_use]
pub fn largest_step(room: f32, change: f32) -> f32 {
    // The root of d² + 2cd = 2c·room, without the difference of two nearly equal numbers.
    let step = 2.0 * room / (1.0 + (1.0 + 2.0 * room / change).sqrt());
    step.min(room - SLACK).max(0.0)
}

/// What lies ahead of a straight way, as the axis that is nearest to trouble sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ahead {
    /// The part of the motion that is this axis', 0..=1.
    pub share: f32,
    /// The way from the goal straight on to the edge, half-fields.
    pub room: f32,
}

impl Ahead {
    /// Of a way of `length` half-fields. Of two axes, the greater share and the lesser room.
    #[must_use]
    pub fn of(from: [f32; 2], to: [f32; 2], length: f32) -> Self {
        let mut ahead = Self { share: 0.0, room: f32::INFINITY };
        for axis in 0..2 {
            let share = ((to[axis] - from[axis]).abs() / length).min(1.0);
            if share > 0.0 {
                ahead.share = ahead.share.max(share);
                ahead.room = ahead.room.min(room(from[axis], to[axis]) / share);
            }
        }
        ahead
    }

    /// True if the law holds for a step along the way that leaves `left` to the goal.
    #[inline]
    #[must_use]
    pub fn can_stop(&self, step: f32, left: f32, change: f32) -> bool {
        step * step * self.share <= 2.0 * change * (left + self.room)
    }
}

/// How a motion in continuous time may come to a place, so that its samples keep the law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// Greatest speed there, half-fields per point.
    pub speed: f32,
    /// Greatest slowing on the way there, half-fields per point squared.
    pub slowing: f32,
}

impl Arrival {
    /// For a straight way of which `share` is an axis', with `room` left to it at the end; it slows by at most `slowing`.
    #[must_use]
    pub fn with(room: f32, share: f32, change: f32, slowing: f32) -> Self {
        let (a, q) = (slowing * share, slowing * share / change);
        let least = 0.125 * a * q / (1.0 - q);
        if room <= least {
            let z = 8.0 * room / change;
            let q = 0.5 * ((z * z + 4.0 * z).sqrt() - z);
            return Self { speed: 0.0, slowing: q * change / share };
        }
        let slow = (2.0 * a * (room - least)).sqrt();
        let turning = 0.5 * a * q / (1.0 - q);
        let speed = if slow <= turning { slow } else { (2.0 * change * room).sqrt() - 0.5 * a };
        Self { speed: speed / share, slowing }
    }

    /// The room beyond which none of this binds a motion up to `speed`.
    #[must_use]
    pub fn free_room(speed: f32, change: f32, slowing: f32) -> f32 {
        let q = slowing / change;
        if speed > 0.5 * slowing * q / (1.0 - q) {
            let step = speed + 0.5 * slowing;
            0.5 * step * step / change
        } else {
            0.5 * speed * speed / slowing + 0.125 * slowing * q / (1.0 - q)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::GalvoProfile;
    use super::*;

    const CHANGES: [f32; 6] = [9e-4, 0.002, 0.0222, 0.2, 1.3, 80.0];
    const ROOMS: [f32; 9] = [0.0, 1e-7, 1e-5, 1e-3, 0.01, 0.1, 0.5, 1.0, 2.0];

    #[test]
    fn the_largest_step_keeps_the_law_and_the_field_and_a_larger_one_does_not() {
        for change in CHANGES {
            for way in ROOMS {
                let step = largest_step(way + SLACK, change);
                assert!(step >= 0.0 && step <= way + 1e-7, "{change} {way} {step}");
                assert!(can_stop(step * 0.99999, way + SLACK - step, change));
                let larger = step * 1.001 + 1e-6;
                assert!(larger > way || !can_stop(larger, way + SLACK - larger, change));
            }
        }
    }

    /// The law as a promise about the next point, from wherever it just holds.
    #[test]
    fn an_axis_that_keeps_the_law_can_go_on_keeping_it_at_any_rate() {
        for profile in GalvoProfile::ALL {
            for from in [1_000, 8_000, 30_000, 60_000, 100_000] {
                for to in [1_000, 8_000, 10_000, 30_000, 45_000, 60_000, 100_000] {
                    let (old, new) = (profile.at(from), profile.at(to).change);
                    for way in ROOMS {
                        let step = (2.0 * old.change * (way + SLACK)).sqrt().min(old.step);
                        let goes_on = step * from as f32 / to as f32;
                        let least = largest_step(way + SLACK, new);
                        assert!(least >= goes_on - new - 1e-6, "{from} {to} {way}: {least}");
                    }
                }
            }
        }
    }

    /// The samples of a motion that slows to `arrival.speed` and goes on, at any phase: the greatest share of the
    /// room that a step asks for.
    fn asked(arrival: Arrival, room: f32, share: f32, change: f32) -> f32 {
        let left = |t: f32| arrival.speed * t + 0.5 * arrival.slowing * t * t;
        let ask = |k: u16| {
            let t = f32::from(k) * 0.01;
            let step = share * (left(t + 1.0) - left(t));
            demand(step, room + share * left(t)) / change
        };
        (0..2_000).map(ask).fold(0.0, f32::max)
    }

    #[test]
    fn a_motion_that_arrives_as_it_may_keeps_the_law_at_every_phase_and_wastes_little() {
        for change in CHANGES {
            for share in [1.0, 0.7, 0.2, 0.01] {
                for way in ROOMS {
                    let room = way + SLACK;
                    let arrival = Arrival::with(room, share, change, 0.5 * change);
                    let most = asked(arrival, room, share, change);
                    assert!(most <= 1.0001, "{change} {share} {way} {arrival:?}: {most}");
                    assert!(most >= 0.98, "{change} {share} {way} {arrival:?}: {most}");
                }
            }
        }
    }

    #[test]
    fn beyond_the_free_room_no_motion_is_bound() {
        for change in CHANGES {
            for speed in [0.05, 0.2, 0.26, 1.0, 5.0].map(|part| part * change) {
                let free = Arrival::free_room(speed, change, 0.5 * change);
                for share in [1.0, 0.8, 0.3, 0.01] {
                    let arrival = Arrival::with(1.0001 * free, share, change, 0.5 * change);
                    assert_eq!(arrival.slowing, 0.5 * change, "{change} {speed} {share}");
                    assert!(arrival.speed >= speed, "{change} {speed} {share} {arrival:?}");
                }
                let bound = Arrival::with(0.99 * free, 1.0, change, 0.5 * change);
                assert!(bound.speed < speed);
            }
        }
    }

    #[test]
    fn the_slack_is_within_what_the_slowest_mirrors_stop_in_one_point() {
        for profile in GalvoProfile::ALL {
            assert!(SLACK <= 0.5 * 0.98 * profile.at(100_000).change, "{}", profile.name);
        }
    }
}
