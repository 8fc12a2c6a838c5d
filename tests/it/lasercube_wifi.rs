//! The LaserCube driver, its device thread and its discovery against the virtual device over real UDP.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use galvo::dac::discovery::Event;
use galvo::dac::lasercube_wifi::{LaserCube, Search};
use galvo::dac::simulator::lasercube_wifi::{Options, Server};
use galvo::dac::simulator::{Faults, Recorder};
use galvo::dac::{
    Backend, LinkControl, LinkStats, Worker, WorkerHandle, WorkerParts, WorkerState, open, reports,
    spawn,
};
use galvo::point::{Colour, LaserPoint};
use galvo::safety::{Arm, Gate, SafeSender, TripReason, queue};
use galvo::time::{Clock, HostTime, StreamInstant, SystemClock};

const PPS: u32 = 30_000;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(HostTime, LaserPoint)>>>);

impl Recorder for Log {
    fn shown(&mut self, at: HostTime, _index: u64, point: &LaserPoint) {
        self.0.lock().unwrap().push((at, *point));
    }
}

impl Log {
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn is_lit(&self, after: HostTime) -> bool {
        let log = self.0.lock().unwrap();
        log.iter().rev().take_while(|(at, _)| *at > after).any(|(_, point)| !point.is_blank())
    }
}

fn serve(faults: &str, log: &Log) -> Server {
    let options = Options {
        faults: Faults::parse(faults).unwrap(),
        recorder: Some(Box::new(log.clone())),
        ..Options::default()
    };
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    Server::start(anywhere, options, Arc::new(SystemClock)).unwrap()
}

/// A device thread on real sockets, and a producer that keeps its queue full.
struct Show {
    arm: Arm,
    gate: Gate,
    sender: SafeSender,
    stats: LinkStats,
    handle: WorkerHandle,
    sent: u64,
}

impl Show {
    fn on(server: &Server) -> Self {
        let uri = format!("lasercube-wifi://{}", server.address());
        let backend = open(&uri, &[], Arc::new(SystemClock)).unwrap();
        let arm = Arm::new();
        // Deep enough that a busy machine's pauses do not matter to what is tested.
        let (sender, receiver) = queue(6000, 64, 500, arm.clone());
        let (report_tx, _reports) = reports(64);
        let stats = LinkStats::default();
        let control = LinkControl::new(PPS);
        // 80 ms in the device, as its driver suggests.
        control.set_device_fill(2400, 2400);
        let worker = Worker::new(WorkerParts {
            backend,
            receiver,
            arm: arm.clone(),
            reports: report_tx,
            control,
            stats: stats.clone(),
            clock: Arc::new(SystemClock),
            seed: 1,
        });
        let handle = spawn(worker, Arc::new(SystemClock)).unwrap();
        Self { gate: Gate::new(arm.clone()), arm, sender, stats, handle, sent: 0 }
    }

    /// Produces until `done`, at most 20 s.
    fn until(&mut self, mut done: impl FnMut(&Self) -> bool) -> bool {
        let deadline = SystemClock.now() + Duration::from_secs(20);
        while SystemClock.now() < deadline {
            if done(self) {
                return true;
            }
            let now = SystemClock.now();
            self.arm.beat(now);
            while self.sender.free_points() >= 250 {
                let mut points: Vec<LaserPoint> = (self.sent..self.sent + 250)
                    .map(|n| {
                        let (y, x) = (n as f32 / 300.0 * std::f32::consts::TAU).sin_cos();
                        LaserPoint::lit(0.5 * x, 0.5 * y, Colour::WHITE)
                    })
                    .collect();
                let chunk = self.gate.pass(now, &mut points, StreamInstant(self.sent), PPS);
                if !self.sender.push(&chunk) {
                    break;
                }
                self.sent += 250;
            }
            SystemClock.sleep_until(now + Duration::from_millis(2));
        }
        false
    }

    fn is(&self, state: WorkerState) -> bool {
        self.handle.status().view().state == state
    }
}

#[test]
fn two_seconds_of_light_arrive_over_udp_and_the_end_is_dark() {
    let log = Log::default();
    let server = serve("", &log);
    let mut show = Show::on(&server);
    assert!(show.until(|show| show.is(WorkerState::Ready)));
    show.arm.arm(SystemClock.now()).unwrap();
    assert!(show.until(|_| log.len() >= 60_000));
    assert!(log.is_lit(HostTime::ZERO));
    assert_eq!(show.stats.read().reconnects, 0);
    assert!(show.handle.close(Duration::from_secs(3)));
    let device = server.stop().unwrap();
    assert!(!device.output_enabled() && !device.acknowledges());
    assert_eq!((device.mirrors().queued(), device.overruns()), (0, 0));
}

