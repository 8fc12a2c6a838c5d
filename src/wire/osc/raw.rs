//! The messages of an OSC datagram where they lie: nothing is copied, nothing is taken from the heap.
//! Spec: opensoundcontrol.stanford.edu/spec-1_0.html.

/// Bundles in bundles that are looked into; what lies deeper is passed over.
pub const DEEPEST: usize = 16;
/// `#bundle` with its null, and the time tag.
const BUNDLE_HEAD: usize = 16;
const BUNDLE: &[u8] = b"#bundle\0";

/// One message, unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawMessage<'a> {
    /// The address or address pattern; begins with a slash.
    pub address: &'a str,
    /// One character an argument, without the comma. `None` where the sender leaves them out, as old ones do.
    pub tags: Option<&'a str>,
    /// The arguments.
    pub data: &'a [u8],
}

/// The bytes are neither a message nor a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOsc;

/// Shows `visit` each message of a datagram, those of bundles in their order. An element that is no message is passed
/// over; a bundle ends where a size runs over its end, and what came before counts.
pub fn each_message<'a>(
    datagram: &'a [u8],
    visit: &mut dyn FnMut(RawMessage<'a>),
) -> Result<(), NotOsc> {
    if !datagram.starts_with(BUNDLE) {
        visit(message(datagram).ok_or(NotOsc)?);
        return Ok(());
    }
    // What is left of each bundle on the way down.
    let mut open = [&[][..]; DEEPEST];
    let mut depth = 0;
    open[0] = datagram.get(BUNDLE_HEAD..).ok_or(NotOsc)?;
    loop {
        let Some((element, rest)) = element(open[depth]) else {
            match depth.checked_sub(1) {
                Some(outer) => depth = outer,
                None => return Ok(()),
            }
            continue;
        };
        open[depth] = rest;
        if !element.starts_with(BUNDLE) {
            // What makes no sense is passed over: its size says where the next one begins.
            if let Some(message) = message(element) {
                visit(message);
            }
        } else if let (Some(inside), true) = (element.get(BUNDLE_HEAD..), depth + 1 < DEEPEST) {
            depth += 1;
            open[depth] = inside;
        }
    }
}

/// The first element of a bundle, and what follows it.
fn element(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*size)).ok()?)
}

fn message(bytes: &[u8]) -> Option<RawMessage<'_>> {
    let (address, rest) = string(bytes).filter(|(address, _)| address.starts_with('/'))?;
    if !rest.starts_with(b",") {
        return Some(RawMessage { address, tags: None, data: rest });
    }
    let (tags, data) = string(rest)?;
    Some(RawMessage { address, tags: tags.strip_prefix(','), data })
}

/// A string up to its null, and what follows after it is filled up to four bytes; at the end the filling may be missing.
pub fn string(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let filled = (end + 1).next_multiple_of(4).min(bytes.len());
    Some((text, &bytes[filled..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(elements: &[&[u8]]) -> Vec<u8> {
        let mut bytes = b"#bundle\0\0\0\0\0\0\0\0\x01".to_vec();
        for element in elements {
            bytes.extend((element.len() as u32).to_be_bytes());
            bytes.extend_from_slice(element);
        }
        bytes
    }

    fn addresses(datagram: &[u8]) -> Option<Vec<&str>> {
        let mut seen = Vec::new();
        each_message(datagram, &mut |message| seen.push(message.address)).ok()?;
        Some(seen)
    }

    #[test]
    fn a_message_may_lack_its_type_tags() {
        let mut seen = Vec::new();
        each_message(b"/galvo/stop\0", &mut |message| seen.push(message)).unwrap();
        each_message(b"/a\0\0\x3f\0\0\0", &mut |message| seen.push(message)).unwrap();
        let bare = RawMessage { address: "/galvo/stop", tags: None, data: &[] };
        let half = RawMessage { address: "/a", tags: None, data: &[0x3f, 0, 0, 0] };
        assert_eq!(seen, [bare, half]);
    }

    #[test]
    fn bundles_in_bundles_are_looked_into_and_what_lies_too_deep_is_passed_over() {
        let mut deep = bundle(&[b"/stop\0\0\0"]);
        for depth in 1..100 {
            let datagram = bundle(&[b"/a\0\0", &deep, b"/b\0\0"]);
            let found = addresses(&datagram).unwrap();
            let wanted = if depth < DEEPEST { &["/a", "/stop", "/b"][..] } else { &["/a", "/b"] };
            assert_eq!(found, wanted, "{depth}");
            deep = bundle(&[&deep]);
        }
    }

    #[test]
    fn nonsense_in_a_bundle_hides_neither_what_comes_before_it_nor_what_comes_after() {
        let mut cut = bundle(&[b"/a\0\0", b"nonsense", b"", b"xx\0\0", b"/b\0\0"]);
        assert_eq!(addresses(&cut).unwrap(), ["/a", "/b"]);
        cut = bundle(&[b"/a\0\0", b"/b\0\0"]);
        for len in BUNDLE_HEAD..cut.len() {
            assert!(addresses(&cut[..len]).unwrap().len() < 2, "{len}");
        }
        cut[BUNDLE_HEAD..BUNDLE_HEAD + 4].fill(0xff);
        assert_eq!(addresses(&cut).unwrap(), [""; 0]);
        for nonsense in [b"".as_slice(), b"#bundle\0", b"/a", b"a\0\0\0", b"/\xff\0\0"] {
            assert_eq!(addresses(nonsense), None, "{nonsense:?}");
        }
    }
}
