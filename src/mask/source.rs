//! Where the bytes of a mask stream come from: any range of them, from a file, from memory, from the network, or
//! from whatever else can read ranges.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::error::FrameError;
use crate::media::{Location, Media, RangeReader, open_file};

/// Bytes of any range. Read from the blocking threads of a handle, several at once; reading may take its time.
pub trait RangeSource: Send + Sync + fmt::Debug {
    /// Length in bytes.
    ///
    /// # Errors
    /// It cannot be had; the message names the cure.
    fn len(&self) -> Result<u64, String>;

    /// True without a byte.
    ///
    /// # Errors
    /// As [`RangeSource::len`].
    fn is_empty(&self) -> Result<bool, String> {
        self.len().map(|bytes| bytes == 0)
    }

    /// Fills `out` from byte `offset` on; returns how many bytes those were, fewer only at the end.
    ///
    /// # Errors
    /// Reading fails; the message names the cure.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, String>;

    /// Back-pressure: how many ranges are worth having at once now. A source that reads one at a time has
    /// nothing to do.
    fn set_ranges_at_once(&self, _ranges: usize) {}

    /// A jump: reads that wait for their bytes are not wanted any more and may end with any error. Called with a lock
    /// held, so it must return at once. A source whose reads do not wait long has nothing to do.
    fn give_up_reads(&self) {}
}

/// Bytes of a range, fewer where the source ends.
pub(super) fn read_range(
    source: &dyn RangeSource,
    range: Range<u64>,
) -> Result<Vec<u8>, FrameError> {
    let have = source.len().map_err(FrameError::Transport)?;
    let bytes = range.end.min(have).saturating_sub(range.start);
    // Callers ask for bounded ranges.
    let mut out = vec![0; usize::try_from(bytes).unwrap_or(0)];
    let mut filled = 0;
    while filled < out.len() {
        let offset = range.start + filled as u64;
        match source.read_at(offset, &mut out[filled..]).map_err(FrameError::Transport)? {
            0 => break,
            read => filled += read,
        }
    }
    out.truncate(filled);
    Ok(out)
}

/// Anything that reads and seeks, one range at a time: a local file, or a reader of the network. A file is read
/// at offsets and not mapped: a mapped file that shrinks ends the program.
pub struct ReaderSource<R> {
    reader: Mutex<R>,
    bytes: u64,
}

impl<R> fmt::Debug for ReaderSource<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderSource").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl<R: Read + Seek + Send> ReaderSource<R> {
    /// A source of so many bytes.
    pub const fn new(reader: R, bytes: u64) -> Self {
        Self { reader: Mutex::new(reader), bytes }
    }
}

impl ReaderSource<File> {
    /// Opens a local file.
    ///
    /// # Errors
    /// The file is not there, is no ordinary file, or may not be read; the message names the cure.
    pub fn open(path: &Path) -> Result<Self, String> {
        let (file, bytes) = open_file(path).map_err(|error| error.to_string())?;
        Ok(Self::new(file, bytes))
    }
}

impl<R: Read + Seek + Send> RangeSource for ReaderSource<R> {
    fn len(&self) -> Result<u64, String> {
        Ok(self.bytes)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, String> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let read = reader.seek(SeekFrom::Start(offset)).and_then(|_| reader.read(out));
        read.map_err(|error| {
            format!("the mask stream cannot be read ({error}): check the disk or the network")
        })
    }
}

impl RangeSource for RangeReader {
    fn len(&self) -> Result<u64, String> {
        Self::len(self).map_err(|error| error.to_string())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, String> {
        Self::read_at(self, offset, out).map_err(|error| error.to_string())
    }

    fn set_ranges_at_once(&self, ranges: usize) {
        Self::set_ranges_at_once(self, ranges);
    }

    fn give_up_reads(&self) {
        Self::give_up_reads(self);
    }
}

/// What lies at an address, opened when it is first read: on the threads of a handle, which may wait.
#[derive(Debug)]
pub struct UrlSource {
    location: Location,
    opening: Mutex<()>,
    opened: OnceLock<RangeReader>,
}

impl UrlSource {
    /// A source of what lies at `url`.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let location = Location::Url(url.to_owned());
        Self { location, opening: Mutex::default(), opened: OnceLock::new() }
    }

    fn reader(&self) -> Result<&RangeReader, String> {
        if let Some(reader) = self.opened.get() {
            return Ok(reader);
        }
        let opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = self.opened.get() {
            return Ok(reader);
        }
        let reader = Media::open(&self.location).and_then(|media| media.range_reader());
        let reader = reader.map_err(|error| error.to_string())?;
        let reader = self.opened.get_or_init(|| reader);
        drop(opening);
        Ok(reader)
    }
}

impl RangeSource for UrlSource {
    fn len(&self) -> Result<u64, String> {
        RangeSource::len(self.reader()?)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, String> {
        RangeSource::read_at(self.reader()?, offset, out)
    }

    fn set_ranges_at_once(&self, ranges: usize) {
        if let Some(reader) = self.opened.get() {
            reader.set_ranges_at_once(ranges);
        }
    }

    fn give_up_reads(&self) {
        if let Some(reader) = self.opened.get() {
            reader.give_up_reads();
        }
    }
}

/// Bytes of the caller's, shared and not copied.
#[derive(Clone)]
pub struct MemorySource<B: AsRef<[u8]> + Send + Sync>(Arc<B>);

impl<B: AsRef<[u8]> + Send + Sync> MemorySource<B> {
    /// A source over a buffer, which it keeps as long as it is read.
    pub fn new(bytes: B) -> Self {
        Self(Arc::new(bytes))
    }
}

impl<B: AsRef<[u8]> + Send + Sync> fmt::Debug for MemorySource<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySource").field("bytes", &(*self.0).as_ref().len()).finish()
    }
}

impl<B: AsRef<[u8]> + Send + Sync> RangeSource for MemorySource<B> {
    fn len(&self) -> Result<u64, String> {
        Ok((*self.0).as_ref().len() as u64)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, String> {
        let bytes = (*self.0).as_ref();
        let begin = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let n = out.len().min(bytes.len() - begin);
        out[..n].copy_from_slice(&bytes[begin..begin + n]);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AS-20, AS-34, AS-35: the same ranges from each, whole ones and those that pass the end.
    #[test]
    fn every_source_gives_the_same_ranges() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.asvp");
        std::fs::write(&path, &bytes).unwrap();
        let static_bytes: &'static [u8] = &[1, 2, 3];
        assert_eq!(MemorySource::new(static_bytes).len(), Ok(3));
        let sources: [Box<dyn RangeSource>; 2] = [
            Box::new(ReaderSource::open(&path).unwrap()),
            Box::new(MemorySource::new(bytes.clone())),
        ];
        for source in sources {
            assert_eq!(source.len(), Ok(1000));
            for (range, n) in [
                (0..16, 16),
                (990..1000, 10),
                (990..2000, 10),
                (1000..1001, 0),
                (5000..u64::MAX, 0),
            ] {
                let read = read_range(source.as_ref(), range.clone()).unwrap();
                assert_eq!(read.len(), n);
                assert!(bytes.get(range.start as usize..).unwrap_or(&[]).starts_with(&read));
            }
        }
    }
}
