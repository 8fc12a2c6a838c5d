//! What a device thread and its stream tell each other.
//!
//! Downwards go the points (through the safety queue) and the wishes of [`LinkControl`]; upwards come
//! [`LinkReport`]s and the counters of [`LinkStats`]. Nothing here locks, waits or allocates after start.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::realtime::{Histogram, HistogramSnapshot, RingReceiver, RingSender, ring};
use crate::time::{HostTime, StreamInstant};

/// The device's truth, mapped to stream time by the thread that knows what the device has accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkReport {
    /// When this was true.
    pub at: HostTime,
    /// One past the last point the device has accepted. Points that were dropped by a flush count as
    /// accepted, so that this never goes back.
    pub accepted: StreamInstant,
    /// The point leaving the mirrors at `at`: `accepted` less what the device holds. `None` where the
    /// device does not say, or does not play.
    pub playing: Option<StreamInstant>,
    /// The rate it plays at, points per second; `None` while it does not play.
    pub playing_pps: Option<u32>,
    /// Points in the device, raw.
    pub device_queued: Option<u64>,
    /// Grows with every break in the flow: underflow, stop, flush, reconnect. The map from points to time
    /// holds only within one value.
    pub discontinuity: u32,
    /// Grows when points may have been lost on the way to the device: the map from points to time may have made
    /// a small step, while light goes on.
    pub gaps: u32,
    /// True while connected and not in emergency stop: what is queued then is for the mirrors. Otherwise it is dropped.
    pub connected: bool,
}

/// A bounded way for reports from the device thread to its stream. Takes all its memory here.
#[must_use]
pub fn reports(capacity: usize) -> (ReportSender, ReportReceiver) {
    let (tx, rx) = ring(capacity);
    (ReportSender(tx), ReportReceiver(rx))
}

/// The device thread's end.
#[derive(Debug)]
pub struct ReportSender(RingSender<LinkReport>);

impl ReportSender {
    /// Hands a report over; false if the stream has not read for so long that there is no room.
    pub fn send(&mut self, report: LinkReport) -> bool {
        self.0.push_or_drop(report)
    }
}

/// The stream's end.
#[derive(Debug)]
pub struct ReportReceiver(RingReceiver<LinkReport>);

impl ReportReceiver {
    /// The oldest report not read yet.
    #[allow(clippy::should_implement_trait, reason = "it may have more after it has had none")]
    pub fn next(&mut self) -> Option<LinkReport> {
        self.0.pop()
    }

    /// False once the device thread is gone.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.0.is_connected()
    }
}

/// What the stream wishes of its device thread. Clones share one set of words.
#[derive(Clone, Debug, Default)]
pub struct LinkControl(Arc<Wishes>);

#[derive(Debug, Default)]
struct Wishes {
    pps: AtomicU32,
    flush_up_to: AtomicU64,
    dark_up_to: AtomicU64,
    least_buffer_ns: AtomicU64,
    fixed_buffer_ns: AtomicU64,
    low_points: AtomicU32,
    high_points: AtomicU32,
    estop_resets: AtomicU32,
    close: AtomicBool,
}

impl LinkControl {
    /// Wishes for a stream at `pps` points per second; nothing to flush, no bounds set.
    #[must_use]
    pub fn new(pps: u32) -> Self {
        let control = Self::default();
        control.set_pps(pps);
        control
    }

    /// The rate the stream has now, points per second. A change reaches the device with the first point made
    /// for it: see `docs/decisions/0006-a-rate-rides-with-its-points.md`.
    #[must_use]
    pub fn pps(&self) -> u32 {
        self.0.pps.load(Ordering::Relaxed)
    }

    /// See [`pps`](Self::pps).
    pub fn set_pps(&self, pps: u32) {
        self.0.pps.store(pps, Ordering::Relaxed);
    }

    /// No point before this may shine any more: the device thread drops it from the queue, and clears the
    /// device by its own stop if it holds such points. Never goes back.
    #[must_use]
    pub fn flush_up_to(&self) -> StreamInstant {
        StreamInstant(self.0.flush_up_to.load(Ordering::Acquire))
    }

    /// See [`flush_up_to`](Self::flush_up_to).
    pub fn request_flush(&self, up_to: StreamInstant) {
        self.0.flush_up_to.fetch_max(up_to.0, Ordering::AcqRel);
    }

    /// No point before this that the device has not got yet may shine: it goes out dark, and the flow goes on. Never goes
    /// back.
    #[must_use]
    pub fn dark_up_to(&self) -> StreamInstant {
        StreamInstant(self.0.dark_up_to.load(Ordering::Acquire))
    }

    /// See [`dark_up_to`](Self::dark_up_to).
    pub fn request_darkness(&self, up_to: StreamInstant) {
        self.0.dark_up_to.fetch_max(up_to.0, Ordering::AcqRel);
    }

    /// Time of points to keep ahead on a line without fault; zero while the stream has not said.
    #[must_use]
    pub fn least_buffer(&self) -> Duration {
        Duration::from_nanos(self.0.least_buffer_ns.load(Ordering::Relaxed))
    }

    /// See [`least_buffer`](Self::least_buffer).
    pub fn set_least_buffer(&self, least: Duration) {
        let nanos = u64::try_from(least.as_nanos()).unwrap_or(u64::MAX);
        self.0.least_buffer_ns.store(nanos, Ordering::Relaxed);
    }

    /// The time of points to keep ahead that a hand has set, whatever the line is like.
    #[must_use]
    pub fn fixed_buffer(&self) -> Option<Duration> {
        let nanos = self.0.fixed_buffer_ns.load(Ordering::Relaxed);
        (nanos > 0).then(|| Duration::from_nanos(nanos))
    }

