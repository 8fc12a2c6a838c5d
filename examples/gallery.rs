//! Every bundled preset as the simulated beam draws it to the demo track: `make gallery` writes `docs/gallery.md` and its
//! pictures. With names of presets as arguments after the folder, only those are drawn.
//!
//! `cargo run --release --example gallery -- docs [NAME…]`

use std::fmt::Write as _;
use std::path::Path;

use galvo::analysis::{Analyser, Features};
use galvo::audio::decode::Decoder;
use galvo::path::{ColourDelay, GalvoProfile, Layout, LayoutSettings, Mirror, PathPoints};
use galvo::pattern::{Instrument, Preset, bundled};
use galvo::point::{Colour, LaserPoint};
use galvo::time::MediaTime;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

const SIDE: usize = 200;
const PPS: u32 = 30_000;
const FRAMES_PER_SECOND: u32 = 50;
/// Where in the demo track a preset begins to play (the last bars of the build-up), and the moments shown: in the
/// drop on a beat, between beats, and bars later.
const BEGIN_S: f64 = 57.0;
const MOMENTS_S: [f64; 3] = [60.97, 62.62, 64.83];
/// The mirrors of the model lag by about this much.
const COLOUR_DELAY_US: f32 = 130.0;
/// An eye keeps what it saw for about this long.
const EYE_S: f64 = 0.045;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let docs = arguments.next().unwrap_or_else(|| "docs".to_owned());
    let docs = Path::new(&docs);
    let only: Vec<String> = arguments.collect();
    let pictures = docs.join("images/gallery");
    std::fs::create_dir_all(&pictures)?;
    let song = listen(Path::new("assets/demo.ogg"))?;
    let mut page = String::from(
        "# Gallery\n\nEvery preset that comes with galvo, as the mirrors of a 30 kpps projector draw it (simulated) in the drop of\n\
         the demo track: on a beat, between beats, and two bars later. Made by `make gallery`.\n",
    );
    for (file, text) in bundled::BUNDLED {
        let preset = Preset::parse(text)?;
        let slug = file.trim_end_matches(".toml");
        if only.is_empty() || only.contains(&preset.name) {
            let (width, pixels) = drawn(&preset, &song)?;
            let out = std::fs::File::create(pictures.join(format!("{slug}.png")))?;
            PngEncoder::new_with_quality(out, CompressionType::Best, FilterType::Adaptive)
                .write_image(&pixels, width as u32, SIDE as u32, ExtendedColorType::Rgb8)?;
        }
        let Preset { name, description, generator, .. } = &preset;
        write!(
            page,
            "\n## {name}\n\n{description} (`{generator}`)\n\n![{name}](images/gallery/{slug}.png)\n"
        )?;
    }
    std::fs::write(docs.join("gallery.md"), page)?;
    Ok(())
}

/// The features of the whole track, one after the other.
fn listen(path: &Path) -> Result<Vec<Features>, Box<dyn std::error::Error>> {
    let mut decoder = Decoder::open(path)?;
    let rate = decoder.info().sample_rate;
    let mut analyser = Analyser::new(rate);
    let (mut heard, mut frames) = (Vec::new(), 0_u64);
    while let Some(pcm) = decoder.next()? {
        let media = MediaTime::from_secs_f64(frames as f64 / f64::from(rate));
        analyser.push(media, pcm, &mut |features| heard.push(*features));
        frames += (pcm.len() / 2) as u64;
    }
    Ok(heard)
}

/// The track at a moment.
fn heard_at(song: &[Features], media: MediaTime) -> Features {
    let after = song.partition_point(|features| features.at <= media);
    song.get(after.saturating_sub(1)).copied().unwrap_or_default()
}

