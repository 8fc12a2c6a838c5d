//! The panes that came with the desk: safety notes, projectors and their set-up, sync, log, health.

use egui::accesskit::Role;
use egui::{Key, Modifiers, Pos2, Rect, vec2};
use egui_kittest::kittest::Queryable;
use galvo::frame::TapPoint;
use galvo::gui::{App, FileChooser};
use galvo::show::snapshot::{Notice, ProjectorView, Severity};
use galvo::show::{Command, Installation, ZoneKind};

use super::Window;

const PROJECTOR: &str = "etherdream://192.168.1.40";

impl Window {
    pub(super) fn open_tab(&mut self, pane: &str) {
        self.h.get_by_role_and_label(Role::Tab, pane).click();
        self.h.run_steps(3);
    }

    /// Scrolls to a button, and presses it.
    pub(super) fn reach(&mut self, label: &str) {
        self.h.get_by_role_and_label(Role::Button, label).scroll_to_me();
        self.h.run_steps(20);
        self.click(label);
    }

    fn set_up(&mut self) {
        self.click(&format!("Set up {PROJECTOR}"));
        self.sent();
    }

    /// The set-up that was sent last.
    fn installed(&self) -> Installation {
        let last = self.sent().pop();
        let Some(Command::Install { projector, installation }) = last else { panic!("{last:?}") };
        assert_eq!(projector, PROJECTOR);
        installation
    }
}

#[test]
fn the_first_arming_shows_the_safety_notes_and_they_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.toml");
    let open = || {
        let file = file.clone();
        Window::over([1280.0, 800.0], |desk| {
            App::new(desk, FileChooser::asking(|| None)).remembered_in(file)
        })
    };
    let mut window = open();
    window.click("Arm…");
    assert!(window.h.query_by_label("Confirm: light on").is_none());
    window.click("Stay dark");
    assert!(window.h.query_by_label("Before the first light").is_none());
    window.click("Arm…");
    window.press(Modifiers::NONE, Key::Escape);
    assert!(window.h.query_by_label("Before the first light").is_none(), "STOP leaves it");
    window.click("Reset stop");
    window.sent();
    window.click("Arm…");
    window.click("Read and understood");
    window.wait(0.6);
    assert_eq!(window.sent(), [], "reading arms nothing");
    window.click("Confirm: light on");
    assert_eq!(window.sent(), [Command::Arm]);
    window.wait(1.5);
    drop(window);

    let mut window = open();
    window.click("Arm…");
    assert!(window.h.query_by_label("Confirm: light on").is_some(), "read once is read");
    assert!(!window.desk.state().seen.safety.armed, "arming itself is never remembered");
}

#[test]
fn a_projectors_own_switch_is_beside_its_name() {
    let mut window = Window::new();
    window.desk.state().seen.projectors.push(ProjectorView {
        number: 1,
        name: "sim:2".into(),
        allowed: true,
        ..ProjectorView::default()
    });
    window.h.run_steps(2);
    window.reach("Light on sim:2");
    let off = |allowed| Command::SetAllowed { projector: "sim:2".into(), allowed };
    assert_eq!(window.sent(), [off(false)]);
    window.reach("Light on sim:2");
    assert_eq!(window.sent(), [off(true)]);
}

#[test]
fn a_corner_of_the_picture_is_dragged_and_typed() {
    let mut window = Window::new();
    window.set_up();
    let field = window.h.get_by_role_and_label(Role::Canvas, "Field of the projector").rect();
    let field = field.shrink(14.0);
    let to = field.center() + vec2(field.width() * 0.4, -field.height() * 0.3);
    window.pointer(field.right_top(), true);
    for step in 1..=8 {
        let at = field.right_top() + (to - field.right_top()) * (step as f32 / 8.0);
        window.h.event(egui::Event::PointerMoved(at));
        window.h.run_steps(1);
    }
    window.pointer(to, false);
    let corners = window.installed().corners;
    assert!(
        (corners[2][0] - 0.8).abs() < 0.02 && (corners[2][1] - 0.6).abs() < 0.02,
        "{corners:?}"
    );
    assert_eq!(corners[0], [-1.0, -1.0]);

    window.h.get_by_label("1 bottom left x").set_value_accesskit(-0.5);
    window.h.run_steps(3);
    assert!((window.installed().corners[0][0] + 0.5).abs() < 1e-3);
}

