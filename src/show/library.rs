//! Where presets live: those that come with galvo, and the user's own folder.
//!
//! A preset of the user shadows a bundled one of the same name; a bundled one is never written. A file that
//! is broken is listed with its reason and skipped.
//!
//! A value in memory: it says what is to be looked at and written, and takes in what came of it. What was wished for
//! holds at once, as if it were written; a wish that the disk refuses is taken out again, but for a new preset, which
//! stays as one that is not saved.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::pattern::bundled::BUNDLED;
use crate::pattern::preset::did_you_mean;
use crate::pattern::preset::rewrite::rewritten;
use crate::pattern::{Preset, PresetError};
use crate::show::disk::files;
use crate::show::disk::presets::{Content, Listing, Look, PresetWrite, Seen, read};
use crate::show::disk::{MayWait, PresetAnswer};
use crate::show::snapshot::PresetEntry;

/// Why a preset could not be found, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// No preset has this name.
    #[error("there is no preset named `{name}`{hint}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The nearest name, or all of them.
        hint: String,
    },
    /// The text of a preset is wrong.
    #[error("{}: {error}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        error: PresetError,
    },
    /// The name is taken.
    #[error("there is already a preset named `{name}`; choose another name")]
    Taken {
        /// The name.
        name: String,
    },
    /// A preset that came with galvo is not to be changed.
    #[error("`{name}` came with galvo and stays as it is; duplicate it and change the copy")]
    Bundled {
        /// Its name.
        name: String,
    },
    /// The preset to save is wrong.
    #[error("the preset was not saved: {0}")]
    Invalid(#[from] PresetError),
    /// The system has no folder for settings and none was given.
    #[error("there is no folder for presets on this system; name one")]
    NoFolder,
    /// A file or folder refused.
    #[error("{}: {error}; check that it exists and that you may use it", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl LibraryError {
    /// The file that is wrong, if one is.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Broken { path, .. } | Self::Io { path, .. } => Some(path),
            _ => None,
        }
    }
}

/// One preset of the library.
#[derive(Clone, Debug)]
struct Shelf {
    preset: Arc<Preset>,
    /// The text it was read from.
    text: Arc<str>,
    /// The user's file; none for a bundled preset.
    path: Option<PathBuf>,
}

/// What was done to a file of a preset: undone by writing what was there before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileAct {
    /// The file.
    pub path: PathBuf,
    /// Its text before; none if there was no file.
    pub before: Option<Arc<str>>,
    /// Its text now; none if it is gone.
    pub after: Option<Arc<str>>,
}

/// A file of the user.
#[derive(Debug)]
struct UserFile {
    seen: Seen,
    /// What was last right in it.
    good: Option<Shelf>,
    /// What is wrong with it now.
    error: Option<LibraryError>,
}

/// Which wish: whoever makes one knows it by this.
pub type WishId = u64;

/// A file as it is to be.
#[derive(Debug)]
struct WishedFile {
    id: WishId,
    path: PathBuf,
    shelf: Option<Shelf>,
    is_new: bool,
    /// The disk refused it: a preset that is in memory alone.
    is_refused: bool,
}

/// Every preset there is.
#[derive(Debug, Default)]
pub struct Library {
    user_dir: Option<PathBuf>,
    /// A file outside the folder that is a part of the library too.
    watched: Option<PathBuf>,
    bundled: Vec<Shelf>,
    /// The files as they were when they were read.
    files: Vec<UserFile>,
    trouble: Option<LibraryError>,
    /// What they are to be, in order.
    wishes: Vec<WishedFile>,
    /// Presets that are being saved: until that is done, what counts is what was stored before.
    saving: Vec<(WishId, Shelf)>,
    next_wish: WishId,
    /// What was wished for and not taken to the disk yet.
    orders: Vec<(WishId, PresetWrite)>,
    /// What all of this makes.
    shelves: Vec<Shelf>,
}

/// The user's folder on this system: `galvo/presets` where settings live.
#[must_use]
pub fn default_user_dir() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "galvo")?;
    Some(folders.config_dir().join("presets"))
}

