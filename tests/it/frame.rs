//! Frames from the producer to those who look: what a looker does never reaches the producer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use galvo::frame::{
    self, FrameMeta, FrameObserver, FrameProducer, FrameReceiver, FrameView, ObserverHandle,
    PrimaryError, TapError, TapPoint, TapRegistry, TapReport,
};
use galvo::point::LaserPoint;
use galvo::realtime::no_alloc;
use galvo::time::{Clock, HostTime, ManualClock, StreamInstant, SystemClock};

const RUN: usize = 100;

/// A producer on the machine's clock.
fn producer(slots: usize) -> (FrameProducer, TapRegistry) {
    frame::producer(slots, Arc::new(SystemClock))
}

/// Publishes one run of points after safety, the x of all of them telling which it was.
fn publish(producer: &mut FrameProducer, number: usize) {
    let points = [LaserPoint::blank(number as f32, 0.0); RUN];
    let start = StreamInstant((number * RUN) as u64);
    let meta = FrameMeta { start, pps: 30_000, ..FrameMeta::at(TapPoint::Sent) };
    producer.publish(&points, meta);
}

fn with_primary(slots: usize, depth: usize) -> (FrameProducer, TapRegistry, FrameReceiver) {
    let (mut producer, taps) = producer(slots);
    let (sender, primary) = frame::frame_channel(depth);
    producer.register_primary_output(sender).unwrap();
    (producer, taps, primary)
}

fn report(taps: &TapRegistry, handle: ObserverHandle) -> TapReport {
    let all = taps.reports().into_iter().chain(taps.removed());
    all.into_iter().find(|report| report.handle == handle).unwrap()
}

/// Waits for something another thread is about to do.
fn until(mut done: impl FnMut() -> bool) {
    let deadline = SystemClock.now() + Duration::from_secs(20);
    while !done() {
        assert!(SystemClock.now() < deadline, "it never happened");
        std::thread::yield_now();
    }
}

/// Tells which sequence numbers it saw.
struct Watcher(Mutex<Sender<u64>>);

impl Watcher {
    fn new() -> (Self, Receiver<u64>) {
        let (tx, rx) = mpsc::channel();
        (Self(Mutex::new(tx)), rx)
    }
}

impl FrameObserver for Watcher {
    fn on_frame(&self, frame: &FrameView<'_>) {
        let _ = self.0.lock().unwrap().send(frame.meta().sequence);
    }

    fn name(&self) -> &'static str {
        "watcher"
    }
}

/// Is stuck in its first frame until the gate opens.
struct Stuck {
    entered: Arc<AtomicBool>,
    gate: Arc<AtomicBool>,
}

impl FrameObserver for Stuck {
    fn on_frame(&self, _: &FrameView<'_>) {
        self.entered.store(true, Ordering::Release);
        while !self.gate.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
    }
}

struct Panicking;

impl FrameObserver for Panicking {
    fn on_frame(&self, _: &FrameView<'_>) {
        std::panic::resume_unwind(Box::new("on purpose"));
    }
}

/// DP-03, DP-27: one primary, several taps, and all hold the same memory.
#[test]
fn primary_and_taps_hold_the_same_memory() {
    let (mut producer, taps, mut primary) = with_primary(8, 4);
    let mut recorder = taps.ring_tap(TapPoint::Sent, 4, 1).unwrap();
    let mut preview = taps.newest_tap(TapPoint::Sent, 1).unwrap();
    publish(&mut producer, 5);
    let owned = primary.try_recv().unwrap();
    let recorded = recorder.try_recv().unwrap();
    let address = owned.points().as_ptr();
    assert_eq!(recorded.points().as_ptr(), address);
    assert_eq!(preview.newest().unwrap().points().as_ptr(), address);
    assert_eq!((owned.points().len(), owned.points()[0].x), (RUN, 5.0));
    assert_eq!(owned.meta().start, StreamInstant(500));
}

