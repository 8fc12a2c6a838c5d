//! The threads a handle works on: a Tokio runtime of its own, or one that it was lent.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::{Builder, Handle, Runtime};

use super::config::Settings;

/// A runtime, owned or lent. An owned one ends in the background when this is dropped, so that a handle may be
/// dropped inside another runtime too.
#[derive(Debug)]
pub struct Threads {
    owned: Option<Runtime>,
    handle: Handle,
}

impl Threads {
    /// The runtime lent, else the one this is called in, else a new one.
    pub(super) fn new(settings: &Settings, lent: Option<Handle>) -> io::Result<Self> {
        if let Some(handle) = lent.or_else(|| Handle::try_current().ok()) {
            return Ok(Self { owned: None, handle });
        }
        let pin = settings.pin_cores;
        let next = AtomicUsize::new(0);
        let runtime = Builder::new_multi_thread()
            .worker_threads(settings.worker_threads)
            .max_blocking_threads(settings.io + settings.decode + settings.raster)
            .thread_name("mask")
            .enable_time()
            .on_thread_start(move || {
                if pin {
                    pin_to(next.fetch_add(1, Ordering::Relaxed));
                }
            })
            .build()?;
        Ok(Self { handle: runtime.handle().clone(), owned: Some(runtime) })
    }

    /// True if the runtime is the handle's own.
    #[must_use]
    pub const fn is_owned(&self) -> bool {
        self.owned.is_some()
    }

    pub(super) const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.owned.take() {
            runtime.shutdown_background();
        }
    }
}

/// Keeps the calling thread to one of the processors it may use.
#[cfg(target_os = "linux")]
fn pin_to(number: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let Ok(allowed) = sched_getaffinity(None) else { return };
    let processors: Vec<usize> =
        (0..CpuSet::MAX_CPU).filter(|&processor| allowed.is_set(processor)).collect();
    let Some(&processor) = processors.get(number % processors.len().max(1)) else { return };
    let mut set = CpuSet::new();
    set.set(processor);
    if let Err(error) = sched_setaffinity(None, &set) {
        tracing::warn!("a mask thread could not be pinned to processor {processor}: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn pin_to(_number: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    /// AS-42, AS-43: its own outside a runtime, the one around it inside, and it may be dropped there.
    #[test]
    fn a_runtime_is_owned_or_lent_and_may_be_dropped_in_another() {
        let settings = Settings { worker_threads: 1, pin_cores: true, ..Settings::default() };
        let own = Threads::new(&settings, None).unwrap();
        assert!(own.is_owned());
        let other = Threads::new(&settings, None).unwrap();
        let lent = Threads::new(&settings, Some(other.handle().clone())).unwrap();
        assert!(!lent.is_owned());
        other.handle().block_on(async move {
            assert!(!Threads::new(&settings, None).unwrap().is_owned());
            drop(own);
        });
    }
}
