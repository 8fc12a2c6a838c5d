//! What an eye or a camera sees of a stream of points: the beam of modelled mirrors, as light that adds up.

use crate::path::{ColourDelay, GalvoProfile, Mirror};
use crate::point::LaserPoint;

/// Longest stretch of the beam's way that is one dot of light, pixels.
const DOT_PX: f32 = 0.7;
/// Most dots of one point.
const MOST_DOTS: f32 = 256.0;
/// Exposure: a line drawn at the profile's lit speed, fifty times a second, is well lit.
const EXPOSURE: f32 = 4.0;
/// Share of the light that the air and the wall spread around the beam.
const GLOW: f32 = 0.5;
/// Share of every colour that a bright beam adds to the others: film and eyes see its core whiter.
const WHITER: f32 = 0.04;
/// Longest colour delay, points.
const MOST_DELAY: usize = 64;

/// A square picture that collects light.
#[derive(Debug)]
pub struct BeamView {
    side: usize,
    light: Vec<[f32; 3]>,
    spread: Vec<[f32; 3]>,
    mirror: Mirror,
    profile: GalvoProfile,
    delay: ColourDelay,
    beam: [f32; 2],
    exposed_s: f32,
}

impl BeamView {
    /// A dark picture of `side` × `side` pixels (16 to 4096) of a beam moved by mirrors of `profile`.
    #[must_use]
    pub fn new(side: usize, profile: GalvoProfile) -> Self {
        let side = side.clamp(16, 4096);
        Self {
            side,
            light: vec![[0.0; 3]; side * side],
            spread: vec![[0.0; 3]; side * side],
            mirror: Mirror::new(profile),
            profile,
            delay: ColourDelay::with_capacity(MOST_DELAY),
            beam: [0.0; 2],
            exposed_s: 0.0,
        }
    }

    /// Pixels of a side.
    #[must_use]
    pub const fn side(&self) -> usize {
        self.side
    }

    /// Takes in the light of points shown at `pps`. The colours wait for the mirrors, as they do in a projector
    /// that is set up well.
    pub fn show(&mut self, points: &[LaserPoint], pps: u32) {
        let pps = pps.max(1);
        let dt = 1.0 / pps as f32;
        self.delay.set(self.profile.lag_s() * 1e6, pps);
        for point in points {
            let from = self.beam;
            self.beam = self.mirror.step([point.x, point.y], dt);
            let mut coloured = [*point];
            self.delay.apply(&mut coloured);
            if !coloured[0].is_blank() {
                self.draw(from, self.beam, &coloured[0], dt);
            }
        }
        self.exposed_s += points.len() as f32 * dt;
    }

    fn draw(&mut self, from: [f32; 2], to: [f32; 2], colour: &LaserPoint, dt: f32) {
        let scale = 0.5 * (self.side - 1) as f32;
        let pixel = |at: [f32; 2]| [(at[0] + 1.0) * scale, (1.0 - at[1]) * scale];
        let (a, b) = (pixel(from), pixel(to));
        let way = (b[0] - a[0]).hypot(b[1] - a[1]);
        let dots = (way / DOT_PX).ceil().clamp(1.0, MOST_DOTS);
        let share = dt / dots / 65_535.0;
        let light = [colour.r, colour.g, colour.b].map(|level| f32::from(level) * share);
        for k in 0..dots as usize {
            let t = (k as f32 + 0.5) / dots;
            self.dot([a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t], light);
        }
    }

    fn dot(&mut self, at: [f32; 2], light: [f32; 3]) {
        let most = (self.side - 2) as f32;
        let (x, y) = (at[0].clamp(0.0, most), at[1].clamp(0.0, most));
        let (column, row) = (x as usize, y as usize);
        let (fx, fy) = (x - column as f32, y - row as f32);
        let shares = [(0, (1.0 - fx) * (1.0 - fy)), (1, fx * (1.0 - fy))];
        let below = [(0, (1.0 - fx) * fy), (1, fx * fy)];
        for (line, shares) in [shares, below].into_iter().enumerate() {
            for (right, share) in shares {
                let pixel = &mut self.light[(row + line) * self.side + column + right];
                for (channel, light) in pixel.iter_mut().zip(light) {
                    *channel += light * share;
                }
            }
        }
    }

