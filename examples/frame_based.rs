//! A picture drawn again and again: a frame adapter is the producer.
//!
//! `cargo run --example frame_based [URI]`: a second of light on `sim:` or on the projector named.

use std::sync::Arc;

use galvo::point::{Colour, LaserPoint};
use galvo::stream::{FillRequest, FillResult, FrameAdapter, RunExit, Session, StreamConfig};
use galvo::time::{Clock, SystemClock};

/// A square of 600 points: 50 pictures a second at 30 000 points per second.
fn square() -> Vec<LaserPoint> {
    const CORNERS: [[f32; 2]; 4] = [[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]];
    let side = |k: usize| (CORNERS[k], CORNERS[(k + 1) % 4], k);
    let point = |(from, to, k): ([f32; 2], [f32; 2], usize), part: usize| {
        // Slow at the corners: mirrors have weight.
        let way = part as f32 / 150.0;
        let eased = way * way * (3.0 - 2.0 * way);
        let at = |axis: usize| from[axis] + (to[axis] - from[axis]) * eased;
        LaserPoint::lit(at(0), at(1), Colour::hsv(k as f32 / 4.0, 1.0, 1.0))
    };
    (0..4).map(side).flat_map(|side| (0..150).map(move |part| point(side, part))).collect()
}

/// Runs for `seconds` of stream time.
pub(crate) fn run(uri: &str, seconds: f64) -> anyhow::Result<RunExit> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let backend = galvo::dac::open(uri, &[], Arc::clone(&clock))?;
    let session = Session::open(backend, StreamConfig::new(30_000), Arc::clone(&clock))?;
    session.control().arm(clock.now())?;
    let mut adapter = FrameAdapter::new();
    adapter.update(square());
    Ok(session.run(&mut |request: &FillRequest, buffer: &mut [LaserPoint]| {
        if request.start.as_secs_f64(request.pps) > seconds {
            return FillResult::End;
        }
        adapter.fill_chunk(request, buffer)
    }))
}

#[allow(dead_code, reason = "a test runs the example without its main")]
fn main() -> anyhow::Result<()> {
    let uri = std::env::args().nth(1).unwrap_or_else(|| "sim:".to_owned());
    run(&uri, 1.0)?;
    Ok(())
}
