//! Slew and acceleration: the position sent pursues the position wanted, within what the mirrors bear.
//!
//! Causal and length-preserving: one position in, one out. Where the wanted motion is within the limits the
//! sent one is the same; a jump becomes a dark travel that brakes in time for its goal, and for the edge of the
//! field by the law of [`edge`], which holds through any change of rate.
//!
//! A goal may be overrun, in the dark, when the rate rises or the goal moves; the edge may not. Mirrors that have
//! become weaker on the way slow down by what they bear now, and harder only as far as the edge demands it, which is
//! never harder than what they bore before; they stay dark until they are within their new limits.

use crate::path::edge::{self, EDGE};
use crate::path::{GalvoProfile, PointLimits};

/// Light is allowed this near to the wanted position on each axis, half-fields: a thousandth of the field.
pub const CAUGHT_UP: f32 = 0.002;

/// Part of the acceleration that braking is planned with: the rest pays for the rounding of positions, which
/// adds up over a long stop.
const BRAKE: f32 = 0.999;

/// One axis.
#[derive(Clone, Copy, Debug, Default)]
struct Axis {
    position: f32,
    step: f32,
    wanted: f32,
}

impl Axis {
    /// Moves by one point; true when it is at the wanted position.
    #[inline]
    fn follow(&mut self, wanted: f32, limits: &PointLimits) -> bool {
        let whole = wanted - self.position;
        let near = whole.abs() <= limits.step && (whole - self.step).abs() <= limits.change;
        let target_step = wanted - self.wanted;
        self.wanted = wanted;
        let room = edge::room(self.position, wanted);
        if near && edge::can_stop(whole, room, BRAKE * limits.change) {
            self.position = wanted;
            self.step = whole;
            return true;
        }
        let borne;
        (self.position, self.step, borne) =
            pursue(self.position, self.step, wanted, target_step, limits.step, limits.change);
        borne && (self.position - wanted).abs() <= CAUGHT_UP
    }
}

/// The next position, the step to it, and whether the mirrors bear all of it: not while speed or place are left from
/// mirrors that bore more. Seen from a goal that moves at `target_step`, the way left is to be braked away. By value,
/// so that what the usual case needs can stay in registers.
#[cold]
#[inline(never)]
fn pursue(
    position: f32,
    step: f32,
    wanted: f32,
    target_step: f32,
    max_step: f32,
    change: f32,
) -> (f32, f32, bool) {
    let brake = BRAKE * change;
    let moving = if target_step.abs() <= max_step { target_step } else { 0.0 };
    let left = wanted - position - moving;
    let aim = moving + largest_step(left.abs(), brake).copysign(left);
    let aim = aim.clamp(-max_step, max_step).clamp(step - change, step + change);
    let (up, down) = (EDGE - position, EDGE + position);
    let demand = edge::demand(step, if step > 0.0 { up } else { down });
    let bears = demand <= change;
    let aim = if bears { aim } else { step - change.min(step.abs()).copysign(step) };
    let brake = brake.max(demand);
    let aim = aim.min(edge::largest_step(up, brake)).max(-edge::largest_step(down, brake));
    let next = (position + aim).clamp(-1.0, 1.0);
    // The step as it will be seen from outside, rounding included.
    (next, next - position, bears && aim.abs() <= max_step)
}

/// The largest step from which a motion can still stop within `way`, that step included, slowing by `change`
/// at each further point: the inverse of s + (s − c) + (s − 2c) + …
fn largest_step(way: f32, change: f32) -> f32 {
    let way = way.max(0.0);
    let whole = (0.5 * ((1.0 + 8.0 * way / change).sqrt() - 1.0)).floor();
    let rest = way - 0.5 * change * whole * (whole + 1.0);
    whole * change + (rest / (whole + 1.0)).clamp(0.0, change)
}

/// Both axes.
#[derive(Clone, Copy, Debug)]
pub struct Follower {
    axes: [Axis; 2],
    limits: PointLimits,
    profile: GalvoProfile,
    pps: u32,
}

impl Follower {
    /// At rest in the centre.
    #[must_use]
    pub fn new(profile: GalvoProfile) -> Self {
        let pps = 30_000;
        Self { axes: [Axis::default(); 2], limits: profile.at(pps), profile, pps }
    }

