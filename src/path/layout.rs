//! A figure becomes the points of one frame.
//!
//! Promise: never more points than the budget, no step beyond the galvo profile, no position outside the
//! field, no step towards its edge that could not be stopped there at any rate ([`super::edge`]), no
//! allocation. A figure too rich for its budget is drawn faster, then without dwell, then coarser; strokes
//! are left out, whole and counted, only when even that does not fit.

use super::edge::{Ahead, EDGE};
use super::order::Order;
use super::points::PathPoints;
use super::profile::GalvoProfile;
use super::rest;
use super::route::{Grain, Node, Route};
use super::speed::{Pace, plan, sample};
use super::travel::Travel;
use crate::pattern::Figure;
use crate::point::LaserPoint;

/// What the mirrors bear, less this, is used: rounding must not make the safety gate see a step too large.
const MARGIN: f32 = 0.98;
/// Degrees of haste from "as it should be" to "as fast as the mirrors go, without dwell".
const HASTES: usize = 6;
/// Further degrees, each of which doubles the spacing of what is kept.
const COARSEST: usize = HASTES + 10;
/// A finer degree has to leave this part of the budget free, so that a figure at the edge does not flicker.
const SPARE: usize = 20;
/// The longest travel there is, half-fields.
const FIELD_DIAGONAL: f32 = 2.83;
/// Corners of a corner stroke nearer than this part of a lit step are one.
const NEAR_CORNERS: f32 = 0.15;

/// How strokes are turned into points; holds at every rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayoutSettings {
    /// What the mirrors bear.
    pub profile: GalvoProfile,
    /// Rests at ends and corners, as a multiple of what the mirror model asks for ([`super::rest`]); 0 for none.
    pub rest: f32,
    /// Corners below this angle get no rest, degrees.
    pub corner_least_deg: f32,
    /// Lit rest of a stroke of a single vertex: a beam.
    pub beam_dwell_us: f32,
}

impl Default for LayoutSettings {
    fn default() -> Self {
        Self {
            profile: GalvoProfile::default(),
            rest: 1.0,
            corner_least_deg: 25.0,
            beam_dwell_us: 500.0,
        }
    }
}

impl LayoutSettings {
    fn pace(&self, pps: u32, haste: f32) -> Pace {
        let limits = self.profile.at(pps).scaled(MARGIN);
        let points = |us: f32| us * 1e-6 * pps as f32 * (1.0 - haste);
        // The mirrors' time constant in points, as far as rests are to be kept.
        let constant = self.rest * points(1e6 / self.profile.natural_rad_per_s());
        let lit = limits.lit_step.min(limits.step);
        Pace {
            limits,
            cruise: lit * (limits.step / lit).powf(haste),
            settle: rest::SETTLE * constant,
            start_dwell: rest::START * constant,
            end_dwell: rest::END * constant,
            corner_rest: constant,
            least_turn: 2.0 * (0.5 * self.corner_least_deg.to_radians()).sin(),
            beam_dwell: points(self.beam_dwell_us).max(1.0),
        }
    }
}

/// What became of a figure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Laid {
    /// Points written.
    pub points: usize,
    /// Of these, dark ones between strokes.
    pub travel_points: usize,
    /// Dark way between strokes, half-fields.
    pub dark_way: f32,
    /// 0 as it should be; up to 6 drawn faster; above that coarser, the spacing doubling with each.
    pub degree: usize,
    /// Strokes left out because the budget or the capacity was too small.
    pub strokes_dropped: usize,
}

/// The stage from strokes to points. Takes its memory at construction.
#[derive(Clone, Debug)]
pub struct Layout {
    settings: LayoutSettings,
    order: Order,
    route: Route,
    degree: usize,
    capacity_points: usize,
}

impl Layout {
    /// A layout for frames of up to `capacity_points` points.
    #[must_use]
    pub fn new(settings: LayoutSettings, capacity_points: usize) -> Self {
        Self {
            settings,
            order: Order::with_capacity(capacity_points),
            route: Route::with_capacity(capacity_points),
            degree: 0,
            capacity_points,
        }
    }

