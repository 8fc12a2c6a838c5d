//! A torus knot turning in space.

use super::{advance, projected, sin_cos, turned};
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "knot",
    name: "Knot",
    description: "One endless line knotted around a ring, turning in space; bass thickens the ring.",
    params: &[
        ParamSpec::new("around", "", [1.0, 2.0, 7.0], "Turns about the axis of the ring."),
        ParamSpec::new("through", "", [1.0, 3.0, 9.0], "Turns through the hole of the ring."),
        ParamSpec::new("tube", "", [0.05, 0.3, 0.6], "Thickness of the ring at rest."),
        ParamSpec::new("kick", "", [0.0, 0.25, 0.6], "How much the bass thickens it."),
        ParamSpec::new("size", "", [0.2, 0.85, 0.97], "Size."),
        ParamSpec::new("spin", "turns/s", [-1.0, 0.1, 1.0], "Turn about the axis of the ring."),
        ParamSpec::new("lean", "turns", [0.0, 0.1, 0.2], "How far it leans away from the eye."),
        ParamSpec::new("sway", "Hz", [0.0, 0.13, 1.0], "How often the lean goes around."),
        ParamSpec::new("flow", "turns/s", [-1.0, 0.1, 1.0], "Flow of the line through the ring."),
        ParamSpec::new("depth", "", [0.0, 0.6, 0.9], "How dark the far side is."),
    ],
    make: |from| {
        let mut random = Random::new(from.seed);
        Box::new(Knot { spin: random.unit(), sway: random.unit(), flow: 0.0 })
    },
};

const VERTICES: usize = 360;
const EYE: f32 = 3.0;

struct Knot {
    spin: f32,
    sway: f32,
    flow: f32,
}

impl Pattern for Knot {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[around, through, tube, kick, size, spin, lean, sway, flow, depth] = scene.params
        else {
            return;
        };
        let features = scene.features;
        advance(&mut self.spin, spin * scene.dt * (0.6 + 0.8 * features.level));
        advance(&mut self.sway, sway * scene.dt);
        advance(&mut self.flow, flow * scene.dt);
        let (around, through) = (around.round(), through.round());
        let tube = (tube + kick * features.bands.bass).min(0.75);
        let ring = 1.0 - tube;
        let (sway_sin, sway_cos) = sin_cos(self.sway);
        let (yaw, tilt) = (sin_cos(lean * sway_sin), sin_cos(lean * sway_cos));
        let size = size.min(MAX_RADIUS);
        let mut pen = Pen::new(figure);
        for k in 0..VERTICES {
            let along = k as f32 / VERTICES as f32;
            let (round_sin, round_cos) = sin_cos(along * around + self.spin);
            let (tube_sin, tube_cos) = sin_cos(along * through + self.flow);
            let r = ring + tube * tube_cos;
            let point = [r * round_cos, r * round_sin, tube * tube_sin];
            let [x, y, z] = turned(point, yaw, tilt);
            let (x, y) = projected([x, y, z], EYE);
            pen.to_lit(size * x, size * y, 1.0 - depth * (0.5 - 0.5 * z));
        }
        pen.close_curve();
    }
}
