//! What of the music moves a value: sources, curves and oscillators, all pure functions of the moment.

use serde::{Deserialize, Serialize};

use super::formula::noise;
use crate::analysis::Features;
use crate::time::MediaTime;

/// Beats per second that oscillators and spins count by while the tempo is unknown (120 bpm).
const BEATS_PER_SECOND_WHILE_UNKNOWN: f64 = 2.0;

/// What moves a value. All run from 0 to 1, except `Lfo`, `Walk` and `Steps`, which run from −1 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Overall loudness.
    Level,
    /// Energy of 20–150 Hz.
    Bass,
    /// Energy of 150–2 000 Hz.
    Mid,
    /// Energy of 2–16 kHz.
    Treble,
    /// Where the weight of the spectrum lies: 0 dull, 1 bright.
    Tone,
    /// The attack of a note or drum, fading.
    Onset,
    /// 1 on every beat, fading; onsets stand in while the beat is uncertain.
    Beat,
    /// 1 on the first beat of every bar, fading within that beat.
    Bar,
    /// Rises through every beat.
    BeatPhase,
    /// Rises through every bar.
    BarPhase,
    /// An oscillator of its own, by the second or by the beat.
    Lfo,
    /// A row of values, one after the other, by the second or by the beat.
    Steps,
    /// A random walk, smooth, by the second or by the beat.
    Walk,
    /// Rises and falls in times of its own, begun by a beat, a bar or an attack.
    Envelope,
}

impl Source {
    /// Every source with its key in presets.
    pub const ALL: [(Self, &'static str); 14] = [
        (Self::Level, "level"),
        (Self::Bass, "bass"),
        (Self::Mid, "mid"),
        (Self::Treble, "treble"),
        (Self::Tone, "tone"),
        (Self::Onset, "onset"),
        (Self::Beat, "beat"),
        (Self::Bar, "bar"),
        (Self::BeatPhase, "beat_phase"),
        (Self::BarPhase, "bar_phase"),
        (Self::Lfo, "lfo"),
        (Self::Steps, "steps"),
        (Self::Walk, "walk"),
        (Self::Envelope, "envelope"),
    ];

    /// The key in presets.
    #[must_use]
    pub fn key(self) -> &'static str {
        Self::ALL.iter().find(|(source, _)| *source == self).map_or("", |(_, key)| key)
    }

    /// The smallest value it has: −1 for those that swing, 0 for the others. The largest is 1.
    #[must_use]
    pub const fn least(self) -> f32 {
        match self {
            Self::Lfo | Self::Steps | Self::Walk => -1.0,
            _ => 0.0,
        }
    }

    /// True if it goes in cycles of its own, by the second or by the beat.
    #[must_use]
    pub const fn is_cyclic(self) -> bool {
        matches!(self, Self::Lfo | Self::Steps | Self::Walk)
    }

    /// One line about it.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Level => "Overall loudness",
            Self::Bass => "20–150 Hz: kick and bass",
            Self::Mid => "150–2 000 Hz: voices, most instruments",
            Self::Treble => "2–16 kHz: cymbals, breath, strings",
            Self::Tone => "Where the weight of the spectrum lies: 0 dull, 1 bright",
            Self::Onset => "The attack of a note or drum, fading",
            Self::Beat => "1 on every beat, fading",
            Self::Bar => "1 on the first beat of every bar, fading",
            Self::BeatPhase => "Rises through every beat",
            Self::BarPhase => "Rises through every bar",
            Self::Lfo => "A steady oscillation",
            Self::Steps => "A row of values, one after the other",
            Self::Walk => "Smooth chance",
            Self::Envelope => "Rises and falls in its own times from every trigger",
        }
    }
}

/// How a source is bent before it counts. Each keeps 0 at 0, 1 at 1, and the sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Curve {
    /// As it is.
    #[default]
    Linear,
    /// The square: quiet counts less.
    Square,
    /// The square root: quiet counts more.
    Root,
    /// Slow at both ends.
    Smooth,
    /// 0 below one half, 1 from there.
    Step,
}

