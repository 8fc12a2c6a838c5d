//! The file of a map: TOML that people write.
//!
//! ```toml
//! version = 1
//! name = "My pads"
//! ports = ["nanoPAD2"]          # part of the name of its port
//!
//! [[bind]]
//! on = "note 36..43"            # eight pads: presets 1 to 8
//! do = "preset 1"
//! ```

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::action::{Action, UnknownAction};
use super::map::{Binding, Control, ControlMap, Lamps, Relative, Travel};

/// No map is larger than this, bytes.
pub const MAX_BYTES: u64 = 256 << 10;
/// Controls of a map at most.
const MAX_BINDINGS: usize = 2048;

/// Why a text is no map.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MapError {
    /// Not TOML, or not of this form.
    #[error("{0}")]
    Form(String),
    /// Of a version that is not known.
    #[error("a map of version {0}: this galvo reads version 1")]
    Version(u32),
    /// A control that cannot be read.
    #[error(
        "\"{on}\" is no control: write \"note 0..127\", \"cc 7\" or \"bend\", with \"ch 1\" before it for one channel"
    )]
    Control {
        /// What was written.
        on: String,
    },
    /// An action that is not there.
    #[error(transparent)]
    Action(#[from] UnknownAction),
    /// A row of controls for something that does not count on.
    #[error(
        "\"{on}\" is a row of controls, and \"{does}\" does not count on: name a preset or parameter by its number"
    )]
    Row {
        /// The controls.
        on: String,
        /// The action.
        does: String,
    },
    /// A kind of lamp that is not described.
    #[error("there are no lamps \"{0}\": describe them under [lamps.{0}]")]
    Lamps(String),
    /// A part of a range, a channel or a byte out of its bounds.
    #[error("{what} is out of bounds: {bounds}")]
    Bounds {
        /// What.
        what: String,
        /// What is allowed.
        bounds: &'static str,
    },
}

/// What a level does when its control stands elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Takeover {
    /// Waits until it is reached.
    #[default]
    PickUp,
    /// Jumps to the control.
    Jump,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bind {
    on: String,
    #[serde(rename = "do")]
    does: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lamp: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relative: Option<Relative>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    takeover: Option<Takeover>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<f32>,
}

/// A map as it is written: what [`ControlMap`] is made of, and what is written back when a control is learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapFile {
    version: u32,
    name: String,
    ports: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    greeting: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    lamps: BTreeMap<String, Lamps>,
    #[serde(default, rename = "bind", skip_serializing_if = "Vec::is_empty")]
    binds: Vec<Bind>,
}

