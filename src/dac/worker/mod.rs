//! The device thread: takes passed points from the queue and keeps one projector filled, honest and safe.
//!
//! [`Worker`] is a value that a caller steps through time; [`spawn`] puts it on a thread. Promises: dark and
//! disarmed after every loss; a disarm reaches the device's own stop within one step; a device's emergency
//! stop latches; a panic of a driver ends its light, not the program.

mod buffer;
mod fill;
mod frames;
mod readiness;
mod rest;
mod status;
mod thread;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

pub use status::{WorkerState, WorkerStatus, WorkerView};
pub use thread::{WorkerHandle, spawn};

use self::buffer::BufferPolicy;
use self::fill::DeviceFill;
use self::frames::FramePlan;
use self::rest::Rest;
use super::backend::{Backend, Capabilities, DacError, Delivery, DeviceReport, Hindrance, Written};
use super::link::{LinkControl, LinkReport, LinkStats, ReportSender};
use crate::safety::{Arm, SafeReceiver, TripReason};
use crate::time::{Clock, HostTime, StreamInstant};

/// The longest time between two steps while connected: a disarm waits no longer.
const STEP: Duration = Duration::from_millis(2);
/// The same while there is no connection.
const STEP_LOST: Duration = Duration::from_millis(10);
/// The first wait before connecting again.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// The longest wait before connecting again.
const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// A connection that held this long counts as good: the next loss waits the first time again.
const GOOD_CONNECTION: Duration = Duration::from_secs(5);
/// How often the device's word on its health is passed on.
const CONDITION_EVERY: Duration = Duration::from_secs(1);
/// A reset of a device's emergency stop has done its work by then, or never will: the slowest kind is asked for its
/// state every 250 ms.
const RESET_TAKES: Duration = Duration::from_millis(600);
/// Share of a device's queue that a buffer may grow to.
const DEVICE_SHARE: f64 = 0.85;
/// Chunks offered in one step at most.
const CHUNKS_PER_STEP: usize = 64;

/// What a worker is made of.
pub struct WorkerParts {
    /// The driver.
    pub backend: Box<dyn Backend>,
    /// Where passed points come from.
    pub receiver: SafeReceiver,
    /// The switch of this projector.
    pub arm: Arm,
    /// Where the device's word goes.
    pub reports: ReportSender,
    /// The stream's wishes.
    pub control: LinkControl,
    /// What is counted.
    pub stats: LinkStats,
    /// Measures how long a write takes.
    pub clock: Arc<dyn Clock>,
    /// Where the jitter of reconnects begins.
    pub seed: u64,
}

impl std::fmt::Debug for WorkerParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerParts").field("device", &self.backend.name()).finish_non_exhaustive()
    }
}

/// The connection, while there is one.
#[derive(Debug)]
struct Link {
    capabilities: Capabilities,
    since: HostTime,
    fill: DeviceFill,
    last: Option<DeviceReport>,
    /// Underflows reported so far.
    underflows: u32,
    /// The device may hold lit points passed under this generation.
    lit: Option<u64>,
    estop: bool,
    /// When an operator's reset was handed to the device, until it is known what came of it.
    reset_at: Option<HostTime>,
    condition_at: HostTime,
    frames: FramePlan,
    /// It has been away: what returns is dark and disarmed.
    returned: bool,
    /// Why it takes no points, as last looked at.
    hindrance: Option<Hindrance>,
    /// Times that somebody else has stopped it.
    foreign_stops: u32,
    /// It is not started again before light is wanted.
    rest: Option<Rest>,
}

/// One projector's device thread, without the thread.
#[derive(Debug)]
pub struct Worker {
    parts: WorkerParts,
    status: WorkerStatus,
    link: Option<Link>,
    next_attempt: HostTime,
    backoff: Duration,
    random: u64,
    ever_connected: bool,
    accepted: StreamInstant,
    flushed: StreamInstant,
    discontinuity: u32,
    resets_done: u32,
    over: bool,
    buffer: BufferPolicy,
}

