//! Any datagram is an answer of a device or ignored.
#![no_main]

use std::net::SocketAddr;

use galvo::dac::idn::Units;
use galvo::time::HostTime;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut units = Units::default();
    let from = SocketAddr::from(([192, 0, 2, 1], 7255));
    for packet in bytes.chunks(60) {
        units.hear(packet, from, HostTime::ZERO, drop);
        units.hear_shownet(packet, from.ip(), HostTime::ZERO);
    }
    drop(units.list());
});
