//! The colours that an index means where a file brings no palette of its own.

/// Which table indexed colours mean in a file without a palette.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// The 64 colours of revision 011.
    #[default]
    Ilda64,
    /// The 256 colours of older programs. Nothing in a file says that it wants them.
    Old256,
}

impl Palette {
    /// The colour of an index; none beyond the table.
    #[must_use]
    pub const fn colour(self, index: u8) -> Option<[u8; 3]> {
        match self {
            Self::Ilda64 => ilda64(index),
            Self::Old256 => {
                let [_, r, g, b] = OLD[index as usize].to_be_bytes();
                Some([r, g, b])
            }
        }
    }
}

/// The ramps of the table of revision 011, appendix A.
const fn ilda64(index: u8) -> Option<[u8; 3]> {
    // These two ramps are rounded otherwise than 255 / 7 would be.
    const TO_CYAN: [u8; 6] = [36, 73, 109, 146, 182, 219];
    const TO_BLUE: [u8; 8] = [227, 198, 170, 142, 113, 85, 56, 28];
    Some(match index {
        0..=15 => [255, 16 * index, 0],
        16 => [255, 255, 0],
        17..=23 => [32 * (24 - index), 255, 0],
        24 => [0, 255, 0],
        25..=30 => [0, 255, TO_CYAN[index as usize - 25]],
        31 => [0, 255, 255],
        32..=39 => [0, TO_BLUE[index as usize - 32], 255],
        40 => [0, 0, 255],
        41..=47 => [32 * (index - 40), 0, 255],
        48 => [255, 0, 255],
        49..=55 => [255, 32 * (index - 48), 255],
        56 => [255, 255, 255],
        57..=63 => [255, 32 * (64 - index), 32 * (64 - index)],
        _ => return None,
    })
}

