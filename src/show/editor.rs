//! The preset at work while an operator changes it: undo, redo, two sides to compare, and what a surface shows of it.
//!
//! Pure: time is an argument, files are the library's.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::edit::{EditError, PresetEdit, unknown_param, value_gesture};
use super::snapshot::{GroupView, ParamView, PresetView};
use crate::pattern::Preset;
use crate::pattern::board::{Dial, DrawingAt, Group, Owner};
use crate::pattern::catalog::{self, ParamSpec};
use crate::pattern::modulation::Modulation;
use crate::pattern::preset::rewrite::rewritten;
use crate::time::HostTime;

/// Changes of one value within this time of each other are one gesture: one step to undo.
const GESTURE: Duration = Duration::from_millis(600);
/// Most steps that can be taken back.
const MAX_UNDO: usize = 200;

/// One of the two sides that are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// The first.
    #[default]
    A,
    /// The second.
    B,
}

/// The change last made, if the next may join it.
#[derive(Debug)]
struct Gesture {
    of: String,
    at: HostTime,
}

/// All that a step takes back.
#[derive(Clone, Debug)]
struct State {
    preset: Arc<Preset>,
    side: Side,
    /// The preset on the other side.
    other: Arc<Preset>,
}

/// A preset under edit.
#[derive(Debug)]
pub struct PresetEditor {
    stored: Arc<Preset>,
    state: State,
    /// The text last read or written: its comments and order are kept.
    source: Arc<str>,
    undo: Vec<State>,
    redo: Vec<State>,
    gesture: Option<Gesture>,
}

impl PresetEditor {
    /// An editor of `preset` as it is stored.
    #[must_use]
    pub fn new(preset: Arc<Preset>) -> Self {
        let other = Arc::clone(&preset);
        let state = State { preset: Arc::clone(&preset), side: Side::A, other };
        let (undo, redo) = (Vec::new(), Vec::new());
        Self { stored: preset, state, source: "".into(), undo, redo, gesture: None }
    }

    /// With the text that the preset was read from.
    #[must_use]
    pub fn read_from(self, text: Arc<str>) -> Self {
        Self { source: text, ..self }
    }

    /// The preset as edited.
    #[must_use]
    pub fn preset(&self) -> &Arc<Preset> {
        &self.state.preset
    }

    /// Takes another preset, as it is stored. The steps of the last one are forgotten.
    pub fn select(&mut self, preset: Arc<Preset>) {
        *self = Self::new(preset);
    }

    /// Takes what is stored now, because its file changed, as a step that can be taken back.
    pub fn reload(&mut self, preset: Arc<Preset>, text: Arc<str>) {
        self.remember();
        self.state.preset = Arc::clone(&preset);
        self.stored = preset;
        self.source = text;
    }

    /// Goes back to what is stored, as a step that can be taken back.
    pub fn revert(&mut self) -> bool {
        let is_changed = self.changed();
        if is_changed {
            self.remember();
            self.state.preset = Arc::clone(&self.stored);
        }
        is_changed
    }

    /// The preset as it is stored.
    #[must_use]
    pub fn stored(&self) -> &Arc<Preset> {
        &self.stored
    }

    /// Sets a parameter of the first drawing, clamped to its range, and returns its place and value for the instrument.
    ///
    /// # Errors
    /// [`EditError::UnknownParam`].
    pub fn set_param(
        &mut self,
        name: &str,
        value: f32,
        now: HostTime,
    ) -> Result<(usize, f32), EditError> {
        let owner = Owner::Drawing(DrawingAt::First);
        let specs = self.specs();
        let Some(index) = specs.iter().position(|spec| spec.name == name) else {
            return Err(unknown_param(&self.state.preset, owner, name));
        };
        let spec = &specs[index];
        let value = spec.clamped(value);
        let before = self.state.preset.params.get(name).copied().unwrap_or(spec.default);
        if self.begins_or_joins(&value_gesture(owner, name), value != before, now) {
            Arc::make_mut(&mut self.state.preset).params.insert(name.to_owned(), value);
        }
        Ok((index, value))
    }

    /// Makes a change; true if there was anything to change.
    ///
    /// # Errors
    /// What is named is not there, does not fit, or the preset would be wrong: nothing changes.
    pub fn edit(&mut self, edit: &PresetEdit, now: HostTime) -> Result<bool, EditError> {
        let edited = edit.applied_to(&self.state.preset)?;
        let is_changed = edited != *self.state.preset;
        match edit.gesture() {
            Some(of) => {
                self.begins_or_joins(&of, is_changed, now);
            }
            None if is_changed => self.remember(),
            None => {}
        }
        if is_changed {
            self.state.preset = Arc::new(edited);
        }
        if let PresetEdit::Text(text) = edit {
            self.source = text.as_str().into();
        }
        Ok(is_changed)
    }

    /// Notes a change that may be a part of the last gesture; true if there is one to make.
    fn begins_or_joins(&mut self, of: &str, is_changed: bool, now: HostTime) -> bool {
        let joins = self.gesture.as_ref().is_some_and(|last| {
            last.of == of && now.since(last.at) <= GESTURE && last.at.since(now).is_zero()
        });
        if is_changed && !joins {
            self.remember();
        }
        if is_changed || joins {
            self.gesture = Some(Gesture { of: of.to_owned(), at: now });
        }
        is_changed
    }

