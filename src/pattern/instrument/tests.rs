use super::*;
use crate::pattern::Vertex;
use crate::pattern::pen::MAX_RADIUS;
use crate::pattern::preset::EffectScheme;
use crate::point::Colour;

const TEXT: &str = r##"
version = 1
name = "Test"
generator = "circle"
[params]
radius = 0.5
breath = 0.0
wobble = 0.0
fizz = 0.0
[[modulate]]
param = "radius"
source = "bass"
depth = 0.5
[colour]
colours = ["#ff0000"]
[look]
brightness = 0.5
scale = 0.8
spin_hz = 0.25
[[look.modulate]]
param = "brightness"
source = "onset"
depth = 1.0
[[look.modulate]]
param = "scale"
source = "bass"
depth = -1.0
"##;

fn instrument() -> Instrument {
    Instrument::new(&Preset::parse(TEXT).unwrap()).unwrap()
}

fn radius_of(figure: &mut Figure) -> f32 {
    figure.vertices_mut().iter().map(|v| v.x.hypot(v.y)).fold(0.0, f32::max)
}

#[test]
fn modulation_moves_a_parameter_by_its_share_of_the_range() {
    let (mut instrument, mut figure) = (instrument(), Instrument::figure());
    let mut features = Features::default();
    instrument.draw(&features, MediaTime::ZERO, 0.0, &mut figure);
    assert!((radius_of(&mut figure) - 0.5).abs() < 1e-4);
    features.bands.bass = 0.5;
    instrument.draw(&features, MediaTime::ZERO, 0.02, &mut figure);
    let expected = 0.5 + 0.5 * 0.5 * 0.85;
    assert!((instrument.moved_values()[0] - expected).abs() < 1e-5);
    assert_eq!(instrument.values()[0], 0.5);
    assert!((radius_of(&mut figure) - expected).abs() < 1e-3);
}

#[test]
fn a_parameter_set_while_playing_counts_from_the_next_frame_and_is_clamped() {
    let (mut instrument, mut figure) = (instrument(), Instrument::figure());
    instrument.set_param(0, 0.3);
    instrument.set_param(999, 1.0);
    instrument.draw(&Features::default(), MediaTime::ZERO, 0.0, &mut figure);
    assert!((radius_of(&mut figure) - 0.3).abs() < 1e-4);
    instrument.set_param(0, 50.0);
    assert_eq!(instrument.values()[0], instrument.params()[0].max);
    instrument.set_param(0, f32::NAN);
    assert_eq!(instrument.values()[0], instrument.params()[0].default);
}

#[test]
fn the_figure_wears_the_colours_of_the_preset() {
    let (mut instrument, mut figure) = (instrument(), Instrument::figure());
    instrument.draw(&Features::default(), MediaTime::ZERO, 0.0, &mut figure);
    assert!(figure.vertices_mut().iter().all(|vertex| vertex.colour == Colour::rgb(1.0, 0.0, 0.0)));
}

#[test]
fn shade_is_a_pure_function_of_music_and_media_time() {
    let (mut instrument, mut figure) = (instrument(), Instrument::figure());
    let features = Features::default();
    let moment = MediaTime::from_secs_f64(1.0);
    let before = instrument.shade(&features, moment);
    instrument.draw(&features, MediaTime::from_secs_f64(9.0), 0.2, &mut figure);
    assert_eq!(instrument.shade(&features, moment), before);
    assert_eq!((before.gain, before.scale), (0.5, 0.8));
    assert!((before.rotation - TAU / 4.0).abs() < 1e-5);
}

#[test]
fn shade_stays_in_range_whatever_the_music() {
    let instrument = instrument();
    let mut features = Features::default();
    features.onset.envelope = 1.0;
    features.bands.bass = 1.0;
    let shade = instrument.shade(&features, MediaTime::from_secs_f64(1e9));
    assert_eq!(shade.gain, 1.0);
    assert_eq!(shade.scale, 0.05);
    assert!(shade.rotation.abs() <= TAU / 2.0);
    features.onset.envelope = f32::NAN;
    features.bands.bass = f32::INFINITY;
    features.beat.bpm = 120.0;
    features.beat.phase = f32::NAN;
    let shade = instrument.shade(&features, MediaTime::ZERO);
    assert_eq!((shade.gain, shade.scale, shade.rotation), (0.5, 0.8, 0.0));
}

