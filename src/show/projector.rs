//! One projector of a show: its stream inside the engine, its device thread, and the handles between.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::engine::Slot;
use super::installation::{Installation, Ready};
use super::renderer::Renderer;
use super::report::{BufferFigures, StreamReport, SyncFigures};
use super::snapshot::{ProjectorState, ProjectorView};
use crate::dac::worker::{Worker, WorkerHandle, WorkerParts, WorkerState, WorkerStatus, spawn};
use crate::dac::{Backend, LinkControl};
use crate::frame::{self, FrameReceiver, TapError, TapPoint, TapRegistry};
use crate::path::Mounting;
use crate::pattern::Instrument;
use crate::safety::arm::Refused;
use crate::safety::{Arm, Counts, Gate, GateControl, GateSettings, Meters, TripReason};
use crate::stream::{Stream, StreamConfig, StreamControl, SyncSnapshot, link};
use crate::time::{Clock, HostTime};

use super::ShowError;

/// How long a device may take to let go at the end of a show.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// The show's side of one projector.
#[derive(Debug)]
pub struct Projector {
    number: u32,
    name: String,
    /// What it told of itself: see [`crate::dac::identity`].
    id: Option<String>,
    control: StreamControl,
    link: LinkControl,
    worker: Option<WorkerHandle>,
    status: WorkerStatus,
    meters: Meters,
    target: Duration,
    /// The buffer that the show wants of projectors without one of their own.
    show_buffer: Option<Duration>,
    pps: u32,
    gate: GateControl,
    installation: Arc<Installation>,
    test_picture: Option<u8>,
    told_fault: Option<String>,
    told_advice: Option<String>,
    taps: TapRegistry,
}

/// How a projector is run.
#[derive(Clone, Copy, Debug)]
pub struct SetUp {
    /// Its number in the show: no other projector of it has, had or will have the same.
    pub number: u32,
    /// Points per second.
    pub pps: u32,
    /// Time of points kept ahead of the mirrors at least.
    pub lookahead: Duration,
    /// Brightness of its light, 0..=1.
    pub master: f32,
}

/// What opening a projector makes.
#[derive(Debug)]
pub struct Opened {
    /// For the show thread.
    pub projector: Projector,
    /// For the engine.
    pub slot: Slot,
    /// Its device thread, not running yet: for [`Projector::start`], or for steps in virtual time.
    pub worker: Worker,
    /// Where its points are looked at: see [`Stream::set_taps`].
    pub taps: TapRegistry,
}

impl Projector {
    /// Puts a stream before the driver of a projector. Nothing is connected before its worker steps.
    pub fn open(
        backend: Box<dyn Backend>,
        set_up: SetUp,
        instrument: Box<Instrument>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Opened, ShowError> {
        let SetUp { number, pps, lookahead, master } = set_up;
        let name = backend.name().to_owned();
        let presumed = backend.presumed();
        let target = presumed.suggested_buffer.max(lookahead);
        let installation = Installation::default();
        let config = StreamConfig::new(pps)
            .with_target_buffer(target)
            .with_colour_delay(installation.colour_delay().unwrap_or_default());
        let arm = Arm::new();
        let (mut gate, gate_control) = Gate::with_control(arm.clone(), &GateSettings::default());
        gate.set_master(master);
        let meters = gate.meters();
        let (parts, device) = link(&config, &presumed, gate, arm.clone());
        let (taps_in, taps) = frame::producer(frame::DEFAULT_SLOTS, Arc::clone(clock));
        let mut stream = Stream::new(config, &presumed, parts)?;
        stream.set_taps(taps_in, number);
        let link = device.link.clone();
        let worker = Worker::new(WorkerParts {
            backend,
            receiver: device.receiver,
            arm: arm.clone(),
            reports: device.reports,
            control: device.link,
            stats: device.stats,
            clock: Arc::clone(clock),
            seed: 0x9e37_79b9 ^ u64::from(number),
        });
        let control = stream.control();
        let projector = Self {
            number,
            name,
            id: None,
            control,
            link,
            worker: None,
            status: worker.status(),
            meters,
            target: config.target_buffer,
            show_buffer: None,
            pps,
            gate: gate_control,
            installation: Arc::new(installation),
            test_picture: None,
            told_fault: None,
            told_advice: None,
            taps: taps.clone(),
        };
        // Multiples of the golden ratio: any number of projectors is spread evenly over a picture.
        let lag = (number as f32 * 0.618_034).fract();
        let slot = Slot { number, stream, renderer: Renderer::new(instrument).lagging(lag), arm };
        Ok(Opened { projector, slot, worker, taps })
    }

    /// Starts the device thread. It connects in its own time.
    pub fn start(&mut self, worker: Worker, clock: Arc<dyn Clock>) -> io::Result<()> {
        self.worker = Some(spawn(worker, clock)?);
        Ok(())
    }

    /// True while it is connected and takes points.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.status.view().state == WorkerState::Ready
    }

