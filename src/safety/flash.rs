//! Photosensitivity: counts flashes of the whole picture, and warns above three in a second.
//!
//! After the general flash threshold of WCAG 2.2 (SC 2.3.1): a pair of opposite changes of brightness, of a
//! tenth or more, over a quarter of the field, more than three times within a second. A warning, not a trip:
//! whether a show may flash is for its operator to say.

use crate::point::LaserPoint;

/// Picture brightness is averaged over this long: longer than a frame, shorter than a flash.
const BIN_S: f32 = 0.03;
/// Only each so-manieth point is looked at.
pub const LOOK_EVERY: usize = 4;
/// A change this large counts, as part of the brightest of the last seconds.
const CHANGE: f32 = 0.1;
/// Part of the field that the picture has to cover.
const AREA: f32 = 0.25;
/// More flashes than this within a second are too many.
const MAX_FLASHES: usize = 3;

/// Watches the sent points for flashes.
#[derive(Clone, Copy, Debug)]
pub struct FlashWatch {
    sum: f32,
    low: [f32; 2],
    high: [f32; 2],
    seen: u32,
    brightest: f32,
    extreme: f32,
    rising: bool,
    bin: u32,
    flashes: [u32; MAX_FLASHES + 1],
    warned_at: u32,
}

impl Default for FlashWatch {
    fn default() -> Self {
        Self {
            sum: 0.0,
            low: [1.0; 2],
            high: [-1.0; 2],
            seen: 0,
            brightest: 0.0,
            extreme: 0.0,
            rising: false,
            bin: 0,
            flashes: [0; MAX_FLASHES + 1],
            warned_at: 0,
        }
    }
}

impl FlashWatch {
    /// Looks at points as they are sent at `pps`. Returns how many warnings that makes: at most one a second.
    pub fn look(&mut self, points: &[LaserPoint], pps: u32) -> u64 {
        let per_bin = (BIN_S * pps as f32 / LOOK_EVERY as f32).max(1.0) as u32;
        let mut warnings = 0;
        for point in points.iter().step_by(LOOK_EVERY) {
            let peak = point.peak();
            if peak > 0 {
                self.sum += f32::from(peak);
                self.low = [self.low[0].min(point.x), self.low[1].min(point.y)];
                self.high = [self.high[0].max(point.x), self.high[1].max(point.y)];
            }
            self.seen += 1;
            if self.seen >= per_bin {
                warnings += u64::from(self.end_bin());
            }
        }
        warnings
    }

    fn end_bin(&mut self) -> bool {
        let level = self.sum / (self.seen as f32 * 65_535.0);
        let covered =
            (self.high[0] - self.low[0]).max(0.0) * (self.high[1] - self.low[1]).max(0.0) / 4.0;
        let dark = self.sum == 0.0;
        self.sum = 0.0;
        self.seen = 0;
        self.low = [1.0; 2];
        self.high = [-1.0; 2];
        self.bin = self.bin.wrapping_add(1);
        // Falls to a third in about a second and a half.
        self.brightest = (self.brightest * 0.98).max(level);
        let change = (CHANGE * self.brightest).max(1e-4);
        if !dark && covered < AREA {
            return false;
        }
        if self.rising {
            if level < self.extreme - change {
                self.rising = false;
                self.extreme = level;
                return self.flash();
            }
            self.extreme = self.extreme.max(level);
        } else if level > self.extreme + change {
            self.rising = true;
            self.extreme = level;
        } else {
            self.extreme = self.extreme.min(level);
        }
        false
    }

    fn flash(&mut self) -> bool {
        self.flashes.rotate_left(1);
        self.flashes[MAX_FLASHES] = self.bin;
        let second = (1.0 / BIN_S) as u32;
        let within = self.flashes[0] > 0 && self.bin.wrapping_sub(self.flashes[0]) <= second;
        let quiet = self.warned_at == 0 || self.bin.wrapping_sub(self.warned_at) > second;
        if within && quiet {
            self.warned_at = self.bin;
        }
        within && quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;

    const PPS: u32 = 30_000;

    /// Ten seconds of a circle that is lit for half of each period.
    fn warnings(flashes_per_s: f32, radius: f32, dim: f32) -> u64 {
        let mut watch = FlashWatch::default();
        let points: Vec<_> = (0..10 * PPS)
            .map(|k| {
                let t = k as f32 / PPS as f32;
                let (y, x) = (t * 50.0 * std::f32::consts::TAU).sin_cos();
                let on = (t * flashes_per_s).fract() < 0.5;
                let colour = if on { Colour::WHITE } else { Colour::WHITE.scaled(dim) };
                LaserPoint::lit(radius * x, radius * y, colour)
            })
            .collect();
        points.chunks(333).map(|chunk| watch.look(chunk, PPS)).sum()
    }

    #[test]
    fn more_than_three_flashes_a_second_warn_about_once_a_second() {
        for rate in [4.0, 6.0, 10.0] {
            let warned = warnings(rate, 0.9, 0.0);
            assert!((5..=10).contains(&warned), "{rate} {warned}");
        }
        assert!(warnings(6.0, 0.9, 0.5) > 4, "half-deep flashes count");
    }

    #[test]
    fn slow_or_small_or_shallow_flashing_does_not_warn() {
        assert_eq!(warnings(2.0, 0.9, 0.0), 0);
        assert_eq!(warnings(6.0, 0.2, 0.0), 0);
        assert_eq!(warnings(6.0, 0.9, 0.97), 0);
        assert_eq!(warnings(0.0, 0.9, 0.0), 0);
    }
}
