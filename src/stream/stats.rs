//! What a stream counts, readable while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::sync::{SyncRecord, SyncSnapshot};
use crate::dac::LinkStats;
use crate::realtime::{Histogram, HistogramSnapshot};

/// The counters of a running stream. Clones share them; reading never disturbs the stream.
#[derive(Clone, Debug)]
pub struct StreamStats {
    pub(super) counters: Arc<Counters>,
    pub(super) link: LinkStats,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) chunks: AtomicU64,
    pub(super) points: AtomicU64,
    pub(super) starved: AtomicU64,
    pub(super) underruns: AtomicU64,
    pub(super) missed_ticks: AtomicU64,
    pub(super) early_wakes: AtomicU64,
    pub(super) kept: AtomicU64,
    pub(super) flushes: AtomicU64,
    pub(super) clamped_requests: AtomicU64,
    pub(super) rejected_reports: AtomicU64,
    pub(super) drain_ns: AtomicU64,
    pub(super) buffered_now: AtomicU64,
    pub(super) buffered: Histogram,
    pub(super) callback_ns: Histogram,
    pub(super) ahead_ns: Histogram,
    pub(super) sync: SyncRecord,
}

/// Adds one.
pub(super) fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StatsSnapshot {
    /// Chunks queued.
    pub chunks: u64,
    /// Points queued.
    pub points: u64,
    /// Times the producer had nothing.
    pub starved: u64,
    /// Times the underrun policy stepped in.
    pub underruns: u64,
    /// Times the device ran empty.
    pub device_underflows: u64,
    /// Ticks skipped because the one before took too long.
    pub missed_ticks: u64,
    /// Times the producer was asked before its tick because the buffer was nearly empty.
    pub early_wakes: u64,
    /// Times the queue or the device was full and points were kept.
    pub would_block: u64,
    /// Times the connection was made again.
    pub reconnects: u64,
    /// Times everything queued was dropped for a new epoch.
    pub flushes: u64,
    /// Requests that wanted more than a chunk holds just to be safe: the buffers are too long or the chunk
    /// is too short.
    pub clamped_requests: u64,
    /// Device reports that could not be true.
    pub rejected_reports: u64,
    /// How long the last points took to play out at the end, ms.
    pub drain_ms: f64,
    /// Points ahead of the mirrors now, a cautious estimate.
    pub buffered_points: u64,
    /// The fewest points ahead of the mirrors at a tick, once the device played.
    pub buffered_min: u64,
    /// The most.
    pub buffered_max: u64,
    /// The mean.
    pub buffered_mean: f64,
}

impl StreamStats {
    pub(super) fn new(link: LinkStats) -> Self {
        Self { counters: Arc::default(), link }
    }

    /// All counters now. Allocates: not for the real-time side.
    #[must_use]
    pub fn read(&self) -> StatsSnapshot {
        let counters = &*self.counters;
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let link = self.link.read();
        let buffered = counters.buffered.snapshot();
        StatsSnapshot {
            chunks: load(&counters.chunks),
            points: load(&counters.points),
            starved: load(&counters.starved),
            underruns: load(&counters.underruns),
            device_underflows: link.underflows,
            missed_ticks: load(&counters.missed_ticks),
            early_wakes: load(&counters.early_wakes),
            would_block: link.would_block + load(&counters.kept),
            reconnects: link.reconnects,
            flushes: load(&counters.flushes),
            clamped_requests: load(&counters.clamped_requests),
            rejected_reports: load(&counters.rejected_reports),
            drain_ms: load(&counters.drain_ns) as f64 * 1e-6,
            buffered_points: load(&counters.buffered_now),
            buffered_min: buffered.percentile(0.0),
            buffered_max: buffered.max,
            buffered_mean: buffered.mean(),
        }
    }

    /// The time of points that is kept ahead of the mirrors now; `None` before the device thread has said.
    #[must_use]
    pub fn needed_buffer(&self) -> Option<Duration> {
        self.link.needed_buffer()
    }

    /// How long producing and queueing took, ns. Allocates.
    #[must_use]
    pub fn callback_times(&self) -> HistogramSnapshot {
        self.counters.callback_ns.snapshot()
    }

    /// How long the driver took for each write, ns. Allocates.
    #[must_use]
    pub fn write_times(&self) -> HistogramSnapshot {
        self.link.write_times()
    }

    /// How long before its light a point was made, ns: the latency of the buffers. Allocates.
    #[must_use]
    pub fn latency(&self) -> HistogramSnapshot {
        self.counters.ahead_ns.snapshot()
    }

    /// How well light meets sound. Allocates.
    #[must_use]
    pub fn sync(&self) -> SyncSnapshot {
        self.counters.sync.snapshot()
    }

    /// Notes how long one callback took, ns: for drivers outside this module. Real-time safe.
    pub fn record_callback(&self, nanos: u64) {
        self.counters.callback_ns.record(nanos);
    }
}
