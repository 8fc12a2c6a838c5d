//! In which order strokes are drawn, from which end, and where closed ones begin.
//!
//! Nearest neighbour from where the beam is, then 2-opt and or-opt moves (Croes 1958; Or 1976) while they
//! shorten the dark way and the work allowed for a frame lasts. Figures of a show are alike: the order of the
//! last one is where the next begins, if it still is a good one.
//!
//! Going dark costs more than its way: mirrors have to stop and settle. So ends that touch are joined first, which
//! leaves as few dark ways as there have to be (an Euler trail where there is one).

use crate::pattern::{Figure, Vertex};

/// Distances looked at by the nearest-neighbour pass before it narrows to a window.
const GREEDY_WORK: usize = 60_000;
/// Moves weighed by the improvement of a new order,
const IMPROVE_WORK: usize = 36_000;
/// and of one that was good a frame ago.
const WARM_WORK: usize = 6_000;
/// An order that has become this much worse than it was is found anew.
const STALE: f32 = 1.3;
/// Ends nearer than this are one place, half-fields: a two-hundredth of a beam's width.
pub const TOUCH: f32 = 1e-4;
/// What going dark costs beside its way, half-fields: about the time that stopping and settling take.
const DARKNESS: f32 = 0.5;
/// Places where a closed stroke may begin that the nearest-neighbour pass looks at.
const CLOSED_ENTRIES: usize = 8;
/// A move must save more than this (half-fields) to be made: rounding must not make the search go in circles.
const WORTH: f32 = 1e-5;

/// One stroke as it will be drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leg {
    /// Index of the stroke in the figure.
    pub stroke: usize,
    /// Where a closed stroke begins: index of the vertex within the stroke.
    pub entry: usize,
    /// True for an open stroke drawn from its last vertex to its first.
    pub reversed: bool,
    dot: bool,
    start: [f32; 2],
    end: [f32; 2],
}

impl Leg {
    /// True if `next` begins where this one ends.
    #[must_use]
    pub fn meets(&self, next: &Self) -> bool {
        squared(self.end, next.start) <= TOUCH * TOUCH
    }

    /// True for a stroke of one place.
    #[must_use]
    pub const fn is_dot(&self) -> bool {
        self.dot
    }

    fn turned(self) -> Self {
        let open = self.start != self.end;
        Self { reversed: self.reversed != open, start: self.end, end: self.start, ..self }
    }
}

/// The order of a frame's strokes, in memory taken once.
#[derive(Clone, Debug)]
pub struct Order {
    legs: Vec<Leg>,
    /// The legs of the last figure, to begin with.
    last: Vec<Leg>,
    /// What the last order cost.
    last_cost: f32,
    /// Where the improvement of a warm order goes on.
    next: usize,
}

impl Order {
    /// Room for `strokes` strokes.
    #[must_use]
    pub fn with_capacity(strokes: usize) -> Self {
        let legs = || Vec::with_capacity(strokes);
        Self { legs: legs(), last: legs(), last_cost: 0.0, next: 0 }
    }

    /// Orders the strokes of `figure` for a beam at `from`. Returns how many did not fit.
    pub fn find(&mut self, figure: &Figure, from: [f32; 2]) -> usize {
        self.legs.clear();
        let strokes = figure.strokes();
        let room = self.legs.capacity().min(strokes.len());
        for (index, stroke) in strokes.iter().enumerate().take(room) {
            let vertices = figure.vertices_of(stroke);
            let (Some(first), Some(last)) = (vertices.first(), vertices.last()) else { continue };
            let last = if stroke.closed { first } else { last };
            self.legs.push(Leg {
                stroke: index,
                entry: 0,
                reversed: false,
                dot: vertices.len() == 1,
                start: place(first),
                end: place(last),
            });
        }
        let warm = self.as_last(figure) && self.cost(from) <= STALE * self.last_cost + DARKNESS;
        if !warm {
            self.nearest_first(figure, from);
            self.next = 0;
        }
        self.improve(from, if warm { WARM_WORK } else { IMPROVE_WORK });
        self.enter_closed_strokes_nearest(figure, from);
        self.last.clear();
        self.last.extend_from_slice(&self.legs);
        self.last_cost = self.cost(from);
        strokes.len() - room
    }

    /// Puts the legs in the order of the last figure; false, and as they were, if this one is of other strokes.
    fn as_last(&mut self, figure: &Figure) -> bool {
        let same = |last: &Leg| {
            let (now, stroke) = (self.legs.get(last.stroke)?, figure.strokes().get(last.stroke)?);
            // A leg of every stroke, in the strokes' own order: the place is the stroke.
            let fits = now.stroke == last.stroke && (last.entry == 0 || stroke.closed);
            (fits && last.entry < stroke.len).then_some(())
        };
        if self.last.len() != self.legs.len() || !self.last.iter().all(|last| same(last).is_some())
        {
            return false;
        }
        for k in 0..self.last.len() {
            let was = self.last[k];
            let mut leg = self.legs[was.stroke];
            let stroke = &figure.strokes()[was.stroke];
            if stroke.closed {
                enter(&mut leg, figure.vertices_of(stroke), was.entry);
            } else if was.reversed {
                leg = leg.turned();
            }
            self.last[k] = leg;
        }
        std::mem::swap(&mut self.legs, &mut self.last);
        true
    }

