//! Tracks that were listened to once, kept on disk by the content of their files: a copy or a renamed file is known
//! again, a changed one is not.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use crate::analysis::Track;
use crate::media::{MediaError, open_file};

/// The cache holds at most this many bytes: about 300 songs.
const MOST_BYTES: u64 = 256 << 20;
/// No stored track is longer: three hours and a margin.
const LONGEST_TRACK_BYTES: u64 = 128 << 20;
/// Ending of stored tracks.
const ENDING: &str = "track";

/// What a file holds, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentKey {
    hash: u64,
    bytes: u64,
}

impl ContentKey {
    /// Reads the whole file.
    pub fn of_file(path: &Path) -> Result<Self, MediaError> {
        let (mut file, _) = open_file(path)?;
        let mut buffer = vec![0; 1 << 16];
        // FNV-1a over words of eight bytes: content is told apart from other content, not from an attacker's.
        let (mut hash, mut bytes) = (0xCBF2_9CE4_8422_2325_u64, 0);
        loop {
            let read = read_full(&mut file, &mut buffer)
                .map_err(|source| MediaError::Unreadable { path: path.into(), source })?;
            if read == 0 {
                return Ok(Self { hash, bytes });
            }
            bytes += read as u64;
            buffer[read..].fill(0);
            for word in buffer[..read.next_multiple_of(8)].as_chunks::<8>().0 {
                hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0x0100_0000_01B3);
                hash ^= hash >> 29;
            }
        }
    }

    fn file_name(self) -> String {
        format!("{:016x}-{:x}.{ENDING}", self.hash, self.bytes)
    }
}

/// Fills the buffer, but at the end of the file.
fn read_full(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A folder of stored tracks. May be shared by processes: a track appears whole or not at all.
#[derive(Clone, Debug)]
pub struct TrackCache {
    folder: PathBuf,
    most_bytes: u64,
}

impl TrackCache {
    /// In this folder, which is made when something is stored.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder, most_bytes: MOST_BYTES }
    }

    /// In the user's cache folder; `None` where there is no home.
    #[must_use]
    pub fn of_user() -> Option<Self> {
        let folders = directories::ProjectDirs::from("", "", "galvo")?;
        Some(Self::in_folder(folders.cache_dir().join("tracks")))
    }

    /// The track of this content, if it is stored, whole, and of this version of the analysis.
    #[must_use]
    pub fn get(&self, key: ContentKey) -> Option<Track> {
        let path = self.folder.join(key.file_name());
        let bytes = fs::metadata(&path).ok()?.len();
        if bytes > LONGEST_TRACK_BYTES {
            return None;
        }
        let bytes = fs::read(&path).ok()?;
        let track = Track::from_bytes(&bytes).ok()?;
        // Written anew it is the youngest: what is used is kept longest. Where it cannot be written it ages sooner.
        drop(self.write(key, &bytes));
        Some(track)
    }

    /// Stores a track, and lets go of those that were not used for longest if there is too much.
    pub fn put(&self, key: ContentKey, track: &Track) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        self.write(key, &track.to_bytes())?;
        self.make_room()
    }

    /// Whole or not at all, whoever else writes.
    fn write(&self, key: ContentKey, bytes: &[u8]) -> io::Result<()> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        let new = self.folder.join(format!("{}-{unique}.new", std::process::id()));
        let written = fs::write(&new, bytes)
            .and_then(|()| fs::rename(&new, self.folder.join(key.file_name())));
        if written.is_err() {
            drop(fs::remove_file(&new));
        }
        written
    }

    fn make_room(&self) -> io::Result<()> {
        let mut stored = Vec::new();
        for entry in fs::read_dir(&self.folder)?.flatten() {
            // Another process may have removed it meanwhile.
            let Ok(about) = entry.metadata() else { continue };
            let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            stored.push((used, about.len(), entry.path()));
        }
        stored.sort();
        let mut bytes: u64 = stored.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, len, path) in stored {
            if bytes <= self.most_bytes {
                break;
            }
            if path.extension().is_some_and(|ending| ending == ENDING)
                && fs::remove_file(path).is_ok()
            {
                bytes -= len;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::TrackAnalyser;

    fn track(seconds: usize) -> Track {
        let mut analyser = TrackAnalyser::new(44_100);
        let sound = (0..seconds * 44_100).flat_map(|n| [(n % 11_025) as f32 / 44_100.0; 2]);
        analyser.push(&sound.collect::<Vec<f32>>());
        analyser.finish()
    }

    fn file(folder: &Path, name: &str, content: &[u8]) -> ContentKey {
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        ContentKey::of_file(&path).unwrap()
    }

    #[test]
    fn content_is_known_under_any_name_and_a_changed_byte_makes_it_another() {
        let folder = tempfile::tempdir().unwrap();
        let long: Vec<u8> = (0..200_003_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        let key = file(folder.path(), "a", &long);
        assert_eq!(file(folder.path(), "b", &long), key);
        for at in [0, 100_000, 200_002] {
            let mut other = long.clone();
            other[at] ^= 1;
            assert_ne!(file(folder.path(), "c", &other), key);
        }
        assert_ne!(file(folder.path(), "d", &long[..200_002]), key);
        let mut longer = long;
        longer.push(0);
        assert_ne!(file(folder.path(), "e", &longer), key);
        assert!(matches!(
            ContentKey::of_file(&folder.path().join("none")),
            Err(MediaError::Missing(_))
        ));
    }

    #[test]
    fn a_stored_track_comes_back_and_a_torn_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let cache = TrackCache::in_folder(folder.path().join("deep/tracks"));
        let key = file(folder.path(), "song", b"song");
        assert_eq!(cache.get(key), None);
        let track = track(3);
        cache.put(key, &track).unwrap();
        assert_eq!(cache.get(key), Some(track));
        let stored = folder.path().join("deep/tracks").join(key.file_name());
        let bytes = fs::read(&stored).unwrap();
        fs::write(&stored, &bytes[..bytes.len() / 2]).unwrap();
        assert_eq!(cache.get(key), None);
    }

    #[test]
    fn the_cache_lets_go_of_what_was_not_used_for_longest() {
        let folder = tempfile::tempdir().unwrap();
        let mut cache = TrackCache::in_folder(folder.path().join("tracks"));
        let track = track(3);
        let size = track.to_bytes().len() as u64;
        cache.most_bytes = 2 * size;
        let keys = [1_u8, 2, 3].map(|n| file(folder.path(), "song", &[n]));
        for (age, key) in keys.into_iter().take(2).enumerate() {
            cache.put(key, &track).unwrap();
            let stored = fs::File::options()
                .write(true)
                .open(folder.path().join("tracks").join(key.file_name()));
            let used = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000 + age as u64);
            stored.unwrap().set_times(fs::FileTimes::new().set_modified(used)).unwrap();
        }
        assert!(cache.get(keys[0]).is_some(), "used just now");
        cache.put(keys[2], &track).unwrap();
        assert_eq!(keys.map(|key| cache.get(key).is_some()), [true, false, true]);
    }
}
