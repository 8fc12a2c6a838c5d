//! Any text is a preset or refused with a sentence; what is read can be written and read again.
#![no_main]

use galvo::pattern::Preset;

libfuzzer_sys::fuzz_target!(|text: &str| {
    match Preset::parse(text) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(preset) => {
            if let Ok(written) = preset.to_toml() {
                assert!(Preset::parse(&written).is_ok(), "{written}");
            }
        }
    }
});
