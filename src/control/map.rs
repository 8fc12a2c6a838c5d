//! A map: which control of a MIDI controller does what, and which lamp shows it.

use crate::wire::midi::Message;

use super::action::{Action, Hand};

/// A control of a MIDI controller. No channel: any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// A key or pad.
    Note {
        /// 0..=15.
        channel: Option<u8>,
        /// 0..=127.
        note: u8,
    },
    /// A fader, knob, encoder or a button that sends a controller.
    Controller {
        /// 0..=15.
        channel: Option<u8>,
        /// 0..=127.
        controller: u8,
    },
    /// The wheel, or a fader of high resolution.
    Bend {
        /// 0..=15.
        channel: Option<u8>,
    },
}

impl Control {
    /// The control that a message comes from, on its channel; none for clocks and programs.
    #[must_use]
    pub const fn of(message: Message) -> Option<Self> {
        match message {
            Message::NoteOn { channel, note, .. } | Message::NoteOff { channel, note } => {
                Some(Self::Note { channel: Some(channel), note })
            }
            Message::ControlChange { channel, controller, .. } => {
                Some(Self::Controller { channel: Some(channel), controller })
            }
            Message::PitchBend { channel, .. } => Some(Self::Bend { channel: Some(channel) }),
            _ => None,
        }
    }

    /// True if `other`, with its channel, is this control.
    #[must_use]
    pub fn is(self, other: Self) -> bool {
        let same = |wanted: Option<u8>, came: Option<u8>| wanted.is_none() || wanted == came;
        match (self, other) {
            (Self::Note { channel: a, note: x }, Self::Note { channel: b, note: y }) => {
                x == y && same(a, b)
            }
            (
                Self::Controller { channel: a, controller: x },
                Self::Controller { channel: b, controller: y },
            ) => x == y && same(a, b),
            (Self::Bend { channel: a }, Self::Bend { channel: b }) => same(a, b),
            _ => false,
        }
    }
}

/// What the value of an encoder means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relative {
    /// 1..=63 steps up, 127 down to 65 steps down: two's complement.
    Twos,
    /// 64 stands still, above it up, below it down.
    Offset,
    /// 1..=63 steps up, 65..=127 is 1..=63 steps down: sign and size.
    Sign,
}

impl Relative {
    const fn steps(self, value: u8) -> i32 {
        let value = value as i32;
        match self {
            Self::Twos if value >= 64 => value - 128,
            Self::Offset => value - 64,
            Self::Sign if value >= 64 => 64 - value,
            Self::Twos | Self::Sign => value,
        }
    }
}

/// How a control moves what it sets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Travel {
    /// An encoder that tells steps; `None` for a control that tells where it stands.
    pub relative: Option<Relative>,
    /// Waits until it has reached what it sets.
    pub picks_up: bool,
    /// What its ends set, each 0..=1 of the whole range.
    pub ends: [f32; 2],
}

impl Default for Travel {
    fn default() -> Self {
        Self { relative: None, picks_up: true, ends: [0.0, 1.0] }
    }
}

/// How a lamp is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lamp {
    /// The channel it is sent on, from 1; that of the control if it is left out, else 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<u8>,
    /// The velocity or value: on most controllers a colour.
    pub velocity: u8,
}

/// The lamps of one kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lamps {
    /// Nothing is there.
    pub off: Lamp,
    /// It can be pressed.
    pub there: Lamp,
    /// It is on.
    pub on: Lamp,
    /// It waits for its beat.
    pub waiting: Lamp,
}

/// What a lamp shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LampState {
    /// Nothing is there.
    #[default]
    Off,
    /// It can be pressed.
    There,
    /// It is on.
    On,
    /// It waits for its beat.
    Waiting,
}

/// One control and what it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The control.
    pub control: Control,
    /// What it does.
    pub action: Action,
    /// How it moves it.
    pub travel: Travel,
    /// Its lamp, if it has one.
    pub lamps: Option<Lamps>,
}

impl Binding {
    /// The movement that a message of this control is; none for a message that moves nothing.
    #[must_use]
    pub fn hand(&self, message: Message) -> Option<Hand> {
        let [from, to] = self.travel.ends;
        let at = |part: f32| Hand::To(from + (to - from) * part);
        let key = |value: u8, down: bool| {
            if self.action.is_level() {
                return down.then(|| at(f32::from(value) / 127.0));
            }
            Some(if down { Hand::Press } else { Hand::Release })
        };
        match message {
            Message::NoteOn { velocity, .. } => key(velocity, true),
            Message::NoteOff { .. } => key(0, false),
            Message::ControlChange { value, .. } => match self.travel.relative {
                Some(relative) => match relative.steps(value) {
                    0 => None,
                    steps if self.action.is_level() => {
                        Some(Hand::By(steps as f32 / 127.0 * (to - from)))
                    }
                    steps => (steps > 0).then_some(Hand::Press),
                },
                None if self.action.is_level() => Some(at(f32::from(value) / 127.0)),
                None => key(value, value >= 64),
            },
            Message::PitchBend { value, .. } => {
                let part = f32::from(value) / 16_383.0;
                if self.action.is_level() { Some(at(part)) } else { key(127, part >= 0.5) }
            }
            _ => None,
        }
    }

