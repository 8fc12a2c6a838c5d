//! A file that grows beside its place and gets its name once it is whole: nobody ever sees half of it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Names that are tried before a folder counts as full of them.
const MOST_TWINS: u32 = 10_000;

/// Why there is no file.
#[derive(Debug, Error)]
pub enum DraftError {
    /// Nothing can be written there: choose another place.
    #[error("no file can be written in {} ({reason}): choose another place", folder.display())]
    Folder {
        /// Where it was to be.
        folder: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// It is written, and cannot get its name; it lies beside its place.
    #[error("{} could not get its name ({reason}); what was written is in {}", path.display(), beside.display())]
    Name {
        /// The name it was to get.
        path: PathBuf,
        /// Where it lies.
        beside: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}

/// A file that has no name yet. Dropped without one it is removed.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    beside: PathBuf,
    /// What its name begins with, if no file may be written over.
    stem: Option<String>,
    finished: bool,
}

impl Draft {
    /// A file that will be `path`, in the place of what is there now.
    pub fn over(path: &Path) -> Result<(Self, File), DraftError> {
        let beside = beside(path);
        let file = File::create(&beside).map_err(|source| refused(path, source))?;
        Ok((Self { path: path.to_owned(), beside, stem: None, finished: false }, file))
    }

    /// A file of a name that is free in `folder`, which is made if it is not there: `stem.ending`, else
    /// `stem-2.ending` and so on.
    pub fn new_in(folder: &Path, stem: &str, ending: &str) -> Result<(Self, File), DraftError> {
        let refused = |reason| DraftError::Folder { folder: folder.to_owned(), reason };
        fs::create_dir_all(folder).map_err(refused)?;
        for number in 1..=MOST_TWINS {
            let path = folder.join(twin(stem, ending, number));
            if path.exists() {
                continue;
            }
            let beside = beside(&path);
            match OpenOptions::new().read(true).write(true).create_new(true).open(&beside) {
                Ok(file) => {
                    let stem = Some(stem.to_owned());
                    return Ok((Self { path, beside, stem, finished: false }, file));
                }
                // Another file of this program is on its way to this name.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(refused(io::ErrorKind::AlreadyExists.into()))
    }

    /// The name it will have, unless another file gets it first.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it lies until then.
    #[must_use]
    pub fn beside(&self) -> &Path {
        &self.beside
    }

    /// It is whole: gives it its name. Returns the name it got.
    ///
    /// # Errors
    /// [`DraftError::Name`]: it stays where it is.
    pub fn finish(mut self) -> Result<PathBuf, DraftError> {
        self.finished = true;
        let mut path = self.path.clone();
        if let Some(stem) = &self.stem {
            let (_, ending) = parts(&path);
            let mut names = (2..=MOST_TWINS).map(|number| twin(stem, &ending, number));
            while path.exists()
                && let Some(name) = names.next()
            {
                path.set_file_name(name);
            }
        }
        match fs::rename(&self.beside, &path) {
            Ok(()) => Ok(path),
            Err(reason) => Err(DraftError::Name { path, beside: self.beside.clone(), reason }),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.finished {
            // The error that counts is the one that ended the work; what is left of the attempt goes if it can.
            drop(fs::remove_file(&self.beside));
        }
    }
}

fn refused(path: &Path, reason: io::Error) -> DraftError {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    DraftError::Folder { folder: folder.unwrap_or(Path::new(".")).to_owned(), reason }
}

fn parts(path: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| {
        part.map_or_else(String::new, |part| part.to_string_lossy().into_owned())
    };
    (text(path.file_stem()), text(path.extension()))
}

fn twin(stem: &str, ending: &str, number: u32) -> String {
    if number == 1 { format!("{stem}.{ending}") } else { format!("{stem}-{number}.{ending}") }
}

/// Where a file grows: it keeps its ending, so that what a power cut leaves can be opened.
fn beside(path: &Path) -> PathBuf {
    let (stem, ending) = parts(path);
    path.with_file_name(format!("{stem}.{}.{ending}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn no_file_of_the_user_is_ever_written_over() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("new/folder");
        let (first, mut file) = Draft::new_in(&folder, "show 1.5", "ild").unwrap();
        file.write_all(b"one").unwrap();
        let (second, _file) = Draft::new_in(&folder, "show 1.5", "ild").unwrap();
        assert_ne!(first.path(), second.path(), "both are on their way");
        // Somebody else takes the name meanwhile.
        fs::write(folder.join("show 1.5.ild"), "theirs").unwrap();
        let path = first.finish().unwrap();
        second.finish().unwrap();
        assert_eq!(fs::read(path).unwrap(), b"one");
        assert_eq!(fs::read(folder.join("show 1.5.ild")).unwrap(), b"theirs");
        assert_eq!(names(&folder), ["show 1.5-2.ild", "show 1.5-3.ild", "show 1.5.ild"]);
    }

    #[test]
    fn half_a_file_is_removed_and_the_old_one_stays() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.csv");
        fs::write(&path, "old").unwrap();
        let (draft, mut file) = Draft::over(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(draft);
        assert_eq!((names(home.path()).len(), fs::read(&path).unwrap()), (1, b"old".to_vec()));
        let (draft, mut file) = Draft::over(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(draft.finish().unwrap(), path);
        assert_eq!((names(home.path()).len(), fs::read(&path).unwrap()), (1, b"new".to_vec()));
    }

    #[test]
    fn a_folder_that_cannot_be_is_told_with_a_cure() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let told = Draft::new_in(&file.join("below"), "a", "ild").unwrap_err().to_string();
        assert!(told.contains("choose another place"), "{told}");
        let told = Draft::over(&file.join("a.ild")).unwrap_err().to_string();
        assert!(told.contains("choose another place"), "{told}");
    }
}
