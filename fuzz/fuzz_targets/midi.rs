//! Any stream of bytes is messages that come back as they were sent.
#![no_main]

use galvo::wire::midi::Parser;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut parser = Parser::default();
    for message in bytes.iter().filter_map(|&byte| parser.push(byte)) {
        let (sent, len) = message.emit();
        let mut again = Parser::default();
        let read = sent[..len].iter().find_map(|&byte| again.push(byte));
        assert_eq!(read, Some(message));
    }
});
