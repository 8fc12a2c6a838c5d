//! What the first projector got, as the audience sees it.

use egui::{Align2, Color32, Pos2, Rect, RichText, Stroke, StrokeKind, Ui, UiBuilder, Vec2};

use crate::gui::phosphor::Phosphor;
use crate::gui::theme;
use crate::point::LaserPoint;
use crate::show::Snapshot;

/// Exposures above this are told to the operator.
const EXPOSURE_WORTH_TELLING: f32 = 1.15;

/// The preview and its switches.
#[derive(Debug)]
pub(in crate::gui) struct Preview {
    phosphor: Phosphor,
    ghost: bool,
    travel: bool,
}

impl Preview {
    pub(in crate::gui) fn new() -> Self {
        Self { phosphor: Phosphor::new(), ghost: true, travel: false }
    }

    /// Takes the points sent since the last frame.
    pub(in crate::gui) fn take(&mut self, sent: &[LaserPoint], now: f64) {
        self.phosphor.take(sent, now);
    }

    /// True while light is shown.
    pub(in crate::gui) fn is_lit(&self) -> bool {
        self.phosphor.is_lit()
    }

    /// Shows the preview in all the room there is.
    pub(in crate::gui) fn show(&mut self, ui: &mut Ui, seen: &Snapshot, now: f64) {
        let room = ui.available_rect_before_wrap();
        ui.painter().rect_filled(room, theme::CORNER, theme::VOID);
        let side = room.shrink(14.0).size().min_elem();
        let field = Rect::from_center_size(room.center(), Vec2::splat(side.max(32.0)));
        let painter = ui.painter().with_clip_rect(room);
        painter.rect_stroke(field, 2, Stroke::new(1.0, theme::LINE), StrokeKind::Outside);
        cross(&painter, field);

        let armed = seen.safety.armed;
        if (armed && self.travel) || (!armed && self.ghost) {
            let level = if armed { 0.05 } else { 0.11 };
            painter.add(self.phosphor.dark_path(field, now, level));
        }
        painter.add(self.phosphor.light(field, now));

        let border = match (seen.safety.stopped, armed) {
            (true, _) => Some(theme::RED),
            (false, true) => Some(theme::AMBER),
            (false, false) => None,
        };
        if let Some(colour) = border {
            let stroke = Stroke::new(1.5, colour.gamma_multiply(0.8));
            painter.rect_stroke(room, theme::CORNER, stroke, StrokeKind::Inside);
        }
        self.legend(ui, room, seen);
        ui.advance_cursor_after_rect(room);
    }

    fn legend(&mut self, ui: &mut Ui, room: Rect, seen: &Snapshot) {
        let state = if seen.safety.stopped {
            Some(("STOPPED: the projector is dark until reset", theme::RED_TEXT))
        } else if seen.projectors.is_empty() {
            Some(("No projector in this show", theme::TEXT_QUIET))
        } else if seen.safety.armed {
            None
        } else if self.ghost && self.phosphor.is_moving() {
            Some((
                "DISARMED: the projector is dark, this is the way of its mirrors",
                theme::TEXT_QUIET,
            ))
        } else {
            Some(("DISARMED: the projector is dark", theme::TEXT_QUIET))
        };
        if let Some((text, colour)) = state {
            chip(ui, room.center_top() + Vec2::new(0.0, 14.0), text, colour);
        }
        let exposure = self.phosphor.exposure();
        if self.phosphor.is_lit() && exposure > EXPOSURE_WORTH_TELLING {
            let text = format!("shown ×{exposure:.1} brighter than sent");
            let at = room.left_bottom() + Vec2::new(12.0, -12.0);
            let small = theme::words(theme::SMALL);
            ui.painter().text(at, Align2::LEFT_BOTTOM, text, small, theme::TEXT_FAINT);
        }
        let switches = Rect::from_min_max(
            Pos2::new(room.right() - 150.0, room.bottom() - 36.0),
            room.max - Vec2::splat(8.0),
        );
        let layout = egui::Layout::right_to_left(egui::Align::Center);
        ui.scope_builder(UiBuilder::new().max_rect(switches).layout(layout), |ui| {
            let small = |text: &str| RichText::new(text).size(theme::SMALL);
            ui.toggle_value(&mut self.ghost, small("Ghost"))
                .on_hover_text("While disarmed, shows the way of the mirrors without light");
            ui.toggle_value(&mut self.travel, small("Travel"))
                .on_hover_text("While armed, shows the dark moves between lit strokes");
        });
    }
}

fn cross(painter: &egui::Painter, field: Rect) {
    let faint = Stroke::new(1.0, Color32::from_rgb(15, 18, 22));
    painter.hline(field.x_range(), field.center().y, faint);
    painter.vline(field.center().x, field.y_range(), faint);
}

fn chip(ui: &Ui, top: Pos2, text: &str, colour: Color32) {
    let font = theme::words(theme::SMALL);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, colour);
    let size = galley.size() + Vec2::new(20.0, 8.0);
    let rect = Rect::from_min_size(top - Vec2::new(size.x / 2.0, 0.0), size);
    ui.painter().rect_filled(rect, 4, theme::PANEL.gamma_multiply(0.9));
    ui.painter().galley(rect.min + Vec2::new(10.0, 4.0), galley, colour);
}
