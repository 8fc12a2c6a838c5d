//! How a projector hangs: what has to be done to a picture so that the audience sees it as it was drawn.
//!
//! A picture is turned first, then the axes are exchanged and inverted, as the wiring of a projector does it,
//! and at last the drives are laid on the lines. All of it comes before the safety gate: zones hold in the
//! projector's own field, whatever is done here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::point::LaserPoint;

/// What goes out on a line of the projector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drive {
    Red,
    Green,
    Blue,
    Intensity,
    Dark,
}

/// The letters of the drives, in the order of their numbers.
const LETTERS: [(Drive, char); 5] = [
    (Drive::Red, 'r'),
    (Drive::Green, 'g'),
    (Drive::Blue, 'b'),
    (Drive::Intensity, 'i'),
    (Drive::Dark, '-'),
];

/// Which drive goes out on the lines red, green, blue and intensity.
///
/// Written as three or four letters of `r`, `g`, `b`, `i` (the intensity: the brightest of the three) and `-`
/// (always dark): `bgr` exchanges red and blue, `iii` is for a single diode on any line, `rgb-` leaves the
/// intensity line unused. Without a fourth letter it carries the intensity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ColourOrder([Drive; 4]);

impl Default for ColourOrder {
    fn default() -> Self {
        Self([Drive::Red, Drive::Green, Drive::Blue, Drive::Intensity])
    }
}

/// A colour order, or a turn, that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MountingError {
    /// It is no order of colours.
    #[error(
        "\"{0}\" is no colour order: write what the lines red, green and blue shall carry, as three letters of r, g, b, i (brightest) and - (dark), e.g. bgr; a fourth is for the intensity line"
    )]
    Colours(String),
    /// It is no angle.
    #[error("a turn must be from -360 to 360 degrees")]
    Turn,
}

impl FromStr for ColourOrder {
    type Err = MountingError;

    fn from_str(text: &str) -> Result<Self, MountingError> {
        let wrong = || MountingError::Colours(text.to_owned());
        let mut order = Self::default();
        let letters = text.chars().count();
        if !(3..=4).contains(&letters) {
            return Err(wrong());
        }
        for (line, letter) in order.0.iter_mut().zip(text.chars()) {
            let letter = letter.to_ascii_lowercase();
            let found = LETTERS.iter().find(|(_, known)| *known == letter);
            *line = found.ok_or_else(wrong)?.0;
        }
        // What is dark on all three is no light to galvo, even if the intensity line drove a diode.
        if order.0[..3] == [Drive::Dark; 3] {
            return Err(wrong());
        }
        Ok(order)
    }
}

impl fmt::Display for ColourOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if self.0[3] == Drive::Intensity { &self.0[..3] } else { &self.0[..] };
        shown.iter().try_for_each(|drive| write!(f, "{}", LETTERS[*drive as usize].1))
    }
}

impl TryFrom<String> for ColourOrder {
    type Error = MountingError;
    fn try_from(text: String) -> Result<Self, MountingError> {
        text.parse()
    }
}

impl From<ColourOrder> for String {
    fn from(order: ColourOrder) -> Self {
        order.to_string()
    }
}

impl ColourOrder {
    fn lay(self, point: LaserPoint) -> LaserPoint {
        let drive = |line: Drive| match line {
            Drive::Red => point.r,
            Drive::Green => point.g,
            Drive::Blue => point.b,
            // What is drawn dark stays dark on every line.
            Drive::Intensity if point.is_blank() => 0,
            Drive::Intensity => point.i,
            Drive::Dark => 0,
        };
        let [r, g, b, i] = self.0.map(drive);
        LaserPoint { r, g, b, i, ..point }
    }

    /// The colours as they were drawn, where each is on a line of its own.
    fn undone(self, point: LaserPoint) -> LaserPoint {
        let lines = [point.r, point.g, point.b];
        let drawn = |drive: Drive| {
            let at = self.0[..3].iter().position(|line| *line == drive)?;
            Some(lines[at])
        };
        match (drawn(Drive::Red), drawn(Drive::Green), drawn(Drive::Blue)) {
            (Some(r), Some(g), Some(b)) => LaserPoint { r, g, b, ..point },
            _ => point,
        }
    }
}

/// How a projector hangs. The default changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mounting {
    /// Exchange the axes.
    pub swap_xy: bool,
    /// Mirror left and right, after the exchange.
    pub invert_x: bool,
    /// Mirror up and down, after the exchange.
    pub invert_y: bool,
    /// Turn of the picture before all that, degrees against the clock, −360..=360.
    pub rotate_degrees: f32,
    /// What goes out on the lines of the colours.
    pub colours: ColourOrder,
}

