//! Wakes whoever is parked in a read when something newer is wanted.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use thiserror::Error;

/// Somebody who may be parked.
pub(super) trait Sleeper: Send + Sync {
    /// Wakes them, so that they look at the interrupt again.
    fn wake(&self);
}

/// While it is raised, parking reads that look at it end at once with [`Superseded`]. It counts: who raises it for a
/// wish lowers it when the wish is taken on. Clones are the same.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<Inner>);

#[derive(Default)]
struct Inner {
    raised: AtomicUsize,
    sleepers: Mutex<Vec<Weak<dyn Sleeper>>>,
}

impl Interrupt {
    /// One more wish that is newer than any read.
    pub fn raise(&self) {
        self.0.raised.fetch_add(1, Ordering::SeqCst);
        let sleepers = self.0.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        sleepers.iter().filter_map(Weak::upgrade).for_each(|sleeper| sleeper.wake());
    }

    /// A wish was taken on.
    pub fn lower(&self) {
        let lowered =
            self.0.raised.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        debug_assert!(lowered.is_ok(), "lowered more often than raised");
    }

    /// True while a wish waits.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst) > 0
    }

    pub(super) fn add_sleeper(&self, sleeper: Weak<dyn Sleeper>) {
        let mut sleepers = self.0.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        sleepers.retain(|known| known.strong_count() > 0);
        sleepers.push(sleeper);
    }
}

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Interrupt").field(&self.0.raised).finish()
    }
}

/// A read ended because something newer is wanted: nothing is wrong with the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("The read was given up for a newer wish.")]
pub struct Superseded;
