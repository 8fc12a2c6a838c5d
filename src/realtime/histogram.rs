//! How long things took: a histogram that a callback may write to and any thread may read.
//!
//! Buckets are exact below 64 and 1/64 of their octave wide above (at most 1.6 % of the value), over all of
//! `u64`. Recording is four relaxed atomic operations. A snapshot is taken while others record: it may miss
//! the very last values, and each of its figures comes from the same copy of the buckets.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// log2 of the buckets per octave.
const OCTAVE_BITS: u32 = 6;
/// Buckets per octave.
const PER_OCTAVE: usize = 1 << OCTAVE_BITS;
/// The exact ones, then those of the octaves from 2^6 to 2^63.
const BUCKETS: usize = PER_OCTAVE + (64 - OCTAVE_BITS as usize) * PER_OCTAVE;

/// The bucket that holds `value`.
const fn bucket_of(value: u64) -> usize {
    if value < PER_OCTAVE as u64 {
        return value as usize;
    }
    let octave = value.ilog2() - OCTAVE_BITS;
    let within = (value >> octave) as usize - PER_OCTAVE;
    (octave as usize + 1) * PER_OCTAVE + within
}

/// The largest value that `bucket` holds.
const fn top_of(bucket: usize) -> u64 {
    if bucket < PER_OCTAVE {
        return bucket as u64;
    }
    let octave = (bucket / PER_OCTAVE - 1) as u32;
    let lowest = ((PER_OCTAVE + bucket % PER_OCTAVE) as u64) << octave;
    lowest + ((1 << octave) - 1)
}

/// Counts of values by size, in nanoseconds or any other unit. Recording is wait-free and real-time safe.
pub struct Histogram {
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
    max: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// An empty histogram: 30 KB.
    #[must_use]
    pub fn new() -> Self {
        Self {
            counts: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
            max: AtomicU64::new(0),
        }
    }

    /// Counts one value.
    pub fn record(&self, value: u64) {
        self.counts[bucket_of(value)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
        self.max.fetch_max(value, Ordering::Relaxed);
    }

    /// Everything recorded so far. Allocates: not for the real-time side.
    #[must_use]
    pub fn snapshot(&self) -> HistogramSnapshot {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let sum = self.sum.load(Ordering::Relaxed);
        HistogramSnapshot::of(counts, sum, self.max.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram").field("max", &self.max).finish_non_exhaustive()
    }
}

/// What a histogram held at one moment. All figures are 0 while `count` is 0.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistogramSnapshot {
    counts: Box<[u64]>,
    /// Values recorded.
    pub count: u64,
    /// Sum of the values, modulo 2^64.
    pub sum: u64,
    /// The largest value, exact (to the bucket in a [`since`](Self::since)).
    pub max: u64,
    /// The median.
    pub p50: u64,
    /// 95 % of the values are at most this.
    pub p95: u64,
    /// 99 % of the values are at most this.
    pub p99: u64,
    /// 99.9 % of the values are at most this.
    pub p999: u64,
}

impl Default for HistogramSnapshot {
    fn default() -> Self {
        Self::of(vec![0; BUCKETS].into(), 0, 0)
    }
}

impl HistogramSnapshot {
    fn of(counts: Box<[u64]>, sum: u64, max: u64) -> Self {
        let count = counts.iter().sum();
        let mut seen = Self { counts, count, sum, max, p50: 0, p95: 0, p99: 0, p999: 0 };
        seen.p50 = seen.percentile(0.5);
        seen.p95 = seen.percentile(0.95);
        seen.p99 = seen.percentile(0.99);
        seen.p999 = seen.percentile(0.999);
        seen
    }

    /// The smallest value that a fraction `q` (0..=1) of all values do not exceed, never told too small and
    /// at most 1.6 % too large.
    #[must_use]
    pub fn percentile(&self, q: f64) -> u64 {
        let rank = rank_of(q, self.count);
        let mut seen = 0;
        for (bucket, &count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank && count > 0 {
                return top_of(bucket).min(self.max);
            }
        }
        0
    }

