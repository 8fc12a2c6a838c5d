//! One drawing becomes another: every stroke moves into a stroke of the other, colours flow.

use super::{Figure, Stroke, Vertex};
use crate::point::Colour;

/// Vertices of a stroke between two others.
const MOST_VERTICES: usize = 360;

/// Writes into the empty figure `to` what lies between `from` (0) and `into` (1).
///
/// The strokes are paired in their order; those that find no partner shrink into their own middle and go dark.
/// Real-time: no allocation.
pub fn morph(from: &Figure, into: &Figure, amount: f32, to: &mut Figure) {
    if amount <= 0.0 {
        to.copy_from(from);
        return;
    }
    if amount >= 1.0 {
        to.copy_from(into);
        return;
    }
    let (a, b) = (from.strokes(), into.strokes());
    let pairs = a.len().max(b.len());
    let wanted: usize = (0..pairs).map(|pair| vertices_of_pair(a.get(pair), b.get(pair))).sum();
    let thinned = wanted.div_ceil(to.capacity().max(1)).max(1);
    for pair in 0..pairs {
        match (a.get(pair), b.get(pair)) {
            (Some(first), Some(second)) => {
                between(from, first, into, second, amount, thinned, to);
            }
            (Some(alone), None) => shrunk(from, alone, 1.0 - amount, thinned, to),
            (None, Some(alone)) => shrunk(into, alone, amount, thinned, to),
            (None, None) => {}
        }
    }
}

fn vertices_of_pair(a: Option<&Stroke>, b: Option<&Stroke>) -> usize {
    let len = |stroke: Option<&Stroke>| stroke.map_or(0, |stroke| stroke.len);
    len(a).max(len(b)).min(MOST_VERTICES)
}

fn between(
    from: &Figure,
    first: &Stroke,
    into: &Figure,
    second: &Stroke,
    amount: f32,
    thinned: usize,
    to: &mut Figure,
) {
    let closed = first.closed && second.closed;
    // Both lines are walked by the share of their vertices, so that corners stay near corners.
    let count = vertices_of_pair(Some(first), Some(second)) / thinned;
    let count = count.max(if first.len.max(second.len) == 1 { 1 } else { 2 });
    let smooth = first.smooth || second.smooth || count > 24;
    let last = if closed { count } else { count.saturating_sub(1).max(1) };
    to.begin();
    for k in 0..count {
        let place = k as f32 / last as f32;
        let one = at(from.vertices_of(first), first.closed, place);
        let other = at(into.vertices_of(second), second.closed, place);
        let mix = |a: f32, b: f32| a + (b - a) * amount;
        let colour = one.colour.mix(other.colour, amount);
        to.vertex(mix(one.x, other.x), mix(one.y, other.y), colour);
    }
    to.end(closed, smooth);
}

/// The place at a share of a stroke's vertices; a closed one ends where it begins.
fn at(vertices: &[Vertex], closed: bool, share: f32) -> Vertex {
    let Some(last) = vertices.len().checked_sub(1) else { return Vertex::default() };
    let steps = if closed { vertices.len() } else { last };
    let position = share.clamp(0.0, 1.0) * steps as f32;
    let index = (position as usize).min(last);
    let start = vertices[index];
    let end = vertices[if closed { (index + 1) % vertices.len() } else { (index + 1).min(last) }];
    let way = (position - index as f32).clamp(0.0, 1.0);
    Vertex {
        x: start.x + (end.x - start.x) * way,
        y: start.y + (end.y - start.y) * way,
        colour: start.colour,
    }
}

fn shrunk(figure: &Figure, stroke: &Stroke, share: f32, thinned: usize, to: &mut Figure) {
    let vertices = figure.vertices_of(stroke);
    let count = vertices.len().max(1) as f32;
    let (x, y) = vertices.iter().fold((0.0, 0.0), |(x, y), v| (x + v.x / count, y + v.y / count));
    let scaled = |colour: Colour| colour.scaled(share);
    let stride = if stroke.smooth { thinned } else { 1 };
    to.begin();
    for vertex in vertices.iter().step_by(stride) {
        let (dx, dy) = ((vertex.x - x) * share, (vertex.y - y) * share);
        to.vertex(x + dx, y + dy, scaled(vertex.colour));
    }
    to.end(stroke.closed, stroke.smooth);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Instrument;

    fn ring(radius: f32, vertices: usize, colour: Colour) -> Figure {
        let mut figure = Instrument::figure();
        add_ring(&mut figure, radius, vertices, colour);
        figure
    }

    fn add_ring(figure: &mut Figure, radius: f32, vertices: usize, colour: Colour) {
        for k in 0..vertices {
            let (sin, cos) = (k as f32 / vertices as f32 * std::f32::consts::TAU).sin_cos();
            figure.vertex(radius * cos, radius * sin, colour);
        }
        figure.end(true, true);
    }

    fn all(figure: &Figure) -> Vec<Vertex> {
        figure.strokes().iter().flat_map(|stroke| figure.vertices_of(stroke)).copied().collect()
    }

    #[test]
    fn the_ends_are_the_drawings_themselves() {
        let (a, b) = (ring(0.2, 40, Colour::WHITE), ring(0.8, 300, Colour::WHITE));
        let mut to = Instrument::figure();
        morph(&a, &b, 0.0, &mut to);
        assert_eq!(all(&to), all(&a));
        morph(&a, &b, 1.0, &mut to);
        assert_eq!(all(&to), all(&b));
    }

    #[test]
    fn halfway_lies_halfway_in_place_and_colour() {
        let a = ring(0.2, 40, Colour::rgb(1.0, 0.0, 0.0));
        let b = ring(0.8, 300, Colour::rgb(0.0, 0.0, 1.0));
        let mut to = Instrument::figure();
        morph(&a, &b, 0.5, &mut to);
        for vertex in all(&to) {
            assert!((vertex.x.hypot(vertex.y) - 0.5).abs() < 0.01);
            assert_eq!(vertex.colour, Colour::rgb(0.5, 0.0, 0.5));
        }
    }

    #[test]
    fn a_stroke_without_a_partner_goes_dark_and_small_and_nothing_jumps() {
        let mut a = ring(0.5, 60, Colour::WHITE);
        add_ring(&mut a, 0.9, 60, Colour::WHITE);
        let b = ring(0.3, 500, Colour::WHITE);
        let mut last: Option<Vec<Vertex>> = None;
        for step in 1..100 {
            let mut to = Instrument::figure();
            morph(&a, &b, step as f32 / 100.0, &mut to);
            assert_eq!((to.strokes().len(), to.dropped()), (2, 0));
            let seen = all(&to);
            if let Some(last) = &last {
                assert_eq!(last.len(), seen.len());
                let jump = last.iter().zip(&seen).map(|(a, b)| (a.x - b.x).hypot(a.y - b.y));
                assert!(jump.fold(0.0, f32::max) < 0.02);
            }
            last = Some(seen);
        }
        let last = last.unwrap();
        assert!(last[last.len() - 1].colour.r < 0.02);
    }

    #[test]
    fn two_full_drawings_fit_between_each_other() {
        let mut a = Instrument::figure();
        let mut b = Instrument::figure();
        for stroke in 0..2 {
            add_ring(&mut a, 0.4 + 0.1 * stroke as f32, 380, Colour::WHITE);
        }
        for stroke in 0..60 {
            add_ring(&mut b, 0.01 * stroke as f32, 12, Colour::WHITE);
        }
        let mut to = Instrument::figure();
        morph(&a, &b, 0.5, &mut to);
        assert_eq!(to.dropped(), 0);
        assert_eq!(to.strokes().len(), 60);
    }
}
