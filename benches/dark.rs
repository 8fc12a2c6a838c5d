//! From a disarm to darkness on an Ether Dream: in virtual time, exact; and over TCP on the loopback interface,
//! as a distribution.
//!
//! The virtual line takes half a round trip either way. A disarm wakes the device thread, here at once: what a
//! real thread takes to wake is in the second figure.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use galvo::dac::ether_dream::EtherDream;
use galvo::dac::simulator::Recorder;
use galvo::dac::simulator::ether_dream::{Bench, Device, Generation, Options, Server};
use galvo::dac::transport::{ByteStream, Dial};
use galvo::dac::{
    Backend, LinkControl, LinkStats, Worker, WorkerParts, WorkerState, reports, spawn,
};
use galvo::point::{Colour, LaserPoint};
use galvo::safety::{Arm, Gate, SafeSender, TripReason, queue};
use galvo::time::{Clock, HostTime, ManualClock, StreamInstant, SystemClock};

const PPS: u32 = 30_000;
const VIRTUAL_TRIALS: u64 = 200;
const REAL_TRIALS: u64 = 100;

/// Remembers when light was last on the mirrors.
#[derive(Clone, Default)]
struct LastLight(Arc<Mutex<Option<HostTime>>>);

impl Recorder for LastLight {
    fn shown(&mut self, at: HostTime, _index: u64, point: &LaserPoint) {
        if !point.is_blank() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        }
    }
}

impl LastLight {
    fn get(&self) -> Option<HostTime> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_after(&self, at: HostTime) -> bool {
        self.get().is_some_and(|last| last > at)
    }
}

/// A line on which every byte takes `one_way`, there and back.
struct Line<D> {
    inner: D,
    one_way: Duration,
}

impl<D: Dial> Dial for Line<D> {
    fn dial(&mut self, now: HostTime, timeout: Duration) -> io::Result<Box<dyn ByteStream>> {
        let inner = self.inner.dial(now, timeout)?;
        let (there, back) = (VecDeque::new(), VecDeque::new());
        Ok(Box::new(LateStream { inner, one_way: self.one_way, there, back }))
    }
}

type OnTheWay = VecDeque<(HostTime, Vec<u8>)>;

struct LateStream {
    inner: Box<dyn ByteStream>,
    one_way: Duration,
    there: OnTheWay,
    back: OnTheWay,
}

impl LateStream {
    /// Hands over what has arrived by `now`, at the moments it arrived.
    fn carry(&mut self, now: HostTime) -> io::Result<()> {
        while let Some((due, bytes)) = self.there.front().filter(|(due, _)| *due <= now) {
            self.inner.try_write(*due, bytes)?;
            let mut answer = [0; 512];
            let n = self.inner.try_read(*due, &mut answer)?;
            self.back.push_back((*due + self.one_way, answer[..n].to_vec()));
            self.there.pop_front();
        }
        Ok(())
    }
}

impl ByteStream for LateStream {
    fn try_write(&mut self, now: HostTime, bytes: &[u8]) -> io::Result<usize> {
        self.carry(now)?;
        self.there.push_back((now + self.one_way, bytes.to_vec()));
        Ok(bytes.len())
    }

    fn try_read(&mut self, now: HostTime, into: &mut [u8]) -> io::Result<usize> {
        self.carry(now)?;
        let mut greeting = [0; 512];
        let n = self.inner.try_read(now, &mut greeting)?;
        if n > 0 {
            self.back.push_back((now + self.one_way, greeting[..n].to_vec()));
        }
        let Some((_, bytes)) = self.back.front_mut().filter(|(due, _)| *due <= now) else {
            return Ok(0);
        };
        let n = bytes.len().min(into.len());
        into[..n].copy_from_slice(&bytes[..n]);
        bytes.drain(..n);
        if bytes.is_empty() {
            self.back.pop_front();
        }
        Ok(n)
    }
}

/// A producer of white light that keeps its queue full.
struct Light {
    arm: Arm,
    gate: Gate,
    sender: SafeSender,
    sent: u64,
}

impl Light {
    fn produce(&mut self, now: HostTime) {
        self.arm.beat(now);
        while self.sender.queued_points() < 1_000 && self.sender.has_room(150) {
            let mut points = [LaserPoint::CENTRE; 150];
            for (k, point) in points.iter_mut().enumerate() {
                let (y, x) = (k as f32 / 150.0 * std::f32::consts::TAU).sin_cos();
                *point = LaserPoint::lit(0.5 * x, 0.5 * y, Colour::WHITE);
            }
            let chunk = self.gate.pass(now, &mut points, StreamInstant(self.sent), PPS);
            if !self.sender.push(&chunk) {
                return;
            }
            self.sent += 150;
        }
    }
}

