//! Asks the desktop for files and folders without ever holding up a frame.

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError};

/// Endings of the files that can be played.
pub const AUDIO_EXTENSIONS: &[&str] =
    &["wav", "flac", "mp3", "ogg", "oga", "m4a", "mp4", "aac", "aiff", "aif", "mka", "webm"];

/// Endings of the files that name others to be played.
const PLAYLIST_EXTENSIONS: &[&str] = &["m3u8", "m3u"];

/// What files are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Music, or a playlist, to be opened.
    ToOpen,
    /// Music, or playlists, to be queued.
    ToQueue,
    /// Where the queue is to be written.
    PlaceOfQueue,
    /// Where recordings and renderings go.
    FolderOfRecordings,
}

type Ask = Arc<dyn Fn(Wanted) -> Vec<PathBuf> + Send + Sync>;

/// A file dialog on a thread of its own; at most one is open.
pub struct FileChooser {
    ask: Ask,
    answer: Option<(Wanted, Receiver<Vec<PathBuf>>)>,
}

impl std::fmt::Debug for FileChooser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileChooser").field("open", &self.is_open()).finish_non_exhaustive()
    }
}

impl FileChooser {
    /// A chooser that asks the desktop's own dialog.
    #[must_use]
    pub fn of_the_desktop() -> Self {
        Self::asking_for(|wanted| {
            let all: Vec<&str> = [AUDIO_EXTENSIONS, PLAYLIST_EXTENSIONS].concat();
            let dialog = rfd::FileDialog::new();
            let music = dialog
                .clone()
                .add_filter("Music and playlists", &all)
                .add_filter("All files", &["*"]);
            match wanted {
                Wanted::ToOpen => music.set_title("Open music").pick_file().into_iter().collect(),
                Wanted::ToQueue => {
                    music.set_title("Add to the queue").pick_files().unwrap_or_default()
                }
                Wanted::PlaceOfQueue => dialog
                    .set_title("Save the queue")
                    .add_filter("Playlist", &["m3u8"])
                    .set_file_name("queue.m3u8")
                    .save_file()
                    .into_iter()
                    .collect(),
                Wanted::FolderOfRecordings => {
                    let folder = dialog.set_title("Folder for recordings").pick_folder();
                    folder.into_iter().collect()
                }
            }
        })
    }

    /// A chooser that asks `ask` for one file, whatever is wanted; `None` means cancelled.
    pub fn asking(ask: impl Fn() -> Option<PathBuf> + Send + Sync + 'static) -> Self {
        Self::asking_for(move |_| ask().into_iter().collect())
    }

    /// A chooser that asks `ask`, which may take as long as it likes; no file means cancelled.
    pub fn asking_for(ask: impl Fn(Wanted) -> Vec<PathBuf> + Send + Sync + 'static) -> Self {
        Self { ask: Arc::new(ask), answer: None }
    }

    /// True while the dialog is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.answer.is_some()
    }

    /// Opens the dialog, unless one is open; `wake` runs once it was answered. False if the system gave
    /// no thread for it.
    pub fn open(&mut self, wanted: Wanted, wake: impl FnOnce() + Send + 'static) -> bool {
        if self.is_open() {
            return true;
        }
        let (send, answer) = crossbeam_channel::bounded(1);
        let ask = Arc::clone(&self.ask);
        let started = std::thread::Builder::new().name("file dialog".into()).spawn(move || {
            // The window may be gone by the time of the answer; then nobody needs it.
            if send.send(ask(wanted)).is_ok() {
                wake();
            }
        });
        if started.is_ok() {
            self.answer = Some((wanted, answer));
        }
        started.is_ok()
    }

    /// The files that were chosen, once, and what for. Never waits.
    pub fn poll(&mut self) -> Option<(Wanted, Vec<PathBuf>)> {
        let (wanted, answer) = self.answer.as_ref()?;
        let wanted = *wanted;
        match answer.try_recv() {
            Ok(chosen) => {
                self.answer = None;
                Some((wanted, chosen)).filter(|(_, chosen)| !chosen.is_empty())
            }
            Err(TryRecvError::Disconnected) => {
                self.answer = None;
                None
            }
            Err(TryRecvError::Empty) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_dialog_never_holds_up_a_frame_and_answers_once() {
        let (answer, asked) = crossbeam_channel::bounded::<PathBuf>(0);
        let mut chooser = FileChooser::asking(move || asked.recv().ok());
        let (woken, wake) = crossbeam_channel::bounded(1);
        assert!(chooser.open(Wanted::ToOpen, move || woken.send(()).unwrap()));
        assert_eq!(chooser.poll(), None, "still open, and poll came back");
        assert!(chooser.is_open());
        answer.send(PathBuf::from("a.flac")).unwrap();
        wake.recv().unwrap();
        assert_eq!(chooser.poll(), Some((Wanted::ToOpen, vec![PathBuf::from("a.flac")])));
        assert_eq!(chooser.poll(), None);
        assert!(!chooser.is_open());
    }

    #[test]
    fn a_dialog_that_dies_can_be_opened_again() {
        let mut chooser = FileChooser::asking(|| None);
        let (woken, wake) = crossbeam_channel::bounded(1);
        chooser.open(Wanted::ToOpen, move || woken.send(()).unwrap());
        wake.recv().unwrap();
        assert_eq!(chooser.poll(), None);
        assert!(!chooser.is_open());
    }
}
