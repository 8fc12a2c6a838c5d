//! ASVP: a mask stream. A header, a compressed table of sizes, then one compressed block a frame, so that one
//! byte range fetches one frame. All integers are little-endian; nothing is aligned.
//! Spec: docs/masks.md#the-files
//!
//! Lengths are checked before they are believed: see the constants for what is taken at most.

mod block;
mod header;
mod table;
pub mod write;

use thiserror::Error;

pub use block::{MAX_PAYLOAD_BYTES, channel_places, inflate_block, parse_payload};
pub use header::{HEADER_BYTES, Header, MAX_TABLE_BYTES, parse_header};
pub use table::{MAX_FRAMES, Table, parse_table};

/// Why bytes are no mask stream, or no frame of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FormatError {
    /// The source holds fewer bytes than it says.
    #[error("the source ends before byte {needed}: copy or download it again")]
    Short {
        /// The byte it should reach, not included.
        needed: u64,
    },
    /// The header's length of the table is absurd, or the table is none.
    #[error("wrong key or not a mask stream: check the passphrase, scene, version and name")]
    NotAStream,
    /// The table holds too many frames.
    #[error(
        "the table lists more than {MAX_FRAMES} frames: this is no mask stream that can be played"
    )]
    TooManyFrames,
    /// The sizes add up to more than a file can hold.
    #[error("the table's sizes add up to more than any file holds: this is no mask stream")]
    SizesOverflow,
    /// A block is too short for its length field.
    #[error("the block has {bytes} bytes and needs 4 at least: the stream is damaged")]
    ShortBlock {
        /// What it has.
        bytes: usize,
    },
    /// The table says that a block is longer than any frame can be.
    #[error(
        "the table says that the frame takes {bytes} bytes, more than any frame can: the stream is damaged"
    )]
    BlockTooLarge {
        /// What it says.
        bytes: u64,
    },
    /// A block says it holds more than a frame may.
    #[error("the frame says it holds {bytes} bytes; {MAX_PAYLOAD_BYTES} at most are taken")]
    PayloadTooLarge {
        /// What it says.
        bytes: u32,
    },
    /// The compressed bytes do not inflate to what the block says.
    #[error("the frame does not inflate to the {bytes} bytes it says: the stream is damaged")]
    Inflate {
        /// What the block says.
        bytes: u32,
    },
    /// The channels' sizes do not add up to the payload.
    #[error("the channels' sizes do not add up to the frame's: the stream is damaged")]
    ChannelSizes,
    /// A payload that is to be written is too large for the format.
    #[error("a frame of {bytes} bytes cannot be written; {MAX_PAYLOAD_BYTES} at most can")]
    Unwritable {
        /// What it would have.
        bytes: usize,
    },
}

impl FormatError {
    /// True if the bytes are not there, false if they are wrong.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        matches!(self, Self::Short { .. })
    }
}

/// The `u32` at `at`, if the bytes reach that far.
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes([field[0], field[1], field[2], field[3]]))
}

#[cfg(test)]
pub(crate) mod samples {
    //! The streams of the fact sheet, made by hand with stored zlib; read back there by two other readers.

    /// One frame, one square: (10,10) to (20,20).
    pub(crate) const A: &str = "41535650504c4e3101000000130000007801010800f7ff230000000000000001\
        200024140000007801011400ebff010000000c0000000a000a000a00000af600\
        00f607140222";
    /// Two frames: none; a triangle, a point, a line.
    pub(crate) const B: &str = "41535650504c4e31020000001b0000007801011000efff130000000000000031\
        0000000000000002c80045040000007801010400fbff00000000000400012200\
        00007801012200ddff03000000080000000400000006000000040004000800f8\
        081400140018000200040411600170";
    /// As A, without magic and count, level 9.
    pub(crate) const C: &str = "0000000000000000000000000b00000078da936680000000e0001c1400000078\
        da63646060e001622e3064e0fac6c0f00d0007140222";
    /// As A, keyed: passphrase 00 … 1f, scene 7, version 1.5.0, name demo.asvr.
    pub(crate) const R: &str = "77d944bff2973bbb628435724171f39ac09524e81a3c9527e6499f8204dfe136\
        d0456d7784233e79fa96aa889af7ac0cf312096d1bbc9a67c7f80bfa15367ea0\
        819e516946c5";

    pub(crate) fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let value = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
        digits.chunks(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect()
    }
}
