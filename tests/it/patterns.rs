//! Presets as they come with galvo, played to a song made of numbers.

use std::collections::HashSet;

use galvo::analysis::Features;
use galvo::pattern::catalog::GENERATORS;
use galvo::pattern::colouring::Run;
use galvo::pattern::effects::EFFECTS;
use galvo::pattern::formula::{FRAME_WORDS, FUNCTIONS, Formula, OUTPUTS, POINT_WORDS};
use galvo::pattern::modulation::{Curve, Source, Trigger, Wave};
use galvo::pattern::preset::{EffectScheme, LayerMode};
use galvo::pattern::random::Random;
use galvo::pattern::{Figure, Instrument, Preset, Shade, Vertex, bundled};
use galvo::realtime::no_alloc;
use galvo::show::deck::Deck;
use galvo::show::{Begin, Transition};
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
fn at_least_forty_presets_come_with_galvo_each_with_its_own_name() {
    let presets = presets();
    assert!(presets.len() >= 40 && GENERATORS.len() >= 24);
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
    let presets = presets();
    let used: HashSet<_> = presets.iter().map(|preset| preset.generator.as_str()).collect();
    for generator in GENERATORS {
        assert!(used.contains(generator.id), "no bundled preset shows {}", generator.id);
    }
}

#[test]
fn the_gallery_shows_every_bundled_preset() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
    let page = include_str!("../../docs/gallery.md");
    for ((file, _), preset) in bundled::BUNDLED.iter().zip(presets()) {
        let picture = format!("images/gallery/{}.png", file.trim_end_matches(".toml"));
        assert!(page.contains(&format!("![{}]({picture})", preset.name)), "run `make gallery`");
        assert!(std::path::Path::new(docs).join(picture).is_file(), "run `make gallery`");
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
    // Test patterns stand still: that is their use.
    for preset in presets().iter().filter(|preset| preset.generator != "test_pattern") {
        let (loud, quiet) = (second_of(preset, 1.0), second_of(preset, 0.1));
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
                if spec.unit.is_empty() { "–" } else { &*spec.unit },
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
    for (_, key) in Trigger::ALL {
        named(key);
    }
    for (_, key) in LayerMode::ALL {
        named(key);
    }
    for effect in EFFECTS {
        let section = guide.split(&format!("### `{}`", effect.id)).nth(1);
        let section = section.unwrap_or_else(|| panic!("no section for {}", effect.id));
        let section = section.split("\n### ").next().unwrap_or_default();
        assert!(section.contains(effect.description), "{}", effect.id);
        for spec in effect.params {
            let row = format!("| `{}` | ", spec.name);
            assert!(
                section.contains(&row) && section.contains(&*spec.help),
                "{}: {}",
                effect.id,
                spec.name
            );
        }
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
        "text",
        "phase",
        "steps",
        "trigger",
        "attack_ms",
        "decay_ms",
        "frame",
        "point",
        "closed",
        "smooth",
        "params",
        "effect",
        "modulate",
        "mode",
        "amount",
    ] {
        named(key);
    }
}

#[test]
fn the_guide_to_formulas_names_every_word() {
    let guide = include_str!("../../docs/formulas.md");
    for (word, meaning) in [FRAME_WORDS, POINT_WORDS, OUTPUTS].into_iter().flatten() {
        assert!(
            guide.contains(&format!("| `{word}` | {meaning} |")),
            "docs/formulas.md lacks `{word}`"
        );
    }
    for function in FUNCTIONS {
        let row = format!(
            "| `{}` | {} | {} | {} |",
            function.name, function.arguments, function.cost, function.help
        );
        assert!(guide.contains(&row), "docs/formulas.md: the row should be\n{row}");
    }
}

#[test]
fn every_formula_of_the_cookbook_draws() {
    let guide = include_str!("../../docs/formulas.md");
    let first = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    Preset::parse(first).unwrap();
    let formulas = guide.split("```formula\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut count = 0;
    for formula in formulas {
        count += 1;
        Formula::compile("", formula, &[]).unwrap_or_else(|error| panic!("{error}\n{formula}"));
        let text = format!(
            "version = 1\nname = \"Cookbook\"\ngenerator = \"formula\"\n[formula]\npoint = '''\n{formula}'''\n"
        );
        let preset = Preset::parse(&text).unwrap();
        play(&preset, 1.0, 1.0, |figure, _| assert!(figure.len() >= 240 && figure.dropped() == 0));
    }
    assert!(count >= 8, "{count}");
}

/// Frames of a preset with effects and layers take no memory either: `draw`, `shade` and `set_param`.
#[test]
fn no_bundled_preset_touches_the_heap_while_it_plays() {
    for preset in presets() {
        let mut instrument = Instrument::new(&preset).unwrap();
        let mut figure = Instrument::figure();
        let ((), touched) = no_alloc::watch(|| {
            for frame in 0..150 {
                let media = MediaTime::from_secs_f64(f64::from(frame) * 0.02);
                let features = features_at(media, 1.0);
                instrument.draw(&features, media, 0.02, &mut figure);
                let shade = instrument.shade(&features, media);
                assert!(shade.gain >= 0.0);
                instrument.set_param(frame as usize % 8, 0.1 * frame as f32);
            }
        });
        assert_eq!(touched, 0, "{} touches the heap", preset.name);
    }
}

/// One preset after the other, morphing: nothing is taken from or given to the heap but what comes in.
#[test]
fn changing_presets_touches_no_heap_and_never_leaves_the_disc() {
    let presets = presets();
    let mut deck = Deck::new(Box::new(Instrument::new(&presets[0]).unwrap()));
    let mut frame = 0;
    for preset in &presets {
        let mut next = Some(Box::new(Instrument::new(preset).unwrap()));
        let ((), touched) = no_alloc::watch(|| {
            deck.change(&mut next, Transition { begin: Begin::Beat, beats: 1.0 });
            for _ in 0..70 {
                frame += 1;
                let media = MediaTime::from_secs_f64(f64::from(frame) * 0.02);
                let features = features_at(media, 1.0);
                let figure = deck.draw(&features, media, 0.02);
                for stroke in figure.strokes() {
                    for vertex in figure.vertices_of(stroke) {
                        assert!(vertex.x.hypot(vertex.y) <= 0.9701, "{}", preset.name);
                    }
                }
                assert!((0.0..=1.0).contains(&deck.shade(&features, media).gain));
            }
        });
        assert_eq!(touched, 0, "{}", preset.name);
    }
}

/// Any generator with any parameters behind any chain of effects, to any music: numbers, inside the disc, within the
/// budget, and the same every time.
#[test]
fn no_chain_of_effects_leaves_the_disc_or_the_numbers() {
    let mut dice = Random::new(42);
    for round in 0..300 {
        let generator = &GENERATORS[round % GENERATORS.len()];
        let mut preset = Preset::plain("Any", generator);
        let any = |dice: &mut Random, spec: &galvo::pattern::ParamSpec| match dice.unit() {
            low if low < 0.2 => spec.min,
            high if high > 0.8 => spec.max,
            _ => dice.between(spec.min, spec.max),
        };
        for spec in generator.params {
            preset.params.insert(spec.name.to_string(), any(&mut dice, spec));
        }
        for _ in 0..3 {
            let effect = &EFFECTS[(dice.unit() * EFFECTS.len() as f32) as usize % EFFECTS.len()];
            let mut params = std::collections::BTreeMap::new();
            for spec in effect.params {
                params.insert(spec.name.to_string(), any(&mut dice, spec));
            }
            let modulate = Vec::new();
            preset.effects.push(EffectScheme { effect: effect.id.to_owned(), params, modulate });
        }
        preset.check().unwrap_or_else(|error| panic!("{error}"));
        let loudness = [0.0, 1.0, 1.5][round % 3];
        play(&preset, 0.4, loudness, |figure, _| {
            assert!(figure.len() <= figure.capacity() && figure.strokes().len() <= 64);
            for vertex in figure.vertices_mut() {
                let distance = vertex.x.hypot(vertex.y);
                assert!(distance <= 0.9701, "{preset:?}: {distance}");
            }
        });
        let same = last_vertices(&preset, 0.2, loudness) == last_vertices(&preset, 0.2, loudness);
        assert!(same, "{preset:?}");
    }
}

#[test]
fn the_example_in_the_guide_is_a_preset() {
    let guide = include_str!("../../docs/presets.md");
    let example =
        guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    Preset::parse(example).unwrap();
}
