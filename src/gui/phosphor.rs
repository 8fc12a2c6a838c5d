//! The eye's memory of a laser: points that glow and fade, drawn as light that adds up.
//!
//! Each lit point is the end of a stroke from the point before it (that is how mirrors and diodes
//! work), drawn as a thin bright core and a soft glow whose edges fall to black. Strokes are additive,
//! so crossings and points that dwell grow brighter, as they do on a wall. Points fade exponentially.
//!
//! A dim show stays visible: the brightest point of the last moments sets an exposure, which undoes
//! most of a low master but leaves dimmer dimmer.

use std::collections::VecDeque;

use egui::{Color32, Mesh, Pos2, Rect, Vec2};

use crate::point::LaserPoint;

/// Time in which a point fades to 1/e, s: with two frames of overlap no flicker remains, and a moving
/// figure still leaves no tail.
const DECAY_SECONDS: f64 = 0.05;
/// Age at which a point is forgotten, s: 5 % of its light are left.
const FORGET_SECONDS: f64 = 0.15;
/// The most points that are drawn; beyond it the oldest go first.
const MOST_POINTS: usize = 6_000;
/// The strongest exposure.
const MOST_EXPOSURE: f32 = 8.0;
/// How much of a low master the exposure undoes: 1 all, 0 nothing.
const EXPOSURE_POWER: f32 = 0.75;
/// Time in which the exposure opens, s; it closes at once.
const EXPOSURE_SECONDS: f32 = 0.5;
/// Display gamma: drive levels are linear light.
const GAMMA: f32 = 2.2;

/// Half width of the bright core, as a share of the square: about 1.6 px on a laptop.
const CORE_SHARE: f32 = 0.0032;
/// The same of the glow.
const GLOW_SHARE: f32 = 0.016;
/// The thinnest half width that is drawn evenly, px.
const THINNEST_PX: f32 = 1.2;
/// Strokes shorter than this are a dwelling beam, px.
const DWELL_PX: f32 = 0.5;

#[derive(Clone, Copy, Debug)]
struct Spot {
    point: LaserPoint,
    at: f64,
}

/// What the wall still shows.
#[derive(Debug)]
pub(super) struct Phosphor {
    spots: VecDeque<Spot>,
    exposure: f32,
    seen_at: f64,
    /// The most points that are drawn now.
    most: usize,
}

impl Phosphor {
    pub(super) fn new() -> Self {
        Self {
            spots: VecDeque::with_capacity(MOST_POINTS),
            exposure: 1.0,
            seen_at: 0.0,
            most: MOST_POINTS,
        }
    }

    /// Draws only this part of the points, 0..=1, the newest: for a machine that is not fast enough for all.
    pub(super) fn set_detail(&mut self, detail: f32) {
        self.most = (MOST_POINTS as f32 * detail.clamp(0.0, 1.0)) as usize;
    }

    /// Takes the points that were sent since the last call, oldest first; `now` is in seconds.
    pub(super) fn take(&mut self, fresh: &[LaserPoint], now: f64) {
        let elapsed = (now - self.seen_at).clamp(0.0, FORGET_SECONDS);
        let step = elapsed / fresh.len().max(1) as f64;
        let skipped = fresh.len().saturating_sub(self.most);
        for (k, point) in fresh.iter().enumerate().skip(skipped) {
            if point.is_in_range() {
                let at = now - elapsed + step * (k + 1) as f64;
                self.spots.push_back(Spot { point: *point, at });
            }
        }
        let surplus = self.spots.len().saturating_sub(self.most);
        self.spots.drain(..surplus);
        while self.spots.front().is_some_and(|spot| now - spot.at > FORGET_SECONDS) {
            self.spots.pop_front();
        }
        self.seen_at = now;
        self.adapt(elapsed as f32);
    }

    fn adapt(&mut self, elapsed: f32) {
        let peak = self.spots.iter().map(|spot| spot.point.peak()).max().unwrap_or(0);
        if peak > 0 {
            let peak = f32::from(peak) / f32::from(u16::MAX);
            let wanted = peak.powf(-EXPOSURE_POWER).clamp(1.0, MOST_EXPOSURE);
            let opening = 1.0 - (-elapsed / EXPOSURE_SECONDS).exp();
            self.exposure = wanted.min(self.exposure + (wanted - self.exposure) * opening);
        }
    }

    /// How much brighter the picture is than the light, 1 or more.
    pub(super) fn exposure(&self) -> f32 {
        self.exposure
    }

    /// True while something glows.
    pub(super) fn is_lit(&self) -> bool {
        self.spots.iter().any(|spot| !spot.point.is_blank())
    }

    /// True while points arrive, lit or not.
    pub(super) fn is_moving(&self) -> bool {
        !self.spots.is_empty()
    }