    /// Takes the limits of `profile` at `pps`. The speed that the mirrors have in time stays.
    pub fn set(&mut self, profile: GalvoProfile, pps: u32) {
        let pps = pps.max(1);
        if pps != self.pps {
            let ratio = self.pps as f32 / pps as f32;
            self.axes.iter_mut().for_each(|axis| axis.step *= ratio);
        }
        if pps != self.pps || profile != self.profile {
            self.limits = profile.at(pps);
            self.profile = profile;
            self.pps = pps;
        }
    }

    /// Moves by one point towards `wanted`, which lies in the field. True when light may be on.
    #[inline]
    pub fn follow(&mut self, wanted: [f32; 2]) -> bool {
        let x = self.axes[0].follow(wanted[0], &self.limits);
        let y = self.axes[1].follow(wanted[1], &self.limits);
        x && y
    }

    /// The position to send.
    #[must_use]
    #[inline]
    pub const fn position(&self) -> [f32; 2] {
        [self.axes[0].position, self.axes[1].position]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_braking_law_stops_exactly_on_its_goal() {
        for change in [0.001_f32, 0.0222, 0.3] {
            for way in [0.0_f32, 0.0005, 0.01, 0.3, 1.0, 2.0] {
                let mut left = way;
                let mut last = 0.0;
                for _ in 0..200 {
                    let step = largest_step(left, change);
                    assert!(step >= last - change - 1e-4, "brakes no harder than it may");
                    last = step;
                    left -= step;
                }
                assert!(left.abs() < 1e-5, "{change} {way} {left}");
            }
        }
    }

    /// Out of a full swing at the greatest speed, at every point of it.
    #[test]
    fn mirrors_that_become_weaker_on_the_way_are_dark_until_they_bear_their_speed() {
        for k in 1..25 {
            let mut follower = Follower::new(GalvoProfile::K60);
            (0..100).for_each(|_| {
                follower.follow([-1.0, 0.3]);
            });
            (0..k).for_each(|_| {
                follower.follow([1.0, 0.3]);
            });
            follower.set(GalvoProfile::K20, 30_000);
            let (old, new) = (GalvoProfile::K60.at(30_000), GalvoProfile::K20.at(30_000));
            let [axis, _] = follower.axes;
            let (mut position, mut step) = (axis.position, axis.step);
            for _ in 0..200 {
                let lit = follower.follow([1.0, 0.3]);
                let next = follower.position()[0];
                let (speed, change) = ((next - position).abs(), (next - position - step).abs());
                assert!(speed <= old.step + 1e-6 && change <= old.change + 1e-6, "{k}");
                assert!(!lit || speed <= new.step + 1e-6 && change <= new.change + 1e-6, "{k}");
                (position, step) = (next, next - position);
            }
            assert_eq!((position, step), (1.0, 0.0));
        }
    }

    #[test]
    fn a_full_swing_is_caught_up_in_about_a_millisecond() {
        let mut follower = Follower::new(GalvoProfile::K30);
        follower.set(GalvoProfile::K30, 30_000);
        while !follower.follow([-1.0, -1.0]) {}
        (0..50).for_each(|_| {
            follower.follow([-1.0, -1.0]);
        });
        let points = (1..100).find(|_| follower.follow([1.0, 1.0]));
        assert!(points.is_some_and(|n| (20..32).contains(&n)), "{points:?}");
    }

    #[test]
    fn a_moving_goal_is_caught_and_then_met_exactly() {
        let mut follower = Follower::new(GalvoProfile::K30);
        let goal = |k: usize| [-0.9 + 0.02 * k as f32, 0.3];
        let met = (0..80).map(|k| follower.follow(goal(k))).collect::<Vec<_>>();
        assert!(met[40..].iter().all(|met| *met));
        assert_eq!(follower.position(), goal(79));
    }

    #[test]
    fn a_lower_rate_keeps_the_speed_in_time() {
        let mut follower = Follower::new(GalvoProfile::K30);
        (0..10).for_each(|k| {
            follower.follow([k as f32 * 0.02, 0.0]);
        });
        assert!((follower.axes[0].step - 0.02).abs() < 1e-5);
        follower.set(GalvoProfile::K30, 15_000);
        assert!((follower.axes[0].step - 0.04).abs() < 1e-5);
    }
}
