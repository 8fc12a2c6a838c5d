//! Media as the format crates read it, and why it failed them.
//!
//! Format crates take any failed read for the end of a file or for damage. What really failed is kept here, so that a
//! broken network is not taken for the end of the music.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use symphonia::core::io::MediaSource;

use super::decode::DecodeError;
use crate::media::{Media, MediaError, MediaReader, StreamError, Superseded, TransportError};

/// What went wrong last in the reads of one decoder.
#[derive(Clone, Debug, Default)]
pub(super) struct LastFailure(Arc<Mutex<Option<DecodeError>>>);

impl LastFailure {
    /// What went wrong since the last call.
    pub(super) fn take(&self) -> Option<DecodeError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, error: &io::Error) {
        if let Some(meaning) = meaning_of(error) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(meaning);
        }
    }
}

/// A reader of media that notes its failures.
pub(super) struct ByteSource {
    reader: Box<dyn MediaReader>,
    failure: LastFailure,
    /// Place of the media that is the source's first byte.
    base: u64,
}

impl ByteSource {
    /// All of `media` from byte `base` on.
    pub(super) fn of(media: &Media, failure: &LastFailure, base: u64) -> Result<Self, MediaError> {
        let mut source = Self { reader: media.reader()?, failure: failure.clone(), base };
        if base > 0 {
            source.seek(SeekFrom::Start(0)).map_err(|source| MediaError::Unreadable {
                path: media.location().to_string().into(),
                source,
            })?;
        }
        Ok(source)
    }
}

impl Read for ByteSource {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buf).inspect_err(|error| self.failure.note(error))
    }
}

impl Seek for ByteSource {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(place) => SeekFrom::Start(place.saturating_add(self.base)),
            other => other,
        };
        let place = self.reader.seek(to)?;
        place.checked_sub(self.base).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }
}

impl MediaSource for ByteSource {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.reader.byte_len()?.saturating_sub(self.base))
    }
}

/// What a failed read of a stream means to a decoder; `None` for what the format crates may deal with.
fn meaning_of(error: &io::Error) -> Option<DecodeError> {
    let inner = error.get_ref()?;
    if inner.is::<Superseded>() {
        return Some(DecodeError::Superseded);
    }
    match inner.downcast_ref::<StreamError<TransportError>>()? {
        StreamError::Source(error) => Some(MediaError::Transport(error.clone()).into()),
        _ => None,
    }
}
