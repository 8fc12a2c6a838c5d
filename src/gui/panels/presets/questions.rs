//! What is asked before a preset is made, copied, renamed or deleted: in the panel, over no other control.

use egui::{Button, ComboBox, Key, RichText, TextEdit, Ui, Vec2};

use crate::gui::theme;
use crate::show::snapshot::PresetEntry;
use crate::show::{Command, edit};

/// Height of the list of generators, px.
const LIST_PX: f32 = 420.0;

/// A question under way.
#[derive(Debug)]
pub(super) struct Question {
    kind: Kind,
    name: String,
    fresh: bool,
}

#[derive(Debug)]
enum Kind {
    New { generator: String },
    Duplicate { of: String },
    Rename { from: String },
    Delete { name: String },
}

/// What came of a question.
pub(super) enum Answer {
    /// It is still open.
    Open,
    /// It is over, with a wish or without.
    Over(Option<Command>),
}

impl Question {
    /// Which drawing, and which name.
    pub(super) fn new_preset(entries: &[PresetEntry]) -> Self {
        let kind = Kind::New { generator: "circle".to_owned() };
        Self { kind, name: free_name("My preset", entries), fresh: true }
    }

    /// The name of a copy.
    pub(super) fn duplicate(of: &str, entries: &[PresetEntry]) -> Self {
        let name = free_name(of, entries);
        Self { kind: Kind::Duplicate { of: of.to_owned() }, name, fresh: true }
    }

    /// A new name.
    pub(super) fn rename(from: &str) -> Self {
        Self { kind: Kind::Rename { from: from.to_owned() }, name: from.to_owned(), fresh: true }
    }

    /// Whether it may go.
    pub(super) fn delete(name: &str) -> Self {
        Self { kind: Kind::Delete { name: name.to_owned() }, name: String::new(), fresh: true }
    }

    /// Asks.
    pub(super) fn show(&mut self, ui: &mut Ui, entries: &[PresetEntry]) -> Answer {
        let (title, act, help) = match &self.kind {
            Kind::New { .. } => {
                ("New preset".to_owned(), "Create", "Makes it, saves it and takes it (Enter)")
            }
            Kind::Duplicate { of } => {
                (format!("Copy of {of}"), "Duplicate", "Saves the copy (Enter)")
            }
            Kind::Rename { from } => {
                (format!("Rename {from}"), "Rename", "Gives it the name (Enter)")
            }
            Kind::Delete { name } => {
                (format!("Delete {name}?"), "Delete", "Deletes its file; Undo brings it back")
            }
        };
        ui.label(RichText::new(title).color(theme::TEXT));
        let asks_name = !matches!(self.kind, Kind::Delete { .. });
        let mut entered = false;
        if asks_name {
            let field = TextEdit::singleline(&mut self.name)
                .hint_text("Preset name")
                .char_limit(60)
                .desired_width(f32::INFINITY)
                .margin(egui::Margin::symmetric(8, 6));
            let field = ui.add(field).on_hover_text("The name, 1 to 60 characters");
            if std::mem::take(&mut self.fresh) {
                field.request_focus();
            }
            entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        }
        if let Kind::New { generator } = &mut self.kind {
            generator_box(ui, "Drawing of the new preset", generator);
        }
        let wrong = asks_name.then(|| self.wrong_with_name(entries)).flatten();
        if let Some(wrong) = &wrong {
            ui.label(RichText::new(wrong).size(theme::SMALL).color(theme::AMBER));
        }
        let (mut acted, mut left) = (false, false);
        ui.columns(2, |columns| {
            let size = Vec2::new(columns[0].available_width(), 30.0);
            let button = Button::new(act).fill(theme::ACCENT_DEEP);
            let button =
                columns[0].add_enabled_ui(wrong.is_none(), |ui| ui.add_sized(size, button)).inner;
            acted = button.on_hover_text(help).clicked();
            let cancel = columns[1].add_sized(size, Button::new("Cancel"));
            left = cancel.on_hover_text("Changes nothing").clicked();
        });
        if left {
            return Answer::Over(None);
        }
        if !(acted || entered) || wrong.is_some() {
            return Answer::Open;
        }
        Answer::Over(Some(self.command()))
    }

    fn command(&self) -> Command {
        let name = self.name.trim().to_owned();
        match &self.kind {
            Kind::New { generator } => Command::NewPreset { name, generator: generator.clone() },
            Kind::Duplicate { of } => Command::DuplicatePreset { of: of.clone(), name },
            Kind::Rename { from } => Command::RenamePreset { from: from.clone(), to: name },
            Kind::Delete { name } => Command::DeletePreset(name.clone()),
        }
    }

    fn wrong_with_name(&self, entries: &[PresetEntry]) -> Option<String> {
        let name = self.name.trim();
        if name.is_empty() {
            return Some("A preset needs a name".to_owned());
        }
        let is_own = matches!(&self.kind, Kind::Rename { from } if from == name);
        let is_taken = entries.iter().any(|entry| entry.name == name);
        (is_taken && !is_own).then(|| "There is one of this name; choose another".to_owned())
    }
}

/// A choice among all generators, each with its line.
pub(in crate::gui) fn generator_box(ui: &mut Ui, name: &str, chosen: &mut String) -> bool {
    let before = chosen.clone();
    let width = ui.available_width();
    let shown = ComboBox::from_id_salt(name)
        .selected_text(chosen.as_str())
        .width(width)
        .height(LIST_PX)
        .show_ui(ui, |ui| {
            for (id, line) in edit::generators() {
                ui.selectable_value(chosen, id.to_owned(), id).on_hover_text(line);
            }
        });
    shown.response.accessible_name(name).on_hover_text("What is drawn");
    *chosen != before
}

/// `name`, or with the first number that is free.
fn free_name(name: &str, entries: &[PresetEntry]) -> String {
    let is_free = |name: &String| entries.iter().all(|entry| entry.name != *name);
    let numbered = (2..1_000).map(|number| format!("{name} {number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_free_is_offered() {
        let entry = |name: &str| PresetEntry { name: name.into(), ..PresetEntry::default() };
        assert_eq!(free_name("A", &[]), "A");
        assert_eq!(free_name("A", &[entry("A"), entry("A 2")]), "A 3");
    }

    #[test]
    fn a_taken_name_is_said_and_the_own_one_is_none() {
        let entries = [PresetEntry { name: "A".into(), ..PresetEntry::default() }];
        assert_eq!(Question::rename("A").wrong_with_name(&entries), None);
        let mut copy = Question::duplicate("A", &entries);
        assert_eq!(copy.wrong_with_name(&entries), None);
        copy.name = " A ".into();
        assert!(copy.wrong_with_name(&entries).is_some());
        copy.name.clear();
        assert!(copy.wrong_with_name(&entries).is_some());
    }
}
