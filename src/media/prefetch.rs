//! Works ahead of a consumer: a worker on the runtime makes chunks, a bounded queue holds them, and each carries
//! the number of the seek it belongs to.
//!
//! Promises: at most `depth` chunks wait, whatever the speeds; after a seek no chunk of before is handed out; a
//! failure arrives in its place in the order, with its reason, as often as it is asked for; nobody spins. A seek is
//! two stores and a wake: it never waits and may be called from anywhere, [`PrefetchConsumer::arm`] also from a
//! real-time thread.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::error::StreamError;
use super::interrupt::{Interrupt, Sleeper};
use super::seek_word::SeekWord;
use crate::time::SystemClock;

/// What travels from a source through the worker to the consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamMsg<C, Ev> {
    /// The next piece.
    Data(C),
    /// Where the stream stands.
    Control(StreamControl),
    /// What happened meanwhile, at its place among the pieces.
    Event(Ev),
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamControl {
    /// Nothing follows, until a seek.
    End,
}

/// What a prefetch worker draws from: bytes, samples, masks.
pub trait PrefetchSource: Send + 'static {
    /// A piece; the default one is empty.
    type Chunk: Default + Send + 'static;
    /// What it tells meanwhile.
    type Event: Send + 'static;
    /// Why it fails.
    type Error: Clone + Send + Sync + 'static;

    /// The next piece will be that at `place`. Also called after a failure, to try again.
    fn seek(&mut self, place: u64);

    /// The next piece. May be dropped before it is done, when a seek comes.
    fn next(
        &mut self,
    ) -> impl Future<Output = Result<StreamMsg<Self::Chunk, Self::Event>, Self::Error>> + Send;
}

/// A piece and the seek it belongs to. The end of the stream is an empty piece with `is_eof`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefetchedItem<C> {
    /// The piece.
    pub data: C,
    /// The number of the seek it belongs to.
    pub epoch: u64,
    /// Nothing follows.
    pub is_eof: bool,
}

type Msg<S> = StreamMsg<PrefetchedItem<<S as PrefetchSource>::Chunk>, <S as PrefetchSource>::Event>;
type Failure<S> = StreamError<<S as PrefetchSource>::Error>;

struct Queue<S: PrefetchSource> {
    /// In order, each with its epoch.
    waiting: VecDeque<(u64, Msg<S>)>,
    /// Comes after all that waits, in its epoch.
    failure: Option<(u64, S::Error)>,
}

struct Shared<S: PrefetchSource> {
    queue: Mutex<Queue<S>>,
    depth: usize,
    /// Wakes a parked consumer.
    arrived: Condvar,
    /// Wakes the worker: there is room.
    room: Notify,
    /// Wakes the worker: another place is wanted, or nothing more.
    sought: Notify,
    seek: SeekWord,
    consumer_gone: AtomicBool,
    worker_gone: AtomicBool,
}

impl<S: PrefetchSource> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, Queue<S>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: PrefetchSource> Sleeper for Shared<S> {
    fn wake(&self) {
        // With the lock, so that nobody is between looking and parking.
        drop(self.lock());
        self.arrived.notify_all();
    }
}

/// Makes pieces ahead of the consumer, until that is dropped.
pub struct PrefetchWorker<S: PrefetchSource> {
    source: S,
    shared: Arc<Shared<S>>,
}

impl<S: PrefetchSource> PrefetchWorker<S> {
    /// A worker that begins at place 0, and its consumer; at most `depth` pieces (at least one) wait between them.
    pub fn new(source: S, depth: usize) -> (Self, PrefetchConsumer<S>) {
        let depth = depth.max(1);
        let queue = Queue { waiting: VecDeque::with_capacity(depth), failure: None };
        let shared = Arc::new(Shared {
            queue: Mutex::new(queue),
            depth,
            arrived: Condvar::new(),
            room: Notify::new(),
            sought: Notify::new(),
            seek: SeekWord::default(),
            consumer_gone: AtomicBool::new(false),
            worker_gone: AtomicBool::new(false),
        });
        let consumer = PrefetchConsumer { shared: Arc::clone(&shared), epoch: 0, armed: false };
        (Self { source, shared }, consumer)
    }

    /// Works. Ends when the consumer is gone.
    pub async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut epoch = 0;
        // At the end, or after a failure: nothing to do until the next seek.
        let mut done = false;
        while !shared.consumer_gone.load(Ordering::Acquire) {
            if let Some((newer, place)) = shared.seek.newer_than(epoch) {
                epoch = newer;
                done = false;
                self.source.seek(place);
                let mut queue = shared.lock();
                queue.waiting.retain(|(of, _)| *of == newer);
                queue.failure = None;
            }
            if done {
                shared.sought.notified().await;
                continue;
            }
            if shared.lock().waiting.len() >= shared.depth {
                tokio::select! {
                    () = shared.room.notified() => {}
                    () = shared.sought.notified() => {}
                }
                continue;
            }
            let made = tokio::select! {
                biased;
                () = shared.sought.notified() => continue,
                made = self.source.next() => made,
            };
            let mut queue = shared.lock();
            done = match made {
                Ok(StreamMsg::Control(StreamControl::End)) => {
                    let data = S::Chunk::default();
                    let end = PrefetchedItem { data, epoch, is_eof: true };
                    queue.waiting.push_back((epoch, StreamMsg::Data(end)));
                    true
                }
                Ok(StreamMsg::Data(data)) => {
                    let item = PrefetchedItem { data, epoch, is_eof: false };
                    queue.waiting.push_back((epoch, StreamMsg::Data(item)));
                    false
                }
                Ok(StreamMsg::Event(event)) => {
                    queue.waiting.push_back((epoch, StreamMsg::Event(event)));
                    false
                }
                Err(error) => {
                    queue.failure = Some((epoch, error));
                    true
                }
            };
            drop(queue);
            shared.arrived.notify_all();
        }
    }
}

