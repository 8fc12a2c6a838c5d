//! Any range of a medium, for several threads at once: what a stream of masks is read with.

use std::fmt;
use std::fs::File;
use std::path::PathBuf;

use bytes::Bytes;

use super::error::TransportError;
use super::positioned;

#[cfg(feature = "http")]
use {
    super::error::StreamError,
    super::http::HttpSource,
    super::interrupt::Superseded,
    super::open::Network,
    super::source::{Source, WaitOutcome},
    std::sync::Arc,
    tokio::sync::Notify,
};

/// Reads a medium at any place, without a cursor. A read waits for bytes that are on their way, so it belongs on a
/// thread that may wait, and not into asynchronous code.
pub struct RangeReader(Kind);

pub(super) enum Kind {
    File {
        path: PathBuf,
        file: File,
        len: u64,
    },
    Memory(Bytes),
    #[cfg(feature = "http")]
    Remote {
        source: Arc<HttpSource>,
        network: Arc<Network>,
        given_up: Notify,
    },
}

impl RangeReader {
    pub(super) const fn new(kind: Kind) -> Self {
        Self(kind)
    }

    /// Length in bytes. Of a file on a server that does not tell it this waits for the end.
    ///
    /// # Errors
    /// The network fails before the length is known.
    #[allow(clippy::len_without_is_empty, reason = "what is empty is not opened")]
    pub fn len(&self) -> Result<u64, TransportError> {
        match &self.0 {
            Kind::File { len, .. } => Ok(*len),
            Kind::Memory(bytes) => Ok(bytes.len() as u64),
            #[cfg(feature = "http")]
            Kind::Remote { source, network, .. } => {
                if let Some(len) = source.len() {
                    return Ok(len);
                }
                let past_the_end = u64::MAX - 1..u64::MAX;
                network.handle().block_on(source.wait_range(past_the_end)).map_err(why)?;
                Ok(source.len().unwrap_or(0))
            }
        }
    }

    /// Fills `buf` from byte `offset` on; returns how many bytes those were, fewer only at the end. A range that
    /// somebody waits for is fetched before all others.
    ///
    /// # Errors
    /// The bytes cannot be had; the next read tries again.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, TransportError> {
        match &self.0 {
            Kind::File { path, file, .. } => {
                positioned::read_at(file, buf, offset).map_err(|error| TransportError::Disk {
                    name: path.display().to_string(),
                    why: error.to_string(),
                })
            }
            Kind::Memory(bytes) => {
                let from = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..));
                let there = from.unwrap_or_default();
                let count = there.len().min(buf.len());
                buf[..count].copy_from_slice(&there[..count]);
                Ok(count)
            }
            #[cfg(feature = "http")]
            Kind::Remote { source, network, given_up } => {
                let range = offset..offset.saturating_add(buf.len() as u64);
                network.handle().block_on(async {
                    let outcome = tokio::select! {
                        biased;
                        outcome = source.wait_range(range) => outcome.map_err(why)?,
                        () = given_up.notified() => return Err(Superseded.into()),
                    };
                    match outcome {
                        WaitOutcome::Ready => source.read_at(offset, buf).await.map_err(why),
                        WaitOutcome::Eof => Ok(0),
                    }
                })
            }
        }
    }

    /// Reads that wait for bytes end with [`TransportError::Superseded`]: something newer is wanted. Waits for nothing.
    pub fn give_up_reads(&self) {
        #[cfg(feature = "http")]
        if let Kind::Remote { given_up, .. } = &self.0 {
            given_up.notify_waiters();
        }
    }

    /// Back-pressure: how many ranges are worth having on their way at once. Files and memory do not care.
    #[cfg_attr(not(feature = "http"), allow(unused_variables, reason = "all else is there"))]
    pub fn set_ranges_at_once(&self, ranges: usize) {
        #[cfg(feature = "http")]
        if let Kind::Remote { source, .. } = &self.0 {
            source.set_ranges_at_once(ranges);
        }
    }
}

/// A source that is asked for ranges alone fails by its transport alone.
#[cfg(feature = "http")]
fn why(error: StreamError<TransportError>) -> TransportError {
    match error {
        StreamError::Source(error) => error,
        other => TransportError::Disk { name: "the medium".into(), why: other.to_string() },
    }
}

impl fmt::Debug for RangeReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Kind::File { .. } => "file",
            Kind::Memory(_) => "memory",
            #[cfg(feature = "http")]
            Kind::Remote { .. } => "remote",
        };
        f.debug_tuple("RangeReader").field(&kind).finish()
    }
}
