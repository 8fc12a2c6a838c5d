//! The sign of life of a show's thread, which gives light and tells what becomes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::time::HostTime;

/// The last sign of life. Clones are the same one.
#[derive(Clone, Debug)]
pub struct ShowPulse(Arc<AtomicI64>);

impl Default for ShowPulse {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(i64::MIN)))
    }
}

impl ShowPulse {
    /// The longest silence of the show thread that an armed projector bears. It moves no light, so it has more time than
    /// the engine; without it no light can be given again, and nobody is told what happens.
    pub const PATIENCE: Duration = Duration::from_secs(1);

    /// A sign of life.
    pub fn beat(&self, now: HostTime) {
        self.0.fetch_max(now.as_nanos(), Ordering::SeqCst);
    }

    /// True if the last sign of life is older than [`ShowPulse::PATIENCE`].
    #[must_use]
    pub fn is_silent(&self, now: HostTime) -> bool {
        now.since(HostTime::from_nanos(self.0.load(Ordering::SeqCst))) > Self::PATIENCE
    }
}
