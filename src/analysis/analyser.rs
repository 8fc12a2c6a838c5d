//! The causal analyser: samples in, one [`Features`] per 10 ms out.

use std::time::Duration;

use super::bands::Crossover;
use super::beat::BeatTracker;
use super::chroma::ChromaMeter;
use super::features::{Bands, Features, Onset, SPECTRUM_BANDS, Song, onset_envelope};
use super::gain::{BandGain, Envelope, LoudReference, against};
use super::history::History;
use super::level::Level;
use super::loudness::LoudnessMeter;
use super::odf::BeatActivation;
use super::onset::{OnsetDetector, OnsetStep};
use super::spectrum::SpectrumBands;
use super::timbre::TimbreMeter;
use super::transform::{ShortTimeSpectrum, transform_len};
use super::waveform::Waveform;
use crate::time::MediaTime;

/// Feature frames per second.
pub const HOPS_PER_SECOND: u32 = 100;

/// Time between the moment that features describe and the moment when they are known.
const DELAY: Duration = Duration::from_millis(7);
const DELAY_NS: i64 = 7_000_000;
/// Seconds between feature frames.
const HOP_S: f32 = 0.01;
/// Length of the main transform, seconds: 2048 samples at 44.1 kHz.
const FRAME_S: f64 = 0.0464;
/// Samples beyond this are clamped: a broken source must not reach infinity when squared.
const LARGEST_SAMPLE: f32 = 16.0;
/// Music falls with frequency; the three bands are tilted back by this much, decibels.
const BAND_TILT_DB: [f32; 3] = [0.0, 4.0, 9.0];
/// Attack and release of bass, middle and treble, seconds.
const BAND_ENVELOPES_S: [(f32, f32); 3] = [(0.003, 0.18), (0.003, 0.12), (0.003, 0.07)];
/// Attack and release of the overall level, seconds.
const LEVEL_ENVELOPE_S: (f32, f32) = (0.004, 0.12);
/// A push whose time differs from the expected by less than this continues the old time line, nanoseconds.
const SAME_TIME_NS: i64 = 1_000;
/// A push whose time differs by more than this is another place in the music, nanoseconds.
const OTHER_PLACE_NS: i64 = 1_000_000_000;

/// Turns sound into [`Features`], one frame per 10 ms, from the past alone.
///
/// Everything is allocated by [`new`](Self::new). `push` may run in an audio callback.
#[derive(Debug)]
pub struct Analyser {
    sample_rate: u32,
    clock: HopClock,
    block: Vec<[f32; 2]>,
    history: History,
    level: Level,
    loudness: LoudnessMeter,
    level_reference: LoudReference,
    level_envelope: Envelope,
    crossover: Crossover,
    band_gain: BandGain<3>,
    band_envelopes: [Envelope; 3],
    main: ShortTimeSpectrum,
    spectrum: SpectrumBands,
    waveform: Waveform,
    onsets: OnsetDetector,
    onset: Onset,
    beat: BeatTracker,
    timbre: TimbreMeter,
    chroma: ChromaMeter,
    latest: Features,
}

impl Analyser {
    /// An analyser for stereo sound at `sample_rate` frames per second, bounded to 8–384 kHz.
    #[must_use]
    pub fn new(sample_rate: u32) -> Self {
        let sample_rate = sample_rate.clamp(8_000, 384_000);
        let main = ShortTimeSpectrum::new(transform_len(FRAME_S, sample_rate));
        let bin_hz = sample_rate as f32 / main.len() as f32;
        let onsets = OnsetDetector::new(sample_rate);
        let beat = BeatTracker::new(bin_hz, main.bins());
        Self {
            sample_rate,
            clock: HopClock::new(sample_rate),
            block: Vec::with_capacity((sample_rate / (2 * HOPS_PER_SECOND)) as usize + 2),
            history: History::new(main.len().max(onsets.frame_len())),
            level: Level::new(),
            loudness: LoudnessMeter::new(sample_rate),
            level_reference: LoudReference::new(),
            level_envelope: Envelope::new(LEVEL_ENVELOPE_S.0, LEVEL_ENVELOPE_S.1, HOP_S),
            crossover: Crossover::new(sample_rate),
            band_gain: BandGain::new(BAND_TILT_DB),
            band_envelopes: BAND_ENVELOPES_S.map(|(a, r)| Envelope::new(a, r, HOP_S)),
            spectrum: SpectrumBands::new(bin_hz, main.bins(), HOP_S),
            timbre: TimbreMeter::new(beat.activation().centres_hz(), HOP_S),
            chroma: ChromaMeter::new(sample_rate),
            beat,
            main,
            waveform: Waveform::new(sample_rate),
            onsets,
            onset: Onset::default(),
            latest: Features::default(),
        }
    }

