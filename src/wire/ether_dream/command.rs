//! Commands: one byte and its arguments.
//! Spec: docs/protocols/ether_dream.md#commands

use super::point::{POINT_BYTES, WirePoint};
use super::{DATA_HEADER_BYTES, Error, u16_at, u32_at};

/// The first byte of each command.
pub mod opcode {
    /// Prepare: idle → prepared, queue empty.
    pub const PREPARE: u8 = b'p';
    /// Begin: prepared → playing.
    pub const BEGIN: u8 = b'b';
    /// Change the rate now.
    pub const UPDATE_RATE: u8 = b'u';
    /// Queue a rate for the next point with the rate-change bit. 0x71: real firmware does not know 0x74,
    /// which some documents print.
    pub const QUEUE_RATE: u8 = b'q';
    /// Points.
    pub const DATA: u8 = b'd';
    /// Stop: dark, idle.
    pub const STOP: u8 = b's';
    /// Emergency stop. 0xff does the same.
    pub const EMERGENCY_STOP: u8 = 0x00;
    /// Clear an emergency stop.
    pub const CLEAR_ESTOP: u8 = b'c';
    /// Ask for the status.
    pub const PING: u8 = b'?';
    /// Ask for the firmware's text.
    pub const VERSION: u8 = b'v';
}

/// A command as a device receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// See [`opcode::PREPARE`].
    Prepare,
    /// See [`opcode::BEGIN`].
    Begin {
        /// Unused by every firmware known; 0.
        low_water_mark: u16,
        /// Points per second. Never 0: it hangs real devices.
        pps: u32,
    },
    /// See [`opcode::UPDATE_RATE`].
    UpdateRate {
        /// Unused; 0.
        low_water_mark: u16,
        /// Points per second, never 0.
        pps: u32,
    },
    /// See [`opcode::QUEUE_RATE`].
    QueueRate {
        /// Points per second, never 0.
        pps: u32,
    },
    /// See [`opcode::DATA`].
    Data(PointRecords<'a>),
    /// See [`opcode::STOP`].
    Stop,
    /// See [`opcode::EMERGENCY_STOP`].
    EmergencyStop,
    /// See [`opcode::CLEAR_ESTOP`].
    ClearEstop,
    /// See [`opcode::PING`].
    Ping,
    /// See [`opcode::VERSION`].
    Version,
}

/// The points of a data command, still as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointRecords<'a>(&'a [u8]);

impl<'a> PointRecords<'a> {
    /// How many points.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len() / POINT_BYTES
    }

    /// True when there is none, which is lawful.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The points in order.
    pub fn iter(&self) -> impl Iterator<Item = WirePoint> + use<'a> {
        self.0.chunks_exact(POINT_BYTES).map(WirePoint::parse)
    }
}

impl<'a> Command<'a> {
    /// Length of the longest command but data.
    pub const MAX_BYTES: usize = 7;

