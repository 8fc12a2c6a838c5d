//! The desk on the screen, clicked through without a window.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cost;
mod fake_desk;
mod hands;
mod layout;
mod light;
mod panes;
mod playing;
mod presets;
mod queue;
mod recorder;
mod rig;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, Pos2, Rect, ViewportCommand, ViewportEvent, ViewportId, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use galvo::gui::{App, FileChooser};
use galvo::show::snapshot::{Notice, ProjectorState, Severity};
use galvo::show::{Command, Desk, Snapshot};
use galvo::time::MediaTime;

use crate::show::slow_disk;
use fake_desk::FakeDesk;

/// A window of this size over a fake desk, a step of egui time being one frame.
struct Window {
    desk: FakeDesk,
    h: Harness<'static, App>,
    /// Where the desk is remembered, if anywhere.
    folder: Option<tempfile::TempDir>,
}

impl Window {
    fn new() -> Self {
        Self::of([1280.0, 800.0], FileChooser::asking(|| None))
    }

    fn of(size: [f32; 2], chooser: FileChooser) -> Self {
        // The safety notes were read in an earlier show.
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("desk.toml");
        std::fs::write(&file, "safety_notes_read = true").unwrap();
        let mut window = Self::over(size, |desk| App::new(desk, chooser).remembered_in(file));
        window.folder = Some(folder);
        window
    }

    fn over(size: [f32; 2], app: impl FnOnce(Box<dyn Desk>) -> App) -> Self {
        Self::at(FakeDesk::new(), size, app)
    }

    fn at(desk: FakeDesk, size: [f32; 2], app: impl FnOnce(Box<dyn Desk>) -> App) -> Self {
        let app = app(Box::new(desk.clone()));
        let mut h = Harness::builder().with_size(size).with_step_dt(1.0 / 60.0).build_ui_state(
            |ui, app: &mut App| {
                // The harness leaves a margin; a window does not.
                let all = ui.ctx().content_rect();
                ui.scope_builder(egui::UiBuilder::new().max_rect(all), |ui| {
                    ui.set_clip_rect(all);
                    app.root_ui(ui);
                });
            },
            app,
        );
        h.run_steps(4);
        h.check_accessibility();
        Self { desk, h, folder: None }
    }

    /// What was sent since the last call.
    fn sent(&self) -> Vec<Command> {
        std::mem::take(&mut self.desk.state().sent)
    }

    fn click(&mut self, label: &str) {
        self.h.get_by_role_and_label(Role::Button, label).click();
        self.h.run_steps(3);
    }

    fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.h.key_press_modifiers(modifiers, key);
        self.h.run_steps(2);
    }

    fn rect(&self, role: Role, label: &str) -> Rect {
        self.h.get_by_role_and_label(role, label).rect()
    }

    fn pointer(&mut self, at: Pos2, pressed: bool) {
        self.h.event(Event::PointerMoved(at));
        self.h.event(Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        self.h.run_steps(1);
    }

    fn wait(&mut self, seconds: f32) {
        self.h.run_steps((seconds * 60.0) as usize);
    }

    /// Asks the window to close; true if it may.
    fn close(&mut self) -> bool {
        let viewport = self.h.input_mut().viewports.get_mut(&ViewportId::ROOT).unwrap();
        viewport.events.push(ViewportEvent::Close);
        self.h.step();
        let kept = self.commands().contains(&ViewportCommand::CancelClose);
        self.h.input_mut().viewports.get_mut(&ViewportId::ROOT).unwrap().events.clear();
        self.h.run_steps(2);
        !kept
    }

    fn commands(&self) -> Vec<ViewportCommand> {
        self.h.output().viewport_output[&ViewportId::ROOT].commands.clone()
    }

    /// The picture's brightest channel sum in a rectangle of the screen.
    fn brightest(&mut self, rect: Rect) -> u16 {
        let picture = self.h.render().unwrap();
        let mut brightest = 0;
        for y in rect.top() as u32..rect.bottom() as u32 {
            for x in rect.left() as u32..rect.right() as u32 {
                let [r, g, b, _] = picture.get_pixel(x, y).0;
                brightest = brightest.max(u16::from(r) + u16::from(g) + u16::from(b));
            }
        }
        brightest
    }
}

