//! MIDI ports: the seam between what galvo does with them and the system that has them, and a fake that works.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Why a port cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MidiError {
    /// Built without MIDI.
    #[error("this galvo was built without MIDI: use one built with the feature midi")]
    NotBuilt,
    /// The system has none.
    #[error(
        "this system gives no MIDI ports; on Linux the kernel's sequencer has to be there: sudo modprobe snd-seq"
    )]
    NoSystem,
    /// There is no port of this name.
    #[error("there is no MIDI port \"{name}\"; {}", there_are(there))]
    NoSuchPort {
        /// What was asked for.
        name: String,
        /// What there is.
        there: Vec<String>,
    },
    /// The port is there and cannot be opened, or was unplugged.
    #[error(
        "the MIDI port \"{port}\" does not answer ({reason}): plug it in again, or close what else uses it"
    )]
    Refused {
        /// The port.
        port: String,
        /// What the system says.
        reason: String,
    },
}

fn there_are(there: &[String]) -> String {
    match there {
        [] => "none is there: plug a controller in".to_owned(),
        there => format!("there are {}", there.join(", ")),
    }
}

/// What is heard of a port: raw bytes, on a thread of the system's.
pub type Heard = Box<dyn FnMut(&[u8]) + Send>;

/// An input that is open until it is dropped.
pub trait Listening: Send {}

/// An output that is open until it is dropped.
pub trait MidiOut: Send {
    /// Sends one message. Never waits long.
    fn send(&mut self, bytes: &[u8]) -> Result<(), MidiError>;
}

/// The ports of a system.
pub trait MidiPorts: Send {
    /// The names of those that can be listened to.
    fn inputs(&mut self) -> Result<Vec<String>, MidiError>;
    /// The names of those that can be written to.
    fn outputs(&mut self) -> Result<Vec<String>, MidiError>;
    /// Listens to the port of exactly this name.
    fn listen(&mut self, port: &str, heard: Heard) -> Result<Box<dyn Listening>, MidiError>;
    /// Opens the port of exactly this name.
    fn open(&mut self, port: &str) -> Result<Box<dyn MidiOut>, MidiError>;
}

impl fmt::Debug for dyn MidiPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MidiPorts")
    }
}

impl fmt::Debug for dyn MidiOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MidiOut")
    }
}

impl fmt::Debug for dyn Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listening")
    }
}

/// The system's own ports.
#[must_use]
pub fn system_ports() -> Box<dyn MidiPorts> {
    #[cfg(feature = "midi")]
    {
        Box::new(super::midir_ports::MidirPorts)
    }
    #[cfg(not(feature = "midi"))]
    {
        Box::new(NoPorts)
    }
}

/// Of a build without MIDI.
#[cfg(not(feature = "midi"))]
#[derive(Debug)]
struct NoPorts;

#[cfg(not(feature = "midi"))]
impl MidiPorts for NoPorts {
    fn inputs(&mut self) -> Result<Vec<String>, MidiError> {
        Err(MidiError::NotBuilt)
    }

    fn outputs(&mut self) -> Result<Vec<String>, MidiError> {
        Err(MidiError::NotBuilt)
    }

    fn listen(&mut self, _: &str, _: Heard) -> Result<Box<dyn Listening>, MidiError> {
        Err(MidiError::NotBuilt)
    }

    fn open(&mut self, _: &str) -> Result<Box<dyn MidiOut>, MidiError> {
        Err(MidiError::NotBuilt)
    }
}

/// A port's name without the numbers that change each time it is plugged in: "APC MINI MIDI 1 24:0" has "24:0" at its end.
#[must_use]
pub fn lasting_name(port: &str) -> &str {
    let is_address = |word: &str| {
        word.split_once(':').is_some_and(|(client, port)| {
            [client, port].iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        })
    };
    match port.rsplit_once(' ') {
        Some((name, last)) if is_address(last) => name,
        _ => port,
    }
}

/// Ports without hardware, for tests and examples: what is played on them is heard, what is sent to them is kept.
#[derive(Clone, Default)]
pub struct FakePorts(Arc<Mutex<Fakes>>);

