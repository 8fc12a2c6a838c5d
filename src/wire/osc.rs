//! Open Sound Control 1.0 messages as plain values, within bounds.
//! Spec: opensoundcontrol.stanford.edu/spec-1_0.html; galvo's own addresses are in `docs/guide/control.md`.

pub mod pattern;
pub mod raw;

pub use pattern::{is_pattern, matches};
pub use raw::{NotOsc, RawMessage, each_message};

/// The longest datagram whose messages are taken.
pub const LONGEST_DATAGRAM: usize = 2048;
/// Messages taken out of one datagram at most.
const MOST_MESSAGES: usize = 64;

/// One argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// Any number: of type i, h, f or d.
    Number(f64),
    /// True or false: of type T or F.
    Flag(bool),
    /// A string, of type s or S.
    Text(String),
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The address, as it came; begins with a slash.
    pub address: String,
    /// The arguments that galvo knows; others are left out.
    pub arguments: Vec<Argument>,
}

/// Why a datagram is no OSC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than [`LONGEST_DATAGRAM`].
    #[error("an OSC datagram of {bytes} bytes: at most {LONGEST_DATAGRAM} are taken")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not OSC.
    #[error("a datagram that is no OSC message or bundle")]
    NotOsc,
}

/// The messages of a datagram, those of bundles in their order. Time tags are not waited for: a hand acts at once.
pub fn parse(datagram: &[u8]) -> Result<Vec<Message>, Error> {
    if datagram.len() > LONGEST_DATAGRAM {
        return Err(Error::TooLong { bytes: datagram.len() });
    }
    let mut messages = Vec::new();
    let mut is_sound = true;
    let take = &mut |raw: RawMessage<'_>| {
        if !is_sound || messages.len() >= MOST_MESSAGES {
            return;
        }
        match arguments(&raw) {
            Some(arguments) => {
                messages.push(Message { address: raw.address.to_owned(), arguments });
            }
            None => is_sound = false,
        }
    };
    each_message(datagram, take).map_err(|_| Error::NotOsc)?;
    if messages.is_empty() && !is_sound {
        return Err(Error::NotOsc);
    }
    Ok(messages)
}

/// The number that a message begins with, if it is one; `Err` where its arguments make no sense.
pub fn first_number(raw: &RawMessage<'_>) -> Result<Option<f64>, NotOsc> {
    let argument = match raw.tags {
        None => untagged(raw.data),
        Some("") => None,
        Some(tags) => {
            let mut rest = raw.data;
            argument(tags.as_bytes()[0], &mut rest)?
        }
    };
    Ok(argument.and_then(Argument::number))
}

/// The arguments that galvo knows; `None` where they are not what the type tags say.
fn arguments(raw: &RawMessage<'_>) -> Option<Vec<Argument>> {
    let Some(tags) = raw.tags else { return Some(untagged(raw.data).into_iter().collect()) };
    let mut rest = raw.data;
    let mut list_depth = 0_usize;
    let mut all = Vec::new();
    for tag in tags.bytes() {
        match tag {
            b'[' => list_depth += 1,
            b']' => list_depth = list_depth.checked_sub(1)?,
            tag => {
                let argument = argument(tag, &mut rest).ok()?;
                all.extend(argument.filter(|_| list_depth == 0));
            }
        }
    }
    Some(all)
}

/// Reads one argument off `rest`: one that galvo knows, or `None` for one to be left out; refused where it is cut off or
/// of no known type.
fn argument(tag: u8, rest: &mut &[u8]) -> Result<Option<Argument>, NotOsc> {
    fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], NotOsc> {
        let (taken, left) = rest.split_first_chunk::<N>().ok_or(NotOsc)?;
        *rest = left;
        Ok(*taken)
    }
    let number = |value: f64| Some(Argument::Number(value));
    Ok(match tag {
        b'i' => number(f64::from(i32::from_be_bytes(take(rest)?))),
        b'f' => number(f64::from(f32::from_be_bytes(take(rest)?))),
        b'h' => number(i64::from_be_bytes(take(rest)?) as f64),
        b'd' => number(f64::from_be_bytes(take(rest)?)),
        b'T' => Some(Argument::Flag(true)),
        b'F' => Some(Argument::Flag(false)),
        b's' | b'S' => {
            let (text, left) = raw::string(rest).ok_or(NotOsc)?;
            *rest = left;
            Some(Argument::Text(text.to_owned()))
        }
        b'b' => {
            let len = u32::from_be_bytes(take(rest)?) as usize;
            let filled = len.checked_next_multiple_of(4).ok_or(NotOsc)?;
            *rest = rest.get(filled..).ok_or(NotOsc)?;
            None
        }
        b'c' | b'r' | b'm' => take::<4>(rest).map(|_| None)?,
        b't' => take::<8>(rest).map(|_| None)?,
        b'N' | b'I' => None,
        _ => return Err(NotOsc),
    })
}

