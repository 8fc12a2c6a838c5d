//! Stereo sound to another rate, with the filter's delay taken out: output frame k is the sound at k / rate
//! (to within one frame for odd pairs of rates such as 44 101 → 48 000 that are interpolated).
//!
//! Pure. Streaming: any block length in, whatever is ready out; all memory is taken at construction and the
//! output grows only within what the caller reserved.

use audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, Fft, FixedAsync, FixedSync, Indexing, Resampler, SincInterpolationParameters,
    SincInterpolationType, WindowFunction,
};

/// Input frames that are transformed at once, at least.
const CHUNK_FRAMES: usize = 1024;
/// Above this many frames the exact transform for two rates would be needlessly large.
const MAX_TRANSFORM_FRAMES: usize = 8192;

/// Resamples interleaved stereo between two fixed rates.
pub struct StereoResampler {
    /// `None` when both rates are equal.
    filter: Option<Filter>,
    in_rate: u64,
    out_rate: u64,
    frames_in: u64,
    frames_out: u64,
}

struct Filter {
    resampler: Box<dyn Resampler<f32>>,
    /// Input that waits for a whole chunk, interleaved.
    input: Vec<f32>,
    filled: usize,
    output: Vec<f32>,
    /// Output frames of the start-up delay still to be dropped.
    to_drop: usize,
}

impl StereoResampler {
    /// From `in_rate` to `out_rate` frames per second. A rate of 0 counts as 1.
    #[must_use]
    pub fn new(in_rate: u32, out_rate: u32) -> Self {
        let (in_rate, out_rate) = (in_rate.max(1), out_rate.max(1));
        let filter = (in_rate != out_rate).then(|| Filter::new(in_rate, out_rate));
        Self {
            filter,
            in_rate: u64::from(in_rate),
            out_rate: u64::from(out_rate),
            frames_in: 0,
            frames_out: 0,
        }
    }

    /// Takes interleaved stereo and appends what is ready to `out`.
    pub fn push(&mut self, stereo: &[f32], out: &mut Vec<f32>) {
        self.frames_in += stereo.len() as u64 / 2;
        match &mut self.filter {
            None => out.extend_from_slice(stereo),
            Some(filter) => self.frames_out += filter.push(stereo, out),
        }
    }

    /// Appends what is still inside, to the last frame: `ceil(frames in · out rate / in rate)` in all since
    /// the start. Afterwards it is as new.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        if let Some(filter) = &mut self.filter {
            let due = (self.frames_in * self.out_rate).div_ceil(self.in_rate);
            let silence = [0.0; 256];
            while self.frames_out < due {
                let before = out.len();
                self.frames_out += filter.push(&silence, out);
                let surplus = self.frames_out.saturating_sub(due) as usize;
                out.truncate((out.len() - 2 * surplus).max(before));
            }
        }
        self.reset();
    }

    /// Forgets everything it was given: for a seek.
    pub fn reset(&mut self) {
        (self.frames_in, self.frames_out) = (0, 0);
        if let Some(filter) = &mut self.filter {
            filter.reset();
        }
    }
}

impl Filter {
    fn new(in_rate: u32, out_rate: u32) -> Self {
        let resampler = exact(in_rate as usize, out_rate as usize)
            .unwrap_or_else(|| interpolating(f64::from(out_rate) / f64::from(in_rate)));
        let mut filter = Self {
            input: vec![0.0; 2 * resampler.input_frames_max()],
            output: vec![0.0; 2 * resampler.output_frames_max()],
            resampler,
            filled: 0,
            to_drop: 0,
        };
        filter.reset();
        filter
    }

    fn reset(&mut self) {
        self.resampler.reset();
        self.filled = 0;
        self.to_drop = self.resampler.output_delay();
    }

    /// Returns the frames appended.
    fn push(&mut self, mut stereo: &[f32], out: &mut Vec<f32>) -> u64 {
        let mut appended = 0;
        while stereo.len() >= 2 {
            let need = 2 * self.resampler.input_frames_next();
            let (now, later) = stereo.split_at(stereo.len().min(need - self.filled));
            self.input[self.filled..self.filled + now.len()].copy_from_slice(now);
            self.filled += now.len();
            stereo = later;
            if self.filled == need {
                self.filled = 0;
                let written = self.process();
                let dropped = written.min(self.to_drop);
                self.to_drop -= dropped;
                out.extend_from_slice(&self.output[2 * dropped..2 * written]);
                appended += (written - dropped) as u64;
            }
        }
        appended
    }

    /// Resamples the full input buffer; returns the frames written to `output`.
    fn process(&mut self) -> usize {
        let (frames_in, frames_out) = (self.input.len() / 2, self.output.len() / 2);
        let input = InterleavedSlice::new(&self.input, 2, frames_in);
        let output = InterleavedSlice::new_mut(&mut self.output, 2, frames_out);
        let (Ok(input), Ok(mut output)) = (input, output) else { return 0 };
        let done = self.resampler.process_into_buffer(&input, &mut output, None::<&Indexing>);
        debug_assert!(done.is_ok(), "the buffers have the sizes it asked for");
        done.map_or(0, |(_, written)| written)
    }
}

/// By Fourier transform, for rates in a ratio of small numbers. An even count of blocks keeps the delay a
/// whole number of frames.
fn exact(in_rate: usize, out_rate: usize) -> Option<Box<dyn Resampler<f32>>> {
    let common = greatest_common_divisor(in_rate, out_rate);
    let block = (in_rate / common).max(out_rate / common);
    if 2 * block > MAX_TRANSFORM_FRAMES {
        return None;
    }
    let blocks = CHUNK_FRAMES.div_ceil(in_rate / common).next_multiple_of(2);
    let chunk = blocks * (in_rate / common);
    let window = WindowFunction::BlackmanHarris2;
    let fft = Fft::new_custom(in_rate, out_rate, chunk, 1, 2, window, FixedSync::Both).ok()?;
    Some(Box::new(fft))
}

