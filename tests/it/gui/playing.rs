//! Transport, tempo and sound on the desk: the track, loops, the queue, hands on the beat.

use std::sync::{Arc, OnceLock};

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, MouseWheelUnit, Pos2, Vec2};
use egui_kittest::kittest::Queryable;
use galvo::analysis::{BeatSource, BeatWish, Track, TrackAnalyser};
use galvo::gui::FileChooser;
use galvo::show::Command;
use galvo::show::snapshot::Listening;
use galvo::time::MediaTime;

use super::{Window, seconds};

const RATE: u32 = 16_000;
const LENGTH_SECONDS: usize = 30;

/// Half a minute of a drum at 120 beats per minute, listened to as a whole.
fn track() -> Arc<Track> {
    static TRACK: OnceLock<Arc<Track>> = OnceLock::new();
    let listen = || {
        let sample = |n: usize| {
            let t = n as f32 / RATE as f32;
            let since = (t * 2.0).fract() / 2.0;
            let accent = if ((t * 2.0) as usize).is_multiple_of(4) { 1.0 } else { 0.6 };
            let kick = (since * 380.0 * (1.0 - since)).sin() * (-since * 18.0).exp();
            0.7 * accent * kick
        };
        let sound: Vec<f32> =
            (0..LENGTH_SECONDS * RATE as usize).flat_map(|n| [sample(n), sample(n)]).collect();
        let mut analyser = TrackAnalyser::new(RATE);
        analyser.push(&sound);
        let track = analyser.finish();
        assert!((track.bpm() - 120.0).abs() < 1.0, "{}", track.bpm());
        Arc::new(track)
    };
    Arc::clone(TRACK.get_or_init(listen))
}

/// A window over that track, at 10 s of it.
fn playing_track() -> Window {
    let mut window = Window::new();
    {
        let mut state = window.desk.state();
        state.seen.track = Some(track());
        state.seen.transport.duration = Some(seconds(LENGTH_SECONDS as f64));
        state.seen.transport.position = seconds(10.0);
    }
    window.h.run_steps(3);
    window.h.check_accessibility();
    window
}

impl Window {
    /// Drags over the track from one moment to another while `held` is held.
    fn drag_over_track(&mut self, from: f64, to: f64, held: Modifiers) {
        let bar = self.rect(Role::Slider, "Position");
        let at = |s: f64| {
            let share = (s / LENGTH_SECONDS as f64) as f32;
            Pos2::new(bar.left() + bar.width() * share, bar.center().y)
        };
        let button = |at: f64, pressed| Event::PointerButton {
            pos: Pos2::new(at as f32, bar.center().y),
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: held,
        };
        self.h.event(Event::ModifiersChanged(held));
        self.h.event(Event::PointerMoved(at(from)));
        self.h.event(button(f64::from(at(from).x), true));
        self.h.run_steps(1);
        for step in 1..=4 {
            let place = from + (to - from) * f64::from(step) / 4.0;
            self.h.event(Event::PointerMoved(at(place)));
            self.h.run_steps(1);
        }
        assert_eq!(self.sent(), [], "not while it drags");
        self.h.event(button(f64::from(at(to).x), false));
        self.h.run_steps(1);
        self.h.event(Event::ModifiersChanged(Modifiers::NONE));
        self.h.run_steps(2);
    }

    fn loop_sent(&self) -> (MediaTime, MediaTime) {
        let sent = self.sent();
        let [Command::SetLoop(Some(part))] = sent[..] else { panic!("{sent:?}") };
        part
    }
}

fn is_beat(at: MediaTime) -> bool {
    track().beats().iter().any(|beat| beat.at == at)
}

fn near(at: MediaTime, wanted: f64) -> bool {
    (at.as_secs_f64() - wanted).abs() < 0.27
}

#[test]
fn a_drag_with_shift_loops_a_part_on_the_beat_and_with_alt_anywhere() {
    let mut window = playing_track();
    window.drag_over_track(12.2, 20.3, Modifiers::SHIFT);
    let (start, end) = window.loop_sent();
    assert!(is_beat(start) && is_beat(end), "{start:?} {end:?}");
    assert!(near(start, 12.2) && near(end, 20.3), "{start:?} {end:?}");
    window.drag_over_track(16.2, 5.3, Modifiers::SHIFT | Modifiers::ALT);
    let (start, end) = window.loop_sent();
    assert!(!is_beat(start) && !is_beat(end), "{start:?} {end:?}");
    assert!(near(start, 5.3) && near(end, 16.2), "{start:?} {end:?}");
    window.drag_over_track(16.0, 24.0, Modifiers::NONE);
    let sent = window.sent();
    let [Command::Seek(to)] = sent[..] else { panic!("{sent:?}") };
    assert!((to.as_secs_f64() - 24.0).abs() < 0.05, "{to:?}");
}

