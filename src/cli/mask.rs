//! `galvo mask`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::format::asvp::write::Writer;
use crate::format::asvr::{self, Key, Passphrase};
use crate::format::outlines::{Outlines, PLANE_HEIGHT, PLANE_WIDTH, Place};
use crate::mask::light::prepare;
use crate::mask::shapes::{self, Shape};
use crate::mask::trace::{Pixels, trace};
use crate::mask::{
    Builder, Eye, LightSettings, MaskError, MaskHandle, MaskSource, Output, Rate, lettering,
};
use crate::media::{Location, MediaOpener};
use crate::pattern::Silhouette;
use crate::show::masks::MaskKey;

/// How long one frame may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest stream that is made, frames.
const MAX_MADE: usize = 1 << 20;
/// Largest image that is traced, pixels.
const MAX_IMAGE_PIXELS: usize = 1 << 26;

/// What to do with mask streams.
#[derive(Debug, Subcommand)]
pub enum MaskAction {
    /// What is in a stream; with --check, whether every frame can be read
    Info(InfoArgs),
    /// The picture of one frame, as PNG
    Render(RenderArgs),
    /// The outlines of one frame as the laser draws them, as SVG
    Outline(OutlineArgs),
    /// Makes a stream from a shape, a text or a folder of images
    Make(MakeArgs),
}

/// What opens a keyed stream (ASVR).
#[derive(Debug, Clone, Default, Args)]
pub struct KeyArgs {
    /// Passphrase of a keyed stream: a file of 32 bytes, or of 64 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Scene id of a keyed stream
    #[arg(long, value_name = "ID", default_value_t = 0)]
    pub scene: u32,
    /// Version string of a keyed stream
    #[arg(long, value_name = "TEXT", default_value = "1.5.0")]
    pub stream_version: String,
    /// Name that a keyed stream was made under, if its file was renamed
    #[arg(long, value_name = "NAME")]
    pub stream_name: Option<String>,
}

impl KeyArgs {
    /// The key, if a passphrase is given.
    pub(super) fn key(&self) -> anyhow::Result<Option<MaskKey>> {
        let Some(path) = &self.passphrase_file else { return Ok(None) };
        let bytes = std::fs::read(path).with_context(|| {
            format!("the passphrase cannot be read from {}: check the path", path.display())
        })?;
        let passphrase = Passphrase::from_file_bytes(&bytes).with_context(|| {
            let name = path.display();
            format!("{name} holds no passphrase: it takes 32 bytes or 64 hexadecimal digits")
        })?;
        Ok(Some(MaskKey {
            passphrase,
            scene: self.scene,
            version: self.stream_version.clone(),
            resource: self.stream_name.clone(),
        }))
    }
}

/// `galvo mask info`
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// The stream: a file, or an http(s) address
    pub file: PathBuf,
    /// Frames per second, for the length
    #[arg(long, value_name = "FPS", default_value = "60")]
    pub fps: Rate,
    /// Reads every frame; exit status 1 if one cannot be read
    #[arg(long)]
    pub check: bool,
    /// Machine-readable
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show it as help")]
    pub key: KeyArgs,
}

/// `galvo mask render`
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// The stream: a file, or an http(s) address
    pub file: PathBuf,
    /// The frame, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub frame: u64,
    /// Width and height of the picture, pixels
    #[arg(long, value_name = "WxH", default_value = "2048x1024", value_parser = size)]
    pub size: (u32, u32),
    /// Where to write the picture
    #[arg(long, value_name = "FILE.png")]
    pub out: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show it as help")]
    pub key: KeyArgs,
}

/// `galvo mask outline`
#[derive(Debug, Args)]
pub struct OutlineArgs {
    /// The stream: a file, or an http(s) address
    pub file: PathBuf,
    /// The frame, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub frame: u64,
    /// Half of a stereo stream: left, right or both
    #[arg(long, default_value = "left")]
    pub eye: Eye,
    /// Most corners
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub corners: usize,
    /// Where to write the drawing
    #[arg(long, value_name = "FILE.svg")]
    pub out: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show it as help")]
    pub key: KeyArgs,
}

