use super::*;
use crate::analysis::Features;
use crate::pattern::random::Random;
use crate::pattern::{Instrument, Scene};
use crate::point::Colour;
use crate::time::MediaTime;

fn defaults(kind: &EffectKind) -> Vec<f32> {
    kind.params.iter().map(|spec| spec.default).collect()
}

/// A ring, a square, an open line and a dot.
fn drawing() -> Figure {
    let mut figure = Instrument::figure();
    for k in 0..96 {
        let (sin, cos) = (k as f32 / 96.0 * std::f32::consts::TAU).sin_cos();
        figure.vertex(0.6 * cos, 0.6 * sin, Colour::rgb(1.0, 0.5, 0.0));
    }
    figure.end(true, true);
    for (x, y) in [(-0.3, -0.3), (0.3, -0.3), (0.3, 0.3), (-0.3, 0.3)] {
        figure.vertex(x, y, Colour::WHITE);
    }
    figure.end(true, false);
    for k in 0..20 {
        figure.vertex(k as f32 * 0.05 - 0.5, 0.1, Colour::rgb(0.0, 0.0, 1.0));
    }
    figure.end(false, true);
    figure.vertex(0.8, 0.0, Colour::WHITE);
    figure.end(false, false);
    figure
}

fn applied(effect: &mut dyn Effect, params: &[f32], dt: f32, from: &Figure) -> Figure {
    let features = Features::default();
    let scene = Scene { features: &features, media: MediaTime::ZERO, dt, params };
    let mut to = Instrument::figure();
    effect.apply(&scene, from, &mut to);
    to
}

fn with(id: &str, params: &[f32], from: &Figure) -> Figure {
    applied(&mut *(find(id).unwrap().make)(), params, 0.0, from)
}

fn all(figure: &Figure) -> Vec<Vertex> {
    figure.strokes().iter().flat_map(|stroke| figure.vertices_of(stroke)).copied().collect()
}

#[test]
fn ids_and_parameters_are_unique_typeable_and_explained() {
    let mut ids = std::collections::HashSet::new();
    for kind in EFFECTS {
        assert!(ids.insert(kind.id) && kind.description.ends_with('.'));
        for spec in kind.params {
            assert!(spec.min < spec.max && spec.clamped(spec.default) == spec.default);
            assert!(
                spec.help.ends_with('.')
                    && spec.name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            );
        }
    }
}

#[test]
fn no_effect_makes_what_is_not_a_number_or_loses_every_line() {
    let mut random = Random::new(4);
    let from = drawing();
    for kind in EFFECTS {
        for round in 0..60 {
            let params: Vec<f32> = kind
                .params
                .iter()
                .map(|spec| match round % 4 {
                    0 => spec.min,
                    1 => spec.max,
                    _ => random.between(spec.min, spec.max),
                })
                .collect();
            let mut effect = (kind.make)();
            for _ in 0..8 {
                let to = applied(&mut *effect, &params, 0.03, &from);
                assert!(!to.strokes().is_empty(), "{}: {params:?}", kind.id);
                assert!(all(&to).iter().all(|v| v.x.is_finite() && v.y.is_finite()), "{}", kind.id);
                assert!(to.len() <= to.capacity());
            }
        }
    }
}

#[test]
fn an_empty_drawing_stays_empty() {
    for kind in EFFECTS {
        let to = applied(&mut *(kind.make)(), &defaults(kind), 0.02, &Instrument::figure());
        assert!(to.strokes().is_empty(), "{}", kind.id);
    }
}

#[test]
fn effects_at_rest_leave_the_drawing_alone() {
    let from = drawing();
    for (id, params) in [
        ("rotate", vec![0.0, 0.0, 0.0]),
        ("stretch", vec![1.0, 1.0, 1.0]),
        ("shift", vec![0.0, 0.0]),
        ("wave", vec![0.0, 2.0, 0.0, 0.0]),
        ("twist", vec![0.0, 1.0]),
        ("lens", vec![0.0, 0.0, 0.0]),
        ("shiver", vec![0.0, 3.0, 1.0]),
        ("reveal", vec![0.0, 1.0, 0.0]),
        ("strobe", vec![2.0, 0.5, 0.0]),
        ("colour_cycle", vec![0.0, 0.0, 0.0]),
        ("shade", vec![0.0, 1.0, 0.0, 0.0, 0.0]),
        ("duplicate", vec![1.0, 0.5, 0.5, 0.2, 0.5, 0.5, 1.0]),
    ] {
        let to = with(id, &params, &from);
        assert_eq!(to.strokes(), from.strokes(), "{id}");
        for (before, after) in all(&from).iter().zip(all(&to)) {
            let moved = (before.x - after.x).hypot(before.y - after.y);
            assert!(moved < 1e-5 && before.colour == after.colour, "{id}: {before:?} {after:?}");
        }
    }
}

