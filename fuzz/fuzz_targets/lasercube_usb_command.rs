//! Any bytes are a command and its reply, or refused.
#![no_main]

use galvo::wire::lasercube_usb::{Command, Reply};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(command) = Command::parse(bytes) {
        let (emitted, len) = command.emit();
        assert_eq!(Command::parse(&emitted[..len]), Ok(command));
        if let Ok(reply) = Reply::parse(bytes, &command) {
            assert_eq!(Reply::parse(&reply.emit(), &command), Ok(reply));
        }
    }
});
