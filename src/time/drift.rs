//! Follows a clock that ticks a little too fast or too slow, through readings that jitter.
//!
//! Used for the sound card (its time is samples) and for each projector (its time is points). A two-state
//! Kalman filter holds offset and drift. Readings far off are doubted, and believed only if several agree;
//! an error that keeps its sign widens the filter, so that a step or a wrong belief is left within seconds.

/// How fast a crystal wanders: variance of its drift per second.
const DRIFT_WALK: f64 = 1e-14;
/// The least jitter a reading is credited with, seconds.
const LEAST_JITTER: f64 = 20e-6;
/// The jitter before any was seen, seconds.
const FIRST_JITTER: f64 = 2e-3;
/// The least doubt about a first reading: one standard deviation, seconds.
const FIRST_DEVIATION: f64 = 10e-3;
/// A reading farther off than this many deviations, and [`GATE_MARGIN`], is not believed at once.
const GATE: f64 = 6.0;
/// Errors below this are always believed, seconds.
const GATE_MARGIN: f64 = 2e-3;
/// Readings not believed that are compared with one another.
const DOUBTED: usize = 8;
/// So many of them in agreement are right, and the filter is wrong.
const AGREE: usize = 5;
/// More drift than this is no crystal.
const MAX_DRIFT: f64 = 0.05;
/// Weight of one error in the mean that tells a bias from jitter.
const BIAS_WEIGHT: f64 = 0.02;
/// A mean error above so many of its deviations is no chance, even in ten hours of readings.
const BIAS_GATE: f64 = 7.0;
/// The drift that one widening allows for, as a fraction.
const WIDEST_DRIFT: f64 = 1e-3;
/// Weight of one reading in the mean that tells the jitter.
const JITTER_WEIGHT: f64 = 0.005;

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The first since the start or a break: it sets the offset.
    Anchored,
    /// Taken in.
    Taken,
    /// Too far off to be believed alone.
    Doubted,
    /// Doubted ones agreed: the offset was set anew by them.
    Reanchored,
}

#[derive(Clone, Copy, Debug)]
struct Lock {
    /// Own time of the last reading, seconds.
    at: f64,
    /// Host seconds less own seconds, there.
    offset: f64,
    /// Variance of the offset, and its covariance with the drift.
    p_offset: f64,
    p_cross: f64,
}

/// The relation of a clock's own time to the host's, both in seconds.
#[derive(Clone, Debug)]
pub struct DriftFilter {
    drift: f64,
    p_drift: f64,
    jitter: f64,
    seen: u32,
    last_offset: Option<f64>,
    bias: f64,
    /// The clock may have made a step since the last reading.
    loosened: bool,
    lock: Option<Lock>,
    doubted: [f64; DOUBTED],
    doubted_len: usize,
}

impl DriftFilter {
    /// A filter that knows nothing but how far crystals usually are off: `drift_prior`, one standard
    /// deviation as a fraction.
    #[must_use]
    pub const fn new(drift_prior: f64) -> Self {
        Self {
            drift: 0.0,
            p_drift: drift_prior * drift_prior,
            jitter: FIRST_JITTER,
            seen: 0,
            last_offset: None,
            bias: 0.0,
            loosened: false,
            lock: None,
            doubted: [0.0; DOUBTED],
            doubted_len: 0,
        }
    }

    /// After a break the offset is new; the drift, which belongs to the crystal, is kept.
    pub const fn break_off(&mut self) {
        self.lock = None;
        self.loosened = false;
        self.last_offset = None;
        self.bias = 0.0;
        self.doubted_len = 0;
    }

    /// The clock may have made a step of about `step` seconds: the next reading sets the offset anew, and says
    /// nothing of drift, jitter or bias.
    pub fn loosen(&mut self, step: f64) {
        if let Some(lock) = &mut self.lock {
            lock.p_offset += step * step;
            self.loosened = true;
        }
    }

    /// True once there is an offset.
    #[must_use]
    pub const fn is_measured(&self) -> bool {
        self.lock.is_some()
    }

    /// How well the offset is known: one standard deviation in seconds.
    #[must_use]
    pub fn deviation(&self) -> Option<f64> {
        self.lock.map(|lock| lock.p_offset.sqrt())
    }

    /// Host seconds per own second, less one: positive for a clock that is slow.
    #[must_use]
    pub const fn drift(&self) -> f64 {
        self.drift
    }

    /// The jitter of readings, one standard deviation in seconds.
    #[must_use]
    pub const fn jitter(&self) -> f64 {
        self.jitter
    }

