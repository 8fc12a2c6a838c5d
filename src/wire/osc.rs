//! Open Sound Control 1.0 messages. The bytes are rosc's affair; here they become plain values, within bounds.
//! Spec: opensoundcontrol.stanford.edu/spec-1_0.html; galvo's own addresses are in `docs/guide/control.md`.

use rosc::{OscMessage, OscPacket, OscType, decoder, encoder};

/// The longest datagram that is looked at. Bundles may hold bundles, and each costs stack: this bounds how deep they go.
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
    let (_, packet) = decoder::decode_udp(datagram).map_err(|_| Error::NotOsc)?;
    let mut messages = Vec::new();
    let mut waiting = vec![packet];
    while let Some(packet) = waiting.pop() {
        match packet {
            OscPacket::Message(message) if messages.len() < MOST_MESSAGES => {
                messages.push(plain(message));
            }
            OscPacket::Message(_) => break,
            OscPacket::Bundle(bundle) => waiting.extend(bundle.content.into_iter().rev()),
        }
    }
    Ok(messages)
}

fn plain(message: OscMessage) -> Message {
    let argument = |argument| match argument {
        OscType::Int(value) => Some(Argument::Number(f64::from(value))),
        OscType::Long(value) => Some(Argument::Number(value as f64)),
        OscType::Float(value) => Some(Argument::Number(f64::from(value))),
        OscType::Double(value) => Some(Argument::Number(value)),
        OscType::Bool(value) => Some(Argument::Flag(value)),
        OscType::String(text) => Some(Argument::Text(text)),
        _ => None,
    };
    let arguments = message.args.into_iter().filter_map(argument).collect();
    Message { address: message.addr, arguments }
}

/// A datagram of one message. Numbers go as 32-bit floats, which every surface reads.
#[must_use]
pub fn emit(message: &Message) -> Vec<u8> {
    let argument = |argument: &Argument| match argument {
        Argument::Number(value) => OscType::Float(*value as f32),
        Argument::Flag(value) => OscType::Bool(*value),
        Argument::Text(text) => OscType::String(text.clone()),
    };
    let args = message.arguments.iter().map(argument).collect();
    let packet = OscPacket::Message(OscMessage { addr: message.address.clone(), args });
    // Encoding into a Vec cannot fail: an empty datagram would be no message and is ignored by everyone.
    encoder::encode(&packet).unwrap_or_default()
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
}
