//! Every kind of projector in every kind of trouble: one table of what then happens, in virtual time.

mod dark;
mod projector;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use galvo::dac::{Worker, WorkerParts, WorkerState};
use galvo::point::{Colour, LaserPoint};
use galvo::safety::arm::Refused;
use galvo::safety::{Arm, Gate, TripReason};
use galvo::stream::{FillRequest, FillResult, MediaMap, Stream, StreamConfig, link};
use galvo::time::{Clock, HostTime, ManualClock, MediaTime};

use self::projector::{Eye, Hands, Kind, Line, plug_in};

const PPS: u32 = 30_000;
const MS: Duration = Duration::from_millis(1);
const START: HostTime = HostTime::from_nanos(1_000_000_000);
/// An audio period.
const TICK: Duration = Duration::from_millis(5);
/// The music flashes: so long light, so long dark.
const FLASH_NS: i64 = 125_000_000;
/// Darkness as short as this is a hole in a flash, not its end.
const HOLE: Duration = Duration::from_millis(60);
/// What is seen so soon after a start or a fault is not judged for its time.
const SETTLE: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Clean,
    Delay,
    Loss,
    Reorder,
    Cut,
    Estop,
    /// Reset and armed while the emergency stop still holds, then let go of, then ended by another program.
    EstopArmed,
    Underflow,
    OverRate,
    Fast,
    Slow,
}

impl Trouble {
    const ALL: [(Self, &'static str); 11] = [
        (Self::Clean, "clean"),
        (Self::Delay, "delay 30 ms"),
        (Self::Loss, "loss 5 %"),
        (Self::Reorder, "reorder 5 %"),
        (Self::Cut, "cut and return"),
        (Self::Estop, "e-stop"),
        (Self::EstopArmed, "armed in e-stop"),
        (Self::Underflow, "underflow"),
        (Self::OverRate, "over-rate"),
        (Self::Fast, "+500 ppm"),
        (Self::Slow, "-500 ppm"),
    ];

    /// Nothing but datagrams is lost or overtaken, and not every kind has an emergency stop.
    const fn befalls(self, kind: Kind) -> bool {
        match self {
            Self::Loss | Self::Reorder => kind.is_udp(),
            Self::EstopArmed => kind.has_estop(),
            _ => true,
        }
    }
}

/// A whole projector: a stream, its device thread stepped by hand, and a device.
struct Rig {
    clock: ManualClock,
    hands: Box<dyn Hands>,
    eye: Eye,
    arm: Arm,
    stream: Stream,
    worker: Worker,
    max_pps: u32,
    next_tick: HostTime,
    next_step: HostTime,
    next_look: HostTime,
    /// The device thread is held up for 30 ms at these times.
    next_hold: Option<HostTime>,
    engine_hangs_until: HostTime,
    /// The engine's last sign of life.
    beat_at: HostTime,
    /// When a wait for steady light began anew.
    unsettled: Vec<HostTime>,
}

/// The music: light in its even eighths of a second. A circle in 10 ms, which every gate lets pass.
fn flashes(request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
    let n = request.target_points.min(buffer.len());
    for (k, point) in buffer[..n].iter_mut().enumerate() {
        let turn = (request.start.0 + k as u64) as f32 * 100.0 / request.pps as f32;
        let (y, x) = (turn.fract() * std::f32::consts::TAU).sin_cos();
        let media = request.media_at(k).as_nanos();
        *point = LaserPoint::blank(0.5 * x, 0.5 * y);
        if media.rem_euclid(2 * FLASH_NS) < FLASH_NS {
            *point = LaserPoint::lit(0.5 * x, 0.5 * y, Colour::WHITE);
        }
    }
    FillResult::Filled(n)
}

impl Rig {
    fn new(kind: Kind, trouble: Trouble) -> Self {
        let mut line = Line::default();
        match trouble {
            Trouble::Delay if kind.is_network() => line.delay = MS * 15,
            Trouble::Loss => line.loss = 0.05,
            Trouble::Reorder => line.reorder = 0.05,
            Trouble::Fast => line.ppm = 500.0,
            Trouble::Slow => line.ppm = -500.0,
            _ => {}
        }
        let clock = ManualClock::starting_at(START);
        let (backend, hands, eye) = plug_in(kind, line, &clock);
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
            clock: Arc::new(clock.clone()),
            seed: 1,
        });
        let held_up = trouble == Trouble::Delay && !kind.is_network();
        Self {
            clock,
            hands,
            eye,
            arm,
            stream,
            worker,
            max_pps: presumed.max_pps,
            next_tick: START,
            next_step: START,
            next_look: START,
            next_hold: held_up.then_some(START + SETTLE),
            engine_hangs_until: START,
            beat_at: START,
            unsettled: Vec::new(),
        }
    }

    fn now(&self) -> HostTime {
        self.clock.now()
    }

    fn step(&mut self) {
        while self.next_tick <= self.now() {
            let now = self.next_tick;
            if now >= self.engine_hangs_until {
                self.stream.set_media_map(MediaMap {
                    epoch: 0,
                    host: now,
                    media: MediaTime::from_nanos(now.nanos_since(START)),
                    rate: 1.0,
                    light_offset_ns: 0,
                });
                self.stream.fill_from(self.now(), &mut flashes);
                self.beat_at = self.now();
            }
            self.next_tick += TICK;
        }
        if self.next_hold.is_some_and(|hold| hold <= self.now()) {
            self.next_hold = Some(self.now() + MS * 500);
            self.next_step = self.now() + MS * 30;
        }
        if self.next_step <= self.now() {
            self.next_step = self.worker.step(self.now()).max(self.now() + MS / 4);
        }
        if self.next_look <= self.now() {
            self.next_look = self.hands.advance(self.now());
        }
        self.clock.sleep_until(self.next_tick.min(self.next_step).min(self.next_look));
    }

    fn run(&mut self, ms: u32) {
        let end = self.now() + MS * ms;
        while self.now() < end {
            self.step();
        }
        self.next_look = self.hands.advance(self.now());
    }

    fn arms(&mut self) {
        self.arm.arm(self.now()).unwrap();
        self.unsettled.push(self.now());
    }

    /// An operator resets the stop, and the device's own.
    fn resets(&self) {
        self.stream.control().reset_device_estop();
        self.arm.reset_stop();
    }

    fn state(&self) -> WorkerState {
        self.worker.status().view().state
    }

    fn was_lit_within(&self, from: HostTime, to: HostTime) -> bool {
        self.eye.0.lock().unwrap().iter().any(|(at, lit)| *lit && *at > from && *at <= to)
    }

    fn last_light(&self) -> Option<HostTime> {
        let seen = self.eye.0.lock().unwrap();
        seen.iter().rev().find(|(_, lit)| *lit).map(|(at, _)| *at)
    }
}

