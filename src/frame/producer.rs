//! The real-time value that a stream owns: copies each run of points once, and hands it to all who look.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_queue::ArrayQueue;

use super::data::{FRAME_CAPACITY, FrameData, FrameMeta, TapPoint};
use super::pool::Pool;
use super::registry::TapRegistry;
use super::tap::{FrameSender, Tap};
use crate::point::LaserPoint;
use crate::realtime::{Retire, retire};
use crate::time::Clock;

/// Slots for a primary output, a recorder 64 deep, a preview and an observer: 96 frames, 6 MiB.
pub const DEFAULT_SLOTS: usize = 96;

/// Taps one producer serves at most.
pub(super) const MAX_TAPS: usize = 16;

/// A producer of frames with a pool of `slots`, and the registry of those who look. Takes all memory here; `clock` is
/// what observers are timed with.
#[must_use]
pub fn producer(slots: usize, clock: Arc<dyn Clock>) -> (FrameProducer, TapRegistry) {
    let pool = Pool::new(slots, FrameData::new, FrameData::reset);
    let arriving = Arc::new(ArrayQueue::new(MAX_TAPS));
    let counters = Arc::new(Counters::default());
    let (leaving, left) = retire(MAX_TAPS);
    let registry =
        TapRegistry::new(Arc::clone(&arriving), left, Arc::clone(&counters), pool.clone(), clock);
    let producer = FrameProducer {
        pool,
        primary: None,
        started: false,
        taps: Vec::with_capacity(MAX_TAPS),
        arriving,
        leaving,
        sequence: [0; TapPoint::ALL.len()],
        counters,
    };
    (producer, registry)
}

/// Why a primary output could not be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrimaryError {
    /// Frames are flowing already. Register before the first `publish`.
    #[error("frames are flowing already: register the primary output before the stream starts")]
    Started,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    published: AtomicU64,
    pool_empty: AtomicU64,
    primary_dropped: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self) -> ProducerStats {
        ProducerStats {
            published: self.published.load(Ordering::Relaxed),
            pool_empty: self.pool_empty.load(Ordering::Relaxed),
            primary_dropped: self.primary_dropped.load(Ordering::Relaxed),
        }
    }
}

/// What became of the frames of a producer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProducerStats {
    /// Frames that someone wanted and that were handed out.
    pub published: u64,
    /// Frames that someone wanted when every slot was lent: nobody got them.
    pub pool_empty: u64,
    /// Frames that the primary output lost: its channel was full, or the pool empty.
    pub primary_dropped: u64,
}

/// Hands out frames. Everything after registration is real-time safe.
pub struct FrameProducer {
    pool: Pool<FrameData>,
    primary: Option<FrameSender>,
    started: bool,
    taps: Vec<Tap>,
    arriving: Arc<ArrayQueue<Tap>>,
    leaving: Retire<Tap>,
    sequence: [u64; TapPoint::ALL.len()],
    counters: Arc<Counters>,
}

impl FrameProducer {
    /// Sends every frame of [`TapPoint::Sent`] to `output`: the one consumer for which the frames are made. A second
    /// call replaces the first; both come before the first [`publish`](Self::publish).
    pub fn register_primary_output(&mut self, output: FrameSender) -> Result<(), PrimaryError> {
        if self.started {
            return Err(PrimaryError::Started);
        }
        self.primary = Some(output);
        Ok(())
    }

    /// Hands out points at `meta.tap_point`. A run above [`FRAME_CAPACITY`] becomes several frames. Where nobody looks
    /// nothing is copied; where the pool is empty or a channel full the frame is lost to the looker, and counted.
    ///
    /// Real-time safe: no heap, no lock, no waiting.
    pub fn publish(&mut self, points: &[LaserPoint], meta: FrameMeta) {
        self.started = true;
        self.take_in_and_let_go();
        for (run, points) in points.chunks(FRAME_CAPACITY).enumerate() {
            self.publish_one(points, meta.later(run * FRAME_CAPACITY));
        }
    }

    fn publish_one(&mut self, points: &[LaserPoint], meta: FrameMeta) {
        let sequence = &mut self.sequence[meta.tap_point as usize];
        let meta = FrameMeta { sequence: *sequence, ..meta };
        *sequence += 1;

        let mut wanted_by = 0_u32;
        for (index, tap) in self.taps.iter_mut().enumerate() {
            if tap.state.tap_point == meta.tap_point && !tap.state.is_closed() && tap.wants_next() {
                wanted_by |= 1 << index;
            }
        }
        let primary = self.primary.as_mut().filter(|_| meta.tap_point == TapPoint::Sent);
        if wanted_by == 0 && primary.is_none() {
            return;
        }
        let wanting =
            self.taps.iter_mut().enumerate().filter(|(index, _)| wanted_by & (1 << index) != 0);

        let Some(mut frame) = self.pool.try_acquire() else {
            self.counters.pool_empty.fetch_add(1, Ordering::Relaxed);
            self.counters
                .primary_dropped
                .fetch_add(u64::from(primary.is_some()), Ordering::Relaxed);
            wanting.for_each(|(_, tap)| tap.miss());
            return;
        };
        frame.write(points, meta);
        let frame = frame.share();
        self.counters.published.fetch_add(1, Ordering::Relaxed);
        if let Some(primary) = primary
            && !primary.send(frame.clone())
        {
            self.counters.primary_dropped.fetch_add(1, Ordering::Relaxed);
        }
        for (_, tap) in wanting {
            tap.deliver(frame.clone());
        }
    }

    /// Takes in the taps that wait, and sends the closed ones away to be freed. A closed tap gets no frames even if
    /// it cannot leave yet.
    fn take_in_and_let_go(&mut self) {
        let mut index = 0;
        while index < self.taps.len() {
            if self.taps[index].state.is_closed() && self.leaving.free() > 0 {
                let refused = self.leaving.retire(self.taps.swap_remove(index));
                debug_assert!(refused.is_ok(), "room was asked for");
            } else {
                index += 1;
            }
        }
        while self.taps.len() < MAX_TAPS {
            let Some(tap) = self.arriving.pop() else { return };
            self.taps.push(tap);
        }
    }

    /// What became of the frames so far.
    #[must_use]
    pub fn stats(&self) -> ProducerStats {
        self.counters.read()
    }
}

impl fmt::Debug for FrameProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameProducer")
            .field("pool", &self.pool)
            .field("taps", &self.taps.len())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
