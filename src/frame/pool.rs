//! A pool of values taken once and lent for ever: acquire and release touch no heap and no lock.
//!
//! Safe code throughout. A loan owns its slot as a plain `Box`, so that access costs nothing. To be shared, the slot
//! moves into a shell, an `Arc` it always carries along; the shell is parked beside the count of holders, who get
//! clones. A holder drops its clone **before** it counts itself out, so that whoever counts down to zero finds the
//! parked `Arc` alone and takes the slot out again.
//! `docs/decisions/0002-frame-pool.md` has the reasons and figures.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;

use crate::time::Clock;

/// How often [`Pool::acquire_timeout`] looks again.
const LOOK_AGAIN: Duration = Duration::from_micros(200);

/// A value and the place it belongs to.
struct Slot<T> {
    value: T,
    index: usize,
    /// Where the slot goes while it is shared; it carries it with it meanwhile.
    shell: Option<Arc<Shell<T>>>,
}

/// The slot while it is shared.
struct Shell<T>(Option<Box<Slot<T>>>);

impl<T> Slot<T> {
    fn new(value: T, index: usize) -> Self {
        Self { value, index, shell: Some(Arc::new(Shell(None))) }
    }
}

/// What a slot needs while it is shared.
struct Sharing<T> {
    holders: AtomicUsize,
    parked: ArrayQueue<Arc<Shell<T>>>,
}

struct Inner<T> {
    free: ArrayQueue<Box<Slot<T>>>,
    sharing: Box<[Sharing<T>]>,
    make: Box<dyn Fn() -> T + Send + Sync>,
    reset: fn(&mut T),
    refused: AtomicU64,
    heap_fallbacks: AtomicU64,
}

impl<T> Inner<T> {
    /// Takes a slot back. The queue has a place for every slot, so this cannot fail.
    fn release(&self, slot: Box<Slot<T>>) {
        let returned = self.free.push(slot);
        debug_assert!(returned.is_ok(), "a slot came back twice");
    }
}

/// A fixed set of values of one kind to borrow. Clones are handles to the same pool.
///
/// The memory lives until the last handle and the last loan are gone; keep a handle off the real-time side, so
/// that it is not freed there.
pub struct Pool<T>(Arc<Inner<T>>);

impl<T> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Send + Sync> Pool<T> {
    /// A pool of `slots` values (at least one), each from `make`; `reset` is run on every value when it is lent
    /// and should be quick: it clears what the borrower before left, and keeps buffers.
    pub fn new(
        slots: usize,
        make: impl Fn() -> T + Send + Sync + 'static,
        reset: fn(&mut T),
    ) -> Self {
        let slots = slots.max(1);
        let free = ArrayQueue::new(slots);
        for index in 0..slots {
            let refused = free.push(Box::new(Slot::new(make(), index)));
            debug_assert!(refused.is_ok());
        }
        let sharing = || Sharing { holders: AtomicUsize::new(0), parked: ArrayQueue::new(1) };
        Self(Arc::new(Inner {
            free,
            sharing: (0..slots).map(|_| sharing()).collect(),
            make: Box::new(make),
            reset,
            refused: AtomicU64::new(0),
            heap_fallbacks: AtomicU64::new(0),
        }))
    }

    /// Borrows a value, or counts that there was none. Real-time safe: no heap, no lock, no waiting.
    #[must_use]
    pub fn try_acquire(&self) -> Option<Loaned<T>> {
        let loan = self.take();
        if loan.is_none() {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
        }
        loan
    }

    /// Borrows a value; if none comes back within `timeout`, makes one on the heap, counts it and warns, so that no
    /// data is lost. Not for real-time threads.
    #[must_use]
    pub fn acquire_timeout(&self, clock: &dyn Clock, timeout: Duration) -> Loaned<T> {
        let deadline = clock.now() + timeout;
        loop {
            if let Some(loan) = self.take() {
                return loan;
            }
            let now = clock.now();
            if now >= deadline {
                return self.make_on_heap();
            }
            clock.sleep_until((now + LOOK_AGAIN).min(deadline));
        }
    }

    fn take(&self) -> Option<Loaned<T>> {
        let slot = self.0.free.pop()?;
        let mut loan = Loaned { slot: Some(slot), home: Some(Arc::clone(&self.0)) };
        (self.0.reset)(&mut loan);
        Some(loan)
    }

