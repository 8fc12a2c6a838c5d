//! Projectors that come and go while the show runs.

use std::path::Path;
use std::time::Duration;

use galvo::audio::AudioChoice;
use galvo::dac::FoundDevice;
use galvo::frame::TapPoint;
use galvo::safety::TripReason;
use galvo::show::disk::{Job, MayWait};
use galvo::show::rig_file::RigFile;
use galvo::show::snapshot::{ProjectorState, ProjectorView};
use galvo::show::{
    self, Command, Desk, Installation, Mountings, ShowConfig, ShowHandle, Snapshot, Source,
};
use galvo::time::{Clock, SystemClock};

use super::scenario::{Performance, Scenario, demo, is_lit};
use super::{REACTION_S, circle};

/// A name for a simulator that no other one has.
fn sim(number: usize) -> String {
    format!("sim:?ppm={number}")
}

fn show() -> Performance {
    Scenario::of(&demo()).preset(circle(0.6)).starting_at(20.0).begin()
}

fn add(show: &mut Performance, uri: &str) {
    show.tell(Command::AddProjector { uri: uri.to_owned() });
}

fn remove(show: &mut Performance, uri: &str) {
    show.tell(Command::RemoveProjector { projector: uri.to_owned() });
}

fn allow(show: &mut Performance, uri: &str, allowed: bool) {
    show.tell(Command::SetAllowed { projector: uri.to_owned(), allowed });
}

fn named(show: &mut Performance, uri: &str) -> Option<ProjectorView> {
    show.snapshot().projectors.iter().find(|one| one.name == uri).cloned()
}

fn names(show: &mut Performance) -> Vec<String> {
    show.snapshot().projectors.iter().map(|one| one.name.clone()).collect()
}

/// Lit points of a projector in the next half second, once the present is through.
fn lit_next(show: &mut Performance, number: usize) -> usize {
    show.run(0.4);
    let from = show.now();
    show.run(0.5);
    show.shown_between(number, from, show.now()).iter().filter(|shown| is_lit(shown)).count()
}

fn why_refused(show: &mut Performance) -> String {
    show.snapshot().rig.refused.clone().unwrap().why
}

#[test]
fn a_projector_added_to_a_dark_show_comes_dark_and_is_lit_with_the_others() {
    let mut show = show();
    show.run(0.1);
    add(&mut show, &sim(1));
    assert_eq!(lit_next(&mut show, 1), 0);
    let added = named(&mut show, &sim(1)).unwrap();
    assert_eq!((added.number, added.state), (1, ProjectorState::Ready));
    assert!(added.allowed && !added.armed && added.buffered_ms > 50.0, "{added:?}");
    show.tell(Command::Arm);
    assert!(lit_next(&mut show, 1) > 1_000);
}

#[test]
fn a_projector_added_to_an_armed_show_stays_dark_until_its_own_switch_is_on() {
    let mut show = show().armed();
    show.run(0.5);
    add(&mut show, &sim(1));
    assert_eq!(lit_next(&mut show, 1), 0);
    let added = named(&mut show, &sim(1)).unwrap();
    assert!(!added.allowed && !added.armed, "{added:?}");
    // A second press on Arm is no act on this one.
    show.tell(Command::Arm);
    assert_eq!(lit_next(&mut show, 1), 0);
    allow(&mut show, &sim(1), true);
    assert!(lit_next(&mut show, 1) > 1_000);
    assert!(lit_next(&mut show, 0) > 1_000, "the others go on");
}

#[test]
fn a_projector_that_comes_between_the_wish_to_arm_and_the_light_stays_dark() {
    let mut show = Scenario::of(&demo()).preset(circle(0.6)).unplugged().begin();
    show.director.arm_when_ready();
    add(&mut show, &sim(1));
    show.run(0.5);
    show.eye(0).set_plugged(true);
    assert!(lit_next(&mut show, 0) + lit_next(&mut show, 0) + lit_next(&mut show, 0) > 1_000);
    assert_eq!(lit_next(&mut show, 1), 0);
}

