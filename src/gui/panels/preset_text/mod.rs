//! The preset at work as text, and its formula: beside the controls and in step with them.
//!
//! What is typed plays as soon as it is right. While it is wrong its place is marked and the last good one stays on the
//! mirrors.

mod document;
mod names;

use std::collections::BTreeMap;

use egui::{Align, Button, Label, Layout, Rect, RichText, Ui, UiBuilder, Vec2, pos2};

use self::document::{Document, Flaw};
use crate::gui::theme;
use crate::gui::widgets::{Edited, TextPlace, code_editor};
use crate::pattern::board::DrawingAt;
use crate::pattern::formula::{Formula, MAX_TEXT_BYTES, Part};
use crate::pattern::preset::{FormulaScheme, MAX_PRESET_BYTES};
use crate::pattern::{Preset, PresetError};
use crate::show::{Command, PresetEdit, Snapshot};

/// Room for the names, px.
const NAMES_PX: f32 = 232.0;
/// Narrower than this, the text has all the room.
const LEAST_PX: f32 = 520.0;
/// Wrong texts of other presets that wait.
const MOST_WAITING: usize = 16;

/// Which text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Which {
    #[default]
    Preset,
    Frame,
    Point,
}

impl Which {
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Preset, "Preset", "The whole preset, as it is written to its file"),
        (Self::Frame, "Frame formula", "What the formula computes once a frame"),
        (Self::Point, "Point formula", "What the formula computes for every point"),
    ];

    const fn part(self) -> Option<Part> {
        match self {
            Self::Preset => None,
            Self::Frame => Some(Part::Frame),
            Self::Point => Some(Part::Point),
        }
    }
}

/// The texts and what is searched beside them.
#[derive(Debug)]
pub(in crate::gui) struct PresetTextPanel {
    which: Which,
    /// The preset that the texts belong to.
    of: String,
    documents: BTreeMap<Which, Document>,
    /// Wrong texts of presets that are not at work, by name.
    waiting: BTreeMap<String, BTreeMap<Which, Document>>,
    shows_names: bool,
    search: String,
}

impl Default for PresetTextPanel {
    fn default() -> Self {
        Self {
            which: Which::default(),
            of: String::new(),
            documents: BTreeMap::new(),
            waiting: BTreeMap::new(),
            shows_names: true,
            search: String::new(),
        }
    }
}

impl PresetTextPanel {
    /// Shows it.
    pub(in crate::gui) fn show(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        let Some(preset) = &seen.preset.preset else {
            ui.label(RichText::new("No preset is at work").color(theme::TEXT_FAINT));
            return;
        };
        self.follow(preset, seen);
        self.head(ui, preset);
        let which = self.which;
        let foot_px = 44.0;
        let room = ui.available_rect_before_wrap();
        let names_px = if self.shows_names && room.width() >= LEAST_PX { NAMES_PX } else { 0.0 };
        let text =
            Rect::from_min_max(room.min, pos2(room.right() - names_px, room.bottom() - foot_px));
        let document = self.documents.entry(which).or_default();
        let wrong_at = document.flaw.as_ref().and_then(|flaw| flaw.place);
        let (title, most) = match which {
            Which::Preset => ("Preset text", MAX_PRESET_BYTES),
            Which::Frame => ("Frame formula text", MAX_TEXT_BYTES),
            Which::Point => ("Point formula text", MAX_TEXT_BYTES),
        };
        let Edited { response, cursor } = ui
            .scope_builder(UiBuilder::new().max_rect(text), |ui| {
                code_editor(ui, title, &mut document.draft, most, wrong_at)
            })
            .inner;
        document.cursor = cursor.or(document.cursor);
        let mut changed = response.changed();
        if names_px > 0.0 {
            let side = Rect::from_min_max(pos2(text.right() + 10.0, room.top()), room.max);
            let sections = match which.part() {
                None => names::of_preset(preset),
                Some(part) => names::of_formula(preset, part),
            };
            let search = &mut self.search;
            let chosen = ui.scope_builder(UiBuilder::new().max_rect(side), |ui| {
                names::show(ui, search, &sections)
            });
            if let Some(word) = chosen.inner {
                document.insert(&word);
                changed = true;
            }
        }
        if changed {
            let sent = document.typed(|text| check(text, which, preset));
            wishes.extend(sent.map(|text| Command::EditPreset(edit(text, which))));
        }
        let foot = Rect::from_min_max(
            pos2(room.left(), text.bottom() + 6.0),
            pos2(text.right(), room.bottom()),
        );
        ui.scope_builder(UiBuilder::new().max_rect(foot), |ui| state(ui, document));
    }

    /// Keeps the texts in step with the show.
    fn follow(&mut self, preset: &Preset, seen: &Snapshot) {
        let is_formula = preset.formula.is_some();
        if !is_formula {
            self.which = Which::Preset;
        }
        if self.of != seen.preset.stored_name {
            let left = std::mem::take(&mut self.documents);
            if left.values().any(|document| document.flaw.is_some())
                && self.waiting.len() < MOST_WAITING
            {
                self.waiting.insert(std::mem::take(&mut self.of), left);
            }
            self.of.clone_from(&seen.preset.stored_name);
            self.documents = self.waiting.remove(&self.of).unwrap_or_default();
        }
        let formula = preset.formula.as_ref();
        for (which, ..) in Which::ALL {
            let theirs = match (which, formula) {
                (Which::Preset, _) => &*seen.preset.text,
                (Which::Frame, Some(formula)) => &formula.frame,
                (Which::Point, Some(formula)) => &formula.point,
                (_, None) => {
                    self.documents.remove(&which);
                    continue;
                }
            };
            let document = self.documents.entry(which).or_insert_with(|| {
                let mut document = Document::default();
                document.begin(theirs);
                document
            });
            document.hear(theirs);
        }
    }

