//! Figures that a sound callback keeps for other threads.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::realtime::{Histogram, HistogramSnapshot};
use crate::time::HostTime;

/// What a sound callback, of either direction, tells other threads. All relaxed: figures to look at, not to act
/// on in order.
#[derive(Debug)]
pub struct CallbackCounters {
    callbacks: AtomicU64,
    frames: AtomicU64,
    xruns: AtomicU64,
    device_errors: AtomicU64,
    lost: AtomicBool,
    relocks: AtomicU64,
    contended: AtomicU64,
    last_callback_nanos: AtomicI64,
    latency_nanos: AtomicU64,
    period_frames: AtomicU64,
    interrupted: AtomicBool,
    priority_refused: AtomicBool,
    callback_nanos: Histogram,
}

impl CallbackCounters {
    pub(super) fn new() -> Self {
        Self {
            callbacks: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            xruns: AtomicU64::new(0),
            device_errors: AtomicU64::new(0),
            lost: AtomicBool::new(false),
            relocks: AtomicU64::new(0),
            contended: AtomicU64::new(0),
            last_callback_nanos: AtomicI64::new(i64::MIN),
            latency_nanos: AtomicU64::new(0),
            period_frames: AtomicU64::new(0),
            interrupted: AtomicBool::new(false),
            priority_refused: AtomicBool::new(false),
            callback_nanos: Histogram::new(),
        }
    }

    /// Callbacks so far.
    #[must_use]
    pub fn callbacks(&self) -> u64 {
        self.callbacks.load(Ordering::Relaxed)
    }

    /// Frames given to the device, or taken from it, so far.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Interruptions of the sound that the device told of.
    #[must_use]
    pub fn xruns(&self) -> u64 {
        self.xruns.load(Ordering::Relaxed)
    }

    /// Times the audio clock had to lock anew.
    #[must_use]
    pub fn relocks(&self) -> u64 {
        self.relocks.load(Ordering::Relaxed)
    }

    /// Callbacks of a device that is not in charge any more: at most a few when the device changes.
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

    /// From the callback until its first frame is heard, or since it was heard (input), as told last.
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

    /// Errors that the device told of, xruns aside.
    #[must_use]
    pub fn device_errors(&self) -> u64 {
        self.device_errors.load(Ordering::Relaxed)
    }

    /// Counts another error of the device; `lost` if it cannot go on. Real-time safe.
    pub fn note_device_error(&self, lost: bool) {
        self.device_errors.fetch_add(1, Ordering::Relaxed);
        self.lost.fetch_or(lost, Ordering::Relaxed);
    }

    /// True once if the device said that it cannot go on.
    pub fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::Relaxed)
    }

    /// Counts how long a callback took. Real-time safe.
    pub fn note_duration(&self, duration: Duration) {
        self.callback_nanos.record(nanos_of(duration));
    }

    /// True if the callback runs at the priority of any other thread: expect it late on a busy machine.
    #[must_use]
    pub fn priority_refused(&self) -> bool {
        self.priority_refused.load(Ordering::Relaxed)
    }

    pub(super) fn note_priority(&self, granted: bool) {
        self.priority_refused.store(!granted, Ordering::Relaxed);
    }

    /// Counts a callback of a device that is not in charge any more.
    pub(super) fn note_contended(&self) {
        self.contended.fetch_add(1, Ordering::Relaxed);
    }

    /// The sound begins anew: another device, or after a stall.
    pub(super) fn note_interruption(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// True once after an interruption.
    pub(super) fn take_interruption(&self) -> bool {
        self.interrupted.swap(false, Ordering::Relaxed)
    }

    pub(super) fn note_callback(
        &self,
        frames: usize,
        now: HostTime,
        latency: Duration,
        relocks: u64,
    ) {
        self.callbacks.fetch_add(1, Ordering::Relaxed);
        self.frames.fetch_add(frames as u64, Ordering::Relaxed);
        self.period_frames.store(frames as u64, Ordering::Relaxed);
        self.latency_nanos.store(nanos_of(latency), Ordering::Relaxed);
        self.last_callback_nanos.store(now.as_nanos(), Ordering::Relaxed);
        self.relocks.store(relocks, Ordering::Relaxed);
    }
}

fn nanos_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
