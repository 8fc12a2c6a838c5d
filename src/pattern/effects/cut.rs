//! Effects that show parts of every line: dashes, dots, a line that is being drawn.

use super::{Effect, EffectKind};
use crate::pattern::generators::advance;
use crate::pattern::{Figure, ParamSpec, Scene, Stroke, Vertex};
use crate::point::Colour;

/// Dashes.
pub(super) const DASH: EffectKind = EffectKind {
    id: "dash",
    description: "Cuts every line into dashes that may travel along it.",
    params: &[
        ParamSpec::new("dashes", "", [1.0, 8.0, 24.0], "Dashes of a line."),
        ParamSpec::new("share", "", [0.05, 0.5, 1.0], "Share of the line that is lit."),
        ParamSpec::new("speed", "dashes/s", [-16.0, 1.0, 16.0], "How fast they travel."),
    ],
    make: || Box::new(Dash { phase: 0.0 }),
};

struct Dash {
    phase: f32,
}

impl Effect for Dash {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[dashes, share, speed] = scene.params else { return };
        advance(&mut self.phase, speed * scene.dt);
        let dashes = dashes.round().max(1.0);
        for stroke in from.strokes() {
            let line = Line::of(from, stroke);
            if line.length <= 0.0 {
                line.copy(to, stroke);
                continue;
            }
            // The line in units of dashes: lit where the fraction is below the share.
            let per_length = dashes / line.length;
            to.begin();
            let mut place = -self.phase;
            for segment in 0..line.segments() {
                let (start, end) = line.segment(segment);
                let span = (end.x - start.x).hypot(end.y - start.y) * per_length;
                let mut at = 0.0;
                // Each turn of the loop is the part up to the next edge of a dash; a segment holds few.
                for _ in 0..2 * 24 + 2 {
                    let fraction = (place + at).rem_euclid(1.0);
                    let is_lit = fraction < share;
                    let vertex = between(start, end, if span > 0.0 { at / span } else { 0.0 });
                    let colour = if is_lit { start.colour } else { Colour::BLACK };
                    to.vertex(vertex.x, vertex.y, colour);
                    let edge = if is_lit { share - fraction } else { 1.0 - fraction };
                    at += edge.max(1e-4);
                    if at >= span {
                        break;
                    }
                }
                place += span;
            }
            if !stroke.closed {
                let end = line.vertices[line.vertices.len() - 1];
                to.vertex(end.x, end.y, end.colour);
            }
            // Colours of a curve flow into each other; the edge of a dash is hard. Corners this flat get no rest.
            to.end(stroke.closed, false);
        }
    }
}

/// Dots.
pub(super) const DOTS: EffectKind = EffectKind {
    id: "dots",
    description: "Dots along the lines instead of the lines: beams in haze.",
    params: &[
        ParamSpec::new("dots", "", [1.0, 16.0, 40.0], "Dots of the whole drawing."),
        ParamSpec::new(
            "speed",
            "dots/s",
            [-16.0, 0.0, 16.0],
            "How fast they travel along the lines.",
        ),
        ParamSpec::new(
            "length",
            "",
            [0.0, 0.0, 0.9],
            "Length of a mark, as a share of the way to the next.",
        ),
    ],
    make: || Box::new(Dots { phase: 0.0 }),
};

struct Dots {
    phase: f32,
}

impl Effect for Dots {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[dots, speed, length] = scene.params else { return };
        advance(&mut self.phase, speed * scene.dt);
        let whole: f32 = from.strokes().iter().map(|stroke| Line::of(from, stroke).length).sum();
        let gap = whole / dots.round().max(1.0);
        // How far into the present stroke the next dot lies.
        let mut next = self.phase * gap;
        for stroke in from.strokes() {
            let line = Line::of(from, stroke);
            if line.length <= 0.0 {
                line.copy(to, stroke);
                continue;
            }
            while next < line.length {
                let dot = line.at(next);
                to.begin();
                to.vertex(dot.x, dot.y, dot.colour);
                let end = next + gap * length;
                if length > 0.02 && end <= line.length {
                    let end = line.at(end);
                    to.vertex(end.x, end.y, end.colour);
                }
                to.end(false, false);
                next += gap.max(1e-3);
            }
            next -= line.length;
        }
    }
}

