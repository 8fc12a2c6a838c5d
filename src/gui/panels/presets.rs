//! The presets to choose from.

use egui::{Align2, RichText, Role, ScrollArea, Sense, TextEdit, Ui, Vec2, WidgetInfo};

use crate::gui::theme;
use crate::show::snapshot::PresetEntry;
use crate::show::{Command, Snapshot};

/// Height of a row, px.
const ROW_PX: f32 = 44.0;

/// The list and what is searched in it.
#[derive(Debug, Default)]
pub(in crate::gui) struct PresetsPanel {
    search: String,
    shown_choice: String,
}

impl PresetsPanel {
    /// Shows it.
    pub(in crate::gui) fn show(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        let search = TextEdit::singleline(&mut self.search)
            .hint_text("Search presets")
            .desired_width(f32::INFINITY)
            .margin(egui::Margin::symmetric(8, 6));
        ui.add(search).on_hover_text("Shows the presets whose name or description holds this text");
        let found: Vec<&PresetEntry> =
            seen.presets.iter().filter(|entry| matches(entry, &self.search)).collect();
        if found.is_empty() {
            ui.label(RichText::new("Nothing found").color(theme::TEXT_FAINT));
        }
        // Following the choice by keys must not fight an operator who scrolls.
        let moved = self.shown_choice != seen.preset.name;
        if moved {
            self.shown_choice.clone_from(&seen.preset.name);
        }
        ui.spacing_mut().item_spacing.y = 2.0;
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            for entry in found {
                let chosen = entry.name == seen.preset.name;
                let changed = chosen && seen.preset.changed;
                let response = row(ui, entry, chosen, changed);
                if chosen && moved {
                    response.scroll_to_me(None);
                }
                if response.clicked() {
                    wishes.push(Command::SelectPreset(entry.name.clone()));
                }
            }
        });
    }
}

fn matches(entry: &PresetEntry, search: &str) -> bool {
    let wanted = search.trim().to_lowercase();
    entry.name.to_lowercase().contains(&wanted)
        || entry.description.to_lowercase().contains(&wanted)
}

fn row(ui: &mut Ui, entry: &PresetEntry, chosen: bool, changed: bool) -> egui::Response {
    let size = Vec2::new(ui.available_width() - 4.0, ROW_PX);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &entry.name));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let fill = match (chosen, response.hovered() || response.has_focus()) {
        (true, _) => theme::ACCENT_DEEP,
        (false, true) => theme::RAISED,
        (false, false) => theme::PANEL,
    };
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    painter.rect_filled(rect, 4, fill);
    if chosen {
        let edge = egui::Rect::from_min_size(rect.min, Vec2::new(3.0, rect.height()));
        painter.rect_filled(edge, 0, theme::ACCENT);
    }
    let mark = match (changed, entry.bundled) {
        (true, _) => ("changed", theme::AMBER),
        (false, false) => ("yours", theme::ACCENT),
        (false, true) => ("", theme::TEXT_FAINT),
    };
    let right = rect.right_top() + Vec2::new(-10.0, 8.0);
    let marked = painter.text(right, Align2::RIGHT_TOP, mark.0, theme::words(11.0), mark.1);
    let left = rect.min + Vec2::new(12.0, 5.0);
    let ink = if chosen { egui::Color32::WHITE } else { theme::TEXT };
    let quiet = if chosen { theme::TEXT } else { theme::TEXT_FAINT };
    line(&painter, left, &entry.name, theme::BODY, ink, marked.left() - left.x - 8.0);
    let below = left + Vec2::new(0.0, 18.0);
    line(&painter, below, &entry.description, theme::SMALL, quiet, rect.right() - left.x - 10.0);
    let origin = if entry.bundled { "came with galvo" } else { "your own" };
    response.on_hover_text(format!("{} ({origin}; Up and Down choose)", entry.description))
}

/// One line of text, cut with an ellipsis where the room ends.
fn line(
    painter: &egui::Painter,
    at: egui::Pos2,
    text: &str,
    size: f32,
    ink: egui::Color32,
    room: f32,
) {
    let font = theme::words(size);
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, ink);
    job.wrap = egui::text::TextWrapping::truncate_at_width(room.max(0.0));
    painter.galley(at, painter.layout_job(job), ink);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_looks_in_names_and_descriptions_and_ignores_case() {
        let entry = PresetEntry {
            name: "Lissajous".into(),
            description: "Knots of two sines".into(),
            bundled: true,
        };
        for wanted in ["", "liss", " SINES ", "knot"] {
            assert!(matches(&entry, wanted), "{wanted}");
        }
        assert!(!matches(&entry, "tunnel"));
    }
}
