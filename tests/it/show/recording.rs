//! The files of a show: what is recorded is what the projectors got, and the show does not know of it.

use std::fs;
use std::path::{Path, PathBuf};

use galvo::dac::simulator::Shown;
use galvo::format::FileKind;
use galvo::format::ilda::{self, ReadOptions};
use galvo::record::{FileStudio, Zone};
use galvo::show::recorder::RecorderView;
use galvo::show::snapshot::Listening;
use galvo::show::{Command, RecorderWish};
use galvo::time::{Clock, HostTime, SystemClock};

use super::scenario::{Performance, Scenario, colours_wait, demo, is_lit, wav};
use super::{circle, preset};

/// 2026-11-21 10:58:32 UTC.
const TIME_OF_DAY: i64 = 1_795_258_712;

/// A show whose recorder works in its own virtual time.
fn with_studio(mut show: Performance, folder: &Path) -> Performance {
    let studio = FileStudio::stepped(folder.to_owned(), Zone::default(), Box::new(|| TIME_OF_DAY));
    show.director.give_studio(Box::new(studio));
    show
}

fn tell(show: &mut Performance, wish: RecorderWish) {
    show.tell(Command::Recorder(wish));
}

fn record(show: &mut Performance, projector: Option<&str>, kind: FileKind) {
    tell(show, RecorderWish::Start { projector: projector.map(str::to_owned), kind });
}

fn recorder(show: &mut Performance) -> RecorderView {
    show.snapshot().recorder.clone()
}

/// Where a recording lies in what the mirrors showed; everything of it, in its order.
fn found_in<T: PartialEq>(recorded: &[T], shown: &[T]) -> Option<usize> {
    shown.windows(recorded.len()).position(|window| window == recorded)
}

fn frames(file: &Path) -> Vec<ilda::Point> {
    let drawing = ilda::read(&fs::read(file).unwrap(), ReadOptions::default()).unwrap();
    assert_eq!(drawing.warnings, []);
    drawing.frames.into_iter().flat_map(|frame| frame.points).collect()
}

#[test]
fn an_ilda_recording_holds_every_point_that_the_mirrors_showed() {
    let home = tempfile::tempdir().unwrap();
    let show = Scenario::of(&demo()).starting_at(20.0).begin();
    let mut show = with_studio(show, home.path()).armed();
    show.run(0.5);
    record(&mut show, None, FileKind::Ilda);
    show.run(2.0);
    let view = recorder(&mut show).recording.unwrap();
    assert!((view.elapsed_s - 2.0).abs() < 0.05 && view.lost == 0, "{view:?}");
    assert!((49..=52).contains(&view.frames) && view.bytes > 470_000, "{view:?}");
    tell(&mut show, RecorderWish::Stop);
    // What was sent is shown in a while.
    show.run(0.5);
    let made = recorder(&mut show).made;
    assert_eq!(made[0].path, home.path().join("galvo-2026-11-21-105832.ild"));
    assert_eq!(made[0].bytes, fs::metadata(&made[0].path).unwrap().len());
    let recorded = frames(&made[0].path);
    let drawn = show.drawn_between(0, HostTime::ZERO, show.now());
    let drawn: Vec<_> = drawn.iter().map(|s| ilda::Point::from_laser(&s.point)).collect();
    assert!(recorded.len() > 59_000, "{}", recorded.len());
    // A file holds each colour where it was drawn; of the first points nobody knows it.
    let (first, rest) = recorded.split_at(colours_wait());
    assert!(first.iter().all(ilda::Point::is_blank));
    assert!(found_in(rest, &drawn).is_some(), "some point is another");
    assert!(recorded.iter().filter(|point| !point.is_blank()).count() > 10_000);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn a_recording_as_rows_says_when_each_point_was_seen() {
    let home = tempfile::tempdir().unwrap();
    let show = Scenario::of(&demo()).starting_at(20.0).projectors(&[0.0, 0.0]).begin();
    let mut show = with_studio(show, home.path()).armed();
    show.run(1.0);
    record(&mut show, Some("sim:1"), FileKind::Csv);
    show.run(1.0);
    tell(&mut show, RecorderWish::Stop);
    show.run(0.5);
    let text = fs::read_to_string(&recorder(&mut show).made[0].path).unwrap();
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|row| row.split(',').map(|value| value.parse().unwrap()).collect())
        .collect();
    let millionth = |x: f32| (f64::from(x) * 1e6).round();
    let of_row =
        |row: &Vec<f64>| [(row[2] * 1e6).round(), (row[3] * 1e6).round(), row[4], row[5], row[6]];
    let of_shown = |s: &Shown| {
        let p = s.point;
        [millionth(p.x), millionth(p.y), p.r.into(), p.g.into(), p.b.into()]
    };
    let recorded: Vec<_> = rows.iter().map(of_row).collect();
    let shown: Vec<_> = show.shown(1).iter().map(of_shown).collect();
    assert!(recorded.len() > 29_000, "{}", recorded.len());
    let at = found_in(&recorded, &shown).unwrap();
    let off = |k: usize| rows[k][0] - show.shown(1)[at + k].at.as_nanos() as f64;
    for k in [0, rows.len() / 2, rows.len() - 1] {
        assert!(off(k).abs() < 1e6, "point {k} is off by {} ns", off(k));
    }
}

