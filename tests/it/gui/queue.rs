//! The Queue pane, and where dropped and chosen files go.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, Pos2};
use egui_kittest::kittest::Queryable;
use galvo::gui::{FileChooser, Wanted};
use galvo::show::{Command, EntryId, EntryState, QueueEdit, QueueEntry, QueueView};

use super::{Window, seconds};

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("only the path matters".into())
    }
}

/// Four tracks that follow, one of which is gone.
pub(super) fn four() -> QueueView {
    let entry = |id: u64, title: &str, artist: Option<&str>, length: f64| QueueEntry {
        id: EntryId(id),
        title: title.into(),
        artist: artist.map(Into::into),
        duration: (length > 0.0).then(|| seconds(length)),
        path: format!("/music/{title}.flac").into(),
        state: EntryState::Waiting,
    };
    let mut entries = vec![
        entry(11, "Arrival", Some("The Example Band"), 215.0),
        entry(12, "Harbour Lights", Some("Northern Line"), 184.0),
        entry(13, "03 Late.flac", None, 0.0),
        entry(14, "Afterglow", Some("The Example Band"), 402.0),
    ];
    entries[0].state = EntryState::Next;
    let why = "There is no file /music/03 Late.flac: check the spelling and the folder.";
    entries[2].state = EntryState::Trouble(why.into());
    QueueView { entries, undo_act: String::new() }
}

fn queue() -> Window {
    queue_with(FileChooser::asking(|| None))
}

fn queue_with(chooser: FileChooser) -> Window {
    let mut window = Window::of([1280.0, 800.0], chooser);
    window.desk.state().seen.queue = Arc::new(four());
    window.h.get_by_role_and_label(Role::Tab, "Queue").click();
    window.h.run_steps(3);
    window.h.check_accessibility();
    window
}

const FIRST: &str = "1. Arrival, The Example Band";
const SECOND: &str = "2. Harbour Lights, Northern Line";

impl Window {
    fn focus_row(&mut self, label: &str) {
        self.h.get_by_role_and_label(Role::Button, label).focus();
        self.h.run_steps(2);
    }

    fn edits(&self) -> Vec<QueueEdit> {
        let edit = |command| match command {
            Command::QueueEdit(edit) => edit,
            other => panic!("{other:?}"),
        };
        self.sent().into_iter().map(edit).collect()
    }

    fn drop_files(&mut self, names: &[&str]) {
        for name in names {
            self.h.input_mut().dropped_files.push(Arc::new(Dropped(PathBuf::from(name))));
        }
        self.h.run_steps(2);
    }
}

fn moved(id: u64, before: Option<u64>) -> QueueEdit {
    QueueEdit::Move { id: EntryId(id), before: before.map(EntryId) }
}

#[test]
fn the_queue_is_changed_from_the_keyboard() {
    let mut window = queue();
    window.focus_row(SECOND);
    window.press(Modifiers::ALT, Key::ArrowUp);
    assert_eq!(window.edits(), [moved(12, Some(11))]);
    window.focus_row(FIRST);
    window.press(Modifiers::ALT, Key::ArrowDown);
    assert_eq!(window.edits(), [moved(11, Some(13))]);
    window.press(Modifiers::NONE, Key::ArrowDown);
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.edits(), [QueueEdit::PlayNow(EntryId(12))], "the arrow went to the next row");
    window.press(Modifiers::NONE, Key::Delete);
    assert_eq!(window.edits(), [QueueEdit::Remove(EntryId(12))]);
    // The focus goes to the row that follows it.
    window.press(Modifiers::NONE, Key::Delete);
    assert_eq!(window.edits(), [QueueEdit::Remove(EntryId(13))]);
}

#[test]
fn a_row_is_dragged_to_another_place_and_played_by_a_double_click() {
    let mut window = queue();
    let (from, to) = (window.rect(Role::Button, FIRST), window.rect(Role::Button, SECOND));
    window.pointer(from.center(), true);
    for step in 1..=6 {
        let at = from.center() + (to.center_bottom() - from.center()) * (step as f32 / 6.0);
        window.h.event(Event::PointerMoved(at - egui::vec2(0.0, 2.0)));
        window.h.run_steps(1);
    }
    window.pointer(to.center_bottom() - egui::vec2(0.0, 2.0), false);
    window.h.run_steps(2);
    assert_eq!(window.edits(), [moved(11, Some(13))]);
    window.wait(0.6);
    let to = window.rect(Role::Button, SECOND);
    for _ in 0..2 {
        window.pointer(to.center(), true);
        window.pointer(to.center(), false);
    }
    assert_eq!(window.edits(), [QueueEdit::PlayNow(EntryId(12))]);
}

#[test]
fn a_row_that_was_clicked_has_the_keys_and_stays_in_sight_as_it_is_moved() {
    let mut window = queue();
    let entries = (0..100).map(|id| QueueEntry {
        id: EntryId(id),
        title: format!("Track {id}"),
        ..QueueEntry::default()
    });
    let mut view = QueueView { entries: entries.collect(), undo_act: String::new() };
    window.desk.state().seen.queue = Arc::new(view.clone());
    window.h.run_steps(2);
    let row = window.rect(Role::Button, "2. Track 1").center();
    window.pointer(row, true);
    window.pointer(row, false);
    window.press(Modifiers::ALT, Key::ArrowDown);
    assert_eq!(window.edits(), [moved(1, Some(3))]);
    // The show takes its time, and something else moved it far away.
    window.wait(0.1);
    let far = view.entries.remove(1);
    view.entries.insert(60, far);
    window.desk.state().seen.queue = Arc::new(view);
    window.wait(1.0);
    let list = window.rect(Role::Button, "61. Track 1");
    let head = window.rect(Role::Button, "Clear the queue");
    assert!(list.top() > head.bottom() && list.bottom() < 600.0, "{list:?}");
    window.press(Modifiers::NONE, Key::Delete);
    assert_eq!(window.edits(), [QueueEdit::Remove(EntryId(1))]);
}