#[test]
fn what_the_show_holds_holds_for_one_that_is_added() {
    // A stop that is latched.
    let mut stopped = show().armed();
    stopped.tell(Command::Stop);
    add(&mut stopped, &sim(1));
    stopped.run(0.2);
    stopped.tell(Command::Arm);
    allow(&mut stopped, &sim(1), true);
    assert_eq!(lit_next(&mut stopped, 1), 0);
    assert!(stopped.snapshot().safety.trips.iter().all(|trip| !trip.contains(&sim(1))));
    stopped.tell(Command::ResetStop);
    stopped.tell(Command::Arm);
    assert!(lit_next(&mut stopped, 1) > 1_000);

    // A stop outlasts the projector it was pressed for.
    let mut emptied = show().armed();
    emptied.tell(Command::Stop);
    remove(&mut emptied, "sim:0");
    emptied.run(0.2);
    assert!(emptied.snapshot().safety.stopped);
    add(&mut emptied, &sim(1));
    emptied.run(0.2);
    emptied.tell(Command::Arm);
    assert_eq!(lit_next(&mut emptied, 1), 0);

    // A blackout, and the master.
    let mut dark = show();
    dark.tell(Command::SetBlackout(true));
    dark.tell(Command::SetMaster(0.5));
    add(&mut dark, &sim(1));
    dark.run(0.2);
    dark.tell(Command::Arm);
    assert_eq!(lit_next(&mut dark, 1), 0);
    dark.tell(Command::SetBlackout(false));
    let from = dark.now();
    assert!(lit_next(&mut dark, 1) > 1_000);
    let brightest = dark.shown_between(1, from, dark.now()).iter().map(|shown| shown.point.g).max();
    assert!(brightest.is_some_and(|drive| drive < 33_500), "{brightest:?}");
}

#[test]
fn one_that_is_added_draws_what_the_others_draw_with_its_own_set_up() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("projectors.toml");
    let corners = [[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]];
    let mut mountings = Mountings::open(Some(file.clone())).unwrap();
    let room = Installation { corners, ..Installation::default() };
    mountings.install(&sim(1), None, room.clone());
    mountings.to_write().unwrap().run(&MayWait::here()).written.unwrap();
    let scene = Scenario::of(&demo()).preset(circle(0.6)).mountings(&file).starting_at(20.0);
    let mut show = scene.begin();
    show.tell(Command::SelectPreset("Ember Ring".into()));
    show.tell(Command::SetPresetB(Some("Ember Ring".into())));
    show.tell(Command::SetCrossfade(0.5));
    add(&mut show, &sim(1));
    show.run(0.2);
    assert_eq!(*named(&mut show, &sim(1)).unwrap().installation, room);
    show.tell(Command::Arm);
    let farthest = |show: &mut Performance, number| {
        let from = show.now().plus_secs_f64(0.4);
        show.run(1.0);
        let shown = show.shown_between(number, from, show.now());
        let lit = shown.iter().filter(|shown| is_lit(shown));
        lit.map(|shown| shown.point.x.abs()).fold(0.0, f32::max)
    };
    let (whole, half) = (farthest(&mut show, 0), farthest(&mut show, 1));
    assert!(half <= 0.51 && whole > 0.55, "{whole} {half}");
    // Sides, parameters and test pictures go by number, whoever has left.
    remove(&mut show, "sim:0");
    show.tell(Command::SetTestPicture { projector: sim(1), picture: Some(4) });
    assert!(lit_next(&mut show, 1) > 100);
    show.tell(Command::SetTestPicture { projector: sim(1), picture: None });
    show.tell(Command::SetPresetB(None));
    assert!(lit_next(&mut show, 1) > 1_000);
}

#[test]
fn one_that_is_removed_is_dark_at_once_then_closed_then_gone_and_the_others_go_on() {
    let mut show = show().armed();
    add(&mut show, &sim(1));
    show.run(0.5);
    allow(&mut show, &sim(1), true);
    assert!(lit_next(&mut show, 1) > 1_000);
    remove(&mut show, &sim(1));
    let removed = show.now();
    let leaving = named(&mut show, &sim(1)).unwrap();
    assert_eq!((leaving.state, leaving.armed), (ProjectorState::Closing, false));
    show.run(0.5);
    let after = removed.plus_secs_f64(REACTION_S);
    let shown = show.shown_between(1, after, show.now());
    assert_eq!(shown.iter().filter(|shown| is_lit(shown)).count(), 0);
    assert_eq!(names(&mut show), ["sim:0"]);
    assert!(lit_next(&mut show, 0) > 1_000);
    let reason = TripReason::Operator.to_string();
    let told = show.snapshot().safety.trips.last().cloned().unwrap();
    assert!(told.contains(&sim(1)) && told.contains(&reason), "{told}");
    let report = show.finish();
    let named: Vec<_> = report.per_stream.iter().map(|stream| stream.name.clone()).collect();
    assert_eq!(named, ["sim:0".to_owned(), sim(1)], "the report tells of both");
    assert!(report.per_stream[1].lit_points > 1_000);
    assert_eq!((report.underruns, report.device_underflows), (0, 0));
}

