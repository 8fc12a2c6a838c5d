//! The projector behind `sim:`: virtual mirrors in this process, no network between.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::playback::{Playback, QueuedPoint, Recorder};
use super::record::CsvRecorder;
use crate::dac::backend::{Backend, Capabilities, DacError, Delivery, DeviceReport, Written};
use crate::point::LaserPoint;
use crate::safety::SafeChunk;
use crate::time::HostTime;

/// Points that a tap keeps for its reader; older ones are dropped.
const TAP_POINTS: usize = 1 << 18;

/// Queued points that are enough to begin with.
const BEGIN_POINTS: usize = 500;
/// With fewer points, begin this long after the first one.
const BEGIN_AFTER: Duration = Duration::from_millis(10);

/// What a virtual projector is like.
#[derive(Clone, Debug, PartialEq)]
pub struct SimOptions {
    /// Its clock is off by this many millionths.
    pub ppm: f64,
    /// Points its queue holds.
    pub capacity: u16,
    /// Highest rate, points per second.
    pub max_pps: u32,
    /// Where to record what its mirrors show.
    pub record: Option<PathBuf>,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self { ppm: 0.0, capacity: 3899, max_pps: 100_000, record: None }
    }
}

impl SimOptions {
    /// Reads `ppm=200&capacity=1800&max_pps=60000&record=PATH`; each is optional.
    pub fn parse(query: &str) -> Result<Self, DacError> {
        let mut options = Self::default();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            options.set(part).ok_or_else(|| {
                DacError::BadAddress(format!(
                    "\"{part}\" is no option of the simulator: use sim:?ppm=200&capacity=1800&max_pps=60000&record=PATH"
                ))
            })?;
        }
        Ok(options)
    }

    fn set(&mut self, part: &str) -> Option<()> {
        let (name, value) = part.split_once('=')?;
        match name {
            "ppm" => self.ppm = value.parse().ok().filter(|ppm: &f64| ppm.abs() <= 100_000.0)?,
            "capacity" => self.capacity = value.parse().ok().filter(|n| *n >= 2)?,
            "max_pps" => self.max_pps = value.parse().ok().filter(|n| *n >= 1)?,
            "record" if !value.is_empty() => self.record = Some(PathBuf::from(value)),
            _ => return None,
        }
        Some(())
    }
}

/// A point at its moment on the mirrors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// When.
    pub at: HostTime,
    /// Its number since the projector was made.
    pub index: u64,
    /// The point.
    pub point: LaserPoint,
    /// Which run of the mirrors it belongs to: each start begins a new one.
    pub run: u32,
}

#[derive(Debug, Default)]
struct Tapped {
    shown: VecDeque<Shown>,
    run: u32,
    estop: bool,
    estop_held: bool,
    unplugged: bool,
}

/// An eye on the mirrors and a hand on the plug. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Tap(Arc<Mutex<Tapped>>);

impl Tap {
    fn inner(&self) -> MutexGuard<'_, Tapped> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was shown since the last call; at most the last 2¹⁸ points.
    #[must_use]
    pub fn take(&self) -> Vec<Shown> {
        self.inner().shown.drain(..).collect()
    }

    /// Presses the emergency stop. Only the driver's reset clears it.
    pub fn press_estop(&self) {
        self.inner().estop = true;
    }

    /// Presses the emergency stop and holds it, or lets go of it: while it is held, no reset clears it.
    pub fn set_estop_held(&self, held: bool) {
        let mut tapped = self.inner();
        tapped.estop_held = held;
        tapped.estop |= held;
    }

    /// Pulls the plug, or puts it back.
    pub fn set_plugged(&self, plugged: bool) {
        self.inner().unplugged = !plugged;
    }
}

struct Watcher {
    tap: Tap,
    file: Option<CsvRecorder>,
}

impl Recorder for Watcher {
    fn shown(&mut self, at: HostTime, index: u64, point: &LaserPoint) {
        let mut tapped = self.tap.inner();
        if tapped.shown.len() == TAP_POINTS {
            tapped.shown.pop_front();
        }
        let run = tapped.run;
        tapped.shown.push_back(Shown { at, index, point: *point, run });
        drop(tapped);
        if let Some(file) = &mut self.file {
            file.shown(at, index, point);
        }
    }

