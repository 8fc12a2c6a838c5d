//! Reading `.ild` files, robustly: the record count is trusted only as far as there are bytes.

use std::collections::BTreeMap;
use std::fmt;

use super::header::{Format, HEADER_BYTES, Header};
use super::palette::Palette;
use super::{Error, Frame, Point};

const BLANKED: u8 = 0x40;
const LAST_POINT: u8 = 0x80;
const WHITE: [u8; 3] = [255; 3];

/// What a file cannot say of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The colours of indexed frames without a palette.
    pub palette: Palette,
    /// For files whose writer put true colours in the order red, green, blue.
    pub swap_red_blue: bool,
}

/// Something in a file that is not as it should be, and was read all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The file ends in the middle of a frame or without its closing header.
    Truncated,
    /// A section of a format that the specification does not have; nothing behind it can be found.
    UnknownFormat(u8),
    /// Bytes behind a frame that are no header: the file's maker keeps something of its own there.
    Appended(usize),
    /// Colour indexes beyond the palette, shown white.
    IndexBeyondPalette(u64),
    /// Frames whose mark of the last point is missing or elsewhere.
    LastPointMark(u64),
    /// The count of frames in the headers is not that of the file.
    FrameCount {
        /// What the headers say.
        said: u16,
        /// How many there are.
        found: usize,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => write!(f, "the file ends early; what is there was read"),
            Self::UnknownFormat(code) => {
                write!(f, "a section of unknown format {code}; what follows it was not read")
            }
            Self::Appended(bytes) => write!(f, "{bytes} bytes at the end are no frames"),
            Self::IndexBeyondPalette(count) => write!(
                f,
                "{count} colour indexes are beyond the palette and shown white; the file may want the \
                 old palette of 256 colours"
            ),
            Self::LastPointMark(frames) => {
                write!(f, "{frames} frames lack the mark at their last point")
            }
            Self::FrameCount { said, found } => {
                write!(f, "the headers promise {said} frames, there are {found}")
            }
        }
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawing {
    /// The frames in the order of the file, those of all projectors.
    pub frames: Vec<Frame>,
    /// What was not as it should be; each kind once.
    pub warnings: Vec<Warning>,
}

/// Reads a file.
///
/// # Errors
/// [`Error::NotIlda`] if it does not begin like one, [`Error::NoFrame`] if there is nothing to draw in it.
pub fn read(bytes: &[u8], options: ReadOptions) -> Result<Drawing, Error> {
    let mut reader = Reader { options, ..Reader::default() };
    reader.sections(bytes)?;
    if reader.frames.is_empty() {
        return Err(Error::NoFrame);
    }
    Ok(reader.finish())
}

#[derive(Debug, Default)]
struct Reader {
    options: ReadOptions,
    palettes: BTreeMap<u8, Vec<[u8; 3]>>,
    frames: Vec<Frame>,
    said: Option<u16>,
    beyond_palette: u64,
    bad_marks: u64,
    end: Option<Warning>,
}

impl Reader {
    fn sections(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        loop {
            let Some((head, body)) = rest.split_first_chunk::<HEADER_BYTES>() else {
                let begun = bytes.len() < HEADER_BYTES && !bytes.starts_with(b"ILDA");
                self.end = Some(Warning::Truncated);
                return if begun { Err(Error::NotIlda) } else { Ok(()) };
            };
            let header = match Header::parse(head) {
                Ok(header) => header,
                Err(error) if rest.len() == bytes.len() => return Err(error),
                Err(_) => {
                    self.end = Some(Warning::Appended(rest.len()));
                    return Ok(());
                }
            };
            let Some(format) = Format::from_code(header.code) else {
                self.end = Some(Warning::UnknownFormat(header.code));
                return Ok(());
            };
            if header.records == 0 && format != Format::Palette {
                return Ok(());
            }
            let wanted = usize::from(header.records) * format.record_bytes();
            let have = body.len().min(wanted);
            let (records, after) = body.split_at(have);
            if format == Format::Palette {
                let colours = records.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect();
                self.palettes.insert(header.projector, colours);
            } else {
                self.frame(&header, format, records);
            }
            if have < wanted {
                self.end = Some(Warning::Truncated);
                return Ok(());
            }
            rest = after;
        }
    }

