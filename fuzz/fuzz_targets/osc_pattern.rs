//! Any pattern matches any address or does not, within a bounded time.
#![no_main]

use galvo::wire::osc::matches;

libfuzzer_sys::fuzz_target!(|pair: (&str, &str)| {
    let (pattern, address) = pair;
    std::hint::black_box(matches(pattern, address));
});