fn open(backend: Box<dyn Backend>, clock: Arc<dyn Clock>) -> (Light, Worker) {
    let arm = Arm::new();
    let (sender, receiver) = queue(4_096, 64, 500, arm.clone());
    let (reports, _nobody_reads) = reports(64);
    let control = LinkControl::new(PPS);
    // 40 ms in the device, as a stream asks for.
    control.set_device_fill(900, 1_200);
    let worker = Worker::new(WorkerParts {
        backend,
        receiver,
        arm: arm.clone(),
        reports,
        control,
        stats: LinkStats::default(),
        clock,
        seed: 1,
    });
    (Light { gate: Gate::new(arm.clone()), arm, sender, sent: 0 }, worker)
}

/// How long a disarm took to be dark, ms.
fn in_virtual_time(round_trip: Duration) -> Vec<f64> {
    const STEP: Duration = Duration::from_micros(50);
    let clock = ManualClock::starting_at(HostTime::from_nanos(1_000_000_000));
    let light = LastLight::default();
    let recorder = Some(Box::new(light.clone()) as Box<dyn Recorder>);
    let bench = Bench::new(Device::new(Generation::Two, None, 0.0, recorder));
    let line = Line { inner: bench, one_way: round_trip / 2 };
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let backend = EtherDream::over("ether-dream://bench", Box::new(line), Arc::clone(&shared));
    let (mut show, mut worker) = open(Box::new(backend), shared);
    let mut due = clock.now();
    // As the device thread does, with a flag for the unpark.
    let woken = Arc::new(AtomicBool::new(false));
    let wake = Arc::clone(&woken);
    assert!(show.arm.on_trip(move || wake.store(true, Ordering::Relaxed)));
    let mut step = |show: &mut Light| {
        let now = clock.now();
        show.produce(now);
        if woken.swap(false, Ordering::Relaxed) || now >= due {
            due = worker.step(now);
        }
        clock.advance(STEP);
    };
    let mut times = Vec::new();
    for trial in 0..VIRTUAL_TRIALS {
        let armed = clock.now();
        show.arm.arm(armed).expect("no stop is latched");
        while !light.is_after(armed) {
            step(&mut show);
        }
        for _ in 0..2_000 + trial * 7 % 40 {
            step(&mut show);
        }
        let disarmed = clock.now();
        show.arm.disarm(disarmed, TripReason::Operator);
        for _ in 0..4_000 {
            step(&mut show);
        }
        let last = light.get().expect("there was light");
        times.push(last.secs_since(disarmed) * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times
}

/// The same over TCP, with real threads, ms.
fn over_loopback() -> Vec<f64> {
    let light = LastLight::default();
    let options = Options { recorder: Some(Box::new(light.clone())), ..Options::default() };
    let server = Server::start(([127, 0, 0, 1], 0).into(), options, Arc::new(SystemClock))
        .expect("a port of the loopback interface is free");
    let port = server.address().port();
    let backend = EtherDream::new("ether-dream://bench", "127.0.0.1", port, Arc::new(SystemClock));
    let (mut show, worker) = open(Box::new(backend), Arc::new(SystemClock));
    let worker = spawn(worker, Arc::new(SystemClock)).expect("a thread can be started");
    let clock = SystemClock;
    let run = |show: &mut Light, done: &dyn Fn(HostTime) -> bool| {
        while !done(clock.now()) {
            show.produce(clock.now());
            clock.sleep_until(clock.now() + Duration::from_millis(2));
        }
    };
    run(&mut show, &|_| worker.status().view().state == WorkerState::Ready);
    let mut times = Vec::new();
    for trial in 0..REAL_TRIALS {
        let armed = clock.now();
        show.arm.arm(armed).expect("no stop is latched");
        run(&mut show, &|_| light.is_after(armed));
        let lit = clock.now() + Duration::from_micros(60_000 + trial * 370 % 5_000);
        run(&mut show, &|now| now >= lit);
        let disarmed = clock.now();
        show.arm.disarm(disarmed, TripReason::Operator);
        run(&mut show, &|now| now >= disarmed + Duration::from_millis(150));
        times.push((light.get().expect("there was light").secs_since(disarmed) * 1e3).max(0.0));
    }
    assert!(worker.close(Duration::from_secs(2)), "the simulator lets go");
    times.sort_by(f64::total_cmp);
    times
}

fn at(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

fn main() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("disarm → dark on an Ether Dream at 30 kpps; load average {}", load.trim());
    for round_trip_ms in [1.0, 5.0] {
        let times = in_virtual_time(Duration::from_secs_f64(round_trip_ms * 1e-3));
        let most = at(&times, 1.0);
        println!(
            "virtual, round trip {round_trip_ms} ms, {VIRTUAL_TRIALS} disarms: p50 {:.3}, max {most:.3} ms = {:.2} round trips = {:.1} points",
            at(&times, 0.5),
            most / round_trip_ms,
            most * 1e-3 * f64::from(PPS),
        );
    }
    let times = over_loopback();
    println!(
        "TCP on loopback, {REAL_TRIALS} disarms: p50 {:.2}, p95 {:.2}, max {:.2} ms",
        at(&times, 0.5),
        at(&times, 0.95),
        at(&times, 1.0)
    );
}