#[test]
fn each_projector_has_its_file_and_a_second_recording_another_name() {
    let home = tempfile::tempdir().unwrap();
    let show = Scenario::of(&demo()).projectors(&[0.0, 0.0]).begin();
    let mut show = with_studio(show, home.path());
    for _ in 0..2 {
        record(&mut show, None, FileKind::Ilda);
        show.run(0.2);
        assert_eq!(recorder(&mut show).recording.unwrap().projectors, 2);
        tell(&mut show, RecorderWish::Stop);
        show.run(0.1);
    }
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let names: Vec<_> = recorder(&mut show).made.iter().map(|m| name(&m.path)).collect();
    let stem = "galvo-2026-11-21-105832 sim-";
    let wanted = ["0.ild", "1.ild", "0-2.ild", "1-2.ild"].map(|end| format!("{stem}{end}"));
    assert_eq!(names, wanted);
}

/// The light of a show is the same with and without a recorder beside it.
#[test]
fn the_light_does_not_know_of_the_recorder() {
    let home = tempfile::tempdir().unwrap();
    let light = |recorded: bool| {
        let show = Scenario::of(&demo()).starting_at(20.0).begin();
        let mut show = with_studio(show, home.path()).armed();
        show.run(0.3);
        if recorded {
            record(&mut show, None, FileKind::Csv);
        }
        show.run(1.0);
        show.shown(0).to_vec()
    };
    assert!(light(true) == light(false));
}

#[test]
fn what_cannot_be_recorded_is_told_once_with_a_cure() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let mut show = with_studio(Scenario::of(&demo()).begin(), &file);
    record(&mut show, Some("sim:7"), FileKind::Ilda);
    record(&mut show, None, FileKind::Ilda);
    show.run(0.2);
    let seen = show.snapshot();
    let told = |word: &str| seen.notices.iter().filter(|n| n.text.contains(word)).count();
    assert_eq!((told("no such projector"), told("choose another place")), (1, 1));
    assert_eq!(seen.recorder.recording, None);
    tell(&mut show, RecorderWish::Folder(home.path().join("shows")));
    record(&mut show, None, FileKind::Ilda);
    show.run(0.2);
    assert!(recorder(&mut show).recording.is_some());
    // The show ends in the middle of it: the file gets its name all the same.
    let _ = show.finish();
    assert!(!frames(&home.path().join("shows/galvo-2026-11-21-105832.ild")).is_empty());
}

/// Waits for real threads: virtual time stands still meanwhile.
fn until(show: &mut Performance, is_so: impl Fn(&mut Performance) -> bool) {
    while !is_so(show) {
        SystemClock.sleep_until(SystemClock::read().plus_secs_f64(0.002));
    }
}

