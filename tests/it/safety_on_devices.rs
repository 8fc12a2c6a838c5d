//! The rules of `docs/safety.md` on the whole way from producer to mirrors, in virtual time: what counts is what
//! a virtual projector showed, whatever was drawn, set, broken or done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use galvo::analysis::FeatureWindow;
use galvo::dac::ether_dream::EtherDream;
use galvo::dac::simulator::ether_dream::{Bench, Device, Generation};
use galvo::dac::simulator::{InProcess, Recorder, SimOptions, Tap};
use galvo::dac::transport::{Fault, FaultPlan};
use galvo::dac::{Backend, ReportReceiver, ReportSender, Worker, WorkerParts, reports};
use galvo::path::{GalvoProfile, Mounting};
use galvo::pattern::{Instrument, Preset, bundled};
use galvo::point::{Colour, LaserPoint};
use galvo::safety::{
    Arm, DwellLimit, Effect, Gate, GateControl, GateSettings, Shape, Trip, TripReason, Zone, Zones,
    queue,
};
use galvo::show::renderer::Renderer;
use galvo::stream::{
    FillRequest, FillResult, MediaMap, Producer, Stream, StreamConfig, StreamControl, StreamParts,
};
use galvo::time::{Clock, HostTime, ManualClock, MediaTime};
use proptest::prelude::*;

use crate::synthetic_song::features_at;

const MS: Duration = Duration::from_millis(1);
const T0: HostTime = HostTime::from_nanos(1_000_000_000);
/// The device thread looks at the switch this often.
const LOOK: Duration = Duration::from_millis(2);
/// Points made under older settings are on their way for at most so long.
const ON_THE_WAY: Duration = Duration::from_millis(400);

// --- What is drawn -------------------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug)]
enum Drawing {
    /// White jumps all over the field, some of them no numbers.
    Noise { nonsense: bool },
    /// A white dot that stands still.
    Dot { x: f32, y: f32 },
    /// A full-white circle.
    Circle { radius: f32, points: u32 },
    /// A full-white circle that goes on and off.
    Strobe { hz: f32 },
    /// One of the bundled presets, to a song.
    Preset(usize),
    /// Sometimes too few points, sometimes none.
    Lazy,
}

struct Artist {
    drawing: Drawing,
    random: u64,
    renderer: Renderer,
    song: FeatureWindow,
}

impl Artist {
    fn new(seed: u64) -> Self {
        let mut song = FeatureWindow::with_capacity(4096);
        for k in -20..1200 {
            song.push(0, &features_at(MediaTime::from_secs_f64(f64::from(k) * 0.01), 1.0));
        }
        Self { drawing: Drawing::Lazy, random: seed, renderer: renderer(0), song }
    }

    fn draws(&mut self, drawing: Drawing) {
        if let Drawing::Preset(number) = drawing {
            self.renderer = renderer(number);
        }
        self.drawing = drawing;
    }

    fn next(&mut self) -> f32 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.random >> 40) as f32 / (1_u64 << 24) as f32
    }
}

fn renderer(number: usize) -> Renderer {
    let (_, text) = bundled::BUNDLED[number % bundled::BUNDLED.len()];
    let preset = Preset::parse(text).expect("bundled presets are right");
    Renderer::new(Box::new(Instrument::new(&preset).expect("bundled presets are right")))
}

