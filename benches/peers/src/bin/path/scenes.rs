//! Drawings that both sides are given.

use std::f32::consts::TAU;

use galvo::pattern::Figure;
use galvo::point::Colour;

/// Open lines of corners; a closed one ends where it begins.
pub type Scene = Vec<Vec<[f32; 2]>>;

pub fn all() -> Vec<(String, Scene)> {
    let lines = [10, 50, 120, 500].map(|n| (format!("{n} random lines"), random_lines(n, 0x5eed)));
    let mut scenes = Vec::from(lines);
    scenes.extend([
        ("32 spectrum bars".to_owned(), bars()),
        ("20 squares".to_owned(), squares()),
        ("a cube, 12 edges".to_owned(), cube()),
        ("a grid, 7 × 7 lines".to_owned(), grid()),
        ("two lines of text".to_owned(), text()),
        ("rosette and rings".to_owned(), art()),
    ]);
    scenes
}

/// The same drawing as strokes of galvo.
pub fn figure(scene: &Scene) -> Figure {
    let vertices = scene.iter().map(Vec::len).sum();
    let mut figure = Figure::with_capacity(vertices, scene.len());
    for line in scene {
        let closed = line.len() > 3 && line.first() == line.last();
        figure.begin();
        for [x, y] in &line[..line.len() - usize::from(closed)] {
            figure.vertex(*x, *y, Colour::WHITE);
        }
        figure.end(closed, false);
    }
    figure
}

fn random_lines(count: usize, mut seed: u64) -> Scene {
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| vec![[random(), random()], [random(), random()]]).collect()
}

fn bars() -> Scene {
    let height = |k: usize| {
        0.15 + 0.7 * (0.5 + 0.5 * (k as f32 * 1.7).sin()) * (0.5 + 0.5 * (k as f32 * 0.4).cos())
    };
    (0..32)
        .map(|k| (-0.93 + 0.06 * k as f32, height(k)))
        .map(|(x, h)| vec![[x, -0.8], [x, -0.8 + h]])
        .collect()
}

fn squares() -> Scene {
    (0..20)
        .map(|k| (-0.8 + 0.4 * (k % 5) as f32, -0.6 + 0.4 * (k / 5) as f32))
        .map(|(x, y)| {
            vec![
                [x - 0.12, y - 0.12],
                [x + 0.12, y - 0.12],
                [x + 0.12, y + 0.12],
                [x - 0.12, y + 0.12],
                [x - 0.12, y - 0.12],
            ]
        })
        .collect()
}

fn cube() -> Scene {
    let corner = |k: usize| {
        let side = |bit: usize| if k >> bit & 1 == 1 { 0.5_f32 } else { -0.5 };
        let (x, y, z) = (side(0), side(1), side(2));
        let far = 1.0 / (2.4 - z - 0.3 * x);
        [1.6 * (x + 0.35 * z) * far, 1.6 * (y + 0.25 * z) * far]
    };
    let edges = (0..8_usize).flat_map(|k| (0..3).map(move |bit| (k, k ^ (1 << bit))));
    edges.filter(|(a, b)| a < b).map(|(a, b)| vec![corner(a), corner(b)]).collect()
}

fn grid() -> Scene {
    let at = |k: usize| -0.75 + 0.25 * k as f32;
    // Every cell's edge is a line of its own, as a file of a drawing program has them.
    let across =
        (0..7).flat_map(|row| (0..6).map(move |k| vec![[at(k), at(row)], [at(k + 1), at(row)]]));
    let up = (0..7)
        .flat_map(|column| (0..6).map(move |k| vec![[at(column), at(k)], [at(column), at(k + 1)]]));
    across.chain(up).collect()
}

fn text() -> Scene {
    const G: &[&[[f32; 2]]] = &[&[
        [1.0, 0.8],
        [0.7, 1.0],
        [0.2, 1.0],
        [0.0, 0.7],
        [0.0, 0.3],
        [0.2, 0.0],
        [0.7, 0.0],
        [1.0, 0.3],
        [1.0, 0.5],
        [0.6, 0.5],
    ]];
    const A: &[&[[f32; 2]]] = &[&[[0.0, 0.0], [0.5, 1.0], [1.0, 0.0]], &[[0.2, 0.4], [0.8, 0.4]]];
    const L: &[&[[f32; 2]]] = &[&[[0.0, 1.0], [0.0, 0.0], [0.9, 0.0]]];
    const V: &[&[[f32; 2]]] = &[&[[0.0, 1.0], [0.5, 0.0], [1.0, 1.0]]];
    const O: &[&[[f32; 2]]] = &[&[
        [0.3, 0.0],
        [0.0, 0.3],
        [0.0, 0.7],
        [0.3, 1.0],
        [0.7, 1.0],
        [1.0, 0.7],
        [1.0, 0.3],
        [0.7, 0.0],
        [0.3, 0.0],
    ]];
    const T: &[&[[f32; 2]]] = &[&[[0.0, 1.0], [1.0, 1.0]], &[[0.5, 1.0], [0.5, 0.0]]];
    const E: &[&[[f32; 2]]] =
        &[&[[1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]], &[[0.0, 0.5], [0.7, 0.5]]];
    const H: &[&[[f32; 2]]] =
        &[&[[0.0, 0.0], [0.0, 1.0]], &[[1.0, 0.0], [1.0, 1.0]], &[[0.0, 0.5], [1.0, 0.5]]];
    let mut scene = Scene::new();
    for (row, letters) in [[G, A, L, V, O, H], [T, O, T, A, L, E]].iter().enumerate() {
        for (column, letter) in letters.iter().enumerate() {
            let at = |p: &[f32; 2]| {
                [-0.85 + 0.29 * column as f32 + 0.2 * p[0], 0.15 - 0.55 * row as f32 + 0.35 * p[1]]
            };
            scene.extend(letter.iter().map(|line| line.iter().map(at).collect()));
        }
    }
    scene
}

fn art() -> Scene {
    let ring = |radius: f32, petals: f32, depth: f32, n: usize| {
        (0..=n)
            .map(|k| (k % n) as f32 / n as f32 * TAU)
            .map(|t| (t, radius * (1.0 + depth * (petals * t).cos())))
            .map(|(t, r)| [r * t.cos(), r * t.sin()])
            .collect()
    };
    vec![
        ring(0.55, 7.0, 0.4, 280),
        ring(0.85, 0.0, 0.0, 160),
        ring(0.25, 3.0, 0.3, 90),
        ring(0.1, 0.0, 0.0, 30),
    ]
}
