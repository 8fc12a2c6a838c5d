//! Point records: 18 bytes each, the bulk of the traffic.
//! Spec: docs/protocols/ether_dream.md#points

use super::u16_at;
use crate::point::LaserPoint;

/// Length of a record.
pub const POINT_BYTES: usize = 18;
/// Bit of the control word: the next queued rate holds from this point on.
pub const RATE_CHANGE: u16 = 1 << 15;

/// Full deflection on the wire.
const FULL_SCALE: f32 = 32_767.0;
/// Adding this leaves a small number rounded to an integer in the low bits of the sum: 1.5 · 2²³.
const ROUNDER: f32 = 12_582_912.0;

/// A record as it stands on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WirePoint {
    /// See [`RATE_CHANGE`]; the other bits are 0.
    pub control: u16,
    /// −32 768 left to 32 767 right.
    pub x: i16,
    /// −32 768 bottom to 32 767 top.
    pub y: i16,
    /// Red drive.
    pub r: u16,
    /// Green drive.
    pub g: u16,
    /// Blue drive.
    pub b: u16,
    /// Intensity.
    pub i: u16,
    /// User line 1 (deep blue of the ILDA connector).
    pub u1: u16,
    /// User line 2 (yellow of the ILDA connector).
    pub u2: u16,
}

impl WirePoint {
    /// Reads a record; missing bytes read as zero.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let field = |index: usize| u16_at(bytes, index * 2);
        Self {
            control: field(0),
            x: field(1) as i16,
            y: field(2) as i16,
            r: field(3),
            g: field(4),
            b: field(5),
            i: field(6),
            u1: field(7),
            u2: field(8),
        }
    }

    /// Writes a record.
    #[must_use]
    pub fn emit(&self) -> [u8; POINT_BYTES] {
        let fields = [
            self.control,
            self.x as u16,
            self.y as u16,
            self.r,
            self.g,
            self.b,
            self.i,
            self.u1,
            self.u2,
        ];
        let mut out = [0; POINT_BYTES];
        for (pair, field) in out.chunks_exact_mut(2).zip(fields) {
            pair.copy_from_slice(&field.to_le_bytes());
        }
        out
    }

    /// True if the next queued rate holds from this point on.
    #[must_use]
    pub const fn changes_rate(&self) -> bool {
        self.control & RATE_CHANGE != 0
    }

    /// The point in the projector's normal coordinates.
    #[must_use]
    pub fn to_point(&self) -> LaserPoint {
        let coordinate = |v: i16| (f32::from(v) / FULL_SCALE).max(-1.0);
        LaserPoint {
            x: coordinate(self.x),
            y: coordinate(self.y),
            r: self.r,
            g: self.g,
            b: self.b,
            i: self.i,
        }
    }
}

/// Writes one record per point, as many as fit into `out`; returns the bytes written. `out` is 18 bytes a
/// point. The control words are 0.
pub fn encode_points(points: &[LaserPoint], out: &mut [u8]) -> usize {
    let (records, _) = out.as_chunks_mut::<POINT_BYTES>();
    for (record, point) in records.iter_mut().zip(points) {
        // Three stores instead of nine: the four drives lie side by side in memory and on the wire.
        let drives = u64::from(point.r)
            | u64::from(point.g) << 16
            | u64::from(point.b) << 32
            | u64::from(point.i) << 48;
        let (x, y) = (coordinate(point.x), coordinate(point.y));
        let head = u64::from(x) << 16 | u64::from(y) << 32 | drives << 48;
        record[..8].copy_from_slice(&head.to_le_bytes());
        record[8..16].copy_from_slice(&(drives >> 16).to_le_bytes());
        record[16..].copy_from_slice(&[0, 0]);
    }
    points.len().min(out.len() / POINT_BYTES) * POINT_BYTES
}

