//! From points back to strokes: what a frame made elsewhere was meant to draw.
//!
//! A line is lit if the point at its end is: that is how the formats of the field mean it. Corners that do not
//! matter are left out (Ramer 1972; Douglas and Peucker 1973), so that the path stage can space the points anew.
//! For files: it takes memory.

use crate::pattern::Figure;
use crate::point::{Colour, LaserPoint};

/// What may be lost of a position, half-fields: a two-thousandth of the field.
pub const TOLERANCE: f32 = 0.001;
/// What may be lost of a colour, as a share of full.
const COLOUR_TOLERANCE: f32 = 0.06;
/// A colour that changes by more from one point to the next is a step, not a blend, as a share of full.
const COLOUR_STEP: f32 = 0.3;
/// Turns above this make a stroke one of corners: 25°, in radians.
const CORNER: f32 = 0.436;

/// A place of a stroke, with the colour of the line that leads to it.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: [f32; 2],
    colour: [f32; 3],
}

/// The strokes of one frame of points.
#[must_use]
pub fn trace(points: &[LaserPoint]) -> Figure {
    let lit = points.iter().filter(|p| !p.is_blank()).count();
    let runs = points.windows(2).filter(|w| w[0].is_blank() != w[1].is_blank()).count() + 1;
    // A run has a place more than it has lit points.
    let mut figure = Figure::with_capacity(lit + runs, runs);
    let mut run: Vec<Place> = Vec::new();
    let mut before: Option<&LaserPoint> = None;
    for point in points.iter().filter(|p| p.is_in_range()) {
        if point.is_blank() {
            end(&run, &mut figure);
            run.clear();
        } else {
            let colour = [point.r, point.g, point.b].map(|v| f32::from(v) / 65_535.0);
            if run.is_empty() {
                let start = before.unwrap_or(point);
                run.push(Place { at: [start.x, start.y], colour });
            }
            run.push(Place { at: [point.x, point.y], colour });
        }
        before = Some(point);
    }
    end(&run, &mut figure);
    figure
}

/// Makes a stroke of a lit run.
fn end(run: &[Place], figure: &mut Figure) {
    let Some(first) = run.first() else { return };
    let mut way: Vec<Place> = Vec::with_capacity(run.len());
    for place in run {
        // Points that rest draw nothing new.
        if way.last().is_none_or(|last| distance(last.at, place.at) > 0.25 * TOLERANCE) {
            way.push(*place);
        }
    }
    if way.len() > 1 && way.iter().all(|place| distance(place.at, first.at) <= TOLERANCE) {
        way.truncate(1);
    }
    figure.begin();
    if let [dot] = way[..] {
        vertex(figure, dot.at, run.last().map_or(dot.colour, |last| last.colour));
        figure.end(false, false);
        return;
    }
    let last = way.len() - 1;
    let closed = last >= 3 && distance(way[0].at, way[last].at) <= 2.0 * TOLERANCE;
    // A curve turns, but nowhere sharply; a straight line has its colours as steps.
    let smooth = way.windows(3).all(|w| turn(&w[0], &w[1], &w[2]) <= CORNER)
        && (!closed || turn(&way[last - 1], &way[last], &way[1]) <= CORNER)
        && way.windows(3).map(|w| turn(&w[0], &w[1], &w[2])).sum::<f32>() > CORNER
        && way.windows(2).skip(1).all(|w| !differs(w[0].colour, w[1].colour, COLOUR_STEP));
    let keep = kept(&way, smooth);
    let ends = if closed { last } else { last + 1 };
    let mut places = (0..ends).filter(|k| keep[*k]).peekable();
    while let Some(k) = places.next() {
        // A vertex has the colour of the line that leads on; of a curve, its own.
        let next = places.peek().copied().unwrap_or(last);
        vertex(figure, way[k].at, way[if smooth { k } else { next }].colour);
    }
    figure.end(closed, smooth);
}

fn vertex(figure: &mut Figure, at: [f32; 2], colour: [f32; 3]) {
    let [r, g, b] = colour;
    figure.vertex(at[0], at[1], Colour::rgb(r, g, b));
}

/// By how much the way turns at `b`, radians.
fn turn(a: &Place, b: &Place, c: &Place) -> f32 {
    let (u, v) = ([b.at[0] - a.at[0], b.at[1] - a.at[1]], [c.at[0] - b.at[0], c.at[1] - b.at[1]]);
    (u[0] * v[1] - u[1] * v[0]).atan2(u[0] * v[0] + u[1] * v[1]).abs()
}