impl Library {
    /// Opens the bundled presets and those in `user_dir`, or in [`default_user_dir`] if none is given. A
    /// folder that does not exist yet is empty; files that cannot be used are in [`Library::broken`].
    #[must_use]
    pub fn open(user_dir: Option<PathBuf>) -> Self {
        let user_dir = user_dir.or_else(default_user_dir);
        let bundled = BUNDLED.iter().filter_map(|(_, text)| {
            // Each is right: a test of the presets says so.
            let preset = Arc::new(Preset::parse(text).ok()?);
            Some(Shelf { preset, text: Arc::from(*text), path: None })
        });
        let mut library = Self { user_dir, bundled: bundled.collect(), ..Self::default() };
        library.look_at_start();
        library
    }

    /// Makes a file outside the folder a part of the library, and looks at it again with the others.
    pub fn watch(&mut self, path: PathBuf) {
        self.watched = Some(path);
        self.look_at_start();
    }

    /// A folder that does not answer is told of as one that cannot be read.
    fn look_at_start(&mut self) {
        let look = self.look();
        match files::in_time(move || look.run(&MayWait::here())) {
            Ok(PresetAnswer::Looked(listing)) => self.take_listing(listing),
            Ok(_) => {}
            Err(error) => {
                let path = self.user_dir.clone().unwrap_or_default();
                self.trouble = Some(LibraryError::Io { path, error });
            }
        }
        self.arrange();
    }

    /// What is to be looked at.
    #[must_use]
    pub fn look(&self) -> Look {
        Look {
            folder: self.user_dir.clone(),
            watched: self.watched.clone(),
            known: self.files.iter().map(|file| file.seen.clone()).collect(),
            known_trouble: self.trouble.as_ref().map(ToString::to_string),
        }
    }

    /// Takes in what a look has found. Of a file that is broken now, the preset last read from it stays.
    pub fn take_listing(&mut self, listing: Listing) {
        let mut before = std::mem::take(&mut self.files);
        for (seen, content) in listing.files {
            let place = before.iter().position(|file| file.seen.path == seen.path);
            let old = place.map(|place| before.swap_remove(place));
            let file = match content {
                Content::Same => old.map(|old| UserFile { seen, ..old }),
                Content::Read(Ok((preset, text))) => {
                    let good = Some(Shelf { preset, text, path: Some(seen.path.clone()) });
                    Some(UserFile { seen, good, error: None })
                }
                Content::Read(Err(error)) => {
                    let good = old.and_then(|old| old.good);
                    Some(UserFile { seen, good, error: Some(error) })
                }
            };
            self.files.extend(file);
        }
        self.trouble = listing.trouble;
        let files = &self.files;
        let is_there = |path: &Path| files.iter().any(|file| file.seen.path == path);
        self.wishes.retain(|wish| !(wish.is_refused && is_there(&wish.path)));
        self.arrange();
    }

    /// Lays out the shelves: bundled presets, the user's in their place or after them, by file name, all as is wished.
    fn arrange(&mut self) {
        let good = |file: &UserFile| Some((file.seen.path.clone(), file.good.clone()?));
        let mut users: BTreeMap<PathBuf, Shelf> = self.files.iter().filter_map(good).collect();
        for wish in &self.wishes {
            match &wish.shelf {
                Some(shelf) => drop(users.insert(wish.path.clone(), shelf.clone())),
                None => drop(users.remove(&wish.path)),
            }
        }
        let is_outside = |path: &&PathBuf| path.parent() != self.user_dir.as_deref();
        let outside = self.watched.as_ref().filter(is_outside).and_then(|path| users.remove(path));
        self.shelves.clone_from(&self.bundled);
        for shelf in users.into_values().chain(outside) {
            let same_name = |other: &&mut Shelf| other.preset.name == shelf.preset.name;
            match self.shelves.iter_mut().find(same_name) {
                Some(place) => *place = shelf,
                None => self.shelves.push(shelf),
            }
        }
    }

