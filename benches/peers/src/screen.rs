//! The simulator's mirrors: what each point was made for, and when it was shown.
//!
//! Content rides in the colours, which both libraries carry unchanged at full brightness: red and green hold the
//! moment the producer made the point, blue and intensity the stream time it was made for, in units of 0.1 ms.

use std::sync::{Arc, Mutex, PoisonError};

use galvo::dac::simulator::Recorder;
use galvo::dac::simulator::ether_dream::{Options, Server};
use galvo::point::LaserPoint;
use galvo::time::{HostTime, SystemClock};

/// Seconds in one unit of what rides in the colours.
const UNIT_S: f64 = 1e-4;

/// A lit point as shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    pub at: HostTime,
    /// When the producer made it, seconds.
    pub made_s: f64,
    /// The stream time it was made for, seconds.
    pub content_s: f64,
}

/// Collects what is shown. Clones share it.
#[derive(Clone, Default)]
pub struct Screen(Arc<Mutex<Vec<Shown>>>);

impl Recorder for Screen {
    fn shown(&mut self, at: HostTime, _index: u64, point: &LaserPoint) {
        if !point.is_blank() {
            let number = |high: u16, low: u16| f64::from(u32::from(high) << 16 | u32::from(low));
            self.lock().push(Shown {
                at,
                made_s: number(point.r, point.g) * UNIT_S,
                content_s: number(point.b, point.i) * UNIT_S,
            });
        }
    }
}

impl Screen {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn serve(&self) -> Server {
        let options = Options { recorder: Some(Box::new(self.clone())), ..Options::default() };
        Server::start(([127, 0, 0, 1], 0).into(), options, Arc::new(SystemClock))
            .expect("a port of the loopback interface is free")
    }

    pub fn last_light(&self) -> Option<HostTime> {
        self.lock().last().map(|shown| shown.at)
    }

    pub fn between(&self, from: HostTime, to: HostTime) -> Vec<Shown> {
        self.lock().iter().filter(|shown| shown.at >= from && shown.at < to).copied().collect()
    }
}

/// The drives that carry `made_s` and `content_s`, and a place on a slow circle: light that stood still would
/// be blanked by a gate.
#[must_use]
pub fn stamp(index: u64, made_s: f64, content_s: f64) -> ([f32; 2], [u16; 4]) {
    let (y, x) = ((index % 300) as f32 / 300.0 * std::f32::consts::TAU).sin_cos();
    let halves = |seconds: f64| {
        let units = (seconds / UNIT_S) as u32;
        [(units >> 16) as u16, units as u16]
    };
    let ([r, g], [b, i]) = (halves(made_s), halves(content_s));
    ([0.5 * x, 0.5 * y], [r, g, b, i])
}
