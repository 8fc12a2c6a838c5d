//! How many points are ahead of the mirrors: a cautious estimate.
//!
//! Two estimates, and the lower one counts: software (what was queued, less what time has played) and
//! hardware (what the device said, aged to now). Neither decays while the device does not play. Fractions
//! of points are carried.

use crate::dac::LinkReport;
use crate::time::HostTime;

/// A software estimate that stayed below the hardware one for so long is corrected upwards, seconds.
const CORRECTION_WINDOW: f64 = 0.5;

/// The lower of what hardware and software say; software alone where hardware is silent.
#[must_use]
pub fn lower_of(hardware: Option<f64>, software: f64) -> f64 {
    hardware.map_or(software, |hardware| hardware.min(software)).max(0.0)
}

/// Points accepted and not yet shown.
#[derive(Debug)]
pub struct Fullness {
    reports_queue: bool,
    /// All points queued since the start.
    position: u64,
    /// Points before this do not count: a flush has dropped them.
    flushed: u64,
    software: f64,
    at: Option<HostTime>,
    playing: bool,
    connected: Option<bool>,
    discontinuity: u32,
    /// The point at the mirrors by the device's word, and when.
    hardware: Option<(f64, HostTime)>,
    accepted: u64,
    device_queued: Option<u64>,
    window: f64,
    window_least: f64,
}

impl Fullness {
    /// Nothing queued. `reports_queue` says that the device will tell what it holds.
    #[must_use]
    pub const fn new(reports_queue: bool) -> Self {
        Self {
            reports_queue,
            position: 0,
            flushed: 0,
            software: 0.0,
            at: None,
            playing: false,
            connected: None,
            discontinuity: 0,
            hardware: None,
            accepted: 0,
            device_queued: None,
            window: 0.0,
            window_least: f64::INFINITY,
        }
    }

    /// `points` more were queued.
    pub fn pushed(&mut self, points: u64) {
        self.position += points;
        self.software += points as f64;
    }

    /// Time goes on to `now`, the device playing `pps` points per second if it plays.
    pub fn advance(&mut self, now: HostTime, pps: f64) {
        let elapsed = self.at.map_or(0.0, |at| now.since(at).as_secs_f64());
        self.at = Some(self.at.map_or(now, |at| at.max(now)));
        if !self.playing {
            return;
        }
        self.software = (self.software - elapsed * pps).max(0.0);
        if let Some((point, at)) = &mut self.hardware {
            let elapsed = now.since(*at).as_secs_f64();
            *point += elapsed * pps;
            *at = now.max(*at);
        }
        self.correct(elapsed);
    }

    /// The device's word.
    pub fn report(&mut self, report: &LinkReport) {
        let reconnected = self.connected == Some(false) && report.connected;
        self.connected = Some(report.connected);
        self.accepted = report.accepted.0;
        self.device_queued = report.device_queued;
        self.playing = if !report.connected {
            // Nobody plays, but what is queued is dropped: time takes it away all the same.
            true
        } else if self.reports_queue {
            report.playing_pps.is_some()
        } else {
            report.accepted.0 > 0
        };
        let held = match (report.playing, report.device_queued) {
            (Some(playing), _) => Some(report.accepted.0.saturating_sub(playing.0)),
            (None, queued) => queued,
        };
        self.hardware = match held {
            Some(held) if report.connected => {
                Some((report.accepted.0.saturating_sub(held) as f64, report.at))
            }
            _ => None,
        };
        if report.discontinuity != self.discontinuity || reconnected {
            self.discontinuity = report.discontinuity;
            self.restart();
        }
    }

    /// All that was queued so far is dropped.
    pub fn flush(&mut self) {
        self.flushed = self.position;
        self.software = 0.0;
        self.hardware = None;
        self.begin_window();
    }

    /// What the device said last, raw.
    #[must_use]
    pub const fn device_queued(&self) -> Option<u64> {
        self.device_queued
    }

