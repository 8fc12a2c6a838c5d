//! Clicks at known, irregular times: synthesised, and found again in sound.

use std::path::Path;

/// Frames per second of the file.
pub(crate) const SAMPLE_RATE: u32 = 48_000;
/// Sound above this is a click.
const THRESHOLD: f32 = 0.25;
/// Two clicks lie further apart than this, seconds.
const HOLD_OFF: f64 = 0.3;

/// The times of the clicks within `seconds`, in seconds: no two distances are alike, so that a click is not taken for
/// its neighbour, and no distance is a multiple of any period in the program.
pub(crate) fn times(seconds: f64) -> Vec<f64> {
    let mut times = Vec::new();
    let mut at = 1.0;
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    while at < seconds - 0.5 {
        times.push((at * f64::from(SAMPLE_RATE)).round() / f64::from(SAMPLE_RATE));
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        at += 0.6 + 0.5 * (random >> 40) as f64 / (1_u64 << 24) as f64;
    }
    times
}

/// Writes the file: noise that begins at its loudest and is gone after a few milliseconds.
pub(crate) fn write(path: &Path, seconds: f64) -> Result<(), hound::Error> {
    let mut sound = vec![0.0_f32; (seconds * f64::from(SAMPLE_RATE)) as usize];
    let mut random = 1_u32;
    for time in times(seconds) {
        let first = (time * f64::from(SAMPLE_RATE)).round() as usize;
        for (k, sample) in sound[first..].iter_mut().take(480).enumerate() {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise =
                if k == 0 { 1.0 } else { f64::from(random) / f64::from(u32::MAX) * 2.0 - 1.0 };
            *sample = (0.8 * noise * (-(k as f64) / 72.0).exp()) as f32;
        }
    }
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec)?;
    for sample in sound {
        let value = (sample * f32::from(i16::MAX)) as i16;
        file.write_sample(value)?;
        file.write_sample(value)?;
    }
    file.finalize()
}

/// Finds the beginnings of clicks in sound that comes in parts.
#[derive(Debug)]
pub(crate) struct Finder {
    quiet_since: f64,
}

impl Finder {
    pub(crate) const fn new() -> Self {
        Self { quiet_since: f64::NEG_INFINITY }
    }

    /// Looks at stereo frames; the first was heard at `start` seconds, the next ones every `step` seconds.
    pub(crate) fn find(
        &mut self,
        start: f64,
        step: f64,
        stereo: &[f32],
        mut found: impl FnMut(f64),
    ) {
        for (k, frame) in stereo.chunks_exact(2).enumerate() {
            let at = start + k as f64 * step;
            if frame[0].abs().max(frame[1].abs()) > THRESHOLD {
                if at - self.quiet_since > HOLD_OFF {
                    found(at);
                }
                self.quiet_since = at;
            }
        }
    }
}
