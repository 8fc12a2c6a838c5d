//! What a device says of the messages it got.
//! Spec: docs/protocols/idn.md#acknowledge

use super::{Error, u16_at, u32_at};

/// Results.
pub mod outcome {
    /// Done.
    pub const OK: u8 = 0x00;
    /// A close without a connection.
    pub const NOT_CONNECTED: u8 = 0xeb;
    /// All sessions are taken.
    pub const OCCUPIED: u8 = 0xec;
    /// The client's group may not use the device.
    pub const EXCLUDED: u8 = 0xed;
    /// The payload cannot be read.
    pub const BAD_PAYLOAD: u8 = 0xee;
    /// Anything else.
    pub const FAILED: u8 = 0xef;
}

/// What happened to incoming messages since the last acknowledge.
pub mod input_event {
    /// This packet opened the connection.
    pub const NEW_CONNECTION: u16 = 0x0001;
    /// Messages were put in order.
    pub const REORDERED: u16 = 0x0008;
    /// A sequence number was not the last one plus one.
    pub const SEQUENCE: u16 = 0x0010;
    /// A message came twice.
    pub const DUPLICATE: u16 = 0x0020;
    /// A message is missing.
    pub const MISSING: u16 = 0x0040;
    /// A message cannot be read.
    pub const INVALID: u16 = 0x0100;
    /// Too many messages.
    pub const OVERRUN: u16 = 0x0200;
    /// A message came late.
    pub const LATE: u16 = 0x0400;
    /// A message came after its time, and was dropped.
    pub const DROPPED: u16 = 0x0800;
    /// A message for a channel that is not open.
    pub const CLOSED_CHANNEL: u16 = 0x2000;
}

/// What happened on the channel of the message.
pub mod pipeline_event {
    /// The channel has got its service.
    pub const ROUTED: u16 = 0x0001;
    /// The channel is closed.
    pub const CLOSED: u16 = 0x0002;
    /// There is no such service or mode.
    pub const BAD_SERVICE: u16 = 0x0010;
    /// Another channel holds the service.
    pub const BUSY: u16 = 0x0020;
    /// A piece of a frame was lost.
    pub const FRAGMENT_LOST: u16 = 0x0040;
    /// The configuration cannot be used.
    pub const BAD_CONFIG: u16 = 0x0080;
    /// The chunk does not fit the mode.
    pub const WRONG_CHUNK: u16 = 0x0100;
    /// The data is for another configuration.
    pub const MISMATCH: u16 = 0x0200;
    /// The time stamps jump.
    pub const DISCONTINUITY: u16 = 0x0400;
    /// The chunk is too short.
    pub const TOO_SHORT: u16 = 0x0800;
    /// The data cannot be read.
    pub const BAD_DATA: u16 = 0x2000;
    /// The output has failed.
    pub const DEVICE_ERROR: u16 = 0x4000;
}

/// The answer to a message that wants one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acknowledge {
    /// See [`outcome`].
    pub result: u8,
    /// See [`input_event`].
    pub input_events: u16,
    /// See [`pipeline_event`].
    pub pipeline_events: u16,
    /// 1 open channels, 2 the device holds data, 4 messages wait.
    pub status: u8,
    /// 0 unknown, 1 bad … 255 perfect.
    pub link_quality: u8,
    /// From receipt to light, microseconds; 0 unknown.
    pub latency_us: u32,
}

impl Acknowledge {
    /// Length of the body as specified since 2022.
    pub const BYTES: usize = 12;
    /// Bytes that devices of 2018 send.
    const BYTES_2018: usize = 4;

    /// Reads a body. Older devices send a shorter one: what is missing reads as nothing.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let size = *body.first().ok_or(Error::Incomplete)?;
        if usize::from(size) < Self::BYTES_2018 {
            return Err(Error::Size { structure: "acknowledge", size });
        }
        let body = body.get(..usize::from(size)).ok_or(Error::Incomplete)?;
        let byte = |at: usize| body.get(at).copied().unwrap_or_default();
        Ok(Self {
            result: byte(1),
            input_events: u16_at(body, 2),
            pipeline_events: u16_at(body, 4),
            status: byte(6),
            link_quality: byte(7),
            latency_us: u32_at(body, 8),
        })
    }

    /// The body's bytes.
    #[must_use]
    pub fn emit(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[..2].copy_from_slice(&[Self::BYTES as u8, self.result]);
        out[2..4].copy_from_slice(&self.input_events.to_be_bytes());
        out[4..6].copy_from_slice(&self.pipeline_events.to_be_bytes());
        out[6..8].copy_from_slice(&[self.status, self.link_quality]);
        out[8..].copy_from_slice(&self.latency_us.to_be_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Hello, command, hex};
    use super::*;
    use proptest::prelude::*;

    /// Observed on the OpenIDN server, the answer to the first message of a stream.
    #[test]
    fn the_acknowledge_of_a_first_message() {
        let packet = hex("47000001 0c00 0000 0001 01 00 00000000");
        let (hello, body) = Hello::parse(&packet).unwrap();
        assert_eq!(hello, Hello::new(command::ACKNOWLEDGE, 1));
        let said = Acknowledge::parse(body).unwrap();
        assert_eq!(said.pipeline_events, pipeline_event::ROUTED);
        assert_eq!((said.result, said.input_events, said.status), (outcome::OK, 0, 1));
        assert_eq!(said.emit()[..], *body);
    }

    #[test]
    fn the_four_bytes_of_an_older_device_are_understood() {
        let said = Acknowledge::parse(&hex("04ec0010")).unwrap();
        assert_eq!((said.result, said.input_events), (outcome::OCCUPIED, input_event::SEQUENCE));
        assert_eq!((said.pipeline_events, said.latency_us), (0, 0));
        assert!(Acknowledge::parse(&hex("03ec0010")).is_err());
        assert_eq!(Acknowledge::parse(&hex("0cec0010")), Err(Error::Incomplete));
    }

    proptest! {
        #[test]
        fn any_body_parses_or_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(said) = Acknowledge::parse(&bytes) {
                prop_assert_eq!(Acknowledge::parse(&said.emit()), Ok(said));
            }
        }
    }
}
