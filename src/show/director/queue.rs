//! What the director does about the queue: opening what comes next in time, and obeying its changes.

use std::path::Path;

use super::{Director, Sound};
use crate::audio::{Decoder, Player};
use crate::media::{
    Location, PlaylistError, PlaylistTrack, is_playlist, read_playlist, write_playlist,
};
use crate::show::playlist::{Opened, PlayNow, QueueFull};
use crate::show::queue::QueueEdit;
use crate::show::snapshot::Severity;

impl Director {
    /// A local file at once, an address as soon as its server has answered; of a playlist, the first that opens.
    pub(super) fn open(&mut self, location: Location) {
        if matches!(self.cast.sound, Sound::Live { .. }) {
            self.notices.add(Severity::Info, "live input: a file cannot be opened beside it");
            return;
        }
        if !is_playlist(&location) {
            let opened = self.playlist.open_now(location);
            return self.take_opened(opened);
        }
        let tracks = self.listed(location);
        let (Some(tracks), Sound::Playback { player, .. }) = (tracks, &mut self.cast.sound) else {
            return;
        };
        let added = self.playlist.open_list(tracks, player);
        self.tell_full(added);
        self.follow_playlist();
    }

    /// A track, or all of a playlist, at the end of the queue.
    pub(super) fn queue(&mut self, location: Location) {
        if matches!(self.cast.sound, Sound::Live { .. }) {
            self.notices.add(Severity::Info, "live input: there is nothing to queue");
            return;
        }
        if let Some(tracks) = self.listed(location) {
            let added = self.playlist.add(tracks);
            self.tell_full(added);
        }
    }

    /// The tracks of a playlist; what is none is one track.
    fn listed(&mut self, location: Location) -> Option<Vec<PlaylistTrack>> {
        match location.path().filter(|_| is_playlist(&location)).map(read_playlist) {
            None => Some(vec![location.into()]),
            Some(Ok(tracks)) => Some(tracks),
            Some(Err(error)) => {
                self.notices.add(Severity::Error, error.to_string());
                None
            }
        }
    }

    fn tell_full(&mut self, added: Result<(), QueueFull>) {
        if let Err(full) = added {
            self.notices.add(Severity::Warning, full.to_string());
        }
    }

    /// Changes the queue.
    pub(super) fn edit_queue(&mut self, edit: &QueueEdit) {
        let Sound::Playback { player, .. } = &mut self.cast.sound else {
            self.notices.add(Severity::Info, "live input: there is no queue beside it");
            return;
        };
        match edit {
            QueueEdit::PlayNow(id) => match self.playlist.play_now(*id, player) {
                PlayNow::Gone => {}
                PlayNow::IsNext => {
                    player.next_track();
                    player.play();
                }
                PlayNow::Opens(opened) => self.take_opened(opened),
            },
            QueueEdit::Save(path) => {
                if let Err(error) = self.save_queue(path) {
                    self.notices.add(Severity::Error, error.to_string());
                }
            }
            _ => self.playlist.edit(edit, player),
        }
    }

    /// Writes what is heard and all that follows.
    fn save_queue(&mut self, path: &Path) -> Result<(), PlaylistError> {
        let Sound::Playback { player, .. } = &self.cast.sound else { return Ok(()) };
        let heard = player.location().map(|location| PlaylistTrack {
            location: location.clone(),
            title: Some(self.title.clone()),
            seconds: player.duration().map(crate::time::MediaTime::as_secs_f64),
        });
        let tracks: Vec<PlaylistTrack> = heard.into_iter().chain(self.playlist.tracks()).collect();
        write_playlist(path, &tracks)?;
        let text = format!("{} tracks are written to {}", tracks.len(), path.display());
        self.notices.add(Severity::Info, text);
        Ok(())
    }

    /// What was opened, if anything was, is played now, or after the last track.
    pub(super) fn take_opened(&mut self, opened: Option<Opened>) {
        let Sound::Playback { player, .. } = &mut self.cast.sound else { return };
        match opened {
            None => {}
            Some(Opened::ToPlay(decoder)) => {
                player.load_decoder(*decoder);
                player.play();
            }
            Some(Opened::ToQueue(id, decoder)) => {
                let number = queue_or_play(player, *decoder);
                self.playlist.handed_over(id, number);
            }
            Some(Opened::Failed(error)) => self.notices.add(Severity::Error, error.to_string()),
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
    pub(super) fn follow_playlist(&mut self) {
        let Sound::Playback { player, .. } = &mut self.cast.sound else { return };
        for text in player.take_notices() {
            self.notices.add(Severity::Warning, text);
        }
        if player.ended() && player.queued() > 0 {
            player.next_track();
        }
        let opened = self.playlist.poll(player);
        self.take_opened(opened);
        if let Some(view) = self.playlist.take_view() {
            self.queue = std::sync::Arc::new(view);
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
