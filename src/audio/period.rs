//! One period of the audio clock: what a sound callback tells the engine.

use crate::time::{HostTime, MediaTime};

/// One period of sound, as it is given to or taken from the sound card (or the software clock).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Period {
    /// When the callback runs.
    pub now: HostTime,
    /// When the first frame of this period is heard (output) or was heard (input), filtered by the
    /// delay-locked clock.
    pub heard_at: HostTime,
    /// Frames in this period.
    pub frames: usize,
    /// Frames per second, nominal.
    pub sample_rate: u32,
    /// Frames per second of host time, as the delay-locked clock measures it.
    pub measured_rate: f64,
    /// Media time of the first frame.
    pub media: MediaTime,
    /// The seek epoch the media time belongs to.
    pub epoch: u32,
    /// False while paused, at the end, or with no media open: media time then stands still.
    pub playing: bool,
    /// True once, when the clock had to be locked anew (xrun, device change, resume).
    pub relocked: bool,
}

/// What is driven by the audio clock. Runs in the audio callback: no allocation, lock, log or waiting.
pub trait PeriodSink: Send {
    /// Called once per period. `pcm` holds the period's frames, interleaved stereo, `2 · frames` samples.
    fn period(&mut self, period: &Period, pcm: &[f32]);
}
