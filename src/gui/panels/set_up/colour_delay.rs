//! How long colours wait for the mirrors: their lag by the profile, and the operator's trim.

use egui::{DragValue, RichText, Ui};

use crate::gui::theme;
use crate::show::Installation;
use crate::show::installation::MOST_TRIM_US;

/// The row of the pane.
pub(super) fn row(ui: &mut Ui, installation: &mut Installation) {
    ui.horizontal(|ui| {
        ui.label("Colours wait");
        let trim = DragValue::new(&mut installation.colour_trim_us)
            .range(-MOST_TRIM_US..=MOST_TRIM_US)
            .speed(1.0)
            .max_decimals(0)
            .custom_formatter(|us, _| format!("{us:+.0} µs"))
            .custom_parser(|text| text.trim().trim_end_matches("µs").trim().parse().ok())
            .update_while_editing(false);
        let trim = ui.add(trim).accessible_name("Trim of the colour delay");
        trim.on_hover_text(
            "Longer or shorter than the mirrors lag by their profile. Show Blanking and arm at low brightness: move it \
             until the dashes from both sides end above each other",
        );
        if let Some(delay) = installation.colour_delay() {
            let in_all = format!("{} µs in all", delay.as_micros());
            ui.label(RichText::new(in_all).size(theme::SMALL).color(theme::TEXT_FAINT));
        }
    });
}
