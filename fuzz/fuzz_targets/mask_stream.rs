//! Any bytes are a mask stream or refused, with a key and without; every frame of one is outlines, a mask and triangles,
//! or refused.
#![no_main]

use std::ops::Range;
use std::sync::LazyLock;

use galvo::format::asvp::FormatError;
use galvo::format::asvr::{Key, KeyedName, Passphrase};
use galvo::format::mask_stream::{Scratch, open};
use galvo::format::outlines::Outlines;
use galvo::mask::bitmask::BitMask;
use galvo::mask::raster::Rasteriser;
use galvo::mask::strips::triangle_strip;

static KEY: LazyLock<Key> = LazyLock::new(|| {
    let name = KeyedName { scene: 7, version: "1.5.0".into(), resource: "demo.asvr".into() };
    Key::derive(&Passphrase::new([7; 32]), &name)
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    read_with(bytes, None);
    read_with(bytes, Some(KEY.clone()));
});

fn read_with(bytes: &[u8], key: Option<Key>) {
    let read = &mut |range: Range<u64>| {
        let end = (range.end as usize).min(bytes.len());
        Ok(bytes[(range.start as usize).min(end)..end].to_vec())
    };
    let Ok(stream) = open::<FormatError>(read, key) else { return };
    let mut scratch = Scratch::default();
    for index in 0..stream.frames().min(16) {
        let Some(range) = stream.range(index) else { panic!("a frame has a range") };
        let Some(block) = bytes.get(range.start as usize..range.end as usize) else { continue };
        let mut outlines = Outlines::default();
        if stream.decode(index, &mut block.to_vec(), &mut scratch, &mut outlines).is_ok() {
            Rasteriser::default().draw(&outlines, 256, 128, &mut BitMask::default());
            drop(triangle_strip(&outlines));
        }
    }
}
