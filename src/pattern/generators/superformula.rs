//! The superformula of J. Gielis (2003): one curve that is a circle, a star, a flower or a pebble.

use super::{advance, fall, sin_cos};
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "superformula",
    name: "Superformula",
    description: "A curve between circle, star and flower; the music bends its exponents.",
    params: &[
        ParamSpec::new("lobes", "", [1.0, 6.0, 16.0], "Corners or petals."),
        ParamSpec::new("pinch", "", [0.2, 0.6, 4.0], "Exponent of the whole: small is spiky."),
        ParamSpec::new("round", "", [0.2, 1.2, 6.0], "Exponent of the sides."),
        ParamSpec::new(
            "bend",
            "",
            [0.0, 1.2, 4.0],
            "How far bass and drums raise the second exponent.",
        ),
        ParamSpec::new("size", "", [0.2, 0.85, 0.97], "Size at full loudness."),
        ParamSpec::new("copies", "", [1.0, 2.0, 4.0], "Curves, one within the other."),
        ParamSpec::new(
            "spin",
            "turns/s",
            [-1.0, 0.05, 1.0],
            "Steady turn; copies turn against each other.",
        ),
    ],
    make: |from| Box::new(Superformula { turn: Random::new(from.seed).unit(), push: 0.0 }),
};

const VERTICES: usize = 640;

struct Superformula {
    turn: f32,
    push: f32,
}

impl Pattern for Superformula {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[lobes, pinch, round, bend, size, copies, spin] = scene.params else { return };
        let features = scene.features;
        advance(&mut self.turn, spin * scene.dt);
        fall(
            &mut self.push,
            0.7 * features.bands.bass + 0.3 * features.onset.envelope,
            scene.dt,
            0.12,
        );
        let lobes = lobes.round();
        let copies = copies.round().max(1.0) as usize;
        let vertices = (VERTICES / copies).min(320);
        let mut pen = Pen::new(figure);
        for copy in 0..copies {
            let share = copy as f32 / copies as f32;
            let second = round + bend * self.push * (1.0 - 0.5 * share);
            let third = round + 0.6 * bend * features.bands.mid;
            let radius = |angle: f32| {
                let (sin, cos) = (0.25 * lobes * angle).sin_cos();
                let sum = cos.abs().powf(second) + sin.abs().powf(third);
                sum.max(1e-3).powf(-1.0 / pinch.max(0.2))
            };
            // The largest radius lies where one of the two terms is alone, or where both are.
            let mut largest = 1e-3_f32;
            for k in 0..64 {
                let part = k as f32 / 64.0 * 4.0 * std::f32::consts::PI / lobes.max(1.0);
                largest = largest.max(radius(part));
            }
            let grown = (size * (0.8 + 0.2 * features.level)).min(MAX_RADIUS);
            let scale = grown * (1.0 - 0.75 * share) / largest;
            let direction = if copy % 2 == 0 { self.turn } else { -self.turn };
            for k in 0..vertices {
                let along = k as f32 / vertices as f32;
                let angle = along * std::f32::consts::TAU;
                let r = (radius(angle) * scale).min(MAX_RADIUS);
                let (sin, cos) = sin_cos(along + direction);
                pen.to(r * cos, r * sin);
            }
            pen.close_curve();
        }
    }
}