    /// The message that makes the lamp show `state`.
    #[must_use]
    pub fn lamp(&self, state: LampState) -> Option<Message> {
        let lamps = self.lamps?;
        let lamp = match state {
            LampState::Off => lamps.off,
            LampState::There => lamps.there,
            LampState::On => lamps.on,
            LampState::Waiting => lamps.waiting,
        };
        let on = |own: Option<u8>| lamp.channel.map_or(own.unwrap_or(0), |n| n.saturating_sub(1));
        match self.control {
            Control::Note { channel, note } => {
                Some(Message::NoteOn { channel: on(channel), note, velocity: lamp.velocity })
            }
            Control::Controller { channel, controller } => Some(Message::ControlChange {
                channel: on(channel),
                controller,
                value: lamp.velocity,
            }),
            Control::Bend { .. } => None,
        }
    }
}

/// A map: see the module. Read from a file by [`map_file`](super::map_file).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControlMap {
    /// The controller it is for.
    pub name: String,
    /// Parts of the names of its ports.
    pub ports: Vec<String>,
    /// What it is told when it is opened.
    pub greeting: Vec<Vec<u8>>,
    /// Its controls. A later one for the same control counts.
    pub bindings: Vec<Binding>,
}

impl ControlMap {
    /// True if it is for the port of this name.
    #[must_use]
    pub fn is_for(&self, port: &str) -> bool {
        self.ports.iter().any(|part| port.contains(part.as_str()))
    }

    /// The binding that a message belongs to, and its place.
    #[must_use]
    pub fn find(&self, message: Message) -> Option<(usize, &Binding)> {
        let control = Control::of(message)?;
        let found = self.bindings.iter().rposition(|binding| binding.control.is(control))?;
        Some((found, &self.bindings[found]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(action: &str, travel: Travel) -> Binding {
        let control = Control::Controller { channel: None, controller: 7 };
        Binding { control, action: action.parse().unwrap(), travel, lamps: None }
    }

    const fn cc(value: u8) -> Message {
        Message::ControlChange { channel: 3, controller: 7, value }
    }

    #[test]
    fn a_fader_sets_the_part_of_the_range_it_was_given() {
        let fader = binding("master", Travel { ends: [0.2, 0.6], ..Travel::default() });
        assert_eq!(fader.hand(cc(0)), Some(Hand::To(0.2)));
        assert_eq!(fader.hand(cc(127)), Some(Hand::To(0.6)));
        let upside_down = binding("master", Travel { ends: [1.0, 0.0], ..Travel::default() });
        assert_eq!(upside_down.hand(cc(127)), Some(Hand::To(0.0)));
    }

    #[test]
    fn encoders_of_each_kind_step_both_ways() {
        for (relative, up, down) in
            [(Relative::Twos, 2, 126), (Relative::Offset, 66, 62), (Relative::Sign, 2, 66)]
        {
            let travel = Travel { relative: Some(relative), ..Travel::default() };
            let knob = binding("param 1", travel);
            assert_eq!(knob.hand(cc(up)), Some(Hand::By(2.0 / 127.0)), "{relative:?}");
            assert_eq!(knob.hand(cc(down)), Some(Hand::By(-2.0 / 127.0)), "{relative:?}");
        }
    }

    #[test]
    fn keys_press_and_release_and_a_controller_may_be_a_key() {
        let key = binding("flash", Travel::default());
        assert_eq!(key.hand(cc(127)), Some(Hand::Press));
        assert_eq!(key.hand(cc(0)), Some(Hand::Release));
        let note = Message::NoteOn { channel: 0, note: 1, velocity: 1 };
        assert_eq!(key.hand(note), Some(Hand::Press));
        let level = binding("crossfade", Travel::default());
        assert_eq!(level.hand(Message::NoteOff { channel: 0, note: 1 }), None);
    }

    #[test]
    fn a_later_binding_and_a_named_channel_decide() {
        let mut map = ControlMap {
            bindings: vec![binding("master", Travel::default())],
            ..ControlMap::default()
        };
        map.bindings.push(Binding {
            control: Control::Controller { channel: Some(3), controller: 7 },
            ..binding("volume", Travel::default())
        });
        assert_eq!(map.find(cc(1)).unwrap().1.action, Action::Volume);
        let other = Message::ControlChange { channel: 4, controller: 7, value: 1 };
        assert_eq!(map.find(other).unwrap().1.action, Action::Master);
        assert!(map.find(Message::Clock).is_none());
    }
}
