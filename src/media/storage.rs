//! Bytes on their way: a file that downloads write into in any order, and readers read what is there or wait for it.
//!
//! Memory stays flat whatever the speeds: the bytes are on the disk.

use std::fs::File;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::error::TransportError;
use super::positioned;
use super::ranges::RangeSet;

/// A file that fills, and who waits for it. The length is not known until it is told.
#[derive(Debug)]
pub(super) struct Storage {
    name: String,
    file: File,
    state: Mutex<State>,
    /// Something arrived, failed, or the length became known.
    changed: Notify,
    /// Somebody waits for bytes that are not there.
    pub(super) demand: Notify,
}

#[derive(Debug, Default)]
struct State {
    have: RangeSet,
    len: Option<u64>,
    failure: Option<TransportError>,
    /// Where a reader wants to go on: that is fetched first.
    wanted: u64,
}

impl Storage {
    /// An empty storage on `file`; `name` is for messages.
    pub(super) fn new(name: &str, file: File) -> Self {
        Self {
            name: name.to_owned(),
            file,
            state: Mutex::default(),
            changed: Notify::new(),
            demand: Notify::new(),
        }
    }

    /// A storage on a file that is whole: its first `len` bytes.
    pub(super) fn whole(name: &str, file: File, len: u64) -> Self {
        let storage = Self::new(name, file);
        storage.lock().have.insert(0..len);
        storage.lock().len = Some(len);
        storage
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Length in bytes, once known.
    pub(super) fn len(&self) -> Option<u64> {
        self.lock().len
    }

    /// Tells the length.
    pub(super) fn set_len(&self, len: u64) {
        self.lock().len = Some(len);
        self.changed.notify_waiters();
    }

    /// Who waits fails with `error`, until somebody wants bytes anew.
    pub(super) fn fail(&self, error: TransportError) {
        self.lock().failure = Some(error);
        self.changed.notify_waiters();
    }

    /// The place that is wanted first, and true if a byte is missing there.
    pub(super) fn wanted(&self) -> (u64, bool) {
        let state = self.lock();
        (state.wanted, state.have.end_from(state.wanted) == state.wanted)
    }

    /// The first gap at or after `from` that no range of `taken` touches, at most `most` bytes of it. The length
    /// must be known.
    pub(super) fn gap_from(
        &self,
        from: u64,
        taken: &[Range<u64>],
        most: u64,
    ) -> Option<Range<u64>> {
        let state = self.lock();
        let mut known = state.have.clone();
        for range in taken {
            known.insert(range.clone());
        }
        let gap = known.first_gap(from, state.len?)?;
        Some(gap.start..gap.end.min(gap.start + most))
    }

    /// True once every byte is there.
    pub(super) fn is_complete(&self) -> bool {
        let state = self.lock();
        state.len.is_some_and(|len| state.have.end_from(0) >= len)
    }

    /// The end of what is there from `place` on.
    pub(super) fn end_from(&self, place: u64) -> u64 {
        self.lock().have.end_from(place)
    }

    /// Waits until all of `range` that exists is there. False if it begins at the end.
    pub(super) async fn wait_for(&self, range: Range<u64>) -> Result<bool, TransportError> {
        let mut asked = false;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut state = self.lock();
                let end = state.len.map_or(range.end, |len| range.end.min(len));
                if state.len.is_some_and(|len| range.start >= len) {
                    return Ok(false);
                }
                let have = state.have.end_from(range.start);
                if have >= end {
                    return Ok(true);
                }
                if !asked {
                    asked = true;
                    state.failure = None;
                    state.wanted = have;
                    self.demand.notify_one();
                } else if let Some(error) = &state.failure {
                    return Err(error.clone());
                }
            }
            changed.await;
        }
    }

    /// Reads what is there at `offset`, without waiting.
    pub(super) fn read(&self, offset: u64, buf: &mut [u8]) -> Result<usize, TransportError> {
        let there = self.end_from(offset) - offset;
        let count = usize::try_from(there).unwrap_or(usize::MAX).min(buf.len());
        positioned::read_at(&self.file, &mut buf[..count], offset).map_err(|e| self.on_disk(&e))
    }

    fn on_disk(&self, error: &std::io::Error) -> TransportError {
        TransportError::Disk { name: self.name.clone(), why: error.to_string() }
    }
}

/// Writes a download into its storage, from a place on.
#[derive(Debug)]
pub struct Writer {
    storage: Arc<Storage>,
    at: u64,
}

impl Writer {
    pub(super) fn new(storage: Arc<Storage>, at: u64) -> Self {
        Self { storage, at }
    }

    /// Where the next byte goes.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Keeps `bytes` and wakes who waits for them.
    ///
    /// Asynchronous by contract; a file takes them at once, on the runtime of the media alone.
    #[allow(clippy::unused_async, reason = "a slower storage has to wait here")]
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        positioned::write_all_at(&self.storage.file, bytes, self.at)
            .map_err(|e| self.storage.on_disk(&e))?;
        let end = self.at + bytes.len() as u64;
        self.storage.lock().have.insert(self.at..end);
        self.storage.changed.notify_waiters();
        self.at = end;
        Ok(())
    }
}

/// A download under way. It ends when nobody holds it any more.
#[derive(Debug)]
pub(super) struct UnderWay(pub(super) JoinHandle<()>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads from a storage in order, waiting for what is still on its way: that goes on as long as there is a reader.
#[derive(Debug)]
pub struct Reader {
    storage: Arc<Storage>,
    at: u64,
    _download: Option<Arc<UnderWay>>,
}

impl Reader {
    pub(super) fn new(storage: Arc<Storage>, at: u64, download: Option<Arc<UnderWay>>) -> Self {
        Self { storage, at, _download: download }
    }

    /// Reads up to `buf.len()` bytes, at least one; 0 at the end.
    pub async fn read(&mut self, buf: &mut [u8]) -> Result<usize, TransportError> {
        if !self.storage.wait_for(self.at..self.at + 1).await? {
            return Ok(0);
        }
        let count = self.storage.read(self.at, buf)?;
        self.at += count as u64;
        Ok(count)
    }
}
