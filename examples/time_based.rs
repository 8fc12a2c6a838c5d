//! A figure that is a function of time: every point asks the request when it will be seen.
//!
//! `cargo run --example time_based [URI]`: a second of light on `sim:` or on the projector named.

use std::f64::consts::TAU;
use std::sync::Arc;

use galvo::point::{Colour, LaserPoint};
use galvo::stream::{FillRequest, FillResult, RunExit, Session, StreamConfig};
use galvo::time::{Clock, SystemClock};

/// Runs for `seconds` of stream time.
pub(crate) fn run(uri: &str, seconds: f64) -> anyhow::Result<RunExit> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let backend = galvo::dac::open(uri, &[], Arc::clone(&clock))?;
    let session = Session::open(backend, StreamConfig::new(30_000), Arc::clone(&clock))?;
    session.control().arm(clock.now())?;
    Ok(session.run(&mut |request: &FillRequest, buffer: &mut [LaserPoint]| {
        let start = request.start.as_secs_f64(request.pps);
        if start > seconds {
            return FillResult::End;
        }
        let wanted = &mut buffer[..request.target_points];
        for (i, point) in wanted.iter_mut().enumerate() {
            let t = start + i as f64 / f64::from(request.pps);
            let (y, x) = (t * 60.0 * TAU).sin_cos();
            let breath = 0.5 + 0.2 * (t * TAU).sin();
            let colour = Colour::hsv(t as f32, 1.0, 1.0);
            *point = LaserPoint::lit((breath * x) as f32, (breath * y) as f32, colour);
        }
        FillResult::Filled(request.target_points)
    }))
}

#[allow(dead_code, reason = "a test runs the example without its main")]
fn main() -> anyhow::Result<()> {
    let uri = std::env::args().nth(1).unwrap_or_else(|| "sim:".to_owned());
    run(&uri, 1.0)?;
    Ok(())
}
