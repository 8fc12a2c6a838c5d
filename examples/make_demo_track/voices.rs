//! Oscillators, envelopes, filters and the pitched voices.

use std::f32::consts::{PI, TAU};

use super::{SAMPLE_RATE, Stereo};

const RATE: f32 = SAMPLE_RATE as f32;

/// White noise from a seed, −1..1 (xorshift).
#[derive(Clone, Debug)]
pub(crate) struct Noise(u32);

impl Noise {
    pub(crate) fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(2_654_435_761).max(1))
    }

    pub(crate) fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as f32 / (1_u32 << 31) as f32 - 1.0
    }
}

/// A saw tooth without audible aliases (PolyBLEP).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Saw {
    phase: f32,
    step: f32,
}

impl Saw {
    pub(crate) fn new(hertz: f32, phase: f32) -> Self {
        Self { phase: phase.fract(), step: hertz / RATE }
    }

    pub(crate) fn next(&mut self, bend: f32) -> f32 {
        let step = self.step * bend;
        self.phase += step;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
        }
        let naive = 2.0 * self.phase - 1.0;
        let edge = if self.phase < step {
            let t = self.phase / step;
            2.0 * t - t * t - 1.0
        } else if self.phase > 1.0 - step {
            let t = (self.phase - 1.0) / step;
            t * t + 2.0 * t + 1.0
        } else {
            0.0
        };
        naive - edge
    }
}

/// A state-variable filter (topology-preserving transform).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter {
    g: f32,
    k: f32,
    state: [f32; 2],
}

impl Filter {
    pub(crate) fn new(hertz: f32, q: f32) -> Self {
        let mut filter = Self { g: 0.0, k: 1.0 / q, state: [0.0; 2] };
        filter.tune(hertz);
        filter
    }

    pub(crate) fn tune(&mut self, hertz: f32) {
        self.g = (PI * hertz.clamp(20.0, 18_000.0) / RATE).tan();
    }

    /// Low, band and high part of a sample.
    pub(crate) fn split(&mut self, x: f32) -> [f32; 3] {
        let a = 1.0 / (1.0 + self.g * (self.g + self.k));
        let high = (x - (self.g + self.k) * self.state[0] - self.state[1]) * a;
        let band = self.g * high + self.state[0];
        let low = self.g * band + self.state[1];
        self.state = [self.g * high + band, self.g * band + low];
        [low, band, high]
    }

    pub(crate) fn low(&mut self, x: f32) -> f32 {
        self.split(x)[0]
    }

    pub(crate) fn high(&mut self, x: f32) -> f32 {
        self.split(x)[2]
    }
}

/// Attack, hold until the note ends, release; seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) attack: f32,
    pub(crate) release: f32,
}

impl Shape {
    pub(crate) fn at(self, t: f32, length: f32) -> f32 {
        let rise = (t / self.attack).min(1.0);
        let fall = ((t - length).max(0.0) / self.release).min(1.0);
        (0.5 - 0.5 * (PI * rise).cos()) * (0.5 + 0.5 * (PI * fall).cos())
    }
}

/// Where a voice is written: first frame and gain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note {
    pub(crate) start_s: f64,
    pub(crate) length_s: f32,
    pub(crate) hertz: f32,
    pub(crate) gain: f32,
}

impl Note {
    /// Calls `voice` with the time since the note began and adds what it gives.
    pub(crate) fn add(
        &self,
        stem: &mut Stereo,
        tail_s: f32,
        mut voice: impl FnMut(f32) -> [f32; 2],
    ) {
        let first = (self.start_s * f64::from(SAMPLE_RATE)).round() as usize;
        let frames = ((self.length_s + tail_s) * RATE) as usize;
        for (n, frame) in stem.iter_mut().skip(first).take(frames).enumerate() {
            let [l, r] = voice(n as f32 / RATE);
            frame[0] += self.gain * l;
            frame[1] += self.gain * r;
        }
    }
}

/// Seven detuned saws across the stereo field: chords and the big lead.
pub(crate) fn stack(stem: &mut Stereo, note: Note, shape: Shape, seed: u32) {
    let mut noise = Noise::new(seed);
    let mut saws: Vec<(Saw, f32)> = (-3..=3)
        .map(|i| {
            let cents = i as f32 * 5.5 + noise.next();
            let saw = Saw::new(note.hertz * (cents / 1200.0).exp2(), noise.next().abs());
            (saw, 0.5 + 0.14 * i as f32 * if i % 2 == 0 { 1.0 } else { -1.0 })
        })
        .collect();
    note.add(stem, shape.release, |t| {
        let level = 0.3 * shape.at(t, note.length_s);
        let mut out = [0.0; 2];
        for (saw, pan) in &mut saws {
            let s = level * saw.next(1.0);
            out[0] += s * (1.0 - *pan);
            out[1] += s * *pan;
        }
        out
    });
}

/// A short plucked tone whose filter closes: the arpeggio.
pub(crate) fn pluck(stem: &mut Stereo, note: Note, brightness_hz: f32, pan: f32) {
    let mut saws = [Saw::new(note.hertz, 0.0), Saw::new(note.hertz * 1.004, 0.4)];
    let mut filter = Filter::new(brightness_hz, 1.4);
    let shape = Shape { attack: 0.002, release: 0.05 };
    note.add(stem, 0.35, |t| {
        filter.tune(note.hertz + brightness_hz * (-t / 0.07).exp());
        let s = filter.low(saws[0].next(1.0) + saws[1].next(1.0));
        let s = s * (-t / 0.16).exp() * shape.at(t, note.length_s + 0.3);
        [s * (1.0 - pan), s * pan]
    });
}

/// A round singing tone with late vibrato: the melody.
pub(crate) fn lead(stem: &mut Stereo, note: Note) {
    let mut saws = [Saw::new(note.hertz, 0.1), Saw::new(note.hertz * 0.9965, 0.6)];
    let mut sine = 0.0_f32;
    let mut filter = Filter::new(2_000.0, 0.9);
    let shape = Shape { attack: 0.012, release: 0.18 };
    note.add(stem, 0.18, |t| {
        let vibrato = 0.0035 * (TAU * 5.3 * t).sin() * ((t - 0.25) / 0.3).clamp(0.0, 1.0);
        let bend = 1.0 + vibrato - 0.02 * (-t / 0.015).exp();
        sine = (sine + note.hertz * bend / RATE).fract();
        filter.tune(note.hertz * 5.0 + 3_500.0 * (-t / 0.2).exp());
        let raw = 0.6 * (saws[0].next(bend) + saws[1].next(bend)) + 0.6 * (TAU * sine).sin();
        let s = filter.low(raw) * shape.at(t, note.length_s) * (0.75 + 0.25 * (-t / 0.3).exp());
        [s, s]
    });
}

/// Sine below, a filtered saw above, centred: the bass.
pub(crate) fn bass(stem: &mut Stereo, note: Note, brightness_hz: f32) {
    let mut saw = Saw::new(note.hertz, 0.25);
    let mut sine = 0.0_f32;
    let mut filter = Filter::new(brightness_hz, 1.2);
    let shape = Shape { attack: 0.004, release: 0.04 };
    note.add(stem, 0.04, |t| {
        sine = (sine + note.hertz / RATE).fract();
        filter.tune(90.0 + brightness_hz * (-t / 0.09).exp());
        let s = 0.75 * (TAU * sine).sin() + 0.5 * filter.low(saw.next(1.0));
        let s = (1.3 * s).tanh() * shape.at(t, note.length_s);
        [s, s]
    });
}
