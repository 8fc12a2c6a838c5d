//! Listening to a whole file at once: decoder → [`TrackAnalyser`] → [`Track`], on whatever thread asks for it.

use std::ops::ControlFlow;
use std::path::Path;

use super::decode::{DecodeError, Decoder};
use super::resample::StereoResampler;
use crate::analysis::{Track, TrackAnalyser};

/// Rates at which files are listened to as they are; others are converted to the last of them.
const HEARD_AS_IT_IS: std::ops::RangeInclusive<u32> = 22_050..=96_000;
/// Rate to which others are converted, frames per second.
const HEARD_RATE: u32 = 48_000;

/// Sound between two words on the progress, seconds: some 20 ms of work.
const WORD_S: f64 = 2.0;

/// Listens to the file from beginning to end. `progress` is told the seconds heard so far and the length in seconds
/// if the file tells it, many times a second of work; where it breaks off, there is no track.
///
/// A file that breaks off ends there, as it does when it is played.
pub fn listen_to_file(
    path: &Path,
    progress: &mut dyn FnMut(f64, Option<f64>) -> ControlFlow<()>,
) -> Result<Option<Track>, DecodeError> {
    let mut decoder = Decoder::open(path)?;
    let rate = decoder.info().sample_rate;
    let heard_rate = if HEARD_AS_IT_IS.contains(&rate) { rate } else { HEARD_RATE };
    let length_s = decoder.info().frames.map(|frames| frames as f64 / f64::from(rate));
    let mut resampler = StereoResampler::new(rate, heard_rate);
    let mut analyser = TrackAnalyser::new(heard_rate);
    let mut converted = Vec::new();
    let mut next_word_s = 0.0;
    while let Ok(Some(stereo)) = decoder.next() {
        converted.clear();
        resampler.push(stereo, &mut converted);
        analyser.push(&converted);
        if analyser.seconds() >= next_word_s {
            next_word_s = analyser.seconds() + WORD_S;
            if progress(analyser.seconds(), length_s).is_break() {
                return Ok(None);
            }
        }
    }
    converted.clear();
    resampler.finish(&mut converted);
    analyser.push(&converted);
    Ok(Some(analyser.finish()))
}