#[test]
fn a_device_that_does_not_let_go_is_left_behind_and_said_so() {
    let mut show = show().armed();
    add(&mut show, &sim(1));
    show.run(0.5);
    show.hang(1);
    remove(&mut show, &sim(1));
    show.run(4.0);
    assert_eq!(named(&mut show, &sim(1)).unwrap().state, ProjectorState::Closing);
    show.tell(Command::Arm);
    assert!(!named(&mut show, &sim(1)).unwrap().armed, "it takes no part in the show any more");
    show.run(1.5);
    let seen = show.snapshot();
    assert_eq!(seen.projectors.len(), 1);
    assert!(seen.notices.iter().any(|told| told.text.contains("did not let go in time")));
    assert_eq!(show.finish().per_stream.len(), 2);
}

#[test]
fn a_show_without_a_projector_goes_on_and_takes_one_again() {
    let mut show = show().armed();
    remove(&mut show, "sim:0");
    show.run(0.5);
    let seen = show.snapshot();
    assert!(seen.projectors.is_empty() && !seen.safety.armed && seen.transport.playing);
    show.tell(Command::Arm);
    assert!(!show.snapshot().safety.armed);
    let told = show.snapshot().notices.iter().any(|told| told.text.contains("add one"));
    assert!(told, "arming nothing says so");
    let before = show.snapshot().transport.position;
    show.tell(Command::SelectPreset("Ember Ring".into()));
    show.run(1.0);
    let position = show.snapshot().transport.position;
    assert!((position.secs_since(before) - 1.0).abs() < 0.1, "{position:?}");
    add(&mut show, &sim(1));
    show.run(0.2);
    assert!(named(&mut show, &sim(1)).unwrap().allowed, "nothing is lit");
    show.tell(Command::Arm);
    assert!(lit_next(&mut show, 1) > 1_000);
}

#[test]
fn what_cannot_be_added_is_refused_in_one_sentence() {
    let mut show = show();
    add(&mut show, &sim(1));
    show.run(0.1);
    add(&mut show, " sim:?ppm=1.0 ");
    assert!(why_refused(&mut show).contains("in the show already"));
    add(&mut show, "foo://x");
    assert!(why_refused(&mut show).contains("ether-dream://HOST"));
    add(&mut show, "helios://A");
    show.run(0.1);
    assert!(why_refused(&mut show).contains("held by another program"));
    assert_eq!(show.snapshot().rig.opening, Vec::<String>::new());
    add(&mut show, "audio-xy://hw:0");
    show.run(0.1);
    add(&mut show, "audio-xy://front");
    show.run(0.1);
    assert!(why_refused(&mut show).contains("in the show already"), "by what it tells of itself");
    remove(&mut show, "audio-xy://hw:0");
    add(&mut show, &sim(2));
    assert_eq!(show.snapshot().rig.refused, None, "the next one is tried");
    show.run(0.1);
    assert_eq!(names(&mut show).len(), 3);
    for number in 3..=126 {
        add(&mut show, &sim(number));
    }
    show.run(0.02);
    assert_eq!(names(&mut show).len(), 127);
    add(&mut show, &sim(127));
    add(&mut show, &sim(128));
    assert!(why_refused(&mut show).contains("at most 128"));
}

