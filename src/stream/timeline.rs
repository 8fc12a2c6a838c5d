//! Points ↔ host time of leaving the mirrors.
//!
//! The projector's clock is modelled as the nominal time of its points ([`Rates`]) plus an offset that
//! drifts slowly. A [`DriftFilter`] follows both from the device's reports: single reports jitter by up to
//! 20 ms, the light must not. After a break in the flow the offset is new, while the
//! drift, which belongs to the crystal, is kept.
//!
//! Pure: the caller brings the time and the reports.

use super::rates::Rates;
use crate::dac::LinkReport;
use crate::time::drift::{DriftFilter, Reading};
use crate::time::{HostTime, StreamInstant};

/// What is known of a projector's crystal before it is measured: one standard deviation, as a fraction.
const DRIFT_PRIOR: f64 = 150e-6;
/// How long points take from the queue to the mirrors of an idle device, before it was measured, seconds.
const FIRST_LATENCY: f64 = 2e-3;
/// What is lost on the way at one time, seconds: about a datagram of points.
const GAP_STEP: f64 = 5e-3;
/// Reports dated farther than this from now are nonsense, seconds.
const CREDIBLE_AGE: f64 = 10.0;

/// A guess while nothing is measured: this point leaves the mirrors then.
#[derive(Clone, Copy, Debug)]
struct Guess {
    point: f64,
    host: f64,
    made: f64,
}

/// The map from points to the moments they leave the mirrors.
#[derive(Debug)]
pub struct Timeline {
    origin: HostTime,
    rates: Rates,
    reports_playing: bool,
    discontinuity: u32,
    gaps: u32,
    /// Reports of this break and of points before this are from before a flush.
    flushed: Option<(u32, StreamInstant)>,
    /// First point of the present flow.
    flow_start: f64,
    accepted: StreamInstant,
    filter: DriftFilter,
    guess: Option<Guess>,
    latency: f64,
    rejected: u64,
}

impl Timeline {
    /// A map at a nominal rate of `pps` points per second; nothing known yet. `reports_playing` says that
    /// the device will tell which point it plays; if not, points count from their acceptance.
    #[must_use]
    pub fn new(pps: u32, reports_playing: bool) -> Self {
        Self {
            origin: HostTime::ZERO,
            rates: Rates::new(pps),
            reports_playing,
            discontinuity: 0,
            gaps: 0,
            flushed: None,
            flow_start: 0.0,
            accepted: StreamInstant(0),
            filter: DriftFilter::new(DRIFT_PRIOR),
            guess: None,
            latency: FIRST_LATENCY,
            rejected: 0,
        }
    }

    /// Points from `start` on are meant for `pps`. No moment of an earlier point changes.
    pub fn set_rate(&mut self, start: StreamInstant, pps: u32) {
        self.rates.change(start.0 as f64, pps);
    }

    /// Everything before `start` was asked to be dropped: the flow begins anew there.
    pub fn flush(&mut self, start: StreamInstant) {
        self.flushed = Some((self.discontinuity, start));
        self.begin_flow(start.0 as f64);
        self.accepted = self.accepted.max(start);
    }

    /// Takes in the device's word, `position` being the count of points queued so far. False if it cannot
    /// be true.
    pub fn report(&mut self, report: &LinkReport, position: StreamInstant, now: HostTime) -> bool {
        let credible = report.at.secs_since(now).abs() < CREDIBLE_AGE
            && report.accepted <= position
            && report.playing.is_none_or(|playing| playing <= report.accepted);
        if !credible {
            self.rejected += 1;
            return false;
        }
        if self.origin == HostTime::ZERO {
            self.origin = report.at;
        }
        if self.is_before_flush(report) {
            return true;
        }
        let broken = report.discontinuity != self.discontinuity || !report.connected;
        if broken {
            self.discontinuity = report.discontinuity;
            self.begin_flow(report.playing.unwrap_or(report.accepted).0 as f64);
        }
        if report.gaps != self.gaps {
            self.gaps = report.gaps;
            self.filter.loosen(GAP_STEP);
        }
        let first_accepted = self.accepted;
        self.accepted = report.accepted;
        match report.playing {
            Some(playing) => {
                self.take_early_drop(playing.0 as f64, report.playing_pps);
                return self.measure(playing.0 as f64, self.seconds(report.at));
            }
            // The device says nothing of its place: it plays from what it accepts first.
            None if !self.reports_playing
                && report.connected
                && !self.filter.is_measured()
                && report.accepted > first_accepted.max(StreamInstant(self.flow_start as u64)) =>
            {
                let first = first_accepted.0 as f64;
                self.measure(first.max(self.flow_start), self.seconds(report.at));
            }
            None => {}
        }
        true
    }

    /// The device has shown all it had, and says nothing of it: `start` is shown when it gets there.
    pub fn ran_dry(&mut self, start: StreamInstant) {
        if !self.reports_playing {
            self.begin_flow(start.0 as f64);
        }
    }

