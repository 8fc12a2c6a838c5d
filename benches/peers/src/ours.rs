//! galvo's stream, driver and device thread on the simulator.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use galvo::dac::ether_dream::EtherDream;
use galvo::dac::{Backend, Worker, WorkerHandle, WorkerParts, WorkerState, Written, spawn};
use galvo::point::{Colour, LaserPoint};
use galvo::realtime::no_alloc;
use galvo::safety::{Arm, Gate, queue};
use galvo::stream::{
    FillRequest, FillResult, MediaMap, Stream, StreamConfig, StreamControl, link, run_fill,
};
use galvo::time::{Clock, HostTime, MediaTime, StreamInstant, SystemClock};

use crate::PPS;
use crate::screen::stamp;
use crate::sides::{Stall, Streaming};

fn driver(port: u16) -> EtherDream {
    EtherDream::new("ether-dream://peers", "127.0.0.1", port, Arc::new(SystemClock))
}

pub struct Ours {
    control: StreamControl,
    worker: Option<WorkerHandle>,
    filler: Option<JoinHandle<()>>,
    beater: Option<JoinHandle<()>>,
    over: Arc<AtomicBool>,
}

impl Ours {
    pub fn start(port: u16, target: Option<Duration>, stall: Stall) -> Self {
        let clock = SystemClock;
        let backend = driver(port);
        let presumed = backend.presumed();
        let target = target.unwrap_or(presumed.suggested_buffer);
        let config = StreamConfig::new(PPS).with_target_buffer(target);
        let arm = Arm::new();
        let mut gate = Gate::new(arm.clone());
        gate.set_master(1.0);
        let (parts, device) = link(&config, &presumed, gate, arm.clone());
        let mut stream = Stream::new(config, &presumed, parts).expect("the configuration is sound");
        let worker = Worker::new(WorkerParts {
            backend: Box::new(backend),
            receiver: device.receiver,
            arm: arm.clone(),
            reports: device.reports,
            control: device.link,
            stats: device.stats,
            clock: Arc::new(clock),
            seed: 1,
        });
        let control = stream.control();
        let worker = spawn(worker, Arc::new(clock)).expect("a thread can be started");
        let over = Arc::new(AtomicBool::new(false));
        // In a show every audio period is a sign of life; without them the switch trips after 100 ms.
        let beater = {
            let (arm, over) = (arm, Arc::clone(&over));
            std::thread::spawn(move || {
                while !over.load(Ordering::Acquire) {
                    arm.beat(clock.now());
                    clock.sleep_until(clock.now() + Duration::from_millis(10));
                }
            })
        };
        let filler = std::thread::spawn(move || {
            let map = MediaMap { host: HostTime::ZERO, rate: 1.0, ..MediaMap::default() };
            stream.set_media_map(MediaMap { media: MediaTime::ZERO, ..map });
            let mut producer = |request: &FillRequest, buffer: &mut [LaserPoint]| {
                stall.wait_if_told();
                let made = clock.now().as_secs_f64();
                for (k, point) in buffer[..request.target_points].iter_mut().enumerate() {
                    let content = request.media_at(k).as_secs_f64();
                    let ([x, y], [r, g, b, i]) = stamp(request.start.0 + k as u64, made, content);
                    *point = LaserPoint { x, y, r, g, b, i };
                }
                FillResult::Filled(request.target_points)
            };
            run_fill(&mut stream, &clock, &mut producer);
        });
        let worker = Some(worker);
        Self { control, worker, filler: Some(filler), beater: Some(beater), over }
    }
}

impl Streaming for Ours {
    fn is_ready(&self) -> bool {
        self.worker.as_ref().is_some_and(|w| w.status().view().state == WorkerState::Ready)
    }

    fn arm(&self) {
        self.control.arm(SystemClock.now()).expect("no stop is latched");
    }

    fn disarm(&self) {
        self.control.disarm(SystemClock.now());
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.control.stop(SystemClock.now());
        self.over.store(true, Ordering::Release);
        for thread in [self.filler.take(), self.beater.take()].into_iter().flatten() {
            drop(thread.join());
        }
        if let Some(worker) = self.worker.take() {
            assert!(worker.close(Duration::from_secs(3)), "the simulator lets go");
        }
    }
}

/// Uses of the heap per write of 150 points, once the buffers have grown.
pub fn heap_uses_per_write(port: u16) -> f64 {
    let clock = SystemClock;
    let mut backend = driver(port);
    backend.connect(clock.now()).expect("the simulator answers");
    let arm = Arm::new();
    arm.arm(clock.now()).expect("a new switch is not stopped");
    let mut gate = Gate::new(arm.clone());
    let (mut sender, mut receiver) = queue(4096, 64, 150, arm);
    let (mut writes, mut uses, mut sent) = (0_u64, 0, 0);
    while writes < 1_100 {
        let now = clock.now();
        if sender.has_room(150) {
            let mut points = [LaserPoint::lit(0.5, 0.5, Colour::WHITE); 150];
            let chunk = gate.pass(now, &mut points, StreamInstant(sent), PPS);
            assert!(sender.push(&chunk), "there was room");
            sent += 150;
        }
        let (_, polled) = no_alloc::watch(|| backend.poll(now).is_ok());
        if let Some(chunk) = receiver.next(150) {
            let (written, touched) = no_alloc::watch(|| backend.write(now, chunk));
            if written.expect("the simulator stays") == Written::Accepted {
                receiver.commit();
                writes += 1;
                uses += if writes > 100 { touched + polled } else { 0 };
            } else {
                clock.sleep_until(now + Duration::from_millis(1));
            }
        }
    }
    backend.close(clock.now());
    uses as f64 / 1_000.0
}
