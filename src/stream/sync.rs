//! How well light meets sound, measured: what was promised against what came true.
//!
//! When points are queued the stream notes for which media time they are meant. When the timeline later
//! knows at which moment the first of them left the mirrors, the difference to the moment at which that
//! media time was heard is the error. Positive: the light came late.

use std::sync::atomic::{AtomicU64, Ordering};

use super::media_map::MediaMap;
use super::timeline::Timeline;
use crate::realtime::{SignedHistogram, SignedSnapshot};
use crate::time::{HostTime, MediaTime, StreamInstant};

/// Promises that may be open: more than two seconds of them at one per 10 ms.
const OPEN: usize = 256;
/// A promise is judged so long after its moment, when the reports about it are in.
const JUDGED_AFTER_NS: i64 = 50_000_000;
/// Drift of the error is told over so many seconds.
const DRIFT_WINDOW: f64 = 30.0;

#[derive(Clone, Copy, Debug)]
struct Promise {
    point: StreamInstant,
    plays_at: HostTime,
    /// Media time and epoch, while media time runs.
    media: Option<(MediaTime, u32)>,
}

/// What the measurement found, readable from other threads.
#[derive(Debug, Default)]
pub struct SyncRecord {
    errors: SignedHistogram,
    lost: AtomicU64,
    drift_ppm: AtomicU64,
    projector_ppm: AtomicU64,
}

/// The measurement at one moment.
#[derive(Clone, Debug, Default)]
pub struct SyncSnapshot {
    /// Errors of single promises, ns: positive is light late.
    pub errors: SignedSnapshot,
    /// Promises that can never be judged: their points were dropped, or a break in the flow hid them.
    pub lost: u64,
    /// How fast the error grows, parts per million of time.
    pub drift_ppm: f64,
    /// How much faster the projector's clock runs than the host's, parts per million: the mean over the run,
    /// from the first lock on.
    pub projector_ppm: f64,
}

impl SyncSnapshot {
    /// Median of light minus sound, ms; `None` until measured.
    #[must_use]
    pub fn offset_p50_ms(&self) -> Option<f64> {
        self.errors.p50().map(|nanos| nanos as f64 * 1e-6)
    }

    /// 95 % of the errors lie this close to the median, ms; `None` until measured.
    #[must_use]
    pub fn jitter_p95_ms(&self) -> Option<f64> {
        self.errors.jitter(0.95).map(|nanos| nanos as f64 * 1e-6)
    }

    /// The largest error, ms.
    #[must_use]
    pub fn max_ms(&self) -> f64 {
        self.errors.max_abs() as f64 * 1e-6
    }
}

impl SyncRecord {
    /// The measurement so far. Allocates: not for the real-time side.
    #[must_use]
    pub fn snapshot(&self) -> SyncSnapshot {
        SyncSnapshot {
            errors: self.errors.snapshot(),
            lost: self.lost.load(Ordering::Relaxed),
            drift_ppm: f64::from_bits(self.drift_ppm.load(Ordering::Relaxed)),
            projector_ppm: f64::from_bits(self.projector_ppm.load(Ordering::Relaxed)),
        }
    }
}

/// The open promises of one stream.
#[derive(Debug)]
pub struct SyncMeter {
    open: Box<[Option<Promise>; OPEN]>,
    first: usize,
    len: usize,
    trend: Trend,
    ppm_mean: f64,
    ppm_readings: f64,
}

impl Default for SyncMeter {
    fn default() -> Self {
        Self {
            open: Box::new([None; OPEN]),
            first: 0,
            len: 0,
            trend: Trend::default(),
            ppm_mean: 0.0,
            ppm_readings: 0.0,
        }
    }
}

impl SyncMeter {
    /// Notes that `point` was queued to leave the mirrors at `plays_at`, showing `media` of the map's epoch.
    pub fn promise(
        &mut self,
        point: StreamInstant,
        plays_at: HostTime,
        media: MediaTime,
        map: &MediaMap,
        record: &SyncRecord,
    ) {
        if self.len == OPEN {
            self.take();
            record.lost.fetch_add(1, Ordering::Relaxed);
        }
        let media = (map.rate != 0.0).then_some((media, map.epoch));
        self.open[(self.first + self.len) % OPEN] = Some(Promise { point, plays_at, media });
        self.len += 1;
    }

