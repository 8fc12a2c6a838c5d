//! `galvo analyze`: what is heard in a file, by the ears that shows use.

use std::io::{BufWriter, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Serialize;

use super::args::AnalyzeArgs;
use super::ending::{CUT_SHORT, Ending};
use super::out_file::OutFile;
use crate::analysis::{Analyser, Features, HOPS_PER_SECOND, Track};
use crate::audio::{Decoder, listen_to_file};
use crate::time::MediaTime;

/// What was heard, as it is printed. Times are seconds.
#[derive(Debug, Default, Serialize)]
struct Heard {
    /// `file` where the whole was known, `live` where only the past was.
    mode: &'static str,
    duration_s: f64,
    /// Beats per minute, 0 without a beat.
    bpm: f64,
    /// Every beat lies on one even grid.
    constant_tempo: bool,
    beats_per_bar: u8,
    /// Of the whole, gated; `null` live.
    integrated_lufs: Option<f32>,
    /// As in "A minor"; `null` where none was heard.
    key: Option<String>,
    beats: Vec<f64>,
    downbeats: Vec<f64>,
    onsets: Vec<f64>,
    onset_strengths: Vec<f32>,
    sections: Vec<HeardSection>,
}

#[derive(Debug, Serialize)]
struct HeardSection {
    from_s: f64,
    to_s: f64,
    kind: &'static str,
}

/// One line of `--out`.
#[derive(Serialize)]
struct Moment<'a> {
    at_s: f64,
    level: f32,
    level_db: f32,
    momentary_lufs: f32,
    short_term_lufs: f32,
    bass: f32,
    mid: f32,
    treble: f32,
    onset: f32,
    centroid_hz: f32,
    flux: f32,
    percussive: f32,
    chroma: [f32; 12],
    bpm: f32,
    beat_phase: f32,
    bar_phase: f32,
    section: &'static str,
    spectrum: &'a [f32],
}

pub(super) fn analyze(args: &AnalyzeArgs) -> anyhow::Result<()> {
    // Tried before the work, so that it is not lost to a wrong path.
    let out = args.out.as_deref().map(create).transpose()?;
    if let Some(beside) = out.as_ref().and_then(|out| out.get_ref().beside()) {
        // Nothing is left of what was begun.
        Ending::listen()?.at_first(move || {
            drop(std::fs::remove_file(beside));
            std::process::exit(i32::from(CUT_SHORT));
        });
    }
    let stored =
        args.out.as_deref().is_some_and(|path| path.extension().is_some_and(|e| e == "track"));
    if stored && args.live {
        bail!(
            "a .track holds what the whole file was heard as: leave out --live, or name another --out"
        );
    }
    let heard = if args.live {
        let (heard, frames) = live(&args.file)?;
        if let Some(out) = out {
            write_moments(out, frames.iter())?;
        }
        heard
    } else {
        let track = whole(&args.file)?;
        match out {
            Some(mut out) if stored => {
                out.write_all(&track.to_bytes())?;
                finish(out)?;
            }
            Some(out) => {
                let hops = (track.duration().as_secs_f64() * f64::from(HOPS_PER_SECOND)) as i64;
                let hop_ns = 1_000_000_000 / i64::from(HOPS_PER_SECOND);
                let frames: Vec<Features> = (0..hops)
                    .map(|n| track.features_at(MediaTime::from_nanos(n * hop_ns)))
                    .collect();
                write_moments(out, frames.iter())?;
            }
            None => {}
        }
        of_track(&track)
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&heard)?);
    } else {
        print(&heard);
    }
    Ok(())
}

fn create(path: &Path) -> anyhow::Result<BufWriter<OutFile>> {
    let file =
        OutFile::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(BufWriter::new(file))
}

fn finish(out: BufWriter<OutFile>) -> anyhow::Result<()> {
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()
}

fn whole(path: &Path) -> anyhow::Result<Track> {
    let mut progress = progress_on_terminal();
    let track = listen_to_file(path, &mut progress)?;
    let _ = progress(f64::INFINITY, None);
    track.context("the analysis was broken off")
}

/// A line that counts on a terminal, nothing elsewhere: a file takes seconds.
fn progress_on_terminal() -> impl FnMut(f64, Option<f64>) -> ControlFlow<()> {
    let on_terminal = std::io::stderr().is_terminal();
    move |heard_s, length_s| {
        if on_terminal {
            match length_s {
                _ if heard_s.is_infinite() => eprint!("\r\x1b[2K"),
                Some(length) if length > 0.0 => {
                    eprint!("\rlistening … {:.0} %", 100.0 * (heard_s / length).min(1.0));
                }
                _ => eprint!("\rlistening … {heard_s:.0} s"),
            }
        }
        ControlFlow::Continue(())
    }
}

