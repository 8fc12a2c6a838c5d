//! What a frame of a mask stream costs: decoded, drawn, cut, made light of, and taken from the cache.
#![allow(clippy::print_stdout, reason = "beside the times, what was counted is the result")]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use galvo::format::asvp::FormatError;
use galvo::format::asvp::write::Writer;
use galvo::format::mask_stream::{MaskStream, Scratch, open};
use galvo::format::outlines::{Outlines, Place};
use galvo::mask::bitmask::{BitMask, Bitmap, Scaler};
use galvo::mask::light::prepare;
use galvo::mask::raster::Rasteriser;
use galvo::mask::strips::triangle_strip;
use galvo::mask::{Builder, LightSettings, MaskSource};
use galvo::pattern::Silhouette;
use galvo::realtime::{CountingAllocator, no_alloc};
use galvo::time::SystemClock;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Like the frames of real streams: in each eye one outline of 180 places and five specks.
fn twelve_outlines(frame: usize) -> Outlines {
    let mut outlines = Outlines::default();
    let mut state = frame as u64 + 1;
    for eye in [0.0, 1024.0] {
        outlines.push((0..180).map(|k| {
            let angle = f64::from(k) / 180.0 * std::f64::consts::TAU;
            let radius = 1.0 + 0.25 * (5.0 * angle + frame as f64 * 0.05).sin();
            let (x, y) = (220.0 * radius * angle.cos(), 380.0 * radius * angle.sin());
            Place::new((eye + 512.0 + x) as i32, (512.0 + y) as i32)
        }));
        for _ in 0..5 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (x, y) = ((eye as i32) + (state >> 55) as i32, (state >> 46 & 511) as i32);
            let steps = [(0, 0), (5, 0), (6, 4), (2, 7), (0, 3)];
            outlines.push(steps.map(|(dx, dy)| Place::new(x + dx, y + dy)));
        }
    }
    outlines
}

fn stream_of(frames: usize) -> Vec<u8> {
    let mut writer = Writer::default();
    for frame in 0..frames {
        writer.push(&twelve_outlines(frame)).expect("a small frame");
    }
    writer.plain()
}

fn opened(bytes: &[u8]) -> Box<dyn MaskStream> {
    let read = &mut |range: std::ops::Range<u64>| {
        let end = (range.end as usize).min(bytes.len());
        Ok(bytes[(range.start as usize).min(end)..end].to_vec())
    };
    open::<FormatError>(read, None).expect("a stream of ours")
}

fn frame(c: &mut Criterion) {
    let mut group = c.benchmark_group("mask frame");
    for frames in [100, 16_375] {
        let bytes = stream_of(frames);
        let stream = opened(&bytes);
        let (mut scratch, mut outlines) = (Scratch::default(), Outlines::default());
        let (mut rasteriser, mut mask) = (Rasteriser::default(), BitMask::default());
        let (mut index, mut block) = (0, Vec::new());
        let mut work = |draw: bool| {
            index = (index + 37) % frames;
            let range = stream.range(index).expect("a frame of the stream");
            block.clear();
            block.extend_from_slice(&bytes[range.start as usize..range.end as usize]);
            let decoded = stream.decode(index, &mut block, &mut scratch, &mut outlines);
            decoded.expect("a good frame");
            if draw {
                rasteriser.draw(&outlines, 2048, 1024, &mut mask);
            }
        };
        (0..50).for_each(|_| work(true));
        let ((), touched) = no_alloc::watch(|| (0..50).for_each(|_| work(true)));
        println!("50 frames of {frames}: {touched} heap uses");
        group.bench_function(format!("decode, of {frames}"), |b| b.iter(|| work(false)));
        group.bench_function(format!("decode and draw 2048x1024, of {frames}"), |b| {
            b.iter(|| work(true));
        });
    }
    let outlines = twelve_outlines(7);
    let mut mask = BitMask::default();
    Rasteriser::default().draw(&outlines, 2048, 1024, &mut mask);
    let (mut scaler, mut picture) = (Scaler::default(), Bitmap::default());
    for (width, height) in [(2048, 1024), (1024, 512), (640, 360)] {
        group.bench_function(format!("picture {width}x{height}"), |b| {
            b.iter(|| scaler.scale(black_box(&mask), width, height, &mut picture));
        });
    }
    group.bench_function("triangle strip", |b| b.iter(|| triangle_strip(black_box(&outlines))));
    let (mut before, mut light) = (Silhouette::default(), Silhouette::default());
    prepare(&twelve_outlines(6), 6, &LightSettings::default(), None, &mut before);
    group.bench_function("outlines for the laser", |b| {
        b.iter(|| prepare(&outlines, 7, &LightSettings::default(), Some(&before), &mut light));
    });
    group.finish();
}

fn hit(c: &mut Criterion) {
    let masks = Builder::default().build().expect("threads");
    masks.load_source(&MaskSource::memory(stream_of(600))).expect("a stream of ours");
    for frame in 0..100 {
        masks.frame(frame, Duration::from_secs(10)).expect("a frame");
    }
    let mut index = 0;
    let mut group = c.benchmark_group("mask handle");
    let mut step = |same: bool| {
        index = if same { index } else { (index + 1) % 100 };
        masks.get_frame(index, 640, 360)
    };
    (0..200).for_each(|_| drop(step(false)));
    let ((), touched) = no_alloc::watch(|| (0..100).for_each(|_| drop(step(false))));
    println!("100 hits at new frames: {touched} heap uses");
    group.bench_function("hit, another frame 640x360", |b| b.iter(|| step(false)));
    group.bench_function("hit, the same picture", |b| b.iter(|| step(true)));
    group.finish();
}

/// Every request of a player at 60 frames per second, with every core kept busy by others.
fn under_load(_: &mut Criterion) {
    let cores = std::thread::available_parallelism().map_or(4, std::num::NonZero::get);
    let stop = AtomicBool::new(false);
    let bytes = stream_of(2000);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let mut x = 1_u64;
                while !stop.load(Ordering::Relaxed) {
                    x = black_box(x.wrapping_mul(3).rotate_left(7));
                }
            });
        }
        let masks = Builder::default().build().expect("threads");
        masks.load_source(&MaskSource::memory(bytes)).expect("a stream of ours");
        let clock: &dyn galvo::time::Clock = &SystemClock;
        let (mut times, mut missed) = (Vec::new(), 0);
        let begin = clock.now();
        for frame in 0..600_u32 {
            clock.sleep_until(begin + Duration::from_secs(1) * frame / 60);
            let asked = clock.now();
            missed += u32::from(masks.get_frame(frame.into(), 1024, 512).is_none());
            times.push(clock.now().since(asked).as_secs_f64() * 1e6);
        }
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        println!(
            "get_frame 1024x512 of 600 at 60/s, {cores} busy cores: p50 {:.0}, p99 {:.0}, max {:.0} us; {missed} not in time; {:?}",
            at(0.5),
            at(0.99),
            at(1.0),
            masks.counters()
        );
        stop.store(true, Ordering::Relaxed);
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(1))
        .warm_up_time(Duration::from_millis(300));
    targets = frame, hit, under_load
}
criterion_main!(benches);
