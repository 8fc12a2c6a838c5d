//! Any bytes are a playlist or refused, and what was read is read again after it was written.
#![no_main]

use galvo::format::m3u::{MAX_BYTES, parse, write};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(tracks) = parse(bytes) else { return };
    let written = write(&tracks);
    if written.len() > MAX_BYTES {
        return;
    }
    let again = parse(written.as_bytes()).expect("a list that was written");
    assert_eq!(again.len(), tracks.len());
});
