//! What a window with nothing open offers.

use egui::{Button, Pos2, RichText, Ui, Vec2};

use crate::gui::theme;
use crate::gui::widgets::dialog;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gui) enum Answer {
    /// The demo that comes with the program.
    Demo,
    /// A file of one's own.
    Open,
}

/// Offers it around `centre`; `projectors` are the names of those in the show.
pub(in crate::gui) fn show(ui: &Ui, centre: Pos2, projectors: &[&str]) -> Option<Answer> {
    dialog(ui, "welcome", centre, theme::LINE, |ui| {
        ui.set_max_width(340.0);
        ui.label(RichText::new("Nothing is playing").size(20.0).color(theme::TEXT));
        let on = if projectors.iter().all(|name| name.starts_with("sim:")) {
            "The projector is a simulated one: nothing can be harmed. Play, look around, arm it."
        } else {
            "Open music, or play the demo. All is dark until you arm."
        };
        ui.label(RichText::new(on).color(theme::TEXT_QUIET));
        ui.add_space(theme::GRID);
        ui.horizontal(|ui| {
            let size = Vec2::new(0.0, 36.0);
            let demo = Button::new("Play the demo").fill(theme::ACCENT_DEEP).min_size(size);
            let demo =
                ui.add(demo).on_hover_text("A minute and a half that shows what galvo hears");
            let open = ui.add(Button::new("Open music…").min_size(size));
            let open = open.on_hover_text("Opens music (Ctrl-O), or drop a file on the window");
            match (demo.clicked(), open.clicked()) {
                (true, _) => Some(Answer::Demo),
                (false, true) => Some(Answer::Open),
                (false, false) => None,
            }
        })
        .inner
    })
}
