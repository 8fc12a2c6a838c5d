//! The silhouettes of a mask stream, in time with the music.

use crate::pattern::pen::Pen;
use crate::pattern::silhouette::{Corner, MAX_SILHOUETTE_VERTICES, Sight, Silhouette};
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

use super::{fall, sin_cos};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "mask",
    name: "Mask",
    description: "The outlines of the mask stream beside the song; without one, a dancer of its own.",
    params: &[
        ParamSpec::new("size", "", [0.1, 0.9, 1.2], "Size of the stream's picture."),
        ParamSpec::new("morph", "", [0.0, 1.0, 1.0], "0 frame by frame, 1 gliding between frames."),
        ParamSpec::new("bounce", "", [0.0, 0.05, 0.3], "How far the bass lifts it."),
        ParamSpec::new("x", "", [-1.0, 0.0, 1.0], "Moves it to the right."),
        ParamSpec::new("y", "", [-1.0, 0.0, 1.0], "Moves it up."),
    ],
    make: |_| Box::new(Mask::default()),
};

/// Corners of the dancer's head.
const HEAD: usize = 24;

#[derive(Default)]
struct Mask {
    now: Silhouette,
    next: Silhouette,
    share: f32,
    seen: Seen,
    lift: f32,
    arms: f32,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Seen {
    #[default]
    NoStream,
    Nothing,
    Frame,
    FrameAndNext,
}

impl Pattern for Mask {
    fn see(&mut self, sight: Sight<'_>) {
        self.seen = match sight {
            Sight::NoStream => Seen::NoStream,
            Sight::Nothing => Seen::Nothing,
            Sight::Frame { now, next, share } => {
                self.now.copy_from(now);
                self.share = share;
                match next {
                    Some(next) => {
                        self.next.copy_from(next);
                        Seen::FrameAndNext
                    }
                    None => Seen::Frame,
                }
            }
        };
    }

    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[size, morph, bounce, x, y] = scene.params else { return };
        let bands = scene.features.bands;
        fall(&mut self.lift, bands.bass, scene.dt, 0.15);
        fall(&mut self.arms, scene.features.level, scene.dt, 0.25);
        let place = (x, y + bounce * self.lift, size);
        match self.seen {
            Seen::NoStream => self.draw_dancer(scene, place, figure),
            Seen::Nothing => {}
            Seen::Frame => self.draw_silhouette(None, place, figure),
            Seen::FrameAndNext => {
                let share = (self.share * morph).clamp(0.0, 1.0);
                self.draw_silhouette(Some(share), place, figure);
            }
        }
    }
}

impl Mask {
    fn draw_silhouette(&self, share: Option<f32>, place: (f32, f32, f32), figure: &mut Figure) {
        let (x, y, size) = place;
        let mut pen = Pen::new(figure);
        for (number, contour) in self.now.contours().iter().enumerate() {
            let corners = self.now.corners_of(contour);
            let follower = share.filter(|share| *share > 0.0).and_then(|share| {
                let follower = self.next.follower_of(number)?;
                Some((share, self.next.corners_of(follower)))
            });
            let mut draw = |corner: Corner| {
                pen.to_lit(
                    x + size * corner.x,
                    y + size * corner.y,
                    f32::from(u8::from(corner.lit)),
                );
            };
            match follower {
                Some((share, after)) => glide(corners, after, share, &mut draw),
                None => corners.iter().copied().for_each(draw),
            }
            pen.close_curve();
        }
    }

    /// A figure with raised arms that lives on the music alone.
    fn draw_dancer(&self, scene: &Scene<'_>, place: (f32, f32, f32), figure: &mut Figure) {
        let (x, y, size) = place;
        let sway = 0.05 * sin_cos(scene.features.beat.phase).0;
        let mut pen = Pen::new(figure);
        let at = |px: f32, py: f32| (x + size * px, y + size * py);
        let head = (sway * 1.4, 0.52 + 0.03 * self.lift);
        for k in 0..HEAD {
            let (sin, cos) = sin_cos(k as f32 / HEAD as f32);
            let (px, py) = at(head.0 + 0.12 * cos, head.1 + 0.14 * sin);
            pen.to(px, py);
        }
        pen.close_curve();
        let hand = -0.12 + 0.75 * self.arms;
        let elbow = 0.02 + 0.3 * self.arms;
        let half = [
            (0.06, 0.36),
            (0.2, 0.32),
            (0.36, elbow + 0.05),
            (0.5, hand),
            (0.43, hand - 0.03),
            (0.31, elbow - 0.06),
            (0.19, 0.16),
            (0.15, -0.12),
            (0.22 + 0.05 * self.lift, -0.45),
            (0.24 + 0.07 * self.lift, -0.82),
            (0.13 + 0.07 * self.lift, -0.82),
            (0.04, -0.28),
        ];
        let side =
            |sign: f32| half.into_iter().map(move |(px, py)| (sign * px + sway * (0.5 + py), py));
        for (px, py) in side(1.0).chain(side(-1.0).rev()) {
            let (px, py) = at(px, py);
            pen.to(px, py);
        }
        pen.close_curve();
    }
}

