//! Observers: code that is called with every frame, on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::data::FrameView;
use super::tap::{FrameReceiver, TapState};
use crate::time::Clock;

/// A call that takes longer is counted as slow.
const SLOW_NS: u64 = 1_000_000;

/// Something that looks at frames.
///
/// It is called for each frame of its tap, in order, on a thread of its own, so that a slow one loses its own frames
/// and nobody else's. It copies what it keeps. A panic removes it.
pub trait FrameObserver: Send + Sync {
    /// Called for each frame; should return within 1 ms.
    fn on_frame(&self, frame: &FrameView<'_>);

    /// How reports and the log call it.
    #[allow(clippy::unnecessary_literal_bound, reason = "an observer may own its name")]
    fn name(&self) -> &str {
        "unnamed_observer"
    }
}

/// Names one tap of a registry, for as long as the registry lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObserverHandle(pub u64);

/// Calls `observer` until its tap is closed, the producer is gone, or it panics.
pub(super) fn run(
    observer: &dyn FrameObserver,
    mut frames: FrameReceiver,
    state: &Arc<TapState>,
    clock: &dyn Clock,
) {
    while let Some(frame) = frames.recv(clock) {
        if state.is_closed() {
            break;
        }
        let began = clock.now();
        let outcome = catch_unwind(AssertUnwindSafe(|| observer.on_frame(&frame.view())));
        let took_ns = clock.now().nanos_since(began).max(0) as u64;
        state.slowest_ns.fetch_max(took_ns, Ordering::Relaxed);
        if took_ns > SLOW_NS && state.slow.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(
                "observer {} took {} µs for a frame: above 1000 µs it loses frames",
                state.name,
                took_ns / 1_000
            );
        }
        if outcome.is_err() {
            state.panicked.store(true, Ordering::Relaxed);
            tracing::error!("observer {} panicked and was removed; the show goes on", state.name);
            break;
        }
    }
    // Dropping the receiver closes the tap.
}
