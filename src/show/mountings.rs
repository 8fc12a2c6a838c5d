//! How each projector hangs and is set up in its room, remembered in the user's settings by what the projector tells of itself.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::disk::{SettingsJob, files};
use super::installation::{Installation, InstallationError};
use crate::dac::DacUri;
use crate::path::{Mounting, MountingError};

/// No settings of projectors are larger than this, bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Why mountings could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum MountingsError {
    /// The file is no list of projectors.
    #[error(
        "{} cannot be understood ({detail}): mend it, or delete it and set the projectors anew",
        path.display()
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The system has no folder for settings.
    #[error("there is no folder for settings on this system: set HOME, so that it can be kept")]
    NoFolder,
    /// A file or folder refused.
    #[error("{}: {error}; check that it exists and that you may use it", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// One projector in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    /// What the projector tells of itself; none if it was not heard when it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// How it was named when it was set.
    uri: String,
    #[serde(flatten)]
    mounting: Mounting,
    #[serde(default, skip_serializing_if = "Installation::is_plain")]
    room: Installation,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    projector: Vec<Entry>,
}

/// The mountings of all projectors that were ever set.
#[derive(Debug, Default)]
pub struct Mountings {
    path: Option<PathBuf>,
    entries: Vec<Entry>,
    /// Names of this show, and the addresses they stand for.
    addresses: Vec<(String, String)>,
}

/// The user's file on this system: `galvo/projectors.toml` where settings live.
#[must_use]
pub fn default_file() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "galvo")?;
    Some(folders.config_dir().join("projectors.toml"))
}

impl Mountings {
    /// Reads `path`, or [`default_file`] if none is given. A file that is not there is an empty one.
    pub fn open(path: Option<PathBuf>) -> Result<Self, MountingsError> {
        let Some(path) = path.or_else(default_file) else { return Ok(Self::default()) };
        let text = match files::read_text_in_time(&path, MAX_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(MountingsError::Io { path, error }),
        };
        let broken = |detail: String| MountingsError::Broken { path: path.clone(), detail };
        let file: File =
            toml::from_str(&text).map_err(|error| broken(error.message().to_owned()))?;
        let checked: Result<Vec<_>, MountingError> =
            file.projector.iter().map(|entry| entry.mounting.check()).collect();
        checked.map_err(|error| broken(error.to_string()))?;
        // A show does not begin with zones that are not understood.
        let ready: Result<Vec<_>, InstallationError> =
            file.projector.iter().map(|entry| entry.room.ready()).collect();
        ready.map_err(|error| broken(error.to_string()))?;
        Ok(Self { path: Some(path), entries: file.projector, ..Self::default() })
    }

    /// The projector that this show names `uri` is remembered by `address`: see [`crate::dac::identity::at_its_address`].
    pub fn stands_for(&mut self, uri: &str, address: &str) {
        if uri != address {
            self.addresses.push((uri.to_owned(), address.to_owned()));
        }
    }

    fn address_of<'a>(&'a self, uri: &'a str) -> &'a str {
        let known = self.addresses.iter().find(|(name, _)| name == uri);
        known.map_or(uri, |(_, address)| address)
    }

    /// True if nothing was ever set.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How the projector hangs that is named `uri` and has told `id` of itself, if it has told anything. Another
    /// device at an address that was once this one's is not taken for it.
    #[must_use]
    pub fn of(&self, uri: &str, id: Option<&str>) -> Mounting {
        self.place(uri, id).map_or_else(Mounting::default, |place| self.entries[place].mounting)
    }

    /// How that projector is set up in its room.
    #[must_use]
    pub fn installation_of(&self, uri: &str, id: Option<&str>) -> Installation {
        let entry = self.place(uri, id).map(|place| &self.entries[place]);
        entry.map_or_else(Installation::default, |entry| entry.room.clone())
    }

    /// Keeps how it hangs, until it is [written](Self::to_write). What changes nothing is forgotten.
    pub fn set(&mut self, uri: &str, id: Option<&str>, mounting: Mounting) {
        let room = self.installation_of(uri, id);
        self.keep(uri, id, mounting, room);
    }

    /// Keeps how it is set up in its room, until it is [written](Self::to_write). What changes nothing is forgotten.
    pub fn install(&mut self, uri: &str, id: Option<&str>, room: Installation) {
        let mounting = self.of(uri, id);
        self.keep(uri, id, mounting, room);
    }

    fn keep(&mut self, uri: &str, id: Option<&str>, mounting: Mounting, room: Installation) {
        if let Some(place) = self.place(uri, id) {
            self.entries.remove(place);
        }
        if !mounting.is_plain() || !room.is_plain() {
            let (id, uri) = (id.map(str::to_owned), self.address_of(uri).to_owned());
            self.entries.push(Entry { id, uri, mounting, room });
        }
    }

    fn place(&self, uri: &str, id: Option<&str>) -> Option<usize> {
        let uri = self.address_of(uri);
        let by_id =
            id.and_then(|id| self.entries.iter().position(|entry| entry.id.as_deref() == Some(id)));
        let wanted = DacUri::parse(uri).ok();
        let may_be_it = |entry: &Entry| entry.id.is_none() || id.is_none();
        let named = |is_it: &dyn Fn(&DacUri, &DacUri) -> bool| {
            self.entries.iter().position(|entry| {
                let told = DacUri::parse(&entry.uri).ok();
                let same = wanted.as_ref().zip(told.as_ref()).is_some_and(|(a, b)| is_it(a, b));
                may_be_it(entry) && (entry.uri == uri || same)
            })
        };
        // Zones that are another output's are a nuisance, zones that are left out a danger.
        by_id.or_else(|| named(&DacUri::eq)).or_else(|| named(&DacUri::may_be))
    }