#[test]
fn music_that_is_not_a_number_never_leaves_the_disc() {
    let mut figure = Instrument::figure();
    let mut features = Features { level: f32::NAN, ..Features::default() };
    features.bands.bass = f32::INFINITY;
    features.spectrum[3] = f32::NAN;
    features.waveform[100] = f32::NAN;
    features.beat.phase = f32::NAN;
    for generator in crate::pattern::catalog::GENERATORS {
        let mut instrument = Instrument::new(&Preset::plain("Any", generator)).unwrap();
        for dt in [0.0, f32::NAN, f32::INFINITY, -1.0, 0.02] {
            instrument.draw(&features, MediaTime::ZERO, dt, &mut figure);
            assert!(radius_of(&mut figure) <= MAX_RADIUS + 1e-5);
        }
    }
}

fn of(text: &str) -> Instrument {
    Instrument::new(&Preset::parse(text).unwrap_or_else(|error| panic!("{error}"))).unwrap()
}

/// A still ring of a radius.
fn ring(radius: f32) -> String {
    format!(
        "generator = \"circle\"\nparams = {{ radius = {radius}, breath = 0, wobble = 0, fizz = 0 }}\n"
    )
}

#[test]
fn layers_are_seen_beside_the_first_drawing_or_as_what_it_becomes() {
    let mut figure = Instrument::figure();
    let head = format!("version = 1\nname = \"L\"\n{}", ring(0.3));
    let mut over = of(&format!("{head}[[layers]]\n{}amount = 0.5\n", ring(0.9)));
    over.draw(&Features::default(), MediaTime::ZERO, 0.0, &mut figure);
    assert_eq!(figure.strokes().len(), 2);
    let second = figure.vertices_of(&figure.strokes()[1])[0];
    assert!((second.x - 0.9).abs() < 1e-4 && second.colour == Colour::rgb(0.5, 0.5, 0.5));
    let mut morph = of(&format!(
        "{head}[[layers]]\n{}mode = \"morph\"\namount = 0.5\n[[layers.modulate]]\nparam = \"amount\"\n\
         source = \"bass\"\ndepth = 0.5\n",
        ring(0.9)
    ));
    morph.draw(&Features::default(), MediaTime::ZERO, 0.0, &mut figure);
    assert!(figure.strokes().len() == 1 && (radius_of(&mut figure) - 0.6).abs() < 1e-3);
    let mut loud = Features::default();
    loud.bands.bass = 1.0;
    morph.draw(&loud, MediaTime::ZERO, 0.02, &mut figure);
    assert!((radius_of(&mut figure) - 0.9).abs() < 1e-3);
}

#[test]
fn effects_follow_each_other_and_never_leave_the_disc() {
    let mut figure = Instrument::figure();
    let text = format!(
        "version = 1\nname = \"E\"\n{}[[effects]]\neffect = \"stretch\"\nparams = {{ size = 0.5 }}\n\
         [[effects]]\neffect = \"shift\"\nparams = {{ x = 1.0 }}\n",
        ring(0.6)
    );
    of(&text).draw(&Features::default(), MediaTime::ZERO, 0.0, &mut figure);
    let left = figure.vertices_mut().iter().map(|v| v.x).fold(f32::MAX, f32::min);
    assert!((left - 0.7).abs() < 1e-3, "halved, then moved: {left}");
    assert!(radius_of(&mut figure) <= MAX_RADIUS + 1e-5);
}

#[test]
fn a_formulas_own_parameter_is_set_and_moved_like_any_other() {
    let mut instrument =
        of("version = 1\nname = \"F\"\ngenerator = \"formula\"\n[params]\nsize = 0.5\n[formula]\n\
         point = \"x = far; y = 0\"\n[formula.params]\nfar = { default = 0.5 }\n\
         [[modulate]]\nparam = \"far\"\nsource = \"bass\"\ndepth = 0.5\n");
    let mut figure = Instrument::figure();
    instrument.draw(&Features::default(), MediaTime::ZERO, 0.0, &mut figure);
    assert!((radius_of(&mut figure) - 0.25).abs() < 1e-5);
    let place = instrument.params().iter().position(|spec| spec.name == "far").unwrap();
    instrument.set_param(place, 0.25);
    let mut loud = Features::default();
    loud.bands.bass = 1.0;
    instrument.draw(&loud, MediaTime::ZERO, 0.02, &mut figure);
    assert!((radius_of(&mut figure) - 0.375).abs() < 1e-5);
}

