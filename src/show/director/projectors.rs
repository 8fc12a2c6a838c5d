//! What the director does about projectors: their place in the room, and light on them or none.

use std::sync::Arc;
use std::time::Duration;

use super::{Director, TRIPS_KEPT};
use crate::path::Mounting;
use crate::pattern::{Instrument, Preset, PresetError};
use crate::safety::TripReason;
use crate::safety::arm::Refused;
use crate::show::deck::Transition;
use crate::show::engine::{EngineCommand, InstrumentFor};
use crate::show::installation::Installation;
use crate::show::report::TripEntry;
use crate::show::snapshot::Severity;
use crate::time::HostTime;

impl Director {
    pub(super) fn set_mounting(&mut self, name: &str, mounting: Mounting, now: HostTime) {
        let Some(projector) = self.cast.projectors.iter().find(|p| p.name() == name) else {
            return;
        };
        let mounting = match mounting.check() {
            Ok(mounting) => mounting,
            Err(error) => return self.notices.add(Severity::Error, error.to_string()),
        };
        projector.control().set_mounting(&mounting);
        self.cast.mountings.set(name, projector.id(), mounting);
        self.remember_set_ups(now);
    }

    pub(super) fn place_of(&self, name: &str) -> Option<usize> {
        self.cast.projectors.iter().position(|projector| projector.name() == name)
    }

    pub(super) fn install(&mut self, name: &str, installation: Installation, now: HostTime) {
        let Some(place) = self.place_of(name) else { return };
        let id = self.cast.projectors[place].id().map(str::to_owned);
        if !self.put_up(place, installation.clone()) {
            return;
        }
        self.cast.mountings.install(name, id.as_deref(), installation);
        self.installed_at = Some(now);
    }

    /// Writes down the set-ups once no hand has moved one for a moment.
    pub(super) fn write_set_ups(&mut self, now: HostTime, rest: Duration) {
        if self.installed_at.is_none_or(|at| now.since(at) < rest) {
            return;
        }
        self.remember_set_ups(now);
    }

    /// Lets every remembered set-up act.
    pub(super) fn put_up_all(&mut self) {
        for place in 0..self.cast.projectors.len() {
            let projector = &self.cast.projectors[place];
            let remembered = self.cast.mountings.installation_of(projector.name(), projector.id());
            if !remembered.is_plain() {
                self.put_up(place, remembered);
            }
        }
    }

    /// Lets a set-up act; false, with a notice, if it makes no sense.
    pub(super) fn put_up(&mut self, place: usize, installation: Installation) -> bool {
        match installation.ready() {
            Ok(ready) => {
                // Zones first: what the picture's new place lights is judged by them.
                self.cast.projectors[place].install(installation, &ready);
                let number = self.cast.projectors[place].number();
                let (perspective, profile) = (ready.perspective, ready.gate.profile);
                self.tell_engine(EngineCommand::Install { number, perspective, profile });
                true
            }
            Err(error) => {
                let text = format!("{}: {error}", self.cast.projectors[place].name());
                self.notices.add(Severity::Error, text);
                false
            }
        }
    }

    /// One is in the show again: it gets light, if another one has it and nothing has darkened it since.
    pub(super) fn let_in(&mut self, name: &str, now: HostTime) {
        let Some(place) = self.place_of(name) else { return };
        // Without light anywhere there is nothing to join: then the show has to be armed.
        let is_lit = self.switches.is_armed();
        let projector = &self.cast.projectors[place];
        if is_lit
            && projector.switch().is_light_wished()
            && let Err(refused) = projector.arm(now)
        {
            self.notices.add(Severity::Warning, refused.to_string());
        }
    }

    pub(super) fn set_test_picture(&mut self, name: &str, picture: Option<u8>) {
        let Some(place) = self.place_of(name) else { return };
        let number = self.cast.projectors[place].number();
        let preset = match picture {
            None => Ok(Arc::clone(self.cast.presets.preset())),
            Some(number) => test_picture(number).map(Arc::new),
        };
        let made = preset
            .and_then(|preset| Ok(Box::new(Instrument::within(&preset, self.picture_budget())?)));
        match made {
            Ok(instrument) => {
                self.cast.projectors[place].set_test_picture(picture);
                let instruments = vec![InstrumentFor { number, instrument: Some(instrument) }];
                self.tell_engine(EngineCommand::Following { number, follows: picture.is_none() });
                let transition = Transition::CUT;
                self.changes += 1;
                self.tell_engine(EngineCommand::Instruments { instruments, transition });
            }
            Err(error) => self.notices.add(Severity::Error, error.to_string()),
        }
    }

    pub(super) fn arm_those_ready(&mut self, now: HostTime) {
        if !self.cast.projectors.iter().any(|p| p.switch().is_waiting()) {
            return;
        }
        let last = self.cast.sound.handle().counters().last_callback();
        if !self.steadiness.is_reached(now, last) {
            return;
        }
        for projector in &self.cast.projectors {
            if projector.switch().is_waiting() && projector.is_ready() {
                // A hand that darkens it in this moment takes the wish away: nothing to tell.
                let _overtaken = projector.switch().arm_as_waiting(now);
            }
        }
    }

    pub(super) fn arm(&mut self, now: HostTime) {
        if self.cast.projectors.is_empty() {
            let text = "there is no projector to arm: add one in Projectors";
            self.notices.add(Severity::Warning, text);
        }
        if self.switches.is_stop_pressed() {
            return self.notices.add(Severity::Warning, Refused::Stopped.to_string());
        }
        for projector in &self.cast.projectors {
            if let Err(refused) = projector.arm(now) {
                let text = format!("{}: {refused}", projector.name());
                self.notices.add(Severity::Warning, text);
            }
        }
    }

    pub(super) fn reset_stop(&mut self) {
        // After a stop only an explicit act allows light, whatever was wished before it.
        let projectors = &self.cast.projectors;
        let reset = self.switches.reset_as_asked(|number| {
            let cleared = projectors.iter().filter(|projector| projector.number() == number);
            cleared.for_each(|projector| projector.control().reset_device_estop());
        });
        if reset.is_err() {
            let text = "STOP was pressed after this reset: it stays stopped. Make the room safe, then press Reset";
            self.notices.add(Severity::Warning, text);
        }
    }

    pub(super) fn read_trips(&mut self) {
        for projector in self.cast.projectors.iter().chain(self.rig.leaving()) {
            while let Some(trip) = projector.switch().next_trip() {
                let entry = TripEntry {
                    at_s: trip.at.secs_since(self.started).max(0.0),
                    projector: projector.name().to_owned(),
                    reason: trip.reason.to_string(),
                    kind: Some(trip.reason),
                };
                let severity = match trip.reason {
                    TripReason::Operator => Severity::Info,
                    _ => Severity::Warning,
                };
                let text = format!("{} – {}", entry.projector, entry.reason);
                self.notices.add(severity, text);
                if self.trips.len() == TRIPS_KEPT {
                    self.trips.remove(0);
                }
                self.trips.push(entry);
            }
        }
    }
}

/// One of the still pictures to set a projector up by.
fn test_picture(number: u8) -> Result<Preset, PresetError> {
    Preset::parse(&format!(
        "version = 1\nname = \"Test picture\"\ngenerator = \"test_pattern\"\n[params]\npicture = {}\n",
        number.min(5)
    ))
}
