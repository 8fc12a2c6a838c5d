//! A slider as wide as there is room, with an accessible name.

use std::ops::RangeInclusive;

use egui::{Response, Sense, Slider, Ui};

/// Shows it. The response tells `changed` while it is dragged and `double_clicked`.
pub(in crate::gui) fn level_slider(
    ui: &mut Ui,
    name: &str,
    value: &mut f32,
    range: RangeInclusive<f32>,
    width: f32,
) -> Response {
    ui.spacing_mut().slider_width = width;
    // Arrow keys and screen readers move a hundredth of the range.
    let slider = Slider::new(value, range).show_value(false);
    ui.add(slider).accessible_name(name).interact(Sense::click_and_drag())
}