    /// All of it, to be written down.
    ///
    /// # Errors
    /// There is no folder for settings.
    pub fn to_write(&self) -> Result<SettingsJob, MountingsError> {
        let path = self.path.clone().ok_or(MountingsError::NoFolder)?;
        let file = File { projector: self.entries.clone() };
        let text = toml::to_string(&file).map_err(|error| {
            let error = io::Error::new(io::ErrorKind::InvalidData, error);
            MountingsError::Io { path: path.clone(), error }
        })?;
        let text = format!("# How each projector hangs: galvo devices set URI --help\n\n{text}");
        Ok(SettingsJob { path, text, what: "the set-up of the projectors" })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::show::disk::{Job, MayWait};

    const URI: &str = "ether-dream://10.0.0.7";
    const ID: Option<&str> = Some("ether-dream:01:02");

    fn inverted() -> Mounting {
        Mounting { invert_x: true, colours: "bgr".parse().unwrap(), ..Mounting::default() }
    }

    fn write(mountings: &Mountings) {
        mountings.to_write().unwrap().run(&MayWait::here()).written.unwrap();
    }

    #[test]
    fn a_projector_keeps_its_mounting_at_another_address_and_gives_it_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("galvo/projectors.toml");
        let mut mountings = Mountings::open(Some(path.clone())).unwrap();
        assert!(mountings.is_empty() && mountings.of(URI, ID).is_plain());
        mountings.set(URI, ID, inverted());
        write(&mountings);
        let mountings = Mountings::open(Some(path.clone())).unwrap();
        assert_eq!(mountings.of("ether-dream://10.0.0.9", ID), inverted());
        assert_eq!(mountings.of("ether-dream://10.0.0.7:7765", None), inverted(), "not heard");
        assert!(mountings.of(URI, Some("ether-dream:09:09")).is_plain(), "another device");
        assert!(mountings.of("ether-dream://10.0.0.9", None).is_plain());
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("colours = \"bgr\"") && text.contains("invert_x = true"), "{text}");
    }

    #[test]
    fn an_output_keeps_its_set_up_however_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("projectors.toml");
        for (set_as, id) in [("idn://10.0.0.8", None), ("idn://10.0.0.8/1", Some("idn:01-AA/1"))] {
            let mut mountings = Mountings::open(Some(path.clone())).unwrap();
            mountings.set(set_as, id, inverted());
            for named in
                ["idn://10.0.0.8", "idn://10.0.0.8:7255", "idn://10.0.0.8/1", "idn://10.0.0.8/Main"]
            {
                assert_eq!(mountings.of(named, None), inverted(), "{set_as} as {named}");
            }
            assert!(mountings.of("idn://10.0.0.9", None).is_plain());
        }
        let mut mountings = Mountings::open(Some(path)).unwrap();
        mountings.set("idn://10.0.0.8/1", None, inverted());
        assert!(mountings.of("idn://10.0.0.8/2", None).is_plain(), "another output");
        mountings.stands_for("idn://stage-left/1", "idn://10.0.0.8/1");
        assert_eq!(mountings.of("idn://stage-left/1", None), inverted());
    }

    #[test]
    fn a_set_up_and_a_mounting_are_kept_beside_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("projectors.toml");
        let room = Installation { mirrors: "20 kpps".into(), ..Installation::default() };
        let mut mountings = Mountings::open(Some(path.clone())).unwrap();
        mountings.set(URI, ID, inverted());
        write(&mountings);
        mountings.install(URI, ID, room.clone());
        write(&mountings);
        let mut mountings = Mountings::open(Some(path)).unwrap();
        assert_eq!((mountings.of(URI, ID), mountings.installation_of(URI, ID)), (inverted(), room));
        assert!(mountings.installation_of("sim:", None).is_plain());
        mountings.set(URI, ID, Mounting::default());
        write(&mountings);
        assert!(!mountings.is_empty(), "the set-up is left");
        mountings.install(URI, ID, Installation::default());
        assert!(mountings.is_empty());
    }

    #[test]
    fn what_changes_nothing_is_forgotten_and_one_projector_has_one_entry() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("projectors.toml");
        let mut mountings = Mountings::open(Some(path.clone())).unwrap();
        mountings.set(URI, None, inverted());
        write(&mountings);
        let turned = Mounting { rotate_degrees: 90.0, ..Mounting::default() };
        mountings.set(URI, ID, turned);
        write(&mountings);
        assert_eq!(mountings.entries.len(), 1, "heard later, it is the same one");
        mountings.set(URI, ID, Mounting::default());
        write(&mountings);
        assert!(Mountings::open(Some(path)).unwrap().is_empty());
    }

    #[test]
    fn a_broken_file_is_told_with_its_cure_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("projectors.toml");
        for text in [
            "projector = 3",
            "[[projector]]\nuri = \"sim:\"\ncolours = \"xyz\"",
            "[[projector]]\nuri = \"sim:\"\nrotate_degrees = inf",
            "\u{0}",
            "[[projector]]\nuri = \"sim:\"\n[projector.room]\nmirrors = \"ideal\"",
            "[[projector]]\nuri = \"sim:\"\n[[projector.room.zones]]\ncorners = []",
        ] {
            fs::write(&path, text).unwrap();
            let sentence = Mountings::open(Some(path.clone())).unwrap_err().to_string();
            assert!(
                sentence.contains("projectors.toml") && sentence.contains("mend it"),
                "{sentence}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
