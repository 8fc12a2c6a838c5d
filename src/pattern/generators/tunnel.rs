//! A flight through rings that come towards the eye.

use super::{advance, fall, sin_cos};
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "tunnel",
    name: "Tunnel",
    description: "A flight through rings; loud music flies faster, drums surge, bass widens.",
    params: &[
        ParamSpec::new("rings", "", [3.0, 6.0, 9.0], "Rings in sight."),
        ParamSpec::new("sides", "", [3.0, 16.0, 16.0], "Corners of a ring; 16 is round."),
        ParamSpec::new("speed", "rings/s", [-6.0, 1.5, 6.0], "Speed at full loudness."),
        ParamSpec::new("surge", "", [0.0, 1.0, 3.0], "How much an attack adds to the speed."),
        ParamSpec::new("twist", "turns", [-0.5, 0.08, 0.5], "Turn from the far end to the near."),
        ParamSpec::new("bend", "", [0.0, 0.25, 0.5], "How far the far end wanders."),
        ParamSpec::new("kick", "", [0.0, 0.2, 0.5], "How far the bass widens the rings."),
        ParamSpec::new("spin", "turns/s", [-1.0, 0.03, 1.0], "Steady turn."),
    ],
    make: |from| {
        let mut random = Random::new(from.seed);
        Box::new(Tunnel { way: 0.0, turn: random.unit(), wander: random.unit(), push: 0.0 })
    },
};

const ROUND_VERTICES: usize = 56;

struct Tunnel {
    /// Part of the way from one ring to the next.
    way: f32,
    turn: f32,
    wander: f32,
    push: f32,
}

impl Pattern for Tunnel {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[rings, sides, speed, surge, twist, bend, kick, spin] = scene.params else { return };
        let features = scene.features;
        let drive = 0.25 + 0.75 * features.level + surge * features.onset.envelope;
        advance(&mut self.way, speed * scene.dt * drive);
        advance(&mut self.turn, spin * scene.dt);
        advance(&mut self.wander, 0.09 * scene.dt);
        fall(&mut self.push, features.bands.bass, scene.dt, 0.15);

        let rings = rings.round() as usize;
        let sides = sides.round() as usize;
        let round = sides >= 16;
        let vertices = if round { ROUND_VERTICES } else { sides };
        let far = (bend * sin_cos(self.wander).1, bend * sin_cos(self.wander * 2.0).0 * 0.8);
        let mut pen = Pen::new(figure);
        for ring in 0..rings {
            let near = (ring as f32 + self.way) / rings as f32;
            // Perspective: the far end is small and dense, the near end opens quickly.
            let open = 0.08 + 0.92 * near * near;
            let radius = open * (1.0 - kick + kick * self.push) * MAX_RADIUS;
            let shift = (1.0 - near) * (1.0 - near);
            let (cx, cy) = (far.0 * shift, far.1 * shift);
            // Rings are born and leave without a flash.
            let light = (4.0 * near).min(6.0 * (1.0 - near)).clamp(0.0, 1.0);
            for corner in 0..vertices {
                let (sin, cos) =
                    sin_cos(self.turn + twist * near + corner as f32 / vertices as f32);
                pen.to_lit(cx + radius * cos, cy + radius * sin, light * (0.35 + 0.65 * near));
            }
            if round { pen.close_curve() } else { pen.close_corners() }
        }
    }
}
