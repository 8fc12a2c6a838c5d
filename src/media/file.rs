//! Local files: opened for reading, or one sentence that says why not and what to do.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a file cannot be read.
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
