//! How many points are ahead of the mirrors: a cautious estimate.

use crate::dac::LinkReport;
use crate::time::HostTime;

/// Points accepted and not yet shown.
#[derive(Debug, Default)]
pub struct Fullness {
    ahead: f64,
    at: Option<HostTime>,
    device_queued: Option<u64>,
}

impl Fullness {
    /// `points` more were queued.
    pub fn pushed(&mut self, points: u64) {
        self.ahead += points as f64;
    }

    /// Time went on to `now` while the device played `pps` points per second.
    pub fn advance(&mut self, now: HostTime, pps: f64) {
        let elapsed = self.at.map_or(0.0, |at| now.since(at).as_secs_f64());
        self.ahead = (self.ahead - elapsed * pps).max(0.0);
        self.at = Some(now);
    }

    /// The device's word.
    pub fn report(&mut self, report: &LinkReport) {
        self.device_queued = report.device_queued;
    }

    /// Everything queued was dropped.
    pub fn flush(&mut self) {
        self.ahead = 0.0;
    }

    /// What the device said last, raw.
    #[must_use]
    pub const fn device_queued(&self) -> Option<u64> {
        self.device_queued
    }

    /// The estimate.
    #[must_use]
    pub fn points(&self) -> u64 {
        self.ahead as u64
    }
}
