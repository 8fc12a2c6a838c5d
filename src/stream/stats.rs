//! What a stream counts, readable while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::dac::LinkStats;

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
    pub(super) kept: AtomicU64,
    pub(super) flushes: AtomicU64,
    pub(super) clamped_requests: AtomicU64,
    pub(super) buffered: AtomicU64,
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
    /// Times the queue or the device was full and points were kept.
    pub would_block: u64,
    /// Times the connection was made again.
    pub reconnects: u64,
    /// Points ahead of the mirrors now, a cautious estimate.
    pub buffered_points: u64,
}

impl StreamStats {
    pub(super) fn new(link: LinkStats) -> Self {
        Self { counters: Arc::default(), link }
    }

    /// All counters now.
    #[must_use]
    pub fn read(&self) -> StatsSnapshot {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let link = self.link.read();
        StatsSnapshot {
            chunks: load(&self.counters.chunks),
            points: load(&self.counters.points),
            starved: load(&self.counters.starved),
            underruns: load(&self.counters.underruns),
            device_underflows: link.underflows,
            missed_ticks: load(&self.counters.missed_ticks),
            would_block: link.would_block + load(&self.counters.kept),
            reconnects: link.reconnects,
            buffered_points: load(&self.counters.buffered),
        }
    }
}