#[test]
fn the_loop_button_plays_four_bars_and_ends_the_loop() {
    let mut window = playing_track();
    window.click("Loop");
    let (start, end) = window.loop_sent();
    assert!(is_beat(start) && is_beat(end));
    assert!((end.secs_since(start) - 8.0).abs() < 0.1, "{start:?} {end:?}");
    assert!(start <= seconds(10.0) && end > seconds(10.0));
    window.press(Modifiers::NONE, Key::L);
    assert_eq!(window.sent(), [Command::SetLoop(None)]);
    window.press(Modifiers::NONE, Key::L);
    assert_eq!(window.loop_sent(), (start, end), "the last one comes back");
}

#[test]
fn i_and_o_set_the_ends_of_a_loop_at_the_beat_at_hand() {
    let mut window = playing_track();
    window.press(Modifiers::NONE, Key::O);
    assert_eq!(window.sent(), [], "it has no start");
    window.press(Modifiers::NONE, Key::I);
    assert_eq!(window.sent(), [], "it has no end yet");
    window.desk.state().seen.transport.position = seconds(14.1);
    window.h.run_steps(2);
    window.click("Loop out");
    let (start, end) = window.loop_sent();
    assert!(is_beat(start) && near(start, 10.0), "{start:?}");
    assert!(is_beat(end) && near(end, 14.1), "{end:?}");
    window.desk.state().seen.transport.position = seconds(12.1);
    window.h.run_steps(2);
    window.click("Loop in");
    let (moved, same) = window.loop_sent();
    assert!(near(moved, 12.1) && same == end, "the start of a loop is moved");
}

#[test]
fn the_track_is_drawn_larger_by_wheel_and_button_and_a_click_seeks_in_what_is_in_sight() {
    let mut window = playing_track();
    for _ in 0..2 {
        window.click("Zoom in");
    }
    let bar = window.rect(Role::Slider, "Position");
    // 7.5 s are in sight now, around the head at 10 s.
    let place = Pos2::new(bar.left() + bar.width() * 0.75, bar.center().y);
    window.pointer(place, true);
    window.pointer(place, false);
    let sent = window.sent();
    let [Command::Seek(to)] = sent[..] else { panic!("{sent:?}") };
    assert!((to.as_secs_f64() - 11.875).abs() < 0.05, "{to:?}");
    window.h.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: Vec2::new(0.0, -2_000.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    window.wait(0.5);
    assert!(window.h.query_by_label("Zoom out").is_some());
    let place = Pos2::new(bar.left() + bar.width() * 0.5, bar.center().y);
    window.pointer(place, true);
    window.pointer(place, false);
    let sent = window.sent();
    let [Command::Seek(to)] = sent[..] else { panic!("{sent:?}") };
    assert!((to.as_secs_f64() - 15.0).abs() < 0.1, "the whole track again: {to:?}");
}

#[test]
fn the_next_track_is_named_and_comes_by_button_and_key() {
    let mut window = Window::new();
    window.press(Modifiers::NONE, Key::N);
    assert_eq!(window.sent(), [], "nothing is queued");
    {
        let transport = &mut window.desk.state().seen.transport;
        transport.queued = 3;
        transport.next = vec!["02 Arrival.flac".into(), "03 Late.flac".into()];
    }
    window.h.run_steps(2);
    assert!(window.h.query_by_label_contains("next: 02 Arrival.flac +2").is_some());
    window.click("Next track");
    window.press(Modifiers::NONE, Key::N);
    assert_eq!(window.sent(), [Command::NextTrack, Command::NextTrack]);
}

#[test]
fn the_listening_to_the_whole_track_is_told_broken_off_and_asked_for_again() {
    let mut window = Window::new();
    assert!(window.h.query_by_label("Stop listening ahead").is_none());
    window.desk.state().seen.listening = Listening::AtWork { heard_s: 61.0, length_s: Some(245.0) };
    window.h.run_steps(2);
    window.h.check_accessibility();
    window.click("Stop listening ahead");
    window.click("Listen to the whole track");
    assert_eq!(window.sent(), [Command::ListenToTrack(false), Command::ListenToTrack(true)]);
}

#[test]
fn hands_take_the_beat_by_buttons_and_by_keys() {
    let mut window = Window::new();
    window.desk.state().seen.transport.playing = true;
    window.h.run_steps(3);
    let by_hand = [
        ("Tap", BeatWish::Tap),
        ("Resync", BeatWish::Resync),
        ("Beat earlier", BeatWish::NudgeMs(-10.0)),
        ("Beat later", BeatWish::NudgeMs(10.0)),
        ("Half tempo", BeatWish::Half),
        ("Double tempo", BeatWish::Double),
        ("Lock", BeatWish::Lock),
        ("Follow", BeatWish::Follow),
    ];
    for (name, wish) in by_hand {
        window.click(name);
        assert_eq!(window.sent(), [Command::Beat(wish)], "{name}");
    }
    for (key, wish) in [
        (Key::Comma, BeatWish::NudgeMs(-10.0)),
        (Key::Period, BeatWish::NudgeMs(10.0)),
        (Key::OpenBracket, BeatWish::Half),
        (Key::CloseBracket, BeatWish::Double),
        (Key::K, BeatWish::Lock),
    ] {
        window.press(Modifiers::NONE, key);
        assert_eq!(window.sent(), [Command::Beat(wish)], "{key:?}");
    }
    window.desk.state().seen.beat_source = BeatSource::Held;
    window.h.run_steps(2);
    window.press(Modifiers::NONE, Key::K);
    assert_eq!(window.sent(), [Command::Beat(BeatWish::Follow)]);
}

#[test]
fn a_tap_counts_as_the_finger_comes_down_and_once() {
    let mut window = Window::new();
    let tap = window.rect(Role::Button, "Tap").center();
    window.pointer(tap, true);
    assert_eq!(window.sent(), [Command::Beat(BeatWish::Tap)]);
    window.wait(0.1);
    window.pointer(tap, false);
    assert_eq!(window.sent(), []);
}

#[test]
fn the_tempo_is_typed_and_moves_nothing_by_itself() {
    let mut window = Window::new();
    window.desk.state().seen.transport.playing = true;
    window.wait(0.5);
    assert_eq!(window.sent(), []);
    window.h.get_by_role_and_label(Role::SpinButton, "Tempo").set_value_accesskit(174.0);
    window.h.run_steps(3);
    assert_eq!(window.sent(), [Command::Beat(BeatWish::SetBpm(174.0))]);
    window.h.get_by_role_and_label(Role::SpinButton, "Tempo").click();
    window.h.run_steps(3);
    window.press(Modifiers::COMMAND, Key::A);
    for letter in ["9", "0"] {
        window.h.event(Event::Text(letter.into()));
        window.h.run_steps(1);
    }
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.sent(), [Command::Beat(BeatWish::SetBpm(90.0))]);
}

