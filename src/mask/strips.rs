//! Triangle strips of outlines: the even-odd inside of each channel, cut into trapezoids between successive
//! heights and chained downward. Right for concave outlines and for those that cross themselves.

use crate::format::outlines::{Outlines, Place};

/// Most edges looked at for one frame, counted once for each band they cross: some hundredths of a second of work.
const MOST_WORK: usize = 2 << 20;

/// Edges that cross within this height of each other meet in one place, units.
const MEETING: f64 = 1e-6;

/// An outline has more detail than is cut into triangles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the outlines have too much detail for triangles: take the bitmap of this frame")]
pub struct TooDetailed;

/// An edge that is not level, from its upper end.
#[derive(Clone, Copy, Debug)]
struct Edge {
    top: f64,
    bottom: f64,
    x_top: f64,
    slope: f64,
}

impl Edge {
    fn between(a: Place, b: Place) -> Option<Self> {
        let (top, bottom) = if a.y < b.y { (a, b) } else { (b, a) };
        let height = f64::from(bottom.y) - f64::from(top.y);
        (height > 0.0).then(|| Self {
            top: top.y.into(),
            bottom: bottom.y.into(),
            x_top: top.x.into(),
            slope: (f64::from(bottom.x) - f64::from(top.x)) / height,
        })
    }

    fn at(&self, y: f64) -> f64 {
        self.x_top + (y - self.top) * self.slope
    }
}

/// A strip under way: the edges it runs between, and where it ends.
#[derive(Debug)]
struct Open {
    left: f64,
    right: f64,
    y: f64,
    vertices: Vec<f32>,
}

/// The vertices x, y, x, y … in units of the drawing plane, for a triangle **strip**: each three neighbours are
/// a triangle. Separate pieces are joined by triangles of no area; draw without culling.
///
/// # Errors
/// [`TooDetailed`]: the work is bounded.
pub fn triangle_strip(outlines: &Outlines) -> Result<Vec<f32>, TooDetailed> {
    let mut strip = Vec::new();
    let mut work = MOST_WORK;
    for channel in outlines.channels() {
        cut(channel, &mut strip, &mut work)?;
    }
    Ok(strip)
}

fn cut(channel: &[Place], strip: &mut Vec<f32>, work: &mut usize) -> Result<(), TooDetailed> {
    let closing = channel.iter().skip(1).chain(channel.first());
    let mut edges: Vec<Edge> =
        channel.iter().zip(closing).filter_map(|(a, b)| Edge::between(*a, *b)).collect();
    let mut heights: Vec<i32> = channel.iter().map(|place| place.y).collect();
    heights.sort_unstable();
    heights.dedup();
    edges.sort_by(|a, b| a.top.total_cmp(&b.top));
    let mut waiting = edges.iter().copied().peekable();
    let mut active: Vec<Edge> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for band in heights.windows(2) {
        let (top, bottom) = (f64::from(band[0]), f64::from(band[1]));
        active.retain(|edge| edge.bottom > top);
        while let Some(edge) = waiting.next_if(|edge| edge.top <= top) {
            active.push(edge);
        }
        cut_band(&mut active, top, bottom, &mut open, strip, work)?;
    }
    for piece in open {
        join(strip, &piece.vertices);
    }
    Ok(())
}