    /// The light, in a square of the screen.
    pub(super) fn light(&self, square: Rect, now: f64) -> Mesh {
        let mut mesh = Mesh::default();
        mesh.reserve_vertices(self.spots.len() * 12);
        mesh.reserve_triangles(self.spots.len() * 8);
        for (share, strength, whiteness) in [(GLOW_SHARE, 0.07, 0.0), (CORE_SHARE, 0.55, 0.3)] {
            let half_width = (square.width() * share).max(THINNEST_PX);
            self.stroke(&mut mesh, square, half_width, |spot| {
                (!spot.point.is_blank())
                    .then(|| self.shade(spot, now, whiteness).map(|level| level * strength))
            });
        }
        mesh
    }

    /// The way of the mirrors where the diodes are off, as faint as `level`, 0..=1.
    pub(super) fn dark_path(&self, square: Rect, now: f64, level: f32) -> Mesh {
        let mut mesh = Mesh::default();
        self.stroke(&mut mesh, square, 1.0, |spot| {
            let glow = level * fading(spot, now);
            spot.point.is_blank().then_some([glow * 0.75, glow * 0.9, glow])
        });
        mesh
    }

    fn shade(&self, spot: &Spot, now: f64, whiteness: f32) -> [f32; 3] {
        let display = |drive: u16| {
            (f32::from(drive) / f32::from(u16::MAX) * self.exposure).min(1.0).powf(1.0 / GAMMA)
        };
        let [r, g, b] = [spot.point.r, spot.point.g, spot.point.b].map(display);
        let white = r.max(g).max(b);
        let fading = fading(spot, now);
        [r, g, b].map(|level| (level + (white - level) * whiteness) * fading)
    }

    fn stroke(
        &self,
        mesh: &mut Mesh,
        square: Rect,
        half_width: f32,
        shade: impl Fn(&Spot) -> Option<[f32; 3]>,
    ) {
        let place = |point: &LaserPoint| {
            square.center() + Vec2::new(point.x, -point.y) * (square.width() / 2.0)
        };
        let mut spots = self.spots.iter();
        let Some(first) = spots.next() else { return };
        let mut from = place(&first.point);
        let mut dwelling: Option<([f32; 3], u16)> = None;
        for spot in spots {
            let to = place(&spot.point);
            let colour = shade(spot);
            let length = (to - from).length();
            if length < DWELL_PX {
                if let Some(colour) = colour {
                    dwelling = Some((colour, dwelling.map_or(1, |(_, n)| n.saturating_add(1))));
                }
                continue;
            }
            if let Some((colour, count)) = dwelling.take() {
                blob(mesh, from, half_width, dimmed(colour, f32::from(count) * 0.25));
            }
            if let Some(colour) = colour {
                // A fast beam leaves less light on each place.
                segment(mesh, from, to, half_width, dimmed(colour, (12.0 / length).max(0.4)));
            }
            from = to;
        }
        if let Some((colour, count)) = dwelling {
            blob(mesh, from, half_width, dimmed(colour, f32::from(count) * 0.25));
        }
    }
}

fn fading(spot: &Spot, now: f64) -> f32 {
    (-(now - spot.at).max(0.0) / DECAY_SECONDS).exp() as f32
}

fn dimmed(levels: [f32; 3], gain: f32) -> Color32 {
    let [r, g, b] = levels.map(|level| (level * gain.min(1.0) * 255.0).round() as u8);
    Color32::from_rgb_additive(r, g, b)
}

const DARK: Color32 = Color32::from_rgb_additive(0, 0, 0);

/// A stroke, bright along its middle and black at its edges.
fn segment(mesh: &mut Mesh, from: Pos2, to: Pos2, half_width: f32, colour: Color32) {
    let side = (to - from).normalized().rot90() * half_width;
    let base = mesh.vertices.len() as u32;
    for end in [from, to] {
        mesh.colored_vertex(end + side, DARK);
        mesh.colored_vertex(end, colour);
        mesh.colored_vertex(end - side, DARK);
    }
    for [a, b, c] in [[0, 1, 3], [1, 3, 4], [1, 2, 4], [2, 4, 5]] {
        mesh.add_triangle(base + a, base + b, base + c);
    }
}

