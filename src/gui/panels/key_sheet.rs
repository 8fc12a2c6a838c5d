//! The list of keys.

use egui::{Grid, Pos2, RichText, Ui};

use crate::gui::keys::SHEET;
use crate::gui::theme;
use crate::gui::widgets::{dialog, heading};

/// Shows it around `centre`; true once it was closed.
pub(in crate::gui) fn show(ui: &Ui, centre: Pos2) -> bool {
    dialog(ui, "key sheet", centre, theme::LINE, |ui| {
        heading(ui, "Keys");
        ui.add_space(theme::GRID);
        ui.spacing_mut().interact_size.y = 20.0;
        let half = SHEET.len().div_ceil(2);
        Grid::new("keys").num_columns(4).spacing([14.0, 6.0]).show(ui, |ui| {
            for row in 0..half {
                for (key, act) in [SHEET.get(row), SHEET.get(half + row)].into_iter().flatten() {
                    ui.label(RichText::new(*key).font(theme::figures(12.0)).color(theme::ACCENT));
                    ui.label(RichText::new(*act).size(theme::SMALL).color(theme::TEXT));
                }
                ui.end_row();
            }
        });
        ui.add_space(2.0 * theme::GRID);
        ui.label(RichText::new("No key arms, and no key quits.").color(theme::TEXT_QUIET));
        ui.add_space(theme::GRID);
        ui.button("Close").on_hover_text("Closes this list (?)").clicked()
    })
}