    /// The settings, to change them between frames.
    pub const fn settings_mut(&mut self) -> &mut LayoutSettings {
        &mut self.settings
    }

    /// Replaces `out` by the points of `figure`, for a beam that rests at `from`, at `pps` points per second,
    /// with at most `budget_points` points. An empty figure is a dark frame of that length at `from`.
    ///
    /// The motion begins and ends at rest, so that any frame may follow any other.
    pub fn lay(
        &mut self,
        figure: &Figure,
        from: LaserPoint,
        pps: u32,
        budget_points: usize,
        out: &mut PathPoints,
    ) -> Laid {
        out.clear();
        let budget = budget_points.min(out.capacity()).min(self.capacity_points);
        let from = if from.is_in_range() { [from.x, from.y] } else { [0.0, 0.0] };
        let unordered = self.order.find(figure, from);
        // Frames are alike: the degree of the last one is tried first, then the next, and the points of the one
        // that fits are the result.
        let mut written = self.write(figure, from, pps, budget, out);
        let mut least = 0;
        if written.points_needed > budget && self.degree < COARSEST {
            self.degree += 1;
            least = self.degree;
            out.clear();
            written = self.write(figure, from, pps, budget, out);
        }
        let degree = self.fitting_degree(&written, least, figure, from, pps, budget);
        if degree != self.degree {
            self.degree = degree;
            out.clear();
            written = self.write(figure, from, pps, budget, out);
        }
        let mut laid = written.laid;
        laid.strokes_dropped += unordered;
        if out.is_empty() {
            (0..budget).for_each(|_| {
                out.push(LaserPoint::blank(from[0], from[1]));
            });
        }
        laid.points = out.len();
        laid
    }

    /// As [`lay`](Self::lay), and dark back to `from`: the frame may be repeated, and may follow any other that
    /// begins and ends there.
    pub fn lay_loop(
        &mut self,
        figure: &Figure,
        from: LaserPoint,
        pps: u32,
        budget_points: usize,
        out: &mut PathPoints,
    ) -> Laid {
        let limits = self.settings.pace(pps, 0.0).limits;
        let home = if from.is_in_range() { [from.x, from.y] } else { [0.0, 0.0] };
        let nearest = EDGE - home[0].abs().max(home[1].abs());
        let ahead = Ahead { share: 1.0, room: nearest };
        let way_back = Travel::over(FIELD_DIAGONAL, limits, ahead).points();
        let budget = budget_points.min(out.capacity()).min(self.capacity_points);
        let mut laid = self.lay(figure, from, pps, budget.saturating_sub(way_back), out);
        let from = home;
        if let Some(end) = out.as_slice().last().map(|end| [end.x, end.y]) {
            let back = Travel::between(end, from, limits);
            laid.travel_points += travel(&back, end, from, out);
            laid.dark_way += distance(end, from);
        }
        laid.points = out.len();
        laid
    }

