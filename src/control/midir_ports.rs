//! The system's MIDI ports through midir. Thin: it opens, hands bytes on, and says what does not work.

use midir::{Ignore, MidiIO, MidiInput, MidiInputConnection, MidiOutput, MidiOutputConnection};

use super::ports::{Heard, Listening, MidiError, MidiOut, MidiPorts};

/// What other programs see of galvo.
const CLIENT: &str = "galvo";

/// See the module.
#[derive(Debug)]
pub(super) struct MidirPorts;

struct Input {
    _open: MidiInputConnection<Heard>,
}

impl Listening for Input {}

struct Output {
    port: String,
    open: MidiOutputConnection,
}

impl MidiOut for Output {
    fn send(&mut self, bytes: &[u8]) -> Result<(), MidiError> {
        self.open.send(bytes).map_err(|error| MidiError::Refused {
            port: self.port.clone(),
            reason: error.to_string(),
        })
    }
}

fn input() -> Result<MidiInput, MidiError> {
    let mut input = MidiInput::new(CLIENT).map_err(|_| MidiError::NoSystem)?;
    input.ignore(Ignore::SysexAndActiveSense);
    Ok(input)
}

fn output() -> Result<MidiOutput, MidiError> {
    MidiOutput::new(CLIENT).map_err(|_| MidiError::NoSystem)
}

fn names<T: MidiIO>(ports: &T) -> Vec<String> {
    ports.ports().iter().filter_map(|port| ports.port_name(port).ok()).collect()
}

fn find<T: MidiIO>(ports: &T, name: &str) -> Result<T::Port, MidiError> {
    let named = |port: &T::Port| ports.port_name(port).is_ok_and(|there| there == name);
    let missing = || MidiError::NoSuchPort { name: name.to_owned(), there: names(ports) };
    ports.ports().into_iter().find(named).ok_or_else(missing)
}

fn refused(port: &str) -> impl Fn(String) -> MidiError {
    move |reason| MidiError::Refused { port: port.to_owned(), reason }
}

impl MidiPorts for MidirPorts {
    fn inputs(&mut self) -> Result<Vec<String>, MidiError> {
        Ok(names(&input()?))
    }

    fn outputs(&mut self) -> Result<Vec<String>, MidiError> {
        Ok(names(&output()?))
    }

    fn listen(&mut self, name: &str, heard: Heard) -> Result<Box<dyn Listening>, MidiError> {
        let input = input()?;
        let port = find(&input, name)?;
        let open = input
            .connect(&port, "controls", |_, bytes, heard: &mut Heard| heard(bytes), heard)
            .map_err(|error| refused(name)(error.to_string()))?;
        Ok(Box::new(Input { _open: open }))
    }

    fn open(&mut self, name: &str) -> Result<Box<dyn MidiOut>, MidiError> {
        let output = output()?;
        let port = find(&output, name)?;
        let open =
            output.connect(&port, "lamps").map_err(|error| refused(name)(error.to_string()))?;
        Ok(Box::new(Output { port: name.to_owned(), open }))
    }
}
