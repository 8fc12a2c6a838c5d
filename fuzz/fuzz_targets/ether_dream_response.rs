//! Any bytes are a response or refused; what is read emits the same bytes.
#![no_main]

use galvo::wire::ether_dream::Response;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(response) = Response::parse(bytes) {
        assert_eq!(response.emit()[..], bytes[..Response::BYTES]);
    }
});
