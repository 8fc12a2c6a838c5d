//! What panels are made of: headings, read-outs, dialogs.

use egui::{Align2, Area, Color32, Frame, Id, Margin, Order, Pos2, RichText, Stroke, Ui};

use crate::gui::theme;

/// The name of a group of things.
pub(in crate::gui) fn heading(ui: &mut Ui, title: &str) {
    let text = RichText::new(title.to_uppercase()).size(11.0).color(theme::TEXT_FAINT);
    ui.label(text.extra_letter_spacing(1.2));
}

/// A quiet name with its figure, on one line.
pub(in crate::gui) fn read_out(ui: &mut Ui, name: &str, value: &str, colour: Color32, help: &str) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = 1.5 * theme::GRID;
        ui.label(RichText::new(name).size(theme::SMALL).color(theme::TEXT_FAINT))
            .on_hover_text(help);
        ui.label(RichText::new(value).font(theme::figures(theme::SMALL)).color(colour))
            .on_hover_text(help);
    });
}

/// A question or a sheet around `centre`. It never covers the whole window and takes no key: the rest of
/// the desk, STOP above all, keeps working beside it.
pub(in crate::gui) fn dialog<R>(
    ui: &Ui,
    name: &'static str,
    centre: Pos2,
    accent: Color32,
    content: impl FnOnce(&mut Ui) -> R,
) -> R {
    let area = Area::new(Id::unique(name))
        .order(Order::Foreground)
        .pivot(Align2::CENTER_CENTER)
        .fixed_pos(centre);
    let shown = area.show(ui.ctx(), |ui| {
        Frame::NONE
            .fill(theme::PANEL)
            .stroke(Stroke::new(1.0, accent))
            .corner_radius(theme::CORNER)
            .inner_margin(Margin::same(20))
            .shadow(ui.visuals().popup_shadow)
            .show(ui, content)
            .inner
    });
    shown.inner
}
