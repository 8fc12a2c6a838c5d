//! Helios over USB: control packets of a few bytes, and whole frames of points.
//!
//! All numbers are little endian. Host and device side are both here: the driver emits requests and parses
//! replies, the simulator does the reverse. Spec: `docs/protocols/helios.md`.

use crate::point::LaserPoint;

/// USB vendor number.
pub const VENDOR_ID: u16 = 0x1209;
/// USB product number.
pub const PRODUCT_ID: u16 = 0xe500;
/// Bulk endpoint that frames go to.
pub const FRAME_OUT: u8 = 0x02;
/// Interrupt endpoint that requests go to.
pub const REQUEST_OUT: u8 = 0x06;
/// Interrupt endpoint that replies come from.
pub const REPLY_IN: u8 = 0x83;
/// Length of a reply, and of the longest request.
pub const CONTROL_BYTES: usize = 32;
/// Most points of one frame: the firmware's buffer has one more, the maker's own limit is this.
pub const MAX_POINTS: usize = 4095;
/// Lowest rate, points per second: the firmware clamps below it.
pub const MIN_PPS: u32 = 7;
/// Highest rate, points per second: the field has 16 bits.
pub const MAX_PPS: u32 = 65_535;
/// Length of a point.
pub const POINT_BYTES: usize = 7;
/// Length of what follows the points.
pub const TAIL_BYTES: usize = 5;
/// A transfer whose length is a multiple of this is never completed by the device.
pub const PACKET_BYTES: usize = 64;
/// The level of the host's protocol: what the maker's own library of 2024 announces.
pub const SDK_LEVEL: u8 = 11;
/// Bytes of a name a device can store.
pub const NAME_BYTES: usize = 30;

/// Bits of a frame's last byte.
pub mod flag {
    /// Cut the frame that plays instead of waiting for its end.
    pub const START_AT_ONCE: u8 = 1;
    /// Play once, then dark until the next frame. Without it the frame loops for ever, also when the host
    /// has died.
    pub const SINGLE_SHOT: u8 = 1 << 1;
}

/// What is wrong with bytes that claim to be Helios's, or with a frame to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes are needed.
    #[error("the message is cut short")]
    Incomplete,
    /// No such request. 0xde, which erases the firmware, is among these.
    #[error("0x{0:02x} is no request that may be made of a Helios")]
    UnknownRequest(u8),
    /// No such reply.
    #[error("0x{0:02x} is no reply of a Helios")]
    UnknownReply(u8),
    /// The length of a frame is not what its own count says.
    #[error("a frame of {bytes} bytes cannot hold {points} points")]
    FrameLength {
        /// Bytes received.
        bytes: usize,
        /// Points it claims to hold.
        points: usize,
    },
    /// A frame without points, or with too many.
    #[error("a frame holds 1 to 4095 points, not {0}")]
    Points(usize),
    /// A rate the device does not have.
    #[error("the rate of a Helios is 7 to 65535 points per second, not {0}")]
    Rate(u32),
}

/// What a host asks for on [`REQUEST_OUT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Dark at once. Frames are ignored for 100 ms. No reply.
    Stop,
    /// Opens or closes the shutter. No reply.
    Shutter(bool),
    /// Is the next frame's slot free?
    Status,
    /// The firmware's version.
    Firmware,
    /// The stored name.
    Name,
    /// Stores a name. No reply.
    SetName(Name),
    /// The level of the host's protocol. No reply.
    SdkLevel(u8),
}

/// What a device answers on [`REPLY_IN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// True if the next frame's slot is free.
    Status(bool),
    /// The firmware's version.
    Firmware(u32),
    /// The stored name.
    Name(Name),
}

/// A device's stored name: up to 31 bytes on the wire, ended by a zero with rubbish behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Name([u8; NAME_BYTES + 1]);

