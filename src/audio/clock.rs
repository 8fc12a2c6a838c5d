//! Samples ↔ host time: when each sample is heard.
//!
//! A sound callback says its position, the host time and its latency; single callbacks are late by
//! milliseconds, report latencies in steps, and come from a card whose crystal is up to 240 ppm off. The
//! clock follows them with a [`DriftFilter`], so that what is heard when is smooth, and locks anew after a
//! gap or a step that stays.
//!
//! Pure: all times are arguments.

use std::time::Duration;

use crate::time::HostTime;
use crate::time::drift::{DriftFilter, Reading};

/// What is known of a card's crystal before it is measured: one standard deviation, as a fraction.
const DRIFT_PRIOR: f64 = 150e-6;
/// A callback that comes later than so many periods, and [`GAP_MARGIN`], may follow an interruption.
const GAP_PERIODS: f64 = 3.0;
/// See [`GAP_PERIODS`], seconds.
const GAP_MARGIN: f64 = 0.02;
/// After a gap an error above this is an interruption, seconds.
const GAP_ERROR: f64 = 0.005;
/// Readings after which the mapping may be trusted.
const SETTLED_AFTER: u32 = 8;

/// The delay-locked clock of one sound stream.
#[derive(Clone, Debug)]
pub struct AudioClock {
    rate: f64,
    origin: Option<HostTime>,
    filter: DriftFilter,
    last: Option<(i64, HostTime)>,
    readings: u32,
    relocks: u64,
    relocked: bool,
}

impl AudioClock {
    /// A clock for a card at `sample_rate` frames per second; not locked yet.
    #[must_use]
    pub fn new(sample_rate: u32) -> Self {
        Self {
            rate: f64::from(sample_rate.max(1)),
            origin: None,
            filter: DriftFilter::new(DRIFT_PRIOR),
            last: None,
            readings: 0,
            relocks: 0,
            relocked: false,
        }
    }

    /// Takes in one callback: `position` counts the frames of this stream before this period, `frames` are
    /// in it, `now` is when the callback runs, and `latency` is how long until its first frame is heard
    /// (output), or, negative, how long ago it was heard (input: [`update_input`](Self::update_input)).
    ///
    /// Returns when the first frame of the period is heard.
    pub fn update(
        &mut self,
        position: i64,
        frames: usize,
        now: HostTime,
        latency: Duration,
    ) -> HostTime {
        self.take(position, frames, now, now + latency)
    }

    /// As [`update`](Self::update) for an input, whose first frame was heard `age` ago.
    pub fn update_input(
        &mut self,
        position: i64,
        frames: usize,
        now: HostTime,
        age: Duration,
    ) -> HostTime {
        self.take(position, frames, now, now - age)
    }

    /// When the frame at `position` is or was heard; `None` before the first callback.
    #[must_use]
    pub fn heard_at(&self, position: i64) -> Option<HostTime> {
        let host = self.filter.host_at(position as f64 / self.rate)?;
        Some(self.origin?.plus_secs_f64(host))
    }

    /// The frame that is heard at `host`, with its fraction; `None` before the first callback.
    #[must_use]
    pub fn position_at(&self, host: HostTime) -> Option<f64> {
        Some(self.filter.own_at(host.secs_since(self.origin?))? * self.rate)
    }

    /// Frames per second of host time, measured.
    #[must_use]
    pub fn measured_rate(&self) -> f64 {
        self.rate / (1.0 + self.filter.drift())
    }

    /// How much faster the card runs than the host's clock, parts per million.
    #[must_use]
    pub fn card_ppm(&self) -> f64 {
        (self.measured_rate() / self.rate - 1.0) * 1e6
    }

