//! Any bytes are a command or refused; what is read emits the same bytes.
#![no_main]

use galvo::wire::ether_dream::Command;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok((command, len)) = Command::parse(bytes) {
        let mut out = Vec::new();
        command.emit(&mut out);
        // 0xff is a second spelling of the emergency stop.
        assert!(bytes[0] == 0xff || out[..] == bytes[..len]);
    }
});
