//! What a frame costs in the layout.
#![allow(clippy::print_stdout, reason = "beside the times, what was laid is the result")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use galvo::path::{Layout, LayoutSettings, PathPoints};
use galvo::pattern::Figure;
use galvo::point::{Colour, LaserPoint};
use galvo::realtime::{CountingAllocator, no_alloc};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn random_lines(count: usize) -> Figure {
    let mut seed = 0x5eed_u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    let mut figure = Figure::with_capacity(2 * count, count);
    for _ in 0..count {
        figure.begin();
        figure.vertex(random(), random(), Colour::WHITE);
        figure.vertex(random(), random(), Colour::WHITE);
        figure.end(false, false);
    }
    figure
}

fn curve() -> Figure {
    let mut figure = Figure::with_capacity(500, 1);
    for k in 0..500 {
        let t = k as f32 / 500.0 * std::f32::consts::TAU;
        let radius = 0.6 + 0.2 * (5.0 * t).sin();
        figure.vertex(radius * t.cos(), radius * t.sin(), Colour::hsv(t, 1.0, 1.0));
    }
    figure.end(true, true);
    figure
}

fn layout(c: &mut Criterion) {
    let mut group = c.benchmark_group("layout");
    for (name, figure, budget) in [
        ("10 random lines", random_lines(10), 1_000),
        ("120 random lines", random_lines(120), 8_000),
        ("120 random lines, 2000 points", random_lines(120), 2_000),
        ("curve of 500 vertices", curve(), 1_000),
        ("curve of 500 vertices, 150 points", curve(), 150),
    ] {
        let mut layout = Layout::new(LayoutSettings::default(), 8_000);
        let mut points = PathPoints::with_capacity(8_000);
        let mut lay =
            || layout.lay(black_box(&figure), LaserPoint::CENTRE, 30_000, budget, &mut points);
        let (laid, touched) = no_alloc::watch(&mut lay);
        println!("{name}: {laid:?}, {touched} heap uses");
        group.bench_function(name, |b| b.iter(&mut lay));
    }
    group.finish();
}

criterion_group!(benches, layout);
criterion_main!(benches);
