//! The whole body of the output callback, as a value that knows no sound card.
//!
//! Takes the music from the player, tells the engine of every period, applies the volume, and lays the stereo
//! on the device's channels. Real-time safe: all memory is taken at construction.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::realtime::{Histogram, HistogramSnapshot};
use crate::time::HostTime;

use super::period::{Period, PeriodSink};
use super::player_output::PlayerOutput;

/// Frames in one block at most: longer device buffers are given to the engine in parts.
pub const MAX_BLOCK_FRAMES: usize = 256;

/// What the callback tells other threads. All relaxed: figures to look at, not to act on in order.
#[derive(Debug)]
pub struct OutputCounters {
    callbacks: AtomicU64,
    frames: AtomicU64,
    xruns: AtomicU64,
    relocks: AtomicU64,
    contended: AtomicU64,
    last_callback_nanos: AtomicI64,
    latency_nanos: AtomicU64,
    period_frames: AtomicU64,
    interrupted: AtomicBool,
    callback_nanos: Histogram,
}

impl OutputCounters {
    fn new() -> Self {
        Self {
            callbacks: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            xruns: AtomicU64::new(0),
            relocks: AtomicU64::new(0),
            contended: AtomicU64::new(0),
            last_callback_nanos: AtomicI64::new(i64::MIN),
            latency_nanos: AtomicU64::new(0),
            period_frames: AtomicU64::new(0),
            interrupted: AtomicBool::new(false),
            callback_nanos: Histogram::new(),
        }
    }

    /// Callbacks so far.
    #[must_use]
    pub fn callbacks(&self) -> u64 {
        self.callbacks.load(Ordering::Relaxed)
    }

    /// Frames given to the device so far.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Interruptions of the sound that the device told of.
    #[must_use]
    pub fn xruns(&self) -> u64 {
        self.xruns.load(Ordering::Relaxed)
    }

    /// Times the audio clock was locked anew, the first time included.
    #[must_use]
    pub fn relocks(&self) -> u64 {
        self.relocks.load(Ordering::Relaxed)
    }

    /// Callbacks that found another driver inside and stayed silent: at most a few when the device changes.
    #[must_use]
    pub fn contended(&self) -> u64 {
        self.contended.load(Ordering::Relaxed)
    }

    /// When the last callback ran, if one has.
    #[must_use]
    pub fn last_callback(&self) -> Option<HostTime> {
        match self.last_callback_nanos.load(Ordering::Relaxed) {
            i64::MIN => None,
            nanos => Some(HostTime::from_nanos(nanos)),
        }
    }

    /// From the callback until its first frame is heard, as the device told last.
    #[must_use]
    pub fn latency(&self) -> Duration {
        Duration::from_nanos(self.latency_nanos.load(Ordering::Relaxed))
    }

    /// Frames of the last callback.
    #[must_use]
    pub fn period_frames(&self) -> u64 {
        self.period_frames.load(Ordering::Relaxed)
    }

    /// How long the callbacks took, in nanoseconds.
    #[must_use]
    pub fn callback_nanos(&self) -> HistogramSnapshot {
        self.callback_nanos.snapshot()
    }

    /// Counts an interruption of the sound; the next callback locks the clock anew. Real-time safe.
    pub fn note_xrun(&self) {
        self.xruns.fetch_add(1, Ordering::Relaxed);
        self.interrupted.store(true, Ordering::Relaxed);
    }
}

/// The body of the output callback.
pub struct OutputCallback {
    player: PlayerOutput,
    sink: Box<dyn PeriodSink>,
    stereo: Box<[f32; 2 * MAX_BLOCK_FRAMES]>,
    counters: Arc<OutputCounters>,
}

impl OutputCallback {
    /// Plays `player` and tells `sink` of every period.
    #[must_use]
    pub fn new(player: PlayerOutput, sink: Box<dyn PeriodSink>) -> Self {
        let stereo = Box::new([0.0; 2 * MAX_BLOCK_FRAMES]);
        Self { player, sink, stereo, counters: Arc::new(OutputCounters::new()) }
    }

