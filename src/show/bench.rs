//! The presets of a show and what an operator does with them: choosing, changing, comparing, and looking after the files.
//!
//! It answers each wish with what the light must do. Unsaved changes of a preset are kept while others play. What is to
//! be done with files is asked of the disk and never waited for: a preset counts as changed until it is saved, and what
//! was made, renamed or deleted is so at once, unless the disk refuses it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::command::Command;
use super::disk::presets::Seen;
use super::disk::{Done, JobId, JobQueue, PresetAnswer, PresetJob};
use super::edit::EditError;
use super::editor::PresetEditor;
use super::library::{FileAct, Library, LibraryError, WishId};
use super::snapshot::{PresetEntry, PresetView};
use crate::pattern::catalog;
use crate::pattern::preset::rewrite::rewritten;
use crate::pattern::{Preset, PresetError};
use crate::time::HostTime;

/// Most presets whose unsaved changes are kept beside the one at work.
const MAX_DRAFTS: usize = 64;
/// Most acts with files that can be taken back.
const MAX_ACTS: usize = 64;
/// Most acts with files that the disk has not done yet.
const MAX_UNDONE: usize = 32;

/// What the light must do.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Nothing.
    Nothing,
    /// Set a parameter of the first drawing, by its place.
    Param {
        /// Its place in the list.
        index: usize,
        /// Its value, in its own unit.
        value: f32,
    },
    /// Draw the preset as it is edited now, without beginning anew.
    Edited,
    /// Let the preset at work follow the last one.
    Taken,
    /// Nothing; there is something to tell.
    Told(String),
}

/// Why a wish was refused; everything is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The change is wrong.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The library refused.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The preset would be wrong.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// The disk does not answer.
    #[error(
        "the folder of presets has not answered for {MAX_UNDONE} acts: what is at work stays as it is; try again when it answers"
    )]
    Waiting,
}

/// What the disk has said, for the operator and the light.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// There is something to tell.
    Told(String),
    /// The preset at work follows its file.
    Followed(String),
    /// It refused: why, and what became of it.
    Refused(String),
    /// The presets to choose from are others, or are saved.
    Changed,
}

/// What is to be noted once the disk has done what was wished for.
#[derive(Debug)]
enum Then {
    /// The preset stored under this name is stored like this.
    Saved { stored_name: String, preset: Arc<Preset> },
    /// It was done for the first time.
    Done(u64),
    /// It was taken back.
    Undone(u64),
    /// It was done again.
    Redone(u64),
}

/// A wish that the disk has not done yet.
#[derive(Debug)]
struct Undone {
    wish: WishId,
    job: Option<JobId>,
    then: Then,
}

/// Something done with files, and in which words.
#[derive(Debug)]
struct Act {
    id: u64,
    words: String,
    file: FileAct,
    /// The name before and after, for a preset that was renamed.
    renamed: Option<(String, String)>,
}

/// See the module.
#[derive(Debug)]
pub struct PresetBench {
    library: Library,
    editor: PresetEditor,
    drafts: BTreeMap<String, PresetEditor>,
    acts: Vec<Act>,
    acts_undone: Vec<Act>,
    /// True if the last thing done was with files: Undo takes it back first.
    last_was_act: bool,
    acts_done: u64,
    /// What the disk has to do.
    undone: Vec<Undone>,
    /// The look at the files that is under way.
    looking: Option<JobId>,
}

impl PresetBench {
    /// A bench with `preset` at work.
    #[must_use]
    pub fn new(library: Library, preset: Arc<Preset>) -> Self {
        let text = library.text_of(&preset.name);
        Self {
            library,
            editor: PresetEditor::new(preset).read_from(text),
            drafts: BTreeMap::new(),
            acts: Vec::new(),
            acts_undone: Vec::new(),
            last_was_act: false,
            acts_done: 0,
            undone: Vec::new(),
            looking: None,
        }
    }

