//! What a pair of mirrors can do.
//!
//! Lengths are in half-fields: one unit of the coordinates, half of the scan range of an axis.

use std::time::Duration;

/// The limits of a scanner pair.
///
/// The built-in profiles are cautious figures of our own, not a maker's: at the rated rate a travel moves at
/// most a tenth of a half-field per point, a lit line a fiftieth, and the speed changes by at most a
/// forty-fifth per point. A full swing then takes 0.9 ms at 30 kpps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GalvoProfile {
    /// Its name, as shown and as stored.
    pub name: &'static str,
    /// The rate of the ILDA test pattern it is rated for, thousands of points per second.
    pub rated_kpps: f32,
    /// The small angle that rating holds at, degrees optical. Only as a label: the limits below count.
    pub rated_angle_deg: f32,
    /// Greatest speed of an axis, half-fields per second.
    pub max_speed: f32,
    /// Greatest acceleration of an axis, half-fields per second squared.
    pub max_acceleration: f32,
    /// Greatest speed at which a line is drawn lit where the frame has room for it, half-fields per second.
    pub lit_speed: f32,
}

/// The same limits for one point rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointLimits {
    /// Greatest step of an axis, half-fields per point.
    pub step: f32,
    /// Greatest change of the step from one point to the next, half-fields per point squared.
    pub change: f32,
    /// Greatest lit step where there is room, half-fields per point.
    pub lit_step: f32,
}

impl GalvoProfile {
    /// Scanners rated 20 kpps at 8°.
    pub const K20: Self = Self::rated("20 kpps", 20.0);
    /// Scanners rated 30 kpps at 8°: the default.
    pub const K30: Self = Self::rated("30 kpps", 30.0);
    /// Scanners rated 40 kpps at 8°.
    pub const K40: Self = Self::rated("40 kpps", 40.0);
    /// Scanners rated 60 kpps at 8°.
    pub const K60: Self = Self::rated("60 kpps", 60.0);
    /// Every built-in profile, slowest first.
    pub const ALL: [Self; 4] = [Self::K20, Self::K30, Self::K40, Self::K60];

    /// Speed grows with the rate, acceleration with its square: a frame made for one profile at its rate has
    /// the same points as for another at its own.
    const fn rated(name: &'static str, kpps: f32) -> Self {
        Self {
            name,
            rated_kpps: kpps,
            rated_angle_deg: 8.0,
            max_speed: 100.0 * kpps,
            max_acceleration: 1e6 / 45.0 * kpps * kpps,
            lit_speed: 20.0 * kpps,
        }
    }

    /// The built-in profile of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name == name)
    }

    /// Natural frequency of the mirrors: that of the circle in the ILDA test pattern at the rated rate, 12 points
    /// a turn.
    #[must_use]
    pub fn natural_rad_per_s(&self) -> f32 {
        std::f32::consts::TAU * self.rated_kpps * 1000.0 / 12.0
    }

    /// Time by which the mirrors follow behind a steady motion, seconds: colours have to wait for so long.
    #[must_use]
    pub fn lag_s(&self) -> f32 {
        2.0 / self.natural_rad_per_s()
    }

    /// [`lag_s`](Self::lag_s) as a [`Duration`].
    #[must_use]
    pub fn lag(&self) -> Duration {
        Duration::try_from_secs_f32(self.lag_s()).unwrap_or(Duration::ZERO)
    }

    /// Time from rest on one edge of the field to rest on the other, seconds, at most a tenth of one.
    #[must_use]
    pub fn full_swing_s(&self) -> f32 {
        const WAY: f32 = 2.0;
        let (speed, acceleration) = (self.max_speed, self.max_acceleration);
        let time = if speed * speed >= WAY * acceleration {
            2.0 * (WAY / acceleration).sqrt()
        } else {
            WAY / speed + speed / acceleration
        };
        if time.is_finite() { time.clamp(0.0, 0.1) } else { 0.1 }
    }

    /// The limits at `pps` points per second (at least 1).
    #[must_use]
    pub fn at(&self, pps: u32) -> PointLimits {
        let pps = pps.max(1) as f32;
        PointLimits {
            step: self.max_speed / pps,
            change: self.max_acceleration / (pps * pps),
            lit_step: self.lit_speed / pps,
        }
    }
}

impl Default for GalvoProfile {
    fn default() -> Self {
        Self::K30
    }
}

impl PointLimits {
    /// Every limit times `factor`.
    #[must_use]
    pub fn scaled(self, factor: f32) -> Self {
        Self {
            step: self.step * factor,
            change: self.change * factor,
            lit_step: self.lit_step * factor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_profile_at_its_own_rate_has_the_same_steps() {
        for profile in GalvoProfile::ALL {
            let limits = profile.at((profile.rated_kpps * 1000.0) as u32);
            assert!((limits.step - 0.1).abs() < 1e-6);
            assert!((limits.lit_step - 0.02).abs() < 1e-6);
            assert!((limits.change - 1.0 / 45.0).abs() < 1e-6);
        }
    }

    #[test]
    fn a_full_swing_takes_what_the_limits_allow() {
        assert!((GalvoProfile::K30.full_swing_s() - 0.817e-3).abs() < 1e-6);
        let strong = GalvoProfile { max_speed: 1e6, ..GalvoProfile::K30 };
        assert!((strong.full_swing_s() - 0.632e-3).abs() < 1e-6);
        let stuck = GalvoProfile { max_speed: 0.0, ..GalvoProfile::K30 };
        assert_eq!(stuck.full_swing_s(), 0.1);
    }

    #[test]
    fn profiles_are_found_by_their_names() {
        for profile in GalvoProfile::ALL {
            assert_eq!(GalvoProfile::named(profile.name), Some(profile));
        }
        assert_eq!(GalvoProfile::named("ideal"), None);
    }
}