    /// See [`fixed_buffer`](Self::fixed_buffer).
    pub fn fix_buffer(&self, buffer: Option<Duration>) {
        let nanos = buffer.map_or(0, |buffer| buffer.as_nanos());
        self.0.fixed_buffer_ns.store(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Points the device should hold: below the first number it is time to write, up to the second a write
    /// is wanted. `(0, 0)`: as the driver sees fit.
    #[must_use]
    pub fn device_fill(&self) -> (u32, u32) {
        (self.0.low_points.load(Ordering::Relaxed), self.0.high_points.load(Ordering::Relaxed))
    }

    /// See [`device_fill`](Self::device_fill).
    pub fn set_device_fill(&self, low: u32, high: u32) {
        self.0.low_points.store(low.min(high), Ordering::Relaxed);
        self.0.high_points.store(high, Ordering::Relaxed);
    }

    /// How often an operator has asked to clear the device's emergency stop.
    #[must_use]
    pub fn estop_resets(&self) -> u32 {
        self.0.estop_resets.load(Ordering::Acquire)
    }

    /// Asks to clear the device's emergency stop.
    pub fn request_estop_reset(&self) {
        self.0.estop_resets.fetch_add(1, Ordering::AcqRel);
    }

    /// True once the stream is over: dark, device closed, thread ended.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.0.close.load(Ordering::Acquire)
    }

    /// Ends the device thread: it goes dark by the device's own stop, closes, and returns.
    pub fn request_close(&self) {
        self.0.close.store(true, Ordering::Release);
    }
}

/// What a device thread counts. Clones share one set of counters; a reader sees each grow.
#[derive(Clone, Debug, Default)]
pub struct LinkStats(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    writes: AtomicU64,
    would_block: AtomicU64,
    underflows: AtomicU64,
    reconnects: AtomicU64,
    dropped_points: AtomicU64,
    buffer_ns: AtomicU64,
    write_ns: Histogram,
}

/// The counters of a device thread at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// Chunks the device has taken.
    pub writes: u64,
    /// Times the device had no room and the same chunk was kept.
    pub would_block: u64,
    /// Times the device ran empty.
    pub underflows: u64,
    /// Times the connection was made again.
    pub reconnects: u64,
    /// Points dropped by a flush, while there was no connection, or while the device rested.
    pub dropped_points: u64,
}

impl LinkStats {
    /// A chunk was taken after `nanos` in the driver.
    pub fn wrote(&self, nanos: u64) {
        self.0.writes.fetch_add(1, Ordering::Relaxed);
        self.0.write_ns.record(nanos);
    }

    /// A chunk did not fit.
    pub fn would_block(&self) {
        self.0.would_block.fetch_add(1, Ordering::Relaxed);
    }

    /// The device ran empty `times` more.
    pub fn underflows(&self, times: u64) {
        self.0.underflows.fetch_add(times, Ordering::Relaxed);
    }

    /// The connection was made again.
    pub fn reconnected(&self) {
        self.0.reconnects.fetch_add(1, Ordering::Relaxed);
    }

    /// Points were dropped.
    pub fn dropped(&self, points: u64) {
        self.0.dropped_points.fetch_add(points, Ordering::Relaxed);
    }

    /// So much time of points should be ahead of the mirrors.
    pub fn needs_buffer(&self, buffer: Duration) {
        let nanos = u64::try_from(buffer.as_nanos()).unwrap_or(u64::MAX);
        self.0.buffer_ns.store(nanos, Ordering::Relaxed);
    }

    /// See [`needs_buffer`](Self::needs_buffer); `None` while the device thread has said nothing.
    #[must_use]
    pub fn needed_buffer(&self) -> Option<Duration> {
        let nanos = self.0.buffer_ns.load(Ordering::Relaxed);
        (nanos > 0).then(|| Duration::from_nanos(nanos))
    }

    /// All counters now.
    #[must_use]
    pub fn read(&self) -> LinkCounts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LinkCounts {
            writes: load(&self.0.writes),
            would_block: load(&self.0.would_block),
            underflows: load(&self.0.underflows),
            reconnects: load(&self.0.reconnects),
            dropped_points: load(&self.0.dropped_points),
        }
    }

    /// How long writes took, ns. Allocates: not for the real-time side.
    #[must_use]
    pub fn write_times(&self) -> HistogramSnapshot {
        self.0.write_ns.snapshot()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_never_goes_back() {
        let control = LinkControl::new(30_000);
        let twin = control.clone();
        control.request_flush(StreamInstant(500));
        twin.request_flush(StreamInstant(400));
        assert_eq!(control.flush_up_to(), StreamInstant(500));
    }

    #[test]
    fn a_full_report_ring_refuses_and_keeps_the_order() {
        let (mut tx, mut rx) = reports(2);
        let at = |n| LinkReport { accepted: StreamInstant(n), ..LinkReport::default() };
        assert!(tx.send(at(1)) && tx.send(at(2)));
        assert!(!tx.send(at(3)));
        assert_eq!(rx.next().unwrap().accepted, StreamInstant(1));
        assert!(tx.send(at(4)));
        assert_eq!(rx.next().unwrap().accepted, StreamInstant(2));
        assert_eq!(rx.next().unwrap().accepted, StreamInstant(4));
        assert!(rx.next().is_none());
    }

    #[test]
    fn the_low_bound_is_never_above_the_high_one() {
        let control = LinkControl::new(30_000);
        control.set_device_fill(900, 600);
        assert_eq!(control.device_fill(), (600, 600));
    }
}