/// DP-01, DP-31, DP-37: publishing to the primary and two taps, and taking the frames, uses no heap.
#[test]
fn publishing_to_a_primary_and_two_taps_uses_no_heap() {
    let (mut producer, taps, mut primary) = with_primary(16, 4);
    let mut recorder = taps.ring_tap(TapPoint::Sent, 8, 1).unwrap();
    let mut preview = taps.newest_tap(TapPoint::Sent, 1).unwrap();
    let ((), touched) = no_alloc::watch(|| {
        for number in 0..100_000 {
            publish(&mut producer, number);
            assert_eq!(primary.try_recv().unwrap().meta().sequence, number as u64);
            assert!(recorder.try_recv().is_some());
            if number % 16 == 0 {
                assert_eq!(preview.newest().unwrap().meta().sequence, number as u64);
            }
        }
    });
    assert_eq!(touched, 0);
    assert_eq!(producer.stats().published, 100_000);
    assert_eq!((primary.dropped(), recorder.dropped()), (0, 0));
}

/// DP-01: taps come, overflow and go while frames flow, and the producer's side still uses no heap.
#[test]
fn taps_that_come_and_go_cost_the_producer_no_heap() {
    let (mut producer, taps, mut primary) = with_primary(64, 4);
    for number in 0..200 {
        let ring = taps.ring_tap(TapPoint::Sent, 2, 1).unwrap();
        let preview = taps.newest_tap(TapPoint::Sent, 1).unwrap();
        for _ in 0..5 {
            let ((), touched) = no_alloc::watch(|| publish(&mut producer, number));
            assert_eq!(touched, 0);
            assert!(primary.try_recv().is_some());
        }
        drop((ring, preview));
        let ((), touched) = no_alloc::watch(|| publish(&mut producer, number));
        assert_eq!(touched, 0);
        assert!(primary.try_recv().is_some());
    }
    assert!(taps.reports().is_empty());
    assert_eq!((taps.pool_stats().free, producer.stats().pool_empty), (64, 0));
}

/// DP-24, DP-25, DP-35: a tap nobody empties loses its own frames, counted; the primary loses none.
#[test]
fn a_stuck_tap_changes_nothing_for_the_primary() {
    let (mut producer, taps, mut primary) = with_primary(32, 4);
    let stuck = taps.ring_tap(TapPoint::Sent, 8, 1).unwrap();
    let (entered, gate) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let observer = Stuck { entered: Arc::clone(&entered), gate: Arc::clone(&gate) };
    let observer = taps.register_observer(TapPoint::Sent, 1, observer).unwrap();
    for number in 0..10_000 {
        publish(&mut producer, number);
        assert_eq!(primary.try_recv().unwrap().meta().sequence, number as u64);
        if number == 0 {
            until(|| entered.load(Ordering::Acquire));
        }
    }
    assert_eq!((producer.stats().primary_dropped, producer.stats().pool_empty), (0, 0));
    let ring = report(&taps, stuck.handle().unwrap()).stats;
    assert_eq!((ring.delivered, ring.dropped, stuck.dropped()), (8, 9_992, 9_992));
    let seen = report(&taps, observer).stats;
    assert_eq!((seen.delivered, seen.dropped), (17, 9_983));
    gate.store(true, Ordering::Release);
}

/// A panicking observer is removed and named; the primary and the other observers go on.
#[test]
fn a_panicking_observer_is_removed_and_nobody_else_notices() {
    let (mut producer, taps, mut primary) = with_primary(32, 4);
    let (watcher, seen) = Watcher::new();
    let panicking = taps.register_observer(TapPoint::Sent, 1, Panicking).unwrap();
    let watching = taps.register_observer(TapPoint::Sent, 1, watcher).unwrap();
    for number in 0..200 {
        publish(&mut producer, number);
        assert!(primary.try_recv().is_some());
        assert_eq!(seen.recv(), Ok(number as u64));
    }
    until(|| taps.removed().iter().any(|gone| gone.handle == panicking && gone.panicked));
    let open: Vec<_> = taps.reports().iter().map(|report| report.handle).collect();
    assert_eq!(open, [watching]);
    assert_eq!(report(&taps, watching).stats.delivered, 200);
}

