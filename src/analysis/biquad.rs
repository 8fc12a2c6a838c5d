//! Second-order sections for two channels at once.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// State smaller than this is set to zero once per block, so that silence never costs denormal arithmetic.
const TINY: f64 = 1e-30;

/// A second-order Butterworth section in transposed direct form II, on left and right alike.
///
/// Coefficients by the bilinear transform with pre-warping (R. Bristow-Johnson, "Audio EQ cookbook").
#[derive(Clone, Copy, Debug)]
pub(crate) struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [[f64; 2]; 2],
}

impl Biquad {
    /// Low-pass with its −3 dB point at `hz`.
    pub(crate) fn low_pass(hz: f64, sample_rate: u32) -> Self {
        let (cos, alpha) = cos_alpha(hz, sample_rate);
        let side = (1.0 - cos) / 2.0;
        Self::normalised([side, 1.0 - cos, side], cos, alpha)
    }

    /// High-pass with its −3 dB point at `hz`.
    pub(crate) fn high_pass(hz: f64, sample_rate: u32) -> Self {
        let (cos, alpha) = cos_alpha(hz, sample_rate);
        let side = f64::midpoint(1.0, cos);
        Self::normalised([side, -(1.0 + cos), side], cos, alpha)
    }

    /// The first stage of the K-weighting of ITU-R BS.1770-4: a shelf that raises what is above about 1.7 kHz by
    /// 4 dB. The standard gives it for 48 kHz; its analogue prototype is transformed anew for each rate.
    pub(crate) fn k_shelf(sample_rate: u32) -> Self {
        const CORNER_HZ: f64 = 1_681.974_450_955_533;
        const GAIN_DB: f64 = 3.999_843_853_973_347;
        const Q: f64 = 0.707_175_236_955_419_6;
        let k = (std::f64::consts::PI * CORNER_HZ / f64::from(sample_rate)).tan();
        let high = 10.0_f64.powf(GAIN_DB / 20.0);
        let band = high.powf(0.499_666_774_154_541_6);
        let a0 = 1.0 + k / Q + k * k;
        Self {
            b: [
                (high + band * k / Q + k * k) / a0,
                2.0 * (k * k - high) / a0,
                (high - band * k / Q + k * k) / a0,
            ],
            a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / Q + k * k) / a0],
            state: [[0.0; 2]; 2],
        }
    }

    /// The second stage of the K-weighting: a high-pass at 38 Hz, not scaled to 1 above it, as the standard has it.
    pub(crate) fn k_high_pass(sample_rate: u32) -> Self {
        const CORNER_HZ: f64 = 38.135_470_876_139_82;
        const Q: f64 = 0.500_327_037_323_877_3;
        let k = (std::f64::consts::PI * CORNER_HZ / f64::from(sample_rate)).tan();
        let a0 = 1.0 + k / Q + k * k;
        Self {
            b: [1.0, -2.0, 1.0],
            a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / Q + k * k) / a0],
            state: [[0.0; 2]; 2],
        }
    }

    fn normalised(b: [f64; 3], cos: f64, alpha: f64) -> Self {
        let a0 = 1.0 + alpha;
        Self {
            b: b.map(|b| b / a0),
            a: [-2.0 * cos / a0, (1.0 - alpha) / a0],
            state: [[0.0; 2]; 2],
        }
    }

    /// One sample of both channels.
    pub(crate) fn process(&mut self, x: [f64; 2]) -> [f64; 2] {
        let mut y = [0.0; 2];
        for c in 0..2 {
            y[c] = self.b[0] * x[c] + self.state[0][c];
            self.state[0][c] = self.b[1] * x[c] - self.a[0] * y[c] + self.state[1][c];
            self.state[1][c] = self.b[2] * x[c] - self.a[1] * y[c];
        }
        y
    }

    /// Drops state too small to hear.
    pub(crate) fn flush_tiny(&mut self) {
        for s in self.state.as_flattened_mut() {
            if s.abs() < TINY {
                *s = 0.0;
            }
        }
    }

    /// Forgets the past.
    pub(crate) fn clear(&mut self) {
        self.state = [[0.0; 2]; 2];
    }
}

fn cos_alpha(hz: f64, sample_rate: u32) -> (f64, f64) {
    let rate = f64::from(sample_rate);
    let omega = TAU * hz.min(0.45 * rate) / rate;
    (omega.cos(), omega.sin() / (2.0 * FRAC_1_SQRT_2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain_at(mut section: Biquad, hz: f64) -> f64 {
        let mut peak = 0.0_f64;
        for n in 0..44_100 {
            let x = (TAU * hz * f64::from(n) / 44_100.0).sin();
            let [y, _] = section.process([x, x]);
            if n > 22_050 {
                peak = peak.max(y.abs());
            }
        }
        peak
    }

    #[test]
    fn the_corner_is_three_decibels_down() {
        for section in [Biquad::low_pass(150.0, 44_100), Biquad::high_pass(150.0, 44_100)] {
            assert!((gain_at(section, 150.0) - FRAC_1_SQRT_2).abs() < 0.01);
        }
        assert!((gain_at(Biquad::low_pass(150.0, 44_100), 15.0) - 1.0).abs() < 0.01);
        assert!(gain_at(Biquad::high_pass(150.0, 44_100), 15.0) < 0.011);
    }
}