    /// The least degree at which the figure fits, found from what was written at the present one; none below
    /// `least` does.
    fn fitting_degree(
        &mut self,
        written: &Written,
        least: usize,
        figure: &Figure,
        from: [f32; 2],
        pps: u32,
        budget: usize,
    ) -> usize {
        let start = self.degree;
        let slower = self.settings.pace(pps, haste_of(start.saturating_sub(1)));
        let room = if written.points_needed <= budget { budget - budget / SPARE } else { budget };
        let mut fits = |degree| self.points_needed(figure, from, pps, degree, budget) <= room;
        let (mut low, mut high) = if written.points_needed <= budget {
            if start == least || written.is_too_long(&slower, budget) || !fits(start - 1) {
                return start;
            }
            if start - 1 == least || !fits(start - 2) {
                return start - 1;
            }
            (least, start - 2)
        } else if start == COARSEST {
            return COARSEST;
        } else {
            (start + 1, COARSEST)
        };
        while low < high {
            let middle = usize::midpoint(low, high);
            if fits(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// Points the figure needs at a degree; stops counting beyond the budget.
    fn points_needed(
        &mut self,
        figure: &Figure,
        from: [f32; 2],
        pps: u32,
        degree: usize,
        budget: usize,
    ) -> usize {
        let (pace, grain) = at_degree(&self.settings, pps, degree);
        let mut at = from;
        let mut needed = 0;
        let mut legs = self.order.legs();
        while !legs.is_empty() {
            legs = &legs[self.route.build(figure, legs, grain)..];
            let Some(cost) = cost(&mut self.route, &pace, at) else { continue };
            needed += cost.points;
            at = cost.end;
            if needed > budget {
                break;
            }
        }
        needed
    }

    fn write(
        &mut self,
        figure: &Figure,
        from: [f32; 2],
        pps: u32,
        budget: usize,
        out: &mut PathPoints,
    ) -> Written {
        let (pace, grain) = at_degree(&self.settings, pps, self.degree);
        let mut laid = Laid { degree: self.degree, ..Laid::default() };
        let (mut points_needed, mut lit_way) = (0, 0.0);
        let mut at = from;
        let mut legs = self.order.legs();
        while !legs.is_empty() {
            let built = self.route.build(figure, legs, grain);
            legs = &legs[built..];
            let Some(cost) = cost(&mut self.route, &pace, at) else { continue };
            points_needed += cost.points;
            if out.len() + cost.points > budget {
                laid.strokes_dropped += built;
                continue;
            }
            let start = cost.start;
            laid.travel_points += travel(&cost.travel, at, start, out);
            laid.dark_way += distance(at, start);
            lit_way += self.route.nodes().iter().map(|node| node.length).sum::<f32>();
            sample(&self.route, &pace, |point| {
                out.push(point);
            });
            at = cost.end;
        }
        Written { laid, points_needed, lit_way }
    }
}

/// A frame as written at one degree.
struct Written {
    laid: Laid,
    /// Points that all strokes need at this degree.
    points_needed: usize,
    /// The way along the strokes written, half-fields.
    lit_way: f32,
}

impl Written {
    /// True if the way alone takes more than the budget at this pace, so that nothing has to be planned to know
    /// that it does not fit. Coarser nodes cut corners; a hundredth allows for that.
    fn is_too_long(&self, pace: &Pace, budget: usize) -> bool {
        let way = self.lit_way / pace.cruise;
        0.99 * way + self.laid.travel_points as f32 > budget as f32
    }
}

/// Writes the dark points of a travel; returns how many.
fn travel(travel: &Travel, from: [f32; 2], to: [f32; 2], out: &mut PathPoints) -> usize {
    let points = travel.points();
    for k in 1..=points {
        let t = travel.fraction_at(k);
        let way = |axis: usize| from[axis] + (to[axis] - from[axis]) * t;
        let [x, y] = if k == points { to } else { [way(0), way(1)] };
        out.push(LaserPoint::blank(x, y));
    }
    points
}

fn haste_of(degree: usize) -> f32 {
    degree.min(HASTES) as f32 / HASTES as f32
}

fn at_degree(settings: &LayoutSettings, pps: u32, degree: usize) -> (Pace, Grain) {
    let pace = settings.pace(pps, haste_of(degree));
    let coarser = (1_u32 << degree.saturating_sub(HASTES)) as f32;
    let grain = Grain {
        curve: pace.cruise * coarser,
        corner: pace.cruise * if degree > HASTES { coarser } else { NEAR_CORNERS },
        fine: degree <= HASTES,
    };
    (pace, grain)
}

struct Cost {
    travel: Travel,
    start: [f32; 2],
    end: [f32; 2],
    points: usize,
}

/// Plans the route and says what it costs from `at`; None if there is nothing to draw.
fn cost(route: &mut Route, pace: &Pace, at: [f32; 2]) -> Option<Cost> {
    let place = |node: &Node| [node.x, node.y];
    let start = place(route.nodes().first()?);
    let end = place(route.nodes().last()?);
    let travel = Travel::between(at, start, pace.limits);
    let time = plan(route, pace);
    // One more than the time: the sampler may round its last sample up.
    let points = travel.points() + time.ceil() as usize + 1;
    Some(Cost { travel, start, end, points })
}

fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    let (x, y) = (a[0] - b[0], a[1] - b[1]);
    (x * x + y * y).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::edge;
    use super::*;
    use crate::point::Colour;
    use proptest::prelude::*;

    const PPS: u32 = 30_000;

    fn lay(figure: &Figure, pps: u32, budget: usize) -> (Laid, Vec<LaserPoint>) {
        let mut layout = Layout::new(LayoutSettings::default(), 4096);
        let mut out = PathPoints::with_capacity(4096);
        let laid = layout.lay(figure, LaserPoint::CENTRE, pps, budget, &mut out);
        assert_eq!(out.dropped(), 0);
        (laid, out.as_slice().to_vec())
    }

    /// Vertices, closed, smooth.
    type Drawn = (Vec<(f32, f32)>, bool, bool);

    fn figure(strokes: &[Drawn]) -> Figure {
        let mut figure = Figure::with_capacity(8192, 512);
        for (vertices, closed, smooth) in strokes {
            figure.begin();
            for (x, y) in vertices {
                figure.vertex(*x, *y, Colour::WHITE);
            }
            figure.end(*closed, *smooth);
        }
        figure
    }

    fn circle(radius: f32, count: usize) -> Vec<(f32, f32)> {
        (0..count)
            .map(|k| (k as f32 / count as f32 * std::f32::consts::TAU).sin_cos())
            .map(|(y, x)| (radius * x, radius * y))
            .collect()
    }

    /// The largest step and change of step as parts of the profile's limits, from rest at `from` to rest.
    fn worst(points: &[LaserPoint], from: [f32; 2], pps: u32) -> (f32, f32) {
        let limits = GalvoProfile::K30.at(pps);
        let mut at = vec![from, from];
        at.extend(points.iter().map(|p| [p.x, p.y]));
        at.extend([at[at.len() - 1]; 2]);
        let steps: Vec<_> = at.windows(2).map(|w| [w[1][0] - w[0][0], w[1][1] - w[0][1]]).collect();
        let speed = steps.iter().flatten().fold(0.0_f32, |m, s| m.max(s.abs()));
        let change = steps
            .windows(2)
            .flat_map(|w| [w[1][0] - w[0][0], w[1][1] - w[0][1]])
            .fold(0.0_f32, |m, c| m.max(c.abs()));
        (speed / limits.step, change / limits.change)
    }

    /// True if the mirrors could stop before the edge after each point, whatever the rate became.
    fn keeps_off_the_edge(points: &[LaserPoint], from: [f32; 2], pps: u32) -> bool {
        let change = GalvoProfile::K30.at(pps).change;
        let mut at = from;
        points.iter().all(|point| {
            let to = [point.x, point.y];
            let before = std::mem::replace(&mut at, to);
            let kept = |axis: usize| {
                let room = edge::room(before[axis], to[axis]);
                edge::can_stop(to[axis] - before[axis], room, change)
            };
            kept(0) && kept(1)
        })
    }

    #[test]
    fn an_empty_figure_is_a_parked_dark_frame() {
        let empty = Figure::with_capacity(4, 4);
        let mut layout = Layout::new(LayoutSettings::default(), 1000);
        let mut out = PathPoints::with_capacity(1000);
        let from = LaserPoint::lit(0.3, -0.4, Colour::WHITE);
        layout.lay(&empty, from, PPS, 600, &mut out);
        assert_eq!(out.len(), 600);
        assert!(out.as_slice().iter().all(|p| *p == LaserPoint::blank(0.3, -0.4)));
    }

    /// The way home is reserved before it is known from where.
    #[test]
    fn a_loop_to_a_home_near_the_edge_stays_within_its_budget() {
        for pps in [8_000, 12_000, 30_000, 100_000] {
            for edge in [1.0, 0.9999, 0.998, 0.99, 0.97, 0.9] {
                for home in [[edge, edge], [-edge, 0.2], [0.7, edge]] {
                    let mut layout = Layout::new(LayoutSettings::default(), 4096);
                    let mut out = PathPoints::with_capacity(4096);
                    let dots = [(vec![(-home[0], -home[1])], false, false)];
                    let from = LaserPoint::blank(home[0], home[1]);
                    let free = layout.lay_loop(&figure(&dots), from, pps, 4096, &mut out).points;
                    for budget in free - 4..free + 8 {
                        let laid = layout.lay_loop(&figure(&dots), from, pps, budget, &mut out);
                        assert!(laid.points <= budget, "{pps} {home:?}: {laid:?} of {budget}");
                        assert_eq!(out.dropped(), 0);
                    }
                }
            }
        }
    }

    /// A line that leaves the field, and a dot out there where it ends.
    #[test]
    fn a_stroke_that_goes_on_unseen_is_as_long_as_it_is() {
        let strokes =
            [(vec![(0.5, 2.9), (0.0, 0.0)], false, false), (vec![(0.5, 2.85)], false, false)];
        for budget in [9, 60, 600] {
            let (_, points) = lay(&figure(&strokes), 8_000, budget);
            let (speed, change) = worst(&points, [0.0, 0.0], 8_000);
            assert!(speed <= 1.0 && change <= 1.001, "{budget}: {speed} {change}");
        }
    }

    #[test]
    fn a_circle_is_even() {
        let (laid, points) = lay(&figure(&[(circle(0.6, 500), true, true)]), PPS, 1000);
        assert_eq!((laid.degree, laid.strokes_dropped), (0, 0));
        let lit: Vec<_> = points.iter().filter(|p| !p.is_blank()).collect();
        let steps: Vec<f32> =
            lit.windows(2).map(|w| (w[1].x - w[0].x).hypot(w[1].y - w[0].y)).collect();
        let inner = &steps[8..steps.len() - 8];
        let (least, most) =
            inner.iter().fold((9.0_f32, 0.0_f32), |m, s| (m.0.min(*s), m.1.max(*s)));
        assert!(most / least < 1.01, "{least} {most}");
    }

    #[test]
    fn corners_are_hit_and_rested_on_and_curves_are_not() {
        let square = vec![(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)];
        let (_, points) = lay(&figure(&[(square, true, false)]), PPS, 1000);
        for corner in [(0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)] {
            let rests = points.iter().filter(|p| (p.x, p.y) == corner).count();
            assert!((2..=5).contains(&rests), "{corner:?} {rests}");
        }
    }

    #[test]
    fn a_rich_figure_is_drawn_coarser_to_its_budget_and_every_stroke_stays() {
        let strokes: Vec<_> = (0..12)
            .map(|k| {
                let shift = k as f32 * 0.1 - 0.55;
                let wave = (0..400)
                    .map(|i| i as f32 / 400.0)
                    .map(move |t| (t * 1.8 - 0.9, shift + 0.1 * (t * 40.0).sin()));
                (wave.collect(), false, true)
            })
            .collect();
        let rich = figure(&strokes);
        let mut last = 0;
        for budget in [4000, 2000, 1000, 700, 500] {
            let (laid, points) = lay(&rich, PPS, budget);
            assert!(points.len() <= budget);
            assert_eq!(laid.strokes_dropped, 0, "{budget} {laid:?}");
            assert!(laid.degree >= last);
            last = laid.degree;
        }
        assert!(last > HASTES);
    }

    #[test]
    fn a_beam_is_a_lit_rest_at_its_place() {
        let (_, points) = lay(&figure(&[(vec![(0.25, 0.75)], false, false)]), PPS, 1000);
        let lit: Vec<_> = points.iter().filter(|p| !p.is_blank()).collect();
        assert!((14..=17).contains(&lit.len()), "{}", lit.len());
        assert!(lit.iter().all(|p| (p.x, p.y) == (0.25, 0.75)));
    }

    #[test]
    fn light_is_only_on_the_strokes() {
        let lines = figure(&[
            (vec![(-0.8, -0.5), (0.8, -0.5)], false, false),
            (vec![(-0.8, 0.5), (0.8, 0.5)], false, false),
        ]);
        let (_, points) = lay(&lines, PPS, 1000);
        assert!(points.iter().filter(|p| !p.is_blank()).all(|p| p.y.abs() == 0.5));
    }

    #[test]
    fn colours_step_at_corners_and_blend_on_curves() {
        for smooth in [false, true] {
            let mut drawing = Figure::with_capacity(3, 1);
            drawing.vertex(-0.5, 0.0, Colour::rgb(1.0, 0.0, 0.0));
            drawing.vertex(0.0, 0.0, Colour::rgb(0.0, 0.0, 1.0));
            drawing.vertex(0.5, 0.0, Colour::rgb(0.0, 0.0, 1.0));
            drawing.end(false, smooth);
            let (_, points) = lay(&drawing, PPS, 1000);
            let blended = points.iter().filter(|p| p.r > 6000 && p.b > 6000).count();
            assert_eq!(blended > 0, smooth, "{blended}");
        }
    }

    #[test]
    fn strokes_that_cannot_fit_are_left_out_whole_and_counted() {
        let lines: Vec<_> = (0..200)
            .map(|k| (k as f32 * 2.399).sin_cos())
            .map(|(y, x)| (vec![(x * 0.2, y * 0.2), (x * 0.9, y * 0.9)], false, false))
            .collect();
        let (laid, points) = lay(&figure(&lines), PPS, 300);
        assert!(points.len() <= 300);
        assert!(laid.strokes_dropped > 0 && laid.strokes_dropped < 200);
    }

    fn strokes() -> impl Strategy<Value = Vec<Drawn>> {
        let wild = prop_oneof![4 => -1.0_f32..1.0, 1 => -3.0_f32..3.0, 1 => Just(0.5_f32)];
        let jump = prop::collection::vec((wild.clone(), wild), 1..40);
        let walk = (
            (-1.0_f32..1.0, -1.0_f32..1.0),
            prop::collection::vec((-0.02_f32..0.02, -0.02_f32..0.02), 1..200),
        )
            .prop_map(|(start, moves)| {
                moves
                    .iter()
                    .scan(start, |at, d| {
                        *at = (at.0 + d.0, at.1 + d.1);
                        Some(*at)
                    })
                    .collect::<Vec<_>>()
            });
        let stroke = (prop_oneof![jump, walk], any::<bool>(), any::<bool>());
        prop::collection::vec(stroke, 0..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Design §5 rule 6 at its source.
        #[test]
        fn no_figure_makes_a_step_beyond_the_profile_or_more_points_than_its_budget(
            strokes in strokes(),
            pps in prop_oneof![Just(1_000_u32), 8_000_u32..100_000],
            budget in 0_usize..3000,
            from in (-1.0_f32..1.0, -1.0_f32..1.0),
        ) {
            let figure = figure(&strokes);
            let mut layout = Layout::new(LayoutSettings::default(), 2500);
            let mut out = PathPoints::with_capacity(2500);
            let mut at = LaserPoint::blank(from.0, from.1);
            for _ in 0..2 {
                let laid = layout.lay(&figure, at, pps, budget, &mut out);
                prop_assert!(out.len() <= budget.min(2500));
                prop_assert_eq!(laid.points, out.len());
                prop_assert_eq!(out.dropped(), 0);
                prop_assert!(out.as_slice().iter().all(LaserPoint::is_in_range));
                let (speed, change) = worst(out.as_slice(), [at.x, at.y], pps);
                prop_assert!(speed <= 1.0, "speed {}", speed);
                prop_assert!(change <= 1.0 + 1e-3, "change {}", change);
                prop_assert!(keeps_off_the_edge(out.as_slice(), [at.x, at.y], pps));
                at = out.as_slice().last().copied().unwrap_or(at);
            }
        }
    }
}
