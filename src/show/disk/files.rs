//! Small text files as galvo keeps them: read if they are ordinary files, written whole or not at all.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};

/// How long the start of a show waits for a file.
const START_PATIENCE: Duration = Duration::from_secs(2);

/// Reads an ordinary file, at most so many bytes of it.
///
/// # Errors
/// It is not there, is no ordinary file, is no text, or the system refuses.
pub fn read_text(path: &Path, most_bytes: u64) -> io::Result<String> {
    // Asked before opening: to open a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no ordinary file"));
    }
    let mut text = String::new();
    fs::File::open(path)?.take(most_bytes).read_to_string(&mut text)?;
    Ok(text)
}

/// The same at the start of a show: a disk that does not answer is left behind.
///
/// # Errors
/// As above, or nobody has answered in time.
pub fn read_text_in_time(path: &Path, most_bytes: u64) -> io::Result<String> {
    let path = path.to_owned();
    in_time(move || read_text(&path, most_bytes))?
}

/// What `work` gives, if it does so in time. If not its thread is left behind.
///
/// # Errors
/// It took too long, or the system gives no thread.
pub fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let (send, answer) = bounded(1);
    let work = move || {
        // Nobody waits any more if it took too long.
        send.send(work()).ok();
    };
    std::thread::Builder::new().name("disk at start".into()).spawn(work)?;
    answer.recv_timeout(START_PATIENCE).map_err(|error| match error {
        RecvTimeoutError::Timeout => {
            let seconds = START_PATIENCE.as_secs();
            let text = format!("the disk has not answered for {seconds} s");
            io::Error::new(io::ErrorKind::TimedOut, text)
        }
        RecvTimeoutError::Disconnected => io::Error::other("reading it failed"),
    })
}

/// Writes beside the file, and renames over it: a power cut leaves the old one or the new one. Makes the folder.
///
/// # Errors
/// The folder or the disk refuses; the old file is as it was.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Two programs, and two jobs of one of which the first hangs, do not meet here.
    let unique = NEXT.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("{}-{unique}.new", std::process::id()));
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&beside, path));
    if renamed.is_err() {
        // The error that counts is the first; what is left of the attempt goes if it can.
        drop(fs::remove_file(&beside));
    }
    renamed
}

/// Gives a file another name; one that is there already goes.
///
/// # Errors
/// The disk refuses.
pub fn put_aside(path: &Path, aside: &Path) -> io::Result<()> {
    fs::rename(path, aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/a.toml");
        for text in ["one", "two"] {
            replace(&path, text).unwrap();
            assert_eq!(read_text(&path, 100).unwrap(), text);
        }
        assert_eq!(read_text(&path, 2).unwrap(), "tw");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert!(replace(folder.path(), "x").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_ordinary_file_is_refused_without_opening_it() {
        let folder = tempfile::tempdir().unwrap();
        let told = read_text_in_time(folder.path(), 100).unwrap_err().to_string();
        assert_eq!(told, "it is no ordinary file");
        let none = read_text_in_time(&folder.path().join("none"), 100).unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_disk_that_does_not_answer_at_the_start_is_left_behind() {
        let (hold, held) = bounded::<()>(0);
        let told = in_time(move || held.recv()).unwrap_err();
        assert_eq!(told.kind(), io::ErrorKind::TimedOut);
        assert!(told.to_string().contains("has not answered for 2 s"), "{told}");
        drop(hold);
    }
}
