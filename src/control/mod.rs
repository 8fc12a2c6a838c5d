//! Hands from outside: MIDI controllers, OSC surfaces and DMX desks.
//!
//! Here are the ports and sockets, the maps from what arrives to what it does ([`Action`]), and the lamps of controllers.
//! What an action means to a show is the show's affair (`show::hands`); whether light may be allowed from outside too.

pub mod action;
pub mod arrival;
pub mod artnet;
pub mod chosen;
pub mod clock;
pub mod config;
pub mod fixture;
pub mod listener;
pub mod map;
pub mod map_file;
pub mod maps;
#[cfg(feature = "midi")]
mod midir_ports;
pub mod osc;
pub mod pick_up;
pub mod ports;
pub mod switch_keys;
pub mod switching;
pub mod view;

pub use action::{Action, Choice, Deed, Hand};
pub use arrival::{Arrival, Event};
pub use chosen::ChosenPorts;
pub use config::{ArtNetConfig, ControlConfig, ControlError};
pub use map::{ControlMap, Lamp};
pub use maps::Maps;
pub use ports::{MidiError, MidiPorts, system_ports};
pub use switching::Switching;
pub use view::{ControllersView, ControllersWish};
