//! What is played after what is open: opened in time, off the show thread where that may take long.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError};

use crate::audio::{DecodeError, Decoder};
use crate::media::{Location, MediaOpener};

/// Tracks that are to come.
#[derive(Debug, Default)]
pub struct Playlist {
    opener: Arc<MediaOpener>,
    waiting: VecDeque<Location>,
    opening: Option<Opening>,
}

#[derive(Debug)]
struct Opening {
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
    ToQueue(Box<Decoder>),
    /// It cannot be played.
    Failed(DecodeError),
}

impl Playlist {
    /// A list of `waiting`, opened with `opener`.
    #[must_use]
    pub fn new(opener: Arc<MediaOpener>, waiting: Vec<Location>) -> Self {
        Self { opener, waiting: waiting.into(), opening: None }
    }

    /// Another track at the end.
    pub fn add(&mut self, location: Location) {
        self.waiting.push_back(location);
    }

    /// Tracks that are not open yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Where the tracks that are not open yet lie, in their order.
    pub fn locations(&self) -> impl Iterator<Item = &Location> {
        self.waiting.iter()
    }

    /// What is being opened.
    #[must_use]
    pub fn opening(&self) -> Option<String> {
        self.opening.as_ref().map(|opening| opening.location.short_name())
    }

    /// Forgets the list and opens this: a local file at once, an address on a thread of its own.
    pub fn open_now(&mut self, location: Location) -> Option<Opened> {
        self.waiting.clear();
        self.opening = None;
        self.open(location, true)
    }

    /// What was opened meanwhile; begins to open the next track if it is `needed`.
    pub fn poll(&mut self, needed: bool) -> Option<Opened> {
        if let Some(opening) = self.opening.take() {
            return match opening.answer.try_recv() {
                Err(TryRecvError::Empty) => {
                    self.opening = Some(opening);
                    None
                }
                Ok(result) => Some(Opened::from(result, opening.to_play)),
                // The thread fell; what it said of that is in the log.
                Err(TryRecvError::Disconnected) => None,
            };
        }
        let next = needed.then(|| self.waiting.pop_front()).flatten()?;
        self.open(next, false)
    }

    fn open(&mut self, location: Location, to_play: bool) -> Option<Opened> {
        let opener = Arc::clone(&self.opener);
        if !matches!(location, Location::Url(_)) {
            return Some(Opened::from(open_decoder(&opener, &location), to_play));
        }
        let (send, answer) = crossbeam_channel::bounded(1);
        let wanted = location.clone();
        let thread = std::thread::Builder::new().name("open".into()).spawn(move || {
            // Nobody waits for it if something else was opened meanwhile.
            send.send(open_decoder(&opener, &wanted)).ok();
        });
        match thread {
            Ok(_) => {
                self.opening = Some(Opening { location, to_play, answer });
                None
            }
            Err(error) => Some(Opened::Failed(DecodeError::Thread(error))),
        }
    }
}

impl Opened {
    fn from(result: Result<Decoder, DecodeError>, to_play: bool) -> Self {
        match result {
            Ok(decoder) if to_play => Self::ToPlay(Box::new(decoder)),
            Ok(decoder) => Self::ToQueue(Box::new(decoder)),
            Err(error) => Self::Failed(error),
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
