//! Any datagram is OSC messages, each of them understood or refused, or none; the words that darken are found where a
//! message has them.
#![no_main]

use galvo::control::Darkening;
use galvo::control::osc::{darkenings, understand_all};
use galvo::wire::osc::{emit, parse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut stops = 0;
    darkenings(bytes, &mut |darkening| stops += usize::from(darkening == Darkening::Stop));
    for message in parse(bytes).into_iter().flatten() {
        if message.address == "/galvo/stop" {
            assert!(stops > 0, "a stop was passed over");
        }
        drop(understand_all(&message));
        drop(emit(&message));
    }
});
