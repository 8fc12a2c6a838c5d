//! Where presets live: those that come with galvo, and the user's own folder.
//!
//! A preset of the user shadows a bundled one of the same name; a bundled one is never written. A file that
//! is broken is listed with its reason and skipped.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::pattern::bundled::BUNDLED;
use crate::pattern::preset::rewrite::rewritten;
use crate::pattern::preset::{MAX_PRESET_BYTES, did_you_mean};
use crate::pattern::{Preset, PresetError};
use crate::show::snapshot::PresetEntry;

/// Most files of the user's folder that are read.
const MAX_USER_FILES: usize = 1_000;

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

/// Every preset there is.
#[derive(Debug)]
pub struct Library {
    user_dir: Option<PathBuf>,
    shelves: Vec<Shelf>,
    broken: Vec<LibraryError>,
    /// A file outside the folder that is a part of the library too.
    watched: Option<PathBuf>,
    /// The files as they were when they were read.
    seen: Vec<Seen>,
}

/// A file, when it was changed, and how long it was.
type Seen = (PathBuf, Option<SystemTime>, u64);

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
        let mut library = Self {
            user_dir,
            shelves: Vec::new(),
            broken: Vec::new(),
            watched: None,
            seen: Vec::new(),
        };
        library.refresh();
        library
    }

    /// Makes a file outside the folder a part of the library, and looks at it again with the others.
    pub fn watch(&mut self, path: PathBuf) {
        self.watched = Some(path);
        self.refresh();
    }

    /// Reads everything again if a file was changed, came or went since it was read; true if so.
    pub fn refresh_if_changed(&mut self) -> bool {
        let is_changed = self.files_now() != self.seen;
        if is_changed {
            self.refresh();
        }
        is_changed
    }

    fn files_now(&self) -> Vec<Seen> {
        let folder = self.user_dir.as_deref().and_then(|folder| preset_files(folder).ok());
        let paths = folder.unwrap_or_default().into_iter().chain(self.watched.clone());
        let seen = |path: PathBuf| {
            let data = fs::metadata(&path).ok()?;
            Some((path, data.modified().ok(), data.len()))
        };
        paths.filter_map(seen).collect()
    }

    /// Reads everything again. Of a file that is broken now, the preset last read from it stays.
    pub fn refresh(&mut self) {
        // First what there is, then what is in it: a change in between is seen the next time.
        self.seen = self.files_now();
        let before = std::mem::take(&mut self.shelves);
        self.broken.clear();
        for (file, text) in BUNDLED {
            match Preset::parse(text) {
                Ok(preset) => {
                    let (preset, text) = (Arc::new(preset), Arc::from(*text));
                    self.shelves.push(Shelf { preset, text, path: None });
                }
                Err(error) => {
                    self.broken.push(LibraryError::Broken { path: PathBuf::from(file), error });
                }
            }
        }
        let mut paths = Vec::new();
        if let Some(folder) = self.user_dir.clone() {
            match preset_files(&folder) {
                Ok(found) => paths = found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.broken.push(LibraryError::Io { path: folder, error }),
            }
        }
        paths.extend(self.watched.clone().filter(|path| !paths.contains(path)));
        for path in paths {
            match read(&path) {
                Ok((preset, text)) => self.put(preset, text.into(), path),
                Err(error) => {
                    self.broken.push(error);
                    let good = before.iter().find(|shelf| shelf.path.as_deref() == Some(&path));
                    if let Some(good) = good {
                        self.put((*good.preset).clone(), Arc::clone(&good.text), path);
                    }
                }
            }
        }
    }

    /// The presets to choose from: the bundled ones in their order, then the user's by file name, then files that were
    /// never right, each with its mistake.
    #[must_use]
    pub fn entries(&self) -> Vec<PresetEntry> {
        let wrong_with = |path: &Path| {
            self.broken.iter().find(|error| error.path() == Some(path)).map(ToString::to_string)
        };
        let entry = |shelf: &Shelf| PresetEntry {
            name: shelf.preset.name.clone(),
            description: shelf.preset.description.clone(),
            bundled: shelf.path.is_none(),
            preset: Some(Arc::clone(&shelf.preset)),
            changed: false,
            broken: shelf.path.as_deref().and_then(wrong_with),
        };
        let has_a_good_one =
            |path: &Path| self.shelves.iter().any(|shelf| shelf.path.as_deref() == Some(path));
        let never_right = self.broken.iter().filter_map(|error| {
            let LibraryError::Broken { path, .. } = error else { return None };
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
    pub fn broken(&self) -> &[LibraryError] {
        &self.broken
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

    /// Writes a preset to the user's folder and puts it into the library. A preset of the user of the same
    /// name is replaced; the file is either the old or the new one, never half of it.
    ///
    /// # Errors
    /// The preset is wrong, there is no folder, or the system refuses.
    pub fn save(&mut self, preset: &Preset) -> Result<PathBuf, LibraryError> {
        let text = rewritten(&self.text_of(&preset.name), preset);
        self.save_text(preset, text.into()).map(|act| act.path)
    }

    /// The same in the words of `text`, which says what the preset is.
    ///
    /// # Errors
    /// As for [`Library::save`].
    pub fn save_text(&mut self, preset: &Preset, text: Arc<str>) -> Result<FileAct, LibraryError> {
        preset.check()?;
        let folder = self.user_dir.clone().ok_or(LibraryError::NoFolder)?;
        fs::create_dir_all(&folder)
            .map_err(|error| LibraryError::Io { path: folder.clone(), error })?;
        let path = self.path_for(&folder, &preset.name);
        let before = self.is_users(&preset.name).then(|| self.text_of(&preset.name));
        write_whole(&path, &text)
            .map_err(|error| LibraryError::Io { path: path.clone(), error })?;
        self.put(preset.clone(), Arc::clone(&text), path.clone());
        self.seen = self.files_now();
        Ok(FileAct { path, before, after: Some(text) })
    }

    /// The same under a name that no preset has.
    ///
    /// # Errors
    /// As for [`Library::save`], and [`LibraryError::Taken`].
    pub fn add(&mut self, preset: &Preset, text: Arc<str>) -> Result<FileAct, LibraryError> {
        if self.get(&preset.name).is_ok() {
            return Err(LibraryError::Taken { name: preset.name.clone() });
        }
        self.save_text(preset, text)
    }

    /// Gives a preset of the user another name; its file stays where it is.
    ///
    /// # Errors
    /// It is not there, is not the user's, the new name is taken or wrong, or the system refuses.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<FileAct, LibraryError> {
        let path = self.users_file(from)?;
        if self.get(to).is_ok() {
            return Err(LibraryError::Taken { name: to.to_owned() });
        }
        let renamed = Preset { name: to.to_owned(), ..(*self.get(from)?).clone() };
        renamed.check()?;
        let before = self.text_of(from);
        let after: Arc<str> = rewritten(&before, &renamed).into();
        let act = FileAct { path, before: Some(before), after: Some(after) };
        self.put_back(&act.path, act.after.as_deref())?;
        Ok(act)
    }

    /// Deletes the file of a preset of the user; a bundled one of the same name comes to light again.
    ///
    /// # Errors
    /// It is not there, is not the user's, or the system refuses.
    pub fn delete(&mut self, name: &str) -> Result<FileAct, LibraryError> {
        let path = self.users_file(name)?;
        let act = FileAct { path, before: Some(self.text_of(name)), after: None };
        self.put_back(&act.path, None)?;
        Ok(act)
    }

    /// Makes a file what it was: with this text, or gone.
    ///
    /// # Errors
    /// The system refuses.
    pub fn put_back(&mut self, path: &Path, text: Option<&str>) -> Result<(), LibraryError> {
        let done = match text {
            Some(text) => write_whole(path, text),
            None => fs::remove_file(path),
        };
        done.map_err(|error| LibraryError::Io { path: path.to_owned(), error })?;
        self.refresh();
        Ok(())
    }

    fn users_file(&self, name: &str) -> Result<PathBuf, LibraryError> {
        self.get(name)?;
        let own = self.shelves.iter().find(|shelf| shelf.preset.name == name);
        let path = own.and_then(|shelf| shelf.path.clone());
        path.ok_or_else(|| LibraryError::Bundled { name: name.to_owned() })
    }

    /// Puts a preset of the user in place of any of the same name.
    fn put(&mut self, preset: Preset, text: Arc<str>, path: PathBuf) {
        let shelf = Shelf { preset: Arc::new(preset), text, path: Some(path) };
        let same_name = |other: &&mut Shelf| other.preset.name == shelf.preset.name;
        match self.shelves.iter_mut().find(same_name) {
            Some(place) => *place = shelf,
            None => self.shelves.push(shelf),
        }
    }

    /// The file of the user's preset of this name; for a new one, a file name that is free.
    fn path_for(&self, folder: &Path, name: &str) -> PathBuf {
        let own = self.shelves.iter().find(|shelf| shelf.preset.name == name);
        if let Some(path) = own.and_then(|shelf| shelf.path.clone()) {
            return path;
        }
        let slug = file_slug(name);
        let numbered = (2..).map(|number| format!("{slug}-{number}.toml"));
        std::iter::once(format!("{slug}.toml"))
            .chain(numbered)
            .map(|file| folder.join(file))
            .find(|path| !path.exists())
            .unwrap_or_else(|| folder.join(format!("{slug}.toml")))
    }
}

/// Reads one preset from a file.
///
/// # Errors
/// The file cannot be read, or is no preset; never more than a page of it is read.
pub fn load(path: &Path) -> Result<Preset, LibraryError> {
    read(path).map(|(preset, _)| preset)
}

/// The same with its text.
fn read(path: &Path) -> Result<(Preset, String), LibraryError> {
    let refused = |error| LibraryError::Io { path: path.to_owned(), error };
    let mut text = String::new();
    let most = MAX_PRESET_BYTES as u64 + 1;
    fs::File::open(path).map_err(refused)?.take(most).read_to_string(&mut text).map_err(refused)?;
    let broken = |error| LibraryError::Broken { path: path.to_owned(), error };
    let preset = Preset::parse(&text).map_err(broken)?;
    Ok((preset, text))
}

/// The `.toml` files of a folder, by name.
fn preset_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    paths.truncate(MAX_USER_FILES);
    Ok(paths)
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

/// Writes beside the target and renames over it.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&beside, path));
    if renamed.is_err() {
        // The error that counts is the first; what is left of the attempt goes if it can.
        drop(fs::remove_file(&beside));
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::catalog::GENERATORS;

    fn named(name: &str) -> Preset {
        Preset::plain(name, &GENERATORS[0])
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
        let path = library.save(&named("My Own — №1")).unwrap();
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
        library.save(&named(&name)).unwrap();
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
        assert!(!library.refresh_if_changed());
        let changed = Preset { description: "Changed.".into(), ..named("Mine") };
        fs::write(&path, changed.to_toml().unwrap()).unwrap();
        assert!(library.refresh_if_changed() && !library.refresh_if_changed());
        assert_eq!(*library.get("Mine").unwrap(), changed);
        fs::write(&path, "version = 1\nname = \"Mine\"\ngenerator = \"cirle\"\n").unwrap();
        assert!(library.refresh_if_changed());
        assert_eq!(*library.get("Mine").unwrap(), changed, "the last good one stays");
        assert!(library.broken()[0].to_string().contains("line 3"));
        fs::remove_file(&path).unwrap();
        assert!(library.refresh_if_changed() && library.get("Mine").is_err());
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
        assert!(!library.refresh_if_changed());
    }

    #[test]
    fn two_names_with_one_slug_get_two_files() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        let first = library.save(&named("Big Wave")).unwrap();
        let second = library.save(&named("big-wave")).unwrap();
        assert_ne!(first, second);
        assert_eq!(library.save(&named("Big Wave")).unwrap(), first);
        assert_eq!(load(&second).unwrap().name, "big-wave");
    }

    #[test]
    fn a_wrong_preset_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        let wrong = Preset { generator: "nothing".into(), ..named("Wrong") };
        assert!(matches!(library.save(&wrong), Err(LibraryError::Invalid(_))));
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
        let act = library.rename("Mine", "Yours").unwrap();
        assert!(library.get("Mine").is_err() && library.get("Yours").is_ok());
        assert!(
            fs::read_to_string(&path).unwrap().starts_with("# mine\nversion = 1\nname = \"Yours\"")
        );
        library.put_back(&act.path, act.before.as_deref()).unwrap();
        assert!(library.get("Mine").is_ok() && library.get("Yours").is_err());
    }

    #[test]
    fn a_deleted_preset_lets_the_bundled_one_out_and_can_be_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::open(Some(folder.path().to_owned()));
        let bundled = library.entries()[1].name.clone();
        assert!(matches!(library.delete(&bundled), Err(LibraryError::Bundled { .. })));
        library.save(&named(&bundled)).unwrap();
        let act = library.delete(&bundled).unwrap();
        assert!(!act.path.exists() && !library.is_users(&bundled));
        library.put_back(&act.path, act.before.as_deref()).unwrap();
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
        library.save(&preset).unwrap();
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
        assert!(library.refresh_if_changed());
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
}
