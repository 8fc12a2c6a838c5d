//! What comes in from outside, on its way from a port or socket to the show.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::time::HostTime;
use crate::wire::midi;
use crate::wire::osc;

/// Something that came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// When it came.
    pub at: HostTime,
    /// What came, and from where.
    pub event: Event,
}

/// What came, and from where.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A message of a MIDI port.
    Midi {
        /// The port's name.
        port: Arc<str>,
        /// The message.
        message: midi::Message,
    },
    /// An OSC message.
    Osc {
        /// Who sent it.
        from: SocketAddr,
        /// The message.
        message: osc::Message,
    },
    /// The levels of the universe that is listened to.
    Dmx {
        /// Who sent them.
        from: SocketAddr,
        /// From slot 1 on.
        levels: Box<[u8]>,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Midi { port, message } => {
                write!(f, "{port}: ")?;
                match *message {
                    midi::Message::NoteOn { channel, note, velocity } => {
                        write!(f, "ch {} note {note} velocity {velocity}", channel + 1)
                    }
                    midi::Message::NoteOff { channel, note } => {
                        write!(f, "ch {} note {note} off", channel + 1)
                    }
                    midi::Message::ControlChange { channel, controller, value } => {
                        write!(f, "ch {} cc {controller} = {value}", channel + 1)
                    }
                    midi::Message::ProgramChange { channel, program } => {
                        write!(f, "ch {} program {program}", channel + 1)
                    }
                    midi::Message::PitchBend { channel, value } => {
                        write!(f, "ch {} bend = {value}", channel + 1)
                    }
                    midi::Message::Clock => f.write_str("clock"),
                    midi::Message::Start => f.write_str("start"),
                    midi::Message::Continue => f.write_str("continue"),
                    midi::Message::Stop => f.write_str("stop"),
                }
            }
            Self::Osc { from, message } => {
                write!(f, "OSC {from}: {}", message.address)?;
                message.arguments.iter().try_for_each(|argument| match argument {
                    osc::Argument::Number(value) => write!(f, " {value}"),
                    osc::Argument::Flag(value) => write!(f, " {value}"),
                    osc::Argument::Text(text) => write!(f, " {text:?}"),
                })
            }
            Self::Dmx { from, levels } => {
                let shown = &levels[..levels.len().min(16)];
                write!(f, "Art-Net {from}: {} slots, {shown:?}", levels.len())
            }
        }
    }
}
