//! What the director does about presets: taking them, editing them, following their files.

use std::sync::Arc;

use super::{Director, LOOK_AT_FILES_EVERY};
use crate::pattern::{Gauges, Instrument, Preset, cost};
use crate::show::bench::{Heard, Outcome};
use crate::show::command::Command;
use crate::show::deck::Transition;
use crate::show::disk::{Done, PresetAnswer};
use crate::show::engine::{EngineCommand, InstrumentFor};
use crate::show::projector::Projector;
use crate::show::snapshot::{PresetView, Severity};
use crate::time::HostTime;

impl Director {
    pub(super) fn set_preset_b(&mut self, name: Option<String>) {
        let made = match &name {
            None => Some(self.cast.projectors.iter().map(|p| for_one(p, None)).collect()),
            Some(name) => match self.cast.presets.library().get(name) {
                Ok(preset) => {
                    self.tell_coarser(&preset);
                    self.instruments(&preset)
                }
                Err(error) => return self.notices.add(Severity::Error, error.to_string()),
            },
        };
        if let Some(instruments) = made {
            self.tell_engine(EngineCommand::Beside(instruments));
            self.live.preset_b = name;
        }
    }

    /// An instrument of `preset` for each projector but those that show a test picture.
    pub(super) fn instruments(&mut self, preset: &Preset) -> Option<Vec<InstrumentFor>> {
        let fit = cost::fit(preset, self.picture_budget());
        let of = |projector: &Projector| match (&fit, projector.test_picture()) {
            (Err(error), _) => Err(error.clone()),
            (Ok(_), Some(_)) => Ok(for_one(projector, None)),
            (Ok(fit), None) => Instrument::fitted(preset, fit)
                .map(|instrument| for_one(projector, Some(Box::new(instrument)))),
        };
        let made: Result<Vec<_>, _> = self.cast.projectors.iter().map(of).collect();
        made.map_err(|error| self.notices.add(Severity::Error, error.to_string())).ok()
    }

    pub(super) fn obey_about_presets(&mut self, wish: &Command, now: HostTime) {
        let leaving = self.cast.presets.preset().name.clone();
        match self.cast.presets.obey(wish, now) {
            Ok(Outcome::Nothing) => {}
            Ok(Outcome::Param { index, value }) => {
                self.tell_engine(EngineCommand::SetParam { index, value });
            }
            Ok(Outcome::Edited) => self.play_edited(),
            Ok(Outcome::Taken) => {
                self.leaving = leaving;
                self.play_preset(self.cast.transition);
            }
            Ok(Outcome::Told(text)) => {
                self.notices.add(Severity::Info, text);
                // Taking back what was done with a file may have changed the preset at work.
                self.play_edited();
            }
            Err(error) => self.notices.add(Severity::Error, error.to_string()),
        }
        self.presets_changed = true;
        for heard in self.cast.presets.ask(&mut self.cast.disk.presets, now) {
            self.take_heard(heard);
        }
    }

    /// Takes in what the disk has done with presets.
    pub(super) fn take_presets(&mut self, done: Vec<Done<PresetAnswer>>) {
        for done in done {
            if let Some(heard) = self.cast.presets.hear(done) {
                self.take_heard(heard);
            }
        }
    }

    fn take_heard(&mut self, heard: Heard) {
        match heard {
            Heard::Changed => {}
            Heard::Told(text) => self.notices.add(Severity::Info, text),
            Heard::Refused(text) => self.notices.add(Severity::Error, text),
            Heard::Followed(text) => {
                self.notices.add(Severity::Info, text);
                self.play_edited();
            }
        }
        self.tell_broken();
        self.presets_changed = true;
    }

    /// What the surfaces see of the presets, after something was done with them: once a look, however fast a hand is.
    pub(super) fn look_at_presets(&mut self) {
        if !std::mem::take(&mut self.presets_changed) {
            return;
        }
        let preset = self.cast.presets.preset();
        if self.preset.preset.as_ref() != Some(preset) {
            self.gauges = Gauges::new(preset);
        }
        let preset = Arc::clone(preset);
        let coarser = self.look_at_cost(&preset);
        self.preset = Arc::new(PresetView { coarser, ..self.cast.presets.view() });
        let presets = self.cast.presets.entries();
        if *self.presets != *presets {
            self.presets = presets.into();
        }
    }

    /// Lets the preset at work follow what plays.
    pub(super) fn play_preset(&mut self, transition: Transition) {
        let preset = Arc::clone(self.cast.presets.preset());
        if let Some(instruments) = self.instruments(&preset) {
            self.changes += 1;
            self.tell_engine(EngineCommand::Instruments { instruments, transition });
        }
    }

    /// Gives the engine the preset as it is edited now.
    pub(super) fn play_edited(&mut self) {
        let preset = Arc::clone(self.cast.presets.preset());
        if let Some(instruments) = self.instruments(&preset) {
            self.tell_engine(EngineCommand::Edited(instruments));
        }
    }

    /// Asks now and then whether a preset's file was changed.
    pub(super) fn follow_preset_files(&mut self, now: HostTime) {
        if now.since(self.looked_at_files) < LOOK_AT_FILES_EVERY {
            return;
        }
        self.looked_at_files = now;
        self.cast.presets.look(&mut self.cast.disk.presets, now);
    }

    /// Says of every broken preset what is wrong with it, once.
    pub(super) fn tell_broken(&mut self) {
        let broken = self.cast.presets.library().broken().iter().map(ToString::to_string).collect();
        let told = std::mem::replace(&mut self.told_broken, broken);
        for text in self.told_broken.iter().filter(|text| !told.contains(text)) {
            self.notices.add(Severity::Warning, text.clone());
        }
    }

    /// Another preset, by chance; no test pattern.
    pub(super) fn play_another(&mut self, now: HostTime) {
        let names = self.cast.presets.library().names_for_shows();
        let present = names.iter().position(|name| *name == self.cast.presets.preset().name);
        if let Some(next) = self.shuffle.choose(names.len(), present) {
            self.obey_about_presets(&Command::SelectPreset(names[next].clone()), now);
        }
    }
}

const fn for_one(projector: &Projector, instrument: Option<Box<Instrument>>) -> InstrumentFor {
    InstrumentFor { number: projector.number(), instrument }
}