#[test]
fn what_is_found_is_told_with_its_trouble_and_whether_it_is_in_the_show() {
    let mut show = show();
    show.run(0.1);
    assert!(!show.snapshot().rig.looked);
    show.tell(Command::FindProjectors);
    assert_eq!(show.snapshot().rig.finding, Some(0.0));
    let found = |uri: Option<String>, trouble: Option<&str>| FoundDevice {
        name: "Projector".into(),
        uri,
        serial: Some("01:02".into()),
        trouble: trouble.map(str::to_owned),
        ..FoundDevice::default()
    };
    let blind = found(None, Some("close the program that holds port 7654"));
    show.around.find(Some(0.5), vec![found(Some(sim(1)), Some("busy")), blind]);
    let seen = show.snapshot();
    assert_eq!((seen.rig.finding, seen.rig.looked, seen.rig.found.len()), (Some(0.5), true, 3));
    assert_eq!(seen.rig.found[0].label, "Projector (01:02)");
    assert_eq!(
        (seen.rig.found[0].in_show, seen.rig.found[0].trouble.as_deref()),
        (false, Some("busy"))
    );
    assert!(seen.rig.found[1].uri.is_none() && seen.rig.found[1].trouble.is_some());
    assert_eq!(seen.rig.found[2].uri.as_deref(), Some("sim:"), "the simulator is always there");
    add(&mut show, &sim(1));
    show.run(0.1);
    let seen = show.snapshot();
    assert!(seen.rig.found[0].in_show && seen.rig.found[0].trouble.is_none(), "held by this show");
    remove(&mut show, &sim(1));
    show.run(0.1);
    assert!(!show.snapshot().rig.found[0].in_show);
    show.tell(Command::StopFinding);
    let seen = show.snapshot();
    assert_eq!((seen.rig.finding, seen.rig.found.len()), (None, 3), "what was found stays");
}

/// Twenty random acts under a running stream. The performance fails on the first touch of the heap in a callback.
#[test]
fn projectors_come_and_go_at_random_without_light_on_the_dark_or_a_gap_on_those_that_stay() {
    let mut show = show().armed();
    show.run(0.5);
    let mut random = 7_u64;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize
    };
    // The names of those in the show but the first, and whether somebody switched them on.
    let mut present: Vec<(usize, bool)> = Vec::new();
    let mut ever_on: Vec<usize> = Vec::new();
    let (mut added, mut removed) = (0, 0);
    for _ in 0..20 {
        let is_to_add = present.is_empty() || next() % 10 < 7;
        if is_to_add {
            added += 1;
            add(&mut show, &sim(added));
            present.push((added, false));
        } else {
            let (gone, _) = present.remove(next() % present.len());
            removed += 1;
            remove(&mut show, &sim(gone));
        }
        show.run(0.05 + 0.01 * (next() % 20) as f64);
        if let Some((number, lit)) = present.last_mut()
            && next() % 2 == 0
        {
            *lit = true;
            ever_on.push(*number);
            let uri = sim(*number);
            allow(&mut show, &uri, true);
        }
        // Whatever is chosen and edited meanwhile reaches whoever is there.
        let preset = if next() % 2 == 0 { "Ember Ring" } else { "Clockwork" };
        show.tell(Command::SelectPreset(preset.into()));
        show.tell(Command::SetPresetB((next() % 2 == 0).then(|| "Tide Lines".into())));
    }
    show.tell(Command::SetPresetB(None));
    show.run(0.5);
    println!("{added} added, {removed} removed");
    assert!(added >= 8 && removed >= 3);
    let seen = show.snapshot();
    let mut here: Vec<String> = present.iter().map(|(number, _)| sim(*number)).collect();
    here.insert(0, "sim:0".to_owned());
    assert_eq!(names(&mut show), here);
    for projector in &seen.projectors {
        assert_eq!((projector.underruns, projector.device_underflows), (0, 0), "{projector:?}");
    }
    for number in 1..=added {
        let is_on = present.contains(&(number, true));
        let lit = lit_next(&mut show, number);
        assert_eq!(lit > 100, is_on, "{number}: {lit} points, in the show {present:?}");
        let ever = show.shown(number).iter().filter(|shown| is_lit(shown)).count();
        // One may be removed the moment it was switched on: then it never shone.
        assert!(ever == 0 || ever_on.contains(&number), "{number}: light without an act on it");
    }
    assert!(present.iter().any(|(_, lit)| *lit) && present.iter().any(|(_, lit)| !*lit));
    let report = show.finish();
    assert_eq!(report.per_stream.len(), added + 1);
}

