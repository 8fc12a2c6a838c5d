//! Frames that are too long for one packet, in pieces.
//! Spec: docs/protocols/idn.md#frames

use super::{Chunk, Message};

/// A frame may not be longer than this, bytes: what OpenIDN takes.
const MAX_FRAME_BYTES: usize = 200_000;

/// Appends the messages of a frame to what `send` gets, one call each: whole if it has at most `piece` bytes
/// of data, else in pieces of that size. The time stamps of pieces count up by one.
pub fn fragments(frame: &Message<'_>, piece: usize, mut send: impl FnMut(&[u8])) {
    let mut out = Vec::new();
    let Chunk::Frame { data_match, once, duration, data, .. } = frame.chunk else {
        frame.emit(&mut out);
        return send(&out);
    };
    let pieces = data.chunks(piece.max(1));
    let count = pieces.len();
    for (n, data) in pieces.enumerate() {
        let chunk = if n == 0 {
            Chunk::Frame { data_match, once, duration, is_first_piece: count > 1, data }
        } else {
            Chunk::Piece { is_last: n + 1 == count, data }
        };
        let config = frame.config.filter(|_| n == 0);
        let timestamp = frame.timestamp.wrapping_add(n as u32);
        out.clear();
        Message { timestamp, config, chunk, ..*frame }.emit(&mut out);
        send(&out);
    }
}

/// What a reassembled frame is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Header {
    data_match: u8,
    once: bool,
    duration: u32,
}

/// Puts the pieces of a channel's frames together.
#[derive(Debug, Default)]
pub struct Reassembly {
    data: Vec<u8>,
    header: Header,
    /// The time stamp that the next piece must have.
    expected: Option<u32>,
}

impl Reassembly {
    /// Takes a message. `Ok(Some)` is a whole frame; `Err` says that a piece is missing or out of order and
    /// the frame is given up.
    #[allow(clippy::result_unit_err, reason = "there is one way to fail, and it is named here")]
    pub fn take<'a>(&'a mut self, message: &Message<'a>) -> Result<Option<Chunk<'a>>, ()> {
        match message.chunk {
            Chunk::Frame { is_first_piece: false, .. } => {
                self.expected = None;
                Ok(Some(message.chunk))
            }
            Chunk::Frame { data_match, once, duration, data, .. } => {
                let lost = self.expected.is_some();
                self.data.clear();
                self.data.extend_from_slice(data);
                self.header = Header { data_match, once, duration };
                self.expected = Some(message.timestamp.wrapping_add(1));
                if lost { Err(()) } else { Ok(None) }
            }
            Chunk::Piece { is_last, data } => {
                let fits = self.data.len() + data.len() <= MAX_FRAME_BYTES;
                if self.expected.take() != Some(message.timestamp) || !fits {
                    return Err(());
                }
                self.data.extend_from_slice(data);
                if !is_last {
                    self.expected = Some(message.timestamp.wrapping_add(1));
                    return Ok(None);
                }
                let Header { data_match, once, duration } = self.header;
                let data = &self.data;
                Ok(Some(Chunk::Frame { data_match, once, duration, is_first_piece: false, data }))
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    fn frame(data: &[u8]) -> Message<'_> {
        let chunk = Chunk::Frame {
            data_match: 0,
            once: true,
            duration: 33_333,
            is_first_piece: false,
            data,
        };
        Message { channel: 0, timestamp: 0x0010_c110, config: None, chunk }
    }

    fn pieces(data: &[u8], piece: usize) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        fragments(&frame(data), piece, |bytes| all.push(bytes.to_vec()));
        all
    }

    /// The heads of a frame of 300 points that OpenIDN has drawn: chunk header in the first piece alone,
    /// time stamps that count up, the flag on the last one.
    #[test]
    fn the_pieces_of_a_frame_look_like_those_that_were_drawn() {
        let data: Vec<u8> = (0..2100_u32).map(|n| n as u8).collect();
        let all = pieces(&data, 996);
        assert_eq!(all.len(), 3);
        assert_eq!(all[0][..12], hex("03f0 80 03 0010c110 01008235")[..]);
        assert_eq!(all[1][2..8], hex("80 c0 0010c111")[..]);
        assert_eq!(all[2][2..8], hex("c0 c0 0010c112")[..]);
    }

    #[test]
    fn pieces_make_the_frame_they_were_cut_from() {
        let data: Vec<u8> = (0..2100_u32).map(|n| n as u8).collect();
        for piece in [1, 7, 996, 2099, 2100, 9999] {
            let mut reassembly = Reassembly::default();
            let all = pieces(&data, piece);
            for (n, bytes) in all.iter().enumerate() {
                let message = Message::parse(bytes).unwrap();
                let whole = reassembly.take(&message).unwrap();
                if n + 1 == all.len() {
                    assert_eq!(whole, Some(frame(&data).chunk));
                } else {
                    assert_eq!(whole, None);
                }
            }
        }
    }

    #[test]
    fn a_lost_piece_loses_the_frame_and_no_more() {
        let data = [1; 100];
        let all = pieces(&data, 30);
        let parse = |n: usize| Message::parse(&all[n]).unwrap();
        let mut reassembly = Reassembly::default();
        assert_eq!(reassembly.take(&parse(0)), Ok(None));
        assert_eq!(reassembly.take(&parse(2)), Err(()));
        assert_eq!(reassembly.take(&parse(3)), Err(()));
        for n in 0..3 {
            assert_eq!(reassembly.take(&parse(n)), Ok(None));
        }
        assert!(reassembly.take(&parse(3)).unwrap().is_some());
    }

    #[test]
    fn pieces_without_end_take_no_memory_without_end() {
        let mut reassembly = Reassembly::default();
        let data = [0; 60_000];
        let first = Chunk::Frame {
            data_match: 0,
            once: false,
            duration: 1000,
            is_first_piece: true,
            data: &data,
        };
        let mut message = Message { channel: 0, timestamp: 0, config: None, chunk: first };
        assert_eq!(reassembly.take(&message), Ok(None));
        let mut given_up = false;
        for timestamp in 1..10 {
            let chunk = Chunk::Piece { is_last: false, data: &data };
            message = Message { timestamp, chunk, ..message };
            given_up |= reassembly.take(&message).is_err();
        }
        assert!(given_up);
        assert!(reassembly.data.len() <= MAX_FRAME_BYTES);
    }
}
