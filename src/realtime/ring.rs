//! A bounded first-in, first-out ring between one sender and one receiver: wait-free at both ends, no memory
//! taken after construction.
//!
//! What does not fit is handed back, so that the caller decides: offer it again, or let it go and count it
//! ([`RingSender::push_or_drop`]). Only what is lost counts as dropped.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ringbuf::traits::{Consumer, Observer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

/// A ring for `capacity` items (at least one). Takes all its memory here.
#[must_use]
pub fn ring<T: Send>(capacity: usize) -> (RingSender<T>, RingReceiver<T>) {
    let (items_in, items_out) = HeapRb::new(capacity.max(1)).split();
    let dropped = Arc::new(AtomicU64::new(0));
    let sender = RingSender { items: items_in, dropped: Arc::clone(&dropped) };
    (sender, RingReceiver { items: items_out, dropped })
}

/// The end that puts in. Real-time safe.
pub struct RingSender<T: Send> {
    items: HeapProd<T>,
    dropped: Arc<AtomicU64>,
}

impl<T: Send> RingSender<T> {
    /// Puts one item in, or hands it back when the ring is full.
    pub fn push(&mut self, item: T) -> Result<(), T> {
        self.items.try_push(item)
    }

    /// Puts one item in; when the ring is full the item is dropped here and counted. True if it went in.
    pub fn push_or_drop(&mut self, item: T) -> bool {
        let taken = self.items.try_push(item).is_ok();
        if !taken {
            self.count_dropped(1);
        }
        taken
    }

    /// Puts in as many of `items` as fit, from the front; returns how many that were.
    pub fn push_slice(&mut self, items: &[T]) -> usize
    where
        T: Copy,
    {
        self.items.push_slice(items)
    }

    /// Adds to the count of lost items: for a caller that gives up what was handed back.
    pub fn count_dropped(&self, items: u64) {
        self.dropped.fetch_add(items, Ordering::Relaxed);
    }

    /// Items that still fit.
    #[must_use]
    pub fn free(&self) -> usize {
        self.items.vacant_len()
    }

    /// Items in the ring.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.occupied_len()
    }

    /// True when nothing is in the ring.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Items the ring holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.items.capacity().get()
    }

    /// Items lost because the ring was full, since it was made.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// False once the receiver is gone.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.items.read_is_held()
    }
}

impl<T: Send> fmt::Debug for RingSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingSender")
            .field("len", &self.len())
            .field("free", &self.free())
            .field("dropped", &self.dropped())
            .finish()
    }
}

/// The end that takes out. Real-time safe, as far as dropping a `T` is.
pub struct RingReceiver<T: Send> {
    items: HeapCons<T>,
    dropped: Arc<AtomicU64>,
}

impl<T: Send> RingReceiver<T> {
    /// Takes the oldest item.
    pub fn pop(&mut self) -> Option<T> {
        self.items.try_pop()
    }

    /// Takes the oldest items into `out`, as many as there are and fit; returns how many that were.
    pub fn pop_slice(&mut self, out: &mut [T]) -> usize
    where
        T: Copy,
    {
        self.items.pop_slice(out)
    }

    /// The oldest items without taking them, in two runs: the second follows the first.
    #[must_use]
    pub fn as_slices(&self) -> (&[T], &[T]) {
        self.items.as_slices()
    }

    /// Drops the oldest `count` items, or all if there are fewer; returns how many that were.
    pub fn skip(&mut self, count: usize) -> usize {
        self.items.skip(count)
    }

    /// Items in the ring.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.occupied_len()
    }

    /// True when nothing is in the ring.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Items the ring holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.items.capacity().get()
    }

    /// Items lost because the ring was full, since it was made.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// False once the sender is gone: what is in the ring is all there will be.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.items.write_is_held()
    }
}

impl<T: Send> fmt::Debug for RingReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingReceiver")
            .field("len", &self.len())
            .field("dropped", &self.dropped())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_hands_the_item_back_and_counts_nothing() {
        let (mut tx, mut rx) = ring(2);
        assert_eq!((tx.push('a'), tx.push('b'), tx.push('c')), (Ok(()), Ok(()), Err('c')));
        assert_eq!((tx.free(), tx.len(), tx.dropped()), (0, 2, 0));
        assert_eq!((rx.pop(), rx.pop(), rx.pop()), (Some('a'), Some('b'), None));
    }

    #[test]
    fn what_is_let_go_is_counted_at_both_ends() {
        let (mut tx, rx) = ring(1);
        assert!(tx.push_or_drop(1));
        assert!(!tx.push_or_drop(2));
        tx.count_dropped(3);
        assert_eq!((tx.dropped(), rx.dropped()), (4, 4));
    }

    #[test]
    fn slices_go_in_and_out_in_part() {
        let (mut tx, mut rx) = ring(4);
        assert_eq!(tx.push_slice(&[1, 2, 3, 4, 5, 6]), 4);
        let mut out = [0; 3];
        assert_eq!((rx.pop_slice(&mut out), out), (3, [1, 2, 3]));
        assert_eq!(tx.push_slice(&[7, 8]), 2);
        let (first, second) = rx.as_slices();
        assert_eq!([first, second].concat(), [4, 7, 8]);
        assert_eq!((rx.skip(2), rx.len(), rx.skip(9)), (2, 1, 1));
    }

    #[test]
    fn each_end_sees_that_the_other_is_gone() {
        let (tx, rx) = ring::<u8>(1);
        assert!(tx.is_connected() && rx.is_connected());
        drop(rx);
        assert!(!tx.is_connected());
        let (tx, rx) = ring::<u8>(1);
        drop(tx);
        assert!(!rx.is_connected());
    }

    #[test]
    fn a_stream_of_items_crosses_threads_in_order() {
        let (mut tx, mut rx) = ring(16);
        let sender = std::thread::spawn(move || {
            for i in 0..20_000_u32 {
                let mut item = i;
                while let Err(back) = tx.push(item) {
                    item = back;
                    std::thread::yield_now();
                }
            }
        });
        for i in 0..20_000_u32 {
            let item = loop {
                match rx.pop() {
                    Some(item) => break item,
                    None => std::thread::yield_now(),
                }
            };
            assert_eq!(item, i);
        }
        sender.join().unwrap();
    }
}