    /// Takes interleaved left-right samples, the first of them heard at `media_of_first_frame`, and hands
    /// every finished frame of features to `on_frame`.
    ///
    /// Blocks may have any size; the frames do not depend on it. Samples that are not finite count as 0.
    /// Small differences between the time given and the time expected move the time line; a step of more
    /// than a second counts as a [`reset`](Self::reset).
    pub fn push(
        &mut self,
        media_of_first_frame: MediaTime,
        stereo: &[f32],
        on_frame: &mut dyn FnMut(&Features),
    ) {
        self.push_observed(media_of_first_frame, stereo, &mut |features, _| on_frame(features));
    }

    /// As [`push`](Self::push), and shows what the beat was looked for in.
    pub(crate) fn push_observed(
        &mut self,
        media_of_first_frame: MediaTime,
        stereo: &[f32],
        on_frame: &mut dyn FnMut(&Features, &BeatActivation),
    ) {
        if stereo.len() < 2 {
            return;
        }
        if self.clock.align(media_of_first_frame) {
            self.reset(media_of_first_frame);
        }
        for frame in stereo.chunks_exact(2) {
            let (left, right) = (audible(frame[0]), audible(frame[1]));
            self.block.push([left, right]);
            let mono = f32::midpoint(left, right);
            self.history.push(mono);
            self.waveform.push(mono);
            match self.clock.advance() {
                None => {}
                Some(Boundary::Middle) => self.half_hop(),
                Some(Boundary::End) => {
                    self.half_hop();
                    self.hop();
                    on_frame(&self.latest, self.beat.activation());
                }
            }
        }
    }

    /// The last finished frame; silence before the first.
    #[must_use]
    pub const fn latest(&self) -> &Features {
        &self.latest
    }

    /// The constant time between the moment a frame describes and the last sample it was made from.
    #[must_use]
    pub const fn delay(&self) -> Duration {
        DELAY
    }

    /// Frames per second that this analyser was made for.
    #[must_use]
    pub const fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Forgets all that was heard: the next sample is heard at `media`. For seeks.
    pub fn reset(&mut self, media: MediaTime) {
        self.clock.restart(media);
        self.block.clear();
        self.history.clear();
        self.level = Level::new();
        self.loudness.clear();
        self.level_reference = LoudReference::new();
        self.level_envelope.clear();
        self.crossover.clear();
        self.band_gain.clear();
        for envelope in &mut self.band_envelopes {
            envelope.clear();
        }
        self.spectrum.clear();
        self.waveform.clear();
        self.onsets.clear();
        self.onset = Onset::default();
        self.beat.clear();
        self.timbre.clear();
        self.chroma.clear();
        self.latest = Features::silence(media);
    }

    /// Every 5 ms: what must be known early.
    fn half_hop(&mut self) {
        self.level.process(&self.block, HOP_S / 2.0);
        self.crossover.process(&self.block);
        self.loudness.process(&self.block);
        self.chroma.process(&self.block);
        self.block.clear();
        match self.onsets.step(&self.history) {
            OnsetStep::Quiet => {}
            OnsetStep::Onset { strength, age_s } => {
                self.onset.count = self.onset.count.wrapping_add(1);
                self.onset.last = self.clock.now().plus_secs_f64(-age_s);
                self.onset.strength = strength;
            }
            OnsetStep::Stronger(strength) => self.onset.strength = strength,
        }
    }

