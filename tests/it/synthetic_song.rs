//! A song made of numbers: 120 beats per minute, kick on every beat, a hat between, a voice that sings.
//! For everything that wants music without sound.

use std::f32::consts::TAU;

use galvo::analysis::Features;
use galvo::time::MediaTime;

/// Seconds per beat.
const BEAT_SECONDS: f64 = 0.5;

/// The song at `media`, with `loudness` from 0 (silence) to 1.
pub(crate) fn features_at(media: MediaTime, loudness: f32) -> Features {
    let mut features = Features::silence(media);
    let beats = media.as_secs_f64() / BEAT_SECONDS;
    let phase = beats.fract() as f32;
    let bar_phase = (beats / 4.0).fract() as f32;
    let kick = (-phase * 5.0).exp();
    let hat = (-((phase + 0.5).fract()) * 9.0).exp();
    let voice = 0.5 + 0.4 * ((beats as f32) * 0.13 * TAU).sin();
    features.level = loudness * (0.45 + 0.4 * kick + 0.15 * voice);
    features.level_db = 20.0 * features.level.max(1e-6).log10();
    features.bands.bass = loudness * (0.15 + 0.85 * kick);
    features.bands.mid = loudness * voice;
    features.bands.treble = loudness * (0.1 + 0.8 * hat);
    for (band, energy) in features.spectrum.iter_mut().enumerate() {
        let place = band as f32 / 31.0;
        let hill = |centre: f32, width: f32| (-((place - centre) / width).powi(2)).exp();
        let melody = 0.35 + 0.2 * ((beats as f32) * 0.25 * TAU).sin();
        let sum = kick * hill(0.06, 0.09)
            + 0.8 * voice * hill(melody, 0.07)
            + 0.5 * voice * hill(melody + 0.2, 0.05)
            + 0.7 * hat * hill(0.85, 0.12)
            + 0.12;
        *energy = (loudness * sum).min(1.0);
    }
    for (index, sample) in features.waveform.iter_mut().enumerate() {
        let t = index as f32 / 256.0;
        let drift = media.as_secs_f64() as f32;
        let tone = 0.55 * (TAU * (2.0 * t + drift * 1.3)).sin()
            + 0.3 * voice * (TAU * (5.0 * t + drift * 2.7)).sin()
            + 0.12 * hat * (TAU * 31.0 * t).sin();
        *sample = loudness * tone;
    }
    features.onset.envelope = loudness * (-(phase * BEAT_SECONDS as f32) / 0.12).exp();
    features.onset.strength = loudness;
    features.onset.count = beats as u32 + 1;
    features.onset.last = MediaTime::from_secs_f64(beats.floor() * BEAT_SECONDS);
    features.beat.bpm = 120.0;
    features.beat.confidence = loudness;
    features.beat.phase = phase;
    features.beat.bar_phase = bar_phase;
    features.beat.count = beats as u32;
    features.silent = loudness == 0.0;
    if features.silent {
        features.onset.count = 0;
    }
    features
}
