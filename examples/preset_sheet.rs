//! Draws every bundled preset at a few moments of a synthetic song into one PNG: what an operator would
//! see, side by side. `cargo run --example preset_sheet -- sheet.png`

use galvo::pattern::instrument::Instrument;
use galvo::pattern::{Figure, Preset, bundled};
use galvo::point::Colour;
use galvo::time::MediaTime;
use image::{Rgb, RgbImage};

#[path = "../tests/it/synthetic_song.rs"]
mod synthetic_song;

const CELL: u32 = 220;
/// Seconds into the song: between beats, on a beat, just after, later in the bar, and in a quiet place.
const MOMENTS: [(f64, f32); 6] =
    [(2.9, 0.9), (3.01, 1.0), (3.12, 1.0), (5.55, 0.9), (7.03, 1.0), (6.3, 0.15)];
const FRAMES_PER_SECOND: f64 = 50.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "preset-sheet.png".to_owned());
    let presets: Vec<Preset> =
        bundled::BUNDLED.iter().map(|(_, text)| Preset::parse(text)).collect::<Result<_, _>>()?;
    let columns = MOMENTS.len() as u32 * 2;
    let rows = (presets.len() as u32).div_ceil(2);
    let mut light = Light::new(columns * CELL, rows * CELL);
    for (index, preset) in presets.iter().enumerate() {
        let row = index as u32 / 2;
        for (moment, &(seconds, loudness)) in MOMENTS.iter().enumerate() {
            let column = moment as u32 + (index as u32 % 2) * MOMENTS.len() as u32;
            let mut instrument = Instrument::new(preset)?;
            let mut figure = Instrument::figure();
            let frames = (seconds * FRAMES_PER_SECOND) as i32;
            for frame in 0..=frames {
                let media = MediaTime::from_secs_f64(
                    seconds - f64::from(frames - frame) / FRAMES_PER_SECOND,
                );
                let features = synthetic_song::features_at(media, loudness);
                let dt = if frame == 0 { 0.0 } else { 1.0 / FRAMES_PER_SECOND as f32 };
                instrument.draw(&features, media, dt, &mut figure);
            }
            let media = MediaTime::from_secs_f64(seconds);
            let shade = instrument.shade(&synthetic_song::features_at(media, loudness), media);
            light.draw(&figure, shade, column * CELL, row * CELL);
        }
    }
    light.into_image().save(&path)?;
    Ok(())
}

/// Light that adds up, as on a screen.
struct Light {
    width: u32,
    height: u32,
    pixels: Vec<Colour>,
}

impl Light {
    fn new(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![Colour::BLACK; (width * height) as usize] }
    }

    fn draw(&mut self, figure: &Figure, shade: galvo::pattern::Shade, left: u32, top: u32) {
        let (sin, cos) = shade.rotation.sin_cos();
        let half = CELL as f32 * 0.5;
        let place = |x: f32, y: f32| {
            let (x, y) = ((x * cos - y * sin) * shade.scale, (x * sin + y * cos) * shade.scale);
            (left as f32 + half * (1.0 + x * 0.98), top as f32 + half * (1.0 - y * 0.98))
        };
        for stroke in figure.strokes() {
            let vertices = figure.vertices_of(stroke);
            let lines = if stroke.closed { stroke.len } else { stroke.len - 1 };
            if stroke.len == 1 {
                let at = place(vertices[0].x, vertices[0].y);
                self.line(at, at, vertices[0].colour.scaled(shade.gain * 3.0));
            }
            for index in 0..lines {
                let (from, to) = (vertices[index], vertices[(index + 1) % stroke.len]);
                let colour = from.colour.scaled(shade.gain);
                self.line(place(from.x, from.y), place(to.x, to.y), colour);
            }
        }
    }

    fn line(&mut self, from: (f32, f32), to: (f32, f32), colour: Colour) {
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let steps = (length * 3.0).ceil().max(1.0) as usize;
        for step in 0..steps {
            let way = step as f32 / steps as f32;
            let x = from.0 + (to.0 - from.0) * way;
            let y = from.1 + (to.1 - from.1) * way;
            self.spot(x, y, colour.scaled(length.max(1.0) / steps as f32));
        }
    }

    /// A round spot of about two pixels.
    fn spot(&mut self, x: f32, y: f32, colour: Colour) {
        for py in (y as i64 - 3)..=(y as i64 + 3) {
            for px in (x as i64 - 3)..=(x as i64 + 3) {
                let inside = (0..i64::from(self.width)).contains(&px)
                    && (0..i64::from(self.height)).contains(&py);
                if inside {
                    let square = (px as f32 - x).powi(2) + (py as f32 - y).powi(2);
                    let share = 0.5 * (-square / 1.2).exp() + 0.03 * (-square / 8.0).exp();
                    let pixel = &mut self.pixels[(py * i64::from(self.width) + px) as usize];
                    let add = colour.scaled(share);
                    *pixel = Colour::rgb(pixel.r + add.r, pixel.g + add.g, pixel.b + add.b);
                }
            }
        }
    }

    fn into_image(self) -> RgbImage {
        RgbImage::from_fn(self.width, self.height, |x, y| {
            let pixel = self.pixels[(y * self.width + x) as usize];
            let shown = |level: f32| ((1.0 - (-1.6 * level).exp()).powf(0.6) * 255.0) as u8;
            let edge = x % CELL == 0 || y % CELL == 0;
            let floor = if edge { 40 } else { 8 };
            Rgb([pixel.r, pixel.g, pixel.b].map(|level| shown(level).max(floor)))
        })
    }
}
