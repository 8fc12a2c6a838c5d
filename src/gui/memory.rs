//! What the desk remembers from one show to the next: its layout, its size, the favourites among the presets, and that
//! the safety notes were read.
//!
//! Never whether light is allowed. A file that cannot be understood is told of once and put aside; the desk then
//! begins as on the first day.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::layout;

/// No file of a desk is larger than this, bytes.
const MAX_BYTES: u64 = 1 << 20;
/// The largest and smallest size everything is drawn in.
const SCALES: std::ops::RangeInclusive<f32> = 0.5..=4.0;

/// How far the light can be moved against the sound, ms.
const SHIFTS_MS: std::ops::RangeInclusive<f64> = -1_000.0..=1_000.0;
/// No more presets have a star.
const MOST_FAVOURITES: usize = 1000;

/// The presets with a star, by their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Favourites {
    /// True if they come before the others.
    pub(super) first: bool,
    names: BTreeSet<String>,
}

impl Favourites {
    /// True for a preset with a star.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Gives a preset its star, or takes it away.
    pub(super) fn set(&mut self, name: &str, on: bool) {
        if !on {
            self.names.remove(name);
        } else if self.names.len() < MOST_FAVOURITES {
            self.names.insert(name.to_owned());
        }
    }
}

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// The size everything is drawn in; 1 is as the system says.
    pub(super) scale: f32,
    /// True once the operator has read the safety notes.
    pub(super) safety_notes_read: bool,
    /// How far the light is moved against the sound, ms, by the name of the sound device it was calibrated on.
    pub(super) light_shift_ms: BTreeMap<String, f64>,
    /// Where recordings and renderings go, if the operator chose.
    pub(super) recordings: Option<PathBuf>,
    /// The presets with a star.
    pub(super) favourites: Favourites,
    /// Where the panes stand.
    pub(super) layout: Option<layout::Kept>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            scale: 1.0,
            safety_notes_read: false,
            light_shift_ms: BTreeMap::new(),
            recordings: None,
            favourites: Favourites::default(),
            layout: None,
        }
    }
}

/// The user's file on this system: `galvo/desk.toml` where settings live.
#[must_use]
pub fn default_file() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "galvo")?;
    Some(folders.config_dir().join("desk.toml"))
}

/// What a file gave.
#[derive(Debug, PartialEq)]
pub(super) struct Found {
    /// What was remembered, or the first day.
    pub(super) memory: Memory,
    /// What is wrong with the file, as a sentence with its cure.
    pub(super) told: Option<String>,
    /// False where nothing can be read, and so nothing should be written.
    pub(super) usable: bool,
}

impl Found {
    fn first_day(told: Option<String>, usable: bool) -> Self {
        Self { memory: Memory::default(), told, usable }
    }
}

/// Reads the desk of `path`.
pub(super) fn read(path: &Path) -> Found {
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
    match read {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Found::first_day(None, true);
        }
        Err(error) => {
            let shown = path.display();
            let text = format!(
                "{shown} cannot be read ({error}): the layout is not remembered until it can be"
            );
            return Found::first_day(Some(text), false);
        }
    }
    let damage = match understood(&text) {
        Ok(memory) => return Found { memory, told: None, usable: true },
        Err(damage) => damage,
    };
    let aside = path.with_extension("toml.damaged");
    let kept = match fs::rename(path, &aside) {
        Ok(()) => format!("it is kept as {}", aside.display()),
        Err(_) => "it is written anew with the next change".to_owned(),
    };
    let text = format!("{} is damaged ({damage}): the desk begins anew, {kept}", path.display());
    Found::first_day(Some(text), true)
}

fn understood(text: &str) -> Result<Memory, String> {
    let memory: Memory = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    if !SCALES.contains(&memory.scale) {
        return Err("its scale is out of range".to_owned());
    }
    if memory.light_shift_ms.values().any(|ms| !SHIFTS_MS.contains(ms)) {
        return Err("a shift of the light is out of range".to_owned());
    }
    if let Some(layout) = &memory.layout {
        layout::Layout::restored(layout).map_err(|flaw| flaw.to_string())?;
    }
    Ok(memory)
}

/// Writes beside the file first, so that a power cut leaves the old one or the new one.
pub(super) fn write(path: &Path, memory: &Memory) -> io::Result<()> {
    let text = toml::to_string(memory)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("toml.new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(b"# The desk as it was left: panes and their places, favourites\n\n")?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("galvo/desk.toml");
        assert_eq!(read(&path), Found::first_day(None, true));
        let layout = layout::Layout::default().kept();
        let light_shift_ms = BTreeMap::from([("card".to_owned(), -12.5)]);
        let mut favourites = Favourites { first: true, ..Favourites::default() };
        favourites.set("Ember Ring", true);
        let memory = Memory {
            scale: 1.5,
            safety_notes_read: true,
            light_shift_ms,
            recordings: Some(PathBuf::from("/shows")),
            favourites,
            layout,
        };
        write(&path, &memory).unwrap();
        assert_eq!(read(&path), Found { memory, told: None, usable: true });
    }

    #[test]
    fn a_damaged_file_is_told_of_once_and_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.toml");
        for text in [
            "scale = \"big\"",
            "scale = 1e9",
            "\u{0}",
            "[layout]\ncustom = true\n[layout.desk]\nshare = 1\ntabs = [\"sound\"]",
        ] {
            fs::write(&path, text).unwrap();
            let found = read(&path);
            assert_eq!(found.memory, Memory::default());
            let told = found.told.unwrap();
            assert!(told.contains("damaged") && told.contains("desk.toml.damaged"), "{told}");
            assert_eq!(read(&path).told, None, "once");
            assert_eq!(fs::read_to_string(path.with_extension("toml.damaged")).unwrap(), text);
        }
    }

    #[test]
    fn a_folder_that_refuses_is_no_end_of_the_desk() {
        let folder = tempfile::tempdir().unwrap();
        let found = read(folder.path());
        assert_eq!((found.memory, found.usable), (Memory::default(), false));
        assert!(found.told.unwrap().contains("cannot be read"));
    }
}