/// Plays a preset up to each moment and keeps what an eye sees of the beam.
fn drawn(
    preset: &Preset,
    song: &[Features],
) -> Result<(usize, Vec<u8>), Box<dyn std::error::Error>> {
    let width = SIDE * MOMENTS_S.len();
    let mut light = Light { width, pixels: vec![Colour::BLACK; width * SIDE] };
    let mut instrument = Instrument::new(preset)?;
    let mut figure = Instrument::figure();
    let mut layout = Layout::new(LayoutSettings::default(), 4_096);
    let mut points = PathPoints::with_capacity(4_096);
    let mut mirror = Mirror::new(GalvoProfile::default());
    let mut delay = ColourDelay::with_capacity(16);
    delay.set(COLOUR_DELAY_US, PPS);
    let mut beam = LaserPoint::CENTRE;
    let (mut now_s, mut last_s) = (BEGIN_S, 0.0);
    let budget = (PPS / FRAMES_PER_SECOND) as usize;
    while now_s < MOMENTS_S[MOMENTS_S.len() - 1] {
        let media = MediaTime::from_secs_f64(now_s);
        let features = heard_at(song, media);
        let dt = if last_s == 0.0 { 0.0 } else { (now_s - last_s) as f32 };
        instrument.draw(&features, media, dt, &mut figure);
        if figure.dropped() > 0 {
            return Err(format!("{}: {} vertices dropped", preset.name, figure.dropped()).into());
        }
        layout.lay(&figure, beam, PPS, budget, &mut points);
        last_s = now_s;
        let mut frame = points.as_slice().to_vec();
        delay.apply(&mut frame);
        for point in &frame {
            let media = MediaTime::from_secs_f64(now_s);
            let shade = instrument.shade(&features, media);
            let (sin, cos) = shade.rotation.sin_cos();
            let (x, y) = (point.x * cos - point.y * sin, point.x * sin + point.y * cos);
            let target = [x * shade.scale, y * shade.scale];
            let colour = Colour::rgb(point.r.into(), point.g.into(), point.b.into());
            let colour = colour.scaled(shade.gain / 65_535.0);
            for _ in 0..3 {
                let at = mirror.step(target, 1.0 / PPS as f32 / 3.0);
                for (cell, moment) in MOMENTS_S.iter().enumerate() {
                    let seen = now_s <= *moment && now_s > moment - EYE_S;
                    if seen && !point.is_blank() {
                        light.spot(cell, at, colour);
                    }
                }
            }
            now_s += 1.0 / f64::from(PPS);
        }
        beam = points.as_slice().last().copied().unwrap_or(beam);
    }
    Ok((width, light.into_pixels()))
}

/// Light that adds up, as on a screen.
struct Light {
    width: usize,
    pixels: Vec<Colour>,
}

impl Light {
    /// A round spot of about a pixel, with a faint halo.
    fn spot(&mut self, cell: usize, at: [f32; 2], colour: Colour) {
        let half = SIDE as f32 * 0.5;
        let (x, y) = (half * (1.0 + at[0] * 0.97), half * (1.0 - at[1] * 0.97));
        for py in (y as i32 - 3)..=(y as i32 + 3) {
            for px in (x as i32 - 3)..=(x as i32 + 3) {
                if (0..SIDE as i32).contains(&px) && (0..SIDE as i32).contains(&py) {
                    let square = (px as f32 + 0.5 - x).powi(2) + (py as f32 + 0.5 - y).powi(2);
                    let share = 0.2 * (-square / 0.7).exp() + 0.008 * (-square / 5.0).exp();
                    let index = py as usize * self.width + cell * SIDE + px as usize;
                    let pixel = &mut self.pixels[index];
                    let add = colour.scaled(share);
                    *pixel = Colour::rgb(pixel.r + add.r, pixel.g + add.g, pixel.b + add.b);
                }
            }
        }
    }

    fn into_pixels(self) -> Vec<u8> {
        // Few levels make small files.
        let shown = |level: f32| ((1.0 - (-1.3 * level).exp()).powf(0.6) * 255.0) as u8 & 0xF8;
        self.pixels.iter().flat_map(|pixel| [pixel.r, pixel.g, pixel.b].map(shown)).collect()
    }
}
