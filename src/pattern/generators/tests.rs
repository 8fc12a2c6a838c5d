use super::*;
use crate::analysis::Features;
use crate::pattern::catalog::GENERATORS;
use crate::pattern::catalog::Making;
use crate::pattern::pen::MAX_RADIUS;
use crate::pattern::random::Random;
use crate::pattern::{Figure, Instrument, Scene};
use crate::time::MediaTime;

/// Any music there can be, and some that cannot.
fn any_features(random: &mut Random, loudness: f32) -> Features {
    let mut features = Features { level: loudness * random.unit(), ..Features::default() };
    features.bands.bass = loudness * random.unit();
    features.bands.mid = loudness * random.unit();
    features.bands.treble = loudness * random.unit();
    for energy in &mut features.spectrum {
        *energy = loudness * random.unit();
    }
    for sample in &mut features.waveform {
        *sample = loudness * random.between(-1.0, 1.0);
    }
    features.onset.envelope = loudness * random.unit();
    features.onset.strength = loudness * random.unit();
    features.onset.count = (random.unit() * 5.0) as u32;
    features.beat.bpm = 120.0;
    features.beat.confidence = random.unit();
    features.beat.phase = random.unit();
    features.beat.bar_phase = random.unit();
    features.beat.count = (random.unit() * 100.0) as u32;
    features
}

#[test]
fn no_parameters_and_no_music_push_a_figure_out_of_the_disc_or_empty_it() {
    let mut random = Random::new(1);
    let mut figure = Instrument::figure();
    for generator in GENERATORS {
        for round in 0..40 {
            // Corners of the ranges first: they are where a figure breaks.
            let params: Vec<f32> = generator
                .params
                .iter()
                .map(|spec| match round {
                    0 => spec.min,
                    2..10 if random.unit() < 0.5 => spec.min,
                    1..10 => spec.max,
                    _ => random.between(spec.min, spec.max),
                })
                .collect();
            let mut pattern = (generator.make)(&Making::plain(round));
            let loudness = [0.0, 1.0, 1.5][round as usize % 3];
            for frame in 0..12 {
                let features = any_features(&mut random, loudness);
                let dt = if frame == 0 { 0.0 } else { random.between(0.0, 0.25) };
                let scene =
                    Scene { features: &features, media: MediaTime::ZERO, dt, params: &params };
                figure.clear();
                pattern.draw(&scene, &mut figure);
                assert_eq!(figure.dropped(), 0, "{} dropped vertices, {params:?}", generator.id);
                assert!(!figure.strokes().is_empty(), "{} is empty", generator.id);
                for vertex in figure.vertices_mut() {
                    let distance = vertex.x.hypot(vertex.y);
                    assert!(distance <= MAX_RADIUS + 1e-5, "{} at {distance}", generator.id);
                }
            }
        }
    }
}

#[test]
fn with_its_defaults_each_draws_at_most_640_vertices_in_few_strokes() {
    let mut random = Random::new(2);
    let mut figure = Instrument::figure();
    for generator in GENERATORS {
        let params: Vec<f32> = generator.params.iter().map(|spec| spec.default).collect();
        let features = any_features(&mut random, 1.0);
        let scene = Scene { features: &features, media: MediaTime::ZERO, dt: 0.0, params: &params };
        figure.clear();
        (generator.make)(&Making::plain(0)).draw(&scene, &mut figure);
        assert!(figure.vertices_mut().len() <= 640, "{}", generator.id);
        assert!(figure.strokes().len() <= 24, "{}", generator.id);
    }
}

#[test]
fn the_same_seed_and_music_make_the_same_drawing() {
    for generator in GENERATORS {
        let params: Vec<f32> = generator.params.iter().map(|spec| spec.default).collect();
        let run = |seed: u64| {
            let mut random = Random::new(3);
            let mut pattern = (generator.make)(&Making::plain(seed));
            let mut figure = Instrument::figure();
            for frame in 0..50 {
                let features = any_features(&mut random, 1.0);
                let dt = if frame == 0 { 0.0 } else { 0.02 };
                let scene =
                    Scene { features: &features, media: MediaTime::ZERO, dt, params: &params };
                figure.clear();
                pattern.draw(&scene, &mut figure);
            }
            figure.vertices_mut().to_vec()
        };
        assert_eq!(run(5), run(5), "{}", generator.id);
    }
}

#[test]
fn without_time_the_same_music_draws_the_same_figure_again() {
    for generator in GENERATORS {
        let params: Vec<f32> = generator.params.iter().map(|spec| spec.default).collect();
        let features = any_features(&mut Random::new(4), 1.0);
        let scene = Scene { features: &features, media: MediaTime::ZERO, dt: 0.0, params: &params };
        let mut pattern = (generator.make)(&Making::plain(1));
        let (mut first, mut second) = (Instrument::figure(), Instrument::figure());
        pattern.draw(&scene, &mut first);
        pattern.draw(&scene, &mut second);
        assert_eq!(first.vertices_mut(), second.vertices_mut(), "{}", generator.id);
    }
}

#[test]
fn loud_music_looks_different_from_silence() {
    // A test pattern stands still: that is its use.
    for generator in GENERATORS.iter().filter(|generator| generator.id != "test_pattern") {
        let params: Vec<f32> = generator.params.iter().map(|spec| spec.default).collect();
        let run = |loudness: f32| {
            let mut pattern = (generator.make)(&Making::plain(1));
            let mut figure = Figure::with_capacity(768, 64);
            for frame in 0..30_u32 {
                let mut features = any_features(&mut Random::new(9), loudness);
                features.onset.count = frame / 10;
                let dt = 0.02;
                let scene =
                    Scene { features: &features, media: MediaTime::ZERO, dt, params: &params };
                figure.clear();
                pattern.draw(&scene, &mut figure);
            }
            figure.vertices_mut().to_vec()
        };
        let (quiet, loud) = (run(0.0), run(1.0));
        let moved = quiet.len() != loud.len()
            || quiet.iter().zip(&loud).any(|(a, b)| (a.x - b.x).hypot(a.y - b.y) > 0.03);
        assert!(moved, "{} does not answer to the music", generator.id);
    }
}

#[test]
fn a_spectrum_between_bands_stays_between_them() {
    let mut spectrum = [0.0; 32];
    spectrum[31] = 1.0;
    assert_eq!(spectrum_at(&spectrum, 1.0), 1.0);
    assert_eq!(spectrum_at(&spectrum, 0.5), 0.0);
    assert_eq!(spectrum_at(&spectrum, -3.0), 0.0);
    let middle = spectrum_at(&spectrum, 30.5 / 31.0);
    assert!((middle - 0.5).abs() < 1e-4);
}

#[test]
fn a_unit_ball_projects_into_the_unit_disc() {
    let mut random = Random::new(6);
    for _ in 0..2_000 {
        let (spin, tilt) = (sin_cos(random.unit()), sin_cos(random.unit()));
        let [x, y, z] = turned([1.0, 0.0, 0.0], spin, tilt);
        for distance in [1.4, 2.4, 6.0] {
            let (px, py) = projected([x, y, z], distance);
            assert!(px.hypot(py) <= 1.0 + 1e-5, "{px} {py} from {distance}");
        }
    }
}
