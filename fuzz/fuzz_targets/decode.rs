//! Any bytes are music or refused with a sentence; what plays stays within bounds, seeks included, and costs no more
//! memory than its blocks.
#![no_main]

use galvo::audio::Decoder;
use galvo::media::{Location, Media};

/// Frames of one piece: the largest packet of any format, and the silence for a damaged one.
const MOST_FRAMES: usize = 1 << 20;

libfuzzer_sys::fuzz_target!(|input: (u8, u32, &[u8])| {
    let (kind, to, bytes) = input;
    let extensions = ["wav", "aiff", "flac", "mp3", "ogg", "m4a", "mka", "aac", ""];
    let name = format!("fuzz.{}", extensions[usize::from(kind) % extensions.len()]);
    let location = Location::Memory { name, bytes: bytes.to_vec().into() };
    let Ok(media) = Media::open(&location) else { return };
    let mut decoder = match Decoder::open_media(media) {
        Ok(decoder) => decoder,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    for _ in 0..2 {
        let mut frames = 0;
        while let Ok(Some(stereo)) = decoder.next() {
            assert!(stereo.len() % 2 == 0 && stereo.len() / 2 <= MOST_FRAMES);
            frames += stereo.len() / 2;
            if frames > 2_000_000 {
                break;
            }
        }
        if decoder.seek(u64::from(to)).is_err() {
            return;
        }
    }
});
