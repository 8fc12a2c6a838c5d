//! What a device answers from its command port, and from its data port.
//! Spec: docs/protocols/lasercube_wifi.md#replies

use super::{Error, Info, opcode, u16_at};

/// An answer from the command port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// What the device says of itself.
    Info(Info),
    /// Points that still fit.
    Free(u16),
    /// The command of this first byte was done.
    Done(u8),
}

impl Reply {
    /// Reads a datagram.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let Some(&command) = bytes.first() else { return Err(Error::Incomplete) };
        if command == opcode::GET_INFO {
            return Info::parse(bytes).map(Self::Info);
        }
        let Some(&result) = bytes.get(1) else { return Err(Error::Incomplete) };
        match command {
            opcode::BUFFER_REPLIES
            | opcode::OUTPUT
            | opcode::SET_RATE
            | opcode::GET_FREE
            | opcode::CLEAR_BUFFER
            | opcode::THRESHOLD
                if result != 0 =>
            {
                Err(Error::Refused { command, result })
            }
            opcode::GET_FREE if bytes.len() < 4 => Err(Error::Incomplete),
            opcode::GET_FREE => Ok(Self::Free(u16_at(bytes, 2))),
            opcode::BUFFER_REPLIES
            | opcode::OUTPUT
            | opcode::SET_RATE
            | opcode::CLEAR_BUFFER
            | opcode::THRESHOLD => Ok(Self::Done(command)),
            other => Err(Error::UnknownMessage(other)),
        }
    }

    /// Appends the datagram's bytes to `out`.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Self::Info(info) => out.extend_from_slice(&info.emit()),
            Self::Free(free) => {
                out.extend_from_slice(&[opcode::GET_FREE, 0]);
                out.extend_from_slice(&free.to_le_bytes());
            }
            Self::Done(command) => out.extend_from_slice(&[*command, 0]),
        }
    }
}

/// The data port's answer to one datagram of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledge {
    /// Number of the datagram that is included in the count; `None` in the short form.
    pub message: Option<u8>,
    /// Points that still fit.
    pub free_points: u16,
}

impl Acknowledge {
    /// Reads either form: `8A`, number, count (vendor, libera), or `A9`, count (nannou's document).
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        match *bytes {
            [opcode::GET_FREE, message, low, high, ..] => {
                let free_points = u16::from_le_bytes([low, high]);
                Ok(Self { message: Some(message), free_points })
            }
            [opcode::DATA, low, high, ..] => {
                Ok(Self { message: None, free_points: u16::from_le_bytes([low, high]) })
            }
            [] | [opcode::GET_FREE | opcode::DATA, ..] => Err(Error::Incomplete),
            [other, ..] => Err(Error::UnknownMessage(other)),
        }
    }

    /// Appends the datagram's bytes to `out`.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match self.message {
            Some(message) => out.extend_from_slice(&[opcode::GET_FREE, message]),
            None => out.push(opcode::DATA),
        }
        out.extend_from_slice(&self.free_points.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;
    use proptest::prelude::*;

    /// Vendor and libera (sheet, section 10).
    #[test]
    fn the_reference_acknowledgement_names_its_datagram() {
        let bytes = hex("8a057c15");
        let seen = Acknowledge::parse(&bytes).unwrap();
        assert_eq!(seen, Acknowledge { message: Some(5), free_points: 5500 });
        let mut out = Vec::new();
        seen.emit(&mut out);
        assert_eq!(out, bytes);
    }

    /// nannou's document (sheet, section 5).
    #[test]
    fn the_short_form_is_read_too() {
        let seen = Acknowledge::parse(&hex("a97c15")).unwrap();
        assert_eq!(seen, Acknowledge { message: None, free_points: 5500 });
        assert_eq!(Acknowledge::parse(&hex("a97c")), Err(Error::Incomplete));
        assert_eq!(Acknowledge::parse(&hex("8a057c")), Err(Error::Incomplete));
        assert_eq!(Acknowledge::parse(&hex("770000")), Err(Error::UnknownMessage(0x77)));
    }

    /// Layout from the vendor's code (sheet, section 4).
    #[test]
    fn replies_echo_the_command_with_a_result() {
        for (text, reply) in [
            ("7800", Reply::Done(0x78)),
            ("8000", Reply::Done(0x80)),
            ("8200", Reply::Done(0x82)),
            ("8d00", Reply::Done(0x8d)),
            ("a000", Reply::Done(0xa0)),
            ("8a007c15", Reply::Free(5500)),
        ] {
            let bytes = hex(text);
            assert_eq!(Reply::parse(&bytes), Ok(reply), "{text}");
            let mut out = Vec::new();
            reply.emit(&mut out);
            assert_eq!(out, bytes);
        }
        let refused = Err(Error::Refused { command: 0x82, result: 1 });
        assert_eq!(Reply::parse(&hex("8201")), refused);
        assert_eq!(Reply::parse(&hex("82")), Err(Error::Incomplete));
        assert_eq!(Reply::parse(&hex("2700")), Err(Error::UnknownMessage(0x27)));
    }

    proptest! {
        #[test]
        fn any_datagram_parses_or_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..70)) {
            let mut out = Vec::new();
            if let Ok(reply) = Reply::parse(&bytes) {
                reply.emit(&mut out);
                prop_assert_eq!(Reply::parse(&out), Ok(reply));
            }
            out.clear();
            if let Ok(seen) = Acknowledge::parse(&bytes) {
                seen.emit(&mut out);
                prop_assert_eq!(&out[..], &bytes[..out.len()]);
            }
        }
    }
}