/// Length of a closed line.
fn length(corners: &[Corner]) -> f32 {
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).map(|(a, b)| (b.x - a.x).hypot(b.y - a.y)).sum()
}

/// The corners of `from` on their way to the places of `to` that lie as far along it.
fn glide(from: &[Corner], to: &[Corner], share: f32, draw: &mut impl FnMut(Corner)) {
    let (long, other) = (length(from).max(1e-6), length(to).max(1e-6));
    debug_assert!(from.len() <= MAX_SILHOUETTE_VERTICES);
    let (mut gone, mut passed, mut at) = (0.0_f32, 0.0_f32, 0);
    for (k, corner) in from.iter().enumerate() {
        let wanted = gone / long * other;
        let (mut a, mut b) = (to[at], to[(at + 1) % to.len()]);
        let mut step = (b.x - a.x).hypot(b.y - a.y);
        while passed + step < wanted && at + 1 < to.len() {
            passed += step;
            at += 1;
            (a, b) = (to[at], to[(at + 1) % to.len()]);
            step = (b.x - a.x).hypot(b.y - a.y);
        }
        let part = if step > 0.0 { ((wanted - passed) / step).clamp(0.0, 1.0) } else { 0.0 };
        let goal = (a.x + (b.x - a.x) * part, a.y + (b.y - a.y) * part);
        draw(Corner {
            x: corner.x + (goal.0 - corner.x) * share,
            y: corner.y + (goal.1 - corner.y) * share,
            lit: corner.lit,
        });
        let next = from[(k + 1) % from.len()];
        gone += (next.x - corner.x).hypot(next.y - corner.y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Features;
    use crate::realtime::no_alloc;
    use crate::time::MediaTime;

    fn square(frame: u64, centre: f32, corners: usize) -> Silhouette {
        let mut silhouette = Silhouette::default();
        silhouette.reset(frame);
        let edge: Vec<Corner> = (0..corners)
            .map(|k| {
                let (sin, cos) = sin_cos(k as f32 / corners as f32);
                Corner { x: centre + 0.3 * cos, y: 0.3 * sin, lit: k != 1 }
            })
            .collect();
        assert!(silhouette.push(&edge, Some(0)));
        silhouette
    }

    fn drawn(mask: &mut Mask, params: &[f32]) -> Figure {
        let features = Features::silence(MediaTime::ZERO);
        let scene = Scene { features: &features, media: MediaTime::ZERO, dt: 0.0, params };
        let mut figure = Figure::with_capacity(768, 64);
        let ((), touched) = no_alloc::watch(|| mask.draw(&scene, &mut figure));
        assert_eq!(touched, 0);
        figure
    }

    #[test]
    fn between_two_frames_the_contour_glides_and_the_cut_edge_stays_dark() {
        let (now, next) = (square(7, 0.0, 16), square(8, 0.2, 16));
        let mut mask = Mask::default();
        for (share, morph, centre) in
            [(0.0, 1.0, 0.0), (0.5, 1.0, 0.1), (0.5, 0.0, 0.0), (1.0, 1.0, 0.2)]
        {
            let ((), touched) =
                no_alloc::watch(|| mask.see(Sight::Frame { now: &now, next: Some(&next), share }));
            assert_eq!(touched, 0);
            let figure = drawn(&mut mask, &[1.0, morph, 0.0, 0.0, 0.0]);
            let vertices = figure.vertices_of(&figure.strokes()[0]);
            let mean = vertices.iter().map(|v| v.x).sum::<f32>() / vertices.len() as f32;
            assert!((mean - centre).abs() < 1e-3, "{share} {morph}: {mean}");
            assert_eq!(vertices.iter().filter(|v| v.colour.r == 0.0).count(), 1);
        }
    }

    #[test]
    fn contours_of_different_detail_still_meet() {
        let (now, next) = (square(7, 0.0, 40), square(8, 0.1, 7));
        let mut mask = Mask::default();
        mask.see(Sight::Frame { now: &now, next: Some(&next), share: 1.0 });
        let figure = drawn(&mut mask, &[1.0, 1.0, 0.0, 0.0, 0.0]);
        for vertex in figure.vertices_of(&figure.strokes()[0]) {
            let radius = (vertex.x - 0.1).hypot(vertex.y);
            assert!((0.26..0.31).contains(&radius), "{radius}");
        }
    }

    #[test]
    fn a_stream_with_nothing_to_show_is_dark_and_no_stream_is_a_dancer() {
        let mut mask = Mask::default();
        let params = [0.9, 1.0, 0.05, 0.0, 0.0];
        assert_eq!(drawn(&mut mask, &params).strokes().len(), 2);
        mask.see(Sight::Nothing);
        assert!(drawn(&mut mask, &params).strokes().is_empty());
    }
}
