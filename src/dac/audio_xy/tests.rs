//! The driver and its device thread against a virtual sound card, in virtual time.

use std::sync::Mutex;

use super::*;
use crate::dac::link::{LinkControl, LinkReport, LinkStats, ReportReceiver, reports};
use crate::dac::worker::{Worker, WorkerParts, WorkerState};
use crate::point::{Colour, LaserPoint};
use crate::safety::{Arm, Gate, SafeSender, TripReason, queue};
use crate::time::{ManualClock, StreamInstant};

const PPS: u32 = 30_000;
const CHANNELS: usize = 5;
const PERIOD: usize = 512;
const MS: Duration = Duration::from_millis(1);

/// A card that calls when the test says so, on a crystal that may be off.
#[derive(Clone, Default)]
struct BenchCard(Arc<Mutex<Option<XyCallback>>>);

impl Card for BenchCard {
    fn open(
        &mut self,
        _channels: usize,
        rate: Option<u32>,
        make: &mut dyn FnMut(u32) -> XyCallback,
    ) -> Result<OpenCard, AudioError> {
        *self.0.lock().unwrap() = Some(make(rate.unwrap_or(48_000)));
        Ok(OpenCard { counters: None, running: Box::new(()) })
    }
}

struct Rig {
    clock: ManualClock,
    card: BenchCard,
    ppm: f64,
    next_call: HostTime,
    /// What is on the wire and when, frame by frame.
    heard: Vec<(HostTime, [f32; CHANNELS])>,
    calls: bool,
    arm: Arm,
    gate: Gate,
    sender: SafeSender,
    stats: LinkStats,
    reports: ReportReceiver,
    last_report: LinkReport,
    worker: Worker,
    sent: u64,
}

impl Rig {
    fn new(ppm: f64) -> Self {
        let clock = ManualClock::starting_at(HostTime::from_nanos(1_000_000_000));
        let card = BenchCard::default();
        let options = XyOptions::parse("channels=xyrgb").unwrap();
        let backend = AudioXy::over(
            "audio-xy://bench",
            Box::new(card.clone()),
            options,
            Arc::new(clock.clone()),
        );
        let arm = Arm::new();
        let (sender, receiver) = queue(8192, 128, 1024, arm.clone());
        let (report_tx, reports) = reports(256);
        let control = LinkControl::new(PPS);
        control.set_device_fill(1800, 1800);
        let stats = LinkStats::default();
        let worker = Worker::new(WorkerParts {
            backend: Box::new(backend),
            receiver,
            arm: arm.clone(),
            reports: report_tx,
            control,
            stats: stats.clone(),
            clock: Arc::new(clock.clone()),
            seed: 1,
        });
        Self {
            next_call: clock.now(),
            clock,
            card,
            ppm,
            heard: Vec::new(),
            calls: true,
            gate: Gate::new(arm.clone()),
            arm,
            sender,
            stats,
            reports,
            last_report: LinkReport::default(),
            worker,
            sent: 0,
        }
    }

    fn call_the_card(&mut self, now: HostTime) {
        let frame_s = 1.0 / (48_000.0 * (1.0 + self.ppm * 1e-6));
        while self.calls && self.next_call <= now {
            let Some(callback) = &mut *self.card.0.lock().unwrap() else { return };
            let mut out = [0.0; PERIOD * CHANNELS];
            let latency = MS * 12;
            callback.run(&mut out, CHANNELS, self.next_call, latency);
            for (index, frame) in out.chunks(CHANNELS).enumerate() {
                let at = (self.next_call + latency).plus_secs_f64(index as f64 * frame_s);
                self.heard.push((at, frame.try_into().unwrap()));
            }
            self.next_call = self.next_call.plus_secs_f64(PERIOD as f64 * frame_s);
        }
    }

    fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            let now = self.clock.now();
            self.arm.beat(now);
            while self.sender.queued_points() < 1800 {
                let mut points: Vec<_> = (self.sent..self.sent + 160)
                    .map(|n| {
                        let (y, x) = (n as f32 / 300.0 * std::f32::consts::TAU).sin_cos();
                        LaserPoint::lit(0.5 * x, 0.5 * y, Colour::WHITE)
                    })
                    .collect();
                let chunk = self.gate.pass(now, &mut points, StreamInstant(self.sent), PPS);
                if !self.sender.push(&chunk) {
                    break;
                }
                self.sent += 160;
            }
            self.worker.step(now);
            while let Some(report) = self.reports.next() {
                self.last_report = report;
            }
            self.call_the_card(now);
            self.clock.advance(MS);
        }
    }

    fn arm(&self) {
        self.arm.arm(self.clock.now()).unwrap();
    }

    fn last_light(&self) -> Option<HostTime> {
        self.heard.iter().rev().find(|(_, frame)| frame[2] > 0.0).map(|(at, _)| *at)
    }
}

