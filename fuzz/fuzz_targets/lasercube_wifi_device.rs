//! The virtual device survives any datagrams on any port.
#![no_main]

use galvo::dac::simulator::lasercube_wifi::{Device, Model, Port};
use galvo::time::HostTime;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut device = Device::new(Model { buffer_points: 500, ..Model::default() }, None);
    let mut out = Vec::new();
    for (step, piece) in bytes.chunks(25).enumerate() {
        let port = match piece[0] % 4 {
            0 => Port::Alive,
            1 => Port::Command,
            _ => Port::Data,
        };
        device.feed(HostTime::from_nanos(step as i64 * 1_000_000), port, &piece[1..], &mut out);
        out.clear();
    }
});
