//! Short-time magnitude spectra with a window that hears the newest samples early.

use std::f32::consts::PI;
use std::fmt;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

/// Share of the window that rises; the rest falls to the newest sample.
const RISE: f32 = 0.8;

/// Magnitudes of the latest `len` samples, allocation-free after construction.
///
/// The window rises as sin² over 80 % and falls as cos² over the last 20 %, so that an attack shows after a
/// few milliseconds instead of half a window. Magnitudes are divided by the window's sum: a sine of
/// amplitude 1 gives 0.5.
pub(crate) struct ShortTimeSpectrum {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    input: Vec<f32>,
    output: Vec<Complex32>,
    scratch: Vec<Complex32>,
    magnitudes: Vec<f32>,
}

impl ShortTimeSpectrum {
    /// A transform of `len` samples.
    pub(crate) fn new(len: usize) -> Self {
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(len);
        let mut window = asymmetric_window(len);
        let sum: f32 = window.iter().sum();
        for w in &mut window {
            *w /= sum;
        }
        let (input, output) = (fft.make_input_vec(), fft.make_output_vec());
        let scratch = fft.make_scratch_vec();
        let magnitudes = vec![0.0; output.len()];
        Self { fft, window, input, output, scratch, magnitudes }
    }

    /// Samples per transform.
    pub(crate) fn len(&self) -> usize {
        self.window.len()
    }

    /// Number of magnitudes.
    pub(crate) fn bins(&self) -> usize {
        self.magnitudes.len()
    }

    /// Magnitudes of `samples`, of which there must be `len`.
    pub(crate) fn magnitudes_of(&mut self, samples: &[f32]) -> &[f32] {
        for ((x, s), w) in self.input.iter_mut().zip(samples).zip(&self.window) {
            *x = s * w;
        }
        // The buffers come from the plan itself, so their lengths always fit.
        let done =
            self.fft.process_with_scratch(&mut self.input, &mut self.output, &mut self.scratch);
        if done.is_err() {
            self.magnitudes.fill(0.0);
            return &self.magnitudes;
        }
        for (m, c) in self.magnitudes.iter_mut().zip(&self.output) {
            *m = (c.re * c.re + c.im * c.im).sqrt();
        }
        &self.magnitudes
    }
}

impl fmt::Debug for ShortTimeSpectrum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShortTimeSpectrum").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// The power of two nearest to `seconds` at `sample_rate`, at least 64.
pub(crate) fn transform_len(seconds: f64, sample_rate: u32) -> usize {
    let exponent = (seconds * f64::from(sample_rate)).log2().round().clamp(6.0, 16.0);
    1 << exponent as u32
}

fn asymmetric_window(len: usize) -> Vec<f32> {
    let rise = (len as f32 * RISE).round();
    let fall = len as f32 - rise;
    (0..len)
        .map(|i| {
            let i = i as f32 + 0.5;
            let quarter = if i < rise { i / rise } else { (len as f32 - i) / fall };
            (0.5 * PI * quarter).sin().powi(2)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_sine_on_a_bin_measures_one_half() {
        let len = 2048;
        let mut transform = ShortTimeSpectrum::new(len);
        let bin = 100;
        let sine: Vec<f32> =
            (0..len).map(|n| (2.0 * PI * (bin * n % len) as f32 / len as f32).sin()).collect();
        let magnitudes = transform.magnitudes_of(&sine);
        let peak = (0..magnitudes.len()).max_by(|&a, &b| magnitudes[a].total_cmp(&magnitudes[b]));
        assert_eq!(peak, Some(bin));
        assert!((magnitudes[bin] - 0.5).abs() < 0.01, "{}", magnitudes[bin]);
    }

    #[test]
    fn the_length_follows_the_sample_rate() {
        let lengths =
            [22_050, 44_100, 48_000, 96_000, 192_000].map(|rate| transform_len(0.0464, rate));
        assert_eq!(lengths, [1024, 2048, 2048, 4096, 8192]);
    }
}