impl Curve {
    /// Every curve with its key in presets.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Linear, "linear"),
        (Self::Square, "square"),
        (Self::Root, "root"),
        (Self::Smooth, "smooth"),
        (Self::Step, "step"),
    ];

    fn bend(self, value: f32) -> f32 {
        let x = value.abs().min(1.0);
        let bent = match self {
            Self::Linear => x,
            Self::Square => x * x,
            Self::Root => x.sqrt(),
            Self::Smooth => x * x * (3.0 - 2.0 * x),
            Self::Step => f32::from(u8::from(x >= 0.5)),
        };
        bent.copysign(value)
    }
}

/// The shape of an oscillator, each from −1 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wave {
    /// A sine, rising from 0.
    #[default]
    Sine,
    /// Straight up and down, rising from 0.
    Triangle,
    /// Rises from −1 to 1, then falls at once.
    Saw,
    /// 1 for the first half, −1 for the second.
    Square,
}

impl Wave {
    /// Every wave with its key in presets.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Sine, "sine"),
        (Self::Triangle, "triangle"),
        (Self::Saw, "saw"),
        (Self::Square, "square"),
    ];

    fn at(self, phase: f32) -> f32 {
        match self {
            Self::Sine => (phase * std::f32::consts::TAU).sin(),
            Self::Triangle => 1.0 - 4.0 * ((phase + 0.25).fract() - 0.5).abs(),
            Self::Saw => 2.0 * phase - 1.0,
            Self::Square => {
                if phase < 0.5 {
                    1.0
                } else {
                    -1.0
                }
            }
        }
    }
}

/// What begins an envelope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Every beat; attacks stand in while the tempo is unknown.
    #[default]
    Beat,
    /// The first beat of every bar; attacks stand in while the tempo is unknown.
    Bar,
    /// Every attack of a note or drum, as strong as it is.
    Onset,
}

impl Trigger {
    /// Every trigger with its key in presets.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Beat, "beat"), (Self::Bar, "bar"), (Self::Onset, "onset")];

    /// Seconds since it last began, and how strongly.
    fn age(self, features: &Features, media: MediaTime) -> (f32, f32) {
        let beat = &features.beat;
        let beat_s = if beat.bpm > 0.0 { 60.0 / beat.bpm } else { 0.0 };
        match self {
            Self::Beat if beat_s > 0.0 => (beat.phase * beat_s, 1.0),
            Self::Bar if beat_s > 0.0 => (beat.bar_phase * 4.0 * beat_s, 1.0),
            _ if features.onset.count > 0 => {
                let age = media.secs_since(features.onset.last) as f32;
                (age.max(0.0), features.onset.strength)
            }
            _ => (0.0, 0.0),
        }
    }
}

/// Most values of a row of steps.
pub const MAX_STEPS: usize = 32;
/// Rise of an envelope that names none, ms.
pub const ATTACK_MS: f32 = 5.0;
/// Time constant of the fall of an envelope that names none, ms.
pub const DECAY_MS: f32 = 250.0;

/// One row of a preset: what moves a value, how far, how fast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modulation {
    /// The value it moves.
    pub param: String,
    /// What moves it.
    pub source: Source,
    /// How far, as a fraction of the value's whole range; negative moves it down.
    pub depth: f32,
    /// How the source is bent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub curve: Curve,
    /// Time constant of smoothing, ms; 0 follows at once.
    #[serde(default, skip_serializing_if = "is_default")]
    pub smooth_ms: f32,
    /// Oscillator only: its shape.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wave: Wave,
    /// Oscillator, steps and walk: where in the cycle it begins, turns.
    #[serde(default, skip_serializing_if = "is_default")]
    pub phase: f32,
    /// Oscillator, steps and walk: cycles, rows or strides per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_hz: Option<f32>,
    /// Oscillator, steps and walk: beats per cycle, row or stride.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_beats: Option<f32>,
    /// Steps only: the values of a row, −1 to 1 each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<f32>,
    /// Walk only: two walks of one seed are the same.
    #[serde(default, skip_serializing_if = "is_default")]
    pub seed: u32,
    /// Envelope only: what begins it; a beat if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// Envelope only: time of the rise, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack_ms: Option<f32>,
    /// Envelope only: time constant of the fall, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay_ms: Option<f32>,
}

