//! Datagrams of points: four bytes of header and ten bytes a point, the bulk of the traffic.
//! Spec: docs/protocols/lasercube_wifi.md#data

use super::{Error, FULL_SCALE, opcode, u16_at};
use crate::point::LaserPoint;

/// Bytes before the points.
pub const DATA_HEADER_BYTES: usize = 4;
/// Length of a point.
pub const POINT_BYTES: usize = 10;

/// Half of the range: what one unit of deflection is on the wire.
const HALF_SCALE: f32 = 2047.5;
/// Adding this leaves a small number rounded to an integer in the low bits of the sum: 1.5 · 2²³.
const ROUNDER: f32 = 12_582_912.0;

/// A point as it stands on the wire: 12 bits each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WirePoint {
    /// 0 is right, 4095 left.
    pub x: u16,
    /// 0 is bottom, 4095 top.
    pub y: u16,
    /// Red drive.
    pub r: u16,
    /// Green drive.
    pub g: u16,
    /// Blue drive.
    pub b: u16,
}

impl WirePoint {
    /// Reads a point; missing bytes read as zero.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let field = |index: usize| u16_at(bytes, index * 2);
        Self { x: field(0), y: field(1), r: field(2), g: field(3), b: field(4) }
    }

    /// Writes a point.
    #[must_use]
    pub fn emit(&self) -> [u8; POINT_BYTES] {
        let mut out = [0; POINT_BYTES];
        let fields = [self.x, self.y, self.r, self.g, self.b];
        for (pair, field) in out.chunks_exact_mut(2).zip(fields) {
            pair.copy_from_slice(&field.to_le_bytes());
        }
        out
    }

    /// The point as the audience sees it, as the vendor sends it: x mirrored on the wire, y as it is.
    /// Numbers above 12 bits count as full.
    #[must_use]
    pub fn to_point(&self) -> LaserPoint {
        let place = |v: u16| f32::from(v.min(FULL_SCALE)) / HALF_SCALE - 1.0;
        let drive = |v: u16| {
            let v = v.min(FULL_SCALE);
            v << 4 | v >> 8
        };
        let (r, g, b) = (drive(self.r), drive(self.g), drive(self.b));
        LaserPoint { x: -place(self.x), y: place(self.y), r, g, b, i: r.max(g).max(b) }
    }
}

/// A datagram of points as a device receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataPacket<'a> {
    /// Grows by one with each datagram, and wraps.
    pub message: u8,
    /// Grows by one with each frame or batch, and wraps.
    pub frame: u8,
    records: &'a [u8],
}

impl<'a> DataPacket<'a> {
    /// Reads a datagram; a last point that is cut short is left out.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        match *bytes {
            [opcode::DATA, _, message, frame, ref records @ ..] => {
                Ok(Self { message, frame, records })
            }
            [] | [opcode::DATA, ..] => Err(Error::Incomplete),
            [other, ..] => Err(Error::UnknownMessage(other)),
        }
    }

    /// How many points.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.records.len() / POINT_BYTES
    }

    /// True when there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The points in order.
    pub fn points(&self) -> impl Iterator<Item = WirePoint> + use<'a> {
        self.records.chunks_exact(POINT_BYTES).map(WirePoint::parse)
    }
}

/// Appends a datagram of `points` to `out`. Colours lose their low four bits, rounded down.
pub fn encode_packet(message: u8, frame: u8, points: &[LaserPoint], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + DATA_HEADER_BYTES + points.len() * POINT_BYTES, 0);
    let (header, records) = out[start..].split_at_mut(DATA_HEADER_BYTES);
    header.copy_from_slice(&[opcode::DATA, 0, message, frame]);
    let (records, _) = records.as_chunks_mut::<POINT_BYTES>();
    for (record, point) in records.iter_mut().zip(points) {
        // Two stores instead of five.
        let x = mirrored(point.x);
        let y = u64::from(FULL_SCALE) - mirrored(point.y);
        let head = x | y << 16 | u64::from(point.r >> 4) << 32 | u64::from(point.g >> 4) << 48;
        record[..8].copy_from_slice(&head.to_le_bytes());
        record[8..].copy_from_slice(&(point.b >> 4).to_le_bytes());
    }
}

