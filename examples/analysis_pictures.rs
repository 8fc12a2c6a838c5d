//! Draws what galvo hears in the demo track as pictures for docs/analysis.md: `make analysis-pictures`.
//!
//! Three SVG files in the folder that is named (docs/images where none is): the novelty with the beats found in it, the
//! tempogram, and the whole track with its bars and parts.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use galvo::analysis::{Analyser, Features, Track, TrackAnalyser};
use galvo::audio::Decoder;
use galvo::time::MediaTime;

const WIDTH: f64 = 960.0;
/// Feature frames per second.
const RATE: f64 = 100.0;

fn main() -> anyhow::Result<()> {
    let folder =
        std::env::args_os().nth(1).map_or_else(|| PathBuf::from("docs/images"), PathBuf::from);
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo.ogg");
    let (frames, track) = listen(&demo)?;
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("analysis-novelty.svg"), novelty(&frames, &track, 30.0, 8.0))?;
    std::fs::write(folder.join("analysis-tempogram.svg"), tempogram(&frames, &track))?;
    std::fs::write(folder.join("analysis-song.svg"), song(&track))?;
    Ok(())
}

fn listen(path: &Path) -> anyhow::Result<(Vec<Features>, Track)> {
    let mut decoder = Decoder::open(path)?;
    let rate = decoder.info().sample_rate;
    let (mut live, mut whole) = (Analyser::new(rate), TrackAnalyser::new(rate));
    let (mut frames, mut heard) = (Vec::new(), 0);
    while let Some(stereo) = decoder.next()? {
        live.push(MediaTime::from_frames(heard, rate), stereo, &mut |f| frames.push(*f));
        whole.push(stereo);
        heard += stereo.len() as i64 / 2;
    }
    Ok((frames, whole.finish()))
}

/// A picture of this height, and what is drawn in it.
fn svg(height: f64, content: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\"><rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#10141c\"/>{content}</svg>\n"
    )
}

fn line(out: &mut String, [x1, y1, x2, y2]: [f64; 4], colour: &str, width: f64) {
    let _ = write!(
        out,
        "<path d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>"
    );
}

fn text(out: &mut String, x: f64, y: f64, words: &str) {
    let _ = write!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"#c8d0dc\">{words}</text>");
}

/// The rise of the spectrum over some seconds, with beats, first beats of bars, and onsets.
fn novelty(frames: &[Features], track: &Track, from_s: f64, seconds: f64) -> String {
    let x = |s: f64| (s - from_s) / seconds * WIDTH;
    let inside = |s: f64| (from_s..from_s + seconds).contains(&s);
    let mut out = String::new();
    for beat in track.beats().iter().filter(|beat| inside(beat.at.as_secs_f64())) {
        let x = x(beat.at.as_secs_f64());
        let (colour, width) = if beat.of_bar == 1 { ("#ff9d3c", 2.5) } else { ("#5a6a82", 1.2) };
        line(&mut out, [x, 20.0, x, 220.0], colour, width);
    }
    for onset in track.onsets().iter().filter(|onset| inside(onset.at.as_secs_f64())) {
        let x = x(onset.at.as_secs_f64());
        line(&mut out, [x, 220.0 - 18.0 * f64::from(onset.strength), x, 220.0], "#4fd1a5", 2.0);
    }
    let mut path = String::new();
    for frame in frames.iter().filter(|frame| inside(frame.at.as_secs_f64())) {
        let step = if path.is_empty() { 'M' } else { 'L' };
        let y = 195.0 - 160.0 * f64::from(frame.timbre.flux);
        let _ = write!(path, "{step}{:.1} {y:.1}", x(frame.at.as_secs_f64()));
    }
    let _ =
        write!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"#6fb7ff\" stroke-width=\"1.3\"/>");
    text(
        &mut out,
        6.0,
        14.0,
        "novelty (blue), beats, first beats of bars (orange), onsets with strength (green)",
    );
    for second in 0..=seconds as usize {
        let at = from_s + second as f64;
        text(&mut out, x(at) + 2.0, 236.0, &format!("{at:.0} s"));
    }
    svg(240.0, &out)
}

