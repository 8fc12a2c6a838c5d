//! Draws into a figure and never leaves the disc that any rotation keeps within the projector's range.

use super::Figure;
use crate::point::Colour;

/// Every vertex lies within this distance of the centre, so that a turned figure is still in range.
pub const MAX_RADIUS: f32 = 0.97;

/// A pen over a figure: positions are held within [`MAX_RADIUS`], light is white of a given level.
#[derive(Debug)]
pub struct Pen<'a> {
    figure: &'a mut Figure,
}

impl<'a> Pen<'a> {
    /// A pen that draws into `figure`.
    pub fn new(figure: &'a mut Figure) -> Self {
        Self { figure }
    }

    /// A vertex of full light.
    pub fn to(&mut self, x: f32, y: f32) {
        self.to_lit(x, y, 1.0);
    }

    /// A vertex whose line to the next has `level` of the light, 0..=1.
    pub fn to_lit(&mut self, x: f32, y: f32, level: f32) {
        let (x, y) = held_within(x, y);
        let level = level.clamp(0.0, 1.0);
        self.figure.vertex(x, y, Colour::rgb(level, level, level));
    }

    /// Ends the stroke as a closed curve.
    pub fn close_curve(&mut self) {
        self.figure.end(true, true);
    }

    /// Ends the stroke as an open curve.
    pub fn end_curve(&mut self) {
        self.figure.end(false, true);
    }

    /// Ends the stroke as a closed line with corners.
    pub fn close_corners(&mut self) {
        self.figure.end(true, false);
    }

    /// Ends the stroke as an open line with corners; after a single vertex, a dot.
    pub fn end_corners(&mut self) {
        self.figure.end(false, false);
    }
}

/// The same place, or the nearest of the same direction within [`MAX_RADIUS`].
#[must_use]
pub fn held_within(x: f32, y: f32) -> (f32, f32) {
    let square = x * x + y * y;
    if square <= MAX_RADIUS * MAX_RADIUS {
        return (x, y);
    }
    let shrink = MAX_RADIUS / square.sqrt();
    (x * shrink, y * shrink)
}

/// Maps the square −1..=1 onto the unit disc without folds: a figure that fills a square keeps its
/// character and may be turned. (Elliptical grid mapping, after P. Nowell's square-to-circle.)
#[must_use]
pub fn disc_from_square(x: f32, y: f32) -> (f32, f32) {
    (x * (1.0 - 0.5 * y * y).max(0.0).sqrt(), y * (1.0 - 0.5 * x * x).max(0.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_vertex_leaves_the_disc_and_light_is_untouched() {
        let mut figure = Figure::with_capacity(8, 2);
        let mut pen = Pen::new(&mut figure);
        pen.to(3.0, -4.0);
        pen.to_lit(0.2, 0.1, 7.0);
        pen.close_curve();
        let stroke = figure.strokes()[0];
        let [far, near] = figure.vertices_of(&stroke) else { panic!("two vertices") };
        assert!((far.x.hypot(far.y) - MAX_RADIUS).abs() < 1e-5);
        assert!((far.y / far.x + 4.0 / 3.0).abs() < 1e-4);
        assert_eq!((far.colour, near.colour), (Colour::WHITE, Colour::WHITE));
        assert_eq!((near.x, near.y), (0.2, 0.1));
    }

    #[test]
    fn the_corners_of_the_square_lie_on_the_disc() {
        for (x, y) in [(1.0, 1.0), (-1.0, 1.0), (1.0, 0.0)] {
            let (u, v) = disc_from_square(x, y);
            assert!((u.hypot(v) - 1.0).abs() < 1e-6);
        }
        assert_eq!(disc_from_square(0.0, 0.0), (0.0, 0.0));
    }
}
