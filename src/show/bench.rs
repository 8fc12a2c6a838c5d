//! The presets of a show and what an operator does with them: choosing, changing, comparing, and looking after the files.
//!
//! It answers each wish with what the light must do. Unsaved changes of a preset are kept while others play.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::command::Command;
use super::edit::EditError;
use super::editor::PresetEditor;
use super::library::{FileAct, Library, LibraryError};
use super::snapshot::{PresetEntry, PresetView};
use crate::pattern::catalog;
use crate::pattern::preset::rewrite::rewritten;
use crate::pattern::{Preset, PresetError};
use crate::time::HostTime;

/// Most presets whose unsaved changes are kept beside the one at work.
const MAX_DRAFTS: usize = 64;
/// Most acts with files that can be taken back.
const MAX_ACTS: usize = 64;

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
}

/// Something done with files, and in which words.
#[derive(Debug)]
struct Act {
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
            Command::Undo => self.undo(),
            Command::Redo => self.redo(),
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
                let file = self.library.delete(name)?;
                Ok(self.done(format!("deleted {name}"), file, None))
            }
            _ => Ok(Outcome::Nothing),
        }
    }

    /// Reads what changed on disk; `None` if nothing did. The preset at work follows its file; if that is broken now,
    /// the last good one plays on.
    pub fn reload(&mut self) -> Option<Outcome> {
        if !self.library.refresh_if_changed() {
            return None;
        }
        Some(self.follow_file())
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
        let is_stored = self.library.get(&view.stored_name).is_ok();
        PresetView {
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

    fn undo(&mut self) -> Result<Outcome, BenchError> {
        let is_act = (self.last_was_act || !self.editor.view().can_undo) && !self.acts.is_empty();
        if !is_act {
            let is_changed = self.editor.undo();
            return Ok(self.edited(is_changed));
        }
        let Some(act) = self.acts.pop() else { return Ok(Outcome::Nothing) };
        let renamed = act.renamed.clone().map(|(before, after)| (after, before));
        let outcome = self.write(&act.file.path, act.file.before.as_deref(), renamed)?;
        self.acts_undone.push(act);
        self.last_was_act = true;
        Ok(outcome)
    }

    fn redo(&mut self) -> Result<Outcome, BenchError> {
        if !self.last_was_act || self.acts_undone.is_empty() {
            let is_changed = self.editor.redo();
            return Ok(self.edited(is_changed));
        }
        let Some(act) = self.acts_undone.pop() else { return Ok(Outcome::Nothing) };
        let outcome = self.write(&act.file.path, act.file.after.as_deref(), act.renamed.clone())?;
        self.acts.push(act);
        Ok(outcome)
    }

    /// Makes a file what it was, and lets the editors follow.
    fn write(
        &mut self,
        path: &std::path::Path,
        text: Option<&str>,
        renamed: Option<(String, String)>,
    ) -> Result<Outcome, BenchError> {
        self.library.put_back(path, text)?;
        if let Some((from, to)) = renamed {
            self.follow_name(&from, &to);
        }
        Ok(self.follow_file())
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
    }

    fn save(&mut self) -> Result<Outcome, BenchError> {
        let preset = Arc::clone(self.editor.preset());
        let saved = self.library.save_text(&preset, self.editor.text())?;
        self.editor.saved();
        self.drafts.remove(&preset.name);
        Ok(Outcome::Told(format!("saved {}", saved.path.display())))
    }

    fn make(&mut self, name: &str, generator: &str) -> Result<Outcome, BenchError> {
        let first = &catalog::GENERATORS[0];
        let kind = catalog::find(generator).unwrap_or(first);
        let mut preset = Preset::plain(name.trim(), kind);
        preset = super::edit::with_generator(&preset, generator)?;
        let text = preset.to_toml()?;
        let file = self.library.add(&preset, text.into())?;
        let outcome = self.take(&preset.name)?;
        self.done(format!("made {}", preset.name), file, None);
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
        let file = self.library.add(&copy, rewritten(&text, &copy).into())?;
        if is_at_work {
            // The same picture: nothing begins anew.
            self.take(&copy.name)?;
        }
        self.done(format!("copied {of} as {}", copy.name), file, None);
        Ok(if is_at_work { Outcome::Edited } else { Outcome::Nothing })
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<Outcome, BenchError> {
        if from == to {
            return Ok(Outcome::Nothing);
        }
        let file = self.library.rename(from, to)?;
        self.follow_name(from, to);
        let names = Some((from.to_owned(), to.to_owned()));
        let words = format!("renamed {from} to {to}");
        let outcome = self.done(words, file, names);
        // The editor has the new name already: what is stored now is what it was, but for that.
        self.follow_file();
        Ok(outcome)
    }

    fn done(&mut self, words: String, file: FileAct, renamed: Option<(String, String)>) -> Outcome {
        if self.acts.len() == MAX_ACTS {
            self.acts.remove(0);
        }
        self.acts.push(Act { words, file, renamed });
        self.acts_undone.clear();
        self.last_was_act = true;
        Outcome::Nothing
    }
}

#[cfg(test)]
mod tests;
