//! Listening to the whole of an opened file beside the show, on a thread of its own, or finding it in the cache.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::analysis::Track;
use crate::audio::{ContentKey, TrackCache, listen_to_file};

/// How far the listening is.
#[derive(Debug)]
pub enum Listened {
    /// At work.
    NotYet,
    /// Done; it is told once.
    Whole(Box<Track>),
    /// The file could not be heard, or was told of before.
    Nothing,
}

/// One file that is being listened to. Dropping it breaks the work off.
#[derive(Debug)]
pub struct WholeTrack {
    done: Receiver<Track>,
    broken_off: Arc<AtomicBool>,
}

impl WholeTrack {
    /// Begins to listen. `None` if there is no thread to be had: the show then hears the file as it plays it.
    #[must_use]
    pub fn begin(path: &Path, cache: Option<TrackCache>) -> Option<Self> {
        let (heard, done) = bounded(1);
        let broken_off = Arc::new(AtomicBool::new(false));
        let (path, stop) = (path.to_owned(), Arc::clone(&broken_off));
        let work = move || {
            if let Some(track) = find_or_listen(&path, cache.as_ref(), &stop) {
                // Nobody may want it any more.
                drop(heard.send(track));
            }
        };
        std::thread::Builder::new().name("whole track".into()).spawn(work).ok()?;
        Some(Self { done, broken_off })
    }

    /// Looks how far it is; never waits.
    #[must_use]
    pub fn look(&self) -> Listened {
        match self.done.try_recv() {
            Ok(track) => Listened::Whole(Box::new(track)),
            Err(TryRecvError::Empty) => Listened::NotYet,
            Err(TryRecvError::Disconnected) => Listened::Nothing,
        }
    }
}

impl Drop for WholeTrack {
    fn drop(&mut self) {
        self.broken_off.store(true, Ordering::Relaxed);
    }
}

fn find_or_listen(path: &Path, cache: Option<&TrackCache>, stop: &AtomicBool) -> Option<Track> {
    let key = cache.and_then(|_| ContentKey::of_file(path).ok());
    if let Some(track) = cache.zip(key).and_then(|(cache, key)| cache.get(key)) {
        return Some(track);
    }
    let go_on = |_, _| {
        if stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    // A file that does not open is told of by whoever plays it.
    let track = listen_to_file(path, &mut { go_on }).ok()??;
    if let Some((cache, key)) = cache.zip(key)
        && let Err(error) = cache.put(key, &track)
    {
        tracing::info!("the analysis of {} is not kept: {error}", path.display());
    }
    Some(track)
}
