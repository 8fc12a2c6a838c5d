//! The virtual device survives any datagrams.
#![no_main]

use std::net::SocketAddr;

use galvo::dac::simulator::idn::Device;
use galvo::time::HostTime;

libfuzzer_sys::fuzz_target!(|packets: Vec<Vec<u8>>| {
    let mut device = Device::new("fuzz", &["Main".to_owned()], 100.0, None);
    let client = SocketAddr::from(([192, 0, 2, 2], 5));
    let mut replies = Vec::new();
    for (step, packet) in packets.iter().enumerate() {
        device.feed(HostTime::from_nanos(step as i64 * 1_000_000), client, packet, &mut replies);
        replies.clear();
    }
});
