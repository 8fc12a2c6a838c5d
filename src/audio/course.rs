//! Which place of which track each moment of the sound is.
//!
//! Within an epoch media time runs on without a gap or a jump, through the end of a track into the next and round a
//! loop, and the light with it. What a moment is in its track stands here.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::time::MediaTime;

/// Stretches kept: those that are heard, and a second ahead of it.
const STRETCHES_KEPT: usize = 256;

/// Sound of one track without a break, from a media time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) epoch: u32,
    /// Media time at which it begins.
    pub(super) from: MediaTime,
    /// The track's number.
    pub(super) track: u64,
    /// Its place in the track.
    pub(super) track_from: MediaTime,
}

/// A place in a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) track: u64,
    pub(super) at: MediaTime,
}

/// What the decoder thread decided, for who wants to know what is heard. Not for the callback.
#[derive(Debug, Default)]
pub(super) struct Course(Mutex<VecDeque<Stretch>>);

impl Course {
    /// Another stretch begins.
    pub(super) fn add(&self, stretch: Stretch) {
        let mut stretches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if stretches.len() == STRETCHES_KEPT {
            stretches.pop_front();
        }
        stretches.push_back(stretch);
    }

    /// What `media` of `epoch` is; `None` if the decoder has not come to that epoch.
    pub(super) fn place(&self, epoch: u32, media: MediaTime) -> Option<Place> {
        let stretches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_epoch = || stretches.iter().filter(|stretch| stretch.epoch == epoch);
        let begun = of_epoch().rfind(|stretch| stretch.from <= media);
        let stretch = begun.or_else(|| of_epoch().next())?;
        let at = stretch.track_from.plus_nanos(media.nanos_since(stretch.from));
        Some(Place { track: stretch.track, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> MediaTime {
        MediaTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_moment_is_found_in_its_stretch_and_epoch() {
        let course = Course::default();
        let add = |epoch, from, track, track_from| {
            course.add(Stretch { epoch, from: at(from), track, track_from: at(track_from) });
        };
        add(1, 5000, 7, 5000);
        add(1, 9000, 8, 0);
        add(2, 100, 8, 100);
        let place = |epoch, ms| course.place(epoch, at(ms)).map(|p| (p.track, p.at));
        assert_eq!(place(1, 5500), Some((7, at(5500))));
        assert_eq!(place(1, 8999), Some((7, at(8999))));
        assert_eq!(place(1, 9000), Some((8, at(0))));
        assert_eq!(place(1, 9250), Some((8, at(250))));
        assert_eq!(place(2, 300), Some((8, at(300))));
        assert_eq!(place(1, 4999), Some((7, at(4999))));
        assert_eq!(place(3, 0), None);
    }

    #[test]
    fn it_stays_bounded() {
        let course = Course::default();
        for k in 0..10_000 {
            course.add(Stretch { epoch: 1, from: at(k), track: 0, track_from: at(0) });
        }
        assert_eq!(course.0.lock().unwrap().len(), STRETCHES_KEPT);
        assert_eq!(course.place(1, at(9_999)).unwrap().at, at(0));
    }
}
