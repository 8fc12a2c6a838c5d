//! What is played after what is open: opened in time, by those who may wait for a disk or a server, and changed while
//! it plays.
//!
//! Only the newest wish counts: what was asked for before it is dropped when it is there. The entry whose turn comes next is open in the player, so that it follows without a gap. A change that puts another
//! one before it takes it back from there.

use std::ops::Range;
use std::sync::Arc;

use super::disk::{JobId, JobQueue, MusicJob};
use super::queue::{EntryId, EntryState, QueueEdit, QueueEntry, QueueView};
use super::tag_reader::{Said, TagReader};
use crate::audio::{DecodeError, Decoder, Player};
use crate::media::{Location, MediaOpener, PlaylistTrack, is_playlist};
use crate::time::{HostTime, MediaTime};

/// Tracks that wait at most.
pub const MOST_ENTRIES: usize = 10_000;

/// In a list that is longer, several files are read before it is told anew.
const ENTRIES_TOLD_AT_ONCE: usize = 256;

/// Tracks that are to come.
#[derive(Debug, Default)]
pub struct Playlist {
    opener: Arc<MediaOpener>,
    entries: Vec<Entry>,
    opening: Option<Opening>,
    /// The next one that opens is played at once.
    plays_next: bool,
    next_id: u64,
    /// What was taken out last, with the places it had, and what to call that.
    taken_out: Vec<(usize, Entry)>,
    undo_act: String,
    reader: Option<TagReader>,
    /// Files that were read and are not told yet: a long list is not told anew for each.
    untold: usize,
    changed: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    id: EntryId,
    location: Location,
    said: Said,
    /// Its file was asked, or is not to be.
    is_read: bool,
    trouble: Option<String>,
    turn: Turn,
}

/// How far an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    ToCome,
    /// It is open in the player, under this number.
    Open(u64),
    /// Its turn came, and it could not be opened.
    Missed,
    /// It is a playlist, whose tracks take its place once it is read; the job, once it was asked for.
    List(Option<JobId>),
}

#[derive(Debug)]
struct Opening {
    /// None for what is no entry of the queue.
    id: Option<EntryId>,
    location: Location,
    to_play: bool,
    /// None until it was asked for.
    job: Option<JobId>,
}

/// What came of opening a track.
#[derive(Debug)]
pub enum Opened {
    /// It is to be played at once.
    ToPlay(Box<Decoder>),
    /// It is to be played after the others.
    ToQueue(EntryId, Box<Decoder>),
    /// It cannot be played; a sentence with its cure.
    Failed(String),
}

/// There is no room for more tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue holds {MOST_ENTRIES} tracks, and no more: remove some first")]
pub struct QueueFull;

impl Playlist {
    /// An empty list, whose tracks are opened with `opener`.
    #[must_use]
    pub fn new(opener: Arc<MediaOpener>) -> Self {
        Self { opener, ..Self::default() }
    }

    /// More tracks at the end.
    ///
    /// # Errors
    ///
    /// [`QueueFull`]; those that there was room for are in.
    pub fn add(
        &mut self,
        tracks: impl IntoIterator<Item = PlaylistTrack>,
    ) -> Result<(), QueueFull> {
        for PlaylistTrack { location, title, seconds } in tracks {
            if self.entries.len() >= MOST_ENTRIES {
                return Err(QueueFull);
            }
            let id = EntryId(self.next_id);
            self.next_id += 1;
            let duration = seconds.map(MediaTime::from_secs_f64);
            // Nothing is fetched from the network to learn a name.
            let is_read = matches!(location, Location::Url(_));
            let said = Said { title, artist: None, duration };
            let (trouble, turn) = (None, Turn::ToCome);
            self.entries.push(Entry { id, location, said, is_read, trouble, turn });
            self.changed = true;
        }
        Ok(())
    }

    /// All that a playlist file names, at the end: they take its place once it is read.
    ///
    /// # Errors
    ///
    /// [`QueueFull`].
    pub fn add_list(&mut self, location: Location) -> Result<(), QueueFull> {
        self.add([location.into()])?;
        if let Some(entry) = self.entries.last_mut() {
            (entry.turn, entry.is_read) = (Turn::List(None), true);
        }
        Ok(())
    }

    /// The last entry could not be opened when its turn came.
    pub fn missed_last(&mut self, why: String) {
        if let Some(entry) = self.entries.last_mut() {
            (entry.turn, entry.trouble, entry.is_read) = (Turn::Missed, Some(why), true);
        }
    }

    /// Why tracks were missed whose turn has come.
    pub fn missed(&self) -> impl Iterator<Item = &str> {
        let missed = self.entries.iter().filter(|entry| entry.turn == Turn::Missed);
        missed.filter_map(|entry| entry.trouble.as_deref())
    }

