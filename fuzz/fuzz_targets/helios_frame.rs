//! Any bytes are a frame or refused; all points of a frame lie in the field.
#![no_main]

use galvo::wire::helios::Frame;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = Frame::parse(bytes) {
        assert!(frame.points().all(|point| point.is_in_range()));
    }
});