    /// Every 10 ms: a frame of features.
    fn hop(&mut self) {
        let at = self.clock.now().plus_nanos(-DELAY_NS);
        let magnitudes = self.main.magnitudes_of(self.history.latest(self.main.len()));
        let spectrum: [f32; SPECTRUM_BANDS] = self.spectrum.step(magnitudes, HOP_S);
        self.beat.step(magnitudes, self.level.silent());
        let heard = self.beat.activation();
        let rise = heard.flux().iter().sum::<f32>() / heard.flux().len() as f32;
        let timbre = self.timbre.step(heard.bands(), rise);
        let (chroma, key) = self.chroma.end_hop();
        let [bass, mid, treble] = self.bands();
        let moment_db = self.level.moment_db();
        let reference_db = self.level_reference.learn(moment_db, HOP_S);
        self.latest = Features {
            at,
            level: self.level_envelope.step(against(reference_db, moment_db)),
            level_db: self.level.level_db(),
            loudness: self.loudness.end_block(),
            bands: Bands { bass, mid, treble },
            spectrum,
            timbre,
            chroma,
            key,
            waveform: self.waveform.window(),
            onset: Onset {
                envelope: onset_envelope(&self.onset, at),
                threshold: self.onsets.threshold(),
                ..self.onset
            },
            beat: self.beat.beat(DELAY.as_secs_f64()),
            song: Song::UNKNOWN,
            silent: self.level.silent(),
        };
    }

    fn bands(&mut self) -> [f32; 3] {
        let mut bands = self.band_gain.apply(self.crossover.levels_db(), HOP_S);
        for (y, envelope) in bands.iter_mut().zip(&mut self.band_envelopes) {
            *y = envelope.step(*y);
        }
        bands
    }
}

fn audible(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-LARGEST_SAMPLE, LARGEST_SAMPLE) } else { 0.0 }
}

/// Where a hop stands after a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Boundary {
    /// 5 ms of the hop are complete.
    Middle,
    /// The hop is complete.
    End,
}

/// Counts samples against the grid of half-hops: half-hop `n` ends at sample `⌊n · rate / 200⌋`, so the
/// grid never drifts at rates that 200 does not divide.
#[derive(Debug)]
struct HopClock {
    sample_rate: u32,
    anchored: bool,
    origin: MediaTime,
    frames: i64,
    half_hops: i64,
    next_boundary: i64,
}

impl HopClock {
    fn new(sample_rate: u32) -> Self {
        let mut clock = Self {
            sample_rate,
            anchored: false,
            origin: MediaTime::ZERO,
            frames: 0,
            half_hops: 0,
            next_boundary: 0,
        };
        clock.restart(MediaTime::ZERO);
        clock.anchored = false;
        clock
    }

    fn restart(&mut self, media: MediaTime) {
        self.anchored = true;
        self.origin = media;
        self.frames = 0;
        self.half_hops = 0;
        self.next_boundary = self.boundary(1);
    }

    fn boundary(&self, half_hop: i64) -> i64 {
        half_hop * i64::from(self.sample_rate) / i64::from(2 * HOPS_PER_SECOND)
    }

    /// Media time of the end of the last sample counted.
    fn now(&self) -> MediaTime {
        self.origin.plus_nanos(MediaTime::from_frames(self.frames, self.sample_rate).as_nanos())
    }

    /// Follows the caller's time; true if it is another place in the music.
    fn align(&mut self, media: MediaTime) -> bool {
        let off = media.nanos_since(self.now());
        if !self.anchored {
            self.restart(media);
        } else if off.abs() > OTHER_PLACE_NS {
            return true;
        } else if off.abs() > SAME_TIME_NS {
            self.origin = self.origin.plus_nanos(off);
        }
        false
    }

