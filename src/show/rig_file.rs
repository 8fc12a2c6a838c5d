//! The projectors of the last desk, remembered for the next one: by name, in the order in which they came. Never
//! whether light was allowed.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::disk::{SettingsJob, files};
use super::engine::MOST_PROJECTORS;

/// No file of a rig is larger than this, bytes.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    projectors: Vec<String>,
}

/// What a file gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// The projectors; `None` if nothing is remembered yet.
    pub projectors: Option<Vec<String>>,
    /// What is wrong with the file, as a sentence with its cure.
    pub told: Option<String>,
}

/// Where the projectors of a desk are remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RigFile(PathBuf);

/// The user's file on this system: `galvo/rig.toml` where settings live.
#[must_use]
pub fn default_file() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "galvo")?;
    Some(folders.config_dir().join("rig.toml"))
}

impl RigFile {
    /// Remembers in the file at `path`.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Reads what is remembered. A file that cannot be understood is put aside.
    #[must_use]
    pub fn read(&self) -> Remembered {
        let Self(path) = self;
        let text = match files::read_text_in_time(path, MAX_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Remembered::default(),
            Err(error) => {
                let shown = path.display();
                let told =
                    format!("{shown} cannot be read ({error}): add the projectors in Projectors");
                return Remembered { told: Some(told), ..Remembered::default() };
            }
        };
        let damage = match understood(&text) {
            Ok(projectors) => return Remembered { projectors: Some(projectors), told: None },
            Err(damage) => damage,
        };
        let aside = path.with_extension("toml.damaged");
        let kept = match files::put_aside(path, &aside) {
            Ok(()) => format!("it is kept as {}", aside.display()),
            Err(_) => "it is written anew with the next change".to_owned(),
        };
        let told = format!(
            "{} is damaged ({damage}): add the projectors in Projectors, {kept}",
            path.display()
        );
        Remembered { told: Some(told), ..Remembered::default() }
    }

    /// These projectors, to be written down.
    ///
    /// # Errors
    /// A name cannot be written.
    pub fn to_write(&self, projectors: Vec<String>) -> io::Result<SettingsJob> {
        let text = toml::to_string(&Kept { projectors })
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let about = "# The projectors of the desk as it was left: galvo opens them again\n\n";
        let (path, text) = (self.0.clone(), format!("{about}{text}"));
        Ok(SettingsJob { path, text, what: "the list of projectors of this desk" })
    }
}

fn understood(text: &str) -> Result<Vec<String>, String> {
    let kept: Kept = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    if kept.projectors.len() > MOST_PROJECTORS {
        return Err(format!("more than {MOST_PROJECTORS} projectors"));
    }
    Ok(kept.projectors)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::show::disk::{Job, MayWait};

    #[test]
    fn the_projectors_are_read_as_they_were_written_none_of_them_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = RigFile::new(folder.path().join("galvo/rig.toml"));
        assert_eq!(file.read(), Remembered::default(), "nothing yet");
        for projectors in [vec!["sim:".to_owned(), "idn://h/Left%20wing".to_owned()], Vec::new()] {
            let job = file.to_write(projectors.clone()).unwrap();
            job.run(&MayWait::here()).written.unwrap();
            assert_eq!(file.read(), Remembered { projectors: Some(projectors), told: None });
        }
    }

    #[test]
    fn a_damaged_file_is_told_of_once_and_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rig.toml");
        let file = RigFile::new(path.clone());
        let too_many = format!("projectors = [{}]", "\"sim:\",".repeat(MOST_PROJECTORS + 1));
        for text in ["projectors = 3", "projectors = [3]", "\u{0}", "armed = true", &too_many] {
            fs::write(&path, text).unwrap();
            let Remembered { projectors, told } = file.read();
            let told = told.unwrap();
            assert!(told.contains("damaged") && told.contains("rig.toml.damaged"), "{told}");
            assert_eq!((projectors, file.read()), (None, Remembered::default()), "once");
            assert_eq!(fs::read_to_string(path.with_extension("toml.damaged")).unwrap(), text);
        }
    }

    #[test]
    fn a_folder_that_refuses_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let told = RigFile::new(folder.path().to_owned()).read().told.unwrap();
        assert!(told.contains("cannot be read"), "{told}");
    }
}
