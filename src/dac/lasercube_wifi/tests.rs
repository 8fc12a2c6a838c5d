//! The driver and its device thread against a virtual LaserCube, in virtual time.

use std::sync::Mutex;

use super::*;
use crate::dac::link::{LinkControl, LinkReport, LinkStats, ReportReceiver, reports};
use crate::dac::simulator::Recorder;
use crate::dac::simulator::lasercube_wifi::{Bench, Device, Model};
use crate::dac::transport::{LossPlan, Lossy};
use crate::dac::worker::{Worker, WorkerParts, WorkerState};
use crate::point::{Colour, LaserPoint};
use crate::safety::{Arm, Gate, SafeSender, TripReason, queue};
use crate::time::{ManualClock, StreamInstant};
use crate::wire::lasercube_wifi::COMMAND_PORT;

const PPS: u32 = 30_000;
const MS: Duration = Duration::from_millis(1);

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(HostTime, LaserPoint)>>>);

impl Recorder for Log {
    fn shown(&mut self, at: HostTime, _index: u64, point: &LaserPoint) {
        self.0.lock().unwrap().push((at, *point));
    }
}

/// A show: a producer that keeps a queue filled, the gate, the worker, and a device on the bench.
struct Rig {
    clock: ManualClock,
    bench: Bench,
    log: Log,
    arm: Arm,
    gate: Gate,
    sender: SafeSender,
    control: LinkControl,
    stats: LinkStats,
    reports: ReportReceiver,
    last_report: LinkReport,
    worker: Worker,
    sent: u64,
    pps: u32,
    most_held: usize,
}

impl Rig {
    fn new(model: Model, plan: Option<LossPlan>) -> Self {
        let log = Log::default();
        let bench = Bench::new(Device::new(model, Some(Box::new(log.clone()))));
        let clock = ManualClock::starting_at(HostTime::from_nanos(1_000_000_000));
        let bind: Box<dyn Bind> = match plan {
            Some(plan) => Box::new(Lossy::new(bench.clone(), plan)),
            None => Box::new(bench.clone()),
        };
        let shared = Arc::new(clock.clone());
        let cube =
            LaserCube::over("lasercube-wifi://bench", Bench::HOST, COMMAND_PORT, bind, shared);
        let arm = Arm::new();
        let (sender, receiver) = queue(8192, 128, 1024, arm.clone());
        let (report_tx, reports) = reports(256);
        let control = LinkControl::new(PPS);
        // 80 ms in the device, as its driver suggests.
        control.set_device_fill(2400, 2400);
        let stats = LinkStats::default();
        let worker = Worker::new(WorkerParts {
            backend: Box::new(cube),
            receiver,
            arm: arm.clone(),
            reports: report_tx,
            control: control.clone(),
            stats: stats.clone(),
            clock: Arc::new(clock.clone()),
            seed: 1,
        });
        Self {
            gate: Gate::new(arm.clone()),
            clock,
            bench,
            log,
            arm,
            sender,
            control,
            stats,
            reports,
            last_report: LinkReport::default(),
            worker,
            sent: 0,
            pps: PPS,
            most_held: 0,
        }
    }

    fn plain() -> Self {
        Self::new(Model::default(), None)
    }

    fn now(&self) -> HostTime {
        self.clock.now()
    }

    fn held(&self) -> usize {
        self.bench.with(|device| device.mirrors().queued())
    }

    /// A circle at 100 turns a second: light that moves, which the gate's dwell limit lets pass.
    fn points(&self, len: usize) -> Vec<LaserPoint> {
        (0..len as u64)
            .map(|n| {
                let turn = (self.sent + n) as f32 / 300.0;
                let (y, x) = (turn.fract() * std::f32::consts::TAU).sin_cos();
                LaserPoint::lit(0.5 * x, 0.5 * y, Colour::WHITE)
            })
            .collect()
    }

    fn step(&mut self) {
        let now = self.now();
        self.arm.beat(now);
        while self.sender.queued_points() < 2400 {
            let mut points = self.points(160);
            let chunk = self.gate.pass(now, &mut points, StreamInstant(self.sent), self.pps);
            if !self.sender.push(&chunk) {
                break;
            }
            self.sent += 160;
        }
        self.worker.step(now);
        while let Some(report) = self.reports.next() {
            self.last_report = report;
        }
        self.most_held = self.most_held.max(self.held());
        self.clock.advance(MS);
    }

