//! Comets with long tails on interwoven orbits.

use super::{fall, sin_cos};
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "comets",
    name: "Comets",
    description: "Heads of light with long tails on interwoven orbits, hurried by the drums.",
    params: &[
        ParamSpec::new("comets", "", [1.0, 3.0, 6.0], "Number of comets."),
        ParamSpec::new("speed", "turns/s", [-2.0, 0.35, 2.0], "Speed at full loudness."),
        ParamSpec::new("surge", "", [0.0, 1.0, 3.0], "How much an attack adds to the speed."),
        ParamSpec::new("tail", "turns", [0.05, 0.3, 0.6], "Length of the tails."),
        ParamSpec::new("weave", "", [1.0, 3.0, 7.0], "Loops that the orbits share."),
        ParamSpec::new("radius", "", [0.2, 0.7, 0.95], "Size of the orbits at rest."),
        ParamSpec::new("kick", "", [0.0, 0.25, 0.6], "How far the bass widens the orbits."),
    ],
    make: |from| Box::new(Comets { way: Random::new(from.seed).unit(), push: 0.0 }),
};

const VERTICES: usize = 72;

struct Comets {
    way: f32,
    push: f32,
}

impl Pattern for Comets {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[comets, speed, surge, tail, weave, radius, kick] = scene.params else { return };
        let features = scene.features;
        let drive = 0.3 + 0.7 * features.level + surge * features.onset.envelope;
        // The orbits close after 12 turns, whatever the weave.
        self.way = (self.way + speed * drive * scene.dt).rem_euclid(12.0);
        fall(&mut self.push, features.bands.bass, scene.dt, 0.2);
        let size = (radius + kick * self.push).min(MAX_RADIUS);
        let weave = weave.round();
        let comets = comets.round().max(1.0) as usize;
        let mut pen = Pen::new(figure);
        for comet in 0..comets {
            let share = comet as f32 / comets as f32;
            for k in 0..VERTICES {
                let along = k as f32 / (VERTICES - 1) as f32;
                let way = self.way - tail * (1.0 - along);
                let (sin, cos) = sin_cos(way + share);
                let wave = sin_cos(way * weave * 0.5 + share * 2.0).0;
                let r = size * (0.68 + 0.32 * wave);
                pen.to_lit(r * cos, r * sin, 0.2 + 0.8 * along);
            }
            pen.end_curve();
        }
    }
}
