//! Finding, adding and removing projectors in the pane Projectors.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, Pos2, Rect, vec2};
use egui_kittest::kittest::Queryable;
use galvo::gui::FileChooser;
use galvo::show::Command;
use galvo::show::snapshot::{FoundView, RefusedView};

use super::Window;

const PROJECTOR: &str = "etherdream://192.168.1.40";
const DREAM: &str = "ether-dream://192.168.1.41";

fn add(uri: &str) -> Command {
    Command::AddProjector { uri: uri.into() }
}

fn remove(uri: &str) -> Command {
    Command::RemoveProjector { projector: uri.into() }
}

fn found() -> Arc<[FoundView]> {
    let one = |uri: Option<&str>, label: &str, trouble: Option<&str>, in_show| FoundView {
        uri: uri.map(str::to_owned),
        label: label.into(),
        trouble: trouble.map(str::to_owned),
        in_show,
    };
    [
        one(Some(PROJECTOR), "Ether Dream 0a1b2c (00:04:a3:0a:1b:2c)", None, true),
        one(Some(DREAM), "Ether Dream 040506 (00:04:a3:04:05:06)", None, false),
        one(
            Some("helios://Left"),
            "Helios Left",
            Some("Helios may not be opened: run sudo make udev, then plug it in again"),
            false,
        ),
        one(
            None,
            "ShowNET 42",
            Some("galvo cannot drive a ShowNET unit: connect its IDN output instead"),
            false,
        ),
        one(Some("sim:"), "Simulator, in this program", None, false),
    ]
    .into()
}

impl Window {
    fn there(&self, label: &str) -> bool {
        self.h.query_by_label_contains(label).is_some()
    }

    fn type_into(&mut self, label: &str, text: &str) {
        self.h.get_by_role_and_label(Role::TextInput, label).focus();
        self.h.run_steps(2);
        self.h.get_by_role_and_label(Role::TextInput, label).type_text(text);
        self.h.run_steps(2);
    }
}

#[test]
fn projectors_are_looked_for_appear_one_by_one_and_are_added_with_one_press() {
    let mut window = Window::new();
    window.click("Find");
    assert_eq!(window.sent(), [Command::FindProjectors]);
    assert!(!window.there("No other was found"), "it still looks");
    {
        let mut state = window.desk.state();
        state.seen.rig.finding = Some(0.5);
        state.seen.rig.found = found();
    }
    window.h.run_steps(6);
    window.h.check_accessibility();
    assert!(window.there("in the show") && window.there("sudo make udev"));
    assert!(window.h.query_by_label(&format!("Add {PROJECTOR}")).is_none(), "it is in the show");
    window.click("Stop looking");
    assert_eq!(window.sent(), [Command::StopFinding]);
    let button = format!("Add {DREAM}");
    window.h.get_by_role_and_label(Role::Button, &button).scroll_to_me();
    window.h.run_steps(20);
    window.click(&button);
    assert_eq!(window.sent(), [add(DREAM)]);
    window.click("Put the sheet away");
    assert!(!window.there("Helios Left") && window.sent().is_empty());
}

#[test]
fn a_look_that_finds_nothing_says_what_to_look_at() {
    let mut window = Window::new();
    window.click("Find");
    window.desk.state().seen.rig.found = Arc::from(&found()[4..]);
    window.click("Stop looking");
    assert!(window.there("Is it switched on") && window.there("UDP ports 7654"));
}

#[test]
fn a_projector_is_added_by_its_name_and_a_wrong_name_is_told_beside_the_field() {
    let mut window = Window::new();
    window.click("Add a projector by its name");
    window.h.check_accessibility();
    window.type_into("Name of the projector", "foo://x");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.sent(), [add("foo://x")]);
    window.h.run_steps(2);
    assert!(window.there("is no kind of projector"));
    // What was refused stays, with the focus on it: typed over, it is mended.
    window.press(Modifiers::COMMAND, Key::A);
    for letter in DREAM.chars() {
        window.h.event(Event::Text(letter.to_string()));
    }
    window.h.run_steps(2);
    window.click("Add the projector that is named");
    assert_eq!(window.sent(), [add(DREAM)]);
    window.h.run_steps(2);
    let field = window.h.get_by_role_and_label(Role::TextInput, "Name of the projector");
    assert_eq!(field.value().as_deref().unwrap_or_default(), "", "what was added is cleared away");
}