    fn make_on_heap(&self) -> Loaned<T> {
        let before = self.0.heap_fallbacks.fetch_add(1, Ordering::Relaxed);
        if before == 0 {
            tracing::warn!(
                "all {} slots of a pool are lent: the heap steps in. A consumer holds its frames too long",
                self.0.free.capacity()
            );
        }
        Loaned { slot: Some(Box::new(Slot::new((self.0.make)(), 0))), home: None }
    }

    /// How the pool is used.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        PoolStats {
            slots: self.0.free.capacity(),
            free: self.0.free.len(),
            refused: self.0.refused.load(Ordering::Relaxed),
            heap_fallbacks: self.0.heap_fallbacks.load(Ordering::Relaxed),
        }
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("slots", &self.0.free.capacity())
            .field("free", &self.0.free.len())
            .finish_non_exhaustive()
    }
}

/// How a pool is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Values the pool owns.
    pub slots: usize,
    /// Values not lent now.
    pub free: usize,
    /// Times [`Pool::try_acquire`] or [`Loaned::try_clone`] found nothing.
    pub refused: u64,
    /// Times [`Pool::acquire_timeout`] had to use the heap.
    pub heap_fallbacks: u64,
}

/// A borrowed value, the only reference to it. Dropping it, on any thread, returns it to its pool.
pub struct Loaned<T> {
    // Taken out only by `share` and `drop`, after which nobody can look.
    slot: Option<Box<Slot<T>>>,
    /// `None` for a value the heap lent.
    home: Option<Arc<Inner<T>>>,
}

impl<T: Send + Sync> Loaned<T> {
    /// Turns the loan into one that many may read: the same memory, no copy. Real-time safe.
    #[must_use]
    pub fn share(mut self) -> Shared<T> {
        let mut slot = self.slot.take().expect("a loan holds its slot until it ends");
        let index = slot.index;
        let mut shell = slot.shell.take().expect("a slot that is not shared carries its shell");
        Arc::get_mut(&mut shell).expect("the shell of a slot that is not shared is alone").0 =
            Some(slot);
        let home = self.home.take();
        if let Some(home) = &home {
            let sharing = &home.sharing[index];
            sharing.holders.store(1, Ordering::Relaxed);
            let parked = sharing.parked.push(Arc::clone(&shell));
            debug_assert!(parked.is_ok(), "a slot was shared twice");
        }
        Shared { shell: Some(shell), index, home }
    }

    /// Copies the value into another slot's own buffers; `None`, and counted, when the pool has none.
    ///
    /// Real-time safe if `T::clone_from` reuses what it finds.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self>
    where
        T: Clone,
    {
        let home = self.home.as_ref()?;
        let mut twin = Pool(Arc::clone(home)).try_acquire()?;
        twin.clone_from(self);
        Some(twin)
    }

    /// True if the value came from the heap because the pool was empty.
    #[must_use]
    pub fn is_from_heap(&self) -> bool {
        self.home.is_none()
    }
}

impl<T> Deref for Loaned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.slot.as_ref().expect("a loan holds its slot until it ends").value
    }
}

impl<T> DerefMut for Loaned<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.slot.as_mut().expect("a loan holds its slot until it ends").value
    }
}

impl<T> Drop for Loaned<T> {
    fn drop(&mut self) {
        if let (Some(slot), Some(home)) = (self.slot.take(), self.home.take()) {
            home.release(slot);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Loaned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Loaned").field(&**self).finish()
    }
}

/// A borrowed value that many hold and nobody changes. The last to drop it, on any thread, returns it to its
/// pool. Cloning and dropping are real-time safe.
pub struct Shared<T> {
    // Taken out only by `drop`.
    shell: Option<Arc<Shell<T>>>,
    index: usize,
    /// `None` for a value the heap lent.
    home: Option<Arc<Inner<T>>>,
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        if let Some(home) = &self.home {
            home.sharing[self.index].holders.fetch_add(1, Ordering::Relaxed);
        }
        Self { shell: self.shell.clone(), index: self.index, home: self.home.clone() }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        let slot = self.shell.as_ref().and_then(|shell| shell.0.as_ref());
        &slot.expect("a share holds its slot until it ends").value
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        let (Some(shell), Some(home)) = (self.shell.take(), self.home.take()) else { return };
        let sharing = &home.sharing[self.index];
        // The clone goes first, the count second: at zero the parked reference is the only one.
        drop(shell);
        if sharing.holders.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let Some(mut shell) = sharing.parked.pop() else { return };
        let slot = Arc::get_mut(&mut shell).and_then(|shell| shell.0.take());
        debug_assert!(slot.is_some(), "the last holder found another");
        if let Some(mut slot) = slot {
            slot.shell = Some(shell);
            home.release(slot);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&**self).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use super::super::{FrameData, FrameMeta, TapPoint};
    use super::*;
    use crate::point::LaserPoint;
    use crate::realtime::no_alloc::watch;
    use crate::time::{HostTime, ManualClock};

