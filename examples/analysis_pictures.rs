//! Draws what galvo hears in the demo track as pictures for docs/analysis.md: `make analysis-pictures`.
//!
//! Three SVG files in the folder that is named (docs/images where none is): the beats over the waveform and over the
//! novelty that they were found in, the tempogram, and the whole track with its bars and parts.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use galvo::analysis::{Analyser, Features, Track, TrackAnalyser};
use galvo::audio::Decoder;
use galvo::time::MediaTime;

const WIDTH: f64 = 960.0;
/// Feature frames per second.
const RATE: f64 = 100.0;
/// Columns of the waveform per second.
const PEAKS_PER_SECOND: f64 = 150.0;

fn main() -> anyhow::Result<()> {
    let folder =
        std::env::args_os().nth(1).map_or_else(|| PathBuf::from("docs/images"), PathBuf::from);
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo.ogg");
    let Heard { frames, peaks, track } = listen(&demo)?;
    std::fs::create_dir_all(&folder)?;
    std::fs::write(
        folder.join("analysis-novelty.svg"),
        novelty(&frames, &peaks, &track, 30.0, 8.0),
    )?;
    std::fs::write(folder.join("analysis-tempogram.svg"), tempogram(&frames, &track))?;
    std::fs::write(folder.join("analysis-song.svg"), song(&track, &peaks))?;
    Ok(())
}

/// What both ears make of a file.
struct Heard {
    frames: Vec<Features>,
    /// Lowest and highest sample of every 1/[`PEAKS_PER_SECOND`] s, both channels together.
    peaks: Vec<[f32; 2]>,
    track: Track,
}

fn listen(path: &Path) -> anyhow::Result<Heard> {
    let mut decoder = Decoder::open(path)?;
    let rate = decoder.info().sample_rate;
    let (mut live, mut whole) = (Analyser::new(rate), TrackAnalyser::new(rate));
    let (mut frames, mut mono, mut heard) = (Vec::new(), Vec::new(), 0);
    while let Some(stereo) = decoder.next()? {
        live.push(MediaTime::from_frames(heard, rate), stereo, &mut |f| frames.push(*f));
        whole.push(stereo);
        mono.extend(stereo.as_chunks::<2>().0.iter().map(|[l, r]| 0.5 * (l + r)));
        heard += stereo.len() as i64 / 2;
    }
    let peaks = mono
        .chunks((f64::from(rate) / PEAKS_PER_SECOND) as usize)
        .map(|part| part.iter().fold([0.0_f32; 2], |[low, high], x| [low.min(*x), high.max(*x)]))
        .collect();
    Ok(Heard { frames, peaks, track: whole.finish() })
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

/// Some seconds of waveform, and the rise of the spectrum below, with beats, first beats of bars, and onsets.
fn novelty(
    frames: &[Features],
    peaks: &[[f32; 2]],
    track: &Track,
    from_s: f64,
    seconds: f64,
) -> String {
    let x = |s: f64| (s - from_s) / seconds * WIDTH;
    let inside = |s: f64| (from_s..from_s + seconds).contains(&s);
    let mut out = String::new();
    let mut path = String::new();
    for (n, [low, high]) in peaks.iter().enumerate() {
        let s = n as f64 / PEAKS_PER_SECOND;
        if inside(s) {
            let y = |sample: f32| 85.0 - 60.0 * f64::from(sample);
            let _ = write!(path, "M{:.1} {:.1}V{:.1}", x(s), y(*low), y(*high));
        }
    }
    let _ = write!(out, "<path d=\"{path}\" stroke=\"#55627a\" stroke-width=\"0.8\"/>");
    for beat in track.beats().iter().filter(|beat| inside(beat.at.as_secs_f64())) {
        let x = x(beat.at.as_secs_f64());
        let (colour, width) = if beat.of_bar == 1 { ("#ff9d3c", 2.5) } else { ("#8b99b0", 1.2) };
        line(&mut out, [x, 24.0, x, 330.0], colour, width);
    }
    for onset in track.onsets().iter().filter(|onset| inside(onset.at.as_secs_f64())) {
        let x = x(onset.at.as_secs_f64());
        line(&mut out, [x, 330.0 - 18.0 * f64::from(onset.strength), x, 330.0], "#4fd1a5", 2.0);
    }
    let mut path = String::new();
    for frame in frames.iter().filter(|frame| inside(frame.at.as_secs_f64())) {
        let step = if path.is_empty() { 'M' } else { 'L' };
        let y = 305.0 - 150.0 * f64::from(frame.timbre.flux);
        let _ = write!(path, "{step}{:.1} {y:.1}", x(frame.at.as_secs_f64()));
    }
    let _ =
        write!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"#6fb7ff\" stroke-width=\"1.3\"/>");
    text(
        &mut out,
        6.0,
        15.0,
        "waveform (grey), novelty (blue), beats, first beats of bars (orange), onsets with strength (green)",
    );
    for second in 0..seconds as usize {
        let at = from_s + second as f64;
        text(&mut out, x(at) + 2.0, 346.0, &format!("{at:.0} s"));
    }
    svg(352.0, &out)
}

/// How much the novelty is like itself a beat later, for every tempo and moment, and the tempo that was found.
fn tempogram(frames: &[Features], track: &Track) -> String {
    const COLUMNS: usize = 96;
    const ROWS: usize = 48;
    let (slow, fast) = (55.0_f64, 215.0_f64);
    let novelty: Vec<f64> = frames.iter().map(|frame| f64::from(frame.timbre.flux)).collect();
    // Less its mean of ±0.4 s: a change of the sound as a whole is no rhythm.
    let flux: Vec<f64> = (0..novelty.len())
        .map(|n| {
            let near = &novelty[n.saturating_sub(40)..(n + 41).min(novelty.len())];
            novelty[n] - near.iter().sum::<f64>() / near.len() as f64
        })
        .collect();
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
            if strength < 0.02 {
                continue;
            }
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

/// The whole track: its waveform, bars and parts.
fn song(track: &Track, peaks: &[[f32; 2]]) -> String {
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
    let columns = WIDTH as usize;
    for column in 0..columns {
        let of = peaks.len() * column / columns..peaks.len() * (column + 1) / columns;
        let [low, high] =
            peaks[of].iter().fold([0.0_f32; 2], |a, b| [a[0].min(b[0]), a[1].max(b[1])]);
        let y = |sample: f32| 108.0 - 62.0 * f64::from(sample);
        let _ = write!(path, "M{column} {:.1}V{:.1}", y(low), y(high));
    }
    let _ = write!(out, "<path d=\"{path}\" stroke=\"#6fb7ff\" stroke-width=\"0.8\"/>");
    for beat in track.beats().iter().filter(|beat| beat.of_bar == 1) {
        line(&mut out, [x(beat.at), 172.0, x(beat.at), 180.0], "#ff9d3c", 1.0);
    }
    text(&mut out, 6.0, 14.0, "waveform, parts, and the first beat of every bar (orange)");
    svg(190.0, &out)
}
