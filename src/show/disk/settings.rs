//! What is remembered of projectors, written down.

use std::io;
use std::path::{Path, PathBuf};

use super::files;
use super::job_queue::{Job, MayWait};

/// A file of settings as it is to be. A newer one makes an older one needless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsJob {
    /// The file.
    pub path: PathBuf,
    /// The whole of its text.
    pub text: String,
    /// What is not remembered if it cannot be written: "the set-up of the projectors".
    pub what: &'static str,
}

/// What came of writing settings.
#[derive(Debug)]
pub struct SettingsAnswer {
    /// As in the job.
    pub what: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Why it was not written.
    pub written: io::Result<()>,
}

impl Job for SettingsJob {
    type Answer = SettingsAnswer;

    fn words(&self) -> String {
        format!("writing {}", self.path.display())
    }

    fn file(&self) -> &Path {
        &self.path
    }

    fn replaces(&self, earlier: &Self) -> bool {
        self.path == earlier.path
    }

    fn is_owed(&self) -> bool {
        true
    }

    fn run(self, _: &MayWait) -> SettingsAnswer {
        let Self { path, text, what } = self;
        let written = files::replace(&path, &text);
        SettingsAnswer { what, path, written }
    }
}

impl SettingsAnswer {
    /// What an operator should read, if it failed.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let Self { what, path, written } = self;
        let error = written.as_ref().err()?;
        let path = path.display();
        Some(format!("{what} is not remembered ({path}: {error}): make room, or set HOME"))
    }
}
