//! Where the frames of an MP3 file lie, so that a seek goes straight to its frame.
//!
//! MPEG audio has no table of its own: a frame's number is known only by walking from the first one, header by header. The
//! walk is done once, as far as needed, and remembered. Anything out of order ends it: then the format crate seeks
//! its own way, which is slower and copes with all.

use std::io::{self, Read, Seek, SeekFrom};

use crate::format::mpeg_frames::{FrameKind, frame};

/// Bytes read at once.
const BLOCK_BYTES: usize = 256 << 10;
/// Every so manieth frame is remembered.
const STRIDE: u64 = 16;

/// The walk so far.
#[derive(Debug)]
pub(super) struct MpegIndex {
    kind: FrameKind,
    /// Frame number k · [`STRIDE`] begins here.
    places: Vec<u64>,
    /// Number and place of the next frame to look at.
    next: (u64, u64),
    /// The file ended, or what came was no frame.
    ended: bool,
}

impl MpegIndex {
    /// An index of a file whose first frame of music begins at `first`. `None` if no layer III frame is there.
    fn beginning_at(header: [u8; 4], first: u64) -> Option<Self> {
        let (kind, _) = parse(header)?;
        Some(Self { kind, places: Vec::new(), next: (0, first), ended: false })
    }

    /// Finds the first frame of music: after tags in front, and after the frame that only describes the file.
    pub(super) fn open(file: &mut (impl Read + Seek)) -> Option<Self> {
        let mut at = 0;
        let mut start = [0; 10];
        loop {
            file.seek(SeekFrom::Start(at)).ok()?;
            file.read_exact(&mut start).ok()?;
            if &start[..3] != b"ID3" {
                break;
            }
            let size = start[6..].iter().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7F));
            let footer = if start[5] & 0x10 == 0 { 0 } else { 10 };
            at += 10 + size + footer;
        }
        let header = *start.first_chunk()?;
        let (_, frame_bytes) = parse(header)?;
        let mut frame = vec![0; frame_bytes];
        file.seek(SeekFrom::Start(at)).ok()?;
        file.read_exact(&mut frame).ok()?;
        let describes =
            |tag: &[u8]| frame.get(4..64).is_some_and(|f| f.windows(4).any(|w| w == tag));
        if [&b"Xing"[..], b"Info", b"VBRI"].into_iter().any(describes) {
            at += frame_bytes as u64;
        }
        Self::beginning_at(header, at)
    }

    /// Sample frames of an MPEG frame.
    pub(super) fn frame_len(&self) -> u64 {
        // Version 1 has two granules of 576, the others one.
        if self.kind.is_version_1() { 1152 } else { 576 }
    }

    /// A remembered frame at or before frame `number`, and where it begins. `None` if the walk does not get there.
    pub(super) fn place_of(
        &mut self,
        number: u64,
        file: &mut (impl Read + Seek),
    ) -> io::Result<Option<(u64, u64)>> {
        self.walk_to(number, file)?;
        let slot = number / STRIDE;
        let place = usize::try_from(slot).ok().and_then(|slot| self.places.get(slot));
        Ok(place.map(|place| (slot * STRIDE, *place)))
    }

    fn walk_to(&mut self, number: u64, file: &mut (impl Read + Seek)) -> io::Result<()> {
        let mut block = Vec::new();
        let mut block_at = self.next.1;
        while !self.ended && self.next.0 <= number {
            let offset = (self.next.1 - block_at) as usize;
            let Some(header) = block.get(offset..).and_then(|rest: &[u8]| rest.first_chunk())
            else {
                block.clear();
                block_at = self.next.1;
                file.seek(SeekFrom::Start(block_at))?;
                file.take(BLOCK_BYTES as u64).read_to_end(&mut block)?;
                self.ended = block.len() < 4;
                continue;
            };
            match parse(*header) {
                Some((kind, bytes)) if kind == self.kind => {
                    if self.next.0.is_multiple_of(STRIDE) {
                        self.places.push(self.next.1);
                    }
                    self.next = (self.next.0 + 1, self.next.1 + bytes as u64);
                }
                _ => self.ended = true,
            }
        }
        Ok(())
    }
}

/// What kind of frame a header begins, and the frame's length in bytes. `None` if it is no layer III header, or one of
/// free format.
fn parse(header: [u8; 4]) -> Option<(FrameKind, usize)> {
    frame(&header).filter(|(kind, _)| kind.is_layer_iii())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    const CBR: &[u8] = include_bytes!("../../tests/data/click.mp3");
    const VBR: &[u8] = include_bytes!("../../tests/data/halves.mp3");

    #[test]
    fn every_frame_is_counted_from_the_first_of_the_music_on() {
        // 1 s and 20 s with LAME's start-up and padding, in whole frames.
        for (file, frames) in [(CBR, 40), (VBR, 767)] {
            let mut file = Cursor::new(file);
            let mut index = MpegIndex::open(&mut file).unwrap();
            assert_eq!(index.frame_len(), 1152);
            assert_eq!(index.place_of(1_000_000, &mut file).unwrap(), None);
            assert_eq!(index.next.0, frames);
            for number in [0, 1, 15, 16, 17, frames - 1] {
                let (found, place) = index.place_of(number, &mut file).unwrap().unwrap();
                assert_eq!(found, number / STRIDE * STRIDE);
                assert_eq!(file.get_ref()[place as usize], 0xFF);
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_run_on(
            changes in proptest::collection::vec((0..CBR.len(), any::<u8>()), 0..30),
            cut in 0..CBR.len(),
            number in any::<u64>(),
        ) {
            let mut bytes = CBR.to_vec();
            for (at, value) in changes {
                bytes[at] = value;
            }
            bytes.truncate(cut);
            let mut file = Cursor::new(bytes);
            if let Some(mut index) = MpegIndex::open(&mut file) {
                index.place_of(number, &mut file).unwrap();
                prop_assert!(index.next.0 <= cut as u64);
            }
        }
    }
}