    /// The mean, 0 of nothing.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum as f64 / self.count as f64 }
    }

    /// What was recorded between `earlier` and this snapshot of the same histogram: a moving window.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let counts: Box<[u64]> = self
            .counts
            .iter()
            .zip(&earlier.counts)
            .map(|(now, before)| now.saturating_sub(*before))
            .collect();
        let largest = counts.iter().rposition(|&count| count > 0);
        let max = largest.map_or(0, |bucket| top_of(bucket).min(self.max));
        Self::of(counts, self.sum.wrapping_sub(earlier.sum), max)
    }
}

impl fmt::Debug for HistogramSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistogramSnapshot")
            .field("count", &self.count)
            .field("p50", &self.p50)
            .field("p95", &self.p95)
            .field("p99", &self.p99)
            .field("p999", &self.p999)
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

/// Which of `count` values in order, from 1, a fraction `q` points at.
fn rank_of(q: f64, count: u64) -> u64 {
    ((q.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count.max(1))
}

/// Counts of values that may be negative: errors of time, in nanoseconds. Recording is real-time safe.
#[derive(Debug, Default)]
pub struct SignedHistogram {
    below_zero: Histogram,
    from_zero: Histogram,
}

impl SignedHistogram {
    /// An empty histogram: 60 KB.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one value.
    pub fn record(&self, value: i64) {
        let side = if value < 0 { &self.below_zero } else { &self.from_zero };
        side.record(value.unsigned_abs());
    }

    /// Everything recorded so far. Allocates: not for the real-time side.
    #[must_use]
    pub fn snapshot(&self) -> SignedSnapshot {
        SignedSnapshot {
            below_zero: self.below_zero.snapshot(),
            from_zero: self.from_zero.snapshot(),
        }
    }
}

/// What a signed histogram held at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedSnapshot {
    below_zero: HistogramSnapshot,
    from_zero: HistogramSnapshot,
}

impl SignedSnapshot {
    /// Values recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.below_zero.count + self.from_zero.count
    }

    /// The value that a fraction `q` (0..=1) of all values do not exceed; `None` of nothing.
    #[must_use]
    pub fn percentile(&self, q: f64) -> Option<i64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = rank_of(q, count);
        let mut seen = 0;
        self.ascending().find_map(|(value, count)| {
            seen += count;
            (seen >= rank).then_some(value)
        })
    }

    /// The median; `None` of nothing.
    #[must_use]
    pub fn p50(&self) -> Option<i64> {
        self.percentile(0.5)
    }

    /// How far from the median a fraction `q` (0..=1) of all values lie at most: the jitter; `None` of nothing.
    #[must_use]
    pub fn jitter(&self, q: f64) -> Option<u64> {
        let median = self.p50()?;
        let mut distances: Vec<(u64, u64)> =
            self.ascending().map(|(value, count)| (value.abs_diff(median), count)).collect();
        distances.sort_unstable();
        let rank = rank_of(q, self.count());
        let mut seen = 0;
        distances.into_iter().find_map(|(distance, count)| {
            seen += count;
            (seen >= rank).then_some(distance)
        })
    }

    /// The largest distance from zero; 0 of nothing.
    #[must_use]
    pub fn max_abs(&self) -> u64 {
        self.below_zero.max.max(self.from_zero.max)
    }

    /// What was recorded between `earlier` and this snapshot of the same histogram: a moving window.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            below_zero: self.below_zero.since(&earlier.below_zero),
            from_zero: self.from_zero.since(&earlier.from_zero),
        }
    }

    /// Each bucket that is not empty: its value farthest from zero that can have occurred, and its count.
    fn ascending(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        fn filled(side: &HistogramSnapshot) -> impl DoubleEndedIterator<Item = (i64, u64)> + '_ {
            side.counts.iter().enumerate().filter(|(_, count)| **count > 0).map(
                |(bucket, &count)| {
                    let value = top_of(bucket).min(side.max);
                    (i64::try_from(value).unwrap_or(i64::MAX), count)
                },
            )
        }
        let below = filled(&self.below_zero).rev().map(|(value, count)| (-value, count));
        below.chain(filled(&self.from_zero))
    }
}

