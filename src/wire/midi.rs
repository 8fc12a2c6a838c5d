//! MIDI 1.0 messages, as they come out of a port: a stream of bytes with running status.
//! Spec: the MIDI 1.0 Detailed Specification (midi.org); `docs/guide/control.md` says what galvo makes of them.

/// A message that galvo makes use of. Channels are 0..=15 here, as on the wire; people count them from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// A key or pad goes down; the velocity is 1..=127 when it was parsed.
    NoteOn {
        /// 0..=15.
        channel: u8,
        /// 0..=127.
        note: u8,
        /// 0..=127; sent with 0 it is a note off.
        velocity: u8,
    },
    /// A key or pad goes up.
    NoteOff {
        /// 0..=15.
        channel: u8,
        /// 0..=127.
        note: u8,
    },
    /// A fader, knob, encoder or pedal.
    ControlChange {
        /// 0..=15.
        channel: u8,
        /// 0..=127.
        controller: u8,
        /// 0..=127.
        value: u8,
    },
    /// A program is chosen.
    ProgramChange {
        /// 0..=15.
        channel: u8,
        /// 0..=127.
        program: u8,
    },
    /// The wheel, or a fader of high resolution.
    PitchBend {
        /// 0..=15.
        channel: u8,
        /// 0..=16383; 8192 is the middle.
        value: u16,
    },
    /// The clock: 24 of them are a quarter note.
    Clock,
    /// The music begins with the next clock.
    Start,
    /// The music goes on with the next clock.
    Continue,
    /// The music stops.
    Stop,
}

impl Message {
    /// Clocks of a quarter note.
    pub const CLOCKS_PER_BEAT: u32 = 24;

    /// The message as bytes, and how many of them count.
    #[must_use]
    pub fn emit(self) -> ([u8; 3], usize) {
        let status = |kind: u8, channel: u8| kind | (channel & 0x0f);
        match self {
            Self::NoteOff { channel, note } => ([status(0x80, channel), note & 0x7f, 0], 3),
            Self::NoteOn { channel, note, velocity } => {
                ([status(0x90, channel), note & 0x7f, velocity & 0x7f], 3)
            }
            Self::ControlChange { channel, controller, value } => {
                ([status(0xb0, channel), controller & 0x7f, value & 0x7f], 3)
            }
            Self::ProgramChange { channel, program } => {
                ([status(0xc0, channel), program & 0x7f, 0], 2)
            }
            Self::PitchBend { channel, value } => {
                ([status(0xe0, channel), (value & 0x7f) as u8, (value >> 7 & 0x7f) as u8], 3)
            }
            Self::Clock => ([0xf8, 0, 0], 1),
            Self::Start => ([0xfa, 0, 0], 1),
            Self::Continue => ([0xfb, 0, 0], 1),
            Self::Stop => ([0xfc, 0, 0], 1),
        }
    }
}

/// Reads a stream byte by byte. Anything may come: what is no message of the above is skipped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parser {
    /// The status that data belongs to; 0 while data is skipped (system exclusive, or before any status).
    status: u8,
    first: Option<u8>,
}

impl Parser {
    /// Takes the next byte; a message, if it is its last.
    pub fn push(&mut self, byte: u8) -> Option<Message> {
        match byte {
            // Real time: may stand between any two bytes, and changes nothing around it.
            0xf8 => Some(Message::Clock),
            0xfa => Some(Message::Start),
            0xfb => Some(Message::Continue),
            0xfc => Some(Message::Stop),
            0xf9 | 0xfd..=0xff => None,
            // System exclusive, its end and the system common messages end the running status.
            0xf0..=0xf7 => {
                *self = Self { status: 0, first: None };
                None
            }
            0x80..=0xef => {
                *self = Self { status: byte, first: None };
                None
            }
            _ => self.data(byte),
        }
    }

    fn data(&mut self, byte: u8) -> Option<Message> {
        let channel = self.status & 0x0f;
        let one_byte_long = matches!(self.status & 0xf0, 0xc0 | 0xd0);
        let first = match (self.status, self.first.take()) {
            (0, _) => return None,
            (_, None) if !one_byte_long => {
                self.first = Some(byte);
                return None;
            }
            (_, first) => first,
        };
        let (first, second) = match first {
            Some(first) => (first, byte),
            None => (byte, 0),
        };
        match self.status & 0xf0 {
            0x80 | 0x90 if self.status & 0xf0 == 0x80 || second == 0 => {
                Some(Message::NoteOff { channel, note: first })
            }
            0x90 => Some(Message::NoteOn { channel, note: first, velocity: second }),
            0xb0 => Some(Message::ControlChange { channel, controller: first, value: second }),
            0xc0 => Some(Message::ProgramChange { channel, program: first }),
            0xe0 => {
                let value = (second as u16) << 7 | first as u16;
                Some(Message::PitchBend { channel, value })
            }
            // Pressure of keys and channels.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Vec<Message> {
        let mut parser = Parser::default();
        bytes.iter().filter_map(|&byte| parser.push(byte)).collect()
    }

    #[test]
    fn every_message_comes_back_as_it_was_sent() {
        let all = [
            Message::NoteOn { channel: 9, note: 36, velocity: 100 },
            Message::NoteOff { channel: 0, note: 127 },
            Message::ControlChange { channel: 15, controller: 7, value: 0 },
            Message::ProgramChange { channel: 3, program: 12 },
            Message::PitchBend { channel: 1, value: 8192 },
            Message::PitchBend { channel: 1, value: 16_383 },
            Message::Clock,
            Message::Start,
            Message::Continue,
            Message::Stop,
        ];
        let bytes: Vec<u8> = all
            .iter()
            .flat_map(|message| {
                let (bytes, len) = message.emit();
                bytes[..len].to_vec()
            })
            .collect();
        assert_eq!(parse(&bytes), all);
    }

    #[test]
    fn running_status_holds_and_a_note_without_velocity_is_an_off() {
        assert_eq!(
            parse(&[0x90, 60, 100, 60, 0, 62, 1]),
            [
                Message::NoteOn { channel: 0, note: 60, velocity: 100 },
                Message::NoteOff { channel: 0, note: 60 },
                Message::NoteOn { channel: 0, note: 62, velocity: 1 },
            ]
        );
    }

    #[test]
    fn a_clock_between_the_bytes_of_a_message_disturbs_nothing() {
        assert_eq!(
            parse(&[0xb2, 0xf8, 7, 0xfe, 0xf8, 64]),
            [
                Message::Clock,
                Message::Clock,
                Message::ControlChange { channel: 2, controller: 7, value: 64 }
            ]
        );
    }

    #[test]
    fn system_exclusive_is_skipped_with_clocks_in_it_and_ends_running_status() {
        assert_eq!(
            parse(&[0x90, 0xf0, 0x47, 0x7f, 0xf8, 0x29, 0xf7, 60, 100, 0x90, 1, 2]),
            [Message::Clock, Message::NoteOn { channel: 0, note: 1, velocity: 2 }]
        );
    }

    #[test]
    fn a_message_cut_off_by_another_is_forgotten() {
        assert_eq!(parse(&[5, 6, 7]), []);
        assert_eq!(
            parse(&[0x90, 60, 0xc1, 5, 6, 0xd0, 9, 0xa0, 1, 2]),
            [
                Message::ProgramChange { channel: 1, program: 5 },
                Message::ProgramChange { channel: 1, program: 6 }
            ]
        );
    }
}