    /// False once the device thread has said that there is no connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected != Some(false)
    }

    /// True while the device plays, as far as is known.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.playing && self.is_connected()
    }

    /// The estimate, `in_host_queue` points being surely unplayed.
    #[must_use]
    pub fn points(&self, in_host_queue: usize) -> u64 {
        let since_flush = (self.position - self.flushed) as f64;
        let lower = lower_of(self.hardware_points(), self.software);
        let surely = if self.is_connected() { in_host_queue as f64 } else { 0.0 };
        lower.max(surely.min(since_flush)) as u64
    }

    fn hardware_points(&self) -> Option<f64> {
        let (played, _) = self.hardware?;
        Some((self.position as f64 - played.max(self.flushed as f64)).max(0.0))
    }

    /// After a break only what the device has not shown counts.
    fn restart(&mut self) {
        let waiting = (self.position - self.accepted.min(self.position)) as f64;
        let unplayed = self.hardware_points().unwrap_or(waiting);
        self.software = self.software.min(unplayed.max(0.0));
        self.begin_window();
    }

    fn begin_window(&mut self) {
        self.window = 0.0;
        self.window_least = f64::INFINITY;
    }

    /// A device slower than its rate would make the software estimate fall for ever, and the buffer grow.
    fn correct(&mut self, elapsed: f64) {
        let Some(hardware) = self.hardware_points() else { return };
        self.window_least = self.window_least.min(hardware - self.software);
        self.window += elapsed;
        if self.window >= CORRECTION_WINDOW {
            if self.window_least > 0.0 {
                self.software += self.window_least;
            }
            self.begin_window();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::StreamInstant;
    use std::time::Duration;

    const T0: HostTime = HostTime::from_nanos(1_000_000_000);

    fn ms(n: u64) -> HostTime {
        T0 + Duration::from_millis(n)
    }

    fn report(at: HostTime, accepted: u64, held: Option<u64>) -> LinkReport {
        LinkReport {
            at,
            accepted: StreamInstant(accepted),
            playing: held.map(|held| StreamInstant(accepted - held)),
            playing_pps: held.map(|_| 30_000),
            device_queued: held,
            discontinuity: 0,
            gaps: 0,
            connected: true,
        }
    }

    /// LS-41: the estimate is the lower of hardware and software.
    /// LR-04.
    #[test]
    fn the_lower_of_hardware_and_software_counts() {
        assert_eq!(lower_of(Some(100.0), 300.0), 100.0);
        assert_eq!(lower_of(Some(300.0), 100.0), 100.0);
        assert_eq!(lower_of(None, 70.0), 70.0);
        assert_eq!(lower_of(Some(-5.0), 70.0), 0.0);
    }

    /// LS-43 ⚠5: half points per step are not lost: 10 000 steps of 33 µs are 9 900 points at 30 kpps.
    /// Trap: fractional decay.
    #[test]
    fn fractions_of_points_are_carried() {
        let mut fullness = Fullness::new(false);
        fullness.pushed(20_000);
        fullness.report(&report(T0, 100, None));
        fullness.advance(T0, 30_000.0);
        for k in 1..=10_000 {
            fullness.advance(T0.plus_nanos(k * 33_000), 30_000.0);
        }
        assert!(fullness.points(0).abs_diff(10_100) <= 1);
    }

    /// LS-43: never below zero, and what is queued after a dry spell counts in full.
    #[test]
    fn an_empty_buffer_owes_nothing() {
        let mut fullness = Fullness::new(false);
        fullness.pushed(30);
        fullness.report(&report(T0, 30, None));
        fullness.advance(T0, 30_000.0);
        fullness.advance(ms(500), 30_000.0);
        assert_eq!(fullness.points(0), 0);
        fullness.pushed(100);
        assert_eq!(fullness.points(0), 100);
    }

    /// LR-12: without a queue report the estimate decays by time alone.
    #[test]
    fn without_a_queue_report_time_alone_empties_the_buffer() {
        let mut fullness = Fullness::new(false);
        fullness.pushed(1200);
        fullness.advance(T0, 30_000.0);
        fullness.advance(ms(10), 30_000.0);
        assert_eq!(fullness.points(0), 1200, "nothing decays before the device took anything");
        fullness.report(&report(ms(10), 1200, None));
        fullness.advance(ms(20), 30_000.0);
        assert_eq!(fullness.points(0), 900);
        fullness.advance(ms(60), 30_000.0);
        assert_eq!(fullness.points(0), 0);
    }

    #[test]
    fn nothing_decays_while_the_device_does_not_play() {
        let mut fullness = Fullness::new(true);
        fullness.pushed(1000);
        let idle = LinkReport { device_queued: Some(400), ..report(T0, 400, None) };
        fullness.report(&idle);
        fullness.advance(T0, 30_000.0);
        fullness.advance(ms(500), 30_000.0);
        assert_eq!(fullness.points(0), 1000);
        fullness.report(&report(ms(500), 1000, Some(1000)));
        fullness.advance(ms(510), 30_000.0);
        assert_eq!(fullness.points(0), 700);
    }

    /// Trap: phantom points, which only the host believes to be in the device.
    #[test]
    fn what_the_device_lacks_is_believed_at_once() {
        let mut fullness = Fullness::new(true);
        fullness.pushed(1000);
        fullness.report(&report(T0, 1000, Some(100)));
        fullness.advance(T0, 30_000.0);
        assert_eq!(fullness.points(0), 100);
    }

    /// Trap: double-counted reports. The same word of the device, heard twice or late, adds and takes nothing.
    #[test]
    fn a_report_counts_once_however_often_it_comes() {
        let mut fullness = Fullness::new(true);
        fullness.pushed(1000);
        let word = report(T0, 1000, Some(600));
        for _ in 0..5 {
            fullness.report(&word);
            fullness.advance(T0, 30_000.0);
            assert_eq!(fullness.points(0), 600);
        }
        fullness.advance(ms(10), 30_000.0);
        fullness.report(&word);
        fullness.advance(ms(10), 30_000.0);
        assert_eq!(fullness.points(0), 300);
    }

    #[test]
    fn points_in_the_host_queue_are_surely_unplayed() {
        let mut fullness = Fullness::new(false);
        fullness.pushed(600);
        fullness.report(&report(T0, 100, None));
        fullness.advance(T0, 30_000.0);
        fullness.advance(ms(100), 30_000.0);
        assert_eq!(fullness.points(500), 500);
        fullness.flush();
        assert_eq!(fullness.points(500), 0, "but dropped ones do not count");
    }

    /// LS-45: a slow device does not let the software estimate fall for ever.
    #[test]
    fn a_software_estimate_that_is_too_low_follows_the_hardware() {
        let mut fullness = Fullness::new(true);
        fullness.pushed(1000);
        fullness.advance(T0, 30_000.0);
        fullness.report(&report(T0, 1000, Some(1000)));
        // The device plays half as fast as believed.
        for k in 1..=200_u64 {
            fullness.pushed(150);
            fullness.report(&report(ms(k * 10), 1000 + k * 150, Some(1000)));
            fullness.advance(ms(k * 10), 30_000.0);
        }
        assert!(fullness.points(0) > 0, "the estimate lost touch");
    }
}
