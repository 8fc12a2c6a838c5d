//! Playlists as files: which tracks one names, and writing one.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::file::{MediaError, open_file};
use super::location::{Location, percent_decoded};
use crate::format::m3u::{self, Listed, M3uError};

/// One track of a playlist.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaylistTrack {
    /// Where it lies.
    pub location: Location,
    /// What the list calls it.
    pub title: Option<String>,
    /// Its length as the list tells it, s.
    pub seconds: Option<f64>,
}

/// Why a playlist cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PlaylistError {
    /// Its file cannot be read.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// It is no list of tracks.
    #[error("{} is no playlist that can be used: {what}", .path.display())]
    NoList {
        /// The file.
        path: PathBuf,
        /// Why not.
        what: M3uError,
    },
    /// It cannot be written.
    #[error("{} cannot be written ({error}): choose another folder", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl From<Location> for PlaylistTrack {
    fn from(location: Location) -> Self {
        Self { location, title: None, seconds: None }
    }
}

/// True for a file whose name says that it is a playlist: `.m3u`, `.m3u8`.
#[must_use]
pub fn is_playlist(location: &Location) -> bool {
    matches!(location, Location::File(_))
        && location.extension().is_some_and(|ext| ext == "m3u" || ext == "m3u8")
}

/// Reads the playlist at `path`. Its paths count from its own folder; whether anything lies there is not looked at.
///
/// # Errors
///
/// See [`PlaylistError`].
pub fn read_playlist(path: &Path) -> Result<Vec<PlaylistTrack>, PlaylistError> {
    let (file, _) = open_file(path)?;
    let mut bytes = Vec::new();
    file.take(m3u::MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| MediaError::Unreadable { path: path.into(), source })?;
    let listed =
        m3u::parse(&bytes).map_err(|what| PlaylistError::NoList { path: path.into(), what })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let track = |Listed { place, title, seconds }| PlaylistTrack {
        location: located(&place, folder),
        title,
        seconds,
    };
    Ok(listed.into_iter().map(track).collect())
}

/// Writes `tracks` to `path`, as M3U8: what lies below its folder by the path from there, so that both can be moved
/// together. The old file stays until the new one is whole.
///
/// # Errors
///
/// [`PlaylistError::Write`].
pub fn write_playlist(path: &Path, tracks: &[PlaylistTrack]) -> Result<(), PlaylistError> {
    let refused = |error| PlaylistError::Write { path: path.into(), error };
    let whole = std::path::absolute(path).map_err(refused)?;
    let folder = whole.parent().unwrap_or(Path::new(""));
    let listed: Vec<Listed> = tracks
        .iter()
        .map(|track| Listed {
            place: place_of(&track.location, folder),
            title: track.title.clone(),
            seconds: track.seconds,
        })
        .collect();
    let beside = path.with_extension("m3u8.new");
    fs::File::create(&beside)
        .and_then(|mut file| {
            file.write_all(m3u::write(&listed).as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, path))
        .map_err(refused)
}

/// Where a line of a list in `folder` leads.
fn located(place: &str, folder: &Path) -> Location {
    if let Some(path) = place.strip_prefix("file://") {
        // file:///music/a.mp3, and file:///C:/music/a.mp3.
        let path = percent_decoded(path.strip_prefix("localhost").unwrap_or(path));
        let drive = path.strip_prefix('/').filter(|rest| rest.as_bytes().get(1) == Some(&b':'));
        return Location::File(drive.unwrap_or(&path).into());
    }
    match Location::parse(place) {
        // Lists that were written under Windows divide folders by a backslash.
        Location::File(_) if cfg!(unix) && !place.contains('/') => {
            Location::File(folder.join(place.replace('\\', "/")))
        }
        Location::File(path) => Location::File(folder.join(path)),
        elsewhere => elsewhere,
    }
}

fn place_of(location: &Location, folder: &Path) -> String {
    let Location::File(path) = location else { return location.to_string() };
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
    whole.strip_prefix(folder).unwrap_or(&whole).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_count_from_the_folder_of_the_list_and_addresses_stay() {
        let at = |place: &str| located(place, Path::new("/lists/set"));
        let file = |path: &str| Location::File(path.into());
        assert_eq!(at("a.flac"), file("/lists/set/a.flac"));
        assert_eq!(at("../b.flac"), file("/lists/set/../b.flac"));
        assert_eq!(at("/music/c.flac"), file("/music/c.flac"));
        assert_eq!(at("file:///music/S%C3%A4ule.mp3"), file("/music/Säule.mp3"));
        assert_eq!(at("file:///C:/music/x.mp3"), file("C:/music/x.mp3"));
        assert_eq!(at("https://host/a.mp3"), Location::Url("https://host/a.mp3".into()));
        #[cfg(unix)]
        assert_eq!(at("sub\\d.mp3"), file("/lists/set/sub/d.mp3"));
    }

    #[test]
    fn what_was_written_leads_to_the_same_tracks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.m3u8");
        let near = folder.path().join("music/a.wav");
        let track = |location: Location| PlaylistTrack {
            location,
            title: Some("Band – Name".into()),
            seconds: Some(12.0),
        };
        let tracks =
            [track(Location::File(near)), track("/far/b.wav".into()), track("http://h/c".into())];
        write_playlist(&path, &tracks).unwrap();
        assert!(is_playlist(&Location::File(path.clone())));
        assert_eq!(read_playlist(&path).unwrap(), tracks);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.lines().any(|line| line == "music/a.wav"), "{text}");
    }

    #[test]
    fn a_file_that_is_no_list_says_so_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.m3u");
        fs::write(&path, b"\0\0").unwrap();
        let told = read_playlist(&path).unwrap_err().to_string();
        assert!(told.contains("x.m3u") && told.contains("save it as M3U8"), "{told}");
        let told = write_playlist(&folder.path().join("no/y.m3u8"), &[]).unwrap_err().to_string();
        assert!(told.contains("y.m3u8") && told.contains("choose another folder"), "{told}");
    }
}
