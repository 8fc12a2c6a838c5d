//! The table of sizes: where each frame's block lies.

use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};

use super::FormatError;

/// Most frames of a stream: 77 hours at 60 a second.
pub const MAX_FRAMES: usize = 1 << 24;

/// Where the blocks lie: one offset a frame, and the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    offsets: Vec<u64>,
}

impl Table {
    /// Number of frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// True without a frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of frame `index` in the source; `None` past the last frame.
    #[must_use]
    pub fn range(&self, index: usize) -> Option<Range<u64>> {
        let end = *self.offsets.get(index.checked_add(1)?)?;
        Some(self.offsets[index]..end)
    }

    /// The end of the last block: the length of the whole source.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offsets[self.offsets.len() - 1]
    }
}

/// Reads the compressed table whose first block begins at byte `body` of the source. Memory: 8 bytes a frame.
///
/// # Errors
/// It does not inflate, is no whole number of entries, has more than [`MAX_FRAMES`], or adds up to more than
/// 2⁶⁴ bytes.
pub fn parse_table(compressed: &[u8], body: u64) -> Result<Table, FormatError> {
    let mut inflate = Decompress::new(true);
    let mut piece = [0_u8; 16 * 1024];
    let mut kept = 0;
    let mut offsets = vec![body];
    let mut end = body;
    loop {
        let (in_before, out_before) = (inflate.total_in(), inflate.total_out());
        let rest = compressed.get(in_before as usize..).unwrap_or(&[]);
        let status = inflate
            .decompress(rest, &mut piece[kept..], FlushDecompress::None)
            .map_err(|_| FormatError::NotAStream)?;
        let filled = kept + (inflate.total_out() - out_before) as usize;
        let (sizes, _) = piece[..filled].as_chunks::<8>();
        if offsets.len() - 1 + sizes.len() > MAX_FRAMES {
            return Err(FormatError::TooManyFrames);
        }
        for size in sizes {
            end = end.checked_add(u64::from_le_bytes(*size)).ok_or(FormatError::SizesOverflow)?;
            offsets.push(end);
        }
        let whole = filled / 8 * 8;
        piece.copy_within(whole..filled, 0);
        kept = filled - whole;
        match status {
            Status::StreamEnd if kept == 0 => break,
            Status::StreamEnd => return Err(FormatError::NotAStream),
            // Neither taken nor given: the stream is cut.
            _ if inflate.total_in() == in_before && inflate.total_out() == out_before => {
                return Err(FormatError::NotAStream);
            }
            _ => {}
        }
    }
    offsets.shrink_to_fit();
    Ok(Table { offsets })
}

#[cfg(test)]
mod tests {
    use super::super::samples::{A, B, bytes};
    use super::super::write::deflate;
    use super::*;

    fn table_of(sizes: impl IntoIterator<Item = u64>) -> Result<Table, FormatError> {
        let bytes: Vec<u8> = sizes.into_iter().flat_map(u64::to_le_bytes).collect();
        parse_table(&deflate(&bytes), 100)
    }

    #[test]
    fn the_sheets_tables_name_their_blocks() {
        let a = parse_table(&bytes(A)[16..35], 35).unwrap();
        assert_eq!((a.len(), a.range(0), a.range(1)), (1, Some(35..70), None));
        let b = parse_table(&bytes(B)[16..43], 43).unwrap();
        assert_eq!((b.range(0), b.range(1), b.end()), (Some(43..62), Some(62..111), 111));
    }

    #[test]
    fn a_long_table_is_read_across_pieces() {
        let table = table_of((0..100_000).map(|k| k % 977)).unwrap();
        assert_eq!(table.len(), 100_000);
        let before: u64 = (0..54_321_u64).map(|k| k % 977).sum();
        assert_eq!(table.range(54_321).unwrap(), 100 + before..100 + before + 54_321 % 977);
    }

    /// AS-18: sheet §3.
    #[test]
    fn a_table_that_lies_is_refused() {
        assert_eq!(table_of([u64::MAX - 50, 100]), Err(FormatError::SizesOverflow));
        let odd = parse_table(&deflate(&[0; 12]), 0);
        assert_eq!(odd, Err(FormatError::NotAStream));
        let good = deflate(&[1; 800]);
        for cut in 0..good.len() {
            assert_eq!(parse_table(&good[..cut], 0), Err(FormatError::NotAStream), "{cut}");
        }
        assert_eq!(table_of([]).unwrap().len(), 0);
    }

    #[test]
    fn a_table_of_more_than_the_most_frames_stops_there() {
        let zeros = vec![0; (MAX_FRAMES + 1) * 8];
        assert_eq!(parse_table(&deflate(&zeros), 0), Err(FormatError::TooManyFrames));
        assert_eq!(parse_table(&deflate(&zeros[8..]), 0).unwrap().len(), MAX_FRAMES);
    }
}
