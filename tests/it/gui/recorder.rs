//! The recorder on the desk: recording, rendering, the folder; by hand and by key.

use std::path::PathBuf;
use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use galvo::format::FileKind;
use galvo::gui::{App, FileChooser, Wanted};
use galvo::show::recorder::{MadeFile, RenderingView};
use galvo::show::snapshot::ProjectorView;
use galvo::show::{Command, RecorderWish};

use super::Window;

fn recorder() -> Window {
    let mut window = Window::new();
    window.open_tab("Recorder");
    window.h.check_accessibility();
    window
}

fn wishes(window: &Window) -> Vec<RecorderWish> {
    let wish = |command| match command {
        Command::Recorder(wish) => wish,
        other => panic!("{other:?}"),
    };
    window.sent().into_iter().map(wish).collect()
}

fn start(projector: Option<&str>, kind: FileKind) -> RecorderWish {
    RecorderWish::Start { projector: projector.map(str::to_owned), kind }
}

#[test]
fn a_recording_is_begun_watched_and_ended() {
    let mut window = recorder();
    window.click("Record");
    assert_eq!(wishes(&window), [start(None, FileKind::Ilda)]);
    {
        let recording = &mut window.desk.state().seen.recorder.recording;
        let recording = recording.as_mut().unwrap();
        (recording.elapsed_s, recording.bytes, recording.frames) = (72.0, 2_900_000, 1_800);
    }
    window.h.run_steps(2);
    window.h.check_accessibility();
    assert!(window.h.query_by_label_contains("2.9 MB · 1800 frames · lost 0").is_some());
    assert!(window.h.query_all_by_label("1:12").count() >= 1);
    window.click("End recording");
    assert_eq!(wishes(&window), [RecorderWish::Stop]);
    assert!(window.h.query_by_label("Record").is_some());
}

#[test]
fn one_projector_is_recorded_as_rows() {
    let mut window = recorder();
    let projector = ProjectorView { name: "sim:2".into(), ..ProjectorView::default() };
    window.desk.state().seen.projectors.push(projector);
    window.h.run_steps(2);
    for (choice, one) in [("Record as", "CSV .csv"), ("Recorded projector", "sim:2")] {
        window.h.get_by_role_and_label(Role::ComboBox, choice).click();
        window.h.run_steps(3);
        window.click(one);
    }
    window.click("Record");
    assert_eq!(wishes(&window), [start(Some("sim:2"), FileKind::Csv)]);
    window.click("End recording");
    wishes(&window);
    // It left the show: then everyone who is there is recorded.
    window.desk.state().seen.projectors.pop();
    window.h.run_steps(2);
    window.click("Record");
    assert_eq!(wishes(&window), [start(None, FileKind::Csv)]);
}

#[test]
fn the_key_records_and_ends_whether_the_pane_is_seen_or_not() {
    let mut window = Window::new();
    for wish in [start(None, FileKind::Ilda), RecorderWish::Stop] {
        window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::R);
        assert_eq!(wishes(&window), [wish]);
    }
    window.press(Modifiers::NONE, Key::R);
    assert!(matches!(window.sent()[..], [Command::Beat(_)]), "R alone is the beat's");
}

#[test]
fn a_rendering_tells_how_far_it_is_and_is_cancelled() {
    let mut window = recorder();
    window.h.get_by_role_and_label(Role::ComboBox, "Render as").click();
    window.h.run_steps(3);
    window.click("GIF .gif");
    window.click("Render");
    assert_eq!(wishes(&window), [RecorderWish::Render(FileKind::Gif)]);
    let name = "night-drive - Lissajous.gif".to_owned();
    window.desk.state().seen.recorder.rendering =
        Some(RenderingView { name, share: 0.42, left_s: Some(31.0) });
    window.h.run_steps(2);
    window.h.check_accessibility();
    assert!(window.h.query_by_label("42 % · 0:31 left").is_some());
    window.click("Cancel rendering");
    assert_eq!(wishes(&window), [RecorderWish::CancelRender]);
    assert!(window.h.query_by_label("Render").is_some());
}

