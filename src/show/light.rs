//! What the light does, in words: the one truth that window, terminal and screen readers tell.

use std::fmt;
use std::sync::Arc;

use super::snapshot::{ProjectorState, ProjectorView, Snapshot};
use crate::safety::{Switches, TripReason};

/// Whether light leaves the projectors of a show, and if not, why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LightState {
    /// Nobody has armed.
    #[default]
    Disarmed,
    /// Something took the light away, and nobody has armed since.
    WentDark(TripReason),
    /// A projector's own emergency stop is pressed, and there is light on none.
    EmergencyStop,
    /// A stop is latched.
    Stopped,
    /// Armed, and dark by the operator's wish, or because a lighting desk fell silent.
    Blackout,
    /// Armed, and dark because the master is down.
    MasterDown,
    /// Armed, and the flash is held.
    Flash,
    /// Armed on some.
    PartlyLit {
        /// Projectors that may be lit.
        lit: usize,
        /// Projectors of the show.
        of: usize,
    },
    /// Armed on all.
    Lit,
}

impl LightState {
    /// What the light of `seen` does.
    #[must_use]
    pub fn of(seen: &Snapshot) -> Self {
        let there = || seen.projectors.iter().filter(|p| p.state != ProjectorState::Closing);
        let in_stop = |p: &&ProjectorView| p.state == ProjectorState::EmergencyStop;
        let of = there().count();
        let lit = there().filter(|p| p.armed && !in_stop(p)).count();
        // With light on one, a stop of another does not make the room safe.
        if lit == 0 && there().any(|p| in_stop(&p)) {
            return Self::EmergencyStop;
        }
        if lit == 0 && seen.safety.stopped {
            return Self::Stopped;
        }
        if lit == 0 && !seen.safety.armed {
            let last = seen.safety.last_trip.filter(|reason| by_itself(*reason).is_some());
            return last.map_or(Self::Disarmed, Self::WentDark);
        }
        if seen.live.blackout {
            Self::Blackout
        } else if seen.safety.master <= 0.0 {
            Self::MasterDown
        } else if seen.live.flash {
            Self::Flash
        } else if (1..of).contains(&lit) {
            Self::PartlyLit { lit, of }
        } else {
            Self::Lit
        }
    }

    /// True if light leaves a projector now, as far as is drawn.
    #[must_use]
    pub const fn shines(self) -> bool {
        matches!(self, Self::Lit | Self::PartlyLit { .. } | Self::Flash)
    }

    /// What took the light away by itself.
    #[must_use]
    pub fn why(self) -> Option<&'static str> {
        match self {
            Self::WentDark(reason) => by_itself(reason),
            _ => None,
        }
    }

    /// Its name, without the reason.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disarmed => "DISARMED",
            Self::WentDark(_) => "WENT DARK BY ITSELF",
            Self::EmergencyStop => "E-STOP",
            Self::Stopped => "STOPPED",
            Self::Blackout => "ARMED: BLACKOUT",
            Self::MasterDown => "ARMED: MASTER AT 0 %",
            Self::Flash => "ARMED: FLASH",
            Self::PartlyLit { .. } => "PARTLY LIT",
            Self::Lit => "ARMED: LIGHT IS ON",
        }
    }
}

/// The whole of it, as it is told.
impl fmt::Display for LightState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match (self, self.why()) {
            (Self::PartlyLit { lit, of }, _) => write!(f, " ({lit} of {of})"),
            (_, Some(why)) => write!(f, " ({why})"),
            _ => Ok(()),
        }
    }
}

/// Why nothing leaves this projector now, whatever is drawn; `None` if light may.
#[must_use]
pub fn dark_because(seen: &Snapshot, projector: &ProjectorView) -> Option<&'static str> {
    let state = LightState::of(seen);
    if projector.state == ProjectorState::EmergencyStop {
        return Some("E-STOP");
    }
    if !projector.armed {
        return Some(match state {
            // Others have light.
            _ if state.shines() && !projector.allowed => "SWITCHED OFF",
            _ if state.shines() => "DISARMED",
            state => state.name(),
        });
    }
    (!state.shines()).then(|| state.name())
}

/// `seen`, with the darkness that the switches have and that it does not tell yet: they act where the hand is, and the
/// show thread, which makes the snapshots, may be busy, or hang.
#[must_use]
pub fn darkened_by(switches: &Switches, seen: Arc<Snapshot>) -> Arc<Snapshot> {
    let armed = seen.safety.armed && switches.is_armed();
    let stopped = seen.safety.stopped || switches.is_stop_pressed();
    let blackout = seen.live.blackout || switches.is_blacked_out();
    let is_told = armed == seen.safety.armed
        && stopped == seen.safety.stopped
        && blackout == seen.live.blackout;
    if is_told {
        return seen;
    }
    let mut seen = (*seen).clone();
    (seen.safety.armed, seen.safety.stopped, seen.live.blackout) = (armed, stopped, blackout);
    seen.projectors.iter_mut().for_each(|projector| projector.armed &= armed);
    Arc::new(seen)
}