/// The first argument of a message without type tags, as far as its bytes tell: eight of them and more that are a text
/// with its nulls, a small whole number, else a float. Floats so small that they look like whole numbers are no levels.
fn untagged(data: &[u8]) -> Option<Argument> {
    const SMALL: i32 = 1 << 20;
    let text = raw::string(data).filter(|(text, rest)| {
        let is_text = text.len() > 3 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        is_text && rest.is_empty() && data.len() - text.len() <= 4
    });
    if let Some((text, _)) = text {
        return Some(Argument::Text(text.to_owned()));
    }
    let bytes = *data.first_chunk::<4>()?;
    let (whole, float) = (i32::from_be_bytes(bytes), f32::from_be_bytes(bytes));
    let is_whole = (-SMALL..=SMALL).contains(&whole);
    Some(Argument::Number(if is_whole { f64::from(whole) } else { f64::from(float) }))
}

impl Argument {
    /// The number that it is: a flag is 1 or 0; none for texts, and for what is no number.
    #[must_use]
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Number(value) => value.is_finite().then_some(value),
            Self::Flag(value) => Some(f64::from(u8::from(value))),
            Self::Text(_) => None,
        }
    }
}

/// A datagram of one message. Numbers go as 32-bit floats, which every surface reads.
#[must_use]
pub fn emit(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    let text = |bytes: &mut Vec<u8>, text: &mut dyn Iterator<Item = u8>| {
        // A null would end it early.
        bytes.extend(text.take_while(|byte| *byte != 0));
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    };
    text(&mut bytes, &mut message.address.bytes());
    let tags = message.arguments.iter().map(|argument| match argument {
        Argument::Number(_) => b'f',
        Argument::Flag(true) => b'T',
        Argument::Flag(false) => b'F',
        Argument::Text(_) => b's',
    });
    text(&mut bytes, &mut std::iter::once(b',').chain(tags));
    for argument in &message.arguments {
        match argument {
            Argument::Number(value) => bytes.extend((*value as f32).to_be_bytes()),
            Argument::Text(words) => text(&mut bytes, &mut words.bytes()),
            Argument::Flag(_) => {}
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the OSC 1.0 specification: "/oscillator/4/frequency" with the float 440.
    const OSCILLATOR: &[u8] = b"/oscillator/4/frequency\0,f\0\0\x43\xdc\0\0";
    /// The second example: "/foo" with the int 1000, the int -1, the string "hello", and the floats 1.234 and 5.678.
    const FOO: &[u8] = b"/foo\0\0\0\0,iisff\0\0\0\0\x03\xe8\xff\xff\xff\xffhello\0\0\0\
        \x3f\x9d\xf3\xb6\x40\xb5\xb2\x2d";

    #[test]
    fn the_examples_of_the_specification_are_read() {
        let one = Message {
            address: "/oscillator/4/frequency".into(),
            arguments: vec![Argument::Number(440.0)],
        };
        assert_eq!(parse(OSCILLATOR), Ok(vec![one.clone()]));
        assert_eq!(emit(&one), OSCILLATOR);
        let foo = parse(FOO).unwrap();
        assert_eq!(foo[0].address, "/foo");
        assert_eq!(foo[0].arguments[..2], [Argument::Number(1000.0), Argument::Number(-1.0)]);
        assert_eq!(foo[0].arguments[2], Argument::Text("hello".into()));
        let Argument::Number(value) = foo[0].arguments[3] else { panic!("a number") };
        assert!((value - 1.234).abs() < 1e-6);
    }

    fn bundle(elements: &[&[u8]]) -> Vec<u8> {
        let mut bytes = b"#bundle\0\0\0\0\0\0\0\0\x01".to_vec();
        for element in elements {
            bytes.extend((element.len() as u32).to_be_bytes());
            bytes.extend_from_slice(element);
        }
        bytes
    }

    #[test]
    fn bundles_come_out_in_their_order() {
        let inner = bundle(&[FOO]);
        let addresses =
            |bytes: &[u8]| parse(bytes).unwrap().into_iter().map(|m| m.address).collect::<Vec<_>>();
        assert_eq!(
            addresses(&bundle(&[OSCILLATOR, &inner, OSCILLATOR])),
            ["/oscillator/4/frequency", "/foo", "/oscillator/4/frequency"]
        );
    }

    /// What stands in OSC 1.0 on receivers: older senders leave out the type tags.
    #[test]
    fn a_message_without_type_tags_is_read_as_far_as_its_bytes_tell() {
        let one = |bytes: &[u8]| parse(bytes).unwrap().remove(0);
        assert_eq!(
            one(b"/galvo/stop\0"),
            Message { address: "/galvo/stop".into(), arguments: vec![] }
        );
        for (data, wanted) in [
            (&[0, 0, 0, 1][..], Argument::Number(1.0)),
            (&[0xff, 0xff, 0xff, 0xfe], Argument::Number(-2.0)),
            (&[0, 0, 0, 0], Argument::Number(0.0)),
            (&[0x3f, 0, 0, 0], Argument::Number(0.5)),
            (&[0x41, 0x20, 0, 0], Argument::Number(10.0)),
            (&[0x3f, 0, 0, 0, 0x3f, 0, 0, 0], Argument::Number(0.5)),
            (b"Ember Ring\0\0", Argument::Text("Ember Ring".into())),
        ] {
            let bytes = [b"/galvo/x\0\0\0\0", data].concat();
            let mut number = None;
            each_message(&bytes, &mut |raw| number = first_number(&raw).unwrap()).unwrap();
            assert_eq!(number, wanted.clone().number());
            assert_eq!(one(&bytes).arguments, [wanted]);
        }
    }

    #[test]
    fn arguments_that_are_cut_off_are_no_osc_and_lists_are_left_out() {
        let with = |tags: &str, data: &[u8]| {
            let mut bytes = b"/a\0\0,".to_vec();
            bytes.extend(tags.bytes());
            bytes.push(0);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.extend_from_slice(data);
            parse(&bytes).map(|mut messages| messages.remove(0).arguments)
        };
        for (tags, len) in [("i", 3), ("h", 7), ("d", 4), ("b", 3), ("t", 4), ("]", 0), ("x", 8)] {
            assert_eq!(with(tags, &vec![1; len]), Err(Error::NotOsc), "{tags}");
        }
        assert_eq!(with("b", &[0xff; 8]), Err(Error::NotOsc));
        assert_eq!(
            with("[ii]TbNS", b"\0\0\0\x01\0\0\0\x02\0\0\0\x01\x09\0\0\0hi\0\0").unwrap(),
            [Argument::Flag(true), Argument::Text("hi".into())]
        );
    }

    #[test]
    fn bundles_in_bundles_to_the_last_byte_do_not_exhaust_the_stack() {
        let mut nested = bundle(&[]);
        while nested.len() + 20 <= LONGEST_DATAGRAM {
            nested = bundle(&[&nested]);
        }
        // A thread of the size that the sockets' threads have.
        let deep = nested.clone();
        let run = std::thread::Builder::new().stack_size(2 << 20).spawn(move || parse(&deep));
        assert_eq!(run.unwrap().join().unwrap(), Ok(Vec::new()));
        assert_eq!(
            parse(&bundle(&[&nested, &nested])).unwrap_err(),
            Error::TooLong { bytes: 2 * nested.len() + 24 }
        );
    }

    #[test]
    fn a_flood_in_one_datagram_is_bounded() {
        let tiny = b"/a\0\0,\0\0\0".as_slice();
        let many = bundle(&vec![tiny; 150]);
        assert_eq!(parse(&many).unwrap().len(), MOST_MESSAGES);
    }

    #[test]
    fn what_is_no_osc_is_refused() {
        for bytes in [b"".as_slice(), b"x", b"/a", b"#bundle", &OSCILLATOR[..30], &[0xff; 100]] {
            assert_eq!(parse(bytes), Err(Error::NotOsc), "{bytes:?}");
        }
    }

    mod beside_another_reader {
        use proptest::prelude::*;
        use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};

        use super::*;

        fn value() -> impl Strategy<Value = (OscType, Option<Argument>)> {
            prop_oneof![
                any::<i32>().prop_map(|v| (OscType::Int(v), Some(Argument::Number(f64::from(v))))),
                (-1e6_f32..1e6)
                    .prop_map(|v| (OscType::Float(v), Some(Argument::Number(f64::from(v))))),
                any::<i32>()
                    .prop_map(|v| (OscType::Long(v.into()), Some(Argument::Number(f64::from(v))))),
                (-1e9..1e9).prop_map(|v| (OscType::Double(v), Some(Argument::Number(v)))),
                any::<bool>().prop_map(|v| (OscType::Bool(v), Some(Argument::Flag(v)))),
                "[a-zA-Zäß ]{0,9}"
                    .prop_map(|v| (OscType::String(v.clone()), Some(Argument::Text(v)))),
                prop::collection::vec(any::<u8>(), 0..9).prop_map(|v| (OscType::Blob(v), None)),
                Just((OscType::Nil, None)),
            ]
        }

        proptest! {
            #[test]
            fn what_another_program_writes_is_read(
                messages in prop::collection::vec(("/[a-z/]{1,20}", prop::collection::vec(value(), 0..6)), 1..5),
            ) {
                let content = messages.iter().map(|(addr, values)| {
                    let args = values.iter().map(|(value, _)| value.clone()).collect();
                    OscPacket::Message(OscMessage { addr: addr.clone(), args })
                });
                let timetag = OscTime { seconds: 0, fractional: 1 };
                let bundle = OscPacket::Bundle(OscBundle { timetag, content: content.collect() });
                let read = parse(&encoder::encode(&bundle).unwrap()).unwrap();
                let wanted = messages.into_iter().map(|(address, values)| Message {
                    address,
                    arguments: values.into_iter().filter_map(|(_, argument)| argument).collect(),
                });
                prop_assert_eq!(read, wanted.collect::<Vec<_>>());
            }
        }
    }
}
