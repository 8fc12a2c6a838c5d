//! What the director does about the music: the track that is heard, those that follow, and what is known of them.

use std::sync::Arc;

use super::{Director, Sound};
use crate::analysis::Track;
use crate::audio::Player;
use crate::media::Location;
use crate::show::engine::{EngineCommand, EngineView};
use crate::show::hearing::KnownTrack;
use crate::show::snapshot::{Listening, Severity};
use crate::show::whole_track::{Listened, WholeTrack};

impl Director {
    pub(super) fn with_player(&mut self, what: &str, act: impl FnOnce(&mut Player)) {
        match &mut self.cast.sound {
            Sound::Playback { player, .. } => act(player),
            Sound::Live { .. } => {
                let text = format!("live input: there is nothing to {what}");
                self.notices.add(Severity::Info, text);
            }
        }
    }

    /// Title and path are those of the track that is heard.
    pub(super) fn follow_track(&mut self) {
        let Sound::Playback { player, .. } = &self.cast.sound else { return };
        let number = player.info().map(|_| player.track_number());
        if number != self.titled {
            self.titled = number;
            self.path = player.location().map(|location| location.to_string().into());
            self.told_damage = false;
            if let (Some(masks), Some(number)) = (&self.masks, number) {
                masks.song_opened(number, player.location());
            }
            self.listen_to_whole();
            self.take_title();
        }
    }

    /// Begins to listen to the whole of the file that is heard. What comes over the net is heard as it plays: it
    /// would have to be fetched twice.
    pub(super) fn listen_to_whole(&mut self) {
        self.listening = None;
        self.listening_refused = false;
        if self.track.take().is_some() {
            self.tell_engine(EngineCommand::Track(None));
        }
        let Sound::Playback { player, .. } = &self.cast.sound else { return };
        if let (true, Some(Location::File(path))) = (self.whole_files, player.location()) {
            self.listening = WholeTrack::begin(path, self.track_cache.clone());
        }
    }

    /// Begins to listen to the present file, or breaks it off until it is asked for again.
    pub(super) fn listen_to_track(&mut self, listen: bool) {
        if !listen {
            self.listening_refused |= self.listening.take().is_some();
        } else if self.listening.is_none() && self.track.is_none() {
            self.listen_to_whole();
        }
    }

    /// Whether the whole of the present file is listened to.
    pub(super) fn listening_now(&self) -> Listening {
        match &self.listening {
            None if self.listening_refused => Listening::Offered,
            None => Listening::No,
            Some(whole) => {
                let (heard_s, length_s) = whole.progress();
                Listening::AtWork { heard_s, length_s }
            }
        }
    }

    /// Hands a track that has become known to the engine, and frees those it has let go of.
    pub(super) fn take_track(&mut self) {
        self.tracks.retain(|track| Arc::strong_count(track) > 1);
        let Some(listening) = &self.listening else { return };
        match (listening.look(), self.titled) {
            (Listened::NotYet, _) => {}
            (Listened::Whole(track), Some(number)) => {
                self.listening = None;
                let track: Arc<Track> = Arc::from(track);
                self.tracks.push(Arc::clone(&track));
                self.track = Some(Arc::clone(&track));
                self.tell_engine(EngineCommand::Track(Some(KnownTrack { number, track })));
            }
            _ => self.listening = None,
        }
    }

    pub(super) fn take_title(&mut self) {
        self.title = match &self.cast.sound {
            Sound::Live { .. } => "live input".to_owned(),
            Sound::Playback { player, .. } => {
                let tagged = player.info().and_then(|info| {
                    let title = info.tags.title.clone()?;
                    Some(match &info.tags.artist {
                        Some(artist) => format!("{artist} – {title}"),
                        None => title,
                    })
                });
                let named = || player.location().map(Location::short_name);
                tagged.or_else(named).unwrap_or_default()
            }
        };
    }

    /// A damaged file plays as far as it can: it is said once for each file.
    pub(super) fn tell_damage(&mut self) {
        let Sound::Playback { player, .. } = &self.cast.sound else { return };
        if player.damaged_packets() == 0 || self.told_damage {
            return;
        }
        self.told_damage = true;
        let name = self.path.as_deref().map_or_else(String::new, |path| path.display().to_string());
        let text =
            format!("{name} is damaged, and parts of it do not play: copy or convert it again");
        self.notices.add(Severity::Warning, text);
    }

    /// Adds up how much media was played; a seek adds nothing.
    pub(super) fn count_media(&mut self, view: &EngineView) {
        if let Some((periods, media)) = self.last_media {
            let step = view.media.secs_since(media);
            if view.playing && periods != view.periods && (0.0..0.5).contains(&step) {
                self.played_s += step;
            }
        }
        self.last_media = Some((view.periods, view.media));
    }

    pub(super) fn decoder_underruns(&self) -> u64 {
        match &self.cast.sound {
            Sound::Playback { player, .. } => player.decoder_underruns(),
            Sound::Live { .. } => 0,
        }
    }
}
