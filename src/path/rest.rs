//! How long the mirrors have to rest so that ends and corners are met.
//!
//! Found with the model of the mirrors (`galvo.rs`) rather than by rule of thumb: a line is drawn up to a corner as the
//! speed plan does it, and the rest is the shortest after which the beam has come within 0.8 % of half a field of the
//! corner. In time constants of the mirrors, since every figure of a built-in profile scales with its rate.

/// The rests for turns of 0°, 15°, 30° … 180°, time constants.
const CORNERS: [f32; 13] =
    [0.0, 0.0, 0.0, 0.5, 1.01, 1.32, 1.57, 1.73, 1.82, 1.92, 1.95, 1.98, 1.98];
/// Dark rest after a travel: without it the beam still comes sideways when the light goes on.
pub const SETTLE: f32 = 1.1;
/// Lit rest before a stroke sets out: else its first part is drawn before the light is on.
pub const START: f32 = 1.1;
/// Lit rest at the end of a stroke: without it the beam is called away before it is there.
pub const END: f32 = 1.1;

/// The rest at a corner that turns by `turn_rad` (0 straight on, π straight back), time constants.
#[must_use]
pub fn corner(turn_rad: f32) -> f32 {
    let at = (turn_rad / std::f32::consts::PI * 12.0).clamp(0.0, 12.0);
    let k = (at as usize).min(11);
    CORNERS[k] + (CORNERS[k + 1] - CORNERS[k]) * (at - k as f32)
}

#[cfg(test)]
mod tests {
    use super::super::quality::judge;
    use super::super::{GalvoProfile, Layout, LayoutSettings, PathPoints};
    use super::*;
    use crate::pattern::Figure;
    use crate::point::{Colour, LaserPoint};

    #[test]
    fn sharper_corners_rest_longer() {
        let rests: Vec<f32> = (0..=36).map(|k| corner(k as f32 * 5.0_f32.to_radians())).collect();
        assert!(rests.windows(2).all(|w| w[0] <= w[1]));
        assert!((corner(90.0_f32.to_radians()) - 1.57).abs() < 1e-3);
        assert_eq!((corner(0.0), corner(9.0)), (0.0, 1.98));
    }

    /// The promise of the table, by the model that it was made with.
    #[test]
    fn the_mirrors_of_every_profile_meet_ends_and_corners_of_any_angle() {
        for profile in GalvoProfile::ALL {
            let pps = (profile.rated_kpps * 1000.0) as u32;
            let settings = LayoutSettings { profile, ..LayoutSettings::default() };
            let mut layout = Layout::new(settings, 2_000);
            let mut out = PathPoints::with_capacity(2_000);
            for degrees in (30..=180).step_by(10) {
                let (sin, cos) = (degrees as f32).to_radians().sin_cos();
                let mut angle = Figure::with_capacity(3, 1);
                for [x, y] in [[-0.4, 0.0], [0.1, 0.0], [0.1 + 0.5 * cos, 0.5 * sin]] {
                    angle.vertex(x, y, Colour::WHITE);
                }
                angle.end(false, false);
                layout.lay_loop(&angle, LaserPoint::blank(0.5, -0.5), pps, 2_000, &mut out);
                let quality = judge(out.as_slice(), &angle, &profile, pps);
                assert!(quality.corner_error < 0.016, "{} {degrees}° {quality:?}", profile.name);
            }
        }
    }
}
