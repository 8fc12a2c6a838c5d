//! One value of a preset: its slider, what the music makes of it, and the number.

use egui::{Align, DragValue, Label, Layout, Rect, Response, RichText, Ui, Vec2, pos2, vec2};

use crate::gui::theme;
use crate::gui::widgets::level_slider;
use crate::pattern::Owner;
use crate::show::snapshot::ParamView;

/// What the hand at the sliders does: a finger that rests sends nothing.
#[derive(Debug, Default)]
pub(super) struct Hand {
    dragging: Option<(Owner, String, f32)>,
}

/// What was done with a value.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// The value wanted.
    pub(super) value: Option<f32>,
    /// What moves it was asked for.
    pub(super) asked_for_rows: bool,
}

/// Shows a value of `owner` called `title` by assistance, `now` being what the music makes of it.
pub(super) fn control(
    ui: &mut Ui,
    (owner, title): (Owner, &str),
    param: &ParamView,
    now: Option<f32>,
    hand: &mut Hand,
) -> Done {
    let mut done = Done::default();
    let span = param.max - param.min;
    let width = ui.available_width();
    ui.spacing_mut().item_spacing.y = 0.0;
    ui.spacing_mut().interact_size.y = 20.0;
    ui.spacing_mut().button_padding = Vec2::new(2.0 * theme::GRID, 1.0);
    let line = Layout::left_to_right(Align::Center);
    ui.allocate_ui_with_layout(Vec2::new(width, 22.0), line, |ui| {
        let at_default = (param.value - param.default).abs() <= span.abs() * 1e-4;
        let ink = if at_default { theme::TEXT_QUIET } else { theme::TEXT };
        ui.label(RichText::new(spoken(&param.name)).color(ink)).on_hover_text(&param.help);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if param.is_set {
                done.value = number(ui, title, param);
            }
            if param.is_movable {
                done.asked_for_rows = mover(ui, title, param).clicked();
            }
        });
    });
    if param.is_set {
        ui.scope(|ui| {
            let slid = slider(ui, (owner, title), param, width, hand);
            done.value = slid.1.or(done.value);
            paint_motion(ui, slid.0.rect, param, now);
        });
    } else {
        let (rect, _) = ui.allocate_exact_size(vec2(width, 20.0), egui::Sense::hover());
        let rail = Rect::from_center_size(rect.center(), vec2(rect.width(), theme::GRID));
        ui.painter().rect_filled(rail, 2, theme::RAISED);
        paint_motion(ui, rect, param, now);
    }
    ui.add_space(1.5 * theme::GRID);
    done
}

fn number(ui: &mut Ui, title: &str, param: &ParamView) -> Option<f32> {
    let span = param.max - param.min;
    let mut typed = param.value;
    let unit = if param.unit.is_empty() { String::new() } else { format!(" {}", param.unit) };
    let field = DragValue::new(&mut typed)
        .range(param.min..=param.max)
        .speed(span / 400.0)
        .max_decimals(decimals(span))
        .suffix(unit)
        .update_while_editing(false);
    let field = ui.add(field).accessible_name(format!("{title} value"));
    let changed = field.on_hover_text("Drag, or click to type").changed();
    (changed && typed != param.value).then_some(typed)
}

/// What moves the value: a button that opens the rows.
fn mover(ui: &mut Ui, title: &str, param: &ParamView) -> Response {
    let (text, ink, help) = if param.moved_by.is_empty() {
        ("+ music".to_owned(), theme::TEXT_FAINT, "Lets the music move it".to_owned())
    } else {
        (param.moved_by.clone(), theme::ACCENT, format!("The music moves it: {}", param.moved_by))
    };
    let text = RichText::new(text).size(11.0).color(ink);
    let label = Label::new(text).truncate().selectable(false).sense(egui::Sense::click());
    let button = ui.add(label);
    let name = format!("{title} movers");
    button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    if button.has_focus() {
        let stroke = egui::Stroke::new(1.0, theme::ACCENT);
        let around = button.rect.expand(2.0);
        ui.painter().rect_stroke(around, 3, stroke, egui::StrokeKind::Outside);
    }
    button.on_hover_cursor(egui::CursorIcon::PointingHand).on_hover_text(help)
}

fn slider(
    ui: &mut Ui,
    (owner, title): (Owner, &str),
    param: &ParamView,
    width: f32,
    hand: &mut Hand,
) -> (Response, Option<f32>) {
    let mut slid = param.value;
    let slider = level_slider(ui, title, &mut slid, param.min..=param.max, width);
    let dragging = slider.dragged() || slider.is_pointer_button_down_on();
    let is_it = |held: &(Owner, String, f32)| held.0 == owner && held.1 == param.name;
    let mut wanted = None;
    if slider.double_clicked() {
        wanted = Some(param.default);
    } else if slider.changed() {
        let sent = hand.dragging.as_ref().filter(|held| is_it(held));
        if sent.is_none_or(|(.., value)| *value != slid) {
            wanted = Some(slid);
            hand.dragging = dragging.then(|| (owner, param.name.clone(), slid));
        }
    }
    if !dragging && hand.dragging.as_ref().is_some_and(is_it) {
        hand.dragging = None;
    }
    let range = format!("{} to {}{}", param.min, param.max, suffix(&param.unit));
    let help = format!("{}\n{range}; double-click sets {}", param.help, param.default);
    (slider.on_hover_text(help), wanted)
}

fn suffix(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

/// The band that the music can move the value within, and a dot where it is now.
fn paint_motion(ui: &Ui, rect: Rect, param: &ParamView, now: Option<f32>) {
    let Some([low, high]) = param.reach else { return };
    let span = param.max - param.min;
    if span <= 0.0 {
        return;
    }
    // Where the handle of a slider stands: its half width is free at both ends.
    let free = rect.height() / 2.5 * 0.6;
    let x = |value: f32| {
        let share = ((value - param.min) / span).clamp(0.0, 1.0);
        rect.left() + free + (rect.width() - 2.0 * free) * share
    };
    let y = rect.bottom() - 2.0;
    let painter = ui.painter();
    let band = Rect::from_min_max(pos2(x(low), y - 1.5), pos2(x(high).max(x(low) + 2.0), y + 1.5));
    painter.rect_filled(band, 1, theme::ACCENT.gamma_multiply(0.38));
    if let Some(now) = now {
        let at = pos2(x(now), y);
        painter.circle_filled(at, 4.0, theme::PANEL);
        painter.circle_filled(at, 3.0, theme::AMBER);
    }
}

/// A parameter's name as words.
pub(super) fn spoken(name: &str) -> String {
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