    fn frame(&mut self, header: &Header, format: Format, records: &[u8]) {
        let size = format.record_bytes();
        let count = records.len() / size;
        if count == 0 {
            return;
        }
        let palette = self.palettes.get(&header.projector);
        let (mut beyond, mut marks_right) = (0, true);
        let points = records
            .chunks_exact(size)
            .enumerate()
            .map(|(k, record)| {
                let number = |at: usize| i16::from_be_bytes([record[at], record[at + 1]]);
                let (z, rest) = match format {
                    Format::Indexed3d | Format::True3d => (number(4), &record[6..]),
                    _ => (0, &record[4..]),
                };
                let status = rest[0];
                marks_right &= (status & LAST_POINT != 0) == (k + 1 == count);
                let rgb = if status & BLANKED != 0 {
                    [0; 3]
                } else if matches!(format, Format::True3d | Format::True2d) {
                    // The specification's order is blue, green, red.
                    let [b, g, r] = [rest[1], rest[2], rest[3]];
                    if self.options.swap_red_blue { [b, g, r] } else { [r, g, b] }
                } else {
                    let index = rest[1];
                    let colour = match palette {
                        Some(palette) => palette.get(usize::from(index)).copied(),
                        None => self.options.palette.colour(index),
                    };
                    beyond += u64::from(colour.is_none());
                    colour.unwrap_or(WHITE)
                };
                Point { x: number(0), y: number(2), z, rgb }
            })
            .collect();
        self.beyond_palette += beyond;
        self.bad_marks += u64::from(!marks_right);
        self.said.get_or_insert(header.total);
        self.frames.push(Frame {
            name: header.name.clone(),
            company: header.company.clone(),
            projector: header.projector,
            points,
        });
    }

