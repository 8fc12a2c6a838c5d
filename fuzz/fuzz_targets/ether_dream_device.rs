//! The virtual device survives any bytes in any pieces.
#![no_main]

use galvo::dac::simulator::ether_dream::{Device, Generation};
use galvo::time::HostTime;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut device = Device::new(Generation::Two, Some(500), 0.0, None);
    let mut out = Vec::new();
    device.connect(HostTime::ZERO, &mut out);
    for (step, piece) in bytes.chunks(7).enumerate() {
        device.feed(HostTime::from_nanos(step as i64 * 1_000_000), piece, &mut out);
        out.clear();
    }
});
