//! The keys of a MIDI controller that work the switches, as the thread of its port reads them: before anything is queued, looked for
//! or drawn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;

use super::action::{Action, Hand};
use super::map::ControlMap;
use super::switching::Switching;
use crate::wire::midi::Message;

/// The map of one open port, shared with the port's own thread, and whether a control is being taught.
#[derive(Clone, Debug, Default)]
pub struct SwitchKeys {
    map: Arc<ArcSwapOption<ControlMap>>,
    teaching: Arc<AtomicBool>,
}

impl SwitchKeys {
    /// Keys of a port without a map yet. `teaching` is true while the next touch teaches.
    #[must_use]
    pub fn new(teaching: &Arc<AtomicBool>) -> Self {
        Self { map: Arc::default(), teaching: Arc::clone(teaching) }
    }

    /// The keys are those of this map from now on.
    pub fn set(&self, map: Option<Arc<ControlMap>>) {
        self.map.store(map);
    }
}

/// The port's own end: it remembers which keys are down.
#[derive(Debug)]
pub struct KeyWatch {
    keys: SwitchKeys,
    of: Option<Arc<ControlMap>>,
    /// For each binding of the map.
    down: Vec<bool>,
}

impl KeyWatch {
    /// Watches these keys.
    #[must_use]
    pub const fn new(keys: SwitchKeys) -> Self {
        Self { keys, of: None, down: Vec::new() }
    }

    /// How a message works the switches. A touch that teaches does nothing, but STOP and disarm darken even then.
    pub fn switching(&mut self, message: Message) -> Option<Switching> {
        let map = self.keys.map.load();
        let map = map.as_ref()?;
        if !self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, map)) {
            self.down.clear();
            self.down.resize(map.bindings.len(), false);
            self.of = Some(Arc::clone(map));
        }
        let (at, binding) = map.find(message)?;
        let switches = match binding.action {
            Action::Stop | Action::Disarm => true,
            Action::Blackout | Action::BlackoutHeld | Action::Arm | Action::ResetStop => {
                !self.keys.teaching.load(Ordering::SeqCst)
            }
            _ => false,
        };
        if !switches {
            return None;
        }
        let hand = binding.hand(message)?;
        let down = self.down.get_mut(at)?;
        // A key that repeats itself while it is down is pressed once; steps of an endless knob are presses each.
        let takes = match hand {
            Hand::Press if binding.travel.relative.is_none() => !std::mem::replace(down, true),
            Hand::Release => std::mem::replace(down, false),
            _ => true,
        };
        match (&binding.action, hand) {
            _ if !takes => None,
            (Action::Stop, Hand::Press) => Some(Switching::Stop),
            (Action::Disarm, Hand::Press) => Some(Switching::Disarm),
            (Action::Blackout, Hand::Press) => Some(Switching::TurnBlackout),
            (Action::Arm, Hand::Press) => Some(Switching::AskLight),
            (Action::ResetStop, Hand::Press) => Some(Switching::AskReset),
            (Action::BlackoutHeld, Hand::Press) => Some(Switching::Blackout(true)),
            (Action::BlackoutHeld, Hand::Release) => Some(Switching::Blackout(false)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::map::{Binding, Control, Travel};

    fn watch(teaching: &Arc<AtomicBool>) -> (SwitchKeys, KeyWatch) {
        let keys = SwitchKeys::new(teaching);
        let watch = KeyWatch::new(keys.clone());
        (keys, watch)
    }

    fn map(actions: &[&str]) -> Arc<ControlMap> {
        let binding = |(note, action): (u8, &&str)| Binding {
            control: Control::Note { channel: None, note },
            action: action.parse().unwrap(),
            travel: Travel::default(),
            lamps: None,
        };
        let bindings = (0..).zip(actions).map(binding).collect();
        Arc::new(ControlMap { bindings, ..ControlMap::default() })
    }

    const fn press(note: u8) -> Message {
        Message::NoteOn { channel: 0, note, velocity: 100 }
    }

    const fn release(note: u8) -> Message {
        Message::NoteOff { channel: 0, note }
    }

    #[test]
    fn keys_switch_when_they_go_down_and_other_keys_do_not() {
        let (keys, mut watch) = watch(&Arc::default());
        assert_eq!(watch.switching(press(0)), None, "no map yet");
        keys.set(Some(map(&[
            "stop",
            "disarm",
            "blackout",
            "blackout held",
            "arm",
            "flash",
            "reset",
        ])));
        for (message, wanted) in [
            (press(0), Some(Switching::Stop)),
            (press(0), None),
            (release(0), None),
            (press(0), Some(Switching::Stop)),
            (press(1), Some(Switching::Disarm)),
            (press(2), Some(Switching::TurnBlackout)),
            (press(2), None),
            (release(2), None),
            (press(3), Some(Switching::Blackout(true))),
            (release(3), Some(Switching::Blackout(false))),
            (release(3), None),
            (press(4), Some(Switching::AskLight)),
            (press(6), Some(Switching::AskReset)),
            (press(5), None),
            (Message::Stop, None),
        ] {
            assert_eq!(watch.switching(message), wanted, "{message:?}");
        }
        keys.set(Some(map(&["stop"])));
        assert_eq!(watch.switching(press(0)), Some(Switching::Stop), "another map, no key is down");
    }

    #[test]
    fn a_key_that_is_taught_something_else_still_stops_and_turns_no_blackout() {
        let teaching = Arc::new(AtomicBool::new(true));
        let (keys, mut watch) = watch(&teaching);
        keys.set(Some(map(&["stop", "blackout", "arm"])));
        assert_eq!(watch.switching(press(0)), Some(Switching::Stop));
        assert_eq!(watch.switching(press(1)), None);
        assert_eq!(watch.switching(press(2)), None);
        teaching.store(false, Ordering::SeqCst);
        assert_eq!(watch.switching(press(1)), Some(Switching::TurnBlackout));
    }
}
