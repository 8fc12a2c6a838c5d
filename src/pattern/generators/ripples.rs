//! Rings that every attack throws out from a beating core.

use std::f32::consts::TAU;

use super::{advance, fall, sin_cos};
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "ripples",
    name: "Ripples",
    description: "Every attack throws a ring outwards from a core that beats with the bass.",
    params: &[
        ParamSpec::new("speed", "1/s", [0.2, 0.9, 4.0], "How fast rings travel to the edge."),
        ParamSpec::new("core", "", [0.05, 0.22, 0.6], "Radius of the core at rest."),
        ParamSpec::new("kick", "", [0.0, 0.3, 0.6], "How far the bass swells the core."),
        ParamSpec::new("sides", "", [3.0, 16.0, 16.0], "Corners of a ring; 16 is round."),
        ParamSpec::new("twist", "turns", [-1.0, 0.1, 1.0], "Turn of a ring on its way out."),
    ],
    make: |from| {
        Box::new(Ripples {
            rings: [None; RINGS],
            next: 0,
            seen: None,
            core: 0.0,
            turn: Random::new(from.seed).unit(),
        })
    },
};

const RINGS: usize = 5;
const ROUND_VERTICES: usize = 72;

#[derive(Clone, Copy)]
struct Ring {
    /// 0 at the core, 1 at the edge.
    way: f32,
    strength: f32,
}

struct Ripples {
    rings: [Option<Ring>; RINGS],
    next: usize,
    /// The last onset answered.
    seen: Option<u32>,
    core: f32,
    turn: f32,
}

impl Pattern for Ripples {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[speed, core, kick, sides, twist] = scene.params else { return };
        let features = scene.features;
        for slot in &mut self.rings {
            *slot = slot
                .map(|ring| Ring {
                    way: ring.way + speed * scene.dt * (1.4 - 0.6 * ring.way),
                    ..ring
                })
                .filter(|ring| ring.way < 1.0);
        }
        if self.seen.is_some_and(|seen| seen != features.onset.count) {
            let ring = Ring { way: 0.0, strength: features.onset.strength.clamp(0.0, 1.0) };
            self.rings[self.next] = Some(ring);
            self.next = (self.next + 1) % RINGS;
        }
        self.seen = Some(features.onset.count);
        fall(&mut self.core, features.bands.bass, scene.dt, 0.12);
        advance(&mut self.turn, 0.05 * scene.dt);

        let core_radius = core + kick * self.core;
        let mut pen = Pen::new(figure);
        ring(&mut pen, core_radius, sides, self.turn, 1.0);
        for wave in self.rings.iter().flatten() {
            let radius = core_radius + (MAX_RADIUS - core_radius) * wave.way;
            let fade = (1.0 - wave.way * wave.way) * (0.55 + 0.45 * wave.strength);
            ring(&mut pen, radius, sides, self.turn + twist * wave.way, fade);
        }
    }
}

fn ring(pen: &mut Pen<'_>, radius: f32, sides: f32, turn: f32, level: f32) {
    let sides = sides.round() as usize;
    let round = sides >= 16;
    let vertices = if round { ROUND_VERTICES } else { sides };
    let (mut sin, mut cos) = sin_cos(turn);
    let (step_sin, step_cos) = (TAU / vertices as f32).sin_cos();
    for _ in 0..vertices {
        pen.to_lit(radius * cos, radius * sin, level);
        (sin, cos) = (sin * step_cos + cos * step_sin, cos * step_cos - sin * step_sin);
    }
    if round { pen.close_curve() } else { pen.close_corners() }
}