fn seconds(seconds: f64) -> MediaTime {
    MediaTime::from_secs_f64(seconds)
}

#[test]
fn the_play_button_and_space_play_and_pause() {
    let mut window = Window::new();
    window.click("Play");
    assert_eq!(window.sent(), [Command::Play]);
    window.click("Pause");
    assert_eq!(window.sent(), [Command::Pause]);
    window.press(Modifiers::NONE, Key::Space);
    assert_eq!(window.sent(), [Command::Play]);
    window.press(Modifiers::NONE, Key::Space);
    assert_eq!(window.sent(), [Command::Pause]);
}

#[test]
fn a_click_in_the_seek_bar_seeks_there_and_a_drag_seeks_once_at_its_end() {
    let mut window = Window::new();
    let bar = window.rect(Role::Slider, "Position");
    let at = |share: f32| Pos2::new(bar.left() + bar.width() * share, bar.center().y);
    window.pointer(at(0.5), true);
    window.pointer(at(0.5), false);
    assert_eq!(window.sent(), [Command::Seek(seconds(122.5))]);

    window.pointer(at(0.5), true);
    for share in [0.3, 0.2, 0.1] {
        window.h.event(Event::PointerMoved(at(share)));
        window.h.run_steps(1);
    }
    assert_eq!(window.sent(), [], "not while it drags");
    window.pointer(at(0.1), false);
    let sent = window.sent();
    let [Command::Seek(to)] = sent.as_slice() else { panic!("{sent:?}") };
    assert!((to.as_secs_f64() - 24.5).abs() < 0.2, "{to:?}");
}

#[test]
fn arrows_seek_five_seconds_and_choose_presets_while_nothing_has_the_focus() {
    let mut window = Window::new();
    window.press(Modifiers::NONE, Key::ArrowRight);
    window.press(Modifiers::NONE, Key::ArrowLeft);
    assert_eq!(window.sent(), [Command::Seek(seconds(77.0)), Command::Seek(seconds(72.0))]);
    window.press(Modifiers::NONE, Key::ArrowDown);
    window.press(Modifiers::NONE, Key::ArrowUp);
    let select = |name: &str| Command::SelectPreset(name.into());
    assert_eq!(window.sent(), [select("Liquid sky"), select("Lissajous")]);

    window.h.get_by_role_and_label(Role::Slider, "size").focus();
    window.h.run_steps(2);
    window.press(Modifiers::NONE, Key::ArrowRight);
    let sent = window.sent();
    assert!(
        matches!(sent.as_slice(), [Command::SetParam { name, value }] if name == "size" && *value > 0.62),
        "the slider moves instead: {sent:?}"
    );
}

#[test]
fn a_click_on_a_preset_chooses_it_and_a_search_narrows_the_list() {
    let mut window = Window::new();
    window.click("Beam fan");
    assert_eq!(window.sent(), [Command::SelectPreset("Beam fan".into())]);
    window.h.get_by_role(Role::TextInput).focus();
    window.h.run_steps(2);
    window.h.get_by_role(Role::TextInput).type_text("tunnel");
    window.h.run_steps(2);
    assert!(window.h.query_by_role_and_label(Role::Button, "Scope circle").is_none());
    window.click("Tunnel");
    assert_eq!(window.sent(), [Command::SelectPreset("Tunnel".into())]);
    window.press(Modifiers::NONE, Key::Space);
    assert_eq!(window.sent(), [Command::Play], "the keys are the show's again");
}

