//! Clocks that disagree: each projector's, the host's and the sound card's, in virtual time.

use std::time::Duration;

use galvo::stream::{MediaMap, StreamConfig};
use galvo::time::MediaTime;

use crate::mock_device::{Rig, dot};

/// Two points per millisecond: cheap enough for hours.
fn slow() -> StreamConfig {
    StreamConfig::new(2_000).with_tick_interval(Duration::from_millis(10))
}

/// LS-05, LS-45: ten hours at ±200 ppm with reports dated wrong by ±10 ms: light within 1 ms, no underrun.
#[test]
fn ten_hours_at_200_ppm_and_20_ms_of_report_jitter_stay_within_a_millisecond() {
    for ppm in [-200.0, 200.0] {
        let mut rig = Rig::queue(slow());
        rig.device.ppm = ppm;
        rig.device.jitter = 0.010;
        let start = rig.now.as_secs_f64();
        rig.run(36_000.0, &mut dot);
        let worst = rig.worst_since(start + 3.0);
        println!("{ppm} ppm: worst {:.3} ms, {} underflows", worst * 1e3, rig.device.underflows);
        assert!(worst <= 0.001, "{ppm} ppm: {:.3} ms", worst * 1e3);
        assert_eq!(rig.device.underflows, 0, "{ppm} ppm");
        assert!((rig.stream.timeline().projector_ppm() - ppm).abs() < 2.0);
        let sync = rig.stream.control().stats().sync();
        assert!(sync.drift_ppm.abs() < 3.0, "{}", sync.drift_ppm);
    }
}

/// LS-45: a device 1 % fast or slow neither runs empty nor fills up.
#[test]
fn a_device_one_percent_off_neither_runs_dry_nor_fills_up() {
    for ppm in [-10_000.0, -500.0, 500.0, 10_000.0] {
        let mut rig = Rig::queue(StreamConfig::new(30_000));
        rig.device.ppm = ppm;
        rig.run(60.0, &mut dot);
        assert_eq!(rig.device.underflows, 0, "{ppm} ppm");
        let ahead = rig.device.held() + rig.device.waiting() as u64;
        assert!(ahead <= 1_500, "{ppm} ppm: {ahead} points ahead");
    }
}

/// Design §8: after each of three stalls of 300 ms the light is right within 1 ms in 100 ms.
#[test]
fn three_stalls_leave_no_offset_behind() {
    let mut rig = Rig::queue(StreamConfig::new(30_000));
    rig.device.ppm = 120.0;
    rig.run(5.0, &mut dot);
    for stall in 0..3 {
        rig.now += Duration::from_millis(300);
        let resumed = rig.now.as_secs_f64();
        rig.run(2.0, &mut dot);
        let worst = rig.worst_since(resumed + 0.1);
        assert!(worst <= 0.001, "stall {stall}: {:.3} ms", worst * 1e3);
    }
    assert_eq!(rig.device.underflows, 3);
}

/// A host that hangs for 5 s finds the right time again.
#[test]
fn a_host_hang_of_five_seconds_leaves_no_offset_behind() {
    let mut rig = Rig::queue(StreamConfig::new(30_000));
    rig.run(5.0, &mut dot);
    rig.now += Duration::from_secs(5);
    let resumed = rig.now.as_secs_f64();
    rig.run(1.0, &mut dot);
    assert!(rig.worst_since(resumed + 0.1) <= 0.001);
}

/// A projector that was off and on again: its light is right at once.
#[test]
fn a_reconnect_leaves_no_offset_behind() {
    let mut rig = Rig::queue(StreamConfig::new(30_000));
    rig.run(5.0, &mut dot);
    rig.device.reconnect();
    let resumed = rig.now.as_secs_f64();
    rig.run(1.0, &mut dot);
    let worst = rig.worst_since(resumed + 0.2);
    assert!(worst <= 0.001, "{:.3} ms", worst * 1e3);
}

/// Reports that cannot be true change nothing and are counted.
#[test]
fn nonsense_from_the_device_is_counted_and_changes_nothing() {
    let mut rig = Rig::queue(StreamConfig::new(30_000));
    rig.run(2.0, &mut dot);
    rig.device.lies = true;
    let from = rig.now.as_secs_f64();
    rig.run(20.0, &mut dot);
    assert!(rig.worst_since(from) <= 0.001, "{:.3} ms", rig.worst_since(from) * 1e3);
    assert_eq!(rig.device.underflows, 0);
    assert!(rig.stream.control().stats().read().rejected_reports > 900);
}

/// A change of rate makes no jump in time, up or down.
#[test]
fn a_change_of_rate_makes_no_jump_in_time() {
    let mut rig = Rig::queue(StreamConfig::new(30_000));
    rig.device.ppm = -80.0;
    rig.run(3.0, &mut dot);
    let from = rig.now.as_secs_f64();
    for pps in [20_000, 45_000, 10_000, 30_000] {
        rig.stream.control().set_pps(pps).unwrap();
        rig.run(0.5, &mut dot);
        assert_eq!(rig.stream.pps(), pps);
    }
    assert!(rig.worst_since(from) <= 0.001, "{:.3} ms", rig.worst_since(from) * 1e3);
    assert_eq!(rig.device.underflows, 0);
}

/// LS-44: a device that says nothing of its queue is timed from its first acceptance.
#[test]
fn without_reports_time_counts_from_the_first_acceptance() {
    let mut rig = Rig::no_queue(StreamConfig::new(30_000));
    let start = rig.now.as_secs_f64();
    rig.run(60.0, &mut dot);
    let worst = rig.worst_since(start + 0.1);
    assert!(worst <= 0.001, "{:.3} ms", worst * 1e3);
    assert_eq!(rig.device.underflows, 0);
}

/// Design §2: what is measured without looking at the truth agrees with the truth.
#[test]
fn the_stream_measures_its_own_offset() {
    let mut rig = Rig::queue(StreamConfig::new(30_000));
    rig.device.ppm = 200.0;
    rig.device.jitter = 0.002;
    for _ in 0..3_000 {
        let map = MediaMap {
            epoch: 0,
            host: rig.now,
            media: MediaTime::from_nanos(rig.now.as_nanos() - 40_000_000_000),
            rate: 1.0,
            light_offset_ns: 7_000_000,
        };
        rig.stream.set_media_map(map);
        rig.step(&mut dot);
    }
    let sync = rig.stream.control().stats().sync();
    assert!(sync.errors.count() > 2_500);
    assert!(sync.offset_p50_ms().unwrap().abs() < 0.3, "{:?}", sync.offset_p50_ms());
    assert!(sync.jitter_p95_ms().unwrap() < 0.7, "{:?}", sync.jitter_p95_ms());
    assert!((sync.projector_ppm - 200.0).abs() < 20.0, "{}", sync.projector_ppm);
}
