//! Any datagram is levels, a question, or refused; levels never arm.
#![no_main]

use galvo::control::Action;
use galvo::control::fixture::Fixture;
use galvo::wire::artnet::{Packet, parse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut fixture = Fixture::default();
    if let Ok(Packet::Dmx { levels, .. }) = parse(bytes) {
        for start in [1, 16, 500, 512, 600] {
            let deeds = fixture.frame(levels, start);
            assert!(!deeds.iter().any(|deed| matches!(deed.action, Action::Arm | Action::ResetStop)));
        }
    }
});