impl Name {
    /// A name of at most [`NAME_BYTES`] bytes; what is longer is cut.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::read(&text.as_bytes()[..text.len().min(NAME_BYTES)])
    }

    fn read(bytes: &[u8]) -> Self {
        let mut name = [0; NAME_BYTES + 1];
        for (slot, byte) in name.iter_mut().zip(bytes.iter().take_while(|byte| **byte != 0)) {
            *slot = *byte;
        }
        Self(name)
    }

    /// The name; bytes that are no text become replacement characters.
    #[must_use]
    pub fn text(&self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        String::from_utf8_lossy(&self.0[..end]).into_owned()
    }
}

/// A control packet to send: its buffer and how much of it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    bytes: [u8; CONTROL_BYTES],
    len: usize,
}

impl Packet {
    fn of(front: &[u8], len: usize) -> Self {
        let mut bytes = [0; CONTROL_BYTES];
        bytes[..front.len()].copy_from_slice(front);
        Self { bytes, len }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Request {
    /// Reads a request.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (Some(&first), Some(&second)) = (bytes.first(), bytes.get(1)) else {
            return Err(Error::Incomplete);
        };
        Ok(match first {
            0x01 => Self::Stop,
            0x02 => Self::Shutter(second != 0),
            0x03 => Self::Status,
            0x04 => Self::Firmware,
            0x05 => Self::Name,
            0x06 => Self::SetName(Name::read(&bytes[1..bytes.len().min(1 + NAME_BYTES)])),
            0x07 => Self::SdkLevel(second),
            other => return Err(Error::UnknownRequest(other)),
        })
    }

    /// The request's bytes.
    #[must_use]
    pub fn emit(&self) -> Packet {
        match *self {
            Self::Stop => Packet::of(&[0x01, 0], 2),
            Self::Shutter(open) => Packet::of(&[0x02, u8::from(open)], 2),
            Self::Status => Packet::of(&[0x03, 0], 2),
            Self::Firmware => Packet::of(&[0x04, 0], 2),
            Self::Name => Packet::of(&[0x05, 0], 2),
            Self::SetName(name) => {
                let mut packet = Packet::of(&[0x06], CONTROL_BYTES);
                packet.bytes[1..].copy_from_slice(&name.0);
                packet
            }
            Self::SdkLevel(level) => Packet::of(&[0x07, level], 2),
        }
    }
}

impl Reply {
    /// Reads a reply.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let Some((&first, rest)) = bytes.split_first() else { return Err(Error::Incomplete) };
        match (first, rest) {
            (0x83, [free, ..]) => Ok(Self::Status(*free != 0)),
            (0x84, [a, b, c, d, ..]) => Ok(Self::Firmware(u32::from_le_bytes([*a, *b, *c, *d]))),
            (0x85, name) => Ok(Self::Name(Name::read(name))),
            (0x83 | 0x84, _) => Err(Error::Incomplete),
            _ => Err(Error::UnknownReply(first)),
        }
    }

    /// The reply's bytes.
    #[must_use]
    pub fn emit(&self) -> Packet {
        match *self {
            Self::Status(free) => Packet::of(&[0x83, u8::from(free)], 2),
            Self::Firmware(version) => {
                let [a, b, c, d] = version.to_le_bytes();
                Packet::of(&[0x84, a, b, c, d], 5)
            }
            Self::Name(name) => {
                let mut packet = Packet::of(&[0x85], CONTROL_BYTES);
                packet.bytes[1..].copy_from_slice(&name.0);
                packet
            }
        }
    }
}

