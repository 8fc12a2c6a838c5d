//! The 32 log-spaced bands that patterns draw.

use super::bands::power_db;
use super::features::SPECTRUM_BANDS;
use super::gain::{BandGain, Envelope};

/// Lowest and highest edge, hertz.
const EDGES_HZ: (f32, f32) = (30.0, 16_000.0);
/// Music falls by about this much per octave; the display is tilted back, decibels.
const TILT_DB_PER_OCTAVE: f32 = 3.0;
/// Attack and release of each band, seconds.
const ATTACK_S: f32 = 0.004;
const RELEASE_S: f32 = 0.11;

/// Power in log-spaced bands with fractional bins at the edges, auto-gain and envelopes.
#[derive(Debug)]
pub(crate) struct SpectrumBands {
    /// Edges in units of bins.
    edges: [f32; SPECTRUM_BANDS + 1],
    gain: BandGain<SPECTRUM_BANDS>,
    envelopes: [Envelope; SPECTRUM_BANDS],
}

impl SpectrumBands {
    /// For magnitudes `bin_hz` apart, updated every `dt` seconds.
    pub(crate) fn new(bin_hz: f32, bins: usize, dt: f32) -> Self {
        let ratio = (EDGES_HZ.1 / EDGES_HZ.0).powf(1.0 / SPECTRUM_BANDS as f32);
        let edge = |i: usize| EDGES_HZ.0 * ratio.powi(i as i32) / bin_hz;
        let octaves_per_band = ratio.log2();
        Self {
            edges: std::array::from_fn(|i| edge(i).min(bins as f32 - 1.0)),
            gain: BandGain::new(std::array::from_fn(|i| {
                TILT_DB_PER_OCTAVE * octaves_per_band * i as f32
                    - TILT_DB_PER_OCTAVE * octaves_per_band * SPECTRUM_BANDS as f32 / 3.0
            })),
            envelopes: [Envelope::new(ATTACK_S, RELEASE_S, dt); SPECTRUM_BANDS],
        }
    }

    /// The bands of one magnitude spectrum.
    pub(crate) fn step(&mut self, magnitudes: &[f32], dt: f32) -> [f32; SPECTRUM_BANDS] {
        let levels_db = std::array::from_fn(|i| {
            power_db(2.0 * power_between(magnitudes, self.edges[i], self.edges[i + 1]))
        });
        let mut out = self.gain.apply(levels_db, dt);
        for (y, envelope) in out.iter_mut().zip(&mut self.envelopes) {
            *y = envelope.step(*y);
        }
        out
    }

    /// Forgets the past.
    pub(crate) fn clear(&mut self) {
        self.gain.clear();
        for envelope in &mut self.envelopes {
            envelope.clear();
        }
    }
}

/// Sum of squared magnitudes between two positions on the bin axis; bin `b` covers `b − ½ .. b + ½`.
fn power_between(magnitudes: &[f32], from: f32, to: f32) -> f32 {
    let last = magnitudes.len() - 1;
    let (first_bin, last_bin) = ((from + 0.5) as usize, ((to + 0.5) as usize).min(last));
    let mut sum = 0.0;
    for (bin, m) in magnitudes.iter().enumerate().take(last_bin + 1).skip(first_bin) {
        let overlap = (bin as f32 + 0.5).min(to) - (bin as f32 - 0.5).max(from);
        sum += overlap.max(0.0) * m * m;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_bin_lights_its_band_most() {
        let (bin_hz, bins, dt) = (44_100.0 / 2048.0, 1025, 0.01);
        for bin in [3_usize, 20, 100, 500] {
            let mut bands = SpectrumBands::new(bin_hz, bins, dt);
            let mut magnitudes = vec![1e-5; bins];
            magnitudes[bin] = 0.2;
            let mut out = [0.0; SPECTRUM_BANDS];
            for _ in 0..100 {
                out = bands.step(&magnitudes, dt);
            }
            let top = (0..SPECTRUM_BANDS).max_by(|&a, &b| out[a].total_cmp(&out[b])).unwrap();
            let centre = EDGES_HZ.0
                * (EDGES_HZ.1 / EDGES_HZ.0).powf((top as f32 + 0.5) / SPECTRUM_BANDS as f32);
            let octaves = (centre / (bin as f32 * bin_hz)).log2().abs();
            assert!(octaves < 0.35, "bin {bin} is shown at {centre} Hz");
            assert!(out.iter().all(|y| (0.0..=1.0).contains(y)));
        }
    }
}
