//! What works the switches, on its way from a port or socket: it acts before anything else is read, in the order in which
//! it comes.

use crate::safety::{Switches, TripReason};
use crate::time::HostTime;

/// A word, key or slot that works the switches at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switching {
    /// The red button.
    Stop,
    /// Dark and disarmed.
    Disarm,
    /// The blackout is laid, or lifted.
    Blackout(bool),
    /// The blackout is turned over.
    TurnBlackout,
    /// Light is asked for: the show thread gives it, unless something darkens before.
    AskLight,
    /// The end of a stop is asked for: the show thread ends it, unless one is pressed before.
    AskReset,
}

impl Switching {
    /// Works the switches. Waits for nothing. Light and the end of a stop are asked for only with `may_arm`.
    pub fn act(self, switches: &Switches, may_arm: bool, now: HostTime) {
        match self {
            Self::Stop => switches.stop(now),
            Self::Disarm => switches.disarm(now, TripReason::Operator),
            Self::Blackout(on) => switches.set_blackout(on),
            Self::TurnBlackout => switches.turn_blackout(),
            Self::AskLight if may_arm => switches.ask_light(),
            Self::AskReset if may_arm => switches.ask_reset(),
            Self::AskLight | Self::AskReset => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safety::Arm;

    #[test]
    fn only_who_may_arm_asks_and_what_comes_later_counts() {
        let now = HostTime::from_nanos(1);
        let (switches, arm) = (Switches::default(), Arm::new());
        switches.join(0, "sim:", &arm, now);
        Switching::AskLight.act(&switches, false, now);
        assert!(!arm.is_light_wished());
        Switching::AskLight.act(&switches, true, now);
        assert!(arm.is_light_wished() && !arm.is_armed());
        Switching::Disarm.act(&switches, false, now);
        assert!(arm.arm_as_asked(now).is_err(), "pressed before it was darkened");
        for (may_arm, resets) in [(false, false), (true, true)] {
            Switching::Stop.act(&switches, false, now);
            Switching::AskReset.act(&switches, may_arm, now);
            let _is_refused = switches.reset_as_asked(|_| ());
            assert_eq!(!switches.is_stopped(), resets);
        }
    }
}