#[test]
fn the_projectors_of_a_desk_are_remembered_and_never_whether_light_was_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rig.toml");
    let file = RigFile::new(path.clone());
    let mut show = Scenario::of(&demo()).preset(circle(0.6)).rig_file(&path).begin().armed();
    show.run(0.1);
    assert!(!path.exists(), "nothing has changed");
    add(&mut show, &sim(1));
    show.run(0.1);
    allow(&mut show, &sim(1), true);
    show.run(0.05);
    assert_eq!(file.read().projectors.unwrap(), ["sim:0".to_owned(), sim(1)]);
    remove(&mut show, "sim:0");
    show.run(0.05);
    assert_eq!(file.read().projectors.unwrap(), [sim(1)]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("arm") && !text.contains("true"), "{text}");
}

/// A desk as it is opened by itself: real threads, no sound card, what is remembered lies in `folder`.
pub(super) fn desk(folder: &Path) -> ShowHandle {
    show::start(&config(folder), None).unwrap()
}

pub(super) fn config(folder: &Path) -> ShowConfig {
    let source = Source::Playback { music: Vec::new(), start_s: 0.0, audio: AudioChoice::None };
    ShowConfig {
        source,
        rig: Some(folder.join("rig.toml")),
        mountings: Some(folder.join("projectors.toml")),
        preset_folder: Some(folder.join("presets")),
        ..ShowConfig::default()
    }
}

/// Looks until the desk is as it should be; a machine that is held up takes longer.
pub(super) fn wait(desk: &mut ShowHandle, what: &str, is_so: impl Fn(&Snapshot) -> bool) {
    let until = SystemClock.now() + Duration::from_secs(20);
    while !is_so(&desk.snapshot()) {
        assert!(SystemClock.now() < until, "{what}: {:?}", desk.snapshot().projectors);
        SystemClock.sleep_until(SystemClock.now() + Duration::from_millis(5));
    }
}

#[test]
fn a_desk_opens_with_the_projectors_of_the_last_one_and_the_preview_follows_one_that_is_added() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = desk(folder.path());
    assert_eq!(first.snapshot().projectors[0].name, "sim:", "the first day");
    first.send(Command::AddProjector { uri: sim(1) });
    // Nobody listens on this port: it is waited for, as one that is switched off.
    first.send(Command::AddProjector { uri: "idn://127.0.0.1:9".into() });
    wait(&mut first, "both are added", |seen| seen.projectors.len() == 3);
    let of_sim = |seen: &Snapshot| seen.projectors.iter().find(|one| one.name == sim(1)).cloned();
    let added = of_sim(&first.snapshot()).unwrap();
    first.watch(added.number, TapPoint::Sent);
    wait(&mut first, "it is ready", |seen| of_sim(seen).unwrap().state == ProjectorState::Ready);
    let until = SystemClock.now() + Duration::from_secs(20);
    let mut sent = Vec::new();
    while sent.is_empty() {
        first.watched_points(&mut sent);
        assert!(SystemClock.now() < until && !first.snapshot().finished);
        SystemClock.sleep_until(SystemClock.now() + Duration::from_millis(5));
    }
    first.send(Command::RemoveProjector { projector: "sim:".into() });
    wait(&mut first, "the first is gone", |seen| seen.projectors.len() == 2);
    let report = first.finish().unwrap();
    assert_eq!(report.per_stream.len(), 3);
    assert_eq!(report.allocations_in_callback, Some(0));

    let mut second = desk(folder.path());
    let seen = second.snapshot();
    let names =
        |seen: &Snapshot| seen.projectors.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    let mut there = names(&seen);
    there.sort();
    assert_eq!(there, ["idn://127.0.0.1:9".to_owned(), sim(1)]);
    assert!(!seen.safety.armed && seen.projectors.iter().all(|one| one.allowed && !one.armed));
    for uri in there {
        second.send(Command::RemoveProjector { projector: uri });
    }
    wait(&mut second, "all are gone", |seen| seen.projectors.is_empty());
    drop(second);
    let mut third = desk(folder.path());
    assert!(third.snapshot().projectors.is_empty(), "an empty desk is remembered as one");
    drop(third);

    std::fs::write(folder.path().join("rig.toml"), "projectors = [\"foo://x\", \"sim:\"]").unwrap();
    let mut fourth = desk(folder.path());
    let seen = fourth.snapshot();
    assert_eq!(names(&seen), ["sim:"]);
    assert!(seen.notices.iter().any(|told| told.text.contains("foo://x is not in the show")));
}
