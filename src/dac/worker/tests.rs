//! The device thread against a virtual Ether Dream, in virtual time.

use std::sync::{Arc, Mutex};

use super::*;
use crate::dac::ether_dream::EtherDream;
use crate::dac::link::{ReportReceiver, reports};
use crate::dac::simulator::Recorder;
use crate::dac::simulator::ether_dream::{Bench, Device, Generation};
use crate::dac::transport::{Dial, Fault, FaultPlan};
use crate::point::{Colour, LaserPoint};
use crate::safety::arm::Refused;
use crate::safety::{Gate, SafeSender, queue};
use crate::time::ManualClock;

const PPS: u32 = 30_000;
const MS: Duration = Duration::from_millis(1);

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(HostTime, LaserPoint)>>>);

impl Recorder for Log {
    fn shown(&mut self, at: HostTime, _index: u64, point: &LaserPoint) {
        self.0.lock().unwrap().push((at, *point));
    }
}

/// A show: a producer that keeps 40 ms ahead, the gate, the worker, and a device on the bench.
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
    beats: bool,
    pps: u32,
}

/// Light that moves, as the gate wants it: a circle of 600 points.
fn on_circle(index: u64) -> LaserPoint {
    let (sin, cos) = (index as f32 * std::f32::consts::TAU / 600.0).sin_cos();
    LaserPoint::lit(0.3 * cos, 0.3 * sin, Colour::WHITE)
}

impl Rig {
    fn new(device: impl FnOnce(Log) -> Device, dial: impl FnOnce(Bench) -> Box<dyn Dial>) -> Self {
        let log = Log::default();
        let bench = Bench::new(device(log.clone()));
        let clock = ManualClock::starting_at(HostTime::from_nanos(1_000_000_000));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let backend = EtherDream::over("ether-dream://bench", dial(bench.clone()), shared);
        Self::with_backend(Box::new(backend), clock, bench, log)
    }

    fn with_backend(backend: Box<dyn Backend>, clock: ManualClock, bench: Bench, log: Log) -> Self {
        let arm = Arm::new();
        let (sender, receiver) = queue(4096, 64, 1024, arm.clone());
        let (report_tx, reports) = reports(256);
        let control = LinkControl::new(PPS);
        let stats = LinkStats::default();
        let worker = Worker::new(WorkerParts {
            backend,
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
            beats: true,
            pps: PPS,
        }
    }

    fn plain() -> Self {
        Self::new(
            |log| Device::new(Generation::Two, None, 0.0, Some(Box::new(log))),
            |bench| Box::new(bench),
        )
    }

    fn now(&self) -> HostTime {
        self.clock.now()
    }

    /// What the producer still has ahead of the mirrors, by the device's own count.
    fn ahead(&self) -> usize {
        let queued = self.bench.with(|device| device.mirrors().queued());
        queued + self.sender.queued_points()
    }

    fn step(&mut self) {
        let now = self.now();
        if self.beats {
            self.arm.beat(now);
        }
        let wanted = 40 * self.pps as usize / 1000;
        let len = wanted.saturating_sub(self.ahead()).min(600);
        if len > 0 {
            let mut points: Vec<_> = (self.sent..).take(len).map(on_circle).collect();
            let chunk = self.gate.pass(now, &mut points, StreamInstant(self.sent), self.pps);
            if self.sender.push(&chunk) {
                self.sent += len as u64;
            }
        }
        self.worker.step(now);
        while let Some(report) = self.reports.next() {
            self.last_report = report;
        }
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
}

#[test]
fn ten_seconds_play_without_underflow_on_a_clock_that_is_off() {
    for ppm in [-1000.0, 0.0, 1000.0] {
        let mut rig = Rig::new(
            |log| Device::new(Generation::Two, None, ppm, Some(Box::new(log))),
            |bench| Box::new(bench),
        );
        rig.arm();
        rig.run(10_000);
        let counts = rig.stats.read();
        assert_eq!((counts.underflows, counts.reconnects), (0, 0), "at {ppm} ppm");
        let expected = 300_000.0 * (1.0 + ppm * 1e-6);
        assert!((rig.shown() as f64 - expected).abs() < 1000.0, "{} shown", rig.shown());
        assert_eq!(rig.state(), WorkerState::Ready);
    }
}

#[test]
fn a_report_maps_stream_time_to_the_point_on_the_mirrors() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(500);
    let report = rig.last_report;
    let at = report.at;
    // What was queued before the connection was made has been dropped, and counts as accepted.
    let dropped = rig.stats.read().dropped_points as i64;
    let log = rig.log.0.lock().unwrap();
    let really = dropped + log.iter().filter(|(shown, _)| *shown <= at).count() as i64;
    let claimed = report.playing.unwrap().0 as i64;
    assert!((really - claimed).abs() <= 1, "{claimed} claimed, {really} shown");
    assert_eq!(report.playing_pps, Some(PPS));
}

/// Design §5.2: one round trip and one point; on the bench the round trip is one step.
#[test]
fn a_disarm_is_dark_within_one_step() {
    let mut rig = Rig::plain();
    rig.arm();
    assert!(rig.is_lit_within(300));
    let disarmed = rig.now();
    rig.arm.disarm(disarmed, TripReason::Operator);
    let before = rig.last_report.discontinuity;
    rig.run(300);
    let last = rig.last_light().unwrap();
    assert!(last <= disarmed, "light {} ns after the disarm", last.nanos_since(disarmed));
    assert_ne!(rig.last_report.discontinuity, before);
    // Only arming starts it again.
    let shown = rig.shown();
    rig.run(300);
    assert_eq!(rig.shown(), shown);
    rig.arm();
    assert!(rig.is_lit_within(300));
}

#[test]
fn rearming_at_once_does_not_let_old_points_shine() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    let stops = rig.last_report.discontinuity;
    rig.arm.disarm(rig.now(), TripReason::Operator);
    rig.arm();
    rig.run(50);
    assert_ne!(rig.last_report.discontinuity, stops);
}