    /// Reads the command at the front of `bytes`; also says how many bytes it takes.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, usize), Error> {
        let Some(&first) = bytes.first() else { return Err(Error::Incomplete) };
        let whole = |len: usize| bytes.get(..len).ok_or(Error::Incomplete);
        let parsed = match first {
            opcode::PREPARE => (Self::Prepare, 1),
            opcode::BEGIN => {
                let body = whole(7)?;
                (Self::Begin { low_water_mark: u16_at(body, 1), pps: u32_at(body, 3) }, 7)
            }
            opcode::UPDATE_RATE => {
                let body = whole(7)?;
                (Self::UpdateRate { low_water_mark: u16_at(body, 1), pps: u32_at(body, 3) }, 7)
            }
            opcode::QUEUE_RATE => (Self::QueueRate { pps: u32_at(whole(5)?, 1) }, 5),
            opcode::DATA => {
                let points = usize::from(u16_at(whole(DATA_HEADER_BYTES)?, 1));
                let len = DATA_HEADER_BYTES + points * POINT_BYTES;
                (Self::Data(PointRecords(&whole(len)?[DATA_HEADER_BYTES..])), len)
            }
            opcode::STOP => (Self::Stop, 1),
            opcode::EMERGENCY_STOP | 0xff => (Self::EmergencyStop, 1),
            opcode::CLEAR_ESTOP => (Self::ClearEstop, 1),
            opcode::PING => (Self::Ping, 1),
            opcode::VERSION => (Self::Version, 1),
            other => return Err(Error::UnknownCommand(other)),
        };
        Ok(parsed)
    }

    /// Appends the command's bytes to `out`.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let rate_body = |out: &mut Vec<u8>, first: u8, low_water_mark: u16, pps: u32| {
            out.push(first);
            out.extend_from_slice(&low_water_mark.to_le_bytes());
            out.extend_from_slice(&pps.to_le_bytes());
        };
        match *self {
            Self::Begin { low_water_mark, pps } => {
                rate_body(out, opcode::BEGIN, low_water_mark, pps);
            }
            Self::UpdateRate { low_water_mark, pps } => {
                rate_body(out, opcode::UPDATE_RATE, low_water_mark, pps);
            }
            Self::QueueRate { pps } => {
                out.push(opcode::QUEUE_RATE);
                out.extend_from_slice(&pps.to_le_bytes());
            }
            Self::Data(records) => {
                out.push(opcode::DATA);
                out.extend_from_slice(&(records.len() as u16).to_le_bytes());
                out.extend_from_slice(records.0);
            }
            Self::Prepare
            | Self::Stop
            | Self::EmergencyStop
            | Self::ClearEstop
            | Self::Ping
            | Self::Version => out.push(self.opcode()),
        }
    }

    /// The command's first byte, which its response echoes.
    #[must_use]
    pub const fn opcode(&self) -> u8 {
        match self {
            Self::Prepare => opcode::PREPARE,
            Self::Begin { .. } => opcode::BEGIN,
            Self::UpdateRate { .. } => opcode::UPDATE_RATE,
            Self::QueueRate { .. } => opcode::QUEUE_RATE,
            Self::Data(_) => opcode::DATA,
            Self::Stop => opcode::STOP,
            Self::EmergencyStop => opcode::EMERGENCY_STOP,
            Self::ClearEstop => opcode::CLEAR_ESTOP,
            Self::Ping => opcode::PING,
            Self::Version => opcode::VERSION,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;
    use proptest::prelude::*;

    const THREE_POINTS: &str = "64 0300
        0080 0080 ff7f ffff 0000 0000 ffff 0000 0000
        0000 0000 0000 0000 0080 0000 0080 0000 0000
        0000 ff7f 0080 0000 0000 ffff ffff 3412 7856";

    /// Identical bytes from C code over j4cDAC `protocol.h` and from the nannou crate, decoded by
    /// EtherDream-Dissector (which does not know `c`). `u` also recorded on an Ether Dream 2.
    #[test]
    fn reference_commands_parse_and_emit_the_same_bytes() {
        let cases = [
            ("70", Command::Prepare),
            ("62 0000 30750000", Command::Begin { low_water_mark: 0, pps: 30_000 }),
            ("75 0000 204e0000", Command::UpdateRate { low_water_mark: 0, pps: 20_000 }),
            ("71 a8610000", Command::QueueRate { pps: 25_000 }),
            ("73", Command::Stop),
            ("3f", Command::Ping),
            ("63", Command::ClearEstop),
            ("00", Command::EmergencyStop),
            ("76", Command::Version),
        ];
        for (text, command) in cases {
            let bytes = hex(text);
            assert_eq!(Command::parse(&bytes), Ok((command, bytes.len())), "{text}");
            let mut out = Vec::new();
            command.emit(&mut out);
            assert_eq!(out, bytes);
            assert_eq!(out[0], command.opcode());
        }
        assert_eq!(Command::parse(&[0xff]), Ok((Command::EmergencyStop, 1)));
    }

    /// Origin as above.
    #[test]
    fn the_reference_data_command_carries_its_three_points() {
        let bytes = hex(THREE_POINTS);
        let (command, len) = Command::parse(&bytes).unwrap();
        let Command::Data(records) = command else { panic!("{command:?}") };
        assert_eq!((records.len(), len), (3, bytes.len()));
        assert!(records.iter().next().unwrap().changes_rate());
        let mut out = Vec::new();
        command.emit(&mut out);
        assert_eq!(out, bytes);
    }

    #[test]
    fn the_documented_but_wrong_rate_byte_is_unknown() {
        assert_eq!(Command::parse(&hex("74a8610000")), Err(Error::UnknownCommand(0x74)));
    }

    #[test]
    fn commands_may_come_in_pieces() {
        for text in ["62 0000 30750000", "71 a8610000", THREE_POINTS] {
            let bytes = hex(text);
            for len in 0..bytes.len() {
                assert_eq!(Command::parse(&bytes[..len]), Err(Error::Incomplete));
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok((command, len)) = Command::parse(&bytes) {
                prop_assert!(len <= bytes.len());
                let mut out = Vec::new();
                command.emit(&mut out);
                // 0xff is a second spelling of the emergency stop.
                prop_assert!(bytes[0] == 0xff || out[..] == bytes[..len]);
            }
        }

        #[test]
        fn mutated_data_commands_never_panic(at in 0_usize..57, byte: u8, len in 0_usize..57) {
            let mut bytes = hex(THREE_POINTS);
            bytes[at] = byte;
            bytes.truncate(len);
            if let Ok((Command::Data(records), _)) = Command::parse(&bytes) {
                prop_assert_eq!(records.iter().count(), records.len());
            }
        }
    }
}
