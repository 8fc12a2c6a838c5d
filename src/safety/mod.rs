//! The last stage that sees every point: nothing reaches a projector but through here.
//!
//! A program is no interlock. See `docs/safety.md`.

pub mod arm;
pub mod chunk;
mod colour_line;
pub mod dwell;
pub mod flash;
pub mod gate;
pub mod limits;
pub mod meters;
pub mod pulse;
pub mod queue;
pub mod settings;
pub mod switches;
pub mod zones;

pub use arm::{Arm, Trip, TripReason};
pub use chunk::SafeChunk;
pub use dwell::DwellLimit;
pub use gate::Gate;
pub use meters::{Counts, Meters};
pub use pulse::ShowPulse;
pub use queue::{SafeReceiver, SafeSender, queue};
pub use settings::{GateControl, GateSettings, MasterFader};
pub use switches::Switches;
pub use zones::{Effect, Shape, Zone, ZoneError, Zones};
