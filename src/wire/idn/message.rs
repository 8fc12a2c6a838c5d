//! Channel messages: configuration, waves and frames.
//! Spec: docs/protocols/idn.md#message

use super::{Error, u16_at, u32_at};

/// What a message holds.
pub mod chunk_type {
    /// Nothing: keeps the session, or carries a configuration alone.
    pub const VOID: u8 = 0x00;
    /// Samples of a wave: a stream without gaps.
    pub const WAVE: u8 = 0x01;
    /// A frame.
    pub const FRAME: u8 = 0x02;
    /// The first piece of a frame.
    pub const FRAME_FIRST: u8 = 0x03;
    /// A further piece of a frame. The configuration bit marks the last one.
    pub const FRAME_NEXT: u8 = 0xc0;
}

/// What a channel does.
pub mod mode {
    /// Nothing.
    pub const VOID: u8 = 0x00;
    /// Draws waves.
    pub const CONTINUOUS: u8 = 0x01;
    /// Draws frames.
    pub const DISCRETE: u8 = 0x02;
}

/// Length of the message header.
const HEADER_BYTES: usize = 8;
/// Length of a configuration without its words, and of a chunk header.
const BLOCK_BYTES: usize = 4;

/// A channel's configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelConfig<'a> {
    /// Two bits that change whenever the tags change.
    pub data_match: u8,
    /// Closes the channel.
    pub close: bool,
    /// Opens the channel; without it everything else is ignored.
    pub routing: bool,
    /// The output, 0 for the default one.
    pub service: u8,
    /// See [`mode`].
    pub mode: u8,
    /// The tags; a whole number of 32-bit words.
    pub words: &'a [u8],
}

/// What a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// Nothing.
    Void,
    /// Samples of a wave.
    Wave {
        /// The configuration they are for: its `data_match`.
        data_match: u8,
        /// Microseconds.
        duration: u32,
        /// Samples.
        data: &'a [u8],
    },
    /// A frame, or the first piece of one.
    Frame {
        /// The configuration it is for.
        data_match: u8,
        /// Shown once, not again and again.
        once: bool,
        /// Microseconds.
        duration: u32,
        /// Further pieces follow.
        is_first_piece: bool,
        /// Samples.
        data: &'a [u8],
    },
    /// A further piece of a frame.
    Piece {
        /// It is the last one.
        is_last: bool,
        /// Bytes of samples, cut anywhere.
        data: &'a [u8],
    },
    /// Sound, dimmers and the like: nothing galvo draws.
    Other {
        /// The type.
        kind: u8,
        /// Its header and data.
        data: &'a [u8],
    },
}

/// One message of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// 0..=63.
    pub channel: u8,
    /// Microseconds; wraps.
    pub timestamp: u32,
    /// Sent with the first message and again and again.
    pub config: Option<ChannelConfig<'a>>,
    /// What it holds.
    pub chunk: Chunk<'a>,
}

impl<'a> Message<'a> {
    /// A message that keeps the session alive.
    #[must_use]
    pub const fn keep_alive(channel: u8, timestamp: u32) -> Self {
        Self { channel, timestamp, config: None, chunk: Chunk::Void }
    }

    /// The message that closes a channel.
    #[must_use]
    pub const fn close(channel: u8, timestamp: u32) -> Self {
        let config = ChannelConfig {
            data_match: 0,
            close: true,
            routing: false,
            service: 0,
            mode: mode::VOID,
            words: &[],
        };
        Self { channel, timestamp, config: Some(config), chunk: Chunk::Void }
    }

