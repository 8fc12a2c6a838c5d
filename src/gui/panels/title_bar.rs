//! The line at the top: what program, what state of light, and what is not part of the show.

use egui::{Align, Align2, Layout, Pos2, Rect, RichText, Ui, Vec2};

use crate::gui::theme;
use crate::show::snapshot::SafetyView;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gui) enum Asked {
    /// A file dialog.
    Open,
    /// The list of keys.
    KeySheet,
}

/// Shows the line; a band below it carries the state of light across the whole window.
pub(in crate::gui) fn show(ui: &mut Ui, safety: &SafetyView, choosing: bool) -> Option<Asked> {
    let rect = ui.max_rect();
    let (word, colour) = if safety.stopped {
        ("STOPPED", theme::RED_TEXT)
    } else if safety.armed {
        ("ARMED: LIGHT IS ON", theme::AMBER)
    } else {
        ("DISARMED", theme::TEXT_QUIET)
    };
    let band = match (safety.stopped, safety.armed) {
        (true, _) => theme::RED,
        (false, true) => theme::AMBER,
        (false, false) => theme::LINE,
    };
    let bottom = ui.clip_rect().intersect(rect.expand(8.0)).bottom();
    let line = Rect::from_min_max(
        Pos2::new(rect.left() - 12.0, bottom - 2.0),
        Pos2::new(rect.right() + 12.0, bottom),
    );
    ui.painter().rect_filled(line, 0, band);
    ui.painter().text(
        rect.center(),
        Align2::CENTER_CENTER,
        word,
        theme::words(theme::BODY),
        colour,
    );
    let mut asked = None;
    ui.horizontal_centered(|ui| {
        mark(ui);
        let name = RichText::new("galvo").size(18.0).color(theme::TEXT);
        ui.label(name.extra_letter_spacing(0.6));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let keys = ui.button("Keys").on_hover_text("Shows the keys (?)");
            if keys.clicked() {
                asked = Some(Asked::KeySheet);
            }
            let open = ui
                .add_enabled(!choosing, egui::Button::new("Open…"))
                .on_hover_text("Opens music (Ctrl-O), or drop a file anywhere on the window");
            if open.clicked() {
                asked = Some(Asked::Open);
            }
        });
    });
    asked
}

/// The sign of the program: a beam bent by a mirror.
fn mark(ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(18.0), egui::Sense::hover());
    let at = |x: f32, y: f32| rect.min + rect.size() * Vec2::new(x, y);
    let beam = egui::Stroke::new(1.6, theme::ACCENT);
    ui.painter().line(vec![at(0.0, 0.72), at(0.55, 0.72), at(1.0, 0.1)], beam);
    let mirror = egui::Stroke::new(2.4, theme::TEXT);
    ui.painter().line_segment([at(0.32, 0.98), at(0.86, 0.62)], mirror);
}
