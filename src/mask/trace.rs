//! Outlines of a picture: the lines between set and clear pixels, without the corners that lie on a line.

use crate::format::outlines::{Outlines, Place};

/// A picture as set and clear pixels, rows from the top.
#[derive(Clone, Copy, Debug)]
pub struct Pixels<'a> {
    /// Pixels from left to right.
    pub width: usize,
    /// True for each set pixel; what is missing at the end is clear.
    pub set: &'a [bool],
}

impl Pixels<'_> {
    fn height(&self) -> usize {
        self.set.len().div_ceil(self.width.max(1))
    }

    fn get(&self, x: i32, y: i32) -> bool {
        let inside = x >= 0 && y >= 0 && (x as usize) < self.width;
        inside && self.set.get(y as usize * self.width + x as usize).copied().unwrap_or(false)
    }
}

/// Where a step leads, and the two pixels ahead of its end: on the inner and on the outer side.
const STEPS: [(i32, i32); 4] = [(0, 1), (1, 0), (0, -1), (-1, 0)];
const INNER: [(i32, i32); 4] = [(0, 0), (0, -1), (-1, -1), (-1, 0)];
const OUTER: [(i32, i32); 4] = [(-1, 0), (0, 0), (0, -1), (-1, -1)];

/// The outlines of a picture, in units of its pixels: every piece and every hole is a channel. The corners of
/// `least` places or fewer are left out with their channel.
#[must_use]
pub fn trace(pixels: Pixels<'_>, least: usize) -> Outlines {
    let mut outlines = Outlines::default();
    let (width, height) = (pixels.width, pixels.height());
    let mut walked = vec![false; width * height];
    for y in 0..height as i32 {
        for x in 0..width as i32 {
            let begins = pixels.get(x, y) && !pixels.get(x - 1, y);
            if begins && !walked[y as usize * width + x as usize] {
                let line = walk(pixels, x, y, &mut walked);
                if line.len() > least {
                    outlines.push(line);
                }
            }
        }
    }
    outlines
}

/// Walks once around, with set pixels on the left, from the upper left corner of a pixel downward.
fn walk(pixels: Pixels<'_>, x: i32, y: i32, walked: &mut [bool]) -> Vec<Place> {
    let mut corners = Vec::new();
    let (mut at, mut heading) = ((x, y), 0_usize);
    loop {
        if heading == 0 {
            walked[at.1 as usize * pixels.width + at.0 as usize] = true;
        }
        at = (at.0 + STEPS[heading].0, at.1 + STEPS[heading].1);
        let ahead = |side: (i32, i32)| pixels.get(at.0 + side.0, at.1 + side.1);
        let turned = match (ahead(INNER[heading]), ahead(OUTER[heading])) {
            (false, _) => (heading + 1) % 4,
            (true, true) => (heading + 3) % 4,
            (true, false) => heading,
        };
        if turned != heading {
            corners.push(Place::new(at.0, at.1));
            heading = turned;
        }
        if at == (x, y) && heading == 0 {
            return corners;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bitmask::BitMask;
    use super::super::raster::Rasteriser;
    use super::*;

    fn traced(picture: &[&str]) -> Vec<Vec<(i32, i32)>> {
        let set: Vec<bool> =
            picture.iter().flat_map(|row| row.bytes().map(|b| b == b'#')).collect();
        let outlines = trace(Pixels { width: picture[0].len(), set: &set }, 0);
        outlines.channels().map(|c| c.iter().map(|p| (p.x, p.y)).collect()).collect()
    }

    #[test]
    fn a_rectangle_has_four_corners_and_a_hole_is_a_line_of_its_own() {
        assert_eq!(traced(&["....", ".##.", "...."]), [[(1, 2), (3, 2), (3, 1), (1, 1)]]);
        let ring = traced(&["###", "#.#", "###"]);
        assert_eq!(ring.len(), 2);
        assert_eq!(ring.iter().map(Vec::len).sum::<usize>(), 8);
        assert_eq!(traced(&["#.", ".#"]).len(), 2);
        assert!(traced(&["..", ".."]).is_empty());
    }

    #[test]
    fn a_traced_picture_fills_what_it_was_traced_from() {
        let (width, height) = (97, 61);
        let mut state = 5_u64;
        let blobs: Vec<(f64, f64, f64)> = (0..5)
            .map(|_| {
                let mut next = |most: f64| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (state >> 40) as f64 / f64::from(1 << 24) * most
                };
                (next(97.0), next(61.0), 4.0 + next(14.0))
            })
            .collect();
        let inside = |x: usize, y: usize| {
            blobs.iter().any(|(cx, cy, r)| (x as f64 - cx).hypot(y as f64 - cy) < *r)
        };
        let set: Vec<bool> = (0..width * height).map(|k| inside(k % width, k / width)).collect();
        let outlines = trace(Pixels { width, set: &set }, 0);
        let mut mask = BitMask::default();
        Rasteriser::default().draw(&outlines, width as u32, height as u32, &mut mask);
        for (k, set) in set.into_iter().enumerate() {
            // An outline belongs to its mask: one pixel more to the right and below.
            let (x, y) = ((k % width) as u32, (k / width) as u32);
            assert!(!set || mask.get(x, y));
        }
    }
}