/// What a run showed.
#[derive(Default)]
struct Outcome {
    lit_s: f64,
    /// Light after the fault, ms, where there has to be an end of it.
    dark_after_ms: Option<f64>,
    disarmed: Option<bool>,
    reconnects: u64,
    underflows: u64,
    /// Flashes seen to begin, and how far from the sound: median and 90th percentile of its size, ms.
    sync: Option<(f64, f64)>,
    ppm: f64,
}

fn run(kind: Kind, trouble: Trouble) -> Outcome {
    let mut rig = Rig::new(kind, trouble);
    let mut outcome = Outcome::default();
    rig.run(1_000);
    assert_eq!(rig.state(), WorkerState::Ready, "{kind:?} {trouble:?}");
    assert!(rig.last_light().is_none(), "{kind:?} {trouble:?}: light before it was armed");
    rig.arms();
    rig.run(4_000);
    let fault = rig.now();
    let dark_after = |rig: &Rig| {
        let last = rig.last_light().unwrap();
        Some(last.nanos_since(fault).max(0) as f64 * 1e-6)
    };
    match trouble {
        Trouble::Cut => {
            rig.hands.plug(fault, false);
            rig.run(1_800);
            // A surface looks sixty times a second: what is Lost now is in its list within two seconds.
            assert_eq!(rig.state(), WorkerState::Lost, "{kind:?}: the failure is not told");
            assert!(rig.worker.status().view().fault.is_some());
            // Armed while it is away: it returns dark all the same.
            let _ = rig.arm.arm(rig.now());
            rig.run(700);
            outcome.dark_after_ms = dark_after(&rig);
            rig.hands.plug(rig.now(), true);
            rig.run(4_500);
            let dark = dark_after(&rig) == outcome.dark_after_ms;
            outcome.disarmed = Some(dark && !rig.arm.is_armed());
            assert_eq!(rig.state(), WorkerState::Ready, "{kind:?} returns");
            rig.arms();
        }
        Trouble::Estop => {
            let latches = rig.hands.estop(fault, true);
            if !latches {
                rig.arm.stop(fault, TripReason::Stop);
            }
            rig.run(500);
            let made = rig.stream.position().0;
            rig.run(1_000);
            let made = rig.stream.position().0 - made;
            assert!(
                made < 11 * u64::from(PPS) / 10,
                "{kind:?}: {made} points in a second of e-stop"
            );
            rig.hands.estop(rig.now(), false);
            rig.run(1_000);
            let refused = rig.arm.arm(rig.now()).is_err();
            outcome.dark_after_ms = dark_after(&rig);
            rig.resets();
            rig.run(1_000);
            let dark = dark_after(&rig) == outcome.dark_after_ms;
            outcome.disarmed = Some(refused && dark && !rig.arm.is_armed());
            rig.arms();
        }
        Trouble::EstopArmed => {
            assert!(rig.hands.estop(fault, true), "{kind:?} has an emergency stop");
            rig.run(500);
            rig.resets();
            rig.run(1_000);
            let told = rig.worker.status().view().fault.clone().unwrap_or_default();
            assert!(told.contains("the interlock is still open"), "{kind:?}: {told}");
            let mut refused = rig.arm.arm(rig.now()) == Err(Refused::EmergencyStop);
            rig.hands.estop(rig.now(), false);
            rig.run(300);
            refused &= rig.state() == WorkerState::Ready || rig.arm.arm(rig.now()).is_err();
            rig.hands.intrude(rig.now());
            rig.run(1_000);
            let dark_by_itself = !rig.arm.is_armed();
            outcome.dark_after_ms = dark_after(&rig);
            rig.resets();
            rig.run(1_000);
            assert_eq!(rig.state(), WorkerState::Ready, "{kind:?} after the second reset");
            let dark = dark_after(&rig) == outcome.dark_after_ms;
            outcome.disarmed = Some(refused && dark_by_itself && dark && !rig.arm.is_armed());
            rig.arms();
        }
        Trouble::Underflow => {
            // Counted from its last sign of life: by the phase of its ticks it would be the dead-man's affair.
            rig.engine_hangs_until = rig.beat_at + MS * 90;
            rig.unsettled.push(fault);
        }
        Trouble::OverRate => {
            assert!(rig.stream.control().set_pps(rig.max_pps + 1).is_err());
            rig.stream.control().set_pps(rig.max_pps).unwrap();
            rig.unsettled.push(fault);
        }
        _ => {}
    }
    let again = rig.now();
    rig.run(3_000);
    assert!(rig.was_lit_within(again + MS * 2_000, rig.now()), "{kind:?} {trouble:?}: no light");
    let (lit_s, sync) = judge(&rig);
    let stats = rig.stream.control().stats().clone();
    let counts = stats.read();
    outcome.lit_s = lit_s;
    outcome.sync = sync;
    outcome.reconnects = counts.reconnects;
    outcome.underflows = counts.device_underflows;
    outcome.ppm = stats.sync().projector_ppm;
    outcome
}

