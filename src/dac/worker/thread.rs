//! The thin loop around a [`Worker`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};

use super::Worker;
use super::status::WorkerStatus;
use crate::dac::link::LinkControl;
use crate::realtime::priority::{self, Urgency};
use crate::time::Clock;

/// A running device thread.
#[derive(Debug)]
pub struct WorkerHandle {
    status: WorkerStatus,
    control: LinkControl,
    ended: Receiver<()>,
}

/// Starts the thread of `worker`.
pub fn spawn(mut worker: Worker, clock: Arc<dyn Clock>) -> io::Result<WorkerHandle> {
    let status = worker.status();
    let control = worker.parts.control.clone();
    let arm = worker.parts.arm.clone();
    let (on_end, ended) = bounded::<()>(0);
    let own_status = status.clone();
    let run = move || {
        // Dropped when the thread ends, however it ends.
        let _on_end = on_end;
        if !priority::request(Urgency::Device) {
            own_status.refuse_priority();
        }
        while !worker.is_over() {
            let next = worker.step(clock.now());
            clock.nap_until(next);
        }
    };
    let thread = std::thread::Builder::new().name("projector".into()).spawn(run)?;
    let thread = thread.thread().clone();
    // Dark must not wait for the next look.
    arm.on_trip(move || thread.unpark());
    Ok(WorkerHandle { status, control, ended })
}

impl WorkerHandle {
    /// How it is.
    #[must_use]
    pub const fn status(&self) -> &WorkerStatus {
        &self.status
    }

    /// Ends it: dark, device closed. Waits at most `patience`; false if the device did not let go by then
    /// and its thread was left behind.
    #[must_use]
    pub fn close(self, patience: Duration) -> bool {
        self.control.request_close();
        // The channel carries nothing: it closes when the thread ends.
        !matches!(
            self.ended.recv_timeout(patience),
            Err(crossbeam_channel::RecvTimeoutError::Timeout)
        )
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.control.request_close();
    }
}