    /// Reads the message that a packet holds: its length must be the stated one, exactly.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let (head, mut rest) = bytes.split_at_checked(HEADER_BYTES).ok_or(Error::Incomplete)?;
        let stated = usize::from(u16_at(head, 0));
        if stated != bytes.len() {
            return Err(Error::Length { stated, found: bytes.len() });
        }
        if head[2] & 0x80 == 0 {
            return Err(Error::NoChannelMessage);
        }
        let flag = head[2] & 0x40 != 0;
        let kind = head[3];
        let config = if flag && kind < chunk_type::FRAME_NEXT {
            let (block, after) = rest.split_at_checked(BLOCK_BYTES).ok_or(Error::Incomplete)?;
            let words = usize::from(block[0]) * 4;
            let (words, after) = after.split_at_checked(words).ok_or(Error::Incomplete)?;
            rest = after;
            Some(ChannelConfig {
                data_match: block[1] >> 4 & 3,
                close: block[1] & 2 != 0,
                routing: block[1] & 1 != 0,
                service: block[2],
                mode: block[3],
                words,
            })
        } else {
            None
        };
        let chunk = match kind {
            chunk_type::VOID => Chunk::Void,
            chunk_type::WAVE | chunk_type::FRAME | chunk_type::FRAME_FIRST => {
                let (block, data) = rest.split_at_checked(BLOCK_BYTES).ok_or(Error::Incomplete)?;
                let data_match = block[0] >> 4 & 3;
                let duration = u32_at(block, 0) & 0x00ff_ffff;
                if kind == chunk_type::WAVE {
                    Chunk::Wave { data_match, duration, data }
                } else {
                    let once = block[0] & 1 != 0;
                    let is_first_piece = kind == chunk_type::FRAME_FIRST;
                    Chunk::Frame { data_match, once, duration, is_first_piece, data }
                }
            }
            chunk_type::FRAME_NEXT => Chunk::Piece { is_last: flag, data: rest },
            kind => Chunk::Other { kind, data: rest },
        };
        let timestamp = u32_at(head, 4);
        Ok(Self { channel: head[2] & 0x3f, timestamp, config, chunk })
    }

    /// Appends the message to `out` and returns where its data begins. The caller may fill in data later: it
    /// states `data` bytes of it here and appends them itself.
    fn emit_head(&self, data: usize, out: &mut Vec<u8>) {
        let (kind, block) = match self.chunk {
            Chunk::Void => (chunk_type::VOID, None),
            Chunk::Wave { data_match, duration, .. } => {
                (chunk_type::WAVE, Some(chunk_header(data_match, false, duration)))
            }
            Chunk::Frame { data_match, once, duration, is_first_piece, .. } => {
                let kind = if is_first_piece { chunk_type::FRAME_FIRST } else { chunk_type::FRAME };
                (kind, Some(chunk_header(data_match, once, duration)))
            }
            Chunk::Piece { .. } => (chunk_type::FRAME_NEXT, None),
            Chunk::Other { kind, .. } => (kind, None),
        };
        let config = self.config.filter(|_| kind < chunk_type::FRAME_NEXT);
        let config_bytes = config.map_or(0, |config| BLOCK_BYTES + config.words.len() / 4 * 4);
        let total = HEADER_BYTES + config_bytes + block.map_or(0, |_| BLOCK_BYTES) + data;
        let flag = config.is_some() || matches!(self.chunk, Chunk::Piece { is_last: true, .. });
        out.extend_from_slice(&(total as u16).to_be_bytes());
        out.extend_from_slice(&[0x80 | u8::from(flag) << 6 | self.channel & 0x3f, kind]);
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        if let Some(config) = config {
            let words = config.words.len() / 4;
            let flags = (config.data_match & 3) << 4
                | u8::from(config.close) << 1
                | u8::from(config.routing);
            out.extend_from_slice(&[words as u8, flags, config.service, config.mode]);
            out.extend_from_slice(&config.words[..words * 4]);
        }
        if let Some(block) = block {
            out.extend_from_slice(&block);
        }
    }

    /// Appends the message's bytes to `out`. At most 65 280 of them may be stated.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let data = match self.chunk {
            Chunk::Void => &[][..],
            Chunk::Wave { data, .. }
            | Chunk::Frame { data, .. }
            | Chunk::Piece { data, .. }
            | Chunk::Other { data, .. } => data,
        };
        self.emit_head(data.len(), out);
        out.extend_from_slice(data);
    }

    /// Appends a wave message whose samples `fill` writes into the `bytes` bytes it is given: no copy of them.
    pub fn emit_wave(&self, bytes: usize, out: &mut Vec<u8>, fill: impl FnOnce(&mut [u8])) {
        self.emit_head(bytes, out);
        let start = out.len();
        out.resize(start + bytes, 0);
        fill(&mut out[start..]);
    }
}

fn chunk_header(data_match: u8, once: bool, duration: u32) -> [u8; BLOCK_BYTES] {
    let [_, a, b, c] = duration.min(0x00ff_ffff).to_be_bytes();
    [(data_match & 3) << 4 | u8::from(once), a, b, c]
}

#[cfg(test)]
mod tests {
    use super::super::{Hello, command, hex};
    use super::*;
    use proptest::prelude::*;

