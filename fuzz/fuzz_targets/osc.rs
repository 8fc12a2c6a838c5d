//! Any datagram is OSC messages, each of them understood or refused, or none.
#![no_main]

use galvo::control::osc::understand;
use galvo::wire::osc::{emit, parse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for message in parse(bytes).into_iter().flatten() {
        drop(understand(&message));
        drop(emit(&message));
    }
});
