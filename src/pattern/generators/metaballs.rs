//! The outline of balls that flow into each other.

use super::{advance, fall, sin_cos};
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "metaballs",
    name: "Metaballs",
    description: "Drops that flow into each other and apart again; bass swells them, each band its own.",
    params: &[
        ParamSpec::new("balls", "", [2.0, 4.0, 7.0], "Number of drops."),
        ParamSpec::new("radius", "", [0.08, 0.17, 0.35], "Size of a drop at rest."),
        ParamSpec::new("swell", "", [0.0, 0.12, 0.3], "How far the music swells them."),
        ParamSpec::new("reach", "", [0.1, 0.5, 0.8], "How far they wander."),
        ParamSpec::new("speed", "turns/s", [0.0, 0.12, 1.0], "How fast they wander."),
        ParamSpec::new(
            "echo",
            "",
            [0.0, 0.0, 0.8],
            "A second line inside, where they are denser; 0 for none.",
        ),
    ],
    make: |from| {
        let mut random = Random::new(from.seed);
        let ball = |_| Ball {
            phase: [random.unit(), random.unit()],
            pace: random.between(0.6, 1.4),
            push: 0.0,
        };
        Box::new(Metaballs {
            balls: std::array::from_fn(ball),
            field: [[0.0; SIDE]; SIDE],
            passed: [[false; SIDE]; SIDE],
        })
    },
};

const MOST_BALLS: usize = 7;
/// Places of the grid on which the density is known, each way.
const SIDE: usize = 49;
/// Vertices of all outlines.
const MOST_VERTICES: usize = 640;

#[derive(Clone, Copy)]
struct Ball {
    phase: [f32; 2],
    pace: f32,
    push: f32,
}

struct Metaballs {
    balls: [Ball; MOST_BALLS],
    field: [[f32; SIDE]; SIDE],
    /// Cells whose line was drawn.
    passed: [[bool; SIDE]; SIDE],
}

impl Pattern for Metaballs {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[balls, radius, swell, reach, speed, echo] = scene.params else { return };
        let bands = scene.features.bands;
        let balls = (balls.round() as usize).clamp(1, MOST_BALLS);
        let mut places = [(0.0, 0.0, 0.0); MOST_BALLS];
        for (index, ball) in self.balls[..balls].iter_mut().enumerate() {
            let pace = speed * ball.pace * scene.dt * (0.5 + scene.features.level);
            advance(&mut ball.phase[0], pace);
            advance(&mut ball.phase[1], pace * 0.77);
            let hit = [bands.bass, bands.mid, bands.treble][index % 3];
            fall(&mut ball.push, hit, scene.dt, 0.15);
            let (x, y) = (sin_cos(ball.phase[0]).0, sin_cos(ball.phase[1]).1);
            // Drops keep their distance from the edge, whatever their size.
            let size = radius + swell * ball.push;
            let room = (MAX_RADIUS - 1.3 * size).max(0.05).min(reach);
            places[index] = (0.8 * room * x, 0.8 * room * y, size);
        }
        for (row, line) in self.field.iter_mut().enumerate() {
            let y = place(row as f32);
            for (column, density) in line.iter_mut().enumerate() {
                let x = place(column as f32);
                *density = places[..balls]
                    .iter()
                    .map(|(bx, by, size)| {
                        let square = (x - bx) * (x - bx) + (y - by) * (y - by);
                        size * size / (square + 1e-3)
                    })
                    .sum();
            }
        }
        let mut left = MOST_VERTICES;
        self.outline(1.0, 1.0, &mut left, figure);
        if echo > 0.02 {
            self.outline(1.0 + 3.0 * echo, 0.6, &mut left, figure);
        }
    }
}

/// Where a line of the grid lies in the field.
fn place(index: f32) -> f32 {
    index / (SIDE - 1) as f32 * 2.0 - 1.0
}

impl Metaballs {
    /// Draws the lines along which the density is `level`: from cell to cell until each comes back.
    fn outline(&mut self, level: f32, light: f32, left: &mut usize, figure: &mut Figure) {
        self.passed = [[false; SIDE]; SIDE];
        let mut pen = Pen::new(figure);
        for row in 0..SIDE - 1 {
            for column in 0..SIDE - 1 {
                let inside = |r: usize, c: usize| self.field[r][c] >= level;
                // A line that goes up through the lower edge of a cell: every closed line has one.
                let begins =
                    inside(row, column) != inside(row, column + 1) && !self.passed[row][column];
                if begins && row > 0 {
                    self.follow(row, column, level, light, left, &mut pen);
                }
            }
        }
    }

