//! The four bytes before everything.
//! Spec: docs/protocols/idn.md#hello

use super::{Error, u16_at};

/// Length of the header.
pub const HELLO_BYTES: usize = 4;

/// The first byte of a packet.
pub mod command {
    /// Nothing.
    pub const VOID: u8 = 0x00;
    /// Any payload, to be echoed.
    pub const PING: u8 = 0x08;
    /// The echo.
    pub const PING_REPLY: u8 = 0x09;
    /// Which client groups may use the device.
    pub const GROUP: u8 = 0x0c;
    /// The answer to [`GROUP`].
    pub const GROUP_REPLY: u8 = 0x0d;
    /// Who is there?
    pub const SCAN: u8 = 0x10;
    /// The answer to [`SCAN`].
    pub const SCAN_REPLY: u8 = 0x11;
    /// What outputs has it?
    pub const SERVICE_MAP: u8 = 0x12;
    /// The answer to [`SERVICE_MAP`].
    pub const SERVICE_MAP_REPLY: u8 = 0x13;
    /// A channel message, or nothing to keep the link.
    pub const MESSAGE: u8 = 0x40;
    /// The same, with an acknowledge wanted.
    pub const MESSAGE_ACK: u8 = 0x41;
    /// Ends the connection; may carry a last message.
    pub const CLOSE: u8 = 0x44;
    /// The same, with an acknowledge wanted.
    pub const CLOSE_ACK: u8 = 0x45;
    /// Stops at once. By the specification no safety function: it is never the only thing sent.
    pub const ABORT: u8 = 0x46;
    /// The answer to what wants one.
    pub const ACKNOWLEDGE: u8 = 0x47;
}

/// The header of every packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// See [`command`].
    pub command: u8,
    /// Client group, 0..=15.
    pub group: u8,
    /// Rises by one with every packet of a connection; a reply copies it.
    pub sequence: u16,
}

impl Hello {
    /// A header of group 0.
    #[must_use]
    pub const fn new(command: u8, sequence: u16) -> Self {
        Self { command, group: 0, sequence }
    }

    /// Reads the header and hands out what follows it.
    pub fn parse(packet: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (head, body) = packet.split_at_checked(HELLO_BYTES).ok_or(Error::Incomplete)?;
        Ok((Self { command: head[0], group: head[1] & 0x0f, sequence: u16_at(head, 2) }, body))
    }

    /// The header's bytes.
    #[must_use]
    pub const fn emit(&self) -> [u8; HELLO_BYTES] {
        let [high, low] = self.sequence.to_be_bytes();
        [self.command, self.group & 0x0f, high, low]
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    /// Observed between third-party programs and the OpenIDN server.
    #[test]
    fn a_ping_is_echoed_under_its_own_sequence_number() {
        let request = hex("0800123468656c6c6f");
        let (hello, body) = Hello::parse(&request).unwrap();
        assert_eq!(hello, Hello::new(command::PING, 0x1234));
        assert_eq!(body, b"hello");
        let reply = Hello::new(command::PING_REPLY, hello.sequence);
        assert_eq!([&reply.emit()[..], body].concat(), hex("0900123468656c6c6f"));
    }

    #[test]
    fn only_the_low_nibble_of_the_flags_is_the_group() {
        let (hello, body) = Hello::parse(&[0x40, 0xf3, 0, 1]).unwrap();
        assert_eq!((hello.group, body.len()), (3, 0));
        assert_eq!(Hello::parse(&[0x40, 0, 0]), Err(Error::Incomplete));
    }
}
