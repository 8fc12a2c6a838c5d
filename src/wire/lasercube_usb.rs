//! LaserCube over USB (LaserDock): commands with 64-byte replies, and samples without a header.
//!
//! All numbers are little endian. Host and device side are both here: the driver emits commands and parses
//! replies, the simulator does the reverse. Spec: `docs/protocols/lasercube_usb.md`.

use crate::point::LaserPoint;

/// USB vendor number.
pub const VENDOR_ID: u16 = 0x1fc9;
/// USB product number.
pub const PRODUCT_ID: u16 = 0x04d8;
/// Bulk endpoint that commands go to.
pub const COMMAND_OUT: u8 = 0x01;
/// Bulk endpoint that replies come from.
pub const REPLY_IN: u8 = 0x81;
/// Bulk endpoint that samples go to.
pub const SAMPLE_OUT: u8 = 0x03;
/// Length of every reply.
pub const REPLY_BYTES: usize = 64;
/// Length of a sample.
pub const SAMPLE_BYTES: usize = 8;
/// Samples that fit into a device that does not say: what the vendor's own program counts on.
pub const FALLBACK_CAPACITY: u32 = 768;
/// The rate limit of a device that does not say: the default of every host program known.
pub const FALLBACK_MAX_PPS: u32 = 30_000;

/// The first byte of a command.
mod opcode {
    pub(super) const SET_OUTPUT: u8 = 0x80;
    pub(super) const OUTPUT: u8 = 0x81;
    pub(super) const SET_RATE: u8 = 0x82;
    pub(super) const CLEAR: u8 = 0x8d;
}

/// A number that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Query {
    /// The rate now, points per second.
    Rate = 0x83,
    /// The highest rate, points per second.
    MaxRate = 0x84,
    /// The smallest value of a coordinate.
    MinValue = 0x87,
    /// The largest value of a coordinate.
    MaxValue = 0x88,
    /// Samples the ring holds.
    Capacity = 0x89,
    /// Samples that fit now.
    Free = 0x8a,
    /// Firmware, major number.
    FirmwareMajor = 0x8b,
    /// Firmware, minor number.
    FirmwareMinor = 0x8c,
    /// Samples of one bulk packet.
    SamplesPerPacket = 0x8e,
}

impl Query {
    const ALL: [Self; 9] = [
        Self::Rate,
        Self::MaxRate,
        Self::MinValue,
        Self::MaxValue,
        Self::Capacity,
        Self::Free,
        Self::FirmwareMajor,
        Self::FirmwareMinor,
        Self::SamplesPerPacket,
    ];
}

/// What is wrong with bytes that claim to be a LaserCube's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes are needed.
    #[error("the message is cut short")]
    Incomplete,
    /// No such command.
    #[error("0x{0:02x} is no command of a LaserCube")]
    UnknownCommand(u8),
    /// The reply to another command.
    #[error("the reply is to command 0x{found:02x}, not to 0x{asked:02x}")]
    WrongEcho {
        /// The command sent.
        asked: u8,
        /// The command the reply is to.
        found: u8,
    },
}

/// What a host sends on [`COMMAND_OUT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Output on or off.
    SetOutput(bool),
    /// Is output on?
    Output,
    /// The rate, points per second.
    SetRate(u32),
    /// Empties the ring.
    Clear,
    /// Asks for a number.
    Ask(Query),
}

impl Command {
    /// Length of the longest command.
    pub const MAX_BYTES: usize = 5;

    /// The first byte, which the reply repeats.
    #[must_use]
    pub const fn opcode(&self) -> u8 {
        match *self {
            Self::SetOutput(_) => opcode::SET_OUTPUT,
            Self::Output => opcode::OUTPUT,
            Self::SetRate(_) => opcode::SET_RATE,
            Self::Clear => opcode::CLEAR,
            Self::Ask(query) => query as u8,
        }
    }

    /// Reads a command.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let Some((&first, rest)) = bytes.split_first() else { return Err(Error::Incomplete) };
        match (first, rest) {
            (opcode::SET_OUTPUT, [on, ..]) => Ok(Self::SetOutput(*on != 0)),
            (opcode::SET_RATE, [a, b, c, d, ..]) => {
                Ok(Self::SetRate(u32::from_le_bytes([*a, *b, *c, *d])))
            }
            (opcode::CLEAR, [_, ..]) => Ok(Self::Clear),
            (opcode::SET_OUTPUT | opcode::SET_RATE | opcode::CLEAR, _) => Err(Error::Incomplete),
            (opcode::OUTPUT, _) => Ok(Self::Output),
            _ => Query::ALL
                .into_iter()
                .find(|query| *query as u8 == first)
                .map(Self::Ask)
                .ok_or(Error::UnknownCommand(first)),
        }
    }

    /// The command's bytes, and how many of them count.
    #[must_use]
    pub fn emit(&self) -> ([u8; Self::MAX_BYTES], usize) {
        let mut bytes = [self.opcode(), 0, 0, 0, 0];
        let len = match *self {
            Self::SetOutput(on) => {
                bytes[1] = u8::from(on);
                2
            }
            Self::SetRate(pps) => {
                bytes[1..].copy_from_slice(&pps.to_le_bytes());
                5
            }
            Self::Clear => 2,
            Self::Output | Self::Ask(_) => 1,
        };
        (bytes, len)
    }
}