    /// The library.
    #[must_use]
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The preset at work, as edited.
    #[must_use]
    pub fn preset(&self) -> &Arc<Preset> {
        self.editor.preset()
    }

    /// Obeys a wish that concerns presets; others are left alone.
    ///
    /// # Errors
    /// What is wrong with the wish, and the cure.
    pub fn obey(&mut self, wish: &Command, now: HostTime) -> Result<Outcome, BenchError> {
        let is_about_files = matches!(
            wish,
            Command::SavePreset
                | Command::SavePresetAs(_)
                | Command::NewPreset { .. }
                | Command::DuplicatePreset { .. }
                | Command::RenamePreset { .. }
                | Command::DeletePreset(_)
                | Command::Undo
                | Command::Redo
        );
        if is_about_files && self.undone.len() >= MAX_UNDONE {
            return Err(BenchError::Waiting);
        }
        match wish {
            Command::SelectPreset(name) => self.take(name),
            Command::SetParam { name, value } => {
                self.last_was_act = false;
                let (index, value) = self.editor.set_param(name, *value, now)?;
                Ok(Outcome::Param { index, value })
            }
            Command::EditPreset(edit) => {
                let is_changed = self.editor.edit(edit, now)?;
                Ok(self.edited(is_changed))
            }
            Command::Compare => {
                self.editor.compare();
                Ok(self.edited(true))
            }
            Command::CopyToOtherSide => {
                self.editor.copy_to_other_side();
                self.last_was_act = false;
                Ok(Outcome::Nothing)
            }
            Command::RevertPreset => {
                let is_changed = self.editor.revert();
                Ok(self.edited(is_changed))
            }
            Command::Undo => Ok(self.undo()),
            Command::Redo => Ok(self.redo()),
            Command::SavePreset => self.save(),
            Command::SavePresetAs(name) => {
                // A name that is the user's own is written over, as any program that saves does; one that came with
                // galvo is shadowed.
                self.editor.rename(name)?;
                self.save()
            }
            Command::NewPreset { name, generator } => self.make(name, generator),
            Command::DuplicatePreset { of, name } => self.duplicate(of, name),
            Command::RenamePreset { from, to } => self.rename(from, to.trim()),
            Command::DeletePreset(name) => {
                let made = self.library.delete(name)?;
                Ok(self.done(format!("deleted {name}"), made, None))
            }
            _ => Ok(Outcome::Nothing),
        }
    }

    /// Asks the disk for what was wished for since the last call. Never waits.
    pub fn ask(&mut self, disk: &mut JobQueue<PresetJob>, now: HostTime) -> Vec<Heard> {
        let mut heard = Vec::new();
        for (wish, write) in self.library.take_orders() {
            match disk.ask(PresetJob::Write(write), now) {
                Ok(job) => {
                    for undone in self.undone.iter_mut().filter(|undone| undone.wish == wish) {
                        undone.job = Some(job);
                    }
                }
                Err(full) => {
                    let error = std::io::Error::other(full);
                    let path = PathBuf::new();
                    heard.push(self.settle(wish, Err(LibraryError::Io { path, error })));
                }
            }
        }
        heard
    }

    /// Asks the disk whether a file has changed, unless it has something to do already.
    pub fn look(&mut self, disk: &mut JobQueue<PresetJob>, now: HostTime) {
        if self.looking.is_none() && self.undone.is_empty() {
            self.looking = disk.ask(PresetJob::Look(self.library.look()), now).ok();
        }
    }

