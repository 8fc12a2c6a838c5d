//! What the light hears: the window of the last seconds, the track of the whole file once it is known, and the
//! operator's hand on the beat.

use std::sync::Arc;

use crate::analysis::{BeatSource, BeatSteering, BeatWish, FeatureWindow, Features, Track};
use crate::time::MediaTime;

/// Something that can be asked what is heard at a moment. Asked in the callback: it neither allocates nor waits.
pub trait Ear: std::fmt::Debug + Sync {
    /// What is heard at `media`.
    fn at(&self, media: MediaTime) -> Features;
}

impl Ear for FeatureWindow {
    fn at(&self, media: MediaTime) -> Features {
        Self::at(self, media)
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Hearing {
    window: FeatureWindow,
    track: Option<Arc<Track>>,
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

    /// Follows the beat; once a period, with what is heard first in it.
    pub fn follow(&mut self, media: MediaTime) {
        let heard = self.unsteered(media);
        self.steering.hear(media, &heard.beat, heard.silent);
    }

    /// From `media` on hears by this track, or by none; gives back the one before. The phase of the beat stays.
    pub fn swap_track(
        &mut self,
        media: MediaTime,
        track: Option<Arc<Track>>,
    ) -> Option<Arc<Track>> {
        let before = self.unsteered(media).beat;
        let old = std::mem::replace(&mut self.track, track);
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
        let near = self.window.at(media);
        match &self.track {
            // The waveform is not kept in a track.
            Some(track) => Features { waveform: near.waveform, ..track.features_at(media) },
            None => near,
        }
    }
}

impl Ear for Hearing {
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
        let now = MediaTime::from_secs_f64(9.8);
        hearing.follow(now);
        let before = hearing.at(now).beat;
        assert!(before.bpm > 119.0 && before.bpm < 121.0, "{before:?}");
        let (old, touched) = no_alloc::watch(|| hearing.swap_track(now, Some(Arc::clone(&track))));
        assert!(old.is_none() && touched == 0);
        let after = hearing.at(now).beat;
        let apart = (after.phase - before.phase + 0.5).rem_euclid(1.0) - 0.5;
        assert!(apart.abs() < 1e-3, "{before:?} {after:?}");
        let (ahead, touched) = no_alloc::watch(|| hearing.at(MediaTime::from_secs_f64(20.0)));
        assert_eq!(touched, 0);
        assert!(!ahead.silent && ahead.beat.bpm > 119.9 && ahead.beat.bpm < 120.1);
    }
}
