//! The only way from the gate to a device thread: a bounded queue of passed points.
//!
//! The receiving end looks at the arm switch once more: what was passed under an older generation comes
//! out dark.

use ringbuf::traits::{Consumer, Observer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

use super::arm::Arm;
use super::chunk::SafeChunk;
use crate::point::LaserPoint;
use crate::time::StreamInstant;

/// What precedes a run of points in the queue.
#[derive(Clone, Copy, Debug)]
struct Head {
    start: StreamInstant,
    len: usize,
    pps: u32,
    generation: u64,
    settle_points: u32,
}

/// A queue for `points` points in at most `chunks` runs; the receiver hands out at most `max_chunk` points
/// at a time. Takes all its memory here.
#[must_use]
pub fn queue(
    points: usize,
    chunks: usize,
    max_chunk: usize,
    arm: Arm,
) -> (SafeSender, SafeReceiver) {
    let (points_in, points_out) = HeapRb::new(points.max(1)).split();
    let (heads_in, heads_out) = HeapRb::new(chunks.max(1)).split();
    let sender = SafeSender { points: points_in, heads: heads_in };
    let receiver = SafeReceiver {
        points: points_out,
        heads: heads_out,
        head: None,
        pending: vec![LaserPoint::CENTRE; max_chunk.max(1)],
        offered: None,
        starts: true,
        dark_s: 0.0,
        dark_before: StreamInstant(0),
        arm,
    };
    (sender, receiver)
}

/// The gate's end. Real-time safe.
pub struct SafeSender {
    points: HeapProd<LaserPoint>,
    heads: HeapProd<Head>,
}

impl std::fmt::Debug for SafeSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SafeSender").field("queued_points", &self.queued_points()).finish()
    }
}

impl SafeSender {
    /// Queues a chunk whole, or not at all: false is "full, offer it again".
    #[must_use]
    pub fn push(&mut self, chunk: &SafeChunk<'_>) -> bool {
        if chunk.is_empty() {
            return true;
        }
        if !self.has_room(chunk.len()) {
            return false;
        }
        // Points first: a head in the queue promises that its points are there.
        self.points.push_slice(chunk.points());
        let head = Head {
            start: chunk.start(),
            len: chunk.len(),
            pps: chunk.pps(),
            generation: chunk.generation(),
            settle_points: chunk.settle_points(),
        };
        self.heads.try_push(head).is_ok()
    }

    /// True if a chunk of `points` points fits now. Only the sender fills the queue, so it stays true until
    /// the next push.
    #[must_use]
    pub fn has_room(&self, points: usize) -> bool {
        self.points.vacant_len() >= points && !self.heads.is_full()
    }

    /// Points that still fit.
    #[must_use]
    pub fn free_points(&self) -> usize {
        self.points.vacant_len()
    }

    /// Points in the queue.
    #[must_use]
    pub fn queued_points(&self) -> usize {
        self.points.occupied_len()
    }
}

/// The device thread's end.
pub struct SafeReceiver {
    points: HeapCons<LaserPoint>,
    heads: HeapCons<Head>,
    head: Option<Head>,
    pending: Vec<LaserPoint>,
    offered: Option<Head>,
    /// The flow of the device is broken: its next point may be anywhere in the field.
    starts: bool,
    /// Time that has still to be dark after the last break, s: the points that fill it may change their rate.
    dark_s: f64,
    /// Points before this are dark, whatever they were passed as.
    dark_before: StreamInstant,
    arm: Arm,
}

impl std::fmt::Debug for SafeReceiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SafeReceiver").field("queued_points", &self.queued_points()).finish()
    }
}

