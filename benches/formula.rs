//! What formulas cost: simple operations a second, and whole frames of the bundled ones.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use galvo::pattern::formula::{FRAME_WORDS, Formula, Heard, Player};
use galvo::pattern::{Instrument, Preset, bundled};
use galvo::time::MediaTime;

#[path = "../tests/it/synthetic_song.rs"]
mod synthetic_song;

const POINTS: usize = 640;

/// Runs `point` for a stroke and reports operations a second.
fn operations(criterion: &mut Criterion, name: &str, point: &str, operations: usize) {
    let formula = Formula::compile("", point, &[]).expect("a formula");
    let mut player = Player::new(&formula);
    player.begin_frame(&Heard::nothing(), &[0.5; FRAME_WORDS.len()], &[]);
    let mut group = criterion.benchmark_group("formula");
    group.throughput(Throughput::Elements((operations * POINTS) as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let mut sum = 0.0;
            player
                .stroke(black_box(&Heard::nothing()), (0, 1), POINTS, true, |x, y, _| sum += x + y);
            sum
        });
    });
    group.finish();
}

fn simple(criterion: &mut Criterion) {
    // 200 sums and products that cannot be taken together.
    let mut text = "v0 = a\n".to_owned();
    for k in 0..100 {
        writeln!(text, "v{} = v{k} * i + k", k + 1).expect("a text takes text");
    }
    operations(criterion, "sums and products", &format!("{text}x = v100\ny = a"), 200);
    let mut text = "v0 = a\n".to_owned();
    for k in 0..100 {
        writeln!(text, "v{} = sin(v{k} + i)", k + 1).expect("a text takes text");
    }
    operations(criterion, "sines and sums", &format!("{text}x = v100\ny = a"), 200);
}

fn presets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("formula presets");
    let media = MediaTime::from_secs_f64(3.05);
    let features = synthetic_song::features_at(media, 1.0);
    for (file, text) in bundled::BUNDLED {
        let preset = Preset::parse(text).expect("bundled presets are right");
        if preset.generator != "formula" {
            continue;
        }
        let mut instrument = Instrument::new(&preset).expect("bundled presets are right");
        let mut figure = Instrument::figure();
        group.bench_function(*file, |bencher| {
            bencher.iter(|| {
                instrument.draw(black_box(&features), black_box(media), 0.02, &mut figure);
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_millis(600))
        .warm_up_time(std::time::Duration::from_millis(200));
    targets = simple, presets
}
criterion_main!(benches);