    /// Gives the preset another name, as a step that can be taken back.
    ///
    /// # Errors
    /// The name is empty, too long or holds control characters.
    pub fn rename(&mut self, name: &str) -> Result<(), EditError> {
        let renamed = Preset { name: name.trim().to_owned(), ..(*self.state.preset).clone() };
        renamed.check()?;
        if renamed.name != self.state.preset.name {
            self.remember();
            self.state.preset = Arc::new(renamed);
        }
        Ok(())
    }

    /// Follows a new name that its file was given: in every step, so that none brings the old one back.
    pub fn was_renamed(&mut self, name: &str) {
        let rename = |preset: &mut Arc<Preset>| name.clone_into(&mut Arc::make_mut(preset).name);
        rename(&mut self.stored);
        for state in self.undo.iter_mut().chain(&mut self.redo).chain([&mut self.state]) {
            rename(&mut state.preset);
            rename(&mut state.other);
        }
    }

    /// Shows the other side, as a step that can be taken back.
    pub fn compare(&mut self) {
        self.remember();
        let state = &mut self.state;
        std::mem::swap(&mut state.preset, &mut state.other);
        state.side = match state.side {
            Side::A => Side::B,
            Side::B => Side::A,
        };
    }

    /// Makes the other side the same as this one, as a step that can be taken back.
    pub fn copy_to_other_side(&mut self) {
        if self.state.other != self.state.preset {
            self.remember();
            self.state.other = Arc::clone(&self.state.preset);
        }
    }

    /// Takes back the last step; false if there is none.
    pub fn undo(&mut self) -> bool {
        self.gesture = None;
        let Some(before) = self.undo.pop() else { return false };
        self.redo.push(std::mem::replace(&mut self.state, before));
        true
    }

    /// Makes the step again that was taken back; false if there is none.
    pub fn redo(&mut self) -> bool {
        self.gesture = None;
        let Some(after) = self.redo.pop() else { return false };
        self.undo.push(std::mem::replace(&mut self.state, after));
        true
    }

    /// What is done next is a step of its own.
    pub fn ends_gesture(&mut self) {
        self.gesture = None;
    }

    /// Notes that this is what is stored now. The preset may have been changed since that was wished for.
    pub fn was_saved(&mut self, stored: Arc<Preset>) {
        self.source = self.text();
        self.stored = stored;
    }

    /// True if the preset differs from what is stored.
    #[must_use]
    pub fn changed(&self) -> bool {
        with_all_values(&self.state.preset) != with_all_values(&self.stored)
    }

    /// True if there is a step to take back or to make again.
    #[must_use]
    pub fn has_steps(&self) -> bool {
        !(self.undo.is_empty() && self.redo.is_empty())
    }

    /// The preset as TOML, in the words and order of the text it was read from.
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        rewritten(&self.source, &self.state.preset).into()
    }

    /// What a surface shows.
    #[must_use]
    pub fn view(&self) -> PresetView {
        let preset = &self.state.preset;
        let view = |Group { owner, dials }: Group| {
            let rows = preset.rows(owner).unwrap_or_default();
            GroupView { owner, params: dials.iter().map(|dial| param_view(dial, rows)).collect() }
        };
        let mut groups = preset.board().into_iter().map(view);
        PresetView {
            name: preset.name.clone(),
            generator: preset.generator.clone(),
            params: groups.next().map(|group| group.params).unwrap_or_default(),
            groups: groups.collect(),
            preset: Some(Arc::clone(preset)),
            text: self.text(),
            stored_name: self.stored.name.clone(),
            side: self.state.side,
            sides_differ: self.state.other != self.state.preset,
            changed: self.changed(),
            saving: false,
            can_undo: !self.undo.is_empty(),
            can_redo: !self.redo.is_empty(),
            coarser: None,
        }
    }

    fn specs(&self) -> Cow<'static, [ParamSpec]> {
        let generator = catalog::find(&self.state.preset.generator);
        generator.map_or(Cow::Borrowed(&[]), |generator| self.state.preset.specs(generator))
    }

    fn remember(&mut self) {
        if self.undo.len() == MAX_UNDO {
            self.undo.remove(0);
        }
        self.undo.push(self.state.clone());
        self.redo.clear();
        self.gesture = None;
    }
}

/// The preset with every default written out, so that a default set by hand is no difference.
fn with_all_values(preset: &Preset) -> Preset {
    let mut full = preset.clone();
    for group in preset.board() {
        for dial in group.dials.iter().filter(|dial| dial.is_set) {
            full.set_dial(group.owner, &dial.spec.name, dial.value);
        }
    }
    full
}