impl SafeReceiver {
    /// The next run of at most `max` points, all of one rate. The same points are offered again until
    /// [`commit`](Self::commit): refused output is retried byte for byte, save that a disarm darkens it.
    pub fn next(&mut self, max: usize) -> Option<SafeChunk<'_>> {
        if self.offered.is_none() {
            self.take(max);
        }
        let offered = self.offered?;
        let dark = if self.arm.allows(offered.generation) {
            let outdated = self.dark_before.0.saturating_sub(offered.start.0);
            let outdated = usize::try_from(outdated).unwrap_or(usize::MAX);
            self.dark_at_start(&offered).max(outdated).min(offered.len)
        } else {
            offered.len
        };
        let points = &mut self.pending[..offered.len];
        for point in &mut points[..dark] {
            *point = point.blanked();
        }
        let Head { start, pps, generation, settle_points, .. } = offered;
        Some(SafeChunk::new(points, start, pps, generation, settle_points))
    }

    /// The device's flow is broken: it has started, was stopped or ran empty, and its mirrors may be anywhere.
    /// What is taken next is dark until they have settled.
    pub const fn begin_dark(&mut self) {
        self.starts = true;
    }

    /// What waits before `mark` comes out dark. Never goes back.
    pub fn darken_before(&mut self, mark: StreamInstant) {
        self.dark_before = self.dark_before.max(mark);
    }

    fn dark_at_start(&self, offered: &Head) -> usize {
        if self.starts {
            return offered.settle_points as usize;
        }
        // What is left of a sum of times is no whole number of points to the last bit.
        (self.dark_s * f64::from(offered.pps) - 1e-6).ceil() as usize
    }

    fn take(&mut self, max: usize) {
        let Some(head) = self.head.take().or_else(|| self.heads.try_pop()) else { return };
        let len = head.len.min(max).min(self.pending.len());
        let len = self.points.pop_slice(&mut self.pending[..len]);
        if len < head.len {
            let start = StreamInstant(head.start.0 + len as u64);
            self.head = Some(Head { start, len: head.len - len, ..head });
        }
        if len > 0 {
            self.offered = Some(Head { len, ..head });
        }
    }

    /// As [`next`](Self::next), for devices that take whole frames: the runs that follow are joined to it, as
    /// long as they are of the same rate and generation and do not make it longer than `max`. What is of an older
    /// generation is dark for ever, and goes before newer runs in one frame: cut off, it would be a frame so
    /// short that the device runs dry behind it. An offer that was refused may grow; what it held stays in
    /// front.
    pub fn gather(&mut self, max: usize) -> Option<SafeChunk<'_>> {
        self.next(max)?;
        while let Some(offered) = self.offered
            && let Some(head) = self.head.take().or_else(|| self.heads.try_pop())
        {
            self.head = Some(head);
            let end = offered.start.0 + offered.len as u64;
            let room = max.min(self.pending.len()).saturating_sub(offered.len);
            let follows = (head.start.0, head.pps) == (end, offered.pps) && room > 0;
            let outdated = head.generation != offered.generation;
            if !follows || outdated && self.arm.allows(offered.generation) {
                break;
            }
            if outdated {
                for point in &mut self.pending[..offered.len] {
                    *point = point.blanked();
                }
            }
            let free = &mut self.pending[offered.len..offered.len + room.min(head.len)];
            let len = self.points.pop_slice(free);
            let rest = Head { start: StreamInstant(end + len as u64), len: head.len - len, ..head };
            self.head = (rest.len > 0).then_some(rest);
            self.offered = Some(Head {
                len: offered.len + len,
                generation: head.generation,
                settle_points: offered.settle_points.max(head.settle_points),
                ..offered
            });
            if len == 0 {
                break;
            }
        }
        self.next(max)
    }

    /// The chunk last offered was accepted by the device.
    pub fn commit(&mut self) {
        if let Some(offered) = self.offered.take() {
            let left = self.dark_at_start(&offered).saturating_sub(offered.len);
            self.dark_s = left as f64 / f64::from(offered.pps.max(1));
            self.starts = false;
        }
    }

    /// The chunk last offered is dropped: the device never sees it.
    pub fn discard(&mut self) {
        self.offered = None;
        self.starts = true;
    }

    /// Drops everything queued; returns how many points that were.
    pub fn clear(&mut self) -> usize {
        let mut dropped = self.offered.take().map_or(0, |head| head.len);
        // Heads are read first, so that a push between the two reads is left whole.
        while let Some(head) = self.head.take().or_else(|| self.heads.try_pop()) {
            dropped += self.points.skip(head.len);
        }
        dropped
    }

    /// Points waiting, the offered ones included.
    #[must_use]
    pub fn queued_points(&self) -> usize {
        self.points.occupied_len() + self.offered.map_or(0, |head| head.len)
    }
}

