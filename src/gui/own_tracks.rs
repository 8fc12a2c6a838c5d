//! The tracks that come with the program: the demo, so that a first show needs no file of one's own, and the click of
//! the calibration.

use std::fs;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

/// The demo; see `assets/README.md`.
const DEMO: &[u8] = include_bytes!("../../assets/demo.ogg");

/// Length of the click track, s.
pub(super) const CLICK_SECONDS: f64 = 60.0;
/// Frames a second of it.
const CLICK_RATE: u32 = 48_000;
/// Two clicks a second: slow enough that nobody takes one for the next, and below the rate of flashes that can trigger
/// seizures.
const CLICKS_PER_SECOND: u32 = 2;
/// A click: its pitch, Hz, and the time in which it falls to 1/e, s.
const CLICK_HZ: f64 = 1_500.0;
const CLICK_DECAY_SECONDS: f64 = 0.006;
const CLICK_PEAK: f64 = 0.8;

/// The demo as a file in the user's cache, written there if it is not there yet.
pub(super) fn demo() -> io::Result<PathBuf> {
    written_to(&cache(), "galvo demo.ogg", DEMO)
}

/// The click track as a file in the user's cache, written there if it is not there yet.
pub(super) fn click() -> io::Result<PathBuf> {
    let wav = click_wav().map_err(|error| io::Error::other(error.to_string()))?;
    written_to(&cache(), "galvo click.wav", &wav)
}

fn cache() -> PathBuf {
    let folders = directories::ProjectDirs::from("", "", "galvo");
    folders.map_or_else(std::env::temp_dir, |folders| folders.cache_dir().to_owned())
}

fn click_wav() -> Result<Vec<u8>, hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: CLICK_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut wav, spec)?;
    let period = CLICK_RATE / CLICKS_PER_SECOND;
    for frame in 0..CLICK_RATE * CLICK_SECONDS as u32 {
        // The first one comes after half a period: the start of a track is no place to judge by.
        let since = f64::from((frame + period / 2) % period) / f64::from(CLICK_RATE);
        let level = CLICK_PEAK * (-since / CLICK_DECAY_SECONDS).exp();
        let sample = level * (std::f64::consts::TAU * CLICK_HZ * since).cos();
        writer.write_sample((sample * f64::from(i16::MAX)) as i16)?;
    }
    writer.finalize()?;
    Ok(wav.into_inner())
}

fn written_to(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let file = folder.join(name);
    if fs::metadata(&file).is_ok_and(|there| there.len() == bytes.len() as u64) {
        return Ok(file);
    }
    fs::create_dir_all(folder)?;
    // Beside it first: a half-written file never counts.
    let beside = folder.join(format!("{name}.new"));
    fs::write(&beside, bytes)?;
    fs::rename(&beside, &file)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_written_whole_and_mended_if_it_was_cut() {
        let folder = tempfile::tempdir().unwrap();
        let write = || written_to(&folder.path().join("cache"), "demo.ogg", DEMO).unwrap();
        let file = write();
        assert_eq!(fs::read(&file).unwrap(), DEMO);
        fs::write(&file, "cut").unwrap();
        assert_eq!(write(), file);
        assert_eq!(fs::read(&file).unwrap(), DEMO);
    }

    #[test]
    fn the_click_is_two_sharp_attacks_a_second_on_the_quarter() {
        let wav = click_wav().unwrap();
        let samples: Vec<i16> =
            hound::WavReader::new(wav.as_slice()).unwrap().samples().map(Result::unwrap).collect();
        let loud = |k: &usize| samples[*k] > 20_000 && samples[k.saturating_sub(480)] == 0;
        let starts: Vec<usize> = (480..samples.len()).filter(loud).collect();
        let firsts: Vec<usize> = starts.iter().copied().filter(|k| k % 24_000 == 12_000).collect();
        assert_eq!(firsts.len(), 120, "one for each half second");
        assert_eq!(firsts[..2], [12_000, 36_000]);
    }
}
