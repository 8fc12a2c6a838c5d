//! A callback that survives its device: the next device's callback takes it over, even if the one before hangs
//! in a dead sound server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::time::HostTime;

use super::counters::CallbackCounters;
use crate::realtime::no_alloc;

/// A driver that called so lately is alive.
const ALIVE: Duration = Duration::from_millis(80);
/// Calls this close to each other are in time.
const IN_TIME: Duration = Duration::from_millis(60);
/// So many calls in time are even.
const CALLS_IN_TIME: u32 = 4;

/// A callback to be driven by one device after the other.
#[derive(Debug)]
pub struct Handover<C> {
    callback: Arc<Mutex<C>>,
    counters: Arc<CallbackCounters>,
    /// The number of the driver in charge.
    in_charge: Arc<AtomicU64>,
}

impl<C> Clone for Handover<C> {
    fn clone(&self) -> Self {
        Self {
            callback: Arc::clone(&self.callback),
            counters: Arc::clone(&self.counters),
            in_charge: Arc::clone(&self.in_charge),
        }
    }
}

impl<C> Handover<C> {
    /// `counters` are those that the callback keeps.
    #[must_use]
    pub fn new(callback: C, counters: Arc<CallbackCounters>) -> Self {
        Self {
            callback: Arc::new(Mutex::new(callback)),
            counters,
            in_charge: Arc::new(AtomicU64::new(0)),
        }
    }

    /// The callback for a new device. Where nobody else calls it takes charge with its first call; else once it
    /// calls evenly, for a sound server fills its buffer at once and then pauses for longer than the dead-man
    /// bears. From then on all earlier drivers do nothing: a device that opens and stays dumb takes nothing away.
    #[must_use]
    pub fn new_driver(&self) -> Driver<C> {
        Driver {
            callback: Arc::clone(&self.callback),
            counters: Arc::clone(&self.counters),
            in_charge: Arc::clone(&self.in_charge),
            number: None,
            last: None,
            in_time: 0,
        }
    }

    /// The figures that the callback keeps.
    #[must_use]
    pub fn counters(&self) -> &Arc<CallbackCounters> {
        &self.counters
    }
}

/// What one device's callback holds. Real-time safe: it tries the callback's lock and never waits for it; only
/// two drivers in the moment of a device change can meet there.
#[derive(Debug)]
pub struct Driver<C> {
    callback: Arc<Mutex<C>>,
    counters: Arc<CallbackCounters>,
    in_charge: Arc<AtomicU64>,
    /// `None` before it took charge.
    number: Option<u64>,
    last: Option<HostTime>,
    in_time: u32,
}

impl<C> Driver<C> {
    /// Runs the callback at `now`; false, and nothing done, if another device is in charge.
    pub fn run(&mut self, now: HostTime, call: impl FnOnce(&mut C)) -> bool {
        if self.number.is_none() && self.has_to_wait(now) {
            return false;
        }
        let number = *self.number.get_or_insert_with(|| {
            self.counters.note_interruption();
            self.in_charge.fetch_add(1, Ordering::AcqRel) + 1
        });
        if self.in_charge.load(Ordering::Acquire) == number
            && let Ok(mut callback) = self.callback.try_lock()
        {
            // What a debug build counts here stands in every report.
            no_alloc::watch(|| call(&mut callback));
            return true;
        }
        self.counters.note_contended();
        false
    }

    /// True while another driver calls, and this one does not yet do so evenly.
    fn has_to_wait(&mut self, now: HostTime) -> bool {
        if self.last != Some(now) {
            let gap = self.last.map_or(Duration::MAX, |last| now.since(last));
            self.in_time = if gap <= IN_TIME { self.in_time + 1 } else { 0 };
            self.last = Some(now);
        }
        let other = self.counters.last_callback();
        other.is_some_and(|last| now.since(last) < ALIVE) && self.in_time < CALLS_IN_TIME
    }

    /// The figures that the callback keeps.
    #[must_use]
    pub fn counters(&self) -> &Arc<CallbackCounters> {
        &self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> HostTime {
        HostTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn only_the_newest_driver_runs_the_callback() {
        let handover = Handover::new(0, Arc::new(CallbackCounters::new()));
        let mut old = handover.new_driver();
        assert!(old.run(at(0), |calls| *calls += 1));
        let mut new = handover.new_driver();
        assert!(old.run(at(5), |calls| *calls += 1));
        assert!(new.run(at(6), |calls| assert_eq!(*calls, 2)));
        assert!(!old.run(at(10), |_| panic!("an old device calls")));
        assert_eq!(handover.counters().contended(), 1);
    }

    #[test]
    fn what_a_callback_takes_from_the_heap_is_counted() {
        let handover = Handover::new((), Arc::new(CallbackCounters::new()));
        let before = no_alloc::realtime_allocations().unwrap_or_default();
        assert!(handover.new_driver().run(at(0), |()| drop(std::hint::black_box(Box::new(1_u64)))));
        assert!(no_alloc::realtime_allocations().is_some_and(|now| now >= before + 2));
    }

    #[test]
    fn a_driver_that_hangs_inside_is_not_waited_for() {
        let handover = Handover::new((), Arc::new(CallbackCounters::new()));
        let mut next = handover.new_driver();
        let inside = handover.callback.lock().unwrap();
        assert!(!next.run(at(0), |()| ()));
        drop(inside);
        assert!(next.run(at(1), |()| ()));
    }

    #[test]
    fn a_device_that_starts_in_fits_takes_over_once_it_calls_evenly() {
        let handover = Handover::new((), Arc::new(CallbackCounters::new()));
        let counters = Arc::clone(handover.counters());
        let (mut software, mut device) = (handover.new_driver(), handover.new_driver());
        let mut taken = None;
        let mut longest = 0;
        let mut last = 0;
        // The device calls at once, and from 350 ms on every 20 ms.
        for ms in (0..600).step_by(5) {
            let mut called = software.run(at(ms), |()| ());
            if ms == 50 || (ms >= 350 && ms % 20 == 10) {
                let ran = device.run(at(ms), |()| ());
                taken = taken.or(ran.then_some(ms));
                called |= ran;
            }
            if called {
                counters.note_callback(256, at(ms), Duration::ZERO, 0);
                longest = longest.max(ms - last);
                last = ms;
            }
        }
        assert_eq!(taken, Some(430));
        assert!(longest <= 20, "{longest} ms without a call");
    }
}
