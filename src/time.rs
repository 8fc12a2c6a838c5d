//! Times with one meaning each, and the only place that reads a clock.
//!
//! Everything else takes the time as an argument, so that tests and renders run in virtual time.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub mod drift;

/// A moment on the host's monotonic clock, in nanoseconds (`CLOCK_MONOTONIC` on Unix).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostTime(i64);

/// A position in the music, in nanoseconds from its first sample. Negative before the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaTime(i64);

/// The count of points a stream has accepted before this one: the gapless stream time of a point.
///
/// It is logical time, not measured on hardware: `start[k+1] = start[k] + n[k]`. When the point leaves the
/// mirrors is the stream's timeline to say (`FillRequest::plays_at`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamInstant(pub u64);

impl StreamInstant {
    /// Stream time in seconds at a constant rate of `pps` points per second.
    #[must_use]
    pub fn as_secs_f64(&self, pps: u32) -> f64 {
        self.0 as f64 / f64::from(pps)
    }
}

macro_rules! nanosecond_time {
    ($time:ident) => {
        impl $time {
            /// Zero of this time line.
            pub const ZERO: Self = Self(0);

            /// From nanoseconds.
            #[must_use]
            pub const fn from_nanos(nanos: i64) -> Self {
                Self(nanos)
            }

            /// From seconds; what is not finite becomes zero.
            #[must_use]
            pub fn from_secs_f64(seconds: f64) -> Self {
                Self((seconds * 1e9) as i64)
            }

            /// In nanoseconds.
            #[must_use]
            pub const fn as_nanos(self) -> i64 {
                self.0
            }

            /// In seconds.
            #[must_use]
            pub fn as_secs_f64(self) -> f64 {
                self.0 as f64 * 1e-9
            }

            /// Time since `earlier`, zero if that lies ahead.
            #[must_use]
            pub fn since(self, earlier: Self) -> Duration {
                Duration::from_nanos(self.0.saturating_sub(earlier.0).max(0) as u64)
            }

            /// Signed nanoseconds since `other`: negative if `other` lies ahead.
            #[must_use]
            pub const fn nanos_since(self, other: Self) -> i64 {
                self.0.saturating_sub(other.0)
            }

            /// Signed seconds since `other`.
            #[must_use]
            pub fn secs_since(self, other: Self) -> f64 {
                self.nanos_since(other) as f64 * 1e-9
            }

            /// Shifted by signed nanoseconds, saturating.
            #[must_use]
            pub const fn plus_nanos(self, nanos: i64) -> Self {
                Self(self.0.saturating_add(nanos))
            }

            /// Shifted by signed seconds, saturating.
            #[must_use]
            pub fn plus_secs_f64(self, seconds: f64) -> Self {
                self.plus_nanos((seconds * 1e9).round() as i64)
            }
        }

        impl Add<Duration> for $time {
            type Output = Self;
            fn add(self, duration: Duration) -> Self {
                self.plus_nanos(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
            }
        }

        impl AddAssign<Duration> for $time {
            fn add_assign(&mut self, duration: Duration) {
                *self = *self + duration;
            }
        }

        impl Sub<Duration> for $time {
            type Output = Self;
            fn sub(self, duration: Duration) -> Self {
                self.plus_nanos(-i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
            }
        }

        impl fmt::Display for $time {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:.6} s", self.as_secs_f64())
            }
        }
    };
}

nanosecond_time!(HostTime);
nanosecond_time!(MediaTime);

impl MediaTime {
    /// The time of a sample frame at `sample_rate` frames per second, rounded to the nanosecond.
    #[must_use]
    pub fn from_frames(frames: i64, sample_rate: u32) -> Self {
        let nanos = i128::from(frames) * 1_000_000_000 / i128::from(sample_rate.max(1));
        Self(nanos as i64)
    }

    /// The sample frame that holds this time, rounded to the nearest.
    #[must_use]
    pub fn to_frames(self, sample_rate: u32) -> i64 {
        let scaled = i128::from(self.0) * i128::from(sample_rate);
        ((scaled + 500_000_000).div_euclid(1_000_000_000)) as i64
    }
}

