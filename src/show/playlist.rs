//! What is played after what is open: opened in time, off the show thread where that may take long, and changed while
//! it plays.
//!
//! The entry whose turn comes next is open in the player, so that it follows without a gap. A change that puts another
//! one before it takes it back from there.

use std::ops::Range;
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError};

use super::queue::{EntryId, EntryState, QueueEdit, QueueEntry, QueueView};
use super::tag_reader::{Said, TagReader};
use crate::audio::{DecodeError, Decoder, Player};
use crate::media::{Location, MediaOpener, PlaylistTrack};
use crate::time::MediaTime;

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
}

#[derive(Debug)]
struct Opening {
    /// None for what is no entry of the queue.
    id: Option<EntryId>,
    location: Location,
    to_play: bool,
    answer: Receiver<Result<Decoder, DecodeError>>,
}

/// What came of opening a track.
#[derive(Debug)]
pub enum Opened {
    /// It is to be played at once.
    ToPlay(Box<Decoder>),
    /// It is to be played after the others.
    ToQueue(EntryId, Box<Decoder>),
    /// It cannot be played.
    Failed(DecodeError),
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
                (None, _) => EntryState::Waiting,
            },
        };
        let entries = self.entries.iter().map(entry).collect();
        Some(QueueView { entries, undo_act: self.undo_act.clone() })
    }

    /// Opens this: a local file at once, an address on a thread of its own. Once it is open, the list is forgotten.
    pub fn open_now(&mut self, location: Location) -> Option<Opened> {
        self.opening = None;
        self.plays_next = false;
        self.open(None, location, true)
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
        self.opening = None;
        self.plays_next = false;
        self.take_back(player, None);
        let entry = &mut self.entries[at];
        (entry.turn, entry.trouble) = (Turn::ToCome, None);
        let location = entry.location.clone();
        PlayNow::Opens(self.open(Some(id), location, true))
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

    /// What was opened meanwhile; begins to open the next track in time, and to read what the files say.
    pub fn poll(&mut self, player: &Player) -> Option<Opened> {
        self.let_go_of_heard(player);
        self.read_on();
        if let Some(opening) = self.opening.take() {
            return match opening.answer.try_recv() {
                Err(TryRecvError::Empty) => {
                    self.opening = Some(opening);
                    None
                }
                Ok(result) => Some(self.opened(opening.id, opening.to_play, result)),
                // The thread fell; what it said of that is in the log.
                Err(TryRecvError::Disconnected) => None,
            };
        }
        if !self.plays_next && player.queued() > 0 {
            return None;
        }
        let Some(next) = self.entries.iter().find(|entry| entry.turn == Turn::ToCome) else {
            self.plays_next = false;
            return None;
        };
        let (id, location) = (next.id, next.location.clone());
        self.open(Some(id), location, self.plays_next)
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

    fn open(&mut self, id: Option<EntryId>, location: Location, to_play: bool) -> Option<Opened> {
        self.changed = true;
        let opener = Arc::clone(&self.opener);
        if !matches!(location, Location::Url(_)) {
            let result = open_decoder(&opener, &location);
            return Some(self.opened(id, to_play, result));
        }
        let (send, answer) = crossbeam_channel::bounded(1);
        let wanted = location.clone();
        let thread = std::thread::Builder::new().name("open".into()).spawn(move || {
            // Nobody waits for it if something else was opened meanwhile.
            send.send(open_decoder(&opener, &wanted)).ok();
        });
        match thread {
            Ok(_) => {
                self.opening = Some(Opening { id, location, to_play, answer });
                None
            }
            Err(error) => Some(self.opened(id, to_play, Err(DecodeError::Thread(error)))),
        }
    }

    /// Notes what came of opening an entry, or something else.
    fn opened(
        &mut self,
        id: Option<EntryId>,
        to_play: bool,
        result: Result<Decoder, DecodeError>,
    ) -> Opened {
        self.changed = true;
        let at = id.and_then(|id| self.place(id));
        match result {
            Err(error) => {
                if let Some(at) = at {
                    let entry = &mut self.entries[at];
                    (entry.turn, entry.trouble) = (Turn::Missed, Some(error.to_string()));
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
                    Some(id) if !to_play => return Opened::ToQueue(id, Box::new(decoder)),
                    Some(_) => drop(at.map(|at| self.entries.remove(at))),
                    None => self.forget(),
                }
                self.plays_next = false;
                Opened::ToPlay(Box::new(decoder))
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
    /// It is opened; `None` while that takes its time.
    Opens(Option<Opened>),
}

impl Entry {
    /// It is not open in the player any more.
    fn close(&mut self, player: &mut Player) {
        if let Turn::Open(number) = self.turn {
            player.unqueue(number);
            self.turn = Turn::ToCome;
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
