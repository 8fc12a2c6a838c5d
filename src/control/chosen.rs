//! The MIDI ports that were chosen, remembered in the user's settings from one show to the next.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ports::lasting_name;

/// No file of chosen ports is larger than this, bytes.
const MAX_BYTES: u64 = 64 << 10;
/// No more ports are remembered.
const MOST_PORTS: usize = 64;

/// The user's file on this system: `galvo/midi.toml` where settings live.
#[must_use]
pub fn default_file() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "galvo")?;
    Some(folders.config_dir().join("midi.toml"))
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    listen: BTreeSet<String>,
}

/// The ports that are listened to by the operator's wish, by what lasts of their names.
#[derive(Debug, Default)]
pub struct ChosenPorts {
    path: Option<PathBuf>,
    ports: BTreeSet<String>,
}

impl ChosenPorts {
    /// Those of the file at `path`, and what is wrong with it as a sentence. Without a path nothing is remembered.
    #[must_use]
    pub fn open(path: Option<PathBuf>) -> (Self, Option<String>) {
        let Some(path) = path else { return (Self::default(), None) };
        let mut text = String::new();
        let read =
            fs::File::open(&path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
        let shown = path.display();
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let told = format!(
                    "{shown} cannot be read ({error}): chosen MIDI ports are not remembered until it can be"
                );
                return (Self::default(), Some(told));
            }
        }
        match toml::from_str::<File>(&text) {
            Ok(file) => {
                let ports = file.listen.into_iter().take(MOST_PORTS).collect();
                (Self { path: Some(path), ports }, None)
            }
            Err(error) => {
                let told = format!(
                    "{shown} is damaged ({}): choose the MIDI ports again, and it is written anew",
                    error.message()
                );
                (Self { path: Some(path), ports: BTreeSet::new() }, Some(told))
            }
        }
    }

    /// True if `port` was chosen.
    #[must_use]
    pub fn has(&self, port: &str) -> bool {
        self.ports.contains(lasting_name(port))
    }

    /// True if none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ports.is_empty()
    }

    /// What lasts of the names of those that are not among `there`.
    pub fn missing<'a>(&'a self, there: &'a [String]) -> impl Iterator<Item = &'a str> {
        let is_there = |port: &str| there.iter().any(|name| lasting_name(name) == port);
        self.ports.iter().map(String::as_str).filter(move |port| !is_there(port))
    }

    /// Chooses a port, or no more.
    ///
    /// # Errors
    ///
    /// A sentence with its cure: it counts for this show, and is not remembered.
    pub fn choose(&mut self, port: &str, chosen: bool) -> Result<(), String> {
        let name = lasting_name(port);
        let has_room = self.ports.len() < MOST_PORTS;
        let changed = if chosen {
            has_room && self.ports.insert(name.to_owned())
        } else {
            self.ports.remove(name)
        };
        if changed { self.save() } else { Ok(()) }
    }

    /// Writes beside the file first, so that a power cut leaves the old one or the new one.
    fn save(&self) -> Result<(), String> {
        let Some(path) = &self.path else { return Ok(()) };
        let written = || -> io::Result<()> {
            let text = toml::to_string(&File { listen: self.ports.clone() })
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let beside = path.with_extension("toml.new");
            let mut file = fs::File::create(&beside)?;
            file.write_all(b"# The MIDI ports that are listened to when they are there\n\n")?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, path)
        };
        written().map_err(|error| {
            format!(
                "{} cannot be written ({error}): the choice counts for this show; make room or set HOME",
                path.display()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_found_again_under_another_number_and_can_be_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("galvo/midi.toml");
        let open = || ChosenPorts::open(Some(path.clone()));
        assert!(open().0.is_empty() && open().1.is_none());
        open().0.choose("APC MINI MIDI 1 24:0", true).unwrap();
        let (mut chosen, _) = open();
        assert!(chosen.has("APC MINI MIDI 1 32:0") && !chosen.has("APC MINI MIDI 2 32:0"));
        assert_eq!(chosen.missing(&[]).collect::<Vec<_>>(), ["APC MINI MIDI 1"]);
        assert_eq!(chosen.missing(&["APC MINI MIDI 1 20:0".to_owned()]).count(), 0);
        chosen.choose("APC MINI MIDI 1", false).unwrap();
        assert!(open().0.is_empty());
    }

    #[test]
    fn a_damaged_file_is_told_of_and_written_anew_by_the_next_choice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("midi.toml");
        fs::write(&path, "listen = 3").unwrap();
        let (mut chosen, told) = ChosenPorts::open(Some(path.clone()));
        assert!(told.unwrap().contains("choose the MIDI ports again"));
        chosen.choose("Keys", true).unwrap();
        assert!(ChosenPorts::open(Some(path)).0.has("Keys"));
        let (_, told) = ChosenPorts::open(Some(folder.path().to_owned()));
        assert!(told.unwrap().contains("cannot be read"));
    }
}