/// How much the novelty is like itself a beat later, for every tempo and moment, and the tempo that was found.
fn tempogram(frames: &[Features], track: &Track) -> String {
    const COLUMNS: usize = 96;
    const ROWS: usize = 48;
    let (slow, fast) = (55.0_f64, 215.0_f64);
    let flux: Vec<f64> = frames.iter().map(|frame| f64::from(frame.timbre.flux)).collect();
    let bpm_of = |row: usize| slow * (fast / slow).powf((row as f64 + 0.5) / ROWS as f64);
    let (cell_w, cell_h) = (WIDTH / COLUMNS as f64, 220.0 / ROWS as f64);
    let mut out = String::new();
    for column in 0..COLUMNS {
        let centre = flux.len() * (2 * column + 1) / (2 * COLUMNS);
        let window = centre.saturating_sub(300)..(centre + 300).min(flux.len());
        let mean = flux[window.clone()].iter().sum::<f64>() / window.len().max(1) as f64;
        let like = |lag: f64| -> f64 {
            let lag = lag.round() as usize;
            let pairs = window.clone().filter(|n| n + lag < flux.len());
            pairs.map(|n| (flux[n] - mean) * (flux[n + lag] - mean)).sum()
        };
        let own = like(0.0).max(1e-9);
        for row in 0..ROWS {
            let strength = (like(60.0 * RATE / bpm_of(row)) / own).clamp(0.0, 1.0);
            let _ = write!(
                out,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"rgb({:.0},{:.0},{:.0})\"/>",
                column as f64 * cell_w,
                20.0 + (ROWS - 1 - row) as f64 * cell_h,
                cell_w + 0.3,
                cell_h + 0.3,
                16.0 + 220.0 * strength,
                20.0 + 120.0 * strength.powi(2),
                28.0 + 60.0 * strength
            );
        }
    }
    let y = |bpm: f64| 240.0 - 220.0 * (bpm / slow).ln() / (fast / slow).ln();
    let bpm = f64::from(track.bpm());
    line(&mut out, [0.0, y(bpm), WIDTH, y(bpm)], "#6fb7ff", 1.5);
    text(
        &mut out,
        6.0,
        14.0,
        &format!("tempogram: likeness of the novelty to itself a beat later; found: {bpm:.2} bpm"),
    );
    for bpm in [60.0, 80.0, 100.0, 120.0, 160.0, 200.0] {
        text(&mut out, 4.0, y(bpm), &format!("{bpm}"));
    }
    svg(250.0, &out)
}

/// The whole track: its level, bars and parts.
fn song(track: &Track) -> String {
    let duration = track.duration().as_secs_f64().max(1e-3);
    let x = |at: MediaTime| at.as_secs_f64() / duration * WIDTH;
    let mut out = String::new();
    for (n, section) in track.sections().iter().enumerate() {
        let (from, to) = (x(section.from), x(section.to));
        let colour = if n % 2 == 0 { "#1b2433" } else { "#232f43" };
        let _ = write!(
            out,
            "<rect x=\"{from:.1}\" y=\"20\" width=\"{:.1}\" height=\"160\" fill=\"{colour}\"/>",
            to - from
        );
        text(&mut out, from + 4.0, 34.0, section.kind.name());
    }
    let mut path = String::new();
    for column in 0..WIDTH as usize {
        let at = MediaTime::from_secs_f64(duration * column as f64 / WIDTH);
        let half = 60.0 * f64::from(track.features_at(at).level);
        let _ = write!(path, "M{column} {:.1}V{:.1}", 110.0 - half, 110.0 + half);
    }
    let _ = write!(out, "<path d=\"{path}\" stroke=\"#6fb7ff\" stroke-width=\"0.8\"/>");
    for beat in track.beats().iter().filter(|beat| beat.of_bar == 1) {
        line(&mut out, [x(beat.at), 172.0, x(beat.at), 180.0], "#ff9d3c", 1.0);
    }
    text(&mut out, 6.0, 14.0, "level, parts, and the first beat of every bar (orange)");
    svg(190.0, &out)
}
