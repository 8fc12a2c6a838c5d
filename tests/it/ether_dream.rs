//! The Ether Dream driver and its device thread against the virtual device over real TCP.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use galvo::dac::ether_dream::EtherDream;
use galvo::dac::simulator::ether_dream::{Options, Server};
use galvo::dac::simulator::{Faults, Recorder};
use galvo::dac::{
    Backend, DacError, LinkControl, LinkStats, Worker, WorkerHandle, WorkerParts, WorkerState,
    Written, reports, spawn,
};
use galvo::point::{Colour, LaserPoint};
use galvo::realtime::no_alloc;
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

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn serve(faults: &str, log: &Log) -> Server {
    let options = Options {
        faults: Faults::parse(faults).unwrap(),
        recorder: Some(Box::new(log.clone())),
        ..Options::default()
    };
    Server::start(loopback(), options, Arc::new(SystemClock)).unwrap()
}

fn driver(address: SocketAddr) -> EtherDream {
    EtherDream::new("ether-dream://test", "127.0.0.1", address.port(), Arc::new(SystemClock))
}

/// What a connection ends with.
fn first_error(mut driver: EtherDream) -> DacError {
    if let Err(error) = driver.connect(SystemClock.now()) {
        return error;
    }
    loop {
        let now = SystemClock.now();
        if let Err(error) = driver.poll(now) {
            return error;
        }
        SystemClock.sleep_until(now + Duration::from_millis(1));
    }
}

/// A device thread on a real connection, and a producer that keeps its queue full.
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
        let arm = Arm::new();
        // Deep enough that a busy machine's pauses do not matter to what is tested.
        let (sender, receiver) = queue(3000, 64, 500, arm.clone());
        let (report_tx, _reports) = reports(64);
        let stats = LinkStats::default();
        let worker = Worker::new(WorkerParts {
            backend: Box::new(driver(server.address())),
            receiver,
            arm: arm.clone(),
            reports: report_tx,
            control: LinkControl::new(PPS),
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
                let mut points = [LaserPoint::lit(0.5, 0.5, Colour::WHITE); 250];
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

fn is_lit(log: &Log, after: HostTime) -> bool {
    let log = log.0.lock().unwrap();
    log.iter().rev().take_while(|(at, _)| *at > after).any(|(_, point)| !point.is_blank())
}

#[test]
fn two_seconds_of_light_arrive_over_tcp_without_underflow() {
    let log = Log::default();
    let server = serve("", &log);
    let mut show = Show::on(&server);
    assert!(show.until(|show| show.is(WorkerState::Ready)));
    show.arm.arm(SystemClock.now()).unwrap();
    assert!(show.until(|_| log.0.lock().unwrap().len() >= 60_000));
    let counts = show.stats.read();
    assert_eq!((counts.underflows, counts.reconnects), (0, 0));
    let start = log.0.lock().unwrap()[0].0;
    assert!(is_lit(&log, start));
    assert!(show.handle.close(Duration::from_secs(3)));
    let device = server.stop().unwrap();
    assert!(!device.mirrors().is_playing());
}

/// Design §5.2. The device's own clock says when it was dark; the bound is generous for a busy machine, the
/// exact one is tested in virtual time.
#[test]
fn a_disarm_reaches_the_device_ahead_of_its_queue() {
    let log = Log::default();
    let server = serve("", &log);
    let mut show = Show::on(&server);
    assert!(show.until(|show| show.is(WorkerState::Ready)));
    show.arm.arm(SystemClock.now()).unwrap();
    assert!(show.until(|_| is_lit(&log, HostTime::ZERO)));
    let dropped = show.stats.read().dropped_points;
    show.arm.disarm(SystemClock.now(), TripReason::Operator);
    let shown = log.0.lock().unwrap().len();
    // It was stopped with all it held, and what is made meanwhile is let go.
    assert!(show.until(|show| show.stats.read().dropped_points >= dropped + 6_000));
    assert!(log.0.lock().unwrap().len() < shown + 5_000);
}

#[test]
fn a_cut_connection_returns_dark_and_disarmed() {
    let log = Log::default();
    let server = serve("cut=700ms", &log);
    let mut show = Show::on(&server);
    assert!(show.until(|show| show.is(WorkerState::Ready)));
    show.arm.arm(SystemClock.now()).unwrap();
    assert!(show.until(|show| show.stats.read().reconnects >= 2));
    assert!(!show.arm.is_armed());
    assert!(show.handle.close(Duration::from_secs(3)));
}

#[test]
fn a_device_estop_latches_over_tcp() {
    let log = Log::default();
    let server = serve("estop=300ms", &log);
    let mut show = Show::on(&server);
    assert!(show.until(|show| show.is(WorkerState::Ready)));
    show.arm.arm(SystemClock.now()).unwrap();
    assert!(show.until(|show| show.is(WorkerState::EmergencyStop)));
    assert!(show.arm.is_stopped());
}

#[test]
fn a_late_and_slow_device_is_driven_all_the_same() {
    let log = Log::default();
    let server = serve("delay=5ms,jitter=5ms,underflow=500ms,seed=4", &log);
    let mut show = Show::on(&server);
    assert!(show.until(|_| log.0.lock().unwrap().len() >= 30_000));
    assert!(show.until(|show| show.stats.read().underflows >= 1));
    assert_eq!(show.stats.read().reconnects, 0);
}

#[test]
fn a_refused_connection_is_told_in_one_sentence_with_the_cure() {
    // Nobody listens on a port that was free a moment ago.
    let address = TcpListener::bind(loopback()).unwrap().local_addr().unwrap();
    let error = driver(address).connect(SystemClock.now()).unwrap_err();
    let sentence = error.to_string();
    assert!(matches!(error, DacError::Gone { .. }), "{sentence}");
    assert!(sentence.contains("refused") && sentence.contains("check its power"), "{sentence}");
}

#[test]
fn a_listener_that_says_nothing_is_given_up_in_time() {
    let listener = TcpListener::bind(loopback()).unwrap();
    let started = SystemClock.now();
    let error = first_error(driver(listener.local_addr().unwrap()));
    assert!(error.to_string().contains("does not greet"), "{error}");
    assert!(SystemClock.now().since(started) < Duration::from_secs(10));
}

#[test]
fn a_listener_that_talks_nonsense_is_a_protocol_error() {
    use std::io::Write;
    let listener = TcpListener::bind(loopback()).unwrap();
    let address = listener.local_addr().unwrap();
    let talk = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n........").unwrap();
        stream
    });
    let error = first_error(driver(address));
    assert!(matches!(error, DacError::Protocol { .. }), "{error}");
    drop(talk.join());
}

