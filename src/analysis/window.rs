//! The last seconds of features on the real-time side, asked by media time.

use super::features::{Beat, Features, Onset, WAVEFORM_SAMPLES, onset_envelope};
use crate::time::MediaTime;

/// Frames held by [`FeatureWindow::new`]: 5.12 s at 100 frames per second.
const FRAMES: usize = 512;
/// Time constant with which levels fade beyond the newest frame, seconds.
const FADE_S: f64 = 0.15;
/// Beyond either end by more than this there is nothing to say, seconds.
const SILENT_BEYOND_S: f64 = 2.0;

/// A window of features in time order. Only [`new`](Self::new) and
/// [`with_capacity`](Self::with_capacity) allocate; `at` is a binary search and one interpolation.
///
/// Frames belong to a seek epoch: those of an older epoch are refused, the first of a newer one empties the
/// window.
#[derive(Debug)]
pub struct FeatureWindow {
    frames: Vec<Features>,
    first: usize,
    len: usize,
    epoch: u32,
    refused: u64,
}

impl FeatureWindow {
    /// An empty window of 5.12 s, epoch 0.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(FRAMES)
    }

    /// An empty window of `frames` frames (at least 2), epoch 0.
    #[must_use]
    pub fn with_capacity(frames: usize) -> Self {
        Self {
            frames: vec![Features::default(); frames.max(2)],
            first: 0,
            len: 0,
            epoch: 0,
            refused: 0,
        }
    }

    /// Adds the newest frame; the oldest makes room. Frames not older than it are replaced by it.
    pub fn push(&mut self, epoch: u32, features: &Features) {
        // Epochs are compared on the circle, so that a wrapped counter stays newer.
        match epoch.wrapping_sub(self.epoch) as i32 {
            0 => {}
            1.. => self.set_epoch(epoch),
            _ => {
                self.refused = self.refused.saturating_add(1);
                return;
            }
        }
        while self.len > 0 && self.frame(self.len - 1).at >= features.at {
            self.len -= 1;
        }
        if self.len == self.frames.len() {
            self.first = (self.first + 1) % self.frames.len();
            self.len -= 1;
        }
        let slot = (self.first + self.len) % self.frames.len();
        self.frames[slot] = *features;
        self.len += 1;
    }

    /// Starts an epoch: drops every frame of another one.
    pub fn set_epoch(&mut self, epoch: u32) {
        if epoch != self.epoch {
            self.epoch = epoch;
            self.len = 0;
        }
    }

    /// The present epoch.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Frames held.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no frames.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Frames refused because their epoch had passed.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// The moments of the oldest and the newest frame.
    #[must_use]
    pub fn span(&self) -> Option<(MediaTime, MediaTime)> {
        (self.len > 0).then(|| (self.frame(0).at, self.frame(self.len - 1).at))
    }

    /// The sound at `media`.
    ///
    /// Between frames levels are interpolated, the beat goes on at its tempo and the onset fades from its own
    /// moment. Beyond the newest frame levels fade and the beat is predicted; more than 2 s beyond either
    /// end, and in an empty window, it is silent.
    #[must_use]
    pub fn at(&self, media: MediaTime) -> Features {
        let after = self.first_after(media);
        let mut features = if self.len == 0 {
            return Features::silence(media);
        } else if after == 0 {
            self.before_oldest(media)
        } else if after == self.len {
            beyond_newest(self.frame(self.len - 1), media)
        } else {
            let mut features = between(self.frame(after - 1), self.frame(after), media);
            features.onset = self.onset_at(after, media);
            features
        };
        features.at = media;
        features
    }

    /// The waveform and the [threshold](Onset::threshold) of [`at`](Self::at) alone: what a track does not keep, for a
    /// moment of which all else is known from there.
    #[must_use]
    pub fn unkept_at(&self, media: MediaTime) -> ([f32; WAVEFORM_SAMPLES], f32) {
        const SILENCE: ([f32; WAVEFORM_SAMPLES], f32) = ([0.0; WAVEFORM_SAMPLES], 0.0);
        let after = self.first_after(media);
        if self.len == 0 {
            return SILENCE;
        }
        if after == 0 || after == self.len {
            let end = self.frame(after.min(self.len - 1));
            let is_near = end.at.secs_since(media).abs() <= SILENT_BEYOND_S;
            return if is_near { (end.waveform, end.onset.threshold) } else { SILENCE };
        }
        let (before, after) = (self.frame(after - 1), self.frame(after));
        let nearer = if share(before, after, media) < 0.5 { before } else { after };
        (nearer.waveform, after.onset.threshold)
    }

    fn before_oldest(&self, media: MediaTime) -> Features {
        let oldest = self.frame(0);
        if oldest.at.secs_since(media) > SILENT_BEYOND_S {
            return Features::silence(media);
        }
        let mut features = *oldest;
        features.beat = oldest.beat_at(media);
        features.onset.envelope = onset_envelope(&oldest.onset, media);
        features
    }

    /// The latest onset that has begun by `media`. A frame may know of an onset that is later than itself, so
    /// two frames back from `after` are asked too; onsets are five frames apart at least.
    fn onset_at(&self, after: usize, media: MediaTime) -> Onset {
        let oldest = after.saturating_sub(2);
        let threshold = self.frame(after).onset.threshold;
        let mut known = (oldest..=after).rev().map(|index| self.frame(index).onset);
        match known.find(|onset| onset.count > 0 && onset.last <= media) {
            Some(onset) => Onset { envelope: onset_envelope(&onset, media), threshold, ..onset },
            None => Onset { envelope: 0.0, threshold, ..self.frame(oldest).onset },
        }
    }

    /// Index of the first frame later than `media`.
    fn first_after(&self, media: MediaTime) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.frame(middle).at <= media {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn frame(&self, index: usize) -> &Features {
        &self.frames[(self.first + index) % self.frames.len()]
    }
}