/// Seconds of light, and how far from the sound its flashes began.
fn judge(rig: &Rig) -> (f64, Option<(f64, f64)>) {
    let seen = rig.eye.0.lock().unwrap();
    let mut lit_s = 0.0;
    let mut errors = Vec::new();
    let mut last_lit = START;
    for pair in seen.windows(2) {
        let [(at, lit), (next, lit_next)] = pair else { unreachable!() };
        if *lit {
            lit_s += next.secs_since(*at).min(0.001);
        }
        let settled = rig.unsettled.iter().all(|from| *next < *from || *next > *from + SETTLE);
        if *lit {
            last_lit = *at;
        }
        if *lit_next && next.since(last_lit) > HOLE && settled {
            let into = next.nanos_since(START).rem_euclid(2 * FLASH_NS);
            let error = if into > FLASH_NS { into - 2 * FLASH_NS } else { into };
            errors.push(error as f64 * 1e-6);
        }
    }
    errors.sort_unstable_by(f64::total_cmp);
    let mut sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let sync = (!errors.is_empty())
        .then(|| (errors[errors.len() / 2], sizes[(sizes.len() - 1) * 90 / 100]));
    (lit_s, sync)
}

/// The class of an error: what it is below, ms.
fn class(ms: f64) -> String {
    let bound = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0].into_iter().find(|bound| ms.abs() <= *bound);
    bound.map_or("> 20".to_owned(), |bound| format!("≤ {bound}"))
}

#[test]
fn every_projector_comes_through_every_trouble_as_the_table_says() {
    let mut table = String::from(
        "kind            trouble         |  lit s | dark after | disarmed | reconnects | underflows | sync p50 | p90 ms | ppm\n",
    );
    for kind in Kind::ALL {
        for (trouble, name) in Trouble::ALL {
            if !trouble.befalls(kind) {
                continue;
            }
            let seen = run(kind, trouble);
            assert_ne!(seen.disarmed, Some(false), "{kind:?} {trouble:?} returns with light");
            let dark = seen.dark_after_ms.map_or(String::new(), |ms| format!("{ms:.0} ms"));
            let disarmed = seen.disarmed.map_or("", |yes| if yes { "yes" } else { "NO" });
            let (p50, p90) = seen.sync.unwrap_or((f64::NAN, f64::NAN));
            writeln!(
                table,
                "{:<15} {name:<15} | {:>6.0} | {dark:>10} | {disarmed:>8} | {:>10} | {:>10} | {:>8} | {:>6} | {:>5.0}",
                kind.name(),
                seen.lit_s,
                seen.reconnects,
                seen.underflows,
                class(p50),
                class(p90),
                (seen.ppm / 100.0).round() * 100.0 + 0.0,
            )
            .unwrap();
        }
    }
    println!("{table}");
    insta::assert_snapshot!(table);
}
