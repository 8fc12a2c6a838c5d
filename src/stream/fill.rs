//! What a stream asks its producer for, and what the producer answers.

use std::time::Duration;

use crate::point::LaserPoint;
use crate::time::{HostTime, MediaTime, StreamInstant};

/// A request for points. `buffer.len()` of the call that carries it is the upper limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FillRequest {
    /// Stream time of the first point asked for: the gapless count of points accepted so far.
    pub start: StreamInstant,
    /// Points per second.
    pub pps: u32,
    /// Points needed to avoid an imminent underrun: `ceil((min_buffer − buffered) · pps)`, 0 if healthy.
    pub min_points: usize,
    /// Points that bring the buffer to its target: `ceil((target_buffer − buffered) · pps)`, at most
    /// `buffer.len()`.
    pub target_points: usize,
    /// Points accepted and not yet shown, a cautious estimate.
    pub buffered_points: u64,
    /// The same as a time at `pps`.
    pub buffered: Duration,
    /// What the device itself reports, raw; may differ from `buffered_points`.
    pub device_queued_points: Option<u64>,
    /// The moment the first point leaves the mirrors, by the stream's timeline.
    pub plays_at: HostTime,
    /// The media time heard at `plays_at`.
    pub media: MediaTime,
    /// Media seconds between two points (0 while paused).
    pub media_per_point: f64,
    /// The seek epoch the media time belongs to.
    pub epoch: u32,
}

impl FillRequest {
    /// The media time heard when point `index` of this request is seen.
    #[must_use]
    pub fn media_at(&self, index: usize) -> MediaTime {
        self.media.plus_secs_f64(self.media_per_point * index as f64)
    }
}

/// A producer's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FillResult {
    /// The first `n` points of the buffer are written. More than `buffer.len()` counts as `buffer.len()`;
    /// fewer than `min_points` and the underrun policy fills the deficit.
    Filled(usize),
    /// Nothing to show right now: the underrun policy applies and the stream goes on.
    Starved,
    /// The show is over: queued points play out, then the stream ends dark.
    End,
}

/// Something that fills point buffers. Closures of the same shape are producers too.
pub trait Producer: Send {
    /// Writes points for the time of `request` into `buffer`. Runs on a real-time thread: no allocation,
    /// no lock, no waiting.
    fn fill(&mut self, request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult;
}

impl<F> Producer for F
where
    F: FnMut(&FillRequest, &mut [LaserPoint]) -> FillResult + Send,
{
    fn fill(&mut self, request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
        self(request, buffer)
    }
}
