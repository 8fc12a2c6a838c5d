//! aubio (aubio-tools) on the same files. A program to run, never to link: it is under the GPL.

use std::path::Path;
use std::process::Command;

use galvo::time::SystemClock;

use super::corpus::sound::RATE;
use super::ours::Heard;

/// Whether `aubio` can be run.
pub(crate) fn aubio_is_here() -> bool {
    Command::new("aubio").arg("--help").output().is_ok_and(|out| out.status.success())
}

/// What `aubio beat`, `onset` and `tempo` say of a piece, with their defaults.
pub(crate) fn aubio(stereo: &[f32], folder: &Path) -> anyhow::Result<Heard> {
    let file = folder.join("piece.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(&file, spec)?;
    for sample in stereo {
        wav.write_sample((sample * 32_767.0).round().clamp(-32_768.0, 32_767.0) as i16)?;
    }
    wav.finalize()?;
    let began = SystemClock::read();
    let beats = times(&run("beat", &file)?);
    let work_s = SystemClock::read().since(began).as_secs_f64();
    let tempo = run("tempo", &file)?;
    let bpm = tempo.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0.0);
    Ok(Heard { beats, onsets: times(&run("onset", &file)?), bpm, work_s, ..Heard::default() })
}

fn run(what: &str, file: &Path) -> anyhow::Result<String> {
    let out = Command::new("aubio").arg(what).arg(file).output()?;
    anyhow::ensure!(
        out.status.success(),
        "aubio {what} failed: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

fn times(text: &str) -> Vec<f64> {
    text.lines().filter_map(|line| line.trim().parse().ok()).collect()
}
