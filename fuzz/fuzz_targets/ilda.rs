//! Any bytes are an ILDA file or refused; what is read can be written and is then read the same.
#![no_main]

use galvo::format::ilda::{Dimensions, Frames, ReadOptions, Writer, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(drawing) = read(bytes, ReadOptions::default()) else { return };
    let points: usize = drawing.frames.iter().map(|frame| frame.points.len()).sum();
    assert!(points * 6 <= bytes.len());
    let Ok(count) = Frames::new(drawing.frames.len()) else { return };
    let mut writer = Writer::new(Dimensions::Three, count);
    let mut written = Vec::new();
    for frame in &drawing.frames {
        writer.frame(frame, &mut written).expect("a frame that was read can be written");
    }
    writer.close(&mut written);
    let again = read(&written, ReadOptions::default()).expect("what was written can be read");
    for (frame, again) in drawing.frames.iter().zip(&again.frames) {
        assert!(frame.points.len() < 2 || frame.points == again.points);
    }
});
