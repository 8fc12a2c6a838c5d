//! For programs that own their loop: wait until a frame is wanted, then write it.

use std::time::Duration;

use super::config::ConfigError;
use super::core::{RunExit, Stream, Submitted};
use super::fill::FillRequest;
use crate::point::LaserPoint;
use crate::time::Clock;

/// How often the stream is asked while waiting.
const LOOK: Duration = Duration::from_millis(1);

/// A synchronous face of a stream. Its calls wait: not for a real-time thread.
#[derive(Debug)]
pub struct FramePusher<C> {
    stream: Stream,
    clock: C,
}

impl<C: Clock> FramePusher<C> {
    /// Takes over a stream.
    pub const fn new(stream: Stream, clock: C) -> Self {
        Self { stream, clock }
    }

    /// The stream inside.
    #[must_use]
    pub const fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Waits until the buffer is below its target, so that the next frame is wanted. `Err`: the stream is
    /// over.
    pub fn wait_ready(&mut self) -> Result<(), RunExit> {
        self.request().map(drop)
    }

    /// Queues a whole frame at `pps` points per second, waiting as long as there is no room. The last frame
    /// is not repeated: a late one is an underrun of the device.
    pub fn write_frame(&mut self, points: &[LaserPoint], pps: u32) -> Result<(), WriteFrameError> {
        if pps != self.stream.pps() {
            self.stream.control().set_pps(pps)?;
        }
        let mut rest = points;
        while !rest.is_empty() {
            let request = self.request()?;
            let n = rest.len().min(self.stream.chunk_points());
            // Nothing is put between the parts of a frame.
            let exact = FillRequest { min_points: 0, ..request };
            match self.stream.submit(self.clock.now(), &exact, &rest[..n]) {
                Submitted::Queued(_) | Submitted::Kept => rest = &rest[n..],
                Submitted::Stale | Submitted::Over => {}
            }
        }
        Ok(())
    }

    /// Plays out what is queued, then ends dark.
    pub fn finish(mut self) -> RunExit {
        self.stream.end(self.clock.now());
        loop {
            if let Err(exit) = self.request() {
                return exit;
            }
        }
    }

    fn request(&mut self) -> Result<FillRequest, RunExit> {
        loop {
            let now = self.clock.now();
            let request = self.stream.tick(now);
            if let Some(exit) = self.stream.exit() {
                return Err(exit);
            }
            if let Some(request) = request.filter(|request| request.target_points > 0) {
                return Ok(request);
            }
            self.clock.sleep_until(now + LOOK);
        }
    }
}

/// A frame could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteFrameError {
    /// The device cannot play at this rate.
    #[error(transparent)]
    Rate(#[from] ConfigError),
    /// The stream is over: open another.
    #[error("the stream has ended ({0:?}): open it again")]
    Over(RunExit),
}

impl From<RunExit> for WriteFrameError {
    fn from(exit: RunExit) -> Self {
        Self::Over(exit)
    }
}