/// The time of day, for the time stamps of files alone: it may jump.
#[must_use]
pub fn wall_clock() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// Processor time that this program has used; `None` where the system does not say.
#[must_use]
#[cfg(unix)]
pub fn process_time() -> Option<Duration> {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(used.tv_sec).ok()?;
    Some(Duration::new(seconds, u32::try_from(used.tv_nsec).ok()?))
}

/// Processor time that this program has used; `None` where the system does not say.
#[must_use]
#[cfg(not(unix))]
pub fn process_time() -> Option<Duration> {
    None
}

/// Something that tells and awaits host time.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> HostTime;
    /// Waits until `when`; returns at once if it has passed. Never called on a real-time thread.
    fn sleep_until(&self, when: HostTime);
    /// As [`sleep_until`](Self::sleep_until), but an unpark of this thread ends it early, one that came before too.
    fn nap_until(&self, when: HostTime) {
        self.sleep_until(when);
    }
}

/// The machine's monotonic clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The present moment; no allocation, no lock (a vDSO read on Linux).
    #[must_use]
    #[cfg(unix)]
    pub fn read() -> HostTime {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        HostTime(now.tv_sec * 1_000_000_000 + now.tv_nsec)
    }

    /// The present moment, counted from the first call in this process.
    #[must_use]
    #[cfg(not(unix))]
    #[allow(clippy::disallowed_methods, reason = "this is the clock module")]
    pub fn read() -> HostTime {
        use std::sync::OnceLock;
        use std::time::Instant;
        static START: OnceLock<Instant> = OnceLock::new();
        HostTime(START.get_or_init(Instant::now).elapsed().as_nanos() as i64)
    }
}

impl Clock for SystemClock {
    fn now(&self) -> HostTime {
        Self::read()
    }

    #[allow(clippy::disallowed_methods, reason = "this is the clock module")]
    fn sleep_until(&self, when: HostTime) {
        let wait = when.since(Self::read());
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
    }

    #[allow(clippy::disallowed_methods, reason = "this is the clock module")]
    fn nap_until(&self, when: HostTime) {
        let wait = when.since(Self::read());
        if !wait.is_zero() {
            std::thread::park_timeout(wait);
        }
    }
}

/// A clock that stands still until told: virtual time for tests and offline renders.
///
/// Clones share one time. `sleep_until` moves the time forward instead of waiting.
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn starting_at(start: HostTime) -> Self {
        Self(Arc::new(AtomicI64::new(start.0)))
    }

    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> HostTime {
        HostTime(self.0.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, when: HostTime) {
        self.0.fetch_max(when.0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LS-04: 30 000 points at 30 kpps are one second; large values stay exact.
    #[test]
    fn stream_instants_convert_to_seconds_exactly() {
        assert_eq!(StreamInstant(30_000).as_secs_f64(30_000), 1.0);
        let day = StreamInstant(30_000 * 86_400);
        assert_eq!(day.as_secs_f64(30_000), 86_400.0);
    }

    #[test]
    fn media_time_and_frames_round_trip() {
        for rate in [44_100_u32, 48_000, 96_000] {
            for frame in [0_i64, 1, 44_099, 123_456_789, -7] {
                assert_eq!(MediaTime::from_frames(frame, rate).to_frames(rate), frame);
            }
        }
    }

    #[test]
    fn time_differences_are_signed_or_saturate() {
        let (a, b) = (HostTime::from_nanos(10), HostTime::from_nanos(25));
        assert_eq!(b.since(a), Duration::from_nanos(15));
        assert_eq!(a.since(b), Duration::ZERO);
        assert_eq!(a.nanos_since(b), -15);
    }

    #[test]
    fn a_manual_clock_sleeps_by_moving() {
        let clock = ManualClock::default();
        let twin = clock.clone();
        clock.sleep_until(HostTime::from_nanos(500));
        twin.advance(Duration::from_nanos(50));
        assert_eq!(clock.now(), HostTime::from_nanos(550));
        clock.sleep_until(HostTime::from_nanos(1));
        assert_eq!(clock.now(), HostTime::from_nanos(550));
    }

    #[test]
    fn the_system_clock_never_goes_back() {
        let first = SystemClock.now();
        assert!(SystemClock.now() >= first);
    }
}
