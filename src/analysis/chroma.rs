//! Which notes sound, whatever their octave, and the key they make.

use super::biquad::Biquad;
use super::history::History;
use super::transform::{ShortTimeSpectrum, transform_len};

/// Rate to which the sound is thinned out: notes up to 1 760 Hz need no more, hertz.
const THINNED_HZ: u32 = 11_025;
/// Length of the transform, seconds: 4096 samples of it tell semitones apart from A1 up.
const FRAME_S: f64 = 0.3715;
/// Lowest note, MIDI: A1.
const LOWEST: i32 = 33;
/// Semitones from it: to A6.
const SEMITONES: usize = 60;
/// Hops of 10 ms between two looks.
const HOPS: u32 = 5;
/// Seconds between two looks.
const STEP_S: f32 = 0.05;
/// Time constants of the chroma that is shown, and of that from which the key is told, seconds.
const CHROMA_S: f32 = 0.4;
const KEY_S: f32 = 12.0;
/// Sound weaker than this has no notes.
const WEAKEST: f32 = 1e-5;
/// Another key must fit better by this much (correlation) to take over.
const KEY_LEAD: f32 = 0.03;

/// How often each degree is sounded in major and minor: the probe-tone profiles of C. Krumhansl, "Cognitive
/// Foundations of Musical Pitch" (1990).
const MAJOR: [f32; 12] = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR: [f32; 12] = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];

/// A key: a tonic and a mode.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Key {
    /// The tonic in semitones above C, 0..=11.
    pub tonic: u8,
    /// Minor instead of major.
    pub minor: bool,
    /// How well the notes of the last 12 s fit it, 0 (not known) to 1.
    pub confidence: f32,
}

impl Key {
    /// Its name, as in "F# minor".
    #[must_use]
    pub fn name(&self) -> String {
        const TONICS: [&str; 12] =
            ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
        let mode = if self.minor { "minor" } else { "major" };
        format!("{} {mode}", TONICS[usize::from(self.tonic) % 12])
    }
}

/// Chroma every 50 ms, from a transform of 0.37 s: about 0.15 s late.
pub(crate) struct ChromaMeter {
    anti_alias: [Biquad; 2],
    factor: u32,
    taken: u32,
    history: History,
    transform: ShortTimeSpectrum,
    bin_hz: f32,
    hops: u32,
    shown: [f32; 12],
    slow: [f32; 12],
    key: Key,
}

impl std::fmt::Debug for ChromaMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChromaMeter").field("key", &self.key).finish_non_exhaustive()
    }
}

impl ChromaMeter {
    pub(crate) fn new(sample_rate: u32) -> Self {
        let factor = (sample_rate / THINNED_HZ).max(1);
        let thinned = sample_rate / factor;
        let transform = ShortTimeSpectrum::new(transform_len(FRAME_S, thinned));
        Self {
            anti_alias: [Biquad::low_pass(2_500.0, sample_rate); 2],
            factor,
            taken: 0,
            history: History::new(transform.len()),
            bin_hz: sample_rate as f32 / factor as f32 / transform.len() as f32,
            transform,
            hops: 0,
            shown: [0.0; 12],
            slow: [0.0; 12],
            key: Key::default(),
        }
    }

    /// Takes left-right pairs.
    pub(crate) fn process(&mut self, block: &[[f32; 2]]) {
        for frame in block {
            let [first, second] = &mut self.anti_alias;
            let [left, right] = second.process(first.process(frame.map(f64::from)));
            self.taken += 1;
            if self.taken == self.factor {
                self.taken = 0;
                self.history.push(f64::midpoint(left, right) as f32);
            }
        }
        self.anti_alias.iter_mut().for_each(Biquad::flush_tiny);
    }

    /// Ends a hop of 10 ms: the strength of the twelve pitch classes from C on (the strongest is 1, all are 0 in
    /// silence), and the key.
    pub(crate) fn end_hop(&mut self) -> ([f32; 12], Key) {
        self.hops += 1;
        if self.hops >= HOPS {
            self.hops = 0;
            self.look();
        }
        let most = self.shown.iter().fold(0.0_f32, |m, &x| m.max(x));
        let gain = if most > WEAKEST { 1.0 / most } else { 0.0 };
        (self.shown.map(|x| x * gain), self.key)
    }

    fn look(&mut self) {
        let magnitudes = self.transform.magnitudes_of(self.history.latest(self.transform.len()));
        let mut notes = [0.0_f32; SEMITONES];
        for (n, note) in notes.iter_mut().enumerate() {
            let hz = 440.0 * ((LOWEST + n as i32 - 69) as f32 / 12.0).exp2();
            // A quarter tone to each side: an instrument out of tune is heard too.
            let (from, to) = (hz / QUARTER_TONE / self.bin_hz, hz * QUARTER_TONE / self.bin_hz);
            let (from, to) = ((from.round() as usize).max(1), to.round() as usize);
            let bins = &magnitudes[from.min(magnitudes.len())..(to + 1).min(magnitudes.len())];
            *note = bins.iter().fold(0.0, |m, &x| if x > m { x } else { m });
        }
        // Only peaks among the semitones are notes; what leaks beside them is not.
        let mut now = [0.0_f32; 12];
        for n in 1..SEMITONES - 1 {
            if notes[n] > WEAKEST && notes[n] >= notes[n - 1] && notes[n] >= notes[n + 1] {
                let class = (LOWEST as usize + n) % 12;
                now[class] += notes[n].sqrt();
            }
        }
        let (shown, slow) = (1.0 - (-STEP_S / CHROMA_S).exp(), 1.0 - (-STEP_S / KEY_S).exp());
        for ((now, fast_follower), slow_follower) in
            now.iter().zip(&mut self.shown).zip(&mut self.slow)
        {
            *fast_follower += shown * (now - *fast_follower);
            *slow_follower += slow * (now - *slow_follower);
        }
        self.tell_key();
    }

