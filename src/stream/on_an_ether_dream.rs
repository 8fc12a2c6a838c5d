//! A whole stream on a virtual Ether Dream, in virtual time: what slow answers, low rates and seeks do to its light.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{FillRequest, FillResult, MediaMap, Stream, StreamConfig, link};
use crate::dac::ether_dream::EtherDream;
use crate::dac::simulator::Recorder;
use crate::dac::simulator::ether_dream::{Bench, Device, Generation};
use crate::dac::transport::{Dial, Fault, FaultPlan};
use crate::dac::{Backend, Worker, WorkerParts};
use crate::point::{Colour, LaserPoint};
use crate::safety::{Arm, Gate};
use crate::time::{Clock, HostTime, ManualClock};

const PPS: u32 = 30_000;
const MS: Duration = Duration::from_millis(1);

/// The points shown, lit or not, with the run they belong to.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(HostTime, bool)>>>);

impl Recorder for Log {
    fn shown(&mut self, at: HostTime, _index: u64, point: &LaserPoint) {
        self.0.lock().unwrap().push((at, !point.is_blank()));
    }
}

struct Rig {
    clock: ManualClock,
    bench: Bench,
    log: Log,
    arm: Arm,
    stream: Stream,
    worker: Worker,
    next_tick: HostTime,
    map: MediaMap,
}

/// Light that moves: a circle of 600 points.
fn circle(request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
    let n = request.target_points;
    for (k, point) in buffer[..n].iter_mut().enumerate() {
        let phase = ((request.start.0 + k as u64) % 600) as f32 / 600.0;
        let (sin, cos) = (phase * std::f32::consts::TAU).sin_cos();
        *point = LaserPoint::lit(0.3 * cos, 0.3 * sin, Colour::WHITE);
    }
    FillResult::Filled(n)
}

impl Rig {
    fn new(
        generation: Generation,
        announced: bool,
        pps: u32,
        line: impl FnOnce(Bench) -> Box<dyn Dial>,
    ) -> Self {
        let log = Log::default();
        let device = Device::new(generation, None, 0.0, Some(Box::new(log.clone())));
        let announcement = device.announcement();
        let bench = Bench::new(device);
        let clock = ManualClock::starting_at(HostTime::from_nanos(1_000_000_000));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let mut driver =
            EtherDream::over("ether-dream://bench", line(bench.clone()), Arc::clone(&shared));
        if announced {
            driver = driver.announced(&announcement);
        }
        let presumed = driver.presumed();
        let config = StreamConfig::new(pps).with_target_buffer(presumed.suggested_buffer);
        let arm = Arm::new();
        let (parts, device) = link(&config, &presumed, Gate::new(arm.clone()), arm.clone());
        let stream = Stream::new(config, &presumed, parts).unwrap();
        let worker = Worker::new(WorkerParts {
            backend: Box::new(driver),
            receiver: device.receiver,
            arm: arm.clone(),
            reports: device.reports,
            control: device.link,
            stats: device.stats,
            clock: shared,
            seed: 1,
        });
        let next_tick = clock.now();
        Self { clock, bench, log, arm, stream, worker, next_tick, map: MediaMap::default() }
    }

    fn run(&mut self, ms: u32) {
        let end = self.clock.now() + MS * ms;
        while self.clock.now() < end {
            let now = self.clock.now();
            if now >= self.next_tick {
                self.next_tick = now + MS * 10;
                self.stream.set_media_map(self.map);
                self.stream.fill_from(now, &mut circle);
            }
            self.worker.step(now);
            self.clock.advance(MS);
        }
    }

    /// Points shown in ten seconds of light, percent of all.
    fn shown_in_ten_seconds(&mut self) -> f64 {
        self.lit();
        // What is measured is the line and not the first second on it.
        self.run(2_000);
        let before = self.shown();
        self.run(10_000);
        (self.shown() - before) as f64 / 3_000.0
    }

    fn buffer_ms(&self) -> u128 {
        self.stream.control().stats().needed_buffer().unwrap().as_millis()
    }

    fn lit(&mut self) {
        self.run(300);
        self.arm.arm(self.clock.now()).unwrap();
        self.run(700);
    }

    fn underflows(&self) -> u64 {
        self.stream.control().stats().read().device_underflows
    }

    fn shown(&self) -> usize {
        let now = self.clock.now();
        self.bench.with(|device| device.advance(now));
        self.log.0.lock().unwrap().len()
    }

    fn prepares(&self) -> u32 {
        self.bench.with(|device| device.prepares())
    }
}

fn plain(bench: Bench) -> Box<dyn Dial> {
    Box::new(bench)
}

#[test]
fn a_third_generation_is_never_let_below_its_256_points_at_any_rate() {
    for announced in [true, false] {
        for pps in [1_000, 3_000, 5_000, 10_000, 30_000, 100_000] {
            let mut rig = Rig::new(Generation::Three, announced, pps, plain);
            rig.lit();
            let before = rig.shown();
            rig.run(5_000);
            let shown = rig.shown() - before;
            let told = format!("at {pps}, announced: {announced}");
            assert_eq!((rig.underflows(), rig.prepares()), (0, 1), "{told}");
            assert!(shown.abs_diff(5 * pps as usize) <= 2 + pps as usize / 500, "{shown} {told}");
        }
    }
}

