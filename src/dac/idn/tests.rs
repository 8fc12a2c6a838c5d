//! The driver and its device thread against a virtual IDN device, in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::dac::link::{LinkControl, LinkReport, LinkStats, ReportReceiver, reports};
use crate::dac::simulator::Recorder;
use crate::dac::simulator::idn::{Bench, Device};
use crate::dac::transport::{LossPlan, Lossy};
use crate::dac::worker::{Worker, WorkerParts, WorkerState};
use crate::point::{Colour, LaserPoint};
use crate::safety::{Arm, Gate, SafeSender, TripReason, queue};
use crate::time::{ManualClock, StreamInstant};
use crate::wire::idn::{Chunk, MAX_PAYLOAD, MIN_SAMPLES, Message};

const PPS: u32 = 30_000;
const MS: Duration = Duration::from_millis(1);

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(HostTime, LaserPoint)>>>);

impl Recorder for Log {
    fn shown(&mut self, at: HostTime, _index: u64, point: &LaserPoint) {
        self.0.lock().unwrap().push((at, *point));
    }
}

/// A show: a producer that keeps 60 ms ahead, the gate, the worker, and a device on the bench.
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
    produces: bool,
    pps: u32,
}

/// Light that moves: the gate takes what stands still for a fault of the mirrors.
fn on_circle(index: u64) -> LaserPoint {
    let (y, x) = (index as f32 * 0.02).sin_cos();
    LaserPoint::lit(0.5 * x, 0.5 * y, Colour::WHITE)
}

