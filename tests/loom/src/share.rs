//! `frame::pool`: the last of several holders takes the slot out of its shell again.
//!
//! The shell is an `Arc`; its clones are the holders' access. What loom has to show: whoever counts the holders down
//! to zero finds the parked `Arc` alone, so that the write into the slot which follows (the next borrower's) races
//! with no holder's read.

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::{cell::UnsafeCell, sync::Arc};

/// In which order a holder leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// As `Shared::drop` does: the clone goes first, the count second.
    CloneThenCount,
    /// Wrong: while a holder has counted itself out, its clone still lives.
    CountThenClone,
}

/// With which order a holder counts itself out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// As `Shared::drop` does.
    AcqRel,
    /// Wrong: the last holder may not see the others' reads as done.
    Relaxed,
}

/// The slot of a pool while it is shared: `Sharing` and the `Arc<Shell>` in one.
///
/// The strong count of `std::sync::Arc` is spelled out, since the point is what is known of it: a clone adds one
/// `Relaxed`, a drop takes one `Release`, `Arc::get_mut` reads it `Acquire`.
struct Slot {
    holders: AtomicUsize,
    strong: AtomicUsize,
    parked: Mutex<bool>,
    value: UnsafeCell<u32>,
}

/// One holder: `Shared`.
pub struct Holder {
    slot: Arc<Slot>,
    leaving: Leaving,
    counting: Counting,
}

/// `Loaned::share`: one holder, and the parked reference beside it.
#[must_use]
pub fn share(value: u32, leaving: Leaving, counting: Counting) -> Holder {
    let slot = Slot {
        holders: AtomicUsize::new(0),
        strong: AtomicUsize::new(2),
        parked: Mutex::new(false),
        value: UnsafeCell::new(value),
    };
    slot.holders.store(1, Ordering::Relaxed);
    *slot.parked.lock().unwrap() = true;
    Holder { slot: Arc::new(slot), leaving, counting }
}

impl Clone for Holder {
    fn clone(&self) -> Self {
        self.slot.holders.fetch_add(1, Ordering::Relaxed);
        self.slot.strong.fetch_add(1, Ordering::Relaxed);
        Self { slot: Arc::clone(&self.slot), leaving: self.leaving, counting: self.counting }
    }
}

impl Holder {
    /// `Shared::deref`.
    #[must_use]
    pub fn read(&self) -> u32 {
        // SAFETY: a holder keeps the slot in its shell; nobody writes while one lives. loom checks this.
        self.slot.value.with(|value| unsafe { *value })
    }

    /// `Shared::drop`. True for the one that returned the slot.
    #[must_use = "exactly one holder returns the slot"]
    pub fn leave(self) -> bool {
        let order = match self.counting {
            Counting::AcqRel => Ordering::AcqRel,
            Counting::Relaxed => Ordering::Relaxed,
        };
        let drop_clone = || match self.counting {
            Counting::AcqRel => self.slot.strong.fetch_sub(1, Ordering::Release),
            // So that only the count of holders is there to order anything.
            Counting::Relaxed => self.slot.strong.fetch_sub(1, Ordering::Relaxed),
        };
        if self.leaving == Leaving::CloneThenCount {
            drop_clone();
        }
        let others = self.slot.holders.fetch_sub(1, order) > 1;
        if self.leaving == Leaving::CountThenClone {
            drop_clone();
        }
        if others || !std::mem::take(&mut *self.slot.parked.lock().unwrap()) {
            return false;
        }
        // `Arc::get_mut` on the parked reference.
        let load = if self.counting == Counting::AcqRel { Ordering::Acquire } else { Ordering::Relaxed };
        assert_eq!(self.slot.strong.load(load), 1, "the last holder found another");
        // The next borrower resets and writes the value.
        // SAFETY: the parked reference is the only one left. loom checks this.
        self.slot.value.with_mut(|value| unsafe { *value = 0 });
        true
    }
}

#[cfg(test)]
mod tests {
    use loom::thread;

    use super::*;

    fn three_holders(leaving: Leaving, counting: Counting) {
        let first = share(7, leaving, counting);
        let others = [first.clone(), first.clone()].map(|holder| {
            thread::spawn(move || {
                assert_eq!(holder.read(), 7);
                holder.leave()
            })
        });
        assert_eq!(first.read(), 7);
        let mut returned = u32::from(first.leave());
        for other in others {
            returned += u32::from(other.join().unwrap());
        }
        assert_eq!(returned, 1, "exactly one holder returns the slot");
    }

    /// Design of the frame pool, proof 7.
    #[test]
    fn the_last_of_three_holders_finds_the_slot_alone_in_every_order() {
        loom::model(|| three_holders(Leaving::CloneThenCount, Counting::AcqRel));
    }

    /// A share that is cloned on another thread while the first holder leaves.
    #[test]
    fn a_clone_made_elsewhere_counts() {
        loom::model(|| {
            let first = share(7, Leaving::CloneThenCount, Counting::AcqRel);
            let second = first.clone();
            let other = thread::spawn(move || {
                let third = second.clone();
                let returned = second.leave();
                assert_eq!(third.read(), 7);
                u32::from(returned) + u32::from(third.leave())
            });
            let returned = u32::from(first.leave()) + other.join().unwrap();
            assert_eq!(returned, 1);
        });
    }

    #[test]
    #[should_panic(expected = "the last holder found another")]
    fn counting_out_before_letting_go_is_found() {
        loom::model(|| three_holders(Leaving::CountThenClone, Counting::AcqRel));
    }

    #[test]
    #[should_panic]
    fn a_count_that_orders_nothing_is_found() {
        loom::model(|| three_holders(Leaving::CloneThenCount, Counting::Relaxed));
    }
}