#[test]
fn a_slider_acts_at_once_while_it_is_dragged_and_a_resting_finger_sends_nothing() {
    let mut window = Window::new();
    let slider = window.rect(Role::Slider, "hue");
    let at = |share: f32| Pos2::new(slider.left() + slider.width() * share, slider.center().y);
    window.pointer(at(0.25), true);
    let sent = window.sent();
    assert!(
        matches!(sent.as_slice(), [Command::SetParam { name, .. }] if name == "hue"),
        "in the frame of the press: {sent:?}"
    );
    window.h.run_steps(5);
    assert_eq!(window.sent(), []);
    window.h.event(Event::PointerMoved(at(0.75)));
    window.h.run_steps(1);
    let sent = window.sent();
    let [Command::SetParam { value, .. }] = sent.as_slice() else { panic!("{sent:?}") };
    assert!((value - 270.0).abs() < 12.0, "{value}");
    window.pointer(at(0.75), false);
    assert_eq!(window.sent(), []);
}

#[test]
fn a_double_click_on_a_slider_sets_the_default() {
    let mut window = Window::new();
    let at = window.rect(Role::Slider, "size").center();
    for pressed in [true, false, true, false] {
        window.pointer(at, pressed);
    }
    let last = window.sent().pop();
    assert_eq!(last, Some(Command::SetParam { name: "size".into(), value: 0.7 }));
}

#[test]
fn undo_and_redo_go_by_button_and_by_key_and_only_where_there_is_something() {
    let mut window = Window::new();
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.sent(), [], "nothing to undo");
    Arc::make_mut(&mut window.desk.state().seen.preset).can_undo = true;
    window.h.run_steps(2);
    window.click("Undo");
    window.click("Redo");
    assert_eq!(window.sent(), [Command::Undo, Command::Redo]);
    window.press(Modifiers::COMMAND, Key::Z);
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(window.sent(), [Command::Undo, Command::Redo]);
}

#[test]
fn a_preset_is_saved_under_a_new_name_and_typing_it_moves_nothing_else() {
    let mut window = Window::new();
    window.click("Save as…");
    let typed = "My knot";
    window.press(Modifiers::COMMAND, Key::A);
    for letter in typed.chars() {
        if letter == ' ' {
            window.h.key_press(Key::Space);
        }
        window.h.event(Event::Text(letter.to_string()));
        window.h.run_steps(1);
    }
    window.press(Modifiers::NONE, Key::ArrowLeft);
    assert_eq!(window.sent(), [], "neither Space nor an arrow reached the show");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.sent(), [Command::SavePresetAs("My knot".into())]);
    assert!(window.h.query_by_label("Save preset").is_none(), "the question is gone");
}

#[test]
fn ctrl_s_saves_and_a_question_for_a_name_can_be_left() {
    let mut window = Window::new();
    window.press(Modifiers::COMMAND, Key::S);
    assert_eq!(window.sent(), [Command::SavePreset]);
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::S);
    window.click("Cancel");
    assert_eq!(window.sent(), []);
}

#[test]
fn arming_takes_two_acts_and_a_double_click_is_not_two() {
    let mut window = Window::new();
    window.click("Arm…");
    let confirm = window.rect(Role::Button, "Confirm: light on").center();
    window.pointer(confirm, true);
    window.pointer(confirm, false);
    assert_eq!(window.sent(), [], "too soon");
    window.wait(0.6);
    window.click("Confirm: light on");
    assert_eq!(window.sent(), [Command::Arm]);
    window.click("Disarm");
    assert_eq!(window.sent(), [Command::Disarm]);
}

#[test]
fn the_cover_of_the_arm_switch_closes_by_itself_and_by_hand() {
    let mut window = Window::new();
    window.click("Arm…");
    window.wait(6.5);
    assert!(window.h.query_by_label("Confirm: light on").is_none());
    window.click("Arm…");
    window.click("Keep dark");
    assert!(window.h.query_by_label("Confirm: light on").is_none());
    assert_eq!(window.sent(), []);
}

