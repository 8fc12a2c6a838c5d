//! A file that a command writes: it gets its name once it is whole, and what was there before stays until then.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::record::Draft;

/// See the module. Dropped unfinished, nothing is left of it.
#[derive(Debug)]
pub(super) struct OutFile {
    file: File,
    /// `None` of a pipe or a device: they keep no file.
    draft: Option<Draft>,
}

impl OutFile {
    /// Begins the file that will be `path`.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let there = fs::metadata(path).ok();
        if there.as_ref().is_some_and(fs::Metadata::is_dir) {
            bail!("{} is a folder: name a file in it", path.display());
        }
        if there.is_some_and(|there| !there.is_file()) {
            return Ok(Self { file: File::create(path)?, draft: None });
        }
        let (draft, file) = Draft::over(path)?;
        Ok(Self { file, draft: Some(draft) })
    }

    /// What lies beside its place until it is whole.
    pub(super) fn beside(&self) -> Option<PathBuf> {
        self.draft.as_ref().map(|draft| draft.beside().to_owned())
    }

    /// It is whole: it gets its name.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.file.flush()?;
        if let Some(draft) = self.draft {
            draft.finish()?;
        }
        Ok(())
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_until_the_new_one_is_whole() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("report.json");
        fs::write(&path, "old").unwrap();
        let count = || fs::read_dir(home.path()).unwrap().count();
        let mut cut_short = OutFile::create(&path).unwrap();
        cut_short.write_all(b"half").unwrap();
        assert_eq!(count(), 2);
        assert!(cut_short.beside().unwrap().exists());
        drop(cut_short);
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), count()), ("old", 1));
        let mut whole = OutFile::create(&path).unwrap();
        whole.write_all(b"new").unwrap();
        whole.finish().unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), count()), ("new", 1));
    }

    #[test]
    fn a_folder_is_found_out_before_the_work() {
        let home = tempfile::tempdir().unwrap();
        let told = OutFile::create(home.path()).unwrap_err().to_string();
        assert!(told.contains("is a folder"), "{told}");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_as_it_is() {
        let mut null = OutFile::create(Path::new("/dev/null")).unwrap();
        null.write_all(b"gone").unwrap();
        assert_eq!(null.beside(), None);
        null.finish().unwrap();
    }
}
