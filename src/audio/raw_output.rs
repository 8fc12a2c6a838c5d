//! A sound card as plain output channels: for signals that are not music.

use std::sync::Arc;
use std::time::Duration;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{
    BufferSize, FromSample, SampleFormat, SizedSample, StreamConfig, SupportedBufferSize,
    SupportedStreamConfigRange,
};

use crate::time::{HostTime, SystemClock};

use super::counters::CallbackCounters;
use super::device::{
    BUFFER_FRAMES, CONVERT_FRAMES, Direction, OPEN_TIMEOUT, OpenDevice, choose, description_of,
    frames_time, hurry, note_error,
};
use super::start::AudioError;

/// Rates in the order they are wanted, frames per second.
const RATES: [u32; 4] = [96_000, 48_000, 88_200, 44_100];
/// Sample formats in the order they are wanted.
const FORMATS: [SampleFormat; 4] =
    [SampleFormat::F32, SampleFormat::I32, SampleFormat::I24, SampleFormat::I16];

/// A running output; stops when dropped, which must not be on a real-time thread.
#[derive(Debug)]
pub struct RawOutput {
    _device: OpenDevice,
}

/// Opens the named or the default output with at least `channels` channels, at `rate` or at what suits it, and
/// starts it. `make` is told the rate in frames per second and makes the callback: it gets a zeroed buffer, its
/// channels, the time now, and how long until the first frame is on the wire. Errors of the device are counted
/// in `counters`. May take seconds.
pub fn open_raw_output<F>(
    name: Option<&str>,
    channels: usize,
    rate: Option<u32>,
    counters: &Arc<CallbackCounters>,
    make: impl FnOnce(u32) -> F,
) -> Result<RawOutput, AudioError>
where
    F: FnMut(&mut [f32], usize, HostTime, Duration) + Send + 'static,
{
    let device = choose(name, Direction::Output)?;
    let description = description_of(&device);
    let fail = |error: cpal::Error| AudioError::refused(&description, &error);
    let ranges: Vec<_> = device.supported_output_configs().map_err(fail)?.collect();
    let (config, format) = pick(&ranges, channels, rate)
        .ok_or_else(|| AudioError::channels(&description, channels, rate))?;
    let body = make(config.sample_rate);
    let counters = Arc::clone(counters);
    let stream = match format {
        SampleFormat::F32 => play_as::<f32, F>(&device, config, counters, body),
        SampleFormat::I32 => play_as::<i32, F>(&device, config, counters, body),
        SampleFormat::I24 => play_as::<cpal::I24, F>(&device, config, counters, body),
        _ => play_as::<i16, F>(&device, config, counters, body),
    }
    .map_err(fail)?;
    stream.play().map_err(fail)?;
    Ok(RawOutput { _device: OpenDevice::new(description, stream) })
}

/// As few channels as will do, the best rate, the finest format.
fn pick(
    ranges: &[SupportedStreamConfigRange],
    channels: usize,
    rate: Option<u32>,
) -> Option<(StreamConfig, SampleFormat)> {
    let fits = |range: &&SupportedStreamConfigRange| {
        usize::from(range.channels()) >= channels && FORMATS.contains(&range.sample_format())
    };
    let takes = |range: &SupportedStreamConfigRange, rate: u32| {
        (range.min_sample_rate()..=range.max_sample_rate()).contains(&rate)
    };
    let wanted = rate.map_or_else(|| RATES.to_vec(), |rate| vec![rate]);
    let order = |range: &&SupportedStreamConfigRange| {
        let format = FORMATS.iter().position(|format| *format == range.sample_format());
        (range.channels(), format)
    };
    wanted.iter().find_map(|&rate| {
        let best =
            ranges.iter().filter(fits).filter(|range| takes(range, rate)).min_by_key(order)?;
        let frames = match *best.buffer_size() {
            SupportedBufferSize::Range { min, max } => BUFFER_FRAMES.max(min).min(max.max(min)),
            SupportedBufferSize::Unknown => BUFFER_FRAMES,
        };
        let config = StreamConfig {
            channels: best.channels(),
            sample_rate: rate,
            buffer_size: BufferSize::Fixed(frames),
        };
        Some((config, best.sample_format()))
    })
}

fn play_as<T, F>(
    device: &cpal::Device,
    config: StreamConfig,
    counters: Arc<CallbackCounters>,
    mut body: F,
) -> Result<cpal::Stream, cpal::Error>
where
    T: SizedSample + FromSample<f32>,
    F: FnMut(&mut [f32], usize, HostTime, Duration) + Send + 'static,
{
    let channels = usize::from(config.channels).max(1);
    let mut floats = vec![0.0_f32; CONVERT_FRAMES * channels];
    let own_counters = Arc::clone(&counters);
    let mut is_first = true;
    device.build_output_stream(
        config,
        move |out: &mut [T], info: &cpal::OutputCallbackInfo| {
            if std::mem::take(&mut is_first) {
                hurry(&own_counters);
            }
            let now = SystemClock::read();
            let at = info.timestamp();
            let mut latency = at.playback.duration_since(at.callback);
            for part in out.chunks_mut(floats.len()) {
                let floats = &mut floats[..part.len()];
                floats.fill(0.0);
                body(floats, channels, now, latency);
                for (to, from) in part.iter_mut().zip(&*floats) {
                    let finite = if from.is_finite() { from.clamp(-1.0, 1.0) } else { 0.0 };
                    *to = T::from_sample(finite);
                }
                latency += frames_time(part.len() / channels, config.sample_rate);
            }
        },
        move |error: cpal::Error| note_error(&counters, &error),
        Some(OPEN_TIMEOUT),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(channels: u16, rates: (u32, u32), format: SampleFormat) -> SupportedStreamConfigRange {
        let buffer = SupportedBufferSize::Range { min: 64, max: 4096 };
        SupportedStreamConfigRange::new(channels, rates.0, rates.1, buffer, format)
    }

    #[test]
    fn the_fewest_channels_that_do_at_the_best_rate_in_the_finest_format() {
        let ranges = [
            range(2, (44_100, 192_000), SampleFormat::F32),
            range(8, (44_100, 96_000), SampleFormat::I16),
            range(8, (44_100, 96_000), SampleFormat::I32),
            range(10, (44_100, 192_000), SampleFormat::F32),
        ];
        let (config, format) = pick(&ranges, 6, None).unwrap();
        assert_eq!((config.channels, config.sample_rate), (8, 96_000));
        assert_eq!(
            (format, config.buffer_size),
            (SampleFormat::I32, BufferSize::Fixed(BUFFER_FRAMES))
        );
        let (config, _) = pick(&ranges, 6, Some(192_000)).unwrap();
        assert_eq!((config.channels, config.sample_rate), (10, 192_000));
        assert!(pick(&ranges, 11, None).is_none() && pick(&ranges, 2, Some(8000)).is_none());
    }
}
