//! The header before every frame and palette: 32 bytes, big endian.

use super::Error;

/// Where each field lies.
pub(super) mod at {
    use core::ops::Range;
    pub(super) const MAGIC: Range<usize> = 0..4;
    pub(super) const FORMAT: usize = 7;
    pub(super) const NAME: Range<usize> = 8..16;
    pub(super) const COMPANY: Range<usize> = 16..24;
    pub(super) const RECORDS: Range<usize> = 24..26;
    pub(super) const NUMBER: Range<usize> = 26..28;
    pub(in crate::format::ilda) const TOTAL: Range<usize> = 28..30;
    pub(super) const PROJECTOR: usize = 30;
}

/// Length of a header, bytes.
pub(super) const HEADER_BYTES: usize = 32;
const MAGIC: &[u8; 4] = b"ILDA";

/// What records hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Indexed3d,
    Indexed2d,
    Palette,
    True3d,
    True2d,
}

impl Format {
    pub(super) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Indexed3d,
            1 => Self::Indexed2d,
            2 => Self::Palette,
            4 => Self::True3d,
            5 => Self::True2d,
            _ => return None,
        })
    }

    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Indexed3d => 0,
            Self::Indexed2d => 1,
            Self::Palette => 2,
            Self::True3d => 4,
            Self::True2d => 5,
        }
    }

    pub(super) const fn record_bytes(self) -> usize {
        match self {
            Self::Indexed3d | Self::True2d => 8,
            Self::Indexed2d => 6,
            Self::Palette => 3,
            Self::True3d => 10,
        }
    }
}

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The format code as it stands there.
    pub(super) code: u8,
    pub(super) name: String,
    pub(super) company: String,
    pub(super) records: u16,
    pub(super) number: u16,
    pub(super) total: u16,
    pub(super) projector: u8,
}

impl Header {
    pub(super) fn parse(bytes: &[u8; HEADER_BYTES]) -> Result<Self, Error> {
        if bytes[at::MAGIC] != *MAGIC {
            return Err(Error::NotIlda);
        }
        let number = |range: core::ops::Range<usize>| {
            u16::from_be_bytes([bytes[range.start], bytes[range.start + 1]])
        };
        Ok(Self {
            code: bytes[at::FORMAT],
            name: text(&bytes[at::NAME]),
            company: text(&bytes[at::COMPANY]),
            records: number(at::RECORDS),
            number: number(at::NUMBER),
            total: number(at::TOTAL),
            projector: bytes[at::PROJECTOR],
        })
    }

    pub(super) fn emit(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[at::MAGIC].copy_from_slice(MAGIC);
        out[at::FORMAT] = self.code;
        put_text(&mut out[at::NAME], &self.name);
        put_text(&mut out[at::COMPANY], &self.company);
        out[at::RECORDS].copy_from_slice(&self.records.to_be_bytes());
        out[at::NUMBER].copy_from_slice(&self.number.to_be_bytes());
        out[at::TOTAL].copy_from_slice(&self.total.to_be_bytes());
        out[at::PROJECTOR] = self.projector;
        out
    }
}

/// Names end at the first zero, and many are padded with spaces.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let printable = |b: &u8| if (0x20..0x7f).contains(b) { char::from(*b) } else { '?' };
    bytes[..end].iter().map(printable).collect::<String>().trim_end().to_owned()
}

fn put_text(out: &mut [u8], text: &str) {
    let printable = text.chars().map(|c| if (' '..='~').contains(&c) { c as u8 } else { b'?' });
    for (slot, byte) in out.iter_mut().zip(printable) {
        *slot = byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_written_is_the_header_read() {
        let header = Header {
            code: 5,
            name: "SQUARE".into(),
            company: "TESTCO".into(),
            records: 4,
            number: 0,
            total: 1,
            projector: 3,
        };
        assert_eq!(Header::parse(&header.emit()).unwrap(), header);
    }

    #[test]
    fn names_end_at_zero_and_lose_their_padding() {
        assert_eq!(text(b"ABC\0DEFG"), "ABC");
        assert_eq!(text(b"ABC     "), "ABC");
        assert_eq!(text(&[0xff; 8]), "????????");
        let mut out = [0; 8];
        put_text(&mut out, "a name that is too long");
        assert_eq!(&out, b"a name t");
    }

    #[test]
    fn other_bytes_are_no_header() {
        assert_eq!(Header::parse(&[0; HEADER_BYTES]), Err(Error::NotIlda));
    }
}
