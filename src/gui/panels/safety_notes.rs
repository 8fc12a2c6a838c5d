//! What somebody should have read before light is allowed for the first time.

use egui::{Button, Pos2, RichText, Ui, Vec2};

use crate::gui::theme;
use crate::gui::widgets::dialog;

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gui) enum Answer {
    /// Read.
    Read,
    /// Left.
    Later,
}

/// The notes.
const NOTES: [&str; 5] = [
    "Laser light harms eyes and skin, at once and for good. A program is no interlock.",
    "The projector has its own key, scan-fail and interlock, and a wired emergency stop is within your reach.",
    "The beam path is masked and aimed: nobody can look into it, nothing in it reflects or burns.",
    "Keep-out zones are set for eyes, cameras, windows and the sky. You know the law of the place.",
    "Begin at low brightness. STOP is in the corner of this window, and on Esc, always.",
];

/// Shows them around `centre`.
pub(in crate::gui) fn show(ui: &Ui, centre: Pos2) -> Option<Answer> {
    dialog(ui, "safety notes", centre, theme::AMBER, |ui| {
        ui.set_max_width(440.0);
        ui.label(RichText::new("Before the first light").size(20.0).color(theme::AMBER));
        for note in NOTES {
            ui.horizontal_top(|ui| {
                ui.label(RichText::new("•").color(theme::AMBER));
                ui.add(egui::Label::new(RichText::new(note).color(theme::TEXT)).wrap());
            });
        }
        ui.add_space(theme::GRID);
        ui.horizontal(|ui| {
            let size = Vec2::new(0.0, 36.0);
            let later = ui.add(Button::new("Stay dark").min_size(size));
            let later = later.on_hover_text("Nothing is armed");
            let read = ui.add(Button::new("Read and understood").min_size(size));
            let read = read.on_hover_text("Remembered; the arm switch then asks once more");
            match (read.clicked(), later.clicked()) {
                (true, _) => Some(Answer::Read),
                (false, true) => Some(Answer::Later),
                (false, false) => None,
            }
        })
        .inner
    })
}