#[cfg(test)]
mod tests {
    use super::super::arm::TripReason;
    use super::*;
    use crate::point::Colour;
    use crate::time::HostTime;

    fn white(n: usize) -> Vec<LaserPoint> {
        vec![LaserPoint::lit(0.1, 0.2, Colour::WHITE); n]
    }

    #[test]
    fn refused_output_is_offered_again_unchanged() {
        let arm = Arm::new();
        let generation = arm.arm(HostTime::ZERO).unwrap();
        let (mut tx, mut rx) = queue(100, 8, 30, arm);
        assert!(tx.push(&SafeChunk::new(&white(50), StreamInstant(0), 30_000, generation, 0)));
        let first = rx.next(30).map(|c| (c.start(), c.points().to_vec())).unwrap();
        let again = rx.next(30).map(|c| (c.start(), c.points().to_vec())).unwrap();
        assert_eq!(first, again);
        rx.commit();
        let rest = rx.next(30).unwrap();
        assert_eq!((rest.start(), rest.len()), (StreamInstant(30), 20));
    }

    #[test]
    fn a_frame_is_gathered_from_runs_of_one_rate_and_grows_until_it_is_taken() {
        let (mut tx, mut rx) = queue(1000, 8, 100, Arm::new());
        let mut push = |start, n, pps| {
            assert!(tx.push(&SafeChunk::new(&white(n), StreamInstant(start), pps, 0, 0)));
        };
        push(0, 20, 30_000);
        assert_eq!(rx.gather(50).unwrap().len(), 20);
        push(20, 20, 30_000);
        push(40, 20, 30_000);
        let frame = rx.gather(50).unwrap();
        assert_eq!((frame.start(), frame.len()), (StreamInstant(0), 50));
        push(60, 20, 20_000);
        rx.commit();
        let rest = rx.gather(50).unwrap();
        assert_eq!((rest.start(), rest.len(), rest.pps()), (StreamInstant(50), 10, 30_000));
        rx.commit();
        let slower = rx.gather(50).unwrap();
        assert_eq!((slower.start(), slower.len(), slower.pps()), (StreamInstant(60), 20, 20_000));
        rx.commit();
        assert!(rx.gather(50).is_none());
        assert_eq!(rx.queued_points(), 0);
    }

    #[test]
    fn a_frame_joins_what_is_outdated_and_dark_to_what_is_new_and_stays_dark_there() {
        let arm = Arm::new();
        let (mut tx, mut rx) = queue(1000, 8, 100, arm.clone());
        let old = arm.arm(HostTime::ZERO).unwrap();
        assert!(tx.push(&SafeChunk::new(&white(20), StreamInstant(0), 30_000, old, 3)));
        assert!(rx.gather(50).unwrap().points()[5..].iter().all(|p| !p.is_blank()));
        arm.disarm(HostTime::ZERO, TripReason::Operator);
        let new = arm.arm(HostTime::ZERO).unwrap();
        assert!(tx.push(&SafeChunk::new(&white(20), StreamInstant(20), 30_000, new, 3)));
        let frame = rx.gather(50).unwrap();
        assert_eq!((frame.start(), frame.len(), frame.generation()), (StreamInstant(0), 40, new));
        assert!(frame.points()[..20].iter().all(LaserPoint::is_blank));
        assert!(frame.points()[20..].iter().all(|p| !p.is_blank()));
        // What is still allowed is not joined to what is passed under another generation.
        let mut later = |start, generation| {
            assert!(tx.push(&SafeChunk::new(
                &white(10),
                StreamInstant(start),
                30_000,
                generation,
                0
            )));
        };
        rx.commit();
        later(40, new);
        later(50, new + 1);
        assert_eq!(rx.gather(50).unwrap().len(), 10);
    }

