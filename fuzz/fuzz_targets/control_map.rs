//! Any text is a map that survives the round trip, or refused.
#![no_main]

use galvo::control::map_file::MapFile;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(file) = MapFile::parse(text) {
        let text = file.text().expect("what was read can be written");
        assert_eq!(MapFile::parse(&text), Ok(file));
    }
});
