//! Responses: 22 bytes after every command but the version request.
//! Spec: docs/protocols/ether_dream.md#responses

use super::{Error, Status};

/// The first byte of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Answer {
    /// Done.
    Ack = b'a',
    /// Refused: the queue is full.
    Full = b'F',
    /// Refused: not in this state, or a wrong argument. Devices also answer an overfull queue with this.
    Invalid = b'I',
    /// Refused: a stop condition holds.
    Stop = b'!',
}

/// A device's answer to one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// What it did with the command.
    pub answer: Answer,
    /// The command's first byte.
    pub command: u8,
    /// The state afterwards.
    pub status: Status,
}

impl Response {
    /// Length of a response.
    pub const BYTES: usize = 2 + Status::BYTES;

    /// Reads a response from the front of `bytes`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let answer = match bytes.first() {
            None => return Err(Error::Incomplete),
            Some(b'a') => Answer::Ack,
            Some(b'F') => Answer::Full,
            Some(b'I') => Answer::Invalid,
            Some(b'!') => Answer::Stop,
            Some(&other) => return Err(Error::UnknownAnswer(other)),
        };
        let Some(bytes) = bytes.get(..Self::BYTES) else { return Err(Error::Incomplete) };
        Ok(Self { answer, command: bytes[1], status: Status::parse(&bytes[2..])? })
    }

    /// Writes a response.
    #[must_use]
    pub fn emit(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[0] = self.answer as u8;
        out[1] = self.command;
        out[2..].copy_from_slice(&self.status.emit());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LightEngine, Playback, hex};
    use super::*;
    use proptest::prelude::*;

    /// Constructed with the structures of j4cDAC `protocol.h`, parse-checked by the nannou crate.
    #[test]
    fn constructed_responses_parse_and_emit_the_same_bytes() {
        let cases = [
            ("61700000010000000000000000000000000000000000", Answer::Ack, b'p'),
            ("49640000000000000200000000000000000000000000", Answer::Invalid, b'd'),
            ("21630003000003000400000000000000000000000000", Answer::Stop, b'c'),
            ("616400000200000001000000a4063075000040e20100", Answer::Ack, b'd'),
        ];
        for (text, answer, command) in cases {
            let bytes = hex(text);
            let response = Response::parse(&bytes).unwrap();
            assert_eq!((response.answer, response.command), (answer, command), "{text}");
            assert_eq!(response.emit()[..], bytes[..]);
        }
        let playing = Response::parse(&hex(cases[3].0)).unwrap().status;
        assert_eq!(playing.playback, Playback::Playing);
        assert_eq!(
            (playing.fullness, playing.point_rate, playing.point_count),
            (1700, 30_000, 123_456)
        );
    }

    /// Every response recorded on an Ether Dream 2, build r331-ed4bef5 (published with laser-dac-rs).
    #[test]
    fn recorded_responses_parse_and_emit_the_same_bytes() {
        let recorded = [
            "613f0000000000003177000078050000000000000000",
            "61700000010000003177000000000000000000000000",
            "616400000100000031770000f4010000000000000000",
            "616200000200000031770000f4013075000000000000",
            "613f000002000000317700004f0130750000a5000000",
            "613f0000000000003377000000000000000000000000",
            "49640000000000003377000000000000000000000000",
            "61620000000000003377000000000000000000000000",
            "6175000002000000317700002301204e000009000000",
            "6171000002000000317700001701204e000015000000",
            "6173000000000000317700000e010000000000000000",
            "4973000000000000317700000e010000000000000000",
            "6100000300000300357700000e010000000000000000",
            "6163000000000000357700000e010000000000000000",
            "6164000001000000317700003b0f0000000000000000",
            "4964000001000000317700003b0f0000000000000000",
            "6162000002000000317700003b0fe803000000000000",
        ];
        for text in recorded {
            let bytes = hex(text);
            let response = Response::parse(&bytes).unwrap();
            assert_eq!(response.emit()[..], bytes[..], "{text}");
        }
        let stopped = Response::parse(&hex(recorded[12])).unwrap().status;
        assert_eq!(stopped.light_engine, LightEngine::EmergencyStop);
    }

    #[test]
    fn a_response_in_pieces_is_incomplete_until_the_last_byte() {
        let bytes = hex("61700000010000003177000000000000000000000000");
        for len in 0..bytes.len() {
            assert_eq!(Response::parse(&bytes[..len]), Err(Error::Incomplete));
        }
        assert_eq!(Response::parse(&[0x42]), Err(Error::UnknownAnswer(0x42)));
    }

    proptest! {
        #[test]
        fn mutated_responses_never_panic(at in 0_usize..22, byte: u8, len in 0_usize..30) {
            let mut bytes = hex("616400000200000001000000a4063075000040e201000000000000000000");
            bytes[at] = byte;
            bytes.truncate(len);
            if let Ok(response) = Response::parse(&bytes) {
                prop_assert_eq!(&response.emit()[..], &bytes[..Response::BYTES]);
            }
        }
    }
}