impl Mounting {
    /// True if it changes nothing.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Checks what may have come from a file.
    pub fn check(self) -> Result<Self, MountingError> {
        if self.rotate_degrees.is_finite() && self.rotate_degrees.abs() <= 360.0 {
            Ok(self)
        } else {
            Err(MountingError::Turn)
        }
    }

    /// All of it in one word, to hand it over without a lock.
    #[must_use]
    pub fn to_bits(&self) -> u64 {
        let flags = [self.swap_xy, self.invert_x, self.invert_y];
        let flags = flags.iter().rev().fold(0, |bits, flag| bits << 1 | u64::from(*flag));
        let colours = self.colours.0.iter().rev().fold(0, |bits, line| bits << 3 | *line as u64);
        u64::from(self.rotate_degrees.to_bits()) << 32 | colours << 3 | flags
    }

    /// The reverse of [`to_bits`](Self::to_bits); a drive that is none is dark.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        let flag = |n: u32| bits >> n & 1 == 1;
        let line = |n: u32| {
            let number = (bits >> (3 + 3 * n) & 7) as usize;
            LETTERS.get(number).map_or(Drive::Dark, |(drive, _)| *drive)
        };
        Self {
            swap_xy: flag(0),
            invert_x: flag(1),
            invert_y: flag(2),
            rotate_degrees: f32::from_bits((bits >> 32) as u32),
            colours: ColourOrder([line(0), line(1), line(2), line(3)]),
        }
    }

    /// Made ready to be applied to many points.
    #[must_use]
    pub fn fitting(&self) -> Fitting {
        let (sin, cos) = sin_cos(self.rotate_degrees);
        let mut rows = [[cos, -sin], [sin, cos]];
        if self.swap_xy {
            rows.swap(0, 1);
        }
        for (row, inverted) in rows.iter_mut().zip([self.invert_x, self.invert_y]) {
            if inverted {
                *row = row.map(|entry| -entry);
            }
        }
        Fitting { rows, colours: self.colours, plain: self.is_plain() }
    }
}

/// Exact at the quarters of a turn, where most projectors hang.
fn sin_cos(degrees: f32) -> (f32, f32) {
    let degrees = if degrees.is_finite() { degrees.rem_euclid(360.0) } else { 0.0 };
    match degrees {
        0.0 => (0.0, 1.0),
        90.0 => (1.0, 0.0),
        180.0 => (0.0, -1.0),
        270.0 => (-1.0, 0.0),
        other => other.to_radians().sin_cos(),
    }
}

/// A [`Mounting`] made ready.
#[derive(Clone, Copy, Debug)]
pub struct Fitting {
    rows: [[f32; 2]; 2],
    colours: ColourOrder,
    plain: bool,
}

impl Fitting {
    /// Points as drawn become points as the projector wants them. A corner that is turned out of the field is
    /// left there, for the gate to darken.
    pub fn apply(&self, points: &mut [LaserPoint]) {
        if self.plain {
            return;
        }
        let [[xx, xy], [yx, yy]] = self.rows;
        for point in points {
            let (x, y) = (xx * point.x + xy * point.y, yx * point.x + yy * point.y);
            *point = LaserPoint { x, y, ..self.colours.lay(*point) };
        }
    }

