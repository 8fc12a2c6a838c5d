//! What lending, publishing and recording cost; the old way (a vector per frame) beside it in the same run.
//!
//! After criterion's figures a table of percentiles is printed: for a real-time thread the tail counts, not the mean.
//! It holds the cost of reading the clock, which is given as its first line.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group};
use galvo::frame::{
    self, BufferPool, FrameData, FrameMeta, FrameProducer, FrameReceiver, Pool, PreviewReceiver,
    TapPoint,
};
use galvo::point::{Colour, LaserPoint};
use galvo::realtime::{CountingAllocator, Histogram, no_alloc};
use galvo::time::SystemClock;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const POINTS: usize = 1000;

fn points() -> Vec<LaserPoint> {
    (0..POINTS).map(|i| LaserPoint::lit(i as f32 * 1e-3, 0.0, Colour::WHITE)).collect()
}

/// A producer with a primary, a recorder and a preview, all of them emptied after each frame.
struct Show {
    producer: FrameProducer,
    primary: FrameReceiver,
    recorder: FrameReceiver,
    preview: PreviewReceiver,
    points: Vec<LaserPoint>,
}

impl Show {
    fn new() -> Self {
        let (mut producer, taps) = frame::producer(frame::DEFAULT_SLOTS, Arc::new(SystemClock));
        let (sender, primary) = frame::frame_channel(8);
        producer.register_primary_output(sender).expect("nothing is published yet");
        let recorder = taps.ring_tap(TapPoint::Sent, 64, 1).expect("the first tap");
        let preview = taps.newest_tap(TapPoint::Sent, 1).expect("the second tap");
        Self { producer, primary, recorder, preview, points: points() }
    }

    fn publish(&mut self) {
        self.producer.publish(black_box(&self.points), FrameMeta::at(TapPoint::Sent));
    }

    fn take(&mut self) {
        black_box((self.primary.try_recv(), self.recorder.try_recv(), self.preview.newest()));
    }
}

/// The old way: a vector per frame, and a copy of it for each of three receivers.
fn publish_by_vectors(points: &[LaserPoint]) {
    black_box((points.to_vec(), points.to_vec(), points.to_vec()));
}

/// The old way to get a frame's buffer: zeroed memory from the heap, given back.
fn heap_cycle() {
    drop(black_box(vec![LaserPoint::CENTRE; frame::FRAME_CAPACITY]));
}

fn benches(c: &mut Criterion) {
    let pool = Pool::new(64, FrameData::new, FrameData::reset);
    c.bench_function("pool: acquire + release", |b| {
        b.iter(|| drop(black_box(pool.try_acquire())));
    });
    c.bench_function("pool: acquire + share + 2 clones + release", |b| {
        b.iter(|| {
            let shared = pool.try_acquire().expect("nothing else is lent").share();
            black_box((shared.clone(), shared.clone(), shared));
        });
    });
    c.bench_function("pool: write access", |b| {
        let mut frame = pool.try_acquire().expect("nothing else is lent");
        b.iter(|| black_box(black_box(&mut frame).points_mut().len()));
    });
    c.bench_function("heap: 64 KiB zeroed + free (the old way)", |b| b.iter(heap_cycle));

    let buffers = BufferPool::new(8, 1500);
    c.bench_function("bytes: acquire + write 1 KiB + freeze + release", |b| {
        b.iter(|| {
            let mut buffer = buffers.try_acquire().expect("nothing else is lent");
            buffer.write(black_box(&[7; 1024]));
            black_box(buffer.freeze())
        });
    });

    let mut show = Show::new();
    c.bench_function("publish 1000 points to primary + 2 taps, and take", |b| {
        b.iter(|| {
            show.publish();
            show.take();
        });
    });
    let points = points();
    c.bench_function("3 vectors of 1000 points (the old way)", |b| {
        b.iter(|| publish_by_vectors(black_box(&points)));
    });

    let histogram = Histogram::new();
    let mut value = 0_u64;
    c.bench_function("histogram: record", |b| {
        b.iter(|| {
            value = value.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            histogram.record(black_box(value >> 40));
        });
    });
}

fn percentiles() {
    const ROUNDS: usize = 200_000;
    fn row(name: &str, mut work: impl FnMut(), mut after: impl FnMut()) -> u64 {
        let histogram = Histogram::new();
        let mut touched = 0;
        for _ in 0..ROUNDS {
            let began = SystemClock::read();
            let ((), uses) = no_alloc::watch(&mut work);
            histogram.record(SystemClock::read().nanos_since(began).max(0) as u64);
            touched += uses;
            after();
        }
        let seen = histogram.snapshot();
        println!(
            "{name:<44} {:>8} {:>8} {:>8} {:>10} {touched:>10}",
            seen.p50, seen.p99, seen.p999, seen.max
        );
        seen.p50
    }
    println!(
        "{:<44} {:>8} {:>8} {:>8} {:>10} {:>10}",
        "ns", "p50", "p99", "p99.9", "max", "heap uses"
    );
    let clock = row("nothing (the clock)", || (), || ());
    let ratio = |heap: u64, ours: u64| {
        let (heap, ours) = (heap.saturating_sub(clock), ours.saturating_sub(clock));
        println!("ratio of the medians, less the clock: {:.1}", heap as f64 / ours.max(1) as f64);
    };
    let pool = Pool::new(64, FrameData::new, FrameData::reset);
    let ours = row("pool: acquire + release", || drop(black_box(pool.try_acquire())), || ());
    let heap = row("heap: 64 KiB zeroed + free", heap_cycle, || ());
    ratio(heap, ours);
    let show = std::cell::RefCell::new(Show::new());
    let ours = row(
        "publish 1000 points to primary + 2 taps",
        || show.borrow_mut().publish(),
        || show.borrow_mut().take(),
    );
    let points = points();
    let heap = row("3 vectors of 1000 points", || publish_by_vectors(&points), || ());
    ratio(heap, ours);
}

criterion_group!(group, benches);

fn main() {
    group();
    Criterion::default().configure_from_args().final_summary();
    percentiles();
}