fn of_track(track: &Track) -> Heard {
    let seconds = |at: MediaTime| at.as_secs_f64();
    Heard {
        mode: "file",
        duration_s: seconds(track.duration()),
        bpm: f64::from(track.bpm()),
        constant_tempo: track.constant_tempo(),
        beats_per_bar: track.beats_per_bar(),
        integrated_lufs: Some(track.integrated_lufs()),
        key: track.key().map(|key| key.name()),
        beats: track.beats().iter().map(|beat| seconds(beat.at)).collect(),
        downbeats: track.beats().iter().filter(|b| b.of_bar == 1).map(|b| seconds(b.at)).collect(),
        onsets: track.onsets().iter().map(|onset| seconds(onset.at)).collect(),
        onset_strengths: track.onsets().iter().map(|onset| onset.strength).collect(),
        sections: track
            .sections()
            .iter()
            .map(|s| HeardSection {
                from_s: seconds(s.from),
                to_s: seconds(s.to),
                kind: s.kind.name(),
            })
            .collect(),
    }
}

/// The causal analyser over the file, in periods of a sound card.
fn live(path: &Path) -> anyhow::Result<(Heard, Vec<Features>)> {
    const PERIOD: usize = 2 * 256;
    let mut decoder = Decoder::open(path)?;
    let rate = decoder.info().sample_rate;
    let mut analyser = Analyser::new(rate);
    let mut frames: Vec<Features> = Vec::new();
    let mut heard_frames = 0_i64;
    while let Ok(Some(stereo)) = decoder.next() {
        for period in stereo.chunks(PERIOD) {
            let media = MediaTime::from_frames(heard_frames, rate);
            analyser.push(media, period, &mut |features| frames.push(*features));
            heard_frames += period.len() as i64 / 2;
        }
    }
    let mut heard = Heard {
        mode: "live",
        duration_s: MediaTime::from_frames(heard_frames, rate).as_secs_f64(),
        beats_per_bar: 4,
        ..Heard::default()
    };
    for pair in frames.windows(2) {
        let (before, now) = (&pair[0], &pair[1]);
        if now.onset.count > before.onset.count {
            heard.onsets.push(now.onset.last.as_secs_f64());
            heard.onset_strengths.push(now.onset.strength);
        }
        if now.beat.count > before.beat.count && now.beat.bpm > 0.0 {
            let ago_s = f64::from(now.beat.phase) * 60.0 / f64::from(now.beat.bpm);
            heard.beats.push(now.at.as_secs_f64() - ago_s);
            if now.beat.bar_phase < 0.25 {
                heard.downbeats.push(now.at.as_secs_f64() - ago_s);
            }
        }
    }
    let key = frames.last().map(|f| f.key).filter(|key| key.confidence > 0.0);
    heard.key = key.map(|key| key.name());
    let mut tempi: Vec<f32> = frames.iter().map(|f| f.beat.bpm).filter(|bpm| *bpm > 0.0).collect();
    tempi.sort_by(f32::total_cmp);
    heard.bpm = tempi.get(tempi.len() / 2).map_or(0.0, |bpm| f64::from(*bpm));
    Ok((heard, frames))
}

fn write_moments<'a>(
    mut out: BufWriter<OutFile>,
    frames: impl Iterator<Item = &'a Features>,
) -> anyhow::Result<()> {
    for f in frames {
        let moment = Moment {
            at_s: f.at.as_secs_f64(),
            level: f.level,
            level_db: f.level_db,
            momentary_lufs: f.loudness.momentary_lufs,
            short_term_lufs: f.loudness.short_term_lufs,
            bass: f.bands.bass,
            mid: f.bands.mid,
            treble: f.bands.treble,
            onset: f.onset.envelope,
            centroid_hz: f.timbre.centroid_hz,
            flux: f.timbre.flux,
            percussive: f.timbre.percussive,
            chroma: f.chroma,
            bpm: f.beat.bpm,
            beat_phase: f.beat.phase,
            bar_phase: f.beat.bar_phase,
            section: f.song.section.name(),
            spectrum: &f.spectrum,
        };
        serde_json::to_writer(&mut out, &moment)?;
        out.write_all(b"\n")?;
    }
    finish(out)
}

fn print(heard: &Heard) {
    println!("length      {}", minutes(heard.duration_s));
    if heard.beats.is_empty() {
        println!("tempo       no beat was found");
    } else {
        let kind = match (heard.mode, heard.constant_tempo) {
            ("live", _) => "median, heard live",
            (_, true) => "constant",
            (_, false) => "median, not constant",
        };
        println!("tempo       {:.2} bpm ({kind})", heard.bpm);
        println!(
            "beats       {}, {} bars of {}, the first at {:.3} s",
            heard.beats.len(),
            heard.downbeats.len(),
            heard.beats_per_bar,
            heard.beats[0]
        );
    }
    println!("onsets      {}", heard.onsets.len());
    if let Some(lufs) = heard.integrated_lufs {
        println!("loudness    {lufs:.1} LUFS");
    }
    if let Some(key) = &heard.key {
        println!("key         {key}");
    }
    for (n, section) in heard.sections.iter().enumerate() {
        let title = if n == 0 { "parts" } else { "" };
        println!("{title:<12}{}  {}", minutes(section.from_s), section.kind);
    }
}

fn minutes(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round() as u64;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}
