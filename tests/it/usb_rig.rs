//! A whole projector in virtual time: a stream, its device thread stepped by hand, and a device on a port.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use galvo::dac::simulator::Recorder;
use galvo::dac::simulator::usb_port::{UsbDevice, UsbPort};
use galvo::dac::{Backend, Worker, WorkerParts, WorkerState};
use galvo::point::{Colour, LaserPoint};
use galvo::safety::{Arm, Gate};
use galvo::stream::{FillRequest, FillResult, Stream, StreamConfig, link};
use galvo::time::{Clock, HostTime, ManualClock};

pub(crate) const PPS: u32 = 30_000;
/// An audio period.
const TICK: Duration = Duration::from_millis(5);

#[derive(Clone, Default)]
pub(crate) struct Log(pub(crate) Arc<Mutex<Vec<(HostTime, LaserPoint)>>>);

impl Recorder for Log {
    fn shown(&mut self, at: HostTime, _index: u64, point: &LaserPoint) {
        self.0.lock().unwrap().push((at, *point));
    }
}

pub(crate) struct Rig<D: UsbDevice + 'static> {
    pub(crate) clock: ManualClock,
    pub(crate) port: UsbPort<D>,
    pub(crate) log: Log,
    pub(crate) arm: Arm,
    pub(crate) stream: Stream,
    pub(crate) worker: Worker,
    next_tick: HostTime,
    next_step: HostTime,
}

impl<D: UsbDevice + 'static> Rig<D> {
    pub(crate) fn new(
        device: impl FnOnce(Log) -> D,
        driver: impl FnOnce(UsbPort<D>, Arc<dyn Clock>) -> Box<dyn Backend>,
    ) -> Self {
        let log = Log::default();
        let clock = ManualClock::starting_at(HostTime::from_nanos(1_000_000_000));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let port = UsbPort::new(device(log.clone()), Arc::clone(&shared));
        let backend = driver(port.clone(), Arc::clone(&shared));
        let presumed = backend.presumed();
        let config = StreamConfig::new(PPS).with_target_buffer(presumed.suggested_buffer);
        let arm = Arm::new();
        let mut gate = Gate::new(arm.clone());
        gate.set_master(1.0);
        let (parts, device) = link(&config, &presumed, gate, arm.clone());
        let stream = Stream::new(config, &presumed, parts).unwrap();
        let worker = Worker::new(WorkerParts {
            backend,
            receiver: device.receiver,
            arm: arm.clone(),
            reports: device.reports,
            control: device.link,
            stats: device.stats,
            clock: shared,
            seed: 1,
        });
        let now = clock.now();
        Self { clock, port, log, arm, stream, worker, next_tick: now, next_step: now }
    }

    pub(crate) fn now(&self) -> HostTime {
        self.clock.now()
    }

    pub(crate) fn step(&mut self) {
        while self.next_tick <= self.now() {
            let mut producer = |request: &FillRequest, buffer: &mut [LaserPoint]| {
                let n = request.target_points.min(buffer.len());
                // A slow circle: within the limits of any galvo, and never still.
                for (k, point) in buffer[..n].iter_mut().enumerate() {
                    let turn = (request.start.0 + k as u64) as f32 * 0.02;
                    *point = LaserPoint::lit(0.5 * turn.cos(), 0.5 * turn.sin(), Colour::WHITE);
                }
                FillResult::Filled(n)
            };
            let now = self.now();
            self.stream.fill_from(now, &mut producer);
            self.next_tick += TICK;
        }
        if self.next_step <= self.now() {
            self.next_step = self.worker.step(self.now()).max(self.now());
        }
        self.clock.sleep_until(self.next_tick.min(self.next_step));
    }

    pub(crate) fn run(&mut self, ms: u64) {
        let end = self.now() + Duration::from_millis(ms);
        while self.now() < end && !self.worker.is_over() {
            self.step();
        }
    }

    pub(crate) fn arm(&self) {
        self.arm.arm(self.now()).unwrap();
    }

    pub(crate) fn state(&self) -> WorkerState {
        self.worker.status().view().state
    }

    pub(crate) fn fault(&self) -> String {
        self.worker.status().view().fault.clone().unwrap_or_default()
    }

    pub(crate) fn last_light(&self) -> Option<HostTime> {
        let log = self.log.0.lock().unwrap();
        log.iter().rev().find(|(_, point)| !point.is_blank()).map(|(at, _)| *at)
    }

    pub(crate) fn shown(&self) -> usize {
        self.log.0.lock().unwrap().len()
    }

    pub(crate) fn is_lit_within(&mut self, ms: u64) -> bool {
        let before = self.now();
        self.run(ms);
        self.last_light().is_some_and(|at| at > before)
    }
}