#[test]
fn stop_acts_on_the_press_and_is_reset_without_arming() {
    let mut window = Window::new();
    window.desk.state().seen.safety.armed = true;
    window.h.run_steps(2);
    let stop = window.rect(Role::Button, "STOP").center();
    window.pointer(stop, true);
    assert_eq!(window.sent(), [Command::Stop]);
    window.pointer(stop, false);
    window.h.run_steps(2);
    assert_eq!(window.sent(), []);
    assert!(window.h.query_by_label("Arm…").is_none(), "no arming while stopped");
    window.click("Reset stop");
    assert_eq!(window.sent(), [Command::ResetStop]);
    assert!(!window.desk.state().seen.safety.armed);
}

#[test]
fn stop_can_be_pressed_by_assistance_too() {
    let mut window = Window::new();
    window.h.get_by_role_and_label(Role::Button, "STOP").click_accesskit();
    window.h.run_steps(2);
    assert_eq!(window.sent(), [Command::Stop]);
}

#[test]
fn esc_stops_whatever_has_the_focus() {
    let stops = |window: &mut Window| {
        window.press(Modifiers::NONE, Key::Escape);
        let sent = window.sent();
        assert_eq!(sent, [Command::Stop]);
    };
    let mut window = Window::new();
    stops(&mut window);
    window.click("Save as…");
    stops(&mut window);
    window.h.get_by_role(Role::TextInput).focus();
    window.h.run_steps(2);
    stops(&mut window);
    window.h.get_by_role_and_label(Role::Slider, "hue").focus();
    window.h.run_steps(2);
    stops(&mut window);
    window.press(Modifiers::NONE, Key::Questionmark);
    stops(&mut window);
    window.press(Modifiers::SHIFT, Key::Escape);
    assert_eq!(window.sent(), [Command::Stop], "with a modifier held too");
}

#[test]
fn no_dialog_covers_stop() {
    let mut window = Window::new();
    window.desk.state().seen.safety.armed = true;
    window.close();
    window.press(Modifiers::NONE, Key::Questionmark);
    window.sent();
    let stop = window.rect(Role::Button, "STOP").center();
    window.pointer(stop, true);
    assert_eq!(window.sent(), [Command::Stop]);
}

#[test]
fn space_plays_and_never_presses_the_button_that_has_the_focus() {
    let mut window = Window::new();
    window.h.get_by_role_and_label(Role::Button, "Arm…").focus();
    window.h.run_steps(2);
    window.press(Modifiers::NONE, Key::Space);
    assert_eq!(window.sent(), [Command::Play]);
    assert!(window.h.query_by_label("Confirm: light on").is_none());
}

#[test]
fn closing_while_armed_asks_and_closing_while_dark_ends_the_show() {
    let mut window = Window::new();
    window.desk.state().seen.safety.armed = true;
    assert!(!window.close());
    assert_eq!(window.sent(), []);
    window.click("Keep running");
    assert_eq!(window.sent(), []);
    assert!(!window.close());
    window.click("Go dark and close");
    assert_eq!(window.sent(), [Command::Disarm, Command::Quit]);
    assert!(window.close(), "the second time nothing keeps it");
    assert_eq!(window.sent(), [], "and Quit is said once");

    let mut dark = Window::new();
    assert!(dark.close());
    assert_eq!(dark.sent(), [Command::Quit]);
}

#[test]
fn the_master_and_the_volume_act_at_once() {
    let mut window = Window::new();
    window.h.get_by_role_and_label(Role::Slider, "Master brightness").set_value_accesskit(0.5);
    window.h.run_steps(2);
    assert_eq!(window.sent(), [Command::SetMaster(0.5)]);
    window.h.get_by_role_and_label(Role::Slider, "Volume level").set_value_accesskit(0.25);
    window.h.run_steps(2);
    assert_eq!(window.sent(), [Command::SetVolume(0.25)]);
}

