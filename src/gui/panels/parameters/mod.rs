//! The preset at work: every value with what moves it, its parts, two sides to compare, chance, and saving. All acts
//! while it is moved.

mod control;
mod parts;
mod rows;

use std::collections::BTreeSet;

use egui::{
    Align, Button, CollapsingHeader, DragValue, Frame, Key, Label, Layout, Panel, RichText,
    ScrollArea, TextEdit, Ui, Vec2,
};

use self::control::{Done, Hand, control};
use crate::gui::theme;
use crate::gui::widgets::{Icon, icon_button};
use crate::pattern::board::DrawingAt;
use crate::pattern::{Owner, Preset};
use crate::show::snapshot::{ParamView, PresetView};
use crate::show::{Command, PresetEdit, Side, Snapshot};

/// How far Randomise goes at first, percent.
const FIRST_CHANCE: f32 = 20.0;

/// The sliders, what is open of them, and the name of a preset to be.
#[derive(Debug)]
pub(in crate::gui) struct ParametersPanel {
    naming: Option<Naming>,
    hand: Hand,
    /// The values whose movers are shown, as they are called.
    open: BTreeSet<String>,
    /// How far Randomise goes, percent.
    chance: f32,
    /// The seed of the next chance.
    seed: u64,
}

impl Default for ParametersPanel {
    fn default() -> Self {
        let (hand, open) = (Hand::default(), BTreeSet::new());
        Self { naming: None, hand, open, chance: FIRST_CHANCE, seed: 1 }
    }
}

#[derive(Debug)]
struct Naming {
    name: String,
    fresh: bool,
}

impl ParametersPanel {
    /// Asks for the name of a new preset.
    pub(in crate::gui) fn ask_name(&mut self, present: &str) {
        self.naming = Some(Naming { name: present.to_owned(), fresh: true });
    }

    /// Leaves the question for a name.
    pub(in crate::gui) fn leave_question(&mut self) {
        self.naming = None;
    }

    /// Shows it.
    pub(in crate::gui) fn show(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        let preset = &seen.preset;
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let redo = icon_button(ui, Icon::Redo, "Redo", preset.can_redo, 28.0);
                if redo.on_hover_text("Makes the change again (Ctrl-Shift-Z)").clicked() {
                    wishes.push(Command::Redo);
                }
                let undo = icon_button(ui, Icon::Undo, "Undo", preset.can_undo, 28.0);
                if undo.on_hover_text("Takes back the last change (Ctrl-Z)").clicked() {
                    wishes.push(Command::Undo);
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| name_line(ui, preset));
            });
        });
        self.tools(ui, preset, wishes);
        // Saving sits at the foot; the sliders take what room is left.
        Panel::bottom("saving")
            .resizable(false)
            .show_separator_line(false)
            .frame(Frame::NONE)
            .show(ui, |ui| self.saving(ui, preset, wishes));
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            // The scroll bar takes what lies under it.
            ui.set_max_width(ui.available_width() - 10.0);
            self.groups(ui, seen, wishes);
        });
    }

    /// Compare, and chance.
    fn tools(&mut self, ui: &mut Ui, preset: &PresetView, wishes: &mut Vec<Command>) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = theme::GRID;
            ui.spacing_mut().interact_size.y = 24.0;
            ui.spacing_mut().button_padding = Vec2::new(8.0, 2.0);
            for (side, word) in [(Side::A, "A"), (Side::B, "B")] {
                let shown = preset.side == side;
                let button = Button::selectable(shown, word).min_size(Vec2::new(26.0, 24.0));
                let button = ui.add(button).accessible_name(format!("Side {word}"));
                let help = "Two sides to compare: the other is the preset as it is stored, until you copy or change it";
                if button.on_hover_text(help).clicked() && !shown {
                    wishes.push(Command::Compare);
                }
            }
            let copy = ui.add_enabled(preset.sides_differ, Button::new("Copy"));
            let copy = copy.accessible_name("Copy to the other side");
            let help = "Makes the other side the same as this one";
            if copy.on_hover_text(help).on_disabled_hover_text("Both sides are the same").clicked() {
                wishes.push(Command::CopyToOtherSide);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let chance = DragValue::new(&mut self.chance)
                    .range(1.0..=100.0)
                    .speed(0.5)
                    .max_decimals(0)
                    .suffix(" %");
                ui.add(chance)
                    .accessible_name("How far Randomise goes")
                    .on_hover_text("How far Randomise goes, as a share of every range");
                let dice = ui.button("Randomise");
                let help = "Moves every value of drawings and effects by chance, within its range; one step to undo";
                if dice.on_hover_text(help).clicked() {
                    let edit = PresetEdit::Randomise { amount: self.chance / 100.0, seed: self.seed };
                    self.seed += 1;
                    wishes.push(Command::EditPreset(edit));
                }
            });
        });
        ui.add_space(theme::GRID);
    }

    /// Every part of the preset, with its numbers.
    fn groups(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        let view = &seen.preset;
        let first = Owner::Drawing(DrawingAt::First);
        let groups = view.groups.iter().map(|group| (group.owner, &group.params));
        let mut place = 0;
        for (owner, params) in std::iter::once((first, &view.params)).chain(groups) {
            let now = seen.moved_values.get(place..place + params.len()).unwrap_or_default();
            place += params.len();
            let Some(preset) = &view.preset else {
                self.params(ui, (owner, None), params, now, wishes);
                continue;
            };
            let title = parts::title(preset, owner);
            // What is worked with most is open at first.
            let is_open = owner == first || preset.effects.len() + preset.layers.len() < 3;
            let heading = RichText::new(&title).size(theme::SMALL).color(theme::TEXT_QUIET);
            CollapsingHeader::new(heading).id_salt(&title).default_open(is_open).show_unindented(
                ui,
                |ui| {
                    let mut edits = Vec::new();
                    parts::above(ui, preset, owner, &mut edits);
                    self.params(ui, (owner, Some(preset)), params, now, wishes);
                    wishes.extend(edits.drain(..).map(Command::EditPreset));
                },
            );
            let mut edits = Vec::new();
            parts::below(ui, preset, owner, &mut edits);
            wishes.extend(edits.into_iter().map(Command::EditPreset));
        }
    }

    fn params(
        &mut self,
        ui: &mut Ui,
        (owner, preset): (Owner, Option<&Preset>),
        params: &[ParamView],
        now: &[f32],
        wishes: &mut Vec<Command>,
    ) {
        for (place, param) in params.iter().enumerate() {
            let title = called(preset, owner, &param.name);
            let now = now.get(place).copied();
            let Done { value, asked_for_rows } =
                ui.scope(|ui| control(ui, (owner, &title), param, now, &mut self.hand)).inner;
            let name = param.name.clone();
            wishes.extend(value.map(|value| match owner {
                Owner::Drawing(DrawingAt::First) => Command::SetParam { name, value },
                _ => Command::EditPreset(PresetEdit::Value { owner, name, value }),
            }));
            if asked_for_rows && !self.open.remove(&title) {
                self.open.insert(title.clone());
            }
            let Some(preset) = preset.filter(|_| self.open.contains(&title)) else { continue };
            let mut edits = Vec::new();
            let all = preset.rows(owner).unwrap_or_default();
            rows::rows(ui, (owner, &param.name, &title), all, &mut edits);
            wishes.extend(edits.into_iter().map(Command::EditPreset));
        }
    }

    fn saving(&mut self, ui: &mut Ui, preset: &PresetView, wishes: &mut Vec<Command>) {
        ui.add_space(theme::GRID);
        if let Some(naming) = &mut self.naming {
            let (name, done) = name_question(ui, naming);
            if let Some(name) = name {
                wishes.push(Command::SavePresetAs(name));
            }
            if done {
                self.naming = None;
            }
            return;
        }
        ui.columns(3, |columns| {
            let size = Vec2::new(columns[0].available_width(), 32.0);
            let word = if preset.saving { "Saving…" } else { "Save" };
            let save = columns[0]
                .add_enabled_ui(preset.changed, |ui| ui.add_sized(size, Button::new(word)))
                .inner;
            let help = "Writes the preset to your folder (Ctrl-S); one that came with galvo stays as \
                        it is, your copy goes before it";
            let save = save.on_hover_text(help).on_disabled_hover_text("Nothing has changed");
            if save.clicked() {
                wishes.push(Command::SavePreset);
            }
            let save_as = columns[1].add_sized(size, Button::new("Save as…"));
            if save_as.on_hover_text("Saves under a new name (Ctrl-Shift-S)").clicked() {
                self.ask_name(&preset.name);
            }
            let revert = columns[2]
                .add_enabled_ui(preset.changed, |ui| ui.add_sized(size, Button::new("Revert")))
                .inner;
            let help = "Goes back to the preset as it is stored; one step to undo";
            let revert = revert.on_hover_text(help).on_disabled_hover_text("Nothing has changed");
            if revert.clicked() {
                wishes.push(Command::RevertPreset);
            }
        });
    }
}