#[test]
fn a_silent_engine_is_dark_after_a_tenth_of_a_second() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    rig.beats = false;
    let silent = rig.now();
    rig.run(400);
    assert!(!rig.arm.is_armed());
    assert!(rig.last_light().unwrap() <= silent + Arm::DEAD_MAN + MS * 3);
}

#[test]
fn a_device_estop_latches_until_an_operator_resets_and_arms() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    let pressed = rig.now();
    rig.bench.with(|device| device.set_estop_input(pressed, true));
    rig.run(50);
    assert_eq!(rig.state(), WorkerState::EmergencyStop);
    assert!(rig.arm.is_stopped());
    rig.bench.with(|device| device.set_estop_input(pressed + MS * 50, false));
    assert!(!rig.is_lit_within(300));
    assert_eq!(rig.state(), WorkerState::EmergencyStop);
    assert!(rig.arm.arm(rig.now()).is_err());
    rig.control.request_estop_reset();
    rig.arm.reset_stop();
    assert!(!rig.is_lit_within(300));
    assert_eq!(rig.state(), WorkerState::Ready);
    rig.arm();
    assert!(rig.is_lit_within(300));
}

/// Another program clears it before anybody looks: light takes a reset and an arm all the same.
#[test]
fn an_estop_that_was_cleared_by_another_program_at_once_is_seen_and_latches() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    let now = rig.now();
    rig.bench.with(|device| {
        device.set_estop_input(now, true);
        device.set_estop_input(now, false);
        device.clear_estop(now);
    });
    assert!(!rig.is_lit_within(500));
    assert!(rig.arm.is_stopped() && !rig.arm.is_armed());
    assert_eq!(rig.state(), WorkerState::Ready);
    rig.arm.reset_stop();
    rig.arm();
    assert!(rig.is_lit_within(300));
}

