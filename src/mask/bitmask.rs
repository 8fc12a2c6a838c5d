//! Pictures: the packed mask that is kept, and the picture of bytes that is handed out.

/// A mask of one bit a pixel: row by row from the top, each row in whole words, the lowest bit leftmost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitMask {
    width: u32,
    height: u32,
    words_per_row: usize,
    words: Vec<u64>,
}

impl BitMask {
    /// A clear mask.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        let mut mask = Self::default();
        mask.reset(width, height);
        mask
    }

    /// Clears it and gives it a size; memory is used again.
    pub fn reset(&mut self, width: u32, height: u32) {
        self.width = width;
        self.height = height;
        self.words_per_row = (width as usize).div_ceil(64);
        self.words.clear();
        self.words.resize(self.words_per_row * height as usize, 0);
    }

    /// Pixels from left to right.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Pixels from top to bottom.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// True if the pixel is set; false outside.
    #[must_use]
    pub fn get(&self, x: u32, y: u32) -> bool {
        x < self.width && y < self.height && self.row(y)[x as usize / 64] >> (x % 64) & 1 == 1
    }

    /// Number of pixels set.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// The words of a row. Bits past the width are clear.
    #[must_use]
    pub fn row(&self, y: u32) -> &[u64] {
        let first = y as usize * self.words_per_row;
        &self.words[first..first + self.words_per_row]
    }

    pub(super) fn row_mut(&mut self, y: u32) -> &mut [u64] {
        let first = y as usize * self.words_per_row;
        &mut self.words[first..first + self.words_per_row]
    }

    /// Bytes of memory that are held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }
}

/// One channel of 8 bits (R8 unorm): rows from the top, tightly packed, 0 clear to 255 opaque, not
/// premultiplied. Goes unchanged into `GL_R8` (unpack alignment 1), `VK_FORMAT_R8_UNORM`, wgpu's `R8Unorm`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitmap {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Bitmap {
    /// Pixels from left to right; also the bytes from one row to the next.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Pixels from top to bottom.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The pixels, `width · height` of them.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Number of pixels that are not clear.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pixels.iter().filter(|pixel| **pixel != 0).count()
    }
}

/// Makes pictures of any size of masks: nearest neighbour, `x' = ⌊x·W/w⌋`, `y' = ⌊y·H/h⌋`.
#[derive(Clone, Debug, Default)]
pub struct Scaler {
    /// Widths of mask and picture for which the columns hold.
    widths: (u32, u32),
    columns: Vec<u32>,
    row: Vec<u8>,
}

impl Scaler {
    /// Replaces `out` by the mask at a size; a size of 0 gives an empty picture. Memory is used again.
    pub fn scale(&mut self, mask: &BitMask, width: u32, height: u32, out: &mut Bitmap) {
        out.width = width;
        out.height = height;
        let (w, h) = (width as usize, height as usize);
        out.pixels.clear();
        out.pixels.resize(w * h, 0);
        if w == 0 || h == 0 || mask.width == 0 || mask.height == 0 {
            return;
        }
        let nearest =
            |at: usize, from: u32, to: usize| (at as u64 * u64::from(from) / to as u64) as u32;
        let same_width = width == mask.width;
        if !same_width && self.widths != (mask.width, width) {
            self.widths = (mask.width, width);
            self.columns.clear();
            self.columns.extend((0..w).map(|x| nearest(x, mask.width, w)));
        }
        self.row.resize(mask.words_per_row * 64, 0);
        let mut done: Option<(u32, usize)> = None;
        for y in 0..h {
            let source = nearest(y, mask.height, h);
            let begin = y * w;
            if let Some((row, first)) = done
                && row == source
            {
                out.pixels.copy_within(first..first + w, begin);
                continue;
            }
            done = Some((source, begin));
            let words = mask.row(source);
            let pixels = &mut out.pixels[begin..begin + w];
            // The picture was cleared above.
            if words.iter().all(|word| *word == 0) {
                continue;
            }
            expand(words, &mut self.row);
            if same_width {
                pixels.copy_from_slice(&self.row[..w]);
            } else {
                for (pixel, column) in pixels.iter_mut().zip(&self.columns) {
                    *pixel = self.row[*column as usize];
                }
            }
        }
    }
}

/// Bits to bytes of 0 and 255, 64 for each word.
fn expand(words: &[u64], bytes: &mut [u8]) {
    for (word, bytes) in words.iter().zip(bytes.as_chunks_mut::<64>().0) {
        match *word {
            0 => bytes.fill(0),
            u64::MAX => bytes.fill(255),
            word => {
                for (eight, bits) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(word.to_le_bytes())
                {
                    *eight = eight_bytes(bits);
                }
            }
        }
    }
}

/// Each bit as a byte of 0 or 255: the byte is spread over eight, its own bit is kept in each and made whole.
fn eight_bytes(bits: u8) -> [u8; 8] {
    let own = (u64::from(bits) * 0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
    // A byte that is not 0 gets its highest bit, which then fills the byte.
    let high = (own | own.wrapping_add(0x007f_7f7f_7f7f_7f7f)) & 0x8080_8080_8080_8080;
    ((high >> 7) * 255).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_bits_expands_to_its_pixels() {
        for bits in 0..=255_u8 {
            let expected: [u8; 8] =
                std::array::from_fn(|k| if bits >> k & 1 == 1 { 255 } else { 0 });
            assert_eq!(eight_bytes(bits), expected, "{bits:08b}");
        }
    }

    fn random(width: u32, height: u32) -> BitMask {
        let mut mask = BitMask::new(width, height);
        let mut state = u64::from(width * 77 + height) + 1;
        for y in 0..height {
            for x in 0..width {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
                mask.row_mut(y)[x as usize / 64] |= (state >> 63) << (x % 64);
            }
        }
        mask
    }

    /// AS-75, AS-76: every pair of small sizes against the formula; 5 → 3 takes columns 0, 1, 3.
    #[test]
    fn scaling_takes_the_pixel_of_the_formula() {
        let mut scaler = Scaler::default();
        let mut out = Bitmap::default();
        for (sw, sh) in [(1, 1), (5, 2), (2, 5), (7, 3), (64, 2), (65, 3), (130, 4)] {
            let mask = random(sw, sh);
            for (dw, dh) in
                (0..9_u32).flat_map(|w| (0..7_u32).map(move |h| (w, h))).chain([(65, 3), (200, 9)])
            {
                scaler.scale(&mask, dw, dh, &mut out);
                assert_eq!(out.pixels().len(), (dw * dh) as usize);
                for (k, pixel) in out.pixels().iter().enumerate() {
                    let (x, y) = (k as u64 % u64::from(dw), k as u64 / u64::from(dw));
                    let (x, y) =
                        (x * u64::from(sw) / u64::from(dw), y * u64::from(sh) / u64::from(dh));
                    assert_eq!(
                        *pixel == 255,
                        mask.get(x as u32, y as u32),
                        "{sw}×{sh} → {dw}×{dh}"
                    );
                    assert!(*pixel == 0 || *pixel == 255);
                }
            }
        }
        let mut five = BitMask::new(5, 1);
        five.row_mut(0)[0] = 0b01010;
        scaler.scale(&five, 3, 1, &mut out);
        assert_eq!(out.pixels(), [0, 255, 255]);
    }
}
