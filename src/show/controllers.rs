//! The MIDI controllers of a show: which ports are open, what their controls do, what their lamps show.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::deeds::{lamp, level};
use super::snapshot::Snapshot;
use crate::control::config::AUTO;
use crate::control::map::{Control, LampState};
use crate::control::map_file::written;
use crate::control::pick_up::PickUp;
use crate::control::ports::{Heard, Listening, MidiOut, lasting_name};
use crate::control::switch_keys::{KeyWatch, SwitchKeys};
use crate::control::view::{BindingView, SourceKind, SourceView};
use crate::control::{
    Action, Arrival, ChosenPorts, ControlConfig, ControlMap, Deed, Event, Hand, Maps, MidiError,
    MidiPorts,
};
use crate::safety::Switches;
use crate::time::{Clock, HostTime};
use crate::wire::midi::{Message, Parser};

/// How often it is looked whether a port was plugged in or pulled out.
const SCAN_EVERY: Duration = Duration::from_secs(2);
/// How often where the system has no MIDI.
const SCAN_IN_VAIN_EVERY: Duration = Duration::from_secs(15);

/// Where what is heard goes. Never waits.
pub type Ear = Arc<dyn Fn(Arrival) + Send + Sync>;

#[derive(Debug)]
struct OpenPort {
    map: Option<Arc<ControlMap>>,
    /// The same, as the port's own thread has it.
    keys: SwitchKeys,
    _input: Box<dyn Listening>,
    output: Option<Box<dyn MidiOut>>,
    /// For each binding of the map.
    states: Vec<ControlState>,
    messages: u64,
    last: String,
}

#[derive(Clone, Copy, Debug, Default)]
struct ControlState {
    fader: PickUp,
    down: bool,
    lamp: Option<LampState>,
    /// A later binding has the same control.
    overruled: bool,
}

impl OpenPort {
    fn take_map(&mut self, map: Option<Arc<ControlMap>>) {
        let bindings = map.as_deref().map_or(&[][..], |map| &map.bindings);
        let overruled = |at: usize| {
            bindings[at + 1..].iter().any(|later| later.control.is(bindings[at].control))
        };
        self.states = (0..bindings.len())
            .map(|at| ControlState { overruled: overruled(at), ..ControlState::default() })
            .collect();
        self.keys.set(map.clone());
        self.map = map;
    }

    /// The deed that a message is. `seen` says where a fader's level is, which it has to reach before it moves it.
    fn deed(&mut self, message: Message, seen: &Snapshot, now: HostTime) -> Option<Deed> {
        let map = self.map.as_deref()?;
        let (at, binding) = map.find(message)?;
        let state = self.states.get_mut(at)?;
        let hand = binding.hand(message)?;
        let takes = match hand {
            Hand::Press if binding.travel.relative.is_none() => {
                !std::mem::replace(&mut state.down, true)
            }
            Hand::Release => std::mem::replace(&mut state.down, false),
            Hand::To(to) if binding.travel.picks_up => {
                let present = level(&binding.action, seen)?;
                state.fader.moves(to, present, now)
            }
            _ => true,
        };
        takes.then(|| Deed::new(binding.action.clone(), hand))
    }

    /// Keys that are down, as they come up.
    fn let_go(&mut self) -> Vec<Deed> {
        let map = self.map.take();
        let bindings = map.as_deref().map_or(&[][..], |map| &map.bindings);
        let held = bindings.iter().zip(&self.states).filter(|(_, state)| state.down);
        held.map(|(binding, _)| Deed::new(binding.action.clone(), Hand::Release)).collect()
    }

    /// Brings the lamps to what `wanted` says.
    fn show(&mut self, wanted: impl Fn(&Action) -> LampState) -> Result<(), MidiError> {
        let (Some(map), Some(output)) = (&self.map, &mut self.output) else { return Ok(()) };
        for (binding, state) in map.bindings.iter().zip(&mut self.states) {
            if binding.lamps.is_none() || state.overruled {
                continue;
            }
            let lit = wanted(&binding.action);
            if state.lamp.replace(lit) == Some(lit) {
                continue;
            }
            if let Some(message) = binding.lamp(lit) {
                let (bytes, len) = message.emit();
                output.send(&bytes[..len])?;
            }
        }
        Ok(())
    }
}