#[test]
fn a_zone_is_added_changed_and_removed() {
    let mut window = Window::new();
    window.set_up();
    window.reach("+ Keep-out");
    let zones = window.installed().zones;
    assert_eq!((zones.len(), zones[0].kind), (1, ZoneKind::Blocked));
    window.h.get_by_label("Zone 1 corner 1 x").set_value_accesskit(-0.75);
    window.h.run_steps(3);
    assert!((window.installed().zones[0].corners[0][0] + 0.75).abs() < 1e-3);
    window.reach("Add a corner after Zone 1 corner 1");
    assert_eq!(window.installed().zones[0].corners.len(), 5);
    window.reach("Remove zone 1");
    assert!(window.installed().zones.is_empty());
}

#[test]
fn test_pictures_mirrors_and_mounting_are_set_from_the_same_pane() {
    let mut window = Window::new();
    window.set_up();
    window.reach("Grid");
    let picture = |picture| Command::SetTestPicture { projector: PROJECTOR.into(), picture };
    assert_eq!(window.sent(), [picture(Some(1))]);
    assert!(window.h.query_by_label("shows a test picture").is_some());
    window.reach("Grid");
    assert_eq!(window.sent(), [picture(None)]);
    window.reach("20 kpps");
    assert_eq!(window.installed().mirrors, "20 kpps");
    window.reach("Flip X");
    let sent = window.sent();
    assert!(
        matches!(sent.as_slice(), [Command::SetMounting { mounting, .. }] if mounting.invert_x),
        "{sent:?}"
    );
}

#[test]
fn the_light_is_shifted_from_the_sync_pane() {
    let mut window = Window::new();
    window.open_tab("Sync");
    window.reach("+1");
    window.reach("+5");
    assert_eq!(window.sent(), [Command::SetOffsetMs(1.0), Command::SetOffsetMs(6.0)]);
    window.reach("Zero");
    assert_eq!(window.sent(), [Command::SetOffsetMs(0.0)]);
    window.h.get_by_label("Distance of the loudspeakers").set_value_accesskit(10.0);
    window.h.run_steps(3);
    window.reach("Set 29.1 ms for the air");
    let sent = window.sent();
    assert!(matches!(sent.as_slice(), [Command::SetOffsetMs(ms)] if (ms - 29.15).abs() < 0.01));
}

#[test]
fn the_light_is_calibrated_by_answers_and_the_device_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.toml");
    let open = || {
        let file = file.clone();
        Window::over([1280.0, 800.0], |desk| {
            App::new(desk, FileChooser::asking(|| None)).remembered_in(file)
        })
    };
    let mut window = open();
    let preset = window.desk.state().seen.preset.stored_name.clone();
    window.open_tab("Sync");
    window.reach("By eye and ear…");
    window.reach("Start the click");
    let sent = window.sent();
    assert!(
        matches!(sent.as_slice(), [
            Command::Open(click),
            Command::SetLoop(Some(_)),
            Command::SelectPreset(_),
            Command::Play,
        ] if click.ends_with("galvo click.wav")),
        "{sent:?}"
    );
    window.reach("Flash first");
    window.reach("Flash first");
    window.reach("Click first");
    let moved = [32.0, 64.0, 48.0].map(Command::SetOffsetMs);
    assert_eq!(window.sent(), moved);
    window.reach("Together");
    window.reach("Keep");
    let sent = window.sent();
    assert!(sent.contains(&Command::SelectPreset(preset)), "the preset comes back: {sent:?}");
    assert!(!sent.iter().any(|wish| matches!(wish, Command::SetOffsetMs(_) | Command::Arm)));
    assert!(window.h.query_by_label("remembered +48.0 ms").is_some());
    window.wait(1.5);
    drop(window);

    let mut window = open();
    window.h.run_steps(2);
    assert_eq!(window.sent(), [Command::SetOffsetMs(48.0)], "as it was calibrated");
    window.open_tab("Sync");
    window.reach("By eye and ear…");
    window.reach("Start the click");
    window.reach("Click first");
    window.sent();
    window.reach("Leave");
    assert_eq!(window.sent().first(), Some(&Command::SetOffsetMs(48.0)), "put back");
}