/// What a device answers: to which command, whether it did it, and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The command's first byte.
    pub opcode: u8,
    /// 0: done. Anything else: refused.
    pub status: u8,
    /// The number asked for; one byte of it where the question is yes or no.
    pub value: u32,
}

impl Reply {
    /// Reads the reply to `command`; what follows the first six bytes is of no meaning.
    pub fn parse(bytes: &[u8], command: &Command) -> Result<Self, Error> {
        let [opcode, status, a, b, c, d, ..] = *bytes else { return Err(Error::Incomplete) };
        let asked = command.opcode();
        if opcode != asked {
            return Err(Error::WrongEcho { asked, found: opcode });
        }
        let value = match command {
            Command::Output => u32::from(a),
            _ => u32::from_le_bytes([a, b, c, d]),
        };
        Ok(Self { opcode, status, value })
    }

    /// The reply's bytes.
    #[must_use]
    pub fn emit(&self) -> [u8; REPLY_BYTES] {
        let mut bytes = [0; REPLY_BYTES];
        bytes[..2].copy_from_slice(&[self.opcode, self.status]);
        bytes[2..6].copy_from_slice(&self.value.to_le_bytes());
        bytes
    }
}

/// Appends one sample a point to `out`. Positions and colours are rounded to nearest; X runs from right to
/// left on the wire, as the vendor's own programs have it.
pub fn encode_samples(points: &[LaserPoint], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + points.len() * SAMPLE_BYTES, 0);
    let (records, _) = out[start..].as_chunks_mut::<SAMPLE_BYTES>();
    for (record, point) in records.iter_mut().zip(points) {
        let colours = drive(point.r) | drive(point.g) << 8 | drive(point.b) << 16;
        let place = (4095 - coordinate(point.x)) | coordinate(point.y) << 16;
        *record = (u64::from(colours) | u64::from(place) << 32).to_le_bytes();
    }
}

/// Adding this leaves a small number rounded to an integer in the low bits of the sum: 1.5 · 2²³.
const ROUNDER: f32 = 12_582_912.0;

/// −1..=1 to 0..=4095, rounded. What is no number goes to an edge.
#[inline]
#[allow(
    clippy::manual_clamp,
    reason = "each comparison is one instruction; clamp keeps NaN and takes three"
)]
fn coordinate(value: f32) -> u32 {
    let value = if value > -1.0 { value } else { -1.0 };
    let value = if value < 1.0 { value } else { 1.0 };
    ((value * 2047.5 + 2047.5) + ROUNDER).to_bits() & 0xfff
}

/// 0..=65 535 to 0..=255, rounded to nearest.
#[inline]
const fn drive(value: u16) -> u32 {
    (value as u32 * 255 + 32_895) >> 16
}

/// The point of a sample. It has no intensity of its own: the largest of the colours stands for it.
#[must_use]
pub fn decode_sample(sample: &[u8; SAMPLE_BYTES]) -> LaserPoint {
    let [red, green, blue, _, x0, x1, y0, y1] = *sample;
    let position = |low, high| f32::from(u16::from_le_bytes([low, high]).min(4095)) / 2047.5 - 1.0;
    let [r, g, b] = [red, green, blue].map(|drive| u16::from(drive) * 257);
    LaserPoint { x: -position(x0, x1), y: position(y0, y1), r, g, b, i: r.max(g).max(b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;
    use proptest::prelude::*;

    /// The vendor's library truncates, so its centre is one step lower; the corners and colours are its own.
    #[test]
    fn samples_are_those_of_the_vendors_library_rounded() {
        let points = [
            LaserPoint::lit(-1.0, 1.0, Colour::rgb(1.0, 0.0, 0.0)),
            LaserPoint { g: 128 * 257, ..LaserPoint::CENTRE },
            LaserPoint::lit(1.0, -1.0, Colour::rgb(0.0, 0.0, 1.0)),
        ];
        let mut out = Vec::new();
        encode_samples(&points, &mut out);
        assert_eq!(out[..8], [0xff, 0, 0, 0, 0xff, 0x0f, 0xff, 0x0f]);
        assert_eq!(out[8..16], [0, 0x80, 0, 0, 0xff, 0x07, 0x00, 0x08]);
        assert_eq!(out[16..], [0, 0, 0xff, 0, 0, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_command_or_refused(bytes: Vec<u8>) {
            if let Ok(command) = Command::parse(&bytes) {
                let (emitted, len) = command.emit();
                prop_assert_eq!(Command::parse(&emitted[..len]), Ok(command));
                if let Ok(reply) = Reply::parse(&bytes, &command) {
                    prop_assert_eq!(Reply::parse(&reply.emit(), &command), Ok(reply));
                }
            }
        }

        #[test]
        fn positions_come_back_within_half_a_step(x in -1.2_f32..1.2, y in -1.2_f32..1.2) {
            let mut out = Vec::new();
            encode_samples(&[LaserPoint::blank(x, y)], &mut out);
            let back = decode_sample(&out.try_into().unwrap());
            for (was, is) in [(x, back.x), (y, back.y)] {
                prop_assert!((was.clamp(-1.0, 1.0) - is).abs() <= 0.501 / 2047.5);
            }
        }
    }
}
