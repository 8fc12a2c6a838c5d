//! Ether Dream 1 to 4: UDP announcements and the TCP protocol of commands and responses.
//!
//! All numbers are little endian. Host and device side are both here: the driver emits commands and parses
//! responses, the simulator does the reverse. Spec: `docs/protocols/ether_dream.md`.

mod announcement;
mod command;
mod point;
mod response;
mod status;

pub use announcement::{Announcement, LEAST_POINTS};
pub use command::{Command, PointRecords, opcode};
pub use point::{POINT_BYTES, RATE_CHANGE, WirePoint, encode_points};
pub use response::{Answer, Response};
pub use status::{LightEngine, Playback, Source, Status, engine_flag, playback_flag};

/// TCP port of commands and points.
pub const TCP_PORT: u16 = 7765;
/// UDP port that announcements are broadcast to, about once a second.
pub const UDP_PORT: u16 = 7654;
/// Points that may be queued in a device whose announcement nobody has seen: the smallest device known.
pub const FALLBACK_CAPACITY: u16 = 1799;
/// The rate limit of a device whose announcement nobody has seen, points per second.
pub const FALLBACK_MAX_PPS: u32 = 100_000;
/// Length of the answer to the version command: text padded with zeros, without a header.
pub const VERSION_BYTES: usize = 32;
/// Bytes before the points of a data command.
pub const DATA_HEADER_BYTES: usize = 3;

/// What is wrong with bytes that claim to be Ether Dream's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes are needed; what is there is sound so far.
    #[error("the message is cut short")]
    Incomplete,
    /// The first byte of a response is none of the four answers.
    #[error("0x{0:02x} is no answer of an Ether Dream")]
    UnknownAnswer(u8),
    /// The first byte of a command is none that may be sent.
    #[error("0x{0:02x} is no command of an Ether Dream")]
    UnknownCommand(u8),
    /// A state field holds a number without a meaning.
    #[error("{field} cannot be {value}")]
    UnknownState {
        /// Which field.
        field: &'static str,
        /// The number found.
        value: u8,
    },
}

/// Two bytes at `at`, little endian; zero past the end, so that no offset can panic.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

/// Four bytes at `at`, little endian; zero past the end.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

#[cfg(test)]
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |d: u8| (d as char).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
