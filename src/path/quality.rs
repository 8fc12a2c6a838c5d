//! How well points draw what they are meant to: figures for `optimise`, `check` and comparisons.
//!
//! The beam is that of the modelled mirrors, its colours delayed by what the model lags. Errors are distances from
//! the drawing, whatever the speed. For files: it takes memory.

use super::colour_delay::ColourDelay;
use super::galvo::Mirror;
use super::profile::GalvoProfile;
use super::trace::{distance, nearest_fraction};
use crate::pattern::Figure;
use crate::point::LaserPoint;

/// Longest colour delay, points.
const MOST_DELAY: usize = 64;
/// A step this small counts as rest, half-fields.
const STILL: f32 = 1e-4;

/// How a run of points stands to the limits of the mirrors.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Strain {
    /// The largest step of an axis, as a share of the profile's.
    pub step: f32,
    /// The point it leads to.
    pub step_at: usize,
    /// The largest change of a step, as a share of the profile's.
    pub change: f32,
    /// The point in its middle.
    pub change_at: usize,
}

/// How one frame is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Points.
    pub points: usize,
    /// Of these, dark.
    pub dark_points: usize,
    /// Times the light goes out between two lit parts, from the last to the first included.
    pub blanks: usize,
    /// Way of the points while dark, half-fields.
    pub dark_way: f32,
    /// Root mean square of the distance of the lit beam from the drawing, half-fields.
    pub rms_error: f32,
    /// The largest distance of an end or corner of the drawing from the lit beam, half-fields.
    pub corner_error: f32,
    /// Speed of the slowest tenth of the lit way as a share of that of the fastest: 1 is even light.
    pub evenness: f32,
}

/// The strain of `points` in this order, from rest to rest.
#[must_use]
pub fn strain(points: &[LaserPoint], profile: &GalvoProfile, pps: u32) -> Strain {
    let limits = profile.at(pps);
    let mut worst = Strain::default();
    let mut last = [0.0_f32; 2];
    for (k, pair) in points.windows(2).enumerate() {
        let step = [pair[1].x - pair[0].x, pair[1].y - pair[0].y];
        for axis in 0..2 {
            let (part, change) =
                (step[axis].abs() / limits.step, (step[axis] - last[axis]).abs() / limits.change);
            if part > worst.step {
                (worst.step, worst.step_at) = (part, k + 1);
            }
            if change > worst.change {
                (worst.change, worst.change_at) = (change, k);
            }
        }
        last = step;
    }
    worst
}

/// Judges a frame that is repeated, against the `drawing` it is meant to be.
#[must_use]
pub fn judge(points: &[LaserPoint], drawing: &Figure, profile: &GalvoProfile, pps: u32) -> Quality {
    let Some(last) = points.last() else { return Quality::default() };
    let mut quality = Quality { points: points.len(), ..Quality::default() };
    let mut before = last;
    for point in points {
        if point.is_blank() {
            quality.dark_points += 1;
            quality.dark_way += distance([before.x, before.y], [point.x, point.y]);
            quality.blanks += usize::from(!before.is_blank());
        }
        before = point;
    }
    let beam = lit_beam(points, profile, pps);
    let lines = lines_of(drawing);
    if beam.is_empty() || lines.is_empty() {
        return quality;
    }
    let squares: f64 = beam.iter().map(|(_, to)| f64::from(nearest(&lines, *to)).powi(2)).sum();
    quality.rms_error = (squares / beam.len() as f64).sqrt() as f32;
    quality.corner_error = drawing
        .strokes()
        .iter()
        .flat_map(|stroke| drawing.vertices_of(stroke))
        .map(|v| nearest(&beam, [v.x.clamp(-1.0, 1.0), v.y.clamp(-1.0, 1.0)]))
        .fold(0.0, f32::max);
    quality.evenness = evenness(&beam);
    quality
}

type Line = ([f32; 2], [f32; 2]);

/// The way of the beam while it is lit, when the frame is repeated: point by point.
fn lit_beam(points: &[LaserPoint], profile: &GalvoProfile, pps: u32) -> Vec<Line> {
    let dt = 1.0 / pps.max(1) as f32;
    let mut mirror = Mirror::new(*profile);
    let mut delay = ColourDelay::with_capacity(MOST_DELAY);
    delay.set(profile.lag_s() * 1e6, pps);
    let mut at = mirror.position();
    let mut beam = Vec::with_capacity(points.len());
    // The first time round brings mirrors and colours to where a repeated frame has them.
    for settled in [false, true] {
        for point in points {
            let from = at;
            at = mirror.step([point.x, point.y], dt);
            let mut coloured = [*point];
            delay.apply(&mut coloured);
            if settled && !coloured[0].is_blank() {
                beam.push((from, at));
            }
        }
    }
    beam
}

