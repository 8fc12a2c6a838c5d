//! Tracks that are opened, playlists that are read and written.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::job_queue::{Job, MayWait, PATIENCE};
use crate::audio::{DecodeError, Decoder};
use crate::media::{
    Location, MediaOpener, PlaylistError, PlaylistTrack, read_playlist, write_playlist,
};

/// A server may be far away.
const SERVER_PATIENCE: Duration = Duration::from_secs(5);

/// Something to be done with music.
#[derive(Debug)]
pub enum MusicJob {
    /// Opens what lies there and decodes its first sound. One that has not begun is needless when another is asked for.
    Open {
        /// Opens files and addresses.
        opener: Arc<MediaOpener>,
        /// Where it lies.
        location: Location,
    },
    /// Reads a playlist.
    ReadList(PathBuf),
    /// Writes a playlist.
    WriteList {
        /// The file.
        path: PathBuf,
        /// All of its tracks.
        tracks: Vec<PlaylistTrack>,
    },
}

/// What came of it.
#[derive(Debug)]
pub enum MusicAnswer {
    /// A track.
    Opened(Result<Box<Decoder>, DecodeError>),
    /// A playlist.
    Listed(Result<Vec<PlaylistTrack>, PlaylistError>),
    /// A playlist was written: so many tracks, and where.
    Written(Result<(usize, PathBuf), PlaylistError>),
}

impl Job for MusicJob {
    type Answer = MusicAnswer;

    fn words(&self) -> String {
        match self {
            Self::Open { location, .. } => format!("opening {location}"),
            Self::ReadList(path) => format!("reading {}", path.display()),
            Self::WriteList { path, .. } => format!("writing {}", path.display()),
        }
    }

    fn file(&self) -> &Path {
        match self {
            Self::ReadList(path)
            | Self::WriteList { path, .. }
            | Self::Open { location: Location::File(path), .. } => path,
            Self::Open {
                location: Location::Url(name) | Location::Memory { name, .. }, ..
            } => Path::new(name),
        }
    }

    fn replaces(&self, earlier: &Self) -> bool {
        matches!((self, earlier), (Self::Open { .. }, Self::Open { .. }))
    }

    fn is_owed(&self) -> bool {
        matches!(self, Self::WriteList { .. })
    }

    fn waits_for(&self) -> &'static str {
        match self {
            Self::Open { location: Location::Url(_), .. } => "the server",
            _ => "the disk",
        }
    }

    fn patience(&self) -> Duration {
        match self {
            Self::Open { location: Location::Url(_), .. } => SERVER_PATIENCE,
            _ => PATIENCE,
        }
    }

    fn run(self, _: &MayWait) -> MusicAnswer {
        match self {
            Self::Open { opener, location } => {
                let opened = opener.open(&location).map_err(DecodeError::from);
                MusicAnswer::Opened(opened.and_then(Decoder::open_media).map(Box::new))
            }
            Self::ReadList(path) => MusicAnswer::Listed(read_playlist(&path)),
            Self::WriteList { path, tracks } => {
                let written = write_playlist(&path, &tracks);
                MusicAnswer::Written(written.map(|()| (tracks.len(), path)))
            }
        }
    }
}
