//! Seeks in an hour of MP3 on the disk: from the wish to the first right samples.
//!
//! The hour is the frames of `tests/data/halves.mp3` (VBR), again and again. `first_seek` opens the file each time, so that
//! nothing is known of it; `further_seeks` knows where its frames lie.

use std::hint::black_box;
use std::path::Path;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use galvo::audio::Decoder;

/// The hour, and its length in frames of sound.
fn an_hour(folder: &Path) -> std::path::PathBuf {
    let bytes = include_bytes!("../tests/data/halves.mp3");
    // The tag in front has its length in seven-bit digits; the first frame after it only describes the file.
    let tag = bytes[6..10].iter().fold(0, |size, byte| size << 7 | usize::from(*byte)) + 10;
    let describing = 144_000 * 128 / 44_100;
    let frames = &bytes[tag + describing..];
    let path = folder.join("hour.mp3");
    std::fs::write(&path, frames.repeat(180)).expect("a temporary folder that takes 16 MB");
    path
}

fn seeks(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = an_hour(folder.path());
    let frames = 3600 * 44_100;
    let mut dice = 1_u64;
    let mut place = move || {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % frames
    };
    let mut group = criterion.benchmark_group("seek_in_an_hour_of_mp3");
    group.sample_size(20);
    group.bench_function("first_seek", |bencher| {
        bencher.iter_batched(
            || (Decoder::open(&path).expect("an MP3"), place()),
            |(mut decoder, to)| {
                decoder.seek(to).expect("a place in it");
                black_box(decoder.next().expect("sound").map(<[f32]>::len));
                decoder
            },
            BatchSize::PerIteration,
        );
    });
    let mut decoder = Decoder::open(&path).expect("an MP3");
    decoder.seek(frames - 44_100).expect("its end");
    group.bench_function("further_seeks", |bencher| {
        bencher.iter(|| {
            decoder.seek(place()).expect("a place in it");
            black_box(decoder.next().expect("sound").map(<[f32]>::len))
        });
    });
    group.finish();
}

criterion_group!(benches, seeks);
criterion_main!(benches);