impl MapFile {
    /// A map with no controls yet, for ports whose names contain `port`.
    #[must_use]
    pub fn new(port: &str) -> Self {
        Self {
            version: 1,
            name: port.to_owned(),
            ports: vec![port.to_owned()],
            greeting: Vec::new(),
            lamps: BTreeMap::new(),
            binds: Vec::new(),
        }
    }

    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it; a form that is wrong with its line.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let file: Self = toml::from_str(text).map_err(|error| MapError::Form(error.to_string()))?;
        if file.version != 1 {
            return Err(MapError::Version(file.version));
        }
        file.map()?;
        Ok(file)
    }

    /// Its text.
    ///
    /// # Errors
    /// [`MapError::Form`]: never for one that was parsed.
    pub fn text(&self) -> Result<String, MapError> {
        toml::to_string(self).map_err(|error| MapError::Form(error.to_string()))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lets `control` do `action`, with the lamps of the binding it replaces if it has any.
    pub fn bind(&mut self, control: Control, action: &Action) {
        let on = written(control);
        let lamp = self.map().ok().and_then(|map| {
            let old = map.bindings.iter().rev().find(|binding| binding.control.is(control))?;
            self.lamps.iter().find(|(_, lamps)| Some(**lamps) == old.lamps)
        });
        let lamp = lamp.map(|(name, _)| name.clone());
        self.binds.retain(|bind| bind.on != on);
        let does = action.to_string();
        let (relative, takeover, from, to) = (None, None, None, None);
        self.binds.push(Bind { on, does, lamp, relative, takeover, from, to });
    }

    /// The map as it is used: rows of controls counted out.
    ///
    /// # Errors
    /// The first line that makes no sense.
    pub fn map(&self) -> Result<ControlMap, MapError> {
        let mut bindings = Vec::new();
        for lamp in self.lamps.values().flat_map(|l| [l.off, l.there, l.on, l.waiting]) {
            let wrong = lamp.velocity > 127 || !lamp.channel.is_none_or(|n| (1..=16).contains(&n));
            if wrong {
                let what = format!("a lamp of velocity {}", lamp.velocity);
                return Err(MapError::Bounds { what, bounds: "velocity 0..127, channel 1..16" });
            }
        }
        for bind in &self.binds {
            let action: Action = bind.does.parse()?;
            let controls = controls(&bind.on)?;
            let lamps = match &bind.lamp {
                None => None,
                Some(name) => {
                    let lamps = self.lamps.get(name);
                    Some(*lamps.ok_or_else(|| MapError::Lamps(name.clone()))?)
                }
            };
            let ends = [bind.from.unwrap_or(0.0), bind.to.unwrap_or(1.0)];
            if ends.iter().any(|end| !(0.0..=1.0).contains(end)) {
                let what = format!("the range {} to {}", ends[0], ends[1]);
                return Err(MapError::Bounds { what, bounds: "each end is 0..1 of the whole" });
            }
            let picks_up = bind.takeover.unwrap_or_default() == Takeover::PickUp;
            let travel = Travel { relative: bind.relative, picks_up, ends };
            if bindings.len() + controls.len() > MAX_BINDINGS {
                let what = "the number of controls".to_owned();
                return Err(MapError::Bounds { what, bounds: "at most 2048" });
            }
            for (step, control) in controls.into_iter().enumerate() {
                let action = action.plus(step).ok_or_else(|| MapError::Row {
                    on: bind.on.clone(),
                    does: bind.does.clone(),
                })?;
                bindings.push(Binding { control, action, travel, lamps });
            }
        }
        let greeting =
            self.greeting.iter().map(|text| bytes(text)).collect::<Result<Vec<_>, _>>()?;
        Ok(ControlMap { name: self.name.clone(), ports: self.ports.clone(), greeting, bindings })
    }
}

/// A control as it is written.
#[must_use]
pub fn written(control: Control) -> String {
    let (channel, what) = match control {
        Control::Note { channel, note } => (channel, format!("note {note}")),
        Control::Controller { channel, controller } => (channel, format!("cc {controller}")),
        Control::Bend { channel } => (channel, "bend".to_owned()),
    };
    channel.map_or(what.clone(), |n| format!("ch {} {what}", n + 1))
}

/// The controls of an `on`: a row where there is a range.
fn controls(on: &str) -> Result<Vec<Control>, MapError> {
    let wrong = || MapError::Control { on: on.to_owned() };
    let mut words = on.split_whitespace();
    let mut word = words.next().ok_or_else(wrong)?;
    let mut channels = None;
    if word == "ch" {
        let range = words.next().and_then(|text| range(text, 1..=16)).ok_or_else(wrong)?;
        channels = Some(range);
        word = words.next().ok_or_else(wrong)?;
    }
    let numbers = match word {
        "bend" => 0..=0,
        "note" | "cc" => words.next().and_then(|text| range(text, 0..=127)).ok_or_else(wrong)?,
        _ => return Err(wrong()),
    };
    if words.next().is_some() {
        return Err(wrong());
    }
    let channels: Vec<Option<u8>> = match channels {
        None => vec![None],
        Some(range) => range.map(|n| Some(n - 1)).collect(),
    };
    let control = |channel, number| match word {
        "note" => Control::Note { channel, note: number },
        "cc" => Control::Controller { channel, controller: number },
        _ => Control::Bend { channel },
    };
    let each = |channel: Option<u8>| numbers.clone().map(move |number| control(channel, number));
    Ok(channels.into_iter().flat_map(each).collect())
}

fn range(text: &str, bounds: RangeInclusive<u8>) -> Option<RangeInclusive<u8>> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    let fits = first <= last && bounds.contains(&first) && bounds.contains(&last);
    fits.then_some(first..=last)
}