impl Producer for Artist {
    fn fill(&mut self, request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
        let wanted = request.target_points.min(buffer.len());
        let turn = |k: usize, points: u32| {
            let phase = (request.start.0 + k as u64) % u64::from(points);
            (phase as f32 / points as f32 * std::f32::consts::TAU).sin_cos()
        };
        match self.drawing {
            Drawing::Noise { nonsense } => {
                for point in &mut buffer[..wanted] {
                    let (x, y) = (self.next() * 2.0 - 1.0, self.next() * 2.0 - 1.0);
                    *point = LaserPoint::lit(x, y, Colour::WHITE);
                    if nonsense && self.next() < 0.3 {
                        let list = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.5, -1e30];
                        point.x = list[(self.next() * 5.0) as usize % 5];
                    }
                }
            }
            Drawing::Dot { x, y } => buffer[..wanted].fill(LaserPoint::lit(x, y, Colour::WHITE)),
            Drawing::Circle { radius, points } => {
                for (k, point) in buffer[..wanted].iter_mut().enumerate() {
                    let (y, x) = turn(k, points);
                    *point = LaserPoint::lit(radius * x, radius * y, Colour::WHITE);
                }
            }
            Drawing::Strobe { hz } => {
                for (k, point) in buffer[..wanted].iter_mut().enumerate() {
                    let (y, x) = turn(k, 400);
                    let seconds = (request.start.0 + k as u64) as f32 / request.pps as f32;
                    let on = (seconds * hz).fract() < 0.5;
                    let colour = if on { Colour::WHITE } else { Colour::BLACK };
                    *point = LaserPoint::lit(0.9 * x, 0.9 * y, colour);
                }
            }
            Drawing::Preset(_) => {
                return self.renderer.seeing(&self.song, true).fill(request, buffer);
            }
            Drawing::Lazy => {
                let filled = (self.next() * 1.3 * wanted as f32) as usize;
                if filled > wanted {
                    return FillResult::Starved;
                }
                for (k, point) in buffer[..filled].iter_mut().enumerate() {
                    let (y, x) = turn(k, 700);
                    *point = LaserPoint::lit(x, 0.3 * y, Colour::WHITE);
                }
                return FillResult::Filled(filled);
            }
        }
        FillResult::Filled(wanted)
    }
}

// --- The projectors ------------------------------------------------------------------------------------------

/// A point at its moment on the mirrors, with the run of the mirrors it belongs to.
#[derive(Clone, Copy, Debug)]
struct Light {
    at: HostTime,
    run: u32,
    point: LaserPoint,
}

impl Light {
    fn is_lit(&self) -> bool {
        !self.point.is_blank() || self.point.i > 0
    }
}

#[derive(Clone, Default)]
struct Eye(Arc<Mutex<(u32, Vec<Light>)>>);

impl Recorder for Eye {
    fn shown(&mut self, at: HostTime, _index: u64, point: &LaserPoint) {
        let mut seen = self.0.lock().unwrap();
        let run = seen.0;
        seen.1.push(Light { at, run, point: *point });
    }

    fn begun(&mut self, _at: HostTime) {
        self.0.lock().unwrap().0 += 1;
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    InProcess { ppm: i16 },
    EtherDream { generation: Generation, ppm: i16, delay_ms: u8, jitter_ms: u8, limit: Option<u16> },
}

impl Kind {
    /// A first Ether Dream plays out what it holds when its connection is cut: nobody can tell it to stop.
    fn plays_on_alone(self) -> Duration {
        match self {
            Self::EtherDream { generation: Generation::One, .. } => MS * 60,
            _ => Duration::ZERO,
        }
    }

    /// The longest time a stop may be on its way to the device.
    fn way_there(self) -> Duration {
        match self {
            // Bytes go at once but few at a time: what is half sent is finished first, dark.
            Self::EtherDream { limit: Some(_), .. } => LOOK,
            _ => Duration::ZERO,
        }
    }
}

enum Projector {
    InProcess(Tap),
    EtherDream(Bench, Eye),
}

impl Projector {
    fn plug(&self, now: HostTime, plugged: bool) {
        match self {
            Self::InProcess(tap) => tap.set_plugged(plugged),
            Self::EtherDream(bench, _) => bench.cut(now, plugged),
        }
    }

    fn press_estop(&self, now: HostTime) {
        match self {
            Self::InProcess(tap) => tap.press_estop(),
            Self::EtherDream(bench, _) => bench.with(|device| device.set_estop_input(now, true)),
        }
    }

    fn let_go_of_estop(&self, now: HostTime) {
        if let Self::EtherDream(bench, _) = self {
            bench.with(|device| device.set_estop_input(now, false));
        }
    }

    fn starve(&self, now: HostTime) {
        if let Self::EtherDream(bench, _) = self {
            bench.with(|device| device.starve(now));
        }
    }

