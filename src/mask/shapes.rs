//! Figures of our own to make mask streams from: pure functions of time, drawn once for each eye.

use crate::format::outlines::{Outlines, Place};

/// A figure that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A star that turns and breathes.
    Star,
    /// A heart that beats.
    Heart,
    /// A dancer.
    Dancer,
}

/// Centres of the two eyes on the drawing plane.
const EYES: [f64; 2] = [512.0, 1536.0];
const CENTRE_Y: f64 = 512.0;

/// The shape at a time, with one move to each beat; in both eyes, 2048 × 1024.
#[must_use]
pub fn draw(shape: Shape, seconds: f64, beats_per_second: f64) -> Outlines {
    let beat = seconds * beats_per_second;
    let lines = match shape {
        Shape::Star => vec![star(beat)],
        Shape::Heart => vec![heart(beat)],
        Shape::Dancer => dancer(beat),
    };
    let mut outlines = Outlines::default();
    for eye in EYES {
        for line in &lines {
            outlines.push(line.iter().map(|(x, y)| {
                let place =
                    |centre: f64, v: f64| (centre + 500.0 * v.clamp(-1.0, 1.0)).round() as i32;
                Place::new(place(eye, *x), place(CENTRE_Y, -*y))
            }));
        }
    }
    outlines
}

type Line = Vec<(f64, f64)>;

/// 1 on the beat, falling to 0.
fn hit(beat: f64) -> f64 {
    (-4.0 * beat.rem_euclid(1.0)).exp()
}

fn star(beat: f64) -> Line {
    let outer = 0.75 + 0.15 * hit(beat);
    (0..10)
        .map(|k| {
            let radius = if k % 2 == 0 { outer } else { 0.42 * outer };
            let angle = (f64::from(k) / 10.0 + beat / 16.0) * std::f64::consts::TAU;
            (radius * angle.sin(), radius * angle.cos())
        })
        .collect()
}

fn heart(beat: f64) -> Line {
    let size = (0.78 + 0.14 * hit(beat)) / 17.0;
    (0..72)
        .map(|k| {
            let t = f64::from(k) / 72.0 * std::f64::consts::TAU;
            let y =
                13.0 * t.cos() - 5.0 * (2.0 * t).cos() - 2.0 * (3.0 * t).cos() - (4.0 * t).cos();
            (size * 16.0 * t.sin().powi(3), size * (y + 2.5))
        })
        .collect()
}

fn mix(a: f64, b: f64, share: f64) -> f64 {
    a + (b - a) * share
}

