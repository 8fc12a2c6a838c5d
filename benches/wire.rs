//! Encoding points to the wire, ns a point, and the ratio to pushing field by field, in the same run.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use galvo::point::{Colour, LaserPoint};
use galvo::time::{Clock, SystemClock};
use galvo::wire::ether_dream::{POINT_BYTES, encode_points};
use galvo::wire::{helios, idn, lasercube_usb};

const POINTS: usize = 1000;

fn figure() -> Vec<LaserPoint> {
    (0..POINTS)
        .map(|n| {
            let turn = n as f32 / POINTS as f32;
            let (y, x) = (turn * std::f32::consts::TAU).sin_cos();
            LaserPoint::lit(x, y, Colour::hsv(turn, 1.0, 1.0))
        })
        .collect()
}

fn push_field_by_field(points: &[LaserPoint], out: &mut Vec<u8>) {
    for point in points {
        let coordinate = |v: f32| (v * 32_767.0).round().clamp(-32_768.0, 32_767.0) as i16;
        out.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(&coordinate(point.x).to_le_bytes());
        out.extend_from_slice(&coordinate(point.y).to_le_bytes());
        for drive in [point.r, point.g, point.b, point.i, 0, 0] {
            out.extend_from_slice(&drive.to_le_bytes());
        }
    }
}

fn nanos_per_point(mut encode: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..50 {
        let start = SystemClock.now();
        for _ in 0..100 {
            encode();
        }
        let took = SystemClock.now().since(start).as_nanos() as f64;
        best = best.min(took / (100 * POINTS) as f64);
    }
    best
}

fn wire(criterion: &mut Criterion) {
    let points = figure();
    let mut slice = vec![0_u8; POINTS * POINT_BYTES];
    let mut vec = Vec::with_capacity(POINTS * POINT_BYTES);

    let ours = nanos_per_point(|| {
        black_box(encode_points(black_box(&points), &mut slice));
    });
    let naive = nanos_per_point(|| {
        vec.clear();
        push_field_by_field(black_box(&points), &mut vec);
        black_box(&vec);
    });
    println!(
        "ether_dream encode: {ours:.2} ns/point, field by field {naive:.2} ns/point, ratio {:.1}",
        naive / ours
    );

    let mut group = criterion.benchmark_group("wire/ether_dream");
    group.measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    group.throughput(Throughput::Elements(POINTS as u64));
    group.bench_function(BenchmarkId::from_parameter("encode_points"), |b| {
        b.iter(|| encode_points(black_box(&points), black_box(&mut slice)));
    });
    group.bench_function(BenchmarkId::from_parameter("field_by_field"), |b| {
        b.iter(|| {
            vec.clear();
            push_field_by_field(black_box(&points), &mut vec);
        });
    });
    group.finish();
}

fn lasercube_wifi(criterion: &mut Criterion) {
    use galvo::wire::lasercube_wifi::{MAX_POINTS_PER_PACKET, encode_packet};

    let points = figure();
    let mut out = Vec::with_capacity(16 * 1024);
    let mut encode = || {
        out.clear();
        for (number, packet) in black_box(&points).chunks(MAX_POINTS_PER_PACKET).enumerate() {
            encode_packet(number as u8, 0, packet, &mut out);
        }
        black_box(&out);
    };
    println!("lasercube_wifi encode: {:.2} ns/point", nanos_per_point(&mut encode));

    let mut group = criterion.benchmark_group("wire/lasercube_wifi");
    group.measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    group.throughput(Throughput::Elements(POINTS as u64));
    group.bench_function(BenchmarkId::from_parameter("encode_packet"), |b| b.iter(&mut encode));
    group.finish();
}

/// Ten bytes a sample, most significant byte first, in messages of 141 samples.
fn wire_idn(criterion: &mut Criterion) {
    let points = figure();
    let mut slice = vec![0_u8; POINTS * idn::SAMPLE_BYTES];
    let mut vec = Vec::with_capacity(POINTS * idn::SAMPLE_BYTES);
    let ours = nanos_per_point(|| {
        black_box(idn::encode_points(black_box(&points), &mut slice));
    });
    let naive = nanos_per_point(|| {
        vec.clear();
        for point in black_box(&points) {
            let coordinate = |v: f32| (v * 32_767.0).round().clamp(-32_768.0, 32_767.0) as i16;
            vec.extend_from_slice(&coordinate(point.x).to_be_bytes());
            vec.extend_from_slice(&coordinate(point.y).to_be_bytes());
            for drive in [point.r, point.g, point.b] {
                vec.extend_from_slice(&drive.to_be_bytes());
            }
        }
        black_box(&vec);
    });
    println!(
        "idn encode: {ours:.2} ns/point, field by field {naive:.2} ns/point, ratio {:.1}",
        naive / ours
    );
    let mut group = criterion.benchmark_group("wire/idn");
    group.measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    group.throughput(Throughput::Elements(POINTS as u64));
    group.bench_function(BenchmarkId::from_parameter("encode_points"), |b| {
        b.iter(|| idn::encode_points(black_box(&points), black_box(&mut slice)));
    });
    group.finish();
}

fn wire_usb(criterion: &mut Criterion) {
    let points = figure();
    let mut out = Vec::with_capacity(POINTS * 8 + 16);
    let helios = nanos_per_point(|| {
        let pps = black_box(30_000);
        let encoded = helios::encode_frame(black_box(&points), pps, 2, &mut out);
        black_box(encoded).ok();
    });
    let lasercube = nanos_per_point(|| {
        out.clear();
        lasercube_usb::encode_samples(black_box(&points), &mut out);
        black_box(&out);
    });
    println!("helios encode: {helios:.2} ns/point, lasercube_usb encode: {lasercube:.2} ns/point");

    let mut group = criterion.benchmark_group("wire/usb");
    group.measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    group.throughput(Throughput::Elements(POINTS as u64));
    group.bench_function(BenchmarkId::from_parameter("helios"), |b| {
        b.iter(|| helios::encode_frame(black_box(&points), 30_000, 2, &mut out));
    });
    group.bench_function(BenchmarkId::from_parameter("lasercube_usb"), |b| {
        b.iter(|| {
            out.clear();
            lasercube_usb::encode_samples(black_box(&points), &mut out);
        });
    });
    group.finish();
}

criterion_group!(benches, wire, lasercube_wifi, wire_idn, wire_usb);
criterion_main!(benches);