    /// Takes in what the disk has done. The preset at work follows its file; if that is broken now, the last good one
    /// plays on.
    pub fn hear(&mut self, done: Done<PresetAnswer>) -> Option<Heard> {
        if self.looking == Some(done.id) {
            self.looking = None;
            let PresetAnswer::Looked(listing) = done.answer? else { return None };
            self.library.take_listing(listing);
            // What is being saved will be what is stored.
            let name = &self.editor.stored().name;
            let follows = !self.library.is_saving(name);
            return Some(match follows.then(|| self.follow_file()) {
                Some(Outcome::Told(text)) => Heard::Followed(text),
                _ => Heard::Changed,
            });
        }
        let undone = self.undone.iter().find(|undone| undone.job == Some(done.id))?;
        let fell = || LibraryError::Io {
            path: PathBuf::new(),
            error: std::io::Error::other("writing it failed"),
        };
        let written = match done.answer {
            Some(PresetAnswer::Written(written)) => written,
            Some(_) | None => Err(fell()),
        };
        Some(self.settle(undone.wish, written))
    }

    /// Notes what became of a wish.
    fn settle(&mut self, wish: WishId, written: Result<Option<Seen>, LibraryError>) -> Heard {
        let path = written.as_ref().ok().and_then(|seen| Some(seen.as_ref()?.path.clone()));
        let settled = self.library.settle(wish, written);
        let Some(at) = self.undone.iter().position(|undone| undone.wish == wish) else {
            return Heard::Changed;
        };
        let Undone { then, .. } = self.undone.remove(at);
        match (settled, then) {
            (Ok(()), Then::Saved { stored_name, preset }) => {
                self.note_saved(&stored_name, preset);
                let path = path.unwrap_or_default();
                Heard::Told(format!("saved {}", path.display()))
            }
            (Ok(()), _) => Heard::Changed,
            (Err(error), then) => {
                let words = match then {
                    Then::Saved { preset, .. } => {
                        format!("{} is not saved and stays as you changed it", preset.name)
                    }
                    Then::Done(id) => self.was_not_done(id),
                    Then::Undone(id) => self.was_not_taken_back(id),
                    Then::Redone(id) => self.was_not_done_again(id),
                };
                Heard::Refused(format!("{words}: {error}"))
            }
        }
    }

    /// The preset stored under this name is stored as `preset` now; it may have been changed since.
    fn note_saved(&mut self, stored_name: &str, preset: Arc<Preset>) {
        if self.editor.stored().name == *stored_name {
            if preset.name != *stored_name {
                self.drafts.remove(&preset.name);
            }
            self.editor.was_saved(preset);
        } else if let Some(mut draft) = self.drafts.remove(stored_name) {
            let name = preset.name.clone();
            draft.was_saved(preset);
            self.drafts.insert(name, draft);
        }
    }

    /// What is stored under this name is what the library says.
    fn note_stored(&mut self, name: &str) {
        let Ok(stored) = self.library.get(name) else { return };
        if self.editor.stored().name == *name {
            self.editor.was_saved(stored);
        } else if let Some(draft) = self.drafts.get_mut(name) {
            draft.was_saved(stored);
        }
    }

    /// A new preset stays, not saved; all else is as it was.
    fn was_not_done(&mut self, id: u64) -> String {
        let place = self.acts.iter().position(|act| act.id == id);
        let Some(place) = place else { return "what was done with a file was not done".to_owned() };
        if self.acts[place].file.before.is_none() {
            return format!("{}, but it is not saved", self.acts[place].words);
        }
        let act = self.acts.remove(place);
        if let Some((from, to)) = &act.renamed {
            self.follow_name(to, from);
            self.note_stored(from);
        }
        format!("not done: {}", act.words)
    }

    fn was_not_taken_back(&mut self, id: u64) -> String {
        let place = self.acts_undone.iter().position(|act| act.id == id);
        let Some(place) = place else { return "it was not taken back".to_owned() };
        let act = self.acts_undone.remove(place);
        if let Some((from, to)) = &act.renamed {
            self.follow_name(from, to);
        }
        let words = format!("not taken back: {}", act.words);
        self.acts.push(act);
        words
    }

    fn was_not_done_again(&mut self, id: u64) -> String {
        let place = self.acts.iter().position(|act| act.id == id);
        let Some(place) = place else { return "it was not done again".to_owned() };
        let act = self.acts.remove(place);
        if let Some((from, to)) = &act.renamed {
            self.follow_name(to, from);
        }
        let words = format!("not done again: {}", act.words);
        self.acts_undone.push(act);
        words
    }

