//! Whole downloads kept on the disk, so that the second time needs no network.
//!
//! Safe to share between programs, and to be killed at any moment: a download grows under a name of its own, which
//! its program holds locked, and takes its final name, which nobody writes to, in one step when it is whole. What is
//! found is checked against its sum before it is believed. The cache is bounded: the least recently used goes first.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::positioned;
use crate::time::wall_clock;

/// Last bytes of a kept file: before them the length of the label in 4 bytes, little endian, and before that the label.
const MAGIC: &[u8; 8] = b"galvoM01";
/// A label is shorter than this.
const MAX_LABEL_BYTES: u64 = 16 << 10;
/// Names kept and growing files.
const KEPT: &str = "media";
const GROWING: &str = "part";
/// What the cache may hold unless told otherwise.
const DEFAULT_LIMIT_BYTES: u64 = 2 << 30;

/// What a server said of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Label {
    pub(super) url: String,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(super) content_type: Option<String>,
    /// Length of the file in bytes.
    pub(super) len: u64,
    /// See [`sum_of`].
    pub(super) sum: u64,
}

/// A folder of whole downloads.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    limit_bytes: u64,
}

impl Cache {
    /// A cache in `folder`, which is made if it is missing; it holds at most `limit_bytes`.
    pub fn open(folder: &Path, limit_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let cache = Self { folder: folder.to_owned(), limit_bytes };
        cache.clear_abandoned();
        Ok(cache)
    }

    /// The user's cache; `None` if the system has no place for it.
    #[must_use]
    pub fn of_the_user() -> Option<Self> {
        let folders = directories::ProjectDirs::from("", "", "galvo")?;
        Self::open(&folders.cache_dir().join("media"), DEFAULT_LIMIT_BYTES).ok()
    }

    fn kept_path(&self, url: &str) -> PathBuf {
        self.folder.join(format!("{:016x}.{KEPT}", sum_of_bytes(url.as_bytes())))
    }

    /// The whole file of `url`, if it is kept and unharmed. What is harmed is thrown away.
    pub(super) fn find(&self, url: &str) -> Option<(File, Label)> {
        let path = self.kept_path(url);
        let file = File::open(&path).ok()?;
        let label = read_label(&file).ok().flatten();
        let sound = label.filter(|label| {
            label.url == url && sum_of(&file, label.len).is_ok_and(|sum| sum == label.sum)
        });
        if let Some(label) = sound {
            // The time of its last use decides who goes first. A cache that is read-only still serves.
            let touched = OpenOptions::new().write(true).open(&path);
            touched.and_then(|file| file.set_modified(wall_clock())).ok();
            return Some((file, label));
        }
        fs::remove_file(&path).ok();
        None
    }

    /// Throws away what is kept of `url`.
    pub(super) fn forget(&self, url: &str) {
        fs::remove_file(self.kept_path(url)).ok();
    }

    /// A file for a download to grow in.
    pub(super) fn begin(&self) -> io::Result<Part> {
        Part::create(&self.folder)
    }

    /// Keeps a whole download. What is too long for the cache is not kept, and that is no failure.
    pub(super) fn keep(&self, part: &Part, mut label: Label) -> io::Result<()> {
        if label.len > self.limit_bytes {
            return Ok(());
        }
        label.sum = sum_of(&part.file, label.len)?;
        let mut tail = serde_json::to_vec(&label)?;
        tail.extend_from_slice(&(tail.len() as u32).to_le_bytes());
        tail.extend_from_slice(MAGIC);
        part.file.set_len(label.len)?;
        positioned::write_all_at(&part.file, &tail, label.len)?;
        part.file.sync_all()?;
        fs::rename(&part.path, self.kept_path(&label.url))?;
        self.make_room();
        Ok(())
    }

    /// Removes the least recently used until the cache is within its limit.
    fn make_room(&self) {
        let mut kept: Vec<_> = self
            .files_named(KEPT)
            .filter_map(|path| {
                let about = fs::metadata(&path).ok()?;
                Some((about.modified().ok()?, about.len(), path))
            })
            .collect();
        kept.sort();
        let mut total: u64 = kept.iter().map(|(_, len, _)| len).sum();
        for (_, len, path) in kept {
            if total <= self.limit_bytes {
                break;
            }
            if fs::remove_file(path).is_ok() {
                total -= len;
            }
        }
    }

    /// Removes growing files whose program is gone: nobody holds their lock.
    fn clear_abandoned(&self) {
        for path in self.files_named(GROWING) {
            if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
                fs::remove_file(path).ok();
            }
        }
    }

    fn files_named(&self, extension: &'static str) -> impl Iterator<Item = PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(move |p| p.extension().is_some_and(|e| e == extension))
    }
}

/// A file of this program alone, gone with it.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    /// A new file in the system's folder for such.
    pub(super) fn in_temporary_folder() -> io::Result<Self> {
        Self::create(&std::env::temp_dir())
    }

    fn create(folder: &Path) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("galvo-{}-{count}.{GROWING}", std::process::id()));
            match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
                Ok(file) => {
                    // A disk that knows no locks only leaves more behind.
                    file.try_lock().ok();
                    return Ok(Self { path, file });
                }
                // Left by a program of the same number that was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Another handle to the file.
    pub(super) fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Gone already if it was kept under its final name.
        fs::remove_file(&self.path).ok();
    }
}

