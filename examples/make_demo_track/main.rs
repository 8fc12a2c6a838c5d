//! Writes the demo track: a short piece of house music, synthesised from a score and a seed.
//!
//! ```text
//! cargo run --example make_demo_track -- OUT.wav OUT.beats.txt
//! ```
//!
//! The same program gives the same sound. `assets/README.md` says how the stored file was made.

mod drums;
mod effects;
mod score;
mod stems;
mod voices;

use std::error::Error;
use std::path::Path;

/// Frames per second of the track.
pub(crate) const SAMPLE_RATE: u32 = 44_100;
/// Highest sample of the track, dB full scale, with room for what a lossy codec adds.
const CEILING_DB: f32 = -3.2;
/// Gain into the limiter, dB: sets the loudness.
const DRIVE_DB: f32 = 0.0;

/// A stereo sound.
pub(crate) type Stereo = Vec<[f32; 2]>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(sound), Some(beats)) = (arguments.next(), arguments.next()) else {
        return Err("usage: make_demo_track OUT.wav OUT.beats.txt".into());
    };
    let mut mix = stems::mix();
    effects::limit(&mut mix, DRIVE_DB, CEILING_DB);
    effects::fade_ends(&mut mix);
    write_wav(Path::new(&sound), &mix)?;
    std::fs::write(beats, score::beats_text())?;
    Ok(())
}

fn write_wav(path: &Path, mix: &[[f32; 2]]) -> Result<(), hound::Error> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec)?;
    let mut dither = voices::Noise::new(99);
    for sample in mix.as_flattened() {
        // Triangular dither of one step, so that the fades end in hiss and not in distortion.
        let scaled = sample * 32_767.0 + 0.5 * (dither.next() + dither.next());
        writer.write_sample(scaled.round().clamp(-32_768.0, 32_767.0) as i16)?;
    }
    writer.finalize()
}
