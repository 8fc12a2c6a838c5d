//! One frame: a length, then a compressed payload of channels.

use flate2::{Decompress, FlushDecompress, Status};

use super::{FormatError, u32_at};
use crate::format::outlines::{Outlines, Place};

/// Largest payload of one frame, bytes.
pub const MAX_PAYLOAD_BYTES: u32 = 16 << 20;
/// Deflate makes at most 1032 bytes of one; a block that says more lies.
const MOST_GROWTH: u64 = 1032;

/// Inflates a frame's block into `payload`, whose memory is used again.
///
/// # Errors
/// The block is too short, says more than [`MAX_PAYLOAD_BYTES`] or than its bytes can make, or does not
/// inflate to exactly what it says.
pub fn inflate_block(
    block: &[u8],
    inflate: &mut Decompress,
    payload: &mut Vec<u8>,
) -> Result<(), FormatError> {
    payload.clear();
    let bytes = u32_at(block, 0).ok_or(FormatError::ShortBlock { bytes: block.len() })?;
    if bytes > MAX_PAYLOAD_BYTES {
        return Err(FormatError::PayloadTooLarge { bytes });
    }
    let wrong = FormatError::Inflate { bytes };
    let compressed = &block[4..];
    if u64::from(bytes) > (compressed.len() as u64).saturating_mul(MOST_GROWTH) {
        return Err(wrong);
    }
    payload.resize(bytes as usize, 0);
    inflate.reset(true);
    // The end of the stream and its checksum lie after the last byte, which a full buffer alone does not read.
    let mut status =
        inflate.decompress(compressed, payload, FlushDecompress::Finish).map_err(|_| wrong)?;
    if status != Status::StreamEnd {
        let mut surplus = [0_u8; 1];
        let rest = compressed.get(inflate.total_in() as usize..).unwrap_or(&[]);
        status =
            inflate.decompress(rest, &mut surplus, FlushDecompress::Finish).map_err(|_| wrong)?;
    }
    if status != Status::StreamEnd || inflate.total_out() != u64::from(bytes) {
        payload.clear();
        return Err(wrong);
    }
    Ok(())
}

/// Reads an inflated payload into `outlines`, whose memory is used again. A channel too short for a place and
/// a byte without its pair are passed over and counted.
///
/// # Errors
/// [`FormatError::ChannelSizes`].
pub fn parse_payload(payload: &[u8], outlines: &mut Outlines) -> Result<(), FormatError> {
    outlines.clear();
    let count = u32_at(payload, 0).ok_or(FormatError::ChannelSizes)?;
    let first = 4 + 4 * u64::from(count);
    if first > payload.len() as u64 {
        return Err(FormatError::ChannelSizes);
    }
    let (sizes, mut rest) = payload[4..].split_at(first as usize - 4);
    let (sizes, _) = sizes.as_chunks::<4>();
    let total: u64 = sizes.iter().map(|size| u64::from(u32::from_le_bytes(*size))).sum();
    if total != rest.len() as u64 {
        return Err(FormatError::ChannelSizes);
    }
    for size in sizes {
        let channel;
        (channel, rest) = rest.split_at(u32::from_le_bytes(*size) as usize);
        outlines.short_channels += u32::from(channel.len() < 4);
        outlines.odd_bytes += u32::from(channel.len() > 4 && channel.len() % 2 == 1);
        outlines.push(channel_places(channel));
    }
    Ok(())
}

