//! Pictures to set a projector up by. They stand still, whatever the music.

use super::sin_cos;
use crate::pattern::pen::MAX_RADIUS;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};
use crate::point::Colour;

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "test_pattern",
    name: "Test pattern",
    description: "Still pictures to set a projector up by: geometry, grid, colours, blanking, corners, rings.",
    params: &[
        ParamSpec::new(
            "picture",
            "",
            [0.0, 0.0, 5.0],
            "0 geometry, 1 grid, 2 colours, 3 blanking, 4 corners, 5 rings.",
        ),
        ParamSpec::new(
            "size",
            "",
            [0.1, 1.0, 1.0],
            "Size; 1 fills the field that any turn leaves free.",
        ),
    ],
    make: |_| Box::new(TestPattern),
};

/// Half the side of the largest square.
const HALF: f32 = MAX_RADIUS * std::f32::consts::FRAC_1_SQRT_2;
const CIRCLE_VERTICES: usize = 96;

struct TestPattern;

impl Pattern for TestPattern {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[picture, size] = scene.params else { return };
        let mut sheet = Sheet { figure, scale: HALF * size };
        match picture.round() as i32 {
            0 => geometry(&mut sheet),
            1 => grid(&mut sheet),
            2 => colours(&mut sheet),
            3 => blanking(&mut sheet),
            4 => corners(&mut sheet),
            _ => rings(&mut sheet),
        }
    }
}

/// Draws in units of half the largest square.
struct Sheet<'a> {
    figure: &'a mut Figure,
    scale: f32,
}

impl Sheet<'_> {
    fn to(&mut self, x: f32, y: f32, colour: Colour) {
        self.figure.vertex(x * self.scale, y * self.scale, colour);
    }

    fn line(&mut self, from: (f32, f32), to: (f32, f32), colour: Colour) {
        self.to(from.0, from.1, colour);
        self.to(to.0, to.1, colour);
        self.figure.end(false, false);
    }

    fn square(&mut self, half: f32, colour: Colour) {
        for (x, y) in [(-half, -half), (half, -half), (half, half), (-half, half)] {
            self.to(x, y, colour);
        }
        self.figure.end(true, false);
    }

    fn circle(&mut self, radius: f32, colour: Colour) {
        for k in 0..CIRCLE_VERTICES {
            let (sin, cos) = sin_cos(k as f32 / CIRCLE_VERTICES as f32);
            self.to(radius * cos, radius * sin, colour);
        }
        self.figure.end(true, true);
    }
}

const RED: Colour = Colour::rgb(1.0, 0.0, 0.0);
const GREEN: Colour = Colour::rgb(0.0, 1.0, 0.0);
const BLUE: Colour = Colour::rgb(0.0, 0.0, 1.0);

/// A square with a circle that touches the middle of its sides when the mirrors are tuned as they should be, a cross,
/// and an arrow that shows which way is up and which is right.
fn geometry(sheet: &mut Sheet<'_>) {
    sheet.square(1.0, Colour::WHITE);
    sheet.circle(1.0, GREEN);
    sheet.circle(0.5, BLUE);
    sheet.line((-1.0, 0.0), (1.0, 0.0), RED);
    sheet.line((0.0, -1.0), (0.0, 1.0), RED);
    for (x, y) in [(-0.12, 0.3), (0.0, 0.44), (0.12, 0.3)] {
        sheet.to(x, y, Colour::WHITE);
    }
    sheet.figure.end(false, false);
    for (x, y) in [(0.2, 0.06), (0.32, 0.0), (0.2, -0.06)] {
        sheet.to(x, y, RED);
    }
    sheet.figure.end(false, false);
}

fn grid(sheet: &mut Sheet<'_>) {
    for line in 0..5 {
        let place = line as f32 * 0.5 - 1.0;
        let colour = if line == 2 { RED } else { GREEN };
        let (left, right) = if line % 2 == 0 { (-1.0, 1.0) } else { (1.0, -1.0) };
        sheet.line((left, place), (right, place), colour);
    }
    for line in 0..5 {
        let place = line as f32 * 0.5 - 1.0;
        let colour = if line == 2 { RED } else { BLUE };
        let (low, high) = if line % 2 == 0 { (-1.0, 1.0) } else { (1.0, -1.0) };
        sheet.line((place, low), (place, high), colour);
    }
}

/// Each diode alone, each pair, all three; then a ramp of white.
fn colours(sheet: &mut Sheet<'_>) {
    let pure = [
        RED,
        Colour::rgb(1.0, 1.0, 0.0),
        GREEN,
        Colour::rgb(0.0, 1.0, 1.0),
        BLUE,
        Colour::rgb(1.0, 0.0, 1.0),
        Colour::WHITE,
    ];
    for (index, colour) in pure.into_iter().enumerate() {
        let y = 1.0 - index as f32 * 0.25;
        let (left, right) = if index % 2 == 0 { (-1.0, 1.0) } else { (1.0, -1.0) };
        sheet.line((left, y), (right, y), colour);
    }
    for step in 0..=16 {
        let share = step as f32 / 16.0;
        sheet.to(2.0 * share - 1.0, -1.0, Colour::WHITE.scaled(share));
    }
    sheet.figure.end(false, true);
}

/// Gaps between dashes: their ends lie above each other when colour and mirrors are in step.
fn blanking(sheet: &mut Sheet<'_>) {
    for row in 0..4 {
        let y = 0.9 - row as f32 * 0.6;
        let colour = [Colour::WHITE, RED, GREEN, BLUE][row];
        // Every other row from the right: a wrong delay moves its ends the other way.
        let side = if row % 2 == 0 { 1.0 } else { -1.0 };
        for dash in 0..12 {
            let lit = dash % 2 == 0;
            let x = (dash as f32 / 12.0 * 2.0 - 1.0) * side;
            sheet.to(x, y, if lit { colour } else { Colour::BLACK });
        }
        sheet.to(side, y, Colour::BLACK);
        // As corners: colours of a curve would flow into each other.
        sheet.figure.end(false, false);
    }
}

fn corners(sheet: &mut Sheet<'_>) {
    let marks = [
        (-1.0_f32, 1.0_f32, RED),
        (1.0, 1.0, GREEN),
        (1.0, -1.0, BLUE),
        (-1.0, -1.0, Colour::WHITE),
    ];
    for (x, y, colour) in marks {
        sheet.to(x, y - 0.3 * y.signum(), colour);
        sheet.to(x, y, colour);
        sheet.to(x - 0.3 * x.signum(), y, colour);
        sheet.figure.end(false, false);
    }
    sheet.line((-0.1, 0.0), (0.1, 0.0), Colour::WHITE);
    sheet.line((0.0, -0.1), (0.0, 0.1), Colour::WHITE);
}

fn rings(sheet: &mut Sheet<'_>) {
    for ring in 1..=5 {
        let colour = [RED, GREEN, BLUE, GREEN, RED][ring - 1];
        sheet.circle(ring as f32 * 0.2, colour);
    }
}