#[test]
fn a_reset_that_does_not_take_is_told_and_arming_stays_refused() {
    let mut rig = Rig::plain();
    rig.run(300);
    rig.bench.with(|device| device.set_estop_input(rig.clock.now(), true));
    rig.run(300);
    for _ in 0..2 {
        rig.control.request_estop_reset();
        rig.arm.reset_stop();
        rig.run(1);
        assert_eq!(rig.worker.status().view().fault, None, "so that it is news again");
        rig.run(1_000);
        let fault = rig.worker.status().view().fault.clone().unwrap();
        assert!(fault.contains("the interlock is still open"), "{fault}");
        assert_eq!(rig.arm.arm(rig.now()), Err(Refused::EmergencyStop));
    }
    rig.bench.with(|device| {
        device.set_estop_input(rig.clock.now(), false);
        device.clear_estop(rig.clock.now());
    });
    assert!(!rig.is_lit_within(500), "another program's clear lights nothing");
    assert_eq!(rig.state(), WorkerState::Ready);
    rig.arm();
    assert!(rig.is_lit_within(300));
}

#[test]
fn a_reset_before_the_estop_does_not_clear_it() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    rig.control.request_estop_reset();
    rig.bench.with(|device| {
        device.set_estop_input(rig.clock.now(), true);
        device.set_estop_input(rig.clock.now(), false);
    });
    assert!(!rig.is_lit_within(300));
    assert_eq!(rig.state(), WorkerState::EmergencyStop);
    assert!(rig.arm.is_stopped());
}

#[test]
fn a_cut_connection_returns_dark_and_disarmed() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    rig.bench.cut(rig.now(), false);
    rig.run(500);
    assert_eq!(rig.state(), WorkerState::Lost);
    assert!(!rig.arm.is_armed() && !rig.last_report.connected);
    // Armed while it is away: it still returns dark.
    rig.arm();
    rig.bench.cut(rig.now(), true);
    assert!(!rig.is_lit_within(3_000));
    assert_eq!(rig.state(), WorkerState::Ready);
    assert!(!rig.arm.is_armed() && rig.last_report.connected);
    assert_eq!(rig.stats.read().reconnects, 1);
    rig.arm();
    assert!(rig.is_lit_within(300));
}

#[test]
fn an_underflow_is_counted_and_recovers_beginning_dark() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    let before = rig.last_report.discontinuity;
    rig.bench.with(|device| device.starve(rig.clock.now()));
    let at = rig.shown();
    rig.run(500);
    assert_eq!(rig.stats.read().underflows, 1);
    assert_ne!(rig.last_report.discontinuity, before);
    let log = rig.log.0.lock().unwrap();
    assert!(log.len() > at + 10_000);
    assert!(log[at..at + 30].iter().all(|(_, point)| point.is_blank()), "a start is 1 ms dark");
    let lit = log[at..].iter().position(|(_, point)| !point.is_blank());
    assert!(lit.is_some_and(|lit| lit <= 60), "{lit:?}");
}

/// A host that takes the device for larger than it is: the device refuses, and the show goes on.
#[test]
fn an_overfull_device_is_survived() {
    for generation in [Generation::One, Generation::Two] {
        let mut rig = Rig::new(
            |log| Device::new(generation, Some(900), 0.0, Some(Box::new(log))),
            |bench| Box::new(bench),
        );
        rig.arm();
        rig.run(3_000);
        assert_eq!(rig.stats.read().reconnects, 0, "{generation:?}");
        assert!(rig.shown() > 80_000, "{} shown", rig.shown());
    }
}

#[test]
fn a_flush_keeps_old_points_from_shining() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    let flushed = rig.now();
    rig.control.request_flush(StreamInstant(rig.sent));
    let queued = rig.ahead();
    assert!(queued > 500);
    let shown = rig.shown();
    rig.run(3);
    assert!(rig.bench.with(|device| device.mirrors().queued()) < 1300);
    rig.run(300);
    assert!(rig.shown() > shown + 5_000);
    assert!(rig.stats.read().reconnects == 0 && rig.last_report.at > flushed);
}

#[test]
fn a_rate_change_takes_effect_with_its_points() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    for pps in [45_000, 20_000] {
        rig.pps = pps;
        rig.run(300);
        let before = rig.shown();
        rig.run(1_000);
        let shown = rig.shown() - before;
        assert!(shown.abs_diff(pps as usize) < 200, "{shown} points in a second at {pps}");
    }
    assert_eq!(rig.stats.read().underflows, 0);
}