/// Shapes that move by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShapeArg {
    /// A star that turns and breathes
    Star,
    /// A heart that beats
    Heart,
    /// A dancer
    Dancer,
}

/// `galvo mask make`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("of").required(true).args(["shape", "text", "images"]))]
pub struct MakeArgs {
    /// A shape that moves
    #[arg(long)]
    pub shape: Option<ShapeArg>,
    /// A line of text that passes from right to left
    #[arg(long)]
    pub text: Option<String>,
    /// A folder of PNG images, one a frame, by name; what is bright and opaque is the figure
    #[arg(long, value_name = "FOLDER")]
    pub images: Option<PathBuf>,
    /// Length of a shape or a text, seconds
    #[arg(long, value_name = "S", default_value_t = 8.0)]
    pub seconds: f64,
    /// Frames per second. The file does not say it: play it with the same
    #[arg(long, value_name = "FPS", default_value = "60")]
    pub fps: Rate,
    /// Beats per minute of a shape's moves
    #[arg(long, value_name = "BPM", default_value_t = 120.0)]
    pub bpm: f64,
    /// Where to write it; a keyed stream (ASVR) if a passphrase is given
    #[arg(long, value_name = "FILE.asvp")]
    pub out: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show it as help")]
    pub key: KeyArgs,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let wrong = || "a size is WIDTHxHEIGHT, such as 1024x512, up to 16384".to_owned();
    let (width, height) = text.split_once('x').ok_or_else(wrong)?;
    let side = |text: &str| text.parse().ok().filter(|side| (1..=16_384).contains(side));
    Ok((side(width).ok_or_else(wrong)?, side(height).ok_or_else(wrong)?))
}

pub(super) fn mask(action: &MaskAction) -> anyhow::Result<()> {
    match action {
        MaskAction::Info(args) => info(args),
        MaskAction::Render(args) => render(args),
        MaskAction::Outline(args) => outline(args),
        MaskAction::Make(args) => make(args),
    }
}

fn open(file: &Path, key: &KeyArgs, builder: Builder) -> anyhow::Result<MaskHandle> {
    let media = MediaOpener::of_the_user().open(&Location::from(file));
    let mut source = MaskSource::media(&media.map_err(MaskError::from)?)?;
    if let Some(key) = key.key()? {
        source = source.with_key(key.for_file(file));
    }
    let handle = builder.timebox(PATIENCE).build()?;
    handle.load_source(&source).with_context(|| file.display().to_string())?;
    Ok(handle)
}

#[derive(Serialize)]
struct Info {
    form: &'static str,
    frames: u64,
    bytes: u64,
    fps: f64,
    duration_s: f64,
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<Check>,
}

#[derive(Default, Serialize)]
struct Check {
    broken_frames: u64,
    empty_frames: u64,
    most_places: usize,
    mean_places: f64,
}

fn info(args: &InfoArgs) -> anyhow::Result<()> {
    let builder = Builder::default().output(Output::Outlines).rate(args.fps);
    let handle = open(&args.file, &args.key, builder)?;
    let Some(known) = handle.get_metadata() else { bail!("the stream is not there any more") };
    let check = args.check.then(|| check(&handle, known.frames));
    let info = Info {
        form: known.form,
        frames: known.frames,
        bytes: known.bytes,
        fps: known.rate.as_fps(),
        duration_s: known.duration_s,
        warnings: known.warnings,
        check,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&info)?);
    } else {
        let Info { form, frames, bytes, fps, duration_s, .. } = &info;
        println!("{form}, {frames} frames, {bytes} bytes; {duration_s:.2} s at {fps:.3} a second");
        for warning in &info.warnings {
            println!("odd: {warning}");
        }
        if let Some(check) = &info.check {
            let Check { broken_frames, empty_frames, most_places, mean_places } = check;
            println!(
                "{broken_frames} broken, {empty_frames} empty; {mean_places:.1} places a frame, {most_places} at most"
            );
        }
    }
    match info.check {
        Some(check) if check.broken_frames > 0 => {
            bail!("{} frames cannot be read: {}", check.broken_frames, handle.last_error())
        }
        _ => Ok(()),
    }
}

