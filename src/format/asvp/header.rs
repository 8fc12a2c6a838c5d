//! The first 16 bytes.

use super::{FormatError, u32_at};

/// Length of the header.
pub const HEADER_BYTES: usize = 16;
/// Longest compressed table that is read, bytes.
pub const MAX_TABLE_BYTES: u32 = 64 << 20;

pub(super) const MAGIC: [u8; 8] = *b"ASVPPLN1";

/// What the header says. Only the length of the table is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Magic and version as found: `ASVP` `PLN1` in a plain stream; other values are no error.
    pub magic: [u8; 8],
    /// Number of frames as the writer put it, often 0. The table counts.
    pub frames_hint: u32,
    /// Length of the compressed table that follows.
    pub table_bytes: u32,
}

impl Header {
    /// True for the magic and version of a plain stream.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.magic == MAGIC
    }

    /// The header's bytes.
    #[must_use]
    pub fn emit(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[..8].copy_from_slice(&self.magic);
        out[8..12].copy_from_slice(&self.frames_hint.to_le_bytes());
        out[12..].copy_from_slice(&self.table_bytes.to_le_bytes());
        out
    }
}

/// Reads a header.
///
/// # Errors
/// [`FormatError::Short`] below 16 bytes; [`FormatError::NotAStream`] if the table were longer than
/// [`MAX_TABLE_BYTES`].
pub fn parse_header(bytes: &[u8]) -> Result<Header, FormatError> {
    let short = FormatError::Short { needed: HEADER_BYTES as u64 };
    let frames_hint = u32_at(bytes, 8).ok_or(short)?;
    let table_bytes = u32_at(bytes, 12).ok_or(short)?;
    if table_bytes > MAX_TABLE_BYTES {
        return Err(FormatError::NotAStream);
    }
    let mut magic = [0; 8];
    magic.copy_from_slice(&bytes[..8]);
    Ok(Header { magic, frames_hint, table_bytes })
}

#[cfg(test)]
mod tests {
    use super::super::samples::{A, C, bytes};
    use super::*;

    #[test]
    fn a_header_reads_and_emits_the_same_bytes() {
        for (sample, plain, frames) in [(A, true, 1), (C, false, 0)] {
            let bytes = bytes(sample);
            let header = parse_header(&bytes).unwrap();
            assert_eq!((header.is_plain(), header.frames_hint), (plain, frames));
            assert_eq!(header.emit(), bytes[..16]);
        }
    }

    /// AS-18: sheet §3: checked before anything is read or allocated by it.
    #[test]
    fn an_absurd_table_length_and_a_short_header_are_refused() {
        let mut bytes = bytes(A);
        assert_eq!(parse_header(&bytes[..15]), Err(FormatError::Short { needed: 16 }));
        bytes[12..16].fill(0xff);
        assert_eq!(parse_header(&bytes), Err(FormatError::NotAStream));
    }
}