    fn run(&mut self, ms: u64) {
        let end = self.now() + MS * ms as u32;
        while self.now() < end {
            self.step();
        }
    }

    fn arm(&self) {
        self.arm.arm(self.now()).unwrap();
    }

    fn state(&self) -> WorkerState {
        self.worker.status().view().state
    }

    fn last_light(&self) -> Option<HostTime> {
        let log = self.log.0.lock().unwrap();
        log.iter().rev().find(|(_, point)| !point.is_blank()).map(|(at, _)| *at)
    }

    fn shown(&self) -> usize {
        self.log.0.lock().unwrap().len()
    }

    fn is_lit_within(&mut self, ms: u64) -> bool {
        let before = self.now();
        self.run(ms);
        self.last_light().is_some_and(|at| at > before)
    }

    /// Underflows of the device itself, once it plays.
    fn ran_empty(&self) -> u32 {
        self.bench.with(|device| device.mirrors().underflows())
    }
}

/// Both answers to what the sources leave open: does the buffer drain while the output is off?
fn both_models() -> [Model; 2] {
    [true, false].map(|drains_while_off| Model { drains_while_off, ..Model::default() })
}

#[test]
fn ten_seconds_play_without_underflow_on_a_clock_that_is_off() {
    for model in both_models() {
        for ppm in [-500.0, 500.0] {
            let mut rig = Rig::new(Model { ppm, ..model }, None);
            rig.run(300);
            rig.arm();
            rig.run(300);
            let (before, empty) = (rig.shown(), rig.ran_empty());
            rig.run(10_000);
            let counts = rig.stats.read();
            assert_eq!((counts.underflows, counts.reconnects), (0, 0), "{model:?} {ppm} ppm");
            assert_eq!(rig.ran_empty(), empty);
            let expected = 300_000.0 * (1.0 + ppm * 1e-6);
            let shown = (rig.shown() - before) as f64;
            assert!((shown - expected).abs() < 100.0, "{shown} shown");
            assert_eq!(rig.bench.with(|device| device.overruns()), 0);
            assert_eq!(rig.state(), WorkerState::Ready);
            assert!(rig.last_light().is_some());
        }
    }
}

#[test]
fn a_report_maps_stream_time_to_the_point_on_the_mirrors() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(1000);
    let report = rig.last_report;
    // Ten milliseconds of dark lead to the light, and are no points of the stream.
    let lead = i64::from(PPS / 100);
    // What was queued before the connection was made has been dropped, and counts as accepted.
    let dropped = rig.stats.read().dropped_points as i64;
    let log = rig.log.0.lock().unwrap();
    let really =
        dropped - lead + log.iter().filter(|(shown, _)| *shown <= report.at).count() as i64;
    let claimed = report.playing.unwrap().0 as i64;
    assert!((really - claimed).abs() <= 1, "{claimed} claimed, {really} shown");
    assert_eq!(report.playing_pps, Some(PPS));
}

#[test]
fn the_device_is_filled_to_what_is_asked_and_never_past_its_margin() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(2000);
    assert!((2200..=2400).contains(&rig.most_held), "{}", rig.most_held);
    // A stream that wants more than there is room for.
    rig.control.set_device_fill(50_000, 50_000);
    rig.run(2000);
    assert!((5300..=5720).contains(&rig.most_held), "{}", rig.most_held);
    assert_eq!(rig.bench.with(|device| device.overruns()), 0);
}

#[test]
fn no_more_than_sixteen_datagrams_leave_in_a_row() {
    let mut rig = Rig::plain();
    rig.control.set_device_fill(5000, 5000);
    rig.run(20);
    let mut most = 0;
    for _ in 0..500 {
        let before = rig.bench.datagrams();
        rig.step();
        most = most.max(rig.bench.datagrams() - before);
    }
    assert!(most <= 17, "{most} datagrams in one step");
}

#[test]
fn a_disarm_is_dark_within_one_step() {
    for model in both_models() {
        let mut rig = Rig::new(model, None);
        rig.arm();
        assert!(rig.is_lit_within(500), "{model:?}");
        let disarmed = rig.now();
        rig.arm.disarm(disarmed, TripReason::Operator);
        let before = rig.last_report.discontinuity;
        rig.run(300);
        let last = rig.last_light().unwrap();
        assert!(last <= disarmed, "light {} ns after the disarm", last.nanos_since(disarmed));
        assert_ne!(rig.last_report.discontinuity, before);
        // The stream goes on in the dark, and only arming lights it again.
        let sent = rig.sent;
        rig.run(300);
        assert!(rig.sent > sent + 5_000);
        rig.arm();
        assert!(rig.is_lit_within(300));
    }
}

