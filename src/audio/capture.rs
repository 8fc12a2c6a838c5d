//! The whole body of the input callback, as a value that knows no sound card: what is heard now, for live
//! shows. Media time counts the frames since the start; there is one epoch, 0. Real-time safe.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::time::{HostTime, MediaTime};

use super::clock::AudioClock;
use super::counters::CallbackCounters;
use super::output::MAX_BLOCK_FRAMES;
use super::period::{Period, PeriodSink};

/// The body of the input callback.
pub struct InputCallback {
    sink: Box<dyn PeriodSink>,
    stereo: Box<[f32; 2 * MAX_BLOCK_FRAMES]>,
    clock: AudioClock,
    sample_rate: u32,
    position: i64,
    counters: Arc<CallbackCounters>,
}

impl InputCallback {
    /// Tells `sink` of every period of a device at `sample_rate` frames per second.
    #[must_use]
    pub fn new(sample_rate: u32, sink: Box<dyn PeriodSink>) -> Self {
        Self {
            sink,
            stereo: Box::new([0.0; 2 * MAX_BLOCK_FRAMES]),
            clock: AudioClock::new(sample_rate),
            sample_rate,
            position: 0,
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
        let mut heard_at = self.clock.update_input(self.position, frames, now, age);
        let mut relocked = self.clock.relocked();
        for part in input.chunks(channels * MAX_BLOCK_FRAMES) {
            let count = part.len() / channels;
            let stereo = &mut self.stereo[..2 * count];
            take_stereo(part, channels, stereo);
            let period = Period {
                now,
                heard_at,
                frames: count,
                sample_rate: self.sample_rate,
                measured_rate: self.clock.measured_rate(),
                media: MediaTime::from_frames(self.position, self.sample_rate),
                epoch: 0,
                playing: true,
                relocked: std::mem::take(&mut relocked),
            };
            self.sink.period(&period, stereo);
            self.position += count as i64;
            heard_at = self.clock.heard_at(self.position).unwrap_or(heard_at);
        }
        self.counters.note_callback(frames, now, age, self.clock.relocks());
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
        let (mut input, seen) = recording(48_000);
        let period = Duration::from_nanos(512 * 1_000_000_000 / 48_000);
        let mut now = HostTime::from_secs_f64(10.0);
        for _ in 0..50 {
            input.run(&[0.25; 1024], 2, now, Duration::from_millis(12));
            now += period;
        }
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 100);
        for (index, (period, pcm)) in seen.iter().enumerate() {
            let media = index as f64 * 256.0 / 48_000.0;
            assert!((period.media.as_secs_f64() - media).abs() < 1e-8);
            let heard = period.heard_at.as_secs_f64() - (10.0 - 0.012);
            assert!((heard - media).abs() < 1e-5, "{heard} {media}");
            assert_eq!((period.frames, pcm.len(), period.playing), (256, 512, true));
        }
    }

    #[test]
    fn any_number_of_channels_becomes_stereo() {
        let (mut input, seen) = recording(44_100);
        let age = Duration::ZERO;
        input.run(&[0.5, f32::NAN], 1, HostTime::ZERO, age);
        input.run(&[0.1, 0.2, 0.9, 0.3, 0.4, 0.9], 3, HostTime::from_nanos(45_351), age);
        let seen = seen.lock().unwrap();
        assert_eq!(seen[0].1, [0.5, 0.5, 0.0, 0.0]);
        assert_eq!(seen[1].1, [0.1, 0.2, 0.3, 0.4]);
    }
}
