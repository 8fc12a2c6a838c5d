//! A model of the mirrors: where the beam is, when the points say where it should be.
//!
//! Each axis is a critically damped second-order system whose bandwidth follows the profile's rating, with
//! its speed and acceleration held to the profile. It serves previews and tests; it measures no hardware.

use super::profile::GalvoProfile;

/// A pair of mirrors.
#[derive(Clone, Copy, Debug)]
pub struct Mirror {
    profile: GalvoProfile,
    natural_rad_per_s: f32,
    position: [f32; 2],
    velocity: [f32; 2],
}

impl Mirror {
    /// Mirrors at rest in the centre.
    ///
    /// The natural frequency is that of the circle in the ILDA test pattern at the rated rate: 12 points a
    /// turn.
    #[must_use]
    pub fn new(profile: GalvoProfile) -> Self {
        Self {
            profile,
            natural_rad_per_s: profile.natural_rad_per_s(),
            position: [0.0; 2],
            velocity: [0.0; 2],
        }
    }

    /// Moves for `dt` seconds towards `target` (x, y in half-fields); returns where the beam is then. A
    /// target that is not a number leaves the aim where the mirrors are.
    pub fn step(&mut self, target: [f32; 2], dt: f32) -> [f32; 2] {
        // A quarter radian per inner step keeps the integration stable.
        let inner = (dt * self.natural_rad_per_s / 0.25).ceil().clamp(1.0, 4096.0);
        let dt = dt / inner;
        for _ in 0..inner as usize {
            for (axis, target) in target.into_iter().enumerate() {
                self.step_axis(axis, target, dt);
            }
        }
        self.position
    }

    fn step_axis(&mut self, axis: usize, target: f32, dt: f32) {
        let (w, a, v) =
            (self.natural_rad_per_s, self.profile.max_acceleration, self.profile.max_speed);
        let position = self.position[axis];
        let error = if target.is_finite() { target - position } else { 0.0 };
        // The servo asks for no more speed than it can brake away, as drivers with slew limiting do.
        let brakeable = (2.0 * a * error.abs()).sqrt().min(v);
        let wanted_speed = (error * w * 0.5).clamp(-brakeable, brakeable);
        let force = (2.0 * w * (wanted_speed - self.velocity[axis])).clamp(-a, a);
        self.velocity[axis] = (self.velocity[axis] + force * dt).clamp(-v, v);
        self.position[axis] = position + self.velocity[axis] * dt;
    }

    /// Where the beam is, x and y in half-fields.
    #[must_use]
    pub const fn position(&self) -> [f32; 2] {
        self.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_settle_on_a_step_without_overshoot_of_a_hundredth() {
        for profile in GalvoProfile::ALL {
            let mut mirror = Mirror::new(profile);
            let mut highest = 0.0_f32;
            for _ in 0..200 {
                highest = highest.max(mirror.step([1.0, -1.0], 1.0 / 30_000.0)[0]);
            }
            assert!((mirror.position()[0] - 1.0).abs() < 1e-3, "{:?}", mirror.position());
            assert!((mirror.position()[1] + 1.0).abs() < 1e-3);
            assert!(highest < 1.01, "{highest}");
        }
    }

    #[test]
    fn faster_mirrors_lag_less() {
        let lag = |profile| {
            let mut mirror = Mirror::new(profile);
            let mut at = 0.0;
            for k in 0..300 {
                at = mirror.step([k as f32 * 0.003, 0.0], 1.0 / 30_000.0)[0];
            }
            299.0 * 0.003 - at
        };
        assert!(lag(GalvoProfile::K20) > lag(GalvoProfile::K30));
        assert!(lag(GalvoProfile::K30) > lag(GalvoProfile::K60));
        assert!(lag(GalvoProfile::K60) > 0.0);
    }

    #[test]
    fn nonsense_does_not_move_the_mirrors_off_the_numbers() {
        let mut mirror = Mirror::new(GalvoProfile::K30);
        let at = mirror.step([f32::NAN, f32::INFINITY], 1.0 / 30_000.0);
        assert_eq!(at, [0.0, 0.0]);
    }
}