    fn shown(&self, now: HostTime) -> Vec<Light> {
        match self {
            Self::InProcess(tap) => tap
                .take()
                .into_iter()
                .map(|seen| Light { at: seen.at, run: seen.run, point: seen.point })
                .collect(),
            Self::EtherDream(bench, eye) => {
                bench.with(|device| device.advance(now));
                std::mem::take(&mut eye.0.lock().unwrap().1)
            }
        }
    }
}

// --- The show ------------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
enum Deed {
    Wait(u16),
    Arm,
    Disarm,
    /// Disarms and arms again in the same instant.
    Rearm,
    Stop,
    /// Resets the stop and the device's emergency stop.
    Reset,
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
    Estop,
    /// The engine does not tick for so many milliseconds.
    EngineHangs(u16),
    /// The whole program stands still for so many milliseconds.
    HostHangs(u16),
    End,
    Drop,
}

/// What held from a moment on.
#[derive(Clone)]
struct Held {
    from: HostTime,
    armed: bool,
    master: f32,
    zones: Zones,
}

struct Show {
    kind: Kind,
    clock: ManualClock,
    projector: Projector,
    arm: Arm,
    gate: GateControl,
    stream: Option<Stream>,
    control: StreamControl,
    worker: Worker,
    reports_in: ReportReceiver,
    reports_out: ReportSender,
    artist: Artist,
    reports_lost: f32,
    next_tick: HostTime,
    engine_hangs_until: HostTime,
    plug_back_at: Option<HostTime>,
    master: f32,
    epoch: u32,
    ticked: HostTime,
    /// What the test knows.
    held: Vec<Held>,
    generation: u64,
    was_armed: bool,
    ticks: Vec<HostTime>,
    cuts: Vec<HostTime>,
    /// When the host stood still.
    hangs: Vec<(HostTime, HostTime)>,
    trips: Vec<Trip>,
    expected: Vec<(HostTime, TripReason)>,
    untold: usize,
    estop: Option<HostTime>,
    estops: Vec<(HostTime, Option<HostTime>)>,
    shown: Vec<Light>,
}

impl Show {
    fn new(kind: Kind, settings: &GateSettings, pps: u32, seed: u64) -> Self {
        let clock = ManualClock::starting_at(T0);
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let (backend, projector): (Box<dyn Backend>, _) = match kind {
            Kind::InProcess { ppm } => {
                let options = SimOptions { ppm: f64::from(ppm), ..SimOptions::default() };
                let device = InProcess::new("sim:", options).unwrap();
                let tap = device.tap();
                (Box::new(device), Projector::InProcess(tap))
            }
            Kind::EtherDream { generation, ppm, delay_ms, jitter_ms, limit } => {
                let eye = Eye::default();
                let device =
                    Device::new(generation, None, f64::from(ppm), Some(Box::new(eye.clone())));
                let announcement = device.announcement();
                let bench = Bench::new(device);
                let plan = FaultPlan {
                    delay: MS * u32::from(delay_ms),
                    jitter: MS * u32::from(jitter_ms),
                    write_limit: limit.map(usize::from),
                    seed,
                    ..FaultPlan::default()
                };
                let dial = Box::new(Fault::new(bench.clone(), plan));
                let driver =
                    EtherDream::over("ether-dream://bench", dial, shared).announced(&announcement);
                (Box::new(driver), Projector::EtherDream(bench, eye))
            }
        };
        let capabilities = backend.presumed();
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
            projector,
            gate: gate_control,
            control: stream.control(),
            stream: Some(stream),
            worker,
            reports_in,
            reports_out,
            artist: Artist::new(seed),
            reports_lost: 0.0,
            next_tick: T0,
            engine_hangs_until: T0,
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
            trips: Vec::new(),
            expected: Vec::new(),
            untold: 0,
            estop: None,
            estops: Vec::new(),
            arm,
            shown: Vec::new(),
        }
    }

    fn now(&self) -> HostTime {
        self.clock.now()
    }

    fn run(&mut self, duration: Duration) {
        let end = self.now() + duration;
        while self.now() < end {
            self.step();
        }
    }