    fn cost(&self, from: [f32; 2]) -> f32 {
        let mut at = from;
        let mut cost = 0.0;
        for leg in &self.legs {
            cost += link(at, leg.start);
            at = leg.end;
        }
        cost
    }

    /// The legs, in drawing order.
    #[must_use]
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// The dark way from `from` through all legs, half-fields.
    #[must_use]
    pub fn dark_way(&self, from: [f32; 2]) -> f32 {
        let mut at = from;
        let mut way = 0.0;
        for leg in &self.legs {
            way += distance(at, leg.start);
            at = leg.end;
        }
        way
    }

    fn nearest_first(&mut self, figure: &Figure, from: [f32; 2]) {
        let count = self.legs.len();
        let window = (2 * GREEDY_WORK / (count.max(1) * CLOSED_ENTRIES)).clamp(8, count.max(8));
        let mut at = from;
        for k in 0..count {
            let mut best = (f32::INFINITY, k, 0, false);
            for j in k..count.min(k + window) {
                let leg = &self.legs[j];
                let stroke = &figure.strokes()[leg.stroke];
                if stroke.closed {
                    let vertices = figure.vertices_of(stroke);
                    let stride = vertices.len().div_ceil(CLOSED_ENTRIES).max(1);
                    for (entry, vertex) in vertices.iter().enumerate().step_by(stride) {
                        let d = squared(at, place(vertex));
                        if d < best.0 {
                            best = (d, j, entry, false);
                        }
                    }
                } else {
                    let (ahead, back) = (squared(at, leg.start), squared(at, leg.end));
                    if ahead < best.0 {
                        best = (ahead, j, 0, false);
                    }
                    if back < best.0 {
                        best = (back, j, 0, true);
                    }
                }
            }
            let (_, chosen, entry, reversed) = best;
            self.legs.swap(k, chosen);
            let leg = &mut self.legs[k];
            let stroke = &figure.strokes()[leg.stroke];
            if stroke.closed {
                enter(leg, figure.vertices_of(stroke), entry);
            } else if reversed {
                *leg = leg.turned();
            }
            at = leg.end;
        }
    }

    /// Moves legs while it pays and `work` lasts, beginning where the last improvement of a warm order ended.
    fn improve(&mut self, from: [f32; 2], work: usize) {
        let count = self.legs.len();
        if count < 2 {
            return;
        }
        let mut left = work;
        // Legs in a row that nothing could be done for.
        let mut idle = 0;
        while idle < count {
            // Both kinds of move look at all places.
            if left < 2 * count {
                return;
            }
            self.next = if self.next < count { self.next } else { 0 };
            let k = self.next;
            let improved = self.turn_best_run(k, from) | self.move_leg(k, from);
            left -= 2 * count - k;
            idle = if improved { 0 } else { idle + 1 };
            self.next += 1;
        }
    }

    /// 2-opt: the run that begins at `first` and is best drawn backwards, if any is.
    fn turn_best_run(&mut self, first: usize, from: [f32; 2]) -> bool {
        let before = if first == 0 { from } else { self.legs[first - 1].end };
        let start = self.legs[first].start;
        let arrive = link(before, start);
        let mut best = (WORTH, first);
        for last in first..self.legs.len() {
            let end = self.legs[last].end;
            let mut saved = arrive - link(before, end);
            if let Some(next) = self.legs.get(last + 1) {
                saved += link(end, next.start) - link(start, next.start);
            }
            if saved > best.0 {
                best = (saved, last + 1);
            }
        }
        let found = best.0 > WORTH;
        if found {
            let run = &mut self.legs[first..best.1];
            run.reverse();
            for leg in run {
                *leg = leg.turned();
            }
        }
        found
    }

    /// Or-opt with runs of one: the leg goes, either way round, where it costs least.
    fn move_leg(&mut self, index: usize, from: [f32; 2]) -> bool {
        let end_of = |legs: &[Leg], k: usize| if k == 0 { from } else { legs[k - 1].end };
        let leg = self.legs[index];
        let before = end_of(&self.legs, index);
        let mut removed = link(before, leg.start);
        if let Some(next) = self.legs.get(index + 1) {
            removed += link(leg.end, next.start) - link(before, next.start);
        }
        let mut best = (WORTH, index, false);
        // `gap` k lies before leg k; the two gaps beside the leg are where it is.
        for gap in (0..=self.legs.len()).filter(|gap| *gap != index && *gap != index + 1) {
            let a = end_of(&self.legs, gap);
            let (ahead, back) = match self.legs.get(gap) {
                Some(next) => {
                    let open = link(a, next.start);
                    (
                        link(a, leg.start) + link(leg.end, next.start) - open,
                        link(a, leg.end) + link(leg.start, next.start) - open,
                    )
                }
                None => (link(a, leg.start), link(a, leg.end)),
            };
            if removed - ahead > best.0 {
                best = (removed - ahead, gap, false);
            }
            if removed - back > best.0 {
                best = (removed - back, gap, true);
            }
        }
        let (saved, gap, turned) = best;
        if saved <= WORTH {
            return false;
        }
        if turned {
            self.legs[index] = leg.turned();
        }
        if gap > index {
            self.legs[index..gap].rotate_left(1);
        } else {
            self.legs[gap..=index].rotate_right(1);
        }
        true
    }

