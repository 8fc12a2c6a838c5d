//! The queue: what is heard, and all that follows, in the order it is played.

mod row;

use egui::{
    Align, Button, EventFilter, Key, Label, Layout, Modifiers, Rect, Response, RichText, Role,
    ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, Vec2, WidgetInfo, pos2,
};

use self::row::{
    NUMBER_PX, REMOVE_PX, ROW_PX, WIDE_PX, cut, heard, height, paint, row_id, spoken, words,
};
use crate::gui::file_chooser::Wanted;
use crate::gui::theme;
use crate::gui::widgets::{Icon, icon_button};
use crate::show::{Command, EntryId, QueueEdit, QueueEntry, Snapshot};
use crate::time::MediaTime;

/// A drag this close to an edge scrolls, px.
const EDGE_PX: f32 = 14.0;
/// What a picture scrolls by then, px.
const SCROLL_PX: f32 = 5.0;

/// The pane.
#[derive(Debug, Default)]
pub(in crate::gui) struct QueuePanel {
    /// The track a finger drags.
    dragged: Option<EntryId>,
    /// The track that gets the focus once it is shown.
    to_focus: Option<EntryId>,
    /// The track that was moved by a key, and where it was: it is kept in sight once it is elsewhere.
    moved_from: Option<(EntryId, usize)>,
}

impl QueuePanel {
    /// Shows it; gives back the files it wants to be asked for.
    pub(in crate::gui) fn show(
        &mut self,
        ui: &mut Ui,
        seen: &Snapshot,
        wishes: &mut Vec<Command>,
    ) -> Option<Wanted> {
        let is_wide = ui.available_width() >= WIDE_PX;
        let wanted = head(ui, seen, is_wide, wishes);
        if !is_wide && !seen.queue.entries.is_empty() {
            ui.add(sum(&seen.queue.entries));
        }
        ui.spacing_mut().item_spacing.y = theme::GRID;
        let field = ui.available_rect_before_wrap();
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        ScrollArea::vertical().auto_shrink([false, false]).show_viewport(ui, |ui, in_sight| {
            self.list(ui, in_sight, seen, wishes);
        });
        if ui.input(|input| !input.raw.hovered_files.is_empty()) {
            let stroke = Stroke::new(1.0, theme::ACCENT);
            ui.painter().rect_stroke(field, theme::CORNER, stroke, StrokeKind::Inside);
        }
        wanted
    }

    fn list(&mut self, ui: &mut Ui, in_sight: Rect, seen: &Snapshot, wishes: &mut Vec<Command>) {
        let entries = &seen.queue.entries;
        let origin = ui.max_rect().min;
        let width = ui.available_width();
        let mut top = 0.0;
        if is_open(seen) {
            let rect = Rect::from_min_size(origin, Vec2::new(width, ROW_PX));
            heard(ui, rect, seen);
            top += ROW_PX;
        }
        if entries.is_empty() {
            let rect = Rect::from_min_size(origin + Vec2::new(0.0, top), Vec2::new(width, ROW_PX));
            let text = "Nothing follows. Drop music here, or press Add…";
            let at = rect.left_center() + Vec2::new(NUMBER_PX, 0.0);
            let job = cut(text, theme::words(theme::SMALL), width - NUMBER_PX, 1);
            words(ui, at, job, theme::TEXT_FAINT);
            ui.interact(rect, ui.scope_id().with("empty"), Sense::hover())
                .widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
            top += ROW_PX;
        }
        let mut rows = Vec::with_capacity(entries.len().min(64));
        let focused = ui.memory(egui::Memory::focused);
        for (number, entry) in entries.iter().enumerate() {
            let height = height(ui, entry, width);
            let rect = Rect::from_min_size(origin + Vec2::new(0.0, top), Vec2::new(width, height));
            let is_in_sight = top < in_sight.max.y && top + height > in_sight.min.y;
            // What has the focus keeps it, wherever it was scrolled to.
            let is_wanted = self.to_focus == Some(entry.id) || focused == Some(row_id(entry));
            if is_in_sight || is_wanted {
                self.row(ui, rect, (number, entries), wishes);
            }
            if is_in_sight {
                rows.push((number, rect));
            }
            top += height;
        }
        ui.allocate_rect(Rect::from_min_size(origin, Vec2::new(width, top)), Sense::hover());
        self.drop(ui, &rows, entries, wishes);
    }

