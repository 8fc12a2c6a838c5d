//! What is measured on either side, in the same way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use galvo::time::{Clock, HostTime, SystemClock};

use crate::screen::Screen;

/// A stream that runs on the simulator.
pub trait Streaming {
    fn is_ready(&self) -> bool;
    fn arm(&self);
    fn disarm(&self);
}

/// Makes a producer hang once for 300 ms when told.
#[derive(Clone, Default)]
pub struct Stall(Arc<AtomicBool>);

impl Stall {
    pub fn tell(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn wait_if_told(&self) {
        if self.0.swap(false, Ordering::AcqRel) {
            wait(300);
        }
    }
}

pub fn wait(milliseconds: u64) {
    SystemClock.sleep_until(SystemClock.now() + Duration::from_millis(milliseconds));
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..5_000 {
        if done() {
            return;
        }
        wait(1);
    }
    panic!("{what} did not come within 5 s");
}

pub fn light_up(stream: &impl Streaming, screen: &Screen) {
    until("the device", || stream.is_ready());
    let armed = SystemClock.now();
    stream.arm();
    until("light", || screen.last_light().is_some_and(|at| at > armed));
}

/// From a disarm to the last lit point on the mirrors, ms, each of `trials` sorted.
pub fn dark_after(stream: &impl Streaming, screen: &Screen, trials: u64) -> Vec<f64> {
    let mut times: Vec<f64> = (0..trials)
        .map(|trial| {
            light_up(stream, screen);
            // At no fixed phase of anybody's loop.
            wait(120 + trial * 37 % 23);
            let disarmed = SystemClock.now();
            stream.disarm();
            wait(200);
            let last = screen.last_light().expect("there was light");
            (last.secs_since(disarmed) * 1e3).max(0.0)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

/// What three stalls of 300 ms do to the stream's idea of time.
pub struct AfterStalls {
    /// How far content made for a moment is shown from that moment, less what it was before, ms.
    pub offset_ms: f64,
    /// From the producer's making a point to the mirrors before the stalls, ms, sorted.
    pub latency_ms: Vec<f64>,
}

pub fn three_stalls(stream: &impl Streaming, screen: &Screen, stall: &Stall) -> AfterStalls {
    light_up(stream, screen);
    wait(1_000);
    let offset = |from: HostTime, to: HostTime| {
        let shown = screen.between(from, to);
        let mut errors: Vec<f64> =
            shown.iter().map(|shown| shown.at.as_secs_f64() - shown.content_s).collect();
        errors.sort_by(f64::total_cmp);
        median(&errors) * 1e3
    };
    let steady = SystemClock.now();
    wait(1_000);
    let stalled = SystemClock.now();
    for _ in 0..3 {
        stall.tell();
        wait(1_300);
    }
    let after = SystemClock.now();
    wait(1_000);
    let mut latency_ms: Vec<f64> = screen
        .between(steady, stalled)
        .iter()
        .map(|shown| (shown.at.as_secs_f64() - shown.made_s) * 1e3)
        .collect();
    latency_ms.sort_by(f64::total_cmp);
    AfterStalls {
        offset_ms: offset(after, SystemClock.now()) - offset(steady, stalled),
        latency_ms,
    }
}

#[must_use]
pub fn median(sorted: &[f64]) -> f64 {
    at(sorted, 0.5)
}

#[must_use]
pub fn at(sorted: &[f64], share: f64) -> f64 {
    sorted
        .get((sorted.len().saturating_sub(1) as f64 * share) as usize)
        .copied()
        .unwrap_or(f64::NAN)
}