    fn finish(self) -> Drawing {
        let found = self.frames.len();
        let warnings = [
            self.end,
            (self.beyond_palette > 0).then_some(Warning::IndexBeyondPalette(self.beyond_palette)),
            (self.bad_marks > 0).then_some(Warning::LastPointMark(self.bad_marks)),
            self.said
                .filter(|said| usize::from(*said) != found)
                .map(|said| Warning::FrameCount { said, found }),
        ];
        Drawing { frames: self.frames, warnings: warnings.into_iter().flatten().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pair = |p: &[u8]| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap();
        digits.chunks_exact(2).map(pair).collect()
    }

    fn square(code: &str, records: &str) -> Vec<u8> {
        bytes(&format!(
            "494c4441000000{code} 5351554152450000 54455354434f0000 0004000000010000 {records} \
             494c4441000000{code} 0000000000000000 0000000000000000 0000000000010000"
        ))
    }

    fn corners() -> Vec<Point> {
        let at = |x, y, rgb| Point { x, y, z: 0, rgb };
        vec![
            at(-32_768, -32_768, [0, 0, 0]),
            at(-32_768, 32_767, [255, 0, 0]),
            at(32_767, 32_767, [0, 255, 0]),
            at(32_767, -32_768, [0, 0, 255]),
        ]
    }

    // Vectors built from the specification by hand; each was read by two to four independent readers.
    const FORMAT_0: &str =
        "800080000000 4000 80007fff0000 0000 7fff7fff0000 0018 7fff80000000 8028";
    const FORMAT_1: &str = "800080004000 80007fff0000 7fff7fff0018 7fff80008028";
    const FORMAT_4: &str = "80008000 0000 40 0000ff 80007fff 0000 00 0000ff 7fff7fff 0000 00 00ff00 \
        7fff8000 0000 80 ff0000";
    const FORMAT_5: &str = "80008000400000ff 80007fff000000ff 7fff7fff0000ff00 7fff800080ff0000";

    #[test]
    fn one_square_in_every_format_is_one_square() {
        let cases = [("00", FORMAT_0), ("01", FORMAT_1), ("04", FORMAT_4), ("05", FORMAT_5)];
        for (code, records) in cases {
            let drawing = read(&square(code, records), ReadOptions::default()).unwrap();
            assert_eq!(drawing.warnings, [], "format {code}");
            assert_eq!(drawing.frames.len(), 1);
            let frame = &drawing.frames[0];
            assert_eq!((frame.name.as_str(), frame.company.as_str()), ("SQUARE", "TESTCO"));
            assert_eq!(frame.points, corners(), "format {code}");
        }
    }

    #[test]
    fn swapped_colours_are_swapped_back_on_request() {
        let options = ReadOptions { swap_red_blue: true, ..ReadOptions::default() };
        let drawing = read(&square("05", FORMAT_5), options).unwrap();
        assert_eq!(drawing.frames[0].points[1].rgb, [0, 0, 255]);
    }

    #[test]
    fn a_palette_colours_the_frames_of_its_projector() {
        let file = bytes(
            "494c444100000002 50414c0000000000 54455354434f0000 0003000000000000  000000 ffffff 0a141e
             494c444100000001 4c494e4500000000 54455354434f0000 0002000000010000  fc1800004000 03e800008002
             494c444100000001 0000000000000000 0000000000000000 0000000000000000",
        );
        let drawing = read(&file, ReadOptions::default()).unwrap();
        let points = &drawing.frames[0].points;
        assert_eq!(points[0], Point { x: -1000, ..Point::default() });
        assert_eq!(points[1], Point { x: 1000, rgb: [10, 20, 30], ..Point::default() });
    }

    #[test]
    fn an_index_beyond_the_palette_is_white_and_said() {
        let records = FORMAT_1.replace("8028", "80c8");
        let drawing = read(&square("01", &records), ReadOptions::default()).unwrap();
        assert_eq!(drawing.frames[0].points[3].rgb, [255, 255, 255]);
        assert_eq!(drawing.warnings, [Warning::IndexBeyondPalette(1)]);
        let options = ReadOptions { palette: Palette::Old256, ..ReadOptions::default() };
        let drawing = read(&square("01", &records), options).unwrap();
        assert_eq!(drawing.frames[0].points[1].rgb, [0, 0, 0], "index 0 of the old table is black");
        assert_eq!(drawing.warnings, []);
    }

    #[test]
    fn a_file_cut_anywhere_gives_what_is_there() {
        let file = square("05", FORMAT_5);
        for len in 0..file.len() {
            match read(&file[..len], ReadOptions::default()) {
                Ok(drawing) => {
                    assert_eq!(drawing.frames[0].points.len(), ((len - 32) / 8).min(4), "{len}");
                    assert!(drawing.warnings.contains(&Warning::Truncated));
                }
                Err(Error::NotIlda) => assert!(len < 4),
                Err(error) => assert!(error == Error::NoFrame && len < 40, "{len}"),
            }
        }
    }

    #[test]
    fn what_follows_the_frames_is_left_alone() {
        let mut file = square("05", FORMAT_5);
        let end = file.len() - 32;
        file.truncate(end);
        file.extend([0; 64]);
        let drawing = read(&file, ReadOptions::default()).unwrap();
        assert_eq!(drawing.warnings, [Warning::Appended(64)]);
        let mut unknown = file[..end].to_vec();
        unknown.extend(&square("03", "00")[..40]);
        let drawing = read(&unknown, ReadOptions::default()).unwrap();
        assert_eq!(drawing.warnings, [Warning::UnknownFormat(3)]);
    }

    #[test]
    fn wrong_marks_and_counts_do_not_matter() {
        let mut file = square("05", &FORMAT_5.replace("7fff800080", "7fff800000"));
        file[29] = 9;
        let drawing = read(&file, ReadOptions::default()).unwrap();
        assert_eq!(drawing.frames[0].points, corners());
        let expected = [Warning::LastPointMark(1), Warning::FrameCount { said: 9, found: 1 }];
        assert_eq!(drawing.warnings, expected);
    }

    #[test]
    fn other_files_are_refused() {
        for bytes in [&b""[..], b"RIFF", b"IL", &[0; 100]] {
            assert_eq!(read(bytes, ReadOptions::default()), Err(Error::NotIlda));
        }
        let empty = &square("05", FORMAT_5)[64..];
        assert_eq!(read(empty, ReadOptions::default()), Err(Error::NoFrame));
    }

    proptest! {
        /// Nothing in a file makes the reader panic or take more memory than the file is worth.
        #[test]
        fn any_bytes_are_read_or_refused(
            mut file in prop::collection::vec(any::<u8>(), 0..600),
            codes in prop::collection::vec((0_usize..500, 0_u8..7), 0..4),
        ) {
            for (at, code) in codes {
                if let Some(head) = file.get_mut(at..at + 8) {
                    head.copy_from_slice(&[b'I', b'L', b'D', b'A', 0, 0, 0, code]);
                }
            }
            if let Ok(drawing) = read(&file, ReadOptions::default()) {
                let points: usize = drawing.frames.iter().map(|f| f.points.len()).sum();
                prop_assert!(points * 6 <= file.len());
            }
        }
    }
}