    fn row(
        &mut self,
        ui: &mut Ui,
        rect: Rect,
        (number, entries): (usize, &[QueueEntry]),
        wishes: &mut Vec<Command>,
    ) {
        let entry = &entries[number];
        let response = ui.interact(rect, row_id(entry), Sense::click_and_drag());
        let name = spoken(number, entry);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        if self.to_focus == Some(entry.id) {
            self.to_focus = None;
            response.request_focus();
            response.scroll_to_me(None);
        }
        if self.moved_from.is_some_and(|(id, from)| id == entry.id && from != number) {
            self.moved_from = None;
            response.scroll_to_me(None);
        }
        if response.clicked() {
            response.request_focus();
        }
        if response.drag_started() {
            self.dragged = Some(entry.id);
        }
        if response.double_clicked() {
            wishes.push(Command::QueueEdit(QueueEdit::PlayNow(entry.id)));
        }
        self.row_keys(ui, &response, (number, entries), wishes);
        let is_at_hand = match self.dragged {
            Some(dragged) => dragged == entry.id,
            None => response.has_focus() || response.contains_pointer(),
        };
        paint(ui, rect, (number, entry), &response, is_at_hand);
        if is_at_hand && self.dragged.is_none() {
            let side = Vec2::splat(REMOVE_PX);
            let at = pos2(rect.right() - REMOVE_PX - 4.0, rect.top() + 0.5 * (ROW_PX - REMOVE_PX));
            let place = UiBuilder::new().max_rect(Rect::from_min_size(at, side));
            let remove = ui.scope_builder(place, |ui| {
                let name = format!("Remove {}", entry.title);
                icon_button(ui, Icon::Close, &name, true, REMOVE_PX)
                    .on_hover_text("Takes it out of the queue (Delete)")
            });
            if remove.inner.clicked() {
                wishes.push(Command::QueueEdit(QueueEdit::Remove(entry.id)));
            }
        }
        let help = format!(
            "{}\nDouble click or Enter: play now. Drag, or Alt-Up and Alt-Down: move. Delete: remove",
            entry.path.display()
        );
        response.context_menu(|ui| menu(ui, (number, entries), wishes));
        response.on_hover_text(help);
    }

    /// Enter plays, Delete removes, Alt and an arrow move; the arrows alone go from track to track.
    fn row_keys(
        &mut self,
        ui: &Ui,
        response: &Response,
        (number, entries): (usize, &[QueueEntry]),
        wishes: &mut Vec<Command>,
    ) {
        if !response.has_focus() {
            return;
        }
        let arrows = EventFilter { vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
        let id = entries[number].id;
        let above = number.checked_sub(1).map(|above| entries[above].id);
        let below = entries.get(number + 1).map(|entry| entry.id);
        let pressed = |modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
        if pressed(Modifiers::NONE, Key::Enter) {
            wishes.push(Command::QueueEdit(QueueEdit::PlayNow(id)));
        }
        if pressed(Modifiers::NONE, Key::Delete) || pressed(Modifiers::NONE, Key::Backspace) {
            wishes.push(Command::QueueEdit(QueueEdit::Remove(id)));
            self.to_focus = below.or(above);
        }
        if pressed(Modifiers::ALT, Key::ArrowUp) && above.is_some() {
            wishes.push(moved(id, above));
            self.moved_from = Some((id, number));
        }
        if pressed(Modifiers::ALT, Key::ArrowDown) && below.is_some() {
            wishes.push(moved(id, entries.get(number + 2).map(|entry| entry.id)));
            self.moved_from = Some((id, number));
        }
        if pressed(Modifiers::NONE, Key::ArrowUp) {
            self.to_focus = above;
        }
        if pressed(Modifiers::NONE, Key::ArrowDown) {
            self.to_focus = below;
        }
    }

    /// Marks where a dragged track would come, and puts it there.
    fn drop(
        &mut self,
        ui: &Ui,
        rows: &[(usize, Rect)],
        entries: &[QueueEntry],
        wishes: &mut Vec<Command>,
    ) {
        let Some(id) = self.dragged else { return };
        let pointer = ui.input(|input| input.pointer.latest_pos());
        let is_held = ui.input(|input| input.pointer.primary_down());
        let (Some(pointer), Some((first, top)), Some((last, bottom))) =
            (pointer, rows.first(), rows.last())
        else {
            self.dragged = None;
            return;
        };
        let below = rows.iter().find(|(_, rect)| pointer.y < rect.center().y);
        let (place, line) =
            below.map_or((last + 1, bottom.bottom()), |(number, rect)| (*number, rect.top()));
        if is_held {
            let painter = ui.painter();
            painter.hline(top.x_range(), line, Stroke::new(2.0, theme::ACCENT));
            let sight = ui.clip_rect();
            if pointer.y < sight.top() + EDGE_PX && *first > 0 {
                ui.scroll_with_delta(Vec2::new(0.0, SCROLL_PX));
            } else if pointer.y > sight.bottom() - EDGE_PX {
                ui.scroll_with_delta(Vec2::new(0.0, -SCROLL_PX));
            }
            return;
        }
        self.dragged = None;
        let before = entries.get(place).map(|entry| entry.id);
        let from = entries.iter().position(|entry| entry.id == id);
        // Before itself, or before the one after it, is where it is.
        if from.is_some_and(|from| place != from && place != from + 1) {
            wishes.push(moved(id, before));
        }
    }
}

fn moved(id: EntryId, before: Option<EntryId>) -> Command {
    Command::QueueEdit(QueueEdit::Move { id, before })
}

/// The buttons, and how much there is.
fn head(ui: &mut Ui, seen: &Snapshot, is_wide: bool, wishes: &mut Vec<Command>) -> Option<Wanted> {
    let queue = &seen.queue;
    let mut wanted = None;
    let small = |word: &str| RichText::new(word).size(theme::SMALL);
    ui.horizontal(|ui| {
        ui.spacing_mut().button_padding = Vec2::new(2.0 * theme::GRID, 2.0);
        ui.spacing_mut().interact_size.y = 24.0;
        ui.spacing_mut().item_spacing.x = theme::GRID;
        let is_live = seen.transport.live;
        let add = ui.add_enabled(!is_live, Button::new(small("Add…")));
        let add = add.accessible_name("Add to the queue…");
        if add.on_hover_text("Queues files, or all that a playlist names").clicked() {
            wanted = Some(Wanted::ToQueue);
        }
        let has_some = is_open(seen) && !is_live || !queue.entries.is_empty();
        let save = ui.add_enabled(has_some, Button::new(small("Save…")));
        let save = save.accessible_name("Save the queue…");
        let help = "Writes what is heard and all that follows to a playlist file (M3U8)";
        if save.on_hover_text(help).clicked() {
            wanted = Some(Wanted::PlaceOfQueue);
        }
        let clear = ui.add_enabled(!queue.entries.is_empty(), Button::new(small("Clear")));
        let clear = clear.accessible_name("Clear the queue");
        if clear.on_hover_text("Takes out all that follows; Undo puts it back").clicked() {
            wishes.push(Command::QueueEdit(QueueEdit::Clear));
        }
        if !queue.undo_act.is_empty() {
            let undo = ui.button(small("Undo")).accessible_name("Undo the change of the queue");
            let help = format!("Puts back what was taken out: {}", queue.undo_act);
            if undo.on_hover_text(help).clicked() {
                wishes.push(Command::QueueEdit(QueueEdit::Undo));
            }
        }
        if is_wide {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.add(sum(&queue.entries));
            });
        }
    });
    wanted
}

