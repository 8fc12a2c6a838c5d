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
    /// A look for projectors.
    Find,
}

/// Offers it around `centre`; `projectors` are the names of those in the show.
pub(in crate::gui) fn show(ui: &Ui, centre: Pos2, projectors: &[&str]) -> Option<Answer> {
    dialog(ui, "welcome", centre, theme::LINE, |ui| {
        ui.set_max_width(400.0);
        ui.label(RichText::new("Nothing is playing").size(20.0).color(theme::TEXT));
        let on = if projectors.is_empty() {
            "There is no projector in this show: music plays all the same, and the rest of the desk works."
        } else if projectors.iter().all(|name| name.starts_with("sim:")) {
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
            let find = ui.add(Button::new("Find projectors").min_size(size));
            let find =
                find.on_hover_text("Looks for projectors; those found are added in Projectors");
            match (demo.clicked(), open.clicked(), find.clicked()) {
                (true, ..) => Some(Answer::Demo),
                (_, true, _) => Some(Answer::Open),
                (.., true) => Some(Answer::Find),
                _ => None,
            }
        })
        .inner
    })
}