    /// Tracks whose turn comes.
    #[must_use]
    pub fn to_come(&self) -> usize {
        self.entries.iter().filter(|entry| entry.turn != Turn::Missed).count()
    }

    /// What the tracks are called whose turn comes, in their order.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.entries.iter().filter(|entry| entry.turn != Turn::Missed).map(Entry::name)
    }

    /// Every track of the list, as a playlist file holds it.
    pub fn tracks(&self) -> impl Iterator<Item = PlaylistTrack> {
        self.entries.iter().map(|entry| PlaylistTrack {
            location: entry.location.clone(),
            title: entry.said.title.is_some().then(|| entry.name()),
            seconds: entry.said.duration.map(MediaTime::as_secs_f64),
        })
    }

    /// What is being opened.
    #[must_use]
    pub fn opening(&self) -> Option<String> {
        self.opening.as_ref().map(|opening| opening.location.short_name())
    }

    /// The list as surfaces see it, if it is another one than at the last call.
    pub fn take_view(&mut self) -> Option<QueueView> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let opening = self.opening.as_ref().and_then(|opening| opening.id);
        let entry = |entry: &Entry| QueueEntry {
            id: entry.id,
            title: entry.said.title.clone().unwrap_or_else(|| entry.location.short_name()),
            artist: entry.said.artist.clone(),
            duration: entry.said.duration,
            path: entry.location.to_string().into(),
            state: match (&entry.trouble, entry.turn) {
                _ if opening == Some(entry.id) => EntryState::Opening,
                (Some(why), _) => EntryState::Trouble(why.clone()),
                (None, Turn::Open(_)) => EntryState::Next,
                (None, Turn::List(_)) => EntryState::Opening,
                (None, _) => EntryState::Waiting,
            },
        };
        let entries = self.entries.iter().map(entry).collect();
        Some(QueueView { entries, undo_act: self.undo_act.clone() })
    }

    /// Opens this, a track or a playlist. Once that is done, the list is forgotten.
    pub fn open_now(&mut self, location: Location) {
        self.plays_next = false;
        self.open(None, location, true);
    }

    /// Forgets the list for another one, whose first track that opens is played at once.
    ///
    /// # Errors
    ///
    /// [`QueueFull`]; those that there was room for are in.
    pub fn open_list(
        &mut self,
        tracks: Vec<PlaylistTrack>,
        player: &mut Player,
    ) -> Result<(), QueueFull> {
        self.take_back(player, None);
        self.forget();
        self.plays_next = true;
        self.add(tracks)
    }

    fn forget(&mut self) {
        self.entries.clear();
        self.taken_out.clear();
        self.undo_act.clear();
        self.opening = None;
        self.plays_next = false;
        self.changed = true;
    }

    /// The next track that opens is played at once; false if none is to come.
    pub fn play_next(&mut self) -> bool {
        self.plays_next = self.to_come() > 0;
        self.plays_next
    }

    /// Makes a change. What is no matter of the list, to play and to save, is left to the caller.
    pub fn edit(&mut self, edit: &QueueEdit, player: &mut Player) {
        match edit {
            QueueEdit::Remove(id) => {
                let Some(at) = self.place(*id) else { return };
                let act = format!("removed {}", self.entries[at].name());
                self.take_out(at..at + 1, act, player);
            }
            QueueEdit::Clear if !self.entries.is_empty() => {
                let act = match self.entries.len() {
                    1 => "removed one track".to_owned(),
                    many => format!("removed {many} tracks"),
                };
                self.take_out(0..self.entries.len(), act, player);
            }
            QueueEdit::Move { id, before } if Some(*id) != *before => {
                let Some(at) = self.place(*id) else { return };
                if before.is_some_and(|before| self.place(before).is_none()) {
                    return;
                }
                let entry = self.entries.remove(at);
                let to = before.and_then(|before| self.place(before));
                self.entries.insert(to.unwrap_or(self.entries.len()), entry);
            }
            QueueEdit::Undo => {
                for (at, entry) in std::mem::take(&mut self.taken_out) {
                    if self.entries.len() < MOST_ENTRIES {
                        self.entries.insert(at.min(self.entries.len()), entry);
                    }
                }
                self.undo_act.clear();
            }
            _ => return,
        }
        self.changed = true;
        self.settle(player);
    }

    fn take_out(&mut self, places: Range<usize>, act: String, player: &mut Player) {
        let from = places.start..;
        let taken = self.entries.drain(places).map(|mut entry| {
            entry.close(player);
            entry
        });
        self.taken_out = from.zip(taken).collect();
        self.undo_act = act;
    }

    fn place(&self, id: EntryId) -> Option<usize> {
        self.entries.iter().position(|entry| entry.id == id)
    }

    /// Opens an entry to be played at once; none if it is gone, or is open in the player and only has to be gone to.
    pub fn play_now(&mut self, id: EntryId, player: &mut Player) -> PlayNow {
        let Some(at) = self.place(id) else { return PlayNow::Gone };
        self.changed = true;
        if matches!(self.entries[at].turn, Turn::Open(_)) {
            return PlayNow::IsNext;
        }
        if matches!(self.entries[at].turn, Turn::List(_)) {
            return PlayNow::Gone;
        }
        self.plays_next = false;
        self.take_back(player, None);
        let entry = &mut self.entries[at];
        (entry.turn, entry.trouble) = (Turn::ToCome, None);
        let location = entry.location.clone();
        self.open(Some(id), location, true);
        PlayNow::Opens
    }

    /// What is open in the player, or being opened, is the first one to come, or nothing is.
    fn settle(&mut self, player: &mut Player) {
        let first = self.entries.iter().find(|entry| entry.turn != Turn::Missed);
        let first = first.map(|entry| entry.id);
        self.take_back(player, first);
        let is_late = |opening: &Opening| opening.id.is_some() && opening.id != first;
        let is_gone = |opening: &Opening| opening.id.is_some_and(|id| self.place(id).is_none());
        if self.opening.as_ref().is_some_and(|o| is_gone(o) || (is_late(o) && !o.to_play)) {
            self.opening = None;
        }
    }

    /// Nothing but `stays` is open in the player any more.
    fn take_back(&mut self, player: &mut Player, stays: Option<EntryId>) {
        self.entries
            .iter_mut()
            .filter(|entry| Some(entry.id) != stays)
            .for_each(|entry| entry.close(player));
    }

    /// Decides in time which track is opened next, and reads what the files say.
    pub fn look(&mut self, player: &Player) {
        self.let_go_of_heard(player);
        self.read_on();
        if self.opening.is_some() || (!self.plays_next && player.queued() > 0) {
            return;
        }
        if let Some(next) = self.entries.iter().find(|entry| entry.turn == Turn::ToCome) {
            let (id, location) = (next.id, next.location.clone());
            self.open(Some(id), location, self.plays_next);
        } else if !self.entries.iter().any(|entry| matches!(entry.turn, Turn::List(_))) {
            self.plays_next = false;
        }
    }

    /// Asks for what is to be opened or read and was not asked for yet. Returns what cannot be asked for, as sentences.
    pub fn ask(&mut self, music: &mut JobQueue<MusicJob>, now: HostTime) -> Vec<String> {
        let mut refused = Vec::new();
        if let Some(opening) = self.opening.as_mut().filter(|opening| opening.job.is_none()) {
            let opener = Arc::clone(&self.opener);
            let job = match opening.location.path().filter(|_| is_playlist(&opening.location)) {
                Some(path) => MusicJob::ReadList(path.to_owned()),
                None => MusicJob::Open { opener, location: opening.location.clone() },
            };
            match music.ask(job, now) {
                Ok(id) => opening.job = Some(id),
                Err(full) => {
                    let Opening { id, to_play, .. } = *opening;
                    self.opening = None;
                    self.conclude(id, to_play, Err(full.to_string()));
                    refused.push(full.to_string());
                }
            }
        }
        self.entries.retain_mut(|entry| {
            let (Turn::List(None), Some(path)) = (entry.turn, entry.location.path()) else {
                return true;
            };
            let asked = music.ask(MusicJob::ReadList(path.to_owned()), now);
            let asked = asked.map_err(|full| refused.push(full.to_string()));
            entry.turn = Turn::List(asked.ok());
            asked.is_ok()
        });
        self.changed |= !refused.is_empty();
        refused
    }

    /// Takes in what came of opening a track; `None` if something else was wished for meanwhile.
    pub fn opened(&mut self, job: JobId, result: Result<Box<Decoder>, String>) -> Option<Opened> {
        let opening = self.opening.take_if(|opening| opening.job == Some(job))?;
        // Meanwhile the track before it may have been left.
        let to_play = opening.to_play || (self.plays_next && opening.id.is_some());
        Some(self.conclude(opening.id, to_play, result))
    }

    /// Takes in the tracks of a playlist that was read: in its place, or instead of all that was here.
    ///
    /// # Errors
    ///
    /// Why there are none, as a sentence; nothing if something else was wished for meanwhile.
    pub fn listed(
        &mut self,
        job: JobId,
        result: Result<Vec<PlaylistTrack>, String>,
        player: &mut Player,
    ) -> Result<(), String> {
        if self.opening.take_if(|opening| opening.job == Some(job)).is_some() {
            self.changed = true;
            return self.open_list(result?, player).map_err(|full| full.to_string());
        }
        let is_it = |entry: &Entry| entry.turn == Turn::List(Some(job));
        let Some(at) = self.entries.iter().position(is_it) else { return Ok(()) };
        let after = self.entries.split_off(at + 1);
        self.entries.pop();
        self.changed = true;
        let room = MOST_ENTRIES.saturating_sub(self.entries.len() + after.len());
        let added = result.and_then(|mut tracks| {
            let is_full = tracks.len() > room;
            tracks.truncate(room);
            self.add(tracks).map_err(|full| full.to_string())?;
            if is_full { Err(QueueFull.to_string()) } else { Ok(()) }
        });
        self.entries.extend(after);
        self.settle(player);
        added
    }

    /// An entry is open in the player under this number.
    pub fn handed_over(&mut self, id: EntryId, number: u64) {
        if let Some(at) = self.place(id) {
            self.entries[at].turn = Turn::Open(number);
            self.changed = true;
        }
    }

    /// What is heard is no part of the queue any more.
    fn let_go_of_heard(&mut self, player: &Player) {
        if player.info().is_none() {
            return;
        }
        let heard = player.track_number();
        let before = self.entries.len();
        self.entries.retain(|entry| !matches!(entry.turn, Turn::Open(number) if number <= heard));
        self.changed |= self.entries.len() != before;
    }

    /// Takes in what a file says of itself, and asks the next one.
    fn read_on(&mut self) {
        if let Some((id, answer)) = self.reader.as_mut().and_then(TagReader::poll)
            && let Some(at) = self.place(id)
        {
            let entry = &mut self.entries[at];
            entry.is_read = true;
            match answer {
                Ok(said) => entry.hear(said),
                Err(why) => entry.trouble = Some(why),
            }
            self.untold += 1;
            if self.untold > self.entries.len() / ENTRIES_TOLD_AT_ONCE {
                self.tell_read();
            }
        }
        if self.reader.as_ref().is_some_and(TagReader::is_reading) {
            return;
        }
        let Some(next) = self.entries.iter_mut().find(|entry| !entry.is_read) else {
            self.tell_read();
            return;
        };
        next.is_read = true;
        let (id, location) = (next.id, next.location.clone());
        if self.reader.is_none() {
            self.reader = TagReader::start(Arc::clone(&self.opener));
        }
        if let Some(reader) = &mut self.reader {
            reader.read(id, location);
        }
    }

    fn tell_read(&mut self) {
        self.changed |= std::mem::take(&mut self.untold) > 0;
    }

    fn open(&mut self, id: Option<EntryId>, location: Location, to_play: bool) {
        self.changed = true;
        self.opening = Some(Opening { id, location, to_play, job: None });
    }

    /// Notes what came of opening an entry, or something else.
    fn conclude(
        &mut self,
        id: Option<EntryId>,
        to_play: bool,
        result: Result<Box<Decoder>, String>,
    ) -> Opened {
        self.changed = true;
        let at = id.and_then(|id| self.place(id));
        match result {
            Err(error) => {
                if let Some(at) = at {
                    let entry = &mut self.entries[at];
                    (entry.turn, entry.trouble) = (Turn::Missed, Some(error.clone()));
                }
                Opened::Failed(error)
            }
            Ok(decoder) => {
                if let Some(at) = at {
                    let entry = &mut self.entries[at];
                    (entry.trouble, entry.is_read) = (None, true);
                    entry.hear(Said::of(decoder.info()));
                }
                match id {
                    Some(id) if !to_play => return Opened::ToQueue(id, decoder),
                    Some(_) => drop(at.map(|at| self.entries.remove(at))),
                    None => self.forget(),
                }
                self.plays_next = false;
                Opened::ToPlay(decoder)
            }
        }
    }
}

