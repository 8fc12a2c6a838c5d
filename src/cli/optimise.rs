//! `galvo optimise`: an ILDA file with the best path the mirrors can follow.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Serialize;

use super::args::{MirrorArgs, OptimiseArgs, ProfileName};
use crate::format::ilda::{
    self, Dimensions, Drawing, Frame, Frames, MAX_FRAME_POINTS, ReadOptions, Writer,
    palette::Palette,
};
use crate::path::played::Played;
use crate::path::quality::{Quality, judge};
use crate::path::trace::trace;
use crate::path::{GalvoProfile, Layout, LayoutSettings, PathPoints};
use crate::pattern::Figure;
use crate::point::LaserPoint;
use crate::record::Draft;

/// Larger files are refused unread.
const MAX_FILE_BYTES: u64 = 1 << 29;

impl MirrorArgs {
    /// The profile meant.
    pub(super) const fn galvo(&self) -> GalvoProfile {
        match self.profile {
            ProfileName::K20 => GalvoProfile::K20,
            ProfileName::K30 => GalvoProfile::K30,
            ProfileName::K40 => GalvoProfile::K40,
            ProfileName::K60 => GalvoProfile::K60,
        }
    }

    /// Points per second.
    pub(super) fn rate(&self) -> u32 {
        self.pps.unwrap_or((self.galvo().rated_kpps * 1000.0) as u32)
    }

    /// How an ILDA file is to be read.
    const fn reading(&self) -> ReadOptions {
        ReadOptions {
            palette: if self.old_palette { Palette::Old256 } else { Palette::Ilda64 },
            swap_red_blue: self.swap_red_blue,
        }
    }
}

/// Reads an ILDA file; what is odd about it is said on stderr.
pub(super) fn load(path: &Path, mirrors: &MirrorArgs) -> anyhow::Result<Drawing> {
    let refused = || format!("{} cannot be read", path.display());
    let size = std::fs::metadata(path).with_context(refused)?.len();
    if size > MAX_FILE_BYTES {
        bail!("{} is larger than 512 MB: choose a shorter show", path.display());
    }
    let bytes = std::fs::read(path).with_context(refused)?;
    let drawing =
        ilda::read(&bytes, mirrors.reading()).with_context(|| path.display().to_string())?;
    for warning in &drawing.warnings {
        eprintln!("warning: {}: {warning}", path.display());
    }
    Ok(drawing)
}

/// The frames of each projector that the file is for, in the order of the file.
pub(super) fn by_projector(frames: &[Frame]) -> BTreeMap<u8, Vec<&Frame>> {
    let mut all: BTreeMap<u8, Vec<&Frame>> = BTreeMap::new();
    for frame in frames {
        all.entry(frame.projector).or_default().push(frame);
    }
    all
}

/// A whole file, judged.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Figures {
    /// Points of a frame, mean.
    points: f64,
    /// Times a frame goes dark between lit parts, mean.
    blanks: f64,
    /// Dark way of a frame, half-fields, mean.
    dark_way: f64,
    /// Largest step of the file as players show it, as a share of the profile's.
    worst_step: f64,
    /// Largest change of a step, likewise.
    worst_change: f64,
    /// Distance of the lit beam from the drawing, half-fields, root mean square of all frames.
    rms_error: f64,
    /// Largest distance of a corner from the lit beam, half-fields, mean of the frames.
    corner_error: f64,
    /// Slowest tenth of the lit way against the fastest, mean.
    evenness: f64,
    /// Frames that take longer than the slowest frame rate asked for.
    slow_frames: usize,
}

/// Adds up what frames are like.
#[derive(Debug, Default)]
struct Sum {
    frames: usize,
    of: Figures,
    /// The frames of each projector.
    shown: BTreeMap<u8, Vec<Vec<LaserPoint>>>,
}

impl Sum {
    fn add(&mut self, quality: &Quality, projector: u8, points: Vec<LaserPoint>, most: usize) {
        self.frames += 1;
        self.of.points += quality.points as f64;
        self.of.blanks += quality.blanks as f64;
        self.of.dark_way += f64::from(quality.dark_way);
        self.of.rms_error += f64::from(quality.rms_error).powi(2);
        self.of.corner_error += f64::from(quality.corner_error);
        self.of.evenness += f64::from(quality.evenness);
        self.of.slow_frames += usize::from(quality.points > most);
        self.shown.entry(projector).or_default().push(points);
    }