/// By an interpolated windowed sinc, for any ratio.
fn interpolating(ratio: f64) -> Box<dyn Resampler<f32>> {
    let parameters = SincInterpolationParameters {
        sinc_len: 256,
        f_cutoff: None,
        oversampling_factor: 128,
        interpolation: SincInterpolationType::Cubic,
        window: WindowFunction::BlackmanHarris2,
    };
    let sinc = Async::new_sinc(ratio, 1.0, &parameters, CHUNK_FRAMES, 2, FixedAsync::Input);
    match sinc {
        Ok(sinc) => Box::new(sinc),
        Err(error) => unreachable!("two non-zero rates make a ratio: {error}"),
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

impl std::fmt::Debug for StereoResampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StereoResampler")
            .field("in_rate", &self.in_rate)
            .field("out_rate", &self.out_rate)
            .field("frames_in", &self.frames_in)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A band-limited click centred on `frame`, left; the same upside down, right.
    fn click_at(frame: usize, frames: usize) -> Vec<f32> {
        let pulse = |i: usize| {
            let t = (i as f32 - frame as f32) / 4.0;
            (-t * t).exp()
        };
        (0..frames).flat_map(|i| [pulse(i), -pulse(i)]).collect()
    }

    fn resample(from: u32, to: u32, stereo: &[f32], block: usize) -> Vec<f32> {
        let mut resampler = StereoResampler::new(from, to);
        let mut out = Vec::new();
        for part in stereo.chunks(2 * block) {
            resampler.push(part, &mut out);
        }
        resampler.finish(&mut out);
        out
    }

    /// Centre of gravity of the left channel's square, in frames.
    fn centre(stereo: &[f32]) -> f64 {
        let power = |s: &[f32; 2]| f64::from(s[0]).powi(2);
        let frames = stereo.as_chunks::<2>().0;
        let total: f64 = frames.iter().map(power).sum();
        frames.iter().enumerate().map(|(i, s)| i as f64 * power(s)).sum::<f64>() / total
    }

    const RATES: [(u32, u32); 9] = [
        (44_100, 48_000),
        (48_000, 44_100),
        (22_050, 48_000),
        (96_000, 48_000),
        (192_000, 44_100),
        (8_000, 48_000),
        (32_000, 44_100),
        (44_101, 48_000),
        (48_000, 48_000),
    ];

    #[test]
    fn a_click_stays_at_its_time_at_every_pair_of_rates() {
        for (from, to) in RATES {
            let at = from as usize / 2 + 7;
            let out = resample(from, to, &click_at(at, from as usize), 1000);
            let seconds = centre(&out) / f64::from(to);
            let expected = at as f64 / f64::from(from);
            let error_us = (seconds - expected) * 1e6;
            println!("{from} -> {to}: {error_us:+.3} µs");
            // Rates with no small common divisor are interpolated: exact to one frame of the output.
            let limit_us = if from == 44_101 { 1e6 / f64::from(to) } else { 1.0 };
            assert!(error_us.abs() < limit_us, "{from} -> {to}: {error_us} µs");
        }
    }

    #[test]
    fn the_length_is_the_same_time_at_every_pair_of_rates() {
        for (from, to) in RATES {
            for frames in [1, 100, 1024, 33_333] {
                let out = resample(from, to, &vec![0.5; 2 * frames], 77);
                let due = (frames as u64 * u64::from(to)).div_ceil(u64::from(from)) as usize;
                assert_eq!(out.len() / 2, due, "{frames} frames {from} -> {to}");
            }
        }
    }

    #[test]
    fn the_block_length_makes_no_difference() {
        let input = click_at(5000, 20_000);
        let whole = resample(44_100, 48_000, &input, 20_000);
        for block in [1, 17, 1024] {
            assert_eq!(resample(44_100, 48_000, &input, block), whole);
        }
    }

    #[test]
    fn after_a_reset_nothing_of_the_old_sound_is_left() {
        let mut resampler = StereoResampler::new(44_100, 48_000);
        let mut out = Vec::new();
        resampler.push(&vec![1.0; 9000], &mut out);
        resampler.reset();
        out.clear();
        resampler.push(&vec![0.0; 9000], &mut out);
        assert!(!out.is_empty() && out.iter().all(|s| *s == 0.0));
    }

    #[test]
    fn a_tone_keeps_its_level_and_an_alias_is_gone() {
        let tone = |hz: f64, rate: u32| -> Vec<f32> {
            (0..rate)
                .flat_map(|i| {
                    let s =
                        (std::f64::consts::TAU * hz * f64::from(i) / f64::from(rate)).sin() as f32;
                    [s, s]
                })
                .collect()
        };
        let rms_db = |stereo: &[f32]| {
            let middle = &stereo[stereo.len() / 4..stereo.len() / 2];
            let power = middle.iter().map(|s| s * s).sum::<f32>() / middle.len() as f32;
            10.0 * power.max(1e-20).log10()
        };
        let kept = rms_db(&resample(44_100, 48_000, &tone(10_000.0, 44_100), 512));
        assert!((kept + 3.01).abs() < 0.05, "{kept} dB");
        let alias = rms_db(&resample(96_000, 48_000, &tone(30_000.0, 96_000), 512));
        println!("kept {kept} dB, alias {alias} dB");
        assert!(alias < -80.0, "{alias} dB");
    }
}