#[test]
fn a_row_is_removed_by_its_button_and_all_by_clear_and_both_can_be_undone() {
    let mut window = queue();
    let row = window.rect(Role::Button, SECOND);
    window.h.event(Event::PointerMoved(row.center()));
    window.h.run_steps(2);
    window.click("Remove Harbour Lights");
    window.click("Clear the queue");
    assert_eq!(window.edits(), [QueueEdit::Remove(EntryId(12)), QueueEdit::Clear]);
    assert!(window.h.query_by_label("Undo the change of the queue").is_none());
    let undo_act = "removed 4 tracks".to_owned();
    window.desk.state().seen.queue = Arc::new(QueueView { entries: Vec::new(), undo_act });
    window.h.run_steps(2);
    assert!(window.h.query_by_label_contains("Nothing follows").is_some());
    window.click("Undo the change of the queue");
    assert_eq!(window.edits(), [QueueEdit::Undo]);
}

#[test]
fn what_cannot_be_opened_says_why_in_its_row() {
    let window = queue();
    let row = window.h.get_by_label_contains("3. 03 Late.flac: There is no file");
    assert!(row.rect().height() > window.rect(Role::Button, FIRST).height() + 8.0);
}

#[test]
fn files_are_added_and_the_queue_is_saved_through_the_dialog() {
    let asked = |wanted| match wanted {
        Wanted::ToQueue => vec!["/music/a.flac".into(), "/music/set.m3u8".into()],
        Wanted::PlaceOfQueue => vec!["/lists/q.m3u8".into()],
        Wanted::ToOpen | Wanted::FolderOfRecordings => panic!("it is of the queue"),
    };
    let mut window = queue_with(FileChooser::asking_for(asked));
    let mut answered = |button: &str| {
        window.click(button);
        let mut sent = window.sent();
        // The chooser answers from its own thread, whenever that runs.
        while sent.is_empty() {
            std::thread::yield_now();
            window.h.step();
            sent = window.sent();
        }
        sent
    };
    let queued = |path: &str| Command::Queue(path.into());
    let both = [queued("/music/a.flac"), queued("/music/set.m3u8")];
    assert_eq!(answered("Add to the queue…"), both);
    let saved = QueueEdit::Save("/lists/q.m3u8".into());
    assert_eq!(answered("Save the queue…"), [Command::QueueEdit(saved)]);
}

#[test]
fn one_dropped_file_plays_several_queue_and_shift_or_the_pane_queues_one() {
    let mut window = queue();
    window.h.event(Event::PointerMoved(Pos2::new(640.0, 300.0)));
    window.drop_files(&["/a", "/b"]);
    let queued = |path: &str| Command::Queue(path.into());
    assert_eq!(window.sent(), [queued("/a"), queued("/b")]);
    window.h.event(Event::ModifiersChanged(Modifiers::SHIFT));
    window.drop_files(&["/c"]);
    assert_eq!(window.sent(), [queued("/c")]);
    window.h.event(Event::ModifiersChanged(Modifiers::NONE));
    let pane = window.rect(Role::Button, FIRST).center();
    window.h.event(Event::PointerMoved(pane));
    window.h.run_steps(1);
    window.drop_files(&["/d"]);
    assert_eq!(window.sent(), [queued("/d")]);
    window.h.event(Event::PointerMoved(Pos2::new(640.0, 300.0)));
    window.drop_files(&["/e"]);
    assert_eq!(window.sent(), [Command::Open("/e".into())]);
    {
        let transport = &mut window.desk.state().seen.transport;
        (transport.path, transport.title) = (None, String::new());
    }
    window.drop_files(&["/f", "/g", "/h"]);
    assert_eq!(window.sent(), [Command::Open("/f".into()), queued("/g"), queued("/h")]);
}

#[test]
fn a_queue_of_ten_thousand_is_scrolled_like_one_of_ten() {
    let mut window = queue();
    let entries = (0..10_000).map(|id| QueueEntry {
        id: EntryId(id),
        title: format!("Track {id}"),
        ..QueueEntry::default()
    });
    let view = QueueView { entries: entries.collect(), undo_act: String::new() };
    window.desk.state().seen.queue = Arc::new(view);
    window.h.run_steps(2);
    let rows = window.h.query_all_by_label_contains(". Track").count();
    assert!((2..40).contains(&rows), "{rows} rows are laid out");
    window.focus_row("1. Track 0");
    for _ in 0..12 {
        window.press(Modifiers::NONE, Key::ArrowDown);
    }
    window.h.run_steps(20);
    window.press(Modifiers::NONE, Key::Delete);
    assert_eq!(window.edits(), [QueueEdit::Remove(EntryId(12))]);
}
