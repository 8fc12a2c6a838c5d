//! Any text names a projector or is refused with a sentence.
#![no_main]

use galvo::dac::DacUri;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(error) = DacUri::parse(text) {
        assert!(!error.to_string().is_empty());
    }
});
