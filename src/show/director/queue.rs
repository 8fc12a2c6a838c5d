//! What the director does about the queue: opening what comes next in time, and obeying its changes.

use std::path::Path;
use std::sync::Arc;

use super::{Director, Sound};
use crate::audio::{Decoder, Player};
use crate::media::{Location, PlaylistTrack, is_playlist};
use crate::show::disk::{Done, JobId, MusicAnswer, MusicJob};
use crate::show::playlist::{Opened, PlayNow, QueueFull};
use crate::show::queue::QueueEdit;
use crate::show::snapshot::Severity;
use crate::time::{HostTime, MediaTime};

impl Director {
    /// Opens a track, or a playlist: of that the first that opens is played.
    pub(super) fn open(&mut self, location: Location, now: HostTime) {
        if matches!(self.cast.sound, Sound::Live { .. }) {
            self.notices.add(Severity::Info, "live input: a file cannot be opened beside it");
            return;
        }
        self.playlist.open_now(location);
        self.ask_for_music(now);
    }

    /// A track, or all of a playlist, at the end of the queue.
    pub(super) fn queue(&mut self, location: Location, now: HostTime) {
        if matches!(self.cast.sound, Sound::Live { .. }) {
            self.notices.add(Severity::Info, "live input: there is nothing to queue");
            return;
        }
        let added = if is_playlist(&location) {
            self.playlist.add_list(location)
        } else {
            self.playlist.add([location.into()])
        };
        self.tell_full(added);
        self.ask_for_music(now);
    }

    fn tell_full(&mut self, added: Result<(), QueueFull>) {
        if let Err(full) = added {
            self.notices.add(Severity::Warning, full.to_string());
        }
    }

    /// Changes the queue.
    pub(super) fn edit_queue(&mut self, edit: &QueueEdit, now: HostTime) {
        let Sound::Playback { player, .. } = &mut self.cast.sound else {
            self.notices.add(Severity::Info, "live input: there is no queue beside it");
            return;
        };
        match edit {
            QueueEdit::PlayNow(id) => match self.playlist.play_now(*id, player) {
                PlayNow::Gone | PlayNow::Opens => {}
                PlayNow::IsNext => {
                    player.next_track();
                    player.play();
                }
            },
            QueueEdit::Save(path) => self.save_queue(path, now),
            _ => self.playlist.edit(edit, player),
        }
        self.ask_for_music(now);
    }

    /// Has what is heard and all that follows written down.
    fn save_queue(&mut self, path: &Path, now: HostTime) {
        let Sound::Playback { player, .. } = &self.cast.sound else { return };
        let heard = player.location().map(|location| PlaylistTrack {
            location: location.clone(),
            title: Some(self.title.clone()),
            seconds: player.duration().map(MediaTime::as_secs_f64),
        });
        let tracks: Vec<PlaylistTrack> = heard.into_iter().chain(self.playlist.tracks()).collect();
        let path = path.to_owned();
        if let Err(full) = self.cast.disk.music.ask(MusicJob::WriteList { path, tracks }, now) {
            self.notices.add(Severity::Error, full.to_string());
        }
    }

    fn ask_for_music(&mut self, now: HostTime) {
        for refused in self.playlist.ask(&mut self.cast.disk.music, now) {
            self.notices.add(Severity::Error, refused);
        }
    }

    /// Takes in what was opened, read and written meanwhile.
    pub(super) fn take_music(&mut self, done: Vec<Done<MusicAnswer>>) {
        for Done { id, answer } in done {
            match answer {
                Some(MusicAnswer::Opened(result)) => {
                    self.take_track_opened(id, result.map_err(|error| error.to_string()));
                }
                Some(MusicAnswer::Listed(result)) => {
                    self.take_list(id, result.map_err(|error| error.to_string()));
                }
                Some(MusicAnswer::Written(Ok((tracks, path)))) => {
                    let text = format!("{tracks} tracks are written to {}", path.display());
                    self.notices.add(Severity::Info, text);
                }
                Some(MusicAnswer::Written(Err(error))) => {
                    self.notices.add(Severity::Error, error.to_string());
                }
                // What it was is not known; only one of them is waited for under this number.
                None => {
                    let fell = || "this file makes galvo fail: please report it".to_owned();
                    self.take_list(id, Err(fell()));
                    self.take_track_opened(id, Err(fell()));
                }
            }
        }
    }

    fn take_list(&mut self, id: JobId, result: Result<Vec<PlaylistTrack>, String>) {
        let Sound::Playback { player, .. } = &mut self.cast.sound else { return };
        if let Err(error) = self.playlist.listed(id, result, player) {
            self.notices.add(Severity::Error, error);
        }
    }

    /// What was opened is played now, or after the last track.
    fn take_track_opened(&mut self, id: JobId, result: Result<Box<Decoder>, String>) {
        let Some(opened) = self.playlist.opened(id, result) else { return };
        let Sound::Playback { player, .. } = &mut self.cast.sound else { return };
        match opened {
            Opened::ToPlay(decoder) => {
                player.load_decoder(*decoder);
                player.play();
            }
            Opened::ToQueue(id, decoder) => {
                let number = queue_or_play(player, *decoder);
                self.playlist.handed_over(id, number);
            }
            Opened::Failed(error) => self.notices.add(Severity::Error, error),
        }
        self.follow_track();
    }

    pub(super) fn next_track(&mut self) {
        let Sound::Playback { player, .. } = &mut self.cast.sound else { return };
        if !player.next_track() && !self.playlist.play_next() {
            self.notices.add(Severity::Info, "this is the last track");
        }
    }

    /// Opens what comes next in time, and goes on where the sound has ended before it was open.
    pub(super) fn follow_playlist(&mut self, now: HostTime) {
        let Sound::Playback { player, .. } = &mut self.cast.sound else { return };
        for text in player.take_notices() {
            self.notices.add(Severity::Warning, text);
        }
        if player.ended() && player.queued() > 0 {
            player.next_track();
        }
        self.playlist.look(player);
        self.ask_for_music(now);
        if let Some(view) = self.playlist.take_view() {
            self.queue = Arc::new(view);
        }
    }
}

/// A track that was opened after the one before had ended is played at once.
fn queue_or_play(player: &mut Player, decoder: Decoder) -> u64 {
    let number = player.queue(decoder);
    if player.ended() {
        player.next_track();
    }
    number
}
