//! Kick, clap, hats, snare roll, and the noises around the drop.

use std::f32::consts::TAU;

use super::Stereo;
use super::voices::{Filter, Noise, Note, Saw};

fn stroke(start_s: f64, length_s: f32, gain: f32) -> Note {
    Note { start_s, length_s, hertz: 0.0, gain }
}

/// A falling sine with a click.
pub(crate) fn kick(stem: &mut Stereo, start_s: f64, gain: f32) {
    let mut phase = 0.0_f32;
    let mut noise = Noise::new(7);
    stroke(start_s, 0.42, gain).add(stem, 0.0, |t| {
        let hertz = 47.0 + 110.0 * (-t / 0.028).exp() + 900.0 * (-t / 0.0035).exp();
        phase = (phase + hertz / super::SAMPLE_RATE as f32).fract();
        let body = (TAU * phase).sin() * (-t / 0.17).exp() * ((0.42 - t) / 0.08).clamp(0.0, 1.0);
        let click = 0.25 * noise.next() * (-t / 0.0025).exp();
        let s = (1.7 * (body + click)).tanh() * (t / 0.0006).min(1.0);
        [s, s]
    });
}

/// Three quick bursts of noise and their room.
pub(crate) fn clap(stem: &mut Stereo, start_s: f64, gain: f32, seed: u32) {
    let mut noise = [Noise::new(seed), Noise::new(seed + 1)];
    let mut filters = [Filter::new(1_500.0, 1.1); 2];
    let mut body_phase = 0.0_f32;
    stroke(start_s, 0.35, gain).add(stem, 0.0, |t| {
        let burst = |at: f32| if t >= at { (-(t - at) / 0.005).exp() } else { 0.0 };
        let tail = if t >= 0.020 { 0.8 * (-(t - 0.020) / 0.085).exp() } else { 0.0 };
        let level = 0.9 * burst(0.0) + 0.5 * burst(0.010) + tail;
        let end = ((0.35 - t) / 0.05).clamp(0.0, 1.0);
        body_phase = (body_phase + 190.0 / super::SAMPLE_RATE as f32).fract();
        let body = 0.5 * (TAU * body_phase).sin() * (-t / 0.045).exp();
        let mut out = [0.0; 2];
        for ((y, noise), filter) in out.iter_mut().zip(&mut noise).zip(&mut filters) {
            let [_, band, high] = filter.split(noise.next());
            *y = (level * (1.2 * band + 0.25 * high) + body) * end;
        }
        out
    });
}

/// High noise and inharmonic squares; open hats ring longer.
pub(crate) fn hat(stem: &mut Stereo, start_s: f64, gain: f32, decay_s: f32, pan: f32, seed: u32) {
    let mut noise = Noise::new(seed);
    let mut filter = Filter::new(7_800.0, 0.8);
    let mut phases = [0.0_f32; 4];
    stroke(start_s, 6.0 * decay_s, gain).add(stem, 0.0, |t| {
        let mut metal = 0.0;
        for (phase, hertz) in phases.iter_mut().zip([5_231.0, 6_647.0, 8_123.0, 9_371.0]) {
            *phase = (*phase + hertz / super::SAMPLE_RATE as f32).fract();
            metal += if *phase < 0.5 { 0.12 } else { -0.12 };
        }
        let s = filter.high(noise.next() + metal) * (-t / decay_s).exp() * (t / 0.0005).min(1.0);
        [s * (1.0 - pan), s * pan]
    });
}

/// A snare stroke of the roll, brighter as the roll goes on.
pub(crate) fn snare(stem: &mut Stereo, start_s: f64, gain: f32, brightness: f32, seed: u32) {
    let mut noise = Noise::new(seed);
    let mut filter = Filter::new(1_200.0 + 3_500.0 * brightness, 0.7);
    let mut phase = 0.0_f32;
    stroke(start_s, 0.16, gain).add(stem, 0.0, |t| {
        let hertz = (185.0 + 90.0 * brightness) * (1.0 + 0.6 * (-t / 0.01).exp());
        phase = (phase + hertz / super::SAMPLE_RATE as f32).fract();
        let [_, band, high] = filter.split(noise.next());
        let body = 0.7 * (TAU * phase).sin() * (-t / 0.05).exp();
        let s = body + (band + 0.4 * high) * (-t / 0.06).exp();
        let s = s * ((0.16 - t) / 0.03).clamp(0.0, 1.0) * (t / 0.0005).min(1.0);
        [s, s]
    });
}

/// Noise and a saw that rise for `length_s`.
pub(crate) fn riser(stem: &mut Stereo, start_s: f64, length_s: f32, gain: f32) {
    let mut noise = [Noise::new(301), Noise::new(302)];
    let mut filters = [Filter::new(400.0, 1.8); 2];
    let mut saw = Saw::new(110.0, 0.0);
    stroke(start_s, length_s, gain).add(stem, 0.0, |t| {
        let way = t / length_s;
        let swell = way * way * ((length_s - t) / 0.03).clamp(0.0, 1.0);
        let tone = 0.10 * saw.next((2.0 * way).exp2());
        let mut out = [0.0; 2];
        for ((y, noise), filter) in out.iter_mut().zip(&mut noise).zip(&mut filters) {
            filter.tune(400.0 * (4.6 * way).exp2());
            let [_, band, _] = filter.split(noise.next() + tone);
            *y = swell * band;
        }
        out
    });
}

/// A cymbal that rings for seconds.
pub(crate) fn crash(stem: &mut Stereo, start_s: f64, gain: f32, seed: u32) {
    let mut noise = [Noise::new(seed), Noise::new(seed + 1)];
    let mut filters = [Filter::new(4_500.0, 0.7); 2];
    stroke(start_s, 2.8, gain).add(stem, 0.0, |t| {
        let level = (0.7 * (-t / 0.6).exp() + 0.3 * (-t / 0.12).exp()) * (t / 0.001).min(1.0);
        let mut out = [0.0; 2];
        for ((y, noise), filter) in out.iter_mut().zip(&mut noise).zip(&mut filters) {
            *y = level * filter.high(noise.next());
        }
        out
    });
}

/// A deep boom under the first stroke of the drop.
pub(crate) fn boom(stem: &mut Stereo, start_s: f64, gain: f32) {
    let mut phase = 0.0_f32;
    stroke(start_s, 1.6, gain).add(stem, 0.0, |t| {
        phase = (phase + (36.0 + 34.0 * (-t / 0.25).exp()) / super::SAMPLE_RATE as f32).fract();
        let s = (TAU * phase).sin() * (-t / 0.45).exp() * (t / 0.004).min(1.0);
        let s = s * ((1.6 - t) / 0.2).clamp(0.0, 1.0);
        [s, s]
    });
}
