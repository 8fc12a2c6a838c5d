//! What a surface may see of the controllers, and wish of them.

use super::action::Action;

/// What a surface may wish of the controllers.
#[derive(Clone, Debug, PartialEq)]
pub enum ControllersWish {
    /// Look which MIDI ports there are.
    Scan,
    /// Listen to the MIDI port of this name.
    Open(String),
    /// Listen to it no more.
    Close(String),
    /// The next control that is touched does this from then on, and that is remembered.
    Learn(Action),
    /// No control is to be learned after all.
    StopLearning,
}

/// The controllers of a show at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControllersView {
    /// MIDI ports that are there or were asked for, then the network.
    pub sources: Vec<SourceView>,
    /// Why there is no MIDI at all.
    pub midi_trouble: Option<String>,
    /// The action that waits for a control, while one is being learned.
    pub learning: Option<String>,
    /// What the controls of the open ports do, in the order of their maps.
    pub bindings: Vec<BindingView>,
    /// Whether light may be allowed from outside.
    pub may_arm: bool,
    /// Messages that came faster than they could be taken, and were dropped.
    pub lost: u64,
    /// The tempo of the MIDI clock that is followed, beats per minute.
    pub clock_bpm: Option<f32>,
}

/// The kind of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceKind {
    /// A MIDI port.
    #[default]
    Midi,
    /// An OSC socket.
    Osc,
    /// An Art-Net socket.
    ArtNet,
}

/// One source of control.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceView {
    /// Its kind.
    pub kind: SourceKind,
    /// The name of the port, or the address.
    pub name: String,
    /// The port is there.
    pub present: bool,
    /// It is listened to.
    pub open: bool,
    /// The map that its controls follow.
    pub map: Option<String>,
    /// Messages so far.
    pub messages: u64,
    /// The last of them, as text.
    pub last: String,
    /// Why it does not work.
    pub trouble: Option<String>,
}

/// One control and what it does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BindingView {
    /// The map.
    pub map: String,
    /// The control, as a map writes it.
    pub on: String,
    /// What it does.
    pub does: String,
}
