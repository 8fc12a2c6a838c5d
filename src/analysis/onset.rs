//! When a note or drum begins: SuperFlux every 5 ms, picked with an adaptive threshold.

use super::filterbank::{LogFilterbank, compress};
use super::flux::SuperFlux;
use super::history::History;
use super::transform::{ShortTimeSpectrum, transform_len};

/// Length of the fast transform, seconds: 1024 samples at 44.1 kHz.
const FRAME_S: f64 = 0.0232;
/// Steps of 5 ms over which the mean flux is taken: 0.4 s.
const MEAN_STEPS: usize = 80;
/// Flux that never is an onset.
const FLOOR: f32 = 0.02;
/// Flux must exceed the mean by this factor.
const OVER_MEAN: f32 = 1.6;
/// Steps between two onsets, at least: 50 ms.
const GAP_STEPS: u32 = 10;
/// The strongest flux is forgotten with this factor per step (time constant 8 s).
const FORGET: f32 = 0.999_375;
/// Full strength needs at least this flux.
const WEAKEST_FULL: f32 = 0.12;
/// Steps for which an onset may still grow in strength: 20 ms.
const GROW_STEPS: u32 = 4;

/// How far back an attack is looked for, seconds, and how long before that the sound is taken for what it was.
const ATTACK_SEARCH_S: f64 = 0.008;
/// An attack stands out if it is louder by this factor than what was before it.
const STANDS_OUT: f32 = 3.0;

/// How long after the attack the detector decides, seconds; measured on clicks and drum strokes. Taken where
/// the attack itself cannot be seen in the samples.
pub(crate) const ONSET_DELAY_S: f64 = 0.004;

/// What the detector says after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OnsetStep {
    /// Nothing new.
    Quiet,
    /// An onset.
    Onset {
        /// Its strength, 0..=1.
        strength: f32,
        /// How long ago its attack was, seconds.
        age_s: f64,
    },
    /// The onset just reported is stronger than it seemed.
    Stronger(f32),
}

/// The onset detector.
#[derive(Debug)]
pub(crate) struct OnsetDetector {
    transform: ShortTimeSpectrum,
    bank: LogFilterbank,
    bands: Vec<f32>,
    flux: SuperFlux,
    recent: [f32; MEAN_STEPS],
    next: usize,
    since_onset: u32,
    peak_of_onset: f32,
    trough: f32,
    armed: bool,
    strongest: f32,
    needed: f32,
    sample_rate: u32,
}

impl OnsetDetector {
    pub(crate) fn new(sample_rate: u32) -> Self {
        let transform = ShortTimeSpectrum::new(transform_len(FRAME_S, sample_rate));
        let bin_hz = sample_rate as f32 / transform.len() as f32;
        let bank = LogFilterbank::new(30.0, 16_000.0, 24.0, bin_hz, transform.bins());
        Self {
            bands: vec![0.0; bank.len()],
            flux: SuperFlux::new(bank.len()),
            transform,
            bank,
            recent: [0.0; MEAN_STEPS],
            next: 0,
            since_onset: GAP_STEPS,
            peak_of_onset: 0.0,
            trough: 0.0,
            armed: true,
            strongest: WEAKEST_FULL,
            needed: FLOOR,
            sample_rate,
        }
    }

    /// Samples that the history must hold.
    pub(crate) fn frame_len(&self) -> usize {
        self.transform.len()
    }

    /// One step of 5 ms.
    pub(crate) fn step(&mut self, history: &History) -> OnsetStep {
        let samples = history.latest(self.transform.len());
        let magnitudes = self.transform.magnitudes_of(samples);
        self.bank.apply(magnitudes, &mut self.bands);
        compress(&mut self.bands);
        let rise = self.flux.step(&self.bands);
        let flux = rise.iter().sum::<f32>() / rise.len().max(1) as f32;
        match self.pick(flux) {
            OnsetStep::Onset { strength, .. } => {
                let age_s = self.attack_age_s(history).unwrap_or(ONSET_DELAY_S);
                OnsetStep::Onset { strength, age_s }
            }
            other => other,
        }
    }

    /// How long ago the sound rose, seconds, where it stands out from what was before: steps of 5 ms alone
    /// would put a click up to 6 ms from its place. `None` where the attack hides in other sound.
    fn attack_age_s(&self, history: &History) -> Option<f64> {
        let span = (ATTACK_SEARCH_S * f64::from(self.sample_rate)) as usize;
        let samples = history.latest(2 * span);
        let (before, latest) = samples.split_at(samples.len().saturating_sub(span));
        let loudest = |part: &[f32]| part.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let (quiet, peak) = (loudest(before), loudest(latest));
        if peak <= STANDS_OUT * quiet {
            return None;
        }
        let rise = (peak / STANDS_OUT).max(1.5 * quiet);
        let first = latest.iter().position(|x| x.abs() >= rise)?;
        Some((latest.len() - first) as f64 / f64::from(self.sample_rate))
    }

    fn pick(&mut self, flux: f32) -> OnsetStep {
        let mean = self.recent.iter().sum::<f32>() / MEAN_STEPS as f32;
        self.recent[self.next] = flux;
        self.next = (self.next + 1) % MEAN_STEPS;
        self.strongest = (self.strongest * FORGET).max(flux).max(WEAKEST_FULL);
        self.since_onset = self.since_onset.saturating_add(1);
        self.needed = FLOOR + OVER_MEAN * mean;

        if self.since_onset <= GROW_STEPS && flux > self.peak_of_onset {
            self.peak_of_onset = flux;
            self.trough = flux;
            return OnsetStep::Stronger(self.strength());
        }
        if flux < self.trough {
            self.trough = flux;
        }
        self.armed |= flux < 0.5 * self.peak_of_onset
            || flux > 1.6 * self.trough && self.since_onset > GAP_STEPS;
        if self.armed && self.since_onset > GAP_STEPS && flux > self.needed {
            self.armed = false;
            self.since_onset = 0;
            self.peak_of_onset = flux;
            self.trough = flux;
            return OnsetStep::Onset { strength: self.strength(), age_s: ONSET_DELAY_S };
        }
        OnsetStep::Quiet
    }

    fn strength(&self) -> f32 {
        self.strength_of(self.peak_of_onset)
    }

    /// The strength that an attack needs at this step, 0..=1.
    pub(crate) fn threshold(&self) -> f32 {
        self.strength_of(self.needed)
    }

    fn strength_of(&self, flux: f32) -> f32 {
        (flux / self.strongest).clamp(0.0, 1.0).sqrt()
    }

    /// Forgets the past.
    pub(crate) fn clear(&mut self) {
        self.flux.clear();
        self.recent = [0.0; MEAN_STEPS];
        self.since_onset = GAP_STEPS;
        self.peak_of_onset = 0.0;
        self.trough = 0.0;
        self.armed = true;
        self.strongest = WEAKEST_FULL;
        self.needed = FLOOR;
    }
}