    /// Follows the line that enters the cell through its lower edge.
    fn follow(
        &mut self,
        row: usize,
        column: usize,
        level: f32,
        light: f32,
        left: &mut usize,
        pen: &mut Pen<'_>,
    ) {
        let (mut r, mut c, mut edge) = (row, column, Edge::Low);
        let mut drawn = 0;
        loop {
            if edge == Edge::Low {
                if self.passed[r][c] {
                    break;
                }
                self.passed[r][c] = true;
            }
            if *left > 0 {
                let (x, y) = self.crossing(r, c, edge, level);
                pen.to_lit(x, y, light);
                *left -= 1;
                drawn += 1;
            }
            let Some(out) = self.way_out(r, c, edge, level) else { break };
            let next = match out {
                Edge::Low if r > 0 => (r - 1, c, Edge::High),
                Edge::High if r + 2 < SIDE => (r + 1, c, Edge::Low),
                Edge::Left if c > 0 => (r, c - 1, Edge::Right),
                Edge::Right if c + 2 < SIDE => (r, c + 1, Edge::Left),
                _ => break,
            };
            // Going down into the cell below passes the lower edge of this one.
            if out == Edge::Low {
                if self.passed[r][c] && (r, c) != (row, column) {
                    break;
                }
                let back = (r, c) == (row, column);
                self.passed[r][c] = true;
                if back {
                    break;
                }
            }
            (r, c, edge) = next;
        }
        if drawn >= 3 {
            pen.close_curve();
        } else {
            pen.end_curve();
        }
    }

    fn is_crossed(&self, r: usize, c: usize, edge: Edge, level: f32) -> bool {
        let [from, to] = edge.corners(r, c);
        (self.field[from.0][from.1] >= level) != (self.field[to.0][to.1] >= level)
    }

    /// Through which edge a line that came in through `edge` leaves; of two ways the first to the right.
    fn way_out(&self, r: usize, c: usize, edge: Edge, level: f32) -> Option<Edge> {
        let start = Edge::ALL.iter().position(|known| *known == edge)?;
        // With all four crossed the line keeps to its side of the drop it goes around.
        let [from, _] = edge.corners(r, c);
        let order = if self.field[from.0][from.1] >= level { [3, 1, 2] } else { [1, 3, 2] };
        order
            .into_iter()
            .map(|step| Edge::ALL[(start + step) % 4])
            .find(|out| self.is_crossed(r, c, *out, level))
    }

    /// Where on an edge the density is `level`.
    fn crossing(&self, r: usize, c: usize, edge: Edge, level: f32) -> (f32, f32) {
        let [from, to] = edge.corners(r, c);
        let (a, b) = (self.field[from.0][from.1], self.field[to.0][to.1]);
        // Near a drop the density is like 1/r²: its inverse is the straighter line.
        let (a, b, level) = (1.0 / a.max(1e-3), 1.0 / b.max(1e-3), 1.0 / level);
        let way = if a == b { 0.5 } else { ((level - a) / (b - a)).clamp(0.0, 1.0) };
        let between = |from: usize, to: usize| from as f32 + (to as f32 - from as f32) * way;
        (place(between(from.1, to.1)), place(between(from.0, to.0)))
    }
}

/// An edge of a cell of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    Low,
    Right,
    High,
    Left,
}

impl Edge {
    /// Counter-clockwise.
    const ALL: [Self; 4] = [Self::Low, Self::Right, Self::High, Self::Left];

    /// Its ends, for the cell whose lower left corner is at row `r`, column `c`.
    const fn corners(self, r: usize, c: usize) -> [(usize, usize); 2] {
        match self {
            Self::Low => [(r, c), (r, c + 1)],
            Self::Right => [(r, c + 1), (r + 1, c + 1)],
            Self::High => [(r + 1, c + 1), (r + 1, c)],
            Self::Left => [(r + 1, c), (r, c)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Instrument;

    fn of_field(density: impl Fn(f32, f32) -> f32) -> Figure {
        let mut balls = Metaballs {
            balls: [Ball { phase: [0.0; 2], pace: 1.0, push: 0.0 }; MOST_BALLS],
            field: [[0.0; SIDE]; SIDE],
            passed: [[false; SIDE]; SIDE],
        };
        for row in 0..SIDE {
            for column in 0..SIDE {
                balls.field[row][column] = density(place(column as f32), place(row as f32));
            }
        }
        let (mut figure, mut left) = (Instrument::figure(), MOST_VERTICES);
        balls.outline(1.0, 1.0, &mut left, &mut figure);
        figure
    }

    #[test]
    fn one_drop_is_one_round_line() {
        let figure = of_field(|x, y| 0.25 / (x * x + y * y + 1e-3));
        assert_eq!(figure.strokes().len(), 1);
        let stroke = figure.strokes()[0];
        assert!(stroke.closed && stroke.len > 60, "{stroke:?}");
        for vertex in figure.vertices_of(&stroke) {
            assert!((vertex.x.hypot(vertex.y) - 0.5).abs() < 0.01);
        }
    }

    #[test]
    fn two_drops_apart_are_two_lines_and_near_each_other_one() {
        let pair = |apart: f32| {
            move |x: f32, y: f32| {
                let one = (x - apart).powi(2) + y * y + 1e-3;
                let two = (x + apart).powi(2) + y * y + 1e-3;
                0.04 / one + 0.04 / two
            }
        };
        assert_eq!(of_field(pair(0.5)).strokes().len(), 2);
        assert_eq!(of_field(pair(0.2)).strokes().len(), 1);
    }
}
