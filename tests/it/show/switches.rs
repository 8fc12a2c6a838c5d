//! Hands on the switches while the show thread is busy: dark at once, and light by nothing but an arm that somebody
//! meant, in virtual time, judged by what the mirrors showed.

use std::path::Path;

use galvo::realtime::no_alloc;
use galvo::safety::{Arm, Switches, TripReason};
use galvo::show::Command;
use galvo::time::HostTime;
use proptest::prelude::*;

use super::scenario::{Performance, Scenario, is_lit, wav};
use super::{REACTION_S, circle};

fn lit_show(folder: &Path, projectors: usize) -> Performance {
    let music = wav(folder, 20.0, |n| (n as f32 * 0.05).sin() * 0.3);
    let clocks = vec![0.0; projectors];
    let mut show = Scenario::of(&music).preset(circle(0.6)).projectors(&clocks).begin().armed();
    show.run(0.5);
    show
}

fn lit_points(show: &Performance, projector: usize, from: HostTime) -> usize {
    show.shown_between(projector, from, show.now()).iter().filter(|s| is_lit(s)).count()
}

fn notices(show: &mut Performance) -> String {
    show.snapshot().notices.iter().map(|n| n.text.clone()).collect::<Vec<_>>().join("\n")
}

fn switch_off(projector: &str) -> Command {
    Command::SetAllowed { projector: projector.to_owned(), allowed: false }
}

#[test]
fn every_darkening_is_dark_at_once_while_the_show_thread_is_busy() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        Command::Stop,
        Command::Disarm,
        Command::SetBlackout(true),
        Command::Quit,
        switch_off("sim:0"),
        Command::RemoveProjector { projector: "sim:0".to_owned() },
    ] {
        let mut show = lit_show(folder.path(), 1);
        show.show_thread_is_busy();
        let before = show.now();
        show.run(0.1);
        assert!(lit_points(&show, 0, before) > 1_000, "lit before {command:?}");
        show.hand(command.clone());
        let dark_from = show.now().plus_secs_f64(REACTION_S);
        show.run(0.5);
        assert_eq!(lit_points(&show, 0, dark_from), 0, "{command:?}");
        show.show_thread_is_free();
        show.run(0.3);
        assert_eq!(lit_points(&show, 0, dark_from), 0, "late {command:?}");
    }
}

#[test]
fn one_that_is_switched_off_is_dark_at_once_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = lit_show(folder.path(), 2);
    show.show_thread_is_busy();
    show.hand(switch_off("sim:1"));
    let from = show.now().plus_secs_f64(REACTION_S);
    show.run(0.3);
    assert!(lit_points(&show, 0, from) > 1_000);
    assert_eq!(lit_points(&show, 1, from), 0);
}

#[test]
fn a_late_command_darkens_no_light_that_was_armed_after_it() {
    let folder = tempfile::tempdir().unwrap();
    for darkening in [
        vec![Command::Disarm],
        vec![Command::Stop, Command::ResetStop],
        vec![switch_off("sim:0"), Command::SetAllowed { projector: "sim:0".into(), allowed: true }],
        vec![Command::SetBlackout(true), Command::SetBlackout(false)],
    ] {
        let mut show = lit_show(folder.path(), 1);
        show.show_thread_is_busy();
        for command in darkening.iter().cloned().chain([Command::Arm]) {
            show.run(0.01);
            show.hand(command);
        }
        show.show_thread_is_free();
        show.run(0.2);
        let from = show.now();
        show.run(0.2);
        assert!(lit_points(&show, 0, from) > 1_000, "{darkening:?}");
        let seen = show.snapshot();
        assert!(seen.safety.armed && !seen.safety.stopped && !seen.live.blackout);
    }
}