    /// The presets to choose from, with what is changed and not saved.
    #[must_use]
    pub fn entries(&self) -> Vec<PresetEntry> {
        let mut entries = self.library.entries();
        for entry in &mut entries {
            let editor = if entry.name == self.editor.stored().name {
                Some(&self.editor)
            } else {
                self.drafts.get(&entry.name)
            };
            if let Some(editor) = editor
                && entry.preset.is_some()
                && editor.changed()
            {
                entry.changed = true;
                entry.preset = Some(Arc::clone(editor.preset()));
            }
        }
        entries
    }

    /// What a surface shows of the preset at work.
    #[must_use]
    pub fn view(&self) -> PresetView {
        let view = self.editor.view();
        let is_stored = self.library.is_stored(&view.stored_name);
        PresetView {
            saving: self.library.is_saving(&view.name),
            changed: view.changed || !is_stored,
            can_undo: view.can_undo || !self.acts.is_empty(),
            can_redo: view.can_redo || (self.last_was_act && !self.acts_undone.is_empty()),
            ..view
        }
    }

    /// What Undo would take back next, if it was done with files; empty otherwise.
    #[must_use]
    pub fn undo_act(&self) -> &str {
        match self.acts.last() {
            Some(act) if self.last_was_act => &act.words,
            _ => "",
        }
    }

    fn edited(&mut self, is_changed: bool) -> Outcome {
        if is_changed {
            self.last_was_act = false;
            Outcome::Edited
        } else {
            Outcome::Nothing
        }
    }

    fn take(&mut self, name: &str) -> Result<Outcome, BenchError> {
        let stored = self.library.get(name)?;
        if *name == self.editor.stored().name {
            return Ok(Outcome::Nothing);
        }
        let text = self.library.text_of(name);
        let next = match self.drafts.remove(name) {
            Some(mut draft) => {
                if *draft.stored() != stored {
                    draft.reload(stored, text);
                }
                draft
            }
            None => PresetEditor::new(stored).read_from(text),
        };
        let last = std::mem::replace(&mut self.editor, next);
        if last.has_steps() && self.drafts.len() < MAX_DRAFTS {
            self.drafts.insert(last.stored().name.clone(), last);
        }
        Ok(Outcome::Taken)
    }

    fn undo(&mut self) -> Outcome {
        let is_act = (self.last_was_act || !self.editor.view().can_undo) && !self.acts.is_empty();
        if !is_act {
            let is_changed = self.editor.undo();
            return self.edited(is_changed);
        }
        let Some(act) = self.acts.pop() else { return Outcome::Nothing };
        let renamed = act.renamed.clone().map(|(before, after)| (after, before));
        let (path, text) = (&act.file.path, act.file.before.as_deref());
        let outcome = self.write(path, text, renamed, Then::Undone(act.id));
        self.acts_undone.push(act);
        self.last_was_act = true;
        outcome
    }

    fn redo(&mut self) -> Outcome {
        if !self.last_was_act || self.acts_undone.is_empty() {
            let is_changed = self.editor.redo();
            return self.edited(is_changed);
        }
        let Some(act) = self.acts_undone.pop() else { return Outcome::Nothing };
        let (path, text) = (&act.file.path, act.file.after.as_deref());
        let outcome = self.write(path, text, act.renamed.clone(), Then::Redone(act.id));
        self.acts.push(act);
        outcome
    }

    /// Makes a file what it was, and lets the editors follow.
    fn write(
        &mut self,
        path: &std::path::Path,
        text: Option<&str>,
        renamed: Option<(String, String)>,
        then: Then,
    ) -> Outcome {
        let wish = self.library.put_back(path, text);
        self.undone.push(Undone { wish, job: None, then });
        if let Some((from, to)) = renamed {
            self.follow_name(&from, &to);
        }
        self.follow_file()
    }

