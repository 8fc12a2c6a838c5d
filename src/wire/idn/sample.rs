//! Points to the samples that galvo sends: the bulk of the traffic.
//! Spec: docs/protocols/idn.md#tags

use crate::point::LaserPoint;

/// Length of a sample of [`LAYOUT_16BIT`](super::LAYOUT_16BIT).
pub const SAMPLE_BYTES: usize = 10;

/// Full deflection on the wire.
const FULL_SCALE: f32 = 32_767.0;
/// Adding this leaves a small number rounded to an integer in the low bits of the sum: 1.5 · 2²³.
const ROUNDER: f32 = 12_582_912.0;

/// Writes one sample per point, as many as fit into `out`; returns the bytes written. `out` is ten bytes a
/// point.
pub fn encode_points(points: &[LaserPoint], out: &mut [u8]) -> usize {
    let (samples, _) = out.as_chunks_mut::<SAMPLE_BYTES>();
    for (sample, point) in samples.iter_mut().zip(points) {
        let head = u64::from(coordinate(point.x)) << 48
            | u64::from(coordinate(point.y)) << 32
            | u64::from(point.r) << 16
            | u64::from(point.g);
        sample[..8].copy_from_slice(&head.to_be_bytes());
        sample[8..].copy_from_slice(&point.b.to_be_bytes());
    }
    points.len().min(out.len() / SAMPLE_BYTES) * SAMPLE_BYTES
}

/// −1..=1 to the bits of the 16-bit field, rounded to nearest. What is no number goes to the left or bottom
/// edge; the gate has made such points dark long before.
fn coordinate(v: f32) -> u16 {
    let clamped = (v * FULL_SCALE).max(-32_768.0).min(FULL_SCALE);
    (clamped + ROUNDER).to_bits() as u16
}

#[cfg(test)]
mod tests {
    use super::super::{LAYOUT_16BIT, Layout};
    use super::*;
    use crate::point::Colour;
    use proptest::prelude::*;

    fn decoded(points: &[LaserPoint]) -> Vec<LaserPoint> {
        let mut bytes = vec![0; points.len() * SAMPLE_BYTES];
        assert_eq!(encode_points(points, &mut bytes), bytes.len());
        let words: Vec<u8> = LAYOUT_16BIT.iter().flat_map(|tag| tag.to_be_bytes()).collect();
        let layout = Layout::parse(&words).unwrap();
        assert_eq!(layout.sample_bytes(), SAMPLE_BYTES);
        layout.samples(&bytes).unwrap().map(|sample| sample.to_point()).collect()
    }

    #[test]
    fn corners_and_drives_are_exact_and_most_significant_first() {
        let mut bytes = [0; SAMPLE_BYTES];
        let point = LaserPoint { x: 1.0, y: -1.0, r: 0x1234, g: 0x5678, b: 0x9abc, i: 1 };
        assert_eq!(encode_points(&[point], &mut bytes), SAMPLE_BYTES);
        assert_eq!(bytes, [0x7f, 0xff, 0x80, 0x01, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc]);
    }

    #[test]
    fn what_is_out_of_range_stays_at_the_edge() {
        let wild = LaserPoint::blank(7.0, f32::NAN);
        let seen = decoded(&[wild])[0];
        assert_eq!((seen.x, seen.y), (1.0, -1.0));
    }

    #[test]
    fn no_more_is_written_than_fits() {
        let points = [LaserPoint::CENTRE; 4];
        assert_eq!(encode_points(&points, &mut [0; 39]), 30);
        assert_eq!(encode_points(&points, &mut [0; 99]), 40);
    }

    proptest! {
        #[test]
        fn a_point_returns_within_one_step(x in -1_f32..=1.0, y in -1_f32..=1.0, hue in 0_f32..1.0) {
            let point = LaserPoint::lit(x, y, Colour::hsv(hue, 1.0, 1.0));
            let seen = decoded(&[point])[0];
            prop_assert!((seen.x - x).abs() < 1.6e-5 && (seen.y - y).abs() < 1.6e-5);
            prop_assert_eq!((seen.r, seen.g, seen.b, seen.i), (point.r, point.g, point.b, point.i));
        }
    }
}
