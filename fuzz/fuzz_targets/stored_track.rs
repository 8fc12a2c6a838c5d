//! A stored track of any bytes: an error or a track that can be asked anything, never a panic.
#![no_main]

use galvo::analysis::Track;
use galvo::time::MediaTime;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // The checksum is made right, so that what lies behind it is reached.
    let mut whole = bytes.to_vec();
    let sum = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    whole.extend(sum.to_le_bytes());
    if let Ok(track) = Track::from_bytes(&whole) {
        for nanos in [i64::MIN, -1, 0, 1_000_000_000, i64::MAX] {
            let features = track.features_at(MediaTime::from_nanos(nanos));
            assert!(features.beat.phase < 1.0);
        }
    }
});
