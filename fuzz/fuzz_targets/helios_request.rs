//! Any bytes are a request or refused; what is read survives the round trip.
#![no_main]

use galvo::wire::helios::Request;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = Request::parse(bytes) {
        assert_eq!(Request::parse(read.emit().as_bytes()), Ok(read));
    }
});