/// Cuts a band in which no edge begins or ends; edges may cross in it, then it is cut there too.
fn cut_band(
    active: &mut [Edge],
    top: f64,
    bottom: f64,
    open: &mut Vec<Open>,
    strip: &mut Vec<f32>,
    work: &mut usize,
) -> Result<(), TooDetailed> {
    let mut from = top;
    while from < bottom {
        *work = work.checked_sub(active.len() + 1).ok_or(TooDetailed)?;
        // A little below, so that edges that meet here stand in the order in which they go on.
        let below = from + MEETING;
        active.sort_by(|a, b| a.at(below).total_cmp(&b.at(below)));
        // The nearest crossing is between neighbours.
        let to = active.windows(2).filter_map(|pair| crossing(&pair[0], &pair[1], below, bottom));
        let to = to.fold(bottom, f64::min);
        let before = open.len();
        let mut grown = Vec::new();
        for pair in active.chunks_exact(2) {
            let (left, right) = (&pair[0], &pair[1]);
            let ends = (left.at(from), right.at(from), left.at(to), right.at(to));
            if ends.1 - ends.0 <= 0.0 && ends.3 - ends.2 <= 0.0 {
                continue;
            }
            let same = |a: f64, b: f64| (a - b).abs() < 1e-6;
            let above = open.iter().position(|piece| {
                same(piece.y, from) && same(piece.left, ends.0) && same(piece.right, ends.1)
            });
            let mut piece = above.map_or_else(
                || Open {
                    left: 0.0,
                    right: 0.0,
                    y: 0.0,
                    vertices: vec![ends.0 as f32, from as f32, ends.1 as f32, from as f32],
                },
                |at| open.swap_remove(at),
            );
            piece.vertices.extend([ends.2 as f32, to as f32, ends.3 as f32, to as f32]);
            (piece.left, piece.right, piece.y) = (ends.2, ends.3, to);
            grown.push(piece);
        }
        *work = work.checked_sub(before * grown.len() / 8).ok_or(TooDetailed)?;
        // What did not grow has ended.
        open.drain(..).for_each(|piece| join(strip, &piece.vertices));
        open.extend(grown);
        from = to;
    }
    Ok(())
}

/// The height between `from` and `bottom` at which two neighbours cross, `a` left of `b` at `from`.
fn crossing(a: &Edge, b: &Edge, from: f64, bottom: f64) -> Option<f64> {
    let (gap, closing) = (b.at(from) - a.at(from), a.slope - b.slope);
    if closing <= 0.0 || b.at(bottom) - a.at(bottom) >= -1e-9 {
        return None;
    }
    let y = from + gap / closing;
    (y < bottom).then_some(y)
}

