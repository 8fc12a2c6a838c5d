//! The preset at work while an operator changes it: undo, redo, and what a surface shows of it.
//!
//! Pure: time is an argument, files are the library's.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::pattern::catalog::{self, ParamSpec};
use crate::pattern::modulation::Modulation;
use crate::pattern::{Preset, PresetError};
use crate::show::snapshot::{ParamView, PresetView};
use crate::time::HostTime;

/// Changes of one parameter within this time of each other are one gesture: one step to undo.
const GESTURE: Duration = Duration::from_millis(600);
/// Most steps that can be taken back.
const MAX_UNDO: usize = 200;

/// Why an edit was refused; the preset is as it was.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum EditError {
    /// The generator at work has no such parameter.
    #[error("`{generator}` has no parameter `{name}`; it has {known}")]
    UnknownParam {
        /// The name asked for.
        name: String,
        /// The generator at work.
        generator: String,
        /// What there is.
        known: String,
    },
    /// The preset would be wrong.
    #[error(transparent)]
    Invalid(#[from] PresetError),
}

/// The change last made, if the next may join it.
#[derive(Debug)]
struct Gesture {
    param: String,
    at: HostTime,
}

/// A preset under edit.
#[derive(Debug)]
pub struct PresetEditor {
    stored: Arc<Preset>,
    current: Arc<Preset>,
    undo: Vec<Arc<Preset>>,
    redo: Vec<Arc<Preset>>,
    gesture: Option<Gesture>,
}

impl PresetEditor {
    /// An editor of `preset` as it is stored.
    #[must_use]
    pub fn new(preset: Arc<Preset>) -> Self {
        let current = Arc::clone(&preset);
        Self { stored: preset, current, undo: Vec::new(), redo: Vec::new(), gesture: None }
    }

    /// The preset as edited.
    #[must_use]
    pub fn preset(&self) -> &Arc<Preset> {
        &self.current
    }

    /// Takes another preset, as it is stored. The steps of the last one are forgotten.
    pub fn select(&mut self, preset: Arc<Preset>) {
        *self = Self::new(preset);
    }

    /// Takes what is stored now, because its file changed, as a step that can be taken back.
    pub fn reload(&mut self, preset: Arc<Preset>) {
        self.remember();
        self.current = Arc::clone(&preset);
        self.stored = preset;
    }

    /// The preset as it is stored.
    #[must_use]
    pub fn stored(&self) -> &Arc<Preset> {
        &self.stored
    }

    /// Sets a parameter, clamped to its range, and returns its place and value for the instrument.
    ///
    /// # Errors
    /// [`EditError::UnknownParam`].
    pub fn set_param(
        &mut self,
        name: &str,
        value: f32,
        now: HostTime,
    ) -> Result<(usize, f32), EditError> {
        let specs = self.specs();
        let Some(index) = specs.iter().position(|spec| spec.name == name) else {
            return Err(EditError::UnknownParam {
                name: name.to_owned(),
                generator: self.current.generator.clone(),
                known: specs.iter().map(|spec| &*spec.name).collect::<Vec<_>>().join(", "),
            });
        };
        let spec = &specs[index];
        let value = spec.clamped(value);
        let joins = self.gesture.as_ref().is_some_and(|last| {
            last.param == name && now.since(last.at) <= GESTURE && last.at.since(now).is_zero()
        });
        let before = self.current.params.get(name).copied().unwrap_or(spec.default);
        if value != before {
            if !joins {
                self.remember();
            }
            Arc::make_mut(&mut self.current).params.insert(name.to_owned(), value);
        }
        if value != before || joins {
            self.gesture = Some(Gesture { param: name.to_owned(), at: now });
        }
        Ok((index, value))
    }

    /// Gives the preset another name, as a step that can be taken back.
    ///
    /// # Errors
    /// The name is empty, too long or holds control characters.
    pub fn rename(&mut self, name: &str) -> Result<(), EditError> {
        let renamed = Preset { name: name.trim().to_owned(), ..(*self.current).clone() };
        renamed.check()?;
        if renamed.name != self.current.name {
            self.remember();
            self.current = Arc::new(renamed);
        }
        Ok(())
    }