#[test]
fn an_arm_that_waited_gives_no_light_after_a_later_darkening() {
    let folder = tempfile::tempdir().unwrap();
    for darkening in [Command::Disarm, Command::Stop, Command::Quit] {
        let mut show = lit_show(folder.path(), 1);
        show.tell(Command::Disarm);
        show.run(0.1);
        show.show_thread_is_busy();
        let dark_from = show.now();
        show.hand(Command::Arm);
        show.run(0.1);
        show.hand(darkening.clone());
        show.run(0.1);
        show.show_thread_is_free();
        let told = notices(&mut show);
        assert!(told.contains("after you armed") || told.contains("press Reset"), "{told}");
        show.run(0.3);
        assert_eq!(lit_points(&show, 0, dark_from), 0, "{darkening:?}");
        assert!(!show.snapshot().safety.armed);
    }
}

#[test]
fn an_arm_that_waited_does_not_light_a_projector_that_was_lost_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = lit_show(folder.path(), 2);
    show.tell(Command::Disarm);
    show.show_thread_is_busy();
    show.hand(Command::Arm);
    show.eye(1).set_plugged(false);
    show.run(0.1);
    show.eye(1).set_plugged(true);
    show.run(0.5);
    show.show_thread_is_free();
    let from = show.now();
    show.run(0.5);
    assert!(lit_points(&show, 0, from) > 1_000, "it was there all the time");
    assert_eq!(lit_points(&show, 1, from), 0);
    assert!(notices(&mut show).contains("sim:1: not armed"));
}

#[test]
fn a_reset_that_waited_clears_no_stop_pressed_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = lit_show(folder.path(), 1);
    show.tell(Command::Stop);
    show.show_thread_is_busy();
    let dark_from = show.now().plus_secs_f64(REACTION_S);
    show.hand(Command::ResetStop);
    show.hand(Command::Arm);
    show.run(0.05);
    show.hand(Command::Stop);
    show.show_thread_is_free();
    show.run(0.3);
    assert!(show.snapshot().safety.stopped);
    assert!(notices(&mut show).contains("STOP was pressed after this reset"));
    assert_eq!(lit_points(&show, 0, dark_from), 0);
    show.tell(Command::ResetStop);
    show.tell(Command::Arm);
    show.run(0.2);
    let from = show.now();
    show.run(0.2);
    assert!(lit_points(&show, 0, from) > 1_000);
}

#[test]
fn light_that_is_waited_for_at_the_start_is_taken_back_by_a_hand_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for hand in [Command::Disarm, Command::Stop, switch_off("sim:0")] {
        let music = wav(folder.path(), 20.0, |_| 0.0);
        let mut show = Scenario::of(&music).preset(circle(0.6)).begin();
        show.director.arm_when_ready();
        show.show_thread_is_busy();
        show.run(0.1);
        show.hand(hand.clone());
        show.show_thread_is_free();
        show.run(1.0);
        assert!(!show.snapshot().safety.armed, "{hand:?}");
        let start = show.now().plus_secs_f64(-2.0);
        assert_eq!(lit_points(&show, 0, start), 0, "{hand:?}");
    }
}

#[test]
fn a_show_thread_that_hangs_ends_dark_within_a_second_and_only_an_arm_gives_light_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = lit_show(folder.path(), 2);
    show.show_thread_is_busy();
    let hung = show.now();
    show.run(0.95);
    for projector in [0, 1] {
        assert!(lit_points(&show, projector, hung) > 10_000);
    }
    show.run(0.05 + REACTION_S);
    let dark_from = show.now();
    show.run(1.0);
    show.show_thread_is_free();
    show.run(1.0);
    for projector in [0, 1] {
        assert_eq!(lit_points(&show, projector, dark_from), 0);
    }
    let seen = show.snapshot();
    let told = seen.safety.trips.iter().filter(|trip| trip.contains("show thread")).count();
    assert_eq!(told, 2, "{:?}", seen.safety.trips);
    show.tell(Command::Arm);
    show.run(0.2);
    let from = show.now();
    show.run(0.2);
    assert!(lit_points(&show, 0, from) > 1_000);
}