    /// One millisecond.
    fn step(&mut self) {
        let now = self.now();
        if self.plug_back_at.is_some_and(|at| at <= now) {
            self.plug_back_at = None;
            self.projector.plug(now, true);
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
        self.worker.step(now);
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
        let shown = self.projector.shown(now);
        self.shown.extend(shown);
    }

    fn takes_light(&mut self, reason: TripReason, latches: bool) {
        let newly_stopped = latches && !self.arm.is_stopped();
        if self.arm.is_armed() || newly_stopped {
            self.expected.push((self.now(), reason));
        }
    }

    fn does(&mut self, deed: &Deed) {
        let now = self.now();
        match deed {
            Deed::Wait(ms) => self.run(MS * u32::from(*ms)),
            Deed::Arm => {
                let _refused_while_stopped = self.arm.arm(now);
            }
            Deed::Disarm => {
                self.takes_light(TripReason::Operator, false);
                self.control.disarm(now);
            }
            Deed::Rearm => {
                self.takes_light(TripReason::Operator, false);
                self.control.disarm(now);
                let _refused_while_stopped = self.arm.arm(now);
            }
            Deed::Stop => {
                self.takes_light(TripReason::Stop, true);
                self.arm.stop(now, TripReason::Stop);
            }
            Deed::Reset => {
                self.projector.let_go_of_estop(now);
                self.control.reset_device_estop();
                self.arm.reset_stop();
                if let Some(pressed) = self.estop.take() {
                    self.estops.push((pressed, Some(now)));
                }
                // No hand presses again before the device thread has looked.
                self.run(LOOK);
            }
            Deed::Master(master) => {
                self.gate.master().set(*master);
                self.master = self.gate.master().get();
            }
            Deed::Zones(zones) => {
                let settings = GateSettings { zones: **zones, ..*self.gate.settings() };
                self.gate.send(&settings);
            }
            Deed::Rate(pps) => self.control.set_pps(*pps).unwrap(),
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
                self.cuts.push(now);
                self.projector.plug(now, false);
                self.plug_back_at = Some(now + MS * u32::from(*ms));
            }
            Deed::Starve => self.projector.starve(now),
            Deed::Estop => {
                self.projector.press_estop(now);
                self.estop = self.estop.or(Some(now));
            }
            Deed::EngineHangs(ms) => self.engine_hangs_until = now + MS * u32::from(*ms),
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

// --- The rules -----------------------------------------------------------------------------------------------

/// What held during `from..=to`, oldest first.
fn held_in(held: &[Held], from: HostTime, to: HostTime) -> &[Held] {
    let first = held.partition_point(|one| one.from <= from).saturating_sub(1);
    let end = held.partition_point(|one| one.from <= to);
    &held[first..end]
}

fn judge(show: &Show, settings: &GateSettings) -> Result<(), TestCaseError> {
    let profile = settings.profile;
    let step_of = |light: &Light, next: &Light| next.at.secs_since(light.at);
    let shown = &show.shown;
    let mut begun: HashMap<u32, usize> = HashMap::new();
    for (k, light) in shown.iter().enumerate() {
        let point = light.point;
        let since = light.at.nanos_since(T0);
        // Rule 3.
        prop_assert!(point.is_in_range(), "{:?}", light);
        // A point stays until the next one of its run.
        let next = shown.get(k + 1).filter(|next| next.run == light.run);
        let place = begun.entry(light.run).or_insert(0);
        let since_begin = *place;
        *place += 1;

        if light.is_lit() {
            // Rules 1, 2 and 8: what was on its way when light was taken away never shines for longer than the
            // device thread needs to look and to tell the device.
            let alone = show.kind.plays_on_alone();
            let cut = show.cuts.iter().any(|cut| light.at > *cut && light.at <= *cut + alone);
            // Nor can a host that stands still: the device shows what it holds.
            let hung =
                show.hangs.iter().filter(|(from, to)| light.at > *from && light.at <= *to + MS * 3);
            let hung: Duration = hung.map(|(from, to)| to.since(*from)).sum();
            let alone = if cut { alone } else { Duration::ZERO };
            let grace = alone + hung + LOOK + show.kind.way_there() + MS;
            let held = held_in(&show.held, light.at - grace, light.at);
            prop_assert!(held.iter().any(|one| one.armed), "light while disarmed at {} ns", since);
            let ticks = show.ticks.partition_point(|tick| *tick <= light.at);
            let silent = light.at.since(show.ticks[ticks.max(1) - 1]);
            prop_assert!(silent <= Arm::DEAD_MAN + grace, "light {:?} after the last tick", silent);
            for &(pressed, reset) in show.estops.iter().chain(&show.estop.map(|at| (at, None))) {
                let dark =
                    light.at > pressed + MS + hung && reset.is_none_or(|reset| light.at < reset);
                prop_assert!(!dark, "light at {} ns in emergency stop", since);
            }

            // Rules 4 and 7, under any settings that points on their way may have been made with.
            let held = held_in(&show.held, light.at - ON_THE_WAY, light.at);
            let master = held.iter().map(|one| one.master).fold(0.0, f32::max);
            let gain = held.iter().map(|one| nearby_gain(&one.zones, point)).fold(0.0, f32::max);
            prop_assert!(gain > 0.0, "light in a blocked zone: {:?}", light);
            // The rounding of the wire may step off the ridge of a soft edge.
            let most = 65_535.0 * master * gain + 30.0;
            let drive = f32::from(point.peak().max(point.i));
            prop_assert!(drive <= most, "{} above {} at {:?}", drive, most, light);

            // Rule 7: every run of the mirrors begins dark, until they have settled.
            let first = shown[k - since_begin].at;
            let settled = profile.full_swing_s().max(0.001);
            let dark = light.at.secs_since(first) + 2e-5;
            prop_assert!(dark >= f64::from(settled) * 0.99, "light {} s after a start", dark);
        }

        // Rule 6, in time: the step to this point is made while it is shown.
        if since_begin >= 2
            && let Some(next) = next
        {
            let (before, last) = (&shown[k - 2], &shown[k - 1]);
            let (new_s, old_s) = (step_of(light, next), step_of(last, light));
            for axis in 0..2 {
                let at = |light: &Light| f64::from([light.point.x, light.point.y][axis]);
                let step = at(light) - at(last);
                let kept = (at(last) - at(before)) * new_s / old_s;
                // Wire positions have 16 bits.
                let most = f64::from(profile.max_speed) * new_s * 1.002 + 7e-5;
                prop_assert!(step.abs() <= most, "step {} above {} at {:?}", step, most, light);
                let change = f64::from(profile.max_acceleration) * new_s * new_s * 1.01
                    + 1.4e-4 * (1.0 + new_s / old_s);
                prop_assert!(
                    (step - kept).abs() <= change,
                    "change {} above {} at {:?} after {:?} {:?}",
                    step - kept,
                    change,
                    light,
                    last,
                    before
                );
            }
        }
    }
    still_light_is_short(shown, &settings.dwell)?;

    // Rule 9.
    prop_assert_eq!(show.untold, 0, "light was taken away without a word");
    for &(at, reason) in &show.expected {
        let told = show.trips.iter().any(|trip| trip.at == at && trip.reason == reason);
        prop_assert!(told, "{:?} at {} is not in {:?}", reason, at, show.trips);
    }
    Ok(())
}

/// The highest zone gain within the rounding of the wire.
fn nearby_gain(zones: &Zones, point: LaserPoint) -> f32 {
    let near = [(0.0, 0.0), (1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)];
    near.iter()
        .map(|(x, y)| zones.gain([point.x + 4e-5 * x, point.y + 4e-5 * y]))
        .fold(0.0, f32::max)
}

/// Rule 5: no unbroken lit run stays near where it began for longer than the dwell time.
fn still_light_is_short(shown: &[Light], limit: &DwellLimit) -> Result<(), TestCaseError> {
    let Some(protected) = limit.protected else { return Ok(()) };
    let mut first = 0;
    while first < shown.len() {
        let origin = &shown[first];
        let still = |light: &&Light| {
            let point = light.point;
            let away = (point.x - origin.point.x).hypot(point.y - origin.point.y);
            light.is_lit()
                && light.run == origin.run
                && protected.contains([point.x, point.y])
                && away <= limit.still_radius
        };
        let last = shown[first..].iter().take_while(still).last();
        if let Some(last) = last {
            let stood = last.at.secs_since(origin.at);
            prop_assert!(stood <= f64::from(limit.max_dwell_s), "still for {} s", stood);
        }
        // Each quarter of the still radius is enough to look at; every point would be quadratic.
        first += 7;
    }
    Ok(())
}

// --- Random shows --------------------------------------------------------------------------------------------

fn drawing() -> impl Strategy<Value = Drawing> {
    prop_oneof![
        2 => any::<bool>().prop_map(|nonsense| Drawing::Noise { nonsense }),
        1 => (-1.0_f32..1.0, -1.0_f32..1.0).prop_map(|(x, y)| Drawing::Dot { x, y }),
        2 => (0.001_f32..1.0, 30_u32..2000)
            .prop_map(|(radius, points)| Drawing::Circle { radius, points }),
        1 => (1.0_f32..20.0).prop_map(|hz| Drawing::Strobe { hz }),
        3 => (0_usize..100).prop_map(Drawing::Preset),
        1 => Just(Drawing::Lazy),
    ]
}

fn zones() -> impl Strategy<Value = Zones> {
    let shape = (-1.0_f32..1.0, -1.0_f32..1.0, 0.1_f32..1.0, 0.1_f32..1.0)
        .prop_map(|(x, y, w, h)| Shape::Rect { low: [x, y], high: [x + w, y + h] });
    let effect = prop_oneof![
        2 => Just(Effect::Allowed),
        2 => Just(Effect::Blocked),
        1 => (0.0_f32..1.0).prop_map(Effect::Attenuated)
    ];
    prop::collection::vec((shape, effect, 0.0_f32..0.3), 0..4).prop_map(|list| {
        let mut zones = Zones::default();
        for (shape, effect, soft_edge) in list {
            zones.add(Zone { shape, effect, soft_edge }).unwrap();
        }
        zones
    })
}

fn rate() -> impl Strategy<Value = u32> {
    prop_oneof![3 => Just(30_000_u32), 2 => 8_000_u32..60_000, 1 => Just(100_000_u32)]
}

fn mounting() -> impl Strategy<Value = Mounting> {
    let colours = prop::sample::select(vec!["rgb", "bgr", "iii", "g-r-", "rrr"]);
    let turn = prop_oneof![Just(0.0_f32), Just(90.0), -360.0_f32..360.0];
    (any::<[bool; 3]>(), turn, colours).prop_map(
        |([swap_xy, invert_x, invert_y], turn, colours)| {
            let colours = colours.parse().unwrap();
            Mounting { swap_xy, invert_x, invert_y, rotate_degrees: turn, colours }
        },
    )
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        10 => (0_u16..120).prop_map(Deed::Wait),
        6 => Just(Deed::Arm),
        2 => Just(Deed::Disarm),
        1 => Just(Deed::Rearm),
        1 => Just(Deed::Stop),
        3 => Just(Deed::Reset),
        2 => prop_oneof![0.0_f32..1.0, Just(1.0), Just(f32::NAN)].prop_map(Deed::Master),
        1 => zones().prop_map(|zones| Deed::Zones(Box::new(zones))),
        2 => rate().prop_map(Deed::Rate),
        3 => drawing().prop_map(Deed::Draw),
        1 => mounting().prop_map(Deed::Mount),
        2 => Just(Deed::Seek),
        1 => Just(Deed::SurfaceGone),
        1 => (0_u16..400).prop_map(Deed::Unplug),
        1 => Just(Deed::Starve),
        1 => Just(Deed::Estop),
        1 => (20_u16..300).prop_map(Deed::EngineHangs),
        1 => (5_u16..200).prop_map(Deed::HostHangs),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    let ether_dream = (any::<bool>(), -1000_i16..1000, 0_u8..6, 0_u8..6, any::<bool>()).prop_map(
        |(one, ppm, delay_ms, jitter_ms, limited)| Kind::EtherDream {
            generation: if one { Generation::One } else { Generation::Two },
            ppm,
            delay_ms,
            jitter_ms,
            limit: limited.then_some(4000),
        },
    );
    prop_oneof![(-1000_i16..1000).prop_map(|ppm| Kind::InProcess { ppm }), ether_dream]
}

fn settings() -> impl Strategy<Value = GateSettings> {
    let dwell = (0.002_f32..0.03, 0.004_f32..0.05);
    (zones(), prop::sample::select(GalvoProfile::ALL.to_vec()), dwell).prop_map(
        |(zones, profile, (still_radius, max_dwell_s))| GateSettings {
            zones,
            profile,
            dwell: DwellLimit { protected: Some(Shape::FIELD), still_radius, max_dwell_s },
        },
    )
}

fn ending() -> impl Strategy<Value = Deed> {
    prop_oneof![Just(Deed::Wait(0)), Just(Deed::End), Just(Deed::Drop)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 400, ..ProptestConfig::default() })]

    /// Design §5, all rules, on what the projector showed. LR-18: also after the end, a drop and a loss.
    #[test]
    fn every_rule_holds_for_what_a_projector_shows(
        kind in kind(),
        settings in settings(),
        pps in rate(),
        first in drawing(),
        deeds in prop::collection::vec(deed(), 4..40),
        ending in ending(),
        reports_lost in prop_oneof![2 => Just(0.0_f32), 1 => 0.0_f32..0.9],
        seed in any::<u64>(),
    ) {
        let mut show = Show::new(kind, &settings, pps, seed);
        show.reports_lost = reports_lost;
        // Most shows begin with light: an unarmed one proves little.
        for deed in [Deed::Draw(first), Deed::Wait(60), Deed::Master(1.0), Deed::Arm, Deed::Wait(80)] {
            show.does(&deed);
        }
        for deed in &deeds {
            show.does(deed);
        }
        show.does(&ending);
        // An end plays out what is queued, or is tired of waiting for it after a second.
        show.run(MS * 1_300);
        judge(&show, &settings)?;
        if !matches!(ending, Deed::Wait(_)) {
            prop_assert!(!show.arm.is_armed());
        }
    }
}

// --- Single rules --------------------------------------------------------------------------------------------

fn kinds() -> [Kind; 3] {
    let ether_dream = |generation| Kind::EtherDream {
        generation,
        ppm: 200,
        delay_ms: 0,
        jitter_ms: 0,
        limit: None,
    };
    [Kind::InProcess { ppm: -200 }, ether_dream(Generation::One), ether_dream(Generation::Two)]
}

/// A show that shines.
fn shining(kind: Kind, drawing: Drawing) -> Show {
    let mut show = Show::new(kind, &GateSettings::default(), 30_000, 7);
    show.does(&Deed::Draw(drawing));
    show.does(&Deed::Wait(60));
    show.does(&Deed::Arm);
    show.does(&Deed::Wait(300));
    assert!(show.shown.iter().rev().take(3_000).any(Light::is_lit), "{kind:?} shines");
    show
}

const CIRCLE: Drawing = Drawing::Circle { radius: 0.5, points: 300 };

fn last_light(show: &Show) -> HostTime {
    show.shown.iter().rfind(|light| light.is_lit()).unwrap().at
}

/// Design §5.1: disarmed at the start, and dark.
#[test]
fn a_projector_shows_nothing_before_it_is_armed() {
    for kind in kinds() {
        let mut show = Show::new(kind, &GateSettings::default(), 30_000, 1);
        show.does(&Deed::Draw(CIRCLE));
        show.run(MS * 500);
        assert!(show.shown.len() > 10_000, "{kind:?} shows dark points");
        assert!(!show.shown.iter().any(Light::is_lit));
    }
}

/// Design §5.4: zones apply after every transform.
#[test]
fn zones_hold_in_the_projectors_own_field_however_it_hangs() {
    let upper = Shape::Rect { low: [-1.0, 0.0], high: [1.0, 1.0] };
    let mut zones = Zones::default();
    zones.add(Zone { shape: upper, effect: Effect::Allowed, soft_edge: 0.0 }).unwrap();
    let colours = "-r-".parse().unwrap();
    let plain = Mounting { colours, ..Mounting::default() };
    let mountings = [
        plain,
        Mounting { invert_y: true, ..plain },
        Mounting { rotate_degrees: 137.0, ..plain },
        Mounting { swap_xy: true, ..plain },
    ];
    for kind in kinds() {
        for mounting in mountings {
            let mut show = shining(kind, Drawing::Circle { radius: 0.8, points: 600 });
            show.does(&Deed::Zones(Box::new(zones)));
            show.does(&Deed::Mount(mounting));
            show.run(MS * 300);
            show.shown.clear();
            show.run(MS * 300);
            let lit: Vec<_> = show.shown.iter().filter(|light| light.is_lit()).collect();
            assert!(lit.len() > 3_000, "{kind:?} {mounting:?}: {} lit", lit.len());
            for light in lit {
                assert!(light.point.y > -1e-4, "{kind:?} {mounting:?}: {light:?}");
                assert!(light.point.g > 0 && light.point.r == 0 && light.point.b == 0);
            }
        }
    }
}

/// What is wide becomes high.
#[test]
fn an_exchange_of_axes_reaches_the_mirrors() {
    for kind in kinds() {
        let mut show = shining(kind, Drawing::Lazy);
        show.does(&Deed::Mount(Mounting { swap_xy: true, ..Mounting::default() }));
        show.run(MS * 300);
        show.shown.clear();
        show.run(MS * 300);
        let far = |axis: fn(&LaserPoint) -> f32| {
            show.shown.iter().map(|light| axis(&light.point).abs()).fold(0.0, f32::max)
        };
        let (wide, high) = (far(|point| point.x), far(|point| point.y));
        assert!(wide < 0.5 && high > 0.9, "{kind:?}: {wide} wide, {high} high");
    }
}

/// Design §5.2: a disarm acts when the device thread looks next, on the device's own queue too.
#[test]
fn a_disarm_is_dark_within_one_look_and_one_point() {
    for kind in kinds() {
        let mut show = shining(kind, CIRCLE);
        let at = show.now();
        show.does(&Deed::Disarm);
        show.run(MS * 300);
        let late = last_light(&show).nanos_since(at);
        assert!(late <= 34_000, "{kind:?}: light {late} ns after the disarm");
    }
}

/// Design §5.8, with the queues that were full when the engine fell silent.
#[test]
fn a_silent_engine_is_dark_after_a_tenth_of_a_second() {
    for kind in kinds() {
        let mut show = shining(kind, CIRCLE);
        let ticked = show.ticked;
        show.does(&Deed::EngineHangs(2_000));
        show.run(MS * 500);
        assert!(!show.arm.is_armed());
        assert!(last_light(&show) <= ticked + Arm::DEAD_MAN + LOOK, "{kind:?}");
    }
}

/// Design §5.8 and §5.9: a surface that is gone takes the light with it, and says so.
#[test]
fn a_surface_that_is_gone_trips_and_is_dark() {
    for kind in kinds() {
        let mut show = shining(kind, CIRCLE);
        let at = show.now();
        show.does(&Deed::SurfaceGone);
        show.run(MS * 200);
        assert!(last_light(&show) <= at + MS, "{kind:?}");
        assert_eq!(show.trips.last().unwrap().reason, TripReason::SurfaceGone);
    }
}

/// Design §5.1: a panic of what draws ends in the dark, queues included. LR-18.
#[test]
fn a_panic_while_drawing_is_dark() {
    for kind in kinds() {
        let mut show = shining(kind, CIRCLE);
        let at = show.now();
        let mut stream = show.stream.take().unwrap();
        let mut broken = |_: &FillRequest, _: &mut [LaserPoint]| -> FillResult { panic!("a bug") };
        let run = std::panic::AssertUnwindSafe(move || stream.fill_from(at, &mut broken));
        assert!(std::panic::catch_unwind(run).is_err());
        show.run(MS * 200);
        assert!(last_light(&show) <= at + MS, "{kind:?}");
        assert!(!show.arm.is_armed());
        assert_eq!(show.trips.last().unwrap().reason, TripReason::Panic);
    }
}

/// Design §4.5: a rate rides with its points. However steep the fall, the device does not run dry, the change comes
/// with the points that were still to be made, and light stays on.
#[test]
fn a_rate_change_of_any_size_reaches_the_mirrors_without_a_break() {
    for kind in kinds() {
        for (from, to) in [(60_000, 5_000), (30_000, 15_000), (8_000, 90_000), (30_000, 29_000)] {
            let mut show = Show::new(kind, &GateSettings::default(), from, 7);
            show.does(&Deed::Draw(Drawing::Dot { x: 0.1, y: 0.1 }));
            show.run(MS * 500);
            let run = show.shown.last().unwrap().run;
            let at = show.now();
            show.does(&Deed::Rate(to));
            show.run(MS * 500);
            let changed = show.shown.windows(2).find(|pair| {
                let pps = 1.0 / pair[1].at.secs_since(pair[0].at);
                pair[0].at > at && (pps / f64::from(to) - 1.0).abs() < 0.01
            });
            let took = changed.unwrap()[0].at.since(at);
            assert!(took <= MS * 60, "{kind:?} {from} to {to}: {took:?}");
            assert_eq!(show.shown.last().unwrap().run, run, "{kind:?} {from} to {to}: ran dry");
        }
    }
}

/// Photosensitivity: a strobe of the whole picture is warned of, a steady picture is not.
#[test]
fn a_strobe_above_three_hertz_warns() {
    for kind in kinds() {
        for (drawing, warns) in [
            (Drawing::Strobe { hz: 8.0 }, true),
            (Drawing::Strobe { hz: 1.5 }, false),
            (Drawing::Circle { radius: 0.9, points: 300 }, false),
        ] {
            let mut show = shining(kind, drawing);
            show.run(MS * 4_000);
            let warnings = show.gate.meters().counts().flash_warnings;
            assert_eq!(warnings > 0, warns, "{kind:?} {drawing:?}: {warnings}");
        }
    }
}
