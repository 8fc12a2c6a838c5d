//! How much lateness each buffer bears: the whole path from stream to device, in virtual time and from a seed.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use galvo::dac::ether_dream::EtherDream;
use galvo::dac::simulator::ether_dream::{Bench, Device, Generation};
use galvo::dac::transport::{Fault, FaultPlan};
use galvo::dac::{Backend, Worker, WorkerParts};
use galvo::safety::{Arm, Gate};
use galvo::stream::{Stream, StreamConfig, link};
use galvo::time::{Clock, HostTime, ManualClock};

use crate::mock_device::dot;

const PPS: u32 = 30_000;
const MS: Duration = Duration::from_millis(1);
/// Streams start, connect and settle before anything is counted.
const SETTLE: Duration = Duration::from_secs(2);
const COUNTED: Duration = Duration::from_secs(10);

/// A number of 0..1, the same on every machine.
fn random(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

/// Underruns of the stream and underflows of the device in 10 s: its answers are `latency` late and up to
/// `jitter` more, and the callback comes up to `jitter` late.
fn starvation(latency: Duration, jitter: Duration, target: Duration, seed: u64) -> (u64, u64) {
    let clock = ManualClock::starting_at(HostTime::from_nanos(1_000_000_000));
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let bench = Bench::new(Device::new(Generation::Two, None, 0.0, None));
    let plan = FaultPlan { delay: latency, jitter, seed, ..FaultPlan::default() };
    let line = Box::new(Fault::new(bench, plan));
    let backend = EtherDream::over("ether-dream://bench", line, Arc::clone(&shared));
    let presumed = backend.presumed();
    let config = StreamConfig::new(PPS).with_target_buffer(target);
    let arm = Arm::new();
    let (parts, device) = link(&config, &presumed, Gate::new(arm.clone()), arm.clone());
    let mut stream = Stream::new(config, &presumed, parts).expect("the configuration is sound");
    let mut worker = Worker::new(WorkerParts {
        backend: Box::new(backend),
        receiver: device.receiver,
        arm,
        reports: device.reports,
        control: device.link,
        stats: device.stats,
        clock: shared,
        seed,
    });
    let control = stream.control();
    // What a buffer of this length bears: not how a stream would help itself.
    control.set_buffer(Some(target));
    let starved = || {
        let stats = control.stats().read();
        (stats.underruns, stats.device_underflows)
    };
    let start = clock.now();
    let mut random_state = seed;
    let (mut tick, mut due) = (start, start);
    let mut before = (0, 0);
    while clock.now() < start + SETTLE + COUNTED {
        let now = clock.now();
        if now >= due {
            stream.fill_from(now, &mut { dot });
            tick += config.tick_interval;
            due = tick + jitter.mul_f64(random(&mut random_state));
        }
        worker.step(now);
        clock.advance(MS);
        if now < start + SETTLE {
            before = starved();
        }
    }
    let after = starved();
    (after.0 - before.0, after.1 - before.1)
}

/// Every pair of lateness and buffer. What a buffer cannot bear shows as device underflows, and every one that is
/// longer than the lateness bears it.
#[test]
fn a_buffer_bears_lateness_that_is_shorter_than_it() {
    let mut table = String::from(
        "underruns / device underflows in 10 s at 30 kpps, callback every 10 ms\n\
         latency ms, jitter ms |   target 20 ms |   target 40 ms |   target 80 ms\n",
    );
    for latency in [0, 5, 10, 20, 30] {
        for jitter in [0, 5, 10, 20] {
            write!(table, "{latency:>10}, {jitter:>9} ").expect("a string takes text");
            for target in [20, 40, 80] {
                let [latency, jitter, target] =
                    [latency, jitter, target].map(Duration::from_millis);
                let (underruns, underflows) = starvation(latency, jitter, target, 7);
                write!(table, "| {underruns:>6} / {underflows:>5} ").expect("a string takes text");
            }
            table.push('\n');
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn the_same_seed_starves_in_the_same_way() {
    let run = |seed| starvation(10 * MS, 20 * MS, 20 * MS, seed);
    assert_eq!(run(3), run(3));
}
