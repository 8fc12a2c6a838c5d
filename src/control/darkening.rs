//! What takes light away, on its way from a port or socket to the switches: it acts before anything else is read.

use crate::safety::{Switches, TripReason};
use crate::time::HostTime;

/// A word or key that works the switches at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Darkening {
    /// The red button.
    Stop,
    /// Dark and disarmed.
    Disarm,
    /// The blackout is laid, or lifted.
    Blackout(bool),
    /// The blackout is turned over.
    TurnBlackout,
}

impl Darkening {
    /// Works the switches. Waits for nothing.
    pub fn act(self, switches: &Switches, now: HostTime) {
        match self {
            Self::Stop => switches.stop(now),
            Self::Disarm => switches.disarm(now, TripReason::Operator),
            Self::Blackout(on) => switches.set_blackout(on),
            Self::TurnBlackout => switches.turn_blackout(),
        }
    }
}
