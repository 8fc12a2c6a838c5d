//! galvo beside its peers in one run; prints a table in Markdown.
//!
//! Both streams drive the same virtual Ether Dream over TCP on the loopback interface. Costs are the best and the
//! median of fifty rounds, taken in turns so that a busy machine slows both.

mod ours;
mod screen;
mod sides;
mod theirs;

use std::hint::black_box;
use std::time::Duration;

use galvo::frame::{FrameData, Pool};
use galvo::point::LaserPoint;
use galvo::realtime::{CountingAllocator, no_alloc};
use galvo::time::SystemClock;
use galvo::wire::ether_dream::{POINT_BYTES, encode_points};
use laser_dac::benchmark_support::ProtocolEncoderBenchmark;

use self::ours::Ours;
use self::screen::Screen;
use self::sides::{Stall, at, dark_after, median, three_stalls};
use self::theirs::Theirs;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const PPS: u32 = 30_000;
const POINTS: usize = 1_000;
const ROUNDS: usize = 50;
const REPEATS: usize = 200;
const DARK_TRIALS: u64 = 40;

/// Nanoseconds per call of each of `works`, sorted over the rounds.
fn in_turns<const N: usize>(mut works: [&mut dyn FnMut(); N]) -> [Vec<f64>; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (work, times) in works.iter_mut().zip(&mut times) {
            let began = SystemClock::read();
            (0..REPEATS).for_each(|_| work());
            let took = SystemClock::read().nanos_since(began) as f64;
            times.push(took / REPEATS as f64);
        }
    }
    times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    times
}

fn row(what: &str, theirs: &str, ours: &str) {
    println!("| {what} | {theirs} | {ours} |");
}

fn encode() {
    let colours = |k: usize| [k * 977, k * 1_597, k * 2_371].map(|n| (n & 0xffff) as u16);
    let place = |k: usize| (k as f32 / POINTS as f32 * std::f32::consts::TAU).sin_cos();
    let figure: Vec<_> = (0..POINTS).map(|k| (place(k), colours(k))).collect();
    let points: Vec<LaserPoint> = figure
        .iter()
        .map(|((y, x), [r, g, b])| LaserPoint { x: *x, y: *y, r: *r, g: *g, b: *b, i: 65_535 })
        .collect();
    let their_points: Vec<laser_dac::LaserPoint> = figure
        .iter()
        .map(|((y, x), [r, g, b])| laser_dac::LaserPoint::new(*x, *y, *r, *g, *b, 65_535))
        .collect();
    let mut bytes = vec![0; POINTS * POINT_BYTES];
    let mut fixture = ProtocolEncoderBenchmark::new(POINTS);
    let [theirs, ours] = in_turns([
        &mut || {
            black_box(fixture.encode_ether_dream(black_box(&their_points)));
        },
        &mut || {
            black_box(encode_points(black_box(&points), &mut bytes));
        },
    ]);
    let figures = |times: &[f64]| {
        let per_point = |share| at(times, share) / POINTS as f64;
        format!("{:.1} / {:.1} ns", per_point(0.0), per_point(0.5))
    };
    let what = "a point to the Ether Dream's wire, best / median";
    row(what, &figures(&theirs), &figures(&ours));
}

fn pools() {
    let pool = Pool::new(64, FrameData::new, FrameData::reset);
    let vector = || vec![LaserPoint::CENTRE; 4096];
    let linear = lockfree_object_pool::LinearObjectPool::new(vector, |_| {});
    let locked = object_pool::Pool::new(64, vector);
    // A first loan of each, so that none makes its first value in the measurement.
    drop((pool.try_acquire(), linear.pull(), locked.try_pull()));
    let mut ours = || drop(black_box(pool.try_acquire()));
    let mut theirs = || drop(black_box(linear.pull()));
    let mut others = || drop(black_box(locked.try_pull()));
    let mut heap = || drop(black_box(vector()));
    let uses = [
        no_alloc::watch(&mut ours).1,
        no_alloc::watch(&mut theirs).1,
        no_alloc::watch(&mut others).1,
        no_alloc::watch(&mut heap).1,
    ];
    let times = in_turns([&mut ours, &mut theirs, &mut others, &mut heap]);
    let figure = |k: usize| {
        let times: &[f64] = &times[k];
        format!("{:.0} / {:.0} ns, {} heap uses", at(times, 0.0), median(times), uses[k])
    };
    let what = "borrow a frame of 4096 points and give it back, best / median";
    let theirs = format!(
        "lockfree-object-pool {}; object-pool {}; the heap {}",
        figure(1),
        figure(2),
        figure(3)
    );
    row(what, &theirs, &figure(0));
}

fn heap_uses() {
    let screen = Screen::default();
    let theirs = theirs::heap_uses_per_write(screen.serve().address().port());
    let ours = ours::heap_uses_per_write(screen.serve().address().port());
    let what = "heap uses (taking, growing, giving back) per write of 150 points";
    row(what, &format!("{theirs:.2}"), &format!("{ours:.2}"));
}

fn streams(target: Option<Duration>) {
    let name =
        target.map_or("default buffers".to_owned(), |t| format!("{} ms of buffer", t.as_millis()));
    let stall = Stall::default();
    let screen = Screen::default();
    let server = screen.serve();
    let stream = Theirs::start(server.address().port(), target, stall.clone());
    let their_stalls = three_stalls(&stream, &screen, &stall);
    let their_dark = dark_after(&stream, &screen, DARK_TRIALS);
    drop((stream, server));

    let screen = Screen::default();
    let server = screen.serve();
    let stream = Ours::start(server.address().port(), target, stall.clone());
    let our_stalls = three_stalls(&stream, &screen, &stall);
    let our_dark = dark_after(&stream, &screen, DARK_TRIALS);
    drop((stream, server));

    let what = format!("{name}: stream time off after three stalls of 300 ms");
    let offset = |ms: f64| format!("{ms:+.1} ms");
    row(&what, &offset(their_stalls.offset_ms), &offset(our_stalls.offset_ms));
    let spread = |times: &[f64]| {
        format!("{:.1} / {:.1} / {:.1} ms", median(times), at(times, 0.95), at(times, 1.0))
    };
    let what = format!("{name}: a point made → on the mirrors, p50 / p95 / max");
    row(&what, &spread(&their_stalls.latency_ms), &spread(&our_stalls.latency_ms));
    let what = format!("{name}: disarm → dark, p50 / p95 / max of {DARK_TRIALS}");
    row(&what, &spread(&their_dark), &spread(&our_dark));
}

fn main() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("Load average at the start: {}\n", load.trim());
    println!("| what | laser-dac 0.14.1, or as named | galvo |\n|---|---|---|");
    encode();
    heap_uses();
    pools();
    streams(None);
    streams(Some(Duration::from_millis(40)));
}