/// The obsolete table, as 0xRRGGBB.
#[rustfmt::skip]
const OLD: [u32; 256] = [
    0x000000, 0xFFFFFF, 0xFF0000, 0xFFFF00, 0x00FF00, 0x00FFFF, 0x0000FF, 0xFF00FF,
    0xFF8080, 0xFF8C80, 0xFF9780, 0xFFA380, 0xFFAE80, 0xFFBA80, 0xFFC580, 0xFFD180,
    0xFFDC80, 0xFFE880, 0xFFF380, 0xFFFF80, 0xF3FF80, 0xE8FF80, 0xDCFF80, 0xD1FF80,
    0xC5FF80, 0xBAFF80, 0xAEFF80, 0xA3FF80, 0x97FF80, 0x8CFF80, 0x80FF80, 0x80FF8C,
    0x80FF97, 0x80FFA3, 0x80FFAE, 0x80FFBA, 0x80FFC5, 0x80FFD1, 0x80FFDC, 0x80FFE8,
    0x80FFF3, 0x80FFFF, 0x80F3FF, 0x80E8FF, 0x80DCFF, 0x80D1FF, 0x80C5FF, 0x80BAFF,
    0x80AEFF, 0x80A3FF, 0x8097FF, 0x808CFF, 0x8080FF, 0x8C80FF, 0x9780FF, 0xA380FF,
    0xAE80FF, 0xBA80FF, 0xC580FF, 0xD180FF, 0xDC80FF, 0xE880FF, 0xF380FF, 0xFF80FF,
    0xFF80F3, 0xFF80E8, 0xFF80DC, 0xFF80D1, 0xFF80C5, 0xFF80BA, 0xFF80AE, 0xFF80A3,
    0xFF8097, 0xFF808C, 0xFF0000, 0xFF1700, 0xFF2E00, 0xFF4600, 0xFF5D00, 0xFF7400,
    0xFF8B00, 0xFFA200, 0xFFB900, 0xFFD100, 0xFFE800, 0xFFFF00, 0xE8FF00, 0xD1FF00,
    0xB9FF00, 0xA2FF00, 0x8BFF00, 0x74FF00, 0x5DFF00, 0x46FF00, 0x2EFF00, 0x17FF00,
    0x00FF00, 0x00FF17, 0x00FF2E, 0x00FF46, 0x00FF5D, 0x00FF74, 0x00FF8B, 0x00FFA2,
    0x00FFB9, 0x00FFD1, 0x00FFE8, 0x00FFFF, 0x00E8FF, 0x00D1FF, 0x00B9FF, 0x00A2FF,
    0x008BFF, 0x0074FF, 0x005DFF, 0x0046FF, 0x002EFF, 0x0017FF, 0x0000FF, 0x1700FF,
    0x2E00FF, 0x4600FF, 0x5D00FF, 0x7400FF, 0x8B00FF, 0xA200FF, 0xB900FF, 0xD100FF,
    0xE800FF, 0xFF00FF, 0xFF00E8, 0xFF00D1, 0xFF00B9, 0xFF00A2, 0xFF008B, 0xFF0074,
    0xFF005D, 0xFF0046, 0xFF002E, 0xFF0017, 0x800000, 0x800C00, 0x801700, 0x802300,
    0x802F00, 0x803A00, 0x804600, 0x805100, 0x805D00, 0x806900, 0x807400, 0x808000,
    0x748000, 0x698000, 0x5D8000, 0x518000, 0x468000, 0x3A8000, 0x2F8000, 0x238000,
    0x178000, 0x0C8000, 0x008000, 0x00800C, 0x008017, 0x008023, 0x00802F, 0x00803A,
    0x008046, 0x008051, 0x00805D, 0x008069, 0x008074, 0x008080, 0x007480, 0x006980,
    0x005D80, 0x005180, 0x004680, 0x003A80, 0x002F80, 0x002380, 0x001780, 0x000C80,
    0x000080, 0x0C0080, 0x170080, 0x230080, 0x2F0080, 0x3A0080, 0x460080, 0x510080,
    0x5D0080, 0x690080, 0x740080, 0x800080, 0x800074, 0x800069, 0x80005D, 0x800051,
    0x800046, 0x80003A, 0x80002F, 0x800023, 0x800017, 0x80000C, 0xFFC0C0, 0xFF4040,
    0xC00000, 0x400000, 0xFFFFC0, 0xFFFF40, 0xC0C000, 0x404000, 0xC0FFC0, 0x40FF40,
    0x00C000, 0x004000, 0xC0FFFF, 0x40FFFF, 0x00C0C0, 0x004040, 0xC0C0FF, 0x4040FF,
    0x0000C0, 0x000040, 0xFFC0FF, 0xFF40FF, 0xC000C0, 0x400040, 0xFF6060, 0xFFFFFF,
    0xF5F5F5, 0xEBEBEB, 0xE0E0E0, 0xD5D5D5, 0xCBCBCB, 0xC0C0C0, 0xB5B5B5, 0xABABAB,
    0xA0A0A0, 0x959595, 0x8B8B8B, 0x808080, 0x757575, 0x6B6B6B, 0x606060, 0x555555,
    0x4B4B4B, 0x404040, 0x353535, 0x2B2B2B, 0x202020, 0x151515, 0x0B0B0B, 0x000000,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Origin: the table printed in revision 011 of the specification.
    #[test]
    fn the_ramps_meet_the_printed_table() {
        for (index, colour) in [
            (0, [255, 0, 0]),
            (10, [255, 160, 0]),
            (17, [224, 255, 0]),
            (23, [32, 255, 0]),
            (33, [0, 198, 255]),
            (39, [0, 28, 255]),
            (47, [224, 0, 255]),
            (55, [255, 224, 255]),
            (57, [255, 224, 224]),
            (63, [255, 32, 32]),
        ] {
            assert_eq!(Palette::Ilda64.colour(index), Some(colour), "{index}");
        }
        assert_eq!(Palette::Ilda64.colour(64), None);
    }

    #[test]
    fn the_old_table_begins_with_black_and_ends_with_it() {
        assert_eq!(Palette::Old256.colour(0), Some([0, 0, 0]));
        assert_eq!(Palette::Old256.colour(1), Some([255, 255, 255]));
        assert_eq!(Palette::Old256.colour(255), Some([0, 0, 0]));
    }
}