#[test]
fn the_track_is_rendered_beside_the_show_with_its_preset() {
    let home = tempfile::tempdir().unwrap();
    let music = wav(home.path(), 3.0, |n| (n as f32 * 0.05).sin() * 0.3);
    let folder = home.path().join("made");
    let show = Scenario::of(&music).preset(circle(0.5)).begin();
    let mut show = with_studio(show, &folder).armed();
    tell(&mut show, RecorderWish::Render(FileKind::Ilda));
    assert_eq!(recorder(&mut show).rendering.unwrap().name, "sound - Circle 0.5.ild");
    show.run(0.5);
    until(&mut show, |show| recorder(show).rendering.is_none());
    let made = recorder(&mut show).made;
    assert_eq!(made[0].path, folder.join("sound - Circle 0.5.ild"));
    let radius = |p: &ilda::Point| f32::from(p.x).hypot(f32::from(p.y)) / 32_767.0;
    let points = frames(&made[0].path);
    let lit: Vec<_> = points.iter().filter(|p| !p.is_blank()).collect();
    assert!(lit.len() > 1_000 && lit.iter().all(|p| (radius(p) - 0.5).abs() < 0.02));
    assert!(show.shown(0).iter().any(is_lit), "the show went on");
}

#[test]
fn a_rendering_is_cancelled_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut show = with_studio(Scenario::of(&demo()).begin(), home.path());
    tell(&mut show, RecorderWish::Render(FileKind::Csv));
    tell(&mut show, RecorderWish::Render(FileKind::Csv));
    tell(&mut show, RecorderWish::CancelRender);
    until(&mut show, |show| recorder(show).rendering.is_none());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    let seen = show.snapshot();
    let told: Vec<_> = seen.notices.iter().map(|notice| notice.text.as_str()).collect();
    assert_eq!(told, ["a rendering is under way: cancel it first"]);
}

#[test]
fn listening_to_the_whole_track_is_broken_off_and_asked_for_again() {
    let mut show = Scenario::of(&demo())
        .preset(preset("version = 1\nname = \"C\"\ngenerator = \"circle\""))
        .begin();
    assert_eq!(show.snapshot().listening, Listening::No);
    show.director.listen_to_whole_files(None);
    show.tell(Command::ListenToTrack(true));
    assert!(matches!(show.snapshot().listening, Listening::AtWork { .. }));
    show.tell(Command::ListenToTrack(false));
    let seen = show.snapshot();
    assert_eq!((seen.listening, seen.track.is_none()), (Listening::Offered, true));
    show.run(0.5);
    assert_eq!(show.snapshot().listening, Listening::Offered, "not by itself");
    show.tell(Command::ListenToTrack(true));
    until(&mut show, |show| match show.snapshot().listening {
        Listening::AtWork { heard_s, length_s } => heard_s > 10.0 && length_s.is_some(),
        _ => true,
    });
    until(&mut show, |show| show.snapshot().track.is_some());
    assert_eq!(show.snapshot().listening, Listening::No);
    // Another file begins anew, whatever was refused before.
    show.tell(Command::ListenToTrack(false));
    show.tell(Command::Open(demo()));
    show.run(0.1);
    assert!(matches!(show.snapshot().listening, Listening::AtWork { .. }));
}

#[test]
fn the_tracks_to_come_are_told_by_name_in_their_order() {
    let home = tempfile::tempdir().unwrap();
    let music = wav(home.path(), 3.0, |n| (n as f32 * 0.05).sin() * 0.3);
    let mut show = Scenario::of(&music).begin();
    let names: Vec<String> = (0..25).map(|k| format!("{k:02}.wav")).collect();
    for name in &names {
        let file = home.path().join(name);
        fs::copy(&music, &file).unwrap();
        show.tell(Command::Queue(file));
    }
    show.run(0.1);
    let seen = show.snapshot();
    assert_eq!((seen.transport.queued, seen.transport.next.len()), (25, 20));
    assert_eq!(seen.transport.next[..], names[..20]);
    show.tell(Command::NextTrack);
    show.run(0.5);
    let seen = show.snapshot();
    assert_eq!((seen.transport.queued, seen.transport.title.as_str()), (24, "00.wav"));
    assert_eq!(seen.transport.next[0], "01.wav");
}
