//! LaserCube over WiFi or Ethernet: three UDP ports for signs of life, commands and points.
//!
//! All numbers are little endian; the first byte of every datagram says what it is. Host and device side are
//! both here: the driver emits commands and parses replies, the simulator does the reverse.
//! Spec: `docs/protocols/lasercube_wifi.md`.

mod command;
mod data;
mod info;
mod reply;

pub use command::{Command, opcode};
pub use data::{DATA_HEADER_BYTES, DataPacket, POINT_BYTES, WirePoint, encode_packet};
pub use info::{Connection, Info};
pub use reply::{Acknowledge, Reply};

/// UDP port on the device that answers [`ALIVE_PING`].
pub const ALIVE_PORT: u16 = 45456;
/// UDP port on the device for commands.
pub const COMMAND_PORT: u16 = 45457;
/// UDP port on the device for points.
pub const DATA_PORT: u16 = 45458;
/// Asks the alive port whether anybody is there.
pub const ALIVE_PING: [u8; 1] = [0x27];
/// The answer to [`ALIVE_PING`].
pub const ALIVE_ANSWER: [u8; 2] = [0x27, 0x00];
/// The most points of one datagram: 1404 bytes stay below a network packet of 1500.
pub const MAX_POINTS_PER_PACKET: usize = 140;
/// Points that a device holds whose info nobody has seen.
pub const FALLBACK_BUFFER_POINTS: u16 = 6000;
/// The rate limit of a device whose info nobody has seen, points per second: what host programs default to.
pub const FALLBACK_MAX_PPS: u32 = 30_000;
/// Full deflection and full drive on the wire: 12 bits.
pub const FULL_SCALE: u16 = 4095;

/// What is wrong with bytes that claim to be a LaserCube's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The datagram is shorter than its first byte promises.
    #[error("the datagram is cut short")]
    Incomplete,
    /// The first byte is none that may stand there.
    #[error("0x{0:02x} is no message of a LaserCube")]
    UnknownMessage(u8),
    /// The info block has another layout than the one known.
    #[error("layout {0} of the info block is not known")]
    UnknownLayout(u8),
    /// The device says that it could not do it.
    #[error("the device refuses command 0x{command:02x} with code {result}")]
    Refused {
        /// The command's first byte.
        command: u8,
        /// The device's code.
        result: u8,
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