    /// Frames per second that the device must take.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        self.player.sample_rate()
    }

    /// The figures that this callback keeps.
    #[must_use]
    pub fn counters(&self) -> Arc<OutputCounters> {
        Arc::clone(&self.counters)
    }

    /// Fills the device's buffer, `channels` interleaved. `now` is when the callback runs, `latency` from then
    /// until the first frame is heard.
    pub fn run(&mut self, out: &mut [f32], channels: usize, now: HostTime, latency: Duration) {
        let channels = channels.max(1);
        let frames = out.len() / channels;
        let counters = &self.counters;
        let relock = counters.interrupted.swap(false, Ordering::Relaxed)
            || counters.callbacks.load(Ordering::Relaxed) == 0;
        if relock {
            counters.relocks.fetch_add(1, Ordering::Relaxed);
        }
        let rate = self.player.sample_rate();
        let mut done = 0;
        for part in out.chunks_mut(channels * MAX_BLOCK_FRAMES) {
            let count = part.len() / channels;
            let stereo = &mut self.stereo[..2 * count];
            let rendered = self.player.render(stereo);
            let heard_at = now + latency + frames_time(done, rate);
            let period = Period {
                now,
                heard_at,
                frames: count,
                sample_rate: rate,
                measured_rate: f64::from(rate),
                media: rendered.media,
                epoch: rendered.epoch,
                playing: rendered.playing,
                relocked: relock && done == 0,
            };
            self.sink.period(&period, stereo);
            self.player.apply_volume(stereo);
            lay_on_channels(stereo, part, channels);
            done += count;
        }
        let counters = &self.counters;
        counters.callbacks.fetch_add(1, Ordering::Relaxed);
        counters.frames.fetch_add(frames as u64, Ordering::Relaxed);
        counters.period_frames.store(frames as u64, Ordering::Relaxed);
        counters.latency_nanos.store(latency.as_nanos() as u64, Ordering::Relaxed);
        counters.last_callback_nanos.store(now.as_nanos(), Ordering::Relaxed);
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

fn frames_time(frames: usize, rate: u32) -> Duration {
    Duration::from_nanos(frames as u64 * 1_000_000_000 / u64::from(rate.max(1)))
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

/// An [`OutputCallback`] that survives its device: the next device's callback takes it over, even if the one
/// before hangs in a dead sound server.
#[derive(Clone, Debug)]
pub struct SharedCallback {
    callback: Arc<Mutex<OutputCallback>>,
    counters: Arc<OutputCounters>,
    sample_rate: u32,
    /// The number of the driver in charge.
    in_charge: Arc<AtomicU64>,
}

impl SharedCallback {
    /// To be driven by [`Self::new_driver`].
    #[must_use]
    pub fn new(callback: OutputCallback) -> Self {
        Self {
            counters: callback.counters(),
            sample_rate: callback.sample_rate(),
            callback: Arc::new(Mutex::new(callback)),
            in_charge: Arc::new(AtomicU64::new(0)),
        }
    }

    /// The callback for a new device; all earlier drivers give out silence from now on.
    #[must_use]
    pub fn new_driver(&self) -> OutputDriver {
        let number = self.in_charge.fetch_add(1, Ordering::AcqRel) + 1;
        self.counters.interrupted.store(true, Ordering::Relaxed);
        OutputDriver { shared: self.clone(), number }
    }

    /// The figures that the callback keeps.
    #[must_use]
    pub fn counters(&self) -> &Arc<OutputCounters> {
        &self.counters
    }

    /// Frames per second that a device must take.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }
}

/// What one device's callback holds. Real-time safe: it tries the callback's lock and never waits for it, and
/// only two drivers in the moment of a device change can meet there.
#[derive(Debug)]
pub struct OutputDriver {
    shared: SharedCallback,
    number: u64,
}

impl OutputDriver {
    /// Runs the callback, or leaves silence if another device is in charge by now.
    pub fn run(&self, out: &mut [f32], channels: usize, now: HostTime, latency: Duration) {
        if self.shared.in_charge.load(Ordering::Acquire) == self.number
            && let Ok(mut callback) = self.shared.callback.try_lock()
        {
            callback.run(out, channels, now, latency);
        } else {
            out.fill(0.0);
            self.shared.counters.contended.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts how long a callback took.
    pub fn note_duration(&self, duration: Duration) {
        self.shared.counters.callback_nanos.record(duration.as_nanos() as u64);
    }

    /// Sound was lost: the clock is locked anew with the next callback.
    pub fn note_xrun(&self) {
        self.shared.counters.note_xrun();
    }

    /// Frames per second that the device must take.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        self.shared.sample_rate
    }
}