    fn figures(self, profile: &GalvoProfile, pps: u32) -> Figures {
        let n = self.frames.max(1) as f64;
        let (mut step, mut change) = (0.0_f32, 0.0_f32);
        for frames in self.shown.into_values() {
            let strain = Played::new(frames, pps).strain(profile);
            step = step.max(strain.step.share);
            change = change.max(strain.change.share);
        }
        Figures {
            points: self.of.points / n,
            blanks: self.of.blanks / n,
            dark_way: self.of.dark_way / n,
            worst_step: step.into(),
            worst_change: change.into(),
            rms_error: (self.of.rms_error / n).sqrt(),
            corner_error: self.of.corner_error / n,
            evenness: self.of.evenness / n,
            slow_frames: self.of.slow_frames,
        }
    }
}

#[derive(Serialize)]
struct Optimised {
    file: String,
    profile: &'static str,
    pps: u32,
    frames: usize,
    before: Figures,
    after: Figures,
    /// Strokes that found no room at the frame rate asked for.
    strokes_dropped: usize,
}

pub(super) fn optimise(args: &OptimiseArgs) -> anyhow::Result<()> {
    let drawing = load(&args.input, &args.mirrors)?;
    let (profile, pps) = (args.mirrors.galvo(), args.mirrors.rate());
    let budget = ((pps / args.fps) as usize).clamp(2, MAX_FRAME_POINTS);
    let settings = LayoutSettings { profile, ..LayoutSettings::default() };
    let mut layout = Layout::new(settings, budget);
    let mut out = PathPoints::with_capacity(budget);
    let (mut before, mut after) = (Sum::default(), Sum::default());
    let mut strokes_dropped = 0;
    let mut anchor = None;
    let mut bytes = Vec::new();
    let mut writer = Writer::new(Dimensions::Two, Frames::new(drawing.frames.len())?);
    for frame in &drawing.frames {
        let given: Vec<LaserPoint> = frame.points.iter().map(|p| p.to_laser()).collect();
        let figure = trace(&given);
        // Every frame begins and ends dark where the drawing of the first begins: any may follow any.
        let anchor = *anchor.get_or_insert_with(|| first_place(&figure));
        let laid = layout.lay_loop(&figure, anchor, pps, budget, &mut out);
        strokes_dropped += laid.strokes_dropped;
        let made = Frame {
            points: out.as_slice().iter().map(ilda::Point::from_laser).collect(),
            ..frame.clone()
        };
        let written: Vec<LaserPoint> = made.points.iter().map(|p| p.to_laser()).collect();
        before.add(&judge(&given, &figure, &profile, pps), frame.projector, given, budget);
        after.add(&judge(&written, &figure, &profile, pps), frame.projector, written, budget);
        writer.frame(&made, &mut bytes)?;
    }
    writer.close(&mut bytes);
    let (draft, mut file) = Draft::over(&args.out)?;
    file.write_all(&bytes)
        .with_context(|| format!("{} could not be written", args.out.display()))?;
    draft.finish()?;
    let done = Optimised {
        file: args.out.display().to_string(),
        profile: profile.name,
        pps,
        frames: drawing.frames.len(),
        before: before.figures(&profile, pps),
        after: after.figures(&profile, pps),
        strokes_dropped,
    };
    tell(&done, args.json)
}

fn first_place(figure: &Figure) -> LaserPoint {
    let first = figure.strokes().first().and_then(|stroke| figure.vertices_of(stroke).first());
    first.map_or(LaserPoint::CENTRE, |v| {
        LaserPoint::blank(v.x.clamp(-1.0, 1.0), v.y.clamp(-1.0, 1.0))
    })
}

/// A line of the table: what it is, where it stands, its decimals.
type Line = (&'static str, fn(&Figures) -> f64, usize);

fn tell(done: &Optimised, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(done)?);
        return Ok(());
    }
    println!("{}: {} frames for {} at {} points/s", done.file, done.frames, done.profile, done.pps);
    println!("{:<44}{:>10}{:>10}", "", "before", "after");
    let rows: [Line; 8] = [
        ("points a frame", |f| f.points, 0),
        ("blanks a frame", |f| f.blanks, 1),
        ("dark way a frame, half-fields", |f| f.dark_way, 2),
        ("largest step, % of what the mirrors bear", |f| 100.0 * f.worst_step, 0),
        ("largest change of it, %", |f| 100.0 * f.worst_change, 0),
        ("beam off the drawing, rms, % of half a field", |f| 100.0 * f.rms_error, 2),
        ("corners missed by, % of half a field", |f| 100.0 * f.corner_error, 2),
        ("even light, % (slowest of fastest)", |f| 100.0 * f.evenness, 0),
    ];
    for (what, figure, decimals) in rows {
        let (before, after) = (figure(&done.before), figure(&done.after));
        println!("{what:<44}{before:>10.decimals$}{after:>10.decimals$}");
    }
    if done.strokes_dropped > 0 {
        println!(
            "warning: {} strokes found no room: allow a lower --fps, or use faster mirrors",
            done.strokes_dropped
        );
    }
    Ok(())
}
