//! `galvo check`: a preset or an ILDA file against mirrors and safety.

use std::path::Path;

use anyhow::bail;
use serde::Serialize;

mod file;

use super::args::{CheckArgs, MirrorArgs};
use super::render;
use crate::point::LaserPoint;
use crate::record::{FileKind, Offline, OfflineSettings};
use crate::safety::Counts;

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
    /// Projectors that the file is for; 1 of a preset.
    projectors: usize,
    frames: usize,
    points: u64,
    /// Points that were drawn lit, whatever the gate makes of them.
    lit_points: u64,
    ok: bool,
    findings: Vec<Finding>,
}

pub(super) fn check(args: &CheckArgs) -> anyhow::Result<()> {
    let path = Path::new(&args.what);
    let checked = if FileKind::of(path) == Some(FileKind::Ilda) {
        file::check_file(path, &args.mirrors)?
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
        projectors: 1,
        frames: 0,
        points: counts.points,
        lit_points: drawn_lit(&counts),
        ok: findings.iter().all(|finding| !finding.broken),
        findings,
    })
}

/// Points that came lit to the gate.
const fn drawn_lit(counts: &Counts) -> u64 {
    let Counts { bad_position, travel, zone, disarmed, start_up, dwell, lit, .. } = *counts;
    bad_position + travel + zone + disarmed + start_up + dwell + lit
}

fn light_findings(counts: &Counts, findings: &mut Vec<Finding>) {
    if counts.dwell > 0 {
        findings.push(broken(format!(
            "light stands still for too long, {} points of it: the safety gate darkens them",
            counts.dwell
        )));
    }
    findings.extend(flash_note("", counts.flash_warnings));
}

fn flash_note(whose: &str, warnings: u64) -> Option<Finding> {
    (warnings > 0).then(|| {
        note(format!(
            "{whose}the whole picture flashes more than three times a second, in {warnings} seconds: people may be \
             harmed by it"
        ))
    })
}

fn broken(text: String) -> Finding {
    Finding { broken: true, text }
}

fn note(text: String) -> Finding {
    Finding { broken: false, text }
}
