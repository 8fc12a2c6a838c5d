//! A disk that does not answer: it holds no other kind of file, no picture and no stop; it is told; and what it says
//! late does not undo what was wished meanwhile.

use std::fs;
use std::path::{Path, PathBuf};

use galvo::path::Mounting;
use galvo::show::disk::DiskWait;
use galvo::show::snapshot::Severity;
use galvo::show::{Command, EntryState, QueueEdit};

use super::scenario::{Performance, Scenario, is_lit, wav};
use super::{REACTION_S, circle};

fn tone(folder: &Path, name: &str, seconds: f64) -> PathBuf {
    let path = folder.join(name);
    fs::rename(wav(folder, seconds, |n| (n as f32 * 0.05).sin() * 0.3), &path).unwrap();
    path
}

/// A lit show of `a.wav`; what is remembered of its projectors goes to `projectors.toml` and `rig.toml`.
fn lit_show(folder: &Path) -> Performance {
    let music = tone(folder, "a.wav", 60.0);
    let mut show = Scenario::of(&music)
        .preset(circle(0.6))
        .preset_folder(&folder.join("presets"))
        .mountings(&folder.join("projectors.toml"))
        .rig_file(&folder.join("rig.toml"))
        .begin()
        .armed();
    show.run(0.5);
    show
}

fn told(show: &mut Performance, words: &str) -> usize {
    show.snapshot().notices.iter().filter(|notice| notice.text.contains(words)).count()
}

fn title(show: &mut Performance) -> String {
    show.snapshot().transport.title.clone()
}

fn titles(show: &mut Performance) -> Vec<String> {
    show.snapshot().queue.entries.iter().map(|entry| entry.title.clone()).collect()
}

fn invert(show: &mut Performance, invert_x: bool) {
    let mounting = Mounting { invert_x, ..Mounting::default() };
    show.tell(Command::SetMounting { projector: "sim:0".into(), mounting });
}

/// The picture goes on, the light too, and a stop is obeyed at once.
fn goes_on_and_stops(show: &mut Performance) {
    let (from, before) = (show.now(), show.snapshot().transport.position);
    show.run(2.0);
    let moved = show.snapshot().transport.position.secs_since(before);
    assert!((moved - 2.0).abs() < 0.05, "{moved}");
    let lit = show.shown_between(0, from, show.now()).iter().filter(|s| is_lit(s)).count();
    assert!(lit > 20_000, "{lit}");
    show.tell(Command::Stop);
    let dark_from = show.now().plus_secs_f64(REACTION_S);
    show.run(0.5);
    assert!(!show.shown_between(0, dark_from, show.now()).iter().any(is_lit));
}

#[test]
fn a_track_that_hangs_holds_nothing_and_its_wait_is_told_shown_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = lit_show(folder.path());
    let b = tone(folder.path(), "b.wav", 5.0);
    show.disk.hang("music");
    show.tell(Command::Open(b.clone()));
    show.run(0.9);
    assert_eq!(show.snapshot().transport.opening.as_deref(), Some("b.wav"));
    assert!(show.snapshot().disk_waits.is_empty(), "not yet worth a word");
    show.run(2.2);
    let what = format!("opening {}", b.display());
    let waits = show.snapshot().disk_waits.clone();
    assert_eq!(waits, [DiskWait { what: what.clone(), seconds: 3 }]);
    assert_eq!(told(&mut show, &format!("{what}: the disk has not answered for 1 s")), 1);
    invert(&mut show, true);
    show.run(0.05);
    let text = fs::read_to_string(folder.path().join("projectors.toml")).unwrap();
    assert!(text.contains("invert_x = true"), "settings do not wait for music: {text}");
    assert_eq!(title(&mut show), "a.wav");
    goes_on_and_stops(&mut show);
    show.disk.answer();
    show.run(0.1);
    assert_eq!(title(&mut show), "b.wav");
    assert!(show.snapshot().disk_waits.is_empty());
    assert_eq!(told(&mut show, &format!("{what}: the disk has answered after 5 s")), 1);
}

