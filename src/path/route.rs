//! The way of strokes that meet end to end: clipped to the field, thinned, evenly divided where they are curves.

use crate::pattern::{Figure, Stroke, Vertex};
use crate::point::Colour;

use super::order::{Leg, TOUCH};

/// Nodes of a curve that stays recognisable: fewer only when the budget is short.
const CURVE_NODES: f32 = 8.0;

/// A place on the way, with what leads on from it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Node {
    /// Horizontal position, −1..=1.
    pub x: f32,
    /// Vertical position, −1..=1.
    pub y: f32,
    /// Colour here, and for a corner stroke of the line to the next node.
    pub colour: Colour,
    /// Distance to the next node, half-fields; 0 at the last.
    pub length: f32,
    /// Greatest speed on the line to the next node, half-fields per point.
    pub cap: f32,
    /// Greatest slowing on the line to the next node, half-fields per point squared.
    pub slowing: f32,
    /// Speed when passing, half-fields per point.
    pub speed: f32,
    /// Time to stand here, points.
    pub pause: f32,
    /// True on a curve: the colour blends towards the next node.
    pub blends: bool,
    /// True for a corner, and where two strokes meet: the mirrors may rest here.
    pub corner: bool,
}

/// How finely a stroke is followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grain {
    /// Spacing of the nodes of a curve, half-fields.
    pub curve: f32,
    /// Corners nearer than this to the last are left out, half-fields.
    pub corner: f32,
    /// True while nothing had to be left out for the budget's sake.
    pub fine: bool,
}

/// The nodes of strokes drawn without a break, in memory taken once.
#[derive(Clone, Debug)]
pub struct Route {
    clipped: Vec<Node>,
    part: Vec<Node>,
    nodes: Vec<Node>,
}

impl Route {
    /// Room for `nodes` nodes; longer strokes are thinned to fit.
    #[must_use]
    pub fn with_capacity(nodes: usize) -> Self {
        let nodes = nodes.max(16);
        Self {
            clipped: Vec::with_capacity(4 * nodes),
            part: Vec::with_capacity(nodes),
            nodes: Vec::with_capacity(nodes),
        }
    }

    /// Lays the nodes of the first of `legs`, and of those after it that begin where the one before ends, as far
    /// as there is room. Returns how many legs that are: at least one, if there is one. No node if nothing of
    /// them lies in the field; one for a dot.
    pub fn build(&mut self, figure: &Figure, legs: &[Leg], grain: Grain) -> usize {
        self.nodes.clear();
        let mut built = 0;
        for leg in legs {
            if built > 0 && !legs[built - 1].meets(leg) {
                break;
            }
            self.follow(figure, leg, grain);
            let Some(first) = self.part.first() else {
                // Nothing of this stroke is to be seen, so nothing leads on from it.
                built = built.max(1);
                break;
            };
            if let Some(joint) = self.nodes.last_mut() {
                // A dot is a rest of its own, and lines that do not meet in the field are not one.
                let parted = apart(joint, first) > TOUCH;
                if parted || self.part.len() == 1 || built > 0 && legs[built - 1].is_dot() {
                    break;
                }
                if self.nodes.len() + self.part.len() > self.nodes.capacity() {
                    break;
                }
                self.nodes.pop();
            }
            self.nodes.extend_from_slice(&self.part);
            built += 1;
        }
        measure(&mut self.nodes);
        built
    }

    /// Lays the part that one leg adds.
    fn follow(&mut self, figure: &Figure, leg: &Leg, grain: Grain) {
        self.clipped.clear();
        self.part.clear();
        let Some(stroke) = figure.strokes().get(leg.stroke) else { return };
        self.clip(figure.vertices_of(stroke), stroke, leg);
        if self.clipped.iter().all(|node| node.colour == Colour::BLACK) {
            return;
        }
        if stroke.smooth {
            self.divide(stroke.closed, grain);
        } else {
            self.thin(stroke.closed, grain);
        }
        for node in &mut self.part {
            node.blends = stroke.smooth;
            node.corner = !stroke.smooth;
        }
        // Strokes may meet at any angle.
        if let Some(first) = self.part.first_mut() {
            first.corner = true;
        }
    }

    /// The nodes, in drawing order.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The nodes, to plan speeds on them.
    pub fn nodes_mut(&mut self) -> &mut [Node] {
        &mut self.nodes
    }

