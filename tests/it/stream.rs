//! The stream as a whole against devices in virtual time: requests, results, policies, endings.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use galvo::point::{Colour, LaserPoint};
use galvo::stream::{
    FillRequest, FillResult, FramePusher, MediaMap, Pacing, RunExit, Stream, StreamConfig,
    Submitted, UnderrunPolicy, run_fill,
};
use galvo::time::{Clock, HostTime, ManualClock, MediaTime, StreamInstant};

use crate::mock_device::{MockDevice, QueueMock, Rig, capabilities, circle, dot};

const T0: HostTime = HostTime::from_nanos(50_000_000_000);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn config() -> StreamConfig {
    StreamConfig::new(30_000)
}

fn starved(_: &FillRequest, _: &mut [LaserPoint]) -> FillResult {
    FillResult::Starved
}

/// A device that runs while the stream's own loop sleeps.
struct World {
    clock: ManualClock,
    device: std::sync::Mutex<MockDevice>,
    sleeps: AtomicUsize,
    longest_ns: std::sync::atomic::AtomicU64,
}

impl World {
    fn new(device: MockDevice) -> Self {
        Self {
            clock: ManualClock::starting_at(T0),
            device: std::sync::Mutex::new(device),
            sleeps: AtomicUsize::new(0),
            longest_ns: 0.into(),
        }
    }