#[test]
fn the_late_answer_to_an_older_wish_does_not_take_the_place_of_a_newer_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = lit_show(folder.path());
    for name in ["b.wav", "c.wav"] {
        tone(folder.path(), name, 20.0);
    }
    show.disk.hang("b.wav");
    show.tell(Command::Open(folder.path().join("b.wav")));
    show.run(1.5);
    show.tell(Command::Open(folder.path().join("c.wav")));
    show.run(0.1);
    assert_eq!(title(&mut show), "c.wav", "one hung path holds no other file");
    show.disk.answer();
    show.run(0.5);
    assert_eq!(title(&mut show), "c.wav");
    assert_eq!(show.snapshot().transport.opening, None);
}

#[test]
fn of_many_tracks_asked_for_while_the_disk_hangs_the_last_one_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = lit_show(folder.path());
    let names: Vec<String> = (0..40).map(|k| format!("{k:02}.wav")).collect();
    let first = tone(folder.path(), &names[0], 20.0);
    for name in &names[1..] {
        fs::copy(&first, folder.path().join(name)).unwrap();
    }
    show.disk.hang("music");
    for name in &names {
        show.tell(Command::Open(folder.path().join(name)));
        show.run(0.05);
    }
    assert_eq!(title(&mut show), "a.wav");
    show.disk.answer();
    show.run(0.2);
    assert_eq!(title(&mut show), "39.wav");
    assert_eq!(told(&mut show, "is not begun"), 0);
}

#[test]
fn a_list_that_hangs_keeps_its_place_in_the_queue_and_what_follows_plays_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = lit_show(folder.path());
    for name in ["b.wav", "c.wav", "d.wav"] {
        tone(folder.path(), name, 2.0);
    }
    let list = folder.path().join("set.m3u");
    fs::write(&list, "b.wav\nc.wav\n").unwrap();
    show.disk.hang("set.m3u");
    show.tell(Command::Queue(list.clone()));
    show.tell(Command::Queue(folder.path().join("d.wav")));
    show.run(1.5);
    assert_eq!(titles(&mut show), ["set.m3u", "d.wav"]);
    let states: Vec<_> =
        show.snapshot().queue.entries.iter().map(|entry| entry.state.clone()).collect();
    assert_eq!(states, [EntryState::Opening, EntryState::Next]);
    show.disk.answer();
    show.run(0.1);
    assert_eq!(titles(&mut show), ["b.wav", "c.wav", "d.wav"]);
    assert_eq!(show.snapshot().queue.entries[0].state, EntryState::Next, "in its turn again");
    // Removed while it hangs it stays away; taken back it is read anew.
    show.disk.hang("set.m3u");
    show.tell(Command::Queue(list));
    show.run(0.1);
    let id = show.snapshot().queue.entries[3].id;
    show.tell(Command::QueueEdit(QueueEdit::Remove(id)));
    show.disk.answer();
    show.run(0.1);
    assert_eq!(titles(&mut show), ["b.wav", "c.wav", "d.wav"]);
    show.tell(Command::QueueEdit(QueueEdit::Undo));
    show.run(0.1);
    assert_eq!(titles(&mut show), ["b.wav", "c.wav", "d.wav", "b.wav", "c.wav"]);
}

#[test]
fn the_next_track_is_gone_to_once_though_it_was_being_opened_when_it_was_wished_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = lit_show(folder.path());
    show.disk.hang("music");
    for name in ["b.wav", "c.wav"] {
        show.tell(Command::Queue(tone(folder.path(), name, 20.0)));
    }
    show.run(0.1);
    show.tell(Command::NextTrack);
    show.run(0.1);
    show.disk.answer();
    show.run(0.3);
    assert_eq!((title(&mut show), titles(&mut show)), ("b.wav".into(), vec!["c.wav".into()]));
}

#[test]
fn settings_that_hang_hold_no_music_the_newest_is_written_and_the_end_names_what_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = lit_show(folder.path());
    let b = tone(folder.path(), "b.wav", 20.0);
    let file = folder.path().join("projectors.toml");
    show.disk.hang("settings");
    for turn in 0..100 {
        invert(&mut show, turn % 2 == 0);
        show.run(0.02);
    }
    show.tell(Command::AddProjector { uri: "sim:?ppm=1".into() });
    show.tell(Command::Open(b));
    show.run(1.2);
    assert_eq!(title(&mut show), "b.wav");
    assert!(!file.exists() && !folder.path().join("rig.toml").exists());
    let waits: Vec<_> = show.snapshot().disk_waits.iter().map(|wait| wait.what.clone()).collect();
    let [oldest, rig, newest] = waits.as_slice() else { panic!("{waits:?}") };
    assert!(oldest.contains("projectors.toml") && rig.contains("rig.toml") && oldest == newest);
    goes_on_and_stops(&mut show);
    show.disk.answer();
    show.run(0.1);
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("invert_x = true"), "the newest: {text}");
    assert!(folder.path().join("rig.toml").exists());
    invert(&mut show, true);
    show.run(0.1);
    show.disk.hang("settings");
    invert(&mut show, false);
    let report = show.finish();
    assert_eq!(report.not_written, [format!("writing {}", file.display())]);
}