/// A body from limbs: each is a tapered bone; the outline runs around them once.
fn dancer(beat: f64) -> Vec<Line> {
    let turn = |beats: f64, phase: f64| ((beat / beats + phase) * std::f64::consts::TAU).sin();
    let down = 0.05 * hit(beat) + 0.02 * turn(1.0, 0.2);
    let sway = 0.09 * turn(4.0, 0.0);
    let hip = (sway, -0.12 - down);
    let chest = (sway * 0.4 + 0.03 * turn(2.0, 0.1), 0.3 - 0.7 * down);
    let head = (chest.0 + 0.04 * turn(2.0, 0.3), chest.1 + 0.34);
    let arm = |side: f64, phase: f64| {
        let raise = 0.5 + 0.5 * turn(4.0, phase);
        let elbow = (chest.0 + side * (0.36 + 0.04 * raise), chest.1 + mix(-0.22, 0.2, raise));
        let hand = (
            elbow.0 + side * mix(0.06, 0.14, raise) - side * 0.1 * turn(2.0, phase),
            elbow.1 + mix(-0.26, 0.34, raise),
        );
        (elbow, hand)
    };
    let leg = |side: f64, phase: f64| {
        let lift = (0.16 * turn(2.0, phase)).max(0.0);
        let knee = (hip.0 * 0.6 + side * (0.17 + lift), -0.5 + 0.6 * lift - 0.5 * down);
        let foot = (side * (0.2 + 0.6 * lift), -0.93 + lift);
        (knee, foot)
    };
    let ((left_elbow, left_hand), (right_elbow, right_hand)) = (arm(-1.0, 0.0), arm(1.0, 0.37));
    let ((left_knee, left_foot), (right_knee, right_foot)) = (leg(-1.0, 0.0), leg(1.0, 0.5));
    let off = |p: (f64, f64), x: f64, y: f64| (p.0 + x, p.1 + y);
    let body = vec![
        off(chest, 0.07, 0.17),
        off(chest, 0.19, 0.12),
        off(right_elbow, 0.0, 0.08),
        off(right_hand, 0.05, 0.02),
        off(right_hand, -0.05, -0.02),
        off(right_elbow, -0.02, -0.08),
        off(chest, 0.16, -0.05),
        off(hip, 0.14, 0.1),
        off(hip, 0.19, -0.08),
        off(right_knee, 0.09, 0.0),
        off(right_foot, 0.06, 0.06),
        off(right_foot, 0.16, 0.0),
        off(right_foot, -0.06, 0.0),
        off(right_knee, -0.08, 0.0),
        off(hip, 0.0, -0.16),
        off(left_knee, 0.08, 0.0),
        off(left_foot, 0.06, 0.0),
        off(left_foot, -0.16, 0.0),
        off(left_foot, -0.06, 0.06),
        off(left_knee, -0.09, 0.0),
        off(hip, -0.19, -0.08),
        off(hip, -0.14, 0.1),
        off(chest, -0.16, -0.05),
        off(left_elbow, 0.02, -0.08),
        off(left_hand, 0.05, -0.02),
        off(left_hand, -0.05, 0.02),
        off(left_elbow, 0.0, 0.08),
        off(chest, -0.19, 0.12),
        off(chest, -0.07, 0.17),
    ];
    let skull = (0..28).map(|k| {
        let angle = f64::from(k) / 28.0 * std::f64::consts::TAU;
        (head.0 + 0.12 * angle.sin(), head.1 + 0.15 * angle.cos())
    });
    vec![rounded(&body), skull.collect()]
}

/// A smooth closed line through the middles of a polygon's sides.
fn rounded(corners: &[(f64, f64)]) -> Line {
    let n = corners.len();
    let middle = |a: (f64, f64), b: (f64, f64)| (mix(a.0, b.0, 0.5), mix(a.1, b.1, 0.5));
    (0..n)
        .flat_map(|k| {
            let (before, corner, after) =
                (corners[(k + n - 1) % n], corners[k], corners[(k + 1) % n]);
            let (begin, end) = (middle(before, corner), middle(corner, after));
            (0..3).map(move |step| {
                let t = f64::from(step) / 3.0;
                let curve = |a: f64, b: f64, c: f64| mix(mix(a, b, t), mix(b, c, t), t);
                (curve(begin.0, corner.0, end.0), curve(begin.1, corner.1, end.1))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::light::{LightSettings, prepare};
    use super::*;
    use crate::pattern::Silhouette;

    #[test]
    fn every_shape_is_light_for_the_laser_all_the_time_in_both_eyes() {
        for shape in [Shape::Star, Shape::Heart, Shape::Dancer] {
            let mut before: Option<Silhouette> = None;
            for frame in 0..240 {
                let outlines = draw(shape, f64::from(frame) / 30.0, 2.1);
                let mut light = Silhouette::default();
                prepare(&outlines, 0, &LightSettings::default(), before.as_ref(), &mut light);
                assert_eq!(light.contours().len(), outlines.channels().len() / 2, "{shape:?}");
                for (number, contour) in light.contours().iter().enumerate() {
                    assert_eq!(contour.follows, before.as_ref().map(|_| number), "{shape:?}");
                }
                before = Some(light);
            }
        }
    }
}