impl Rig {
    fn new(ppm: f64, bind: impl FnOnce(Bench) -> Box<dyn Bind>) -> Self {
        let log = Log::default();
        let outputs = ["Main".to_owned(), "Left wing".to_owned()];
        let device = Device::new("bench", &outputs, ppm, Some(Box::new(log.clone())));
        let bench = Bench::new(device);
        let clock = ManualClock::starting_at(HostTime::from_nanos(1_000_000_000));
        let backend = driver(&bench, bind, Service::Default, &clock);
        let arm = Arm::new();
        let (sender, receiver) = queue(8192, 256, MAX_CHUNK_POINTS, arm.clone());
        let (report_tx, reports) = reports(256);
        let control = LinkControl::new(PPS);
        // What a stream sets, and a timed device has no use for.
        control.set_device_fill(300, 1200);
        let stats = LinkStats::default();
        let worker = Worker::new(WorkerParts {
            backend: Box::new(backend),
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
            produces: true,
            pps: PPS,
        }
    }

    fn plain() -> Self {
        Self::new(0.0, |bench| Box::new(bench))
    }

    fn with_trouble(ppm: f64, plan: LossPlan) -> Self {
        Self::new(ppm, move |bench| Box::new(Lossy::new(bench, plan)))
    }

    fn now(&self) -> HostTime {
        self.clock.now()
    }

    fn step(&mut self) {
        let now = self.now();
        if self.beats {
            self.arm.beat(now);
        }
        let held = self.last_report.device_queued.unwrap_or(0) as usize;
        let ahead = held + self.sender.queued_points();
        let wanted = 60 * self.pps as usize / 1000;
        // A period of 256 frames at 48 kHz, as a sound card asks.
        let len = wanted.saturating_sub(ahead).min(160 * self.pps as usize / PPS as usize);
        if len > 0 && self.produces {
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

    fn lit_points(&self) -> usize {
        self.log.0.lock().unwrap().iter().filter(|(_, point)| !point.is_blank()).count()
    }

    fn is_lit_within(&mut self, ms: u64) -> bool {
        let before = self.now();
        self.run(ms);
        self.last_light().is_some_and(|at| at > before)
    }

    fn dried_up(&self) -> u32 {
        self.bench.with(|device| device.mirrors(0).unwrap().underflows())
    }

    /// Nothing after `moment` but what one packet already under way could hold.
    fn assert_dark_since(&self, moment: HostTime, grace: Duration) {
        let last = self.last_light().unwrap();
        assert!(last <= moment + grace, "light {} ns after", last.nanos_since(moment));
    }
}

fn driver(
    bench: &Bench,
    bind: impl FnOnce(Bench) -> Box<dyn Bind>,
    service: Service,
    clock: &ManualClock,
) -> Idn {
    let address = Bench::address();
    let (host, port) = (address.ip().to_string(), address.port());
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    Idn::over("idn://bench", &host, port, service, bind(bench.clone()), clock)
}

/// The messages among the datagrams, with their commands and sequence numbers.
fn messages(heard: &[Vec<u8>]) -> Vec<(Hello, Option<Message<'_>>)> {
    let parsed = heard.iter().map(|packet| Hello::parse(packet).unwrap());
    parsed
        .filter(|(hello, _)| hello.command >= command::MESSAGE)
        .map(|(hello, body)| (hello, Message::parse(body).ok()))
        .collect()
}

#[test]
fn ten_seconds_play_without_a_dark_moment_on_a_clock_that_is_off() {
    for ppm in [-500.0, 0.0, 500.0] {
        let mut rig = Rig::new(ppm, |bench| Box::new(bench));
        rig.arm();
        rig.run(10_000);
        let counts = rig.stats.read();
        assert_eq!((counts.underflows, counts.reconnects), (0, 0), "at {ppm} ppm");
        assert_eq!(rig.dried_up(), 0, "at {ppm} ppm");
        let lit = rig.lit_points();
        assert!((295_000..=300_000).contains(&lit), "{lit} lit at {ppm} ppm");
        assert_eq!((rig.state(), counts.would_block), (WorkerState::Ready, 0));
    }
}

#[test]
fn every_packet_fits_and_follows_the_rules_of_the_wire() {
    let mut rig = Rig::plain();
    rig.run(2_000);
    let heard = rig.bench.take_heard();
    assert!(heard.iter().all(|packet| packet.len() <= MAX_PAYLOAD));
    let sent = messages(&heard);
    let mut expected = None;
    let mut since_config = 0_u32;
    for ((hello, message), n) in sent.iter().zip(0_u16..) {
        assert_eq!(hello.sequence, n, "one more with every packet");
        let message = message.unwrap();
        let Chunk::Wave { data_match, duration, data } = message.chunk else { continue };
        assert!(data.len() / 10 >= MIN_SAMPLES && (200..=20_000).contains(&duration));
        assert_eq!(data_match, 0, "the tags never changed");
        since_config = if message.config.is_some() { 0 } else { since_config + duration };
        assert!(since_config < 210_000, "the configuration is repeated");
        if n > 1 {
            assert_eq!(expected, Some(message.timestamp), "time stamps join");
        }
        expected = Some(message.timestamp.wrapping_add(duration));
    }
    let asked = sent.iter().filter(|(hello, _)| hello.command == command::MESSAGE_ACK).count();
    assert!((18..=22).contains(&asked), "{asked} acknowledges asked for in two seconds");
    // The first one opens the channel with dark points at the origin.
    let Some(Message { config: Some(config), chunk: Chunk::Wave { data, .. }, .. }) = sent[0].1
    else {
        panic!("{:?}", sent[0])
    };
    assert!(config.routing && config.service == 1 && data.iter().all(|byte| *byte == 0));
}

#[test]
fn a_report_maps_stream_time_to_the_point_on_the_mirrors() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(1_000);
    let report = rig.last_report;
    let playing = report.playing.unwrap().0;
    // The point that the report names is on a known place of the circle.
    let log = rig.log.0.lock().unwrap();
    let shown = log.iter().rev().find(|(at, _)| *at <= report.at).unwrap().1;
    let named = (playing.saturating_sub(60)..playing + 60)
        .min_by(|a, b| {
            let far = |n: &u64| {
                let point = on_circle(*n);
                (point.x - shown.x).hypot(point.y - shown.y)
            };
            far(a).total_cmp(&far(b))
        })
        .unwrap();
    let off = named.abs_diff(playing);
    // The device follows the arrival of packets, which leave up to one step late: 1 ms is 30 points.
    assert!(off <= 30, "{off} points off");
    assert_eq!(report.playing_pps, Some(PPS));
    let held = report.device_queued.unwrap();
    assert!((1200..1650).contains(&held), "{held} held: 40 ms there and a little here");
}

#[test]
fn loss_duplicates_reordering_and_delay_are_survived() {
    let plans = [
        LossPlan { loss: 0.05, seed: 1, ..LossPlan::default() },
        LossPlan { duplicates: 0.1, seed: 2, ..LossPlan::default() },
        LossPlan { reorder: 0.1, seed: 3, ..LossPlan::default() },
        LossPlan { delay: MS * 30, seed: 4, ..LossPlan::default() },
        LossPlan { jitter: MS * 10, seed: 5, ..LossPlan::default() },
        LossPlan {
            loss: 0.05,
            duplicates: 0.05,
            reorder: 0.05,
            delay: MS * 30,
            jitter: MS * 5,
            seed: 6,
        },
    ];
    for plan in plans {
        let mut rig = Rig::with_trouble(300.0, plan);
        // A first word may be lost too: the worker tries again.
        rig.run(3_000);
        rig.arm();
        let before = rig.lit_points();
        rig.run(10_000);
        assert_eq!(rig.state(), WorkerState::Ready, "{plan:?}");
        assert!(rig.arm.is_armed(), "{plan:?}");
        assert_eq!(rig.stats.read().reconnects, 0, "{plan:?}");
        let lit = rig.lit_points() - before;
        // What is lost is dark; nothing else is.
        let least = 300_000.0 * (1.0 - plan.loss - 0.03);
        assert!(lit as f64 > least, "{lit} of 300000 lit with {plan:?}");
    }
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
    rig.assert_dark_since(disarmed, Duration::ZERO);
    assert_ne!(rig.last_report.discontinuity, before);
    // It plays on in the dark, and only arming lights it again.
    assert!(rig.last_report.playing.is_some());
    rig.arm();
    assert!(rig.is_lit_within(300));
}

#[test]
fn a_disarm_over_a_lossy_and_slow_line_is_repeated_until_it_is_heard() {
    for seed in 0..20 {
        let plan = LossPlan { loss: 0.4, delay: MS * 2, seed, ..LossPlan::default() };
        let mut rig = Rig::with_trouble(0.0, plan);
        rig.run(6_000);
        if rig.state() != WorkerState::Ready {
            continue;
        }
        rig.arm();
        if !rig.is_lit_within(300) {
            continue;
        }
        let disarmed = rig.now();
        rig.arm.disarm(disarmed, TripReason::Operator);
        rig.run(300);
        rig.assert_dark_since(disarmed, MS * 40);
    }
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
    rig.assert_dark_since(silent, Arm::DEAD_MAN + MS * 3);
}

#[test]
fn an_idle_session_is_kept_for_minutes_without_a_point() {
    let mut rig = Rig::plain();
    rig.produces = false;
    rig.run(120_000);
    assert_eq!((rig.state(), rig.stats.read().reconnects), (WorkerState::Ready, 0));
    assert_eq!(rig.bench.with(|device| (device.sessions(), device.open_channels())), (1, 1));
    let heard = rig.bench.take_heard();
    let voids = messages(&heard)
        .iter()
        .filter(|(_, message)| message.is_some_and(|m| m.chunk == Chunk::Void))
        .count();
    assert!((1_100..=1_201).contains(&voids), "{voids} in two minutes");
    rig.produces = true;
    rig.arm();
    assert!(rig.is_lit_within(300));
}

#[test]
fn a_cut_cable_is_dark_and_returns_disarmed() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    let cut = rig.now();
    rig.bench.set_reachable(false);
    rig.run(2_000);
    assert_eq!(rig.state(), WorkerState::Lost);
    assert!(!rig.arm.is_armed() && !rig.last_report.connected);
    // The device shows what it held, and no more.
    rig.assert_dark_since(cut, MS * 45);
    rig.arm();
    rig.bench.set_reachable(true);
    assert!(!rig.is_lit_within(4_000));
    assert_eq!(rig.state(), WorkerState::Ready);
    assert!(!rig.arm.is_armed() && rig.last_report.connected);
    assert_eq!(rig.stats.read().reconnects, 1);
    rig.arm();
    assert!(rig.is_lit_within(300));
}

#[test]
fn a_device_that_forgets_its_clients_is_told_everything_anew() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    rig.bench.with(|device| device.restart(rig.clock.now()));
    assert!(rig.is_lit_within(400));
    assert_eq!(rig.stats.read().reconnects, 0);
}

