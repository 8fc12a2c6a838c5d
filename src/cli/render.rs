//! `galvo render`: a show into a file, without sound card, clock or projector.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::args::RenderArgs;
use super::interrupt_flag;
use crate::pattern::Preset;
use crate::record::{self, Draft, ExportSettings, FileKind, OfflineSettings, usual_settings};
use crate::show::library::{self, Library, default_user_dir};
use crate::time::SystemClock;

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
    let usual = usual_settings(kind);
    let settings = OfflineSettings {
        pps: args.pps.unwrap_or(usual.pps),
        start_s: args.start,
        duration_s: args.duration.or(usual.duration_s),
        ..usual
    };
    let export_as = ExportSettings { kind, fps: args.fps, side_px: args.size };
    let began = SystemClock::read();
    let interrupted = interrupt_flag()?;
    let bar = progress_bar();
    let mut progress = |share: f64| {
        bar.set_position((share * PARTS as f64) as u64);
        if interrupted.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let draft = Draft::over(&args.out)?;
    let made = record::render(&args.file, &preset, &settings, &export_as, draft, &mut progress);
    bar.finish_and_clear();
    let made = made?;
    let took_s =
        Duration::from_nanos(SystemClock::read().nanos_since(began).max(1) as u64).as_secs_f64();
    let rendered = Rendered {
        file: made.path.display().to_string(),
        preset: preset.name,
        media_s: made.media_s,
        points: made.exported.points,
        pictures: made.exported.pictures,
        lit_points: made.counts.lit,
        flash_warnings: made.counts.flash_warnings,
        damaged_packets: made.damaged_packets,
        took_s,
        times_real_time: made.media_s / took_s,
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

/// A bar on a terminal; nothing elsewhere.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {eta} left");
    ProgressBar::new(PARTS).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
