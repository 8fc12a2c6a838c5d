//! A large button with a title and a line below it: for acts that must not be missed.

use egui::{Align2, Color32, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo};

use crate::gui::theme;

/// How a block looks and what it says.
#[derive(Clone, Copy, Debug)]
pub(in crate::gui) struct BlockButton<'a> {
    /// Its accessible name.
    pub(in crate::gui) name: &'a str,
    /// The large word.
    pub(in crate::gui) title: &'a str,
    /// The line below, may be empty.
    pub(in crate::gui) detail: &'a str,
    /// Height, px.
    pub(in crate::gui) height: f32,
    /// Size of the title, px.
    pub(in crate::gui) title_size: f32,
    /// Ground.
    pub(in crate::gui) fill: Color32,
    /// Ground under the pointer.
    pub(in crate::gui) fill_hover: Color32,
    /// Border.
    pub(in crate::gui) border: Color32,
    /// Text.
    pub(in crate::gui) text: Color32,
}

impl BlockButton<'_> {
    /// Shows it, as wide as there is room.
    pub(in crate::gui) fn show(self, ui: &mut Ui) -> Response {
        let size = Vec2::new(ui.available_width(), self.height);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let enabled = ui.is_enabled();
        let name = self.name.to_owned();
        response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, &name));
        let pressed = response.is_pointer_button_down_on();
        let fill = if response.hovered() && !pressed { self.fill_hover } else { self.fill };
        let painter = ui.painter();
        painter.rect_filled(rect, theme::CORNER, fill);
        let width = if response.has_focus() { 2.0 } else { 1.0 };
        let border = if response.has_focus() { Color32::WHITE } else { self.border };
        painter.rect_stroke(rect, theme::CORNER, Stroke::new(width, border), StrokeKind::Inside);
        let lift = if self.detail.is_empty() { 0.0 } else { 9.0 };
        let centre = rect.center();
        let title = theme::words(self.title_size);
        painter.text(
            centre - Vec2::new(0.0, lift),
            Align2::CENTER_CENTER,
            self.title,
            title,
            self.text,
        );
        if !self.detail.is_empty() {
            let below = centre + Vec2::new(0.0, self.title_size / 2.0 + 4.0);
            let quiet = self.text.gamma_multiply(0.82);
            let small = theme::words(theme::SMALL);
            painter.text(below, Align2::CENTER_CENTER, self.detail, small, quiet);
        }
        response
    }
}
