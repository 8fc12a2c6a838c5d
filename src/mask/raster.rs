//! A mask from outlines: binary coverage, outline and inside, channels joined by OR.
//!
//! The inside is even-odd. Where an edge crosses a row, a bit is turned over; a run over the row's words then
//! turns "how many crossings so far" into coverage, most words at once. Memory does not depend on the drawing.

use super::bitmask::BitMask;
use crate::format::outlines::{Outlines, Place, bounds};

/// Draws masks. Keeps memory for one mask's crossings.
#[derive(Clone, Debug, Default)]
pub struct Rasteriser {
    crossings: Vec<u64>,
}

impl Rasteriser {
    /// Replaces `mask` by the outlines at a size, one pixel for one unit of the drawing plane.
    pub fn draw(&mut self, outlines: &Outlines, width: u32, height: u32, mask: &mut BitMask) {
        mask.reset(width, height);
        if width == 0 || height == 0 {
            return;
        }
        for channel in outlines.channels() {
            self.draw_channel(channel, mask);
        }
    }

    fn draw_channel(&mut self, channel: &[Place], mask: &mut BitMask) {
        let Some((low, high)) = bounds(channel) else { return };
        let (width, height) = (mask.width() as i32, mask.height() as i32);
        if high.x < 0 || high.y < 0 || low.x >= width || low.y >= height || channel.len() < 2 {
            return;
        }
        for pair in channel.windows(2) {
            line(pair[0], pair[1], mask);
        }
        let (first, last) = (channel[0], channel[channel.len() - 1]);
        if channel.len() < 3 {
            return;
        }
        if first != last {
            line(last, first, mask);
        }
        let rows = low.y.max(0)..(high.y + 1).min(height);
        // Crossings left of the picture count at its edge.
        let words =
            low.x.clamp(0, width - 1) as usize / 64..high.x.clamp(0, width - 1) as usize / 64 + 1;
        self.crossings.clear();
        self.crossings.resize(rows.len() * words.len(), 0);
        for pair in channel.windows(2) {
            self.cross(pair[0], pair[1], &rows, &words, mask);
        }
        if first != last {
            self.cross(last, first, &rows, &words, mask);
        }
        for (y, crossings) in rows.zip(self.crossings.chunks_exact(words.len())) {
            let mut inside = 0;
            for (word, turned) in mask.row_mut(y as u32)[words.clone()].iter_mut().zip(crossings) {
                if *turned == 0 {
                    *word |= inside;
                    continue;
                }
                let covered = parities(*turned) ^ inside;
                *word |= covered;
                inside = 0_u64.wrapping_sub(covered >> 63);
            }
        }
        // What a row still holds open at its right end lies outside the picture, or nothing would be open.
        let surplus = mask.width() % 64;
        if surplus != 0 && words.end == mask.width().div_ceil(64) as usize {
            let keep = (1_u64 << surplus) - 1;
            for y in low.y.max(0)..(high.y + 1).min(height) {
                mask.row_mut(y as u32)[words.end - 1] &= keep;
            }
        }
    }

    /// Turns over the bit of every row that an edge crosses, and sets its pixel: both ends of a run belong to it.
    fn cross(
        &mut self,
        from: Place,
        to: Place,
        rows: &std::ops::Range<i32>,
        words: &std::ops::Range<usize>,
        mask: &mut BitMask,
    ) {
        let (top, bottom) = if from.y <= to.y { (from, to) } else { (to, from) };
        let (begin, end) = (top.y.max(rows.start), bottom.y.min(rows.end));
        if begin >= end {
            return;
        }
        let (dx, dy) =
            (i64::from(bottom.x) - i64::from(top.x), i64::from(bottom.y) - i64::from(top.y));
        // x + ⌊(2·(y − top)·dx + dy) / 2dy⌋, kept as quotient and remainder from row to row.
        let numerator = 2 * (i64::from(begin) - i64::from(top.y)) * dx + dy;
        let mut x = i64::from(top.x) + numerator.div_euclid(2 * dy);
        let mut part = numerator.rem_euclid(2 * dy);
        let (step, step_part) = ((2 * dx).div_euclid(2 * dy), (2 * dx).rem_euclid(2 * dy));
        let (left, width) = (words.start as i64 * 64, i64::from(mask.width()));
        let stride = words.len();
        for y in begin..end {
            if x < width {
                let within = (x - left).max(0) as usize;
                self.crossings[(y - rows.start) as usize * stride + within / 64] ^=
                    1 << (within % 64);
                if x >= 0 {
                    mask.row_mut(y as u32)[x as usize / 64] |= 1 << (x % 64);
                }
            }
            x += step;
            part += step_part;
            if part >= 2 * dy {
                part -= 2 * dy;
                x += 1;
            }
        }
    }
}

