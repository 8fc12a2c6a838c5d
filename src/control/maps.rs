//! The maps there are: those that come with galvo, and the user's own, which count first.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::action::Action;
use super::map::{Control, ControlMap};
use super::map_file::{MAX_BYTES, MapError, MapFile};
use super::ports::lasting_name;

/// The maps that come with galvo.
pub const BUNDLED: &[&str] = &[
    include_str!("../../assets/control/apc40-mk2.toml"),
    include_str!("../../assets/control/apc-mini.toml"),
    include_str!("../../assets/control/apc-mini-mk2.toml"),
    include_str!("../../assets/control/launchpad-mini-mk3.toml"),
];
/// Files of a folder that are looked at.
const MOST_FILES: usize = 256;

/// Why a map cannot be used or kept.
#[derive(Debug, thiserror::Error)]
pub enum MapsError {
    /// The text is no map.
    #[error("{}: {error}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: MapError,
    },
    /// A file or folder refused.
    #[error("{}: {error}; check that it exists and that you may use it", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The system has no folder for settings.
    #[error(
        "there is no folder for settings on this system: set HOME, so that what is learned can be kept"
    )]
    NoFolder,
}

#[derive(Clone, Debug)]
struct Known {
    /// Where it is written; `None` for one that came with galvo.
    path: Option<PathBuf>,
    file: MapFile,
    map: Arc<ControlMap>,
}

impl Known {
    fn new(path: Option<PathBuf>, file: MapFile) -> Result<Self, MapError> {
        let map = Arc::new(file.map()?);
        Ok(Self { path, file, map })
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Maps {
    folder: Option<PathBuf>,
    /// In the order in which they count.
    known: Vec<Known>,
    broken: Vec<String>,
}

/// The user's folder on this system: `galvo/control` where settings live.
#[must_use]
pub fn default_folder() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "galvo")?;
    Some(folders.config_dir().join("control"))
}

impl Maps {
    /// The maps of `folder`, or of [`default_folder`] if none is given, before those that come with galvo. What cannot
    /// be used is in [`Maps::broken`].
    #[must_use]
    pub fn open(folder: Option<PathBuf>) -> Self {
        let mut maps = Self { folder: folder.or_else(default_folder), ..Self::default() };
        let entries = maps.folder.as_deref().and_then(|folder| fs::read_dir(folder).ok());
        let mut paths: Vec<PathBuf> = (entries.into_iter().flatten())
            .take(MOST_FILES)
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("toml")))
            .collect();
        paths.sort();
        for path in paths {
            if let Err(error) = maps.add(&path) {
                maps.broken.push(error.to_string());
            }
        }
        let bundled = BUNDLED.iter().filter_map(|text| MapFile::parse(text).ok());
        maps.known.extend(bundled.filter_map(|file| Known::new(None, file).ok()));
        maps
    }

    /// Takes one more file, which counts before all others.
    pub fn prefer(&mut self, path: &Path) -> Result<(), MapsError> {
        self.add(path)?;
        let last = self.known.pop();
        self.known.splice(0..0, last);
        Ok(())
    }

    fn add(&mut self, path: &Path) -> Result<(), MapsError> {
        let file = read(path)?;
        let known = Known::new(Some(path.to_owned()), file)
            .map_err(|error| MapsError::Wrong { path: path.to_owned(), error })?;
        self.known.push(known);
        Ok(())
    }

    /// What is wrong with the files that cannot be used.
    #[must_use]
    pub fn broken(&self) -> &[String] {
        &self.broken
    }

    /// The map for the port of this name.
    #[must_use]
    pub fn of_port(&self, port: &str) -> Option<Arc<ControlMap>> {
        self.known.iter().find(|known| known.map.is_for(port)).map(|known| Arc::clone(&known.map))
    }

    /// Lets a control of a port do something from now on, and keeps that in the user's folder: in the user's map of the
    /// controller, or in a copy of the map that came with galvo, or in a new one.
    pub fn learn(
        &mut self,
        port: &str,
        control: Control,
        action: &Action,
    ) -> Result<Arc<ControlMap>, MapsError> {
        let at = self.known.iter().position(|known| known.map.is_for(port));
        let mut file = match at {
            Some(at) => self.known[at].file.clone(),
            None => MapFile::new(lasting_name(port)),
        };
        file.bind(control, action);
        let own = at.and_then(|at| self.known[at].path.clone());
        let path = match (own, &self.folder) {
            (Some(path), _) => path,
            (None, Some(folder)) => folder.join(file_name(file.name())),
            (None, None) => return Err(MapsError::NoFolder),
        };
        let wrong = |error| MapsError::Wrong { path: path.clone(), error };
        let text = file.text().map_err(wrong)?;
        let known = Known::new(Some(path.clone()), file).map_err(wrong)?;
        write(&path, &text).map_err(|error| MapsError::Io { path: path.clone(), error })?;
        let map = Arc::clone(&known.map);
        match at {
            Some(at) if self.known[at].path.is_some() => self.known[at] = known,
            _ => self.known.insert(0, known),
        }
        Ok(map)
    }
}

