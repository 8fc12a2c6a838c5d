//! A cube of wire in perspective, with a second one inside.

use super::{advance, fall, projected, sin_cos, turned};
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "solid",
    name: "Wire cube",
    description: "A cube in perspective, kicked by the bass; with an inner cube it is a tesseract.",
    params: &[
        ParamSpec::new(
            "size",
            "",
            [0.2, 0.6, 0.95],
            "Distance of the corners from the centre at rest.",
        ),
        ParamSpec::new("kick", "", [0.0, 0.35, 0.7], "How far bass and drums enlarge it."),
        ParamSpec::new(
            "inner",
            "",
            [0.0, 0.0, 0.9],
            "Size of a cube inside, as a share; 0 for none.",
        ),
        ParamSpec::new("spin", "turns/s", [-1.0, 0.12, 1.0], "Turn about the vertical."),
        ParamSpec::new("tilt", "turns/s", [-1.0, 0.07, 1.0], "Turn about the horizontal."),
        ParamSpec::new(
            "eye",
            "",
            [1.4, 2.4, 6.0],
            "Distance of the eye: nearer is more perspective.",
        ),
        ParamSpec::new("depth", "", [0.0, 0.5, 0.9], "How dark the far side is."),
    ],
    make: |from| {
        let mut random = Random::new(from.seed);
        Box::new(Solid {
            spin: random.unit(),
            tilt: 0.05 + 0.1 * random.unit(),
            push: 0.0,
            late: 0.0,
        })
    },
};

/// All twelve edges of a cube in four lines, the fewest there can be: its eight corners are all odd.
const LINES: [&[usize]; 4] = [&[0, 1, 2, 3, 0, 4, 5, 6, 7, 4], &[1, 5], &[6, 2], &[3, 7]];
const EDGE_PARTS: usize = 4;

struct Solid {
    spin: f32,
    tilt: f32,
    push: f32,
    late: f32,
}

impl Pattern for Solid {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[size, kick, inner, spin, tilt, eye, depth] = scene.params else { return };
        let features = scene.features;
        advance(&mut self.spin, spin * scene.dt * (0.6 + 0.8 * features.level));
        advance(&mut self.tilt, tilt * scene.dt);
        let hit = 0.7 * features.bands.bass + 0.3 * features.onset.envelope;
        fall(&mut self.push, hit, scene.dt, 0.1);
        self.late += (self.push - self.late) * (1.0 - (-scene.dt / 0.08).exp());

        let (spin, tilt) = (sin_cos(self.spin), sin_cos(self.tilt));
        let outer = (size + kick * self.push).min(MAX_RADIUS);
        let within = (size + kick * self.late).min(MAX_RADIUS) * inner;
        let mut pen = Pen::new(figure);
        let corner = |index: usize, radius: f32| {
            let side = |on: bool| if on { radius } else { -radius } * 0.577_35;
            let point = [side(matches!(index % 4, 1 | 2)), side(index % 4 >= 2), side(index >= 4)];
            turned(point, spin, tilt)
        };
        let vertex = |pen: &mut Pen<'_>, point: [f32; 3]| {
            let (x, y) = projected(point, eye);
            pen.to_lit(x, y, 1.0 - depth * (0.5 - 0.5 * (point[2] / outer)));
        };
        let radii = [outer, within];
        for &radius in &radii[..if inner > 0.02 { 2 } else { 1 }] {
            for line in LINES {
                for pair in line.windows(2) {
                    let (from, to) = (corner(pair[0], radius), corner(pair[1], radius));
                    // Parts let the light fade along an edge that runs away from the eye.
                    for part in 0..EDGE_PARTS {
                        let way = part as f32 / EDGE_PARTS as f32;
                        vertex(&mut pen, between(from, to, way));
                    }
                }
                vertex(&mut pen, corner(line[line.len() - 1], radius));
                pen.end_corners();
            }
        }
        if inner > 0.02 {
            for index in 0..8 {
                let (first, second) =
                    if index % 2 == 0 { (outer, within) } else { (within, outer) };
                vertex(&mut pen, corner(index, first));
                vertex(&mut pen, corner(index, second));
                pen.end_corners();
            }
        }
    }
}

fn between(from: [f32; 3], to: [f32; 3], way: f32) -> [f32; 3] {
    [0, 1, 2].map(|axis| from[axis] + (to[axis] - from[axis]) * way)
}