/// −1..=1 to the bits of the 16-bit field, rounded to nearest. What is no number goes to the left or bottom
/// edge; the gate has made such points dark long before.
#[inline]
#[allow(
    clippy::manual_clamp,
    reason = "each comparison is one instruction; clamp keeps NaN and takes three"
)]
fn coordinate(value: f32) -> u16 {
    let value = if value > -1.0 { value } else { -1.0 };
    let value = if value < 1.0 { value } else { 1.0 };
    (value * FULL_SCALE + ROUNDER).to_bits() as u16
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;
    use crate::point::Colour;
    use proptest::prelude::*;

    /// Identical bytes from C code over j4cDAC `protocol.h` and from the nannou crate; decoded by
    /// EtherDream-Dissector.
    #[test]
    fn the_three_reference_points() {
        let expected = [
            ("008000 80ff7f ffff 0000 0000 ffff 0000 0000", (0x8000, -32_768, 32_767)),
            ("0000 0000 0000 0000 0080 0000 0080 0000 0000", (0, 0, 0)),
            ("0000 ff7f 0080 0000 0000 ffff ffff 3412 7856", (0, 32_767, -32_768)),
        ];
        for (text, (control, x, y)) in expected {
            let bytes = hex(text);
            let point = WirePoint::parse(&bytes);
            assert_eq!((point.control, point.x, point.y), (control, x, y));
            assert_eq!(point.emit()[..], bytes[..]);
        }
        let last = WirePoint::parse(&hex(expected[2].0));
        assert_eq!((last.b, last.i, last.u1, last.u2), (0xffff, 0xffff, 0x1234, 0x5678));
    }

    #[test]
    fn corners_and_centre_are_encoded_to_the_ends_of_the_range() {
        let points = [
            LaserPoint::lit(-1.0, 1.0, Colour::rgb(1.0, 0.0, 0.0)),
            LaserPoint::blank(0.0, 0.0),
            LaserPoint::lit(1.0, -1.0, Colour::rgb(0.0, 0.5, 1.0)),
        ];
        let mut out = [0xaa; 3 * POINT_BYTES];
        assert_eq!(encode_points(&points, &mut out), out.len());
        let read: Vec<WirePoint> = out.chunks(POINT_BYTES).map(WirePoint::parse).collect();
        assert_eq!((read[0].x, read[0].y, read[0].r, read[0].i), (-32_767, 32_767, 65_535, 65_535));
        assert_eq!(read[1], WirePoint::default());
        assert_eq!((read[2].x, read[2].y), (32_767, -32_767));
        assert_eq!((read[2].g, read[2].b, read[2].i), (32_768, 65_535, 65_535));
    }

    #[test]
    fn positions_that_are_not_numbers_stay_in_range() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30] {
            let wire = coordinate(value) as i16;
            assert!((-32_767..=32_767).contains(&wire), "{value} became {wire}");
        }
    }

    proptest! {
        #[test]
        fn encoding_rounds_to_nearest_and_agrees_with_the_record_field_by_field(
            x in -1.2_f32..1.2, y in -1.2_f32..1.2, drives: [u16; 4]
        ) {
            let [r, g, b, i] = drives;
            let mut out = [0; POINT_BYTES];
            encode_points(&[LaserPoint { x, y, r, g, b, i }], &mut out);
            let record = WirePoint::parse(&out);
            prop_assert_eq!((record.r, record.g, record.b, record.i), (r, g, b, i));
            prop_assert_eq!((record.control, record.u1, record.u2), (0, 0, 0));
            for (sent, wanted) in [(record.x, x), (record.y, y)] {
                let exact = f64::from(wanted.clamp(-1.0, 1.0)) * 32_767.0;
                prop_assert!((f64::from(sent) - exact).abs() <= 0.5 + 0.01);
            }
        }

        #[test]
        fn a_short_buffer_takes_whole_records_only(points in 0_usize..5, bytes in 0_usize..80) {
            let mut out = vec![0; bytes];
            let written = encode_points(&vec![LaserPoint::CENTRE; points], &mut out);
            prop_assert_eq!(written, points.min(bytes / POINT_BYTES) * POINT_BYTES);
        }
    }
}
