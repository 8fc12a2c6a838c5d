//! Colours that wait for the mirrors, judged by where the beam of modelled mirrors is lit.

use galvo::dac::simulator::Shown;
use galvo::path::{ColourDelay, GalvoProfile, Mirror};
use galvo::point::LaserPoint;
use galvo::record::{Offline, OfflineSettings};
use galvo::show::{Command, Installation};

use super::preset;
use super::scenario::{PPS, Performance, Scenario, demo};

/// Dashes along four rows, every other row from the right.
const DASHES: &str =
    "version = 1\nname = \"Dashes\"\ngenerator = \"test_pattern\"\n[params]\npicture = 3\n";
/// From one end of a dash to the next: a sixth of what the test pictures are wide to each side.
const DASH: f32 = 0.97 * std::f32::consts::FRAC_1_SQRT_2 / 6.0;
const K30: GalvoProfile = GalvoProfile::K30;

/// How much later than at its place a dash begins or ends, half-fields along the way of the beam, mean; and how many
/// ends were looked at.
#[derive(Clone, Copy, Debug)]
struct Ends {
    late: f32,
    count: usize,
}

/// `colours` wait beside what they already did.
fn ends(points: impl Iterator<Item = LaserPoint>, mut colours: Option<ColourDelay>) -> Ends {
    let mut mirror = Mirror::new(K30);
    let (mut sum, mut count) = (0.0, 0);
    let (mut was_lit, mut from) = (false, mirror.position());
    for (k, point) in points.enumerate() {
        let mut one = [point];
        if let Some(colours) = &mut colours {
            colours.apply(&mut one);
        }
        let at = mirror.step([point.x, point.y], 1.0 / PPS as f32);
        let lit = !one[0].is_blank();
        let way = at[0] - from[0];
        // A point is the end of a line: its colour begins at the point before it.
        let along_a_row = way.abs() > 0.004 && (at[1] - from[1]).abs() < 0.001;
        if lit != was_lit && along_a_row && k > 600 {
            let edge = (from[0] / DASH).round() * DASH;
            sum += (from[0] - edge) * way.signum();
            count += 1;
        }
        (was_lit, from) = (lit, at);
    }
    Ends { late: sum / count.max(1) as f32, count }
}

fn show() -> Performance {
    Scenario::of(&demo()).preset(preset(DASHES)).starting_at(20.0).begin().armed()
}

fn trim(show: &mut Performance, colour_trim_us: f32) {
    let installation = Installation { colour_trim_us, ..Installation::default() };
    show.tell(Command::Install { projector: "sim:0".to_owned(), installation });
}

/// What the simulator gets in the next half second, once the present is through.
fn next(show: &mut Performance) -> Vec<LaserPoint> {
    show.run(0.4);
    let from = show.now();
    show.run(0.5);
    let shown: &[Shown] = show.shown_between(0, from, show.now());
    shown.iter().map(|shown| shown.point).collect()
}

/// Speed of the beam along a row, half-fields a second.
fn row_speed(points: &[LaserPoint]) -> f32 {
    let steps = points.windows(2).filter(|w| !w[0].is_blank() && !w[1].is_blank());
    let mut steps: Vec<f32> = steps.map(|w| (w[1].x - w[0].x).abs()).collect();
    steps.sort_by(f32::total_cmp);
    steps[steps.len() / 2] * PPS as f32
}

#[test]
fn a_stroke_begins_and_ends_where_it_was_drawn_and_a_trim_moves_its_ends_by_its_time() {
    let mut show = show();
    let sent = next(&mut show);
    let speed = row_speed(&sent);
    let in_place = ends(sent.iter().copied(), None);
    assert!(in_place.count > 200, "{in_place:?}");
    assert!(in_place.late.abs() < 0.01, "within a hundredth of a half-field: {in_place:?}");
    for us in [-60.0, 60.0] {
        trim(&mut show, us);
        let sent = next(&mut show);
        let moved = ends(sent.iter().copied(), None);
        // A delay is made of whole points.
        let (wanted, point) = (speed * us * 1e-6, speed / PPS as f32);
        assert!((moved.late - wanted).abs() < point + 0.01, "{us} µs: {moved:?}, {wanted}");
        assert!(moved.late * us > 0.0);
    }
    trim(&mut show, -80.0);
    let early = ends(next(&mut show).into_iter(), None);
    assert!(early.late < -0.02, "two points too early: {early:?}");
}

#[test]
fn what_render_draws_is_what_the_simulator_gets() {
    let in_show = ends(next(&mut show()).into_iter(), None);
    let stream = |offline: Offline| {
        let mut offline = offline;
        let mut points = vec![LaserPoint::CENTRE; PPS as usize / 2];
        offline.stream(&mut points).unwrap();
        points
    };
    let settings = OfflineSettings { pps: PPS, ..OfflineSettings::default() };
    let offline = || Offline::of_test_music(&preset(DASHES), &settings).unwrap();
    // Pictures: each colour where it was drawn, and the beam delays it.
    let mut delay = ColourDelay::with_capacity(16);
    delay.set(K30.lag_s() * 1e6, PPS);
    let picture = ends(stream(offline()).into_iter(), Some(delay));
    // Rows and sound: as a projector gets them.
    let rows = ends(stream(offline().with_colours_waiting()).into_iter(), None);
    for other in [picture, rows] {
        assert!((in_show.late - other.late).abs() < 0.002, "{in_show:?} {other:?}");
    }
    assert!(rows.count.abs_diff(picture.count) <= 2);
}

#[test]
fn a_trim_is_remembered_and_acts_in_the_next_show() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("projectors.toml");
    let begin = || Scenario::of(&demo()).preset(preset(DASHES)).mountings(&file).begin().armed();
    let mut first = begin();
    trim(&mut first, 60.0);
    first.run(1.0);
    drop(first);
    let mut second = begin();
    assert_eq!(second.snapshot().projectors[0].installation.colour_trim_us, 60.0);
    assert!(ends(next(&mut second).into_iter(), None).late > 0.01);
}