#[test]
fn the_log_keeps_what_was_told_and_put_away() {
    let mut window = Window::new();
    {
        let mut state = window.desk.state();
        let told = |severity, text: &str| Notice { severity, text: text.into() };
        state.seen.notices.push(told(Severity::Info, "saved"));
        state.seen.notices.push(told(Severity::Warning, "The network is slow."));
        state.seen.notices_made = 2;
    }
    window.h.run_steps(2);
    window.click("Dismiss notice 2");
    window.open_tab("Log");
    assert!(window.h.query_by_label("The network is slow.").is_some());
    window.click("Troubles only");
    assert_eq!(window.h.query_all_by_label("saved").count(), 1, "the card alone");
}

#[test]
fn every_pane_has_names_for_all_its_controls_and_stays_on_the_screen() {
    for size in [[960.0, 600.0], [1280.0, 800.0], [1920.0, 1080.0]] {
        let mut window = Window::of(size, FileChooser::asking(|| None));
        window.set_up();
        window.reach("+ Dimmed");
        for pane in ["Sync", "Health", "Log"] {
            window.open_tab(pane);
            window.h.check_accessibility();
        }
        let screen = Rect::from_min_size(Pos2::ZERO, vec2(size[0], size[1]));
        let field = window.h.get_by_role_and_label(Role::Canvas, "Field of the projector").rect();
        assert!(screen.contains_rect(field), "{field:?} in {size:?}");
    }
}

#[test]
fn a_window_with_nothing_open_offers_the_demo_and_a_file() {
    let mut window = Window::new();
    assert!(window.h.query_by_label("Play the demo").is_none());
    {
        let mut state = window.desk.state();
        state.seen.transport.path = None;
        state.seen.transport.title.clear();
    }
    window.h.run_steps(2);
    window.click("Play the demo");
    let sent = window.sent();
    let [Command::Open(demo)] = sent.as_slice() else { panic!("{sent:?}") };
    assert!(std::fs::metadata(demo).unwrap().len() > 1_000_000);
    assert!(window.h.query_by_label("Play the demo").is_none(), "something is open");
}

#[test]
fn the_preview_has_a_window_of_its_own_and_watches_the_projector_that_is_chosen() {
    let mut window = Window::new();
    window.desk.state().seen.projectors.push(ProjectorView {
        number: 1,
        name: "sim:2".into(),
        allowed: true,
        ..ProjectorView::default()
    });
    window.h.run_steps(2);
    for switch in ["Drawn", "Mirrors", "Zones", "Dwell", "Window"] {
        window.click(switch);
        window.h.check_accessibility();
    }
    assert_eq!(window.desk.state().watched, (0, TapPoint::Path), "as it is drawn");
    window.click("Drawn");
    window.press(Modifiers::NONE, Key::Escape);
    assert_eq!(window.sent(), [Command::Stop]);
    window.h.get_by_label("Watched projector").click();
    window.h.run_steps(3);
    window.click("2 sim:2");
    assert_eq!(window.desk.state().watched, (1, TapPoint::Sent));
}

/// Pictures to look at while the looks are worked on: `GALVO_LOOKS=folder`.
#[test]
#[ignore = "writes pictures to the folder in GALVO_LOOKS"]
fn looks_of_the_panes() {
    let folder = std::path::PathBuf::from(std::env::var("GALVO_LOOKS").unwrap());
    for (size, name) in [([1280.0, 800.0], "1280"), ([1920.0, 1080.0], "1920")] {
        let mut window = Window::of(size, FileChooser::asking(|| None));
        window.desk.state().seen.transport.playing = true;
        {
            let mut state = window.desk.state();
            let told = |text: &str| Notice { severity: Severity::Warning, text: text.into() };
            state.seen.notices.push(told("The projector sim: was lost and is searched for."));
            state.seen.notices_made = 1;
            state.seen.safety.trips.push("12.4 s  sim: – the projector was lost".into());
        }
        let save = |window: &mut Window, pane: &str| {
            window.h.remove_cursor();
            window.wait(1.0);
            let file = folder.join(format!("{name}-{pane}.png"));
            window.h.render().unwrap().save(file).unwrap();
        };
        window.h.run_steps(2);
        window.click("Dismiss notice 1");
        for pane in ["Health", "Log", "Sync"] {
            window.open_tab(pane);
            save(&mut window, &pane.to_lowercase());
        }
        window.set_up();
        window.reach("+ Keep-out");
        window.reach("+ Dimmed");
        window.h.get_by_label("3 top right x").set_value_accesskit(0.7);
        window.h.run_steps(3);
        save(&mut window, "set-up");
        window.click("View");
        save(&mut window, "view");
    }
}
