//! `safety::queue`: points go into their ring before the head that promises them.
//!
//! Each ring is single producer, single consumer, as `ringbuf` is: the producer writes the slots, then stores its
//! index `Release`; the consumer loads that index `Acquire`, then reads.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};

/// What is pushed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As `SafeSender::push` does.
    PointsThenHead,
    /// Wrong: a head promises points that are not there.
    HeadThenPoints,
}

/// A ring that only grows: enough for a model of a few pushes.
struct Ring<const N: usize> {
    slots: [UnsafeCell<u32>; N],
    written: AtomicUsize,
}

impl<const N: usize> Ring<N> {
    fn new() -> Self {
        Self { slots: std::array::from_fn(|_| UnsafeCell::new(0)), written: AtomicUsize::new(0) }
    }

    fn push(&self, values: &[u32]) {
        let written = self.written.load(Ordering::Relaxed);
        for (k, value) in values.iter().enumerate() {
            // SAFETY: the consumer reads only below `written`. loom checks this.
            self.slots[written + k].with_mut(|slot| unsafe { *slot = *value });
        }
        self.written.store(written + values.len(), Ordering::Release);
    }

    /// `pop_slice`: as many as there are, up to what is wanted.
    fn pop(&self, read: &mut usize, wanted: usize, out: &mut Vec<u32>) {
        let there = self.written.load(Ordering::Acquire) - *read;
        for _ in 0..wanted.min(there) {
            // SAFETY: the producer has stored `written` after this slot. loom checks this.
            out.push(self.slots[*read].with(|slot| unsafe { *slot }));
            *read += 1;
        }
    }
}

/// The queue: a ring of points and a ring of heads.
pub struct Queue {
    points: Ring<4>,
    heads: Ring<2>,
    order: Order,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(order: Order) -> Arc<Self> {
        Arc::new(Self { points: Ring::new(), heads: Ring::new(), order })
    }

    /// `SafeSender::push`.
    pub fn push(&self, points: &[u32]) {
        let head = [points.len() as u32];
        match self.order {
            Order::PointsThenHead => {
                self.points.push(points);
                self.heads.push(&head);
            }
            Order::HeadThenPoints => {
                self.heads.push(&head);
                self.points.push(points);
            }
        }
    }
}

/// The device thread's end.
#[derive(Debug, Default)]
pub struct Receiver {
    points_read: usize,
    heads_read: usize,
}

impl Receiver {
    /// `SafeReceiver::take`: the next run, whole, or nothing.
    pub fn take(&mut self, queue: &Queue) -> Option<Vec<u32>> {
        let mut head = Vec::new();
        queue.heads.pop(&mut self.heads_read, 1, &mut head);
        let len = *head.first()? as usize;
        let mut points = Vec::new();
        queue.points.pop(&mut self.points_read, len, &mut points);
        assert_eq!(points.len(), len, "a head promised points that are not there");
        Some(points)
    }
}

#[cfg(test)]
mod tests {
    use loom::thread;

    use super::*;

    fn two_runs(order: Order) {
        let queue = Queue::new(order);
        let at_device = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let mut receiver = Receiver::default();
                let seen: Vec<_> = (0..2).filter_map(|_| receiver.take(&queue)).flatten().collect();
                (receiver, seen)
            })
        };
        queue.push(&[1, 2]);
        queue.push(&[3]);
        let (mut receiver, mut seen) = at_device.join().unwrap();
        seen.extend(std::iter::from_fn(|| receiver.take(&queue)).flatten());
        assert_eq!(seen, [1, 2, 3]);
    }

    #[test]
    fn runs_arrive_whole_and_in_order_in_every_interleaving() {
        loom::model(|| two_runs(Order::PointsThenHead));
    }

    #[test]
    #[should_panic(expected = "a head promised points that are not there")]
    fn a_head_before_its_points_is_found() {
        loom::model(|| two_runs(Order::HeadThenPoints));
    }
}