fn check(handle: &MaskHandle, frames: u64) -> Check {
    let mut check = Check::default();
    let mut places = 0;
    for frame in 0..frames {
        match handle.frame(frame, PATIENCE) {
            Ok(frame) => {
                let count = frame.outlines.places().len();
                check.empty_frames += u64::from(count == 0);
                check.most_places = check.most_places.max(count);
                places += count;
            }
            Err(_) => check.broken_frames += 1,
        }
    }
    check.mean_places = places as f64 / (frames - check.broken_frames).max(1) as f64;
    check
}

fn render(args: &RenderArgs) -> anyhow::Result<()> {
    let builder = Builder::default().output(Output::Masks).prefetch_frames(0);
    let handle = open(&args.file, &args.key, builder)?;
    let (width, height) = args.size;
    let Some(picture) = handle.get_frame(args.frame, width, height) else {
        bail!(handle.last_error())
    };
    image::save_buffer(&args.out, picture.pixels(), width, height, image::ColorType::L8)
        .with_context(|| format!("{} cannot be written", args.out.display()))
}

fn outline(args: &OutlineArgs) -> anyhow::Result<()> {
    let builder = Builder::default().output(Output::Outlines).prefetch_frames(0);
    let handle = open(&args.file, &args.key, builder)?;
    let frame = handle.frame(args.frame, PATIENCE)?;
    let settings =
        LightSettings { eye: args.eye, corners: args.corners, ..LightSettings::default() };
    let mut light = Silhouette::default();
    prepare(&frame.outlines, args.frame, &settings, None, &mut light);
    std::fs::write(&args.out, svg(&light)?)
        .with_context(|| format!("{} cannot be written", args.out.display()))
}

/// Lit lines in white, the edge at which a picture was cut off dotted and dim.
fn svg(light: &Silhouette) -> Result<String, std::fmt::Error> {
    let mut out = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-1.05 -1.05 2.1 2.1\">\n\
         <rect x=\"-1.05\" y=\"-1.05\" width=\"2.1\" height=\"2.1\" fill=\"black\"/>\n",
    );
    for contour in light.contours() {
        let corners = light.corners_of(contour);
        for (a, b) in corners.iter().zip(corners.iter().cycle().skip(1)) {
            let look = if a.lit {
                "stroke=\"white\""
            } else {
                "stroke=\"#555\" stroke-dasharray=\"0.01\""
            };
            let (x1, y1, x2, y2) = (a.x, -a.y, b.x, -b.y);
            writeln!(
                out,
                "<line x1=\"{x1:.4}\" y1=\"{y1:.4}\" x2=\"{x2:.4}\" y2=\"{y2:.4}\" {look} stroke-width=\"0.006\"/>"
            )?;
        }
    }
    out.push_str("</svg>\n");
    Ok(out)
}

fn make(args: &MakeArgs) -> anyhow::Result<()> {
    let count = (args.seconds * args.fps.as_fps()).round();
    if !(1.0..=MAX_MADE as f64).contains(&count) {
        bail!("a stream of {count} frames cannot be made: from 1 to {MAX_MADE} can");
    }
    if !(1.0..=1000.0).contains(&args.bpm) {
        bail!("{} beats per minute cannot be danced to: take 1 to 1000", args.bpm);
    }
    let count = count as u64;
    let mut writer = Writer::default();
    if let Some(shape) = args.shape {
        let shape = match shape {
            ShapeArg::Star => Shape::Star,
            ShapeArg::Heart => Shape::Heart,
            ShapeArg::Dancer => Shape::Dancer,
        };
        for frame in 0..count {
            let seconds = args.fps.time_of(frame).as_secs_f64();
            writer.push(&shapes::draw(shape, seconds, args.bpm / 60.0))?;
        }
    } else if let Some(text) = &args.text {
        let (width, set) = lettering::line(text);
        let letters = trace(Pixels { width, set: &set }, 0);
        for frame in 0..count {
            writer.push(&passing(&letters, width, frame as f64 / count as f64))?;
        }
    } else if let Some(folder) = &args.images {
        for path in images_in(folder)? {
            writer.push(&traced_image(&path)?)?;
        }
    }
    let bytes = match args.key.key()? {
        None => writer.plain(),
        Some(key) => {
            let key = key.for_file(&args.out);
            asvr::emit(&writer, &Key::derive(&key.passphrase, &key.name))
        }
    };
    std::fs::write(&args.out, &bytes)
        .with_context(|| format!("{} cannot be written", args.out.display()))?;
    let (frames, fps) = (writer.frames(), args.fps);
    eprintln!("{frames} frames at {fps} a second, {} bytes: {}", bytes.len(), args.out.display());
    Ok(())
}