#[test]
fn old_light_does_not_shine_after_rearming_whatever_is_lost() {
    for seed in 0..20 {
        let plan = LossPlan { loss: 0.3, jitter: MS * 8, seed, ..LossPlan::default() };
        let mut rig = Rig::new(Model::default(), Some(plan));
        rig.run(500);
        rig.arm();
        rig.run(500);
        let disarmed = rig.now();
        rig.arm.disarm(disarmed, TripReason::Operator);
        // Two sendings of each are lost once in eleven times, each way; ten milliseconds later come the next.
        rig.run(1000);
        let last = rig.last_light().unwrap_or(disarmed);
        assert!(last <= disarmed + MS * 80, "seed {seed}: {:?}", last.since(disarmed));
    }
}

#[test]
fn five_percent_of_loss_is_survived_without_underflow() {
    for (seed, model) in (0..4).flat_map(|seed| both_models().map(|model| (seed, model))) {
        let plan = LossPlan { loss: 0.05, seed, ..LossPlan::default() };
        let mut rig = Rig::new(model, Some(plan));
        rig.run(500);
        rig.arm();
        rig.run(300);
        let empty = rig.ran_empty();
        let shown = rig.shown();
        rig.run(10_000);
        let counts = rig.stats.read();
        assert_eq!((counts.underflows, counts.reconnects), (0, 0), "seed {seed} {model:?}");
        assert_eq!(rig.ran_empty(), empty);
        assert!(rig.shown() - shown > 299_000, "{}", rig.shown() - shown);
        assert_eq!(rig.bench.with(|device| device.overruns()), 0);
        let info = rig.bench.with(|device| device.info());
        assert!(info.output_enabled() && info.pps == PPS);
    }
}

#[test]
fn disorder_duplicates_and_delay_are_survived() {
    let plans = [
        LossPlan { jitter: MS * 6, seed: 1, ..LossPlan::default() },
        LossPlan { duplicates: 0.05, seed: 2, ..LossPlan::default() },
        LossPlan { delay: MS * 15, seed: 3, ..LossPlan::default() },
        LossPlan { reorder: 0.05, seed: 5, ..LossPlan::default() },
        LossPlan {
            loss: 0.02,
            duplicates: 0.02,
            reorder: 0.02,
            delay: MS * 10,
            jitter: MS * 5,
            seed: 4,
        },
    ];
    for plan in plans {
        let mut rig = Rig::new(Model::default(), Some(plan));
        rig.run(500);
        rig.arm();
        let empty = rig.ran_empty();
        rig.run(10_000);
        let counts = rig.stats.read();
        assert_eq!((counts.underflows, counts.reconnects), (0, 0), "{plan:?}");
        assert_eq!(rig.ran_empty(), empty, "{plan:?}");
        assert_eq!(rig.bench.with(|device| device.overruns()), 0);
        assert!(rig.last_light().is_some());
    }
}

#[test]
fn a_cut_network_returns_dark_and_disarmed() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(500);
    rig.bench.set_reachable(false);
    rig.run(2_500);
    assert_eq!(rig.state(), WorkerState::Lost);
    assert!(!rig.arm.is_armed() && !rig.last_report.connected);
    // Armed while it is away: it still returns dark.
    rig.arm();
    rig.bench.set_reachable(true);
    assert!(!rig.is_lit_within(4_000));
    assert_eq!(rig.state(), WorkerState::Ready);
    assert!(!rig.arm.is_armed() && rig.last_report.connected);
    assert_eq!(rig.stats.read().reconnects, 1);
    rig.arm();
    assert!(rig.is_lit_within(500));
}

#[test]
fn a_stall_of_the_air_is_waited_for_and_refilled() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(1000);
    rig.bench.set_reachable(false);
    rig.run(300);
    rig.bench.set_reachable(true);
    rig.run(1000);
    assert_eq!(rig.stats.read().reconnects, 0);
    assert_eq!(rig.stats.read().underflows, 1);
    assert!(rig.arm.is_armed() && rig.held() > 2000);
}

