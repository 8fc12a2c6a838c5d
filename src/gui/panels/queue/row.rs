//! One track of the queue: how it looks, how tall it is, and what is said of it.

use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{
    Align, Align2, Color32, FontId, Galley, Id, Painter, Pos2, Rect, Response, Role, Sense, Shape,
    Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2,
};

use super::clock;
use crate::gui::theme;
use crate::show::{EntryState, QueueEntry, Snapshot};

/// Height of a track, px.
pub(super) const ROW_PX: f32 = 26.0;
/// Height of the line with an artist, where a track has two, px.
const ARTIST_PX: f32 = 16.0;
/// Where there is less room than this, the artist stands below the title, px.
pub(super) const WIDE_PX: f32 = 320.0;
/// Width of the number before a track, px.
pub(super) const NUMBER_PX: f32 = 30.0;
/// Side of the button that removes a track, px.
pub(super) const REMOVE_PX: f32 = 20.0;

/// The track that is heard.
pub(super) fn heard(ui: &Ui, rect: Rect, seen: &Snapshot) {
    let transport = &seen.transport;
    let sign = Rect::from_center_size(
        pos2(rect.left() + 0.5 * NUMBER_PX + 2.0, rect.center().y),
        Vec2::splat(9.0),
    );
    let corners = vec![sign.left_top(), sign.right_center(), sign.left_bottom()];
    let ink = if transport.playing { theme::ACCENT } else { theme::TEXT_FAINT };
    ui.painter().add(Shape::convex_polygon(corners, ink, Stroke::NONE));
    let length = transport.duration.map(clock).unwrap_or_default();
    let right = figure(ui.painter(), rect, &length);
    let left = rect.left() + NUMBER_PX;
    let job = cut(&transport.title, theme::words(13.0), right - left - 8.0, 1);
    words(ui, pos2(left, rect.center().y), job, theme::ACCENT);
    let name = format!("Heard now: {}", transport.title);
    ui.interact(rect, ui.scope_id().with("heard"), Sense::hover())
        .widget_info(|| WidgetInfo::labeled(Role::Label, true, &name));
}

pub(super) fn paint(
    ui: &Ui,
    rect: Rect,
    (number, entry): (usize, &QueueEntry),
    response: &Response,
    is_at_hand: bool,
) {
    let painter = ui.painter();
    let ground = rect.shrink2(Vec2::new(0.0, 1.0));
    if is_at_hand {
        painter.rect_filled(ground, 4, theme::RAISED);
    }
    if response.has_focus() {
        painter.rect_stroke(ground, 4, Stroke::new(1.0, theme::ACCENT), StrokeKind::Inside);
    }
    let middle = rect.top() + 0.5 * ROW_PX;
    let is_trouble = matches!(entry.state, EntryState::Trouble(_));
    let ink = if is_trouble { theme::RED_TEXT } else { theme::TEXT_FAINT };
    let at = pos2(rect.left() + NUMBER_PX - 8.0, middle);
    let figures = theme::figures(11.0);
    painter.text(at, Align2::RIGHT_CENTER, number + 1, figures, ink);
    // The button that removes it needs room.
    let beside = if is_at_hand { REMOVE_PX + 4.0 } else { 0.0 };
    let line = Rect::from_min_size(rect.min, Vec2::new(rect.width() - beside, ROW_PX));
    let right = match &entry.state {
        EntryState::Opening => figure(painter, line, "opening…"),
        _ => figure(painter, line, &entry.duration.map(clock).unwrap_or_default()),
    };
    let left = rect.left() + NUMBER_PX;
    let ink = if is_trouble { theme::TEXT_QUIET } else { theme::TEXT };
    words(ui, pos2(left, middle), titled(entry, right - left - 8.0, rect.width(), ink), ink);
    if let Some((galley, ink)) = below(ui, entry, rect.width()) {
        painter.galley(pos2(left, rect.top() + ROW_PX - 4.0), galley, ink);
    }
}

