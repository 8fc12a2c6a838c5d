//! Any datagram is an announcement or refused; what is read emits the same bytes.
#![no_main]

use galvo::wire::ether_dream::Announcement;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(seen) = Announcement::parse(bytes) {
        assert_eq!(seen.emit()[..], bytes[..Announcement::BYTES]);
    }
});
