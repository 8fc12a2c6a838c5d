//! Any datagram is OSC messages, each of them understood or refused, or none; the words that work the switches are found
//! where a message has them.
#![no_main]

use galvo::control::Switching;
use galvo::control::osc::{switchings, understand_all};
use galvo::wire::osc::{emit, parse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut stops = 0;
    switchings(bytes, &mut |switching| stops += usize::from(switching == Switching::Stop));
    for message in parse(bytes).into_iter().flatten() {
        if message.address == "/galvo/stop" {
            assert!(stops > 0, "a stop was passed over");
        }
        drop(understand_all(&message));
        drop(emit(&message));
    }
});