    fn enter_closed_strokes_nearest(&mut self, figure: &Figure, from: [f32; 2]) {
        let mut at = from;
        for leg in &mut self.legs {
            let stroke = &figure.strokes()[leg.stroke];
            if stroke.closed {
                let vertices = figure.vertices_of(stroke);
                let nearest = vertices.iter().map(|v| squared(at, place(v))).enumerate();
                let nearest = nearest.min_by(|a, b| a.1.total_cmp(&b.1));
                enter(leg, vertices, nearest.map_or(0, |(entry, _)| entry));
            }
            at = leg.end;
        }
    }
}

fn enter(leg: &mut Leg, vertices: &[Vertex], entry: usize) {
    leg.entry = entry;
    leg.start = vertices.get(entry).map_or([0.0; 2], place);
    leg.end = leg.start;
}

fn place(vertex: &Vertex) -> [f32; 2] {
    [vertex.x.clamp(-1.0, 1.0), vertex.y.clamp(-1.0, 1.0)]
}

/// What it costs to go dark from `a` to `b`; nothing where they touch.
fn link(a: [f32; 2], b: [f32; 2]) -> f32 {
    let squared = squared(a, b);
    let dark = if squared > TOUCH * TOUCH { DARKNESS } else { 0.0 };
    squared.sqrt() + dark
}

fn squared(a: [f32; 2], b: [f32; 2]) -> f32 {
    let (x, y) = (a[0] - b[0], a[1] - b[1]);
    x * x + y * y
}

fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    squared(a, b).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;

    fn random(seed: &mut u64) -> f32 {
        *seed =
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    fn random_lines(count: usize, mut seed: u64) -> Figure {
        let mut figure = Figure::with_capacity(2 * count, count);
        for _ in 0..count {
            figure.begin();
            for _ in 0..2 {
                let (x, y) = (random(&mut seed), random(&mut seed));
                figure.vertex(x, y, Colour::WHITE);
            }
            figure.end(false, false);
        }
        figure
    }

    fn each_once(order: &Order, count: usize) -> bool {
        let mut seen = vec![0; count];
        for leg in order.legs() {
            seen[leg.stroke] += 1;
        }
        seen.iter().all(|n| *n == 1)
    }

    #[test]
    fn every_stroke_is_drawn_once() {
        for count in [0, 1, 2, 3, 10, 120, 700] {
            let figure = random_lines(count, 7);
            let mut order = Order::with_capacity(1000);
            assert_eq!(order.find(&figure, [0.0, 0.0]), 0);
            assert!(each_once(&order, count));
        }
    }

    #[test]
    fn the_ends_of_a_leg_are_those_of_its_stroke() {
        let figure = random_lines(60, 3);
        let mut order = Order::with_capacity(60);
        order.find(&figure, [0.5, -0.5]);
        for leg in order.legs() {
            let v = figure.vertices_of(&figure.strokes()[leg.stroke]);
            let (a, b) = if leg.reversed { (v[1], v[0]) } else { (v[0], v[1]) };
            assert_eq!((leg.start, leg.end), ([a.x, a.y], [b.x, b.y]));
        }
    }

    #[test]
    fn a_hundred_and_twenty_random_lines_need_a_short_dark_way() {
        let mut total = 0.0;
        for seed in 0..10 {
            let figure = random_lines(120, seed * 977 + 1);
            let mut order = Order::with_capacity(120);
            order.find(&figure, [0.0, 0.0]);
            total += order.dark_way([0.0, 0.0]);
        }
        println!("mean dark way of 120 random lines: {} half-fields", total / 10.0);
        assert!(total / 10.0 < 13.0, "{}", total / 10.0);
    }

    #[test]
    fn a_closed_stroke_begins_at_the_vertex_next_to_the_beam() {
        let mut figure = Figure::with_capacity(64, 1);
        for k in 0..64 {
            let (y, x) = (k as f32 / 64.0 * std::f32::consts::TAU).sin_cos();
            figure.vertex(x * 0.5, y * 0.5, Colour::WHITE);
        }
        figure.end(true, true);
        let mut order = Order::with_capacity(4);
        order.find(&figure, [0.0, 1.0]);
        assert_eq!(order.legs()[0].entry, 16);
    }

    #[test]
    fn strokes_beyond_the_room_are_counted() {
        let figure = random_lines(20, 5);
        let mut order = Order::with_capacity(8);
        let left = order.find(&figure, [0.0, 0.0]);
        assert_eq!(left + order.legs().len(), 20);
    }
}