/// A resting beam: bright in the middle, black at the rim.
fn blob(mesh: &mut Mesh, at: Pos2, half_width: f32, colour: Color32) {
    const RIM: u32 = 8;
    let base = mesh.vertices.len() as u32;
    mesh.colored_vertex(at, colour);
    for k in 0..RIM {
        let angle = std::f32::consts::TAU * k as f32 / RIM as f32;
        mesh.colored_vertex(at + Vec2::angled(angle) * (half_width * 1.25), DARK);
        mesh.add_triangle(base, base + 1 + k, base + 1 + (k + 1) % RIM);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;

    const SQUARE: Rect = Rect { min: Pos2::ZERO, max: Pos2::new(200.0, 200.0) };

    fn line(colour: Colour, points: usize) -> Vec<LaserPoint> {
        let at = |k: usize| k as f32 / points as f32 - 0.5;
        (0..points).map(|k| LaserPoint::lit(at(k), 0.0, colour)).collect()
    }

    fn brightest(mesh: &Mesh) -> u8 {
        mesh.vertices.iter().map(|v| v.color.r().max(v.color.g()).max(v.color.b())).max().unwrap()
    }

    #[test]
    fn light_adds_up_and_never_hides_what_is_below() {
        let mut phosphor = Phosphor::new();
        phosphor.take(&line(Colour::WHITE, 100), 1.0);
        let mesh = phosphor.light(SQUARE, 1.0);
        assert!(mesh.is_valid() && brightest(&mesh) > 100);
        assert!(mesh.vertices.iter().all(|v| v.color.a() == 0), "alpha 0 is additive");
    }

    #[test]
    fn blanked_points_give_no_light_but_leave_their_way() {
        let mut phosphor = Phosphor::new();
        let dark: Vec<_> = line(Colour::WHITE, 50).iter().map(|p| p.blanked()).collect();
        phosphor.take(&dark, 1.0);
        assert!(phosphor.light(SQUARE, 1.0).is_empty());
        assert!(!phosphor.is_lit() && phosphor.is_moving());
        assert!(!phosphor.dark_path(SQUARE, 1.0, 0.2).is_empty());
    }

    #[test]
    fn a_point_fades_to_a_third_in_fifty_milliseconds_and_is_forgotten() {
        let mut phosphor = Phosphor::new();
        phosphor.take(&line(Colour::WHITE, 100), 1.0);
        let fresh = f32::from(brightest(&phosphor.light(SQUARE, 1.0)));
        let later = f32::from(brightest(&phosphor.light(SQUARE, 1.05)));
        assert!((later / fresh - 0.368).abs() < 0.02, "{}", later / fresh);
        phosphor.take(&[], 1.2);
        assert!(!phosphor.is_moving());
    }

    #[test]
    fn a_master_of_a_fifth_is_still_well_seen_and_yet_dimmer() {
        let seen = |level: f32| {
            let mut phosphor = Phosphor::new();
            for frame in 1..120 {
                phosphor.take(&line(Colour::WHITE.scaled(level), 100), f64::from(frame) / 60.0);
            }
            (brightest(&phosphor.light(SQUARE, 119.0 / 60.0)), phosphor.exposure())
        };
        let (full, none) = seen(1.0);
        let (fifth, open) = seen(0.2);
        assert_eq!(none, 1.0);
        assert!(open > 3.0 && open < 4.0, "{open}");
        assert!(fifth < full && f32::from(fifth) > 0.7 * f32::from(full), "{fifth} of {full}");
    }

    #[test]
    fn memory_and_picture_are_bounded_and_nonsense_is_left_out() {
        let mut phosphor = Phosphor::new();
        let mut flood = line(Colour::WHITE, 100_000);
        flood.push(LaserPoint::blank(f32::NAN, 0.0));
        phosphor.take(&flood, 1.0);
        assert_eq!(phosphor.spots.len(), MOST_POINTS - 1);
        let mesh = phosphor.light(SQUARE, 1.0);
        assert!(mesh.vertices.iter().all(|v| v.pos.x.is_finite() && v.pos.y.is_finite()));
    }

    #[test]
    fn with_less_detail_the_newest_points_are_drawn() {
        let mut phosphor = Phosphor::new();
        phosphor.set_detail(0.1);
        phosphor.take(&line(Colour::WHITE, 2_000), 1.0);
        assert_eq!(phosphor.spots.len(), MOST_POINTS / 10);
        assert!(phosphor.spots.back().is_some_and(|spot| spot.point.x > 0.49));
    }

    #[test]
    fn a_resting_beam_is_a_spot_of_bounded_size() {
        let mut phosphor = Phosphor::new();
        phosphor.take(&vec![LaserPoint::lit(0.0, 0.0, Colour::WHITE); 500], 1.0);
        let mesh = phosphor.light(SQUARE, 1.0);
        assert_eq!(mesh.vertices.len(), 18, "one blob for glow, one for core");
        assert!(brightest(&mesh) > 100);
    }

    #[test]
    fn up_is_up_and_the_square_keeps_its_aspect() {
        let mut phosphor = Phosphor::new();
        let up = [LaserPoint::blank(0.9, 0.9), LaserPoint::lit(1.0, 1.0, Colour::WHITE)];
        phosphor.take(&up, 1.0);
        let bounds = phosphor.light(SQUARE, 1.0).calc_bounds();
        assert!(bounds.contains(SQUARE.right_top()) && !bounds.contains(SQUARE.center()));
    }
}