#[derive(Default)]
struct Fakes {
    plugged: BTreeMap<String, Vec<Vec<u8>>>,
    ears: BTreeMap<String, Heard>,
}

impl fmt::Debug for FakePorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FakePorts").field(&self.fakes().plugged.keys()).finish()
    }
}

impl FakePorts {
    fn fakes(&self) -> std::sync::MutexGuard<'_, Fakes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A controller is plugged in: an input and an output of this name.
    pub fn plug(&self, port: &str) {
        self.fakes().plugged.entry(port.to_owned()).or_default();
    }

    /// It is pulled out: whoever listened hears no more of it.
    pub fn unplug(&self, port: &str) {
        let mut fakes = self.fakes();
        fakes.plugged.remove(port);
        fakes.ears.remove(port);
    }

    /// It sends these bytes; false if nobody listens.
    pub fn play(&self, port: &str, bytes: &[u8]) -> bool {
        self.fakes().ears.get_mut(port).map(|heard| heard(bytes)).is_some()
    }

    /// What was sent to it since the last call.
    #[must_use]
    pub fn take_sent(&self, port: &str) -> Vec<Vec<u8>> {
        self.fakes().plugged.get_mut(port).map(std::mem::take).unwrap_or_default()
    }

    fn names(&self) -> Vec<String> {
        self.fakes().plugged.keys().cloned().collect()
    }

    fn check(&self, port: &str) -> Result<(), MidiError> {
        let there = self.names();
        if there.iter().any(|name| name == port) {
            return Ok(());
        }
        Err(MidiError::NoSuchPort { name: port.to_owned(), there })
    }
}

struct FakeEnd {
    ports: FakePorts,
    port: String,
    listens: bool,
}

impl Listening for FakeEnd {}

impl MidiOut for FakeEnd {
    fn send(&mut self, bytes: &[u8]) -> Result<(), MidiError> {
        self.ports.check(&self.port)?;
        if let Some(sent) = self.ports.fakes().plugged.get_mut(&self.port) {
            sent.push(bytes.to_vec());
        }
        Ok(())
    }
}

impl Drop for FakeEnd {
    fn drop(&mut self) {
        if self.listens {
            let heard = self.ports.fakes().ears.remove(&self.port);
            drop(heard);
        }
    }
}

impl MidiPorts for FakePorts {
    fn inputs(&mut self) -> Result<Vec<String>, MidiError> {
        Ok(self.names())
    }

    fn outputs(&mut self) -> Result<Vec<String>, MidiError> {
        Ok(self.names())
    }

    fn listen(&mut self, port: &str, heard: Heard) -> Result<Box<dyn Listening>, MidiError> {
        self.check(port)?;
        self.fakes().ears.insert(port.to_owned(), heard);
        Ok(Box::new(FakeEnd { ports: self.clone(), port: port.to_owned(), listens: true }))
    }

    fn open(&mut self, port: &str) -> Result<Box<dyn MidiOut>, MidiError> {
        self.check(port)?;
        Ok(Box::new(FakeEnd { ports: self.clone(), port: port.to_owned(), listens: false }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_known_by_what_lasts_of_its_name() {
        for (name, lasting) in [
            ("APC MINI:APC MINI MIDI 1 24:0", "APC MINI:APC MINI MIDI 1"),
            ("Launchpad Mini MK3 LPMiniMK3 MIDI", "Launchpad Mini MK3 LPMiniMK3 MIDI"),
            ("Thing 2:", "Thing 2:"),
        ] {
            assert_eq!(lasting_name(name), lasting);
        }
    }

    #[test]
    fn a_missing_port_is_named_with_those_that_are_there() {
        let mut ports = FakePorts::default();
        ports.plug("Keys");
        let error = ports.clone().open("Pads").unwrap_err().to_string();
        assert_eq!(error, "there is no MIDI port \"Pads\"; there are Keys");
        ports.unplug("Keys");
        assert!(ports.open("Pads").unwrap_err().to_string().contains("plug a controller in"));
    }
}