/// Why a track cannot be opened; else its artist, where there is no room beside the title.
fn below(ui: &Ui, entry: &QueueEntry, width: f32) -> Option<(Arc<Galley>, Color32)> {
    let room = width - NUMBER_PX - 8.0;
    if let Some(why) = trouble_of(entry) {
        let job = cut(why, theme::words(theme::SMALL), room, 4);
        return Some((ui.painter().layout_job(job), theme::RED_TEXT));
    }
    let artist = entry.artist.as_ref().filter(|_| width < WIDE_PX)?;
    let job = cut(artist, theme::words(theme::SMALL), room - REMOVE_PX, 1);
    Some((ui.painter().layout_job(job), theme::TEXT_FAINT))
}

/// Height of a row. Asked for every track of the queue, also for those out of sight.
pub(super) fn height(ui: &Ui, entry: &QueueEntry, width: f32) -> f32 {
    match (&entry.state, &entry.artist) {
        (EntryState::Trouble(_), _) => {
            ROW_PX + below(ui, entry, width).map_or(0.0, |(galley, _)| galley.size().y + 2.0)
        }
        (_, Some(_)) if width < WIDE_PX => ROW_PX + ARTIST_PX,
        _ => ROW_PX,
    }
}

pub(super) fn row_id(entry: &QueueEntry) -> Id {
    Id::unique(("queue", entry.id))
}

/// Text at the right end of a line; gives back where it begins.
fn figure(painter: &Painter, line: Rect, text: &str) -> f32 {
    let at = pos2(line.right() - 6.0, line.center().y);
    let font = theme::figures(theme::SMALL);
    painter.text(at, Align2::RIGHT_CENTER, text, font, theme::TEXT_QUIET).left()
}

/// The title, and the artist more quietly where there is room.
fn titled(entry: &QueueEntry, width: f32, pane_px: f32, ink: Color32) -> LayoutJob {
    let mut job = cut(&entry.title, theme::words(13.0), width, 1);
    job.sections.iter_mut().for_each(|section| section.format.color = ink);
    if let Some(artist) = entry.artist.as_ref().filter(|_| pane_px >= WIDE_PX) {
        let format = TextFormat {
            font_id: theme::words(theme::SMALL),
            color: theme::TEXT_QUIET,
            valign: Align::Center,
            ..TextFormat::default()
        };
        job.append(artist, 2.0 * theme::GRID, format);
    }
    job
}

pub(super) fn cut(text: &str, font: FontId, width: f32, rows: usize) -> LayoutJob {
    let mut job = LayoutJob::default();
    let format = TextFormat {
        font_id: font,
        color: Color32::PLACEHOLDER,
        valign: Align::Center,
        ..TextFormat::default()
    };
    job.append(text, 0.0, format);
    let max_width = width.max(1.0);
    job.wrap = TextWrapping { max_width, max_rows: rows, ..TextWrapping::default() };
    job.wrap.break_anywhere = rows == 1;
    job
}

/// Text whose left end is in the middle of a line.
pub(super) fn words(ui: &Ui, at: Pos2, job: LayoutJob, ink: Color32) {
    let galley = ui.painter().layout_job(job);
    ui.painter().galley(pos2(at.x, at.y - 0.5 * galley.size().y), galley, ink);
}

fn trouble_of(entry: &QueueEntry) -> Option<&str> {
    if let EntryState::Trouble(why) = &entry.state { Some(why) } else { None }
}

/// What a screen reader says of a track.
pub(super) fn spoken(number: usize, entry: &QueueEntry) -> String {
    let mut name = format!("{}. {}", number + 1, entry.title);
    if let Some(artist) = &entry.artist {
        name = format!("{name}, {artist}");
    }
    if let Some(why) = trouble_of(entry) {
        name = format!("{name}: {why}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_reader_is_told_place_title_artist_and_trouble() {
        let mut one = QueueEntry { title: "Name".into(), ..QueueEntry::default() };
        assert_eq!(spoken(0, &one), "1. Name");
        one.artist = Some("Band".into());
        one.state = EntryState::Trouble("it is gone".into());
        assert_eq!(spoken(1, &one), "2. Name, Band: it is gone");
    }
}
