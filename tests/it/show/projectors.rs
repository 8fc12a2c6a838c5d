//! Each projector by itself: its own switch, its set-up in the room, a test picture.

use galvo::dac::simulator::Shown;
use galvo::path::Perspective;
use galvo::show::{Begin, Command, Installation, Transition, ZoneKind, ZoneSpec};

use super::scenario::{Performance, Scenario, demo, is_lit};
use super::{REACTION_S, circle};

fn two() -> Performance {
    Scenario::of(&demo()).preset(circle(0.6)).projectors(&[0.0, 0.0]).starting_at(20.0).begin()
}

fn allow(show: &mut Performance, projector: usize, allowed: bool) {
    show.tell(Command::SetAllowed { projector: format!("sim:{projector}"), allowed });
}

fn install(show: &mut Performance, installation: &Installation) {
    let (projector, installation) = ("sim:0".to_owned(), installation.clone());
    show.tell(Command::Install { projector, installation });
}

/// What the mirrors of a projector show in the next half second, once the present is through.
fn next(show: &mut Performance, projector: usize) -> Vec<Shown> {
    show.run(0.4);
    let from = show.now();
    show.run(0.5);
    show.shown_between(projector, from, show.now()).to_vec()
}

fn lit(shown: &[Shown]) -> usize {
    shown.iter().filter(|shown| is_lit(shown)).count()
}

#[test]
fn light_needs_both_the_shows_arming_and_the_projectors_own_switch() {
    for (armed, allowed) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut show = two();
        show.run(0.05);
        allow(&mut show, 1, allowed);
        if armed {
            show.tell(Command::Arm);
        }
        let (first, second) = (lit(&next(&mut show, 0)), lit(&next(&mut show, 1)));
        assert_eq!((first > 1_000, second > 1_000), (armed, armed && allowed), "{first} {second}");
        let seen = show.snapshot();
        assert_eq!(seen.projectors[1].armed, armed && allowed);
        assert_eq!((seen.projectors[0].allowed, seen.projectors[1].allowed), (true, allowed));
    }
}

#[test]
fn a_projector_switched_off_goes_dark_at_once_and_the_other_stays_lit() {
    let mut show = two().armed();
    show.run(1.0);
    allow(&mut show, 1, false);
    let off = show.now();
    show.run(0.5);
    let after = off.plus_secs_f64(REACTION_S);
    assert_eq!(lit(show.shown_between(1, after, show.now())), 0);
    assert!(lit(show.shown_between(0, after, show.now())) > 1_000);
    // Armed again, it stays out of the show; switched on, it joins the light.
    show.tell(Command::Arm);
    assert_eq!(lit(&next(&mut show, 1)), 0);
    allow(&mut show, 1, true);
    assert!(lit(&next(&mut show, 1)) > 1_000);
}

#[test]
fn a_projectors_own_switch_arms_nothing_in_a_dark_show() {
    let mut show = two().armed();
    show.run(0.5);
    show.tell(Command::Disarm);
    for allowed in [false, true] {
        allow(&mut show, 1, allowed);
        assert_eq!(lit(&next(&mut show, 1)), 0);
    }
    show.tell(Command::Arm);
    show.run(0.2);
    show.tell(Command::Stop);
    for allowed in [false, true] {
        allow(&mut show, 0, allowed);
    }
    assert!(!show.snapshot().safety.armed, "a latched stop is reset by hand alone");
    assert_eq!(lit(&next(&mut show, 0)), 0);
}

#[test]
fn a_switched_off_projector_is_not_armed_when_it_is_ready() {
    let mut show = two();
    allow(&mut show, 1, false);
    show.director.arm_when_ready();
    assert!(lit(&next(&mut show, 0)) > 1_000);
    assert_eq!(lit(&next(&mut show, 1)), 0);
}

/// A device's emergency stop is its own: it refuses to be armed, by hand or by wish, and says so; the others shine.
#[test]
fn a_projector_in_emergency_stop_is_not_armed_and_the_others_are() {
    let mut show = two();
    show.run(0.3);
    show.eye(1).set_estop_held(true);
    show.run(0.1);
    show.tell(Command::ResetStop);
    show.run(1.0);
    let tells = |show: &mut Performance, what: &str| {
        let notices = show.snapshot();
        notices.notices.iter().any(|told| told.text.contains("sim:1") && told.text.contains(what))
    };
    assert!(tells(&mut show, "the interlock is still open"));
    show.tell(Command::Arm);
    assert!(tells(&mut show, "in emergency stop: make the room safe, close its interlock"));
    let seen = show.snapshot();
    assert_eq!(seen.projectors.iter().map(|p| p.armed).collect::<Vec<_>>(), [true, false]);
    assert!(seen.safety.stopped, "the reset is still needed");
    show.eye(1).set_estop_held(false);
    show.tell(Command::ResetStop);
    assert_eq!(lit(&next(&mut show, 1)), 0, "a mere reset lights nothing");
    show.tell(Command::Arm);
    assert!(lit(&next(&mut show, 1)) > 1_000);
}

#[test]
fn a_wish_to_arm_when_ready_ends_with_an_emergency_stop() {
    let mut show = two();
    show.eye(1).set_estop_held(true);
    show.director.arm_when_ready();
    assert!(lit(&next(&mut show, 0)) > 1_000);
    show.eye(1).set_estop_held(false);
    show.tell(Command::ResetStop);
    assert_eq!(lit(&next(&mut show, 1)), 0);
    assert!(!show.snapshot().projectors[1].armed);
}