    /// Its number in the show.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Its name: the URI.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is remembered by.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// It is the one of this identity, and hangs like this.
    pub fn known_as(&mut self, id: Option<String>, mounting: &Mounting) {
        self.id = id;
        self.control.set_mounting(mounting);
    }

    /// Allows light on it, if a hand has asked for it and nothing has darkened it since. One that the operator took out
    /// of the show is left out.
    pub fn arm(&self, now: HostTime) -> Result<(), Refused> {
        match self.switch().arm_as_asked(now) {
            Ok(_) | Err(Refused::Out) => Ok(()),
            Err(refused) => Err(refused),
        }
    }

    /// The show wants so much time of points ahead of its mirrors; `None`: what its line needs.
    pub fn keep_ahead(&mut self, buffer: Option<Duration>) {
        self.show_buffer = buffer;
        self.take_buffer();
    }

    fn take_buffer(&self) {
        let own = self.installation.buffer_ms.map(|ms| Duration::from_secs_f32(ms / 1e3));
        self.control.set_buffer(own.or(self.show_buffer));
    }

    /// Sends zones, mirrors, colour delay and buffer where they act; how the picture lies is the engine's to know.
    pub fn install(&mut self, installation: Installation, ready: &Ready) {
        self.gate.send(&ready.gate);
        self.control.set_colour_delay(ready.colour_delay);
        self.installation = Arc::new(installation);
        self.take_buffer();
    }

    /// How it is set up in its room.
    #[must_use]
    pub const fn installation(&self) -> &Arc<Installation> {
        &self.installation
    }

    /// The test picture it shows instead of the show.
    #[must_use]
    pub const fn test_picture(&self) -> Option<u8> {
        self.test_picture
    }

    /// Notes what it shows instead of the show.
    pub const fn set_test_picture(&mut self, picture: Option<u8>) {
        self.test_picture = picture;
    }

    /// Its switch.
    #[must_use]
    pub const fn switch(&self) -> &Arm {
        self.control.switch()
    }

    /// Its stream, from outside.
    #[must_use]
    pub const fn control(&self) -> &StreamControl {
        &self.control
    }

    /// What it gets from now on, after safety, up to `depth` runs of it waiting.
    pub fn sent_points(&self, depth: usize) -> Result<FrameReceiver, TapError> {
        self.taps.ring_tap(TapPoint::Sent, depth, 1)
    }

    /// Runs of points that those who look at it wanted and did not get.
    #[must_use]
    pub fn tap_lost(&self) -> u64 {
        self.taps.reports().iter().map(|tap| tap.stats.dropped).sum()
    }

    /// A fault that was not there at the last call.
    pub fn new_fault(&mut self) -> Option<String> {
        let fault = self.status.view().fault.clone();
        if fault == self.told_fault {
            return None;
        }
        self.told_fault.clone_from(&fault);
        fault
    }

