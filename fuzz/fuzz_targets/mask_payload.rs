//! Any bytes are the payload of a mask frame or refused; what is read can be drawn, cut and made light of, and
//! what is written is read again.
#![no_main]

use galvo::format::asvp::write::Writer;
use galvo::format::asvp::{parse_payload, parse_table};
use galvo::format::outlines::Outlines;
use galvo::mask::LightSettings;
use galvo::mask::bitmask::BitMask;
use galvo::mask::light::prepare;
use galvo::mask::raster::Rasteriser;
use galvo::mask::strips::triangle_strip;
use galvo::pattern::Silhouette;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    drop(parse_table(bytes, 16));
    let mut outlines = Outlines::default();
    if parse_payload(bytes, &mut outlines).is_err() {
        return;
    }
    Rasteriser::default().draw(&outlines, 200, 100, &mut BitMask::default());
    drop(triangle_strip(&outlines));
    let (mut light, mut next) = (Silhouette::default(), Silhouette::default());
    prepare(&outlines, 0, &LightSettings::default(), None, &mut light);
    prepare(&outlines, 1, &LightSettings::default(), Some(&light), &mut next);
    let mut writer = Writer::default();
    assert!(writer.push(&outlines).is_ok() || outlines.places().len() > 1 << 16);
});
