//! The software clock: plays the callback's part where there is no sound card.
//!
//! [`SoftwareClock`] is the plan, a value in anybody's time; [`SoftwareOutput`] is the thread around it.
//! Periods fall on absolute deadlines, so that a late wake-up causes no drift. After a short stall it catches
//! up period by period; after a long one it skips what was missed and counts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::realtime::priority::{self, Urgency};
use crate::time::{Clock, HostTime};

use super::handover::Handover;
use super::output::OutputCallback;

/// What an operator reads when the software clock stands in.
pub const SOFTWARE_CLOCK_NOTICE: &str = "No sound card answers: the show runs silently on a software clock. \
     Connect a sound device and choose it with --audio.";
/// Frames in one period of the software clock.
pub const SOFTWARE_PERIOD_FRAMES: usize = 256;
/// Periods that are made up for after a stall; older ones are skipped.
const CATCH_UP_PERIODS: u64 = 8;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing before this moment.
    At(HostTime),
    /// A period that should have run at this moment.
    Period(HostTime),
    /// As [`Due::Period`], after periods that were given up: the stall was too long to catch up.
    Relocked(HostTime),
}

/// When the next period is due.
#[derive(Clone, Copy, Debug)]
pub struct SoftwareClock {
    sample_rate: u32,
    start: HostTime,
    /// Periods since `start`, run or skipped.
    periods: u64,
    skipped: u64,
}

impl SoftwareClock {
    /// A clock whose first period is due at `start`. A rate of 0 counts as 1.
    #[must_use]
    pub fn starting_at(start: HostTime, sample_rate: u32) -> Self {
        Self { sample_rate: sample_rate.max(1), start, periods: 0, skipped: 0 }
    }

    /// Says what is due; a period is given out once.
    pub fn due(&mut self, now: HostTime) -> Due {
        let next = self.deadline(self.periods);
        if now < next {
            return Due::At(next);
        }
        let late = self.periods_until(now) - self.periods;
        if late > CATCH_UP_PERIODS {
            self.skipped += late;
            self.periods += late + 1;
            return Due::Relocked(self.deadline(self.periods - 1));
        }
        self.periods += 1;
        Due::Period(next)
    }

    /// Periods that were given up after long stalls.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    fn deadline(&self, period: u64) -> HostTime {
        let frames = u128::from(period) * SOFTWARE_PERIOD_FRAMES as u128;
        let nanos = frames * 1_000_000_000 / u128::from(self.sample_rate);
        self.start.plus_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    /// The latest period whose deadline is not after `now`.
    fn periods_until(&self, now: HostTime) -> u64 {
        let elapsed = now.nanos_since(self.start).max(0) as u128;
        let per_second = u128::from(self.sample_rate);
        let period = elapsed * per_second / (SOFTWARE_PERIOD_FRAMES as u128 * 1_000_000_000);
        // Deadlines are rounded down to the nanosecond, so the next one may just have been reached.
        let period = u64::try_from(period).unwrap_or(u64::MAX - 1);
        if self.deadline(period + 1) <= now { period + 1 } else { period }
    }
}

/// The thread that drives an [`OutputCallback`] by a software clock. Ends when dropped.
#[derive(Debug)]
pub struct SoftwareOutput {
    stop: Arc<AtomicBool>,
    skipped: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl SoftwareOutput {
    /// Starts the thread.
    pub fn start(
        callback: &Handover<OutputCallback>,
        sample_rate: u32,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let skipped = Arc::new(AtomicU64::new(0));
        let (stopped, skips, mut driver) =
            (Arc::clone(&stop), Arc::clone(&skipped), callback.new_driver());
        let thread =
            std::thread::Builder::new().name("software-clock".into()).spawn(move || {
                driver.counters().note_priority(priority::request(Urgency::Device));
                let mut plan = SoftwareClock::starting_at(clock.now(), sample_rate);
                let mut unheard = [0.0; 2 * SOFTWARE_PERIOD_FRAMES];
                while !stopped.load(Ordering::Acquire) {
                    let due = match plan.due(clock.now()) {
                        Due::At(when) => {
                            clock.sleep_until(when);
                            continue;
                        }
                        Due::Period(due) => due,
                        Due::Relocked(due) => {
                            skips.store(plan.skipped(), Ordering::Relaxed);
                            driver.counters().note_xrun();
                            due
                        }
                    };
                    let begun = clock.now();
                    driver.run(|output| output.run(&mut unheard, 2, due, Duration::ZERO));
                    driver.counters().note_duration(clock.now().since(begun));
                }
            })?;
        Ok(Self { stop, skipped, thread: Some(thread) })
    }

    /// Periods that were given up after long stalls.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }
}

impl Drop for SoftwareOutput {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: i64) -> HostTime {
        HostTime::from_nanos(nanos)
    }

    #[test]
    fn deadlines_are_absolute_so_late_wake_ups_cause_no_drift() {
        let mut clock = SoftwareClock::starting_at(at(1000), 48_000);
        assert_eq!(clock.due(at(0)), Due::At(at(1000)));
        let mut now = at(1000);
        for period in 0..1_000_000_i64 {
            let deadline = at(1000 + period * 256 * 1_000_000_000 / 48_000);
            assert_eq!(clock.due(now), Due::Period(deadline));
            let Due::At(next) = clock.due(now) else { panic!("two periods at once") };
            // Woken a little later each time, in a pattern.
            now = next.plus_nanos(period % 7 * 300_000);
        }
        assert_eq!(clock.skipped(), 0);
    }

    #[test]
    fn a_short_stall_is_caught_up_and_a_long_one_is_skipped_and_counted() {
        let deadline = |k: i64| at(k * 256_000_000_000 / 48_000);
        let mut clock = SoftwareClock::starting_at(at(0), 48_000);
        for k in 0..=8 {
            assert_eq!(clock.due(deadline(8)), Due::Period(deadline(k)));
        }
        assert_eq!(clock.due(deadline(8)), Due::At(deadline(9)));
        let late = at(1_000_000_000);
        let Due::Relocked(when) = clock.due(late) else { panic!("not skipped") };
        assert!(when <= late && late.nanos_since(when) <= 5_333_334);
        assert!(matches!(clock.due(late), Due::At(next) if next > late));
        assert_eq!(clock.skipped(), 187 - 9);
    }

    #[test]
    fn no_moment_makes_it_panic_or_run_backwards() {
        for rate in [0, 1, 44_100, u32::MAX] {
            let mut clock = SoftwareClock::starting_at(at(-5), rate);
            let mut last = at(i64::MIN);
            for now in [i64::MIN, -6, -5, 0, 1, 10_000_000_000, i64::MAX / 2, i64::MAX] {
                if let Due::Period(when) | Due::Relocked(when) = clock.due(at(now)) {
                    assert!(when >= last && when <= at(now));
                    last = when;
                }
            }
        }
    }
}