#[test]
fn an_output_that_goes_offline_latches_until_an_operator_resets_and_arms() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    let pressed = rig.now();
    rig.bench.with(|device| device.set_offline(pressed, true));
    rig.run(400);
    assert_eq!(rig.state(), WorkerState::EmergencyStop);
    assert!(rig.arm.is_stopped());
    rig.assert_dark_since(pressed, Duration::ZERO);
    // A reset while it is still pressed does not help.
    rig.control.request_estop_reset();
    rig.run(400);
    assert_eq!(rig.state(), WorkerState::EmergencyStop);
    rig.bench.with(|device| device.set_offline(rig.clock.now(), false));
    assert!(!rig.is_lit_within(600));
    assert_eq!(rig.state(), WorkerState::EmergencyStop);
    rig.control.request_estop_reset();
    rig.arm.reset_stop();
    assert!(!rig.is_lit_within(300));
    assert_eq!(rig.state(), WorkerState::Ready);
    rig.arm();
    assert!(rig.is_lit_within(300));
}

#[test]
fn a_close_is_sent_once() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(500);
    drop(rig.bench.take_heard());
    rig.control.request_close();
    rig.step();
    assert!(rig.worker.is_over());
    let heard = rig.bench.take_heard();
    let commands: Vec<u8> =
        heard.iter().map(|packet| Hello::parse(packet).unwrap().0.command).collect();
    let count = |wanted: u8| commands.iter().copied().filter(|command| *command == wanted).count();
    assert_eq!((count(command::ABORT), count(command::CLOSE_ACK)), (1, 1), "{commands:x?}");
    assert_eq!(rig.bench.with(|device| device.sessions()), 0);
}