/// What comes of the wish to play an entry at once.
#[derive(Debug)]
pub enum PlayNow {
    /// The entry is gone.
    Gone,
    /// It is the next one of the player.
    IsNext,
    /// It is opened.
    Opens,
}

impl Entry {
    /// It is not open in the player any more.
    fn close(&mut self, player: &mut Player) {
        if let Turn::Open(number) = self.turn {
            player.unqueue(number);
            self.turn = Turn::ToCome;
        }
        // One that comes back is read anew.
        if let Turn::List(job) = &mut self.turn {
            *job = None;
        }
    }

    /// What its file says counts before what a playlist says.
    fn hear(&mut self, said: Said) {
        let known = std::mem::take(&mut self.said);
        self.said = Said {
            title: said.title.or(known.title),
            artist: said.artist.or(known.artist),
            duration: said.duration.or(known.duration),
        };
    }

    fn name(&self) -> String {
        let title = self.said.title.clone().unwrap_or_else(|| self.location.short_name());
        match &self.said.artist {
            Some(artist) => format!("{artist} – {title}"),
            None => title,
        }
    }
}

/// Opens what lies at `location` and decodes its first sound.
pub(super) fn open_decoder(
    opener: &MediaOpener,
    location: &Location,
) -> Result<Decoder, DecodeError> {
    Decoder::open_media(opener.open(location)?)
}
