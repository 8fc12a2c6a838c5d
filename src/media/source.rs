//! What a stream of bytes is read from: at any place, without knowing how the bytes get there.

use std::future::Future;
use std::ops::Range;

use super::error::StreamResult;
use super::info::MediaInfo;

/// What came of waiting for bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitOutcome {
    /// Every byte of the range that exists can be read now: of a range that crosses the end, all up to the end.
    Ready,
    /// The range begins at or past the end. Never said of bytes that have not arrived.
    Eof,
}

/// Random access to bytes: from the network, a disk or memory.
#[allow(clippy::len_without_is_empty, reason = "a stream of unknown length is neither")]
pub trait Source: Send + Sync + 'static {
    /// Why it fails.
    type Error: std::error::Error + Clone + Send + Sync + 'static;

    /// Waits until `range` can be read, or is known to begin at the end. Fails once the source gave up; asking
    /// again makes it try again.
    fn wait_range(
        &self,
        range: Range<u64>,
    ) -> impl Future<Output = StreamResult<WaitOutcome, Self::Error>> + Send;

    /// Reads bytes from `offset` on into `buf` and says how many: all that exist of a range that was waited for.
    /// Does not wait.
    fn read_at(
        &self,
        offset: u64,
        buf: &mut [u8],
    ) -> impl Future<Output = StreamResult<usize, Self::Error>> + Send;

    /// Length in bytes; `None` as long as it is not known, and for what has no end.
    fn len(&self) -> Option<u64>;

    /// What is known of the format without looking into the bytes.
    fn media_info(&self) -> Option<MediaInfo> {
        None
    }
}
