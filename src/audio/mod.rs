//! Sound in and out. The sound card's callback is the clock of the whole show.

pub mod period;

pub use period::{Period, PeriodSink};