    /// True once enough callbacks agree.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.readings >= SETTLED_AFTER && self.filter.deviation().is_some_and(|d| d < 1e-3)
    }

    /// True if the last callback made the clock lock anew.
    #[must_use]
    pub const fn relocked(&self) -> bool {
        self.relocked
    }

    /// How often the clock had to lock anew: xruns, suspends, steps of the reported latency.
    #[must_use]
    pub const fn relocks(&self) -> u64 {
        self.relocks
    }

    /// The device was changed or resumed: lock anew at the next callback. The measured rate is kept.
    pub const fn unlock(&mut self) {
        self.filter.break_off();
        self.last = None;
    }

    fn take(&mut self, position: i64, frames: usize, now: HostTime, heard: HostTime) -> HostTime {
        let origin = *self.origin.get_or_insert(heard);
        let own = position as f64 / self.rate;
        let host = heard.secs_since(origin);
        if self.is_interrupted(position, frames, now, own, host) {
            self.filter.break_off();
        }
        self.last = Some((position, now));
        let first = self.readings == 0;
        let reading = self.filter.read(own, host);
        self.relocked = !first && matches!(reading, Reading::Anchored | Reading::Reanchored);
        if self.relocked {
            self.relocks += 1;
            self.readings = 0;
        }
        self.readings = self.readings.saturating_add(1);
        self.heard_at(position).unwrap_or(heard)
    }

    /// Positions that went back, or a late callback that also disagrees: the card had stopped.
    fn is_interrupted(
        &self,
        position: i64,
        frames: usize,
        now: HostTime,
        own: f64,
        host: f64,
    ) -> bool {
        let Some((last_position, last_now)) = self.last else { return false };
        if position < last_position {
            return true;
        }
        let period = frames.max(1) as f64 / self.rate;
        let late = now.secs_since(last_now) > GAP_PERIODS * period + GAP_MARGIN;
        let error = self.filter.host_at(own).map_or(0.0, |expected| (host - expected).abs());
        late && error > GAP_ERROR + 3.0 * self.filter.jitter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;
    const FRAMES: usize = 256;

    /// A card in virtual time: its own crystal, late callbacks, a fixed buffer ahead.
    struct Card {
        ppm: f64,
        position: i64,
        /// Host seconds at which the first frame of all is heard.
        started: f64,
        seed: u64,
    }

    impl Card {
        fn new(ppm: f64) -> Self {
            Self { ppm, position: 0, started: 100.0, seed: 3 }
        }

        fn heard(&self, position: i64) -> f64 {
            self.started + position as f64 / (f64::from(RATE) * (1.0 + self.ppm * 1e-6))
        }

        fn noise(&mut self) -> f64 {
            self.seed =
                self.seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.seed >> 11) as f64 / (1_u64 << 53) as f64
        }

        /// One callback, its latency report off by up to `jitter` seconds; the error of the clock in it.
        fn call(&mut self, clock: &mut AudioClock, jitter: f64) -> f64 {
            let heard = self.heard(self.position);
            let error = (self.noise() - 0.5) * 2.0 * jitter;
            let now = HostTime::from_secs_f64(heard - 0.03 + error);
            let at = clock.update(self.position, FRAMES, now, Duration::from_millis(30));
            self.position += FRAMES as i64;
            at.secs_since(HostTime::from_secs_f64(heard))
        }
    }

    #[test]
    fn jitter_of_single_callbacks_is_filtered() {
        for ppm in [-240.0, 0.0, 240.0] {
            let (mut card, mut clock) = (Card::new(ppm), AudioClock::new(RATE));
            let mut worst = 0.0_f64;
            for k in 0..20_000 {
                let error = card.call(&mut clock, 0.004);
                if k > 560 {
                    worst = worst.max(error.abs());
                }
            }
            assert!(worst < 0.0005, "{ppm} ppm: worst {worst}");
            assert!((clock.card_ppm() - ppm).abs() < 3.0, "{ppm} ppm: {}", clock.card_ppm());
            assert_eq!(clock.relocks(), 0);
        }
    }

    #[test]
    fn an_xrun_is_one_relock_and_the_rate_is_kept() {
        let (mut card, mut clock) = (Card::new(200.0), AudioClock::new(RATE));
        for _ in 0..5_000 {
            card.call(&mut clock, 0.001);
        }
        let before = clock.card_ppm();
        card.started += 0.08;
        let first = card.call(&mut clock, 0.0);
        assert!(first.abs() < 1e-4, "{first}");
        assert!(clock.relocked());
        for _ in 0..50 {
            assert!(card.call(&mut clock, 0.001).abs() < 0.001);
            assert!(!clock.relocked());
        }
        assert_eq!(clock.relocks(), 1);
        assert!((clock.card_ppm() - before).abs() < 20.0);
    }

    #[test]
    fn a_late_callback_without_a_break_is_no_relock() {
        let (mut card, mut clock) = (Card::new(100.0), AudioClock::new(RATE));
        for _ in 0..2_000 {
            card.call(&mut clock, 0.001);
        }
        // 60 ms late, and it says so: less latency is left.
        let heard = card.heard(card.position);
        let now = HostTime::from_secs_f64(heard + 0.03);
        clock.update_input(card.position, FRAMES, now, Duration::from_millis(30));
        card.position += FRAMES as i64;
        for _ in 0..20 {
            assert!(card.call(&mut clock, 0.001).abs() < 0.0005);
        }
        assert_eq!(clock.relocks(), 0);
    }

    #[test]
    fn start_up_steps_of_hundreds_of_milliseconds_settle() {
        let (mut card, mut clock) = (Card::new(-150.0), AudioClock::new(RATE));
        // The reported latency catches up in three steps.
        for wrong in [0.68, 0.4, 0.1] {
            card.started -= wrong;
            for _ in 0..40 {
                card.call(&mut clock, 0.001);
            }
            card.started += wrong;
        }
        let mut worst = 0.0_f64;
        for k in 0..2_000 {
            let error = card.call(&mut clock, 0.001);
            if k > 100 {
                worst = worst.max(error.abs());
            }
        }
        assert!(worst < 0.001, "{worst}");
        assert!(clock.is_settled());
        assert_eq!(clock.relocks(), 3);
    }

    #[test]
    fn a_first_callback_two_seconds_late_does_not_last() {
        let (mut card, mut clock) = (Card::new(0.0), AudioClock::new(RATE));
        card.started += 2.0;
        card.call(&mut clock, 0.0);
        card.started -= 2.0;
        for _ in 0..20 {
            card.call(&mut clock, 0.0005);
        }
        assert!(card.call(&mut clock, 0.0).abs() < 0.001);
        assert_eq!(clock.relocks(), 1);
    }

    #[test]
    fn positions_that_go_back_are_a_new_stream() {
        let (mut card, mut clock) = (Card::new(0.0), AudioClock::new(RATE));
        for _ in 0..100 {
            card.call(&mut clock, 0.0);
        }
        card.position = 0;
        card.started += 5.0;
        assert!(card.call(&mut clock, 0.0).abs() < 1e-6);
        assert_eq!(clock.relocks(), 1);
    }

    #[test]
    fn both_directions_agree() {
        let (mut card, mut clock) = (Card::new(120.0), AudioClock::new(RATE));
        assert_eq!(clock.heard_at(0), None);
        for _ in 0..1_000 {
            card.call(&mut clock, 0.0);
        }
        let heard = clock.heard_at(123_456).unwrap();
        assert!((clock.position_at(heard).unwrap() - 123_456.0).abs() < 1e-3);
    }
}
