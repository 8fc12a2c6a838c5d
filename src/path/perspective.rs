//! The picture laid into a quadrilateral: for a wall that is not square to the projector.
//!
//! A projective map keeps straight lines straight. The method is the closed form of the map from the unit square to a
//! quadrilateral (Heckbert, "Fundamentals of Texture Mapping and Image Warping", 1989, section 2.2.1).

use crate::point::LaserPoint;

/// The least area of a triangle of three neighbouring corners, half-fields squared: below it a picture is a line, on
/// which light stands too densely.
const LEAST_AREA: f32 = 0.02;

/// Where the corners of the picture come to lie: bottom left, bottom right, top right, top left.
pub type Corners = [[f32; 2]; 4];

/// The corners of a picture that is left as it is.
pub const SQUARE: Corners = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];

/// Corners between which no picture can lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PerspectiveError {
    /// A corner is outside the field or no number.
    #[error("a corner of the picture lies outside the field: keep all four between -1 and 1")]
    Outside,
    /// The corners cross, fold or lie on a line.
    #[error("the corners of the picture cross or lie too near to each other: pull them apart")]
    Folded,
}

/// A projective map of the field into itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Perspective {
    /// Rows of the matrix that takes (u, v, 1), 0..=1, to (x w, y w, w).
    rows: [[f32; 3]; 3],
    plain: bool,
}

impl Default for Perspective {
    fn default() -> Self {
        Self { rows: [[2.0, 0.0, -1.0], [0.0, 2.0, -1.0], [0.0, 0.0, 1.0]], plain: true }
    }
}

impl Perspective {
    /// The map that takes the corners of the field to `corners`, which must be convex, against the clock, and within the
    /// field.
    pub fn onto(corners: &Corners) -> Result<Self, PerspectiveError> {
        if !corners.iter().flatten().all(|c| c.is_finite() && c.abs() <= 1.0) {
            return Err(PerspectiveError::Outside);
        }
        let area = |k: usize| {
            let [a, b, c] = [corners[k], corners[(k + 1) % 4], corners[(k + 2) % 4]];
            0.5 * ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
        };
        if (0..4).any(|k| area(k) < LEAST_AREA) {
            return Err(PerspectiveError::Folded);
        }
        if *corners == SQUARE {
            return Ok(Self::default());
        }
        let [p0, p1, p2, p3] = *corners;
        let (dx1, dx2, sx) = (p1[0] - p2[0], p3[0] - p2[0], p0[0] - p1[0] + p2[0] - p3[0]);
        let (dy1, dy2, sy) = (p1[1] - p2[1], p3[1] - p2[1], p0[1] - p1[1] + p2[1] - p3[1]);
        // Twice the area of the triangle at the third corner: not zero by what was checked.
        let whole = dx1 * dy2 - dx2 * dy1;
        let g = (sx * dy2 - dx2 * sy) / whole;
        let h = (dx1 * sy - sx * dy1) / whole;
        let row = |axis: usize| {
            [p1[axis] - p0[axis] + g * p1[axis], p3[axis] - p0[axis] + h * p3[axis], p0[axis]]
        };
        Ok(Self { rows: [row(0), row(1), [g, h, 1.0]], plain: false })
    }

    /// Where a place of the picture comes to lie. What is outside the field is drawn to its edge first.
    #[must_use]
    pub fn place(&self, at: [f32; 2]) -> [f32; 2] {
        let [u, v] = at.map(|c| (c.clamp(-1.0, 1.0) + 1.0) * 0.5);
        let [x, y, w] = self.rows.map(|[a, b, c]| a * u + b * v + c);
        // Rounding must not push a corner out of the field.
        [(x / w).clamp(-1.0, 1.0), (y / w).clamp(-1.0, 1.0)]
    }

    /// Lays points in place. A position that is no number stays none.
    pub fn apply(&self, points: &mut [LaserPoint]) {
        if self.plain {
            return;
        }
        for point in points {
            let [x, y] = self.place([point.x, point.y]);
            *point = LaserPoint { x, y, ..*point };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;
    use proptest::prelude::*;

    const KEYSTONE: Corners = [[-0.9, -0.8], [0.9, -0.8], [0.5, 0.7], [-0.5, 0.7]];

    #[test]
    fn corners_come_to_lie_where_they_are_put_and_the_square_changes_nothing() {
        let map = Perspective::onto(&KEYSTONE).unwrap();
        for (from, to) in SQUARE.iter().zip(KEYSTONE) {
            let [x, y] = map.place(*from);
            assert!((x - to[0]).abs() < 1e-5 && (y - to[1]).abs() < 1e-5, "{from:?} {x} {y}");
        }
        assert_eq!(Perspective::onto(&SQUARE).unwrap(), Perspective::default());
        assert_eq!(Perspective::default().place([0.25, -0.5]), [0.25, -0.5]);
    }

    #[test]
    fn straight_lines_stay_straight_and_the_far_side_is_denser() {
        let map = Perspective::onto(&KEYSTONE).unwrap();
        let [a, b, c] = [-0.8, 0.1, 0.9].map(|t| map.place([t, 0.3 * t + 0.2]));
        let turn = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        assert!(turn.abs() < 1e-5, "{turn}");
        let step = |from: f32| map.place([0.0, from + 0.1])[1] - map.place([0.0, from])[1];
        assert!(step(0.8) < step(-0.9), "the narrow side is the far one");
    }

    #[test]
    fn corners_that_cross_or_lie_outside_are_refused() {
        let [a, b, c, d] = KEYSTONE;
        assert_eq!(Perspective::onto(&[b, a, c, d]), Err(PerspectiveError::Folded));
        assert_eq!(Perspective::onto(&[d, c, b, a]), Err(PerspectiveError::Folded));
        assert_eq!(Perspective::onto(&[a, b, c, [0.4, 0.0]]), Err(PerspectiveError::Folded));
        assert_eq!(Perspective::onto(&[a, a, c, d]), Err(PerspectiveError::Folded));
        for bad in [f32::NAN, 1.01, f32::NEG_INFINITY] {
            assert_eq!(Perspective::onto(&[a, b, c, [bad, 0.5]]), Err(PerspectiveError::Outside));
        }
    }

    #[test]
    fn light_and_nonsense_pass_unchanged() {
        let mut points = [
            LaserPoint::lit(0.5, 0.5, Colour::WHITE),
            LaserPoint::lit(f32::NAN, 0.0, Colour::WHITE),
        ];
        Perspective::onto(&KEYSTONE).unwrap().apply(&mut points);
        assert_eq!(points[0].peak(), u16::MAX);
        assert!(!points[1].is_in_range(), "the gate is to see it");
    }

    proptest! {
        #[test]
        fn no_map_leads_out_of_the_field_or_off_the_numbers(
            corners: [[f32; 2]; 4], x in -3.0_f32..3.0, y in -3.0_f32..3.0,
            near in prop::array::uniform4(prop::array::uniform2(-0.45_f32..0.45)),
        ) {
            let near = [0, 1, 2, 3].map(|k| [0, 1].map(|axis| SQUARE[k][axis] * 0.55 + near[k][axis]));
            prop_assert!(Perspective::onto(&near).is_err() || near.iter().flatten().all(|c| c.abs() <= 1.0));
            for corners in [corners, near] {
                if let Ok(map) = Perspective::onto(&corners) {
                    let [x, y] = map.place([x, y]);
                    prop_assert!(x.abs() <= 1.0 && y.abs() <= 1.0, "{} {}", x, y);
                }
            }
        }
    }
}