/// See the module.
pub struct Controllers {
    ports: Box<dyn MidiPorts>,
    config: ControlConfig,
    maps: Maps,
    ear: Ear,
    clock: Arc<dyn Clock>,
    switches: Switches,
    /// The next touch teaches: known to the ports' own threads.
    teaching: Arc<AtomicBool>,
    there: Vec<String>,
    open: BTreeMap<String, OpenPort>,
    /// Opened and closed by a wish, whatever the configuration says.
    chosen: ChosenPorts,
    /// What is wrong with the file of those.
    chosen_trouble: Option<String>,
    unasked: BTreeSet<String>,
    trouble: BTreeMap<String, String>,
    midi_trouble: Option<MidiError>,
    learning: Option<Action>,
    scanned: Option<HostTime>,
}

impl std::fmt::Debug for Controllers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Controllers").field("open", &self.open.keys()).finish_non_exhaustive()
    }
}

impl Controllers {
    /// The controllers on `ports` that `config` asks for. What they send goes to `ear`; some of their keys work the
    /// `switches` before.
    #[must_use]
    pub fn new(
        ports: Box<dyn MidiPorts>,
        config: ControlConfig,
        maps: Maps,
        ear: Ear,
        clock: Arc<dyn Clock>,
        switches: Switches,
    ) -> Self {
        let (chosen, chosen_trouble) = ChosenPorts::open(config.chosen.clone());
        Self {
            ports,
            config,
            maps,
            ear,
            clock,
            switches,
            teaching: Arc::default(),
            there: Vec::new(),
            open: BTreeMap::new(),
            chosen,
            chosen_trouble,
            unasked: BTreeSet::new(),
            trouble: BTreeMap::new(),
            midi_trouble: None,
            learning: None,
            scanned: None,
        }
    }

    /// True while a port is open.
    #[must_use]
    pub fn any_open(&self) -> bool {
        !self.open.is_empty()
    }

    fn is_wanted(&self, port: &str) -> bool {
        let has_map = self.maps.of_port(port).is_some();
        !self.unasked.contains(port) && (self.chosen.has(port) || self.config.wants(port, has_map))
    }

    /// Looks for ports if it is time to, or if `at_once`. Returns the keys that came up because their port is gone, and
    /// says what does not work for the first time.
    pub fn scan(&mut self, at_once: bool, now: HostTime, say: &mut dyn FnMut(String)) -> Vec<Deed> {
        self.chosen_trouble.take().into_iter().for_each(&mut *say);
        let asks = !self.config.midi.is_empty()
            || self.config.clock_from.is_some()
            || !self.chosen.is_empty();
        let every = if self.midi_trouble.is_some() { SCAN_IN_VAIN_EVERY } else { SCAN_EVERY };
        let due = asks && self.scanned.is_none_or(|when| now.since(when) >= every);
        if !due && !at_once {
            return Vec::new();
        }
        let first = self.scanned.replace(now).is_none();
        match self.ports.inputs() {
            Ok(there) => {
                self.there = there;
                self.midi_trouble = None;
                if first {
                    self.missing().for_each(&mut *say);
                    for port in self.chosen.missing(&self.there) {
                        say(format!(
                            "the MIDI controller {port}, chosen in an earlier show, is not there: it is taken up when it comes"
                        ));
                    }
                }
            }
            Err(error) => {
                self.there.clear();
                if self.midi_trouble.as_ref() != Some(&error) && asks {
                    say(error.to_string());
                }
                self.midi_trouble = Some(error);
            }
        }
        let gone: Vec<String> =
            self.open.keys().filter(|port| !self.there.contains(port)).cloned().collect();
        let mut let_go = Vec::new();
        for port in gone {
            let_go.extend(self.close(&port));
            say(format!(
                "the MIDI controller {} is gone: it is taken up again when it returns",
                lasting_name(&port)
            ));
        }
        for port in self.there.clone() {
            if !self.open.contains_key(&port) && self.is_wanted(&port) {
                match self.open(&port) {
                    Ok(()) => drop(self.trouble.remove(&port)),
                    Err(error) => {
                        let text = error.to_string();
                        if self.trouble.insert(port, text.clone()).as_ref() != Some(&text) {
                            say(text);
                        }
                    }
                }
            }
        }
        let_go
    }