fn bytes(text: &str) -> Result<Vec<u8>, MapError> {
    let byte = |word: &str| u8::from_str_radix(word, 16);
    text.split_whitespace().map(byte).collect::<Result<_, _>>().map_err(|_| MapError::Bounds {
        what: format!("the greeting \"{text}\""),
        bounds: "bytes as hexadecimal numbers with spaces between them",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
version = 1
name = "Test"
ports = ["Pads"]
greeting = ["F0 47 7f F7"]
[lamps.pad]
off = { velocity = 0 }
there = { velocity = 1 }
on = { velocity = 3, channel = 7 }
waiting = { velocity = 4 }
[[bind]]
on = "note 8..15"
do = "preset 9"
lamp = "pad"
[[bind]]
on = "ch 1..8 cc 7"
do = "param 1"
[[bind]]
on = "bend"
do = "crossfade"
takeover = "jump"
from = 1.0
to = 0.0
"#;

    #[test]
    fn rows_of_controls_are_counted_out() {
        let map = MapFile::parse(TEXT).unwrap().map().unwrap();
        assert_eq!(map.bindings.len(), 8 + 8 + 1);
        assert_eq!(map.bindings[7].action.to_string(), "preset 16");
        assert_eq!(map.bindings[7].control, Control::Note { channel: None, note: 15 });
        let last_fader = Control::Controller { channel: Some(7), controller: 7 };
        assert_eq!(map.bindings[15].control, last_fader);
        assert_eq!(map.bindings[15].action.to_string(), "param 8");
        assert_eq!(map.bindings[16].travel.ends, [1.0, 0.0]);
        assert!(!map.bindings[16].travel.picks_up);
        assert_eq!(map.greeting, [[0xf0, 0x47, 0x7f, 0xf7]]);
        assert!(map.is_for("Pads:Pads MIDI 1 20:0") && !map.is_for("Other"));
    }

    #[test]
    fn what_is_written_back_says_the_same() {
        let file = MapFile::parse(TEXT).unwrap();
        assert_eq!(MapFile::parse(&file.text().unwrap()).unwrap(), file);
    }

    #[test]
    fn a_learned_control_counts_before_the_row_it_was_in_and_keeps_its_lamp() {
        let mut file = MapFile::parse(TEXT).unwrap();
        let control = Control::Note { channel: Some(0), note: 9 };
        for action in ["flash", "blackout"] {
            file.bind(control, &action.parse().unwrap());
        }
        assert_eq!(file.binds.len(), 4, "learned anew, not twice");
        let map = file.map().unwrap();
        let message = crate::wire::midi::Message::NoteOn { channel: 0, note: 9, velocity: 1 };
        let (_, found) = map.find(message).unwrap();
        assert_eq!(found.action, Action::Blackout);
        assert!(found.lamps.is_some());
    }

    #[test]
    fn mistakes_are_told_with_their_cure() {
        let mistakes = [
            ("on = \"note 8..15\"", "on = \"note 8..150\"", "is no control"),
            ("on = \"note 8..15\"", "on = \"key 8\"", "is no control"),
            ("on = \"note 8..15\"", "on = \"ch 0 note 8\"", "is no control"),
            ("on = \"note 8..15\"", "on = \"note 15..8\"", "is no control"),
            ("do = \"preset 9\"", "do = \"presto 9\"", "is no action"),
            ("do = \"preset 9\"", "do = \"flash\"", "does not count on"),
            ("lamp = \"pad\"", "lamp = \"pod\"", "there are no lamps \"pod\""),
            ("velocity = 3", "velocity = 128", "out of bounds"),
            ("from = 1.0", "from = 1.5", "out of bounds"),
            ("F0 47", "F0 471", "hexadecimal"),
            ("version = 1", "version = 2", "reads version 1"),
            ("takeover", "takover", "unknown field"),
        ];
        for (right, wrong, told) in mistakes {
            let error = MapFile::parse(&TEXT.replacen(right, wrong, 1)).unwrap_err().to_string();
            assert!(error.contains(told), "{wrong}: {error}");
        }
    }
}
