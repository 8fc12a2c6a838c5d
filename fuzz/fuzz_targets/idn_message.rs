//! Any bytes are a channel message or refused; what is read can be emitted and read again.
#![no_main]

use galvo::wire::idn::{Layout, Message};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = Message::parse(bytes) {
        let mut out = Vec::new();
        message.emit(&mut out);
        let again = Message::parse(&out).expect("what we emit can be read");
        assert_eq!(again.timestamp, message.timestamp);
        if let Some(config) = message.config {
            drop(Layout::parse(config.words));
        }
    }
});