/// Each bit: whether an odd number of bits at and below it is set.
const fn parities(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}

/// Bresenham's line with both ends. What lies outside the picture is not drawn, and bends nothing.
fn line(from: Place, to: Place, mask: &mut BitMask) {
    let (width, height) = (i64::from(mask.width()), i64::from(mask.height()));
    let (mut x, mut y) = (i64::from(from.x), i64::from(from.y));
    let (to_x, to_y) = (i64::from(to.x), i64::from(to.y));
    let outside = |a: i64, b: i64, size: i64| a.max(b) < 0 || a.min(b) >= size;
    if outside(x, to_x, width) || outside(y, to_y, height) {
        return;
    }
    let (dx, dy) = ((to_x - x).abs(), (to_y - y).abs());
    let (step_x, step_y) = ((to_x - x).signum(), (to_y - y).signum());
    let mut error = dx - dy;
    loop {
        if (0..width).contains(&x) && (0..height).contains(&y) {
            mask.row_mut(y as u32)[x as usize / 64] |= 1 << (x % 64);
        }
        if x == to_x && y == to_y {
            return;
        }
        let twice = 2 * error;
        if twice > -dy {
            error -= dy;
            x += step_x;
        }
        if twice < dx {
            error += dx;
            y += step_y;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bitmask::{Bitmap, Scaler};
    use super::*;
    use proptest::prelude::*;

    fn outlines(channels: &[&[(i32, i32)]]) -> Outlines {
        let mut outlines = Outlines::default();
        for channel in channels {
            outlines.push(channel.iter().map(|&(x, y)| Place::new(x, y)));
        }
        outlines
    }

    fn drawn(channels: &[&[(i32, i32)]], width: u32, height: u32) -> BitMask {
        let mut mask = BitMask::default();
        Rasteriser::default().draw(&outlines(channels), width, height, &mut mask);
        mask
    }

    const SQUARE: &[(i32, i32)] = &[(10, 10), (20, 10), (20, 20), (10, 20), (10, 10)];
    const B: [&[(i32, i32)]; 3] = [&[(4, 4), (12, 4), (4, 12)], &[(20, 20)], &[(24, 2), (28, 6)]];

    /// AS-01: the sheet's golden masks and their sizes.
    #[test]
    fn the_sheets_masks_have_their_pixels() {
        let square = drawn(&[SQUARE], 32, 32);
        for y in 0..32 {
            for x in 0..32 {
                let inside = (10..=20).contains(&x) && (10..=20).contains(&y);
                assert_eq!(square.get(x, y), inside);
            }
        }
        let b = drawn(&B, 32, 32);
        for y in 0..32 {
            for x in 0..32 {
                let triangle = (4..=12).contains(&y) && x >= 4 && x <= 16 - y;
                let line = (24..=28).contains(&x) && y == x - 22;
                assert_eq!(b.get(x, y), triangle || line, "{x} {y}");
            }
        }
        let (mut scaler, mut out) = (Scaler::default(), Bitmap::default());
        for (mask, counts) in [(&square, [121, 36, 9, 484, 8]), (&b, [50, 18, 6, 200, 3])] {
            let sizes = [(32, 32), (16, 16), (8, 8), (64, 64), (12, 5)];
            for ((width, height), count) in sizes.into_iter().zip(counts) {
                scaler.scale(mask, width, height, &mut out);
                assert_eq!(out.count(), count, "{width}×{height}");
            }
        }
    }

    /// The definition of the sheet, pixel by pixel: sorted crossings, filled in pairs.
    fn naive(channels: &[Vec<(i32, i32)>], width: i32, height: i32) -> Vec<bool> {
        let mut set = vec![false; (width * height) as usize];
        let mut put = |x: i64, y: i64| {
            if (0..i64::from(width)).contains(&x) && (0..i64::from(height)).contains(&y) {
                set[(y * i64::from(width) + x) as usize] = true;
            }
        };
        for channel in channels {
            let mut edges: Vec<_> = channel.windows(2).map(|p| (p[0], p[1])).collect();
            if channel.len() >= 3 && channel[0] != channel[channel.len() - 1] {
                edges.push((channel[channel.len() - 1], channel[0]));
            }
            for &((x0, y0), (x1, y1)) in &edges {
                let (dx, dy) = ((x1 - x0).abs(), (y1 - y0).abs());
                let (mut x, mut y, mut error) = (x0, y0, dx - dy);
                loop {
                    put(x.into(), y.into());
                    if (x, y) == (x1, y1) {
                        break;
                    }
                    let twice = 2 * error;
                    if twice > -dy {
                        error -= dy;
                        x += (x1 - x0).signum();
                    }
                    if twice < dx {
                        error += dx;
                        y += (y1 - y0).signum();
                    }
                }
            }
            if channel.len() < 3 {
                continue;
            }
            for y in 0..height {
                let mut at: Vec<i64> = edges
                    .iter()
                    .map(|&(a, b)| if a.1 <= b.1 { (a, b) } else { (b, a) })
                    .filter(|(a, b)| a.1 <= y && y < b.1)
                    .map(|(a, b)| {
                        let (dx, dy) = (i64::from(b.0 - a.0), i64::from(b.1 - a.1));
                        i64::from(a.0) + (2 * i64::from(y - a.1) * dx + dy).div_euclid(2 * dy)
                    })
                    .collect();
                at.sort_unstable();
                for pair in at.chunks_exact(2) {
                    (pair[0].max(0)..=pair[1].min(i64::from(width) - 1))
                        .for_each(|x| put(x, y.into()));
                }
            }
        }
        set
    }

    proptest! {
        /// AS-10: every pixel is that of the definition, at any size, for outlines that cross themselves and
        /// leave the picture on every side.
        #[test]
        fn every_pixel_is_that_of_the_definition(
            channels in prop::collection::vec(
                prop::collection::vec((-40..180_i32, -30..60_i32), 0..14), 0..4),
            width in 1..140_u32,
            height in 1..40_u32,
        ) {
            let slices: Vec<&[(i32, i32)]> = channels.iter().map(Vec::as_slice).collect();
            let mask = drawn(&slices, width, height);
            let expected = naive(&channels, width as i32, height as i32);
            for (k, set) in expected.into_iter().enumerate() {
                let (x, y) = (k as u32 % width, k as u32 / width);
                prop_assert_eq!(mask.get(x, y), set, "{} {}", x, y);
            }
            let stray: u64 = mask.count();
            let inside = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
            prop_assert_eq!(stray, inside.filter(|&(x, y)| mask.get(x, y)).count() as u64);
        }
    }

    #[test]
    fn sizes_from_one_pixel_to_more_than_the_plane_are_drawn() {
        assert_eq!(drawn(&[SQUARE], 1, 1).count(), 0);
        assert_eq!(drawn(&[SQUARE], 12, 5).count(), 0);
        assert_eq!(drawn(&[SQUARE], 64, 64).count(), 121);
        assert_eq!(drawn(&[SQUARE], 4096, 2048).count(), 121);
        assert_eq!(drawn(&[SQUARE], 0, 7).count(), 0);
    }
}