fn lines_of(drawing: &Figure) -> Vec<Line> {
    let mut lines = Vec::new();
    for stroke in drawing.strokes() {
        let vertices = drawing.vertices_of(stroke);
        let place = |k: usize| [vertices[k].x, vertices[k].y].map(|v| v.clamp(-1.0, 1.0));
        lines.extend((1..vertices.len()).map(|k| (place(k - 1), place(k))));
        if stroke.closed || vertices.len() == 1 {
            lines.push((place(vertices.len() - 1), place(0)));
        }
    }
    lines
}

fn nearest(lines: &[Line], place: [f32; 2]) -> f32 {
    let squared = |(a, b): &Line| {
        let t = nearest_fraction(*a, *b, place);
        let (x, y) = (a[0] + (b[0] - a[0]) * t - place[0], a[1] + (b[1] - a[1]) * t - place[1]);
        x * x + y * y
    };
    lines.iter().map(squared).fold(f32::INFINITY, f32::min).sqrt()
}

fn evenness(beam: &[Line]) -> f32 {
    let mut steps: Vec<f32> =
        beam.iter().map(|(a, b)| distance(*a, *b)).filter(|step| *step > STILL).collect();
    steps.sort_by(f32::total_cmp);
    let whole: f32 = steps.iter().sum();
    let speed_at = |share: f32| {
        let mut way = 0.0;
        steps.iter().copied().find(|step| {
            way += step;
            way >= share * whole
        })
    };
    match (speed_at(0.1), speed_at(0.9)) {
        (Some(slow), Some(fast)) if fast > 0.0 => slow / fast,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Layout, LayoutSettings, PathPoints};
    use super::*;
    use crate::point::Colour;

    fn square() -> Figure {
        let mut figure = Figure::with_capacity(4, 1);
        for (x, y) in [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)] {
            figure.vertex(x, y, Colour::WHITE);
        }
        figure.end(true, false);
        figure
    }

    fn laid(figure: &Figure) -> Vec<LaserPoint> {
        let mut out = PathPoints::with_capacity(2000);
        let mut layout = Layout::new(LayoutSettings::default(), 2000);
        layout.lay_loop(figure, LaserPoint::CENTRE, 30_000, 2000, &mut out);
        out.as_slice().to_vec()
    }

    #[test]
    fn what_the_layout_makes_strains_no_mirror_and_is_where_it_should_be() {
        let points = laid(&square());
        let strain = strain(&points, &GalvoProfile::K30, 30_000);
        assert!(strain.step <= 1.0 && strain.change <= 1.001, "{strain:?}");
        let quality = judge(&points, &square(), &GalvoProfile::K30, 30_000);
        assert_eq!(quality.blanks, 1);
        assert!(quality.rms_error < 0.01, "{quality:?}");
        assert!(quality.corner_error < 0.02, "{quality:?}");
    }

    #[test]
    fn bare_corners_are_cut_by_the_mirrors() {
        let corners = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)];
        let points: Vec<_> =
            corners.iter().map(|(x, y)| LaserPoint::lit(*x, *y, Colour::WHITE)).collect();
        assert!(strain(&points, &GalvoProfile::K30, 30_000).step > 9.0);
        let quality = judge(&points, &square(), &GalvoProfile::K30, 30_000);
        assert!(quality.corner_error > 0.2, "{quality:?}");
    }

    #[test]
    fn slower_mirrors_draw_the_same_points_worse() {
        let points = laid(&square());
        let error = |profile| judge(&points, &square(), &profile, 30_000).rms_error;
        assert!(error(GalvoProfile::K20) > error(GalvoProfile::K30));
        assert!(error(GalvoProfile::K30) > error(GalvoProfile::K60));
    }

    #[test]
    fn nothing_is_no_trouble() {
        assert_eq!(judge(&[], &square(), &GalvoProfile::K30, 30_000), Quality::default());
        let dark = [LaserPoint::CENTRE; 10];
        assert_eq!(judge(&dark, &square(), &GalvoProfile::K30, 30_000).dark_points, 10);
    }
}
