//! Outlines for the laser: one eye, without specks and without the edge at which the picture was cut off, few
//! enough corners for the point budget, begun where the last frame began, so that a closed figure does not jump.

use std::str::FromStr;

use crate::format::outlines::{Outlines, PLANE_HEIGHT, Place, bounds};
use crate::pattern::silhouette::{Corner, MAX_CONTOURS, MAX_SILHOUETTE_VERTICES, Silhouette};

/// Which half of a stereo stream is drawn. Streams carry both eyes side by side on a plane of 2048 × 1024.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Eye {
    /// The left half.
    #[default]
    Left,
    /// The right half.
    Right,
    /// The whole plane, half as large.
    Both,
}

/// A name that is no eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an eye is left, right or both")]
pub struct NoEye;

impl FromStr for Eye {
    type Err = NoEye;

    fn from_str(text: &str) -> Result<Self, NoEye> {
        match text {
            "left" => Ok(Self::Left),
            "right" => Ok(Self::Right),
            "both" => Ok(Self::Both),
            _ => Err(NoEye),
        }
    }
}

impl Eye {
    /// Left and right edge on the plane, both included.
    const fn edges(self) -> (i32, i32) {
        match self {
            Self::Left => (0, 1023),
            Self::Right => (1024, 2047),
            Self::Both => (0, 2047),
        }
    }
}

/// How outlines become light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LightSettings {
    /// Which half of the stream.
    pub eye: Eye,
    /// Channels with fewer places are specks.
    pub least_places: usize,
    /// Channels whose box is less wide and less high than this are specks, units.
    pub least_box: i32,
    /// Most corners of a frame.
    pub corners: usize,
}

impl Default for LightSettings {
    fn default() -> Self {
        Self { eye: Eye::Left, least_places: 8, least_box: 8, corners: 256 }
    }
}

/// Most places of a frame that are looked at; of a longer outline every n-th.
const MAX_PLACES: usize = 16_384;
/// Contours further from each other than this are not the same one, field units.
const SAME_WITHIN: f32 = 0.35;

/// A contour under way.
#[derive(Debug)]
struct Line {
    places: Vec<Place>,
    /// For each place: the line to the next is lit.
    lit: Vec<bool>,
    area: i64,
}

/// Makes the light of `outlines` in `out`, which continues `before` where a contour is the same.
pub fn prepare(
    outlines: &Outlines,
    frame: u64,
    settings: &LightSettings,
    before: Option<&Silhouette>,
    out: &mut Silhouette,
) {
    out.reset(frame);
    let (left, right) = settings.eye.edges();
    let stride = outlines.places().len().div_ceil(MAX_PLACES).max(1);
    let mut lines: Vec<Line> = outlines
        .channels()
        .filter_map(|channel| line_of(channel, stride, (left, right), settings))
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.area.abs()));
    lines.truncate(MAX_CONTOURS);
    simplify(&mut lines, settings.corners.min(MAX_SILHOUETTE_VERTICES));

    let height = PLANE_HEIGHT as f32;
    let centre_x = (left + right + 1) as f32 / 2.0;
    let half = (right - left + 1) as f32 / 2.0;
    let mut taken = [false; MAX_CONTOURS];
    for line in &lines {
        let mut corners: Vec<Corner> = line
            .places
            .iter()
            .zip(&line.lit)
            .map(|(place, lit)| Corner {
                x: (place.x as f32 - centre_x) / half,
                y: (height / 2.0 - place.y as f32) / half,
                lit: *lit,
            })
            .collect();
        if line.area < 0 {
            turn_round(&mut corners);
        }
        let follows = before.and_then(|before| {
            let (number, start) = nearest(before, &corners, &taken)?;
            taken[number] = true;
            begin_near(&mut corners, start);
            Some(number)
        });
        out.push(&corners, follows);
    }
}