fn param_view(dial: &Dial, rows: &[Modulation]) -> ParamView {
    let spec = &dial.spec;
    let rows = || rows.iter().filter(|row| row.param == spec.name);
    let reach = rows().map(Modulation::reach).reduce(|a, b| (a.0 + b.0, a.1 + b.1));
    let reach = reach
        .map(|(down, up)| [down, up].map(|share| spec.clamped(dial.value + share * dial.span)));
    ParamView {
        name: spec.name.to_string(),
        unit: spec.unit.to_string(),
        help: spec.help.to_string(),
        min: spec.min,
        max: spec.max,
        default: spec.default,
        value: dial.value,
        moved_by: rows().map(Modulation::label).collect::<Vec<_>>().join(", "),
        reach,
        is_movable: dial.span > 0.0,
        is_set: dial.is_set,
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
        editor.was_saved(Arc::clone(editor.preset()));
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
        editor.reload(Arc::new(stored), "".into());
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
    fn the_view_says_how_far_the_music_can_move_a_parameter() {
        let view = editor().view();
        // bass up by 0.3 of the range of 0.85, an oscillator by 0.1 of it both ways.
        let [low, high] = view.params[0].reach.unwrap();
        assert!((low - (0.5 - 0.085)).abs() < 1e-5 && (high - (0.5 + 0.34)).abs() < 1e-5);
        assert_eq!(view.params[1].reach, None);
        assert_eq!(view.groups.len(), 2, "colours and look");
    }

    #[test]
    fn an_edit_is_a_step_and_a_dragged_one_is_one_step() {
        let mut editor = editor();
        let row = |depth: f32| PresetEdit::SetRow {
            owner: Owner::Drawing(DrawingAt::First),
            index: 0,
            row: Modulation { depth, ..editor_row() },
        };
        for step in 0_i16..20 {
            assert_eq!(
                editor.edit(&row(f32::from(step) * 0.01), ms(i64::from(step) * 16)),
                Ok(true)
            );
        }
        let add = PresetEdit::AddEffect { drawing: DrawingAt::First, effect: "twist".into() };
        assert_eq!(editor.edit(&add, ms(400)), Ok(true));
        assert!(editor.undo() && editor.preset().effects.is_empty());
        assert!(editor.undo() && editor.preset().modulate[0].depth == 0.3);
        assert!(!editor.undo() && !editor.changed());
        let wrong = PresetEdit::AddEffect { drawing: DrawingAt::First, effect: "twits".into() };
        assert!(editor.edit(&wrong, ms(900)).is_err() && !editor.changed());
        assert!(editor.redo(), "a refused edit takes nothing from what can be made again");
    }

    fn editor_row() -> Modulation {
        editor().preset().modulate[0].clone()
    }

    #[test]
    fn two_sides_are_compared_and_every_change_of_side_can_be_taken_back() {
        let mut editor = editor();
        editor.set_param("radius", 0.9, ms(0)).unwrap();
        assert!(editor.view().sides_differ, "the other side is as it was stored");
        editor.compare();
        assert!(radius(&editor) == 0.5 && editor.view().side == Side::B);
        editor.set_param("radius", 0.3, ms(10)).unwrap();
        editor.compare();
        assert!(radius(&editor) == 0.9 && editor.view().side == Side::A);
        editor.copy_to_other_side();
        editor.compare();
        assert!(radius(&editor) == 0.9 && !editor.view().sides_differ);
        let mut radii = vec![];
        while editor.undo() {
            radii.push(radius(&editor));
        }
        assert_eq!(radii, [0.9, 0.9, 0.3, 0.5, 0.9, 0.5]);
        assert_eq!(editor.view().side, Side::A);
    }

    #[test]
    fn the_text_follows_the_controls_and_keeps_its_words() {
        let mut editor = editor();
        let typed = "version = 1\n# my ring\nname = \"Test\"\ngenerator = \"circle\"\n\n\
                     [params]\nradius = 0.5 # wide\n";
        assert_eq!(editor.edit(&PresetEdit::Text(typed.into()), ms(0)), Ok(true));
        assert_eq!(&*editor.view().text, typed);
        editor.set_param("radius", 0.75, ms(5_000)).unwrap();
        assert_eq!(*editor.view().text, typed.replace("0.5", "0.75"));
        let slip = PresetEdit::Text(typed.replace("radius", "raduis"));
        let error = editor.edit(&slip, ms(9_000)).unwrap_err().to_string();
        assert!(error.starts_with("line 7, column 10: "), "{error}");
        assert_eq!(radius(&editor), 0.75, "the last good one plays on");
        assert!(editor.undo() && editor.undo() && !editor.undo());
        assert_eq!(editor.preset().modulate.len(), 2);
    }

    #[test]
    fn a_revert_is_a_step_too() {
        let mut editor = editor();
        assert!(!editor.revert());
        editor.set_param("radius", 0.7, ms(0)).unwrap();
        assert!(editor.revert() && !editor.changed());
        assert!(editor.undo() && radius(&editor) == 0.7);
    }

    #[test]
    fn a_new_name_of_the_file_is_in_every_step() {
        let mut editor = editor();
        editor.set_param("radius", 0.7, ms(0)).unwrap();
        editor.was_renamed("Other");
        assert!(editor.undo() && editor.preset().name == "Other" && !editor.changed());
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