    /// Counts one sample.
    fn advance(&mut self) -> Option<Boundary> {
        self.frames += 1;
        if self.frames < self.next_boundary {
            return None;
        }
        self.half_hops += 1;
        self.next_boundary = self.boundary(self.half_hops + 1);
        Some(if self.half_hops % 2 == 0 { Boundary::End } else { Boundary::Middle })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(sample_rate: u32, stereo: &[f32], blocks: &[usize]) -> Vec<Features> {
        let mut analyser = Analyser::new(sample_rate);
        let mut frames = Vec::new();
        let (mut at, mut n) = (0, 0);
        while at < stereo.len() {
            let end = (at + 2 * blocks[n % blocks.len()]).min(stereo.len());
            let media = MediaTime::from_frames(at as i64 / 2, sample_rate);
            analyser.push(media, &stereo[at..end], &mut |f| frames.push(*f));
            (at, n) = (end, n + 1);
        }
        frames
    }

    /// A drum-like stroke every 0.4137 s: a click and a 60 Hz thump. Returns the sound and the true times.
    fn strokes(sample_rate: u32, seconds: f64) -> (Vec<f32>, Vec<f64>) {
        let frames = (seconds * f64::from(sample_rate)) as usize;
        let mut stereo = vec![0.0_f32; 2 * frames];
        let mut times = Vec::new();
        let mut time = 0.5;
        while time < seconds - 0.41 {
            times.push(time);
            let first = (time * f64::from(sample_rate)) as usize;
            for n in 0..sample_rate as usize * 2 / 5 {
                let t = n as f32 / sample_rate as f32;
                let thump = 0.7 * (std::f32::consts::TAU * 60.0 * t).cos() * (-t / 0.05).exp();
                let click = 0.3 * (-t / 0.001).exp();
                stereo[2 * (first + n)] += thump + click;
                stereo[2 * (first + n) + 1] += thump + click;
            }
            time += 0.4137;
        }
        (stereo, times)
    }

    #[test]
    fn a_click_in_quiet_is_placed_within_half_a_millisecond_whatever_the_grid() {
        for rate in [44_100, 48_000, 96_000] {
            // A prime step meets every phase of the 5 ms grid.
            let times: Vec<f64> = (1..40).map(|k| 0.2 + 0.2137 * f64::from(k)).collect();
            let mut stereo = vec![0.0; 2 * (9.5 * f64::from(rate)) as usize];
            for time in &times {
                let first = (time * f64::from(rate)) as usize;
                for age in 0..rate as usize / 100 {
                    let x = (age as f32 * 0.9).cos() * (-(age as f32) / 100.0).exp();
                    stereo[2 * (first + age)..][..2].fill(0.8 * x);
                }
            }
            let frames = run(rate, &stereo, &[480]);
            let placed: Vec<f64> = frames
                .windows(2)
                .filter(|w| w[1].onset.count > w[0].onset.count)
                .map(|w| w[1].onset.last.as_secs_f64())
                .collect();
            assert_eq!(placed.len(), times.len(), "{rate} Hz");
            for (placed, time) in placed.iter().zip(&times) {
                assert!((placed - time).abs() <= 0.0005, "{rate} Hz: {placed} for {time}");
            }
        }
    }

    #[test]
    fn an_onset_is_stronger_than_the_threshold_before_it_and_noise_raises_that() {
        let rate = 48_000;
        let (strokes, _) = strokes(rate, 4.0);
        let frames = run(rate, &strokes, &[512]);
        let onsets = frames.windows(2).filter(|pair| pair[1].onset.count > pair[0].onset.count);
        let mut told = 0;
        for pair in onsets {
            assert!(pair[1].onset.strength > pair[0].onset.threshold, "{:?}", pair[1].at);
            told += 1;
        }
        assert!(told > 4);
        let mut seed = 1_u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            0.3 * (seed as f32 / u32::MAX as f32 - 0.5)
        };
        let dense: Vec<f32> = strokes.iter().map(|sample| 0.7 * sample + noise()).collect();
        let dense = run(rate, &dense, &[512]).last().unwrap().onset.threshold;
        let sparse = frames.last().unwrap().onset.threshold;
        assert!((0.0..=1.0).contains(&dense) && dense > 1.5 * sparse, "{dense} {sparse}");
    }

    #[test]
    fn onset_and_bass_rise_within_five_milliseconds_of_the_stroke() {
        for rate in [44_100, 48_000, 96_000] {
            let (stereo, times) = strokes(rate, 6.0);
            let frames = run(rate, &stereo, &[512]);
            for pair in frames.windows(2) {
                let (before, now) = (&pair[0], &pair[1]);
                let nearest = |t: f64| {
                    times.iter().map(|x| t - x).min_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap()
                };
                if now.onset.count > before.onset.count {
                    let off = nearest(now.onset.last.as_secs_f64());
                    assert!(off.abs() <= 0.005, "{rate} Hz: onset off by {off} s");
                }
            }
            let onsets = frames.last().unwrap().onset.count as usize;
            assert_eq!(onsets, times.len(), "{rate} Hz");
            let mut errors: Vec<f64> = Vec::new();
            for time in &times[1..] {
                let first = frames
                    .windows(2)
                    .find(|w| {
                        w[1].at.as_secs_f64() > time - 0.02
                            && w[1].bands.bass > w[0].bands.bass + 0.1
                    })
                    .unwrap();
                errors.push(first[1].at.as_secs_f64() - time);
            }
            let mean = errors.iter().sum::<f64>() / errors.len() as f64;
            let worst = errors.iter().fold(0.0_f64, |m, e| m.max(e.abs()));
            println!(
                "{rate} Hz: bass off by {:.1} ms on average, {:.1} at worst",
                mean * 1e3,
                worst * 1e3
            );
            assert!(worst <= 0.005, "{rate} Hz: bass off by {worst} s");
        }
    }