fn read_label(file: &File) -> io::Result<Option<Label>> {
    let total = file.metadata()?.len();
    let Some(at) = total.checked_sub(12) else { return Ok(None) };
    let mut end = [0; 12];
    positioned::read_at(file, &mut end, at)?;
    let [len @ .., _, _, _, _, _, _, _, _] = end;
    let len = u64::from(u32::from_le_bytes(len));
    let Some(at) = at.checked_sub(len).filter(|_| end[4..] == *MAGIC && len < MAX_LABEL_BYTES)
    else {
        return Ok(None);
    };
    let mut text = vec![0; len as usize];
    positioned::read_at(file, &mut text, at)?;
    let label: Option<Label> = serde_json::from_slice(&text).ok();
    Ok(label.filter(|label| label.len == at))
}

/// A sum over the first `len` bytes that tells damage, not malice: FNV-1a over words of 8 bytes, in four lanes.
fn sum_of(file: &File, len: u64) -> io::Result<u64> {
    let mut sum = Sum::new();
    let mut buf = vec![0; 256 << 10];
    let mut at = 0;
    while at < len {
        let want = buf.len().min(usize::try_from(len - at).unwrap_or(usize::MAX));
        let read = positioned::read_at(file, &mut buf[..want], at)?;
        if read < want {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        sum.add(&buf[..read]);
        at += read as u64;
    }
    Ok(sum.finish(len))
}

fn sum_of_bytes(bytes: &[u8]) -> u64 {
    let mut sum = Sum::new();
    sum.add(bytes);
    sum.finish(bytes.len() as u64)
}

struct Sum([u64; 4]);

impl Sum {
    const PRIME: u64 = 0x0000_0100_0000_01B3;

    fn new() -> Self {
        Self([0xCBF2_9CE4_8422_2325, 1, 2, 3])
    }

    /// Adds bytes; all but the last lot must be a multiple of 32 long.
    fn add(&mut self, bytes: &[u8]) {
        for block in bytes.chunks(32) {
            let mut whole = [0; 32];
            whole[..block.len()].copy_from_slice(block);
            for (lane, word) in self.0.iter_mut().zip(whole.as_chunks::<8>().0) {
                let mixed = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(Self::PRIME);
                *lane = mixed ^ (mixed >> 29);
            }
        }
    }

    fn finish(self, len: u64) -> u64 {
        self.0.iter().fold(len, |sum, lane| {
            let mixed = (sum ^ lane).wrapping_mul(Self::PRIME);
            mixed ^ (mixed >> 32)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(cache: &Cache, url: &str, bytes: &[u8]) {
        let part = cache.begin().unwrap();
        positioned::write_all_at(&part.file, bytes, 0).unwrap();
        let label = Label { url: url.into(), len: bytes.len() as u64, ..Label::default() };
        cache.keep(&part, label).unwrap();
    }

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn what_was_kept_is_found_by_another_program() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..300_000_u32).map(|k| (k.wrapping_mul(k) >> 7) as u8).collect();
        keep(&Cache::open(folder.path(), 1 << 20).unwrap(), "http://x/a", &bytes);
        let other = Cache::open(folder.path(), 1 << 20).unwrap();
        let (file, label) = other.find("http://x/a").unwrap();
        let mut read = vec![0; bytes.len()];
        assert_eq!(positioned::read_at(&file, &mut read, 0).unwrap(), bytes.len());
        assert_eq!((read == bytes, label.len), (true, 300_000));
        assert!(other.find("http://x/b").is_none());
        assert_eq!(names(folder.path()), 1);
    }

    #[test]
    fn a_single_wrong_bit_or_a_cut_is_found_out_and_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), 1 << 20).unwrap();
        for harm in 0..4 {
            keep(&cache, "http://x/a", &vec![7; 100_000]);
            let path = cache.kept_path("http://x/a");
            let mut bytes = fs::read(&path).unwrap();
            match harm {
                0 => bytes[99_999] ^= 1,
                1 => bytes[0] ^= 0x80,
                2 => bytes.truncate(50_000),
                _ => bytes.clear(),
            }
            fs::write(&path, bytes).unwrap();
            assert!(cache.find("http://x/a").is_none(), "harm {harm}");
            assert_eq!(names(folder.path()), 0);
        }
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), 3000).unwrap();
        let made = |url: &str, at: u64| {
            keep(&cache, url, &[1; 1000]);
            let file = OpenOptions::new().write(true).open(cache.kept_path(url)).unwrap();
            let since = std::time::Duration::from_secs(1_000_000 + at);
            file.set_modified(std::time::SystemTime::UNIX_EPOCH + since).unwrap();
        };
        made("a", 1);
        made("b", 2);
        assert!(cache.find("a").is_some());
        keep(&cache, "c", &[1; 1000]);
        assert!(
            cache.find("b").is_none() && cache.find("a").is_some() && cache.find("c").is_some()
        );
        keep(&cache, "too long", &[1; 4000]);
        assert!(cache.find("too long").is_none());
    }

    #[test]
    fn what_a_killed_program_left_is_cleared_and_what_another_writes_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("galvo-1-0.part"), [0; 10]).unwrap();
        let cache = Cache::open(folder.path(), 1000).unwrap();
        assert_eq!(names(folder.path()), 0);
        let part = cache.begin().unwrap();
        Cache::open(folder.path(), 1000).unwrap();
        assert_eq!(names(folder.path()), 1);
        drop(part);
        assert_eq!(names(folder.path()), 0);
    }
}
