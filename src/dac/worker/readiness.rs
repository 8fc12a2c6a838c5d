//! A device that is connected and takes no points: not greeted yet, warming up, cooling down, or stopped by others.
//!
//! None of it is a fault. Light never comes later by itself: whoever arms meanwhile is told so and arms again.

use super::rest::Rest;
use super::{Worker, WorkerState};
use crate::dac::backend::Hindrance;
use crate::safety::TripReason;
use crate::time::HostTime;

impl Worker {
    /// Takes over from the driver whether the device takes points.
    pub(super) fn look_at_readiness(&mut self, now: HostTime) {
        let hindrance = self.parts.backend.hindrance();
        let Some(link) = &mut self.link else { return };
        let before = std::mem::replace(&mut link.hindrance, hindrance);
        if hindrance.is_some_and(|hindrance| hindrance != Hindrance::Silent) {
            self.parts.arm.disarm(now, TripReason::NotReady);
            if before != hindrance {
                self.break_flow();
            }
        }
        if before == hindrance {
            return;
        }
        if before == Some(Hindrance::Silent) {
            self.welcome(now);
        }
        if !self.link.as_ref().is_some_and(|link| link.estop) {
            self.tell_readiness();
        }
        self.tell_condition();
    }

    /// What it is doing, no emergency stop being on.
    pub(super) fn tell_readiness(&self) {
        let state = match self.link.as_ref().and_then(|link| link.hindrance) {
            None => WorkerState::Ready,
            Some(Hindrance::Silent) => WorkerState::Connecting,
            Some(Hindrance::WarmingUp | Hindrance::CoolingDown) => WorkerState::NotReady,
        };
        self.status.set(state, None);
    }

    /// The device has said its first word.
    fn welcome(&mut self, now: HostTime) {
        if self.ever_connected {
            self.parts.stats.reconnected();
        }
        self.ever_connected = true;
        if self.link.as_ref().is_some_and(|link| link.returned) {
            // Armed between the connection and the first word: that is still while it was away.
            self.parts.arm.disarm(now, TripReason::Reconnect);
        }
        self.status.set_advice(self.parts.backend.advice());
        self.status.set_came_up();
        self.drop_queue();
        self.break_flow();
        self.report(now, None);
    }

    /// Somebody else has stopped the device: dark and disarmed, and left to them until a hand arms it.
    pub(super) fn heed_foreign_stops(&mut self, now: HostTime) {
        let stops = self.parts.backend.foreign_stops();
        let Some(link) = &mut self.link else { return };
        if std::mem::replace(&mut link.foreign_stops, stops) >= stops {
            return;
        }
        link.lit = None;
        link.rest = Some(Rest::since(now, true));
        self.parts.arm.disarm(now, TripReason::StoppedElsewhere);
        self.break_flow();
        self.tell_condition();
    }

    /// For people: what keeps it from playing, or else what the driver says of its health.
    pub(super) fn tell_condition(&mut self) {
        let Some(link) = &self.link else { return };
        let hindrance = link.hindrance.map(|hindrance| hindrance.sentence().to_owned());
        let stopped = link.rest.is_some_and(|rest| rest.by_others);
        let stopped =
            stopped.then(|| "stopped from elsewhere: it is left so until it is armed".to_owned());
        self.status.set_condition(hindrance.or(stopped).or_else(|| self.parts.backend.condition()));
    }
}
