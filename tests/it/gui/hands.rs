//! Hands on the show in the window: the keys for live use, the Live pane and the Controllers pane.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::kittest::Queryable;
use galvo::analysis::BeatWish;
use galvo::control::view::{BindingView, SourceKind, SourceView};
use galvo::control::{Action, ControllersView, ControllersWish};
use galvo::show::{Begin, Command};

use super::Window;

impl Window {
    fn key(&mut self, key: Key, pressed: bool, repeat: bool) {
        let (physical_key, modifiers) = (None, Modifiers::NONE);
        self.h.event(Event::Key { key, physical_key, pressed, repeat, modifiers });
        self.h.run_steps(1);
    }

    fn pane(&mut self, title: &str) {
        self.h.get_by_role_and_label(Role::Tab, title).click();
        self.h.run_steps(3);
        self.h.check_accessibility();
    }
}

/// A controller that is heard, one that is there, one on the network in trouble.
pub(super) fn controllers() -> ControllersView {
    let midi = |name: &str, open: bool, map: Option<&str>| SourceView {
        kind: SourceKind::Midi,
        name: name.into(),
        present: true,
        open,
        map: map.map(Into::into),
        messages: u64::from(open) * 41,
        last: if open { "ch 1 note 56 velocity 127".into() } else { String::new() },
        trouble: None,
    };
    let osc = SourceView {
        kind: SourceKind::Osc,
        name: "127.0.0.1:9000".into(),
        present: true,
        open: true,
        messages: 3,
        last: "/galvo/nowhere".into(),
        trouble: Some(
            "there is nothing at /galvo/nowhere: docs/guide/control.md lists what there is".into(),
        ),
        ..SourceView::default()
    };
    let binding = |on: &str, does: &str| BindingView {
        map: "Akai APC mini".into(),
        on: on.into(),
        does: does.into(),
    };
    ControllersView {
        sources: vec![
            midi("APC MINI:APC MINI MIDI 1 24:0", true, Some("Akai APC mini")),
            midi("nanoKONTROL2:nanoKONTROL2 MIDI 1 28:0", false, None),
            osc,
        ],
        bindings: vec![binding("note 56", "preset 1"), binding("cc 56", "master")],
        clock_bpm: Some(128.0),
        ..ControllersView::default()
    }
}

#[test]
fn a_held_f_flashes_until_it_comes_up_and_does_not_repeat() {
    let mut window = Window::new();
    window.key(Key::F, true, false);
    window.key(Key::F, true, true);
    window.key(Key::F, true, true);
    assert_eq!(window.sent(), [Command::SetFlash(true)]);
    window.key(Key::F, false, false);
    assert_eq!(window.sent(), [Command::SetFlash(false)]);
}

#[test]
fn b_blacks_out_and_back_however_long_it_is_held() {
    let mut window = Window::new();
    for repeat in [false, true, true] {
        window.key(Key::B, true, repeat);
    }
    window.key(Key::B, false, false);
    window.key(Key::B, true, false);
    assert_eq!(window.sent(), [Command::SetBlackout(true), Command::SetBlackout(false)]);
}

#[test]
fn digits_choose_presets_and_t_and_r_take_the_beat_in_hand() {
    let mut window = Window::new();
    let second = window.desk.state().seen.presets[1].name.clone();
    for key in [Key::Num2, Key::T, Key::R] {
        window.key(key, true, false);
        window.key(key, false, false);
    }
    let beat = Command::Beat;
    assert_eq!(
        window.sent(),
        [Command::SelectPreset(second), beat(BeatWish::Tap), beat(BeatWish::Resync)]
    );
}

#[test]
fn the_live_pane_blacks_out_flashes_while_held_and_sets_when_presets_begin() {
    let mut window = Window::new();
    window.pane("Live");
    window.click("Blackout");
    assert_eq!(window.sent(), [Command::SetBlackout(true)]);
    let flash = window.rect(Role::Button, "Flash").center();
    window.pointer(flash, true);
    window.wait(0.2);
    assert_eq!(window.sent(), [Command::SetFlash(true)]);
    window.pointer(flash, false);
    window.wait(0.1);
    assert_eq!(window.sent(), [Command::SetFlash(false)]);
    window.h.get_by_label("bar").click();
    window.h.run_steps(3);
    let sent = window.sent();
    let [Command::SetTransition(transition)] = sent[..] else { panic!("{sent:?}") };
    assert_eq!(transition.begin, Begin::Bar);
}

#[test]
fn the_crossfader_waits_for_a_second_preset_and_then_moves() {
    let mut window = Window::new();
    window.desk.state().seen.live.preset_b = Some("Tunnel".into());
    window.pane("Live");
    let slider = window.rect(Role::Slider, "Crossfader");
    window.pointer(slider.center(), true);
    window.pointer(slider.center(), false);
    window.h.run_steps(2);
    let sent = window.sent();
    let Some(Command::SetCrossfade(fade)) = sent.first() else { panic!("{sent:?}") };
    assert!((fade - 0.5).abs() < 0.05, "{fade}");
}

#[test]
fn the_controllers_pane_lists_listens_and_teaches() {
    let mut window = Window::new();
    window.desk.state().seen.controllers = Arc::new(controllers());
    window.pane("Controllers");
    assert_eq!(window.sent(), [Command::Controllers(ControllersWish::Scan)], "asked once");
    assert!(window.h.query_by_label_contains("there is nothing at /galvo/nowhere").is_some());
    let port = "nanoKONTROL2:nanoKONTROL2 MIDI 1 28:0";
    window.h.get_by_label(&format!("Listen to {port}")).click();
    window.h.run_steps(3);
    let wish = ControllersWish::Open(port.into());
    assert_eq!(window.sent(), [Command::Controllers(wish)]);

    window.h.get_by_label("What the control does").click();
    window.h.run_steps(3);
    window.h.get_by_label("play/pause").click();
    window.h.run_steps(3);
    window.click("Teach");
    let wish = ControllersWish::Learn(Action::PlayPause);
    assert_eq!(window.sent(), [Command::Controllers(wish)]);
    let waiting = ControllersView { learning: Some("blackout".into()), ..controllers() };
    window.desk.state().seen.controllers = Arc::new(waiting);
    window.h.run_steps(2);
    window.click("Do not teach");
    assert_eq!(window.sent(), [Command::Controllers(ControllersWish::StopLearning)]);
}

#[test]
fn a_chosen_port_that_is_not_there_is_waited_for_and_can_be_let_go_of() {
    let mut window = Window::new();
    let missing = SourceView { name: "Keys".into(), present: false, ..SourceView::default() };
    let view = ControllersView { sources: vec![missing], ..ControllersView::default() };
    window.desk.state().seen.controllers = Arc::new(view);
    window.pane("Controllers");
    window.sent();
    assert!(window.h.query_by_label_contains("not there: it is taken up when it comes").is_some());
    window.h.get_by_label("Listen to Keys").click();
    window.h.run_steps(2);
    let close = ControllersWish::Close("Keys".into());
    assert!(window.sent().contains(&Command::Controllers(close)));
}
