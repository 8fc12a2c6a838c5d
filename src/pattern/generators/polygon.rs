//! Nested polygons that kick on every attack and step around on the beat.

use super::{advance, fall, sin_cos};
use crate::pattern::modulation::beat_pulse;
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "polygon",
    name: "Polygon",
    description: "Nested polygons that kick with the drums; the inner ones follow the outer.",
    params: &[
        ParamSpec::new("sides", "", [3.0, 4.0, 10.0], "Number of corners."),
        ParamSpec::new("radius", "", [0.1, 0.55, 0.95], "Radius at rest."),
        ParamSpec::new("kick", "", [0.0, 0.35, 0.8], "How far bass and drums push it outwards."),
        ParamSpec::new("copies", "", [1.0, 3.0, 5.0], "Number of polygons, one within the other."),
        ParamSpec::new("twist", "turns", [-0.5, 0.06, 0.5], "Turn from each copy to the next."),
        ParamSpec::new("step", "turns", [-0.5, 0.125, 0.5], "Turn on every beat."),
        ParamSpec::new("spin", "turns/s", [-2.0, 0.0, 2.0], "Steady turn."),
    ],
    make: |from| {
        let start = Random::new(from.seed).unit();
        Box::new(Polygon { turn: start, beat: None, owed: 0.0, push: [0.0; COPIES] })
    },
};

const COPIES: usize = 5;
const STEP_SECONDS: f32 = 0.08;

struct Polygon {
    turn: f32,
    /// The last beat answered.
    beat: Option<u32>,
    /// Turns of beat steps still to make.
    owed: f32,
    push: [f32; COPIES],
}

impl Pattern for Polygon {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[sides, radius, kick, copies, twist, step, spin] = scene.params else { return };
        let features = scene.features;
        if self.beat.is_some_and(|seen| seen != features.beat.count) {
            self.owed = (self.owed + step).clamp(-1.0, 1.0);
        }
        self.beat = Some(features.beat.count);
        let paid = self.owed * (1.0 - (-scene.dt / STEP_SECONDS).exp());
        self.owed -= paid;
        advance(&mut self.turn, spin * scene.dt + paid);

        let hit = (0.55 * features.bands.bass + 0.45 * features.onset.envelope)
            .max(0.6 * beat_pulse(features) * features.level);
        fall(&mut self.push[0], hit, scene.dt, 0.1);
        for copy in 1..COPIES {
            let lead = self.push[copy - 1];
            self.push[copy] += (lead - self.push[copy]) * (1.0 - (-scene.dt / 0.05).exp());
        }

        let sides = sides.round() as usize;
        let copies = copies.round().clamp(1.0, COPIES as f32) as usize;
        let mut pen = Pen::new(figure);
        for copy in 0..copies {
            let share = 1.0 - copy as f32 / copies as f32;
            let size = (radius + kick * self.push[copy]).min(MAX_RADIUS) * share;
            for corner in 0..sides {
                let turn = self.turn + twist * copy as f32 + corner as f32 / sides as f32;
                let (sin, cos) = sin_cos(turn);
                pen.to_lit(size * cos, size * sin, 0.6 + 0.4 * share);
            }
            pen.close_corners();
        }
    }
}
