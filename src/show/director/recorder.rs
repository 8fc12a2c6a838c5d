//! What the director does about files made of the show: who is recorded, what is rendered.

use super::{Director, Sound};
use crate::media::Location;
use crate::show::disk::END_PATIENCE;
use crate::show::recorder::{
    RECORDER_DEPTH, Recorded, RecorderView, RecorderWish, RenderOrder, Studio,
};
use crate::show::snapshot::Severity;
use crate::time::{HostTime, MediaTime};

impl Director {
    /// Has someone from now on who makes files of the show.
    pub fn give_studio(&mut self, studio: Box<dyn Studio>) {
        self.studio = Some(studio);
    }

    pub(super) fn obey_about_files(&mut self, wish: RecorderWish, now: HostTime) {
        if self.studio.is_none() {
            return self.notices.add(
                Severity::Info,
                "this show makes no files: there is no folder of yours to put them in",
            );
        }
        match wish {
            RecorderWish::Start { projector, kind } => {
                let Some(recorded) = self.points_of(projector.as_deref()) else { return };
                self.with_studio_do(|studio| studio.record(kind, recorded, now));
            }
            RecorderWish::Stop => self.with_studio_do(|studio| studio.stop()),
            RecorderWish::Render(kind) => {
                let music = match &self.cast.sound {
                    Sound::Live { .. } => None,
                    Sound::Playback { player, .. } => player.location().cloned(),
                };
                let Some(Location::File(music)) = music else {
                    let text = "only a file on this machine can be rendered: open one";
                    return self.notices.add(Severity::Info, text);
                };
                let preset = self.cast.presets.preset().clone();
                let position = self.track_position();
                let order = RenderOrder { music, preset, kind, position };
                self.with_studio_do(|studio| studio.render(order, now));
            }
            RecorderWish::CancelRender => self.with_studio_do(|studio| studio.cancel_render()),
            RecorderWish::Folder(folder) => {
                self.with_studio_do(|studio| studio.set_folder(folder));
            }
        }
    }

    /// The points of the projector of this name, or of all.
    fn points_of(&mut self, name: Option<&str>) -> Option<Vec<Recorded>> {
        let wanted = |of: &str| name.is_none_or(|name| name == of);
        let projectors = self.cast.projectors.iter().filter(|p| wanted(p.name()));
        let taps = projectors.map(|projector| {
            let sent = projector.sent_points(RECORDER_DEPTH)?;
            Ok(Recorded { projector: projector.name().to_owned(), sent })
        });
        match taps.collect::<Result<Vec<_>, crate::frame::TapError>>() {
            Ok(taps) if taps.is_empty() => {
                self.notices.add(Severity::Info, "there is no such projector to be recorded");
                None
            }
            Ok(taps) => Some(taps),
            Err(error) => {
                self.notices.add(Severity::Error, error.to_string());
                None
            }
        }
    }

    fn track_position(&mut self) -> MediaTime {
        let media = self.cast.ends.view.read().media;
        match &self.cast.sound {
            Sound::Live { .. } => media,
            Sound::Playback { player, .. } => player.track_time(media).max(MediaTime::ZERO),
        }
    }

    fn with_studio_do(&mut self, act: impl FnOnce(&mut dyn Studio)) {
        if let Some(studio) = &mut self.studio {
            act(studio.as_mut());
        }
    }

    /// How the files are that are made of the show.
    pub(super) fn look_at_files(&mut self, now: HostTime) {
        let Some(studio) = &mut self.studio else { return };
        let mut told = Vec::new();
        self.recorder = studio.look(now, &mut |severity, text| told.push((severity, text)));
        for (severity, text) in told {
            self.notices.add(severity, text);
        }
    }

    /// Files under way are closed and named. Returns those whose disk did not answer.
    pub(super) fn close_files(&mut self) -> Vec<String> {
        let mut studio = self.studio.take();
        self.recorder = RecorderView::default();
        studio.as_mut().map(|studio| studio.close(END_PATIENCE)).unwrap_or_default()
    }
}