    /// The preset at work follows its file.
    fn follow_file(&mut self) -> Outcome {
        let stored = Arc::clone(self.editor.stored());
        match self.library.get(&stored.name) {
            Ok(preset) if preset != stored => {
                let text = self.library.text_of(&stored.name);
                let told = format!("{} was changed on disk and plays as it is now", preset.name);
                self.editor.reload(preset, text);
                Outcome::Told(told)
            }
            _ => Outcome::Nothing,
        }
    }

    fn follow_name(&mut self, from: &str, to: &str) {
        if self.editor.stored().name == from {
            self.editor.was_renamed(to);
        }
        if let Some(mut draft) = self.drafts.remove(from) {
            draft.was_renamed(to);
            self.drafts.insert(to.to_owned(), draft);
        }
        for undone in &mut self.undone {
            if let Then::Saved { stored_name, preset } = &mut undone.then
                && stored_name == from
            {
                to.clone_into(stored_name);
                if preset.name == *from {
                    to.clone_into(&mut Arc::make_mut(preset).name);
                }
            }
        }
    }

    fn save(&mut self) -> Result<Outcome, BenchError> {
        let preset = Arc::clone(self.editor.preset());
        let wish = self.library.save_text(&preset, self.editor.text())?;
        self.editor.ends_gesture();
        let stored_name = self.editor.stored().name.clone();
        self.undone.push(Undone { wish, job: None, then: Then::Saved { stored_name, preset } });
        Ok(Outcome::Nothing)
    }

    fn make(&mut self, name: &str, generator: &str) -> Result<Outcome, BenchError> {
        let first = &catalog::GENERATORS[0];
        let kind = catalog::find(generator).unwrap_or(first);
        let mut preset = Preset::plain(name.trim(), kind);
        preset = super::edit::with_generator(&preset, generator)?;
        let text = preset.to_toml()?;
        let made = self.library.add(&preset, text.into())?;
        let outcome = self.take(&preset.name)?;
        self.done(format!("made {}", preset.name), made, None);
        Ok(outcome)
    }

    fn duplicate(&mut self, of: &str, name: &str) -> Result<Outcome, BenchError> {
        let is_at_work = *of == self.editor.stored().name;
        let (from, text) = if is_at_work {
            (Arc::clone(self.editor.preset()), self.editor.text())
        } else {
            match self.drafts.get(of) {
                Some(draft) => (Arc::clone(draft.preset()), draft.text()),
                None => (self.library.get(of)?, self.library.text_of(of)),
            }
        };
        let copy = Preset { name: name.trim().to_owned(), ..(*from).clone() };
        copy.check()?;
        let made = self.library.add(&copy, rewritten(&text, &copy).into())?;
        if is_at_work {
            // The same picture: nothing begins anew.
            self.take(&copy.name)?;
        }
        self.done(format!("copied {of} as {}", copy.name), made, None);
        Ok(if is_at_work { Outcome::Edited } else { Outcome::Nothing })
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<Outcome, BenchError> {
        if from == to {
            return Ok(Outcome::Nothing);
        }
        let made = self.library.rename(from, to)?;
        self.follow_name(from, to);
        let names = Some((from.to_owned(), to.to_owned()));
        let words = format!("renamed {from} to {to}");
        let outcome = self.done(words, made, names);
        self.note_stored(to);
        Ok(outcome)
    }

    fn done(
        &mut self,
        words: String,
        (wish, file): (WishId, FileAct),
        renamed: Option<(String, String)>,
    ) -> Outcome {
        if self.acts.len() == MAX_ACTS {
            self.acts.remove(0);
        }
        self.acts_done += 1;
        let id = self.acts_done;
        self.acts.push(Act { id, words, file, renamed });
        self.undone.push(Undone { wish, job: None, then: Then::Done(id) });
        self.acts_undone.clear();
        self.last_was_act = true;
        Outcome::Nothing
    }
}

#[cfg(test)]
mod tests;
