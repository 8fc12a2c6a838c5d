//! The five solids of Plato in wire and perspective.

use super::{advance, fall, projected, sin_cos, turned};
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "polyhedron",
    name: "Solids",
    description: "Tetrahedron, octahedron, cube, icosahedron or dodecahedron in wire, kicked by the bass.",
    params: &[
        ParamSpec::new(
            "shape",
            "",
            [0.0, 3.0, 4.0],
            "0 four, 1 eight, 2 six, 3 twenty, 4 twelve faces.",
        ),
        ParamSpec::new("size", "", [0.2, 0.62, 0.95], "Distance of the corners at rest."),
        ParamSpec::new("kick", "", [0.0, 0.3, 0.7], "How far bass and drums enlarge it."),
        ParamSpec::new("burst", "", [0.0, 0.0, 0.5], "How far an attack drives the edges apart."),
        ParamSpec::new("spin", "turns/s", [-1.0, 0.12, 1.0], "Turn about the vertical."),
        ParamSpec::new("tilt", "turns/s", [-1.0, 0.07, 1.0], "Turn about the horizontal."),
        ParamSpec::new(
            "eye",
            "",
            [1.4, 2.4, 6.0],
            "Distance of the eye: nearer is more perspective.",
        ),
        ParamSpec::new("depth", "", [0.0, 0.6, 0.9], "How dark the far side is."),
    ],
    make: |from| {
        let mut random = Random::new(from.seed);
        Box::new(Polyhedron {
            wires: [tetrahedron(), octahedron(), cube(), icosahedron(), dodecahedron()]
                .map(Wire::new),
            spin: random.unit(),
            tilt: 0.03 + 0.1 * random.unit(),
            push: 0.0,
        })
    },
};

/// The golden ratio.
const PHI: f32 = 1.618_034;
const EDGE_PARTS: usize = 3;

/// Corners on the unit ball, and lines along all edges, each edge once.
struct Wire {
    corners: Vec<[f32; 3]>,
    lines: Vec<Vec<usize>>,
}

impl Wire {
    /// The edges of a regular solid are its shortest distances.
    fn new(corners: Vec<[f32; 3]>) -> Self {
        let apart = |a: usize, b: usize| {
            (0..3).map(|axis| (corners[a][axis] - corners[b][axis]).powi(2)).sum::<f32>()
        };
        let count = corners.len();
        let pairs = || (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b)));
        let shortest = pairs().map(|(a, b)| apart(a, b)).fold(f32::MAX, f32::min);
        let mut edges: Vec<_> = pairs().filter(|&(a, b)| apart(a, b) < shortest * 1.01).collect();
        let mut lines = Vec::new();
        while !edges.is_empty() {
            // A line begins where an odd number of edges meet, if there is such a corner, and goes on while it can.
            let degree =
                |corner| edges.iter().filter(|(a, b)| *a == corner || *b == corner).count();
            let odd = (0..count).find(|&corner| degree(corner) % 2 == 1);
            let mut here = odd.unwrap_or(edges[0].0);
            let mut line = vec![here];
            while let Some(next) = edges.iter().position(|(a, b)| *a == here || *b == here) {
                let (a, b) = edges.swap_remove(next);
                here = if a == here { b } else { a };
                line.push(here);
            }
            lines.push(line);
        }
        Self { corners, lines }
    }
}

/// On the unit ball.
fn unit(corners: impl IntoIterator<Item = [f32; 3]>) -> Vec<[f32; 3]> {
    let onto_ball = |[x, y, z]: [f32; 3]| {
        let length = (x * x + y * y + z * z).sqrt();
        [x / length, y / length, z / length]
    };
    corners.into_iter().map(onto_ball).collect()
}

