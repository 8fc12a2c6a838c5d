//! A net that the music bends.

use super::{advance, fall, projected, sin_cos, spectrum_at, turned};
use crate::pattern::pen::Pen;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "grid",
    name: "Grid",
    description: "A net in perspective; every drum sends a wave through it, the spectrum lifts its middle.",
    params: &[
        ParamSpec::new("lines", "", [2.0, 6.0, 8.0], "Lines each way."),
        ParamSpec::new("size", "", [0.2, 0.9, 1.0], "Half its side."),
        ParamSpec::new(
            "wave",
            "",
            [0.0, 0.25, 0.6],
            "Height of the wave that an attack sends out.",
        ),
        ParamSpec::new(
            "lift",
            "",
            [0.0, 0.3, 0.8],
            "How far the spectrum lifts it, lowest in the middle.",
        ),
        ParamSpec::new("tilt", "turns", [-0.25, -0.16, 0.25], "How far it leans away."),
        ParamSpec::new("spin", "turns/s", [-1.0, 0.04, 1.0], "Turn about its own middle."),
        ParamSpec::new(
            "eye",
            "",
            [1.4, 2.0, 6.0],
            "Distance of the eye: nearer is more perspective.",
        ),
        ParamSpec::new("depth", "", [0.0, 0.6, 0.9], "How dark the far side is."),
    ],
    make: |_| Box::new(Grid { turn: 0.05, seen: 0, age_s: 9.0, strength: 0.0, push: 0.0 }),
};

const PARTS: usize = 32;

struct Grid {
    turn: f32,
    seen: u32,
    /// Seconds since the last attack, and its strength.
    age_s: f32,
    strength: f32,
    push: f32,
}

impl Pattern for Grid {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[lines, size, wave, lift, tilt, spin, eye, depth] = scene.params else { return };
        let features = scene.features;
        advance(&mut self.turn, spin * scene.dt);
        self.age_s += scene.dt;
        if scene.dt > 0.0 && features.onset.count != self.seen {
            self.seen = features.onset.count;
            self.strength = features.onset.strength;
            self.age_s = 0.0;
        }
        fall(&mut self.push, features.bands.bass, scene.dt, 0.15);
        let lines = lines.round().max(2.0) as usize;
        let parts = (640 / (2 * lines)).min(PARTS);
        let (turn, lean) = (sin_cos(self.turn), sin_cos(tilt));
        let half = size * 0.66;
        let front = 2.2 * self.age_s;
        let fading = self.strength * (-2.5 * self.age_s).exp();
        let mut pen = Pen::new(figure);
        for direction in 0..2 {
            for line in 0..lines {
                let fixed = (line as f32 / (lines - 1) as f32 * 2.0 - 1.0) * half;
                for part in 0..parts {
                    // Every other line runs back, so that the next begins where the last ends.
                    let part = if line % 2 == 0 { part } else { parts - 1 - part };
                    let moving = (part as f32 / (parts - 1) as f32 * 2.0 - 1.0) * half;
                    let (u, v) = if direction == 0 { (moving, fixed) } else { (fixed, moving) };
                    let distance = u.hypot(v);
                    let hill = (-((distance - front) / 0.18).powi(2)).exp();
                    let voice = spectrum_at(&features.spectrum, distance / (1.5 * half.max(0.1)));
                    let edge = 1.0 - (distance / (1.5 * half.max(0.1))).powi(2);
                    let height = wave * fading * hill
                        + lift * voice * (0.5 + 0.5 * self.push) * edge.max(0.0);
                    // The net lies flat, then leans: its height becomes depth.
                    let flat = [u * turn.1 - v * turn.0, u * turn.0 + v * turn.1, height];
                    let [x, y, z] = turned(flat, (0.0, 1.0), lean);
                    let (px, py) = projected([x, y, z], eye);
                    let light = 1.0 - depth * (0.5 - 0.5 * (z / 0.9).clamp(-1.0, 1.0));
                    pen.to_lit(px, py, light);
                }
                pen.end_curve();
            }
        }
    }
}
