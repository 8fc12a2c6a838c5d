//! What of a command acts where the hand is, before the show thread hears of it. See
//! `docs/decisions/0009-switches-act-where-the-hand-is.md`.

use super::command::Command;
use crate::safety::{Switches, TripReason};
use crate::time::HostTime;

/// Works the switches as `command` says: what darkens, at once; what gives light is only asked for, since the show
/// thread gives it. Nothing here waits. A command that was acted on may come late: it does nothing to the switches then.
pub fn act(command: &Command, switches: &Switches, now: HostTime) {
    match command {
        Command::Stop => switches.stop(now),
        Command::Disarm | Command::Quit => switches.disarm(now, TripReason::Operator),
        Command::SetBlackout(on) => switches.set_blackout(*on),
        Command::SetAllowed { projector, allowed: false } => switches.take_out(projector, now),
        Command::SetAllowed { projector, allowed: true } => switches.let_in(projector),
        Command::RemoveProjector { projector } => {
            switches.disarm_one(projector, now, TripReason::Operator);
        }
        Command::Arm => switches.ask_light(),
        Command::ResetStop => switches.ask_reset(),
        _ => {}
    }
}