impl Worker {
    /// A worker that has not connected yet.
    #[must_use]
    pub fn new(parts: WorkerParts) -> Self {
        Self {
            status: WorkerStatus::new(parts.stats.clone()),
            link: None,
            next_attempt: HostTime::from_nanos(i64::MIN),
            backoff: BACKOFF_FIRST,
            random: parts.seed,
            ever_connected: false,
            accepted: StreamInstant(0),
            flushed: StreamInstant(0),
            discontinuity: 0,
            resets_done: parts.control.estop_resets(),
            over: false,
            buffer: BufferPolicy::new(HostTime::from_nanos(0)),
            parts,
        }
    }

    /// How it is: to be read from any thread.
    #[must_use]
    pub fn status(&self) -> WorkerStatus {
        self.status.clone()
    }

    /// True once it has closed the device for good.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// What the device can do, while connected.
    #[must_use]
    pub fn capabilities(&self) -> Option<&Capabilities> {
        self.link.as_ref().map(|link| &link.capabilities)
    }

    /// Does what is due at `now`; returns when to come back.
    pub fn step(&mut self, now: HostTime) -> HostTime {
        if self.over {
            return now + STEP_LOST;
        }
        self.parts.arm.check_alive(now);
        let closing = self.parts.control.is_closing();
        let worked =
            catch_unwind(AssertUnwindSafe(
                || {
                    if closing { self.close(now) } else { self.work(now) }
                },
            ));
        match worked {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                self.lose(now, TripReason::Reconnect, &error.to_string());
            }
            Err(_) => {
                let fault = format!(
                    "the driver of {} failed inside: light is off; it is started anew, please report this",
                    self.parts.backend.name()
                );
                self.lose(now, TripReason::Panic, &fault);
            }
        }
        if closing {
            self.over = true;
            self.link = None;
            self.status.set_closed();
        }
        match &self.link {
            Some(_) => now + STEP,
            None => (now + STEP_LOST).min(self.next_attempt.max(now)),
        }
    }

    fn work(&mut self, now: HostTime) -> Result<(), DacError> {
        if self.link.is_none() {
            self.drop_queue();
            if now < self.next_attempt {
                return Ok(());
            }
            self.connect(now)?;
        }
        self.parts.receiver.darken_before(self.parts.control.dark_up_to());
        self.go_dark_if_told(now)?;
        self.reset_if_told(now)?;
        self.flush_if_told(now)?;
        self.poll(now)?;
        self.say_needed_buffer(now);
        self.write(now)
    }

    /// What the device holds at the present rate: more would only wait in the host.
    fn most_buffer(&self, link: &Link) -> Duration {
        let Some(capacity) = link.capabilities.capacity_points else { return Duration::MAX };
        let played = f64::from(capacity) * DEVICE_SHARE - f64::from(link.capabilities.least_points);
        Duration::from_secs_f64(played.max(0.0) / f64::from(self.parts.control.pps().max(1)))
    }

    /// Devices with a queue of their own: as much as their line needs. The others know it best themselves.
    fn say_needed_buffer(&mut self, now: HostTime) {
        let Some(link) = &self.link else { return };
        self.buffer.look(now, self.parts.backend.answer_time());
        let least = self.parts.control.least_buffer();
        let needed = match (link.capabilities.delivery, self.parts.control.fixed_buffer()) {
            (Delivery::Fifo, Some(set)) => set,
            (Delivery::Fifo, None) => self.buffer.needed(least, self.most_buffer(link)),
            (_, Some(set)) => set.max(link.capabilities.suggested_buffer),
            (_, None) => least,
        };
        self.parts.stats.needs_buffer(needed);
    }

    fn connect(&mut self, now: HostTime) -> Result<(), DacError> {
        let capabilities = self.parts.backend.connect(now)?;
        let returned = self.status.view().state != WorkerState::Connecting;
        if returned {
            // What returns is dark and disarmed, even if somebody armed while it was away.
            self.parts.arm.disarm(now, TripReason::Reconnect);
        }
        self.drop_queue();
        // Points dropped while it was away are not part of the flow that begins now.
        self.break_flow();
        self.link = Some(Link {
            capabilities,
            since: now,
            fill: DeviceFill::new(now),
            last: None,
            underflows: 0,
            lit: None,
            estop: false,
            reset_at: None,
            condition_at: now,
            frames: FramePlan::default(),
            returned,
            hindrance: Some(Hindrance::Silent),
            foreign_stops: 0,
            rest: None,
        });
        self.status.set(WorkerState::Connecting, None);
        self.look_at_readiness(now);
        Ok(())
    }

    /// A disarm or a new generation: what the device still holds must not shine.
    fn go_dark_if_told(&mut self, now: HostTime) -> Result<(), DacError> {
        let Some(link) = &mut self.link else { return Ok(()) };
        if link.lit.is_some_and(|generation| !self.parts.arm.allows(generation)) {
            link.lit = None;
            self.stop_device(now)?;
            self.rest_if_wise(now);
        }
        Ok(())
    }

    fn stop_device(&mut self, now: HostTime) -> Result<(), DacError> {
        self.parts.backend.stop(now)?;
        self.break_flow();
        if let Some(link) = &mut self.link {
            link.fill = DeviceFill::new(now);
            link.last = None;
        }
        self.report(now, None);
        Ok(())
    }

    /// The map from points to time is broken, and the mirrors may be anywhere: what comes next begins dark.
    const fn break_flow(&mut self) {
        self.discontinuity = self.discontinuity.wrapping_add(1);
        self.parts.receiver.begin_dark();
    }

    fn reset_if_told(&mut self, now: HostTime) -> Result<(), DacError> {
        let asked = self.parts.control.estop_resets();
        if asked != self.resets_done {
            self.resets_done = asked;
            // A reset is an answer to a stop that was seen: it must not clear one pressed after it.
            if let Some(link) = self.link.as_mut().filter(|link| link.estop) {
                link.reset_at = Some(now);
                self.parts.backend.reset_estop(now)?;
                // Whatever is found out about it is news.
                self.status.set(WorkerState::EmergencyStop, None);
            }
        }
        Ok(())
    }

    /// Says so if the device is in emergency stop still, long after a reset.
    fn judge_reset(&mut self, now: HostTime) {
        let Some(link) = &mut self.link else { return };
        if link.reset_at.is_some_and(|at| now.since(at) >= RESET_TAKES) {
            link.reset_at = None;
            let fault = format!(
                "the reset of {} did not take: the interlock is still open; close it, reset again, then arm",
                self.parts.backend.name()
            );
            self.status.set(WorkerState::EmergencyStop, Some(fault));
        }
    }

    fn flush_if_told(&mut self, now: HostTime) -> Result<(), DacError> {
        let up_to = self.parts.control.flush_up_to();
        if up_to <= self.flushed {
            return Ok(());
        }
        self.flushed = up_to;
        let Some(link) = &self.link else { return Ok(()) };
        let held = link.fill.at(now).ceil() as u64;
        let holds_old = held > 0 && self.accepted.0.saturating_sub(held) < up_to.0;
        let mut dropped = 0;
        let max = link.capabilities.max_points_per_chunk;
        let start_moves_relay = link.capabilities.start_moves_relay;
        while let Some(chunk) = self.parts.receiver.next(max) {
            if chunk.start() >= up_to {
                break;
            }
            dropped += chunk.len() as u64;
            self.accepted = StreamInstant(chunk.start().0 + chunk.len() as u64);
            self.parts.receiver.discard();
        }
        self.parts.stats.dropped(dropped);
        // What was dropped is a gap in the way of the mirrors, also where the device has shown all it had.
        let has_gap = dropped > 0;
        if holds_old || has_gap && !start_moves_relay {
            if let Some(link) = &mut self.link {
                link.lit = None;
            }
            self.stop_device(now)?;
        } else if has_gap {
            self.break_flow();
        }
        Ok(())
    }

    fn poll(&mut self, now: HostTime) -> Result<(), DacError> {
        let report = self.parts.backend.poll(now)?;
        self.judge_reset(now);
        self.look_at_readiness(now);
        self.heed_foreign_stops(now);
        let Some(link) = &mut self.link else { return Ok(()) };
        if now.since(link.condition_at) >= CONDITION_EVERY {
            link.condition_at = now;
            self.tell_condition();
        }
        let Some(link) = &mut self.link else { return Ok(()) };
        if link.last == Some(report) {
            return Ok(());
        }
        let underflows = report.underflows.saturating_sub(link.underflows);
        if underflows > 0 {
            link.underflows = report.underflows;
            self.discontinuity = self.discontinuity.wrapping_add(1);
            self.parts.receiver.begin_dark();
            self.parts.stats.underflows(u64::from(underflows));
            self.buffer.ran_dry();
        }
        link.fill.told(&report);
        link.last = Some(report);
        let was_estop = std::mem::replace(&mut link.estop, report.estop);
        if report.estop && !was_estop {
            link.lit = None;
            self.latch_estop(now);
            self.rest_if_wise(now);
        } else if was_estop && !report.estop {
            link.reset_at = None;
            // Whoever ended it, a reset or another program: light takes an arm of its own.
            self.parts.arm.leave_estop(now);
            self.tell_readiness();
        }
        self.report(now, Some(report));
        Ok(())
    }

    fn latch_estop(&mut self, now: HostTime) {
        self.parts.arm.enter_estop(now);
        self.break_flow();
        let device = self.parts.backend.name().to_owned();
        let fault = DacError::EmergencyStop { device }.to_string();
        self.status.set(WorkerState::EmergencyStop, Some(fault));
    }

    fn write(&mut self, now: HostTime) -> Result<(), DacError> {
        if self.is_resting(now) {
            return Ok(());
        }
        let Some(link) = &mut self.link else { return Ok(()) };
        if link.estop || link.hindrance == Some(Hindrance::Silent) {
            // Nothing may wait for the reset, or for the first word, and shine after it.
            self.drop_queue();
            return Ok(());
        }
        let frame_swap = link.capabilities.delivery == Delivery::FrameSwap;
        let (low, high) = self.parts.control.device_fill();
        // Who swaps frames takes them one at a time; the driver of a timed device has a metronome of its own,
        // and takes what is due and no more.
        let timed = link.capabilities.delivery == Delivery::Timed;
        let bounded = high > 0 && !timed && !frame_swap;
        if bounded && link.fill.at(now) >= f64::from(low.max(1)) {
            return Ok(());
        }
        let mut max = link.capabilities.max_points_per_chunk;
        if bounded && matches!(link.capabilities.delivery, Delivery::Fifo | Delivery::AudioClocked)
        {
            // A run as long as the queue could only be written once the queue is empty, which is too late.
            max = max.min((high / 4).max(1) as usize);
        }
        let fifo = link.capabilities.delivery == Delivery::Fifo;
        let large = fifo && self.buffer.wants_large_commands();
        for _ in 0..CHUNKS_PER_STEP {
            let held = link.fill.at(now);
            let chunk = if large {
                // Each command costs an answer: one carries all that is missing.
                let most = link.capabilities.max_points_per_chunk;
                let missing = (f64::from(high) - held).max(1.0) as usize;
                self.parts.receiver.gather(if bounded { missing.min(most) } else { most })
            } else if frame_swap {
                let most = frames::most_points(self.parts.control.pps()).min(max);
                let frame = self.parts.receiver.gather(most);
                frame.filter(|frame| link.frames.is_due(now, frame.len(), most, frame.pps(), held))
            } else {
                self.parts.receiver.next(max)
            };
            let Some(chunk) = chunk else { break };
            let len = chunk.len();
            if bounded && held > 0.0 && held + len as f64 > f64::from(high) {
                break;
            }
            let end = StreamInstant(chunk.start().0 + len as u64);
            let generation = chunk.generation();
            let pps = chunk.pps();
            let lit = chunk.points().iter().any(|point| !point.is_blank());
            let started = self.parts.clock.now();
            let written = match self.parts.backend.write(now, chunk) {
                Err(DacError::EmergencyStop { .. }) => return Ok(()),
                other => other?,
            };
            match written {
                Written::NotNow => {
                    if !timed {
                        self.parts.stats.would_block();
                    }
                    break;
                }
                Written::Accepted => {
                    let took = self.parts.clock.now().since(started);
                    self.parts.stats.wrote(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
                    self.parts.receiver.commit();
                    self.accepted = end;
                    link.frames = FramePlan::default();
                    link.fill.wrote(now, len, pps, link.capabilities.reports_queue);
                    if lit {
                        link.lit = Some(generation);
                    }
                    // Transfers take their time: a disarm, or the dead-man, does not wait for all of them.
                    self.parts.arm.check_alive(self.parts.clock.now());
                    if link.lit.is_some_and(|lit| !self.parts.arm.allows(lit)) {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn lose(&mut self, now: HostTime, reason: TripReason, fault: &str) {
        self.parts.arm.disarm(now, reason);
        // What holds of a device that is away nobody knows: it says so itself when it returns, dark.
        if self.link.as_ref().is_some_and(|link| link.estop) {
            self.parts.arm.leave_estop(now);
        }
        let good = self.link.as_ref().is_some_and(|link| now.since(link.since) >= GOOD_CONNECTION);
        if good {
            self.backoff = BACKOFF_FIRST;
        }
        if self.link.take().is_some() {
            self.break_flow();
            // A lost device may still hear its stop; a driver that panics here is left as it is.
            let closed = catch_unwind(AssertUnwindSafe(|| {
                drop(self.parts.backend.stop(now));
                self.parts.backend.close(now);
            }));
            if closed.is_err() {
                tracing::warn!("the driver failed again while closing");
            }
        }
        self.drop_queue();
        self.status.set(WorkerState::Lost, Some(fault.to_owned()));
        // Up to a quarter more, so that many projectors do not knock in step.
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let share = (self.random >> 40) as f64 / (1_u64 << 24) as f64;
        self.next_attempt =
            self.parts.clock.now().max(now) + self.backoff.mul_f64(1.0 + 0.25 * share);
        self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
        self.report(now, None);
    }

    fn close(&mut self, now: HostTime) -> Result<(), DacError> {
        if self.link.is_some() {
            let stopped = self.parts.backend.stop(now);
            self.parts.backend.close(now);
            self.link = None;
            stopped?;
        }
        self.drop_queue();
        self.report(now, None);
        Ok(())
    }

    fn drop_queue(&mut self) {
        let mut dropped = 0;
        while let Some(chunk) = self.parts.receiver.next(usize::MAX) {
            dropped += chunk.len() as u64;
            self.accepted = StreamInstant(chunk.start().0 + chunk.len() as u64);
            self.parts.receiver.discard();
        }
        self.parts.stats.dropped(dropped);
    }

    fn report(&mut self, now: HostTime, device: Option<DeviceReport>) {
        let queued = device.and_then(|report| report.queued_points).map(u64::from);
        let playing_pps = device.and_then(|report| report.playing_pps);
        let playing = queued
            .filter(|_| playing_pps.is_some())
            .map(|queued| StreamInstant(self.accepted.0.saturating_sub(queued)));
        // A stream that does not read has stopped; the next report tells it all the same.
        let _read_later = self.parts.reports.send(LinkReport {
            at: device.map_or(now, |report| report.at),
            accepted: self.accepted,
            playing,
            playing_pps,
            device_queued: queued,
            discontinuity: self.discontinuity,
            gaps: device.map_or(0, |report| report.gaps),
            connected: self
                .link
                .as_ref()
                .is_some_and(|link| !link.estop && link.hindrance != Some(Hindrance::Silent)),
        });
    }
}

#[cfg(test)]
mod tests;
