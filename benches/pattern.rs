//! What drawing costs: a frame of every generator, and the shade of one block of points.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use galvo::pattern::catalog::GENERATORS;
use galvo::pattern::{Instrument, Preset, bundled};
use galvo::time::MediaTime;

#[path = "../tests/it/synthetic_song.rs"]
mod synthetic_song;

fn draw(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("draw");
    let media = MediaTime::from_secs_f64(3.05);
    let features = synthetic_song::features_at(media, 1.0);
    for generator in GENERATORS {
        let preset = Preset::plain(generator.name, generator);
        let mut instrument = Instrument::new(&preset).expect("a plain preset is right");
        let mut figure = Instrument::figure();
        group.bench_function(generator.id, |bencher| {
            bencher.iter(|| {
                instrument.draw(black_box(&features), black_box(media), 0.02, &mut figure);
            });
        });
    }
    group.finish();
}

fn shade(criterion: &mut Criterion) {
    let media = MediaTime::from_secs_f64(3.05);
    let features = synthetic_song::features_at(media, 1.0);
    let (_, text) = bundled::BUNDLED[0];
    let preset = Preset::parse(text).expect("bundled presets are right");
    let instrument = Instrument::new(&preset).expect("bundled presets are right");
    criterion.bench_function("shade", |bencher| {
        bencher.iter(|| instrument.shade(black_box(&features), black_box(media)));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_millis(600))
        .warm_up_time(std::time::Duration::from_millis(200));
    targets = draw, shade
}
criterion_main!(benches);
