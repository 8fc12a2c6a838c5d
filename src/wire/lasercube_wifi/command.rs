//! Commands: one byte and its argument, to the command port.
//! Spec: docs/protocols/lasercube_wifi.md#commands

use super::{Error, u32_at};

/// The first byte of each message.
pub mod opcode {
    /// Ask for the info block.
    pub const GET_INFO: u8 = 0x77;
    /// Switch replies to data on or off.
    pub const BUFFER_REPLIES: u8 = 0x78;
    /// Light on or off.
    pub const OUTPUT: u8 = 0x80;
    /// Set the rate.
    pub const SET_RATE: u8 = 0x82;
    /// Ask how many points still fit; also the first byte of replies to data.
    pub const GET_FREE: u8 = 0x8a;
    /// Empty the buffer.
    pub const CLEAR_BUFFER: u8 = 0x8d;
    /// Set the buffer's threshold (model 10 and up, or firmware above 1.23).
    pub const THRESHOLD: u8 = 0xa0;
    /// Points, to the data port.
    pub const DATA: u8 = 0xa9;
    /// Writes factory data for good. Never sent, and no [`Command`](super::Command) can say it.
    pub const FACTORY_WRITE: u8 = 0x97;
}

/// A command as a device receives it. All may be sent twice: none adds to what the first one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// See [`opcode::GET_INFO`].
    GetInfo,
    /// See [`opcode::BUFFER_REPLIES`].
    BufferReplies(bool),
    /// See [`opcode::OUTPUT`].
    Output(bool),
    /// Points per second, at most the device's maximum and never 0.
    SetRate(u32),
    /// See [`opcode::GET_FREE`].
    GetFree,
    /// See [`opcode::CLEAR_BUFFER`].
    ClearBuffer,
    /// See [`opcode::THRESHOLD`]; points.
    Threshold(u32),
}

impl Command {
    /// Length of the longest command.
    pub const MAX_BYTES: usize = 5;

    /// Reads a datagram; bytes past the command are ignored.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let Some(&first) = bytes.first() else { return Err(Error::Incomplete) };
        let switch = || bytes.get(1).map(|byte| *byte != 0).ok_or(Error::Incomplete);
        let number = || if bytes.len() < 5 { Err(Error::Incomplete) } else { Ok(u32_at(bytes, 1)) };
        Ok(match first {
            opcode::GET_INFO => Self::GetInfo,
            opcode::BUFFER_REPLIES => Self::BufferReplies(switch()?),
            opcode::OUTPUT => Self::Output(switch()?),
            opcode::SET_RATE => Self::SetRate(number()?),
            opcode::GET_FREE => Self::GetFree,
            opcode::CLEAR_BUFFER => Self::ClearBuffer,
            opcode::THRESHOLD => Self::Threshold(number()?),
            other => return Err(Error::UnknownMessage(other)),
        })
    }

    /// Appends the datagram's bytes to `out`.
    pub fn emit(&self, out: &mut Vec<u8>) {
        out.push(self.opcode());
        match *self {
            Self::BufferReplies(on) | Self::Output(on) => out.push(u8::from(on)),
            Self::SetRate(number) | Self::Threshold(number) => {
                out.extend_from_slice(&number.to_le_bytes());
            }
            Self::GetInfo | Self::GetFree | Self::ClearBuffer => {}
        }
    }

    /// The command's first byte, which its reply echoes.
    #[must_use]
    pub const fn opcode(&self) -> u8 {
        match self {
            Self::GetInfo => opcode::GET_INFO,
            Self::BufferReplies(_) => opcode::BUFFER_REPLIES,
            Self::Output(_) => opcode::OUTPUT,
            Self::SetRate(_) => opcode::SET_RATE,
            Self::GetFree => opcode::GET_FREE,
            Self::ClearBuffer => opcode::CLEAR_BUFFER,
            Self::Threshold(_) => opcode::THRESHOLD,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;
    use proptest::prelude::*;

    /// Produced or parsed by the nannou `lasercube-core` crate; the rate as libera sends it (sheet, sections 4
    /// and 10). Clear and threshold: layout from the vendor's code.
    #[test]
    fn reference_commands_parse_and_emit_the_same_bytes() {
        let cases = [
            ("77", Command::GetInfo),
            ("7801", Command::BufferReplies(true)),
            ("7800", Command::BufferReplies(false)),
            ("8001", Command::Output(true)),
            ("8000", Command::Output(false)),
            ("8a", Command::GetFree),
            ("8230750000", Command::SetRate(30_000)),
            ("8d", Command::ClearBuffer),
            ("a0e8030000", Command::Threshold(1000)),
        ];
        for (text, command) in cases {
            let bytes = hex(text);
            assert_eq!(Command::parse(&bytes), Ok(command), "{text}");
            let mut out = Vec::new();
            command.emit(&mut out);
            assert_eq!(out, bytes);
            for len in 0..bytes.len() {
                assert_eq!(Command::parse(&bytes[..len]), Err(Error::Incomplete), "{text}");
            }
        }
    }

    #[test]
    fn factory_writes_and_security_are_not_understood() {
        for first in [opcode::FACTORY_WRITE, 0xb0, 0xb1, 0x9a, 0x81] {
            let refused = Err(Error::UnknownMessage(first));
            assert_eq!(Command::parse(&[first, 0xa2, 0x2a, 0, 0]), refused);
        }
    }

    proptest! {
        #[test]
        fn any_datagram_parses_or_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..9)) {
            if let Ok(command) = Command::parse(&bytes) {
                let mut out = Vec::new();
                command.emit(&mut out);
                prop_assert!(out.len() <= Command::MAX_BYTES && out.len() <= bytes.len());
                prop_assert_eq!(Command::parse(&out), Ok(command));
            }
        }
    }
}