#[test]
fn stop_disarm_and_blackout_do_not_touch_the_heap() {
    let now = HostTime::from_nanos(1_000_000_000);
    let switches = Switches::default();
    let arms: Vec<Arm> = std::iter::repeat_with(Arm::new).take(128).collect();
    for (number, arm) in (0..).zip(&arms) {
        switches.join(number, &format!("sim:{number}"), arm, now);
        arm.arm(now).unwrap();
        let thread = std::thread::current();
        assert!(arm.on_trip(move || thread.unpark()));
    }
    // The record that a thread makes of itself.
    assert!(switches.is_armed());
    let ((), touched) = no_alloc::watch(|| {
        switches.set_blackout(true);
        switches.turn_blackout();
        switches.take_out("sim:5", now);
        switches.disarm(now, TripReason::Operator);
        switches.stop(now);
    });
    assert_eq!(touched, 0);
    assert!(arms.iter().all(|arm| arm.is_stopped() && !arm.is_armed()));
}

// --- Any hands in any order ----------------------------------------------------------------------------------

#[derive(Clone, Debug)]
enum Deed {
    Hand(Command),
    Busy,
    Free,
    Lost,
}

fn deed() -> impl Strategy<Value = Deed> {
    let hand = |command| Just(Deed::Hand(command));
    prop_oneof![
        4 => hand(Command::Arm),
        2 => hand(Command::ResetStop),
        1 => hand(Command::Stop),
        2 => hand(Command::Disarm),
        1 => hand(Command::SetBlackout(true)),
        1 => hand(Command::SetBlackout(false)),
        1 => hand(switch_off("sim:0")),
        1 => hand(Command::SetAllowed { projector: "sim:0".into(), allowed: true }),
        3 => Just(Deed::Busy),
        3 => Just(Deed::Free),
        1 => Just(Deed::Lost),
    ]
}

/// What a person who watches the hands may expect of the one projector.
#[derive(Debug, Default)]
struct Expected {
    /// An arm was pressed, and nothing darkened since.
    may_be_armed: bool,
    stopped: bool,
    out: bool,
    blackout: bool,
}

impl Expected {
    fn sees(&mut self, deed: &Deed) {
        match deed {
            Deed::Hand(Command::Arm) => self.may_be_armed |= !self.out && !self.stopped,
            Deed::Hand(Command::Stop) => (self.may_be_armed, self.stopped) = (false, true),
            Deed::Hand(Command::Disarm) | Deed::Lost => self.may_be_armed = false,
            Deed::Hand(Command::ResetStop) => self.stopped = false,
            Deed::Hand(Command::SetBlackout(on)) => self.blackout = *on,
            Deed::Hand(Command::SetAllowed { allowed, .. }) => {
                self.out = !allowed;
                self.may_be_armed &= allowed;
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn light_is_given_by_nothing_but_an_arm_that_came_last(deeds in prop::collection::vec(deed(), 1..30)) {
        let folder = tempfile::tempdir().unwrap();
        let music = wav(folder.path(), 0.1, |_| 0.0);
        let mut show = Scenario::of(&music).preset(circle(0.6)).begin();
        let mut expected = Expected::default();
        for deed in &deeds {
            expected.sees(deed);
            match deed.clone() {
                Deed::Hand(command) => show.hand(command),
                Deed::Busy => show.show_thread_is_busy(),
                Deed::Free => show.show_thread_is_free(),
                Deed::Lost => show.director.switches().disarm_one("sim:0", show.now(), TripReason::Reconnect),
            }
            let switches = show.director.switches();
            prop_assert!(!switches.is_armed() || expected.may_be_armed, "{expected:?}");
            prop_assert!(!expected.stopped || switches.is_stopped(), "{expected:?}");
            prop_assert_eq!(switches.is_blacked_out(), expected.blackout);
        }
        show.show_thread_is_free();
        let seen = show.snapshot();
        prop_assert_eq!(seen.safety.stopped, expected.stopped);
        prop_assert_eq!(seen.projectors[0].allowed, !expected.out);
        prop_assert!(!seen.safety.armed || expected.may_be_armed);
        // What is meant is granted, once the room is safe.
        show.tell(Command::ResetStop);
        show.tell(Command::SetAllowed { projector: "sim:0".into(), allowed: true });
        show.tell(Command::Arm);
        prop_assert!(show.snapshot().safety.armed);
    }
}