#[test]
fn a_device_that_was_restarted_is_dark_until_armed_again() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(1000);
    rig.bench.with(|device| device.restart(rig.clock.now()));
    rig.run(4000);
    assert_eq!(rig.stats.read().reconnects, 1);
    assert_eq!(rig.state(), WorkerState::Ready);
    assert!(!rig.arm.is_armed());
    assert!(!rig.bench.with(|device| device.output_enabled()));
    rig.arm();
    assert!(rig.is_lit_within(500));
    assert!(rig.bench.with(|device| device.acknowledges()));
}

#[test]
fn an_open_interlock_latches_until_an_operator_resets_and_arms() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(500);
    let opened = rig.now();
    rig.bench.with(|device| device.set_interlock_open(opened, true));
    rig.run(400);
    assert_eq!(rig.state(), WorkerState::EmergencyStop);
    assert!(rig.arm.is_stopped());
    assert!(rig.last_light().unwrap() <= opened + MS * 300);
    assert!(!rig.bench.with(|device| device.output_enabled()));
    // A reset while it is open changes nothing.
    rig.control.request_estop_reset();
    rig.run(600);
    assert_eq!(rig.state(), WorkerState::EmergencyStop);
    rig.bench.with(|device| device.set_interlock_open(opened + MS * 1000, false));
    assert!(!rig.is_lit_within(600));
    assert_eq!(rig.state(), WorkerState::EmergencyStop);
    rig.control.request_estop_reset();
    rig.arm.reset_stop();
    assert!(!rig.is_lit_within(600));
    assert_eq!(rig.state(), WorkerState::Ready);
    rig.arm();
    assert!(rig.is_lit_within(300));
}

#[test]
fn a_rate_above_the_devices_is_clamped_and_a_change_follows_its_points() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(500);
    for (pps, played) in [(40_000, 40_000), (99_000, 40_000), (20_000, 20_000), (30_000, 30_000)] {
        rig.pps = pps;
        rig.run(600);
        let before = rig.shown();
        rig.run(1_000);
        let shown = rig.shown() - before;
        assert!(shown.abs_diff(played) < 200, "{shown} points in a second at {pps}");
        assert_eq!(rig.bench.with(|device| device.pps()) as usize, played);
    }
    assert_eq!(rig.stats.read().underflows, 0);
}

/// A stream asks for one chunk in each period of sound, so a chunk must hold the points of one.
#[test]
fn a_chunk_holds_the_points_of_a_period_of_sound_at_the_highest_rate() {
    let period = crate::audio::output::MAX_BLOCK_FRAMES as f64 / 44_100.0;
    let cube = LaserCube::new("", "192.0.2.1", COMMAND_PORT, Arc::new(ManualClock::default()));
    let mut info = Device::new(Model::default(), None).info();
    info.max_pps = 100_000;
    let chunk = cube.announced(info).presumed().max_points_per_chunk;
    assert!(chunk as f64 > 1.5 * period * 100_000.0, "{chunk}");
}

#[test]
fn the_short_form_of_acknowledgement_paces_too() {
    let model = Model { short_acknowledge: true, ..Model::default() };
    let mut rig = Rig::new(model, Some(LossPlan { loss: 0.02, seed: 9, ..LossPlan::default() }));
    rig.run(500);
    let empty = rig.ran_empty();
    rig.run(5_000);
    assert_eq!((rig.stats.read().reconnects, rig.ran_empty()), (0, empty));
    assert!(rig.most_held < 3000, "{}", rig.most_held);
}

#[test]
fn a_device_that_cannot_clear_is_waited_out_in_the_dark() {
    let model = Model { clears: false, ..Model::default() };
    let mut rig = Rig::new(model, None);
    rig.arm();
    rig.run(500);
    let disarmed = rig.now();
    rig.arm.disarm(disarmed, TripReason::Operator);
    rig.arm();
    rig.run(40);
    assert!(rig.last_light().unwrap() <= disarmed, "what was queued before shines");
    assert!(rig.is_lit_within(500));
}

