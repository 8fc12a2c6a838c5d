//! A whole show in virtual time, and what can be done to it.

use std::sync::Arc;
use std::time::Duration;

use galvo::dac::{ReportReceiver, ReportSender, Worker, WorkerParts, WorkerState, reports};
use galvo::path::Mounting;
use galvo::safety::{Arm, Gate, GateControl, GateSettings, Trip, TripReason, Zones, queue};
use galvo::stream::{MediaMap, Stream, StreamConfig, StreamControl, StreamParts};
use galvo::time::{Clock, HostTime, ManualClock};

use super::drawing::{Artist, Drawing};
use super::projectors::{Device, Eye, Kind, Light, plug_in};
use super::{LOOK, MS, T0};

#[derive(Clone, Debug)]
pub(super) enum Deed {
    Wait(u16),
    Arm,
    Disarm,
    /// Disarms and arms again in the same instant.
    Rearm,
    Stop,
    /// Lets go of the emergency stop, resets the stop and the device.
    Reset,
    /// Resets both while the emergency stop may still be pressed.
    MereReset,
    Master(f32),
    Zones(Box<Zones>),
    Rate(u32),
    Mount(Mounting),
    Draw(Drawing),
    Seek,
    /// The operator takes the surface away.
    SurfaceGone,
    /// The plug is out for so many milliseconds.
    Unplug(u16),
    /// The device loses its queue.
    Starve,
    /// The device's emergency stop is pressed.
    Estop,
    /// Somebody lets go of it.
    EstopOver,
    /// Another program ends the device's emergency stop, or tries to use it.
    Intrude,
    /// The engine does not tick for so many milliseconds.
    EngineHangs(u16),
    /// The device thread does not run for so many milliseconds.
    WorkerHangs(u16),
    /// The whole program stands still for so many milliseconds.
    HostHangs(u16),
    End,
    Drop,
}

/// What held from a moment on.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) from: HostTime,
    pub(super) armed: bool,
    pub(super) master: f32,
    pub(super) zones: Zones,
}

/// An emergency stop that somebody pressed and nobody has reset.
#[derive(Clone, Copy, Debug)]
struct Pressed {
    at: HostTime,
    let_go: Option<HostTime>,
    /// The device thread has seen it.
    seen: bool,
}

pub(super) struct Show {
    pub(super) kind: Kind,
    clock: ManualClock,
    device: Box<dyn Device>,
    eye: Eye,
    pub(super) arm: Arm,
    pub(super) gate: GateControl,
    pub(super) stream: Option<Stream>,
    pub(super) control: StreamControl,
    rates: (u32, u32),
    worker: Worker,
    reports_in: ReportReceiver,
    reports_out: ReportSender,
    artist: Artist,
    pub(super) reports_lost: f32,
    next_tick: HostTime,
    engine_hangs_until: HostTime,
    worker_hangs_until: HostTime,
    plug_back_at: Option<HostTime>,
    master: f32,
    epoch: u32,
    pub(super) ticked: HostTime,
    /// What the test knows.
    pub(super) held: Vec<Held>,
    generation: u64,
    was_armed: bool,
    pub(super) ticks: Vec<HostTime>,
    /// When the plug was out.
    pub(super) cuts: Vec<(HostTime, HostTime)>,
    /// When the host stood still, or its device thread.
    pub(super) hangs: Vec<(HostTime, HostTime)>,
    pub(super) rate_changes: Vec<HostTime>,
    pub(super) trips: Vec<Trip>,
    pub(super) expected: Vec<(HostTime, TripReason)>,
    pub(super) untold: usize,
    pressed: Option<Pressed>,
    /// When an emergency stop was pressed, and when both it and the latch were gone.
    pub(super) estops: Vec<(HostTime, Option<HostTime>)>,
    pub(super) armed_in_estop: usize,
    pub(super) shown: Vec<Light>,
}

