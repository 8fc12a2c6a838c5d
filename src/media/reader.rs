//! `Read + Seek` for decoders over an async [`Source`].
//!
//! Two ways to read. [`SyncReader::try_read`] never waits: bytes, not yet, or the end. [`Read::read`] parks its
//! thread until bytes, the end, a failure, an interrupt or the end of its patience: for a decoder's own thread, behind
//! a ring of sound, never for a real-time thread. The end is said only of a stream that ended; a failure travels as
//! itself, in an `io::Error` whose inner error is the [`StreamError`].

use std::io::{self, Read, Seek, SeekFrom};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};

use super::error::{StreamError, StreamResult};
use super::interrupt::{Interrupt, Superseded};
use super::prefetch::{
    Parked, PrefetchConsumer, PrefetchSource, PrefetchWorker, StreamControl, StreamMsg,
};
use super::source::{Source, WaitOutcome};
use crate::frame::{Loaned, Pool};

/// Bytes asked for first after a seek; each further piece is twice as long, up to the full size.
const FIRST_CHUNK_BYTES: usize = 8 << 10;

/// How a [`SyncReader`] reads ahead.
#[derive(Clone, Debug)]
pub struct SyncReaderParams {
    /// Bytes of a piece.
    pub chunk_bytes: usize,
    /// Pieces that wait at most: with `chunk_bytes` the size of the prefetch buffer.
    pub chunks: usize,
    /// How long [`Read::read`] parks for bytes before it fails. A source has its own time-outs, which come first.
    pub patience: Duration,
    /// Ends parked reads early.
    pub interrupt: Interrupt,
    /// Where the worker runs; the caller's own runtime if `None`, and a small one of the reader's own where there is
    /// none.
    pub runtime: Option<Handle>,
}

impl Default for SyncReaderParams {
    fn default() -> Self {
        Self {
            chunk_bytes: 64 << 10,
            chunks: 4,
            patience: Duration::from_mins(2),
            interrupt: Interrupt::default(),
            runtime: None,
        }
    }
}

/// What a read that does not wait came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// So many bytes were read.
    Bytes(NonZeroUsize),
    /// They have not arrived yet.
    Pending,
    /// The stream ends here.
    Eof,
}

/// See the module.
pub struct SyncReader<S: Source> {
    source: Arc<S>,
    consumer: PrefetchConsumer<SourceChunks<S>>,
    current: Chunk,
    position: u64,
    /// The end was handed out in this epoch.
    ended: bool,
    patience: Duration,
    interrupt: Interrupt,
    own_runtime: Option<Runtime>,
}

impl<S: Source> SyncReader<S> {
    /// A reader at the start of `source`. Fails only if it needs a runtime of its own and the system gives no thread.
    pub fn new(source: Arc<S>, params: SyncReaderParams) -> io::Result<Self> {
        let pool = Pool::new(
            params.chunks.max(1) + 2,
            move || vec![0; params.chunk_bytes.max(1)].into_boxed_slice(),
            |_| (),
        );
        let chunks = SourceChunks { source: Arc::clone(&source), pool, at: 0, next_bytes: 0 };
        let (worker, consumer) = PrefetchWorker::new(chunks, params.chunks);
        params.interrupt.add_sleeper(consumer.sleeper());
        let handle = params.runtime.or_else(|| Handle::try_current().ok());
        let mut own_runtime = None;
        let handle = match handle {
            Some(handle) => handle,
            None => own_runtime.insert(super::runtime::start(1)?).handle().clone(),
        };
        handle.spawn(worker.run());
        let (patience, interrupt) = (params.patience, params.interrupt);
        Ok(Self {
            source,
            consumer,
            current: Chunk::default(),
            position: 0,
            ended: false,
            patience,
            interrupt,
            own_runtime,
        })
    }

    /// Reads without waiting.
    pub fn try_read(&mut self, buf: &mut [u8]) -> StreamResult<ReadOutcome, S::Error> {
        loop {
            if let Some(outcome) = self.read_held(buf) {
                return Ok(outcome);
            }
            match self.consumer.try_next() {
                Ok(Some(msg)) => self.hold(msg),
                Ok(None) => return Ok(ReadOutcome::Pending),
                Err(error) => return Err(self.begin_anew_after(error)),
            }
        }
    }

    /// Goes to `place`, counted in bytes from the start. Never waits. What was fetched and is still right is kept.
    pub fn seek_to(&mut self, place: u64) -> StreamResult<(), S::Error> {
        if self.source.len().is_some_and(|len| place > len) {
            return Err(StreamError::InvalidSeek);
        }
        let held =
            self.current.covers(place) || self.consumer.any_waiting(|chunk| chunk.covers(place));
        if !held {
            self.current = Chunk::default();
            self.ended = false;
            self.consumer.seek(place);
        }
        self.position = place;
        Ok(())
    }