#[test]
fn the_status_tells_battery_and_temperature_as_they_change() {
    let mut rig = Rig::plain();
    rig.run(300);
    let told = |rig: &Rig| rig.worker.status().condition().unwrap();
    assert_eq!(told(&rig), "battery 87 %, 35 °C, firmware 0.24, WiFi");
    rig.bench.with(|device| device.set_battery(9));
    rig.run(1500);
    assert!(told(&rig).starts_with("battery 9 %") && told(&rig).contains("plug it in"));
}

#[test]
fn garbage_from_the_network_is_ignored() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    for bytes in [&b"what is this?"[..], &[], &[0x77; 3], &[0x77; 64], &[0x8a], &[0x97, 0xa2, 0x2a]]
    {
        rig.bench.inject(bytes);
    }
    rig.run(1000);
    assert_eq!(rig.stats.read().reconnects, 0);
    assert!(rig.arm.is_armed());
}

#[test]
fn a_device_that_never_answers_is_given_up_within_two_seconds() {
    let mut rig = Rig::plain();
    rig.bench.set_reachable(false);
    let before = rig.now();
    rig.worker.step(before);
    assert!(rig.now().since(before) <= Duration::from_secs(2));
    let view = rig.worker.status().view();
    assert_eq!(view.state, WorkerState::Lost);
    assert!(view.fault.as_ref().unwrap().contains("no answer within"), "{view:?}");
}

#[test]
fn output_is_not_switched_on_before_an_arm() {
    for model in both_models() {
        let mut rig = Rig::new(model, None);
        rig.run(100);
        let (sent, began) = (rig.sent, rig.now());
        while rig.now() < began + MS * 1000 {
            rig.step();
            let (on, held) =
                rig.bench.with(|device| (device.output_enabled(), device.mirrors().queued()));
            assert!(!on && held == 0, "{model:?}");
        }
        // The dark passes at its rate meanwhile.
        let passed = rig.sent - sent;
        assert!((29_000..31_000).contains(&passed), "{passed}");
        assert_eq!(rig.ran_empty(), 0);
        let armed = rig.now();
        rig.arm();
        // What was made before the arming goes first: 80 ms here and 80 ms there.
        assert!(rig.is_lit_within(400), "{model:?}");
        let log = rig.log.0.lock().unwrap();
        let first = log.iter().find(|(_, point)| !point.is_blank()).unwrap().0;
        let dark = log.iter().filter(|(at, _)| *at >= armed && *at < first).count();
        assert!(dark >= 250, "{dark} dark points lead to the light of {model:?}");
        drop(log);
        rig.arm.disarm(rig.now(), TripReason::Operator);
        rig.run(20);
        for _ in 0..300 {
            rig.step();
            assert!(!rig.bench.with(|device| device.output_enabled()));
        }
    }
}

#[test]
fn closing_leaves_the_device_dark_quiet_and_empty() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(500);
    rig.control.request_close();
    let asked = rig.now();
    rig.step();
    assert!(rig.worker.is_over());
    let (dark, quiet, held) = rig.bench.with(|device| {
        (!device.output_enabled(), !device.acknowledges(), device.mirrors().queued())
    });
    assert!(dark && quiet && held == 0);
    assert!(rig.last_light().unwrap() <= asked);
}

#[test]
fn writing_touches_no_heap_once_it_runs() {
    let clock = ManualClock::default();
    let mut session = Session::new(clock.now());
    let mut info = Device::new(Model::default(), None).info();
    info.flags = 0;
    let mut now = clock.now() + MS;
    session.receive(now, Port::Command, &info.emit()).unwrap();
    while session.unsent().is_some() {
        session.sent();
    }
    now += MS * 20;
    session.keep_up(now).unwrap();
    session.receive(now + MS, Port::Command, &info.emit()).unwrap();
    while session.unsent().is_some() {
        session.sent();
    }
    let points = [LaserPoint::lit(0.0, 0.0, Colour::WHITE); 140];
    let mut taken = 0;
    let ((), allocations) = crate::realtime::no_alloc::watch(|| {
        for message in 0..200_u8 {
            now += MS * 5;
            taken += usize::from(session.offer(now, &points, PPS) == Offer::Taken);
            while session.unsent().is_some() {
                session.sent();
            }
            let free = 6000 - 140_u16;
            let [low, high] = free.to_le_bytes();
            session.receive(now, Port::Data, &[0x8a, message, low, high]).unwrap();
        }
    });
    // The first offer is answered by the dark that leads to it.
    assert_eq!((taken, allocations), (199, 0));
}