    /// What was asked for and is not there, as sentences.
    fn missing(&self) -> impl Iterator<Item = String> + '_ {
        let asked = self.config.midi.iter().chain(&self.config.clock_from);
        asked.filter_map(|part| {
            let auto = part == AUTO;
            let is_it = |port: &String| {
                if auto { self.maps.of_port(port).is_some() } else { port.contains(part.as_str()) }
            };
            let missing = if auto {
                "no MIDI controller is there that galvo has a map for".to_owned()
            } else {
                MidiError::NoSuchPort { name: part.clone(), there: self.there.clone() }.to_string()
            };
            (!self.there.iter().any(is_it))
                .then(|| format!("{missing}; it is taken up when it comes"))
        })
    }

    fn open(&mut self, port: &str) -> Result<(), MidiError> {
        let name: Arc<str> = port.into();
        let (ear, clock) = (Arc::clone(&self.ear), Arc::clone(&self.clock));
        let (keys, switches) = (SwitchKeys::new(&self.teaching), self.switches.clone());
        let may_arm = self.config.may_arm;
        let mut watch = KeyWatch::new(keys.clone());
        let mut parser = Parser::default();
        let heard: Heard = Box::new(move |bytes| {
            let at = clock.now();
            for message in bytes.iter().filter_map(|&byte| parser.push(byte)) {
                if let Some(switching) = watch.switching(message) {
                    switching.act(&switches, may_arm, at);
                }
                ear(Arrival { at, event: Event::Midi { port: Arc::clone(&name), message } });
            }
        });
        let map = self.maps.of_port(port);
        keys.set(map.clone());
        let input = self.ports.listen(port, heard)?;
        // A controller without lamps has no output; that is no trouble.
        let outputs =
            if map.is_some() { self.ports.outputs().unwrap_or_default() } else { Vec::new() };
        let same = |out: &&String| lasting_name(out) == lasting_name(port);
        let mut output = match outputs.iter().find(same) {
            Some(out) => Some(self.ports.open(out)?),
            None => None,
        };
        for greeting in map.iter().flat_map(|map| &map.greeting) {
            if let Some(output) = &mut output {
                output.send(greeting)?;
            }
        }
        let mut opened = OpenPort {
            map: None,
            keys,
            _input: input,
            output,
            states: Vec::new(),
            messages: 0,
            last: String::new(),
        };
        opened.take_map(map);
        self.open.insert(port.to_owned(), opened);
        Ok(())
    }

    /// Closes a port; its lamps go out. Returns the keys that come up with it.
    fn close(&mut self, port: &str) -> Vec<Deed> {
        let Some(mut closed) = self.open.remove(port) else { return Vec::new() };
        // It may have been pulled out: then its lamps are out already.
        drop(closed.show(|_| LampState::Off));
        closed.let_go()
    }

    /// Listens to a port by the operator's wish.
    pub fn ask(&mut self, port: &str, now: HostTime, say: &mut dyn FnMut(String)) -> Vec<Deed> {
        self.unasked.remove(port);
        self.chosen.choose(port, true).unwrap_or_else(&mut *say);
        self.scan(true, now, say)
    }

    /// Listens to it no more.
    pub fn unask(&mut self, port: &str, say: &mut dyn FnMut(String)) -> Vec<Deed> {
        self.chosen.choose(port, false).unwrap_or_else(say);
        self.unasked.insert(port.to_owned());
        self.trouble.remove(port);
        self.close(port)
    }

    /// The next control that is touched does this, or none.
    pub fn learn(&mut self, action: Option<Action>) {
        self.teaching.store(action.is_some(), Ordering::SeqCst);
        self.learning = action;
    }

    /// Takes a message of a port: the deed that it is. A control that is learned does nothing this once.
    pub fn hear(
        &mut self,
        port: &str,
        message: Message,
        seen: &Snapshot,
        now: HostTime,
        say: &mut dyn FnMut(String),
    ) -> Option<Deed> {
        if !self.open.contains_key(port) {
            return None;
        }
        let touched = !matches!(message, Message::NoteOff { .. });
        if let (Some(control), true) = (Control::of(message), touched)
            && let Some(action) = self.learning.take()
        {
            self.teaching.store(false, Ordering::SeqCst);
            match self.maps.learn(port, control, &action) {
                Ok(map) => {
                    let on = written(control);
                    say(format!("learned: {on} of {} does \"{action}\"", lasting_name(port)));
                    for (name, open) in &mut self.open {
                        if map.is_for(name) {
                            open.take_map(Some(Arc::clone(&map)));
                        }
                    }
                }
                Err(error) => say(error.to_string()),
            }
            return None;
        }
        let open = self.open.get_mut(port)?;
        open.messages += 1;
        if message != Message::Clock {
            open.last = Event::Midi { port: "".into(), message }.to_string();
            open.last.drain(..2);
        }
        open.deed(message, seen, now)
    }

    /// Brings all lamps to what the show is like.
    pub fn show(&mut self, seen: &Snapshot, say: &mut dyn FnMut(String)) -> Vec<Deed> {
        let shown = self.open.iter_mut().filter_map(|(port, open)| {
            let error = open.show(|action| lamp(action, seen)).err()?;
            Some((port.clone(), error))
        });
        let failed: Vec<_> = shown.collect();
        let mut let_go = Vec::new();
        for (port, error) in failed {
            say(error.to_string());
            let_go.extend(self.close(&port));
        }
        let_go
    }

    /// Lamps out, ports closed.
    pub fn end(&mut self) {
        for port in self.open.keys().cloned().collect::<Vec<_>>() {
            drop(self.close(&port));
        }
    }

    /// Opens the output whose name contains `part`.
    pub fn output(&mut self, part: &str) -> Result<Box<dyn MidiOut>, MidiError> {
        let there = self.ports.outputs()?;
        let Some(port) = there.iter().find(|port| port.contains(part)) else {
            return Err(MidiError::NoSuchPort { name: part.to_owned(), there });
        };
        self.ports.open(port)
    }

    /// The action that waits for a control.
    #[must_use]
    pub fn learning(&self) -> Option<String> {
        self.learning.as_ref().map(ToString::to_string)
    }

    /// Why there is no MIDI at all.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.midi_trouble.as_ref().map(ToString::to_string)
    }

    /// The ports as a surface sees them.
    #[must_use]
    pub fn sources(&self) -> Vec<SourceView> {
        let source = |name: &String| {
            let open = self.open.get(name);
            let map = self.maps.of_port(name).map(|map| map.name.clone());
            SourceView {
                kind: SourceKind::Midi,
                name: name.clone(),
                present: true,
                open: open.is_some(),
                map,
                messages: open.map_or(0, |open| open.messages),
                last: open.map(|open| open.last.clone()).unwrap_or_default(),
                trouble: self.trouble.get(name).cloned(),
            }
        };
        let waited_for = |name: &str| SourceView {
            kind: SourceKind::Midi,
            name: name.to_owned(),
            map: self.maps.of_port(name).map(|map| map.name.clone()),
            ..SourceView::default()
        };
        let missing = self.chosen.missing(&self.there).map(waited_for);
        self.there.iter().map(source).chain(missing).collect()
    }

    /// What the controls of the open ports do.
    #[must_use]
    pub fn bindings(&self) -> Vec<BindingView> {
        let of_port = |open: &OpenPort| {
            let map = open.map.clone();
            let bindings = map.iter().flat_map(|map| map.bindings.iter().zip(&open.states));
            bindings
                .filter(|(_, state)| !state.overruled)
                .map(|(binding, _)| BindingView {
                    map: map.as_ref().map(|map| map.name.clone()).unwrap_or_default(),
                    on: written(binding.control),
                    does: binding.action.to_string(),
                })
                .collect::<Vec<_>>()
        };
        self.open.values().flat_map(of_port).collect()
    }
}
