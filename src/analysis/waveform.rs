//! The waveform window: about 23 ms of sound, aligned so that a steady tone stands still.

use super::features::WAVEFORM_SAMPLES;
use super::history::History;

/// Rate to which the sound is thinned out for drawing, hertz.
const DRAWN_RATE_HZ: u32 = 11_025;
/// How many drawn samples back the search for a good start may go.
const SEARCH: usize = 256;
/// Every this many samples two windows are compared.
const COMPARE_STEP: usize = 8;
/// Peaks are forgotten with this time constant, seconds.
const PEAK_FORGET_S: f32 = 3.0;
/// Sound below this peak is not made larger than 1 : 300.
const QUIETEST_PEAK: f32 = 0.003;

/// Thins the sound out, and picks the rising zero crossing whose window looks most like the last one.
#[derive(Debug)]
pub(crate) struct Waveform {
    factor: u32,
    taken: u32,
    sum: f32,
    history: History,
    shown: [f32; WAVEFORM_SAMPLES],
    peak: f32,
    forget: f32,
}

impl Waveform {
    pub(crate) fn new(sample_rate: u32) -> Self {
        let factor = (sample_rate / DRAWN_RATE_HZ).max(1);
        let drawn_rate = sample_rate as f32 / factor as f32;
        Self {
            factor,
            taken: 0,
            sum: 0.0,
            history: History::new(WAVEFORM_SAMPLES + SEARCH),
            shown: [0.0; WAVEFORM_SAMPLES],
            peak: QUIETEST_PEAK,
            forget: (-1.0 / (PEAK_FORGET_S * drawn_rate)).exp(),
        }
    }

    /// Takes one sample.
    pub(crate) fn push(&mut self, mono: f32) {
        self.sum += mono;
        self.taken += 1;
        if self.taken == self.factor {
            let sample = self.sum / self.factor as f32;
            self.history.push(sample);
            self.peak = (self.peak * self.forget).max(sample.abs()).max(QUIETEST_PEAK);
            self.taken = 0;
            self.sum = 0.0;
        }
    }

    /// The window to draw now, −1..=1, oldest first.
    pub(crate) fn window(&mut self) -> [f32; WAVEFORM_SAMPLES] {
        let samples = self.history.latest(WAVEFORM_SAMPLES + SEARCH);
        let gain = 0.95 / self.peak;
        let mut best = (SEARCH, f32::NEG_INFINITY);
        for start in 1..=SEARCH {
            if samples[start - 1] < 0.0 && samples[start] >= 0.0 {
                let window = &samples[start..start + WAVEFORM_SAMPLES];
                let likeness: f32 = window
                    .iter()
                    .step_by(COMPARE_STEP)
                    .zip(self.shown.iter().step_by(COMPARE_STEP))
                    .map(|(now, before)| now * gain * before)
                    .sum();
                // Of equals the newest.
                if likeness >= best.1 {
                    best = (start, likeness);
                }
            }
        }
        let window = &samples[best.0..best.0 + WAVEFORM_SAMPLES];
        for (y, s) in self.shown.iter_mut().zip(window) {
            *y = (s * gain).clamp(-1.0, 1.0);
        }
        self.shown
    }

    /// Forgets the past.
    pub(crate) fn clear(&mut self) {
        self.taken = 0;
        self.sum = 0.0;
        self.history.clear();
        self.shown = [0.0; WAVEFORM_SAMPLES];
        self.peak = QUIETEST_PEAK;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    #[test]
    fn a_steady_tone_stands_still_and_fills_the_height() {
        let mut waveform = Waveform::new(44_100);
        let mut before = [0.0; WAVEFORM_SAMPLES];
        for hop in 0..60 {
            for n in 0..441 {
                let t = (hop * 441 + n) as f32 / 44_100.0;
                waveform.push(0.02 * (TAU * 113.0 * t).sin() + 0.01 * (TAU * 226.0 * t).sin());
            }
            let now = waveform.window();
            if hop > 20 {
                let apart = now.iter().zip(before).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(apart < 0.2, "hop {hop} moved by {apart}");
                let peak = now.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
                assert!(peak > 0.8 && peak <= 1.0, "{peak}");
            }
            before = now;
        }
    }
}