    /// What an operator should know of it and was not told yet.
    pub fn new_advice(&mut self) -> Option<String> {
        let advice = self.status.advice().filter(|new| self.told_advice.as_ref() != Some(new))?;
        self.told_advice = Some(advice.clone());
        Some(format!("{}: {advice}", self.name))
    }

    /// How it is.
    #[must_use]
    pub fn view(&self) -> ProjectorView {
        let stats = self.control.stats().read();
        let status = self.status.view();
        let state = match status.state {
            WorkerState::Connecting => ProjectorState::Connecting,
            WorkerState::Ready => ProjectorState::Ready,
            WorkerState::NotReady => ProjectorState::NotReady,
            WorkerState::Lost => ProjectorState::Lost,
            WorkerState::EmergencyStop => ProjectorState::EmergencyStop,
        };
        let sync = self.control.stats().sync();
        ProjectorView {
            number: self.number,
            name: self.name.clone(),
            state,
            armed: self.control.is_armed(),
            allowed: !self.switch().is_out(),
            mounting: self.control.mounting(),
            installation: Arc::clone(&self.installation),
            test_picture: self.test_picture,
            pps: self.pps,
            buffered_ms: self.milliseconds(stats.buffered_points as f64) as f32,
            target_ms: self.buffer().as_secs_f32() * 1e3,
            underruns: stats.underruns,
            device_underflows: stats.device_underflows,
            reconnects: stats.reconnects,
            offset_ms: sync.offset_p50_ms().map(|ms| ms as f32),
            condition: self.status.condition(),
            fault: status.fault.clone(),
        }
    }

    /// How well its light meets the sound.
    #[must_use]
    pub fn sync(&self) -> SyncSnapshot {
        self.control.stats().sync()
    }

    /// What its gate counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.meters.counts()
    }

    /// What it measured so far.
    #[must_use]
    pub fn report(&self) -> StreamReport {
        let stats = self.control.stats().read();
        let sync = self.sync();
        StreamReport {
            name: self.name.clone(),
            came_up: self.status.has_come_up(),
            pps: self.pps,
            points: stats.points,
            lit_points: self.counts().lit,
            underruns: stats.underruns,
            device_underflows: stats.device_underflows,
            reconnects: stats.reconnects,
            would_block: stats.would_block,
            buffer_ms: BufferFigures {
                min: self.milliseconds(stats.buffered_min as f64),
                mean: self.milliseconds(stats.buffered_mean),
                max: self.milliseconds(stats.buffered_max as f64),
                wanted: self.buffer().as_secs_f64() * 1e3,
            },
            sync_ms: sync_figures(&sync),
            drift_ppm: (sync.errors.count() > 0).then_some(sync.projector_ppm),
            fault: self.told_fault.clone(),
        }
    }

    /// The time of points that is kept ahead now.
    fn buffer(&self) -> Duration {
        self.control.stats().needed_buffer().unwrap_or(self.target)
    }

    fn milliseconds(&self, points: f64) -> f64 {
        points * 1e3 / f64::from(self.pps)
    }

    /// Dark at once; the device is told to let go. Does not wait: see [`is_closed`](Self::is_closed).
    pub fn begin_closing(&mut self, now: HostTime) {
        self.switch().disarm(now, TripReason::Operator);
        self.link.request_close();
    }

    /// True once the device has let go.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.status.is_closed()
    }

    /// Dark, device closed. A device that does not let go is left behind.
    pub fn close(&mut self) {
        if let Some(worker) = self.worker.take()
            && !worker.close(CLOSE_PATIENCE)
        {
            tracing::warn!("{} did not close in time and was left", self.name);
        }
    }
}

/// The figures of a sync record.
#[must_use]
pub fn sync_figures(sync: &SyncSnapshot) -> SyncFigures {
    let measured = sync.errors.count() > 0;
    SyncFigures {
        offset_p50: sync.offset_p50_ms(),
        jitter_p95: sync.jitter_p95_ms(),
        max: measured.then(|| sync.max_ms()),
        samples: sync.errors.count(),
    }
}