/// The last points that are meant to be seen are seen: what the device never plays is dark and behind them.
#[test]
fn the_end_of_a_show_is_shown_whole_on_a_third_generation() {
    let mut rig = Rig::new(Generation::Three, true, PPS, plain);
    rig.lit();
    let made = rig.stream.position().0;
    rig.stream.control().end();
    rig.run(300);
    let shown = rig.shown() as u64;
    let dropped = rig.worker.status().counts().dropped_points;
    assert!(shown + dropped >= made, "{shown} shown and {dropped} dropped of {made}");
}

#[test]
fn a_seek_moves_no_relay_and_old_light_is_at_most_what_the_device_holds() {
    let mut rig = Rig::new(Generation::Two, true, PPS, plain);
    rig.lit();
    for turn in 1..=20 {
        let asked = rig.clock.now();
        let before = rig.shown();
        rig.map = MediaMap { epoch: turn, host: asked, rate: 1.0, ..MediaMap::default() };
        rig.run(200);
        let told = format!("seek {turn}");
        assert_eq!((rig.prepares(), rig.underflows()), (1, 0), "{told}");
        let shown = rig.shown() - before;
        assert!(shown.abs_diff(6_000) <= 60, "{shown} points in 200 ms: the flow goes on, {told}");
        let log = rig.log.0.lock().unwrap();
        let dark = log[before..].iter().find(|(_, lit)| !lit);
        let old = dark.map_or(0, |(at, _)| at.nanos_since(asked) / 1_000_000);
        assert!(old <= 50, "{old} ms of old light, {told}");
        assert!(log[log.len() - 1_000..].iter().all(|(_, lit)| *lit), "new light, {told}");
    }
}

/// A device that takes 30 ms for each command, one after the other, as other programs drive it without a gap: with about 900
/// points in each. 8 % were shown before.
#[test]
fn thirty_milliseconds_a_command_show_all_points() {
    for takes in [2, 5, 10, 20, 30] {
        let mut rig = Rig::new(Generation::Two, true, PPS, |bench| {
            bench.take_for_each_command(MS * takes);
            Box::new(bench)
        });
        let shown = rig.shown_in_ten_seconds();
        let before = rig.underflows();
        rig.run(3_000);
        let told = format!("{takes} ms a command, {} ms of buffer", rig.buffer_ms());
        assert!(shown > 99.9, "{shown} % shown at {told}");
        assert_eq!(rig.underflows(), before, "{told}");
        assert!((40..=111).contains(&rig.buffer_ms()), "{told}");
    }
}

/// Without an announcement it is taken for the smallest device known, whose queue is shorter than two such answers.
#[test]
fn thirty_milliseconds_a_command_show_what_they_can_on_a_device_that_was_not_announced() {
    let mut rig = Rig::new(Generation::Two, false, PPS, |bench| {
        bench.take_for_each_command(MS * 30);
        Box::new(bench)
    });
    let shown = rig.shown_in_ten_seconds();
    assert!(shown > 24.0, "{shown} % shown");
}

#[test]
fn five_milliseconds_and_up_to_twenty_of_jitter_cause_no_underflow() {
    for announced in [true, false] {
        for seed in 1..=4 {
            let plan = FaultPlan { delay: MS * 5, jitter: MS * 20, seed, ..FaultPlan::default() };
            let mut rig = Rig::new(Generation::Two, announced, PPS, |bench| {
                Box::new(Fault::new(bench, plan))
            });
            let shown = rig.shown_in_ten_seconds();
            let told = format!("seed {seed}, announced: {announced}, {} ms", rig.buffer_ms());
            assert_eq!(rig.underflows(), 0, "{told}");
            assert!(shown > 99.5, "{shown} % shown, {told}");
        }
    }
}

#[test]
fn a_good_line_keeps_the_least_buffer_and_what_grew_comes_down_slowly() {
    let mut rig = Rig::new(Generation::Two, true, PPS, plain);
    rig.lit();
    assert_eq!(rig.buffer_ms(), 40);
    let now = rig.clock.now();
    rig.bench.with(|device| device.starve(now));
    rig.run(100);
    assert_eq!(rig.buffer_ms(), 54);
    rig.run(5_000);
    assert_eq!(rig.buffer_ms(), 49);
    rig.run(15_000);
    assert_eq!(rig.buffer_ms(), 40);
}

#[test]
fn a_buffer_that_is_set_holds_whatever_the_line_is_like() {
    let mut rig = Rig::new(Generation::Two, true, PPS, plain);
    rig.stream.control().set_buffer(Some(MS * 75));
    rig.lit();
    let now = rig.clock.now();
    rig.bench.with(|device| device.starve(now));
    rig.run(1_000);
    assert_eq!(rig.buffer_ms(), 75);
    let ahead = rig.stream.control().stats().read().buffered_points;
    assert!(ahead.abs_diff(2_250) <= 320, "{ahead} points ahead");
    rig.stream.control().set_buffer(Some(MS * 20));
    rig.run(1_000);
    let ahead = rig.stream.control().stats().read().buffered_points;
    assert!(ahead.abs_diff(600) <= 320, "{ahead} points ahead");
}