/// The part of a channel in the eye; `None` for a speck.
fn line_of(
    channel: &[Place],
    stride: usize,
    (left, right): (i32, i32),
    settings: &LightSettings,
) -> Option<Line> {
    let bottom = PLANE_HEIGHT as i32 - 1;
    let (low, high) = bounds(channel)?;
    let (low, high) =
        ((i64::from(low.x), i64::from(low.y)), (i64::from(high.x), i64::from(high.y)));
    let middle = i64::midpoint(low.0, high.0);
    let (wide, tall) = (high.0 - low.0, high.1 - low.1);
    let least = i64::from(settings.least_box);
    let speck = channel.len() < settings.least_places || (wide < least && tall < least);
    if speck || !(i64::from(left)..=i64::from(right)).contains(&middle) {
        return None;
    }
    let mut places: Vec<Place> = channel
        .iter()
        .step_by(stride)
        .map(|p| Place::new(p.x.clamp(left, right), p.y.clamp(0, bottom)))
        .collect();
    places.dedup();
    while places.len() > 1 && places.first() == places.last() {
        places.pop();
    }
    if places.len() < 3 {
        return None;
    }
    let next = |k: usize| places[(k + 1) % places.len()];
    let on_edge = |a: Place, b: Place| {
        (a.x == b.x && (a.x == left || a.x == right)) || (a.y == b.y && (a.y == 0 || a.y == bottom))
    };
    let lit = (0..places.len()).map(|k| !on_edge(places[k], next(k))).collect();
    let area = (0..places.len())
        .map(|k| (places[k], next(k)))
        // The screen's y grows downward: this is positive for a turn to the left as the audience sees it.
        .map(|(a, b)| i64::from(b.x) * i64::from(a.y) - i64::from(a.x) * i64::from(b.y))
        .sum();
    Some(Line { places, lit, area })
}

/// Leaves out corners until all lines together have no more than `most`, by a growing tolerance.
fn simplify(lines: &mut Vec<Line>, most: usize) {
    let mut tolerance = 0.75;
    loop {
        let mut total = 0;
        for line in lines.iter_mut() {
            let keep = kept(line, tolerance);
            retain(&mut line.places, &keep);
            retain(&mut line.lit, &keep);
            total += line.places.len();
        }
        lines.retain(|line| line.places.len() >= 3);
        if total <= most || tolerance > f64::from(PLANE_HEIGHT) {
            break;
        }
        tolerance *= 1.5;
    }
    let mut room = most;
    lines.retain(|line| {
        let fits = line.places.len() <= room;
        room -= if fits { line.places.len() } else { 0 };
        fits
    });
}

fn retain<T>(items: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    items.retain(|_| keep.next().copied().unwrap_or(false));
}

/// Douglas and Peucker's choice of corners of a closed line, with those kept at which light begins or ends.
fn kept(line: &Line, tolerance: f64) -> Vec<bool> {
    let Line { places, lit, .. } = line;
    let n = places.len();
    let mut keep: Vec<bool> = (0..n).map(|k| lit[k] != lit[(k + n - 1) % n]).collect();
    keep[0] = true;
    let far = |k: &usize| {
        let (dx, dy) =
            (i64::from(places[*k].x - places[0].x), i64::from(places[*k].y - places[0].y));
        dx * dx + dy * dy
    };
    if let Some(farthest) = (1..n).max_by_key(far) {
        keep[farthest] = true;
    }
    let anchors: Vec<usize> = (0..n).filter(|k| keep[*k]).chain([n]).collect();
    let mut spans: Vec<(usize, usize)> =
        anchors.windows(2).map(|pair| (pair[0], pair[1])).collect();
    while let Some((first, last)) = spans.pop() {
        let (a, b) = (places[first], places[last % n]);
        let off = |k: usize| distance(places[k], a, b);
        let Some(worst) = (first + 1..last).max_by(|j, k| off(*j).total_cmp(&off(*k))) else {
            continue;
        };
        if off(worst) > tolerance {
            keep[worst] = true;
            spans.push((first, worst));
            spans.push((worst, last));
        }
    }
    keep
}

