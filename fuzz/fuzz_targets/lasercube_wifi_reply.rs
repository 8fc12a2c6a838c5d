//! Any datagram is a reply, an acknowledgement or refused; what is read reads the same again.
#![no_main]

use galvo::wire::lasercube_wifi::{Acknowledge, Reply};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut out = Vec::new();
    if let Ok(reply) = Reply::parse(bytes) {
        reply.emit(&mut out);
        assert_eq!(Reply::parse(&out), Ok(reply));
    }
    out.clear();
    if let Ok(seen) = Acknowledge::parse(bytes) {
        seen.emit(&mut out);
        assert_eq!(Acknowledge::parse(&out), Ok(seen));
    }
});