fn tetrahedron() -> Vec<[f32; 3]> {
    unit([[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
}

fn octahedron() -> Vec<[f32; 3]> {
    unit((0..3).flat_map(|axis| {
        [1.0, -1.0].map(|side| {
            let mut corner = [0.0; 3];
            corner[axis] = side;
            corner
        })
    }))
}

fn cube() -> Vec<[f32; 3]> {
    let side = |bit: bool| if bit { 1.0 } else { -1.0 };
    unit((0..8).map(|k| [side(k & 1 > 0), side(k & 2 > 0), side(k & 4 > 0)]))
}

/// The corners of three golden rectangles with these sides, one in each plane.
fn rectangles(short: f32, long: f32) -> impl Iterator<Item = [f32; 3]> {
    let signs = [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)];
    (0..3).flat_map(move |axis| {
        signs.map(|(one, two)| {
            let mut corner = [0.0; 3];
            corner[axis] = short * one;
            corner[(axis + 1) % 3] = long * two;
            corner
        })
    })
}

fn icosahedron() -> Vec<[f32; 3]> {
    unit(rectangles(1.0, PHI))
}

fn dodecahedron() -> Vec<[f32; 3]> {
    let cube = cube().into_iter().map(|corner| corner.map(|part| part * 3.0_f32.sqrt()));
    unit(cube.chain(rectangles(PHI, 1.0 / PHI)).collect::<Vec<_>>())
}

struct Polyhedron {
    wires: [Wire; 5],
    spin: f32,
    tilt: f32,
    push: f32,
}

impl Pattern for Polyhedron {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[shape, size, kick, burst, spin, tilt, eye, depth] = scene.params else { return };
        let features = scene.features;
        advance(&mut self.spin, spin * scene.dt * (0.6 + 0.8 * features.level));
        advance(&mut self.tilt, tilt * scene.dt);
        let hit = 0.7 * features.bands.bass + 0.3 * features.onset.envelope;
        fall(&mut self.push, hit, scene.dt, 0.1);
        let radius = (size + kick * self.push).min(MAX_RADIUS);
        let apart = burst * features.onset.envelope;
        let (spin, tilt) = (sin_cos(self.spin), sin_cos(self.tilt));
        let wire = &self.wires[(shape.round() as usize).min(4)];
        let mut pen = Pen::new(figure);
        for line in &wire.lines {
            for (index, pair) in line.windows(2).enumerate() {
                let ends = [wire.corners[pair[0]], wire.corners[pair[1]]];
                let middle = [0, 1, 2].map(|axis| 0.5 * (ends[0][axis] + ends[1][axis]));
                let last = index + 2 == line.len() || apart > 0.01;
                for part in 0..EDGE_PARTS + usize::from(last) {
                    // Parts let the light fade along an edge that runs away from the eye.
                    let way = part as f32 / EDGE_PARTS as f32;
                    let point = [0, 1, 2].map(|axis| {
                        let edge = ends[0][axis] + (ends[1][axis] - ends[0][axis]) * way;
                        (edge + apart * middle[axis]) * radius / (1.0 + apart)
                    });
                    let point = turned(point, spin, tilt);
                    let (x, y) = projected(point, eye);
                    pen.to_lit(x, y, 1.0 - depth * (0.5 - 0.5 * (point[2] / radius)));
                }
                if apart > 0.01 {
                    pen.end_corners();
                }
            }
            pen.end_corners();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_solid_has_the_edges_it_should_in_few_lines() {
        let solids = [tetrahedron(), octahedron(), cube(), icosahedron(), dodecahedron()];
        let figures: Vec<_> = solids
            .map(Wire::new)
            .iter()
            .map(|wire| {
                let edges = wire.lines.iter().map(|line| line.len() - 1).sum::<usize>();
                (wire.corners.len(), edges, wire.lines.len())
            })
            .collect();
        assert_eq!(figures[0], (4, 6, 2));
        assert_eq!(figures[1].0, 6);
        assert_eq!((figures[1].1, figures[2].1, figures[3].1, figures[4].1), (12, 12, 30, 30));
        assert!(figures.iter().all(|(_, _, lines)| *lines <= 12), "{figures:?}");
    }
}