/// Writes a frame into `out`, replacing what it held. Positions and colours are rounded to nearest.
///
/// A frame whose length would be a multiple of 64 bytes shows its last point twice, at a rate that much
/// higher: same duration, no point lost, and no step longer than the gate has passed.
pub fn encode_frame(
    points: &[LaserPoint],
    pps: u32,
    flags: u8,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let n = points.len();
    let Some(last) = points.last().filter(|_| n <= MAX_POINTS) else {
        return Err(Error::Points(n));
    };
    let Some(rate) = u16::try_from(pps).ok().filter(|_| pps >= MIN_PPS) else {
        return Err(Error::Rate(pps));
    };
    out.clear();
    out.resize(n * POINT_BYTES, 0);
    let (records, _) = out.as_chunks_mut::<POINT_BYTES>();
    for (record, point) in records.iter_mut().zip(points) {
        *record = encode_point(point);
    }
    let (mut count, mut rate) = (n as u16, rate);
    if (out.len() + TAIL_BYTES).is_multiple_of(PACKET_BYTES) {
        out.extend_from_slice(&encode_point(last));
        count += 1;
        let faster = (u64::from(pps) * 2 * (n as u64 + 1) + n as u64) / (2 * n as u64);
        rate = u16::try_from(faster).unwrap_or(u16::MAX);
    }
    out.extend_from_slice(&rate.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.push(flags);
    Ok(())
}

/// The seven bytes of a point.
#[inline]
fn encode_point(point: &LaserPoint) -> [u8; POINT_BYTES] {
    let (x, y) = (coordinate(point.x), coordinate(point.y));
    // x11…4, x3…0 y11…8, y7…0: the 24 bits of both, highest first.
    let both = (x << 12 | y).to_be_bytes();
    [both[1], both[2], both[3], drive(point.r), drive(point.g), drive(point.b), drive(point.i)]
}

/// Adding this leaves a small number rounded to an integer in the low bits of the sum: 1.5 · 2²³.
const ROUNDER: f32 = 12_582_912.0;

/// −1..=1 to 0..=4095, rounded. What is no number goes to the left or bottom edge.
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

/// 0..=65 535 to 0..=255, rounded to nearest: exactly `round(drive / 257)`.
#[inline]
const fn drive(value: u16) -> u8 {
    ((value as u32 * 255 + 32_895) >> 16) as u8
}

/// A frame as a device receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    points: &'a [u8],
    /// Points per second.
    pub pps: u16,
    /// See [`flag`].
    pub flags: u8,
}