    fn head(&mut self, ui: &mut Ui, preset: &Preset) {
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = 24.0;
            ui.spacing_mut().button_padding = Vec2::new(8.0, 2.0);
            for (which, word, help) in Which::ALL {
                if which != Which::Preset && preset.formula.is_none() {
                    continue;
                }
                ui.selectable_value(&mut self.which, which, word).on_hover_text(help);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.toggle_value(&mut self.shows_names, "Names")
                    .on_hover_text("The names that this text may use, beside it");
            });
        });
    }
}

/// Whether the text plays, or what is wrong with it.
fn state(ui: &mut Ui, document: &mut Document) {
    let Some(flaw) = document.flaw.clone() else {
        let text = RichText::new("In step with the controls: what you type plays at once")
            .size(theme::SMALL);
        ui.label(text.color(theme::TEXT_FAINT));
        return;
    };
    ui.with_layout(Layout::right_to_left(Align::TOP), |ui| {
        let button = Button::new(RichText::new("Discard").size(theme::SMALL));
        let help = "Forgets what is typed here and takes the preset that plays";
        if ui.add(button).on_hover_text(help).clicked() {
            document.give_up();
        }
        ui.with_layout(Layout::top_down(Align::LEFT), |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            let place = flaw.place.map_or(String::new(), |TextPlace { line, column }| {
                format!("Line {line}, column {column}: ")
            });
            let words = format!("{place}{}", flaw.message);
            let text = RichText::new(&words).size(theme::SMALL).color(theme::RED_TEXT);
            ui.add(Label::new(text).truncate()).on_hover_text(&words);
            let plays = RichText::new("The last good one stays on the mirrors").size(11.0);
            ui.label(plays.color(theme::TEXT_FAINT));
        });
    });
}

fn edit(text: String, which: Which) -> PresetEdit {
    match which.part() {
        None => PresetEdit::Text(text),
        Some(part) => PresetEdit::Formula { drawing: DrawingAt::First, part, text },
    }
}

fn check(text: &str, which: Which, preset: &Preset) -> Result<(), Flaw> {
    let Some(part) = which.part() else {
        return Preset::parse(text).map(drop).map_err(|error| match error {
            PresetError::Invalid { place, message } => {
                let place = place.map(|at| TextPlace { line: at.line, column: at.column });
                Flaw { place, message }
            }
            other => Flaw { place: None, message: other.to_string() },
        });
    };
    let Some(FormulaScheme { frame, point, params, .. }) = &preset.formula else { return Ok(()) };
    let names: Vec<&str> = params.keys().map(String::as_str).collect();
    let compiled = match part {
        Part::Frame => Formula::compile(text, point, &names),
        Part::Point => Formula::compile(frame, text, &names),
    };
    compiled.map(drop).map_err(|error| {
        if error.part == part {
            let place = Some(TextPlace { line: error.line, column: error.column });
            return Flaw { place, message: error.message };
        }
        // The other text asks for something that this one does not set any more.
        Flaw { place: None, message: error.to_string() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formula() -> Preset {
        Preset::parse(
            "version = 1\nname = \"A\"\ngenerator = \"formula\"\n[formula]\nframe = \"q = bass\"\n\
             point = \"x = q; y = i\"\n",
        )
        .unwrap()
    }

    #[test]
    fn a_mistake_has_its_place_in_the_text_that_is_edited() {
        let flaw = check("x = 1\ny = bss", Which::Point, &formula()).unwrap_err();
        assert_eq!(flaw.place, Some(TextPlace { line: 2, column: 5 }));
        assert!(flaw.message.contains("bass"), "{}", flaw.message);
        let flaw = check("r = 1", Which::Frame, &formula()).unwrap_err();
        assert!(
            flaw.place.is_none() && flaw.message.contains("`point`, line 1"),
            "{}",
            flaw.message
        );
        let flaw = check("version = 1\nname = 3\n", Which::Preset, &formula()).unwrap_err();
        assert_eq!(flaw.place.map(|place| place.line), Some(2));
        assert!(check("version = 2", Which::Preset, &formula()).unwrap_err().place.is_none());
    }

    #[test]
    fn a_wrong_text_waits_while_another_preset_is_at_work() {
        let mut panel = PresetTextPanel::default();
        let preset = formula();
        let mut seen = Snapshot::default();
        let set = |seen: &mut Snapshot, name: &str, text: &str| {
            let view = std::sync::Arc::make_mut(&mut seen.preset);
            (view.stored_name, view.text) = (name.into(), text.into());
        };
        set(&mut seen, "A", "one");
        panel.follow(&preset, &seen);
        let document = panel.documents.get_mut(&Which::Preset).unwrap();
        document.draft = "wrong(".into();
        document.typed(|_| Err(Flaw { place: None, message: String::new() }));
        set(&mut seen, "B", "two");
        panel.follow(&preset, &seen);
        assert_eq!(panel.documents[&Which::Preset].draft, "two");
        set(&mut seen, "A", "one");
        panel.follow(&preset, &seen);
        assert_eq!(panel.documents[&Which::Preset].draft, "wrong(");
    }
}
