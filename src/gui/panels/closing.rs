//! The question before the window closes on an armed show.

use egui::{Button, Pos2, RichText, Ui, Vec2};

use crate::gui::theme;
use crate::gui::widgets::dialog;

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gui) enum Answer {
    /// Dark, then close.
    Close,
    /// The show goes on.
    Stay,
}

/// Asks around `centre`.
pub(in crate::gui) fn ask(ui: &Ui, centre: Pos2) -> Option<Answer> {
    dialog(ui, "closing", centre, theme::AMBER, |ui| {
        ui.set_max_width(360.0);
        ui.label(RichText::new("The show is armed").size(20.0).color(theme::AMBER));
        ui.label(
            RichText::new("Closing the window makes every projector dark and ends the show.")
                .color(theme::TEXT),
        );
        ui.add_space(2.0 * theme::GRID);
        ui.horizontal(|ui| {
            let size = Vec2::new(0.0, 36.0);
            let stay = Button::new("Keep running").min_size(size);
            let close = Button::new("Go dark and close").min_size(size);
            let stay = ui.add(stay).on_hover_text("The show goes on");
            let close = ui.add(close).on_hover_text("Disarms, closes the devices, ends the show");
            match (close.clicked(), stay.clicked()) {
                (true, _) => Some(Answer::Close),
                (false, true) => Some(Answer::Stay),
                (false, false) => None,
            }
        })
        .inner
    })
}
