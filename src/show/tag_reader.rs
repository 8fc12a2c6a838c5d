//! What the files of the queue say of themselves, read on a thread of its own, one after the other.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::playlist::open_decoder;
use super::queue::EntryId;
use crate::audio::TrackInfo;
use crate::media::{Location, MediaOpener};
use crate::time::MediaTime;

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    pub(super) title: Option<String>,
    pub(super) artist: Option<String>,
    pub(super) duration: Option<MediaTime>,
}

impl Said {
    pub(super) fn of(info: &TrackInfo) -> Self {
        let frames = info.frames.and_then(|frames| i64::try_from(frames).ok());
        Self {
            title: info.tags.title.clone(),
            artist: info.tags.artist.clone(),
            duration: frames.map(|frames| MediaTime::from_frames(frames, info.sample_rate)),
        }
    }
}

/// What came of it: why a file cannot be played, if it cannot.
type Answer = (EntryId, Result<Said, String>);

/// The thread, and what is asked of it: one file at a time. It ends with this value, after the file at hand.
#[derive(Debug)]
pub(super) struct TagReader {
    asks: Sender<(EntryId, Location)>,
    answers: Receiver<Answer>,
    is_reading: bool,
}

impl TagReader {
    /// `None` if the system gives no more threads: names of files have to do then.
    pub(super) fn start(opener: Arc<MediaOpener>) -> Option<Self> {
        let (asks, asked) = bounded::<(EntryId, Location)>(1);
        let (answer, answers) = bounded(1);
        let work = move || {
            for (id, location) in asked {
                let said = match open_decoder(&opener, &location) {
                    Ok(decoder) => Ok(Said::of(decoder.info())),
                    Err(error) => Err(error.to_string()),
                };
                if answer.send((id, said)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("tags".into()).spawn(work).ok()?;
        Some(Self { asks, answers, is_reading: false })
    }

    /// True while a file is read.
    pub(super) const fn is_reading(&self) -> bool {
        self.is_reading
    }

    /// Reads another file. Only while none is read.
    pub(super) fn read(&mut self, id: EntryId, location: Location) {
        self.is_reading = self.asks.try_send((id, location)).is_ok();
    }

    /// What was read meanwhile; never waits.
    pub(super) fn poll(&mut self) -> Option<Answer> {
        let answer = self.answers.try_recv().ok()?;
        self.is_reading = false;
        Some(answer)
    }
}