    /// The presets to choose from: the bundled ones in their order, then the user's by file name, then files that were
    /// never right, each with its mistake.
    #[must_use]
    pub fn entries(&self) -> Vec<PresetEntry> {
        let broken = self.broken();
        let wrong_with = |path: &Path| {
            broken.iter().find(|error| error.path() == Some(path)).map(ToString::to_string)
        };
        let entry = |shelf: &Shelf| PresetEntry {
            name: shelf.preset.name.clone(),
            description: shelf.preset.description.clone(),
            bundled: shelf.path.is_none(),
            preset: Some(Arc::clone(&shelf.preset)),
            changed: self.is_refused(shelf),
            saving: self.is_wished(shelf),
            broken: shelf.path.as_deref().and_then(wrong_with),
        };
        let has_a_good_one =
            |path: &Path| self.shelves.iter().any(|shelf| shelf.path.as_deref() == Some(path));
        let never_right = broken.iter().filter_map(|error| {
            let LibraryError::Broken { path, .. } = *error else { return None };
            let name = path.file_name()?.to_string_lossy().into_owned();
            (!has_a_good_one(path)).then(|| PresetEntry {
                name,
                broken: Some(error.to_string()),
                ..PresetEntry::default()
            })
        });
        self.shelves.iter().map(entry).chain(never_right).collect()
    }

    /// The names of all presets but test patterns.
    #[must_use]
    pub fn names_for_shows(&self) -> Vec<String> {
        let is_shown = |shelf: &&Shelf| shelf.preset.generator != "test_pattern";
        self.shelves.iter().filter(is_shown).map(|shelf| shelf.preset.name.clone()).collect()
    }

    /// Files that could not be used, each with its reason.
    #[must_use]
    pub fn broken(&self) -> Vec<&LibraryError> {
        self.trouble
            .iter()
            .chain(self.files.iter().filter_map(|file| file.error.as_ref()))
            .collect()
    }

    fn is_refused(&self, shelf: &Shelf) -> bool {
        let is_it = |wish: &WishedFile| wish.is_refused && Some(&wish.path) == shelf.path.as_ref();
        self.wishes.iter().any(is_it)
    }

    fn is_wished(&self, shelf: &Shelf) -> bool {
        let is_it = |wish: &WishedFile| !wish.is_refused && Some(&wish.path) == shelf.path.as_ref();
        self.wishes.iter().any(is_it) || self.is_saving(&shelf.preset.name)
    }

    /// True while a preset is being saved under this name.
    #[must_use]
    pub fn is_saving(&self, name: &str) -> bool {
        self.saving.iter().any(|(_, shelf)| shelf.preset.name == name)
    }

    /// True if the preset of this name is on the disk, or about to be.
    #[must_use]
    pub fn is_stored(&self, name: &str) -> bool {
        let found = self.shelves.iter().find(|shelf| shelf.preset.name == name);
        found.is_some_and(|shelf| !self.is_refused(shelf))
    }

    /// The user's folder, if there is one; it may not exist yet.
    #[must_use]
    pub fn user_dir(&self) -> Option<&Path> {
        self.user_dir.as_deref()
    }

    /// The preset of this name.
    ///
    /// # Errors
    /// [`LibraryError::Unknown`].
    pub fn get(&self, name: &str) -> Result<Arc<Preset>, LibraryError> {
        let found = self.shelves.iter().find(|shelf| shelf.preset.name == name);
        found.map(|shelf| Arc::clone(&shelf.preset)).ok_or_else(|| {
            let known = self.shelves.iter().map(|shelf| shelf.preset.name.as_str());
            LibraryError::Unknown { name: name.to_owned(), hint: did_you_mean(name, known) }
        })
    }

    /// The text that the preset of this name was read from; empty if there is none.
    #[must_use]
    pub fn text_of(&self, name: &str) -> Arc<str> {
        let found = self.shelves.iter().find(|shelf| shelf.preset.name == name);
        found.map(|shelf| Arc::clone(&shelf.text)).unwrap_or_default()
    }

    /// True if there is a preset of this name that is the user's own.
    #[must_use]
    pub fn is_users(&self, name: &str) -> bool {
        self.shelves.iter().any(|shelf| shelf.preset.name == name && shelf.path.is_some())
    }

    /// The preset that a show starts with.
    #[must_use]
    pub fn first(&self) -> Option<Arc<Preset>> {
        self.shelves.first().map(|shelf| Arc::clone(&shelf.preset))
    }

