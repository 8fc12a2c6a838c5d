//! A circle that breathes with the bass and ripples with the rest.

use std::f32::consts::TAU;

use super::advance;
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "circle",
    name: "Circle",
    description: "A circle that breathes with the bass and ripples with voices and cymbals.",
    params: &[
        ParamSpec::new("radius", "", [0.1, 0.6, 0.95], "Radius at rest."),
        ParamSpec::new("breath", "", [0.0, 0.3, 0.6], "How far the bass pushes it outwards."),
        ParamSpec::new("wobble", "", [0.0, 0.12, 0.4], "How far voices bend it."),
        ParamSpec::new("lobes", "", [1.0, 5.0, 12.0], "Waves of the bend around the circle."),
        ParamSpec::new("fizz", "", [0.0, 0.05, 0.2], "How far cymbals ruffle it."),
        ParamSpec::new("speed", "turns/s", [-2.0, 0.12, 2.0], "Speed of the waves around it."),
        ParamSpec::new("echoes", "", [0.0, 0.0, 2.0], "Smaller circles inside, each later."),
    ],
    make: |from| {
        let mut random = Random::new(from.seed);
        Box::new(Circle { phase: random.unit(), fizz_phase: random.unit(), trail: [0.0; 2] })
    },
};

const VERTICES: usize = 240;

struct Circle {
    phase: f32,
    fizz_phase: f32,
    /// The push of the bass, later and later.
    trail: [f32; 2],
}

impl Pattern for Circle {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[radius, breath, wobble, lobes, fizz, speed, echoes] = scene.params else { return };
        let bands = scene.features.bands;
        advance(&mut self.phase, speed * scene.dt);
        advance(&mut self.fizz_phase, -1.7 * speed * scene.dt);
        let push = bands.bass * bands.bass * 0.6 + bands.bass * 0.4;
        let follow = 1.0 - (-scene.dt / 0.07).exp();
        self.trail[0] += (push - self.trail[0]) * follow;
        self.trail[1] += (self.trail[0] - self.trail[1]) * follow;

        let lobes = lobes.round();
        let bend = wobble * (0.25 + 0.75 * bands.mid);
        let ruffle = fizz * bands.treble;
        let mut pen = Pen::new(figure);
        let circles = echoes.round() as usize + 1;
        let vertices = VERTICES / circles.min(2);
        for circle in 0..circles {
            let push = if circle == 0 { push } else { self.trail[circle - 1] };
            let size = 1.0 - 0.3 * circle as f32;
            let base = (radius + breath * push).min(MAX_RADIUS / (1.0 + bend + ruffle)) * size;
            for k in 0..vertices {
                let turn = k as f32 / vertices as f32;
                let angle = turn * TAU;
                let waves = (angle * lobes + self.phase * TAU).sin()
                    + 0.35 * (angle * (lobes + 1.0) - self.phase * TAU * 2.0).sin();
                let ruffles = (angle * 23.0 + self.fizz_phase * TAU * 3.0).sin();
                let r = base * (1.0 + bend * waves * 0.74 + ruffle * ruffles);
                pen.to_lit(r * angle.cos(), r * angle.sin(), 1.0 - 0.2 * circle as f32);
            }
            pen.close_curve();
        }
    }
}
