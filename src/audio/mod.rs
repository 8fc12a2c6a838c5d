//! Sound in and out. The sound card's callback is the clock of the whole show.

pub mod decode;
mod downmix;
mod edit_list;
pub mod feeder;
pub mod output;
pub mod period;
pub mod playback;
pub mod player_output;
pub mod resample;
pub mod software;

pub use decode::{DecodeError, Decoder, TrackInfo};
pub use feeder::{Feeder, FeederState, NoTap, PcmTap};
pub use output::{OutputCallback, OutputCounters, OutputDriver, SharedCallback};
pub use period::{Period, PeriodSink};
pub use playback::Player;
pub use player_output::{PlayerOutput, Rendered};
pub use resample::StereoResampler;
pub use software::{Due, SoftwareClock, SoftwareOutput};