    /// Host time at an own time.
    #[must_use]
    pub fn host_at(&self, own: f64) -> Option<f64> {
        self.lock.map(|lock| own + lock.offset + self.drift * (own - lock.at))
    }

    /// Own time at a host time.
    #[must_use]
    pub fn own_at(&self, host: f64) -> Option<f64> {
        self.lock.map(|lock| lock.at + (host - lock.at - lock.offset) / (1.0 + self.drift))
    }

    /// Takes in that the clock showed `own` at `host`.
    pub fn read(&mut self, own: f64, host: f64) -> Reading {
        let offset = host - own;
        let Some(lock) = self.lock else {
            self.anchor(own, offset);
            return Reading::Anchored;
        };
        let step = own - lock.at;
        let p_offset = lock.p_offset + step * (2.0 * lock.p_cross + step * self.p_drift);
        let p_offset = p_offset.max(1e-14);
        let p_cross = lock.p_cross + step * self.p_drift;
        let p_drift = self.p_drift + DRIFT_WALK * step.abs();
        let predicted = lock.offset + self.drift * step;
        let error = offset - predicted;
        let noise = self.jitter * self.jitter;
        if error.abs() > GATE * (p_offset + noise).sqrt() + GATE_MARGIN {
            return self.doubt(own, offset);
        }
        self.doubted_len = 0;
        if std::mem::take(&mut self.loosened) {
            self.step_to(Lock { at: own, offset: predicted, p_offset, p_cross }, error, noise);
            self.last_offset = Some(offset);
            return Reading::Taken;
        }
        self.learn_jitter(offset - self.drift * step);
        let gain = 1.0 / (p_offset + noise);
        let (k_offset, k_drift) = (p_offset * gain, p_cross * gain);
        self.drift = (self.drift + k_drift * error).clamp(-MAX_DRIFT, MAX_DRIFT);
        self.p_drift = (p_drift - k_drift * p_cross).max(1e-18);
        self.lock = Some(Lock {
            at: own,
            offset: predicted + k_offset * error,
            p_offset: (p_offset * (1.0 - k_offset)).max(1e-14),
            p_cross: p_cross * (1.0 - k_offset),
        });
        self.widen_if_biased(error, noise);
        Reading::Taken
    }

    /// Takes a reading in after a step: the drift, which belongs to the crystal, has no part in it.
    fn step_to(&mut self, predicted: Lock, error: f64, noise: f64) {
        let gain = predicted.p_offset / (predicted.p_offset + noise);
        self.lock = Some(Lock {
            offset: predicted.offset + gain * error,
            p_offset: (predicted.p_offset * (1.0 - gain)).max(1e-14),
            p_cross: predicted.p_cross * (1.0 - gain),
            ..predicted
        });
    }

    fn anchor(&mut self, own: f64, offset: f64) {
        // One reading says little, and the jitter may not be known yet: the next ones count for more.
        let deviation = (3.0 * self.jitter).max(FIRST_DEVIATION);
        let p_offset = deviation * deviation;
        self.lock = Some(Lock { at: own, offset, p_offset, p_cross: 0.0 });
        self.bias = 0.0;
        self.doubted_len = 0;
        self.last_offset = Some(offset);
    }

    /// Jitter is told from the difference of two successive readings, which no error of the filter touches.
    fn learn_jitter(&mut self, offset: f64) {
        if let Some(last) = self.last_offset {
            // For independent errors the mean absolute difference is 1.128 deviations.
            let deviation = (offset - last).abs() / 1.128;
            self.seen = self.seen.saturating_add(1);
            let weight = (1.0 / f64::from(self.seen.saturating_add(1))).max(JITTER_WEIGHT);
            self.jitter = (self.jitter + weight * (deviation - self.jitter)).max(LEAST_JITTER);
        }
        self.last_offset = Some(offset);
    }

    /// Errors that all have one sign mean that the state is not what was believed: trust readings more.
    fn widen_if_biased(&mut self, error: f64, noise: f64) {
        self.bias += BIAS_WEIGHT * (error - self.bias);
        let expected = (noise * BIAS_WEIGHT / (2.0 - BIAS_WEIGHT)).sqrt();
        if self.bias.abs() > BIAS_GATE * expected + 50e-6 {
            let bias = self.bias * self.bias;
            self.p_drift = self.p_drift.max(bias.min(WIDEST_DRIFT * WIDEST_DRIFT));
            if let Some(lock) = &mut self.lock {
                lock.p_offset = lock.p_offset.max(bias);
            }
            self.bias *= 0.5;
        }
    }