    /// Forgets all promises: their points were dropped.
    pub fn flush(&mut self, record: &SyncRecord) {
        record.lost.fetch_add(self.len as u64, Ordering::Relaxed);
        self.first = 0;
        self.len = 0;
    }

    /// Judges every promise whose moment has passed.
    pub fn judge(
        &mut self,
        now: HostTime,
        timeline: &Timeline,
        map: &MediaMap,
        record: &SyncRecord,
    ) {
        if !timeline.is_measured() {
            return;
        }
        while let Some(promise) = self.open[self.first].filter(|_| self.len > 0) {
            let Some(seen) = timeline.host_at(promise.point) else { break };
            if now.nanos_since(seen) < JUDGED_AFTER_NS {
                break;
            }
            self.take();
            if promise.point < timeline.flow_start() {
                record.lost.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            // With media time running, the sound is the measure; without, the promise itself.
            let due = match promise.media {
                Some((media, epoch)) if epoch == map.epoch => map.light_of_media(media),
                Some(_) => None,
                None => Some(promise.plays_at),
            };
            let Some(due) = due else { continue };
            let error = seen.nanos_since(due);
            record.errors.record(error);
            if let Some(ppm) = self.trend.add(seen, error) {
                record.drift_ppm.store(ppm.to_bits(), Ordering::Relaxed);
            }
        }
        if timeline.is_locked() {
            // The filter follows what it is told within seconds, a busy host's delays too; over a run they cancel.
            // A reading counts by the square of its number, because the first ones still hold the guess.
            self.ppm_readings += 1.0;
            let weight = 3.0 / (self.ppm_readings + 2.0);
            self.ppm_mean += weight * (timeline.projector_ppm() - self.ppm_mean);
            record.projector_ppm.store(self.ppm_mean.to_bits(), Ordering::Relaxed);
        }
    }

    fn take(&mut self) {
        self.first = (self.first + 1) % OPEN;
        self.len = self.len.saturating_sub(1);
    }
}

/// The slope of the error over time, by exponentially forgetting least squares.
#[derive(Debug, Default)]
struct Trend {
    last: Option<HostTime>,
    weight: f64,
    mean_time: f64,
    mean_error: f64,
    time_time: f64,
    time_error: f64,
    span: f64,
}

impl Trend {
    /// Takes in an error in ns; the slope in ppm once the window is half full.
    fn add(&mut self, at: HostTime, error_ns: i64) -> Option<f64> {
        let step = self.last.map_or(0.0, |last| at.secs_since(last)).max(0.0);
        self.last = Some(at);
        self.span += step;
        let keep = (-step / DRIFT_WINDOW).exp();
        // Times are counted from the newest error, so that they stay small for ever.
        self.mean_time -= step;
        self.weight *= keep;
        self.time_time *= keep;
        self.time_error *= keep;
        let error = error_ns as f64 * 1e-3;
        self.weight += 1.0;
        let (dt, de) = (-self.mean_time, error - self.mean_error);
        self.mean_time += dt / self.weight;
        self.mean_error += de / self.weight;
        self.time_time += dt * -self.mean_time;
        self.time_error += dt * (error - self.mean_error);
        (self.span > DRIFT_WINDOW / 2.0 && self.time_time > 0.0)
            .then(|| self.time_error / self.time_time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_growing_error_is_told_as_a_slope_in_ppm() {
        let mut trend = Trend::default();
        let mut slope = None;
        for k in 0..20_000_i64 {
            let at = HostTime::from_nanos(k * 10_000_000);
            // 25 µs per second, with a jitter of 100 µs that has no trend.
            slope = trend.add(at, k * 250 + (k % 7 - 3) * 33_000);
        }
        assert!((slope.unwrap() - 25.0).abs() < 1.0, "{slope:?}");
    }
}
