//! Asks the desktop for a file or a folder without ever holding up a frame.

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError};

/// Endings of the files that can be played.
pub const AUDIO_EXTENSIONS: &[&str] =
    &["wav", "flac", "mp3", "ogg", "oga", "m4a", "mp4", "aac", "aiff", "aif", "mka", "webm"];

type Ask = Arc<dyn Fn() -> Option<PathBuf> + Send + Sync>;

/// A file dialog on a thread of its own; at most one is open.
pub struct FileChooser {
    ask: Ask,
    answer: Option<Receiver<Option<PathBuf>>>,
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
        Self::asking(|| {
            rfd::FileDialog::new()
                .set_title("Open music")
                .add_filter("Music", AUDIO_EXTENSIONS)
                .add_filter("All files", &["*"])
                .pick_file()
        })
    }

    /// A chooser that asks the desktop's own dialog for a folder.
    #[must_use]
    pub fn of_the_desktops_folders() -> Self {
        Self::asking(|| rfd::FileDialog::new().set_title("Folder for recordings").pick_folder())
    }

    /// A chooser that asks `ask`, which may take as long as it likes; `None` means cancelled.
    pub fn asking(ask: impl Fn() -> Option<PathBuf> + Send + Sync + 'static) -> Self {
        Self { ask: Arc::new(ask), answer: None }
    }

    /// True while the dialog is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.answer.is_some()
    }

    /// Opens the dialog, unless it is open; `wake` runs once it was answered. False if the system gave
    /// no thread for it.
    pub fn open(&mut self, wake: impl FnOnce() + Send + 'static) -> bool {
        if self.is_open() {
            return true;
        }
        let (send, answer) = crossbeam_channel::bounded(1);
        let ask = Arc::clone(&self.ask);
        let started = std::thread::Builder::new().name("file dialog".into()).spawn(move || {
            // The window may be gone by the time of the answer; then nobody needs it.
            if send.send(ask()).is_ok() {
                wake();
            }
        });
        if started.is_ok() {
            self.answer = Some(answer);
        }
        started.is_ok()
    }

    /// The file that was chosen, once. Never waits.
    pub fn poll(&mut self) -> Option<PathBuf> {
        match self.answer.as_ref()?.try_recv() {
            Ok(chosen) => {
                self.answer = None;
                chosen
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
        assert!(chooser.open(move || woken.send(()).unwrap()));
        assert_eq!(chooser.poll(), None, "still open, and poll came back");
        assert!(chooser.is_open());
        answer.send(PathBuf::from("a.flac")).unwrap();
        wake.recv().unwrap();
        assert_eq!(chooser.poll(), Some(PathBuf::from("a.flac")));
        assert_eq!(chooser.poll(), None);
        assert!(!chooser.is_open());
    }

    #[test]
    fn a_dialog_that_dies_can_be_opened_again() {
        let mut chooser = FileChooser::asking(|| None);
        let (woken, wake) = crossbeam_channel::bounded(1);
        chooser.open(move || woken.send(()).unwrap());
        wake.recv().unwrap();
        assert_eq!(chooser.poll(), None);
        assert!(!chooser.is_open());
    }
}
