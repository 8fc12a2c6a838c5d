//! Sound in and out. The sound card's callback is the clock of the whole show.

mod byte_source;
pub mod capture;
pub mod clock;
pub mod counters;
pub mod course;
pub mod decode;
#[cfg(feature = "audio")]
pub mod device;
mod downmix;
mod edit_list;
pub mod feeder;
pub mod handover;
mod mpeg_index;
pub mod output;
pub mod period;
pub mod playback;
pub mod player_output;
mod probe;
#[cfg(feature = "audio")]
mod raw_output;
pub mod resample;
pub mod software;
pub mod start;
pub mod tags;
pub mod track_cache;
pub mod watchdog;
pub mod whole_file;

pub use capture::InputCallback;
pub use clock::AudioClock;
pub use counters::CallbackCounters;
pub use course::{Place, Places, Stretch};
pub use decode::{DecodeError, Decoder, TrackInfo};
#[cfg(feature = "audio")]
pub use device::{ListedDevice, list_inputs, list_outputs};
pub use feeder::{Feeder, FeederState, NoTap, PcmTap};
pub use handover::{Driver, Handover};
pub use output::OutputCallback;
pub use period::{Period, PeriodSink};
pub use playback::{Player, SHORTEST_LOOP};
pub use player_output::{PlayerOutput, Rendered};
#[cfg(feature = "audio")]
pub use raw_output::{RawOutput, open_raw_output};
pub use resample::StereoResampler;
pub use software::{Due, SOFTWARE_CLOCK_NOTICE, SoftwareClock, SoftwareOutput};
pub use start::{AudioChoice, AudioError, AudioHandle, start_input, start_output};
pub use tags::{CoverArt, Tags};
pub use track_cache::{ContentKey, TrackCache};
pub use watchdog::{Action, Watchdog};
pub use whole_file::listen_to_file;