#[test]
fn a_live_input_is_recorded_and_not_rendered() {
    let mut window = recorder();
    window.desk.state().seen.transport.live = true;
    window.h.run_steps(2);
    window.click("Render");
    window.click("Record");
    assert_eq!(wishes(&window), [start(None, FileKind::Ilda)]);
}

#[test]
fn what_was_made_is_listed_newest_first_with_why_it_ended() {
    let mut window = recorder();
    let file = |name: &str, why: Option<&str>| MadeFile {
        path: PathBuf::from("/shows").join(name),
        bytes: 524_000_000,
        seconds: 2_621.0,
        ended_early: why.map(str::to_owned),
    };
    let made = [file("a.ild", None), file("b.ild", Some("the disk is full"))];
    window.desk.state().seen.recorder.made = Arc::new(made);
    window.wait(0.2);
    let top = |window: &Window, label| window.h.get_by_label(label).rect().top();
    assert!(top(&window, "b.ild") < top(&window, "a.ild"));
    assert!(window.h.query_by_label("ended early").is_some());
    assert_eq!(window.h.query_all_by_label("43:41 · 524.0 MB").count(), 2);
}

#[test]
fn another_folder_is_chosen_and_remembered() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("desk.toml");
    std::fs::write(&file, "safety_notes_read = true").unwrap();
    let open = || {
        let file = file.clone();
        let chooser = FileChooser::asking_for(|wanted| {
            assert_eq!(wanted, Wanted::FolderOfRecordings);
            vec![PathBuf::from("/media/stick")]
        });
        Window::over([1280.0, 800.0], |desk| App::new(desk, chooser).remembered_in(file))
    };
    let mut window = open();
    window.open_tab("Recorder");
    window.reach("Change the folder");
    let mut sent = wishes(&window);
    // The dialog answers on a thread of its own.
    for _ in 0..5_000 {
        if !sent.is_empty() {
            break;
        }
        window.h.run_steps(1);
        sent = wishes(&window);
    }
    let folder = [RecorderWish::Folder("/media/stick".into())];
    assert_eq!(sent, folder);
    // The wish is obeyed by the next picture.
    window.h.run_steps(2);
    assert!(window.h.query_by_label("/media/stick").is_some());
    window.wait(1.5);
    drop(window);
    assert_eq!(wishes(&open()), folder, "the next show begins with it");
}

/// Pictures to look at while the looks are worked on: `GALVO_LOOKS=folder`.
#[test]
#[ignore = "writes pictures to the folder in GALVO_LOOKS"]
fn looks_of_the_recorder() {
    let folder = PathBuf::from(std::env::var("GALVO_LOOKS").unwrap());
    for (size, name) in [([1280.0, 800.0], "1280"), ([1920.0, 1080.0], "1920")] {
        let mut window = Window::of(size, FileChooser::asking(|| None));
        window.open_tab("Recorder");
        let save = |window: &mut Window, what: &str| {
            window.h.remove_cursor();
            window.wait(0.2);
            let file = folder.join(format!("{name}-recorder-{what}.png"));
            window.h.render().unwrap().save(file).unwrap();
        };
        save(&mut window, "idle");
        window.click("Record");
        window.click("Render");
        {
            let recorder = &mut window.desk.state().seen.recorder;
            let recording = recorder.recording.as_mut().unwrap();
            (recording.elapsed_s, recording.bytes, recording.frames) = (72.0, 2_900_000, 1_800);
            let rendering = recorder.rendering.as_mut().unwrap();
            (rendering.share, rendering.left_s) = (0.42, Some(31.0));
            recorder.made = Arc::new([MadeFile {
                path: "/home/dj/Videos/galvo/galvo-2026-11-21-221512.ild".into(),
                bytes: 52_400_000,
                seconds: 262.0,
                ended_early: None,
            }]);
        }
        save(&mut window, "at-work");
        window.open_tab("Health");
        save(&mut window, "health");
    }
}
