//! Rows of CSV, fast: one for every point of a show.

use crate::point::LaserPoint;

/// What the columns are: those of `galvo simulate --record`.
pub(super) const HEAD: &[u8] = b"host_ns,index,x,y,r,g,b,i\n";

/// Appends the row of a point.
pub(super) fn append(out: &mut Vec<u8>, at_ns: u64, index: u64, point: &LaserPoint) {
    whole(out, at_ns);
    out.push(b',');
    whole(out, index);
    for place in [point.x, point.y] {
        out.push(b',');
        millionths(out, place);
    }
    for level in [point.r, point.g, point.b, point.i] {
        out.push(b',');
        whole(out, u64::from(level));
    }
    out.push(b'\n');
}

fn whole(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend(&digits[at..]);
}

/// A number of the field with six decimals.
fn millionths(out: &mut Vec<u8>, value: f32) {
    let scaled = (f64::from(value) * 1e6).round() as i64;
    if scaled < 0 {
        out.push(b'-');
    }
    let size = scaled.unsigned_abs();
    whole(out, size / 1_000_000);
    out.push(b'.');
    let mut part = size % 1_000_000;
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (part % 10) as u8;
        part /= 10;
    }
    out.extend(digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_as_the_recorder_of_the_simulator_writes_it() {
        let point = LaserPoint { x: -0.25, y: 1.0, r: 65_535, g: 0, b: 7, i: 10 };
        let mut out = Vec::new();
        append(&mut out, 12_345_678_900, 42, &point);
        assert_eq!(out, b"12345678900,42,-0.250000,1.000000,65535,0,7,10\n");
        for x in [0.0_f32, -0.000_000_4, 0.000_001, -0.999_999, 0.123_456_7] {
            let mut out = Vec::new();
            millionths(&mut out, x);
            let text = String::from_utf8(out).unwrap();
            assert!((text.parse::<f64>().unwrap() - f64::from(x)).abs() <= 0.5e-6, "{x} {text}");
        }
    }
}
