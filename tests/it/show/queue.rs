//! The queue of a show: changed while it plays, opened in time, told with what the files say.

use std::path::{Path, PathBuf};

use galvo::show::snapshot::Severity;
use galvo::show::{Command, EntryId, EntryState, QueueEdit};

use super::scenario::{Performance, Scenario, wav};

/// Music of one loudness from beginning to end, which tells one file from another.
fn level(folder: &Path, name: &str, seconds: f64, level: f32) -> PathBuf {
    let path = folder.join(name);
    std::fs::rename(wav(folder, seconds, |_| level), &path).unwrap();
    path
}

/// The loudnesses that were heard one after the other, in tenths; the slopes of 5 ms at the beginning and the end are
/// none, and a gap would be a 0 among them.
fn levels(show: &Performance) -> Vec<u8> {
    let tenths = |sample: &f32| (sample * 100.0).round() as u8;
    let runs = show.heard().chunk_by(|one, next| tenths(one) == tenths(next));
    let mut heard: Vec<u8> =
        runs.filter(|run| run.len() > 64).map(|run| tenths(&run[0]).div_ceil(10)).collect();
    heard.dedup();
    heard
}

fn titles(show: &mut Performance) -> Vec<String> {
    show.snapshot().queue.entries.iter().map(|entry| entry.title.clone()).collect()
}

fn id_of(show: &mut Performance, title: &str) -> EntryId {
    let seen = show.snapshot();
    seen.queue.entries.iter().find(|entry| entry.title == title).unwrap().id
}

fn edit(show: &mut Performance, edit: QueueEdit) {
    show.tell(Command::QueueEdit(edit));
}

/// A show of `a.wav`, four seconds long, followed by `b.wav`, `c.wav` and `d.wav` of two.
fn four(folder: &Path) -> Performance {
    let first = level(folder, "a.wav", 4.0, 0.1);
    let mut show = Scenario::of(&first).begin();
    for (name, loud) in [("b.wav", 0.2), ("c.wav", 0.3), ("d.wav", 0.4)] {
        show.tell(Command::Queue(level(folder, name, 2.0, loud)));
    }
    show.run(0.5);
    show
}

#[test]
fn what_was_moved_and_removed_plays_in_the_new_order_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = four(folder.path());
    assert_eq!(titles(&mut show), ["b.wav", "c.wav", "d.wav"]);
    assert_eq!(show.snapshot().queue.entries[0].state, EntryState::Next);
    let (b, c, d) =
        (id_of(&mut show, "b.wav"), id_of(&mut show, "c.wav"), id_of(&mut show, "d.wav"));
    edit(&mut show, QueueEdit::Move { id: d, before: Some(b) });
    edit(&mut show, QueueEdit::Remove(b));
    assert_eq!(titles(&mut show), ["d.wav", "c.wav"]);
    assert_eq!(show.snapshot().queue.undo_act, "removed b.wav");
    show.run(4.0);
    assert_eq!(show.snapshot().transport.title, "d.wav");
    assert_eq!(titles(&mut show), ["c.wav"]);
    // What is heard is no part of the queue any more: a hand that comes late does nothing.
    edit(&mut show, QueueEdit::Remove(d));
    edit(&mut show, QueueEdit::Move { id: c, before: Some(d) });
    show.run(4.5);
    assert_eq!(levels(&show), [1, 4, 3, 0]);
    let seen = show.snapshot();
    assert!(seen.finished && seen.queue.entries.is_empty());
    assert_eq!(seen.audio.decoder_underruns, 0);
}

#[test]
fn clear_is_undone_with_every_entry_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = four(folder.path());
    let before: Vec<EntryId> = show.snapshot().queue.entries.iter().map(|entry| entry.id).collect();
    edit(&mut show, QueueEdit::Clear);
    let seen = show.snapshot();
    assert!(seen.queue.entries.is_empty() && seen.transport.queued == 0);
    assert_eq!(seen.queue.undo_act, "removed 3 tracks");
    edit(&mut show, QueueEdit::Undo);
    show.run(0.1);
    let seen = show.snapshot();
    let after: Vec<EntryId> = seen.queue.entries.iter().map(|entry| entry.id).collect();
    assert_eq!((after, seen.queue.undo_act.as_str()), (before, ""));
    show.run(10.0);
    assert_eq!(levels(&show), [1, 2, 3, 4, 0]);
}

#[test]
fn a_track_that_is_played_now_leaves_the_others_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = four(folder.path());
    let c = id_of(&mut show, "c.wav");
    edit(&mut show, QueueEdit::PlayNow(c));
    show.run(0.2);
    assert_eq!(show.snapshot().transport.title, "c.wav");
    assert_eq!(titles(&mut show), ["b.wav", "d.wav"]);
    // The next one is open already, and is only gone to.
    let b = id_of(&mut show, "b.wav");
    edit(&mut show, QueueEdit::PlayNow(b));
    show.run(0.2);
    assert_eq!(show.snapshot().transport.title, "b.wav");
    assert_eq!(titles(&mut show), ["d.wav"]);
    show.run(5.0);
    assert!(show.snapshot().finished);
}