#[cfg(test)]
mod tests {
    use super::super::no_alloc::watch;
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket_and_no_bucket_is_wider_than_three_percent() {
        let mut values: Vec<u64> = (0..5_000).collect();
        values.extend((0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]));
        values.push(u64::MAX);
        for value in values {
            let bucket = bucket_of(value);
            let top = top_of(bucket);
            assert!(top >= value && top - value <= value / 64, "{value} in a bucket up to {top}");
            assert!(bucket == 0 || top_of(bucket - 1) < value);
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_of_a_known_set_are_right_within_a_bucket() {
        let histogram = Histogram::new();
        for value in 1..=100_000 {
            histogram.record(value);
        }
        let seen = histogram.snapshot();
        assert_eq!((seen.count, seen.max), (100_000, 100_000));
        assert_eq!(seen.mean(), 50_000.5);
        for (told, true_value) in
            [(seen.p50, 50_000), (seen.p95, 95_000), (seen.p99, 99_000), (seen.p999, 99_900)]
        {
            assert!(told >= true_value && told - true_value <= true_value / 64, "{told}");
        }
        assert_eq!((seen.percentile(0.0), seen.percentile(1.0)), (1, 100_000));
    }

    #[test]
    fn an_empty_histogram_has_only_zeros() {
        let seen = Histogram::new().snapshot();
        assert_eq!(seen, HistogramSnapshot::default());
        assert_eq!((seen.count, seen.max, seen.p50, seen.p999), (0, 0, 0, 0));
        assert_eq!(SignedHistogram::new().snapshot().p50(), None);
        assert_eq!(SignedHistogram::new().snapshot().jitter(0.95), None);
    }

    #[test]
    fn a_window_holds_only_what_came_after() {
        let histogram = Histogram::new();
        histogram.record(1_000_000);
        let before = histogram.snapshot();
        (0..10).for_each(|_| histogram.record(50));
        let window = histogram.snapshot().since(&before);
        assert_eq!((window.count, window.p50, window.max, window.sum), (10, 50, 50, 500));
    }

    #[test]
    fn recording_uses_no_heap() {
        let (plain, signed) = (Histogram::new(), SignedHistogram::new());
        let ((), touched) = watch(|| {
            for value in 0..1_000_i64 {
                plain.record(value as u64 * 977);
                signed.record(value - 500);
            }
        });
        assert_eq!(touched, 0);
    }

    #[test]
    fn values_recorded_on_many_threads_are_all_counted() {
        let histogram = Histogram::new();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let histogram = &histogram;
                scope.spawn(move || (0..5_000).for_each(|i| histogram.record(i * 4 + thread)));
            }
        });
        let seen = histogram.snapshot();
        assert_eq!((seen.count, seen.max), (20_000, 19_999));
        assert_eq!(seen.sum, (0..20_000).sum::<u64>());
    }

    #[test]
    fn errors_of_both_signs_keep_their_order() {
        let errors = SignedHistogram::new();
        for value in [-40, -3, -2, -1, 0, 1, 2, 3, 60] {
            errors.record(value);
        }
        let seen = errors.snapshot();
        assert_eq!((seen.count(), seen.max_abs()), (9, 60));
        assert_eq!(
            (seen.percentile(0.0), seen.p50(), seen.percentile(1.0)),
            (Some(-40), Some(0), Some(60))
        );
        assert_eq!(seen.percentile(0.25), Some(-2));
        assert_eq!(
            (seen.jitter(0.5), seen.jitter(0.75), seen.jitter(1.0)),
            (Some(2), Some(3), Some(60))
        );
    }

    #[test]
    fn the_extremes_of_i64_are_counted_and_do_not_overflow() {
        let errors = SignedHistogram::new();
        errors.record(i64::MIN);
        errors.record(i64::MAX);
        let seen = errors.snapshot();
        assert_eq!(seen.count(), 2);
        assert!(seen.percentile(0.0).unwrap() < seen.percentile(1.0).unwrap());
        assert!(seen.jitter(1.0).is_some());
    }
}