#[test]
fn the_lamps_say_bar_and_beat_and_whose_beat_it_is() {
    let mut window = Window::new();
    {
        let mut state = window.desk.state();
        let beat = &mut state.seen.features.beat;
        (beat.bpm, beat.count, beat.bar_phase, beat.beats_per_bar) = (120.0, 7, 0.34, 3);
    }
    window.h.run_steps(2);
    assert!(window.h.query_by_label("Bar 3, beat 2 of 3").is_some());
    window.h.check_accessibility();
}

/// Pictures to look at while the looks are worked on: `GALVO_LOOKS=folder`.
#[test]
#[ignore = "writes pictures to the folder in GALVO_LOOKS"]
fn looks_of_playing() {
    let folder = std::path::PathBuf::from(std::env::var("GALVO_LOOKS").unwrap());
    let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo.ogg");
    let mut decoder = galvo::audio::Decoder::open(&demo).unwrap();
    let mut analyser = TrackAnalyser::new(decoder.info().sample_rate);
    while let Some(block) = decoder.next().unwrap() {
        analyser.push(block);
    }
    let demo = Arc::new(analyser.finish());
    for (size, name) in [([1280.0, 800.0], "1280"), ([1920.0, 1080.0], "1920")] {
        let mut window = Window::of(size, FileChooser::asking(|| None));
        let save = |window: &mut Window, what: &str| {
            window.h.remove_cursor();
            window.h.run_steps(3);
            let file = folder.join(format!("{name}-{what}.png"));
            window.h.render().unwrap().save(file).unwrap();
        };
        {
            let seen = &mut window.desk.state().seen;
            seen.transport.playing = true;
            seen.listening = Listening::AtWork { heard_s: 80.0, length_s: Some(245.0) };
        }
        window.wait(9.0);
        save(&mut window, "listening");
        {
            let seen = &mut window.desk.state().seen;
            seen.listening = Listening::No;
            seen.transport.duration = Some(demo.duration());
            seen.transport.position = seconds(demo.duration().as_secs_f64() * 0.4);
            seen.track = Some(Arc::clone(&demo));
            seen.transport.queued = 3;
            seen.transport.next = vec!["02 Arrival.flac".into(), "03 Late.flac".into()];
        }
        window.wait(0.2);
        save(&mut window, "track");
        window.press(Modifiers::NONE, Key::L);
        for _ in 0..2 {
            window.click("Zoom in");
        }
        window.desk.state().seen.beat_source = BeatSource::Held;
        save(&mut window, "loop");
        window.press(Modifiers::NONE, Key::Questionmark);
        save(&mut window, "keys");
    }
}
