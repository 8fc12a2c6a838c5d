//! A callback that survives its device: the next device's callback takes it over, even if the one before hangs
//! in a dead sound server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::counters::CallbackCounters;
use crate::realtime::no_alloc;

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

    /// The callback for a new device. It takes charge with its first call, and from then on all earlier drivers
    /// do nothing: a device that opens and stays dumb takes nothing away.
    #[must_use]
    pub fn new_driver(&self) -> Driver<C> {
        Driver {
            callback: Arc::clone(&self.callback),
            counters: Arc::clone(&self.counters),
            in_charge: Arc::clone(&self.in_charge),
            number: None,
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
    /// `None` before the first call.
    number: Option<u64>,
}

impl<C> Driver<C> {
    /// Runs the callback; false, and nothing done, if another device is in charge by now.
    pub fn run(&mut self, call: impl FnOnce(&mut C)) -> bool {
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

    /// The figures that the callback keeps.
    #[must_use]
    pub fn counters(&self) -> &Arc<CallbackCounters> {
        &self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_driver_runs_the_callback() {
        let handover = Handover::new(0, Arc::new(CallbackCounters::new()));
        let mut old = handover.new_driver();
        assert!(old.run(|calls| *calls += 1));
        let mut new = handover.new_driver();
        assert!(old.run(|calls| *calls += 1));
        assert!(new.run(|calls| assert_eq!(*calls, 2)));
        assert!(!old.run(|_| panic!("an old device calls")));
        assert_eq!(handover.counters().contended(), 1);
    }

    #[test]
    fn what_a_callback_takes_from_the_heap_is_counted() {
        let handover = Handover::new((), Arc::new(CallbackCounters::new()));
        let before = no_alloc::realtime_allocations().unwrap_or_default();
        assert!(handover.new_driver().run(|()| drop(std::hint::black_box(Box::new(1_u64)))));
        assert!(no_alloc::realtime_allocations().is_some_and(|now| now >= before + 2));
    }

    #[test]
    fn a_driver_that_hangs_inside_is_not_waited_for() {
        let handover = Handover::new((), Arc::new(CallbackCounters::new()));
        let mut next = handover.new_driver();
        let inside = handover.callback.lock().unwrap();
        assert!(!next.run(|()| ()));
        drop(inside);
        assert!(next.run(|()| ()));
    }
}