#[test]
fn a_notice_is_put_away_by_its_cross_and_its_twin_comes_again() {
    let notice = || Notice { severity: Severity::Warning, text: "The network is slow.".into() };
    let mut window = Window::new();
    window.desk.state().seen.notices.push(notice());
    window.h.run_steps(3);
    assert!(window.h.query_by_label("The network is slow.").is_some());
    window.click("Dismiss notice 1");
    assert!(window.h.query_by_label("The network is slow.").is_none());
    window.desk.state().seen.notices.push(notice());
    window.h.run_steps(2);
    assert!(window.h.query_by_label("The network is slow.").is_some());
    assert_eq!(window.sent(), [], "the show is not asked");
}

#[test]
fn a_live_input_says_so_and_cannot_be_sought() {
    let mut window = Window::new();
    window.desk.state().seen.transport.live = true;
    window.h.run_steps(2);
    assert!(window.h.query_by_label("LIVE").is_some());
    assert!(window.h.query_by_role_and_label(Role::Slider, "Position").is_none());
    window.press(Modifiers::NONE, Key::ArrowRight);
    assert_eq!(window.sent(), []);
}

#[derive(Debug)]
struct Dropped;

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        Path::new("/music/b.flac")
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("only the path matters".into())
    }
}

#[test]
fn a_chosen_or_dropped_file_is_opened() {
    let chosen = PathBuf::from("/music/a.flac");
    let answer = chosen.clone();
    let mut window = Window::of([1280.0, 800.0], FileChooser::asking(move || Some(answer.clone())));
    window.click("Open…");
    let mut sent = window.sent();
    // The chooser answers from its own thread, whenever that runs.
    while sent.is_empty() {
        std::thread::yield_now();
        window.h.step();
        sent = window.sent();
    }
    assert_eq!(sent, [Command::Open(chosen)]);

    window.h.input_mut().dropped_files.push(Arc::new(Dropped));
    window.h.run_steps(2);
    assert_eq!(window.sent(), [Command::Open(PathBuf::from("/music/b.flac"))]);
}

#[test]
fn no_shortcut_quits_or_zooms() {
    let mut window = Window::new();
    let zoom = window.h.ctx.zoom_factor();
    window.press(Modifiers::COMMAND, Key::Q);
    window.press(Modifiers::COMMAND, Key::Plus);
    window.press(Modifiers::COMMAND, Key::W);
    assert_eq!(window.sent(), []);
    assert_eq!(window.h.ctx.zoom_factor(), zoom);
    assert!(!window.commands().contains(&ViewportCommand::Close));
}

/// A part of the scan field at 1280 × 800, without legend and borders, below the banner of a dark output.
const FIELD: Rect = Rect { min: Pos2::new(425.0, 205.0), max: Pos2::new(800.0, 480.0) };

#[test]
fn the_preview_is_lit_where_points_were_sent_and_dark_where_all_were_blank() {
    let mut window = Window::new();
    window.click("Ghost");
    window.wait(0.5);
    let dark = window.brightest(FIELD);
    // The hairlines of the cross; whether they fill a pixel depends on the layout.
    assert!(dark < 130, "only the cross: {dark}");
    {
        let mut state = window.desk.state();
        state.seen.safety.armed = true;
        state.seen.safety.master = 1.0;
    }
    window.wait(0.5);
    let full = window.brightest(FIELD);
    assert!(full > 500, "{full}");
    window.desk.state().seen.safety.master = 0.2;
    window.wait(2.0);
    let fifth = window.brightest(FIELD);
    assert!(fifth > 350, "a master of a fifth is still well seen: {fifth}");
}

#[test]
fn while_disarmed_the_ghost_shows_the_way_of_the_mirrors_dimly() {
    let mut window = Window::new();
    window.wait(0.5);
    let ghost = window.brightest(FIELD);
    assert!(ghost > 90 && ghost < 350, "{ghost}");
}

