//! Points ↔ host time of leaving the mirrors.

use crate::dac::LinkReport;
use crate::time::{HostTime, StreamInstant};

/// The map from points to the moments they leave the mirrors.
#[derive(Debug)]
pub struct Timeline {
    anchor: Option<(StreamInstant, HostTime)>,
    pps: u32,
}

impl Timeline {
    /// A map at a nominal rate of `pps` points per second; nothing known yet.
    #[must_use]
    pub const fn new(pps: u32) -> Self {
        Self { anchor: None, pps }
    }

    /// Points from `start` on are played at `pps`.
    pub fn set_rate(&mut self, start: StreamInstant, pps: u32) {
        let _ = start;
        self.pps = pps;
    }

    /// Takes in the device's word.
    pub fn report(&mut self, report: &LinkReport) {
        if let Some(playing) = report.playing {
            self.anchor = Some((playing, report.at));
        }
    }

    /// When `point` leaves the mirrors.
    #[must_use]
    pub fn host_of(&self, point: StreamInstant, now: HostTime) -> HostTime {
        let (at, host) = self.anchor.unwrap_or((point, now));
        host.plus_secs_f64((point.0 as f64 - at.0 as f64) / f64::from(self.pps)).max(now)
    }

    /// Seconds between two points of the newest rate.
    #[must_use]
    pub fn seconds_per_point(&self) -> f64 {
        1.0 / f64::from(self.pps)
    }
}
