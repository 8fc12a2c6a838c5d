//! A stream with its own clock: a loop over tick and submit.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::config::Pacing;
use super::core::{RunExit, Stream};
use super::fill::Producer;
use super::stats::bump;
use crate::time::{Clock, HostTime};

/// The longest wait at once, so that a stop acts soon.
const SLICE: Duration = Duration::from_millis(2);
/// The shortest wait before the producer is asked out of turn.
const SHORTEST: Duration = Duration::from_millis(1);

/// Sees to it that the stream is dark whatever ends the loop, a panic of the producer included.
struct DarkAtLast<'a> {
    stream: &'a mut Stream,
    clock: &'a dyn Clock,
}

impl Drop for DarkAtLast<'_> {
    fn drop(&mut self) {
        self.stream.finish(self.clock.now(), RunExit::Stopped);
    }
}

/// Runs `stream` until it ends, asking `producer` for points at the pace of the configuration. Dark on
/// every way out, panics included.
///
/// Ticks have absolute deadlines: the time a producer takes causes no drift. A producer that takes longer
/// than a tick makes the loop skip ticks, never run them back to back.
pub fn run_fill<P: Producer + ?Sized>(
    stream: &mut Stream,
    clock: &dyn Clock,
    producer: &mut P,
) -> RunExit {
    let guard = DarkAtLast { stream, clock };
    let stats = guard.stream.control().stats().clone();
    let mut next_tick = clock.now();
    loop {
        wait(guard.stream, clock, next_tick);
        let begun = clock.now();
        guard.stream.fill_from(begun, producer);
        if let Some(exit) = guard.stream.exit() {
            return exit;
        }
        let now = clock.now();
        stats.record_callback(now.since(begun).as_nanos() as u64);
        let interval = guard.stream.config().tick_interval;
        match guard.stream.config().pacing {
            Pacing::Level => {
                next_tick = now + guard.stream.time_to_target().clamp(SHORTEST, interval);
            }
            Pacing::Tick => {
                next_tick += interval;
                let missed = skip_missed(&mut next_tick, interval, now);
                stats.counters.missed_ticks.fetch_add(missed, Ordering::Relaxed);
                // Once per tick at most, and not at once: a starved producer would spin.
                if guard.stream.is_nearly_empty() && now + SHORTEST < next_tick {
                    bump(&stats.counters.early_wakes);
                    wait(guard.stream, clock, now + SHORTEST);
                    guard.stream.fill_from(clock.now(), producer);
                    if let Some(exit) = guard.stream.exit() {
                        return exit;
                    }
                    let missed = skip_missed(&mut next_tick, interval, clock.now());
                    stats.counters.missed_ticks.fetch_add(missed, Ordering::Relaxed);
                }
            }
        }
    }
}

/// Moves a deadline that has passed to the next one that has not; returns how many were skipped.
fn skip_missed(next_tick: &mut HostTime, interval: Duration, now: HostTime) -> u64 {
    let late = now.since(*next_tick).as_nanos();
    if late == 0 {
        return 0;
    }
    let missed = late.div_ceil(interval.as_nanos()) as u64;
    *next_tick = next_tick.plus_nanos((missed * interval.as_nanos() as u64) as i64);
    missed
}

/// Waits in slices, so that a stop is seen within 2 ms.
fn wait(stream: &Stream, clock: &dyn Clock, until: HostTime) {
    loop {
        let now = clock.now();
        if now >= until || stream.is_stopping() {
            return;
        }
        clock.sleep_until(until.min(now + SLICE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(10);

    fn ms(n: i64) -> HostTime {
        HostTime::from_nanos(n * 1_000_000)
    }

    /// LS-33: after a callback of 35 ms the next tick is at the 40 ms mark.
    #[test]
    fn missed_ticks_are_skipped_to_the_next_mark() {
        let mut next = ms(10);
        assert_eq!(skip_missed(&mut next, TICK, ms(35)), 3);
        assert_eq!(next, ms(40));
    }

    /// LS-33: a deadline that is just reached is not missed.
    #[test]
    fn a_deadline_met_is_not_skipped() {
        let mut next = ms(10);
        assert_eq!(skip_missed(&mut next, TICK, ms(10)), 0);
        assert_eq!(next, ms(10));
        assert_eq!(skip_missed(&mut next, TICK, ms(9)), 0);
    }
}
