//! Bytes that are there already.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::broadcast;

use super::error::{StreamResult, TransportError};
use super::factory::{OpenError, OpenedSource, SourceFactory};
use super::info::MediaInfo;
use super::location::Location;
use super::source::{Source, WaitOutcome};

/// A source over bytes in memory.
#[derive(Clone, Debug)]
pub struct MemorySource {
    bytes: Bytes,
    info: Option<MediaInfo>,
}

impl MemorySource {
    /// A source over `bytes`.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), info: None }
    }
}

impl Source for MemorySource {
    type Error = TransportError;

    async fn wait_range(&self, range: Range<u64>) -> StreamResult<WaitOutcome, TransportError> {
        let at_end = range.start >= self.bytes.len() as u64;
        Ok(if at_end { WaitOutcome::Eof } else { WaitOutcome::Ready })
    }

    async fn read_at(&self, offset: u64, buf: &mut [u8]) -> StreamResult<usize, TransportError> {
        let from = usize::try_from(offset).ok().and_then(|offset| self.bytes.get(offset..));
        let there = from.unwrap_or_default();
        let count = there.len().min(buf.len());
        buf[..count].copy_from_slice(&there[..count]);
        Ok(count)
    }

    fn len(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }

    fn media_info(&self) -> Option<MediaInfo> {
        self.info
    }
}

/// Opens [`Location::Memory`].
#[derive(Clone, Copy, Debug)]
pub struct Memory;

impl SourceFactory for Memory {
    type Params = ();
    type Event = ();
    type SourceImpl = MemorySource;

    async fn open(
        location: Location,
        (): (),
    ) -> Result<OpenedSource<MemorySource, ()>, OpenError<Self>> {
        let info = location.extension().and_then(|ext| MediaInfo::from_extension(&ext));
        let bytes = match location {
            Location::Memory { bytes, .. } => bytes,
            Location::File(_) | Location::Url(_) => {
                let error = TransportError::NotFound(location.to_string());
                return Err(super::error::StreamError::Source(error));
            }
        };
        let source = Arc::new(MemorySource { bytes, info });
        Ok(OpenedSource { source, events_tx: broadcast::channel(1).0 })
    }
}