/// DP-18: an observer without a name has one all the same.
#[test]
fn an_observer_without_a_name_is_called_unnamed() {
    assert_eq!(Panicking.name(), "unnamed_observer");
    let (_producer, taps) = producer(2);
    let handle = taps.register_observer(TapPoint::Path, 1, Panicking).unwrap();
    assert_eq!(report(&taps, handle).name, "unnamed_observer");
}

/// DP-18, DP-20, DP-29: the observer sees each frame once, in order, borrowed.
#[test]
fn an_observer_sees_every_frame_in_order() {
    let (mut producer, taps) = producer(8);
    let (watcher, seen) = Watcher::new();
    taps.register_observer(TapPoint::Sent, 1, watcher).unwrap();
    for number in 0..500 {
        publish(&mut producer, number);
        assert_eq!(seen.recv(), Ok(number as u64));
    }
    drop(producer);
    assert!(seen.recv().is_err(), "the observer ends with its producer");
}

/// DP-21, DP-22: an observer may unregister itself from inside its callback.
#[test]
fn an_observer_may_unregister_itself_from_inside_its_callback() {
    struct Leaver {
        taps: TapRegistry,
        own: Arc<OnceLock<ObserverHandle>>,
        calls: Arc<AtomicU64>,
    }
    impl FrameObserver for Leaver {
        fn on_frame(&self, _: &FrameView<'_>) {
            self.calls.fetch_add(1, Ordering::SeqCst);
            assert!(self.taps.unregister(*self.own.wait()));
            // Registering from inside works as well.
            drop(self.taps.newest_tap(TapPoint::Path, 1).unwrap());
        }
    }
    let (mut producer, taps, mut primary) = with_primary(32, 4);
    let (own, calls) = (Arc::new(OnceLock::new()), Arc::new(AtomicU64::new(0)));
    let leaver = Leaver { taps: taps.clone(), own: Arc::clone(&own), calls: Arc::clone(&calls) };
    let handle = taps.register_observer(TapPoint::Sent, 1, leaver).unwrap();
    own.set(handle).unwrap();
    for number in 0..4 {
        publish(&mut producer, number);
        assert!(primary.try_recv().is_some());
    }
    until(|| taps.reports().is_empty());
    for number in 4..50 {
        publish(&mut producer, number);
        assert!(primary.try_recv().is_some());
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert!(!taps.unregister(handle), "it is gone");
    assert!(!report(&taps, handle).panicked);
}

/// DP-22: an unregistered ring tap gets nothing more, ends its receiver, and its slots are free again.
#[test]
fn an_unregistered_tap_ends_and_frees_its_slots() {
    let (mut producer, taps) = producer(8);
    let mut ring = taps.ring_tap(TapPoint::Sent, 4, 1).unwrap();
    publish(&mut producer, 0);
    assert!(taps.unregister(ring.handle().unwrap()));
    publish(&mut producer, 1);
    let clock = ManualClock::default();
    assert_eq!(ring.recv(&clock).unwrap().meta().sequence, 0);
    assert!(ring.recv(&clock).is_none());
    assert_eq!(taps.pool_stats().free, 8);
}

/// DP-23: every n-th frame, exactly.
#[test]
fn decimation_delivers_every_nth_frame_exactly() {
    let (mut producer, taps) = producer(64);
    let mut rings: Vec<_> =
        [1_u32, 3, 10].map(|n| (u64::from(n), taps.ring_tap(TapPoint::Sent, 4, n).unwrap())).into();
    let mut seen = [0_u64; 3];
    for number in 0..300 {
        publish(&mut producer, number);
        for ((n, ring), seen) in rings.iter_mut().zip(&mut seen) {
            while let Some(frame) = ring.try_recv() {
                assert_eq!(frame.meta().sequence, *seen * *n);
                *seen += 1;
            }
        }
    }
    assert_eq!(seen, [300, 100, 30]);
    let counts: Vec<_> = taps
        .reports()
        .iter()
        .map(|report| (report.stats.delivered, report.stats.skipped, report.stats.dropped))
        .collect();
    assert_eq!(counts, [(300, 0, 0), (100, 200, 0), (30, 270, 0)]);
}

/// A tap sees its own place on the way of the points and no other; each place counts its own frames.
#[test]
fn a_tap_sees_only_its_tap_point() {
    let (mut producer, taps) = producer(16);
    let mut rings = TapPoint::ALL.map(|point| (point, taps.ring_tap(point, 8, 1).unwrap()));
    for point in [TapPoint::Pattern, TapPoint::Path, TapPoint::Sent, TapPoint::Pattern] {
        producer.publish(&[LaserPoint::CENTRE; 3], FrameMeta::at(point));
    }
    for (point, ring) in &mut rings {
        let frames: Vec<_> = std::iter::from_fn(|| ring.try_recv()).collect();
        assert!(frames.iter().all(|frame| frame.meta().tap_point == *point));
        let numbers: Vec<_> = frames.iter().map(|frame| frame.meta().sequence).collect();
        let expected: &[u64] = if *point == TapPoint::Pattern { &[0, 1] } else { &[0] };
        assert_eq!(numbers, expected);
    }
}

/// DP-26: the second registration replaces the first; after the start there is none.
#[test]
fn the_primary_is_set_once_and_before_the_start() {
    let (mut producer, _taps, mut first) = with_primary(4, 2);
    let (sender, mut second) = frame::frame_channel(2);
    producer.register_primary_output(sender).unwrap();
    publish(&mut producer, 0);
    assert!(first.try_recv().is_none() && !first.is_connected());
    assert!(second.try_recv().is_some());
    let (sender, _third) = frame::frame_channel(2);
    assert_eq!(producer.register_primary_output(sender), Err(PrimaryError::Started));
}

/// DP-34: a full primary drops the newest frame and counts.
#[test]
fn a_full_primary_drops_and_counts() {
    let (mut producer, taps, mut primary) = with_primary(8, 2);
    (0..5).for_each(|number| publish(&mut producer, number));
    assert_eq!((producer.stats().primary_dropped, primary.dropped()), (3, 3));
    let kept: Vec<_> =
        std::iter::from_fn(|| primary.try_recv().map(|f| f.meta().sequence)).collect();
    assert_eq!(kept, [0, 1]);
    assert_eq!(taps.pool_stats().free, 8);
}

/// An empty pool costs the looker its frame, never the caller of `publish` anything.
#[test]
fn an_empty_pool_loses_tap_copies_and_counts_them() {
    let (mut producer, taps) = producer(2);
    let mut ring = taps.ring_tap(TapPoint::Sent, 8, 1).unwrap();
    publish(&mut producer, 0);
    publish(&mut producer, 1);
    let ((), touched) = no_alloc::watch(|| publish(&mut producer, 2));
    assert_eq!((touched, producer.stats().pool_empty), (0, 1));
    assert_eq!(report(&taps, ring.handle().unwrap()).stats.dropped, 1);
    drop(ring.try_recv());
    publish(&mut producer, 3);
    let numbers: Vec<_> =
        std::iter::from_fn(|| ring.try_recv().map(|f| f.meta().sequence)).collect();
    assert_eq!(numbers, [1, 3], "the gap shows in the sequence");
}

/// Where nobody looks, nothing is copied.
#[test]
fn without_a_looker_no_slot_is_taken() {
    let (mut producer, taps) = producer(2);
    (0..10).for_each(|number| publish(&mut producer, number));
    assert_eq!((producer.stats().published, taps.pool_stats().refused), (0, 0));
}

/// A run longer than a frame becomes several, each with its own times.
#[test]
fn a_long_run_becomes_several_frames() {
    let (mut producer, taps) = producer(4);
    let mut ring = taps.ring_tap(TapPoint::Sent, 4, 1).unwrap();
    let meta = FrameMeta { pps: 4_096, ..FrameMeta::at(TapPoint::Sent) };
    producer.publish(&vec![LaserPoint::CENTRE; frame::FRAME_CAPACITY + 10], meta);
    assert_eq!(ring.try_recv().unwrap().points().len(), frame::FRAME_CAPACITY);
    let rest = ring.try_recv().unwrap();
    assert_eq!((rest.points().len(), rest.meta().start), (10, StreamInstant(4_096)));
    assert_eq!(rest.meta().plays_at, HostTime::from_nanos(1_000_000_000));
}

/// A preview that looks rarely sees the newest, and what it missed is counted.
#[test]
fn a_slow_preview_sees_the_newest_frame() {
    let (mut producer, taps) = producer(8);
    let mut preview = taps.newest_tap(TapPoint::Sent, 1).unwrap();
    assert!(preview.newest().is_none());
    for number in 0..1_000 {
        publish(&mut producer, number);
    }
    assert_eq!(preview.newest().unwrap().meta().sequence, 999);
    assert_eq!(preview.newest().unwrap().meta().sequence, 999);
    let stats = report(&taps, preview.handle()).stats;
    assert_eq!((stats.delivered, stats.dropped), (1_000, 999));
    assert_eq!(producer.stats().pool_empty, 0);
}

/// DP-19: calls are timed, slow ones counted.
#[test]
fn slow_calls_are_counted_and_timed() {
    struct Slow(ManualClock, Mutex<Sender<()>>);
    impl FrameObserver for Slow {
        fn on_frame(&self, frame: &FrameView<'_>) {
            self.0.advance(Duration::from_millis(3 * frame.meta().sequence));
            self.1.lock().unwrap().send(()).unwrap();
        }
    }
    // Only the observer itself moves this clock while it is being called.
    let clock = ManualClock::default();
    let (mut producer, taps) = frame::producer(8, Arc::new(clock.clone()));
    let (tx, done) = mpsc::channel();
    let handle = taps.register_observer(TapPoint::Sent, 1, Slow(clock, Mutex::new(tx))).unwrap();
    for number in 0..4 {
        publish(&mut producer, number);
        done.recv().unwrap();
    }
    drop(producer);
    until(|| taps.reports().is_empty());
    let stats = report(&taps, handle).stats;
    assert_eq!((stats.slow, stats.slowest), (3, Duration::from_millis(9)));
}

#[test]
fn the_seventeenth_tap_is_refused_until_one_leaves() {
    let (mut producer, taps) = producer(32);
    let mut rings: Vec<_> = (0..16).map(|_| taps.ring_tap(TapPoint::Sent, 1, 1).unwrap()).collect();
    assert!(matches!(taps.ring_tap(TapPoint::Sent, 1, 1), Err(TapError::TooMany)));
    publish(&mut producer, 0);
    rings.pop();
    let mut newcomer = taps.ring_tap(TapPoint::Sent, 1, 1).unwrap();
    publish(&mut producer, 1);
    assert_eq!(newcomer.try_recv().unwrap().meta().sequence, 1);
}

/// DP-11, DP-36: frames outlive the producer and the registry.
#[test]
fn frames_outlive_producer_and_registry() {
    let (mut producer, taps, mut primary) = with_primary(4, 4);
    let ring = taps.ring_tap(TapPoint::Sent, 4, 1).unwrap();
    publish(&mut producer, 7);
    drop((producer, taps));
    let clock = ManualClock::default();
    let frame = primary.recv(&clock).unwrap();
    assert!(primary.recv(&clock).is_none());
    drop((ring, primary));
    assert_eq!(frame.points()[RUN - 1].x, 7.0);
}
