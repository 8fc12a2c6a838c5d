//! Who looks at the frames of one producer: registered and removed from anywhere, at any time, also from inside an
//! observer.
//!
//! The registry and the producer share no lock. A new tap waits in a queue for the next `publish`; a removed one is
//! marked, passed over from then on, let go of at the next `publish`, and freed by the next call to the registry.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_queue::ArrayQueue;

use super::data::{FrameData, TapPoint};
use super::observer::{self, FrameObserver, ObserverHandle};
use super::pool::{Pool, PoolStats};
use super::producer::{Counters, MAX_TAPS, ProducerStats};
use super::tap::{FrameReceiver, PreviewReceiver, Tap, TapReport, TapState, Way, frame_channel};
use crate::realtime::{RetireBin, latest};
use crate::time::Clock;

/// Frames that wait for an observer at most.
const OBSERVER_DEPTH: usize = 16;

/// Reports of removed taps that are kept.
const KEPT_REPORTS: usize = 16;

/// Why a tap could not be registered.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// Too many look already. Remove one first.
    #[error("{MAX_TAPS} taps look at this stream already: remove one first")]
    TooMany,
    /// The system gave no thread for the observer.
    #[error("no thread for observer {name} ({source}): close other programs and try again")]
    NoThread {
        /// The observer's name.
        name: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The taps of one producer. Clones are handles to the same registry. Not for real-time threads.
#[derive(Clone)]
pub struct TapRegistry(Arc<Inner>);

struct Inner {
    arriving: Arc<ArrayQueue<Tap>>,
    counters: Arc<Counters>,
    // Keeps the pool's memory from being freed by the producer.
    pool: Pool<FrameData>,
    clock: Arc<dyn Clock>,
    next_handle: AtomicU64,
    // Taken by ordinary threads only, for moments, and never while an observer runs.
    book: Mutex<Book>,
}

struct Book {
    open: Vec<Arc<TapState>>,
    removed: Vec<TapReport>,
    left: RetireBin<Tap>,
}

impl TapRegistry {
    pub(super) fn new(
        arriving: Arc<ArrayQueue<Tap>>,
        left: RetireBin<Tap>,
        counters: Arc<Counters>,
        pool: Pool<FrameData>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Inner {
            arriving,
            counters,
            pool,
            clock,
            next_handle: AtomicU64::new(1),
            book: Mutex::new(Book { open: Vec::new(), removed: Vec::new(), left }),
        }))
    }

    /// Calls `observer` with every `decimation`-th frame of `tap_point`, on a thread of its own.
    pub fn register_observer(
        &self,
        tap_point: TapPoint,
        decimation: u32,
        observer: impl FrameObserver + 'static,
    ) -> Result<ObserverHandle, TapError> {
        let state = self.state(observer.name(), tap_point, decimation);
        let handle = state.handle;
        let (sender, receiver) = frame_channel(OBSERVER_DEPTH);
        self.add(&state, Way::Ring(sender))?;
        let receiver = receiver.of_tap(Arc::clone(&state));
        let clock = Arc::clone(&self.0.clock);
        let name = state.name.clone();
        std::thread::Builder::new()
            .name(format!("tap {name}"))
            .spawn(move || observer::run(&observer, receiver, &state, &*clock))
            .map_err(|source| TapError::NoThread { name, source })?;
        Ok(handle)
    }

    /// Every `decimation`-th frame of `tap_point` in order, up to `depth` of them waiting: for a recorder. What comes
    /// while the ring is full is lost and counted.
    pub fn ring_tap(
        &self,
        tap_point: TapPoint,
        depth: usize,
        decimation: u32,
    ) -> Result<FrameReceiver, TapError> {
        let state = self.state("ring", tap_point, decimation);
        let (sender, receiver) = frame_channel(depth);
        self.add(&state, Way::Ring(sender))?;
        Ok(receiver.of_tap(state))
    }

    /// Always the newest frame of every `decimation`-th of `tap_point`: for a preview. Holds up to three slots.
    pub fn newest_tap(
        &self,
        tap_point: TapPoint,
        decimation: u32,
    ) -> Result<PreviewReceiver, TapError> {
        let state = self.state("newest", tap_point, decimation);
        let (writer, reader) = latest(None);
        self.add(&state, Way::Newest(writer))?;
        Ok(PreviewReceiver::new(reader, state))
    }

    /// Removes a tap: it gets no frame published from now on. An observer that is being called finishes that call.
    /// True if there was such a tap.
    pub fn unregister(&self, handle: ObserverHandle) -> bool {
        let mut book = self.book();
        let found = book.open.iter().find(|state| state.handle == handle && !state.is_closed());
        let was_open = found.is_some_and(|state| {
            state.close();
            true
        });
        book.tidy();
        was_open
    }

    /// How the open taps do, in the order they were registered.
    #[must_use]
    pub fn reports(&self) -> Vec<TapReport> {
        let mut book = self.book();
        book.tidy();
        book.open.iter().map(|state| state.report()).collect()
    }

    /// How the last taps did that are gone (at most 16), a panicked observer among them.
    #[must_use]
    pub fn removed(&self) -> Vec<TapReport> {
        let mut book = self.book();
        book.tidy();
        book.removed.clone()
    }

    /// What became of the producer's frames so far.
    #[must_use]
    pub fn producer_stats(&self) -> ProducerStats {
        self.0.counters.read()
    }

    /// How the producer's pool is used.
    #[must_use]
    pub fn pool_stats(&self) -> PoolStats {
        self.0.pool.stats()
    }

    fn state(&self, name: &str, tap_point: TapPoint, decimation: u32) -> Arc<TapState> {
        let handle = ObserverHandle(self.0.next_handle.fetch_add(1, Ordering::Relaxed));
        Arc::new(TapState::new(handle, name.to_owned(), tap_point, decimation))
    }

    fn add(&self, state: &Arc<TapState>, way: Way) -> Result<(), TapError> {
        let mut book = self.book();
        book.tidy();
        if book.open.len() >= MAX_TAPS {
            return Err(TapError::TooMany);
        }
        let tap = Tap::new(Arc::clone(state), way);
        self.0.arriving.push(tap).map_err(|_| TapError::TooMany)?;
        book.open.push(Arc::clone(state));
        Ok(())
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Frees what the producer let go of, and strikes the closed taps.
    fn tidy(&mut self) {
        self.left.empty();
        let removed = &mut self.removed;
        self.open.retain(|state| {
            if state.is_closed() {
                removed.push(state.report());
            }
            !state.is_closed()
        });
        let surplus = removed.len().saturating_sub(KEPT_REPORTS);
        removed.drain(..surplus);
    }
}

impl fmt::Debug for TapRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TapRegistry").field("open", &self.book().open.len()).finish_non_exhaustive()
    }
}
