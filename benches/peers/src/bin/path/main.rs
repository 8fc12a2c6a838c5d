//! From strokes to points: lasy and galvo on the same scenes; prints tables in Markdown.
//!
//! lasy is asked for exactly as many points as galvo took, and judged by the same model of 30 kpps mirrors at 30 kpps.
//! Times are the best of rounds taken in turns, so that a busy machine slows both.

mod lasy_side;
mod scenes;

use std::hint::black_box;

use galvo::path::quality::{Quality, judge, strain};
use galvo::path::{GalvoProfile, Layout, LayoutSettings, PathPoints};
use galvo::point::LaserPoint;
use galvo::realtime::{CountingAllocator, no_alloc};
use galvo::time::SystemClock;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const PPS: u32 = 30_000;
const MOST_POINTS: usize = 32_000;
const ROUNDS: usize = 40;

struct Row {
    quality: Quality,
    step: f32,
    change: f32,
    best_us: f64,
    heap: u64,
}

fn timed(mut work: impl FnMut()) -> f64 {
    let began = SystemClock::read();
    work();
    SystemClock::read().nanos_since(began) as f64 / 1_000.0
}

fn repeated(points: &[LaserPoint]) -> Vec<LaserPoint> {
    [points, points].concat()
}

fn main() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("Load average at the start: {}\n", load.trim());
    println!(
        "| scene | | blanks | dark way | points | beam off, rms | corners off | even | worst step | \
         worst change | µs, best | heap uses |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
    );
    let profile = GalvoProfile::K30;
    for (name, scene) in scenes::all() {
        let figure = scenes::figure(&scene);
        let mut layout = Layout::new(LayoutSettings::default(), MOST_POINTS);
        let mut out = PathPoints::with_capacity(MOST_POINTS);
        // A frame that is shown again and again: it ends where it begins.
        let [x, y] = scene[0][0];
        let from = LaserPoint::blank(x, y);
        for _ in 0..8 {
            layout.lay_loop(&figure, from, PPS, MOST_POINTS, &mut out);
        }
        let ours = out.as_slice().to_vec();
        let theirs = lasy_side::lay(&scene, ours.len());
        let (mut our_us, mut their_us) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..ROUNDS {
            our_us = our_us.min(timed(|| {
                layout.lay_loop(black_box(&figure), from, PPS, MOST_POINTS, &mut out);
            }));
            their_us = their_us.min(timed(|| {
                black_box(lasy_side::lay(black_box(&scene), ours.len()));
            }));
        }
        // Without what it knows from the last frame.
        let mut cold_us = f64::INFINITY;
        for _ in 0..ROUNDS {
            let mut layout = Layout::new(LayoutSettings::default(), MOST_POINTS);
            cold_us = cold_us.min(timed(|| {
                layout.lay_loop(black_box(&figure), from, PPS, MOST_POINTS, &mut out);
            }));
        }
        let (_, our_heap) =
            no_alloc::watch(|| layout.lay_loop(&figure, from, PPS, MOST_POINTS, &mut out));
        let (_, their_heap) = no_alloc::watch(|| lasy_side::lay(&scene, ours.len()));
        let row = |points: &[LaserPoint], best_us, heap| {
            let strain = strain(&repeated(points), &profile, PPS);
            let quality = judge(points, &figure, &profile, PPS);
            Row { quality, step: strain.step, change: strain.change, best_us, heap }
        };
        print(&name, "lasy", &row(&theirs, their_us, their_heap), None);
        print("", "galvo", &row(&ours, our_us, our_heap), Some(cold_us));
    }
}

fn print(scene: &str, who: &str, row: &Row, cold_us: Option<f64>) {
    let Row { quality: q, step, change, best_us, heap } = row;
    let cold = cold_us.map_or(String::new(), |us| format!(" (first frame {us:.0})"));
    println!(
        "| {scene} | {who} | {} | {:.2} | {} | {:.2} % | {:.2} % | {:.0} % | {step:.2} | {change:.2} | {best_us:.0}{cold} | {heap} |",
        q.blanks,
        q.dark_way,
        q.points,
        100.0 * q.rms_error,
        100.0 * q.corner_error,
        100.0 * q.evenness,
    );
}
