//! What lies between the producer and those who look: bounded rings, newest-wins cells, and their counters.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::data::{FrameData, TapPoint};
use super::observer::ObserverHandle;
use super::pool::Shared;
use crate::realtime::{LatestReader, LatestWriter, RingReceiver, RingSender, ring};
use crate::time::Clock;

/// How often [`FrameReceiver::recv`] looks again. The producer cannot wake anyone: that is a system call.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// A bounded channel of frames that share their memory with whoever else holds them.
#[must_use]
pub fn frame_channel(depth: usize) -> (FrameSender, FrameReceiver) {
    let (frames_in, frames_out) = ring(depth);
    (FrameSender { frames: frames_in }, FrameReceiver { frames: frames_out, tap: None })
}

/// The end that the producer writes to. A full channel drops the frame and counts it.
#[derive(Debug)]
pub struct FrameSender {
    frames: RingSender<Shared<FrameData>>,
}

impl FrameSender {
    /// Sends a frame, or drops and counts it. Real-time safe. True if it went in.
    pub fn send(&mut self, frame: Shared<FrameData>) -> bool {
        self.frames.push_or_drop(frame)
    }

    /// Frames lost because the channel was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.frames.dropped()
    }
}

/// The end that gets the frames, oldest first. Dropping it unregisters its tap; dropping a frame returns its slot.
#[derive(Debug)]
pub struct FrameReceiver {
    frames: RingReceiver<Shared<FrameData>>,
    tap: Option<TapEnd>,
}

impl FrameReceiver {
    /// The oldest frame, if there is one.
    pub fn try_recv(&mut self) -> Option<Shared<FrameData>> {
        self.frames.pop()
    }

    /// The oldest frame; waits for one, and ends with `None` once the producer or the tap is gone and every frame
    /// is taken. Not for real-time threads.
    pub fn recv(&mut self, clock: &dyn Clock) -> Option<Shared<FrameData>> {
        loop {
            // Asked before the look: what was sent before the end is still found.
            let ended = !self.is_connected();
            if let Some(frame) = self.try_recv() {
                return Some(frame);
            }
            if ended {
                return None;
            }
            clock.sleep_until(clock.now() + LOOK_AGAIN);
        }
    }

    /// False once no more frames will be sent.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.frames.is_connected() && self.tap.as_ref().is_none_or(|tap| !tap.0.is_closed())
    }

    /// Frames lost because this channel was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.frames.dropped()
    }

    /// The tap's handle; `None` for a channel that is no tap.
    #[must_use]
    pub fn handle(&self) -> Option<ObserverHandle> {
        self.tap.as_ref().map(|tap| tap.0.handle)
    }

    pub(super) fn of_tap(mut self, tap: Arc<TapState>) -> Self {
        self.tap = Some(TapEnd(tap));
        self
    }
}

impl Drop for FrameReceiver {
    /// Returns the slots of what still waits: the ring itself stays until the producer lets go of its end.
    fn drop(&mut self) {
        self.tap = None;
        while self.try_recv().is_some() {}
    }
}

/// The reading end of a newest-wins tap. Dropping it unregisters the tap.
#[derive(Debug)]
pub struct PreviewReceiver {
    newest: LatestReader<Option<Shared<FrameData>>>,
    tap: TapEnd,
}

impl PreviewReceiver {
    pub(super) fn new(newest: LatestReader<Option<Shared<FrameData>>>, tap: Arc<TapState>) -> Self {
        Self { newest, tap: TapEnd(tap) }
    }

    /// The newest frame, `None` before the first. The same again until there is a newer one.
    pub fn newest(&mut self) -> Option<&FrameData> {
        self.newest.read().as_deref()
    }

    /// The tap's handle.
    #[must_use]
    pub fn handle(&self) -> ObserverHandle {
        self.tap.0.handle
    }
}

/// The outside end of a tap: closes it when dropped.
#[derive(Debug)]
struct TapEnd(Arc<TapState>);

impl Drop for TapEnd {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What the producer, the registry and the looker know of one tap together.
#[derive(Debug)]
pub(super) struct TapState {
    pub(super) handle: ObserverHandle,
    pub(super) name: String,
    pub(super) tap_point: TapPoint,
    /// Every n-th frame is delivered.
    pub(super) decimation: u64,
    closed: AtomicBool,
    pub(super) panicked: AtomicBool,
    pub(super) delivered: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) slow: AtomicU64,
    pub(super) slowest_ns: AtomicU64,
}

impl TapState {
    pub(super) fn new(
        handle: ObserverHandle,
        name: String,
        tap_point: TapPoint,
        decimation: u32,
    ) -> Self {
        Self {
            handle,
            name,
            tap_point,
            decimation: u64::from(decimation.max(1)),
            closed: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
            delivered: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            slow: AtomicU64::new(0),
            slowest_ns: AtomicU64::new(0),
        }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn report(&self) -> TapReport {
        TapReport {
            handle: self.handle,
            name: self.name.clone(),
            tap_point: self.tap_point,
            panicked: self.panicked.load(Ordering::Relaxed),
            stats: TapStats {
                delivered: self.delivered.load(Ordering::Relaxed),
                skipped: self.skipped.load(Ordering::Relaxed),
                dropped: self.dropped.load(Ordering::Relaxed),
                slow: self.slow.load(Ordering::Relaxed),
                slowest: Duration::from_nanos(self.slowest_ns.load(Ordering::Relaxed)),
            },
        }
    }
}

/// How a tap does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapReport {
    /// Its handle.
    pub handle: ObserverHandle,
    /// Its name.
    pub name: String,
    /// Where it looks.
    pub tap_point: TapPoint,
    /// True if its observer panicked and was removed.
    pub panicked: bool,
    /// Its counters.
    pub stats: TapStats,
}

/// The counters of a tap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TapStats {
    /// Frames handed over.
    pub delivered: u64,
    /// Frames left out by decimation.
    pub skipped: u64,
    /// Frames lost: the ring was full, a newer one came before the preview looked, or the pool was empty. A preview's
    /// replaced frames count as delivered too.
    pub dropped: u64,
    /// Calls of an observer that took longer than 1 ms.
    pub slow: u64,
    /// The longest call of an observer.
    pub slowest: Duration,
}

/// The producer's end of one tap.
pub(super) struct Tap {
    pub(super) state: Arc<TapState>,
    seen: u64,
    way: Way,
}

pub(super) enum Way {
    Ring(FrameSender),
    Newest(LatestWriter<Option<Shared<FrameData>>>),
}

impl Tap {
    pub(super) fn new(state: Arc<TapState>, way: Way) -> Self {
        Self { state, seen: 0, way }
    }

    /// Whether the tap wants the next frame of its tap point; counts it as seen.
    pub(super) fn wants_next(&mut self) -> bool {
        let wanted = self.seen.is_multiple_of(self.state.decimation);
        self.seen += 1;
        if !wanted {
            self.state.skipped.fetch_add(1, Ordering::Relaxed);
        }
        wanted
    }

    pub(super) fn deliver(&mut self, frame: Shared<FrameData>) {
        let (delivered, dropped) = match &mut self.way {
            Way::Ring(sender) => {
                let sent = sender.send(frame);
                (sent, !sent)
            }
            Way::Newest(writer) => (true, writer.update(|newest| *newest = Some(frame))),
        };
        self.state.delivered.fetch_add(u64::from(delivered), Ordering::Relaxed);
        self.state.dropped.fetch_add(u64::from(dropped), Ordering::Relaxed);
    }

    pub(super) fn miss(&self) {
        self.state.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").field("state", &self.state).finish_non_exhaustive()
    }
}
