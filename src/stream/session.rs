//! One projector and one producer: what a program needs that brings nothing but a callback.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::config::{ConfigError, StreamConfig};
use super::control::StreamControl;
use super::core::{RunExit, Stream, link};
use super::fill::Producer;
use super::run::run_fill;
use crate::dac::{Backend, Worker, WorkerHandle, WorkerParts, spawn};
use crate::safety::{Arm, Gate, GateControl, GateSettings};
use crate::time::Clock;

/// How long the device may take to let go at the end.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// A session could not begin.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The configuration does not suit the device.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The system gives no thread.
    #[error("no thread for the projector ({0}): close other programs")]
    Thread(#[source] io::Error),
}

/// A projector with its device thread and its stream. Starts disarmed; dark and closed when it ends or is dropped.
pub struct Session {
    // Dropped in this order: the stream goes dark before its device is closed.
    stream: Stream,
    worker: WorkerHandle,
    control: StreamControl,
    gate: GateControl,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl Session {
    /// Starts the device thread of `backend`, which connects in its own time, and a stream to it.
    pub fn open(
        backend: Box<dyn Backend>,
        config: StreamConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SessionError> {
        let presumed = backend.presumed();
        let arm = Arm::new();
        let (gate, gate_control) = Gate::with_control(arm.clone(), &GateSettings::default());
        let (parts, device) = link(&config, &presumed, gate, arm);
        let stream = Stream::new(config, &presumed, parts)?;
        let worker = Worker::new(WorkerParts {
            backend,
            receiver: device.receiver,
            arm: device.arm,
            reports: device.reports,
            control: device.link,
            stats: device.stats,
            clock: Arc::clone(&clock),
            seed: clock.now().as_nanos().unsigned_abs(),
        });
        let worker = spawn(worker, Arc::clone(&clock)).map_err(SessionError::Thread)?;
        Ok(Self { control: stream.control(), stream, worker, gate: gate_control, clock })
    }

    /// The handle on the stream: arm it, stop it, read its counters, from any thread.
    #[must_use]
    pub const fn control(&self) -> &StreamControl {
        &self.control
    }

    /// Zones, galvo profile, dwell limit and master.
    pub const fn gate_mut(&mut self) -> &mut GateControl {
        &mut self.gate
    }

    /// The device thread: how the projector is.
    #[must_use]
    pub const fn worker(&self) -> &WorkerHandle {
        &self.worker
    }

    /// Asks `producer` for points until one of them ends it; see [`run_fill`]. Dark afterwards, device closed.
    pub fn run<P: Producer + ?Sized>(mut self, producer: &mut P) -> RunExit {
        let exit = run_fill(&mut self.stream, self.clock.as_ref(), producer);
        if !self.worker.close(CLOSE_PATIENCE) {
            tracing::warn!("the projector did not close in time and was left");
        }
        exit
    }
}
