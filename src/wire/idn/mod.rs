//! ILDA Digital Network: IDN-Hello (discovery and transport over UDP) and IDN-Stream (channel messages).
//!
//! All numbers are big endian, all times microseconds. Host and device side are both here: the driver emits
//! requests and messages and parses replies, the simulator does the reverse. Spec: `docs/protocols/idn.md`.

mod acknowledge;
mod discovery;
mod fragment;
mod group;
mod hello;
mod layout;
mod message;
mod sample;

pub use acknowledge::{Acknowledge, input_event, outcome, pipeline_event};
pub use discovery::{ScanReply, ServiceEntry, ServiceMap, UnitId, service_type, status};
pub use fragment::{Reassembly, fragments};
pub use group::{GroupReply, GroupRequest};
pub use hello::{HELLO_BYTES, Hello, command};
pub use layout::{LAYOUT_8BIT, LAYOUT_16BIT, LAYOUT_EXTENDED, LAYOUT_INTENSITY, Layout, Sample};
pub use message::{ChannelConfig, Chunk, Message, chunk_type, mode};
pub use sample::{SAMPLE_BYTES, encode_points};

/// UDP port of a device, for everything.
pub const UDP_PORT: u16 = 7255;
/// The longest UDP payload that a wave message may be sent in: it is never cut by IP on Ethernet.
pub const MAX_PAYLOAD: usize = 1454;
/// A device closes a session that says nothing for this long, milliseconds.
pub const LINK_TIMEOUT_MS: u64 = 1000;
/// Samples that a wave chunk holds at least.
pub const MIN_SAMPLES: usize = 20;

/// What is wrong with bytes that claim to be IDN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes are needed.
    #[error("the packet is cut short")]
    Incomplete,
    /// The length of the packet and the length it states differ.
    #[error("the message states {stated} bytes and has {found}")]
    Length {
        /// What the message says.
        stated: usize,
        /// What was received.
        found: usize,
    },
    /// A structure states a size it cannot have.
    #[error("a {structure} cannot have {size} bytes")]
    Size {
        /// Which structure.
        structure: &'static str,
        /// The size stated.
        size: u8,
    },
    /// Byte 2 of a message does not mark it as a channel message.
    #[error("this is no channel message")]
    NoChannelMessage,
    /// A tag of an unknown group: how long a sample is cannot be told.
    #[error("0x{0:04x} is no tag of a sample")]
    UnknownTag(u16),
    /// The tags leave out a coordinate or every colour.
    #[error("the sample lacks X, Y or colour")]
    NotGraphic,
}

/// Two bytes at `at`; zero past the end, so that no offset can panic.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]))
}

/// Four bytes at `at`; zero past the end.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
}

/// A name field of 20 bytes: up to the first zero, what is no UTF-8 replaced.
fn name(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

/// The field of a name: cut at a character's border where it is too long.
fn name_field(text: &str) -> [u8; 20] {
    let mut field = [0; 20];
    let mut end = text.len().min(field.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    field[..end].copy_from_slice(&text.as_bytes()[..end]);
    field
}

#[cfg(test)]
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |d: u8| (d as char).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
