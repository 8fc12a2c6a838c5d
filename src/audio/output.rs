//! The whole body of the output callback, as a value that knows no sound card.
//!
//! Takes the music from the player, tells the engine of every period, applies the volume, and lays the stereo
//! on the device's channels. Real-time safe: all memory is taken at construction.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::time::HostTime;

use super::clock::AudioClock;
use super::counters::CallbackCounters;
use super::period::{Period, PeriodSink};
use super::player_output::PlayerOutput;

/// Frames in one block at most: longer device buffers are given to the engine in parts.
pub const MAX_BLOCK_FRAMES: usize = 256;

/// The body of the output callback.
pub struct OutputCallback {
    player: PlayerOutput,
    sink: Box<dyn PeriodSink>,
    stereo: Box<[f32; 2 * MAX_BLOCK_FRAMES]>,
    clock: AudioClock,
    /// Frames given out so far, over all devices.
    position: i64,
    counters: Arc<CallbackCounters>,
}

impl OutputCallback {
    /// Plays `player` and tells `sink` of every period.
    #[must_use]
    pub fn new(player: PlayerOutput, sink: Box<dyn PeriodSink>) -> Self {
        Self {
            clock: AudioClock::new(player.sample_rate()),
            position: 0,
            player,
            sink,
            stereo: Box::new([0.0; 2 * MAX_BLOCK_FRAMES]),
            counters: Arc::new(CallbackCounters::new()),
        }
    }

    /// Frames per second that the device must take.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        self.player.sample_rate()
    }

    /// The figures that this callback keeps.
    #[must_use]
    pub fn counters(&self) -> Arc<CallbackCounters> {
        Arc::clone(&self.counters)
    }

    /// Fills the device's buffer, `channels` interleaved. `now` is when the callback runs, `latency` from then
    /// until the first frame is heard.
    pub fn run(&mut self, out: &mut [f32], channels: usize, now: HostTime, latency: Duration) {
        let channels = channels.max(1);
        let frames = out.len() / channels;
        if self.counters.take_interruption() {
            self.clock.unlock();
        }
        let mut heard_at = self.clock.update(self.position, frames, now, latency);
        let mut relocked = self.clock.relocked();
        for part in out.chunks_mut(channels * MAX_BLOCK_FRAMES) {
            let count = part.len() / channels;
            let stereo = &mut self.stereo[..2 * count];
            let rendered = self.player.render(stereo);
            let period = Period {
                now,
                heard_at,
                frames: count,
                sample_rate: self.player.sample_rate(),
                measured_rate: self.clock.measured_rate(),
                media: rendered.media,
                epoch: rendered.epoch,
                playing: rendered.playing,
                relocked: std::mem::take(&mut relocked),
            };
            self.sink.period(&period, stereo);
            self.player.apply_volume(stereo);
            lay_on_channels(stereo, part, channels);
            self.position += count as i64;
            heard_at = self.clock.heard_at(self.position).unwrap_or(heard_at);
        }
        self.counters.note_callback(frames, now, latency, self.clock.relocks());
    }
}

impl fmt::Debug for OutputCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputCallback")
            .field("player", &self.player)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

/// Mono gets the mean; more than two channels get stereo on the first two and silence on the rest.
fn lay_on_channels(stereo: &[f32], out: &mut [f32], channels: usize) {
    match channels {
        1 => {
            for (to, [left, right]) in out.iter_mut().zip(stereo.as_chunks::<2>().0) {
                *to = 0.5 * (left + right);
            }
        }
        2 => out[..stereo.len()].copy_from_slice(stereo),
        _ => {
            out.fill(0.0);
            for (to, from) in out.chunks_exact_mut(channels).zip(stereo.as_chunks::<2>().0) {
                to[..2].copy_from_slice(from);
            }
        }
    }
}
