//! Local files: opened for reading, or one sentence that says why not and what to do.
//!
//! They are read, not mapped: see `docs/decisions/0007-files-are-read-not-mapped.md`.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::broadcast;

use super::error::{StreamError, StreamResult, TransportError};
use super::factory::{OpenError, OpenedSource, SourceFactory};
use super::info::MediaInfo;
use super::location::Location;
use super::positioned;
use super::source::{Source, WaitOutcome};

/// Why music cannot be read.
#[derive(Debug, Error)]
pub enum MediaError {
    /// Nothing has that name.
    #[error("There is no file {}: check the spelling and the folder.", .0.display())]
    Missing(PathBuf),
    /// It is a folder.
    #[error("{} is a folder: name one audio file in it.", .0.display())]
    Folder(PathBuf),
    /// It holds no bytes.
    #[error("{} is empty: copy or download it again.", .0.display())]
    Empty(PathBuf),
    /// The system denies access.
    #[error("{} may not be read: change its permissions (chmod +r) or copy it to your own folder.", .0.display())]
    Denied(PathBuf),
    /// It is a pipe, a socket or a device.
    #[error("{} is not an ordinary file: save the sound to a file first.", .0.display())]
    NotAFile(PathBuf),
    /// Reading fails for another reason.
    #[error("{} cannot be read ({source}): check the disk or the network drive, then try again.", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The network or a server fails.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// This program was built without the network.
    #[error(
        "{0} cannot be played: this galvo was built without http; save the file and play it from disk."
    )]
    NoHttp(String),
    /// The threads of the network cannot be started.
    #[error(
        "The threads of the network cannot be started ({0}): close other programs and try again."
    )]
    Threads(io::Error),
}

/// Opens an ordinary, non-empty file for reading; returns it with its length in bytes.
pub fn open_file(path: &Path) -> Result<(File, u64), MediaError> {
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => MediaError::Missing(path.into()),
        io::ErrorKind::PermissionDenied => MediaError::Denied(path.into()),
        _ => MediaError::Unreadable { path: path.into(), source },
    };
    // Asked before opening: to open a pipe would wait for its writer.
    let about = std::fs::metadata(path).map_err(fail)?;
    if about.is_dir() {
        return Err(MediaError::Folder(path.into()));
    }
    if !about.is_file() {
        return Err(MediaError::NotAFile(path.into()));
    }
    let file = File::open(path).map_err(fail)?;
    match about.len() {
        0 => Err(MediaError::Empty(path.into())),
        bytes => Ok((file, bytes)),
    }
}

/// A source over a local file.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    name: String,
    len: u64,
    info: Option<MediaInfo>,
}

impl FileSource {
    /// A source over the file at `path`.
    pub fn open(path: &Path) -> Result<Self, MediaError> {
        let (file, len) = open_file(path)?;
        let extension = path.extension().and_then(|ext| ext.to_str()).map(str::to_ascii_lowercase);
        let info = extension.as_deref().and_then(MediaInfo::from_extension);
        Ok(Self { file, name: path.display().to_string(), len, info })
    }
}

impl Source for FileSource {
    type Error = TransportError;

    async fn wait_range(&self, range: Range<u64>) -> StreamResult<WaitOutcome, TransportError> {
        Ok(if range.start >= self.len { WaitOutcome::Eof } else { WaitOutcome::Ready })
    }

    /// Reads at once: a local file is there, and the runtime is that of the media alone.
    async fn read_at(&self, offset: u64, buf: &mut [u8]) -> StreamResult<usize, TransportError> {
        if offset >= self.len {
            return Ok(0);
        }
        positioned::read_at(&self.file, buf, offset).map_err(|error| {
            let why = error.to_string();
            StreamError::Source(TransportError::Disk { name: self.name.clone(), why })
        })
    }

    fn len(&self) -> Option<u64> {
        Some(self.len)
    }

    fn media_info(&self) -> Option<MediaInfo> {
        self.info
    }
}

/// Opens [`Location::File`].
#[derive(Clone, Copy, Debug)]
pub struct LocalFile;

impl SourceFactory for LocalFile {
    type Params = ();
    type Event = ();
    type SourceImpl = FileSource;

    async fn open(
        location: Location,
        (): (),
    ) -> Result<OpenedSource<FileSource, ()>, OpenError<Self>> {
        let path = location.path().unwrap_or(Path::new(""));
        let source = FileSource::open(path).map_err(|error| {
            let name = location.to_string();
            StreamError::Source(match error {
                MediaError::Missing(_) => TransportError::NotFound(name),
                MediaError::Empty(_) => TransportError::Empty(name),
                other => TransportError::Disk { name, why: other.to_string() },
            })
        })?;
        Ok(OpenedSource { source: Arc::new(source), events_tx: broadcast::channel(1).0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_with_its_cure() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no such.mp3");
        let empty = folder.path().join("empty.mp3");
        std::fs::write(&empty, []).unwrap();
        let said = |path: &Path| open_file(path).unwrap_err().to_string();
        assert!(said(&missing).contains("no such.mp3: check the spelling"));
        assert!(said(folder.path()).contains("is a folder: name one audio file"));
        assert!(said(&empty).contains("empty.mp3 is empty"));
        assert!(said(&empty.join("below a file")).contains("There is no file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_or_pipe_is_refused_without_waiting_for_it() {
        assert!(matches!(open_file(Path::new("/dev/null")), Err(MediaError::NotAFile(_))));
    }

    #[test]
    fn an_ordinary_file_opens_with_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        std::fs::write(&path, b"RIFF").unwrap();
        assert_eq!(open_file(&path).unwrap().1, 4);
    }
}
