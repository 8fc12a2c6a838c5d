//! The place a consumer wants, told to the worker: the newest wins, nothing queues, nobody waits.

use std::sync::atomic::{AtomicU64, Ordering, fence};

/// A place and the number of the seek that asked for it. One thread writes, any may read.
///
/// Writing is two stores: no lock, no system call. While a write is under way readers see the seek before it.
#[derive(Debug, Default)]
pub(super) struct SeekWord {
    /// Twice the epoch; odd while `place` changes.
    sequence: AtomicU64,
    place: AtomicU64,
}

impl SeekWord {
    /// A new place; returns its epoch. Only one thread may call this.
    pub(super) fn set(&self, place: u64) -> u64 {
        let old = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(old + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.place.store(place, Ordering::Relaxed);
        self.sequence.store(old + 2, Ordering::Release);
        old / 2 + 1
    }

    /// Epoch and place if they are newer than `epoch`, and not being written this moment: then a wake follows.
    pub(super) fn newer_than(&self, epoch: u64) -> Option<(u64, u64)> {
        let before = self.sequence.load(Ordering::Acquire);
        let place = self.place.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let after = self.sequence.load(Ordering::Relaxed);
        let settled = before == after && before.is_multiple_of(2) && before / 2 != epoch;
        settled.then_some((before / 2, place))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::realtime::no_alloc::watch;

    #[test]
    fn epoch_and_place_belong_together_whoever_looks_when() {
        let word = Arc::new(SeekWord::default());
        let writer = Arc::clone(&word);
        let thread = std::thread::spawn(move || {
            for k in 1..=200_000_u64 {
                assert_eq!(writer.set(k * 7), k);
            }
        });
        let mut seen = 0;
        while seen < 200_000 {
            if let Some((epoch, place)) = word.newer_than(seen) {
                assert!(epoch > seen && place == epoch * 7, "{epoch} {place}");
                seen = epoch;
            }
        }
        thread.join().unwrap();
    }

    #[test]
    fn a_wish_costs_no_heap() {
        let word = SeekWord::default();
        assert_eq!(watch(|| word.set(5)), (1, 0));
        assert_eq!((word.newer_than(0), word.newer_than(1)), (Some((1, 5)), None));
    }
}
