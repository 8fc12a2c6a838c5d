//! What an operator does with a show under way: blackout, flash, crossfader, launches on the beat.

use galvo::dac::simulator::Shown;
use galvo::show::deck::Change;
use galvo::show::{Begin, Command, Transition};
use galvo::time::HostTime;

use super::scenario::{Performance, RATE, Scenario, brightness, is_lit, wav};
use super::{REACTION_S, circle, preset};

/// Points kept ahead of the mirrors, a picture, and two looks.
const AHEAD_S: f64 = 0.1 + 0.02 + REACTION_S;

fn lit_share(shown: &[Shown]) -> f64 {
    shown.iter().filter(|s| is_lit(s)).count() as f64 / shown.len().max(1) as f64
}

fn steady_music(folder: &std::path::Path) -> std::path::PathBuf {
    wav(folder, 12.0, |n| (n as f32 * 0.05).sin() * 0.3)
}

fn shown(show: &Performance, from: HostTime, seconds: f64) -> &[Shown] {
    show.shown_between(0, from, from.plus_secs_f64(seconds))
}

#[test]
fn a_blackout_is_dark_at_once_stays_armed_and_gives_the_light_back() {
    let folder = tempfile::tempdir().unwrap();
    let music = steady_music(folder.path());
    let mut show = Scenario::of(&music).preset(circle(0.6)).begin().armed();
    show.run(1.0);
    let dark_from = show.now().plus_secs_f64(REACTION_S);
    show.tell(Command::SetBlackout(true));
    show.run(0.5);
    let dark_until = show.now();
    let dark = show.shown_between(0, dark_from, dark_until);
    assert!(dark.len() > 1_000 && dark.iter().all(|s| !is_lit(s)));
    let seen = show.snapshot();
    assert!(seen.safety.armed && seen.live.blackout && seen.safety.trips.is_empty());
    show.tell(Command::SetBlackout(false));
    let lit_from = show.now().plus_secs_f64(AHEAD_S);
    show.run(0.5);
    assert!(lit_share(shown(&show, lit_from, 0.2)) > 0.5);
    assert!(show.snapshot().safety.trips.is_empty());
}

#[test]
fn a_stop_in_a_blackout_is_still_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = Scenario::of(&steady_music(folder.path())).preset(circle(0.6)).begin().armed();
    show.run(0.5);
    show.tell(Command::SetBlackout(true));
    show.run(0.1);
    show.tell(Command::Stop);
    let dark_from = show.now();
    show.tell(Command::SetBlackout(false));
    show.run(0.5);
    assert!(shown(&show, dark_from, 0.5).iter().all(|s| !is_lit(s)));
    assert!(show.snapshot().safety.stopped);
}

/// A red circle, half bright.
fn red() -> std::sync::Arc<galvo::pattern::Preset> {
    preset(
        "version = 1\nname = \"Red\"\ngenerator = \"circle\"\n[params]\nradius = 0.6\nbreath = 0\nwobble = 0\n\
         fizz = 0\n[colour]\ncolours = ['#ff0000']\n[look]\nbrightness = 0.5\n",
    )
}

#[test]
fn a_flash_is_full_white_while_it_is_held_and_within_the_master() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = Scenario::of(&steady_music(folder.path())).preset(red()).begin().armed();
    show.tell(Command::SetMaster(0.5));
    show.run(1.0);
    let before = show.now();
    show.tell(Command::SetFlash(true));
    show.run(0.4);
    let released = show.now();
    show.tell(Command::SetFlash(false));
    show.run(0.5);
    let quiet = shown(&show, before.plus_secs_f64(-0.2), 0.2);
    assert!(quiet.iter().all(|s| s.point.g == 0 && brightness(s) < 0.26));
    let flash = shown(&show, before.plus_secs_f64(AHEAD_S), 0.2);
    let lit: Vec<_> = flash.iter().filter(|s| is_lit(s)).collect();
    assert!(lit.len() > flash.len() / 2);
    for seen in lit {
        let point = seen.point;
        assert!(
            point.r == point.g && point.g == point.b && (0.49..=0.5).contains(&brightness(seen))
        );
    }
    let after = shown(&show, released.plus_secs_f64(AHEAD_S), 0.2);
    assert!(lit_share(after) > 0.5 && after.iter().all(|s| s.point.g == 0));
}