fn sum(entries: &[QueueEntry]) -> Label {
    let text = RichText::new(total(entries)).size(theme::SMALL).color(theme::TEXT_FAINT);
    Label::new(text).truncate()
}

/// What can be done with a track.
fn menu(ui: &mut Ui, (number, entries): (usize, &[QueueEntry]), wishes: &mut Vec<Command>) {
    let id = entries[number].id;
    let mut wish = None;
    if ui.button("Play now").on_hover_text("Leaves what is heard; the others stay").clicked() {
        wish = Some(Command::QueueEdit(QueueEdit::PlayNow(id)));
    }
    let first = entries.first().map(|entry| entry.id);
    let next = ui.add_enabled(number > 0, Button::new("Play next"));
    if next.on_hover_text("Moves it to the head of the queue").clicked() {
        wish = Some(moved(id, first));
    }
    if ui.button("Remove").on_hover_text("Takes it out of the queue (Delete)").clicked() {
        wish = Some(Command::QueueEdit(QueueEdit::Remove(id)));
    }
    if let Some(wish) = wish {
        wishes.push(wish);
        ui.close();
    }
}

fn is_open(seen: &Snapshot) -> bool {
    let transport = &seen.transport;
    transport.live || transport.path.is_some() || !transport.title.is_empty()
}

/// How many tracks there are, and how long they last as far as that is known.
fn total(entries: &[QueueEntry]) -> String {
    let seconds: f64 = entries.iter().filter_map(|e| e.duration).map(MediaTime::as_secs_f64).sum();
    let unknown = entries.iter().any(|entry| entry.duration.is_none());
    let tracks = match entries.len() {
        0 => return String::new(),
        1 => "1 track".to_owned(),
        many => format!("{many} tracks"),
    };
    if seconds <= 0.0 {
        return tracks;
    }
    let length = clock(MediaTime::from_secs_f64(seconds));
    format!("{tracks}, {length}{}", if unknown { " and more" } else { "" })
}

fn clock(length: MediaTime) -> String {
    let whole = length.as_secs_f64().max(0.0).round() as u64;
    match whole / 3600 {
        0 => format!("{}:{:02}", whole / 60, whole % 60),
        hours => format!("{hours}:{:02}:{:02}", whole / 60 % 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(title: &str, seconds: Option<f64>) -> QueueEntry {
        let duration = seconds.map(MediaTime::from_secs_f64);
        QueueEntry { title: title.into(), duration, ..QueueEntry::default() }
    }

    #[test]
    fn the_sum_says_what_is_not_known() {
        assert_eq!(total(&[]), "");
        assert_eq!(total(&[entry("a", None)]), "1 track");
        let both = [entry("a", Some(3_000.0)), entry("b", Some(723.4))];
        assert_eq!(total(&both), "2 tracks, 1:02:03");
        assert_eq!(total(&[entry("a", Some(61.0)), entry("b", None)]), "2 tracks, 1:01 and more");
    }
}