impl Show {
    pub(super) fn new(kind: Kind, settings: &GateSettings, pps: u32, seed: u64) -> Self {
        let clock = ManualClock::starting_at(T0);
        let (backend, device, eye) = plug_in(kind, &clock, seed);
        let capabilities = backend.presumed();
        let rates = (capabilities.min_pps, capabilities.max_pps);
        let pps = pps.clamp(rates.0, rates.1);
        let config = StreamConfig::new(pps).with_target_buffer(capabilities.suggested_buffer);
        let arm = Arm::new();
        let (gate, gate_control) = Gate::with_control(arm.clone(), settings);
        let chunk = config.chunk_points(&capabilities);
        let (sender, receiver) =
            queue(config.queue_points(&capabilities), 1024, chunk, arm.clone());
        let (worker_reports, reports_in) = reports(256);
        let (reports_out, stream_reports) = reports(256);
        let link = galvo::dac::LinkControl::new(pps);
        let stats = galvo::dac::LinkStats::default();
        let parts = StreamParts {
            arm: arm.clone(),
            gate,
            sender,
            reports: stream_reports,
            link: link.clone(),
            link_stats: stats.clone(),
        };
        let stream = Stream::new(config, &capabilities, parts).unwrap();
        let worker = Worker::new(WorkerParts {
            backend,
            receiver,
            arm: arm.clone(),
            reports: worker_reports,
            control: link,
            stats,
            clock: Arc::new(clock.clone()),
            seed,
        });
        let zones = settings.zones;
        Self {
            kind,
            clock,
            device,
            eye,
            gate: gate_control,
            control: stream.control(),
            stream: Some(stream),
            rates,
            worker,
            reports_in,
            reports_out,
            artist: Artist::new(seed),
            reports_lost: 0.0,
            next_tick: T0,
            engine_hangs_until: T0,
            worker_hangs_until: T0,
            plug_back_at: None,
            master: 0.2,
            epoch: 0,
            ticked: T0,
            held: vec![Held { from: HostTime::ZERO, armed: false, master: 0.2, zones }],
            generation: arm.generation(),
            was_armed: false,
            ticks: Vec::new(),
            cuts: Vec::new(),
            hangs: Vec::new(),
            rate_changes: Vec::new(),
            trips: Vec::new(),
            expected: Vec::new(),
            untold: 0,
            pressed: None,
            estops: Vec::new(),
            armed_in_estop: 0,
            arm,
            shown: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> HostTime {
        self.clock.now()
    }

    pub(super) fn state(&self) -> WorkerState {
        self.worker.status().view().state
    }

    pub(super) fn run(&mut self, duration: Duration) {
        let end = self.now() + duration;
        while self.now() < end {
            self.step();
        }
    }

    /// The program is gone from now on, and the device alone with what it holds. If the whole computer stands still, not
    /// even a connection is closed.
    pub(super) fn leave_alone(&mut self, hangs_up: bool, duration: Duration) {
        if hangs_up {
            self.device.hang_up(self.now());
        }
        let end = self.now() + duration;
        while self.now() < end {
            self.clock.advance(MS);
            self.look();
        }
    }

    /// One millisecond, or as long as the device thread takes on its bus.
    fn step(&mut self) {
        let now = self.now();
        if self.plug_back_at.is_some_and(|at| at <= now) {
            self.plug_back_at = None;
            self.device.plug(now, true);
            if let Some((_, to)) = self.cuts.last_mut() {
                *to = now;
            }
        }
        if let Some(stream) = &mut self.stream
            && now >= self.next_tick
        {
            self.next_tick = now + MS * 10;
            if now >= self.engine_hangs_until && stream.exit().is_none() {
                self.ticked = now;
                self.ticks.push(now);
                stream.fill_from(now, &mut self.artist);
            }
        }
        if now >= self.worker_hangs_until {
            self.worker.step(now);
        }
        while let Some(report) = self.reports_in.next() {
            if self.artist.next() >= self.reports_lost {
                self.reports_out.send(report);
            }
        }
        self.look();
        self.clock.advance(MS);
    }

    /// Notes what holds now.
    fn look(&mut self) {
        let now = self.now();
        let mut told = 0;
        while let Some(trip) = self.arm.next_trip() {
            self.trips.push(trip);
            told += 1;
        }
        let armed = self.arm.is_armed();
        if self.was_armed && self.arm.generation() != self.generation && told == 0 {
            self.untold += 1;
        }
        self.generation = self.arm.generation();
        self.was_armed = armed;
        let last = self.held.last().unwrap();
        let zones = self.gate.settings().zones;
        if last.armed != armed || last.master != self.master || last.zones != zones {
            self.held.push(Held { from: now, armed, master: self.master, zones });
        }
        self.follow_estop(now);
        let shown = self.device.shown(now, &self.eye);
        self.shown.extend(shown);
    }

    fn follow_estop(&mut self, now: HostTime) {
        let holds = self.state() == WorkerState::EmergencyStop;
        let is_stopped = self.arm.is_stopped();
        let Some(pressed) = &mut self.pressed else { return };
        pressed.seen |= holds;
        let unnoticed = self.kind.notices_estop_within() + LOOK * 2;
        let over = pressed.seen && !holds && !is_stopped;
        // A device that has to be asked may be let go of before it is asked.
        let missed = !pressed.seen && pressed.let_go.is_some_and(|at| now > at + unnoticed);
        if over {
            self.estops.push((pressed.at, Some(now)));
        }
        if over || missed {
            self.pressed = None;
        }
    }

    /// Emergency stops, the present one included.
    pub(super) fn all_estops(&self) -> Vec<(HostTime, Option<HostTime>)> {
        let present = self.pressed.filter(|pressed| pressed.seen).map(|pressed| (pressed.at, None));
        self.estops.iter().copied().chain(present).collect()
    }

    fn takes_light(&mut self, reason: TripReason, latches: bool) {
        let newly_stopped = latches && !self.arm.is_stopped();
        if self.arm.is_armed() || newly_stopped {
            self.expected.push((self.now(), reason));
        }
    }

    fn arms(&mut self) {
        let refused = self.arm.arm(self.now()).is_err();
        if self.state() == WorkerState::EmergencyStop && !refused {
            self.armed_in_estop += 1;
        }
    }

    fn resets(&mut self) {
        self.control.reset_device_estop();
        self.arm.reset_stop();
        // No hand presses again before the device thread has looked.
        self.run(LOOK);
    }

    fn lets_go_of_estop(&mut self) {
        let now = self.now();
        self.device.estop(now, false);
        if let Some(pressed) = &mut self.pressed {
            pressed.let_go.get_or_insert(now);
        }
    }

    pub(super) fn does(&mut self, deed: &Deed) {
        let now = self.now();
        match deed {
            Deed::Wait(ms) => self.run(MS * u32::from(*ms)),
            Deed::Arm => self.arms(),
            Deed::Disarm => {
                self.takes_light(TripReason::Operator, false);
                self.control.disarm(now);
            }
            Deed::Rearm => {
                self.takes_light(TripReason::Operator, false);
                self.control.disarm(now);
                self.arms();
            }
            Deed::Stop => {
                self.takes_light(TripReason::Stop, true);
                self.arm.stop(now, TripReason::Stop);
            }
            Deed::Reset => {
                self.lets_go_of_estop();
                if self.pressed.is_some() {
                    // A reset helps once the device thread knows.
                    self.run(self.kind.notices_estop_within());
                }
                self.resets();
            }
            Deed::MereReset => self.resets(),
            Deed::Master(master) => {
                self.gate.master().set(*master);
                self.master = self.gate.master().get();
            }
            Deed::Zones(zones) => {
                let settings = GateSettings { zones: **zones, ..*self.gate.settings() };
                self.gate.send(&settings);
            }
            Deed::Rate(pps) => {
                let pps = (*pps).clamp(self.rates.0, self.rates.1);
                self.control.set_pps(pps).unwrap();
                self.rate_changes.push(now);
            }
            Deed::Mount(mounting) => self.control.set_mounting(mounting),
            Deed::Draw(drawing) => self.artist.draws(*drawing),
            Deed::Seek => {
                self.epoch += 1;
                self.artist.song.set_epoch(0);
                let map =
                    MediaMap { epoch: self.epoch, host: now, rate: 1.0, ..MediaMap::default() };
                if let Some(stream) = &mut self.stream {
                    stream.set_media_map(map);
                }
            }
            Deed::SurfaceGone => {
                self.takes_light(TripReason::SurfaceGone, false);
                self.arm.disarm(now, TripReason::SurfaceGone);
            }
            Deed::Unplug(ms) => {
                let back = now + MS * u32::from(*ms);
                self.cuts.push((now, back));
                self.device.plug(now, false);
                self.plug_back_at = Some(back);
            }
            Deed::Starve => self.device.starve(now),
            Deed::Estop => {
                if !self.kind.has_estop() {
                    return;
                }
                self.device.estop(now, true);
                let fresh = Pressed { at: now, let_go: None, seen: false };
                self.pressed.get_or_insert(fresh).let_go = None;
                if self.kind.is_asked_for_estop() {
                    // Nobody lets go before it was asked.
                    self.run(self.kind.notices_estop_within());
                }
            }
            Deed::EstopOver => self.lets_go_of_estop(),
            Deed::Intrude => self.device.intrude(now),
            Deed::EngineHangs(ms) => self.engine_hangs_until = now + MS * u32::from(*ms),
            Deed::WorkerHangs(ms) => {
                let until = now + MS * u32::from(*ms);
                self.worker_hangs_until = until;
                self.hangs.push((now, until));
            }
            Deed::HostHangs(ms) => {
                self.clock.advance(MS * u32::from(*ms));
                self.hangs.push((now, self.now()));
            }
            Deed::End => self.control.end(),
            Deed::Drop => self.stream = None,
        }
        self.look();
    }
}