    fn numbers(slots: usize) -> Pool<Vec<u32>> {
        Pool::new(slots, || Vec::with_capacity(8), Vec::clear)
    }

    // `SYNC` resolves to `true` only where `T: Sync`: the inherent constant outranks the trait's.
    struct Is<T>(std::marker::PhantomData<T>);
    impl<T: Sync> Is<T> {
        const SYNC: bool = true;
    }
    trait Otherwise {
        const SYNC: bool = false;
    }
    impl<T> Otherwise for Is<T> {}

    /// A loan crosses threads only with what may cross them: bounded by `T`, never granted beyond it.
    #[test]
    fn a_loan_is_sync_only_if_its_value_is() {
        const { assert!(Is::<Loaned<u32>>::SYNC && Is::<Shared<u32>>::SYNC) };
        const { assert!(!Is::<Loaned<std::cell::Cell<u32>>>::SYNC) };
        const { assert!(!Is::<Shared<std::cell::Cell<u32>>>::SYNC) };
        const { assert!(!Is::<Pool<std::cell::Cell<u32>>>::SYNC) };
    }

    /// DP-01, DP-02, DP-31: a million cycles, and as many shares, without the heap.
    #[test]
    fn a_million_cycles_do_not_touch_the_heap() {
        let pool = Pool::new(8, FrameData::new, FrameData::reset);
        let points = [LaserPoint::CENTRE; 4];
        let ((), touched) = watch(|| {
            for _ in 0..1_000_000 {
                let mut frame = pool.try_acquire().unwrap();
                frame.write(&points, FrameMeta::at(TapPoint::Sent));
                let shared = frame.share();
                drop((shared.clone(), shared));
            }
        });
        assert_eq!(touched, 0);
        assert_eq!(pool.stats().free, 8);
    }

    /// DP-07, DP-11: what is lent is missing, what is dropped is back, also from another thread.
    #[test]
    fn a_loan_returns_itself_also_on_another_thread() {
        let pool = numbers(2);
        let (a, b) = (pool.try_acquire().unwrap(), pool.try_acquire().unwrap());
        assert!(pool.try_acquire().is_none());
        assert_eq!((pool.stats().free, pool.stats().refused), (0, 1));
        drop(a);
        std::thread::spawn(move || drop(b)).join().unwrap();
        assert_eq!(pool.stats().free, 2);
    }

    /// DP-12, DP-17: the borrower writes freely, the next one finds it reset with its buffer kept.
    #[test]
    fn a_value_is_reset_but_keeps_its_buffer() {
        let pool = numbers(1);
        let mut loan = pool.try_acquire().unwrap();
        loan.extend([1, 2, 3]);
        let address = loan.as_ptr();
        drop(loan);
        let loan = pool.try_acquire().unwrap();
        assert_eq!((loan.len(), loan.capacity(), loan.as_ptr()), (0, 8, address));
    }

    /// DP-06, DP-09: sharing does not move the value; every holder sees one address.
    #[test]
    fn all_holders_of_a_share_see_the_same_memory() {
        let pool = numbers(1);
        let mut loan = pool.try_acquire().unwrap();
        loan.push(7);
        let address = std::ptr::from_ref::<Vec<u32>>(&loan);
        let (a, shared) = {
            let shared = loan.share();
            (shared.clone(), shared)
        };
        assert!(std::ptr::eq(address, &raw const *a) && std::ptr::eq(address, &raw const *shared));
        drop(shared);
        assert_eq!((pool.stats().free, a[0]), (0, 7));
        drop(a);
        assert_eq!(pool.stats().free, 1);
    }

