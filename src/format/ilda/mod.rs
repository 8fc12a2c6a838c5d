//! ILDA Image Data Transfer Format, revision 011: the frames of `.ild` files.
//!
//! [`read`] takes formats 0, 1, 2, 4 and 5, as the specification has them and as real files bend them;
//! [`Writer`] writes 4 and 5. Nothing in a file makes it panic, and memory stays in proportion to the bytes
//! there are, whatever a header promises. See `docs/protocols/ilda.md`.

mod header;
pub mod palette;
mod read;
mod write;

pub use read::{Drawing, ReadOptions, Warning, read};
pub use write::{COUNT_AT, Dimensions, Frames, Writer};

use crate::point::LaserPoint;

/// Most points a frame of the format can hold.
pub const MAX_FRAME_POINTS: usize = 65_535;
/// Most points of a frame that programs with fixed buffers take.
pub const USUAL_FRAME_POINTS: usize = 8_000;
/// Most frames a file can hold.
pub const MAX_FRAMES: usize = 65_535;

const FULL_SCALE: f32 = 32_767.0;

/// Why bytes are no ILDA file, or frames cannot become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes do not begin with an ILDA header.
    #[error("this is no ILDA file: it does not begin with \"ILDA\"; choose an .ild file")]
    NotIlda,
    /// There is no frame in it that can be read.
    #[error("there is no frame in this ILDA file: it is empty or damaged; export it again")]
    NoFrame,
    /// More frames than the format can count.
    #[error(
        "an ILDA file holds at most 65535 frames: choose a shorter part or fewer frames per second"
    )]
    TooManyFrames,
    /// More points than a frame can hold.
    #[error("an ILDA frame holds at most 65535 points: choose more frames per second")]
    TooManyPoints,
}

/// One record of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// Horizontal position, −32768 left to 32767 right.
    pub x: i16,
    /// Vertical position, −32768 bottom to 32767 top.
    pub y: i16,
    /// Depth, −32768 rear to 32767 front; 0 in files without.
    pub z: i16,
    /// Red, green and blue, 0 to 255; all 0 when blanked.
    pub rgb: [u8; 3],
}

impl Point {
    /// The nearest that the format can hold; what is no number is at the centre. Colours of 16 bits are
    /// rounded to 8.
    #[must_use]
    pub fn from_laser(point: &LaserPoint) -> Self {
        let place =
            |v: f32| if v.is_nan() { 0 } else { (v.clamp(-1.0, 1.0) * FULL_SCALE).round() as i16 };
        let level = |v: u16| ((u32::from(v) * 255 + 32_767) / 65_535) as u8;
        Self {
            x: place(point.x),
            y: place(point.y),
            z: 0,
            rgb: [level(point.r), level(point.g), level(point.b)],
        }
    }

    /// The point on the mirrors.
    #[must_use]
    pub fn to_laser(self) -> LaserPoint {
        let place = |v: i16| (f32::from(v) / FULL_SCALE).max(-1.0);
        let [r, g, b] = self.rgb.map(|v| u16::from(v) * 257);
        LaserPoint { x: place(self.x), y: place(self.y), r, g, b, i: r.max(g).max(b) }
    }

    /// True when no diode is on.
    #[must_use]
    pub const fn is_blank(&self) -> bool {
        matches!(self.rgb, [0, 0, 0])
    }
}

/// One frame, as it is drawn from its first point to its last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Its name, at most eight ASCII characters.
    pub name: String,
    /// The company or program that made it, at most eight ASCII characters.
    pub company: String,
    /// The projector it is for, 0 in files for one.
    pub projector: u8,
    /// Its points.
    pub points: Vec<Point>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;

    #[test]
    fn positions_and_colours_survive_the_way_there_and_back() {
        for v in [i16::MIN + 1, -1, 0, 1, 12_345, i16::MAX] {
            let point = Point { x: v, y: -v, z: 0, rgb: [0, 1, 255] };
            assert_eq!(Point::from_laser(&point.to_laser()), point);
        }
        assert_eq!(Point { x: i16::MIN, ..Point::default() }.to_laser().x, -1.0);
    }

    #[test]
    fn nonsense_becomes_a_point_of_the_field() {
        let wild = LaserPoint::lit(f32::NAN, 7.0, Colour::WHITE);
        let point = Point::from_laser(&wild);
        assert_eq!((point.x, point.y), (0, 32_767));
        assert!(!point.is_blank());
    }
}
