//! A star whose every spike listens to its own part of the spectrum.

use super::{advance, fall, sin_cos, spectrum_at};
use crate::analysis::features::SPECTRUM_BANDS;
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "star",
    name: "Star",
    description: "A star whose every spike is driven by its own part of the spectrum.",
    params: &[
        ParamSpec::new("points", "", [3.0, 8.0, 16.0], "Number of spikes."),
        ParamSpec::new("radius", "", [0.1, 0.5, 0.9], "Length of the spikes at rest."),
        ParamSpec::new(
            "inner",
            "",
            [0.1, 0.45, 0.95],
            "Where the notches lie between centre and spike.",
        ),
        ParamSpec::new("spikes", "", [0.0, 0.4, 0.8], "How far the spectrum lengthens the spikes."),
        ParamSpec::new("kick", "", [0.0, 0.15, 0.5], "How far the bass pushes the whole star."),
        ParamSpec::new("spin", "turns/s", [-2.0, 0.08, 2.0], "Steady turn."),
        ParamSpec::new("copies", "", [1.0, 2.0, 3.0], "Number of stars, one within the other."),
    ],
    make: |from| {
        Box::new(Star { turn: Random::new(from.seed).unit(), held: [0.0; SPECTRUM_BANDS] })
    },
};

struct Star {
    turn: f32,
    /// The spectrum, falling slowly.
    held: [f32; SPECTRUM_BANDS],
}

impl Pattern for Star {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[points, radius, inner, spikes, kick, spin, copies] = scene.params else { return };
        let features = scene.features;
        advance(&mut self.turn, spin * scene.dt);
        for (held, &energy) in self.held.iter_mut().zip(&features.spectrum) {
            fall(held, energy, scene.dt, 0.15);
        }
        let points = points.round() as usize;
        let copies = copies.round().max(1.0) as usize;
        let body = radius + kick * features.bands.bass;
        let mut pen = Pen::new(figure);
        for copy in 0..copies {
            let share = 1.0 - 0.38 * copy as f32;
            let turn = self.turn * if copy % 2 == 0 { 1.0 } else { -1.0 };
            for spike in 0..points {
                // Low bands at the top, high ones at the bottom, the same left and right.
                let around = spike as f32 / points as f32;
                let place = 1.0 - (2.0 * around - 1.0).abs();
                let length = body + spikes * spectrum_at(&self.held, place * 0.85);
                let (sin, cos) = sin_cos(turn + around + 0.25);
                let tip = length.min(MAX_RADIUS) * share;
                pen.to_lit(tip * cos, tip * sin, 1.0 - 0.15 * copy as f32);
                let (sin, cos) = sin_cos(turn + around + 0.25 + 0.5 / points as f32);
                let notch = body.min(MAX_RADIUS) * inner * share;
                pen.to_lit(notch * cos, notch * sin, 1.0 - 0.15 * copy as f32);
            }
            pen.close_corners();
        }
    }
}
