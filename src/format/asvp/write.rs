//! Writing streams: outlines in, the bytes of a file out.
//!
//! Places outside 0..=65535 cannot begin a channel and are held within; a step longer than a byte takes is
//! written as several along the same line.

use flate2::{Compress, Compression, FlushCompress};

use super::header::MAGIC;
use super::{FormatError, HEADER_BYTES, Header, MAX_PAYLOAD_BYTES};
use crate::format::outlines::{Outlines, Place};

/// Collects frames; the table needs every size before the first byte can be written.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    blocks: Vec<Vec<u8>>,
}

impl Writer {
    /// Adds a frame.
    ///
    /// # Errors
    /// [`FormatError::Unwritable`], [`FormatError::TooManyFrames`].
    pub fn push(&mut self, outlines: &Outlines) -> Result<(), FormatError> {
        if self.blocks.len() == super::MAX_FRAMES {
            return Err(FormatError::TooManyFrames);
        }
        self.blocks.push(emit_block(outlines)?);
        Ok(())
    }

    /// Frames so far.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.blocks.len()
    }

    /// The bytes of a plain stream: all four fields of its header are filled.
    #[must_use]
    pub fn plain(&self) -> Vec<u8> {
        let mut out = self.head(MAGIC);
        self.blocks.iter().for_each(|block| out.extend_from_slice(block));
        out
    }

    /// Header and table of the stream.
    pub(crate) fn head(&self, magic: [u8; 8]) -> Vec<u8> {
        let sizes: Vec<u8> =
            self.blocks.iter().flat_map(|block| (block.len() as u64).to_le_bytes()).collect();
        let table = deflate(&sizes);
        let header = Header {
            magic,
            frames_hint: self.blocks.len() as u32,
            table_bytes: table.len() as u32,
        };
        let mut out = Vec::with_capacity(HEADER_BYTES + table.len());
        out.extend_from_slice(&header.emit());
        out.extend_from_slice(&table);
        out
    }

    /// The blocks of the frames.
    pub(crate) fn blocks(&self) -> &[Vec<u8>] {
        &self.blocks
    }
}

/// A frame's block: length and compressed payload.
fn emit_block(outlines: &Outlines) -> Result<Vec<u8>, FormatError> {
    let channels: Vec<Vec<u8>> = outlines.channels().map(emit_channel).collect();
    let mut payload = (channels.len() as u32).to_le_bytes().to_vec();
    for channel in &channels {
        payload.extend_from_slice(&(channel.len() as u32).to_le_bytes());
    }
    for channel in &channels {
        payload.extend_from_slice(channel);
    }
    if payload.len() > MAX_PAYLOAD_BYTES as usize {
        return Err(FormatError::Unwritable { bytes: payload.len() });
    }
    let mut block = (payload.len() as u32).to_le_bytes().to_vec();
    block.extend_from_slice(&deflate(&payload));
    Ok(block)
}

fn emit_channel(places: &[Place]) -> Vec<u8> {
    let Some((first, rest)) = places.split_first() else { return Vec::new() };
    let start = |v: i32| v.clamp(0, i32::from(u16::MAX)) as u16;
    let mut at = Place::new(start(first.x).into(), start(first.y).into());
    let mut out = Vec::with_capacity(4 + 2 * rest.len());
    out.extend_from_slice(&(at.x as u16).to_le_bytes());
    out.extend_from_slice(&(at.y as u16).to_le_bytes());
    for to in rest {
        let (dx, dy) = (i64::from(to.x) - i64::from(at.x), i64::from(to.y) - i64::from(at.y));
        let steps = (dx.abs().max(dy.abs()) + 126) / 127;
        let mut gone = (0, 0);
        for k in 1..=steps {
            let next = (dx * k / steps, dy * k / steps);
            out.push(((next.0 - gone.0) as i8).cast_unsigned());
            out.push(((next.1 - gone.1) as i8).cast_unsigned());
            gone = next;
        }
        at = *to;
    }
    out
}

/// Compresses as hard as zlib does, in one go.
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), true);
    let mut out = Vec::with_capacity(64 + bytes.len() / 2);
    loop {
        let rest = &bytes[compress.total_in() as usize..];
        // A stream in memory fails only if it is used wrongly, and ends as soon as it has room.
        match compress.compress_vec(rest, &mut out, FlushCompress::Finish) {
            Ok(flate2::Status::StreamEnd) | Err(_) => return out,
            Ok(_) => out.reserve(out.capacity().max(64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{inflate_block, parse_header, parse_payload, parse_table};
    use super::*;
    use flate2::Decompress;
    use proptest::prelude::*;

    fn outlines(channels: &[Vec<(i32, i32)>]) -> Outlines {
        let mut outlines = Outlines::default();
        for channel in channels {
            outlines.push(channel.iter().map(|&(x, y)| Place::new(x, y)));
        }
        outlines
    }

    fn read_all(bytes: &[u8]) -> Vec<Outlines> {
        let header = parse_header(bytes).unwrap();
        let body = 16 + u64::from(header.table_bytes);
        let table = parse_table(&bytes[16..body as usize], body).unwrap();
        assert!(header.is_plain());
        assert_eq!(header.frames_hint as usize, table.len());
        assert_eq!(table.end(), bytes.len() as u64);
        let mut payload = Vec::new();
        let read = |k| {
            let range = table.range(k).unwrap();
            let block = &bytes[range.start as usize..range.end as usize];
            inflate_block(block, &mut Decompress::new(true), &mut payload).unwrap();
            let mut outlines = Outlines::default();
            parse_payload(&payload, &mut outlines).unwrap();
            outlines
        };
        (0..table.len()).map(read).collect()
    }

    #[test]
    fn a_stream_without_a_frame_can_be_written() {
        assert!(read_all(&Writer::default().plain()).is_empty());
    }

    #[test]
    fn a_long_step_is_written_as_several_on_the_same_line() {
        let mut writer = Writer::default();
        writer.push(&outlines(&[vec![(10, 1000), (1010, 500)]])).unwrap();
        let read = read_all(&writer.plain());
        let places = read[0].places();
        assert_eq!(places.len(), 9);
        assert_eq!(*places.last().unwrap(), Place::new(1010, 500));
        for place in places {
            assert!((f64::from(place.y) - (1000.0 - f64::from(place.x - 10) / 2.0)).abs() <= 1.0);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            frames in prop::collection::vec(
                prop::collection::vec(
                    (0..60_000_i32, 0..60_000_i32,
                        prop::collection::vec((-127..=127_i32, -127..=127_i32), 0..40)),
                    0..5),
                0..6),
        ) {
            let frames: Vec<Outlines> = frames.iter().map(|frame| {
                let channels: Vec<Vec<_>> = frame.iter().map(|(x, y, steps)| {
                    let mut at = (*x, *y);
                    let mut channel = vec![at];
                    for (dx, dy) in steps.iter().filter(|step| **step != (0, 0)) {
                        at = (at.0 + dx, at.1 + dy);
                        channel.push(at);
                    }
                    channel
                }).collect();
                outlines(&channels)
            }).collect();
            let mut writer = Writer::default();
            for frame in &frames {
                writer.push(frame).unwrap();
            }
            prop_assert_eq!(read_all(&writer.plain()), frames);
        }
    }
}