impl<'a> Frame<'a> {
    /// Reads a frame. Its length must be exactly what its count says.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let body = bytes.len().checked_sub(TAIL_BYTES).ok_or(Error::Incomplete)?;
        let (points, tail) = bytes.split_at(body);
        let count = usize::from(u16::from_le_bytes([tail[2], tail[3]]));
        if count * POINT_BYTES != body {
            return Err(Error::FrameLength { bytes: bytes.len(), points: count });
        }
        if count == 0 || count > MAX_POINTS {
            return Err(Error::Points(count));
        }
        Ok(Self { points, pps: u16::from_le_bytes([tail[0], tail[1]]), flags: tail[4] })
    }

    /// How many points.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.points.len() / POINT_BYTES
    }

    /// Never: a frame has at least one point.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The points in order.
    pub fn points(&self) -> impl Iterator<Item = LaserPoint> + use<'a> {
        self.points.as_chunks::<POINT_BYTES>().0.iter().map(|record| {
            let [a, b, c, red, green, blue, intensity] = record.map(u16::from);
            let position = |v: u16| f32::from(v) / 2047.5 - 1.0;
            LaserPoint {
                x: position(a << 4 | b >> 4),
                y: position((b & 0xf) << 8 | c),
                r: red * 257,
                g: green * 257,
                b: blue * 257,
                i: intensity * 257,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;
    use proptest::prelude::*;

    #[test]
    fn the_request_that_erases_the_firmware_cannot_be_made_and_is_not_read() {
        assert_eq!(Request::parse(&[0xde, 0]), Err(Error::UnknownRequest(0xde)));
    }

    /// Recorded on firmware 5 (published with laser-dac-rs): rubbish follows the zero.
    #[test]
    fn a_name_ends_at_its_zero_whatever_follows() {
        let mut bytes =
            *b"\x85Helios 909127731\0\xe3\xc2\x8f\x7f\xc4\x1e\x08\x20\x50\x31\xba\x89\x6f\x3b";
        let Ok(Reply::Name(name)) = Reply::parse(&bytes) else { panic!() };
        assert_eq!(name.text(), "Helios 909127731");
        bytes[1..].fill(b'x');
        let Ok(Reply::Name(name)) = Reply::parse(&bytes) else { panic!() };
        assert_eq!(name.text().len(), 31.min(bytes.len() - 1));
    }

    #[test]
    fn no_frame_is_a_multiple_of_a_packet_and_each_lasts_as_long_as_it_was_meant_to() {
        let points = vec![LaserPoint::lit(0.5, 0.5, Colour::WHITE); MAX_POINTS];
        let mut out = Vec::new();
        for n in 1..=MAX_POINTS {
            encode_frame(&points[..n], 30_000, flag::SINGLE_SHOT, &mut out).unwrap();
            assert!(!out.len().is_multiple_of(PACKET_BYTES), "{n} points");
            let frame = Frame::parse(&out).unwrap();
            assert_eq!(frame.len() - n, usize::from(n % 64 == 45));
            let (wanted, lasts) = (n as f64 / 3e4, frame.len() as f64 / f64::from(frame.pps));
            assert!((wanted - lasts).abs() <= wanted * 2e-5, "{n} points last {lasts}");
        }
    }

    #[test]
    fn rates_and_counts_the_device_does_not_have_are_refused() {
        let mut out = Vec::new();
        let one = [LaserPoint::CENTRE];
        for pps in [0, 6, 65_536, u32::MAX] {
            assert_eq!(encode_frame(&one, pps, 2, &mut out), Err(Error::Rate(pps)));
        }
        assert_eq!(encode_frame(&[], 1000, 2, &mut out), Err(Error::Points(0)));
        let many = vec![LaserPoint::CENTRE; 4096];
        assert_eq!(encode_frame(&many, 1000, 2, &mut out), Err(Error::Points(4096)));
    }

    #[test]
    fn drives_are_rounded_to_nearest() {
        for value in 0..=u16::MAX {
            assert_eq!(drive(value), (f64::from(value) / 257.0).round() as u8, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_refused(bytes: Vec<u8>) {
            if let Ok(request) = Request::parse(&bytes) {
                prop_assert_eq!(Request::parse(request.emit().as_bytes()), Ok(request));
            }
            if let Ok(reply) = Reply::parse(&bytes) {
                prop_assert_eq!(Reply::parse(reply.emit().as_bytes()), Ok(reply));
            }
            if let Ok(frame) = Frame::parse(&bytes) {
                prop_assert_eq!(frame.points().count(), frame.len());
            }
        }

        #[test]
        fn positions_come_back_within_half_a_step(x in -1.2_f32..1.2, y in -1.2_f32..1.2, pps in 7_u32..=65_535) {
            let mut out = Vec::new();
            encode_frame(&[LaserPoint::blank(x, y)], pps, 2, &mut out).unwrap();
            let frame = Frame::parse(&out).unwrap();
            prop_assert_eq!(u32::from(frame.pps), pps);
            let back = frame.points().next().unwrap();
            for (was, is) in [(x, back.x), (y, back.y)] {
                prop_assert!((was.clamp(-1.0, 1.0) - is).abs() <= 0.501 / 2047.5);
            }
        }

        #[test]
        fn a_frame_cut_or_padded_is_refused(n in 1_usize..200, cut in 1_usize..20) {
            let mut out = Vec::new();
            encode_frame(&vec![LaserPoint::CENTRE; n], 1000, 2, &mut out).unwrap();
            let whole = out.len();
            prop_assert!(Frame::parse(&out[..whole - cut.min(whole)]).is_err());
            out.extend(std::iter::repeat_n(0, cut));
            prop_assert!(Frame::parse(&out).is_err());
        }
    }
}
