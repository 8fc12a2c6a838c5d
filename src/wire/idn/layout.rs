//! What the bytes of a sample mean: a list of 16-bit tags, read once for a stream.
//! Spec: docs/protocols/idn.md#tags

use super::{Error, u16_at};
use crate::point::LaserPoint;

/// 8-bit colours without intensity, 7 bytes a sample: what ILDA files hold, and DexLogic's programs send.
pub const LAYOUT_8BIT: [u16; 8] = [0x4200, 0x4010, 0x4210, 0x4010, 0x527e, 0x5214, 0x51cc, 0x0000];
/// 8-bit colours and intensity, 8 bytes a sample: the Helios SDK's standard.
pub const LAYOUT_INTENSITY: [u16; 8] =
    [0x4200, 0x4010, 0x4210, 0x4010, 0x527e, 0x5214, 0x51cc, 0x5c10];
/// 16-bit colours, 10 bytes a sample: the Helios SDK's high resolution, and what galvo sends.
pub const LAYOUT_16BIT: [u16; 10] =
    [0x4200, 0x4010, 0x4210, 0x4010, 0x527e, 0x4010, 0x5214, 0x4010, 0x51cc, 0x4010];
/// 16-bit colours, intensity, three user lines and X′, 20 bytes a sample: the Helios SDK's extended set.
pub const LAYOUT_EXTENDED: [u16; 20] = [
    0x4200, 0x4010, 0x4210, 0x4010, 0x527e, 0x4010, 0x5214, 0x4010, 0x51cc, 0x4010, 0x5c10, 0x4010,
    0x51bd, 0x4010, 0x5241, 0x4010, 0x51e8, 0x4010, 0x4201, 0x4010,
];

/// What a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    X,
    Y,
    Red,
    Green,
    Blue,
    Intensity,
}

/// Where a field lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    at: usize,
    bytes: usize,
}

impl Field {
    /// The value's top 16 bits; a single byte is spread over both.
    fn drive(self, sample: &[u8]) -> u16 {
        match self.bytes {
            0 => 0,
            1 => u16::from(sample.get(self.at).copied().unwrap_or_default()) * 0x0101,
            _ => u16_at(sample, self.at),
        }
    }

    /// Signed: a single byte is the upper one.
    fn place(self, sample: &[u8]) -> i16 {
        match self.bytes {
            0 => 0,
            1 => i16::from(sample.get(self.at).copied().unwrap_or_default() as i8) << 8,
            _ => u16_at(sample, self.at) as i16,
        }
    }
}

/// A sample as a device understands it: what galvo can show of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// −32 768 left to 32 767 right.
    pub x: i16,
    /// −32 768 bottom to 32 767 top.
    pub y: i16,
    /// Red drive.
    pub r: u16,
    /// Green drive.
    pub g: u16,
    /// Blue drive.
    pub b: u16,
    /// Intensity; the largest colour where the stream has none.
    pub i: u16,
}

impl Sample {
    /// The point in the projector's normal coordinates.
    #[must_use]
    pub fn to_point(&self) -> LaserPoint {
        let coordinate = |v: i16| (f32::from(v) / 32_767.0).max(-1.0);
        LaserPoint {
            x: coordinate(self.x),
            y: coordinate(self.y),
            r: self.r,
            g: self.g,
            b: self.b,
            i: self.i,
        }
    }
}

/// A list of tags, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    sample_bytes: usize,
    x: Field,
    y: Field,
    colours: [Field; 3],
    intensity: Option<Field>,
}

impl Layout {
    /// Reads the words of a channel configuration, four bytes each. Unknown tags of known groups are stepped
    /// over; a tag of an unknown group is an error, for nobody knows how long it is.
    pub fn parse(words: &[u8]) -> Result<Self, Error> {
        let mut at = 0;
        let mut found: [Option<Field>; 6] = [None; 6];
        let mut open: Option<Role> = None;
        let (pairs, _) = words.as_chunks::<2>();
        let mut tags = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
        while let Some(tag) = tags.next() {
            let role = match tag {
                // Void: skips so many words.
                0x0000..=0x000f => {
                    for _ in 0..tag {
                        tags.next();
                    }
                    continue;
                }
                // A second scan head, which galvo does not show.
                0x1000..=0x10ff => break,
                0x1100..=0x11ff => continue,
                0x4010 => {
                    if let Some(field) = open.and_then(|role| found[role as usize].as_mut()) {
                        field.bytes += 1;
                    }
                    at += 1;
                    continue;
                }
                0x4200 => Some(Role::X),
                0x4210 => Some(Role::Y),
                // Prefix of a longer wavelength: no byte of its own.
                0x5c00..=0x5c0f => continue,
                0x5c10 => Some(Role::Intensity),
                0x527e => Some(Role::Red),
                0x5214 => Some(Role::Green),
                0x51cc => Some(Role::Blue),
                0x4000..=0x42ff | 0x5000..=0x53ff | 0x5c11..=0x5cff => None,
                unknown => return Err(Error::UnknownTag(unknown)),
            };
            if let Some(role) = role {
                found[role as usize].get_or_insert(Field { at, bytes: 1 });
            }
            open = role;
            at += 1;
        }
        let [Some(x), Some(y), red, green, blue, intensity] = found else {
            return Err(Error::NotGraphic);
        };
        if red.or(green).or(blue).is_none() {
            return Err(Error::NotGraphic);
        }
        let colours = [red, green, blue].map(|colour| colour.unwrap_or(Field { at: 0, bytes: 0 }));
        Ok(Self { sample_bytes: at, x, y, colours, intensity })
    }

