//! The unit of light: one position of the mirrors with one colour of the diodes.
//!
//! Coordinates are those of the screen as the audience sees it: x to the right, y up, both in −1..=1 over
//! the full scan range of the projector. Colours are linear drive levels, 0 dark to 65 535 full.

use bytemuck::{Pod, Zeroable};

/// One point for the mirrors and diodes: 16 bytes, plain data.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct LaserPoint {
    /// Horizontal position, −1 (left) to 1 (right).
    pub x: f32,
    /// Vertical position, −1 (bottom) to 1 (top).
    pub y: f32,
    /// Red drive, 0 to 65 535.
    pub r: u16,
    /// Green drive, 0 to 65 535.
    pub g: u16,
    /// Blue drive, 0 to 65 535.
    pub b: u16,
    /// Intensity line of the ILDA connector, 0 to 65 535; the largest of the colours unless set apart.
    pub i: u16,
}

impl LaserPoint {
    /// A dark point at the centre.
    pub const CENTRE: Self = Self { x: 0.0, y: 0.0, r: 0, g: 0, b: 0, i: 0 };

    /// A lit point; the intensity is the largest of the three colours, so single-colour heads blank too.
    #[must_use]
    pub fn lit(x: f32, y: f32, colour: Colour) -> Self {
        let [r, g, b] = colour.to_u16();
        Self { x, y, r, g, b, i: r.max(g).max(b) }
    }

    /// A dark point at a position.
    #[must_use]
    pub const fn blank(x: f32, y: f32) -> Self {
        Self { x, y, r: 0, g: 0, b: 0, i: 0 }
    }

    /// The same place without light.
    #[must_use]
    pub const fn blanked(self) -> Self {
        Self::blank(self.x, self.y)
    }

    /// True when no diode is driven, whatever the intensity line says.
    #[must_use]
    pub const fn is_blank(&self) -> bool {
        self.r == 0 && self.g == 0 && self.b == 0
    }

    /// True when both coordinates are finite and within −1..=1.
    #[must_use]
    pub fn is_in_range(&self) -> bool {
        self.x.abs() <= 1.0 && self.y.abs() <= 1.0
    }

    /// The largest colour drive, 0 to 65 535.
    #[must_use]
    pub const fn peak(&self) -> u16 {
        let rg = if self.r > self.g { self.r } else { self.g };
        if rg > self.b { rg } else { self.b }
    }

    /// All drives times `gain` (clamped to 0..=1), rounded down so that a gain never adds light.
    #[must_use]
    pub fn scaled(self, gain: f32) -> Self {
        let gain = if gain.is_finite() { gain.clamp(0.0, 1.0) } else { 0.0 };
        let dim = |drive: u16| (f32::from(drive) * gain) as u16;
        Self { r: dim(self.r), g: dim(self.g), b: dim(self.b), i: dim(self.i), ..self }
    }
}

/// A colour as linear drive fractions, each 0 (dark) to 1 (full).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Colour {
    /// Red fraction, 0..=1.
    pub r: f32,
    /// Green fraction, 0..=1.
    pub g: f32,
    /// Blue fraction, 0..=1.
    pub b: f32,
}

impl Colour {
    /// No light.
    pub const BLACK: Self = Self::rgb(0.0, 0.0, 0.0);
    /// All diodes full.
    pub const WHITE: Self = Self::rgb(1.0, 1.0, 1.0);

    /// From three fractions, 0..=1 each.
    #[must_use]
    pub const fn rgb(r: f32, g: f32, b: f32) -> Self {
        Self { r, g, b }
    }

    /// From hue in turns (any number, wrapped), saturation and value 0..=1.
    #[must_use]
    pub fn hsv(hue_turns: f32, saturation: f32, value: f32) -> Self {
        let sector = hue_turns.rem_euclid(1.0) * 6.0;
        let channel = |offset: f32| {
            let k = (offset + sector) % 6.0;
            value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0)
        };
        Self::rgb(channel(5.0), channel(3.0), channel(1.0))
    }

    /// A blend: `self` at 0, `other` at 1.
    #[must_use]
    pub fn mix(self, other: Self, amount: f32) -> Self {
        let lerp = |a: f32, b: f32| a + (b - a) * amount;
        Self::rgb(lerp(self.r, other.r), lerp(self.g, other.g), lerp(self.b, other.b))
    }

    /// Every channel times `gain`.
    #[must_use]
    pub fn scaled(self, gain: f32) -> Self {
        Self::rgb(self.r * gain, self.g * gain, self.b * gain)
    }

    /// Drive levels 0..=65 535; what is not finite becomes dark.
    #[must_use]
    pub fn to_u16(self) -> [u16; 3] {
        let level = |fraction: f32| {
            let fraction = if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 };
            // Never below zero, so that cutting off rounds; `round` is a call on many machines.
            (fraction * 65_535.0 + 0.5) as u16
        };
        [level(self.r), level(self.g), level(self.b)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LS-54: the point is 16 bytes.
    #[test]
    fn a_point_is_sixteen_bytes() {
        assert_eq!(size_of::<LaserPoint>(), 16);
    }

    #[test]
    fn hue_thirds_are_the_three_diodes() {
        assert_eq!(Colour::hsv(0.0, 1.0, 1.0).to_u16(), [65_535, 0, 0]);
        assert_eq!(Colour::hsv(1.0 / 3.0, 1.0, 1.0).to_u16()[1], 65_535);
        assert_eq!(Colour::hsv(2.0 / 3.0, 1.0, 1.0).to_u16()[2], 65_535);
        assert_eq!(Colour::hsv(-1.0, 1.0, 1.0).to_u16(), [65_535, 0, 0]);
    }

    #[test]
    fn a_gain_never_adds_light_and_nonsense_is_dark() {
        let white = LaserPoint::lit(0.0, 0.0, Colour::WHITE);
        assert_eq!(white.scaled(7.0), white);
        assert!(white.scaled(f32::NAN).is_blank());
        assert!(white.scaled(-1.0).is_blank());
        assert_eq!(Colour::rgb(f32::NAN, f32::INFINITY, 0.5).to_u16(), [0, 0, 32_768]);
    }

    #[test]
    fn positions_that_are_not_numbers_are_out_of_range() {
        assert!(!LaserPoint::blank(f32::NAN, 0.0).is_in_range());
        assert!(!LaserPoint::blank(0.0, f32::INFINITY).is_in_range());
        assert!(LaserPoint::blank(1.0, -1.0).is_in_range());
    }
}
