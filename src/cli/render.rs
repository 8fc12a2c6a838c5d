//! `galvo render`: a show into a file, without sound card, clock or projector.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::args::RenderArgs;
use crate::pattern::Preset;
use crate::record::{ExportSettings, FileKind, Offline, OfflineSettings, export};
use crate::show::library::{self, Library, default_user_dir};
use crate::time::SystemClock;

/// A GIF of more than this is too large for where GIFs are shown, seconds.
const GIF_S: f64 = 10.0;
/// Parts of the work that a progress bar counts.
const PARTS: u64 = 1_000;

#[derive(Serialize)]
struct Rendered {
    file: String,
    preset: String,
    media_s: f64,
    points: u64,
    pictures: u64,
    lit_points: u64,
    flash_warnings: u64,
    damaged_packets: u64,
    took_s: f64,
    times_real_time: f64,
}

pub(super) fn render(args: &RenderArgs) -> anyhow::Result<()> {
    let Some(kind) = FileKind::of(&args.out) else {
        bail!(
            "{} names no kind of file: end it in .ild, .csv, .wav, .png or .gif",
            args.out.display()
        );
    };
    let mut preset = preset(args.preset.as_deref())?;
    if let Some(seed) = args.seed {
        preset.seed = seed;
    }
    // A sound file has its rate from the points: one that every card plays.
    let usual = if kind == FileKind::Wav { 48_000 } else { 30_000 };
    let settings = OfflineSettings {
        pps: args.pps.unwrap_or(usual),
        start_s: args.start,
        duration_s: args.duration.or((kind == FileKind::Gif).then_some(GIF_S)),
        ..OfflineSettings::default()
    };
    let mut show = Offline::open(&args.file, &preset, &settings)?;
    let media_s = show.length_s();
    let export_as = ExportSettings { kind, fps: args.fps, side_px: args.size };

    let began = SystemClock::read();
    let bar = progress_bar();
    let beside = beside(&args.out);
    let written = write(&beside, |file| {
        export(&mut show, &export_as, file, &mut |share| {
            bar.set_position((share * PARTS as f64) as u64);
        })
        .map_err(anyhow::Error::from)
    })
    .and_then(|exported| {
        std::fs::rename(&beside, &args.out)
            .with_context(|| format!("{} could not be written", args.out.display()))?;
        Ok(exported)
    });
    bar.finish_and_clear();
    if written.is_err() {
        // The error that counts is the first; what is left of the attempt goes if it can.
        drop(std::fs::remove_file(&beside));
    }
    let exported = written?;
    let took_s =
        Duration::from_nanos(SystemClock::read().nanos_since(began).max(1) as u64).as_secs_f64();
    let counts = show.counts();
    let rendered = Rendered {
        file: args.out.display().to_string(),
        preset: preset.name,
        media_s,
        points: exported.points,
        pictures: exported.pictures,
        lit_points: counts.lit,
        flash_warnings: counts.flash_warnings,
        damaged_packets: show.damaged_packets(),
        took_s,
        times_real_time: media_s / took_s,
    };
    tell(&rendered, args.json)
}

fn tell(done: &Rendered, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(done)?);
        return Ok(());
    }
    let pictures = match done.pictures {
        0 => String::new(),
        n => format!("{n} pictures, "),
    };
    println!(
        "{}: {:.1} s of \"{}\", {pictures}{} points; made in {:.1} s, {:.0} × real time",
        done.file, done.media_s, done.preset, done.points, done.took_s, done.times_real_time
    );
    if done.flash_warnings > 0 {
        println!(
            "warning: the whole picture flashes more than three times a second, {} times: people may be \
             harmed by it",
            done.flash_warnings
        );
    }
    if done.damaged_packets > 0 {
        println!("warning: parts of the sound file are damaged and were taken as silence");
    }
    Ok(())
}

/// The preset named, or the one a show begins with.
pub(super) fn preset(named: Option<&str>) -> anyhow::Result<Preset> {
    let Some(name) = named else {
        let first = Library::open(default_user_dir()).first();
        return Ok((*first.context("there is no preset at all: name one with --preset")?).clone());
    };
    let path = Path::new(name);
    if path.is_file() {
        return Ok(library::load(path)?);
    }
    Ok((*Library::open(default_user_dir()).get(name)?).clone())
}

/// Where a file grows before it has its name: nobody ever sees half of it.
pub(super) fn beside(path: &Path) -> PathBuf {
    let ending = path.extension().map_or_else(String::new, |e| e.to_string_lossy().into_owned());
    path.with_extension(format!("{}.{ending}", std::process::id()))
}

/// Creates `path` and gives it to `fill`, buffered.
pub(super) fn write<T>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let refused = || {
        let folder = path.parent().unwrap_or(path);
        format!("no file can be written in {}: choose another place", folder.display())
    };
    let mut file = BufWriter::new(File::create(path).with_context(refused)?);
    let filled = fill(&mut file)?;
    file.flush().with_context(refused)?;
    Ok(filled)
}

/// A bar on a terminal; nothing elsewhere.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {eta} left");
    ProgressBar::new(PARTS).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