/// LS-02: once the buffers have grown, what is written to a device touches no heap.
#[test]
fn a_write_does_not_touch_the_heap() {
    let log = Log::default();
    let server = serve("", &log);
    let mut backend = driver(server.address());
    backend.connect(SystemClock.now()).unwrap();
    let arm = Arm::new();
    let mut gate = Gate::new(arm.clone());
    let (mut sender, mut receiver) = queue(1_000, 64, 150, arm);
    let (mut writes, mut sent) = (0, 0);
    while writes < 300 {
        let now = SystemClock.now();
        if sender.has_room(150) {
            let mut points = [LaserPoint::lit(0.5, 0.5, Colour::WHITE); 150];
            assert!(sender.push(&gate.pass(now, &mut points, StreamInstant(sent), PPS)));
            sent += 150;
        }
        backend.poll(now).unwrap();
        let Some(chunk) = receiver.next(150) else { continue };
        let (written, touched) = no_alloc::watch(|| backend.write(now, chunk));
        assert!(writes < 100 || touched == 0, "write {writes}: {touched} uses of the heap");
        if written.unwrap() == Written::Accepted {
            receiver.commit();
            writes += 1;
        } else {
            SystemClock.sleep_until(now + Duration::from_millis(1));
        }
    }
    backend.close(SystemClock.now());
}

/// The origin of each message stands in the file.
#[test]
fn every_golden_message_reads_and_emits_the_same_bytes() {
    use galvo::wire::ether_dream::{Announcement, Command, Response};
    let mut messages = 0;
    for line in include_str!("../golden/ether_dream/messages.txt").lines() {
        let mut words = line.split(' ');
        let (Some("A" | "B"), Some(kind), Some(hex)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        let mut out = Vec::new();
        match kind {
            "announcement" => out.extend(Announcement::parse(&bytes).unwrap().emit()),
            "response" => out.extend(Response::parse(&bytes).unwrap().emit()),
            _ => Command::parse(&bytes).unwrap().0.emit(&mut out),
        }
        assert_eq!(out, bytes, "{line}");
        messages += 1;
    }
    assert_eq!(messages, 32);
}
