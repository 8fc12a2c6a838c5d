//! Presets that are too dear for as many projectors as there are: drawn coarser by rule, and told.

use galvo::pattern::cost::{CALLBACK_UNITS, budget, fit};
use galvo::pattern::{Instrument, Preset};
use galvo::show::Command;
use galvo::show::snapshot::Severity;

use super::circle;
use super::scenario::{Performance, Scenario, demo, is_lit};

const WORST: &str = include_str!("../../cases/worst.toml");

fn sim(number: usize) -> String {
    format!("sim:?ppm={number}")
}

fn coarser(show: &mut Performance) -> Option<String> {
    show.snapshot().preset.coarser.clone()
}

/// How often it was told that a preset is too dear, and whether that was an error.
fn told(show: &mut Performance) -> usize {
    let seen = show.snapshot();
    let of = |text: &str| text.contains("is too dear for") && text.contains("drawn coarser");
    let notices = seen.notices.iter().filter(|notice| of(&notice.text));
    notices.inspect(|notice| assert_eq!(notice.severity, Severity::Info)).count()
}

#[test]
fn a_dear_preset_is_drawn_coarser_on_eight_projectors_and_whole_again_on_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("worst.toml"), WORST).unwrap();
    let mut show = Scenario::of(&demo())
        .preset(circle(0.6))
        .preset_folder(folder.path())
        .starting_at(20.0)
        .begin()
        .armed();
    show.run(0.2);
    show.tell(Command::SelectPreset("Worst".into()));
    show.run(0.2);
    assert_eq!((coarser(&mut show), told(&mut show)), (None, 0), "one projector shows it whole");
    for number in 1..8 {
        show.tell(Command::AddProjector { uri: sim(number) });
        show.run(0.05);
    }
    let on_eight = coarser(&mut show).unwrap();
    let fitted = fit(&Preset::parse(WORST).unwrap(), budget(8)).unwrap();
    assert_eq!(Some(on_eight), fitted.coarser);
    assert!(8 * fitted.units <= CALLBACK_UNITS);
    assert!(told(&mut show) >= 1);
    let from = show.now();
    show.run(0.3);
    let lit = show.shown_between(0, from, show.now()).iter().filter(|shown| is_lit(shown)).count();
    assert!(lit > 1_000, "it is drawn: {lit}");
    for number in 1..8 {
        show.tell(Command::RemoveProjector { projector: sim(number) });
        show.run(0.05);
    }
    assert_eq!(coarser(&mut show), None);
}

#[test]
fn a_preset_that_is_not_dear_is_never_spoken_of() {
    let mut show = Scenario::of(&demo()).preset(circle(0.6)).begin();
    for number in 1..8 {
        show.tell(Command::AddProjector { uri: sim(number) });
        show.run(0.05);
    }
    assert_eq!((coarser(&mut show), told(&mut show)), (None, 0));
}

/// The same preset makes the same figure on every machine: nothing is measured.
#[test]
fn a_coarser_drawing_has_fewer_points_and_is_the_same_each_time() {
    use galvo::analysis::Features;
    use galvo::time::MediaTime;
    let preset = Preset::parse(
        "version = 1\nname = \"F\"\ngenerator = \"formula\"\n[params]\npoints = 640\n",
    )
    .unwrap();
    let drawn = |budget| {
        let mut instrument = Instrument::within(&preset, budget).unwrap();
        let mut figure = Instrument::figure();
        instrument.set_param(0, 600.0);
        instrument.draw(&Features::silence(MediaTime::ZERO), MediaTime::ZERO, 0.0, &mut figure);
        figure.vertices_mut().to_vec()
    };
    assert_eq!(drawn(u64::MAX).len(), 600);
    let coarse = drawn(15_000);
    assert!((32..600).contains(&coarse.len()) && coarse.len() % 32 == 0, "{}", coarse.len());
    assert_eq!(drawn(15_000), coarse);
}