#[test]
fn an_instrument_recovers_from_music_that_is_not_a_number() {
    let (mut figure, good) = (Instrument::figure(), Features::default());
    let mut bad = Features { level: f32::NAN, spectrum: [f32::NAN; 32], ..good };
    bad.bands.bass = f32::NAN;
    bad.onset.envelope = f32::NAN;
    for generator in crate::pattern::catalog::GENERATORS {
        let mut instrument = Instrument::new(&Preset::plain("Any", generator)).unwrap();
        instrument.draw(&good, MediaTime::ZERO, 0.0, &mut figure);
        instrument.draw(&bad, MediaTime::ZERO, 0.02, &mut figure);
        for _ in 0..5 {
            instrument.draw(&good, MediaTime::ZERO, 0.02, &mut figure);
        }
        assert_eq!(figure.dropped(), 0, "{} keeps what is not a number", generator.id);
    }
}

#[test]
fn an_edited_instrument_goes_on_where_the_last_one_was() {
    // Stars fly, a trail remembers: both would begin anew.
    let text = "version = 1\nname = \"A\"\ngenerator = \"starfield\"\n\
                [[effects]]\neffect = \"trail\"\n\
                [[layers]]\ngenerator = \"comets\"\n";
    let preset = Preset::parse(text).unwrap();
    let mut edited = preset.clone();
    edited.look.scale = 0.5;
    edited.effects.insert(0, EffectScheme { effect: "twist".into(), ..edited.effects[0].clone() });
    edited.effects[0].params.insert("turns".into(), 0.0);
    let (mut whole, mut first) =
        (Instrument::new(&preset).unwrap(), Instrument::new(&preset).unwrap());
    let mut second = Instrument::new(&edited).unwrap();
    let mut fresh = Instrument::new(&edited).unwrap();
    let (mut a, mut b) = (Instrument::figure(), Instrument::figure());
    let mut features = Features { level: 0.8, ..Features::default() };
    features.bands.bass = 0.6;
    let at = |frame: i32| MediaTime::from_secs_f64(f64::from(frame) * 0.02);
    for frame in 0..50 {
        whole.draw(&features, at(frame), 0.02, &mut a);
        first.draw(&features, at(frame), 0.02, &mut b);
    }
    second.inherit(&mut first);
    for frame in 50..60 {
        whole.draw(&features, at(frame), 0.02, &mut a);
        second.draw(&features, at(frame), 0.02, &mut b);
        let near = |a: &Vertex, b: &Vertex| (a.x - b.x).hypot(a.y - b.y) < 1e-3;
        assert_eq!(a.len(), b.len());
        assert!(a.vertices_mut().iter().zip(b.vertices_mut().iter()).all(|(a, b)| near(a, b)));
    }
    fresh.draw(&features, at(60), 0.02, &mut b);
    whole.draw(&features, at(60), 0.02, &mut a);
    let differs = |(a, b): (&Vertex, &Vertex)| (a.x - b.x).hypot(a.y - b.y) > 0.05;
    assert!(
        a.vertices_mut().iter().zip(b.vertices_mut().iter()).any(differs),
        "a new one begins anew"
    );
}

#[test]
fn another_seed_text_or_formula_is_another_pattern() {
    let preset = |more: &str| Preset::parse(&format!("version = 1\nname = \"A\"\n{more}")).unwrap();
    let making = |more: &str| making_of(&preset(more).part());
    let circle = making("generator = \"circle\"\n");
    assert_eq!(circle, making("generator = \"circle\"\n[params]\nradius = 0.3\n"));
    assert_ne!(circle, making("generator = \"circle\"\nseed = 1\n"));
    let formula =
        |x: &str| format!("generator = \"formula\"\n[formula]\npoint = \"x = {x}; y = 0\"\n");
    assert_ne!(making(&formula("i")), making(&formula("a")));
}