    #[test]
    fn what_was_queued_before_a_disarm_comes_out_dark() {
        let arm = Arm::new();
        let generation = arm.arm(HostTime::ZERO).unwrap();
        let (mut tx, mut rx) = queue(100, 8, 100, arm.clone());
        assert!(tx.push(&SafeChunk::new(&white(10), StreamInstant(0), 30_000, generation, 0)));
        assert!(rx.next(100).unwrap().points().iter().all(|p| !p.is_blank()));
        arm.disarm(HostTime::ZERO, TripReason::Operator);
        arm.arm(HostTime::ZERO).unwrap();
        assert!(rx.next(100).unwrap().points().iter().all(LaserPoint::is_blank));
    }

    #[test]
    fn what_waits_before_a_mark_comes_out_dark_and_nothing_is_dropped() {
        let arm = Arm::new();
        let generation = arm.arm(HostTime::ZERO).unwrap();
        let (mut tx, mut rx) = queue(100, 8, 100, arm);
        assert!(tx.push(&SafeChunk::new(&white(40), StreamInstant(0), 30_000, generation, 0)));
        assert!(tx.push(&SafeChunk::new(&white(40), StreamInstant(40), 30_000, generation, 0)));
        rx.darken_before(StreamInstant(50));
        rx.darken_before(StreamInstant(10));
        let mut dark = || {
            let dark = rx.next(100).unwrap().points().iter().filter(|p| p.is_blank()).count();
            rx.commit();
            dark
        };
        assert_eq!([dark(), dark()], [40, 10]);
    }

    #[test]
    fn after_a_break_all_is_dark_until_the_mirrors_have_settled() {
        let arm = Arm::new();
        let generation = arm.arm(HostTime::ZERO).unwrap();
        let (mut tx, mut rx) = queue(200, 8, 20, arm);
        assert!(tx.push(&SafeChunk::new(&white(200), StreamInstant(0), 30_000, generation, 30)));
        let lit = |rx: &mut SafeReceiver, accepted: bool| {
            let lit = rx.next(20).unwrap().points().iter().filter(|p| !p.is_blank()).count();
            if accepted {
                rx.commit();
            }
            lit
        };
        // The first flow begins dark; a refused chunk does not count as shown.
        assert_eq!(
            [false, true, true, true].map(|accepted| lit(&mut rx, accepted)),
            [0, 0, 10, 20]
        );
        rx.begin_dark();
        assert_eq!([true, true].map(|accepted| lit(&mut rx, accepted)), [0, 10]);
        // What is dropped leaves a gap of its own.
        rx.discard();
        assert_eq!(rx.next(20).unwrap().len(), 20);
        rx.discard();
        assert_eq!([true, true].map(|accepted| lit(&mut rx, accepted)), [0, 10]);
    }

    #[test]
    fn the_dark_after_a_break_is_a_time_whatever_the_rate_becomes() {
        let arm = Arm::new();
        let generation = arm.arm(HostTime::ZERO).unwrap();
        let (mut tx, mut rx) = queue(300, 8, 200, arm);
        assert!(tx.push(&SafeChunk::new(&white(20), StreamInstant(0), 30_000, generation, 30)));
        assert!(tx.push(&SafeChunk::new(&white(200), StreamInstant(20), 90_000, generation, 90)));
        let mut dark = || {
            let dark = rx.next(200).unwrap().points().iter().filter(|p| p.is_blank()).count();
            rx.commit();
            dark
        };
        // Two thirds of a millisecond at the old rate, the last third at the new one.
        assert_eq!([dark(), dark()], [20, 30]);
    }

    #[test]
    fn a_full_queue_takes_nothing_of_a_chunk() {
        let (mut tx, mut rx) = queue(10, 8, 100, Arm::new());
        assert!(tx.push(&SafeChunk::new(&white(8), StreamInstant(0), 30_000, 0, 0)));
        assert!(!tx.push(&SafeChunk::new(&white(3), StreamInstant(8), 30_000, 0, 0)));
        assert_eq!(tx.queued_points(), 8);
        assert_eq!(rx.clear(), 8);
        assert!(rx.next(100).is_none());
        assert!(tx.push(&SafeChunk::new(&white(3), StreamInstant(8), 30_000, 0, 0)));
    }
}
