//! What the light hears: the window of the last seconds, the track of the whole file once it is known, and the
//! operator's hand on the beat.

use std::sync::Arc;

use crate::analysis::{BeatSource, BeatSteering, BeatWish, FeatureWindow, Features, Track};
use crate::audio::{Place, Places, Stretch};
use crate::time::MediaTime;

/// Something that can be asked what is heard at a moment. Asked in the callback: it neither allocates nor waits.
pub trait Ear: std::fmt::Debug + Sync {
    /// What is heard at `media`.
    fn at(&self, media: MediaTime) -> Features;
    /// What `media` is in its track; where there are no tracks, itself.
    fn place(&self, media: MediaTime) -> Place {
        Place { track: 0, at: media }
    }
}

impl Ear for FeatureWindow {
    fn at(&self, media: MediaTime) -> Features {
        Self::at(self, media)
    }
}

/// A track of the player that is known as a whole.
#[derive(Clone, Debug)]
pub struct KnownTrack {
    /// Its number in the player.
    pub number: u64,
    /// What it is like.
    pub track: Arc<Track>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Hearing {
    window: FeatureWindow,
    places: Places,
    known: Option<KnownTrack>,
    steering: BeatSteering,
}

impl Hearing {
    /// Hears nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins an epoch: another place in the music, or other music.
    pub fn set_epoch(&mut self, epoch: u32) {
        if epoch != self.window.epoch() {
            self.window.set_epoch(epoch);
            self.steering.seek();
        }
    }

    /// Takes in a frame of features.
    pub fn push(&mut self, epoch: u32, features: &Features) {
        self.window.push(epoch, features);
    }

    /// Takes in where a stretch of the sound lies in its track.
    pub fn stretch(&mut self, stretch: Stretch) {
        self.places.add(stretch);
    }

    /// Follows the beat; once a period, with what is heard first in it.
    pub fn follow(&mut self, media: MediaTime) {
        let heard = self.unsteered(media);
        self.steering.hear(media, &heard.beat, heard.silent);
    }

    /// From `media` on hears by this track, or by none; gives back the one before. The phase of the beat stays.
    pub fn swap_track(
        &mut self,
        media: MediaTime,
        known: Option<KnownTrack>,
    ) -> Option<KnownTrack> {
        let before = self.unsteered(media).beat;
        let old = std::mem::replace(&mut self.known, known);
        let after = self.unsteered(media).beat;
        self.steering.change_ear(media, &before, &after);
        old
    }

    /// Obeys a wish that was made when `media` was heard.
    pub fn obey(&mut self, wish: BeatWish, media: MediaTime) {
        let heard = self.unsteered(media).beat;
        self.steering.obey(wish, media, &heard);
    }

    /// Where the beat that is shown comes from.
    #[must_use]
    pub fn beat_source(&self) -> BeatSource {
        self.steering.source()
    }

    fn unsteered(&self, media: MediaTime) -> Features {
        let place = self.place(media);
        let Some(known) = self.known.as_ref().filter(|known| known.number == place.track) else {
            return self.window.at(media);
        };
        let mut features = known.track.features_at(place.at);
        features.at = media;
        features.onset.last = features.onset.last.plus_nanos(media.nanos_since(place.at));
        (features.waveform, features.onset.threshold) = self.window.unkept_at(media);
        features
    }
}

impl Ear for Hearing {
    fn place(&self, media: MediaTime) -> Place {
        let place = self.places.place(self.window.epoch(), media);
        place.unwrap_or(Place { track: 0, at: media })
    }

    fn at(&self, media: MediaTime) -> Features {
        let mut features = self.unsteered(media);
        features.beat = self.steering.beat_at(media, &features.beat);
        features
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Analyser, TrackAnalyser};
    use crate::realtime::no_alloc;

    /// A stroke every half second, from the first sample on.
    fn strokes(seconds: usize) -> Vec<f32> {
        (0..48_000 * seconds)
            .flat_map(|n| {
                let t = (n % 24_000) as f32 / 48_000.0;
                [0.8 * (std::f32::consts::TAU * 60.0 * t).cos() * (-t / 0.05).exp(); 2]
            })
            .collect()
    }

    #[test]
    fn a_track_takes_over_without_a_jump_and_is_known_before_it_is_heard() {
        let sound = strokes(24);
        let mut hearing = Hearing::new();
        let mut live = Analyser::new(48_000);
        live.push(MediaTime::ZERO, &sound[..2 * 48_000 * 10], &mut |f| hearing.push(0, f));
        let mut whole = TrackAnalyser::new(48_000);
        whole.push(&sound);
        let track = Arc::new(whole.finish());
        let known = |number| KnownTrack { number, track: Arc::clone(&track) };
        let now = MediaTime::from_secs_f64(9.8);
        hearing.follow(now);
        let before = hearing.at(now).beat;
        assert!(before.bpm > 119.0 && before.bpm < 121.0, "{before:?}");
        let (old, touched) = no_alloc::watch(|| hearing.swap_track(now, Some(known(0))));
        assert!(old.is_none() && touched == 0);
        let after = hearing.at(now).beat;
        let apart = (after.phase - before.phase + 0.5).rem_euclid(1.0) - 0.5;
        assert!(apart.abs() < 1e-3, "{before:?} {after:?}");
        let (ahead, touched) = no_alloc::watch(|| hearing.at(MediaTime::from_secs_f64(20.0)));
        assert_eq!(touched, 0);
        assert!(!ahead.silent && ahead.beat.bpm > 119.9 && ahead.beat.bpm < 120.1);
    }

    /// A second track, or another round of a loop, is heard by its own places.
    #[test]
    fn a_track_is_looked_up_at_its_places_and_no_other_track_is() {
        let mut whole = TrackAnalyser::new(48_000);
        whole.push(&strokes(24));
        let track = Arc::new(whole.finish());
        let at = |s| MediaTime::from_secs_f64(s);
        let mut hearing = Hearing::new();
        let mut stretch = |from, track, track_from| {
            let (from, track_from) = (at(from), at(track_from));
            hearing.stretch(Stretch { epoch: 0, from, track, track_from });
        };
        stretch(0.0, 3, 0.0);
        stretch(10.0, 4, 5.25);
        stretch(12.0, 4, 5.25);
        hearing.swap_track(at(0.0), Some(KnownTrack { number: 4, track: Arc::clone(&track) }));
        assert_eq!(hearing.place(at(11.0)), Place { track: 4, at: at(6.25) });
        assert!(hearing.at(at(9.0)).silent, "of track 3 nothing is known");
        for (media, place) in [(11.0, 6.25), (12.0, 5.25), (13.1, 6.35)] {
            let (here, there) = (hearing.at(at(media)), track.features_at(at(place)));
            assert_eq!(here.at, at(media));
            assert_eq!((here.level, here.bands, here.song), (there.level, there.bands, there.song));
            assert!((here.beat.phase - there.beat.phase).abs() < 1e-6);
            assert_eq!(
                at(media).nanos_since(here.onset.last),
                at(place).nanos_since(there.onset.last)
            );
        }
    }
}
