//! The beat's raw material: how much the sound attacks right now, in four bands, 0..1.

use super::filterbank::{LogFilterbank, compress};
use super::flux::SuperFlux;

/// Number of bands.
pub(crate) const ODF_BANDS: usize = 4;
/// Upper edges of the bands but the last, hertz.
const EDGES_HZ: [f32; ODF_BANDS - 1] = [130.0, 500.0, 2_500.0];
/// How much each band counts.
pub(crate) const WEIGHTS: [f32; ODF_BANDS] = [1.0, 1.0, 1.0, 0.7];
/// Time constant of the mean that is subtracted, seconds.
const MEAN_S: f32 = 0.4;
/// Time constant of the peak that is divided by, seconds.
const PEAK_S: f32 = 4.0;
/// A band whose peak flux is below this does not count as full.
pub(crate) const QUIETEST_PEAK: f32 = 0.02;

/// Band-wise SuperFlux, freed of its mean and scaled by its recent peak.
#[derive(Debug)]
pub(crate) struct BeatActivation {
    bank: LogFilterbank,
    /// First filter of each band, and the end.
    starts: [usize; ODF_BANDS + 1],
    bands: Vec<f32>,
    flux: SuperFlux,
    raw: [f32; ODF_BANDS],
    mean: [f32; ODF_BANDS],
    peak: [f32; ODF_BANDS],
    mean_rate: f32,
    peak_keep: f32,
}

impl BeatActivation {
    /// For `bins` magnitudes `bin_hz` apart, every `dt` seconds.
    pub(crate) fn new(bin_hz: f32, bins: usize, dt: f32) -> Self {
        let bank = LogFilterbank::new(30.0, 16_000.0, 24.0, bin_hz, bins);
        let mut starts = [bank.len(); ODF_BANDS + 1];
        starts[0] = 0;
        for (start, edge) in starts[1..].iter_mut().zip(EDGES_HZ) {
            *start = (0..bank.len()).find(|&i| bank.centre_hz(i) >= edge).unwrap_or(bank.len());
        }
        Self {
            starts,
            bands: vec![0.0; bank.len()],
            flux: SuperFlux::new(bank.len()),
            raw: [0.0; ODF_BANDS],
            bank,
            mean: [0.0; ODF_BANDS],
            peak: [QUIETEST_PEAK; ODF_BANDS],
            mean_rate: 1.0 - (-dt / MEAN_S).exp(),
            peak_keep: (-dt / PEAK_S).exp(),
        }
    }

    /// The activation of one magnitude spectrum, 0..=1.
    pub(crate) fn step(&mut self, magnitudes: &[f32]) -> f32 {
        self.bank.apply(magnitudes, &mut self.bands);
        compress(&mut self.bands);
        let rise = self.flux.step(&self.bands);
        let mut total = 0.0;
        for band in 0..ODF_BANDS {
            let of_band = &rise[self.starts[band]..self.starts[band + 1]];
            let flux = of_band.iter().sum::<f32>() / of_band.len().max(1) as f32;
            self.raw[band] = flux;
            let over = (flux - self.mean[band]).max(0.0);
            self.mean[band] += self.mean_rate * (flux - self.mean[band]);
            self.peak[band] = (self.peak[band] * self.peak_keep).max(over).max(QUIETEST_PEAK);
            total += WEIGHTS[band] * over / self.peak[band];
        }
        total / WEIGHTS.iter().sum::<f32>()
    }

    /// Centre frequencies of the filters of [`bands`](Self::bands), hertz.
    pub(crate) fn centres_hz(&self) -> impl Iterator<Item = f32> {
        (0..self.bank.len()).map(|filter| self.bank.centre_hz(filter))
    }

    /// Mean rise in each band at the last frame, before mean and peak are taken out.
    pub(crate) fn flux(&self) -> [f32; ODF_BANDS] {
        self.raw
    }

    /// Compressed band magnitudes of the last frame: what the sound is made of.
    pub(crate) fn bands(&self) -> &[f32] {
        &self.bands
    }

    /// Forgets the past.
    pub(crate) fn clear(&mut self) {
        self.bands.fill(0.0);
        self.flux.clear();
        self.raw = [0.0; ODF_BANDS];
        self.mean = [0.0; ODF_BANDS];
        self.peak = [QUIETEST_PEAK; ODF_BANDS];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attack_in_every_band_activates_fully_and_a_steady_sound_not_at_all() {
        let mut activation = BeatActivation::new(44_100.0 / 2048.0, 1025, 0.01);
        let mut seen = Vec::new();
        for n in 0..200 {
            let level = if n % 50 < 3 { 0.05 } else { 0.0005 };
            seen.push(activation.step(&vec![level; 1025]));
        }
        assert!(seen[150] > 0.9, "{}", seen[150]);
        assert!(seen[153..200].iter().all(|&a| a < 0.01));
    }
}