#[test]
fn closing_ends_the_session_dark_even_if_every_other_packet_is_lost() {
    for loss in [0.0, 0.5] {
        let plan = LossPlan { loss, seed: 3, ..LossPlan::default() };
        let mut rig = Rig::with_trouble(0.0, plan);
        rig.run(4_000);
        rig.arm();
        rig.run(300);
        rig.control.request_close();
        let asked = rig.now();
        rig.step();
        rig.clock.advance(MS * 20);
        assert!(rig.worker.is_over());
        rig.bench.with(|device| device.advance(rig.clock.now()));
        assert_eq!(rig.bench.with(|device| device.sessions()), 0, "loss {loss}");
        if loss == 0.0 {
            rig.assert_dark_since(asked, Duration::ZERO);
        }
    }
}

#[test]
fn a_flush_keeps_old_points_from_shining() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    let flushed = rig.now();
    rig.control.request_flush(StreamInstant(rig.sent));
    rig.step();
    assert_eq!(rig.bench.with(|device| device.mirrors(0).unwrap().queued()), 0);
    assert!(rig.is_lit_within(300));
    assert!(rig.last_report.at > flushed && rig.stats.read().reconnects == 0);
}

#[test]
fn a_rate_change_takes_effect_with_its_points() {
    let mut rig = Rig::plain();
    rig.arm();
    rig.run(300);
    for pps in [45_000, 20_000, 100_000, 1_000] {
        rig.pps = pps;
        rig.control.set_pps(pps);
        rig.run(600);
        let before = rig.lit_points();
        rig.run(1_000);
        let lit = rig.lit_points() - before;
        assert!(lit.abs_diff(pps as usize) < 150 + pps as usize / 100, "{lit} lit at {pps}");
    }
}

#[test]
fn a_stated_latency_replaces_the_presumed_one() {
    let mut rig = Rig::plain();
    rig.bench.with(|device| device.set_stated_latency(10_000));
    rig.run(8_000);
    let held = rig.last_report.device_queued.unwrap();
    assert!((250..700).contains(&held), "{held} held: 10 ms there and a little here");
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
    assert!(view.fault.as_ref().unwrap().contains("no IDN device answers"), "{view:?}");
}

#[test]
fn what_a_device_says_of_itself_is_told_with_the_cure() {
    let outputs = ["Main".to_owned()];
    let clock = ManualClock::default();
    let connect = |act: fn(&mut Device)| {
        let bench = Bench::new(Device::new("bench", &outputs, 0.0, None));
        bench.with(act);
        let mut idn = driver(&bench, |bench| Box::new(bench), Service::Default, &clock);
        idn.connect(clock.now()).unwrap_err().to_string()
    };
    assert!(connect(|d| d.set_malfunction(true)).contains("broken"));
    assert!(connect(|d| d.set_offline(HostTime::ZERO, true)).contains("emergency stop"));
    assert!(connect(|d| d.set_group_mask(0xfffe)).contains("client group 0"));
}

#[test]
fn an_output_in_use_may_be_ones_own_old_session_for_a_second_and_is_another_programs_then() {
    let outputs = ["Main".to_owned(), "Left wing".to_owned()];
    let bench = Bench::new(Device::new("bench", &outputs, 0.0, None));
    let clock = ManualClock::default();
    let open = |service: Service| {
        let mut idn = driver(&bench, |bench| Box::new(bench), service, &clock);
        idn.connect(clock.now()).map(|_| idn).map_err(|error| error.to_string())
    };
    let first = open(Service::Id(1)).unwrap();
    let mut other = driver(&bench, |bench| Box::new(bench), Service::Default, &clock);
    let mut refused = || other.connect(clock.now()).map(drop).unwrap_err().to_string();
    let said = refused();
    assert!(said.contains("session of galvo that ended a moment ago"), "{said}");
    let mut first = first;
    for _ in 0..15 {
        first.poll(clock.now()).unwrap();
        clock.sleep_until(clock.now() + Duration::from_millis(100));
    }
    assert!(refused().contains("held by another program"));
    let missing = open(Service::Id(9)).unwrap_err();
    assert!(missing.contains("1 (Main), 2 (Left wing)"), "{missing}");
    let mut second = open(Service::Name("left WING".to_owned())).unwrap();
    assert_eq!(bench.with(|device| device.open_channels()), 2);
    second.close(clock.now());
    assert_eq!(bench.with(|device| device.open_channels()), 1);
    drop(first);
}
