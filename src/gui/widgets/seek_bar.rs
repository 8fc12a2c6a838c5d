//! A stretch of time that is clicked, dragged and marked: what it looks like is its user's.

use egui::accesskit::{Action, ActionData};
use egui::{EventFilter, Id, Key, Modifiers, Pos2, Rect, Response, Sense, Ui, WidgetInfo};

/// The time that a bar shows, s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::gui) struct Stretch {
    /// At its left edge.
    pub(in crate::gui) from: f64,
    /// At its right edge.
    pub(in crate::gui) to: f64,
    /// Length of the whole.
    pub(in crate::gui) duration: f64,
    /// Where it is now.
    pub(in crate::gui) position: f64,
}

impl Stretch {
    /// Where a moment is, px from the left; beyond the edges too.
    pub(in crate::gui) fn x_of(&self, rect: Rect, seconds: f64) -> f32 {
        let share = (seconds - self.from) / (self.to - self.from).max(1e-9);
        rect.left() + rect.width() * share as f32
    }

    /// The moment under a place, s, within the stretch.
    pub(in crate::gui) fn at(&self, rect: Rect, place: Pos2) -> f64 {
        let share = f64::from(((place.x - rect.left()) / rect.width()).clamp(0.0, 1.0));
        self.from + (self.to - self.from) * share
    }
}

/// What a hand did with the bar, in s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::gui) enum Done {
    /// It asked for this moment.
    Seek(f64),
    /// It marked a part by dragging with Shift.
    Marked(f64, f64),
}

/// A bar of time; keeps only what is under a dragging finger.
#[derive(Debug, Default)]
pub(in crate::gui) struct SeekBar {
    scrubbing_to: Option<f64>,
    marking: Option<(f64, f64)>,
}

impl SeekBar {
    /// The moment under the finger while it drags, s.
    pub(in crate::gui) fn scrubbing_to(&self) -> Option<f64> {
        self.scrubbing_to
    }

    /// The part that is being marked, s; its end may lie before its start.
    pub(in crate::gui) fn marking(&self) -> Option<(f64, f64)> {
        self.marking
    }

    /// Takes what hands do in `rect`. A drag asks once, when it ends: each seek flushes light and sound.
    pub(in crate::gui) fn show(
        &mut self,
        ui: &mut Ui,
        name: &str,
        rect: Rect,
        stretch: &Stretch,
        key_step: f64,
    ) -> (Response, Option<Done>) {
        let response = ui.allocate_rect(rect, Sense::click_and_drag());
        let name = name.to_owned();
        response.widget_info(|| WidgetInfo::slider(true, stretch.position, &name));
        let mut wanted = by_key(ui, &response, stretch, key_step)
            .or_else(|| by_assistance(ui, response.id, stretch.duration));
        let (shift, origin) =
            ui.input(|input| (input.modifiers.shift, input.pointer.press_origin()));
        if let (true, Some(origin)) = (response.drag_started() && shift, origin) {
            let start = stretch.at(rect, origin);
            self.marking = Some((start, start));
        }
        if let Some(place) = response.interact_pointer_pos() {
            let under = stretch.at(rect, place);
            match (response.dragged(), &mut self.marking) {
                (true, Some((_, end))) => *end = under,
                (true, None) => self.scrubbing_to = Some(under),
                (false, _) if response.clicked() => wanted = Some(under),
                (false, _) => {}
            }
        }
        let mut done = None;
        if response.drag_stopped() {
            done = self.marking.take().map(|(a, b)| Done::Marked(a.min(b), a.max(b)));
            wanted = self.scrubbing_to.take().or(wanted);
        } else if !response.dragged() {
            (self.scrubbing_to, self.marking) = (None, None);
        }
        (response, done.or(wanted.map(Done::Seek)))
    }
}

fn by_key(ui: &Ui, response: &Response, stretch: &Stretch, step: f64) -> Option<f64> {
    if !response.has_focus() {
        return None;
    }
    let arrows = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let back = pressed(Key::ArrowLeft).then_some(-step);
    let by = pressed(Key::ArrowRight).then_some(step).or(back)?;
    Some((stretch.position + by).clamp(0.0, stretch.duration))
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
