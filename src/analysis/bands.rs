//! Low, middle and high band by crossover filters: energies a few milliseconds old.
//!
//! Filters instead of a transform, because a transform of useful low-frequency resolution is 20 ms late.

use super::biquad::Biquad;

/// Where bass ends, hertz.
const BASS_MID_HZ: f64 = 150.0;
/// Where the middle ends, hertz.
const MID_TREBLE_HZ: f64 = 2_000.0;
/// Smoothing of the squared signal, seconds.
const SMOOTHING_S: f64 = 0.001;
/// How long a peak of power is remembered per band, seconds: a wave of the lowest tone must not ripple.
const PEAK_DECAY_S: [f64; 3] = [0.025, 0.010, 0.005];

/// Fourth-order Linkwitz–Riley crossovers (two equal Butterworth sections in series; S. Linkwitz,
/// "Active crossover networks for noncoincident drivers", JAES 1976) and a power follower per band.
#[derive(Debug)]
pub(crate) struct Crossover {
    rumble: Biquad,
    air: Biquad,
    low: [Biquad; 2],
    not_low: [Biquad; 2],
    mid: [Biquad; 2],
    high: [Biquad; 2],
    smoothing: f64,
    decay: [f64; 3],
    smooth: [f64; 3],
    peak: [f64; 3],
}

impl Crossover {
    pub(crate) fn new(sample_rate: u32) -> Self {
        let rate = f64::from(sample_rate);
        Self {
            rumble: Biquad::high_pass(20.0, sample_rate),
            air: Biquad::low_pass(16_000.0, sample_rate),
            low: [Biquad::low_pass(BASS_MID_HZ, sample_rate); 2],
            not_low: [Biquad::high_pass(BASS_MID_HZ, sample_rate); 2],
            mid: [Biquad::low_pass(MID_TREBLE_HZ, sample_rate); 2],
            high: [Biquad::high_pass(MID_TREBLE_HZ, sample_rate); 2],
            smoothing: 1.0 - (-1.0 / (SMOOTHING_S * rate)).exp(),
            decay: PEAK_DECAY_S.map(|s| (-1.0 / (s * rate)).exp()),
            smooth: [0.0; 3],
            peak: [0.0; 3],
        }
    }

    /// Takes a block of left-right pairs.
    pub(crate) fn process(&mut self, block: &[[f32; 2]]) {
        for frame in block {
            let x = self.rumble.process(frame.map(f64::from));
            let bass = series(&mut self.low, x);
            let rest = series(&mut self.not_low, x);
            let mid = series(&mut self.mid, rest);
            let treble = self.air.process(series(&mut self.high, rest));
            for (band, y) in [bass, mid, treble].into_iter().enumerate() {
                let power = 0.5 * (y[0] * y[0] + y[1] * y[1]);
                self.smooth[band] += self.smoothing * (power - self.smooth[band]);
                let held = self.peak[band] * self.decay[band];
                self.peak[band] = if self.smooth[band] > held { self.smooth[band] } else { held };
            }
        }
        self.flush_tiny();
    }

    /// Power of bass, mid and treble in dB full scale (a full-scale sine is −3), at least −120.
    pub(crate) fn levels_db(&self) -> [f32; 3] {
        self.peak.map(|power| power_db(power as f32))
    }

    /// Forgets the past.
    pub(crate) fn clear(&mut self) {
        for section in self.sections() {
            section.clear();
        }
        self.smooth = [0.0; 3];
        self.peak = [0.0; 3];
    }

    fn flush_tiny(&mut self) {
        for section in self.sections() {
            section.flush_tiny();
        }
        for x in self.smooth.iter_mut().chain(&mut self.peak) {
            if *x < 1e-30 {
                *x = 0.0;
            }
        }
    }

    fn sections(&mut self) -> impl Iterator<Item = &mut Biquad> {
        [&mut self.rumble, &mut self.air]
            .into_iter()
            .chain(&mut self.low)
            .chain(&mut self.not_low)
            .chain(&mut self.mid)
            .chain(&mut self.high)
    }
}

fn series(sections: &mut [Biquad; 2], x: [f64; 2]) -> [f64; 2] {
    let [first, second] = sections;
    second.process(first.process(x))
}

/// Power to decibels, never below −120.
pub(crate) fn power_db(power: f32) -> f32 {
    10.0 * power.max(1e-12).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    fn levels_of_sine(hz: f32) -> [f32; 3] {
        let mut bands = Crossover::new(48_000);
        let block: Vec<[f32; 2]> =
            (0..48_000).map(|n| [(TAU * hz * n as f32 / 48_000.0).sin(); 2]).collect();
        bands.process(&block);
        bands.levels_db()
    }

    #[test]
    fn each_tone_lands_in_its_band() {
        for (hz, band) in [(60.0, 0), (550.0, 1), (6_000.0, 2)] {
            let levels = levels_of_sine(hz);
            assert!(levels[band] > -4.5, "{hz} Hz: {levels:?}");
            for other in (0..3).filter(|&b| b != band) {
                assert!(levels[other] < -25.0, "{hz} Hz: {levels:?}");
            }
        }
    }

    #[test]
    fn opposite_channels_do_not_cancel() {
        let mut bands = Crossover::new(44_100);
        let block: Vec<[f32; 2]> = (0..44_100)
            .map(|n| (TAU * 60.0 * n as f32 / 44_100.0).sin())
            .map(|s| [s, -s])
            .collect();
        bands.process(&block);
        assert!(bands.levels_db()[0] > -4.5);
    }
}
