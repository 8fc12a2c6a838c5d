//! Any datagram is a command or refused; what is read reads the same again.
#![no_main]

use galvo::wire::lasercube_wifi::Command;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(command) = Command::parse(bytes) {
        let mut out = Vec::new();
        command.emit(&mut out);
        assert_eq!(Command::parse(&out), Ok(command));
    }
});
