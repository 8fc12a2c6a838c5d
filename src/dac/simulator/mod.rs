//! Virtual projectors: each speaks the device side of its protocol over the real transport; `sim:` is one
//! without a transport.

pub mod ether_dream;
pub mod faults;
pub mod idn;
pub mod in_process;
pub mod playback;
pub mod record;

pub use faults::{FaultSpecError, Faults};
pub use in_process::{InProcess, Shown, SimOptions, Tap};
pub use playback::{Playback, QueuedPoint, Recorder};
pub use record::CsvRecorder;