/// The places of one channel: the first in full, the others as steps from the one before. None below 4 bytes.
pub fn channel_places(channel: &[u8]) -> impl Iterator<Item = Place> + '_ {
    let (first, steps) = match channel {
        [x0, x1, y0, y1, steps @ ..] => {
            let x = i32::from(u16::from_le_bytes([*x0, *x1]));
            let y = i32::from(u16::from_le_bytes([*y0, *y1]));
            (Some(Place::new(x, y)), steps)
        }
        _ => (None, &[][..]),
    };
    let mut at = first.unwrap_or_default();
    let (steps, _) = steps.as_chunks::<2>();
    first.into_iter().chain(steps.iter().map(move |[dx, dy]| {
        at.x += i32::from(dx.cast_signed());
        at.y += i32::from(dy.cast_signed());
        at
    }))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{A, B, bytes};
    use super::*;
    use proptest::prelude::*;

    fn read(block: &[u8]) -> Result<Outlines, FormatError> {
        let (mut payload, mut outlines) = (Vec::new(), Outlines::default());
        inflate_block(block, &mut Decompress::new(true), &mut payload)?;
        parse_payload(&payload, &mut outlines)?;
        Ok(outlines)
    }

    fn channels(outlines: &Outlines) -> Vec<Vec<(i32, i32)>> {
        outlines.channels().map(|c| c.iter().map(|p| (p.x, p.y)).collect()).collect()
    }

    /// AS-04, AS-18: the sheet's files A and B.
    #[test]
    fn the_sheets_frames_hold_their_outlines() {
        let square = vec![(10, 10), (20, 10), (20, 20), (10, 20), (10, 10)];
        assert_eq!(channels(&read(&bytes(A)[35..]).unwrap()), [square]);
        let b = bytes(B);
        assert_eq!(channels(&read(&b[43..62]).unwrap()), Vec::<Vec<_>>::new());
        let three = [vec![(4, 4), (12, 4), (4, 12)], vec![(20, 20)], vec![(24, 2), (28, 6)]];
        assert_eq!(channels(&read(&b[62..]).unwrap()), three);
    }

    /// AS-18: sheet §3 and the files "broken on purpose".
    #[test]
    fn a_frame_that_lies_is_refused() {
        let good = bytes(A)[35..].to_vec();
        let broken = |changes: &[(usize, u8)]| {
            let mut block = good.clone();
            for &(at, byte) in changes {
                block[at - 35] = byte;
            }
            read(&block).unwrap_err()
        };
        assert_eq!(broken(&[(35, 0x15)]), FormatError::Inflate { bytes: 21 });
        assert_eq!(broken(&[(35, 0x13)]), FormatError::Inflate { bytes: 19 });
        let sum = [(50, 0x0d), (66, 0x07), (67, 0x24), (68, 0x02), (69, 0x23)];
        assert_eq!(broken(&sum), FormatError::ChannelSizes);
        assert_eq!(broken(&[(69, 0x23)]), FormatError::Inflate { bytes: 20 });
        let huge = [(35, 0xff), (36, 0xff), (37, 0xff), (38, 0xff)];
        assert_eq!(broken(&huge), FormatError::PayloadTooLarge { bytes: u32::MAX });
        assert_eq!(broken(&[(37, 0xff)]), FormatError::Inflate { bytes: 0x00ff_0014 });
        assert_eq!(read(&good[..3]), Err(FormatError::ShortBlock { bytes: 3 }));
        for cut in 4..good.len() {
            assert!(read(&good[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn sums_leave_the_plane_both_ways_and_odd_ends_are_counted() {
        let mut payload = 3_u32.to_le_bytes().to_vec();
        for size in [7_u32, 3, 6] {
            payload.extend(size.to_le_bytes());
        }
        payload.extend([5, 0, 255, 255, 0x80, 0x7f, 9]);
        payload.extend([1, 2, 3]);
        payload.extend([0, 0, 0, 0, 0xff, 0x80]);
        let mut outlines = Outlines::default();
        parse_payload(&payload, &mut outlines).unwrap();
        let expected = [vec![(5, 65_535), (-123, 65_662)], vec![(0, 0), (-1, -128)]];
        assert_eq!(channels(&outlines), expected);
        assert_eq!((outlines.short_channels, outlines.odd_bytes), (1, 1));
    }

    #[test]
    fn channel_sizes_are_summed_without_overflow() {
        let mut payload = 2_u32.to_le_bytes().to_vec();
        payload.extend([0xff; 4]);
        payload.extend([5, 0, 0, 0]);
        payload.extend([0; 4]);
        let refused = Err(FormatError::ChannelSizes);
        assert_eq!(parse_payload(&payload, &mut Outlines::default()), refused);
        assert_eq!(parse_payload(&[0xff; 4], &mut Outlines::default()), refused);
        assert_eq!(parse_payload(&[0; 3], &mut Outlines::default()), refused);
    }

    proptest! {
        /// AS-13: any bytes are a frame or refused.
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut outlines = Outlines::default();
            if parse_payload(&bytes, &mut outlines).is_ok() {
                prop_assert!(outlines.places().len() * 2 <= bytes.len());
            }
            prop_assert!(read(&bytes).is_ok() || read(&bytes).is_err());
        }
    }
}
