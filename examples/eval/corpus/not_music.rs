//! Sound without a beat: whatever is heard in it is a false alarm.

use std::f32::consts::TAU;

use super::sound::{Canvas, Dice};
use super::{Group, Piece};

const SECONDS: f64 = 60.0;

pub(super) fn pieces() -> Vec<Piece> {
    let mut dice = Dice::new(77);
    let mut pink = [0.0_f32; 3];
    vec![
        sound("silence", 0.0, |_| 0.0),
        sound("tone 440 Hz", 0.3, |t| (TAU * (440.0 * t).fract()).sin() * (t / 0.2).min(1.0)),
        sound("pad, slow swell", 0.3, |t| {
            let chord: f32 =
                [220.0, 277.2, 329.6].iter().map(|f| (TAU * (f * t).fract()).sin()).sum();
            chord * (1.0 + 0.5 * (TAU * 0.21 * t).sin()) * (t / 0.5).min(1.0)
        }),
        sound("white noise", 0.3, |_| dice.noise()),
        sound("pink noise", 0.3, {
            let mut dice = Dice::new(78);
            move |_| {
                // Three leaky sums (P. Kellet).
                let white = dice.noise();
                pink[0] = 0.99765 * pink[0] + white * 0.099_046;
                pink[1] = 0.963 * pink[1] + white * 0.296_516_4;
                pink[2] = 0.57 * pink[2] + white * 1.052_691_3;
                pink.iter().sum::<f32>() + 0.1848 * white
            }
        }),
        speech(),
        applause(),
    ]
}

fn piece(name: &'static str, stereo: Vec<f32>) -> Piece {
    let (beats, downbeats, onsets) = (Vec::new(), Vec::new(), Vec::new());
    Piece { name, group: Group::NotMusic, stereo, beats, downbeats, onsets, drop: None, step: None }
}

fn sound(name: &'static str, peak: f32, voice: impl FnMut(f32) -> f32) -> Piece {
    let mut canvas = Canvas::new(SECONDS);
    canvas.paint(0.0, SECONDS, 0.0, voice);
    piece(name, canvas.finish(peak).0)
}

/// Syllables of three formants and hisses, 2 to 7 a second, with pauses: the rhythm of talk.
fn speech() -> Piece {
    let mut canvas = Canvas::new(SECONDS);
    let mut dice = Dice::new(79);
    let mut at = 0.3;
    while at < SECONDS - 1.0 {
        let length = 0.08 + 0.2 * dice.unit();
        let pitch = 95.0 + 50.0 * dice.unit() as f32;
        let formants =
            [300.0 + 500.0 * dice.unit() as f32, 900.0 + 1_200.0 * dice.unit() as f32, 2_500.0];
        canvas.paint(at, length, 0.0, |t| {
            let voice: f32 = (1..28)
                .map(|k| {
                    let hz = pitch * k as f32;
                    let gain: f32 =
                        formants.iter().map(|f| 1.0 / (1.0 + ((hz - f) / 90.0).powi(2))).sum();
                    gain * (TAU * (hz * t).fract()).sin()
                })
                .sum();
            voice * (t / 0.025).min(1.0) * ((length as f32 - t) / 0.04).clamp(0.0, 1.0)
        });
        if dice.unit() < 0.35 {
            let mut hiss = dice.clone();
            canvas.paint(at + length, 0.09, 0.0, |t| {
                0.4 * hiss.noise() * (t / 0.02).min(1.0) * ((0.09 - t) / 0.03).clamp(0.0, 1.0)
            });
        }
        at += length + 0.05 + 0.12 * dice.unit() + if dice.unit() < 0.15 { 0.6 } else { 0.0 };
    }
    piece("speech-like", canvas.finish(0.5).0)
}

/// Sixty claps a second, each a short burst.
fn applause() -> Piece {
    let mut canvas = Canvas::new(SECONDS);
    let mut dice = Dice::new(80);
    for _ in 0..(60.0 * SECONDS) as usize {
        let (at, gain) = (SECONDS * dice.unit(), 0.2 + 0.8 * dice.unit() as f32);
        let pan = dice.noise();
        let mut burst = dice.clone();
        canvas.paint(at, 0.03, pan, |t| gain * burst.noise() * (-t / 0.006).exp());
        dice.unit();
    }
    piece("applause-like", canvas.finish(0.5).0)
}