    /// Follows the vertices in drawing order; what lies outside the field is pulled to its edge, dark.
    fn clip(&mut self, vertices: &[Vertex], stroke: &Stroke, leg: &Leg) {
        let count = vertices.len();
        if count == 0 {
            return;
        }
        let lines = if stroke.closed && count > 1 { count } else { count - 1 };
        // A line can become three, and the last node needs a place.
        let stride = (3 * (lines + 1)).div_ceil(self.clipped.capacity()).max(1);
        let vertex = |k: usize| {
            if stroke.closed {
                // Neither is beyond the count, and a division would cost more than the line.
                let at = leg.entry + k;
                &vertices[if at < count { at } else { at - count }]
            } else if leg.reversed {
                &vertices[count - 1 - k]
            } else {
                &vertices[k]
            }
        };
        if lines == 0 {
            let only = vertex(0);
            let inside = only.x.abs() <= 1.0 && only.y.abs() <= 1.0;
            self.keep(only.x, only.y, if inside { only.colour } else { Colour::BLACK });
            return;
        }
        let mut k = 0;
        while k < lines {
            let next = (k + stride).min(lines);
            let (a, b) = (vertex(k), vertex(next));
            // A vertex holds the colour of the line towards the next one as drawn by the pattern.
            let colour = if stroke.smooth || !leg.reversed { a.colour } else { b.colour };
            match visible_part(a, b) {
                Some((from, to)) => {
                    let at = |t: f32| (a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t);
                    if from > 0.0 {
                        self.keep(a.x, a.y, Colour::BLACK);
                    }
                    let (x, y) = at(from);
                    self.keep(x, y, colour);
                    if to < 1.0 {
                        let (x, y) = at(to);
                        self.keep(x, y, Colour::BLACK);
                    }
                }
                None => self.keep(a.x, a.y, Colour::BLACK),
            }
            k = next;
        }
        let last = vertex(lines);
        let inside = last.x.abs() <= 1.0 && last.y.abs() <= 1.0;
        self.keep(last.x, last.y, if inside { last.colour } else { Colour::BLACK });
    }

    fn keep(&mut self, x: f32, y: f32, colour: Colour) {
        if self.clipped.len() < self.clipped.capacity() {
            let (x, y) = (x.clamp(-1.0, 1.0), y.clamp(-1.0, 1.0));
            self.clipped.push(Node { x, y, colour, ..Node::default() });
        }
    }

    /// Leaves out corners that lie closer than the grain; the ends stay.
    fn thin(&mut self, closed: bool, grain: Grain) {
        let total: f32 = self.clipped.windows(2).map(|w| apart(&w[0], &w[1])).sum();
        let room = total / (self.part.capacity() - 2) as f32;
        // A closed stroke keeps an area: at least a corner in each quarter of its way.
        let widest = if closed { 0.24 * total } else { total };
        let apart_least = grain.corner.min(widest).max(room).max(1e-6);
        let mut way = 0.0;
        let last = self.clipped.len() - 1;
        for k in 0..=last {
            let node = self.clipped[k];
            if k > 0 {
                way += apart(&self.clipped[k - 1], &node);
            }
            // A change between light and dark is the edge of the field: it stays.
            let edge = k > 0
                && (node.colour == Colour::BLACK) != (self.clipped[k - 1].colour == Colour::BLACK);
            let far = way >= apart_least || (edge && way >= 1e-6);
            let full = self.part.len() + 1 >= self.part.capacity();
            if k == last {
                if way < 0.5 * apart_least && self.part.len() > 1 {
                    self.part.pop();
                }
                if self.part.last().is_none_or(|only| apart(only, &node) > 1e-6 || closed) {
                    self.part.push(node);
                }
            } else if k > 0 && way < 1e-6 {
                // At the same place, the later colour is that of the line which leads on.
                if let Some(here) = self.part.last_mut() {
                    here.colour = node.colour;
                }
            } else if k == 0 || (far && !full) {
                self.part.push(node);
                way = 0.0;
            }
        }
        if total <= 1e-6 {
            self.part.truncate(1);
        }
    }

    /// Nodes evenly spaced along the curve.
    fn divide(&mut self, closed: bool, grain: Grain) {
        let total: f32 = self.clipped.windows(2).map(|w| apart(&w[0], &w[1])).sum();
        let Some(first) = self.clipped.first().copied() else { return };
        self.part.push(first);
        if total <= 1e-6 {
            return;
        }
        let fewest = match (grain.fine, closed) {
            (true, _) => CURVE_NODES,
            (false, true) => 3.0,
            (false, false) => 1.0,
        };
        let most = (self.part.capacity() - 1) as f32;
        let pieces = (total / grain.curve).ceil().max(fewest).min(most);
        let spacing = total / pieces;
        let mut due = spacing;
        let mut way = 0.0;
        for pair in self.clipped.windows(2) {
            let length = apart(&pair[0], &pair[1]);
            while due <= way + length && self.part.len() < pieces as usize && length > 0.0 {
                let t = (due - way) / length;
                self.part.push(between(&pair[0], &pair[1], t));
                due += spacing;
            }
            way += length;
        }
        if let Some(last) = self.clipped.last() {
            self.part.push(*last);
        }
    }
}

/// The place and colour at fraction `t` between two nodes.
#[must_use]
pub fn between(a: &Node, b: &Node, t: f32) -> Node {
    let t = t.clamp(0.0, 1.0);
    Node {
        x: a.x + (b.x - a.x) * t,
        y: a.y + (b.y - a.y) * t,
        colour: a.colour.mix(b.colour, t),
        ..Node::default()
    }
}