/// In a few words, what took light away that no operator did; `None` for what an operator did, or has to answer with a
/// reset.
const fn by_itself(reason: TripReason) -> Option<&'static str> {
    match reason {
        TripReason::Operator | TripReason::Stop | TripReason::DeviceEstop => None,
        TripReason::DeadMan => Some("the sound stood still"),
        TripReason::ShowSilent => Some("the show thread stood still"),
        TripReason::SurfaceGone => Some("the window or terminal is gone"),
        TripReason::SurfaceSilent => Some("the window stood still"),
        TripReason::Reconnect => Some("a projector was lost"),
        TripReason::ClockLost => Some("the sound clock was lost"),
        TripReason::Panic => Some("a part of the show failed"),
        TripReason::StreamEnded => Some("the stream ended"),
        TripReason::NotReady => Some("a projector was not ready"),
        TripReason::StoppedElsewhere => Some("something else stopped a projector"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safety::Arm;
    use crate::show::snapshot::SafetyView;
    use crate::time::HostTime;

    /// A show of projectors that are armed or not.
    fn show(armed: &[bool]) -> Snapshot {
        let projector = |(number, armed): (usize, &bool)| ProjectorView {
            number: number as u32,
            armed: *armed,
            allowed: true,
            state: ProjectorState::Ready,
            ..ProjectorView::default()
        };
        Snapshot {
            projectors: armed.iter().enumerate().map(projector).collect(),
            safety: SafetyView {
                armed: armed.contains(&true),
                master: 0.2,
                ..SafetyView::default()
            },
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_blackout_is_never_told_as_light() {
        let mut seen = show(&[true, true]);
        assert_eq!(LightState::of(&seen).to_string(), "ARMED: LIGHT IS ON");
        seen.live.blackout = true;
        seen.live.flash = true;
        assert_eq!(LightState::of(&seen).to_string(), "ARMED: BLACKOUT");
        assert!(!LightState::of(&seen).shines());
        assert_eq!(dark_because(&seen, &seen.projectors[0]), Some("ARMED: BLACKOUT"));
        seen.live.blackout = false;
        assert_eq!(LightState::of(&seen).to_string(), "ARMED: FLASH");
        assert_eq!(dark_because(&seen, &seen.projectors[0]), None);
        seen.safety.master = 0.0;
        assert_eq!(LightState::of(&seen), LightState::MasterDown);
    }

    #[test]
    fn some_of_several_are_counted_and_a_stop_of_one_does_not_hide_the_light_of_others() {
        let mut seen = show(&[true, false, true]);
        assert_eq!(LightState::of(&seen).to_string(), "PARTLY LIT (2 of 3)");
        assert_eq!(dark_because(&seen, &seen.projectors[1]), Some("DISARMED"));
        seen.projectors[1].allowed = false;
        assert_eq!(dark_because(&seen, &seen.projectors[1]), Some("SWITCHED OFF"));
        seen.projectors[1].state = ProjectorState::EmergencyStop;
        seen.safety.stopped = true;
        assert_eq!(LightState::of(&seen).to_string(), "PARTLY LIT (2 of 3)");
        assert_eq!(dark_because(&seen, &seen.projectors[1]), Some("E-STOP"));
        seen.projectors[1].state = ProjectorState::Closing;
        assert_eq!(LightState::of(&seen), LightState::Lit, "one that leaves is none of them");
    }

    #[test]
    fn what_went_dark_by_itself_says_why_until_somebody_arms_or_answers() {
        let mut seen = show(&[false]);
        assert_eq!(LightState::of(&seen), LightState::Disarmed);
        for reason in [
            TripReason::DeadMan,
            TripReason::ShowSilent,
            TripReason::SurfaceGone,
            TripReason::SurfaceSilent,
            TripReason::Reconnect,
            TripReason::ClockLost,
            TripReason::Panic,
            TripReason::StreamEnded,
        ] {
            seen.safety.last_trip = Some(reason);
            let state = LightState::of(&seen);
            assert_eq!(state, LightState::WentDark(reason));
            assert!(state.to_string().starts_with("WENT DARK BY ITSELF (") && !state.shines());
        }
        for reason in [TripReason::Operator, TripReason::Stop, TripReason::DeviceEstop] {
            seen.safety.last_trip = Some(reason);
            assert_eq!(LightState::of(&seen), LightState::Disarmed);
        }
        let mut armed = show(&[true]);
        armed.safety.last_trip = Some(TripReason::DeadMan);
        assert_eq!(LightState::of(&armed), LightState::Lit);
    }

    #[test]
    fn what_the_switches_darkened_is_told_though_the_show_thread_has_not_seen_it() {
        let now = HostTime::from_nanos(1_000_000_000);
        let (switches, arm) = (Switches::default(), Arm::new());
        switches.join(0, "sim:", &arm, now);
        arm.arm(now).unwrap();
        // The last that the show thread told before it hung.
        let told = Arc::new(show(&[true]));
        let state = || LightState::of(&darkened_by(&switches, Arc::clone(&told)));
        assert!(Arc::ptr_eq(&darkened_by(&switches, Arc::clone(&told)), &told));
        assert_eq!(state(), LightState::Lit);
        switches.set_blackout(true);
        assert_eq!(state(), LightState::Blackout);
        switches.set_blackout(false);
        switches.disarm(now, TripReason::Operator);
        assert_eq!(state(), LightState::Disarmed);
        switches.stop(now);
        assert_eq!(state(), LightState::Stopped);
    }

    #[test]
    fn a_stop_and_an_emergency_stop_have_their_own_words() {
        let mut seen = show(&[false, false]);
        seen.safety.stopped = true;
        assert_eq!(LightState::of(&seen).to_string(), "STOPPED");
        seen.projectors[1].state = ProjectorState::EmergencyStop;
        assert_eq!(LightState::of(&seen).to_string(), "E-STOP");
    }
}