#[test]
fn ten_seconds_play_without_underflow_on_a_card_that_is_off() {
    for ppm in [-500.0, 500.0] {
        let mut rig = Rig::new(ppm);
        rig.arm();
        rig.run(10_000);
        let counts = rig.stats.read();
        assert_eq!((counts.underflows, counts.reconnects), (0, 0), "{ppm} ppm");
        let lit = rig.heard.iter().filter(|(_, frame)| frame[2] > 0.0).count();
        assert!(lit as f64 > 0.97 * 480_000.0, "{lit} frames with light");
        assert_eq!(rig.worker.status().view().state, WorkerState::Ready);
    }
}

#[test]
fn a_report_tells_which_point_is_on_the_wire_when() {
    let mut rig = Rig::new(300.0);
    rig.arm();
    rig.run(2_000);
    let report = rig.last_report;
    let playing = report.playing.unwrap().0;
    // The circle's angle on the wire at that moment says which point it is, give or take a turn.
    let (_, frame) = *rig.heard.iter().find(|(at, _)| *at >= report.at).unwrap();
    let turn = f64::from(frame[1].atan2(frame[0])) / std::f64::consts::TAU;
    let expected = playing as f64 / 300.0;
    let error = (turn - expected).rem_euclid(1.0);
    let points = error.min(1.0 - error) * 300.0;
    assert!(points < 2.0, "{points} points apart");
    assert_eq!(report.playing_pps, Some(PPS));
    assert!(report.at > rig.clock.now() - MS * 20);
}

/// What the card has taken cannot be called back: one period and its latency.
#[test]
fn a_disarm_is_dark_within_one_period_of_the_card() {
    let mut rig = Rig::new(0.0);
    rig.arm();
    rig.run(500);
    let disarmed = rig.clock.now();
    rig.arm.disarm(disarmed, TripReason::Operator);
    rig.run(300);
    let lit_for = rig.last_light().unwrap().since(disarmed);
    assert!(lit_for < MS * (12 + 11 + 1), "{lit_for:?}");
    rig.arm();
    rig.run(300);
    assert!(rig.last_light().unwrap() > rig.clock.now() - MS * 50);
    assert_eq!(rig.stats.read().underflows, 0);
}

#[test]
fn rearming_at_once_does_not_let_old_points_shine() {
    let mut rig = Rig::new(0.0);
    rig.arm();
    rig.run(500);
    let before = rig.last_report.discontinuity;
    rig.arm.disarm(rig.clock.now(), TripReason::Operator);
    rig.arm();
    rig.run(50);
    assert_ne!(rig.last_report.discontinuity, before);
}

#[test]
fn a_card_that_stops_calling_is_opened_anew_dark_and_disarmed() {
    let mut rig = Rig::new(0.0);
    rig.arm();
    rig.run(500);
    rig.calls = false;
    rig.run(1_000);
    assert!(!rig.arm.is_armed());
    rig.calls = true;
    rig.next_call = rig.clock.now();
    let returned = rig.clock.now();
    rig.run(2_000);
    assert!(rig.stats.read().reconnects >= 1);
    assert_eq!(rig.worker.status().view().state, WorkerState::Ready);
    assert!(rig.last_light().unwrap() < returned);
    rig.arm();
    rig.run(300);
    assert!(rig.last_light().unwrap() > returned);
}

#[test]
fn rate_changes_take_effect_with_their_points_and_lose_none() {
    let mut playing = AudioXy::over(
        "audio-xy://bench",
        Box::new(BenchCard::default()),
        XyOptions::default(),
        Arc::new(ManualClock::default()),
    );
    playing.connect(HostTime::ZERO).unwrap();
    let arm = Arm::new();
    let mut gate = Gate::new(arm);
    let mut start = 0;
    for pps in [30_000, 60_000, 10_000] {
        let mut points = [LaserPoint::CENTRE; 600];
        let chunk = gate.pass(HostTime::ZERO, &mut points, StreamInstant(start), pps);
        assert_eq!(playing.write(HostTime::ZERO, chunk).unwrap(), Written::Accepted);
        start += 600;
    }
    let inner = playing.playing.as_mut().unwrap();
    // 600 points are 960, 480 and 2880 frames.
    assert!(inner.sent.frames.abs_diff(960 + 480 + 2880) <= 5);
    for (frames, point) in
        [(480, 300.0), (960, 600.0), (1200, 900.0), (1440, 1200.0), (2880, 1500.0)]
    {
        let seen = inner.point_at(frames);
        assert!((seen - point).abs() < 3.0, "{seen} at frame {frames}, {point} expected");
    }
}

#[test]
fn a_full_ring_refuses_a_chunk_whole() {
    let mut xy = AudioXy::over(
        "audio-xy://bench",
        Box::new(BenchCard::default()),
        XyOptions::default(),
        Arc::new(ManualClock::default()),
    );
    xy.connect(HostTime::ZERO).unwrap();
    let mut gate = Gate::new(Arm::new());
    let mut taken = 0;
    for n in 0..100 {
        let mut points = [LaserPoint::CENTRE; 500];
        let chunk = gate.pass(HostTime::ZERO, &mut points, StreamInstant(n * 500), PPS);
        taken += usize::from(xy.write(HostTime::ZERO, chunk).unwrap() == Written::Accepted);
    }
    // Half a second at 30 000 points per second.
    assert_eq!(taken, 29);
    assert_eq!(xy.playing.as_ref().unwrap().feed.frames.dropped(), 0);
}
