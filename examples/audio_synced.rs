//! Light that follows sound: each point shows the features of the moment at which it will be seen.
//!
//! `cargo run --example audio_synced [URI]`: a second of light on `sim:` or on the projector named. The "sound" is a
//! kick drum twice a second, analysed as a sound card's input would be.

use std::f64::consts::TAU;
use std::sync::Arc;

use galvo::analysis::{Analyser, FeatureWindow};
use galvo::point::{Colour, LaserPoint};
use galvo::stream::{FillRequest, FillResult, RunExit, Session, StreamConfig};
use galvo::time::{Clock, MediaTime, SystemClock};

const SAMPLE_RATE: u32 = 48_000;

/// A kick: a low tone that dies away, every half second.
fn kick(t: f64) -> f32 {
    let since = t % 0.5;
    ((since * 60.0 * TAU).sin() * (-since * 14.0).exp() * 0.8) as f32
}

/// The features of `seconds` of music, ahead of the light.
fn listen(seconds: f64) -> FeatureWindow {
    let mut analyser = Analyser::new(SAMPLE_RATE);
    let mut window = FeatureWindow::with_capacity(4096);
    let frames = ((seconds + 1.0) * f64::from(SAMPLE_RATE)) as u32;
    let mono = (0..frames).map(|n| kick(f64::from(n) / f64::from(SAMPLE_RATE)));
    let stereo: Vec<f32> = mono.flat_map(|sample| [sample; 2]).collect();
    analyser.push(MediaTime::ZERO, &stereo, &mut |features| window.push(0, features));
    window
}

/// Runs for `seconds` of stream time.
pub(crate) fn run(uri: &str, seconds: f64) -> anyhow::Result<RunExit> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let window = listen(seconds);
    let backend = galvo::dac::open(uri, &[], Arc::clone(&clock))?;
    let session = Session::open(backend, StreamConfig::new(30_000), Arc::clone(&clock))?;
    session.control().arm(clock.now())?;
    Ok(session.run(&mut |request: &FillRequest, buffer: &mut [LaserPoint]| {
        let start = request.start.as_secs_f64(request.pps);
        if start > seconds {
            return FillResult::End;
        }
        for (i, point) in buffer[..request.target_points].iter_mut().enumerate() {
            let t = start + i as f64 / f64::from(request.pps);
            let features = window.at(MediaTime::from_secs_f64(t));
            let radius = 0.3 + 0.4 * features.bands.bass.clamp(0.0, 1.0);
            let (y, x) = ((t * 60.0 * TAU) as f32).sin_cos();
            *point = LaserPoint::lit(radius * x, radius * y, Colour::hsv(0.6, 1.0, 1.0));
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