    fn device(self) -> MockDevice {
        self.device.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for World {
    fn now(&self) -> HostTime {
        self.clock.now()
    }

    fn sleep_until(&self, when: HostTime) {
        self.sleeps.fetch_add(1, Ordering::Relaxed);
        let slept = when.since(self.now()).as_nanos() as u64;
        self.longest_ns.fetch_max(slept, Ordering::Relaxed);
        let mut device = self.device.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        device.advance(self.now());
        self.clock.sleep_until(when);
        device.advance(when);
        device.report(when);
    }
}

/// LS-07, LS-10, LS-11: the first request of an empty stream wants 10 ms at least and 40 ms at best.
#[test]
fn an_empty_stream_asks_for_its_target() {
    let (mut stream, _device, _arm) = QueueMock::open(config());
    let request = stream.tick(T0).unwrap();
    assert_eq!((request.start, request.pps), (StreamInstant(0), 30_000));
    assert_eq!((request.min_points, request.target_points), (300, 1200));
    assert_eq!((request.buffered_points, request.buffered), (0, Duration::ZERO));
    assert_eq!(request.device_queued_points, None);
    assert!(request.plays_at >= T0);
}

/// LS-07, LS-08, LS-09, LS-14, LS-81: a request has these fields and no other (no `max_points`: the buffer's length is
/// the cap), carries the rate of its own points, and there are three answers to it.
#[test]
fn a_request_has_the_fields_agreed_and_three_answers() {
    let (mut stream, _device, _arm) = QueueMock::open(config());
    stream.control().set_pps(20_000).unwrap();
    let FillRequest {
        start,
        pps,
        min_points: _,
        target_points: _,
        buffered_points: _,
        buffered: _,
        device_queued_points: _,
        plays_at: _,
        media: _,
        media_per_point: _,
        epoch: _,
    } = stream.tick(T0).unwrap();
    assert_eq!((start, pps), (StreamInstant(0), 20_000));
    for result in [FillResult::Filled(1), FillResult::Starved, FillResult::End] {
        let points = match result {
            FillResult::Filled(points) => points,
            FillResult::Starved | FillResult::End => 0,
        };
        assert!(points <= 1);
    }
}

/// LS-13: what the device reports is handed on raw, beside the estimate.
#[test]
fn the_devices_own_count_is_handed_on_raw() {
    let mut rig = Rig::queue(config());
    rig.run(1.0, &mut dot);
    rig.device.stalled = true;
    let mut raw = Vec::new();
    for _ in 0..2 {
        rig.step(&mut |request: &FillRequest, _: &mut [LaserPoint]| {
            raw.push(request.device_queued_points.unwrap());
            FillResult::Filled(0)
        });
    }
    assert!(raw[0] > 500, "{raw:?}");
    assert!(
        raw.iter().all(|count| *count == raw[0]),
        "it ages only with the device's next word: {raw:?}"
    );
}

/// Trap: ticks below a millisecond divide by zero where whole milliseconds are counted. They are refused.
#[test]
fn a_tick_below_a_millisecond_is_refused() {
    for nanos in [0, 1, 999_999] {
        let config = config().with_tick_interval(Duration::from_nanos(nanos));
        assert!(config.check(&capabilities(true)).is_err(), "{nanos} ns");
    }
    assert!(config().with_tick_interval(ms(1)).check(&capabilities(true)).is_ok());
}

/// LS-10, LS-11, LS-12: what is buffered is taken off, rounded up, never below zero.
/// LS-38, LS-84: what was written counts as scheduled, for many states of the buffer.
#[test]
fn what_is_buffered_is_taken_off_the_request() {
    for (queued, min, target) in [(1, 299, 1199), (299, 1, 901), (300, 0, 900), (1200, 0, 0)] {
        let (mut stream, _device, _arm) = QueueMock::open(config());
        let request = stream.tick(T0).unwrap();
        let exact = FillRequest { min_points: 0, ..request };
        let points = vec![LaserPoint::CENTRE; queued];
        assert_eq!(stream.submit(T0, &exact, &points), Submitted::Queued(queued));
        let request = stream.tick(T0).unwrap();
        assert_eq!((request.min_points, request.target_points), (min, target), "{queued} queued");
        assert_eq!(request.buffered_points, queued as u64);
        assert_eq!(request.buffered.as_nanos(), queued as u128 * 1_000_000_000 / 30_000);
    }
}

/// LS-11, LS-36, LS-52, LS-53: a request never wants more than a chunk, whatever the device.
/// LS-51, LS-55, LS-82: both buffers are made for it, for every kind of device.
#[test]
fn a_chunk_is_never_longer_than_the_device_allows() {
    for (chunk, target_ms) in [(1799, 200), (4095, 500), (179, 40), (6000, 40), (1, 40)] {
        let caps = galvo::dac::Capabilities { max_points_per_chunk: chunk, ..capabilities(true) };
        let (mut stream, _device, _arm) =
            crate::mock_device::open(config().with_target_buffer(ms(target_ms)), &caps);
        assert_eq!(stream.chunk_points(), chunk);
        let mut seen = 0;
        stream.fill_from(T0, &mut |request: &FillRequest, buffer: &mut [LaserPoint]| {
            seen = buffer.len();
            assert!(request.target_points <= buffer.len());
            assert!(request.min_points <= buffer.len());
            FillResult::Filled(request.target_points)
        });
        assert_eq!(seen, chunk);
    }
}

/// LS-59: a minimum above the chunk is clamped and counted as a hint.
#[test]
fn a_minimum_above_the_chunk_is_clamped_and_counted() {
    let (mut stream, _device, _arm) = QueueMock::open(config().with_max_points_per_chunk(100));
    assert_eq!(stream.tick(T0).unwrap().min_points, 100);
    assert_eq!(stream.control().stats().read().clamped_requests, 1);
}

/// LS-03 ⚠2: `start` counts points accepted, without a gap, whatever the chunks and the reports.
#[test]
fn stream_time_has_no_gaps() {
    let mut rig = Rig::queue(config());
    rig.device.jitter = 0.02;
    let mut next = 0;
    let mut turn = 0_usize;
    for _ in 0..2_000 {
        rig.step(&mut |request: &FillRequest, buffer: &mut [LaserPoint]| {
            assert_eq!(request.start.0, next);
            turn += 1;
            let n = (request.target_points * (turn % 5) / 4).max(request.min_points).max(1);
            buffer[..n].fill(LaserPoint::CENTRE);
            next += n as u64;
            FillResult::Filled(n)
        });
    }
    assert!(next > 100_000);
}

/// LS-15, LR-17: more than the buffer holds counts as what it holds.
#[test]
fn more_points_than_the_buffer_holds_are_clamped() {
    let (mut stream, _device, _arm) = QueueMock::open(config().with_max_points_per_chunk(500));
    let all = |_: &FillRequest, _: &mut [LaserPoint]| FillResult::Filled(usize::MAX);
    assert_eq!(stream.fill_from(T0, &mut { all }), Some(Submitted::Queued(500)));
    assert_eq!(stream.position(), StreamInstant(500));
}

/// LS-16: a short fill is padded up to the minimum, dark at its last position.
#[test]
fn a_short_fill_is_padded_dark_at_its_last_position() {
    let mut rig = Rig::queue(config().with_startup_blank(Duration::ZERO)).armed();
    let short = |_: &FillRequest, buffer: &mut [LaserPoint]| {
        buffer[..100].fill(LaserPoint::lit(0.1, 0.1, Colour::WHITE));
        FillResult::Filled(100)
    };
    assert_eq!(rig.step(&mut { short }), Some(Submitted::Queued(300)));
    let points = rig.device.record.take().unwrap();
    assert_eq!(points.len(), 300);
    assert!(points[100..].iter().all(LaserPoint::is_blank));
    assert!((points[299].x - 0.1).abs() < 1e-3);
    let stats = rig.stream.control().stats().read();
    assert_eq!((stats.underruns, stats.starved), (1, 0));
}

/// LS-17, LS-18: nothing filled is fine when nothing is wanted, and starving when something is.
/// LR-16, LS-85.
#[test]
fn zero_points_are_fine_only_when_none_are_wanted() {
    let (mut stream, _device, _arm) = QueueMock::open(config());
    let zero = |_: &FillRequest, _: &mut [LaserPoint]| FillResult::Filled(0);
    assert_eq!(stream.fill_from(T0, &mut { zero }), Some(Submitted::Queued(1200)));
    let stats = stream.control().stats().read();
    assert_eq!((stats.starved, stats.underruns), (1, 1));
    assert_eq!(stream.fill_from(T0, &mut { zero }), Some(Submitted::Queued(0)));
    let stats = stream.control().stats().read();
    assert_eq!((stats.starved, stats.underruns, stats.points), (1, 1, 1200));
}

/// LS-19: a starved stream stays dark, goes on and asks again.
#[test]
fn a_starved_stream_goes_on_dark_and_recovers() {
    let mut rig = Rig::queue(config()).armed();
    rig.run(0.5, &mut starved);
    assert!(rig.device.record.as_ref().unwrap().iter().all(LaserPoint::is_blank));
    rig.run(0.5, &mut circle);
    let record = rig.device.record.as_ref().unwrap();
    assert!(!record.last().unwrap().is_blank());
    assert_eq!(rig.device.underflows, 0);
    assert!(rig.stream.control().stats().read().starved > 40);
}

/// LS-39: `RepeatLast` shows the last chunk once more.
/// LS-38: the last chunk is kept. LR-10: both buffers are equally long, which a debug build asserts.
#[test]
fn repeat_last_shows_the_last_chunk_again() {
    let mut rig = Rig::queue(config().with_underrun_policy(UnderrunPolicy::RepeatLast)).armed();
    rig.run(0.5, &mut circle);
    let before = rig.device.record.as_ref().unwrap().len();
    rig.run(0.1, &mut starved);
    let record = rig.device.record.as_ref().unwrap();
    assert!(record.len() > before + 1000);
    // The way back to its begin may be dark.
    let lit = record[before..].iter().filter(|point| !point.is_blank()).count();
    assert!(lit * 2 > record.len() - before, "{lit} lit of {}", record.len() - before);
}

/// LS-40: `RepeatLast` without a last chunk is dark.
#[test]
fn repeat_last_without_a_last_chunk_is_dark() {
    let mut rig = Rig::queue(config().with_underrun_policy(UnderrunPolicy::RepeatLast)).armed();
    rig.run(0.1, &mut starved);
    assert!(rig.device.record.unwrap().iter().all(LaserPoint::is_blank));
}

/// LR-15: `Park` goes to the centre, dark.
#[test]
fn park_waits_dark_at_the_centre() {
    let mut rig = Rig::queue(config().with_underrun_policy(UnderrunPolicy::Park)).armed();
    rig.run(0.2, &mut dot);
    rig.run(0.2, &mut starved);
    let record = rig.device.record.unwrap();
    let last = record.last().unwrap();
    assert!(last.is_blank() && last.x.abs() < 1e-3 && last.y.abs() < 1e-3);
}

/// LR-15: `Stop` ends the stream dark.
#[test]
fn stop_policy_ends_the_stream_dark() {
    let mut rig = Rig::queue(config().with_underrun_policy(UnderrunPolicy::Stop)).armed();
    rig.run(0.2, &mut circle);
    assert_eq!(rig.step(&mut starved), Some(Submitted::Over));
    assert_eq!(rig.stream.exit(), Some(RunExit::Underrun));
    assert!(!rig.arm.is_armed() && rig.device.is_closing());
}

/// LS-20, LS-85: at the end everything queued plays out, then at least 16 dark points, then it is over.
/// LR-05.
#[test]
fn the_end_plays_out_what_is_queued_and_parks_dark() {
    let mut rig = Rig::queue(config()).armed();
    rig.run(0.5, &mut circle);
    let last_lit = rig.stream.position();
    let mut asked = 0;
    let mut end = |_: &FillRequest, _: &mut [LaserPoint]| {
        asked += 1;
        FillResult::End
    };
    while rig.stream.exit().is_none() {
        rig.step(&mut end);
    }
    assert_eq!(asked, 1, "an ended producer is not asked again");
    assert_eq!(rig.stream.exit(), Some(RunExit::ProducerEnded));
    assert!(rig.device.left_at(last_lit).is_some(), "the last lit point was shown");
    assert_eq!(rig.device.held(), 0);
    let record = rig.device.record.unwrap();
    let (lit, dark) = record.split_at(last_lit.0 as usize);
    assert!(!lit.last().unwrap().is_blank());
    assert!(dark.len() >= 16 && dark.iter().all(LaserPoint::is_blank));
    assert!(!rig.arm.is_armed());
}

/// LR-13: a device that stalls holds the end up for the drain time-out only; zero means at once.
#[test]
fn a_stalled_device_delays_the_end_by_the_drain_timeout_only() {
    for (timeout, least, most) in [(ms(1000), 1.0, 1.05), (Duration::ZERO, 0.0, 0.03)] {
        let mut rig = Rig::queue(config().with_drain_timeout(timeout));
        rig.run(0.5, &mut circle);
        rig.device.stalled = true;
        rig.stream.end(rig.now);
        let begun = rig.now;
        while rig.stream.exit().is_none() && rig.now.secs_since(begun) < 3.0 {
            rig.step(&mut circle);
        }
        let took = rig.now.secs_since(begun);
        assert!((least..=most).contains(&took) || timeout == ms(1000) && took < least, "{took}");
        assert_eq!(rig.stream.exit(), Some(RunExit::ProducerEnded));
    }
}

/// LR-11, LR-12: a device without a queue report runs for a minute without a stall.
#[test]
fn a_device_without_a_queue_report_never_stalls() {
    let mut rig = Rig::no_queue(config());
    rig.run(60.0, &mut dot);
    assert_eq!(rig.device.underflows, 0);
    let points = rig.stream.position().0 as f64;
    assert!((points / 30_000.0 - 60.0).abs() < 0.1, "{points}");
}

/// LS-58: 20 ms of jitter in the reports cause no underrun.
#[test]
fn jitter_of_reports_causes_no_underrun() {
    for seed_jitter in [0.005, 0.010, 0.020] {
        let mut rig = Rig::queue(config());
        rig.device.jitter = seed_jitter;
        rig.run(30.0, &mut dot);
        assert_eq!(rig.device.underflows, 0);
    }
}

/// LS-42: the estimate is never above what is really ahead of the mirrors.
/// LS-84: with and without a hardware queue.
#[test]
fn the_estimate_is_cautious() {
    for (ppm, queue) in [(300.0, true), (-300.0, true), (0.0, true), (0.0, false), (-300.0, false)]
    {
        let mut rig = if queue { Rig::queue(config()) } else { Rig::no_queue(config()) };
        rig.device.ppm = ppm;
        for _ in 0..3_000 {
            let mut claimed = 0;
            rig.step(&mut |request: &FillRequest, buffer: &mut [LaserPoint]| {
                claimed = request.buffered_points;
                dot(request, buffer)
            });
            let really = rig.device.held() + rig.device.waiting() as u64;
            assert!(claimed <= really + 2, "{ppm} ppm: {claimed} > {really}");
        }
    }
}

/// Design 4.4: output that does not fit is kept and offered again, and nothing is lost or doubled.
/// LS-56, LS-57. Trap: a refused chunk is retried byte for byte.
#[test]
fn refused_output_is_kept_and_comes_out_unchanged() {
    let mut rig = Rig::queue(config().with_startup_blank(Duration::ZERO)).armed();
    rig.device.stalled = true;
    let mut next = 0_u32;
    let mut all = |_: &FillRequest, buffer: &mut [LaserPoint]| {
        for point in buffer.iter_mut() {
            let x = (next as f32 / 5e4).sin() * 0.5;
            *point = LaserPoint::lit(x, 0.0, Colour::WHITE);
            next += 1;
        }
        FillResult::Filled(buffer.len())
    };
    let mut kept = 0;
    for _ in 0..20 {
        kept += u32::from(rig.step(&mut all) == Some(Submitted::Kept));
    }
    assert_eq!(kept, 1, "one chunk is kept, and no other is asked for meanwhile");
    assert!(rig.stream.control().stats().read().would_block > 5);
    rig.device.stalled = false;
    rig.run(2.0, &mut all);
    let record = rig.device.record.unwrap();
    for (k, point) in record.iter().enumerate() {
        let x = (k as f32 / 5e4).sin() * 0.5;
        assert!((point.x - x).abs() < 1e-4, "point {k}: {} instead of {x}", point.x);
    }
}

/// Design §2: a new epoch drops everything queued for the older one; stream time stays without gaps.
#[test]
fn nothing_of_an_older_epoch_shines_after_a_seek() {
    let mut rig = Rig::queue(config().with_startup_blank(Duration::ZERO)).armed();
    let place = |epoch: u32| MediaMap { epoch, host: T0, rate: 1.0, ..MediaMap::default() };
    let mut draw = |request: &FillRequest, buffer: &mut [LaserPoint]| {
        let (name, n) = (request.epoch as f32 * 0.1, request.target_points);
        buffer[..n].fill(LaserPoint::lit(0.0, name, Colour::WHITE));
        FillResult::Filled(n)
    };
    for epoch in 1..6_u32 {
        rig.stream.set_media_map(place(epoch));
        let flushed = rig.stream.position();
        rig.device.advance(rig.now);
        let shown = rig.device.record.as_ref().unwrap().len();
        rig.run(0.3, &mut draw);
        let record = rig.device.record.as_ref().unwrap();
        let stale = record[shown..]
            .iter()
            .filter(|point| !point.is_blank() && (point.y - epoch as f32 * 0.1).abs() > 0.05);
        assert_eq!(stale.count(), 0, "epoch {epoch}");
        assert!(rig.stream.position() > flushed);
        assert!(record.len() > shown + 5_000, "the new place is drawn");
    }
}

/// A request from before a seek is not answered any more.
#[test]
fn an_answer_from_before_a_seek_is_dropped() {
    let (mut stream, _device, _arm) = QueueMock::open(config());
    let request = stream.tick(T0).unwrap();
    stream.set_media_map(MediaMap { epoch: 9, ..MediaMap::default() });
    let points = [LaserPoint::CENTRE; 400];
    assert_eq!(stream.submit(T0, &request, &points), Submitted::Stale);
    assert_eq!(stream.position(), StreamInstant(0));
    let request = stream.tick(T0).unwrap();
    assert_eq!(request.epoch, 9);
    assert_eq!(stream.submit(T0, &request, &points), Submitted::Queued(400));
    assert_eq!(stream.submit(T0, &request, &points), Submitted::Stale, "answered once already");
}

/// LS-68, LS-69: a request says which media time its first point meets, offset included.
#[test]
fn a_request_carries_the_media_time_of_its_light() {
    let mut rig = Rig::queue(config());
    rig.run(1.0, &mut dot);
    let map = MediaMap {
        epoch: 0,
        host: rig.now,
        media: MediaTime::from_secs_f64(30.0),
        rate: 0.5,
        light_offset_ns: 4_000_000,
    };
    rig.stream.set_media_map(map);
    rig.step(&mut |request: &FillRequest, buffer: &mut [LaserPoint]| {
        assert_eq!(request.media, map.media_of_light(request.plays_at));
        let per_second = request.media_per_point * 30_000.0;
        assert!((per_second - 0.5).abs() < 1e-3);
        dot(request, buffer)
    });
}

/// LR-14: disarmed, all colours are zero and positions stay.
#[test]
fn a_disarmed_stream_is_dark_and_keeps_its_positions() {
    let mut rig = Rig::queue(config());
    rig.device.record = Some(Vec::new());
    rig.run(0.5, &mut circle);
    let record = rig.device.record.unwrap();
    assert!(record.iter().all(LaserPoint::is_blank));
    assert!(
        record.iter().any(|point| point.x > 0.45) && record.iter().any(|point| point.x < -0.45)
    );
}

/// Design §5.7: the first millisecond after arming is dark.
#[test]
fn light_begins_with_a_millisecond_of_dark() {
    let mut rig = Rig::queue(config()).armed();
    rig.run(0.1, &mut dot);
    let record = rig.device.record.unwrap();
    let first = record.iter().position(|point| !point.is_blank()).unwrap();
    assert!(first >= 30, "lit at point {first}");
}

/// Colours come later than positions by the delay.
#[test]
fn colours_are_delayed_by_whole_points() {
    let config = config().with_startup_blank(Duration::ZERO).with_colour_delay(ms(1));
    let mut rig = Rig::queue(config).armed();
    rig.run(0.2, &mut circle);
    let record = rig.device.record.unwrap();
    assert!(record[..30].iter().all(LaserPoint::is_blank));
    assert!(!record[600].is_blank());
}

/// Design 4.5: a rate outside the device's range is refused and changes nothing.
/// Trap: a rate of 0.
#[test]
fn a_rate_the_device_cannot_play_is_refused() {
    let (stream, _device, _arm) = QueueMock::open(config());
    let control = stream.control();
    assert!(control.set_pps(0).is_err());
    assert!(control.set_pps(100_001).unwrap_err().to_string().contains("choose 1 to 100000"));
    assert!(control.set_pps(100_000).is_ok());
}

/// LR-18: dropping a stream is dark and closes the device.
#[test]
fn a_dropped_stream_is_dark_and_closed() {
    let mut rig = Rig::queue(config()).armed();
    rig.run(0.2, &mut circle);
    drop(rig.stream);
    assert!(!rig.arm.is_armed() && rig.device.is_closing());
}

/// LR-18: a panic of the producer is dark and closes the device.
#[test]
fn a_panicking_producer_leaves_it_dark_and_closed() {
    let (mut stream, device, arm) = QueueMock::open(config());
    arm.arm(T0).unwrap();
    let world = World::new(device);
    let mut calls = 0;
    let mut faulty = |request: &FillRequest, buffer: &mut [LaserPoint]| {
        calls += 1;
        assert!(calls < 5, "a fault of the pattern");
        circle(request, buffer)
    };
    let run = std::panic::AssertUnwindSafe(|| run_fill(&mut stream, &world, &mut faulty));
    assert!(std::panic::catch_unwind(run).is_err());
    assert!(!arm.is_armed());
    let trip = std::iter::from_fn(|| arm.next_trip()).last().unwrap();
    assert_eq!(trip.reason, galvo::safety::TripReason::Panic);
    assert!(world.device().is_closing());
}

/// LR-18: a device thread that is gone ends the stream dark.
#[test]
fn a_lost_device_thread_ends_the_stream_dark() {
    let (mut stream, device, arm) = QueueMock::open(config());
    arm.arm(T0).unwrap();
    drop(device);
    assert_eq!(stream.tick(T0), None);
    assert_eq!(stream.exit(), Some(RunExit::Disconnected));
    assert!(!arm.is_armed());
}

fn run_world(
    config: StreamConfig,
    mut producer: impl FnMut(&FillRequest, &mut [LaserPoint], &World) -> FillResult + Send,
) -> (Stream, World, RunExit) {
    let (mut stream, mut device, arm) = QueueMock::open(config);
    arm.arm(T0).expect("nothing is stopped");
    device.record = Some(Vec::new());
    let world = World::new(device);
    let mut fill =
        |request: &FillRequest, buffer: &mut [LaserPoint]| producer(request, buffer, &world);
    let exit = run_fill(&mut stream, &world, &mut fill);
    (stream, world, exit)
}

/// LS-31, LS-32: ticks keep their marks whatever the callback takes: 10⁵ ticks, no drift.
/// LS-83.
#[test]
fn ticks_do_not_drift_with_the_time_of_the_callback() {
    let mut calls = 0_i64;
    let (_, world, exit) = run_world(config(), |request, buffer, world| {
        assert_eq!(world.now().nanos_since(T0), calls * 10_000_000);
        world.clock.advance(Duration::from_micros(1 + calls as u64 % 3_000));
        calls += 1;
        if calls == 100_000 { FillResult::End } else { dot(request, buffer) }
    });
    assert_eq!(exit, RunExit::ProducerEnded);
    assert!(world.now().secs_since(T0) < 1_000.2);
}

/// LS-33, LS-34: after a callback of 35 ms the next one is at the 40 ms mark; three ticks are missed.
/// LS-37, LS-83: the overrun is dealt with before the next callback.
#[test]
fn a_slow_callback_skips_ticks_and_never_runs_back_to_back() {
    let mut at = Vec::new();
    let (stream, ..) = run_world(config().with_target_buffer(ms(100)), |request, buffer, world| {
        at.push(world.now().nanos_since(T0) / 1_000_000);
        if at.len() == 3 {
            world.clock.advance(ms(35));
        }
        if at.len() == 6 { FillResult::End } else { dot(request, buffer) }
    });
    assert_eq!(at, [0, 10, 20, 60, 70, 80]);
    assert_eq!(stream.control().stats().read().missed_ticks, 3);
}

/// LS-35 ⚠4: a nearly empty buffer wakes early, once a tick at most and a millisecond later at least.
/// LS-37, LS-83: after the callback. Trap: `Starved` does not spin.
#[test]
fn an_early_wake_comes_once_a_tick_at_most() {
    let mut at = Vec::new();
    let config = config().with_min_buffer(ms(10)).with_max_points_per_chunk(30);
    let (stream, ..) = run_world(config, |request, buffer, world| {
        at.push(world.now().nanos_since(T0) / 1_000_000);
        if at.len() == 20 { FillResult::End } else { dot(request, buffer) }
    });
    assert!(stream.control().stats().read().early_wakes >= 8);
    for pair in at.windows(2) {
        assert!(pair[1] > pair[0], "{at:?}");
    }
    for tick in 0..at.last().unwrap() / 10 {
        let within = at.iter().filter(|at| **at / 10 == tick).count();
        assert!(within <= 2, "tick {tick}: {at:?}");
    }
}

/// Design §3: the loop's clock and an outside clock send identical points.
/// LS-70: `tick` and `submit` are all that an outside clock needs.
#[test]
fn internal_and_external_clock_send_identical_points() {
    let mut n = 0;
    let (_, world, _) = run_world(config(), |request, buffer, _| {
        n += 1;
        if n > 300 { FillResult::End } else { circle(request, buffer) }
    });
    let internal = world.device().record.unwrap();

    let (mut stream, mut device, arm) = QueueMock::open(config());
    arm.arm(T0).unwrap();
    device.record = Some(Vec::new());
    let world = World::new(device);
    let mut buffer = vec![LaserPoint::CENTRE; 1799];
    for _ in 0..300 {
        let now = world.now();
        let request = stream.tick(now).unwrap();
        let FillResult::Filled(n) = circle(&request, &mut buffer) else { unreachable!() };
        stream.submit(now, &request, &buffer[..n]);
        for slice in 1..=5 {
            world.sleep_until(now + ms(2 * slice));
        }
    }
    let external = world.device().record.unwrap();
    assert!(external.len() > 80_000);
    assert_eq!(internal[..external.len()], external[..]);
}

/// A stop is obeyed within 10 ms, and the loop never sleeps longer than 2 ms at once.
/// Trap: waits are sliced.
#[test]
fn a_stop_is_obeyed_within_ten_milliseconds() {
    let (mut stream, device, arm) = QueueMock::open(config().with_tick_interval(ms(500)));
    arm.arm(T0).unwrap();
    let control = stream.control();
    let world = World::new(device);
    let mut stopped_at = None;
    let mut fill = |request: &FillRequest, buffer: &mut [LaserPoint]| {
        stopped_at = Some(world.now());
        control.stop(world.now());
        dot(request, buffer)
    };
    assert_eq!(run_fill(&mut stream, &world, &mut fill), RunExit::Stopped);
    assert!(world.now().since(stopped_at.unwrap()) <= ms(10));
    assert!(!arm.is_armed() && control.is_over());
    assert!(world.longest_ns.load(Ordering::Relaxed) <= 2_000_000);
}

/// LR-01: paced by level, the buffer stays near a short target.
#[test]
fn level_pacing_keeps_a_short_buffer_without_underrun() {
    let config =
        config().with_pacing(Pacing::Level).with_target_buffer(ms(6)).with_min_buffer(ms(2));
    let mut n = 0;
    let (stream, world, _) = run_world(config, |request, buffer, _| {
        n += 1;
        if n > 5_000 { FillResult::End } else { dot(request, buffer) }
    });
    let stats = stream.control().stats().read();
    assert!(stats.buffered_max <= 190, "{stats:?}");
    // The last one is the end itself.
    assert!(world.device().underflows <= 1);
}

/// LS-87: after a critical low the buffer is back at its target with the next tick.
#[test]
fn a_critically_low_buffer_is_refilled_at_once() {
    let mut rig = Rig::queue(config());
    rig.run(1.0, &mut dot);
    rig.now += ms(35);
    rig.step(&mut dot);
    let ahead = rig.device.held() + rig.device.waiting() as u64;
    assert!((1_100..=1_300).contains(&ahead), "{ahead}");
}

/// Design 4.7: a target above the queue does not livelock.
/// Trap: a target above the ring.
#[test]
fn a_target_above_the_queue_runs_on() {
    let caps = galvo::dac::Capabilities { max_pps: 30_000, ..capabilities(true) };
    let config = config().with_target_buffer(ms(5_000)).with_max_points_per_chunk(600);
    let mut rig = Rig::new(crate::mock_device::open(config, &caps));
    rig.run(20.0, &mut dot);
    assert_eq!(rig.device.underflows, 0);
    assert!(rig.stream.position().0 > 600_000);
}

/// The world, lent to a pusher.
struct Shared<'a>(&'a World);

impl Clock for Shared<'_> {
    fn now(&self) -> HostTime {
        self.0.now()
    }
    fn sleep_until(&self, when: HostTime) {
        self.0.sleep_until(when);
    }
}

