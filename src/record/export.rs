//! The files a show can become.
//!
//! ILDA holds whole pictures, a fixed number a second; CSV and WAV hold the stream, point for point; PNG and GIF
//! show the beam as modelled mirrors draw it.

use std::io::{self, Seek, Write};
use std::ops::ControlFlow;

use image::codecs::gif::{GifEncoder, Repeat};
use image::codecs::png::PngEncoder;
use image::{Delay, ExtendedColorType, Frame as GifFrame, ImageEncoder, RgbaImage};
use thiserror::Error;

use super::beam::BeamView;
use super::offline::{Offline, OfflineError};
use super::rows;
use crate::format::{FileKind, ilda};
use crate::path::GalvoProfile;
use crate::point::LaserPoint;

/// Points made at once.
const CHUNK_POINTS: usize = 3_000;
/// Pictures of a sheet, in columns and rows.
const SHEET: [u32; 2] = [4, 3];
/// Colours of a GIF are chosen this quickly, 1 to 30; higher is coarser.
const GIF_SPEED: i32 = 20;
/// The unit of time of a GIF is a hundredth of a second, and players show nothing shorter than two.
const FASTEST_GIF_FPS: u32 = 50;

/// Why a show did not become a file.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The show could not be made.
    #[error(transparent)]
    Offline(#[from] OfflineError),
    /// The format cannot hold it.
    #[error(transparent)]
    Ilda(#[from] ilda::Error),
    /// The file refuses.
    #[error("the file could not be written: {0}; is there room on the disk?")]
    Io(#[from] io::Error),
    /// The sound file refuses.
    #[error("the WAV file could not be written: {0}")]
    Wav(#[from] hound::Error),
    /// The picture refuses.
    #[error("the picture could not be written: {0}")]
    Picture(#[from] image::ImageError),
    /// Whoever hears of the progress broke it off.
    #[error("cancelled; nothing was written")]
    Cancelled,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportSettings {
    /// What is written.
    pub kind: FileKind,
    /// Pictures per second of ILDA and GIF; a PNG shows each of its moments for as long as one.
    pub fps: u32,
    /// Pixels of a picture's side.
    pub side_px: u32,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Points made.
    pub points: u64,
    /// Pictures written, 0 for a stream.
    pub pictures: u64,
}

/// Hears the share that is done, 0..=1; where it breaks off, the work ends with [`ExportError::Cancelled`].
pub type Progress<'a> = &'a mut dyn FnMut(f64) -> ControlFlow<()>;

/// Writes the whole of `show` to `out`.
///
/// # Errors
/// What stopped it; `out` then holds a part.
pub fn export(
    show: &mut Offline,
    settings: &ExportSettings,
    out: &mut (impl Write + Seek),
    progress: Progress<'_>,
) -> Result<Exported, ExportError> {
    match settings.kind {
        FileKind::Ilda => ilda(show, settings.fps, out, progress),
        FileKind::Csv => csv(show, out, progress),
        FileKind::Wav => wav(show, out, progress),
        FileKind::Png => png(show, settings, out, progress),
        FileKind::Gif => gif(show, settings, out, progress),
    }
}

/// Tells how far it is, and ends the work if it is broken off.
fn told(progress: Progress<'_>, share: f64) -> Result<(), ExportError> {
    match progress(share.min(1.0)) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ExportError::Cancelled),
    }
}

fn ilda(
    show: &mut Offline,
    fps: u32,
    out: &mut impl Write,
    progress: Progress<'_>,
) -> Result<Exported, ExportError> {
    let pictures = show.pictures_in_all(fps);
    let count = usize::try_from(pictures).unwrap_or(usize::MAX);
    let mut writer = ilda::Writer::new(ilda::Dimensions::Two, ilda::Frames::new(count)?);
    let mut frame = ilda::Frame { company: "galvo".into(), ..ilda::Frame::default() };
    let (mut points, mut bytes) = (Vec::new(), Vec::new());
    let mut made = 0;
    for index in 0..pictures {
        show.picture(index, fps, &mut points)?;
        made += points.len() as u64;
        frame.name = format!("{index:08}");
        frame.points.clear();
        frame.points.extend(points.iter().map(ilda::Point::from_laser));
        bytes.clear();
        writer.frame(&frame, &mut bytes)?;
        out.write_all(&bytes)?;
        told(progress, (index + 1) as f64 / pictures as f64)?;
    }
    bytes.clear();
    writer.close(&mut bytes);
    out.write_all(&bytes)?;
    Ok(Exported { points: made, pictures })
}

/// The whole stream in pieces; returns its points.
fn each_chunk(
    show: &mut Offline,
    progress: Progress<'_>,
    mut take: impl FnMut(u64, &[LaserPoint]) -> Result<(), ExportError>,
) -> Result<u64, ExportError> {
    let in_all = show.points_in_all().max(1);
    let mut chunk = vec![LaserPoint::CENTRE; CHUNK_POINTS];
    let mut made = 0;
    loop {
        let n = show.stream(&mut chunk)?;
        if n == 0 {
            return Ok(made);
        }
        take(made, &chunk[..n])?;
        made += n as u64;
        told(progress, made as f64 / in_all as f64)?;
    }
}

fn csv(
    show: &mut Offline,
    out: &mut impl Write,
    progress: Progress<'_>,
) -> Result<Exported, ExportError> {
    out.write_all(rows::HEAD)?;
    let pps = u128::from(show.pps());
    let mut text = Vec::new();
    let points = each_chunk(show, progress, |first, points| {
        text.clear();
        for (index, point) in (first..).zip(points) {
            let at_ns = (u128::from(index) * 1_000_000_000 / pps) as u64;
            rows::append(&mut text, at_ns, index, point);
        }
        Ok(out.write_all(&text)?)
    })?;
    Ok(Exported { points, pictures: 0 })
}

fn wav(
    show: &mut Offline,
    out: &mut (impl Write + Seek),
    progress: Progress<'_>,
) -> Result<Exported, ExportError> {
    /// Full scale of 24 bits.
    const FULL: f32 = 8_388_607.0;
    let spec = hound::WavSpec {
        channels: 6,
        sample_rate: show.pps(),
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::new(out, spec)?;
    let points = each_chunk(show, progress, |_, points| {
        for point in points {
            for place in [point.x, point.y] {
                writer.write_sample((place * FULL).round() as i32)?;
            }
            for level in [point.r, point.g, point.b, point.i] {
                writer.write_sample((f32::from(level) / 65_535.0 * FULL).round() as i32)?;
            }
        }
        Ok(())
    })?;
    writer.finalize()?;
    Ok(Exported { points, pictures: 0 })
}

/// Points of the stream that picture `index` of those shown `fps` a second has in all.
pub(super) fn points_of(index: u64, fps: u32, pps: u32) -> u64 {
    let before = |k: u64| k * u64::from(pps) / u64::from(fps);
    before(index + 1) - before(index)
}

fn gif(
    show: &mut Offline,
    settings: &ExportSettings,
    out: &mut impl Write,
    progress: Progress<'_>,
) -> Result<Exported, ExportError> {
    let fps = settings.fps.clamp(1, FASTEST_GIF_FPS);
    let mut view = BeamView::new(settings.side_px as usize, GalvoProfile::default());
    let side = view.side() as u32;
    let mut encoder = GifEncoder::new_with_speed(out, GIF_SPEED);
    encoder.set_repeat(Repeat::Infinite)?;
    let pictures = show.pictures_in_all(fps);
    let mut chunk = Vec::new();
    let mut made = 0;
    for index in 0..pictures {
        chunk.resize(points_of(index, fps, show.pps()) as usize, LaserPoint::CENTRE);
        let n = show.stream(&mut chunk)?;
        made += n as u64;
        view.show(&chunk[..n], show.pps());
        let rgb = view.develop();
        let rgba = rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
        if let Some(picture) = RgbaImage::from_raw(side, side, rgba) {
            let delay = Delay::from_numer_denom_ms(1_000, fps);
            encoder.encode_frame(GifFrame::from_parts(picture, 0, 0, delay))?;
        }
        told(progress, (index + 1) as f64 / pictures as f64)?;
    }
    Ok(Exported { points: made, pictures })
}

/// Moments spread evenly over the show, each as long as a picture, side by side.
fn png(
    show: &mut Offline,
    settings: &ExportSettings,
    out: &mut impl Write,
    progress: Progress<'_>,
) -> Result<Exported, ExportError> {
    let mut view = BeamView::new(settings.side_px as usize, GalvoProfile::default());
    let side = view.side();
    let fps = settings.fps.max(1);
    let in_all = show.points_in_all();
    let exposure = points_of(0, fps, show.pps()).max(1).min(in_all);
    let most = u64::from(SHEET[0] * SHEET[1]);
    let cells = (in_all / exposure).clamp(1, most);
    let columns = cells.min(u64::from(SHEET[0]));
    let rows = cells.div_ceil(columns);
    let (width, height) = (columns as usize * side, rows as usize * side);
    let mut sheet = vec![0_u8; 3 * width * height];
    let mut chunk = vec![LaserPoint::CENTRE; exposure as usize];
    let mut made = 0;
    let mut show_points = |show: &mut Offline, to: u64, view: Option<&mut BeamView>| {
        let mut view = view;
        while made < to {
            let n = (to - made).min(exposure) as usize;
            let got = show.stream(&mut chunk[..n])?;
            if got == 0 {
                break;
            }
            if let Some(view) = view.as_deref_mut() {
                view.show(&chunk[..got], show.pps());
            }
            made += got as u64;
            told(progress, made as f64 / in_all as f64)?;
        }
        Ok::<_, ExportError>(made)
    };
    for cell in 0..cells {
        // The middle of each part of the show.
        let begin = (in_all * (2 * cell + 1) / (2 * cells)).min(in_all - exposure);
        // The mirrors are on their way when the exposure begins.
        let warm = begin.saturating_sub(exposure / 2);
        show_points(show, warm, None)?;
        show_points(show, begin, Some(&mut view))?;
        view.develop();
        show_points(show, begin + exposure, Some(&mut view))?;
        let picture = view.develop();
        let (left, top) = ((cell % columns) as usize * side, (cell / columns) as usize * side);
        for (y, line) in picture.chunks_exact(3 * side).enumerate() {
            let at = 3 * ((top + y) * width + left);
            sheet[at..at + line.len()].copy_from_slice(line);
        }
    }
    let (width, height) = (width as u32, height as u32);
    PngEncoder::new(out).write_image(&sheet, width, height, ExtendedColorType::Rgb8)?;
    Ok(Exported { points: show_points(show, 0, None)?, pictures: cells })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_share_the_points_without_a_rest() {
        let in_all: u64 = (0..24).map(|k| points_of(k, 24, 30_001)).sum();
        assert_eq!(in_all, 30_001);
    }
}