impl<S: PrefetchSource> Drop for PrefetchWorker<S> {
    fn drop(&mut self) {
        self.shared.worker_gone.store(true, Ordering::Release);
        self.shared.wake();
    }
}

impl<S: PrefetchSource> std::fmt::Debug for PrefetchWorker<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrefetchWorker").field("depth", &self.shared.depth).finish_non_exhaustive()
    }
}

/// How parking for the next piece went.
#[derive(Debug)]
pub(super) enum Parked<M> {
    /// It came.
    Came(M),
    /// Something newer is wanted.
    Superseded,
    /// It did not come in time.
    TimedOut,
}

/// The consumer's end: takes pieces of the present epoch only.
pub struct PrefetchConsumer<S: PrefetchSource> {
    shared: Arc<Shared<S>>,
    epoch: u64,
    /// A seek was told without a wake.
    armed: bool,
}

impl<S: PrefetchSource> PrefetchConsumer<S> {
    /// The number of the present seek: 0 before the first.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Goes on at another place; returns its epoch. Never waits, wherever it is called; a newer seek replaces one
    /// that the worker has not seen.
    pub fn seek(&mut self, place: u64) -> u64 {
        self.arm(place);
        self.send_wake();
        self.epoch
    }

    /// As [`Self::seek`], but leaves the wake, which is a system call, to the next take: for real-time threads.
    pub fn arm(&mut self, place: u64) {
        self.epoch = self.shared.seek.set(place);
        self.armed = true;
    }

    /// The next piece or event, if one is there; `None` if not yet. Never waits.
    pub fn try_next(&mut self) -> Result<Option<Msg<S>>, Failure<S>> {
        self.send_wake();
        self.take(&mut self.shared.lock())
    }

    /// As [`Self::try_next`], parked until something comes, `patience` ends or `interrupt` is raised.
    pub(super) fn park_for_next(
        &mut self,
        patience: Duration,
        interrupt: &Interrupt,
    ) -> Result<Parked<Msg<S>>, Failure<S>> {
        self.send_wake();
        let until = SystemClock::read() + patience;
        let mut queue = self.shared.lock();
        loop {
            if interrupt.is_raised() {
                return Ok(Parked::Superseded);
            }
            if let Some(came) = self.take(&mut queue)? {
                return Ok(Parked::Came(came));
            }
            let left = until.since(SystemClock::read());
            if left.is_zero() {
                return Ok(Parked::TimedOut);
            }
            queue = self
                .shared
                .arrived
                .wait_timeout(queue, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(queue, _)| queue);
        }
    }

    /// True if a piece of this epoch that waits is such.
    pub(super) fn any_waiting(&self, mut is_such: impl FnMut(&S::Chunk) -> bool) -> bool {
        self.shared.lock().waiting.iter().any(|(epoch, msg)| match msg {
            StreamMsg::Data(item) => *epoch == self.epoch && is_such(&item.data),
            _ => false,
        })
    }

    pub(super) fn sleeper(&self) -> std::sync::Weak<dyn Sleeper> {
        let shared: Arc<dyn Sleeper> = Arc::<Shared<S>>::clone(&self.shared);
        Arc::downgrade(&shared)
    }

    fn send_wake(&mut self) {
        if std::mem::take(&mut self.armed) {
            self.shared.sought.notify_one();
        }
    }

    fn take(&self, queue: &mut Queue<S>) -> Result<Option<Msg<S>>, Failure<S>> {
        while let Some((epoch, msg)) = queue.waiting.pop_front() {
            self.shared.room.notify_one();
            if epoch == self.epoch {
                return Ok(Some(msg));
            }
        }
        match &queue.failure {
            Some((epoch, error)) if *epoch == self.epoch => Err(StreamError::Source(error.clone())),
            _ if self.shared.worker_gone.load(Ordering::Acquire) => Err(StreamError::ChannelClosed),
            _ => Ok(None),
        }
    }
}

impl<S: PrefetchSource> Drop for PrefetchConsumer<S> {
    fn drop(&mut self) {
        self.shared.consumer_gone.store(true, Ordering::Release);
        self.shared.sought.notify_one();
    }
}

impl<S: PrefetchSource> std::fmt::Debug for PrefetchConsumer<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrefetchConsumer").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}