/// True for the value that need not be written to a file.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Modulation {
    /// A row that moves `param` by `depth` with everything a source needs to be heard: cycles of a bar where it has
    /// cycles, and a row of steps where it has steps.
    #[must_use]
    pub fn plain(param: &str, source: Source, depth: f32) -> Self {
        let is_steps = source == Source::Steps;
        Self {
            param: param.to_owned(),
            source,
            depth,
            curve: Curve::default(),
            smooth_ms: 0.0,
            wave: Wave::default(),
            phase: 0.0,
            rate_hz: None,
            every_beats: source.is_cyclic().then_some(4.0),
            steps: if is_steps { vec![1.0, 0.0, 0.5, 0.0] } else { Vec::new() },
            seed: 0,
            trigger: None,
            attack_ms: None,
            decay_ms: None,
        }
    }

    /// The same row moved by another source: what belongs to the old one alone is left behind.
    #[must_use]
    pub fn moved_by(&self, source: Source) -> Self {
        let plain = Self::plain(&self.param, source, self.depth);
        let kept = Self { curve: self.curve, smooth_ms: self.smooth_ms, ..plain };
        if source.is_cyclic() && self.source.is_cyclic() {
            let (rate_hz, every_beats) = (self.rate_hz, self.every_beats);
            return Self { rate_hz, every_beats, phase: self.phase, ..kept };
        }
        kept
    }

    /// How far down and up it moves a value, in shares of its range.
    #[must_use]
    pub fn reach(&self) -> (f32, f32) {
        let ends = [self.depth * self.source.least(), self.depth];
        (ends[0].min(ends[1]).min(0.0), ends[0].max(ends[1]).max(0.0))
    }

    /// The row as an operator reads it: "bass +0.30".
    #[must_use]
    pub fn label(&self) -> String {
        let rate = match (self.rate_hz, self.every_beats) {
            (Some(hz), _) => format!(" {hz} Hz"),
            (None, Some(beats)) => format!(" {beats} beats"),
            (None, None) => String::new(),
        };
        format!("{}{rate} {:+.2}", self.source.key(), self.depth)
    }
}

/// A modulation ready to play.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signal {
    source: Source,
    curve: Curve,
    wave: Wave,
    cycles: Cycles,
    phase: f64,
    steps: [f32; MAX_STEPS],
    count: usize,
    seed: u32,
    trigger: Trigger,
    attack_s: f32,
    decay_s: f32,
    /// In the unit of the value that is moved.
    depth: f32,
    smooth_s: f32,
}

#[derive(Clone, Copy, Debug)]
enum Cycles {
    PerSecond(f64),
    PerBeat(f64),
}

impl Signal {
    /// `span` is the whole range of the value moved.
    pub(super) fn new(row: &Modulation, span: f32) -> Self {
        let cycles = match (row.rate_hz, row.every_beats) {
            (None, Some(beats)) => Cycles::PerBeat(1.0 / f64::from(beats)),
            (hz, _) => Cycles::PerSecond(hz.unwrap_or(0.0).into()),
        };
        Self {
            source: row.source,
            curve: row.curve,
            wave: row.wave,
            cycles,
            phase: row.phase.into(),
            steps: std::array::from_fn(|step| row.steps.get(step).copied().unwrap_or(0.0)),
            count: row.steps.len().clamp(1, MAX_STEPS),
            seed: row.seed,
            trigger: row.trigger.unwrap_or_default(),
            attack_s: row.attack_ms.unwrap_or(ATTACK_MS) * 1e-3,
            decay_s: row.decay_ms.unwrap_or(DECAY_MS) * 1e-3,
            depth: row.depth * span,
            smooth_s: row.smooth_ms * 1e-3,
        }
    }