#[test]
fn what_is_owed_at_the_end_is_written_then() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = lit_show(folder.path());
    invert(&mut show, true);
    let list = folder.path().join("kept.m3u8");
    show.tell(Command::QueueEdit(QueueEdit::Save(list.clone())));
    let report = show.finish();
    assert!(report.not_written.is_empty() && list.exists());
    assert!(folder.path().join("projectors.toml").exists());
}

#[test]
fn a_folder_that_refuses_settings_is_told_of_with_its_cure() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = lit_show(folder.path());
    fs::create_dir(folder.path().join("projectors.toml")).unwrap();
    invert(&mut show, true);
    show.run(0.1);
    let seen = show.snapshot();
    let notice = seen.notices.last().unwrap();
    assert_eq!(notice.severity, Severity::Warning);
    assert!(notice.text.contains("is not remembered") && notice.text.contains("make room"));
    assert!(seen.projectors[0].mounting.invert_x, "and holds for this show");
}

#[test]
fn a_folder_of_presets_that_hangs_holds_no_edit_no_music_and_no_stop() {
    let folder = tempfile::tempdir().unwrap();
    let presets = folder.path().join("presets");
    let mut show = lit_show(folder.path());
    let b = tone(folder.path(), "b.wav", 20.0);
    show.disk.hang("presets");
    let radius = |value: f32| Command::SetParam { name: "radius".into(), value };
    show.tell(radius(0.5));
    show.tell(Command::SavePreset);
    show.run(1.5);
    let seen = show.snapshot();
    assert!(seen.preset.changed && seen.preset.saving);
    let waits: Vec<_> = seen.disk_waits.iter().map(|wait| wait.what.as_str()).collect();
    assert!(waits.iter().any(|what| what.contains("saving Circle 0.6")), "{waits:?}");
    show.tell(radius(0.3));
    show.tell(Command::NewPreset { name: "Star".into(), generator: "star".into() });
    show.tell(Command::Open(b));
    show.run(0.2);
    let seen = show.snapshot();
    assert_eq!((seen.preset.name.as_str(), seen.transport.title.as_str()), ("Star", "b.wav"));
    assert!(seen.presets.iter().any(|entry| entry.name == "Star" && entry.saving));
    goes_on_and_stops(&mut show);
    assert!(!presets.exists());
    show.disk.answer();
    show.run(0.7);
    let seen = show.snapshot();
    let of = |name: &str| seen.presets.iter().find(|entry| entry.name == name).unwrap();
    assert!(of("Circle 0.6").changed, "it was changed after it was saved");
    assert!(!of("Circle 0.6").saving && !of("Star").saving && !seen.preset.changed);
    assert!(seen.disk_waits.is_empty());
    let text = fs::read_to_string(presets.join("circle-0-6.toml")).unwrap();
    assert!(text.contains("radius = 0.5"), "as it was when that was wished for: {text}");
    assert_eq!(told(&mut show, "saved "), 1);
    // What is wished for at the end and hangs is named.
    show.disk.hang("presets");
    show.tell(Command::DeletePreset("Star".into()));
    let report = show.finish();
    assert!(report.not_written[0].starts_with("deleting Star"), "{:?}", report.not_written);
}

#[test]
fn a_look_at_presets_that_hangs_is_one_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = lit_show(folder.path());
    show.disk.hang("looking for presets");
    show.run(5.0);
    assert_eq!(show.snapshot().disk_waits.len(), 1);
    assert_eq!(told(&mut show, "looking for presets"), 1);
    show.disk.answer();
    show.run(0.1);
    assert!(show.snapshot().disk_waits.is_empty());
    assert!(show.finish().not_written.is_empty());
}