#[test]
fn hammering_the_flash_flashes_three_times_a_second_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = Scenario::of(&steady_music(folder.path())).preset(red()).begin().armed();
    show.run(0.5);
    let from = show.now();
    for _ in 0..20 {
        show.tell(Command::SetFlash(true));
        show.run(0.05);
        show.tell(Command::SetFlash(false));
        show.run(0.05);
    }
    let white: Vec<bool> =
        shown(&show, from, 2.0).iter().filter(|s| is_lit(s)).map(|s| s.point.g > 0).collect();
    let flashes = white.windows(2).filter(|pair| !pair[0] && pair[1]).count();
    assert!((4..=6).contains(&flashes), "{flashes}");
    assert!(show.snapshot().notices.iter().any(|n| n.text.contains("seizures")));
}

#[test]
fn a_flash_whose_release_was_lost_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut show = Scenario::of(&steady_music(folder.path())).preset(red()).begin().armed();
    show.run(0.5);
    show.tell(Command::SetFlash(true));
    show.run(3.5);
    assert!(show.snapshot().live.flash);
    show.run(1.0);
    assert!(!show.snapshot().live.flash);
    let from = show.now();
    show.run(0.3);
    assert!(shown(&show, from, 0.3).iter().all(|s| s.point.g == 0));
}

fn radius_shown(show: &Performance, from: HostTime) -> f32 {
    let radii: Vec<f32> = shown(show, from, 0.1)
        .iter()
        .filter(|s| is_lit(s))
        .map(|s| s.point.x.hypot(s.point.y))
        .collect();
    radii.iter().sum::<f32>() / radii.len().max(1) as f32
}

#[test]
fn the_crossfader_leads_to_a_second_preset_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let text = "version = 1\nname = \"Small\"\ngenerator = \"circle\"\n[params]\nradius = 0.2\nbreath = 0\n\
                wobble = 0\nfizz = 0\n";
    std::fs::write(folder.path().join("small.toml"), text).unwrap();
    let music = steady_music(folder.path());
    let scenario = Scenario::of(&music).preset(circle(0.6)).preset_folder(folder.path());
    let mut show = scenario.begin().armed();
    show.tell(Command::SetPresetB(Some("Small".into())));
    show.run(0.5);
    for (fade, radius) in [(0.0, 0.6), (0.5, 0.4), (1.0, 0.2), (0.0, 0.6)] {
        show.tell(Command::SetCrossfade(fade));
        show.run(AHEAD_S + 0.1);
        let from = show.now();
        show.run(0.2);
        let seen = radius_shown(&show, from);
        assert!((seen - radius).abs() < 0.03, "{fade}: {seen}");
    }
    show.tell(Command::SetPresetB(Some("nowhere".into())));
    let seen = show.snapshot();
    assert_eq!(seen.live.preset_b.as_deref(), Some("Small"), "a wrong name changes nothing");
    assert!(seen.notices.iter().any(|n| n.text.contains("nowhere")));
    show.tell(Command::SetPresetB(None));
    show.tell(Command::SetCrossfade(f32::NAN));
    let seen = show.snapshot();
    assert_eq!((seen.live.preset_b.clone(), seen.live.crossfade), (None, 0.0));
}

#[test]
fn a_launch_that_waits_for_its_bar_is_seen_waiting() {
    let folder = tempfile::tempdir().unwrap();
    // A stroke every half second.
    let music = wav(folder.path(), 12.0, |n| {
        let t = (n % (RATE as usize / 2)) as f32 / RATE as f32;
        0.8 * (std::f32::consts::TAU * 60.0 * t).cos() * (-t / 0.05).exp()
    });
    let mut show = Scenario::of(&music).preset(circle(0.6)).begin().armed();
    show.run(8.0);
    show.tell(Command::SetTransition(Transition { begin: Begin::Bar, beats: 0.0 }));
    show.run(0.1);
    show.tell(Command::SelectPreset("Ember Ring".into()));
    show.run(0.05);
    assert!(show.snapshot().change == Change::Cued);
    show.run(2.5);
    assert!(show.snapshot().change != Change::Cued);
}