/// A program that owns its loop: frames arrive whole, in order, at their rate.
#[test]
fn pushed_frames_arrive_whole_and_in_order() {
    let (stream, mut device, arm) = QueueMock::open(config().with_startup_blank(Duration::ZERO));
    arm.arm(T0).unwrap();
    device.record = Some(Vec::new());
    let world = World::new(device);
    let mut pusher = FramePusher::new(stream, Shared(&world));
    for k in 0..50_u32 {
        pusher.wait_ready().unwrap();
        let x = k as f32 / 1000.0;
        pusher.write_frame(&vec![LaserPoint::lit(x, 0.0, Colour::WHITE); 700], 30_000).unwrap();
    }
    assert!(pusher.write_frame(&[LaserPoint::CENTRE], 0).is_err());
    assert_eq!(pusher.finish(), RunExit::ProducerEnded);
    let record = world.device().record.unwrap();
    for (k, frame) in record.chunks(700).take(50).enumerate() {
        let x = k as f32 / 1000.0;
        assert_eq!(frame.len(), 700);
        assert!(frame.iter().all(|point| (point.x - x).abs() < 2e-3), "frame {k}");
    }
}

/// LR-15: counters of a life with all its accidents.
#[test]
fn statistics_tell_what_happened() {
    let mut rig = Rig::no_queue(config());
    rig.run(1.0, &mut dot);
    rig.run(0.1, &mut starved);
    let control = rig.stream.control();
    let stats = control.stats().read();
    assert_eq!(stats.points, rig.stream.position().0);
    assert_eq!((stats.starved, stats.underruns), (10, 10));
    assert!(stats.buffered_min > 0 && stats.buffered_max <= 1_300);
    assert!(
        stats.buffered_mean > 700.0 && stats.buffered_mean < 1_300.0,
        "{}",
        stats.buffered_mean
    );
    assert!(control.stats().latency().p50 < 45_000_000);
}
