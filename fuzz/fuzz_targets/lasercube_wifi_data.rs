//! Any datagram is points or refused, and no point leaves the field.
#![no_main]

use galvo::wire::lasercube_wifi::DataPacket;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(packet) = DataPacket::parse(bytes) {
        assert_eq!(packet.points().count(), packet.len());
        assert!(packet.points().all(|point| point.to_point().is_in_range()));
    }
});