    /// Length in bytes, where known.
    #[allow(clippy::len_without_is_empty, reason = "a stream of unknown length is neither")]
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        self.source.len()
    }

    /// Place of the next byte.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes from what is at hand; `None` if the next piece is needed.
    fn read_held(&mut self, buf: &mut [u8]) -> Option<ReadOutcome> {
        let held = self.current.from(self.position);
        match NonZeroUsize::new(held.len().min(buf.len())) {
            Some(count) => {
                buf[..count.get()].copy_from_slice(&held[..count.get()]);
                self.position += count.get() as u64;
                Some(ReadOutcome::Bytes(count))
            }
            None if self.ended || buf.is_empty() => Some(ReadOutcome::Eof),
            None => None,
        }
    }

    /// After a failure the worker waits for a seek: so that the next read tries again.
    fn begin_anew_after(&mut self, error: StreamError<S::Error>) -> StreamError<S::Error> {
        self.current = Chunk::default();
        self.ended = false;
        self.consumer.seek(self.position);
        error
    }

    fn hold(&mut self, msg: StreamMsg<super::prefetch::PrefetchedItem<Chunk>, NoEvent>) {
        match msg {
            StreamMsg::Data(item) if item.is_eof => self.ended = true,
            StreamMsg::Data(item) => self.current = item.data,
            StreamMsg::Control(_) => {}
            StreamMsg::Event(never) => match never {},
        }
    }
}

impl<S: Source> Read for SyncReader<S> {
    /// Parks. See the module.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.read_held(buf) {
                Some(ReadOutcome::Bytes(count)) => return Ok(count.get()),
                Some(_) => return Ok(0),
                None => {}
            }
            match self.consumer.park_for_next(self.patience, &self.interrupt) {
                Ok(Parked::Came(msg)) => self.hold(msg),
                Ok(Parked::Superseded) => return Err(io::Error::other(Superseded)),
                Ok(Parked::TimedOut) => return Err(io::ErrorKind::TimedOut.into()),
                Err(error) => return Err(io::Error::other(self.begin_anew_after(error))),
            }
        }
    }
}

impl<S: Source> Seek for SyncReader<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let invalid =
            || io::Error::new(io::ErrorKind::InvalidInput, StreamError::<S::Error>::InvalidSeek);
        let (base, offset) = match to {
            SeekFrom::Start(place) => (place, 0),
            SeekFrom::Current(offset) => (self.position, offset),
            SeekFrom::End(offset) => {
                let unknown = StreamError::<S::Error>::UnknownLength;
                let len = self.source.len();
                (len.ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, unknown))?, offset)
            }
        };
        let place = base.checked_add_signed(offset).ok_or_else(invalid)?;
        self.seek_to(place).map_err(|_| invalid())?;
        Ok(place)
    }
}

impl<S: Source> Drop for SyncReader<S> {
    fn drop(&mut self) {
        if let Some(runtime) = self.own_runtime.take() {
            // May be called inside a runtime, where waiting is forbidden.
            runtime.shutdown_background();
        }
    }
}

impl<S: Source> std::fmt::Debug for SyncReader<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SyncReader")
            .field("position", &self.position)
            .field("epoch", &self.consumer.epoch())
            .finish_non_exhaustive()
    }
}

/// A source of bytes tells nothing on the way.
#[derive(Clone, Copy, Debug)]
enum NoEvent {}

/// Bytes and where they belong. The default one is empty, at no place.
#[derive(Debug, Default)]
struct Chunk {
    offset: u64,
    len: usize,
    /// From the pool, so that reading ahead takes nothing from the heap.
    bytes: Option<Loaned<Box<[u8]>>>,
}

impl Chunk {
    /// True if the byte at `place` is in it, or follows it at once.
    fn covers(&self, place: u64) -> bool {
        self.bytes.is_some() && (self.offset..=self.offset + self.len as u64).contains(&place)
    }

    /// Its bytes from `place` on; none if that is outside.
    fn from(&self, place: u64) -> &[u8] {
        let Some(bytes) = &self.bytes else { return &[] };
        let at = place.checked_sub(self.offset).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| bytes.get(at..self.len)).unwrap_or_default()
    }
}

/// The pieces of a source, one after the other.
struct SourceChunks<S> {
    source: Arc<S>,
    pool: Pool<Box<[u8]>>,
    at: u64,
    /// Length of the next piece; 0 right after a seek.
    next_bytes: usize,
}

impl<S: Source> PrefetchSource for SourceChunks<S> {
    type Chunk = Chunk;
    type Event = NoEvent;
    type Error = S::Error;

    fn seek(&mut self, place: u64) {
        self.at = place;
        self.next_bytes = 0;
    }

    async fn next(&mut self) -> Result<StreamMsg<Chunk, NoEvent>, S::Error> {
        let mut bytes = loop {
            match self.pool.try_acquire() {
                Some(bytes) => break bytes,
                // The consumer is about to let one go: it holds one, the queue has room for the rest.
                None => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        };
        self.next_bytes = self.next_bytes.max(FIRST_CHUNK_BYTES).min(bytes.len());
        let range = self.at..self.at.saturating_add(self.next_bytes as u64);
        let source = Arc::clone(&self.source);
        let failed = |error: StreamError<S::Error>| match error {
            StreamError::Source(error) => Ok(error),
            // A source that is asked forwards has no other way to fail: it has ended.
            _ => Err(()),
        };
        let end = StreamMsg::Control(StreamControl::End);
        match source.wait_range(range).await.map_err(failed) {
            Ok(WaitOutcome::Ready) => {}
            Ok(WaitOutcome::Eof) | Err(Err(())) => return Ok(end),
            Err(Ok(error)) => return Err(error),
        }
        let len = match source.read_at(self.at, &mut bytes[..self.next_bytes]).await.map_err(failed)
        {
            Ok(0) | Err(Err(())) => return Ok(end),
            Ok(len) => len,
            Err(Ok(error)) => return Err(error),
        };
        let chunk = Chunk { offset: self.at, len, bytes: Some(bytes) };
        self.at += len as u64;
        self.next_bytes *= 2;
        Ok(StreamMsg::Data(chunk))
    }
}