/// Places of a picture put into both eyes.
fn in_both_eyes(outlines: &Outlines, place: impl Fn(Place) -> (f64, f64)) -> Outlines {
    let eye_width = f64::from(PLANE_WIDTH / 2);
    let mut out = Outlines::default();
    for eye in [0.0, eye_width] {
        for channel in outlines.channels() {
            out.push(channel.iter().map(|corner| {
                let (x, y) = place(*corner);
                let x = x.clamp(0.0, eye_width - 1.0) + eye;
                let y = y.clamp(0.0, f64::from(PLANE_HEIGHT - 1));
                Place::new(x.round() as i32, y.round() as i32)
            }));
        }
    }
    out
}

/// A text on its way from right to left.
fn passing(letters: &Outlines, width: usize, share: f64) -> Outlines {
    let unit = 48.0;
    let eye_width = f64::from(PLANE_WIDTH / 2);
    let left = eye_width - share * (eye_width + width as f64 * unit);
    let top = (f64::from(PLANE_HEIGHT) - lettering::ROWS as f64 * unit) / 2.0;
    let mut seen = Outlines::default();
    for channel in letters.channels() {
        let x = |place: &Place| left + f64::from(place.x) * unit;
        let (begin, end) =
            channel.iter().map(x).fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
        if end > 0.0 && begin < eye_width - 1.0 {
            seen.push(finely(channel));
        }
    }
    in_both_eyes(&seen, |place| {
        (left + f64::from(place.x) / 8.0 * unit, top + f64::from(place.y) / 8.0 * unit)
    })
}

/// Every side of a traced line in steps of an eighth of a pixel's side, in eighths: real outlines are fine too,
/// and what is coarse counts as a speck.
fn finely(channel: &[Place]) -> Vec<Place> {
    let closing = channel.iter().cycle().skip(1);
    channel
        .iter()
        .zip(closing)
        .flat_map(|(a, b)| {
            let steps = (b.x - a.x).abs().max((b.y - a.y).abs()).max(1) * 4;
            let (a, b) = (*a, *b);
            (0..steps).map(move |k| {
                Place::new(
                    8 * a.x + (b.x - a.x) * 8 * k / steps,
                    8 * a.y + (b.y - a.y) * 8 * k / steps,
                )
            })
        })
        .collect()
}

fn images_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unread = || format!("{} cannot be read: check the folder", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unread)? {
        let path = entry.with_context(unread)?.path();
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")) {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() || paths.len() > MAX_MADE {
        bail!(
            "{} holds {} PNG images: from 1 to {MAX_MADE} can be taken",
            folder.display(),
            paths.len()
        );
    }
    Ok(paths)
}

fn traced_image(path: &Path) -> anyhow::Result<Outlines> {
    let wrong = || format!("{} is no picture that can be read: save it as PNG", path.display());
    let picture = image::open(path).with_context(wrong)?.to_luma_alpha8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if width * height > MAX_IMAGE_PIXELS {
        bail!("{} is too large: take at most {MAX_IMAGE_PIXELS} pixels", path.display());
    }
    let set: Vec<bool> = picture
        .pixels()
        .map(|pixel| u16::from(pixel.0[0]) * u16::from(pixel.0[1]) >= 128 * 255)
        .collect();
    let traced = trace(Pixels { width, set: &set }, 4);
    let scale = f64::from(PLANE_HEIGHT) / width.max(height) as f64;
    let (left, top) = (
        (f64::from(PLANE_WIDTH / 2) - width as f64 * scale) / 2.0,
        (f64::from(PLANE_HEIGHT) - height as f64 * scale) / 2.0,
    );
    Ok(in_both_eyes(&traced, |place| {
        (left + f64::from(place.x) * scale, top + f64::from(place.y) * scale)
    }))
}