    /// When `point` leaves the mirrors, never before `now` if the flow has yet to begin.
    pub fn host_of(&mut self, point: StreamInstant, now: HostTime) -> HostTime {
        if !self.filter.is_measured() {
            self.renew_guess(point.0 as f64, now);
        }
        self.host_at(point).unwrap_or(now)
    }

    /// When `point` leaves, or left, the mirrors; `None` while nothing is known.
    #[must_use]
    pub fn host_at(&self, point: StreamInstant) -> Option<HostTime> {
        let nominal = self.rates.seconds(point.0 as f64);
        let guessed = || {
            let guess = self.guess?;
            let ahead = nominal - self.rates.seconds(guess.point);
            Some(guess.host + ahead * (1.0 + self.filter.drift()))
        };
        let host = self.filter.host_at(nominal).or_else(guessed)?;
        Some(self.origin.plus_secs_f64(host))
    }

    /// The point that leaves the mirrors at `host`, with its fraction; `None` until measured.
    #[must_use]
    pub fn point_at(&self, host: HostTime) -> Option<f64> {
        Some(self.rates.point(self.filter.own_at(self.seconds(host))?))
    }

    /// How long the points from `first` up to `end` take at their nominal rates, seconds.
    #[must_use]
    pub fn nominal_seconds(&self, first: StreamInstant, end: StreamInstant) -> f64 {
        self.rates.seconds(end.0 as f64) - self.rates.seconds(first.0 as f64)
    }

    /// Seconds between two points of the newest rate, on the host's clock.
    #[must_use]
    pub fn seconds_per_point(&self) -> f64 {
        (1.0 + self.filter.drift()) / self.rates.newest_pps()
    }

    /// Points per second that leave the mirrors at `host`, on the host's clock.
    #[must_use]
    pub fn real_pps(&self, host: HostTime) -> f64 {
        let nominal =
            self.point_at(host).map_or(self.rates.newest_pps(), |at| self.rates.pps_at(at));
        nominal / (1.0 + self.filter.drift())
    }

    /// How much faster the projector's clock runs than the host's, parts per million.
    #[must_use]
    pub fn projector_ppm(&self) -> f64 {
        (1.0 / (1.0 + self.filter.drift()) - 1.0) * 1e6
    }

    /// True once the moment of each point is known to half a millisecond (one standard deviation).
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.filter.deviation().is_some_and(|deviation| deviation <= 0.5e-3)
    }

    /// True once the present flow was measured at all.
    #[must_use]
    pub const fn is_measured(&self) -> bool {
        self.filter.is_measured()
    }

    /// First point of the present flow: earlier ones cannot be told any more.
    #[must_use]
    pub const fn flow_start(&self) -> StreamInstant {
        StreamInstant(self.flow_start as u64)
    }

    /// Reports that could not be true, so far.
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.rejected
    }

    fn seconds(&self, host: HostTime) -> f64 {
        host.secs_since(self.origin)
    }

    fn begin_flow(&mut self, start: f64) {
        self.flow_start = start;
        self.filter.break_off();
        self.guess = None;
    }

    fn is_before_flush(&mut self, report: &LinkReport) -> bool {
        let Some((discontinuity, start)) = self.flushed else { return false };
        let older = report.discontinuity == discontinuity
            && report.playing.unwrap_or(report.accepted) < start;
        if !older {
            self.flushed = None;
        }
        older
    }

    fn renew_guess(&mut self, point: f64, now: HostTime) {
        if self.origin == HostTime::ZERO {
            self.origin = now;
        }
        let now = self.seconds(now);
        if self.guess.is_none_or(|guess| guess.host < now) {
            let first = point.min((self.accepted.0 as f64).max(self.flow_start));
            let made = self.guess.map_or(now, |guess| guess.made);
            self.guess = Some(Guess { point: first, host: now + self.latency, made });
        }
    }

    /// A rate drop that the device has taken at once, before the points meant for it.
    fn take_early_drop(&mut self, playing: f64, playing_pps: Option<u32>) {
        let Some(pps) = playing_pps else { return };
        let newest = self.rates.newest_pps();
        if f64::from(pps) == newest && newest < self.rates.pps_at(playing) {
            self.rates.change(playing, pps);
        }
    }

    /// One measurement: `point` left the mirrors at `host` seconds. False if it is not believed.
    fn measure(&mut self, point: f64, host: f64) -> bool {
        let nominal = self.rates.seconds(point);
        match self.filter.read(nominal, host) {
            Reading::Anchored => {
                self.learn_latency(nominal, host);
                self.guess = None;
            }
            Reading::Taken | Reading::Reanchored => {}
            Reading::Doubted => {
                self.rejected += 1;
                return false;
            }
        }
        true
    }

    /// How long the device took from the first points to light: the next start will be guessed better.
    fn learn_latency(&mut self, nominal: f64, host: f64) {
        let Some(guess) = self.guess else { return };
        let ahead = (nominal - self.rates.seconds(guess.point)) * (1.0 + self.filter.drift());
        let latency = host - ahead - guess.made;
        if (0.0..0.2).contains(&latency) {
            self.latency += 0.5 * (latency - self.latency);
        }
    }
}