    /// Length of a sample.
    #[must_use]
    pub const fn sample_bytes(&self) -> usize {
        self.sample_bytes
    }

    /// The samples of a chunk; `None` if they do not come out even.
    pub fn samples<'a>(&'a self, data: &'a [u8]) -> Option<impl Iterator<Item = Sample> + 'a> {
        let even = data.len().is_multiple_of(self.sample_bytes);
        even.then(|| data.chunks_exact(self.sample_bytes).map(|bytes| self.sample(bytes)))
    }

    fn sample(&self, bytes: &[u8]) -> Sample {
        let [r, g, b] = self.colours.map(|colour| colour.drive(bytes));
        let i = self.intensity.map_or(r.max(g).max(b), |intensity| intensity.drive(bytes));
        Sample { x: self.x.place(bytes), y: self.y.place(bytes), r, g, b, i }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;
    use proptest::prelude::*;

    fn layout(tags: &[u16]) -> Result<Layout, Error> {
        let words: Vec<u8> = tags.iter().flat_map(|tag| tag.to_be_bytes()).collect();
        Layout::parse(&words)
    }

    #[test]
    fn the_four_common_sets_have_their_known_lengths() {
        let lengths = [
            layout(&LAYOUT_8BIT),
            layout(&LAYOUT_INTENSITY),
            layout(&LAYOUT_16BIT),
            layout(&LAYOUT_EXTENDED),
        ]
        .map(|layout| layout.unwrap().sample_bytes());
        assert_eq!(lengths, [7, 8, 10, 20]);
    }

    /// The first sample of a stream observed on the OpenIDN server, and one of the Helios SDK.
    #[test]
    fn observed_samples_read_as_they_were_drawn() {
        let plain = layout(&LAYOUT_8BIT).unwrap();
        let first = plain.samples(&hex("c5680000000080")).unwrap().next().unwrap();
        assert_eq!(first, Sample { x: -15_000, y: 0, r: 0, g: 0, b: 0x8080, i: 0x8080 });
        let standard = layout(&LAYOUT_INTENSITY).unwrap();
        let first = standard.samples(&hex("80007ff0ff0000ff")).unwrap().next().unwrap();
        assert_eq!(first, Sample { x: -32_768, y: 32_752, r: 65_535, g: 0, b: 0, i: 65_535 });
    }

    #[test]
    fn unknown_tags_of_known_groups_are_stepped_over_and_unknown_groups_refused() {
        // An ignored byte, Z in 16 bits, an unknown line, then a skipped word.
        let tags = [0x4000, 0x4200, 0x4210, 0x4220, 0x4010, 0x5111, 0x4010, 0x527e, 0x0001, 0xffff];
        let read = layout(&tags).unwrap();
        assert_eq!(read.sample_bytes(), 8);
        let sample = read.samples(&hex("aa 10 20 3333 4444 ff")).unwrap().next().unwrap();
        assert_eq!((sample.x, sample.y, sample.r), (0x1000, 0x2000, 0xffff));
        assert_eq!(layout(&[0x4200, 0x4210, 0x527e, 0x6000]), Err(Error::UnknownTag(0x6000)));
        assert_eq!(layout(&[0x4200, 0x527e]), Err(Error::NotGraphic));
        assert_eq!(layout(&[0x4200, 0x4210]), Err(Error::NotGraphic));
    }

    #[test]
    fn data_that_does_not_come_out_even_is_refused() {
        let plain = layout(&LAYOUT_8BIT).unwrap();
        assert!(plain.samples(&[0; 20]).is_none());
        assert_eq!(plain.samples(&[0; 21]).unwrap().count(), 3);
    }

    proptest! {
        #[test]
        fn any_tags_and_data_read_or_are_refused(
            words in proptest::collection::vec(any::<u8>(), 0..80),
            data in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            if let Ok(layout) = Layout::parse(&words)
                && let Some(samples) = layout.samples(&data)
            {
                prop_assert_eq!(samples.count(), data.len() / layout.sample_bytes());
            }
        }
    }
}