/// A part of every line.
pub(super) const REVEAL: EffectKind = EffectKind {
    id: "reveal",
    description: "Shows only a part of every line, as if it were being drawn.",
    params: &[
        ParamSpec::new("begin", "", [0.0, 0.0, 1.0], "Where the part begins."),
        ParamSpec::new("length", "", [0.02, 0.7, 1.0], "Length of the part."),
        ParamSpec::new(
            "speed",
            "1/s",
            [-4.0, 0.0, 4.0],
            "How fast the part travels along the line.",
        ),
    ],
    make: || Box::new(Reveal { phase: 0.0 }),
};

struct Reveal {
    phase: f32,
}

impl Effect for Reveal {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[begin, length, speed] = scene.params else { return };
        advance(&mut self.phase, speed * scene.dt);
        for stroke in from.strokes() {
            let line = Line::of(from, stroke);
            if line.length <= 0.0 || length >= 1.0 {
                line.copy(to, stroke);
                continue;
            }
            let mut start = (begin + self.phase).rem_euclid(1.0) * line.length;
            let mut end = start + length * line.length;
            if !stroke.closed && begin + length > 1.0 && speed == 0.0 {
                end = end.min(line.length);
            } else if !stroke.closed && end > line.length {
                // An open line has no seam to cross: the part turns back into it.
                end = line.length;
                start = start.min(end - 0.02 * line.length);
            }
            to.begin();
            let first = line.at(start);
            to.vertex(first.x, first.y, first.colour);
            let mut place = 0.0;
            for segment in 0..2 * line.segments() {
                let (from, next) = line.segment(segment % line.segments());
                place += (next.x - from.x).hypot(next.y - from.y);
                if place >= end {
                    break;
                }
                if place > start {
                    to.vertex(next.x, next.y, next.colour);
                }
            }
            let last = line.at(end);
            to.vertex(last.x, last.y, last.colour);
            to.end(false, stroke.smooth);
        }
    }
}

/// A stroke with its length.
struct Line<'a> {
    vertices: &'a [Vertex],
    closed: bool,
    length: f32,
}

impl<'a> Line<'a> {
    fn of(figure: &'a Figure, stroke: &Stroke) -> Self {
        let vertices = figure.vertices_of(stroke);
        let mut line = Self { vertices, closed: stroke.closed, length: 0.0 };
        line.length = (0..line.segments())
            .map(|segment| {
                let (start, end) = line.segment(segment);
                (end.x - start.x).hypot(end.y - start.y)
            })
            .sum();
        line
    }

    fn segments(&self) -> usize {
        if self.closed { self.vertices.len() } else { self.vertices.len().saturating_sub(1) }
    }

    fn segment(&self, index: usize) -> (Vertex, Vertex) {
        (self.vertices[index], self.vertices[(index + 1) % self.vertices.len()])
    }

    /// The place at a length along the line; around and around if it is closed, else held at its end.
    fn at(&self, length: f32) -> Vertex {
        let mut left = if self.closed && self.length > 0.0 {
            length.rem_euclid(self.length)
        } else {
            length.clamp(0.0, self.length)
        };
        for segment in 0..self.segments() {
            let (start, end) = self.segment(segment);
            let span = (end.x - start.x).hypot(end.y - start.y);
            if left <= span && span > 0.0 {
                return between(start, end, left / span);
            }
            left -= span;
        }
        self.vertices[if self.closed { 0 } else { self.vertices.len() - 1 }]
    }

    fn copy(&self, to: &mut Figure, stroke: &Stroke) {
        to.begin();
        for vertex in self.vertices {
            to.vertex(vertex.x, vertex.y, vertex.colour);
        }
        to.end(stroke.closed, stroke.smooth);
    }
}

/// A place of the line between two vertices, with the colour of that line.
fn between(start: Vertex, end: Vertex, way: f32) -> Vertex {
    Vertex { x: start.x + (end.x - start.x) * way, y: start.y + (end.y - start.y) * way, ..start }
}
