//! The user's presets on the disk: looked at, read, written and removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::files;
use super::job_queue::{Job, MayWait};
use crate::pattern::Preset;
use crate::pattern::preset::MAX_PRESET_BYTES;
use crate::show::library::{LibraryError, preset_in};

/// Most files of the user's folder that are read.
const MAX_USER_FILES: usize = 1_000;

/// A file as it was when it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The file.
    pub path: PathBuf,
    modified: Option<SystemTime>,
    bytes: u64,
}

/// Something to be done with presets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresetJob {
    /// Looks at every file, and reads those that have changed.
    Look(Look),
    /// Makes a file what it is to be.
    Write(PresetWrite),
}

/// Where presets lie, and what is known of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The user's folder.
    pub folder: Option<PathBuf>,
    /// A file outside of it.
    pub watched: Option<PathBuf>,
    /// The files as they were.
    pub known: Arc<[Seen]>,
    /// What was wrong with the folder.
    pub known_trouble: Option<String>,
}

/// A file as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresetWrite {
    /// What that is for the operator: "saving Mine".
    pub words: String,
    /// The file.
    pub path: PathBuf,
    /// Its text; none if it is to be gone.
    pub text: Option<Arc<str>>,
    /// True if there is to be no such file yet.
    pub is_new: bool,
}

/// What came of it.
#[derive(Debug)]
pub enum PresetAnswer {
    /// Nothing has changed.
    Same,
    /// Something has.
    Looked(Listing),
    /// The file is written, and was so then; none if it is gone.
    Written(Result<Option<Seen>, LibraryError>),
}

/// Every file there is.
#[derive(Debug, Default)]
pub struct Listing {
    /// The files, by name.
    pub files: Vec<(Seen, Content)>,
    /// Why the folder cannot be read.
    pub trouble: Option<LibraryError>,
}

/// What is in a file.
#[derive(Debug)]
pub enum Content {
    /// What was there before.
    Same,
    /// A preset and its text, or what is wrong with it.
    Read(Result<(Arc<Preset>, Arc<str>), LibraryError>),
}

impl Job for PresetJob {
    type Answer = PresetAnswer;

    fn words(&self) -> String {
        match self {
            Self::Look(Look { folder: Some(folder), .. }) => {
                format!("looking for presets in {}", folder.display())
            }
            Self::Look(_) => "looking for presets".to_owned(),
            Self::Write(PresetWrite { words, path, .. }) => format!("{words} ({})", path.display()),
        }
    }

    /// All in one order: what is read after a file was written holds it.
    fn file(&self) -> &Path {
        Path::new("")
    }

    fn is_owed(&self) -> bool {
        matches!(self, Self::Write(_))
    }

    fn run(self, may_wait: &MayWait) -> PresetAnswer {
        match self {
            Self::Look(look) => look.run(may_wait),
            Self::Write(write) => PresetAnswer::Written(write.run()),
        }
    }
}

impl Look {
    /// Looks, however long it takes.
    #[must_use]
    pub fn run(self, _: &MayWait) -> PresetAnswer {
        let (mut files, error) = match self.folder.as_deref().map(preset_files) {
            None => (Vec::new(), None),
            Some(Ok(files)) => (files, None),
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => (Vec::new(), None),
            Some(Err(error)) => {
                // Whoever was there is there still.
                let known =
                    self.known.iter().filter(|seen| self.watched.as_ref() != Some(&seen.path));
                (known.cloned().collect(), Some(error))
            }
        };
        let outside = self.watched.filter(|path| !files.iter().any(|seen| seen.path == *path));
        files.extend(outside.as_deref().and_then(seen_now));
        let path = self.folder.unwrap_or_default();
        let trouble = error.map(|error| LibraryError::Io { path, error });
        let is_same_trouble = trouble.as_ref().map(ToString::to_string) == self.known_trouble;
        if files[..] == self.known[..] && is_same_trouble {
            return PresetAnswer::Same;
        }
        let with_content = |seen: Seen| {
            let content = if self.known.contains(&seen) {
                Content::Same
            } else {
                Content::Read(read(&seen.path))
            };
            (seen, content)
        };
        PresetAnswer::Looked(Listing {
            files: files.into_iter().map(with_content).collect(),
            trouble,
        })
    }
}

impl PresetWrite {
    fn run(self) -> Result<Option<Seen>, LibraryError> {
        let Self { path, text, is_new, .. } = self;
        let done = match text {
            Some(_) if is_new && fs::symlink_metadata(&path).is_ok() => {
                Err(io::Error::from(io::ErrorKind::AlreadyExists))
            }
            Some(text) => files::replace(&path, &text),
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                done => done,
            },
        };
        match done {
            Ok(()) => Ok(seen_now(&path)),
            Err(error) => Err(LibraryError::Io { path, error }),
        }
    }
}

/// Reads one preset with its text; never more than a page of it.
///
/// # Errors
/// The file cannot be read, or is no preset.
pub fn read(path: &Path) -> Result<(Arc<Preset>, Arc<str>), LibraryError> {
    let text = files::read_text(path, MAX_PRESET_BYTES as u64 + 1)
        .map_err(|error| LibraryError::Io { path: path.to_owned(), error })?;
    Ok((preset_in(&text, path)?, text.into()))
}

/// The ordinary `.toml` files of a folder, by name.
fn preset_files(folder: &Path) -> io::Result<Vec<Seen>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.iter().filter_map(|path| seen_now(path)).take(MAX_USER_FILES).collect())
}

fn seen_now(path: &Path) -> Option<Seen> {
    let about = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some(Seen { path: path.to_owned(), modified: about.modified().ok(), bytes: about.len() })
}