/// Which places have to stay.
fn kept(way: &[Place], smooth: bool) -> Vec<bool> {
    let last = way.len() - 1;
    let mut keep = vec![false; way.len()];
    (keep[0], keep[last]) = (true, true);
    let mut open = vec![(0, last)];
    while let Some((from, to)) = open.pop() {
        let farthest = (from + 1..to)
            .map(|k| (k, error(way, smooth, from, to, k)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        // The last place of another colour: the step is behind it.
        let colours = (!smooth && from + 1 < to)
            .then(|| {
                (from + 1..to)
                    .rev()
                    .find(|k| differs(way[*k].colour, way[to].colour, COLOUR_TOLERANCE))
            })
            .flatten();
        match (farthest, colours) {
            (Some((k, error)), _) if error > 1.0 => {
                keep[k] = true;
                open.extend([(from, k), (k, to)]);
            }
            (_, Some(k)) => {
                keep[k] = true;
                open.extend([(from, k), (k, to)]);
            }
            _ => {}
        }
    }
    keep
}

/// What leaving out place `k` would lose, as a multiple of what may be lost.
fn error(way: &[Place], smooth: bool, from: usize, to: usize, k: usize) -> f32 {
    let (a, b, p) = (&way[from], &way[to], &way[k]);
    let t = nearest_fraction(a.at, b.at, p.at);
    let on_line = [0, 1].map(|axis| a.at[axis] + (b.at[axis] - a.at[axis]) * t);
    let lost = distance(on_line, p.at) / TOLERANCE;
    if !smooth {
        return lost;
    }
    let blend = |c: usize| (a.colour[c] + (b.colour[c] - a.colour[c]) * t - p.colour[c]).abs();
    lost.max(blend(0).max(blend(1)).max(blend(2)) / COLOUR_TOLERANCE)
}

fn differs(a: [f32; 3], b: [f32; 3], by: f32) -> bool {
    a.iter().zip(b).any(|(a, b)| (a - b).abs() > by)
}

/// Where on the line from `a` to `b` its nearest point to `p` is, 0..=1.
pub(super) fn nearest_fraction(a: [f32; 2], b: [f32; 2], p: [f32; 2]) -> f32 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let squared = dx * dx + dy * dy;
    if squared <= f32::MIN_POSITIVE {
        return 0.0;
    }
    (((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / squared).clamp(0.0, 1.0)
}

pub(super) fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    let (x, y) = (a[0] - b[0], a[1] - b[1]);
    (x * x + y * y).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::{Layout, LayoutSettings, PathPoints};
    use super::*;

    fn lit(x: f32, y: f32) -> LaserPoint {
        LaserPoint::lit(x, y, Colour::WHITE)
    }

    fn ends(figure: &Figure, index: usize) -> Vec<[f32; 2]> {
        figure.vertices_of(&figure.strokes()[index]).iter().map(|v| [v.x, v.y]).collect()
    }

    #[test]
    fn a_line_of_many_points_is_its_two_ends() {
        let mut points = vec![LaserPoint::blank(-0.5, 0.0)];
        points.extend((0..=100).map(|k| lit(-0.5 + 0.01 * k as f32, 0.0)));
        points.extend([lit(0.5, 0.0); 5]);
        let figure = trace(&points);
        assert_eq!(figure.strokes().len(), 1);
        assert_eq!(ends(&figure, 0), [[-0.5, 0.0], [0.5, 0.0]]);
    }

    #[test]
    fn a_line_begins_where_the_dark_point_before_it_was() {
        let figure =
            trace(&[LaserPoint::blank(0.0, 0.0), lit(0.3, 0.0), LaserPoint::blank(0.9, 0.9)]);
        assert_eq!(ends(&figure, 0), [[0.0, 0.0], [0.3, 0.0]]);
    }

    #[test]
    fn a_rest_is_a_dot() {
        let mut points = vec![LaserPoint::blank(0.2, 0.1); 4];
        points.extend([lit(0.2, 0.1); 12]);
        let figure = trace(&points);
        assert_eq!((figure.strokes().len(), figure.strokes()[0].len), (1, 1));
    }

    #[test]
    fn a_change_of_colour_stays_where_it_is() {
        let mut points = vec![LaserPoint::blank(-0.5, 0.0)];
        for k in 0..=100 {
            let colour =
                if k <= 30 { Colour::rgb(1.0, 0.0, 0.0) } else { Colour::rgb(0.0, 0.0, 1.0) };
            points.push(LaserPoint::lit(-0.5 + 0.01 * k as f32, 0.0, colour));
        }
        let figure = trace(&points);
        let vertices = figure.vertices_of(&figure.strokes()[0]);
        assert_eq!(vertices.len(), 3);
        assert!((vertices[1].x + 0.2).abs() < 0.011, "{vertices:?}");
        assert_eq!((vertices[0].colour.r, vertices[1].colour.b), (1.0, 1.0));
    }

    #[test]
    fn a_circle_is_a_closed_curve() {
        let points: Vec<_> = (0..=200)
            .map(|k| (k as f32 / 200.0 * std::f32::consts::TAU).sin_cos())
            .map(|(y, x)| lit(0.5 * x, 0.5 * y))
            .collect();
        let stroke = trace(&points).strokes()[0];
        assert!(stroke.closed && stroke.smooth && stroke.len < 120, "{stroke:?}");
    }

    #[test]
    fn what_the_layout_drew_is_traced_back() {
        let mut square = Figure::with_capacity(8, 2);
        for (x, y) in [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)] {
            square.vertex(x, y, Colour::WHITE);
        }
        square.end(true, false);
        square.vertex(-0.9, 0.9, Colour::rgb(1.0, 0.0, 0.0));
        square.vertex(0.9, 0.9, Colour::rgb(1.0, 0.0, 0.0));
        square.end(false, false);
        let mut out = PathPoints::with_capacity(2000);
        let mut layout = Layout::new(LayoutSettings::default(), 2000);
        layout.lay(&square, LaserPoint::CENTRE, 30_000, 2000, &mut out);
        let figure = trace(out.as_slice());
        assert_eq!(figure.strokes().len(), 2);
        let mut lens: Vec<_> = figure.strokes().iter().map(|s| (s.len, s.closed)).collect();
        lens.sort_unstable();
        assert_eq!(lens, [(2, false), (4, true)]);
    }
}