#[test]
fn what_cannot_be_opened_says_so_in_its_place_and_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let first = level(folder.path(), "a.wav", 1.0, 0.1);
    let mut show = Scenario::of(&first).begin();
    show.tell(Command::Queue(folder.path().join("gone.wav")));
    show.tell(Command::Queue(level(folder.path(), "b.wav", 1.0, 0.2)));
    show.run(1.5);
    let seen = show.snapshot();
    assert_eq!((seen.transport.title.as_str(), seen.transport.queued), ("b.wav", 0));
    let [gone] = seen.queue.entries.as_slice() else { panic!("{:?}", seen.queue) };
    let EntryState::Trouble(why) = &gone.state else { panic!("{gone:?}") };
    assert!(why.contains("gone.wav") && why.contains("check the spelling"), "{why}");
    show.run(1.5);
    assert!(show.snapshot().finished, "a track that cannot be opened is not waited for");
    // Once it is there it can be played all the same.
    level(folder.path(), "gone.wav", 1.0, 0.3);
    let gone = id_of(&mut show, "gone.wav");
    edit(&mut show, QueueEdit::PlayNow(gone));
    show.run(0.2);
    assert_eq!(show.snapshot().transport.title, "gone.wav");
}

#[test]
fn a_file_that_is_opened_takes_the_place_of_the_queue_and_one_that_is_not_there_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = four(folder.path());
    show.tell(Command::Open(folder.path().join("gone.wav")));
    show.run(0.1);
    assert_eq!(show.snapshot().transport.title, "a.wav");
    assert_eq!(titles(&mut show), ["b.wav", "c.wav", "d.wav"]);
    show.tell(Command::Open(folder.path().join("d.wav")));
    show.run(0.1);
    assert_eq!(show.snapshot().transport.title, "d.wav");
    assert!(titles(&mut show).is_empty());
    show.run(3.0);
    assert!(show.snapshot().finished, "nothing of the old queue follows");
}

#[test]
fn a_playlist_is_opened_queued_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let first = level(folder.path(), "a.wav", 4.0, 0.1);
    level(folder.path(), "b.wav", 2.0, 0.2);
    level(folder.path(), "c.wav", 2.0, 0.3);
    let list = folder.path().join("set.m3u");
    std::fs::write(&list, "#EXTM3U\n#EXTINF:2,Band - Second\nb.wav\nnowhere.wav\nc.wav\n").unwrap();
    let mut show = Scenario::of(&first).begin();
    show.tell(Command::Queue(list.clone()));
    show.run(0.1);
    assert_eq!(titles(&mut show), ["Band - Second", "nowhere.wav", "c.wav"]);
    let saved = folder.path().join("saved.m3u8");
    edit(&mut show, QueueEdit::Save(saved.clone()));
    show.run(0.05);
    let text = std::fs::read_to_string(&saved).unwrap();
    let places: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(places, ["a.wav", "b.wav", "nowhere.wav", "c.wav"]);

    show.tell(Command::Open(list));
    show.run(0.3);
    assert_eq!(show.snapshot().transport.title, "b.wav");
    assert_eq!(titles(&mut show), ["nowhere.wav", "c.wav"]);
    show.tell(Command::Open(folder.path().join("none.m3u8")));
    let seen = show.snapshot();
    let told = seen.notices.last().unwrap();
    assert!(told.severity == Severity::Error && told.text.contains("none.m3u8"), "{told:?}");
    assert_eq!(titles(&mut show), ["nowhere.wav", "c.wav"], "a list that is none changes nothing");
}

#[test]
fn lengths_and_troubles_of_waiting_tracks_are_read_beside_the_show() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = four(folder.path());
    show.tell(Command::Queue(folder.path().join("gone.wav")));
    // The files are read on a real thread, which virtual time does not wait for.
    let is_known = |show: &mut Performance| {
        let seen = show.snapshot();
        let known = seen.queue.entries.iter().filter(|entry| entry.duration.is_some()).count();
        let trouble = |entry: &&_| {
            matches!(entry, galvo::show::QueueEntry { state: EntryState::Trouble(_), .. })
        };
        known == 3 && seen.queue.entries.iter().filter(trouble).count() == 1
    };
    while !is_known(&mut show) {
        std::thread::yield_now();
    }
    let seen = show.snapshot();
    assert_eq!(seen.queue.entries[1].duration.unwrap().as_secs_f64(), 2.0);
    assert_eq!(seen.notices_made, 0, "the row says it, and nothing else");
    let again = show.snapshot();
    assert!(std::sync::Arc::ptr_eq(&seen.queue, &again.queue), "made anew only when it changed");
}