    /// How far the value is moved at this moment.
    pub(super) fn at(&self, features: &Features, media: MediaTime) -> f32 {
        let raw = match self.source {
            Source::Level => features.level,
            Source::Bass => features.bands.bass,
            Source::Mid => features.bands.mid,
            Source::Treble => features.bands.treble,
            Source::Tone => tone(features),
            Source::Onset => features.onset.envelope,
            Source::Beat => beat_pulse(features),
            Source::Bar => bar_pulse(features),
            Source::BeatPhase => features.beat.phase,
            Source::BarPhase => features.beat.bar_phase,
            Source::Lfo => self.wave.at(self.cycle(features, media).rem_euclid(1.0) as f32),
            Source::Steps => {
                let place = self.cycle(features, media).rem_euclid(1.0) * self.count as f64;
                self.steps[(place as usize).min(self.count - 1)]
            }
            // A place in a landscape, not a sum of strides: a seek finds the same walk.
            Source::Walk => {
                let way = self.cycle(features, media).rem_euclid(65_536.0);
                (1.5 * noise(way as f32, 0.5, self.seed)).clamp(-1.0, 1.0)
            }
            Source::Envelope => {
                let (age, strength) = self.trigger.age(features, media);
                let height = if age < self.attack_s {
                    age / self.attack_s
                } else {
                    (-(age - self.attack_s) / self.decay_s).exp()
                };
                height * strength
            }
        };
        let finite = if raw.is_finite() { raw } else { 0.0 };
        self.curve.bend(finite) * self.depth
    }

    fn cycle(&self, features: &Features, media: MediaTime) -> f64 {
        let cycles = match self.cycles {
            Cycles::PerSecond(hz) => media.as_secs_f64() * hz,
            Cycles::PerBeat(cycles) => beats(features, media) * cycles,
        };
        cycles + self.phase
    }
}

/// A signal that follows with a time constant: the only modulation with a memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Smoothed {
    signal: Signal,
    value: Option<f32>,
}

impl Smoothed {
    pub(super) fn new(signal: Signal) -> Self {
        Self { signal, value: None }
    }

    /// Goes on from where `from` was, if both follow the same source.
    pub(super) fn inherit(&mut self, from: &Self) {
        if self.signal.source == from.signal.source {
            self.value = from.value;
        }
    }

    /// How far the value is moved, `dt` seconds after the last call; the first call follows at once.
    pub(super) fn step(&mut self, features: &Features, media: MediaTime, dt: f32) -> f32 {
        let target = self.signal.at(features, media);
        let value = match self.value {
            Some(last) if self.signal.smooth_s > 0.0 => {
                last + (target - last) * (1.0 - (-dt / self.signal.smooth_s).exp())
            }
            _ => target,
        };
        self.value = Some(value);
        value
    }
}

/// A pulse that is 1 at phase 0 and has fallen to 1/20 at phase 1.
fn pulse(phase: f32) -> f32 {
    (-3.0 * phase.max(0.0)).exp()
}

/// 1 on every beat, fading; onsets stand in as far as the beat is uncertain.
#[must_use]
pub fn beat_pulse(features: &Features) -> f32 {
    let sure = features.beat.confidence.clamp(0.0, 1.0);
    sure * pulse(features.beat.phase) + (1.0 - sure) * features.onset.envelope
}

/// 1 on the first beat of every bar, fading within that beat; as far as the beat is certain.
#[must_use]
pub fn bar_pulse(features: &Features) -> f32 {
    pulse(features.beat.bar_phase * 4.0) * features.beat.confidence
}

/// Beats since the start, with the fraction; counted from the media time while the tempo is unknown.
#[must_use]
pub fn beats(features: &Features, media: MediaTime) -> f64 {
    if features.beat.bpm > 0.0 {
        let phase = if features.beat.phase.is_finite() { features.beat.phase } else { 0.0 };
        f64::from(features.beat.count) + f64::from(phase)
    } else {
        media.as_secs_f64() * BEATS_PER_SECOND_WHILE_UNKNOWN
    }
}

