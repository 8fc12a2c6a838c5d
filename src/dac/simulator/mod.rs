//! Virtual projectors: each speaks the device side of its protocol over the real transport; `sim:` is one
//! without a transport.

pub mod beam;
mod ears;
pub mod ether_dream;
pub mod faults;
pub mod helios;
pub mod idn;
pub mod in_process;
pub mod lasercube_usb;
pub mod lasercube_wifi;
pub mod playback;
pub mod record;
pub mod unit;
pub mod usb_port;

pub use beam::BeamView;
pub use faults::{FaultSpecError, Faults};
pub use in_process::{InProcess, Shown, SimOptions, Tap};
pub use playback::{Playback, QueuedPoint, Recorder};
pub use record::CsvRecorder;