    fn begun(&mut self, _at: HostTime) {
        let mut tapped = self.tap.inner();
        tapped.run = tapped.run.wrapping_add(1);
    }

    fn seen_until(&mut self, now: HostTime) {
        if let Some(file) = &mut self.file {
            file.seen_until(now);
        }
    }
}

/// A virtual projector in this process.
#[derive(Debug)]
pub struct InProcess {
    name: String,
    options: SimOptions,
    mirrors: Playback,
    tap: Tap,
    connected: bool,
    /// The rate to begin with, and that of the last point taken.
    begin_pps: u32,
    tail_pps: u32,
    first_point_at: HostTime,
}

impl InProcess {
    /// A projector named as the user named it. Fails if the recording cannot be created.
    pub fn new(name: &str, options: SimOptions) -> Result<Self, DacError> {
        let tap = Tap::default();
        let file = options.record.as_deref().map(CsvRecorder::create).transpose();
        let file = file.map_err(|error| {
            DacError::BadAddress(format!(
                "the recording {} cannot be created ({error}): choose another place",
                options.record.as_deref().unwrap_or_else(|| "".as_ref()).display()
            ))
        })?;
        let watcher = Watcher { tap: tap.clone(), file };
        let capacity = usize::from(options.capacity);
        let mirrors = Playback::new(capacity, options.ppm, Some(Box::new(watcher)));
        Ok(Self {
            name: name.to_owned(),
            options,
            mirrors,
            tap,
            connected: false,
            begin_pps: 0,
            tail_pps: 0,
            first_point_at: HostTime::ZERO,
        })
    }

    /// An eye on its mirrors.
    #[must_use]
    pub fn tap(&self) -> Tap {
        self.tap.clone()
    }

    fn check(&mut self, now: HostTime) -> Result<(), DacError> {
        let (estop, unplugged) = {
            let tapped = self.tap.inner();
            (tapped.estop, tapped.unplugged)
        };
        if estop || unplugged {
            self.mirrors.stop(now);
            self.mirrors.clear();
        } else {
            self.mirrors.advance(now);
            self.begin_if_due(now);
        }
        if unplugged || !self.connected {
            self.connected = false;
            return Err(DacError::Gone {
                device: self.name.clone(),
                detail: "the virtual plug is pulled".to_owned(),
            });
        }
        Ok(())
    }
}

impl InProcess {
    fn begin_if_due(&mut self, now: HostTime) {
        let queued = self.mirrors.queued();
        let enough = queued >= BEGIN_POINTS.min(self.mirrors.capacity() / 2);
        let waited = queued > 0 && now.since(self.first_point_at) >= BEGIN_AFTER;
        if !self.mirrors.is_playing() && (enough || waited) {
            self.mirrors.begin(now, self.begin_pps);
        }
    }
}

impl Backend for InProcess {
    fn name(&self) -> &str {
        &self.name
    }

    fn presumed(&self) -> Capabilities {
        Capabilities {
            delivery: Delivery::Fifo,
            max_points_per_chunk: usize::from(self.options.capacity) - 1,
            capacity_points: Some(u32::from(self.options.capacity)),
            min_pps: 1,
            max_pps: self.options.max_pps,
            reports_queue: true,
            suggested_buffer: Duration::from_millis(40),
            least_points: 0,
            start_moves_relay: false,
        }
    }

    fn connect(&mut self, now: HostTime) -> Result<Capabilities, DacError> {
        self.connected = true;
        self.check(now)?;
        Ok(self.presumed())
    }

    fn write(&mut self, now: HostTime, chunk: SafeChunk<'_>) -> Result<Written, DacError> {
        self.check(now)?;
        if self.tap.inner().estop {
            return Err(DacError::EmergencyStop { device: self.name.clone() });
        }
        if chunk.is_empty() {
            return Ok(Written::Accepted);
        }
        if self.mirrors.queued() + chunk.len() >= self.mirrors.capacity() {
            return Ok(Written::NotNow);
        }
        let pps = chunk.pps().clamp(1, self.options.max_pps);
        let starts = !self.mirrors.is_playing() && self.mirrors.queued() == 0;
        if starts {
            self.begin_pps = pps;
            self.first_point_at = now;
        }
        let mut new_pps = (!starts && pps != self.tail_pps).then_some(pps);
        for point in chunk.points() {
            let stored = self.mirrors.push(QueuedPoint { point: *point, new_pps: new_pps.take() });
            debug_assert!(stored, "there was room");
        }
        self.tail_pps = pps;
        self.begin_if_due(now);
        Ok(Written::Accepted)
    }