    fn tell_key(&mut self) {
        if self.slow.iter().all(|&x| x <= WEAKEST) {
            return;
        }
        let fit = |tonic: usize, minor: bool| {
            correlation(&self.slow, if minor { &MINOR } else { &MAJOR }, tonic)
        };
        let mut best = (f32::NEG_INFINITY, 0, false);
        for tonic in 0..12 {
            for minor in [false, true] {
                let fits = fit(tonic, minor);
                if fits > best.0 {
                    best = (fits, tonic, minor);
                }
            }
        }
        let present = fit(usize::from(self.key.tonic), self.key.minor);
        if self.key.confidence <= 0.0 || best.0 > present + KEY_LEAD {
            self.key =
                Key { tonic: best.1 as u8, minor: best.2, confidence: best.0.clamp(0.0, 1.0) };
        } else {
            self.key.confidence = present.clamp(0.0, 1.0);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.anti_alias.iter_mut().for_each(Biquad::clear);
        self.taken = 0;
        self.history.clear();
        self.hops = 0;
        self.shown = [0.0; 12];
        self.slow = [0.0; 12];
        self.key = Key::default();
    }
}

/// Ratio of a quarter tone, less a hair: the 24th root of 2 would be shared by two semitones.
const QUARTER_TONE: f32 = 1.025;

fn correlation(notes: &[f32; 12], profile: &[f32; 12], tonic: usize) -> f32 {
    let mean = |values: &[f32; 12]| values.iter().sum::<f32>() / 12.0;
    let (mean_notes, mean_profile) = (mean(notes), mean(profile));
    let (mut both, mut square_notes, mut square_profile) = (0.0, 0.0, 0.0);
    for (class, note) in notes.iter().enumerate() {
        let (a, b) = (note - mean_notes, profile[(class + 12 - tonic) % 12] - mean_profile);
        both += a * b;
        square_notes += a * a;
        square_profile += b * b;
    }
    both / (square_notes * square_profile).sqrt().max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(meter: &mut ChromaMeter, notes: &[i32], seconds: f32) -> ([f32; 12], Key) {
        let mut last = ([0.0; 12], Key::default());
        for hop in 0..(100.0 * seconds) as usize {
            let block: Vec<[f32; 2]> = (0..441)
                .map(|n| {
                    let t = (hop * 441 + n) as f64 / 44_100.0;
                    let tone = |note: &i32| {
                        let hz = 440.0 * (f64::from(note - 69) / 12.0).exp2();
                        (1..4)
                            .map(|k| {
                                (std::f64::consts::TAU * hz * f64::from(k) * t).sin()
                                    / f64::from(k * k)
                            })
                            .sum::<f64>()
                    };
                    [(0.1 * notes.iter().map(tone).sum::<f64>()) as f32; 2]
                })
                .collect();
            meter.process(&block);
            last = meter.end_hop();
        }
        last
    }

    #[test]
    fn the_notes_of_a_chord_are_its_strongest_classes() {
        let (chroma, _) = hear(&mut ChromaMeter::new(44_100), &[57, 60, 64], 2.0);
        let mut order: Vec<usize> = (0..12).collect();
        order.sort_by(|&a, &b| chroma[b].total_cmp(&chroma[a]));
        let mut top = [order[0], order[1], order[2]];
        top.sort_unstable();
        assert_eq!(top, [0, 4, 9], "{chroma:?}");
        assert!(chroma.iter().all(|x| (0.0..=1.0).contains(x)));
    }

    #[test]
    fn a_cadence_tells_its_key() {
        for (tonic, minor, name) in
            [(0, false, "C major"), (7, false, "G major"), (9, true, "A minor")]
        {
            let mut meter = ChromaMeter::new(44_100);
            let third = if minor { 3 } else { 4 };
            let (one, four) = ([0, third, 7], [5, 5 + third, 12]);
            let five = [7, 11, 14];
            let mut key = Key::default();
            for chord in [one, four, five, one, one, four, five, one] {
                let notes = chord.map(|step| 48 + tonic + step);
                key = hear(&mut meter, &notes, 1.0).1;
            }
            assert_eq!(key.name(), name, "{key:?}");
            assert!(key.confidence > 0.6, "{key:?}");
        }
    }

    #[test]
    fn silence_has_no_notes_and_no_key() {
        let (chroma, key) = hear(&mut ChromaMeter::new(44_100), &[], 1.0);
        assert_eq!((chroma, key.confidence), ([0.0; 12], 0.0));
    }
}