    /// Wishes to save a preset in the user's folder, in the words of `text`. It is in the library once that is done;
    /// a preset of the user of the same name is replaced then.
    ///
    /// # Errors
    /// The preset is wrong, or there is no folder.
    pub fn save_text(&mut self, preset: &Preset, text: Arc<str>) -> Result<WishId, LibraryError> {
        let (path, is_new) = self.path_to_save(preset)?;
        let words = format!("saving {}", preset.name);
        let written = Some(Arc::clone(&text));
        let id = self.order(PresetWrite { words, path: path.clone(), text: written, is_new });
        self.saving.push((id, Shelf { preset: Arc::new(preset.clone()), text, path: Some(path) }));
        Ok(id)
    }

    /// Makes a preset under a name that no preset has.
    ///
    /// # Errors
    /// The preset is wrong, there is no folder, or [`LibraryError::Taken`].
    pub fn add(
        &mut self,
        preset: &Preset,
        text: Arc<str>,
    ) -> Result<(WishId, FileAct), LibraryError> {
        self.check_free(&preset.name)?;
        let (path, is_new) = self.path_to_save(preset)?;
        let act = FileAct { path, before: None, after: Some(Arc::clone(&text)) };
        let shelf = Shelf { preset: Arc::new(preset.clone()), text, path: Some(act.path.clone()) };
        let id = self.wish(format!("making {}", preset.name), &act.path, Some(shelf), is_new);
        Ok((id, act))
    }