/// Appends a piece, with triangles of no area between it and the last.
fn join(strip: &mut Vec<f32>, piece: &[f32]) {
    if let [.., x, y] = strip[..] {
        strip.extend([x, y, piece[0], piece[1]]);
    }
    strip.extend_from_slice(piece);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strip_of(channel: &[(i32, i32)]) -> Vec<f32> {
        let mut outlines = Outlines::default();
        outlines.push(channel.iter().map(|&(x, y)| Place::new(x, y)));
        triangle_strip(&outlines).unwrap()
    }

    fn triangles(strip: &[f32]) -> Vec<[(f64, f64); 3]> {
        let vertices: Vec<_> =
            strip.chunks_exact(2).map(|v| (f64::from(v[0]), f64::from(v[1]))).collect();
        vertices.windows(3).map(|v| [v[0], v[1], v[2]]).collect()
    }

    fn area([a, b, c]: [(f64, f64); 3]) -> f64 {
        ((b.0 - a.0) * (c.1 - a.1) - (c.0 - a.0) * (b.1 - a.1)).abs() / 2.0
    }

    fn holds(t: [(f64, f64); 3], p: (f64, f64)) -> bool {
        let side =
            |a: (f64, f64), b: (f64, f64)| (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0);
        let (d, e, f) = (side(t[0], t[1]), side(t[1], t[2]), side(t[2], t[0]));
        area(t) > 1e-9 && ((d >= 0.0 && e >= 0.0 && f >= 0.0) || (d <= 0.0 && e <= 0.0 && f <= 0.0))
    }

    fn even_odd(channel: &[(i32, i32)], p: (f64, f64)) -> bool {
        let edges = channel.iter().zip(channel.iter().cycle().skip(1));
        edges.fold(false, |inside, (a, b)| {
            let (a, b) = ((f64::from(a.0), f64::from(a.1)), (f64::from(b.0), f64::from(b.1)));
            let crosses = (a.1 > p.1) != (b.1 > p.1);
            inside ^ (crosses && p.0 < a.0 + (p.1 - a.1) * (b.0 - a.0) / (b.1 - a.1))
        })
    }

    fn near_an_edge(channel: &[(i32, i32)], p: (f64, f64)) -> bool {
        channel.iter().zip(channel.iter().cycle().skip(1)).any(|(a, b)| {
            let (ax, ay) = (f64::from(a.0), f64::from(a.1));
            let (dx, dy) = (f64::from(b.0) - ax, f64::from(b.1) - ay);
            let along = ((p.0 - ax) * dx + (p.1 - ay) * dy) / (dx * dx + dy * dy).max(1e-9);
            let along = along.clamp(0.0, 1.0);
            (p.0 - ax - along * dx).hypot(p.1 - ay - along * dy) < 1e-3
        })
    }

    /// AS-84: the sheet's areas, and what has none gives nothing.
    #[test]
    fn the_sheets_figures_have_their_areas() {
        let total = |channel: &[(i32, i32)]| {
            triangles(&strip_of(channel)).into_iter().map(area).sum::<f64>()
        };
        assert_eq!(total(&[(10, 10), (20, 10), (20, 20), (10, 20), (10, 10)]), 100.0);
        assert_eq!(total(&[(4, 4), (12, 4), (4, 12)]), 32.0);
        // A bow-tie: two triangles that meet at (5, 5).
        assert!((total(&[(0, 0), (10, 10), (10, 0), (0, 10)]) - 50.0).abs() < 1e-6);
        for empty in [
            &[][..],
            &[(1, 1)],
            &[(1, 1), (9, 4)],
            &[(1, 1), (5, 1), (9, 1)],
            &[(1, 1), (4, 4), (1, 1)],
        ] {
            assert!(strip_of(empty).is_empty(), "{empty:?}");
        }
    }

    /// Points around a centre at uneven distances: a star as concave as any.
    fn star(seed: u64, points: usize) -> Vec<(i32, i32)> {
        let mut state = seed;
        (0..points)
            .map(|k| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let radius = 60.0 + (state >> 33) as f64 / f64::from(1_u32 << 31) * 400.0;
                let angle = k as f64 / points as f64 * std::f64::consts::TAU;
                ((512.0 + radius * angle.cos()) as i32, (512.0 + radius * angle.sin()) as i32)
            })
            .collect()
    }

    fn shoelace(channel: &[(i32, i32)]) -> f64 {
        let sum: i64 = channel
            .iter()
            .zip(channel.iter().cycle().skip(1))
            .map(|(a, b)| i64::from(a.0) * i64::from(b.1) - i64::from(b.0) * i64::from(a.1))
            .sum();
        sum.abs() as f64 / 2.0
    }

    /// AS-67, AS-84: fifty concave outlines: the area of the inside, ten thousand places agree, nothing is
    /// outside the box.
    #[test]
    fn the_triangles_cover_the_inside_of_concave_outlines_and_no_more() {
        for seed in 1..=50 {
            let channel = star(seed, 40);
            let strip = strip_of(&channel);
            let triangles = triangles(&strip);
            let total: f64 = triangles.iter().copied().map(area).sum();
            assert!((total / shoelace(&channel) - 1.0).abs() < 1e-3, "seed {seed}");
            assert!(strip.len().is_multiple_of(2) && strip.iter().all(|v| v.is_finite()));
            let mut state = seed;
            for _ in 0..200 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(77);
                let p = ((state >> 54) as f64 + 0.37, (state >> 34 & 1023) as f64 + 0.41);
                if !near_an_edge(&channel, p) {
                    let covered = triangles.iter().any(|t| holds(*t, p));
                    assert_eq!(covered, even_odd(&channel, p), "seed {seed} at {p:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn outlines_that_cross_themselves_are_covered_even_odd(
            channel in prop::collection::vec((0..60_i32, 0..60_i32), 3..9),
            places in prop::collection::vec((0.0..60.0_f64, 0.0..60.0_f64), 40),
        ) {
            let triangles = triangles(&strip_of(&channel));
            for p in places {
                if !near_an_edge(&channel, p) {
                    let covered = triangles.iter().any(|t| holds(*t, p));
                    prop_assert_eq!(covered, even_odd(&channel, p), "{:?}", p);
                }
            }
        }
    }

    #[test]
    fn an_outline_of_boundless_detail_is_refused_in_bounded_time() {
        let zigzag = (0..200_000)
            .map(|k| Place::new(k / 8, if k % 2 == 0 { k % 997 } else { 1000 + k % 991 }));
        let mut outlines = Outlines::default();
        outlines.push(zigzag);
        assert_eq!(triangle_strip(&outlines), Err(TooDetailed));
    }
}