#[test]
fn garbage_leads_to_a_new_connection() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    rig.bench.inject(b"what is this?");
    rig.run(2_000);
    assert_eq!(rig.stats.read().reconnects, 1);
    assert_eq!(rig.state(), WorkerState::Ready);
    assert!(!rig.arm.is_armed());
}

#[test]
fn a_device_that_never_answers_is_given_up_within_two_seconds() {
    let plan = FaultPlan { delay: Duration::from_secs(999), ..FaultPlan::default() };
    let mut rig = Rig::new(
        |log| Device::new(Generation::Two, None, 0.0, Some(Box::new(log))),
        |bench| Box::new(Fault::new(bench, plan)),
    );
    rig.run(2_002);
    let view = rig.worker.status().view();
    assert_eq!(view.state, WorkerState::Lost);
    assert!(view.fault.as_ref().unwrap().contains("does not greet"), "{view:?}");
}

#[test]
fn a_slow_line_with_jitter_plays_on() {
    let plan = FaultPlan {
        delay: MS * 5,
        jitter: MS * 15,
        write_limit: Some(700),
        seed: 3,
        ..FaultPlan::default()
    };
    let mut rig = Rig::new(
        |log| Device::new(Generation::Two, None, 0.0, Some(Box::new(log))),
        |bench| Box::new(Fault::new(bench, plan)),
    );
    rig.arm();
    rig.run(5_000);
    assert_eq!(rig.stats.read().reconnects, 0);
    assert_eq!(rig.stats.read().underflows, 0);
    assert!(rig.shown() > 140_000, "{} shown", rig.shown());
}

#[test]
fn closing_leaves_the_device_dark_and_idle() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    rig.control.request_close();
    let asked = rig.now();
    rig.step();
    assert!(rig.worker.is_over());
    assert!(!rig.bench.with(|device| device.mirrors().is_playing()));
    assert!(rig.last_light().unwrap() <= asked);
}

#[test]
fn a_driver_that_panics_goes_dark_and_is_reported() {
    #[derive(Debug)]
    struct Broken;
    impl Backend for Broken {
        fn name(&self) -> &'static str {
            "broken"
        }
        fn presumed(&self) -> Capabilities {
            unreachable!("a worker asks the device itself")
        }
        fn connect(&mut self, _now: HostTime) -> Result<Capabilities, DacError> {
            panic!("a bug")
        }
        fn write(
            &mut self,
            _: HostTime,
            _: crate::safety::SafeChunk<'_>,
        ) -> Result<Written, DacError> {
            Ok(Written::NotNow)
        }
        fn poll(&mut self, _now: HostTime) -> Result<DeviceReport, DacError> {
            Ok(DeviceReport::default())
        }
        fn stop(&mut self, _now: HostTime) -> Result<(), DacError> {
            Ok(())
        }
        fn reset_estop(&mut self, _now: HostTime) -> Result<(), DacError> {
            Ok(())
        }
        fn close(&mut self, _now: HostTime) {}
    }
    let bench = Bench::new(Device::new(Generation::Two, None, 0.0, None));
    let mut rig =
        Rig::with_backend(Box::new(Broken), ManualClock::default(), bench, Log::default());
    rig.arm();
    rig.step();
    assert!(!rig.arm.is_armed());
    assert_eq!(rig.arm.next_trip().unwrap().reason, TripReason::Panic);
    assert_eq!(rig.state(), WorkerState::Lost);
}

#[test]
fn the_wait_between_attempts_doubles_up_to_two_seconds() {
    let mut rig = Rig::plain();
    rig.bench.cut(rig.now(), false);
    let mut waits = Vec::new();
    for _ in 0..7 {
        let now = rig.worker.next_attempt.max(rig.now());
        rig.clock.sleep_until(now);
        rig.worker.step(now);
        waits.push(rig.worker.next_attempt.nanos_since(now) / 1_000_000);
    }
    for (wait, least) in waits.iter().zip([100, 200, 400, 800, 1600, 2000, 2000]) {
        assert!((least..=least * 5 / 4).contains(wait), "{waits:?}");
    }
}

mod in_the_field;
