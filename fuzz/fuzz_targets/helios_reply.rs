//! Any bytes are a reply or refused; what is read survives the round trip.
#![no_main]

use galvo::wire::helios::Reply;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = Reply::parse(bytes) {
        assert_eq!(Reply::parse(read.emit().as_bytes()), Ok(read));
    }
});
