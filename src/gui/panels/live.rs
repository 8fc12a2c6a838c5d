//! What a hand does live: blackout, flash, when a preset begins, and the crossfader to a second one.

use egui::{Align, Color32, ComboBox, Layout, RichText, Ui};

use crate::gui::theme;
use crate::gui::widgets::{BlockButton, level_slider};
use crate::show::deck::Change;
use crate::show::{Begin, Command, Snapshot, Transition};

/// Height of the two large keys, px.
const KEY_PX: f32 = 52.0;
/// A flash that was not held by the pointer lasts this long, s.
const SHORT_FLASH_SECONDS: f64 = 0.25;

/// The pane.
#[derive(Debug, Default)]
pub(in crate::gui) struct LivePanel {
    /// The pointer holds the flash.
    held: bool,
    /// A flash by Enter or a screen reader ends then.
    until: Option<f64>,
}

impl LivePanel {
    /// Shows it; `now` in seconds.
    pub(in crate::gui) fn show(
        &mut self,
        ui: &mut Ui,
        seen: &Snapshot,
        now: f64,
        wishes: &mut Vec<Command>,
    ) {
        ui.spacing_mut().item_spacing.y = 2.0 * theme::GRID;
        ui.columns(2, |columns| {
            blackout(&mut columns[0], seen.live.blackout, wishes);
            self.flash(&mut columns[1], seen.live.flash, now, wishes);
        });
        ui.add_space(theme::GRID);
        change(ui, seen, wishes);
        ui.add_space(theme::GRID);
        crossfader(ui, seen, wishes);
    }

    fn flash(&mut self, ui: &mut Ui, on: bool, now: f64, wishes: &mut Vec<Command>) {
        let key = BlockButton {
            name: "Flash",
            title: "Flash",
            detail: "while held (F)",
            height: KEY_PX,
            title_size: 18.0,
            fill: if on { Color32::WHITE } else { theme::RAISED },
            fill_hover: if on { Color32::WHITE } else { theme::RAISED_HOVER },
            border: if on { Color32::WHITE } else { theme::LINE },
            text: if on { Color32::BLACK } else { theme::TEXT },
        };
        let help = "All that is drawn in full white while it is held: at most three times a second and four seconds long";
        let response = key.show(ui).on_hover_text(help);
        let down = response.is_pointer_button_down_on();
        if down != self.held {
            self.held = down;
            wishes.push(Command::SetFlash(down));
        } else if response.clicked() && !ui.input(|input| input.pointer.any_released()) {
            self.until = Some(now + SHORT_FLASH_SECONDS);
            wishes.push(Command::SetFlash(true));
        }
        if self.until.is_some_and(|until| now >= until) {
            self.until = None;
            wishes.push(Command::SetFlash(false));
        }
    }
}

fn blackout(ui: &mut Ui, on: bool, wishes: &mut Vec<Command>) {
    let key = BlockButton {
        name: "Blackout",
        title: "Blackout",
        detail: if on { "on: no light (B)" } else { "dark, stays armed (B)" },
        height: KEY_PX,
        title_size: 18.0,
        fill: if on { theme::AMBER_DEEP } else { theme::RAISED },
        fill_hover: if on { theme::AMBER_DEEP } else { theme::RAISED_HOVER },
        border: if on { theme::AMBER } else { theme::LINE },
        text: if on { theme::AMBER } else { theme::TEXT },
    };
    let help = "No light at once, and back with the next press; what is armed stays armed. In danger press Esc: STOP";
    if key.show(ui).on_hover_text(help).clicked() {
        wishes.push(Command::SetBlackout(!on));
    }
}

fn change(ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.label(RichText::new("Presets begin").color(theme::TEXT_QUIET));
        ui.spacing_mut().item_spacing.x = theme::GRID;
        for (begin, word, help) in [
            (Begin::Now, "now", "A preset that is chosen begins at once"),
            (Begin::Beat, "beat", "A preset that is chosen waits for the next beat"),
            (Begin::Bar, "bar", "A preset that is chosen waits for the next bar"),
        ] {
            let chosen = seen.transition.begin == begin;
            if ui.selectable_label(chosen, word).on_hover_text(help).clicked() {
                wishes.push(Command::SetTransition(Transition { begin, ..seen.transition }));
            }
        }
    });
}

fn crossfader(ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
    let (fade, b) = (seen.live.crossfade, seen.live.preset_b.as_deref());
    let ink = |side: f32| theme::mix(theme::TEXT_FAINT, theme::TEXT, side);
    ui.horizontal(|ui| {
        ui.label(RichText::new("A").color(theme::ACCENT).strong());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if seen.change == Change::Cued {
                ui.label(RichText::new("waiting").size(theme::SMALL).color(theme::AMBER))
                    .on_hover_text("The preset that was chosen last waits for its moment");
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let name = RichText::new(&seen.preset.name).color(ink(1.0 - fade));
                ui.add(egui::Label::new(name).truncate())
                    .on_hover_text("The preset at work: what is chosen and edited");
            });
        });
    });
    ui.horizontal(|ui| {
        ui.label(RichText::new("B").color(theme::ACCENT).strong());
        let width = ui.available_width() - 2.0 * theme::GRID;
        let text = RichText::new(b.unwrap_or("choose a second preset")).color(ink(fade));
        let chooser =
            ComboBox::from_id_salt("preset b").width(width).truncate().selected_text(text);
        let shown = chooser.show_ui(ui, |ui| {
            if ui.selectable_label(b.is_none(), "none").clicked() {
                wishes.push(Command::SetPresetB(None));
            }
            for entry in seen.presets.iter() {
                let chosen = b == Some(entry.name.as_str());
                if ui.selectable_label(chosen, &entry.name).clicked() {
                    wishes.push(Command::SetPresetB(Some(entry.name.clone())));
                }
            }
        });
        let response = shown.response.accessible_name("Preset on side B");
        response.on_hover_text("The preset on the other side of the crossfader");
    });
    ui.add_enabled_ui(b.is_some(), |ui| {
        let mut level = fade;
        let width = ui.available_width();
        let slider = ui.scope(|ui| level_slider(ui, "Crossfader", &mut level, 0.0..=1.0, width));
        let help = "From preset A to preset B: in between, the one grows into the other";
        let slider = slider.inner.on_hover_text(help);
        if slider.changed() && level != fade {
            wishes.push(Command::SetCrossfade(level));
        }
    });
}