fn read(path: &Path) -> Result<MapFile, MapsError> {
    let mut text = String::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
        .map_err(|error| MapsError::Io { path: path.to_owned(), error })?;
    MapFile::parse(&text).map_err(|error| MapsError::Wrong { path: path.to_owned(), error })
}

/// Written beside and moved, so that a file is never half there.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("toml.new");
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}

/// A file name that is one: letters and digits of the name, the rest as dashes.
fn file_name(name: &str) -> String {
    let plain: String = (name.chars().take(60))
        .map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    format!("{}.toml", plain.trim_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::midi::Message;

    const PAD: Message = Message::NoteOn { channel: 0, note: 56, velocity: 100 };

    #[test]
    fn every_bundled_map_is_sound_and_found_by_the_names_its_ports_have() {
        let folder = tempfile::tempdir().unwrap();
        let maps = Maps::open(Some(folder.path().to_owned()));
        assert_eq!(maps.known.len(), BUNDLED.len());
        for (port, name) in [
            ("APC40 mkII:APC40 mkII MIDI 1 24:0", "Akai APC40 mkII"),
            ("APC MINI:APC MINI MIDI 1 20:0", "Akai APC mini"),
            ("APC mini mk2:APC mini mk2 Control 24:0", "Akai APC mini mk2"),
            (
                "Launchpad Mini MK3:Launchpad Mini MK3 LPMiniMK3 MI 28:1",
                "Novation Launchpad Mini MK3",
            ),
        ] {
            let map = maps.of_port(port).unwrap();
            assert_eq!(map.name, name);
            for action in ["stop", "blackout", "flash", "tap", "preset 1"] {
                let bound = map.bindings.iter().any(|b| b.action == action.parse().unwrap());
                assert!(bound, "{name}: {action}");
            }
        }
        assert!(maps.of_port("Launchpad Mini MK3:Launchpad Mini MK3 LPMiniMK3 DA 28:0").is_none());
        for map in maps.known.iter().map(|known| &known.map) {
            let arms = |b: &&super::super::map::Binding| {
                matches!(b.action, Action::Arm | Action::ResetStop)
            };
            assert_eq!(map.bindings.iter().find(arms), None, "no bundled map arms");
        }
    }

    #[test]
    fn what_is_learned_is_kept_beside_what_the_bundled_map_does() {
        let folder = tempfile::tempdir().unwrap();
        let mut maps = Maps::open(Some(folder.path().to_owned()));
        let control = Control::of(PAD).unwrap();
        let port = "APC MINI:APC MINI MIDI 1 20:0";
        maps.learn(port, control, &Action::Flash).unwrap();
        let again = Maps::open(Some(folder.path().to_owned()));
        let map = again.of_port("APC MINI:APC MINI MIDI 1 32:0").unwrap();
        assert_eq!(map.find(PAD).unwrap().1.action, Action::Flash);
        let next = Message::NoteOn { channel: 0, note: 57, velocity: 1 };
        assert_eq!(map.find(next).unwrap().1.action.to_string(), "preset 2");
    }

    #[test]
    fn an_unknown_controller_gets_a_map_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut maps = Maps::open(Some(folder.path().to_owned()));
        let control = Control::Controller { channel: Some(2), controller: 1 };
        for _ in 0..2 {
            maps.learn("Näno/Kontrol:1 16:0", control, &Action::Master).unwrap();
        }
        assert!(folder.path().join("näno-kontrol-1.toml").is_file());
        let again = Maps::open(Some(folder.path().to_owned()));
        let map = again.of_port("Näno/Kontrol:1 17:0").unwrap();
        assert_eq!(map.bindings.len(), 1);
    }

    #[test]
    fn a_broken_file_is_told_and_the_others_count() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.toml"), "version = 1").unwrap();
        let text = "version = 1\nname = \"Mine\"\nports = [\"APC MINI\"]\n";
        fs::write(folder.path().join("b.toml"), text).unwrap();
        let maps = Maps::open(Some(folder.path().to_owned()));
        assert_eq!(maps.broken().len(), 1);
        assert!(maps.broken()[0].contains("a.toml"), "{:?}", maps.broken());
        assert_eq!(maps.of_port("APC MINI").unwrap().name, "Mine");
    }
}
