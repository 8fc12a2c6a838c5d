//! What the director does about file work: it hands out jobs, takes in what came of them, and tells of waits.

use super::Director;
use crate::show::disk::job_queue::News;
use crate::show::disk::settings::SettingsAnswer;
use crate::show::disk::{Disk, DiskWait, Done, END_PATIENCE, SettingsJob};
use crate::show::snapshot::Severity;
use crate::time::HostTime;

impl Director {
    /// Has the set-ups of the projectors written down as they are now.
    pub(super) fn remember_set_ups(&mut self, now: HostTime) {
        self.installed_at = None;
        match self.cast.mountings.to_write() {
            Ok(job) => self.write_down(job, now),
            Err(error) => {
                let text = format!("the set-up of the projectors is not remembered: {error}");
                self.notices.add(Severity::Warning, text);
            }
        }
    }

    pub(super) fn write_down(&mut self, job: SettingsJob, now: HostTime) {
        if let Err(full) = self.cast.disk.settings.ask(job, now) {
            self.notices.add(Severity::Warning, full.to_string());
        }
    }

    /// Takes in what is done, whatever it is. Never waits.
    pub(super) fn look_at_disk(&mut self, now: HostTime) {
        let settings = self.cast.disk.settings.done(now);
        self.take_settings(settings);
        let presets = self.cast.disk.presets.done(now);
        self.take_presets(presets);
        let music = self.cast.disk.music.done(now);
        self.take_music(music);
        self.tell_disk();
    }

    fn tell_disk(&mut self) {
        let disk = &mut self.cast.disk;
        let mut news = disk.settings.take_news();
        news.extend(disk.presets.take_news());
        news.extend(disk.music.take_news());
        for News { is_trouble, text } in news {
            let severity = if is_trouble { Severity::Warning } else { Severity::Info };
            self.notices.add(severity, text);
        }
    }

    fn take_settings(&mut self, done: Vec<Done<SettingsAnswer>>) {
        for trouble in done.into_iter().filter_map(|done| done.answer?.trouble()) {
            self.notices.add(Severity::Warning, trouble);
        }
    }

    /// What is waited for, of every kind.
    pub(super) fn disk_waits(&self, now: HostTime) -> Vec<DiskWait> {
        let disk = &self.cast.disk;
        let waits = disk.settings.waits(now).chain(disk.presets.waits(now));
        let recording = self.recorder.recording.filter(|recording| recording.waits_s > 0);
        let recording = recording
            .map(|recording| DiskWait { what: "recording".to_owned(), seconds: recording.waits_s });
        waits.chain(disk.music.waits(now)).chain(recording).collect()
    }

    /// Waits, at the end of a show and in the dark, until what is owed is written, but not for ever. Names what was
    /// not.
    pub(super) fn close_disk(&mut self, unrecorded: Vec<String>) -> Vec<String> {
        let Disk { settings, presets, music, clock } = &mut self.cast.disk;
        let clock = clock.as_ref();
        let (settings, mut left) = settings.close(clock, clock.now() + END_PATIENCE);
        let (presets, unsaved) = presets.close(clock, clock.now() + END_PATIENCE);
        let (music, lists) = music.close(clock, clock.now() + END_PATIENCE);
        left.extend(unsaved.into_iter().chain(lists).chain(unrecorded));
        self.take_settings(settings);
        self.take_presets(presets);
        self.take_music(music);
        for what in &left {
            let text = format!("{what}: the disk did not answer before the end; it is not written");
            self.notices.add(Severity::Error, text);
        }
        left
    }
}
