//! What a 10 ms hop of the causal analyser costs, a look-up in the feature window, and listening to a whole file.
//!
//! Criterion's times are of the wall clock. The figures in words are of this thread's own CPU time, without what pushed
//! it aside on a busy machine.

#![allow(clippy::print_stderr, reason = "a bench prints what it measured")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use galvo::analysis::{Analyser, FeatureWindow, TrackAnalyser};
use galvo::time::MediaTime;
use rustix::time::{ClockId, clock_gettime};

const RATE: u32 = 44_100;
const HOP: usize = 441;

fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Thirty seconds of strokes over noise and a chord: every stage has something to do.
fn music() -> Vec<f32> {
    let mut state = 1_u32;
    (0..30 * RATE)
        .flat_map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = state as f32 / (1_u32 << 31) as f32 - 1.0;
            let t = n as f32 / RATE as f32;
            let in_beat = t % 0.48;
            let kick = (std::f32::consts::TAU * 55.0 * in_beat).sin() * (-in_beat / 0.1).exp();
            let hat = noise * (-(t % 0.24) / 0.03).exp();
            let chord: f32 =
                [220.0, 277.0, 330.0].iter().map(|f| (std::f32::consts::TAU * f * t).sin()).sum();
            [0.5 * kick + 0.1 * hat + 0.1 * chord, 0.5 * kick - 0.1 * hat + 0.1 * chord]
        })
        .collect()
}

fn hop(c: &mut Criterion) {
    let music = music();
    let mut analyser = Analyser::new(RATE);
    let mut n = 0_usize;
    let hops = music.len() / (2 * HOP);
    let mut step = |analyser: &mut Analyser| {
        let at = (n % hops) * 2 * HOP;
        let media = MediaTime::from_frames((n * HOP) as i64, RATE);
        analyser.push(media, &music[at..at + 2 * HOP], &mut |f| {
            black_box(f);
        });
        n += 1;
    };
    c.bench_function("analyser, 10 ms of 44.1 kHz stereo", |b| b.iter(|| step(&mut analyser)));

    let mut nanos: Vec<u64> = (0..100_000)
        .map(|_| {
            let start = cpu_ns();
            step(&mut analyser);
            cpu_ns() - start
        })
        .collect();
    nanos.sort_unstable();
    let at = |share: f64| nanos[((nanos.len() - 1) as f64 * share) as usize] as f64 / 1000.0;
    eprintln!(
        "one hop, CPU: p50 {:.1} µs, p99 {:.1} µs, p99.9 {:.1} µs, max {:.1} µs",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}

fn look_up(c: &mut Criterion) {
    let mut window = FeatureWindow::new();
    let mut analyser = Analyser::new(RATE);
    analyser.push(MediaTime::ZERO, &music()[..2 * 5 * RATE as usize], &mut |f| window.push(0, f));
    let mut t = 0.0_f64;
    c.bench_function("feature window, at", |b| {
        b.iter(|| {
            t = (t + 0.000_033) % 4.9;
            black_box(window.at(MediaTime::from_secs_f64(t)))
        });
    });
}

/// Five minutes of music as a whole: how many times faster than it plays, what it takes, what a look-up costs.
fn whole(c: &mut Criterion) {
    let music = music();
    let began = cpu_ns();
    let mut analyser = TrackAnalyser::new(RATE);
    (0..10).for_each(|_| analyser.push(&music));
    let track = analyser.finish();
    let work_s = (cpu_ns() - began) as f64 * 1e-9;
    let minutes = track.duration().as_secs_f64() / 60.0;
    eprintln!(
        "whole file, CPU: {:.0} × real time, {:.0} kB per minute, {:.0} kB stored",
        minutes * 60.0 / work_s,
        track.bytes() as f64 / minutes / 1e3,
        track.to_bytes().len() as f64 / minutes / 1e3
    );
    let began = cpu_ns();
    for n in 0..1_000_000 {
        black_box(track.features_at(MediaTime::from_nanos(n * 1_037_000 % 300_000_000_000)));
    }
    eprintln!("features_at, CPU: {:.0} ns", (cpu_ns() - began) as f64 * 1e-6);
    let mut t = 0.0_f64;
    c.bench_function("track, features_at", |b| {
        b.iter(|| {
            t = (t + 1.037) % 300.0;
            black_box(track.features_at(MediaTime::from_secs_f64(t)))
        });
    });
}

criterion_group!(benches, hop, look_up, whole);
criterion_main!(benches);