/// 1..=−1 to 0..=4095, rounded to nearest. What is no number goes to an edge; the gate has made such points
/// dark long before.
#[inline]
#[allow(
    clippy::manual_clamp,
    reason = "each comparison is one instruction; clamp keeps NaN and takes three"
)]
fn mirrored(value: f32) -> u64 {
    let value = if value > -1.0 { value } else { -1.0 };
    let value = if value < 1.0 { value } else { 1.0 };
    u64::from((HALF_SCALE - value * HALF_SCALE + ROUNDER).to_bits() & 0x1fff)
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;
    use crate::point::Colour;
    use proptest::prelude::*;

    /// Built by the nannou `lasercube-core` crate, without mirroring (sheet, section 10).
    const UNMIRRORED: &str = "a90005020000ff0fff0f00000000ff07ff070000ff070000ff0f000000000000ff0f";
    /// The same three points in the vendor's orientation, colours of 8 bits (sheet, section 10, by hand).
    const VENDOR: &str = "a9000502ff0fff0ff00f000000000008ff070000000800000000000000000000f00f";

    fn three_points() -> [LaserPoint; 3] {
        [
            LaserPoint::lit(-1.0, 1.0, Colour::rgb(1.0, 0.0, 0.0)),
            LaserPoint::lit(0.0, 0.0, Colour::rgb(0.0, 0.5, 0.0)),
            LaserPoint::lit(1.0, -1.0, Colour::rgb(0.0, 0.0, 1.0)),
        ]
    }

    #[test]
    fn the_reference_datagram_carries_its_three_points() {
        let bytes = hex(UNMIRRORED);
        let packet = DataPacket::parse(&bytes).unwrap();
        assert_eq!((packet.message, packet.frame, packet.len()), (5, 2, 3));
        let points: Vec<WirePoint> = packet.points().collect();
        assert_eq!(points[0], WirePoint { x: 0, y: 4095, r: 4095, g: 0, b: 0 });
        assert_eq!(points[1], WirePoint { x: 2047, y: 2047, r: 0, g: 2047, b: 0 });
        assert_eq!(points[2], WirePoint { x: 4095, y: 0, r: 0, g: 0, b: 4095 });
        let again: Vec<u8> = points.iter().flat_map(WirePoint::emit).collect();
        assert_eq!(again[..], bytes[DATA_HEADER_BYTES..]);
    }

    #[test]
    fn encoding_gives_the_vendors_bytes_with_all_twelve_bits_of_colour() {
        let mut out = Vec::new();
        encode_packet(5, 2, &three_points(), &mut out);
        // Full and half drive with the low bits that the vendor leaves out.
        let expected = hex(VENDOR);
        let parsed = DataPacket::parse(&out).unwrap();
        let vendor = DataPacket::parse(&expected).unwrap();
        for (ours, theirs) in parsed.points().zip(vendor.points()) {
            assert_eq!((ours.x, ours.y), (theirs.x, theirs.y));
            for (ours, theirs) in [(ours.r, theirs.r), (ours.g, theirs.g), (ours.b, theirs.b)] {
                assert!(ours & 0xff0 == theirs, "{ours:#x} {theirs:#x}");
            }
        }
        assert_eq!(out[..DATA_HEADER_BYTES], expected[..DATA_HEADER_BYTES]);
        assert_eq!(parsed.points().next().unwrap().r, 4095);
    }

    #[test]
    fn the_unmirrored_reference_comes_from_inverting_x() {
        let mut out = Vec::new();
        let turned = three_points().map(|point| LaserPoint { x: -point.x, ..point });
        encode_packet(5, 2, &turned, &mut out);
        let ours: Vec<WirePoint> = DataPacket::parse(&out).unwrap().points().collect();
        let reference = hex(UNMIRRORED);
        let theirs: Vec<WirePoint> = DataPacket::parse(&reference).unwrap().points().collect();
        assert_eq!((ours[0], ours[2]), (theirs[0], theirs[2]));
        // The centre lies between two steps: the reference rounds down where the mirrored form rounds up.
        assert!(ours[1].x.abs_diff(theirs[1].x) <= 1 && ours[1].y == theirs[1].y);
    }

    #[test]
    fn a_full_datagram_is_1404_bytes() {
        let mut out = Vec::new();
        let points = [LaserPoint::CENTRE; super::super::MAX_POINTS_PER_PACKET];
        encode_packet(0, 0, &points, &mut out);
        assert_eq!(out.len(), 1404);
    }

    #[test]
    fn headers_cut_short_and_other_messages_are_refused() {
        assert_eq!(DataPacket::parse(&hex("a90005")), Err(Error::Incomplete));
        assert_eq!(DataPacket::parse(&hex("9a000500")), Err(Error::UnknownMessage(0x9a)));
        let cut = hex(UNMIRRORED);
        assert_eq!(DataPacket::parse(&cut[..cut.len() - 1]).unwrap().len(), 2);
    }

    proptest! {
        #[test]
        fn encoding_rounds_to_nearest_never_adds_light_and_stays_in_range(
            x in -1.2_f32..1.2, y in -1.2_f32..1.2, drives: [u16; 3], odd in 0_usize..5
        ) {
            let [r, g, b] = drives;
            let x = [x, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30][odd];
            let mut out = Vec::new();
            let point = LaserPoint { x, y, r, g, b, i: 0 };
            encode_packet(1, 1, &[point], &mut out);
            let wire = DataPacket::parse(&out).unwrap().points().next().unwrap();
            prop_assert!(wire.x <= 4095 && wire.y <= 4095);
            let seen = wire.to_point();
            let step = 0.5001 / HALF_SCALE;
            prop_assert!((seen.y - y.clamp(-1.0, 1.0)).abs() <= step);
            if odd == 0 {
                prop_assert!((seen.x - x.clamp(-1.0, 1.0)).abs() <= step);
            }
            for (sent, wanted) in [(wire.r, r), (wire.g, g), (wire.b, b)] {
                prop_assert_eq!(sent, wanted >> 4);
            }
        }

        #[test]
        fn mutated_datagrams_never_panic(at in 0_usize..34, byte: u8, len in 0_usize..40) {
            let mut bytes = hex(UNMIRRORED);
            bytes[at] = byte;
            bytes.truncate(len);
            if let Ok(packet) = DataPacket::parse(&bytes) {
                prop_assert_eq!(packet.points().count(), packet.len());
                prop_assert!(packet.points().all(|point| point.to_point().is_in_range()));
            }
        }
    }
}
