//! Presets as they come with galvo, played to a song made of numbers.

use std::collections::HashSet;

use galvo::analysis::Features;
use galvo::pattern::catalog::GENERATORS;
use galvo::pattern::colouring::Run;
use galvo::pattern::modulation::{Curve, Source, Wave};
use galvo::pattern::{Figure, Instrument, Preset, Shade, Vertex, bundled};
use galvo::time::MediaTime;

use crate::synthetic_song::features_at;

const FRAME_SECONDS: f64 = 0.02;

fn presets() -> Vec<Preset> {
    let parse = |(file, text): &(&str, &str)| {
        Preset::parse(text).unwrap_or_else(|error| panic!("{file}: {error}"))
    };
    bundled::BUNDLED.iter().map(parse).collect()
}

/// Plays a preset for some seconds and shows every frame.
fn play(preset: &Preset, seconds: f64, loudness: f32, mut see: impl FnMut(&mut Figure, Shade)) {
    let mut instrument = Instrument::new(preset).expect("bundled presets are right");
    let mut figure = Instrument::figure();
    for frame in 0..(seconds / FRAME_SECONDS) as u32 {
        let media = MediaTime::from_secs_f64(f64::from(frame) * FRAME_SECONDS);
        let features = features_at(media, loudness);
        let dt = if frame == 0 { 0.0 } else { FRAME_SECONDS as f32 };
        instrument.draw(&features, media, dt, &mut figure);
        let shade = instrument.shade(&features, media);
        see(&mut figure, shade);
    }
}

fn last_vertices(preset: &Preset, seconds: f64, loudness: f32) -> Vec<Vertex> {
    let mut last = Vec::new();
    play(preset, seconds, loudness, |figure, _| last = figure.vertices_mut().to_vec());
    last
}

fn peak(vertex: &Vertex) -> f32 {
    vertex.colour.r.max(vertex.colour.g).max(vertex.colour.b)
}

#[test]
fn at_least_fourteen_presets_come_with_galvo_each_with_its_own_name() {
    let presets = presets();
    assert!(presets.len() >= 14);
    let names: HashSet<_> = presets.iter().map(|preset| preset.name.clone()).collect();
    assert_eq!(names.len(), presets.len());
    assert!(presets.iter().all(|preset| !preset.description.is_empty()));
}

#[test]
fn every_file_in_the_folder_is_bundled_and_every_generator_is_used() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/presets");
    let bundled: HashSet<_> = bundled::BUNDLED.iter().map(|(file, _)| (*file).to_owned()).collect();
    let files: HashSet<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, bundled);
    let used: HashSet<_> = presets().into_iter().map(|preset| preset.generator).collect();
    for generator in GENERATORS {
        assert!(used.contains(generator.id), "no bundled preset shows {}", generator.id);
    }
}

#[test]
fn every_bundled_preset_is_lit_and_in_range_loud_and_quiet() {
    for preset in presets() {
        for loudness in [0.0, 0.3, 1.0] {
            play(&preset, 6.0, loudness, |figure, shade| {
                assert_eq!(figure.dropped(), 0, "{}", preset.name);
                let lit =
                    figure.vertices_mut().iter_mut().map(|vertex| peak(vertex)).fold(0.0, f32::max);
                assert!(lit * shade.gain > 0.3, "{} is dark: {lit} × {}", preset.name, shade.gain);
                assert!((0.0..=1.0).contains(&shade.gain));
                let (sin, cos) = shade.rotation.sin_cos();
                for vertex in figure.vertices_mut() {
                    let x = (vertex.x * cos - vertex.y * sin) * shade.scale;
                    let y = (vertex.x * sin + vertex.y * cos) * shade.scale;
                    assert!(x.abs() <= 0.98 && y.abs() <= 0.98, "{}: {x} {y}", preset.name);
                }
            });
        }
    }
}

/// The shape of every frame of a second of the song, after a lead-in, with scale and turn.
fn second_of(preset: &Preset, loudness: f32) -> Vec<Vec<(f32, f32)>> {
    let mut frames = Vec::new();
    play(preset, 4.0, loudness, |figure, shade| {
        let (sin, cos) = shade.rotation.sin_cos();
        let placed = |v: &mut Vertex| {
            ((v.x * cos - v.y * sin) * shade.scale, (v.x * sin + v.y * cos) * shade.scale)
        };
        frames.push(figure.vertices_mut().iter_mut().map(placed).collect());
    });
    frames.split_off(150)
}

fn look_different(a: &[(f32, f32)], b: &[(f32, f32)]) -> bool {
    a.len() != b.len() || a.iter().zip(b).any(|(a, b)| (a.0 - b.0).hypot(a.1 - b.1) > 0.05)
}