    fn doubt(&mut self, own: f64, offset: f64) -> Reading {
        self.doubted.copy_within(1.., 0);
        self.doubted[DOUBTED - 1] = offset;
        self.doubted_len = (self.doubted_len + 1).min(DOUBTED);
        if self.doubted_len < DOUBTED {
            return Reading::Doubted;
        }
        let mut sorted = self.doubted;
        sorted.sort_unstable_by(f64::total_cmp);
        let median = sorted[DOUBTED / 2];
        let near = 3.0 * self.jitter + GATE_MARGIN;
        let agreeing = sorted.iter().filter(|doubted| (*doubted - median).abs() <= near);
        if agreeing.count() < AGREE {
            return Reading::Doubted;
        }
        self.anchor(own, median);
        Reading::Reanchored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise of ±`half` seconds, uniform, from a seed.
    struct Noise(u64);

    impl Noise {
        fn within(&mut self, half: f64) -> f64 {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((self.0 >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0) * half
        }
    }

    #[test]
    fn a_clean_clock_is_known_from_its_first_reading() {
        let mut filter = DriftFilter::new(150e-6);
        assert_eq!(filter.read(0.0, 5.0), Reading::Anchored);
        assert_eq!(filter.host_at(1.0), Some(6.0));
        assert_eq!(filter.own_at(6.0), Some(1.0));
    }

    #[test]
    fn drift_is_measured_through_jitter() {
        for ppm in [-200.0, 0.0, 200.0] {
            let mut filter = DriftFilter::new(150e-6);
            let mut noise = Noise(7);
            for k in 0..6_000 {
                let own = f64::from(k) * 0.01;
                filter.read(own, own * (1.0 + ppm * 1e-6) + noise.within(0.01));
            }
            assert!((filter.drift() * 1e6 - ppm).abs() < 10.0, "{ppm}: {}", filter.drift() * 1e6);
        }
    }

    #[test]
    fn single_wild_readings_change_nothing() {
        let mut filter = DriftFilter::new(150e-6);
        for k in 0..500 {
            let own = f64::from(k) * 0.01;
            filter.read(own, own);
            if k % 3 == 2 {
                assert_eq!(filter.read(own, own + 1e6 / f64::from(k)), Reading::Doubted);
            }
        }
        assert!(filter.host_at(5.0).unwrap() - 5.0 < 1e-4);
    }

    #[test]
    fn a_step_that_stays_is_believed_after_eight_readings() {
        let mut filter = DriftFilter::new(150e-6);
        for k in 0..500 {
            filter.read(f64::from(k) * 0.01, f64::from(k) * 0.01);
        }
        for k in 0..7 {
            assert_eq!(
                filter.read(5.0 + f64::from(k) * 0.01, 5.3 + f64::from(k) * 0.01),
                Reading::Doubted
            );
        }
        assert_eq!(filter.read(5.07, 5.37), Reading::Reanchored);
        assert!((filter.host_at(6.0).unwrap() - 6.3).abs() < 1e-3);
    }

    #[test]
    fn steps_that_are_announced_are_followed_at_once_and_are_no_drift() {
        let mut filter = DriftFilter::new(150e-6);
        let mut noise = Noise(3);
        let (mut stepped, mut worst) = (0.0, 0.0_f64);
        for k in 0..6_000 {
            let own = f64::from(k) * 0.01;
            if k % 10 == 9 {
                stepped -= 4.67e-3;
                filter.loosen(5e-3);
            }
            let host = own * (1.0 + 100e-6) + stepped;
            filter.read(own, host + noise.within(20e-6));
            if k > 300 {
                worst = worst.max((filter.host_at(own).unwrap() - host).abs());
            }
        }
        assert!((filter.drift() * 1e6 - 100.0).abs() < 20.0, "{}", filter.drift() * 1e6);
        assert!(worst < 0.2e-3, "{worst}");
    }

    #[test]
    fn a_clock_that_is_a_percent_off_is_still_followed() {
        let mut filter = DriftFilter::new(150e-6);
        let mut worst = 0.0_f64;
        for k in 0..3_000 {
            let own = f64::from(k) * 0.01;
            filter.read(own, own * 1.01);
            if k > 300 {
                worst = worst.max((filter.host_at(own).unwrap() - own * 1.01).abs());
            }
        }
        assert!(worst < 1e-3, "{worst}");
    }
}
