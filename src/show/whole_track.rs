//! Listening to the whole of an opened file beside the show, on a thread of its own, or finding it in the cache.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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
    heard: Arc<Heard>,
}

/// How much was heard, for whoever looks on.
#[derive(Debug, Default)]
struct Heard {
    heard_ms: AtomicU64,
    /// Zero where it is not known.
    length_ms: AtomicU64,
}

impl WholeTrack {
    /// Begins to listen. `None` if there is no thread to be had: the show then hears the file as it plays it.
    #[must_use]
    pub fn begin(path: &Path, cache: Option<TrackCache>) -> Option<Self> {
        let (heard, done) = bounded(1);
        let broken_off = Arc::new(AtomicBool::new(false));
        let (path, stop) = (path.to_owned(), Arc::clone(&broken_off));
        let figures = Arc::new(Heard::default());
        let told = Arc::clone(&figures);
        let work = move || {
            if let Some(track) = find_or_listen(&path, cache.as_ref(), &stop, &told) {
                // Nobody may want it any more.
                drop(heard.send(track));
            }
        };
        std::thread::Builder::new().name("whole track".into()).spawn(work).ok()?;
        Some(Self { done, broken_off, heard: figures })
    }

    /// Seconds heard so far, and the length in seconds where that is known.
    #[must_use]
    pub fn progress(&self) -> (f64, Option<f64>) {
        let seconds = |ms: &AtomicU64| ms.load(Ordering::Relaxed) as f64 * 1e-3;
        let length_s = seconds(&self.heard.length_ms);
        (seconds(&self.heard.heard_ms), (length_s > 0.0).then_some(length_s))
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

fn find_or_listen(
    path: &Path,
    cache: Option<&TrackCache>,
    stop: &AtomicBool,
    told: &Heard,
) -> Option<Track> {
    let key = cache.and_then(|_| ContentKey::of_file(path).ok());
    if let Some(track) = cache.zip(key).and_then(|(cache, key)| cache.get(key)) {
        return Some(track);
    }
    let go_on = |heard_s: f64, length_s: Option<f64>| {
        let whole_ms = |seconds: f64| (seconds * 1e3) as u64;
        told.heard_ms.store(whole_ms(heard_s), Ordering::Relaxed);
        told.length_ms.store(whole_ms(length_s.unwrap_or(0.0)), Ordering::Relaxed);
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