    /// The picture of the light since the last call: red, green, blue of every pixel, row by row from the top.
    /// The next begins dark.
    pub fn develop(&mut self) -> Vec<u8> {
        let gain = EXPOSURE * self.profile.lit_speed * self.side as f32
            / (100.0 * self.exposed_s.max(1e-4));
        self.spread.copy_from_slice(&self.light);
        let radius = (self.side / 90).max(2);
        for _ in 0..2 {
            blur_rows(&mut self.spread, self.side, radius);
            transpose(&mut self.spread, self.side);
            blur_rows(&mut self.spread, self.side, radius);
            transpose(&mut self.spread, self.side);
        }
        let widen = (radius * 2 + 1) as f32;
        let mut out = Vec::with_capacity(3 * self.light.len());
        for (sharp, spread) in self.light.iter().zip(&self.spread) {
            let seen = [0, 1, 2].map(|k| sharp[k] + GLOW * spread[k] * widen.sqrt());
            let white = WHITER * (seen[0] + seen[1] + seen[2]);
            out.extend(seen.map(|light| {
                let shown = 1.0 - (-gain * (light + white)).exp();
                (255.0 * shown.powf(1.0 / 2.2)) as u8
            }));
        }
        self.light.fill([0.0; 3]);
        self.exposed_s = 0.0;
        out
    }
}

/// The mean over `radius` pixels to each side, along every row.
fn blur_rows(pixels: &mut [[f32; 3]], side: usize, radius: usize) {
    let mut line = vec![[0.0_f32; 3]; side];
    let share = 1.0 / (2 * radius + 1) as f32;
    for row in pixels.chunks_exact_mut(side) {
        let mut sum = [0.0_f32; 3];
        let add = |sum: &mut [f32; 3], pixel: [f32; 3], sign: f32| {
            for (total, channel) in sum.iter_mut().zip(pixel) {
                *total += sign * channel;
            }
        };
        row.iter().take(radius).for_each(|pixel| add(&mut sum, *pixel, 1.0));
        for (k, out) in line.iter_mut().enumerate() {
            if let Some(pixel) = row.get(k + radius) {
                add(&mut sum, *pixel, 1.0);
            }
            if k > radius {
                add(&mut sum, row[k - radius - 1], -1.0);
            }
            // What is left of a difference may be a little less than nothing.
            *out = sum.map(|total| (total * share).max(0.0));
        }
        row.copy_from_slice(&line);
    }
}

fn transpose(pixels: &mut [[f32; 3]], side: usize) {
    for row in 0..side {
        for column in row + 1..side {
            pixels.swap(row * side + column, column * side + row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;

    fn line() -> Vec<LaserPoint> {
        let along = |k: i32| {
            LaserPoint::lit(0.01 * (k % 160) as f32 - 0.8, 0.5, Colour::rgb(0.0, 1.0, 0.0))
        };
        (0..800).map(along).collect()
    }

    #[test]
    fn light_is_where_the_beam_was_and_nowhere_else() {
        let mut view = BeamView::new(128, GalvoProfile::K30);
        view.show(&line(), 30_000);
        let picture = view.develop();
        let green = |x: usize, y: usize| picture[3 * (y * 128 + x) + 1];
        assert!(green(64, 32) > 150, "{}", green(64, 32));
        assert!(green(64, 100) < 20, "{}", green(64, 100));
        assert!(picture[3 * (32 * 128 + 64)] < green(64, 32), "a green line is green");
        assert!(view.develop().iter().all(|v| *v == 0), "the next picture begins dark");
    }

    #[test]
    fn dark_points_leave_no_light() {
        let mut view = BeamView::new(64, GalvoProfile::K30);
        let dark: Vec<_> = line().iter().map(|p| p.blanked()).collect();
        view.show(&dark, 30_000);
        assert!(view.develop().iter().all(|v| *v == 0));
    }

    #[test]
    fn a_blur_keeps_the_light() {
        let mut pixels = vec![[0.0; 3]; 32 * 32];
        pixels[16 * 32 + 16] = [1.0, 2.0, 3.0];
        blur_rows(&mut pixels, 32, 3);
        transpose(&mut pixels, 32);
        let sum: f32 = pixels.iter().map(|p| p[1]).sum();
        assert!((sum - 2.0).abs() < 1e-4);
    }
}