    /// DP-13: a clone has the same contents at another address, and copies into the buffer it finds.
    #[test]
    fn a_clone_takes_another_slot_and_no_heap() {
        let pool = Pool::new(2, FrameData::new, FrameData::reset);
        let mut frame = pool.try_acquire().unwrap();
        frame.write(&[LaserPoint::blank(0.5, 0.5); 9], FrameMeta::at(TapPoint::Path));
        let (twin, touched) = watch(|| frame.try_clone().unwrap());
        assert_eq!(touched, 0);
        assert_eq!(twin.points(), frame.points());
        assert_eq!(twin.meta(), frame.meta());
        assert_ne!(twin.points().as_ptr(), frame.points().as_ptr());
        assert!(frame.try_clone().is_none());
        assert_eq!(pool.stats().refused, 1);
    }

    /// DP-32, DP-33: an empty pool costs the patience asked for, then the heap steps in, counted.
    #[test]
    fn an_empty_pool_falls_back_to_the_heap_after_the_timeout() {
        let (pool, clock) = (numbers(1), ManualClock::default());
        let held = pool.acquire_timeout(&clock, Duration::from_millis(5));
        assert_eq!((held.is_from_heap(), clock.now()), (false, HostTime::ZERO));
        let mut extra = pool.acquire_timeout(&clock, Duration::from_millis(5));
        extra.push(1);
        assert_eq!(clock.now(), HostTime::from_nanos(5_000_000));
        assert!(extra.is_from_heap());
        let shared = extra.share();
        drop((shared.clone(), shared, held));
        let stats = pool.stats();
        assert_eq!((stats.free, stats.heap_fallbacks), (1, 1));
    }

    /// DP-36: there is nothing to close; loans and shares outlive the pool and free it when they go.
    #[test]
    fn loans_outlive_the_pool_and_free_it_when_they_end() {
        let pool = numbers(3);
        let inner: Weak<Inner<Vec<u32>>> = Arc::downgrade(&pool.0);
        let mut loan = pool.try_acquire().unwrap();
        let shared = pool.try_acquire().unwrap().share();
        drop(pool);
        loan.push(1);
        assert_eq!((loan[0], shared.len()), (1, 0));
        drop(shared);
        assert!(inner.upgrade().is_some());
        drop(loan);
        assert!(inner.upgrade().is_none());
    }

    /// DP-08: many threads acquire, share and drop at once; every loan is unique and every slot comes back.
    #[test]
    fn loans_stay_unique_under_contention() {
        let pool = Pool::new(4, || [0_u64; 16], |_| ());
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let pool = &pool;
                scope.spawn(move || {
                    for round in 0..5_000 {
                        let Some(mut loan) = pool.try_acquire() else { continue };
                        let mark = thread << 32 | round;
                        loan.fill(mark);
                        let shared = loan.share();
                        let copy = shared.clone();
                        let other = scope_check(&copy, mark);
                        drop(shared);
                        assert!(other && scope_check(&copy, mark));
                    }
                });
            }
        });
        assert_eq!(pool.stats().free, 4);
    }

    fn scope_check(words: &[u64; 16], mark: u64) -> bool {
        words.iter().all(|&word| word == mark)
    }

    /// The hand-over of a share: holders on several threads count out at once, and the slot that comes back is
    /// unique again each time (a second holder would leave the pool empty for good).
    #[test]
    fn the_last_of_many_holders_returns_a_unique_slot() {
        let pool = numbers(1);
        let (to_others, others): (Vec<_>, Vec<_>) = (0..3)
            .map(|_| {
                let (tx, rx) = std::sync::mpsc::sync_channel::<Shared<Vec<u32>>>(1);
                (tx, std::thread::spawn(move || rx.iter().for_each(drop)))
            })
            .unzip();
        for round in 0..5_000 {
            let mut loan = loop {
                match pool.try_acquire() {
                    Some(loan) => break loan,
                    None => std::thread::yield_now(),
                }
            };
            loan.push(round);
            let shared = loan.share();
            for other in &to_others {
                other.send(shared.clone()).unwrap();
            }
        }
        drop(to_others);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(pool.stats().free, 1);
    }
}