#[test]
fn digits_of_a_name_are_the_fields_own_even_if_enter_comes_with_them() {
    let mut window = Window::new();
    window.click("Add a projector by its name");
    window.type_into("Name of the projector", "sim:?ppm=");
    let key = |key| Event::Key {
        key,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    // All in one picture, as a fast hand or a slow machine has it.
    for event in [key(Key::Num3), Event::Text("3".into()), key(Key::Enter)] {
        window.h.input_mut().events.push(event);
    }
    window.h.run_steps(3);
    assert_eq!(window.sent(), [add("sim:?ppm=3")], "and no preset");
}

#[test]
fn a_dark_projector_is_removed_at_once_and_an_armed_one_is_asked_for_once() {
    let mut window = Window::new();
    window.desk.state().seen.safety.armed = true;
    window.desk.state().seen.projectors[0].armed = true;
    window.h.run_steps(2);
    window.click(&format!("Remove {PROJECTOR}"));
    assert_eq!(window.sent(), []);
    window.h.check_accessibility();
    window.click(&format!("Keep {PROJECTOR}"));
    assert_eq!(window.sent(), []);
    window.click(&format!("Remove {PROJECTOR}"));
    window.press(Modifiers::NONE, Key::Escape);
    assert_eq!(window.sent(), [Command::Stop], "STOP is in nobody's way");
    assert!(!window.there("It is armed"), "and leaves the question");

    let mut window = Window::new();
    window.desk.state().seen.safety.armed = true;
    window.desk.state().seen.projectors[0].armed = true;
    window.h.run_steps(2);
    window.click(&format!("Remove {PROJECTOR}"));
    window.click(&format!("Remove {PROJECTOR} all the same"));
    assert_eq!(window.sent(), [remove(PROJECTOR)]);
    assert!(window.there("No projector in this show"), "the pane says what to do");

    let mut window = Window::new();
    window.click(&format!("Remove {PROJECTOR}"));
    assert_eq!(window.sent(), [remove(PROJECTOR)]);
}

#[test]
fn the_first_sheet_leads_to_the_projectors() {
    let mut window = Window::new();
    {
        let mut state = window.desk.state();
        state.seen.transport.path = None;
        state.seen.transport.title.clear();
    }
    window.h.run_steps(2);
    window.click("Find projectors");
    assert_eq!(window.sent(), [Command::FindProjectors]);
    window.desk.state().seen.rig.found = found();
    window.h.run_steps(6);
    assert!(!window.there("Play the demo"), "one sheet at a time");
    assert!(window.there("Ether Dream 040506"));
    window.h.check_accessibility();
}

#[test]
fn the_sheet_stays_on_the_screen_and_off_stop_at_every_size() {
    for size in [[960.0, 600.0], [1280.0, 800.0], [1920.0, 1080.0]] {
        let mut window = Window::of(size, FileChooser::asking(|| None));
        window.click("Find");
        window.desk.state().seen.rig.found = found();
        window.h.run_steps(3);
        window.h.check_accessibility();
        let screen = Rect::from_min_size(Pos2::ZERO, vec2(size[0], size[1]));
        let stop = window.rect(Role::Button, "STOP");
        for label in ["Stop looking", "Put the sheet away", "Add the projector that is named"] {
            let rect = window.rect(Role::Button, label);
            assert!(screen.contains_rect(rect), "{label} {rect:?} in {size:?}");
            // What stands around it is no wider than the margin of a sheet.
            assert!(!stop.intersects(rect.expand(24.0)), "{label} {rect:?} {stop:?}");
        }
    }
}

/// Pictures to look at while the looks are worked on: `GALVO_LOOKS=folder`.
#[test]
#[ignore = "writes pictures to the folder in GALVO_LOOKS"]
fn looks_of_the_rig() {
    let folder = std::path::PathBuf::from(std::env::var("GALVO_LOOKS").unwrap());
    for (size, name) in [([1280.0, 800.0], "1280"), ([1920.0, 1080.0], "1920")] {
        let mut window = Window::of(size, FileChooser::asking(|| None));
        let save = |window: &mut Window, what: &str| {
            window.h.remove_cursor();
            window.wait(1.0);
            let file = folder.join(format!("{name}-{what}.png"));
            window.h.render().unwrap().save(file).unwrap();
        };
        save(&mut window, "rig");
        window.click("Find");
        window.desk.state().seen.rig.finding = Some(0.4);
        window.desk.state().seen.rig.found = found();
        save(&mut window, "rig-found");
        window.click("Stop looking");
        window.desk.state().seen.rig.found = Arc::from(&found()[4..]);
        let refused = RefusedView {
            uri: "foo://x".into(),
            why: "\"foo\" is no kind of projector: use sim:, ether-dream://HOST[:PORT]".into(),
        };
        window.desk.state().seen.rig.refused = Some(refused);
        window.desk.state().seen.safety.armed = true;
        window.desk.state().seen.projectors[0].armed = true;
        window.h.run_steps(2);
        window.click(&format!("Remove {PROJECTOR}"));
        save(&mut window, "rig-add");
        window.desk.state().seen.rig.refused = None;
        window.desk.state().seen.projectors.clear();
        window.click("Put the sheet away");
        save(&mut window, "rig-empty");
    }
}