#[test]
fn every_bundled_preset_answers_to_loudness_and_moves_with_the_song() {
    for preset in presets() {
        let (loud, quiet) = (second_of(&preset, 1.0), second_of(&preset, 0.1));
        let different = loud.iter().zip(&quiet).filter(|(a, b)| look_different(a, b)).count();
        assert!(
            different * 2 > loud.len(),
            "{} looks the same loud and quiet in all but {different} frames",
            preset.name
        );
        // From the beat to a quarter of a second after it.
        assert!(look_different(&loud[0], &loud[12]), "{} stands still after a beat", preset.name);
    }
}

#[test]
fn every_bundled_preset_is_the_same_every_time() {
    for preset in presets() {
        assert_eq!(last_vertices(&preset, 2.0, 0.8), last_vertices(&preset, 2.0, 0.8));
    }
}

/// At 30 kpps a frame of 700 points lasts 23 ms. With steps of 0.04 a lit line of 20 takes 500 points.
#[test]
fn no_bundled_preset_draws_more_line_than_a_frame_holds() {
    for preset in presets() {
        let mut longest = 0.0_f32;
        play(&preset, 4.0, 1.0, |figure, shade| {
            let mut length = 0.0;
            for stroke in figure.strokes() {
                let vertices = figure.vertices_of(stroke);
                let last = vertices[vertices.len() - 1];
                let back = if stroke.closed {
                    (vertices[0].x - last.x).hypot(vertices[0].y - last.y)
                } else {
                    0.0
                };
                length += vertices
                    .windows(2)
                    .map(|v| (v[1].x - v[0].x).hypot(v[1].y - v[0].y))
                    .sum::<f32>()
                    + back;
            }
            longest = longest.max(length * shade.scale);
        });
        println!("{:18} {longest:5.1}", preset.name);
        assert!(longest < 28.0, "{} draws {longest}", preset.name);
    }
}

#[test]
fn every_bundled_preset_survives_being_written_and_read() {
    for preset in presets() {
        assert_eq!(Preset::parse(&preset.to_toml().unwrap()).unwrap(), preset);
    }
}

#[test]
fn light_of_one_moment_does_not_depend_on_what_was_drawn_before() {
    for preset in presets() {
        let fresh = Instrument::new(&preset).unwrap();
        let mut used = Instrument::new(&preset).unwrap();
        let mut figure = Instrument::figure();
        for frame in 0..50 {
            let media = MediaTime::from_secs_f64(f64::from(frame) * 0.02);
            used.draw(&features_at(media, 1.0), media, 0.02, &mut figure);
        }
        for moment in [0.0, 0.123, 7.5, 3_600.0] {
            let media = MediaTime::from_secs_f64(moment);
            let features: Features = features_at(media, 0.7);
            assert_eq!(fresh.shade(&features, media), used.shade(&features, media));
        }
    }
}

#[test]
fn the_guide_names_every_generator_parameter_source_and_word() {
    let guide = include_str!("../../docs/presets.md");
    let named = |word: &str| {
        assert!(guide.contains(&format!("`{word}`")), "docs/presets.md lacks `{word}`");
    };
    for generator in GENERATORS {
        named(generator.id);
        let section = guide.split(&format!("### `{}`", generator.id)).nth(1);
        let section = section.unwrap_or_else(|| panic!("no section for {}", generator.id));
        let section = section.split("\n### ").next().unwrap_or_default();
        for spec in generator.params {
            let row = format!(
                "| `{}` | {} | {} to {} | {} | {} |",
                spec.name,
                if spec.unit.is_empty() { "–" } else { spec.unit },
                spec.min,
                spec.max,
                spec.default,
                spec.help
            );
            assert!(
                section.contains(&row),
                "docs/presets.md, {}: the row should be\n{row}",
                generator.id
            );
        }
    }
    for (_, key) in Source::ALL {
        named(key);
    }
    for (_, key) in Curve::ALL {
        named(key);
    }
    for (_, key) in Wave::ALL {
        named(key);
    }
    for (_, key) in Run::ALL {
        named(key);
    }
    for key in [
        "version",
        "name",
        "description",
        "generator",
        "seed",
        "param",
        "source",
        "depth",
        "curve",
        "smooth_ms",
        "wave",
        "rate_hz",
        "every_beats",
        "colours",
        "blend",
        "gradient",
        "steps",
        "run",
        "repeats",
        "drift_hz",
        "drift_per_bar",
        "hue",
        "saturation",
        "travel",
        "brightness",
        "scale",
        "rotation",
        "spin_hz",
        "spin_per_bar",
    ] {
        named(key);
    }
}

#[test]
fn the_example_in_the_guide_is_a_preset() {
    let guide = include_str!("../../docs/presets.md");
    let example =
        guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    Preset::parse(example).unwrap();
}