    #[test]
    fn frames_do_not_depend_on_block_sizes() {
        for rate in [44_100, 22_050, 48_000] {
            let (stereo, _) = strokes(rate, 2.0);
            let whole = run(rate, &stereo, &[stereo.len()]);
            assert_eq!(whole.len(), 200);
            assert_eq!(whole, run(rate, &stereo, &[1, 7, 441, 64, 1023]), "{rate} Hz");
            for (n, frame) in whole.iter().enumerate() {
                let end = frame.at.as_secs_f64() + 0.007;
                assert!((end - (n + 1) as f64 * 0.01).abs() < 1.0 / f64::from(rate), "{n}: {end}");
            }
        }
    }

    #[test]
    fn any_samples_give_finite_features_in_range() {
        let strange = [
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MAX,
            -f32::MAX,
            f32::MIN_POSITIVE,
            1e-40,
            0.0,
            1.0,
            -1.0,
        ];
        let mut state = 1_u32;
        let stereo: Vec<f32> = (0..2 * 44_100 * 3)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                strange[(state >> 16) as usize % strange.len()]
            })
            .collect();
        for f in run(44_100, &stereo, &[480]) {
            let unit = |x: f32| (0.0..=1.0).contains(&x);
            assert!(unit(f.level) && f.level_db.is_finite() && f.level_db >= -120.0);
            assert!(unit(f.bands.bass) && unit(f.bands.mid) && unit(f.bands.treble));
            assert!(f.spectrum.iter().all(|&x| unit(x)));
            assert!(f.waveform.iter().all(|x| (-1.0..=1.0).contains(x)));
            assert!(unit(f.onset.envelope) && unit(f.onset.strength));
            assert!(unit(f.beat.phase) && unit(f.beat.bar_phase) && unit(f.beat.confidence));
            assert!(f.beat.bpm.is_finite());
        }
    }

    #[test]
    fn silence_is_silent_and_ends_with_sound() {
        let mut stereo = vec![0.0_f32; 2 * 48_000];
        let (sound, _) = strokes(48_000, 2.0);
        stereo.extend(sound);
        stereo.extend(vec![0.0_f32; 2 * 48_000]);
        let frames = run(48_000, &stereo, &[333]);
        assert!(frames[..100].iter().all(|f| f.silent && f.onset.count == 0 && f.level == 0.0));
        assert!(!frames[153].silent);
        assert!(frames[399].silent && frames[399].onset.envelope < 0.01);
    }

    #[test]
    fn a_seek_forgets_and_a_gap_moves_the_time_line() {
        let (stereo, _) = strokes(48_000, 2.0);
        let mut analyser = Analyser::new(48_000);
        analyser.push(MediaTime::ZERO, &stereo, &mut |_| {});
        assert!(analyser.latest().onset.count > 0);
        let shifted = MediaTime::from_secs_f64(2.1);
        analyser.push(shifted, &stereo[..960], &mut |_| {});
        let off = analyser.latest().at.nanos_since(MediaTime::from_secs_f64(2.103));
        assert!(off.abs() <= 2, "off by {off} ns");
        assert!(analyser.latest().onset.count > 0);
        analyser.push(MediaTime::from_secs_f64(60.0), &stereo[..960], &mut |_| {});
        assert_eq!(analyser.latest().at, MediaTime::from_secs_f64(60.003));
        assert_eq!(analyser.latest().onset.count, 0);
        analyser.reset(MediaTime::from_secs_f64(5.0));
        assert_eq!(*analyser.latest(), Features::silence(MediaTime::from_secs_f64(5.0)));
    }
}
