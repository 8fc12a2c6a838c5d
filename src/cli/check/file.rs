//! An ILDA file, judged as players show it: before any gate, each picture repeated, each projector by itself.

use std::path::Path;

use super::super::args::MirrorArgs;
use super::super::optimise;
use super::{Checked, Finding, broken, flash_note, note};
use crate::format::ilda::USUAL_FRAME_POINTS;
use crate::path::GalvoProfile;
use crate::path::played::{Place, Played, Worst};
use crate::point::LaserPoint;
use crate::safety::DwellLimit;
use crate::safety::dwell::DwellGuard;
use crate::safety::flash::FlashWatch;

/// The rounding of files must not break a limit.
const ROUNDING: f32 = 1.02;
const CURE: &str = "run it through galvo optimise, or lower --pps";

pub(super) fn check_file(path: &Path, mirrors: &MirrorArgs) -> anyhow::Result<Checked> {
    let drawing = optimise::load(path, mirrors)?;
    let (profile, pps) = (mirrors.galvo(), mirrors.rate());
    let all = optimise::by_projector(&drawing.frames);
    let mut findings = Vec::new();
    let (mut points, mut lit_points, mut longest) = (0, 0, 0);
    for (projector, frames) in &all {
        let whose = if all.len() > 1 { format!("projector {projector}: ") } else { String::new() };
        let frames: Vec<Vec<LaserPoint>> = frames
            .iter()
            .map(|frame| frame.points.iter().map(|point| point.to_laser()).collect())
            .collect();
        for frame in &frames {
            points += frame.len() as u64;
            lit_points += frame.iter().filter(|point| !point.is_blank()).count() as u64;
            longest = longest.max(frame.len());
        }
        let played = Played::new(frames, pps);
        judge_mirrors(&played, &profile, &whose, &mut findings);
        judge_light(&played, pps, &whose, &mut findings);
    }
    if longest > USUAL_FRAME_POINTS {
        findings.push(note(format!(
            "a frame has {longest} points; programs with fixed buffers take {USUAL_FRAME_POINTS}"
        )));
    }
    if lit_points == 0 {
        findings.push(note("nothing in it is lit".to_owned()));
    }
    Ok(Checked {
        what: path.display().to_string(),
        profile: profile.name,
        pps,
        projectors: all.len(),
        frames: drawing.frames.len(),
        points,
        lit_points,
        ok: findings.iter().all(|finding| !finding.broken),
        findings,
    })
}

fn judge_mirrors(
    played: &Played,
    profile: &GalvoProfile,
    whose: &str,
    findings: &mut Vec<Finding>,
) {
    let strain = played.strain(profile);
    let Worst { share, step, place } = strain.step;
    if share > ROUNDING {
        findings.push(broken(format!(
            "{whose}{} jumps {step:.1} half-fields in one point, {share:.1} times as far as the mirrors can: {CURE}",
            told(place)
        )));
    }
    let Worst { share, place, .. } = strain.change;
    if share > ROUNDING {
        findings.push(broken(format!(
            "{whose}{} asks for {share:.1} times the acceleration that the mirrors have: {CURE}",
            told(place)
        )));
    }
    let Worst { share, step, .. } = strain.anew;
    if share > ROUNDING {
        findings.push(note(format!(
            "{whose}its end and its beginning do not meet: a player that repeats the whole of it jumps {step:.1} \
             half-fields there"
        )));
    }
}

fn told(place: Place) -> String {
    match place {
        Place::Within { frame, point } => format!("frame {frame} at point {point}"),
        Place::Repeat { frame } => {
            format!("frame {frame}, repeated, from its end to its beginning")
        }
        Place::Next { frame } => format!("frame {frame}, from its end to the next frame,"),
        Place::Anew => "the last frame, from its end to the first frame,".to_owned(),
    }
}

/// Light that stands still, and flashes, as the gate would see them if it let everything pass.
fn judge_light(played: &Played, pps: u32, whose: &str, findings: &mut Vec<Finding>) {
    let limit = DwellLimit::default();
    let (mut guard, mut flash) = (DwellGuard::default(), FlashWatch::default());
    guard.set(&limit, pps);
    let (mut warnings, mut still) = (0, Vec::new());
    for (number, frame) in played.frames().iter().enumerate() {
        let mut stands = false;
        for _ in 0..played.times(number) {
            for point in frame {
                let lit = !point.is_blank();
                stands |= !guard.allows([point.x, point.y], lit, &limit) && lit;
            }
            warnings += flash.look(frame, pps);
        }
        if stands {
            still.push(number);
        }
    }
    if let Some(first) = still.first() {
        let which = match still.len() {
            1 => format!("in frame {first}"),
            count => format!("in {count} frames, first in frame {first}"),
        };
        findings.push(broken(format!(
            "{whose}light stands still for too long {which}, shown as players repeat it: the safety gate darkens it; \
             move it, or draw it larger than {} half-fields",
            2.0 * limit.still_radius
        )));
    }
    findings.extend(flash_note(whose, warnings));
}
