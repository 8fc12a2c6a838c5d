//! Headers of MPEG audio frames: layers I to III, and AAC in ADTS.
//!
//! A header is only a few bits, and noise holds many that look like one: MPEG is believed where frame follows frame.
//!
//! Spec: ISO/IEC 11172-3, 2.4.1.3 and 2.4.2.3 (header); 13818-3, 2.4.2.3 (low sampling rates); 13818-7, 6.2 (ADTS).

/// Frames in a row that make MPEG of unknown bytes.
const BELIEVED_FRAMES: usize = 4;
/// Frames in a row that do, in a file that ends with them.
const BELIEVED_AT_END: usize = 2;

/// What all frames of a stream have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameKind {
    /// The bits of version and layer; layer 0 is ADTS.
    version_layer: u8,
    rate_bits: u8,
}

impl FrameKind {
    /// True of MP3.
    #[must_use]
    pub const fn is_layer_iii(self) -> bool {
        self.version_layer & 0x06 == 0x02
    }

    /// True of the full sampling rates.
    #[must_use]
    pub const fn is_version_1(self) -> bool {
        self.version_layer & 0x18 == 0x18
    }
}

/// What kind of frame `bytes` begin with, and its length in bytes. `None` if none does, or one of free format.
#[must_use]
pub fn frame(bytes: &[u8]) -> Option<(FrameKind, usize)> {
    let [sync, b1, b2, ..] = *bytes else { return None };
    if sync != 0xFF || b1 & 0xE0 != 0xE0 {
        return None;
    }
    if b1 & 0xF6 == 0xF0 {
        return adts_frame(bytes, b1, b2);
    }
    let rate_bits = b2 >> 2 & 3;
    let rate_v1 = *[44_100, 48_000, 32_000].get(usize::from(rate_bits))?;
    let (is_v1, rate) = match b1 >> 3 & 3 {
        0b11 => (true, rate_v1),
        0b10 => (false, rate_v1 / 2),
        0b00 => (false, rate_v1 / 4),
        _ => return None,
    };
    let layer = match b1 >> 1 & 3 {
        0b11 => 1,
        0b10 => 2,
        0b01 => 3,
        _ => return None,
    };
    let kbps = kbps(is_v1, layer, b2 >> 4)?;
    let padding = usize::from(b2 >> 1 & 1);
    let length = match (layer, is_v1) {
        (1, _) => (12_000 * kbps / rate + padding) * 4,
        (3, false) => 72_000 * kbps / rate + padding,
        _ => 144_000 * kbps / rate + padding,
    };
    Some((FrameKind { version_layer: b1 & 0x1E, rate_bits }, length))
}

fn adts_frame(bytes: &[u8], b1: u8, b2: u8) -> Option<(FrameKind, usize)> {
    const SHORTEST: usize = 7;
    let [_, _, _, b3, b4, b5, ..] = *bytes else { return None };
    let length = usize::from(b3 & 3) << 11 | usize::from(b4) << 3 | usize::from(b5) >> 5;
    let rate_bits = b2 >> 2 & 0xF;
    (rate_bits < 13 && length >= SHORTEST)
        .then_some((FrameKind { version_layer: b1 & 0x0E, rate_bits }, length))
}

fn kbps(is_v1: bool, layer: u8, bits: u8) -> Option<usize> {
    const V1_I: [usize; 15] =
        [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
    const V1_II: [usize; 15] = [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
    const V1_III: [usize; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const V2_I: [usize; 15] = [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
    const V2: [usize; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let table = match (is_v1, layer) {
        (true, 1) => V1_I,
        (true, 2) => V1_II,
        (true, _) => V1_III,
        (false, 1) => V2_I,
        (false, _) => V2,
    };
    table.get(usize::from(bits)).copied().filter(|kbps| *kbps > 0)
}

/// True if frames of one kind follow each other somewhere in `bytes`; `to_end` if the file ends with them.
#[must_use]
pub fn follow(bytes: &[u8], to_end: bool) -> bool {
    let mut from = 0;
    while let Some(next) = bytes[from..].iter().position(|byte| *byte == 0xFF) {
        if follow_from(&bytes[from + next..], to_end) {
            return true;
        }
        from += next + 1;
    }
    false
}

fn follow_from(mut bytes: &[u8], to_end: bool) -> bool {
    let mut kind = None;
    for frames in 0..BELIEVED_FRAMES {
        // What may stand behind the last frame: an ID3v1 or APE tag, or nothing.
        let is_over =
            bytes.len() < 4 || bytes.starts_with(b"TAG") || bytes.starts_with(b"APETAGEX");
        if is_over {
            return to_end && frames >= BELIEVED_AT_END;
        }
        match frame(bytes) {
            Some((found, length)) if *kind.get_or_insert(found) == found => {
                bytes = bytes.get(length..).unwrap_or_default();
            }
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::random::Random;

    const CBR: &[u8] = include_bytes!("../../tests/data/click.mp3");
    const VBR: &[u8] = include_bytes!("../../tests/data/halves.mp3");

    #[test]
    fn lengths_are_those_of_the_standard() {
        let length = |header: &[u8]| frame(header).map(|(_, bytes)| bytes);
        for (header, bytes) in [
            ([0xFF, 0xFB, 0x90, 0x00], 417),
            ([0xFF, 0xFB, 0x92, 0x00], 418),
            ([0xFF, 0xF3, 0x80, 0x00], 208),
            ([0xFF, 0xE3, 0x18, 0x00], 72),
            // Layer II at 192 kbit/s and 48 kHz; layer I at 384 kbit/s and 44.1 kHz.
            ([0xFF, 0xFD, 0xA4, 0x00], 576),
            ([0xFF, 0xFF, 0xC0, 0x00], 416),
        ] {
            assert_eq!(length(&header), Some(bytes), "{header:?}");
        }
        for none in [[0xFF, 0xFB, 0xF0, 0], [0xFF, 0xFB, 0, 0], [0xFF, 0xEB, 0x90, 0], [0; 4]] {
            assert_eq!(length(&none), None);
        }
        // AAC-LC, 44.1 kHz, stereo, 371 bytes.
        assert_eq!(length(&[0xFF, 0xF1, 0x50, 0x80, 0x2E, 0x7F, 0xFC]), Some(371));
    }

    #[test]
    fn mpeg_is_found_behind_padding_and_junk_and_at_the_end_of_a_short_file() {
        for file in [CBR, VBR] {
            assert!(follow(file, true));
            let junk = [vec![0xA5; 700], file.to_vec()].concat();
            assert!(follow(&junk, true));
        }
        let first = CBR.windows(2).position(|two| two == [0xFF, 0xFB]).unwrap();
        let (_, one) = frame(&CBR[first..]).unwrap();
        let (_, two) = frame(&CBR[first + one..]).unwrap();
        let two_frames = &CBR[first..first + one + two];
        assert!(follow(two_frames, true) && !follow(two_frames, false));
        assert!(!follow(b"\xFF\xFB\x90\0", true) && !follow(b"", true));
    }

    #[test]
    fn noise_holds_headers_and_is_no_mpeg() {
        for seed in 0..20 {
            let mut random = Random::new(seed);
            let noise: Vec<u8> = (0..1 << 18).map(|_| random.between(0.0, 256.0) as u8).collect();
            assert!(!follow(&noise, true), "seed {seed}");
        }
    }
}