impl Default for FeatureWindow {
    fn default() -> Self {
        Self::new()
    }
}

/// How far `media` is from one frame to the next, 0..=1.
fn share(before: &Features, after: &Features, media: MediaTime) -> f32 {
    (media.secs_since(before.at) / after.at.secs_since(before.at)) as f32
}

fn between(before: &Features, after: &Features, media: MediaTime) -> Features {
    let share = share(before, after, media);
    let lerp = |a: f32, b: f32| a + (b - a) * share;
    let mut features = if share < 0.5 { *before } else { *after };
    features.level = lerp(before.level, after.level);
    features.level_db = lerp(before.level_db, after.level_db);
    features.loudness.momentary_lufs =
        lerp(before.loudness.momentary_lufs, after.loudness.momentary_lufs);
    features.loudness.short_term_lufs =
        lerp(before.loudness.short_term_lufs, after.loudness.short_term_lufs);
    features.timbre.centroid_hz = lerp(before.timbre.centroid_hz, after.timbre.centroid_hz);
    features.timbre.flux = lerp(before.timbre.flux, after.timbre.flux);
    features.timbre.percussive = lerp(before.timbre.percussive, after.timbre.percussive);
    features.bands.bass = lerp(before.bands.bass, after.bands.bass);
    features.bands.mid = lerp(before.bands.mid, after.bands.mid);
    features.bands.treble = lerp(before.bands.treble, after.bands.treble);
    for ((y, a), b) in features.spectrum.iter_mut().zip(before.spectrum).zip(after.spectrum) {
        *y = lerp(a, b);
    }
    for ((y, a), b) in features.chroma.iter_mut().zip(before.chroma).zip(after.chroma) {
        *y = lerp(a, b);
    }
    features.beat = beat_between(before, after, share, media);
    features
}

/// Both neighbours predict the beat of this moment; their predictions are mixed on the circle, so that the
/// phase neither jumps at a frame nor runs backwards at a beat.
fn beat_between(before: &Features, after: &Features, share: f32, media: MediaTime) -> Beat {
    if before.beat.bpm <= 0.0 || after.beat.bpm <= 0.0 {
        return if share < 0.5 { before.beat } else { after.beat };
    }
    let (early, late) = (before.beat_at(media), after.beat_at(media));
    let apart = late.phase - early.phase;
    let seconds_per_beat = 60.0 / f64::from(early.bpm);
    let nudge = f64::from((apart - apart.round()) * share) * seconds_per_beat;
    let mut beat = early.after(nudge);
    beat.bpm = early.bpm + (late.bpm - early.bpm) * share;
    beat.confidence = early.confidence + (late.confidence - early.confidence) * share;
    beat
}

