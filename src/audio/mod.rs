//! Sound in and out. The sound card's callback is the clock of the whole show.

pub mod clock;
pub mod period;

pub use clock::AudioClock;
pub use period::{Period, PeriodSink};