    /// Points as the projector got them become points as the audience sees them. Colours that share a line stay
    /// as they are.
    pub fn undo(&self, points: &mut [LaserPoint]) {
        if self.plain {
            return;
        }
        // Turns and mirrors are undone by the transposed matrix.
        let [[xx, xy], [yx, yy]] = self.rows;
        for point in points {
            let (x, y) = (xx * point.x + yx * point.y, xy * point.x + yy * point.y);
            *point = LaserPoint { x, y, ..self.colours.undone(*point) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(text: &str) -> ColourOrder {
        text.parse().unwrap()
    }

    fn one(mounting: Mounting, point: LaserPoint) -> LaserPoint {
        let mut points = [point];
        mounting.fitting().apply(&mut points);
        points[0]
    }

    const POINT: LaserPoint = LaserPoint { x: 0.25, y: 0.5, r: 1, g: 2, b: 3, i: 4 };

    #[test]
    fn axes_are_turned_then_exchanged_then_inverted() {
        let at = |mounting| {
            let point = one(mounting, POINT);
            (point.x, point.y)
        };
        let plain = Mounting::default();
        assert_eq!(at(plain), (0.25, 0.5));
        assert_eq!(at(Mounting { swap_xy: true, ..plain }), (0.5, 0.25));
        assert_eq!(at(Mounting { invert_x: true, ..plain }), (-0.25, 0.5));
        assert_eq!(at(Mounting { invert_y: true, ..plain }), (0.25, -0.5));
        assert_eq!(at(Mounting { rotate_degrees: 90.0, ..plain }), (-0.5, 0.25));
        assert_eq!(at(Mounting { rotate_degrees: -90.0, ..plain }), (0.5, -0.25));
        assert_eq!(at(Mounting { rotate_degrees: 180.0, ..plain }), (-0.25, -0.5));
        let all = Mounting { swap_xy: true, invert_x: true, rotate_degrees: 90.0, ..plain };
        assert_eq!(at(all), (-0.25, -0.5));
    }

    #[test]
    fn colours_go_out_on_the_lines_that_are_written() {
        let lit = |text| {
            let point = one(Mounting { colours: order(text), ..Mounting::default() }, POINT);
            [point.r, point.g, point.b, point.i]
        };
        assert_eq!(lit("rgb"), [1, 2, 3, 4]);
        assert_eq!(lit("bgr"), [3, 2, 1, 4]);
        assert_eq!(lit("GRB-"), [2, 1, 3, 0]);
        assert_eq!(lit("iii"), [4, 4, 4, 4]);
        assert_eq!(lit("-g-g"), [0, 2, 0, 2]);
        let dark = LaserPoint { r: 0, g: 0, b: 0, ..POINT };
        let mounting = Mounting { colours: order("iii"), ..Mounting::default() };
        assert_eq!(one(mounting, dark).peak(), 0, "an intensity without a colour is no light");
    }

    #[test]
    fn what_is_no_order_is_refused_with_an_example() {
        for text in ["", "rg", "rgbii", "rgx", "---", "---i", "rot"] {
            let sentence = text.parse::<ColourOrder>().unwrap_err().to_string();
            assert!(sentence.contains("bgr"), "{sentence}");
        }
        for text in ["rgb", "bgr", "rgb-", "i--r"] {
            assert_eq!(order(text).to_string(), text);
        }
        for degrees in [f32::NAN, f32::INFINITY, 360.5] {
            let turned = Mounting { rotate_degrees: degrees, ..Mounting::default() };
            assert_eq!(turned.check(), Err(MountingError::Turn));
        }
    }

    #[test]
    fn nonsense_stays_nonsense_for_the_gate_to_see() {
        let mounting = Mounting { rotate_degrees: 30.0, swap_xy: true, ..Mounting::default() };
        assert!(!one(mounting, LaserPoint { x: f32::NAN, ..POINT }).is_in_range());
        assert!(!one(mounting, LaserPoint { y: f32::INFINITY, ..POINT }).is_in_range());
    }

    proptest! {
        #[test]
        fn every_mounting_fits_in_a_word_and_can_be_undone(
            swap_xy: bool, invert_x: bool, invert_y: bool, rotate_degrees in -360.0_f32..=360.0,
            colours in "(rgb|rbg|grb|gbr|brg|bgr)-?", x in -0.7_f32..0.7, y in -0.7_f32..0.7,
        ) {
            let mounting =
                Mounting { swap_xy, invert_x, invert_y, rotate_degrees, colours: order(&colours) };
            prop_assert_eq!(Mounting::from_bits(mounting.to_bits()), mounting);
            let text = toml::to_string(&mounting).unwrap();
            prop_assert_eq!(toml::from_str::<Mounting>(&text).unwrap(), mounting);
            let drawn = LaserPoint { x, y, r: 1, g: 2, b: 3, i: 0 };
            let mut points = [drawn];
            mounting.fitting().apply(&mut points);
            prop_assert!((points[0].x.hypot(points[0].y) - x.hypot(y)).abs() < 1e-6);
            mounting.fitting().undo(&mut points);
            let [seen] = points;
            prop_assert!((seen.x - x).abs() < 1e-6 && (seen.y - y).abs() < 1e-6);
            prop_assert_eq!((seen.r, seen.g, seen.b), (1, 2, 3));
        }

        #[test]
        fn any_word_is_a_mounting(bits: u64) {
            Mounting::from_bits(bits).fitting().apply(&mut [LaserPoint::CENTRE]);
        }
    }
}
