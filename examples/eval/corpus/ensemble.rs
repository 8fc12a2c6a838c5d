//! The second generator: plucked strings, bells, hand drums and shakers, rhythms drawn by lot with weights that
//! only favour the beat. Shares nothing with the band but the canvas.

use std::f32::consts::TAU;

use super::sound::{Canvas, Dice, RATE, hertz};
use super::{Group, Piece};

const NAMES: [&str; 14] = [
    "ensemble 1",
    "ensemble 2",
    "ensemble 3",
    "ensemble 4",
    "ensemble 5",
    "ensemble 6",
    "ensemble 7",
    "ensemble 8",
    "ensemble 9",
    "ensemble 10",
    "ensemble 11",
    "ensemble 12",
    "ensemble 13",
    "ensemble 14",
];

const SECONDS: f64 = 50.0;

pub(super) fn pieces() -> Vec<Piece> {
    NAMES.iter().enumerate().map(|(n, name)| play(name, 1_000 + n as u64)).collect()
}

/// Chances of an attack on each of 12 places of a beat, drawn once per voice and kept for the piece: a rhythm.
struct Rhythm {
    places: Vec<Vec<bool>>,
}

impl Rhythm {
    /// `on` is the chance of an attack on a beat, `off` on its half, `fine` on a quarter or a third.
    fn draw(dice: &mut Dice, metre: usize, triplets: bool, [on, off, fine]: [f64; 3]) -> Self {
        let chance = |beat: usize, place: usize| match (place, triplets) {
            (0, _) => on * if beat == 0 { 1.2 } else { 1.0 },
            (6, false) => off,
            (3 | 9, false) | (4 | 8, true) => fine,
            _ => 0.0,
        };
        let beat = |beat| (0..12).map(|place| dice.unit() < chance(beat, place)).collect();
        Self { places: (0..metre).map(beat).collect() }
    }
}

struct Stage<'a> {
    beats: &'a [f64],
    canvas: Canvas,
    dice: Dice,
    loose_s: f64,
}

impl Stage<'_> {
    fn each(&mut self, rhythm: &Rhythm, skip: f64, mut hit: impl FnMut(&mut Self, f64, usize)) {
        let metre = rhythm.places.len();
        for beat in 0..self.beats.len() - 1 {
            for place in 0..12 {
                if rhythm.places[beat % metre][place] && self.dice.unit() >= skip {
                    let length = self.beats[beat + 1] - self.beats[beat];
                    let at = self.beats[beat]
                        + length * place as f64 / 12.0
                        + self.loose_s * self.dice.bell();
                    self.canvas.attack(at);
                    hit(self, at, beat / metre);
                }
            }
        }
    }

    /// A plucked string: noise in a delay line that softens itself (Karplus and Strong 1983).
    fn pluck(&mut self, at: f64, hz: f32, gain: f32, pan: f32) {
        let length = (RATE as f32 / hz).max(2.0) as usize;
        let mut line: Vec<f32> = (0..length).map(|_| self.dice.noise()).collect();
        let mut n = 0;
        self.canvas.paint(at, 0.9, pan, |t| {
            let next = (n + 1) % length;
            let y = line[n];
            line[n] = 0.498 * (y + line[next]);
            n = next;
            gain * y * ((0.9 - t) / 0.05).clamp(0.0, 1.0)
        });
    }

    /// A bell: one sine swayed by another (Chowning 1973).
    fn bell(&mut self, at: f64, hz: f32, gain: f32, pan: f32) {
        self.canvas.paint(at, 1.2, pan, |t| {
            let sway = 2.5 * (-t / 0.2).exp() * (TAU * hz * 1.41 * t).sin();
            gain * (TAU * hz * t + sway).sin() * (-t / 0.35).exp() * (t / 0.003).min(1.0)
        });
    }

    /// A skin hit by hand.
    fn skin(&mut self, at: f64, hz: f32, gain: f32) {
        let mut dice = self.dice.clone();
        self.canvas.paint(at, 0.35, 0.0, |t| {
            let skin = (TAU * hz * t * (1.0 + 0.15 * (-t / 0.02).exp())).sin() * (-t / 0.09).exp();
            gain * (skin + 0.35 * dice.noise() * (-t / 0.006).exp())
        });
    }

    /// Beads: noise that swells for 8 ms.
    fn shake(&mut self, at: f64, gain: f32) {
        let mut dice = self.dice.clone();
        let mut before = [0.0; 2];
        self.canvas.paint(at, 0.15, 0.5, |t| {
            let noise = dice.noise();
            let high = noise - 2.0 * before[0] + before[1];
            before = [noise, before[0]];
            0.25 * gain * high * (t / 0.008).min(1.0) * (-t / 0.03).exp()
        });
    }
}

fn play(name: &'static str, seed: u64) -> Piece {
    let mut dice = Dice::new(seed);
    let bpm = (72.0 * (dice.unit() * 1.25).exp2()).round();
    let metre = [4, 4, 4, 3][dice.below(4)];
    let triplets = dice.unit() < 0.25;
    let drift = 0.03 * dice.unit();
    let (mut at, mut beats) = (0.4 + dice.unit(), Vec::new());
    while at < SECONDS - 1.2 {
        beats.push(at);
        at += 60.0 / (bpm * (1.0 + drift * (beats.len() as f64 / 23.0).sin()));
    }
    let loose_s = 0.002 + 0.010 * dice.unit();
    let drums = dice.unit() < 0.7;
    let mut draw = |chances| Rhythm::draw(&mut dice, metre, triplets, chances);
    let (low, high, beads) =
        (draw([0.75, 0.2, 0.1]), draw([0.4, 0.4, 0.15]), draw([0.9, 0.8, 0.3]));
    let (strings, tune, bass) =
        (draw([0.7, 0.5, 0.15]), draw([0.5, 0.4, 0.1]), draw([0.8, 0.2, 0.05]));
    let tonic = 48 + dice.below(12) as i32;
    let chords: Vec<i32> = (0..4).map(|_| [0, 2, 5, 7, 9][dice.below(5)]).collect();
    let mut stage = Stage { beats: &beats, canvas: Canvas::new(SECONDS), dice, loose_s };
    if drums {
        stage.each(&low, 0.08, |s, at, _| s.skin(at, 78.0, 0.7));
        stage.each(&high, 0.15, |s, at, _| s.skin(at, 210.0, 0.35));
        stage.each(&beads, 0.05, |s, at, _| s.shake(at, 0.5));
    }
    stage.each(&bass, 0.1, |s, at, bar| s.pluck(at, hertz(tonic - 12 + chords[bar % 4]), 0.6, 0.0));
    stage.each(&strings, 0.1, |s, at, bar| {
        for step in [0, 4, 7] {
            s.pluck(at, hertz(tonic + chords[bar % 4] + step), 0.25, -0.3);
        }
    });
    stage.each(&tune, 0.3, |s, at, bar| {
        let step = [0, 2, 4, 7, 9, 12][s.dice.below(6)];
        s.bell(at, hertz(tonic + 12 + chords[bar % 4] / 2 + step), 0.25, 0.4);
    });
    let mut canvas = stage.canvas;
    canvas.reverberate(0.3);
    let (stereo, onsets) = canvas.finish(0.7);
    let last = onsets.last().copied().unwrap_or_default();
    beats.retain(|&t| t <= last + 0.05);
    let downbeats = beats.iter().step_by(metre).copied().collect();
    Piece { name, group: Group::HeldOut, stereo, beats, downbeats, onsets, drop: None, step: None }
}