#[test]
fn a_mirror_shows_the_image_and_a_kaleidoscope_its_copies() {
    let from = drawing();
    let upright = with("mirror", &[0.25, 0.0, 0.5], &from);
    assert_eq!(upright.strokes().len(), 2 * from.strokes().len());
    let (dot, image) = (all(&upright)[from.len() - 1], all(&upright)[upright.len() - 1]);
    assert!((dot.x + image.x).abs() < 1e-5 && (dot.y - image.y).abs() < 1e-5);
    assert_eq!(image.colour, Colour::rgb(0.5, 0.5, 0.5));
    let six = with("kaleidoscope", &[6.0, 0.5, 0.4, 0.0, 0.0, 1.0], &from);
    assert_eq!((six.strokes().len(), six.dropped()), (24, 0));
}

#[test]
fn copies_of_a_long_curve_are_thinned_out_and_nothing_is_lost() {
    let mut from = Instrument::figure();
    for k in 0..700 {
        let (sin, cos) = (k as f32 / 700.0 * std::f32::consts::TAU).sin_cos();
        from.vertex(0.5 * cos, 0.5 * sin, Colour::WHITE);
    }
    from.end(true, true);
    let twelve = with("kaleidoscope", &[12.0, 0.5, 0.4, 0.0, 0.0, 1.0], &from);
    assert_eq!((twelve.strokes().len(), twelve.dropped()), (12, 0));
}

#[test]
fn dashes_light_their_share_of_the_line() {
    let from = drawing();
    for share in [0.25, 0.5, 0.75] {
        let to = with("dash", &[8.0, share, 0.0], &from);
        let stroke = to.strokes()[0];
        let vertices = to.vertices_of(&stroke);
        let (mut lit, mut whole) = (0.0, 0.0);
        for (index, vertex) in vertices.iter().enumerate() {
            let next = vertices[(index + 1) % vertices.len()];
            let length = (next.x - vertex.x).hypot(next.y - vertex.y);
            whole += length;
            lit += if vertex.colour == Colour::BLACK { 0.0 } else { length };
        }
        assert!((lit / whole - share).abs() < 0.01, "{share}: {lit} of {whole}");
    }
}

#[test]
fn dots_are_as_many_as_asked_for() {
    let to = with("dots", &[16.0, 0.0, 0.0], &drawing());
    // The drawing has a dot of its own, which stays.
    assert!((16..=18).contains(&to.strokes().len()), "{}", to.strokes().len());
    assert!(to.strokes().iter().all(|stroke| stroke.len == 1));
}

#[test]
fn a_revealed_part_has_its_length() {
    let mut from = Instrument::figure();
    for k in 0..=10 {
        from.vertex(k as f32 * 0.1 - 0.5, 0.0, Colour::WHITE);
    }
    from.end(false, true);
    let to = with("reveal", &[0.25, 0.5, 0.0], &from);
    let seen = all(&to);
    assert!((seen[0].x + 0.25).abs() < 1e-5 && (seen[seen.len() - 1].x - 0.25).abs() < 1e-5);
}

#[test]
fn a_trail_shows_where_the_drawing_was() {
    let mut trail = (find("trail").unwrap().make)();
    let params = [1.0, 40.0, 0.5, 1.0];
    for step in 0..10 {
        let mut from = Instrument::figure();
        from.vertex(step as f32 * 0.05, 0.0, Colour::WHITE);
        from.end(false, false);
        let to = applied(&mut *trail, &params, 0.02, &from);
        let seen = all(&to);
        assert_eq!(seen[0].x, step as f32 * 0.05);
        if step >= 4 {
            let behind = seen[0].x - seen[1].x;
            assert!((0.04..0.16).contains(&behind), "{behind}");
            assert_eq!(seen[1].colour, Colour::rgb(0.5, 0.5, 0.5));
        }
    }
}

#[test]
fn a_strobe_never_flashes_more_than_three_times_a_second_however_it_is_moved() {
    let mut strobe = (find("strobe").unwrap().make)();
    let mut random = Random::new(8);
    let spec = &find("strobe").unwrap().params;
    let (mut flashes, mut was_lit) = (Vec::new(), true);
    for frame in 0..5_000 {
        let params: Vec<f32> =
            spec.iter().map(|spec| spec.clamped(random.between(-1.0, 9.0))).collect();
        let params = [params[0], 0.5, 1.0];
        let to = applied(&mut *strobe, &params, 0.02, &drawing());
        let is_lit = all(&to)[0].colour != Colour::BLACK;
        if is_lit && !was_lit {
            flashes.push(frame);
        }
        was_lit = is_lit;
    }
    assert!(flashes.len() > 20);
    assert!(flashes.windows(4).all(|f| f[3] - f[0] >= 48), "three in a second at most");
}
