//! `safety::switches`: what a hand does falls between no newcomer and the list, and of two hands on the blackout one is
//! the last everywhere.
//!
//! The list of the original is an `ArcSwap`; here it is one newcomer that is in it or not, read and written with the
//! least that a swap of pointers promises. loom takes `SeqCst` accesses for `AcqRel`, as the original may too: the fences
//! order them.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering, fence};

/// In which order a newcomer comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joining {
    /// As `Switches::join` does.
    PublishThenTakeOver,
    /// Wrong: a hand in between neither finds the newcomer nor is found in the latch.
    TakeOverThenPublish,
}

/// Whether a hand and a newcomer fence what they write from what they read after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// As the original does.
    SeqCst,
    /// Wrong: each may read what was before the other's write.
    None,
}

impl Fence {
    fn stand(self) {
        if self == Self::SeqCst {
            fence(Ordering::SeqCst);
        }
    }
}

/// The latch, and the list with its one newcomer.
pub struct Switches {
    latch: AtomicBool,
    published: AtomicBool,
    newcomer: AtomicBool,
    fence: Fence,
}

impl Switches {
    /// An empty list, nothing latched.
    #[must_use]
    pub fn new(fence: Fence) -> Arc<Self> {
        Arc::new(Self {
            latch: AtomicBool::new(false),
            published: AtomicBool::new(false),
            newcomer: AtomicBool::new(false),
            fence,
        })
    }

    /// `Switches::stop`.
    pub fn stop(&self) {
        self.latch.fetch_or(true, Ordering::SeqCst);
        self.fence.stand();
        if self.published.load(Ordering::Acquire) {
            self.newcomer.fetch_or(true, Ordering::SeqCst);
        }
    }

    /// `Switches::join`.
    pub fn join(&self, joining: Joining) {
        let take_over = || {
            if self.latch.load(Ordering::SeqCst) {
                self.newcomer.fetch_or(true, Ordering::SeqCst);
            }
        };
        if joining == Joining::TakeOverThenPublish {
            take_over();
        }
        self.published.store(true, Ordering::Release);
        self.fence.stand();
        if joining == Joining::PublishThenTakeOver {
            take_over();
        }
    }

    /// `Switches::set_blackout`, of a projector that is in the list.
    pub fn set_blackout(&self, on: bool, looks_after: bool) {
        self.latch.swap(on, Ordering::SeqCst);
        let mut wanted = on;
        loop {
            self.newcomer.swap(wanted, Ordering::SeqCst);
            let latched = self.latch.load(Ordering::SeqCst);
            if !looks_after || latched == wanted {
                return;
            }
            wanted = latched;
        }
    }
}

#[cfg(test)]
mod tests {
    use loom::thread;

    use super::*;

    fn stop_meets_newcomer(joining: Joining, fence: Fence) {
        let switches = Switches::new(fence);
        let hand = {
            let switches = Arc::clone(&switches);
            thread::spawn(move || switches.stop())
        };
        switches.join(joining);
        hand.join().unwrap();
        assert!(switches.newcomer.load(Ordering::SeqCst), "the stop passed the newcomer by");
    }

    fn two_hands(looks_after: bool) {
        let switches = Switches::new(Fence::SeqCst);
        let other = {
            let switches = Arc::clone(&switches);
            thread::spawn(move || switches.set_blackout(true, looks_after))
        };
        switches.set_blackout(false, looks_after);
        other.join().unwrap();
        let latched = switches.latch.load(Ordering::SeqCst);
        assert_eq!(switches.newcomer.load(Ordering::SeqCst), latched, "two hands fell apart");
    }

    #[test]
    fn a_stop_reaches_a_newcomer_in_every_interleaving() {
        loom::model(|| stop_meets_newcomer(Joining::PublishThenTakeOver, Fence::SeqCst));
    }

    #[test]
    #[should_panic(expected = "the stop passed the newcomer by")]
    fn taking_over_before_being_published_is_found() {
        loom::model(|| stop_meets_newcomer(Joining::TakeOverThenPublish, Fence::SeqCst));
    }

    #[test]
    #[should_panic(expected = "the stop passed the newcomer by")]
    fn a_missing_fence_is_found() {
        loom::model(|| stop_meets_newcomer(Joining::PublishThenTakeOver, Fence::None));
    }

    #[test]
    fn a_blackout_is_everywhere_what_the_last_hand_left_in_every_interleaving() {
        loom::model(|| two_hands(true));
    }

    #[test]
    #[should_panic(expected = "two hands fell apart")]
    fn a_hand_that_does_not_look_after_is_found() {
        loom::model(|| two_hands(false));
    }
}