/// How a value is called by assistance: alone where there is one of its name, with its part elsewhere.
fn called(preset: Option<&Preset>, owner: Owner, name: &str) -> String {
    match (owner, preset) {
        (Owner::Drawing(DrawingAt::First), _) | (_, None) => name.to_owned(),
        (_, Some(preset)) => format!("{}, {name}", parts::title(preset, owner)),
    }
}

fn name_line(ui: &mut Ui, preset: &PresetView) {
    let name = RichText::new(&preset.name).size(16.0).color(theme::TEXT);
    ui.add(Label::new(name).truncate());
    let generator = RichText::new(&preset.generator).size(theme::SMALL).color(theme::TEXT_FAINT);
    ui.add(Label::new(generator).truncate()).on_hover_text("The generator that draws it");
}

/// The question for a name: the name that was given, and whether it is over.
fn name_question(ui: &mut Ui, naming: &mut Naming) -> (Option<String>, bool) {
    ui.label(RichText::new("Save under a new name").size(theme::SMALL).color(theme::TEXT_QUIET));
    let field = TextEdit::singleline(&mut naming.name)
        .hint_text("Preset name")
        .char_limit(64)
        .desired_width(f32::INFINITY)
        .margin(egui::Margin::symmetric(8, 6));
    let field = ui.add(field).on_hover_text("The name of the new preset, in your own folder");
    if std::mem::take(&mut naming.fresh) {
        field.request_focus();
    }
    let name_is_good = !naming.name.trim().is_empty();
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let (mut saved, mut left) = (false, false);
    ui.columns(2, |columns| {
        let size = Vec2::new(columns[0].available_width(), 32.0);
        let save = Button::new("Save preset").fill(theme::ACCENT_DEEP);
        let save = columns[0].add_enabled_ui(name_is_good, |ui| ui.add_sized(size, save)).inner;
        saved = save.on_hover_text("Saves it (Enter)").clicked();
        let cancel = columns[1].add_sized(size, Button::new("Cancel"));
        left = cancel.on_hover_text("Saves nothing").clicked();
    });
    let given = ((saved || entered) && name_is_good).then(|| naming.name.trim().to_owned());
    let done = left || given.is_some();
    (given, done)
}