/// Design §5.2. The exact bound is tested in virtual time; this one is generous for a busy machine.
#[test]
fn a_disarm_reaches_the_device_ahead_of_its_buffer() {
    let log = Log::default();
    let server = serve("", &log);
    let mut show = Show::on(&server);
    assert!(show.until(|show| show.is(WorkerState::Ready)));
    show.arm.arm(SystemClock.now()).unwrap();
    assert!(show.until(|_| log.is_lit(HostTime::ZERO)));
    show.arm.disarm(SystemClock.now(), TripReason::Operator);
    let (disarmed, sent) = (SystemClock.now(), show.sent);
    // The stream goes on for longer than the device holds; nothing of it is sent any more.
    assert!(show.until(|show| show.sent >= sent + 12_000));
    assert!(!log.is_lit(disarmed + Duration::from_millis(150)));
}

#[test]
fn a_bad_network_is_driven_all_the_same() {
    let log = Log::default();
    let server = serve("loss=5%,dup=1%,delay=3ms,jitter=4ms,seed=4", &log);
    let mut show = Show::on(&server);
    assert!(show.until(|show| show.is(WorkerState::Ready)));
    show.arm.arm(SystemClock.now()).unwrap();
    assert!(show.until(|_| log.len() >= 45_000));
    assert!(log.is_lit(HostTime::ZERO));
    assert_eq!(show.stats.read().reconnects, 0);
}

#[test]
fn a_cut_network_returns_dark_and_disarmed() {
    let log = Log::default();
    let server = serve("cut=500ms", &log);
    let mut show = Show::on(&server);
    assert!(show.until(|show| show.is(WorkerState::Ready)));
    show.arm.arm(SystemClock.now()).unwrap();
    assert!(show.until(|show| show.stats.read().reconnects >= 1));
    assert!(!show.arm.is_armed());
    assert!(show.handle.close(Duration::from_secs(3)));
}

#[test]
fn an_open_interlock_latches_over_udp() {
    let log = Log::default();
    let server = serve("estop=300ms", &log);
    let mut show = Show::on(&server);
    assert!(show.until(|show| show.is(WorkerState::Ready)));
    show.arm.arm(SystemClock.now()).unwrap();
    assert!(show.until(|show| show.is(WorkerState::EmergencyStop)));
    assert!(show.arm.is_stopped());
}

#[test]
fn an_address_where_nobody_answers_is_told_in_one_sentence_with_the_cure() {
    // Nobody reads this socket.
    let dumb = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let port = dumb.local_addr().unwrap().port();
    let mut cube = LaserCube::new("lasercube-wifi://x", "127.0.0.1", port, Arc::new(SystemClock));
    let sentence = cube.connect(SystemClock.now()).unwrap_err().to_string();
    assert!(sentence.contains("no answer") && sentence.contains("check its power"), "{sentence}");
}

#[test]
fn the_search_finds_a_cube_and_loses_it() {
    let server = serve("", &Log::default());
    let address = server.address();
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let mut search = Search::over(socket, vec![address]).unwrap();
    let mut events = Vec::new();
    let deadline = SystemClock.now() + Duration::from_secs(20);
    while events.is_empty() && SystemClock.now() < deadline {
        let now = SystemClock.now();
        search.look(now, |event| events.push(event));
        SystemClock.sleep_until(now + Duration::from_millis(5));
    }
    let Some(Event::Found(found)) = events.first() else { panic!("{events:?}") };
    assert_eq!(found.uri, Some(format!("lasercube-wifi://{address}")));
    assert!(found.name.contains("battery 87 %"), "{}", found.name);
    assert_eq!(search.list().len(), 1);
    let driver = open(&found.uri.clone().unwrap(), &search.list(), Arc::new(SystemClock)).unwrap();
    assert_eq!(driver.presumed().max_pps, 40_000);
    drop(server);
    search.look(SystemClock.now() + Duration::from_mins(1), |event| events.push(event));
    assert!(matches!(events.last(), Some(Event::Lost(_))), "{events:?}");
}

/// The origin of each message stands in the file.
#[test]
fn every_golden_message_reads_and_emits_the_same_bytes() {
    use galvo::wire::lasercube_wifi::{Acknowledge, Command, DataPacket, Reply};
    let mut messages = 0;
    for line in include_str!("../golden/lasercube_wifi/messages.txt").lines() {
        let mut words = line.split(' ');
        let (Some("A" | "B" | "C"), Some(kind), Some(hex)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        let mut out = Vec::new();
        match kind {
            "command" => Command::parse(&bytes).unwrap().emit(&mut out),
            "reply" => Reply::parse(&bytes).unwrap().emit(&mut out),
            "acknowledge" => Acknowledge::parse(&bytes).unwrap().emit(&mut out),
            _ => {
                let packet = DataPacket::parse(&bytes).unwrap();
                out.extend([0xa9, 0, packet.message, packet.frame]);
                out.extend(packet.points().flat_map(|point| point.emit()));
            }
        }
        assert_eq!(out, bytes, "{line}");
        messages += 1;
    }
    assert_eq!(messages, 20);
}