#[test]
fn the_corners_of_the_picture_are_laid_before_the_gate() {
    let corners = [[-0.2, -0.9], [0.9, -0.7], [0.9, 0.2], [0.1, 0.6]];
    let map = Perspective::onto(&corners).unwrap();
    let mut show = two().armed();
    install(&mut show, &Installation { corners, ..Installation::default() });
    let shown = next(&mut show, 0);
    let centre = map.place([0.0, 0.0]);
    assert!(lit(&shown) > 1_000);
    // The picture is a circle of 0.6: every lit point lies on its image, within what the mirrors lag.
    for shown in shown.iter().filter(|shown| is_lit(shown)) {
        let near = (0..720).map(|k| {
            let (sin, cos) = (f32::from(k as i16) * std::f32::consts::TAU / 720.0).sin_cos();
            let [x, y] = map.place([0.6 * cos, 0.6 * sin]);
            (shown.point.x - x).hypot(shown.point.y - y)
        });
        let nearest = near.fold(f32::INFINITY, f32::min);
        assert!(nearest < 0.02, "{nearest} at {:?}, centre {centre:?}", shown.point);
    }
    assert!(lit(&next(&mut show, 1)) > 1_000, "the other one is left alone");
}

#[test]
fn no_light_goes_into_a_blocked_zone_or_out_of_an_allowed_one() {
    let square = |low: f32, high: f32| vec![[low, -1.0], [high, -1.0], [high, 1.0], [low, 1.0]];
    let zone =
        |kind, low, high| ZoneSpec { kind, corners: square(low, high), ..ZoneSpec::default() };
    for (zone, dark) in [
        (zone(ZoneKind::Blocked, 0.0, 1.0), 0.0..1.1_f32),
        (zone(ZoneKind::Allowed, 0.0, 1.0), -1.1..0.0),
    ] {
        let mut show = two().armed();
        show.run(0.5);
        install(&mut show, &Installation { zones: vec![zone], ..Installation::default() });
        let shown = next(&mut show, 0);
        assert!(lit(&shown) > 500);
        for shown in shown.iter().filter(|shown| is_lit(shown)) {
            assert!(!dark.contains(&shown.point.x), "{:?}", shown.point);
        }
    }
}

#[test]
fn a_set_up_that_makes_no_sense_is_refused_with_a_notice_and_the_old_one_holds() {
    let mut show = two().armed();
    let keep_out = Installation { zones: vec![ZoneSpec::default()], ..Installation::default() };
    install(&mut show, &keep_out);
    install(&mut show, &Installation { corners: [[0.0; 2]; 4], ..Installation::default() });
    let seen = show.snapshot();
    assert_eq!(*seen.projectors[0].installation, keep_out);
    assert!(seen.notices.iter().any(|notice| notice.text.contains("pull them apart")));
}

#[test]
fn a_test_picture_stays_on_its_projector_whatever_the_show_does() {
    let mut show = two().armed();
    let picture = |picture| Command::SetTestPicture { projector: "sim:0".into(), picture };
    let spread = |shown: &[Shown]| {
        let at = |shown: &Shown| shown.point.x.hypot(shown.point.y);
        let of = shown.iter().filter(|shown| is_lit(shown)).map(at);
        of.fold((f32::INFINITY, 0.0_f32), |(low, high), r| (low.min(r), high.max(r)))
    };
    let is_circle = |(low, high): (f32, f32)| low > 0.57 && high < 0.63;
    assert!(is_circle(spread(&next(&mut show, 0))));
    show.tell(picture(Some(1)));
    assert!(!is_circle(spread(&next(&mut show, 0))), "the grid reaches to the centre");
    assert!(is_circle(spread(&next(&mut show, 1))));
    show.tell(Command::SelectPreset("Ember Ring".into()));
    show.tell(Command::SetParam { name: "radius".into(), value: 0.3 });
    let (low, high) = spread(&next(&mut show, 0));
    assert!(low < 0.1 && high > 0.6, "still the grid: {low} {high}");
    assert_eq!(show.snapshot().projectors[0].test_picture, Some(1));
    show.tell(picture(None));
    assert!(spread(&next(&mut show, 0)).1 < 0.95);
    assert_eq!(show.snapshot().projectors[0].test_picture, None);
}

#[test]
fn a_set_up_is_written_once_the_hand_rests_and_acts_in_the_next_show() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("projectors.toml");
    let begin = || Scenario::of(&demo()).preset(circle(0.6)).mountings(&file).begin().armed();
    let mut show = begin();
    for step in 1..=5_i16 {
        let zone = ZoneSpec { soft_edge: f32::from(step) * 0.01, ..ZoneSpec::default() };
        install(&mut show, &Installation { zones: vec![zone], ..Installation::default() });
        show.run(0.1);
        assert!(!file.exists(), "not while it is dragged");
    }
    show.run(1.0);
    assert!(file.exists());
    drop(show);
    let seen = begin().snapshot();
    assert!((seen.projectors[0].installation.zones[0].soft_edge - 0.05).abs() < 1e-6);
}

#[test]
fn a_test_picture_on_one_projector_takes_no_cue_from_another() {
    let mut show = two().armed();
    show.run(0.5);
    show.tell(Command::SetTransition(Transition { begin: Begin::Bar, beats: 0.0 }));
    show.tell(Command::SelectPreset("Ember Ring".into()));
    show.tell(Command::SetTestPicture { projector: "sim:0".into(), picture: Some(1) });
    show.run(5.0);
    let shown = next(&mut show, 1);
    let off_the_circle = |shown: &&Shown| (shown.point.x.hypot(shown.point.y) - 0.6).abs() > 0.05;
    let off = shown.iter().filter(|shown| is_lit(shown)).filter(off_the_circle).count();
    assert!(off > 100, "the cued preset came on its bar: {off}");
}