    fn poll(&mut self, now: HostTime) -> Result<DeviceReport, DacError> {
        self.check(now)?;
        Ok(DeviceReport {
            at: now,
            queued_points: Some(self.mirrors.queued() as u32),
            played_points: Some(self.mirrors.shown()),
            playing_pps: self.mirrors.is_playing().then(|| self.mirrors.pps()),
            underflows: self.mirrors.underflows(),
            gaps: 0,
            estop: self.tap.inner().estop,
        })
    }

    fn stop(&mut self, now: HostTime) -> Result<(), DacError> {
        self.check(now)?;
        self.mirrors.stop(now);
        self.mirrors.clear();
        Ok(())
    }

    fn reset_estop(&mut self, now: HostTime) -> Result<(), DacError> {
        let mut tapped = self.tap.inner();
        tapped.estop = tapped.estop_held;
        drop(tapped);
        self.check(now)
    }

    fn close(&mut self, now: HostTime) {
        self.mirrors.stop(now);
        self.mirrors.clear();
        self.connected = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safety::{Arm, Gate};
    use crate::time::StreamInstant;

    fn connected(query: &str) -> (InProcess, Gate) {
        let mut sim = InProcess::new("sim:", SimOptions::parse(query).unwrap()).unwrap();
        sim.connect(HostTime::ZERO).unwrap();
        (sim, Gate::new(Arm::new()))
    }

    fn write(sim: &mut InProcess, gate: &mut Gate, now: HostTime, n: usize) -> Written {
        let mut points = vec![LaserPoint::CENTRE; n];
        sim.write(now, gate.pass(now, &mut points, StreamInstant(0), 1000)).unwrap()
    }

    #[test]
    fn points_are_shown_at_their_rate_and_reported() {
        let (mut sim, mut gate) = connected("capacity=101");
        assert_eq!(write(&mut sim, &mut gate, HostTime::ZERO, 40), Written::Accepted);
        assert_eq!(write(&mut sim, &mut gate, HostTime::ZERO, 61), Written::NotNow);
        assert_eq!(write(&mut sim, &mut gate, HostTime::ZERO, 10), Written::Accepted);
        let report = sim.poll(HostTime::from_nanos(9_500_000)).unwrap();
        assert_eq!((report.queued_points, report.played_points), (Some(40), Some(10)));
        let shown = sim.tap().take();
        assert_eq!(shown[9].at, HostTime::from_nanos(9_000_000));
        let late = sim.poll(HostTime::from_nanos(1_000_000_000)).unwrap();
        assert_eq!((late.underflows, late.playing_pps), (1, None));
    }

    #[test]
    fn the_estop_holds_until_it_is_reset_and_a_pulled_plug_is_a_loss() {
        let (mut sim, mut gate) = connected("");
        write(&mut sim, &mut gate, HostTime::ZERO, 50);
        sim.tap().press_estop();
        assert!(sim.poll(HostTime::ZERO).unwrap().estop);
        let mut points = [LaserPoint::CENTRE; 2];
        let chunk = gate.pass(HostTime::ZERO, &mut points, StreamInstant(0), 1000);
        let refused = sim.write(HostTime::ZERO, chunk);
        assert!(matches!(refused, Err(DacError::EmergencyStop { .. })));
        sim.reset_estop(HostTime::ZERO).unwrap();
        assert!(!sim.poll(HostTime::ZERO).unwrap().estop);
        sim.tap().set_plugged(false);
        assert!(matches!(sim.poll(HostTime::ZERO), Err(DacError::Gone { .. })));
    }

    #[test]
    fn unknown_options_are_named() {
        let error = SimOptions::parse("speed=9").unwrap_err().to_string();
        assert!(error.contains("speed=9") && error.contains("capacity"), "{error}");
    }
}
