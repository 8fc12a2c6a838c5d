//! The queue as a surface sees it and changes it: entries keep their id while the queue moves under the hand.

use std::path::PathBuf;

use crate::time::MediaTime;

/// The name of one entry of the queue: no other entry of a show ever gets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub u64);

/// A change of the queue. One that names an entry that is gone by then does nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueEdit {
    /// Takes an entry out.
    Remove(EntryId),
    /// Puts an entry before another one, or at the end.
    Move {
        /// The entry.
        id: EntryId,
        /// The one it comes before; the end if `None`.
        before: Option<EntryId>,
    },
    /// Plays an entry at once; what was heard is left, all others stay as they are.
    PlayNow(EntryId),
    /// Takes all entries out.
    Clear,
    /// Puts back what [`Remove`](Self::Remove) or [`Clear`](Self::Clear) took out last.
    Undo,
    /// Writes the track that is heard and all that follow to a playlist file, as M3U8.
    Save(PathBuf),
}

/// How an entry stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EntryState {
    /// Its turn comes.
    #[default]
    Waiting,
    /// It is being opened.
    Opening,
    /// It is open, and follows without a gap.
    Next,
    /// It cannot be played: why, with the cure. It is tried once more when its turn comes.
    Trouble(String),
}

/// One track that follows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueEntry {
    /// Its name for [`QueueEdit`].
    pub id: EntryId,
    /// Title from the tags or the playlist; the file name until one is known.
    pub title: String,
    /// Artist from the tags.
    pub artist: Option<String>,
    /// Length, where known.
    pub duration: Option<MediaTime>,
    /// The file or address.
    pub path: PathBuf,
    /// How it stands.
    pub state: EntryState,
}

/// All that follows the track that is heard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueView {
    /// The entries, in their order.
    pub entries: Vec<QueueEntry>,
    /// What [`QueueEdit::Undo`] would put back, in a few words; empty if nothing.
    pub undo_act: String,
}