/// Where the weight of the spectrum lies, 0 (all in the lowest band) to 1; 0 in silence.
#[must_use]
pub fn tone(features: &Features) -> f32 {
    let (mut sum, mut weighted) = (0.0_f32, 0.0_f32);
    for (band, &energy) in features.spectrum.iter().enumerate() {
        sum += energy;
        weighted += energy * band as f32;
    }
    let last_band = (features.spectrum.len() - 1) as f32;
    if sum > 1e-3 { weighted / (sum * last_band) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(source: Source) -> Modulation {
        Modulation {
            param: "radius".into(),
            source,
            depth: 0.5,
            curve: Curve::Linear,
            smooth_ms: 0.0,
            wave: Wave::Sine,
            phase: 0.0,
            rate_hz: None,
            every_beats: None,
            steps: Vec::new(),
            seed: 0,
            trigger: None,
            attack_ms: None,
            decay_ms: None,
        }
    }

    fn moment() -> Features {
        let mut features = Features { level: 0.5, ..Features::default() };
        features.bands.bass = 0.8;
        features.beat.bpm = 120.0;
        features.beat.confidence = 1.0;
        features.spectrum[31] = 1.0;
        features
    }

    #[test]
    fn a_depth_is_a_fraction_of_the_whole_range() {
        let signal = Signal::new(&row(Source::Bass), 4.0);
        assert!((signal.at(&moment(), MediaTime::ZERO) - 1.6).abs() < 1e-6);
    }

    #[test]
    fn every_source_stays_in_its_range_and_has_one_key() {
        let mut features = moment();
        for step in 0..100 {
            features.beat.phase = step as f32 / 100.0;
            features.beat.bar_phase = features.beat.phase;
            features.onset.envelope = features.beat.phase;
            for (source, key) in Source::ALL {
                assert_eq!(source.key(), key);
                let row = Modulation { rate_hz: Some(1.7), depth: 1.0, ..row(source) };
                let value =
                    Signal::new(&row, 1.0).at(&features, MediaTime::from_nanos(step * 9_999_999));
                let both = matches!(source, Source::Lfo | Source::Steps | Source::Walk);
                let low = if both { -1.0 } else { 0.0 };
                assert!((low..=1.0).contains(&value), "{key} {value}");
            }
        }
    }

    #[test]
    fn keys_are_those_that_the_parser_takes() {
        #[derive(Deserialize)]
        struct One<T> {
            key: T,
        }
        for (source, key) in Source::ALL {
            let parsed: One<Source> = toml::from_str(&format!("key = '{key}'")).unwrap();
            assert_eq!(parsed.key, source);
        }
        for (curve, key) in Curve::ALL {
            let parsed: One<Curve> = toml::from_str(&format!("key = '{key}'")).unwrap();
            assert_eq!(parsed.key, curve);
        }
        for (trigger, key) in Trigger::ALL {
            let parsed: One<Trigger> = toml::from_str(&format!("key = '{key}'")).unwrap();
            assert_eq!(parsed.key, trigger);
        }
        for (wave, key) in Wave::ALL {
            let parsed: One<Wave> = toml::from_str(&format!("key = '{key}'")).unwrap();
            assert_eq!(parsed.key, wave);
        }
    }

    #[test]
    fn the_beat_pulse_falls_and_onsets_stand_in_while_it_is_uncertain() {
        let mut features = moment();
        assert_eq!(beat_pulse(&features), 1.0);
        features.beat.phase = 0.5;
        assert!(beat_pulse(&features) < 0.25);
        features.beat.confidence = 0.0;
        features.onset.envelope = 0.9;
        assert_eq!(beat_pulse(&features), 0.9);
    }

    #[test]
    fn an_oscillator_by_the_beat_follows_the_beats_and_by_the_second_the_media_time() {
        let mut features = moment();
        features.beat.count = 1;
        let by_beat = Modulation { every_beats: Some(4.0), depth: 1.0, ..row(Source::Lfo) };
        assert!((Signal::new(&by_beat, 1.0).at(&features, MediaTime::ZERO) - 1.0).abs() < 1e-6);
        let by_second = Modulation { rate_hz: Some(0.25), depth: 1.0, ..row(Source::Lfo) };
        let quarter = MediaTime::from_secs_f64(1.0);
        assert!((Signal::new(&by_second, 1.0).at(&features, quarter) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn steps_follow_each_other_and_begin_again() {
        let row = Modulation {
            steps: vec![1.0, 0.0, -0.5, 0.25],
            every_beats: Some(4.0),
            depth: 1.0,
            ..row(Source::Steps)
        };
        let signal = Signal::new(&row, 1.0);
        let mut features = moment();
        let seen = [0, 1, 2, 3, 4].map(|beat| {
            features.beat.count = beat;
            signal.at(&features, MediaTime::ZERO)
        });
        assert_eq!(seen, [1.0, 0.0, -0.5, 0.25, 1.0]);
        let late = Signal::new(&Modulation { phase: 0.5, ..row }, 1.0);
        features.beat.count = 0;
        assert_eq!(late.at(&features, MediaTime::ZERO), -0.5);
    }

    #[test]
    fn a_walk_is_smooth_the_same_after_a_seek_and_its_own_for_every_seed() {
        let walk = |seed| {
            let row = Modulation { rate_hz: Some(1.0), depth: 1.0, seed, ..row(Source::Walk) };
            let signal = Signal::new(&row, 1.0);
            move |second: f64| signal.at(&Features::default(), MediaTime::from_secs_f64(second))
        };
        let (one, same, other) = (walk(1), walk(1), walk(2));
        let mut most = 0.0_f32;
        for step in 0..2_000 {
            let second = f64::from(step) * 0.01;
            assert_eq!(one(second), same(second));
            assert!((one(second) - one(second + 0.01)).abs() < 0.1);
            most = most.max((one(second) - other(second)).abs());
        }
        assert!(most > 0.5);
    }

    #[test]
    fn an_envelope_rises_and_falls_in_its_own_times() {
        let row = Modulation {
            attack_ms: Some(50.0),
            decay_ms: Some(100.0),
            depth: 1.0,
            ..row(Source::Envelope)
        };
        let signal = Signal::new(&row, 1.0);
        let mut features = moment();
        let mut at = |ms: f32| {
            features.beat.phase = ms / 500.0;
            signal.at(&features, MediaTime::ZERO)
        };
        assert_eq!(at(0.0), 0.0);
        assert!((at(25.0) - 0.5).abs() < 1e-4 && (at(50.0) - 1.0).abs() < 1e-4);
        assert!((at(150.0) - 0.368).abs() < 1e-3);
        let onset = Signal::new(&Modulation { trigger: Some(Trigger::Onset), ..row }, 1.0);
        features.onset.count = 1;
        features.onset.strength = 0.5;
        let seen = onset.at(&features, MediaTime::from_secs_f64(0.05));
        assert!((seen - 0.5).abs() < 1e-4, "as strong as the attack: {seen}");
    }

    #[test]
    fn waves_rise_from_zero_and_reach_both_ends() {
        assert!(Wave::Sine.at(0.0).abs() < 1e-6 && Wave::Triangle.at(0.0).abs() < 1e-6);
        assert_eq!((Wave::Triangle.at(0.25), Wave::Triangle.at(0.75)), (1.0, -1.0));
        assert_eq!((Wave::Saw.at(0.0), Wave::Square.at(0.6)), (-1.0, -1.0));
    }

    #[test]
    fn curves_keep_the_ends_and_the_sign() {
        for (curve, key) in Curve::ALL {
            assert_eq!(
                (curve.bend(0.0), curve.bend(1.0), curve.bend(-1.0)),
                (0.0, 1.0, -1.0),
                "{key}"
            );
        }
    }

    #[test]
    fn smoothing_reaches_63_percent_in_its_time_constant() {
        let mut features = Features::default();
        let row = Modulation { smooth_ms: 100.0, depth: 1.0, ..row(Source::Level) };
        let mut smoothed = Smoothed::new(Signal::new(&row, 1.0));
        assert_eq!(smoothed.step(&features, MediaTime::ZERO, 0.0), 0.0);
        features.level = 1.0;
        let mut value = 0.0;
        for _ in 0..100 {
            value = smoothed.step(&features, MediaTime::ZERO, 0.001);
        }
        assert!((value - 0.632).abs() < 0.01, "{value}");
    }

    #[test]
    fn what_is_not_a_number_moves_nothing() {
        let mut features = moment();
        features.bands.bass = f32::NAN;
        assert_eq!(Signal::new(&row(Source::Bass), 1.0).at(&features, MediaTime::ZERO), 0.0);
    }

    #[test]
    fn a_row_reads_as_source_and_depth() {
        assert_eq!(row(Source::Bass).label(), "bass +0.50");
        let lfo = Modulation { every_beats: Some(8.0), depth: -0.2, ..row(Source::Lfo) };
        assert_eq!(lfo.label(), "lfo 8 beats -0.20");
    }
}
