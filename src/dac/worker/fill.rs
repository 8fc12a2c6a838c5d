//! How many points a device holds now: its own word where it gives one, else elapsed time.

use crate::dac::backend::DeviceReport;
use crate::time::HostTime;

/// An estimate of the points a device holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceFill {
    points: f64,
    at: HostTime,
    /// The rate it plays at; 0 while it does not play.
    pps: f64,
}

impl DeviceFill {
    /// An empty device.
    pub(super) const fn new(now: HostTime) -> Self {
        Self { points: 0.0, at: now, pps: 0.0 }
    }

    /// Points held at `now`, with the fraction of a point that is under way.
    pub(super) fn at(&self, now: HostTime) -> f64 {
        (self.points - now.since(self.at).as_secs_f64() * self.pps).max(0.0)
    }

    /// The device has spoken.
    pub(super) fn told(&mut self, report: &DeviceReport) {
        if let Some(queued) = report.queued_points {
            self.points = f64::from(queued);
            self.at = report.at;
            self.pps = report.playing_pps.map_or(0.0, f64::from);
        }
    }

    /// Points have been added. A device that says nothing of its queue plays at their rate.
    pub(super) fn wrote(&mut self, now: HostTime, points: usize, pps: u32, reports_queue: bool) {
        self.points = self.at(now) + points as f64;
        self.at = self.at.max(now);
        if !reports_queue {
            self.pps = f64::from(pps);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_device_that_says_nothing_drains_by_time_with_its_fractions() {
        let mut now = HostTime::ZERO;
        let mut fill = DeviceFill::new(now);
        // 7.5 points a step: truncation would lose half a point each time.
        for _ in 0..1000 {
            fill.wrote(now, 15, 30_000, false);
            now += Duration::from_micros(500);
        }
        assert!((fill.at(now)).abs() < 1e-6, "{}", fill.at(now));
    }

    #[test]
    fn the_devices_own_word_replaces_the_estimate() {
        let mut fill = DeviceFill::new(HostTime::ZERO);
        fill.wrote(HostTime::ZERO, 900, 30_000, true);
        let report = DeviceReport {
            at: HostTime::from_nanos(5_000_000),
            queued_points: Some(300),
            playing_pps: Some(30_000),
            ..DeviceReport::default()
        };
        fill.told(&report);
        assert_eq!(fill.at(HostTime::from_nanos(5_000_000)), 300.0);
        assert_eq!(fill.at(HostTime::from_nanos(6_000_000)), 270.0);
    }

    #[test]
    fn a_device_that_does_not_play_does_not_drain() {
        let mut fill = DeviceFill::new(HostTime::ZERO);
        fill.wrote(HostTime::ZERO, 100, 30_000, true);
        assert_eq!(fill.at(HostTime::from_nanos(1_000_000_000)), 100.0);
    }
}
