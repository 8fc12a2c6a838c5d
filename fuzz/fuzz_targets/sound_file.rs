//! Any bytes are a sound file of some kind or none; looking for MPEG frames in them ends.
#![no_main]

use galvo::format::SoundFile;
use galvo::format::mpeg_frames::{follow, frame};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let SoundFile::Tagged(length) = SoundFile::of(bytes) {
        assert!(length >= 10);
    }
    if let Some((_, length)) = frame(bytes) {
        assert!(length >= 7);
    }
    // What is believed in the midst of a file is believed at its end too.
    assert!(!follow(bytes, false) || follow(bytes, true));
});
