//! The parameters of the preset at work: they act while they are moved.

use egui::{
    Align, Button, DragValue, Frame, Key, Label, Layout, Panel, RichText, ScrollArea, TextEdit, Ui,
    Vec2,
};

use crate::gui::theme;
use crate::gui::widgets::{Icon, icon_button, level_slider};
use crate::show::snapshot::{ParamView, PresetView};
use crate::show::{Command, Snapshot};

/// The sliders, and the name of a preset to be.
#[derive(Debug, Default)]
pub(in crate::gui) struct ParametersPanel {
    naming: Option<Naming>,
    /// What the drag at hand sent last: a finger that rests sends nothing.
    dragging: Option<(String, f32)>,
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
        // Saving sits at the foot; the sliders take what room is left.
        Panel::bottom("saving")
            .resizable(false)
            .show_separator_line(false)
            .frame(Frame::NONE)
            .show(ui, |ui| self.saving(ui, preset, wishes));
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            for param in &preset.params {
                self.param(ui, param, wishes);
            }
        });
    }

    fn saving(&mut self, ui: &mut Ui, preset: &PresetView, wishes: &mut Vec<Command>) {
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
        ui.columns(2, |columns| {
            let size = Vec2::new(columns[0].available_width(), 32.0);
            let save = columns[0]
                .add_enabled_ui(preset.changed, |ui| ui.add_sized(size, Button::new("Save")))
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
        });
    }

    fn param(&mut self, ui: &mut Ui, param: &ParamView, wishes: &mut Vec<Command>) {
        let send = |value: f32| Command::SetParam { name: param.name.clone(), value };
        let span = param.max - param.min;
        let mut typed = param.value;
        let mut slid = param.value;
        let width = ui.available_width() - 8.0;
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.spacing_mut().interact_size.y = 20.0;
        ui.spacing_mut().button_padding = Vec2::new(2.0 * theme::GRID, 1.0);
        ui.allocate_ui_with_layout(
            Vec2::new(width, 22.0),
            Layout::left_to_right(Align::Center),
            |ui| {
                let at_default = (param.value - param.default).abs() <= span.abs() * 1e-4;
                let ink = if at_default { theme::TEXT_QUIET } else { theme::TEXT };
                ui.label(RichText::new(spoken(&param.name)).color(ink)).on_hover_text(&param.help);
                if !param.moved_by.is_empty() {
                    let mover = RichText::new(&param.moved_by).size(11.0).color(theme::ACCENT);
                    ui.add(Label::new(mover).truncate())
                        .on_hover_text(format!("The music moves it: {}", param.moved_by));
                }
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let unit = if param.unit.is_empty() {
                        String::new()
                    } else {
                        format!(" {}", param.unit)
                    };
                    let field = DragValue::new(&mut typed)
                        .range(param.min..=param.max)
                        .speed(span / 400.0)
                        .max_decimals(decimals(span))
                        .suffix(unit)
                        .update_while_editing(false);
                    let field = ui.add(field).accessible_name(format!("{} value", param.name));
                    if field.on_hover_text("Drag, or click to type").changed()
                        && typed != param.value
                    {
                        wishes.push(send(typed));
                    }
                });
            },
        );
        ui.scope(|ui| {
            let slider = level_slider(ui, &param.name, &mut slid, param.min..=param.max, width);
            let dragging = slider.dragged() || slider.is_pointer_button_down_on();
            if slider.double_clicked() {
                wishes.push(send(param.default));
            } else if slider.changed() {
                let sent = self.dragging.as_ref().filter(|(name, _)| *name == param.name);
                if sent.is_none_or(|(_, value)| *value != slid) {
                    wishes.push(send(slid));
                    self.dragging = dragging.then(|| (param.name.clone(), slid));
                }
            }
            if !dragging && self.dragging.as_ref().is_some_and(|(name, _)| *name == param.name) {
                self.dragging = None;
            }
            slider.on_hover_text(format!("{}\nDouble-click sets {}", param.help, param.default));
        });
        ui.add_space(1.5 * theme::GRID);
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

/// A parameter's name as words.
fn spoken(name: &str) -> String {
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// Enough decimals to see a hundredth of the range.
fn decimals(span: f32) -> usize {
    match span {
        s if s >= 100.0 => 0,
        s if s >= 10.0 => 1,
        s if s >= 1.0 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spoken_as_words_whatever_letters_they_hold() {
        assert_eq!(spoken("beam_width"), "Beam width");
        assert_eq!(spoken("écart"), "écart");
        assert_eq!(spoken(""), "");
    }
}