    /// Gives a preset of the user another name; its file stays where it is.
    ///
    /// # Errors
    /// It is not there, is not the user's, or the new name is taken or wrong.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(WishId, FileAct), LibraryError> {
        let path = self.users_file(from)?;
        self.check_free(to)?;
        let (preset, before) = self.latest(from)?;
        let renamed = Preset { name: to.to_owned(), ..(*preset).clone() };
        renamed.check()?;
        let text: Arc<str> = rewritten(&before, &renamed).into();
        let act = FileAct { path, before: Some(before), after: Some(Arc::clone(&text)) };
        let shelf = Shelf { preset: Arc::new(renamed), text, path: Some(act.path.clone()) };
        let id = self.wish(format!("renaming {from} to {to}"), &act.path, Some(shelf), false);
        Ok((id, act))
    }

    /// Deletes the file of a preset of the user; a bundled one of the same name comes to light again.
    ///
    /// # Errors
    /// It is not there, or is not the user's.
    pub fn delete(&mut self, name: &str) -> Result<(WishId, FileAct), LibraryError> {
        let path = self.users_file(name)?;
        let act = FileAct { path, before: Some(self.latest(name)?.1), after: None };
        let id = self.wish(format!("deleting {name}"), &act.path, None, false);
        Ok((id, act))
    }

    /// Makes a file what it was: with this text, or gone.
    pub fn put_back(&mut self, path: &Path, text: Option<&str>) -> WishId {
        let shelf = text.and_then(|text| {
            let preset = Arc::new(Preset::parse(text).ok()?);
            Some(Shelf { preset, text: text.into(), path: Some(path.to_owned()) })
        });
        self.wish("putting back".to_owned(), path, shelf, false)
    }

    /// What is to be written now, each under the number of its wish.
    pub fn take_orders(&mut self) -> Vec<(WishId, PresetWrite)> {
        std::mem::take(&mut self.orders)
    }

    /// Takes in what the disk said to a wish. What it refused is taken out again, but for a new preset: that one stays,
    /// and is not saved.
    ///
    /// # Errors
    /// What the disk said.
    pub fn settle(
        &mut self,
        id: WishId,
        written: Result<Option<Seen>, LibraryError>,
    ) -> Result<(), LibraryError> {
        if let Some(at) = self.saving.iter().position(|(saving, _)| *saving == id) {
            let (_, shelf) = self.saving.remove(at);
            let path = shelf.path.clone().unwrap_or_default();
            self.note_file(written?, &path, Some(shelf));
        } else if let Some(at) = self.wishes.iter().position(|wish| wish.id == id) {
            match written {
                Ok(seen) => {
                    let WishedFile { path, shelf, .. } = self.wishes.remove(at);
                    self.note_file(seen, &path, shelf);
                }
                Err(error) if self.wishes[at].is_new => {
                    self.wishes[at].is_refused = true;
                    return Err(error);
                }
                Err(error) => {
                    self.wishes.remove(at);
                    self.arrange();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// A file is as it was written.
    fn note_file(&mut self, seen: Option<Seen>, path: &Path, good: Option<Shelf>) {
        self.files.retain(|file| file.seen.path != path);
        self.wishes.retain(|wish| !(wish.is_refused && wish.path == path));
        if let (Some(seen), true) = (seen, good.is_some()) {
            self.files.push(UserFile { seen, good, error: None });
            self.files.sort_by(|a, b| a.seen.path.cmp(&b.seen.path));
        }
        self.arrange();
    }

    fn wish(&mut self, words: String, path: &Path, shelf: Option<Shelf>, is_new: bool) -> WishId {
        let text = shelf.as_ref().map(|shelf| Arc::clone(&shelf.text));
        let id = self.order(PresetWrite { words, path: path.to_owned(), text, is_new });
        // A preset that was in memory alone is gone or stored with what is wished for now.
        self.wishes.retain(|wish| !(wish.is_refused && wish.path == *path));
        let path = path.to_owned();
        self.wishes.push(WishedFile { id, path, shelf, is_new, is_refused: false });
        self.arrange();
        id
    }

    fn order(&mut self, write: PresetWrite) -> WishId {
        self.next_wish += 1;
        self.orders.push((self.next_wish, write));
        self.next_wish
    }

    fn check_free(&self, name: &str) -> Result<(), LibraryError> {
        if self.get(name).is_ok() || self.is_saving(name) {
            return Err(LibraryError::Taken { name: name.to_owned() });
        }
        Ok(())
    }

    /// A preset as its file will be once all that is being saved is written.
    fn latest(&self, name: &str) -> Result<(Arc<Preset>, Arc<str>), LibraryError> {
        let saving = self.saving.iter().rev().find(|(_, shelf)| shelf.preset.name == name);
        match saving {
            Some((_, shelf)) => Ok((Arc::clone(&shelf.preset), Arc::clone(&shelf.text))),
            None => Ok((self.get(name)?, self.text_of(name))),
        }
    }

    fn users_file(&self, name: &str) -> Result<PathBuf, LibraryError> {
        self.get(name)?;
        let own = self.shelves.iter().find(|shelf| shelf.preset.name == name);
        let path = own.and_then(|shelf| shelf.path.clone());
        path.ok_or_else(|| LibraryError::Bundled { name: name.to_owned() })
    }

    /// The file of the user's preset of this name; for a new one, true and a file name that is free as far as is known.
    fn path_to_save(&self, preset: &Preset) -> Result<(PathBuf, bool), LibraryError> {
        preset.check()?;
        let folder = self.user_dir.as_deref().ok_or(LibraryError::NoFolder)?;
        let saving = self.saving.iter().map(|(_, shelf)| shelf);
        let own = self
            .shelves
            .iter()
            .chain(saving)
            .find(|shelf| shelf.preset.name == preset.name && shelf.path.is_some());
        let known = |path: &Path| {
            // Some disks know no difference between large and small letters.
            let is_same = |other: &Path| other.as_os_str().eq_ignore_ascii_case(path.as_os_str());
            self.files.iter().any(|file| is_same(&file.seen.path))
                || self.wishes.iter().any(|wish| !wish.is_refused && is_same(&wish.path))
                || self.saving.iter().any(|(_, shelf)| shelf.path.as_deref().is_some_and(is_same))
        };
        if let Some(path) = own.and_then(|shelf| shelf.path.clone()) {
            let is_new = !known(&path);
            return Ok((path, is_new));
        }
        let slug = file_slug(&preset.name);
        let numbered = (2..).map(|number| format!("{slug}-{number}.toml"));
        let names = std::iter::once(format!("{slug}.toml")).chain(numbered);
        let free = names.map(|file| folder.join(file)).find(|path| !known(path));
        Ok((free.unwrap_or_else(|| folder.join(format!("{slug}.toml"))), true))
    }
}

/// Reads one preset from a file.
///
/// # Errors
/// The file cannot be read, or is no preset; never more than a page of it is read.
pub fn load(path: &Path) -> Result<Preset, LibraryError> {
    read(path).map(|(preset, _)| (*preset).clone())
}

/// The preset that the text of a file holds.
///
/// # Errors
/// It is none: what is wrong with it, and where.
pub fn preset_in(text: &str, path: &Path) -> Result<Arc<Preset>, LibraryError> {
    let broken = |error| LibraryError::Broken { path: path.to_owned(), error };
    Preset::parse(text).map(Arc::new).map_err(broken)
}

/// A file name that every system takes: lower-case letters, digits and single dashes.
fn file_slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    // Windows keeps device names such as `con` and `lpt1` for itself.
    if slug.len() < 5 {
        format!("preset-{slug}").trim_end_matches('-').to_owned()
    } else {
        slug.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::pattern::catalog::GENERATORS;
    use crate::pattern::preset::MAX_PRESET_BYTES;
    use crate::show::disk::{Job, PresetJob};

    fn named(name: &str) -> Preset {
        Preset::plain(name, &GENERATORS[0])
    }

    /// Lets the disk do what is wished for; the first that it refuses is told.
    fn work(library: &mut Library) -> Result<(), LibraryError> {
        for (id, write) in library.take_orders() {
            let answer = PresetJob::Write(write).run(&MayWait::here());
            let PresetAnswer::Written(written) = answer else { panic!("{answer:?}") };
            library.settle(id, written)?;
        }
        Ok(())
    }

    fn save(library: &mut Library, preset: &Preset) -> PathBuf {
        let text = rewritten(&library.text_of(&preset.name), preset);
        library.save_text(preset, text.into()).unwrap();
        work(library).unwrap();
        library.users_file(&preset.name).unwrap()
    }

    /// Looks at the files; true if something has changed.
    fn refresh_if_changed(library: &mut Library) -> bool {
        match library.look().run(&MayWait::here()) {
            PresetAnswer::Looked(listing) => {
                library.take_listing(listing);
                true
            }
            _ => false,
        }
    }

    #[test]
    fn without_a_user_folder_there_are_the_bundled_presets() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::open(Some(folder.path().join("not-there")));
        assert_eq!(library.entries().len(), BUNDLED.len());
        assert!(library.entries().iter().all(|entry| entry.bundled));
        assert!(library.broken().is_empty());
    }

    #[test]
    fn a_saved_preset_is_there_and_after_reopening_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::open(Some(folder.path().join("new/presets")));
        let path = save(&mut library, &named("My Own — №1"));
        assert_eq!(path.file_name().unwrap(), "my-own-1.toml");
        assert_eq!(load(&path).unwrap(), named("My Own — №1"));
        let again = Library::open(Some(folder.path().join("new/presets")));
        assert_eq!(*again.get("My Own — №1").unwrap(), named("My Own — №1"));
        assert!(!again.entries().last().unwrap().bundled);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn the_users_preset_shadows_the_bundled_one_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        let name = library.entries()[2].name.clone();
        save(&mut library, &named(&name));
        let reopened = Library::open(Some(folder.path().to_owned()));
        for library in [&library, &reopened] {
            assert_eq!(library.entries().len(), BUNDLED.len());
            assert_eq!(library.entries()[2].name, name);
            assert!(!library.entries()[2].bundled);
            assert_eq!(*library.get(&name).unwrap(), named(&name));
        }
    }

    #[test]
    fn a_broken_file_is_named_with_its_reason_and_the_rest_works() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("bad.toml"), "version = 1\nname = \"x\"\ngenerator = 7\n")
            .unwrap();
        fs::write(folder.path().join("binary.toml"), [0xFF, 0xFE, 0x00]).unwrap();
        fs::write(folder.path().join("long.toml"), "#".repeat(MAX_PRESET_BYTES + 10)).unwrap();
        fs::write(folder.path().join("good.toml"), named("Good").to_toml().unwrap()).unwrap();
        fs::write(folder.path().join("notes.txt"), "not a preset").unwrap();
        let library = Library::open(Some(folder.path().to_owned()));
        assert!(library.get("Good").is_ok());
        assert_eq!(library.broken().len(), 3);
        let message = library.broken()[0].to_string();
        assert!(message.contains("bad.toml") && message.contains("line 3"), "{message}");
    }

    #[test]
    fn a_changed_file_is_read_again_and_a_broken_one_leaves_the_last_good() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        fs::write(&path, named("Mine").to_toml().unwrap()).unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        assert!(!refresh_if_changed(&mut library));
        let changed = Preset { description: "Changed.".into(), ..named("Mine") };
        fs::write(&path, changed.to_toml().unwrap()).unwrap();
        assert!(refresh_if_changed(&mut library) && !refresh_if_changed(&mut library));
        assert_eq!(*library.get("Mine").unwrap(), changed);
        fs::write(&path, "version = 1\nname = \"Mine\"\ngenerator = \"cirle\"\n").unwrap();
        assert!(refresh_if_changed(&mut library));
        assert_eq!(*library.get("Mine").unwrap(), changed, "the last good one stays");
        assert!(library.broken()[0].to_string().contains("line 3"));
        fs::remove_file(&path).unwrap();
        assert!(refresh_if_changed(&mut library) && library.get("Mine").is_err());
    }

    #[test]
    fn a_watched_file_is_a_part_of_the_library_wherever_it_lies() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = elsewhere.path().join("one.toml");
        fs::write(&path, named("One").to_toml().unwrap()).unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        assert!(library.get("One").is_err());
        library.watch(path);
        assert_eq!(*library.get("One").unwrap(), named("One"));
        assert!(!refresh_if_changed(&mut library));
    }

    #[test]
    fn two_names_with_one_slug_get_two_files() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        let first = save(&mut library, &named("Big Wave"));
        let second = save(&mut library, &named("big-wave"));
        assert_ne!(first, second);
        assert_eq!(save(&mut library, &named("Big Wave")), first);
        assert_eq!(load(&second).unwrap().name, "big-wave");
    }

    #[test]
    fn a_wrong_preset_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        let wrong = Preset { generator: "nothing".into(), ..named("Wrong") };
        assert!(matches!(library.save_text(&wrong, "".into()), Err(LibraryError::Invalid(_))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn file_names_never_leave_the_folder_or_name_a_device() {
        assert_eq!(file_slug("../../etc/passwd"), "etc-passwd");
        assert_eq!(file_slug("CON"), "preset-con");
        assert_eq!(file_slug("日本"), "preset");
        assert_eq!(file_slug(" Über  Wave! "), "ber-wave");
    }

    #[test]
    fn a_preset_of_the_user_is_renamed_in_its_file_and_a_taken_name_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        fs::write(&path, "# mine\nversion = 1\nname = \"Mine\"\ngenerator = \"circle\"\n").unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        assert!(matches!(library.rename("Mine", "Ember Ring"), Err(LibraryError::Taken { .. })));
        assert!(matches!(library.rename("Ember Ring", "X"), Err(LibraryError::Bundled { .. })));
        assert!(matches!(library.rename("Mine", ""), Err(LibraryError::Invalid(_))));
        let (_, act) = library.rename("Mine", "Yours").unwrap();
        work(&mut library).unwrap();
        assert!(library.get("Mine").is_err() && library.get("Yours").is_ok());
        assert!(
            fs::read_to_string(&path).unwrap().starts_with("# mine\nversion = 1\nname = \"Yours\"")
        );
        library.put_back(&act.path, act.before.as_deref());
        work(&mut library).unwrap();
        assert!(library.get("Mine").is_ok() && library.get("Yours").is_err());
    }

    #[test]
    fn a_deleted_preset_lets_the_bundled_one_out_and_can_be_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        let bundled = library.entries()[1].name.clone();
        assert!(matches!(library.delete(&bundled), Err(LibraryError::Bundled { .. })));
        save(&mut library, &named(&bundled));
        let (_, act) = library.delete(&bundled).unwrap();
        work(&mut library).unwrap();
        assert!(!act.path.exists() && !library.is_users(&bundled));
        library.put_back(&act.path, act.before.as_deref());
        work(&mut library).unwrap();
        assert_eq!(*library.get(&bundled).unwrap(), named(&bundled));
        assert!(matches!(library.delete("Nonesuch"), Err(LibraryError::Unknown { .. })));
    }

    #[test]
    fn saving_keeps_the_comments_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let text = "# mine\nversion = 1\nname = \"Mine\"\ngenerator = \"circle\"\n\n[params]\nradius = 0.5 # wide\n";
        fs::write(&path, text).unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        let mut preset = (*library.get("Mine").unwrap()).clone();
        preset.params.insert("radius".into(), 0.75);
        save(&mut library, &preset);
        assert_eq!(fs::read_to_string(&path).unwrap(), text.replace("0.5", "0.75"));
    }

    #[test]
    fn entries_say_what_is_broken_and_keep_the_last_good_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        fs::write(&path, named("Mine").to_toml().unwrap()).unwrap();
        fs::write(folder.path().join("bad.toml"), "version = 1\nname = 7\n").unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        fs::write(&path, "version = 1\nname = \"Mine\"\ngenerator = \"cirle\"\n").unwrap();
        assert!(refresh_if_changed(&mut library));
        let entries = library.entries();
        let of = |name: &str| entries.iter().find(|entry| entry.name == name).unwrap();
        assert!(of("Mine").preset.is_some());
        assert!(of("Mine").broken.as_ref().unwrap().contains("line 3"));
        assert!(of("bad.toml").preset.is_none());
        assert!(of("bad.toml").broken.as_ref().unwrap().contains("line 2"));
        assert!(entries.iter().filter(|entry| entry.broken.is_some()).count() == 2);
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_or_the_list() {
        let library = Library::open(Some(PathBuf::from("/nowhere")));
        let error = library.get("Nonesuch").unwrap_err().to_string();
        assert!(error.contains("Nonesuch") && error.contains("Ember Ring"), "{error}");
        let error = library.get("ember rng").unwrap_err().to_string();
        assert!(error.ends_with("did you mean `Ember Ring`?"), "{error}");
    }

    #[test]
    fn a_new_preset_that_the_disk_refuses_stays_in_memory_until_it_can_be_saved() {
        let folder = tempfile::tempdir().unwrap();
        let presets = folder.path().join("presets");
        fs::write(&presets, "no folder").unwrap();
        let mut library = Library::open(Some(presets.clone()));
        library.add(&named("Mine"), named("Mine").to_toml().unwrap().into()).unwrap();
        assert!(library.is_stored("Mine") && library.entries().last().unwrap().saving);
        assert!(work(&mut library).is_err());
        let entry = library.entries().pop_if(|entry| entry.name == "Mine").unwrap();
        assert!(entry.changed && !entry.saving && !library.is_stored("Mine"));
        fs::remove_file(&presets).unwrap();
        save(&mut library, &named("Mine"));
        assert!(library.is_stored("Mine") && !library.entries().last().unwrap().changed);
        assert_eq!(load(&presets.join("preset-mine.toml")).unwrap(), named("Mine"));
    }

    #[test]
    fn what_the_disk_refuses_is_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        save(&mut library, &named("Mine"));
        let refused = || {
            let error = io::Error::from(io::ErrorKind::StorageFull);
            Err(LibraryError::Io { path: PathBuf::new(), error })
        };
        let (id, _) = library.delete("Mine").unwrap();
        assert!(library.get("Mine").is_err(), "gone at once");
        assert!(library.settle(id, refused()).is_err() && library.get("Mine").is_ok());
        let (id, _) = library.rename("Mine", "Yours").unwrap();
        assert!(library.get("Mine").is_err() && library.get("Yours").is_ok());
        assert!(library.settle(id, refused()).is_err());
        assert!(library.get("Mine").is_ok() && library.get("Yours").is_err());
    }

    #[test]
    fn a_file_that_came_meanwhile_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        let path = folder.path().join("preset-mine.toml");
        fs::write(&path, "somebody else's").unwrap();
        library.save_text(&named("Mine"), named("Mine").to_toml().unwrap().into()).unwrap();
        let told = work(&mut library).unwrap_err().to_string();
        assert!(told.contains("preset-mine.toml"), "{told}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody else's");
        assert!(refresh_if_changed(&mut library));
        assert_eq!(save(&mut library, &named("Mine")), folder.path().join("preset-mine-2.toml"));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_cannot_be_read_any_more_leaves_what_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let presets = folder.path().join("presets");
        let mut library = Library::open(Some(presets.clone()));
        save(&mut library, &named("Mine"));
        fs::rename(&presets, folder.path().join("away")).unwrap();
        fs::write(&presets, "no folder").unwrap();
        assert!(refresh_if_changed(&mut library) && library.get("Mine").is_ok());
        assert_eq!(library.broken().len(), 1);
        assert!(!refresh_if_changed(&mut library), "told once");
    }
}
