//! A wheel rolling inside a ring, with a pen that reaches further when the music does.

use super::{advance, sin_cos};
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "spirograph",
    name: "Spirograph",
    description: "A wheel rolls inside a ring; the music moves the pen on the wheel.",
    params: &[
        ParamSpec::new("lobes", "", [3.0, 7.0, 14.0], "Number of loops."),
        ParamSpec::new(
            "turns",
            "",
            [1.0, 2.0, 5.0],
            "How often the wheel goes around before it closes.",
        ),
        ParamSpec::new(
            "reach",
            "",
            [0.1, 0.8, 2.0],
            "Distance of the pen from the wheel's hub; 1 is its rim.",
        ),
        ParamSpec::new(
            "stretch",
            "",
            [0.0, 0.6, 1.5],
            "How much further bass and drums push the pen.",
        ),
        ParamSpec::new("size", "", [0.2, 0.75, 0.95], "Size at rest."),
        ParamSpec::new("swell", "", [0.0, 0.2, 0.6], "How far the loudness enlarges it."),
        ParamSpec::new("spin", "turns/s", [-2.0, -0.05, 2.0], "Steady turn."),
    ],
    make: |from| Box::new(Spirograph { turn: Random::new(from.seed).unit(), push: 0.0 }),
};

const VERTICES_PER_LOBE: usize = 40;
const MOST_VERTICES: usize = 480;

struct Spirograph {
    turn: f32,
    push: f32,
}

impl Pattern for Spirograph {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[lobes, turns, reach, stretch, size, swell, spin] = scene.params else { return };
        let features = scene.features;
        advance(&mut self.turn, spin * scene.dt);
        let target = 0.6 * features.bands.bass + 0.4 * features.onset.envelope;
        self.push += (target - self.push) * (1.0 - (-scene.dt / 0.04).exp());
        let lobes = lobes.round();
        let turns = turns.round().min(lobes - 1.0);
        let wheel = turns / lobes;
        let pen_reach = wheel * (reach + stretch * self.push);
        let arm = 1.0 - wheel;
        let radius = (size + swell * features.level).min(MAX_RADIUS) / (arm + pen_reach).max(0.05);
        let vertices = (lobes as usize * VERTICES_PER_LOBE).min(MOST_VERTICES);
        let mut pen = Pen::new(figure);
        for k in 0..vertices {
            let along = k as f32 / vertices as f32 * turns;
            let (sin, cos) = sin_cos(along + self.turn);
            let (pen_sin, pen_cos) = sin_cos(along * arm / wheel - self.turn);
            let x = arm * cos + pen_reach * pen_cos;
            let y = arm * sin - pen_reach * pen_sin;
            pen.to(radius * x, radius * y);
        }
        pen.close_curve();
    }
}