    /// Takes back the last step; false if there is none.
    pub fn undo(&mut self) -> bool {
        self.gesture = None;
        let Some(before) = self.undo.pop() else { return false };
        self.redo.push(std::mem::replace(&mut self.current, before));
        true
    }

    /// Makes the step again that was taken back; false if there is none.
    pub fn redo(&mut self) -> bool {
        self.gesture = None;
        let Some(after) = self.redo.pop() else { return false };
        self.undo.push(std::mem::replace(&mut self.current, after));
        true
    }

    /// Notes that the preset was saved as it is now.
    pub fn saved(&mut self) {
        self.stored = Arc::clone(&self.current);
        self.gesture = None;
    }

    /// True if the preset differs from what is stored.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.with_all_values(&self.current) != self.with_all_values(&self.stored)
    }

    /// What a surface shows.
    #[must_use]
    pub fn view(&self) -> PresetView {
        let params = self.specs().iter().map(|spec| self.param_view(spec)).collect();
        PresetView {
            name: self.current.name.clone(),
            generator: self.current.generator.clone(),
            params,
            changed: self.changed(),
            can_undo: !self.undo.is_empty(),
            can_redo: !self.redo.is_empty(),
        }
    }

    fn param_view(&self, spec: &ParamSpec) -> ParamView {
        let rows = self.current.modulate.iter().filter(|row| row.param == spec.name);
        ParamView {
            name: spec.name.to_string(),
            unit: spec.unit.to_string(),
            help: spec.help.to_string(),
            min: spec.min,
            max: spec.max,
            default: spec.default,
            value: self.current.params.get(&*spec.name).copied().unwrap_or(spec.default),
            moved_by: rows.map(Modulation::label).collect::<Vec<_>>().join(", "),
        }
    }

    fn specs(&self) -> Cow<'static, [ParamSpec]> {
        let generator = catalog::find(&self.current.generator);
        generator.map_or(Cow::Borrowed(&[]), |generator| self.current.specs(generator))
    }

    /// The preset with every default written out, so that a default set by hand is no difference.
    fn with_all_values(&self, preset: &Preset) -> Preset {
        let mut full = preset.clone();
        for spec in self.specs().iter() {
            full.params.entry(spec.name.to_string()).or_insert(spec.default);
        }
        full
    }

    fn remember(&mut self) {
        if self.undo.len() == MAX_UNDO {
            self.undo.remove(0);
        }
        self.undo.push(Arc::clone(&self.current));
        self.redo.clear();
        self.gesture = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn editor() -> PresetEditor {
        let text = "version = 1\nname = \"Test\"\ngenerator = \"circle\"\n[params]\nradius = 0.5\n\
                    [[modulate]]\nparam = \"radius\"\nsource = \"bass\"\ndepth = 0.3\n\
                    [[modulate]]\nparam = \"radius\"\nsource = \"lfo\"\nevery_beats = 4\ndepth = -0.1\n";
        PresetEditor::new(Arc::new(Preset::parse(text).unwrap()))
    }

    fn ms(ms: i64) -> HostTime {
        HostTime::from_nanos(ms * 1_000_000)
    }

    fn radius(editor: &PresetEditor) -> f32 {
        editor.view().params.iter().find(|param| param.name == "radius").unwrap().value
    }

    #[test]
    fn a_value_is_clamped_to_its_range() {
        let mut editor = editor();
        assert_eq!(editor.set_param("radius", 7.0, ms(0)), Ok((0, 0.95)));
        assert_eq!(editor.set_param("radius", f32::NEG_INFINITY, ms(0)), Ok((0, 0.1)));
        assert_eq!(editor.set_param("radius", f32::NAN, ms(0)), Ok((0, 0.6)));
    }

    #[test]
    fn an_unknown_parameter_is_refused_and_nothing_changes() {
        let mut editor = editor();
        let error = editor.set_param("colour", 1.0, ms(0)).unwrap_err().to_string();
        assert!(error.contains("radius"), "{error}");
        assert!(!editor.changed() && !editor.view().can_undo);
    }

    #[test]
    fn one_gesture_is_one_step_however_many_values_it_has() {
        let mut editor = editor();
        for step in 0_i16..100 {
            editor
                .set_param("radius", 0.5 + f32::from(step) * 0.004, ms(i64::from(step) * 16))
                .unwrap();
        }
        assert!(editor.undo());
        assert_eq!(radius(&editor), 0.5);
        assert!(!editor.undo());
        assert!(editor.redo());
        assert!((radius(&editor) - 0.896).abs() < 1e-6);
    }

    #[test]
    fn a_pause_or_another_parameter_begins_a_new_step() {
        let mut editor = editor();
        editor.set_param("radius", 0.6, ms(0)).unwrap();
        editor.set_param("radius", 0.7, ms(2_000)).unwrap();
        editor.set_param("wobble", 0.3, ms(2_010)).unwrap();
        editor.set_param("radius", 0.8, ms(2_020)).unwrap();
        let mut steps = Vec::new();
        while editor.undo() {
            steps.push(radius(&editor));
        }
        assert_eq!(steps, [0.7, 0.7, 0.6, 0.5]);
    }

    #[test]
    fn a_new_change_after_undo_forgets_what_was_taken_back() {
        let mut editor = editor();
        editor.set_param("radius", 0.6, ms(0)).unwrap();
        assert!(editor.undo());
        editor.set_param("radius", 0.7, ms(10)).unwrap();
        assert!(!editor.view().can_redo && !editor.redo());
        assert!(editor.undo());
        assert_eq!(radius(&editor), 0.5);
    }

    #[test]
    fn changed_means_different_from_what_is_stored() {
        let mut editor = editor();
        assert!(!editor.changed());
        editor.set_param("wobble", 0.4, ms(0)).unwrap();
        assert!(editor.changed() && editor.view().changed);
        editor.set_param("wobble", 0.12, ms(5_000)).unwrap();
        assert!(!editor.changed(), "the default set by hand is no difference");
        editor.set_param("wobble", 0.4, ms(9_000)).unwrap();
        editor.saved();
        assert!(!editor.changed());
        assert!(editor.undo() && editor.changed());
    }

    #[test]
    fn setting_the_same_value_is_no_step() {
        let mut editor = editor();
        editor.set_param("radius", 0.5, ms(0)).unwrap();
        assert!(!editor.view().can_undo);
    }

    #[test]
    fn a_rename_is_a_step_and_a_bad_name_is_refused() {
        let mut editor = editor();
        editor.rename("  Other ").unwrap();
        assert_eq!(editor.view().name, "Other");
        assert!(editor.rename("").is_err());
        assert!(editor.rename("two\nlines").is_err());
        assert!(editor.undo());
        assert_eq!(editor.view().name, "Test");
    }

    #[test]
    fn selecting_forgets_the_steps_of_the_last_preset() {
        let mut editor = editor();
        editor.set_param("radius", 0.6, ms(0)).unwrap();
        let other = Preset::plain("Other", catalog::find("knot").unwrap());
        editor.select(Arc::new(other));
        let view = editor.view();
        assert_eq!((view.name.as_str(), view.generator.as_str()), ("Other", "knot"));
        assert!(!view.changed && !view.can_undo && !view.can_redo);
    }

    #[test]
    fn a_changed_file_is_taken_and_the_edits_come_back_with_undo() {
        let mut editor = editor();
        editor.set_param("radius", 0.6, ms(0)).unwrap();
        let mut stored = (**editor.stored()).clone();
        stored.params.insert("radius".to_owned(), 0.9);
        editor.reload(Arc::new(stored));
        assert!(radius(&editor) == 0.9 && !editor.changed());
        assert!(editor.undo() && radius(&editor) == 0.6 && editor.changed());
    }

    #[test]
    fn the_view_says_what_moves_a_parameter() {
        let view = editor().view();
        assert_eq!(view.params[0].moved_by, "bass +0.30, lfo 4 beats -0.10");
        assert_eq!(view.params[1].moved_by, "");
        assert_eq!(
            (view.params[0].min, view.params[0].max, view.params[0].value),
            (0.1, 0.95, 0.5)
        );
    }

    #[test]
    fn steps_are_bounded() {
        let mut editor = editor();
        for step in 0..(MAX_UNDO as i64 + 50) {
            let value = if step % 2 == 0 { 0.6 } else { 0.7 };
            editor.set_param("radius", value, ms(step * 10_000)).unwrap();
        }
        let mut steps = 0;
        while editor.undo() {
            steps += 1;
        }
        assert_eq!(steps, MAX_UNDO);
    }
}
