//! Writing `.ild` files the way real projectors and programs accept them.
//!
//! True colours in the order of the specification, every blanked point marked, the last point of each frame
//! marked, frames numbered from 0 with the right total, and a closing header of the same format.

use super::header::{Format, Header, at};
use super::{Error, Frame, MAX_FRAME_POINTS, MAX_FRAMES, Point};

const BLANKED: u8 = 0x40;
const LAST_POINT: u8 = 0x80;

/// Which of the two true-colour formats is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dimensions {
    /// Format 5: x and y. What most programs read.
    #[default]
    Two,
    /// Format 4: x, y and depth.
    Three,
}

impl Dimensions {
    const fn format(self) -> Format {
        match self {
            Self::Two => Format::True2d,
            Self::Three => Format::True3d,
        }
    }
}

/// How many frames a file is going to hold: every header says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frames(u16);

impl Frames {
    /// As many as a file can hold: for one that is written before its end is known, and told of at its end by
    /// writing [`Self::to_bytes`] of the true count at [`COUNT_AT`] of every header.
    pub const MOST: Self = Self(MAX_FRAMES as u16);

    /// # Errors
    /// [`Error::TooManyFrames`], [`Error::NoFrame`].
    pub const fn new(count: usize) -> Result<Self, Error> {
        match count {
            0 => Err(Error::NoFrame),
            1..=MAX_FRAMES => Ok(Self(count as u16)),
            _ => Err(Error::TooManyFrames),
        }
    }

    /// As a header has it.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }
}

/// Where in a header the count of all frames stands, bytes from its beginning.
pub const COUNT_AT: usize = at::TOTAL.start;

/// Turns frames into the bytes of a file, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    format: Format,
    total: u16,
    written: u16,
}

impl Writer {
    /// A writer of a file with `frames` frames.
    #[must_use]
    pub const fn new(dimensions: Dimensions, frames: Frames) -> Self {
        Self { format: dimensions.format(), total: frames.0, written: 0 }
    }

    /// Appends a frame to `out`. A frame of one point gets it twice, since many readers refuse a single one;
    /// one of none gets a dark pair at the centre: an empty frame would end the file.
    ///
    /// # Errors
    /// [`Error::TooManyPoints`]; [`Error::TooManyFrames`] if it is one more than was said.
    pub fn frame(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Result<(), Error> {
        if frame.points.len() > MAX_FRAME_POINTS {
            return Err(Error::TooManyPoints);
        }
        if self.written == self.total {
            return Err(Error::TooManyFrames);
        }
        let pair;
        let points: &[Point] = match frame.points.as_slice() {
            [] => &[Point { x: 0, y: 0, z: 0, rgb: [0; 3] }; 2],
            [only] => {
                pair = [*only; 2];
                &pair
            }
            points => points,
        };
        let header = Header {
            code: self.format.code(),
            name: frame.name.clone(),
            company: frame.company.clone(),
            records: points.len() as u16,
            number: self.written,
            total: self.total,
            projector: frame.projector,
        };
        out.extend(header.emit());
        for (k, point) in points.iter().enumerate() {
            out.extend(point.x.to_be_bytes());
            out.extend(point.y.to_be_bytes());
            if self.format == Format::True3d {
                out.extend(point.z.to_be_bytes());
            }
            let blanked = if point.is_blank() { BLANKED } else { 0 };
            let last = if k + 1 == points.len() { LAST_POINT } else { 0 };
            let [r, g, b] = point.rgb;
            out.extend([blanked | last, b, g, r]);
        }
        self.written += 1;
        Ok(())
    }

    /// Appends the header that closes the file.
    pub fn close(self, out: &mut Vec<u8>) {
        let header = Header {
            code: self.format.code(),
            name: String::new(),
            company: String::new(),
            records: 0,
            number: 0,
            total: self.total,
            projector: 0,
        };
        out.extend(header.emit());
    }

    /// Frames written so far.
    #[must_use]
    pub fn written(&self) -> usize {
        usize::from(self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ReadOptions, read};
    use super::*;
    use proptest::prelude::*;

    fn file(dimensions: Dimensions, frames: &[Frame]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(dimensions, Frames::new(frames.len()).unwrap());
        for frame in frames {
            writer.frame(frame, &mut out).unwrap();
        }
        writer.close(&mut out);
        out
    }

    fn frame(points: Vec<Point>) -> Frame {
        Frame { name: "SQUARE".into(), company: "TESTCO".into(), projector: 0, points }
    }

    /// Origin: the hand-built vector that other readers accept, its first colour dark as it is blanked.
    #[test]
    fn a_square_is_written_as_the_specification_has_it() {
        let at = |x, y, rgb| Point { x, y, z: 0, rgb };
        let square = frame(vec![
            at(-32_768, -32_768, [0, 0, 0]),
            at(-32_768, 32_767, [255, 0, 0]),
            at(32_767, 32_767, [0, 255, 0]),
            at(32_767, -32_768, [0, 0, 255]),
        ]);
        let hex: Vec<_> =
            file(Dimensions::Two, &[square]).iter().map(|b| format!("{b:02x}")).collect();
        let hex = hex.concat();
        let expected = "494c444100000005 5351554152450000 54455354434f0000 0004000000010000 \
            8000800040000000 80007fff000000ff 7fff7fff0000ff00 7fff800080ff0000 \
            494c444100000005 0000000000000000 0000000000000000 0000000000010000";
        assert_eq!(hex, expected.replace(' ', ""));
    }

    #[test]
    fn a_single_point_is_doubled_and_nothing_is_a_dark_pair() {
        let dot = Point { x: 5, y: 6, z: 0, rgb: [9, 9, 9] };
        let bytes = file(Dimensions::Two, &[frame(vec![dot]), frame(vec![])]);
        let frames = read(&bytes, ReadOptions::default()).unwrap().frames;
        assert_eq!(frames[0].points, [dot, dot]);
        assert_eq!(frames[1].points, [Point::default(); 2]);
    }

    #[test]
    fn what_the_format_cannot_count_is_refused() {
        assert_eq!(Frames::new(0), Err(Error::NoFrame));
        assert_eq!(Frames::new(65_536), Err(Error::TooManyFrames));
        let mut writer = Writer::new(Dimensions::Two, Frames::new(1).unwrap());
        let mut out = Vec::new();
        let huge = frame(vec![Point::default(); 65_536]);
        assert_eq!(writer.frame(&huge, &mut out), Err(Error::TooManyPoints));
        writer.frame(&frame(vec![]), &mut out).unwrap();
        assert_eq!(writer.frame(&frame(vec![]), &mut out), Err(Error::TooManyFrames));
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back(
            frames in prop::collection::vec(
                prop::collection::vec((any::<i16>(), any::<i16>(), any::<i16>(), any::<[u8; 3]>()), 2..40),
                1..5,
            ),
            deep in any::<bool>(),
        ) {
            let frames: Vec<Frame> = frames
                .iter()
                .map(|points| frame(points
                    .iter()
                    .map(|&(x, y, z, rgb)| Point { x, y, z: if deep { z } else { 0 }, rgb })
                    .collect()))
                .collect();
            let dimensions = if deep { Dimensions::Three } else { Dimensions::Two };
            let drawing = read(&file(dimensions, &frames), ReadOptions::default()).unwrap();
            prop_assert_eq!(drawing.warnings, []);
            prop_assert_eq!(drawing.frames, frames);
        }
    }
}
