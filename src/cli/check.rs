//! `galvo check`: a preset or an ILDA file against mirrors and safety.

use std::path::Path;

use anyhow::bail;
use serde::Serialize;

use super::args::{CheckArgs, MirrorArgs};
use super::{optimise, render};
use crate::format::ilda::USUAL_FRAME_POINTS;
use crate::path::quality::strain;
use crate::point::LaserPoint;
use crate::record::{FileKind, Offline, OfflineSettings};
use crate::safety::{Arm, Counts, Gate, GateSettings};
use crate::time::{HostTime, StreamInstant};

/// The rounding of files must not break a limit.
const ROUNDING: f32 = 1.02;
/// A preset may lose this share of its light to the mirrors: between two pictures the figure moves on.
const LOST_TO_TRAVEL: f64 = 0.01;

/// One finding.
#[derive(Debug, Serialize)]
struct Finding {
    /// True if a limit is broken; else it is to be known.
    broken: bool,
    /// What is wrong, and what to do.
    text: String,
}

#[derive(Debug, Serialize)]
struct Checked {
    what: String,
    profile: &'static str,
    pps: u32,
    frames: usize,
    points: u64,
    lit_points: u64,
    ok: bool,
    findings: Vec<Finding>,
}

pub(super) fn check(args: &CheckArgs) -> anyhow::Result<()> {
    let path = Path::new(&args.what);
    let checked = if FileKind::of(path) == Some(FileKind::Ilda) {
        check_file(path, &args.mirrors)?
    } else {
        check_preset(&args.what, &args.mirrors)?
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&checked)?);
    } else {
        println!(
            "{}: {} points, {} lit, for {} at {} points/s",
            checked.what, checked.points, checked.lit_points, checked.profile, checked.pps
        );
        for finding in &checked.findings {
            let mark = if finding.broken { "broken" } else { "note" };
            println!("  {mark}: {}", finding.text);
        }
        if checked.ok {
            println!("  every limit is kept");
        }
    }
    if !checked.ok {
        let broken = checked.findings.iter().filter(|finding| finding.broken).count();
        bail!("{} breaks {broken} limits", checked.what);
    }
    Ok(())
}

/// A file's points are judged as they stand there, one frame after the other.
fn check_file(path: &Path, mirrors: &MirrorArgs) -> anyhow::Result<Checked> {
    let drawing = optimise::load(path, mirrors)?;
    let (profile, pps) = (mirrors.galvo(), mirrors.rate());
    let mut points: Vec<LaserPoint> = Vec::new();
    let mut frame_of = Vec::new();
    let mut longest = 0;
    for (number, frame) in drawing.frames.iter().enumerate() {
        longest = longest.max(frame.points.len());
        points.extend(frame.points.iter().map(|p| p.to_laser()));
        frame_of.resize(points.len(), number);
    }
    let mut findings = Vec::new();
    let worst = strain(&points, &profile, pps);
    let cure = "run it through galvo optimise, or lower --pps";
    if worst.step > ROUNDING {
        findings.push(broken(format!(
            "frame {} jumps {:.1} times as far in one point as the mirrors can: {cure}",
            frame_of[worst.step_at], worst.step
        )));
    }
    if worst.change > ROUNDING {
        findings.push(broken(format!(
            "frame {} asks for {:.1} times the acceleration that the mirrors have: {cure}",
            frame_of[worst.change_at], worst.change
        )));
    }
    if longest > USUAL_FRAME_POINTS {
        findings.push(note(format!(
            "a frame has {longest} points; programs with fixed buffers take {USUAL_FRAME_POINTS}"
        )));
    }
    let counts = through_gate(&mut points, mirrors);
    light_findings(&counts, &mut findings);
    Ok(Checked {
        what: path.display().to_string(),
        profile: profile.name,
        pps,
        frames: drawing.frames.len(),
        points: counts.points,
        lit_points: counts.lit,
        ok: findings.iter().all(|finding| !finding.broken),
        findings,
    })
}

/// What an armed gate makes of points.
fn through_gate(points: &mut [LaserPoint], mirrors: &MirrorArgs) -> Counts {
    let arm = Arm::new();
    let armed = arm.arm(HostTime::ZERO).is_ok();
    debug_assert!(armed, "a switch that was just made has no stop latched");
    let settings = GateSettings { profile: mirrors.galvo(), ..GateSettings::default() };
    let (mut gate, _control) = Gate::with_control(arm, &settings);
    gate.set_master(1.0);
    gate.pass(HostTime::ZERO, points, StreamInstant(0), mirrors.rate());
    gate.meters().counts()
}

/// A preset is drawn to the built-in test music.
fn check_preset(name: &str, mirrors: &MirrorArgs) -> anyhow::Result<Checked> {
    let preset = render::preset(Some(name))?;
    let (profile, pps) = (mirrors.galvo(), mirrors.rate());
    let settings = OfflineSettings { pps, profile, ..OfflineSettings::default() };
    let mut show = Offline::of_test_music(&preset, &settings)?;
    let mut chunk = vec![LaserPoint::CENTRE; 1_024];
    while show.stream(&mut chunk)? > 0 {}
    let counts = show.counts();
    let mut findings = Vec::new();
    let lost = counts.travel as f64 / (counts.lit + counts.travel).max(1) as f64;
    if lost > LOST_TO_TRAVEL {
        findings.push(broken(format!(
            "{:.1} % of the light is lost because the mirrors cannot follow: move or turn it more slowly, or \
             draw less",
            100.0 * lost
        )));
    }
    if counts.bad_position > 0 {
        findings.push(broken(format!(
            "{} lit points lie outside the field: make it smaller",
            counts.bad_position
        )));
    }
    if counts.lit == 0 {
        findings.push(note("nothing was lit during the whole test".to_owned()));
    }
    light_findings(&counts, &mut findings);
    Ok(Checked {
        what: preset.name,
        profile: profile.name,
        pps,
        frames: 0,
        points: counts.points,
        lit_points: counts.lit,
        ok: findings.iter().all(|finding| !finding.broken),
        findings,
    })
}

fn light_findings(counts: &Counts, findings: &mut Vec<Finding>) {
    if counts.dwell > 0 {
        findings.push(broken(format!(
            "light stands still for too long, {} points of it: the safety gate darkens them",
            counts.dwell
        )));
    }
    if counts.flash_warnings > 0 {
        findings.push(note(format!(
            "the whole picture flashes more than three times a second, in {} seconds: people may be harmed \
             by it",
            counts.flash_warnings
        )));
    }
}

fn broken(text: String) -> Finding {
    Finding { broken: true, text }
}

fn note(text: String) -> Finding {
    Finding { broken: false, text }
}