fn beyond_newest(newest: &Features, media: MediaTime) -> Features {
    let beyond = media.secs_since(newest.at);
    if beyond > SILENT_BEYOND_S {
        return Features::silence(media);
    }
    let fade = (-beyond / FADE_S).exp() as f32;
    let mut features = *newest;
    features.level *= fade;
    features.bands.bass *= fade;
    features.bands.mid *= fade;
    features.bands.treble *= fade;
    for band in &mut features.spectrum {
        *band *= fade;
    }
    features.onset.envelope = onset_envelope(&newest.onset, media);
    features.beat = newest.beat_at(media);
    features
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_ms(ms: f64) -> MediaTime {
        MediaTime::from_secs_f64(ms / 1000.0)
    }

    /// 120 beats per minute from time 0, one frame each 10 ms, an onset on each beat.
    fn frame(n: i64) -> Features {
        let at = MediaTime::from_nanos(n * 10_000_000);
        let mut features = Features::silence(at);
        let beats = n as f32 / 50.0;
        features.beat = Beat {
            bpm: 120.0,
            confidence: 1.0,
            phase: beats.fract(),
            bar_phase: (beats / 4.0).fract(),
            count: beats as u32,
            beats_per_bar: 4,
        };
        features.bands.bass = (n % 50) as f32 / 50.0;
        features.onset = Onset {
            envelope: 0.0,
            strength: 1.0,
            count: beats as u32 + 1,
            last: MediaTime::from_nanos(n / 50 * 500_000_000),
            threshold: (n % 7) as f32 / 7.0,
        };
        features
    }

    fn filled(frames: i64) -> FeatureWindow {
        let mut window = FeatureWindow::new();
        for n in 0..frames {
            window.push(0, &frame(n));
        }
        window
    }

    #[test]
    fn levels_are_interpolated_and_the_phase_goes_on_between_frames() {
        let window = filled(400);
        assert!((window.at(at_ms(1014.0)).bands.bass - 0.028).abs() < 1e-5);
        let mut before = window.at(at_ms(100.0)).beat;
        for step in 1001..3980 {
            let beat = window.at(at_ms(f64::from(step) / 1.0)).beat;
            let moved = (beat.phase - before.phase).rem_euclid(1.0);
            assert!(step == 1001 || (moved - 0.002).abs() < 1e-4, "{step} ms: {moved}");
            assert!(beat.count >= before.count);
            before = beat;
        }
    }

    #[test]
    fn an_onset_known_before_its_moment_does_not_shine_before_it() {
        let mut window = FeatureWindow::new();
        for k in 0..100 {
            let at = MediaTime::from_nanos(k * 10_000_000);
            // Frames are dated some ms back: the one at 500 ms knows of an onset at 503 ms.
            let onset = if k < 50 {
                Onset { count: 1, strength: 1.0, ..Onset::default() }
            } else {
                let last = MediaTime::from_nanos(503_000_000);
                Onset { count: 2, strength: 1.0, last, ..Onset::default() }
            };
            window.push(0, &Features { at, onset, ..Features::default() });
        }
        for ms in [495.0, 500.0, 502.9] {
            let onset = window.at(at_ms(ms)).onset;
            assert!(onset.count == 1 && onset.envelope < 0.02, "{ms}: {onset:?}");
        }
        let onset = window.at(at_ms(503.1)).onset;
        assert!(onset.count == 2 && onset.envelope > 0.99, "{onset:?}");
    }

    #[test]
    fn an_onset_starts_at_its_own_moment() {
        let window = filled(400);
        assert!(window.at(at_ms(1499.0)).onset.envelope < 0.1);
        let onset = window.at(at_ms(1503.0)).onset;
        assert!((onset.envelope - (-0.003_f32 / 0.12).exp()).abs() < 1e-3);
    }

    #[test]
    fn the_oldest_frames_make_room_and_the_ends_are_bounded() {
        let window = filled(2000);
        assert_eq!(window.len(), 512);
        assert_eq!(window.span(), Some((at_ms(14_880.0), at_ms(19_990.0))));
        assert!(window.at(at_ms(10_000.0)).silent && window.at(at_ms(10_000.0)).beat.bpm == 0.0);
        let ahead = window.at(at_ms(20_240.0));
        assert!((ahead.beat.phase - 0.48).abs() < 1e-3 && ahead.beat.count == 40);
        assert!(ahead.bands.bass < 0.2);
        assert_eq!(window.at(at_ms(30_000.0)), Features::silence(at_ms(30_000.0)));
    }

    #[test]
    fn frames_of_an_older_epoch_are_refused_and_a_newer_one_starts_afresh() {
        let mut window = filled(100);
        window.push(3, &frame(7));
        assert_eq!((window.len(), window.epoch()), (1, 3));
        window.push(2, &frame(8));
        assert_eq!((window.len(), window.refused()), (1, 1));
        window.set_epoch(4);
        assert!(window.is_empty());
        assert_eq!(window.at(at_ms(70.0)), Features::silence(at_ms(70.0)));
    }

    #[test]
    fn a_step_back_in_time_replaces_what_it_overlaps() {
        let mut window = filled(100);
        window.push(0, &frame(50));
        assert_eq!(window.len(), 51);
        assert_eq!(window.span(), Some((at_ms(0.0), at_ms(500.0))));
    }

    #[test]
    fn what_a_track_does_not_keep_is_that_of_the_whole_look() {
        let mut window = FeatureWindow::new();
        assert_eq!(window.unkept_at(at_ms(0.0)).0, window.at(at_ms(0.0)).waveform);
        for n in 100..140 {
            let mut features = frame(n);
            features.waveform = [n as f32; WAVEFORM_SAMPLES];
            window.push(0, &features);
        }
        let mut seen = std::collections::BTreeSet::new();
        for tenth in -20_000..40_000 {
            let media = at_ms(f64::from(tenth) / 10.0);
            let (waveform, threshold) = window.unkept_at(media);
            let whole = window.at(media);
            assert_eq!((waveform, threshold), (whole.waveform, whole.onset.threshold), "{media:?}");
            seen.insert(waveform[0] as i64);
        }
        assert_eq!(seen.len(), 41, "every frame's, and the flat one");
    }
}
