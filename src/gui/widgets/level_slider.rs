//! A slider as wide as there is room, with an accessible name.

use std::ops::RangeInclusive;

use egui::{Response, Sense, Slider, Ui};

use crate::gui::theme;

/// Height, px: enough for a hand in the dark.
const HEIGHT_PX: f32 = 20.0;

/// Shows it, in a scope of its own. The response tells `changed` while it is dragged and `double_clicked`.
pub(in crate::gui) fn level_slider(
    ui: &mut Ui,
    name: &str,
    value: &mut f32,
    range: RangeInclusive<f32>,
    width: f32,
) -> Response {
    ui.spacing_mut().slider_width = width;
    ui.spacing_mut().interact_size.y = HEIGHT_PX;
    ui.visuals_mut().selection.bg_fill = theme::ACCENT;
    let slider = Slider::new(value, range).show_value(false);
    let slid = ui.add(slider).accessible_name(name);
    let clicked = slid.interact(Sense::click());
    slid | clicked
}
