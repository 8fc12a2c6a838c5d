//! Slew and acceleration: the position sent pursues the position wanted, within what the mirrors bear.
//!
//! Causal and length-preserving: one position in, one out. Where the wanted motion is within the limits the
//! sent one is the same; a jump becomes a dark, eased travel that brakes in time for its goal and for the edge
//! of the field.

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
        let room = if whole > 0.0 { 1.0 - wanted } else { 1.0 + wanted };
        if near && stops_within(whole.abs(), room, BRAKE * limits.change) {
            self.position = wanted;
            self.step = whole;
            return true;
        }
        (self.position, self.step) =
            pursue(self.position, self.step, wanted, target_step, limits.step, limits.change);
        (self.position - wanted).abs() <= CAUGHT_UP
    }
}

/// The next position and the step to it. Seen from a goal that moves at `target_step`, the way left is to be
/// braked away. By value, so that what the usual case needs can stay in registers.
#[cold]
#[inline(never)]
fn pursue(
    position: f32,
    step: f32,
    wanted: f32,
    target_step: f32,
    max_step: f32,
    change: f32,
) -> (f32, f32) {
    let brake = BRAKE * change;
    let moving = if target_step.abs() <= max_step { target_step } else { 0.0 };
    let left = wanted - position - moving;
    let aim = moving + largest_step(left.abs(), brake).copysign(left);
    let aim = aim.clamp(-max_step, max_step);
    let aim =
        aim.min(largest_step(1.0 - position, brake)).max(-largest_step(1.0 + position, brake));
    let next = (position + aim.clamp(step - change, step + change)).clamp(-1.0, 1.0);
    // The step as it will be seen from outside, rounding included.
    (next, next - position)
}

/// True if a motion that has just made `step` outwards can stop in `room`.
#[inline]
fn stops_within(step: f32, room: f32, change: f32) -> bool {
    // Never less than the whole-point sum below, and nearly always enough.
    if step * step <= 2.0 * change * room {
        return true;
    }
    let steps = (step / change).floor();
    steps * step - 0.5 * change * steps * (steps + 1.0) <= room
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

    /// Takes the limits of `profile` at `pps`. The speed the mirrors have in time stays.
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
