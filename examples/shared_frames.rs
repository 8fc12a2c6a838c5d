//! Pictures from another thread: the newest wins, and neither side waits for the other.
//!
//! `cargo run --example shared_frames [URI]`: a second of light on `sim:` or on the projector named.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use galvo::point::{Colour, LaserPoint};
use galvo::stream::{FillRequest, FillResult, Producer, RunExit, Session, StreamConfig};
use galvo::time::{Clock, SystemClock};

const POINTS: usize = 600;

/// A circle that grows and shrinks from picture to picture.
fn circle(number: u32) -> Vec<LaserPoint> {
    let radius = 0.5 + 0.2 * (number as f32 * 0.1).sin();
    let at = |k: usize| (k as f32 / POINTS as f32 * std::f32::consts::TAU).sin_cos();
    let lit = |(y, x): (f32, f32)| LaserPoint::lit(radius * x, radius * y, Colour::WHITE);
    (0..POINTS).map(at).map(lit).collect()
}

/// Runs for `seconds` of stream time.
pub(crate) fn run(uri: &str, seconds: f64) -> anyhow::Result<RunExit> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let backend = galvo::dac::open(uri, &[], Arc::clone(&clock))?;
    let session = Session::open(backend, StreamConfig::new(30_000), Arc::clone(&clock))?;
    session.control().arm(clock.now())?;
    let (mut writer, mut frames) = galvo::stream::shared_frames(POINTS);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if over.load(Ordering::Relaxed) || !writer.update(&circle(number)) {
                    return;
                }
                clock.sleep_until(clock.now() + Duration::from_millis(20));
            }
        });
        let exit = session.run(&mut |request: &FillRequest, buffer: &mut [LaserPoint]| {
            if request.start.as_secs_f64(request.pps) > seconds {
                return FillResult::End;
            }
            frames.fill(request, buffer)
        });
        over.store(true, Ordering::Relaxed);
        Ok(exit)
    })
}

#[allow(dead_code, reason = "a test runs the example without its main")]
fn main() -> anyhow::Result<()> {
    let uri = std::env::args().nth(1).unwrap_or_else(|| "sim:".to_owned());
    run(&uri, 1.0)?;
    Ok(())
}
