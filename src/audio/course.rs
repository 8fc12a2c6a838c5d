//! Which place of which track each moment of the sound is.
//!
//! Within an epoch media time runs on without a gap or a jump, through the end of a track into the next and round a
//! loop, and the light with it. What a moment is in its track stands here.

use std::sync::{Mutex, PoisonError};

use crate::time::MediaTime;

/// Stretches kept: those of a second of the shortest loops ahead of the sound, and as many behind.
const STRETCHES_KEPT: usize = 64;

/// Sound of one track without a break, from a media time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The epoch it belongs to.
    pub epoch: u32,
    /// Media time at which it begins.
    pub from: MediaTime,
    /// The track's number.
    pub track: u64,
    /// Its place in the track.
    pub track_from: MediaTime,
}

/// A place in a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The track's number.
    pub track: u64,
    /// Time from the track's beginning.
    pub at: MediaTime,
}

/// The stretches of late. Of fixed size: safe for the callback.
#[derive(Clone, Debug)]
pub struct Places {
    stretches: Box<[Stretch]>,
    /// Stretches so far; the next one goes to this place, modulo what is kept.
    begun: usize,
}

impl Default for Places {
    fn default() -> Self {
        let none =
            Stretch { epoch: 0, from: MediaTime::ZERO, track: 0, track_from: MediaTime::ZERO };
        Self { stretches: vec![none; STRETCHES_KEPT].into(), begun: 0 }
    }
}

impl Places {
    /// Another stretch begins, over the oldest if there is no room.
    pub fn add(&mut self, stretch: Stretch) {
        self.stretches[self.begun % STRETCHES_KEPT] = stretch;
        self.begun += 1;
    }

    /// The stretches of `epoch`, newest first.
    pub fn of_epoch(&self, epoch: u32) -> impl Iterator<Item = Stretch> + '_ {
        let kept = self.begun.min(STRETCHES_KEPT);
        (self.begun - kept..self.begun)
            .rev()
            .map(|number| self.stretches[number % STRETCHES_KEPT])
            .filter(move |stretch| stretch.epoch == epoch)
    }

    /// The stretch that `media` of `epoch` belongs to: the first one if it is before them all. `None` if the decoder
    /// has not come to that epoch.
    #[must_use]
    pub fn stretch(&self, epoch: u32, media: MediaTime) -> Option<Stretch> {
        let mut first = None;
        for stretch in self.of_epoch(epoch) {
            first = Some(stretch);
            if stretch.from <= media {
                break;
            }
        }
        first
    }

    /// What `media` of `epoch` is.
    #[must_use]
    pub fn place(&self, epoch: u32, media: MediaTime) -> Option<Place> {
        self.stretch(epoch, media).map(|stretch| stretch.place(media))
    }
}

impl Stretch {
    /// What `media` is, if it lies in this stretch.
    #[must_use]
    pub fn place(&self, media: MediaTime) -> Place {
        let at = self.track_from.plus_nanos(media.nanos_since(self.from));
        Place { track: self.track, at }
    }
}

/// What the decoder thread decided, for who wants to know what is heard. Not for the callback.
#[derive(Debug, Default)]
pub(super) struct Course(Mutex<Places>);

impl Course {
    /// Another stretch begins.
    pub(super) fn add(&self, stretch: Stretch) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).add(stretch);
    }

    /// See [`Places::place`].
    pub(super) fn place(&self, epoch: u32, media: MediaTime) -> Option<Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).place(epoch, media)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::no_alloc;

    fn at(ms: i64) -> MediaTime {
        MediaTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_moment_is_found_in_its_stretch_and_epoch() {
        let mut places = Places::default();
        let mut add = |epoch, from, track, track_from| {
            places.add(Stretch { epoch, from: at(from), track, track_from: at(track_from) });
        };
        add(1, 5000, 7, 5000);
        add(1, 9000, 8, 0);
        add(2, 100, 8, 100);
        let place = |epoch, ms| places.place(epoch, at(ms)).map(|p| (p.track, p.at));
        assert_eq!(place(1, 5500), Some((7, at(5500))));
        assert_eq!(place(1, 8999), Some((7, at(8999))));
        assert_eq!(place(1, 9000), Some((8, at(0))));
        assert_eq!(place(1, 9250), Some((8, at(250))));
        assert_eq!(place(2, 300), Some((8, at(300))));
        assert_eq!(place(1, 4999), Some((7, at(4999))));
        assert_eq!(place(3, 0), None);
    }

    #[test]
    fn it_stays_bounded_and_takes_nothing_from_the_heap() {
        let mut places = Places::default();
        let (found, touched) = no_alloc::watch(|| {
            for k in 0..10_000 {
                places.add(Stretch { epoch: 1, from: at(k), track: 0, track_from: at(0) });
            }
            places.place(1, at(9_999))
        });
        assert_eq!((found.map(|place| place.at), touched), (Some(at(0)), 0));
        assert_eq!(places.of_epoch(1).count(), STRETCHES_KEPT);
    }
}
