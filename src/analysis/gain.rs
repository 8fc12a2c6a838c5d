//! Auto-gain and envelopes: from decibels of any music to 0..1 that fills the range and stays musical.

/// Below the reference by this much is 0, decibels.
const RANGE_DB: f32 = 36.0;
/// How fast the reference rises to a louder sound, seconds.
const RISE_S: f32 = 0.1;
/// How long a peak holds the reference up, seconds.
const HOLD_S: f32 = 2.0;
/// How fast the reference falls after that, decibels per second.
const FALL_DB_PER_S: f32 = 1.5;
/// Sound below this level teaches nothing, dB full scale.
const FREEZE_DB: f32 = -60.0;
/// A pause between two strokes is shorter than this, seconds; a longer one freezes the reference.
const PAUSE_S: f32 = 1.0;
/// The reference never falls below this, dB full scale: hiss is not blown up.
const LOWEST_REFERENCE_DB: f32 = -48.0;

/// The level that counts as loud: rises in a moment, holds, falls slowly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoudReference {
    reference_db: f32,
    since_peak_s: f32,
    quiet_s: f32,
}

impl LoudReference {
    pub(crate) const fn new() -> Self {
        Self { reference_db: -30.0, since_peak_s: 0.0, quiet_s: 0.0 }
    }

    /// Learns from `level_db` that lasted `dt` seconds; returns the reference in dB.
    pub(crate) fn learn(&mut self, level_db: f32, dt: f32) -> f32 {
        self.quiet_s = if level_db > FREEZE_DB { 0.0 } else { self.quiet_s + dt };
        if level_db > self.reference_db {
            self.reference_db += (level_db - self.reference_db) * (1.0 - (-dt / RISE_S).exp());
            self.since_peak_s = 0.0;
        } else if self.quiet_s < PAUSE_S {
            // A peak that comes back almost as loud holds the reference too.
            self.since_peak_s =
                if level_db > self.reference_db - 0.5 { 0.0 } else { self.since_peak_s + dt };
            if self.since_peak_s > HOLD_S {
                self.reference_db -= FALL_DB_PER_S * dt;
            }
        }
        self.reference_db = self.reference_db.max(LOWEST_REFERENCE_DB);
        self.reference_db
    }
}

/// Maps `level_db` against the reference: 1 at the reference, 0 at 36 dB below.
///
/// The square makes it follow loudness: half as loud (−10 dB) gives about one half.
pub(crate) fn against(reference_db: f32, level_db: f32) -> f32 {
    let x = ((level_db - reference_db + RANGE_DB) / RANGE_DB).clamp(0.0, 1.0);
    x * x
}

/// Gain for several bands that keeps their balance: each is measured half against its own loudest moments
/// and half against the loudest of all.
#[derive(Debug)]
pub(crate) struct BandGain<const N: usize> {
    own: [LoudReference; N],
    common: LoudReference,
    tilt_db: [f32; N],
}

/// A band's own reference counts no further below the common one than this, dB: leakage stays small.
const DEEPEST_OWN_DB: f32 = 24.0;

impl<const N: usize> BandGain<N> {
    /// `tilt_db` is added to each band first: music falls with frequency.
    pub(crate) fn new(tilt_db: [f32; N]) -> Self {
        Self { own: [LoudReference::new(); N], common: LoudReference::new(), tilt_db }
    }

    /// Levels in dB full scale to 0..1 each; `dt` in seconds.
    pub(crate) fn apply(&mut self, levels_db: [f32; N], dt: f32) -> [f32; N] {
        let mut tilted = levels_db;
        let mut loudest = -120.0_f32;
        for (level, tilt) in tilted.iter_mut().zip(self.tilt_db) {
            *level += tilt;
            loudest = loudest.max(*level);
        }
        let common = self.common.learn(loudest, dt);
        let mut out = [0.0; N];
        for ((y, level), own) in out.iter_mut().zip(tilted).zip(&mut self.own) {
            let own = own.learn(level, dt).max(common - DEEPEST_OWN_DB);
            *y = against(f32::midpoint(own, common), level);
        }
        out
    }

    /// Forgets what loud means.
    pub(crate) fn clear(&mut self) {
        self.own = [LoudReference::new(); N];
        self.common = LoudReference::new();
    }
}

/// Rises with one time constant and falls with another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope {
    attack: f32,
    release: f32,
    value: f32,
}

impl Envelope {
    /// Time constants in seconds, stepped every `dt` seconds.
    pub(crate) fn new(attack_s: f32, release_s: f32, dt: f32) -> Self {
        let step = |s: f32| 1.0 - (-dt / s).exp();
        Self { attack: step(attack_s), release: step(release_s), value: 0.0 }
    }

    /// The next value towards `target`.
    pub(crate) fn step(&mut self, target: f32) -> f32 {
        let rate = if target > self.value { self.attack } else { self.release };
        self.value += rate * (target - self.value);
        if self.value < 1e-6 {
            self.value = 0.0;
        }
        self.value
    }

    /// Back to zero.
    pub(crate) fn clear(&mut self) {
        self.value = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_and_loud_music_both_reach_the_top() {
        for gain_db in [-35.0, -20.0, 0.0] {
            let mut gain = BandGain::new([0.0; 2]);
            let mut last = [0.0; 2];
            for n in 0..3000 {
                let beat = if n % 50 < 8 { 0.0 } else { -40.0 };
                last = gain.apply([gain_db + beat, gain_db - 12.0], 0.01);
                if n >= 2950 && n % 50 < 8 {
                    assert!(last[0] > 0.9, "{gain_db} dB: {last:?}");
                }
            }
            assert!(last[1] > 0.4 && last[1] < 0.9, "balance lost: {last:?}");
        }
    }

    #[test]
    fn hiss_below_the_freeze_level_stays_dark() {
        let mut gain = BandGain::new([0.0; 1]);
        let mut last = [0.0];
        for _ in 0..60_000 {
            last = gain.apply([-70.0], 0.01);
        }
        assert!(last[0] < 0.05, "{last:?}");
    }

    #[test]
    fn an_envelope_attacks_at_once_and_releases_slowly() {
        let mut envelope = Envelope::new(0.004, 0.18, 0.01);
        assert!(envelope.step(1.0) > 0.9);
        let held = envelope.step(0.0);
        assert!(held > 0.85 && held < 0.95, "{held}");
    }
}
