//! Which hands from outside a show has.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::wire::artnet::Universe;

/// All of it off unless it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlConfig {
    /// MIDI ports to open: parts of their names; `auto` is every port that there is a map for.
    pub midi: Vec<String>,
    /// Where the ports are remembered that the operator chose; nowhere if `None`.
    pub chosen: Option<PathBuf>,
    /// The port whose MIDI clock leads the beat: a part of its name.
    pub clock_from: Option<String>,
    /// The port that gets a MIDI clock of the beat: a part of its name.
    pub clock_to: Option<String>,
    /// A map that counts before all others.
    pub map: Option<PathBuf>,
    /// The folder of the user's maps; the system's usual one if `None`.
    pub map_folder: Option<PathBuf>,
    /// Where OSC is listened to.
    pub osc: Option<SocketAddr>,
    /// Where OSC is listened to for STOP, disarm and blackout alone.
    pub osc_stop: Option<SocketAddr>,
    /// Who is told by OSC how the show is, without asking.
    pub osc_to: Vec<SocketAddr>,
    /// Where Art-Net is listened to.
    pub artnet: Option<ArtNetConfig>,
    /// Whether light may be allowed, and a stop reset, from outside.
    pub may_arm: bool,
}

/// The fixture that galvo is on an Art-Net network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArtNetConfig {
    /// Where it is listened to.
    pub address: SocketAddr,
    /// Its universe.
    pub universe: Universe,
    /// Its first slot, from 1.
    pub start: usize,
}

/// The word for every port that there is a map for.
pub const AUTO: &str = "auto";

impl ControlConfig {
    /// True if the port of this name is to be opened, where `has_map` says whether there is a map for it.
    #[must_use]
    pub fn wants(&self, port: &str, has_map: bool) -> bool {
        let asked = self.midi.iter().any(|part| match part.as_str() {
            AUTO => has_map,
            part => port.contains(part),
        });
        asked || self.leads(port)
    }

    /// True if the clock of the port of this name leads the beat.
    #[must_use]
    pub fn leads(&self, port: &str) -> bool {
        self.clock_from.as_deref().is_some_and(|part| port.contains(part))
    }
}

/// Why a show cannot have the hands that were asked for.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// A socket cannot be opened.
    #[error(
        "{what} cannot be listened to on {address} ({error}): another program may hold it; choose another address or port"
    )]
    Socket {
        /// OSC or Art-Net.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The map that was named cannot be used.
    #[error(transparent)]
    Map(#[from] super::maps::MapsError),
    /// The system gives no more threads.
    #[error("the system gives no more threads ({0}): end other programs")]
    Thread(#[source] std::io::Error),
}