    const SQUARE: &str = "40000000 003cc002 6411ee62 04010002 42004010 42104010 527e5214 51cc0000
        00000064 80008000000000 80007fffff0000 7fff7fff00ff00 7fff80000000ff";

    fn emitted(message: &Message<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        message.emit(&mut out);
        out
    }

    /// DexLogic's idtfPlayer: a square as a frame.
    #[test]
    fn a_square_of_the_dexlogic_player() {
        let packet = hex(SQUARE);
        let (hello, body) = Hello::parse(&packet).unwrap();
        assert_eq!(hello, Hello::new(command::MESSAGE, 0));
        let message = Message::parse(body).unwrap();
        let config = message.config.unwrap();
        assert_eq!((config.routing, config.close, config.data_match), (true, false, 0));
        assert_eq!((config.service, config.mode, config.words.len()), (0, mode::DISCRETE, 16));
        let Chunk::Frame { once, duration, is_first_piece, data, .. } = message.chunk else {
            panic!("{message:?}")
        };
        assert_eq!((once, duration, is_first_piece, data.len()), (false, 100, false, 28));
        assert_eq!(emitted(&message), body);
    }

    /// DexLogic's idtfPlayer and the Helios SDK, which names a service nobody asks for.
    #[test]
    fn keep_alives_and_closes_of_two_programs() {
        assert_eq!(emitted(&Message::keep_alive(0, 0x6413_75ed)), hex("00088000641375ed"));
        assert_eq!(emitted(&Message::close(0, 0x6411_cb12)), hex("000cc0006411cb1200020000"));
        let body = hex("000cc000001b570600020100");
        let message = Message::parse(&body).unwrap();
        assert!(message.config.is_some_and(|config| config.close && !config.routing));
        assert_eq!(emitted(&message), body);
    }

    /// The head of the first message of the Helios SDK, with two of its 150 samples.
    #[test]
    fn the_data_match_is_in_the_configuration_and_in_the_chunk() {
        let body = hex("0030 c001 001586eb 04310101 42004010 42104010 527e5214 51cc5c10
            30001388 80007ff0ff0000ff 00000000 00000000");
        let message = Message::parse(&body).unwrap();
        assert_eq!(message.config.unwrap().data_match, 3);
        let Chunk::Wave { data_match, duration, data } = message.chunk else {
            panic!("{message:?}")
        };
        assert_eq!((data_match, duration, data.len()), (3, 5000, 16));
        assert_eq!(emitted(&message), body);
    }

    #[test]
    fn a_message_must_have_its_stated_length() {
        let mut body = hex("00088000641375ed");
        body.extend_from_slice(&[0, 0]);
        assert_eq!(Message::parse(&body), Err(Error::Length { stated: 8, found: 10 }));
        assert_eq!(Message::parse(&body[..7]), Err(Error::Incomplete));
        assert_eq!(Message::parse(&hex("00080000641375ed")), Err(Error::NoChannelMessage));
        assert_eq!(Message::parse(&hex("000cc0006411cb1204020000")), Err(Error::Incomplete));
    }

    #[test]
    fn samples_may_be_written_in_place() {
        let chunk = Chunk::Wave { data_match: 1, duration: 200, data: &[] };
        let message = Message { channel: 5, timestamp: 9, config: None, chunk };
        let mut out = Vec::new();
        message.emit_wave(3, &mut out, |data| data.copy_from_slice(&[7, 8, 9]));
        assert_eq!(out, hex("000f 85 01 00000009 100000c8 070809"));
    }

    proptest! {
        #[test]
        fn what_is_read_emits_the_same_bytes(
            mut bytes in proptest::collection::vec(any::<u8>(), 8..120)
        ) {
            let len = (bytes.len() as u16).to_be_bytes();
            bytes[..2].copy_from_slice(&len);
            bytes[2] |= 0x80;
            if let Ok(message) = Message::parse(&bytes) {
                let again = emitted(&message);
                prop_assert_eq!(Message::parse(&again).map(|m| (m.channel, m.timestamp)),
                    Ok((message.channel, message.timestamp)));
            }
        }

        #[test]
        fn mutated_messages_never_panic(at in 4_usize..64, byte: u8, len in 4_usize..64) {
            let mut bytes = hex(SQUARE);
            bytes[at] = byte;
            bytes.truncate(len);
            if let Ok(message) = Message::parse(&bytes[4..]) {
                prop_assert!(message.channel < 64);
            }
        }
    }
}