fn measure(nodes: &mut [Node]) {
    for k in 1..nodes.len() {
        nodes[k - 1].length = apart(&nodes[k - 1], &nodes[k]);
    }
}

fn apart(a: &Node, b: &Node) -> f32 {
    let (x, y) = (a.x - b.x, a.y - b.y);
    (x * x + y * y).sqrt()
}

/// The part of a line that lies in the field, as fractions of it (Liang and Barsky 1984).
fn visible_part(a: &Vertex, b: &Vertex) -> Option<(f32, f32)> {
    let inside = |v: &Vertex| v.x.abs() <= 1.0 && v.y.abs() <= 1.0;
    if inside(a) && inside(b) {
        return Some((0.0, 1.0));
    }
    let (mut from, mut to) = (0.0_f32, 1.0_f32);
    for (p, d) in [(a.x, b.x - a.x), (a.y, b.y - a.y)] {
        for (slope, room) in [(-d, p + 1.0), (d, 1.0 - p)] {
            if slope == 0.0 {
                if room < 0.0 {
                    return None;
                }
            } else if slope < 0.0 {
                from = from.max(room / slope);
            } else {
                to = to.min(room / slope);
            }
        }
    }
    (from <= to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::super::order::Order;
    use super::*;

    const FINE: Grain = Grain { curve: 0.02, corner: 0.003, fine: true };

    fn route(figure: &Figure, grain: Grain) -> Route {
        let mut order = Order::with_capacity(8);
        order.find(figure, [-1.0, -1.0]);
        let mut route = Route::with_capacity(1000);
        route.build(figure, order.legs(), grain);
        route
    }

    fn line(vertices: &[(f32, f32)], closed: bool, smooth: bool) -> Figure {
        let mut figure = Figure::with_capacity(vertices.len(), 1);
        for (x, y) in vertices {
            figure.vertex(*x, *y, Colour::WHITE);
        }
        figure.end(closed, smooth);
        figure
    }

    #[test]
    fn a_curve_is_divided_evenly() {
        let circle: Vec<_> = (0..500)
            .map(|k| (k as f32 / 500.0 * std::f32::consts::TAU).sin_cos())
            .map(|(y, x)| (0.5 * x, 0.5 * y))
            .collect();
        let route = route(&line(&circle, true, true), FINE);
        let nodes = route.nodes();
        assert_eq!(nodes.len(), 159, "3.1415 / 0.02 pieces and the end");
        for node in &nodes[..nodes.len() - 1] {
            assert!((node.length - 0.01989).abs() < 2e-4, "{}", node.length);
        }
    }

    #[test]
    fn a_line_leaving_the_field_is_lit_inside_and_dark_along_the_edge() {
        let route =
            route(&line(&[(-0.5, 0.0), (1.5, 0.0), (1.5, 0.8), (0.0, 0.8)], false, false), FINE);
        let nodes = route.nodes();
        assert!(nodes.iter().all(|n| n.x.abs() <= 1.0 && n.y.abs() <= 1.0));
        assert_eq!((nodes[0].x, nodes[0].colour), (-0.5, Colour::WHITE));
        assert_eq!((nodes[1].x, nodes[1].colour), (1.0, Colour::BLACK));
        let back = nodes.iter().position(|n| n.y > 0.79 && n.colour == Colour::WHITE).unwrap();
        assert_eq!(nodes[back].x, 1.0);
        assert_eq!(nodes.last().unwrap().x, 0.0);
    }

    #[test]
    fn a_figure_outside_the_field_is_no_way_at_all() {
        assert!(route(&line(&[(1.5, 0.0), (2.0, 1.0)], false, false), FINE).nodes().is_empty());
        assert!(route(&line(&[(-3.0, 0.0)], false, false), FINE).nodes().is_empty());
    }

    #[test]
    fn the_ends_of_a_thinned_stroke_stay() {
        let zigzag: Vec<_> =
            (0..400).map(|k| (k as f32 * 0.004 - 0.8, (k % 2) as f32 * 0.3)).collect();
        for corner in [0.003, 0.2, 1.0, 100.0] {
            let route =
                route(&line(&zigzag, false, false), Grain { curve: corner, corner, fine: false });
            let nodes = route.nodes();
            assert_eq!((nodes[0].x, nodes[0].y), (-0.8, 0.0));
            assert!((nodes.last().unwrap().x - 0.796).abs() < 1e-5);
            assert!(nodes.len() >= 2);
        }
    }

    #[test]
    fn a_coarse_closed_stroke_keeps_an_area() {
        let square = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)];
        for smooth in [false, true] {
            let route = route(
                &line(&square, true, smooth),
                Grain { curve: 100.0, corner: 100.0, fine: false },
            );
            assert!(route.nodes().len() >= 4, "{smooth} {:?}", route.nodes());
        }
    }

    #[test]
    fn a_stroke_without_length_is_a_dot() {
        for smooth in [false, true] {
            let route = route(&line(&[(0.1, 0.1); 5], true, smooth), FINE);
            assert_eq!(route.nodes().len(), 1);
        }
    }
}
