//! The whole body of the input callback, as a value that knows no sound card: what is heard now, for live
//! shows. Media time counts the frames since the start; there is one epoch, 0. Real-time safe.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::time::{HostTime, MediaTime};

use super::clock::AudioClock;
use super::counters::CallbackCounters;
use super::period::{Period, PeriodSink};

/// Frames in one period. Servers hand out fragments of 24 frames or buffers of thousands; all become this.
pub const INPUT_BLOCK_FRAMES: usize = 128;

/// The body of the input callback.
pub struct InputCallback {
    sink: Box<dyn PeriodSink>,
    stereo: Box<[f32; 2 * INPUT_BLOCK_FRAMES]>,
    clock: AudioClock,
    sample_rate: u32,
    /// Frames taken in so far, on all devices.
    position: i64,
    /// Frames of `stereo` that wait for the rest of their period.
    filled: usize,
    /// True if the clock locked anew since the last period.
    relocked: bool,
    counters: Arc<CallbackCounters>,
}

impl InputCallback {
    /// Tells `sink` of every period of a device at `sample_rate` frames per second.
    #[must_use]
    pub fn new(sample_rate: u32, sink: Box<dyn PeriodSink>) -> Self {
        Self {
            sink,
            stereo: Box::new([0.0; 2 * INPUT_BLOCK_FRAMES]),
            clock: AudioClock::new(sample_rate),
            sample_rate,
            position: 0,
            filled: 0,
            relocked: false,
            counters: Arc::new(CallbackCounters::new()),
        }
    }

    /// The figures that this callback keeps.
    #[must_use]
    pub fn counters(&self) -> Arc<CallbackCounters> {
        Arc::clone(&self.counters)
    }

    /// Takes the device's buffer, `channels` interleaved. `now` is when the callback runs, `age` how long ago
    /// the first frame was heard.
    pub fn run(&mut self, input: &[f32], channels: usize, now: HostTime, age: Duration) {
        let channels = channels.max(1);
        let frames = input.len() / channels;
        if self.counters.take_interruption() {
            self.clock.unlock();
        }
        self.clock.update_input(self.position, frames, now, age);
        self.relocked |= self.clock.relocked();
        let mut rest = &input[..frames * channels];
        while !rest.is_empty() {
            let count = (rest.len() / channels).min(INPUT_BLOCK_FRAMES - self.filled);
            let (part, later) = rest.split_at(count * channels);
            let into = 2 * self.filled..2 * (self.filled + count);
            take_stereo(part, channels, &mut self.stereo[into]);
            self.filled += count;
            self.position += count as i64;
            rest = later;
            if self.filled == INPUT_BLOCK_FRAMES {
                self.filled = 0;
                self.tell(now);
            }
        }
        self.counters.note_callback(frames, now, age, self.clock.relocks());
    }

    fn tell(&mut self, now: HostTime) {
        let first = self.position - INPUT_BLOCK_FRAMES as i64;
        let period = Period {
            now,
            heard_at: self.clock.heard_at(first).unwrap_or(now),
            frames: INPUT_BLOCK_FRAMES,
            sample_rate: self.sample_rate,
            measured_rate: self.clock.measured_rate(),
            media: MediaTime::from_frames(first, self.sample_rate),
            epoch: 0,
            playing: true,
            relocked: std::mem::take(&mut self.relocked),
        };
        self.sink.period(&period, self.stereo.as_slice());
    }
}

impl fmt::Debug for InputCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputCallback")
            .field("sample_rate", &self.sample_rate)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// Mono goes to both sides; of more than two channels the first two are taken, where interfaces have their
/// main inputs. What is not a number becomes silence.
fn take_stereo(input: &[f32], channels: usize, stereo: &mut [f32]) {
    let right = usize::from(channels > 1);
    let sane = |s: f32| if s.is_finite() { s } else { 0.0 };
    for (from, to) in input.chunks_exact(channels).zip(stereo.as_chunks_mut::<2>().0) {
        *to = [sane(from[0]), sane(from[right])];
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    type Seen = Arc<Mutex<Vec<(Period, Vec<f32>)>>>;

    struct Recorder(Seen);

    impl PeriodSink for Recorder {
        fn period(&mut self, period: &Period, pcm: &[f32]) {
            self.0.lock().unwrap().push((*period, pcm.to_vec()));
        }
    }

    fn recording(rate: u32) -> (InputCallback, Seen) {
        let seen = Seen::default();
        (InputCallback::new(rate, Box::new(Recorder(Arc::clone(&seen)))), seen)
    }

    #[test]
    fn a_period_is_told_when_it_was_heard_and_media_time_counts_frames() {
        // Buffers of an interface, and fragments of a server.
        for fragment in [512, 24] {
            let (mut input, seen) = recording(48_000);
            let period = Duration::from_nanos(fragment * 1_000_000_000 / 48_000);
            let mut now = HostTime::from_secs_f64(10.0);
            for _ in 0..25_600 / fragment {
                let buffer = vec![0.25; 2 * fragment as usize];
                input.run(&buffer, 2, now, Duration::from_millis(12));
                now += period;
            }
            let seen = seen.lock().unwrap();
            assert!(seen.len() >= 199, "{}", seen.len());
            for (index, (period, pcm)) in seen.iter().enumerate() {
                let media = index as f64 * 128.0 / 48_000.0;
                assert!((period.media.as_secs_f64() - media).abs() < 1e-8);
                let heard = period.heard_at.as_secs_f64() - (10.0 - 0.012);
                assert!((heard - media).abs() < 1e-5, "{heard} {media}");
                assert_eq!((period.frames, pcm.len(), period.playing), (128, 256, true));
            }
        }
    }

    #[test]
    fn any_number_of_channels_becomes_stereo() {
        let take = |input: &[f32], channels| {
            let mut stereo = [9.0; 4];
            take_stereo(input, channels, &mut stereo);
            stereo
        };
        assert_eq!(take(&[0.5, f32::NAN], 1), [0.5, 0.5, 0.0, 0.0]);
        assert_eq!(take(&[0.1, 0.2, 0.3, 0.4], 2), [0.1, 0.2, 0.3, 0.4]);
        assert_eq!(take(&[0.1, 0.2, 0.9, 0.3, 0.4, 0.9], 3), [0.1, 0.2, 0.3, 0.4]);
    }
}
