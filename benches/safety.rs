//! What a point costs in the gate, in nanoseconds per point: divide by 1000.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use galvo::point::{Colour, LaserPoint};
use galvo::safety::{Arm, Effect, Gate, GateSettings, Shape, Zone};
use galvo::time::{HostTime, StreamInstant};

const POINTS: usize = 1000;

fn circle() -> Vec<LaserPoint> {
    (0..POINTS)
        .map(|k| (k as f32 / 200.0 * std::f32::consts::TAU).sin_cos())
        .map(|(y, x)| LaserPoint::lit(0.6 * x, 0.6 * y, Colour::WHITE))
        .collect()
}

/// The worst for the mirror stage: it never gets where it wants to be.
fn jumps() -> Vec<LaserPoint> {
    (0..POINTS)
        .map(|k| (k as f32 * 2.4).sin_cos())
        .map(|(y, x)| LaserPoint::lit(0.9 * x, 0.9 * y, Colour::WHITE))
        .collect()
}

fn zoned() -> GateSettings {
    let mut settings = GateSettings::default();
    let triangle = Shape::polygon(&[[-0.2, -0.2], [0.2, -0.2], [0.0, 0.2]]).expect("three corners");
    let zones = [
        (Shape::Rect { low: [-0.9, -0.9], high: [0.9, 0.9] }, Effect::Allowed),
        (Shape::Rect { low: [-1.0, -1.0], high: [1.0, -0.5] }, Effect::Attenuated(0.3)),
        (triangle, Effect::Blocked),
    ];
    for (shape, effect) in zones {
        settings.zones.add(Zone { shape, effect, soft_edge: 0.05 }).expect("three zones fit");
    }
    settings
}

fn gate(c: &mut Criterion) {
    let mut group = c.benchmark_group("gate");
    group.throughput(Throughput::Elements(POINTS as u64));
    for (name, points, settings) in [
        ("circle", circle(), GateSettings::default()),
        ("jumps", jumps(), GateSettings::default()),
        ("circle, three zones", circle(), zoned()),
    ] {
        let arm = Arm::new();
        arm.arm(HostTime::ZERO).expect("no stop is latched");
        let (mut gate, _control) = Gate::with_control(arm, &settings);
        let mut buffer = points.clone();
        group.bench_function(name, |b| {
            b.iter(|| {
                buffer.copy_from_slice(&points);
                let passed =
                    gate.pass(HostTime::ZERO, black_box(&mut buffer), StreamInstant(0), 30_000);
                black_box(passed.len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, gate);
criterion_main!(benches);