/// Distance of a place from the segment between two.
fn distance(p: Place, a: Place, b: Place) -> f64 {
    let (dx, dy) = (f64::from(b.x - a.x), f64::from(b.y - a.y));
    let (px, py) = (f64::from(p.x - a.x), f64::from(p.y - a.y));
    let square = dx * dx + dy * dy;
    let along = if square > 0.0 { ((px * dx + py * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
    (px - along * dx).hypot(py - along * dy)
}

/// The same closed line the other way round.
fn turn_round(corners: &mut [Corner]) {
    corners.reverse();
    // The light of a line belongs to the corner at which it begins.
    let first = corners.first().map(|corner| corner.lit);
    for k in 1..corners.len() {
        corners[k - 1].lit = corners[k].lit;
    }
    if let (Some(last), Some(lit)) = (corners.last_mut(), first) {
        last.lit = lit;
    }
}

/// The box of a contour: centre and half its sides.
fn box_of(corners: &[Corner]) -> [f32; 4] {
    let fold = |f: fn(f32, f32) -> f32, of: fn(&Corner) -> f32, start| {
        corners.iter().map(of).fold(start, f)
    };
    let (x0, x1) = (fold(f32::min, |c| c.x, f32::MAX), fold(f32::max, |c| c.x, f32::MIN));
    let (y0, y1) = (fold(f32::min, |c| c.y, f32::MAX), fold(f32::max, |c| c.y, f32::MIN));
    [f32::midpoint(x0, x1), f32::midpoint(y0, y1), (x1 - x0) / 2.0, (y1 - y0) / 2.0]
}

/// The contour of the frame before that lies most like this one and is not taken, and where it begins.
fn nearest(before: &Silhouette, corners: &[Corner], taken: &[bool]) -> Option<(usize, Corner)> {
    let own = box_of(corners);
    let contours = before.contours().iter().enumerate().filter(|(number, _)| !taken[*number]);
    let off = contours.map(|(number, contour)| {
        let theirs = before.corners_of(contour);
        let apart = own.iter().zip(box_of(theirs)).map(|(a, b)| (a - b).abs()).sum::<f32>();
        (apart, number, theirs[0])
    });
    let (apart, number, start) = off.min_by(|a, b| a.0.total_cmp(&b.0))?;
    (apart < SAME_WITHIN).then_some((number, start))
}

/// Begins a closed line at the corner nearest to a place.
fn begin_near(corners: &mut [Corner], start: Corner) {
    let off = |corner: &Corner| (corner.x - start.x).hypot(corner.y - start.y);
    let near = (0..corners.len()).min_by(|a, b| off(&corners[*a]).total_cmp(&off(&corners[*b])));
    corners.rotate_left(near.unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ellipse(cx: f64, cy: f64, rx: f64, ry: f64, places: usize, from: usize) -> Vec<Place> {
        (0..places)
            .map(|k| {
                let angle = (k + from) as f64 / places as f64 * std::f64::consts::TAU;
                Place::new((cx + rx * angle.cos()) as i32, (cy + ry * angle.sin()) as i32)
            })
            .collect()
    }

    fn outlines(channels: &[Vec<Place>]) -> Outlines {
        let mut outlines = Outlines::default();
        for channel in channels {
            outlines.push(channel.iter().copied());
        }
        outlines
    }

    fn light(
        channels: &[Vec<Place>],
        settings: LightSettings,
        before: Option<&Silhouette>,
    ) -> Silhouette {
        let mut out = Silhouette::default();
        prepare(&outlines(channels), 1, &settings, before, &mut out);
        out
    }

    #[test]
    fn each_eye_shows_its_own_outline_without_specks_in_the_middle_of_the_field() {
        let channels = [
            ellipse(512.0, 512.0, 300.0, 400.0, 180, 0),
            ellipse(1536.0, 512.0, 100.0, 400.0, 180, 0),
            ellipse(200.0, 200.0, 3.0, 3.0, 30, 0),
            vec![Place::new(100, 100), Place::new(300, 300), Place::new(100, 300)],
        ];
        for (eye, widths) in [(Eye::Left, vec![0.586]), (Eye::Right, vec![0.195])] {
            let light = light(&channels, LightSettings { eye, ..LightSettings::default() }, None);
            let found: Vec<_> =
                light.contours().iter().map(|contour| box_of(light.corners_of(contour))).collect();
            assert_eq!(found.len(), widths.len());
            for (found, width) in found.iter().zip(widths) {
                assert!(found[0].abs() < 0.01 && found[1].abs() < 0.01, "{found:?}");
                assert!((found[2] - width).abs() < 0.01, "{found:?}");
                assert!((found[3] - 0.781).abs() < 0.01, "{found:?}");
            }
        }
        let settings = LightSettings { eye: Eye::Both, ..LightSettings::default() };
        assert_eq!(light(&channels, settings, None).contours().len(), 2);
    }

    #[test]
    fn the_edge_at_which_the_picture_was_cut_is_dark_and_no_more() {
        // A body cut off at the bottom and by the right edge of the eye.
        let mut body: Vec<Place> = (0..40).map(|k| Place::new(400, 1023 - 20 * k)).collect();
        body.extend((0..30).map(|k| Place::new(400 + 21 * k, 243)));
        body.extend((0..40).map(|k| Place::new(1023, 243 + 20 * k)));
        body.push(Place::new(1023, 1023));
        let light = light(&[body], LightSettings::default(), None);
        let corners = light.corners_of(&light.contours()[0]);
        let next = |k: usize| corners[(k + 1) % corners.len()];
        for (k, corner) in corners.iter().enumerate() {
            let right = corner.x > 0.99 && next(k).x > 0.99;
            let bottom = corner.y < -0.99 && next(k).y < -0.99;
            assert_eq!(corner.lit, !(right || bottom), "{corner:?}");
        }
        let dark = (0..corners.len()).filter(|k| !corners[*k].lit);
        let way: f32 =
            dark.map(|k| (next(k).x - corners[k].x).hypot(next(k).y - corners[k].y)).sum();
        assert!((way - (780.0 + 623.0) / 512.0).abs() < 0.02, "{way}");
    }

    #[test]
    fn the_corners_keep_to_the_budget_and_near_the_outline() {
        let channels = [
            ellipse(512.0, 512.0, 300.0, 450.0, 900, 0),
            ellipse(300.0, 300.0, 50.0, 60.0, 300, 0),
        ];
        for (corners, off) in [(400, 0.01_f32), (100, 0.01), (24, 0.08), (6, 0.9)] {
            let settings = LightSettings { corners, ..LightSettings::default() };
            let light = light(&channels, settings, None);
            let total: usize = light.contours().iter().map(|c| light.corners_of(c).len()).sum();
            assert!((3..=corners).contains(&total), "{total} of {corners}");
            for corner in light.corners_of(&light.contours()[0]) {
                let radius = (corner.x / 0.586).hypot(corner.y / 0.879);
                assert!((radius - 1.0).abs() < off, "{corners}: {radius}");
            }
        }
    }

    #[test]
    fn a_contour_begins_where_it_began_in_the_frame_before_and_turns_the_same_way() {
        let settings = LightSettings::default();
        let head = |from| ellipse(512.0, 300.0, 90.0, 120.0, 100, from);
        let body = |from| ellipse(512.0, 700.0, 250.0, 300.0, 180, from);
        let before = light(&[head(0), body(0)], settings, None);
        let mut turned = body(77);
        turned.reverse();
        let after = light(&[turned, head(31)], settings, Some(&before));
        for (number, contour) in after.contours().iter().enumerate() {
            assert_eq!(contour.follows, Some(number));
            let (own, theirs) =
                (after.corners_of(contour), before.corners_of(&before.contours()[number]));
            let off = (own[0].x - theirs[0].x).hypot(own[0].y - theirs[0].y);
            assert!(off < 0.06, "{off}");
            let turn = |c: &[Corner]| {
                (c[1].x - c[0].x) * (c[2].y - c[1].y) - (c[1].y - c[0].y) * (c[2].x - c[1].x)
            };
            assert!(turn(own) > 0.0 && turn(theirs) > 0.0);
        }
    }

    proptest! {
        #[test]
        fn any_outline_becomes_light_within_the_field(
            channels in prop::collection::vec(
                prop::collection::vec((any::<i16>(), any::<i16>()), 0..60), 0..40),
            corners in 0..600_usize,
        ) {
            let channels: Vec<Vec<Place>> = channels
                .iter()
                .map(|c| c.iter().map(|(x, y)| Place::new((*x).into(), (*y).into())).collect())
                .collect();
            let settings = LightSettings { eye: Eye::Both, corners, ..LightSettings::default() };
            let before = light(&channels, settings, None);
            let light = light(&channels, settings, Some(&before));
            for contour in light.contours() {
                for corner in light.corners_of(contour) {
                    prop_assert!(corner.x.abs() <= 1.0 && corner.y.abs() <= 1.0);
                }
            }
        }
    }
}
