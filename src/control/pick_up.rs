//! Soft takeover: a fader that stands elsewhere than what it sets waits until it is moved past it, so that nothing jumps.

use std::time::Duration;

use crate::time::HostTime;

/// This near the fader has reached what it sets.
const NEAR: f32 = 1.5 / 127.0;
/// A fader that was moved this long ago holds on to what it set, whatever the last picture of the show says.
const GRIP: Duration = Duration::from_millis(400);

/// The state of one fader.
#[derive(Clone, Copy, Debug, Default)]
pub struct PickUp {
    /// Where it stood last.
    stood: Option<f32>,
    /// What it set last, and when.
    set: Option<(f32, HostTime)>,
}

impl PickUp {
    /// The fader is moved to `hand` while what it sets is at `present` (both 0..=1); true if it is to be set.
    pub fn moves(&mut self, hand: f32, present: f32, now: HostTime) -> bool {
        let stood = self.stood.replace(hand);
        let holds = self
            .set
            .is_some_and(|(set, when)| now.since(when) <= GRIP || (set - present).abs() <= NEAR);
        let reached = (hand - present).abs() <= NEAR;
        let passed = stood.is_some_and(|stood| (stood - present) * (hand - present) < 0.0);
        let takes = holds || reached || passed;
        self.set = takes.then_some((hand, now));
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> HostTime {
        HostTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_fader_that_stands_elsewhere_takes_nothing_until_it_passes() {
        let mut fader = PickUp::default();
        assert!(!fader.moves(0.9, 0.2, at(0)));
        assert!(!fader.moves(0.5, 0.2, at(20)));
        assert!(fader.moves(0.1, 0.2, at(40)), "it went past");
        assert!(fader.moves(0.6, 0.1, at(60)), "and holds on");
    }

    #[test]
    fn a_quick_hand_is_not_lost_to_a_late_picture() {
        let mut fader = PickUp::default();
        assert!(fader.moves(0.2, 0.2, at(0)));
        assert!(fader.moves(0.8, 0.2, at(10)));
        assert!(fader.moves(1.0, 0.2, at(20)));
    }

    #[test]
    fn what_another_hand_moved_has_to_be_picked_up_again() {
        let mut fader = PickUp::default();
        assert!(fader.moves(0.5, 0.5, at(0)));
        assert!(!fader.moves(0.6, 0.1, at(2_000)));
        assert!(!fader.moves(0.3, 0.1, at(2_020)));
        assert!(fader.moves(0.1, 0.1, at(2_040)));
    }

    #[test]
    fn a_fader_at_rest_keeps_its_hold_for_ever() {
        let mut fader = PickUp::default();
        assert!(fader.moves(0.5, 0.5, at(0)));
        assert!(fader.moves(0.7, 0.5, at(3_600_000)));
    }
}
