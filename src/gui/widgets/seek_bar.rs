//! A bar of time: shows a place, and is dragged or clicked to another.

use egui::accesskit::{Action, ActionData};
use egui::{
    EventFilter, Id, Key, Modifiers, Pos2, Rect, Response, Sense, Ui, Vec2, WidgetInfo, pos2,
};

use crate::gui::theme;

/// A time bar; keeps only the place under a dragging finger.
#[derive(Debug, Default)]
pub(in crate::gui) struct SeekBar {
    scrubbing_to: Option<f64>,
}

impl SeekBar {
    /// The place under the finger while it drags, s.
    pub(in crate::gui) fn scrubbing_to(&self) -> Option<f64> {
        self.scrubbing_to
    }

    /// Shows `position` of `duration` (s) in `size`; returns the place that was asked for. A drag asks
    /// once, when it ends: each seek flushes light and sound.
    pub(in crate::gui) fn show(
        &mut self,
        ui: &mut Ui,
        name: &str,
        size: Vec2,
        position: f64,
        duration: f64,
        key_step: f64,
    ) -> (Response, Option<f64>) {
        let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let name = name.to_owned();
        response.widget_info(|| WidgetInfo::slider(true, position, &name));
        let under =
            |at: Pos2| f64::from(((at.x - rect.left()) / rect.width()).clamp(0.0, 1.0)) * duration;
        let mut wanted = by_key(ui, &response, position, duration, key_step);
        wanted = wanted.or_else(|| by_assistance(ui, response.id, duration));
        if let Some(at) = response.interact_pointer_pos() {
            if response.dragged() {
                self.scrubbing_to = Some(under(at));
            } else if response.clicked() {
                wanted = Some(under(at));
            }
        }
        if response.drag_stopped() {
            wanted = self.scrubbing_to.take().or(wanted);
        } else if !response.dragged() {
            self.scrubbing_to = None;
        }
        let shown = self.scrubbing_to.or(wanted).unwrap_or(position);
        paint(ui, rect, &response, (shown / duration) as f32);
        (response, wanted)
    }
}

fn by_key(ui: &Ui, response: &Response, position: f64, duration: f64, step: f64) -> Option<f64> {
    if !response.has_focus() {
        return None;
    }
    let arrows = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let back = pressed(Key::ArrowLeft).then_some(-step);
    let by = pressed(Key::ArrowRight).then_some(step).or(back)?;
    Some((position + by).clamp(0.0, duration))
}

fn by_assistance(ui: &Ui, id: Id, duration: f64) -> Option<f64> {
    let mut wanted = None;
    ui.input_mut(|input| {
        input.consume_accesskit_action_requests(id, |request| {
            if let (Action::SetValue, Some(ActionData::NumericValue(seconds))) =
                (request.action, &request.data)
            {
                wanted = Some(seconds.clamp(0.0, duration));
                return true;
            }
            false
        });
    });
    wanted
}

fn paint(ui: &Ui, rect: Rect, response: &Response, fraction: f32) {
    let painter = ui.painter();
    let held = response.hovered() || response.dragged() || response.has_focus();
    let height = if held { 6.0 } else { 4.0 };
    let rail = Rect::from_center_size(rect.center(), Vec2::new(rect.width(), height));
    painter.rect_filled(rail, 2, theme::RAISED_HOVER);
    let x = rail.left() + rail.width() * fraction.clamp(0.0, 1.0);
    painter.rect_filled(Rect::from_min_max(rail.min, pos2(x, rail.max.y)), 2, theme::ACCENT);
    painter.circle_filled(pos2(x, rail.center().y), if held { 7.0 } else { 5.0 }, theme::TEXT);
}