#[test]
fn every_state_of_the_show_has_names_for_all_its_controls_and_fits_the_smallest_window() {
    let mut window = Window::of([960.0, 600.0], FileChooser::asking(|| None));
    window.click("Arm…");
    window.click("Save as…");
    window.press(Modifiers::NONE, Key::F1);
    window.desk.state().seen.notices.push(Notice {
        severity: Severity::Error,
        text: "The file cannot be read: it is cut short; copy it again.".into(),
    });
    for stopped in [false, true] {
        let mut state = window.desk.state();
        state.seen.safety.stopped = stopped;
        state.seen.audio.software_clock = stopped;
        state.seen.projectors[0].state = ProjectorState::Lost;
        state.seen.projectors[0].fault = Some("No answer for 2 s; check the cable.".into());
        drop(state);
        window.h.run_steps(3);
        window.h.check_accessibility();
        let screen = Rect::from_min_size(Pos2::ZERO, vec2(960.0, 600.0));
        for label in ["STOP", "Play"] {
            assert!(screen.contains_rect(window.rect(Role::Button, label)), "{label}");
        }
    }
    window.desk.state().seen = Snapshot::default();
    window.h.run_steps(3);
    window.h.check_accessibility();
}

/// Draws the pictures of the handbook: `cargo test --test it pictures -- --ignored`.
#[test]
#[ignore = "writes docs/images"]
fn pictures_of_the_window() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images");
    let picture = |window: &mut Window, name: &str| {
        window.h.remove_cursor();
        window.wait(1.3);
        window.h.render().unwrap().save(folder.join(name)).unwrap();
    };
    let mut window = Window::new();
    window.desk.state().seen.transport.playing = true;
    picture(&mut window, "window-disarmed.png");
    {
        let mut state = window.desk.state();
        state.seen.safety.armed = true;
        state.seen.projectors[0].armed = true;
        let preset = Arc::make_mut(&mut state.seen.preset);
        (preset.changed, preset.can_undo) = (true, true);
    }
    picture(&mut window, "window-armed.png");
}

/// The same for looking at while the looks are worked on: `GALVO_LOOKS=folder`.
#[test]
#[ignore = "writes pictures to the folder in GALVO_LOOKS"]
fn looks_in_every_state() {
    let folder = PathBuf::from(std::env::var("GALVO_LOOKS").unwrap());
    let save = |window: &mut Window, name: &str| {
        window.wait(1.0);
        window.h.render().unwrap().save(folder.join(name)).unwrap();
    };
    for (size, name) in
        [([1280.0, 800.0], "1280"), ([1920.0, 1080.0], "1920"), ([960.0, 600.0], "960")]
    {
        let mut window = Window::of(size, FileChooser::asking(|| None));
        window.desk.state().seen.transport.playing = true;
        save(&mut window, &format!("{name}-disarmed.png"));
        window.click("Arm…");
        window.click("Save as…");
        save(&mut window, &format!("{name}-arming.png"));
        window.desk.state().seen.safety.armed = true;
        window.desk.state().seen.projectors[0].armed = true;
        save(&mut window, &format!("{name}-armed.png"));
        window.close();
        save(&mut window, &format!("{name}-closing.png"));
        window.press(Modifiers::NONE, Key::Escape);
        window.click("Keep running");
        {
            let mut state = window.desk.state();
            let notice = |severity, text: &str| Notice { severity, text: text.into() };
            state.seen.notices.push(notice(Severity::Info, "Preset \"Opening\" was saved."));
            state.seen.notices.push(notice(
                Severity::Warning,
                "The projector etherdream://192.168.1.40 was lost and is searched for; check its \
                 power and network cable, then arm again.",
            ));
            state
                .seen
                .notices
                .push(notice(Severity::Error, "The file cannot be read: it is cut short."));
            state.seen.projectors[0].fault =
                Some("No answer for 2 s; check power and cable.".into());
            state.seen.projectors[0].underruns = 3;
            state.seen.audio.software_clock = true;
            state.seen.safety.trips.push("12:03:11 connection lost".into());
        }
        save(&mut window, &format!("{name}-stopped.png"));
        window.press(Modifiers::NONE, Key::F1);
        save(&mut window, &format!("{name}-keys.png"));
    }
}
