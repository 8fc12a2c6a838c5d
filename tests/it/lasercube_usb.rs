//! The LaserCube driver, its device thread and its stream against a virtual LaserCube on USB, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use galvo::dac::lasercube_usb::LaserCubeUsb;
use galvo::dac::simulator::lasercube_usb::Device;
use galvo::dac::simulator::usb_port::{PortFault, UsbPort};
use galvo::dac::{Backend, DacError, WorkerState};
use galvo::safety::TripReason;
use galvo::stream::StreamConfig;
use galvo::time::{Clock, HostTime, ManualClock};
use galvo::wire::lasercube_usb::{Command, Reply, decode_sample, encode_samples};

use super::usb_rig::Rig;

const MS: Duration = Duration::from_millis(1);

fn rig(capacity: usize, ppm: f64) -> Rig<Device> {
    Rig::new(
        |log| Device::new("LC01", capacity, ppm, Some(Box::new(log))),
        |port, clock| Box::new(LaserCubeUsb::over("lasercube-usb://", "", Box::new(port), clock)),
    )
}

fn shining() -> Rig<Device> {
    let mut rig = rig(1024, 0.0);
    rig.run(300);
    rig.arm();
    assert!(rig.is_lit_within(500));
    rig
}

fn alone(device: Device, wanted: &str) -> (LaserCubeUsb, UsbPort<Device>, ManualClock) {
    let clock = ManualClock::starting_at(HostTime::from_nanos(1_000_000_000));
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let port = UsbPort::new(device, Arc::clone(&shared));
    let driver = LaserCubeUsb::over("lasercube-usb://", wanted, Box::new(port.clone()), shared);
    (driver, port, clock)
}

#[test]
fn ten_seconds_play_without_underflow_on_a_clock_that_is_off() {
    for (capacity, ppm) in [(768, -500.0), (1024, 0.0), (768, 500.0)] {
        let mut rig = rig(capacity, ppm);
        rig.run(300);
        rig.arm();
        rig.run(500);
        let (dry, shown, began) = (rig.port.with(|d| d.ran_dry()), rig.shown(), rig.now());
        rig.run(10_000);
        assert_eq!(rig.port.with(|d| d.ran_dry()), dry, "{capacity} samples, {ppm} ppm");
        let expected = rig.now().since(began).as_secs_f64() * 30_000.0 * (1.0 + ppm * 1e-6);
        let shown = (rig.shown() - shown) as f64;
        assert!((shown - expected).abs() < 1000.0, "{shown} shown of {expected} at {ppm} ppm");
        assert_eq!(rig.state(), WorkerState::Ready);
    }
}

#[test]
fn a_disarm_is_dark_within_one_round_trip_and_only_arming_lights_again() {
    let mut rig = shining();
    let disarmed = rig.now();
    rig.arm.disarm(disarmed, TripReason::Operator);
    rig.run(300);
    let last = rig.last_light().unwrap();
    assert!(last <= disarmed + MS * 5, "light {} ns on", last.nanos_since(disarmed));
    rig.arm();
    assert!(rig.is_lit_within(300));
}

#[test]
fn an_unplugged_device_returns_dark_and_disarmed_at_its_rate() {
    let mut rig = shining();
    rig.port.set_fault(PortFault::Unplugged);
    rig.run(500);
    assert_eq!(rig.state(), WorkerState::Lost);
    assert!(!rig.arm.is_armed());
    rig.port.set_fault(PortFault::None);
    assert!(!rig.is_lit_within(3_000));
    assert_eq!(rig.state(), WorkerState::Ready);
    rig.arm();
    assert!(rig.is_lit_within(300));
    assert_eq!(rig.port.with(|device| device.mirrors().pps()), 30_000);
}

/// A sample cut in two would turn all that come after it into rubbish.
#[test]
fn a_transfer_cut_within_a_sample_goes_on_from_that_very_byte() {
    for bytes in [1, 500, 1003] {
        let mut rig = shining();
        rig.port.cut_next_transfer(bytes);
        assert!(rig.is_lit_within(500));
        let log = rig.log.0.lock().unwrap();
        for (_, point) in log.iter().rev().take(5_000).filter(|(_, point)| !point.is_blank()) {
            let radius = point.x.hypot(point.y);
            assert!((radius - 0.5).abs() < 0.01 && point.r == point.b, "{point:?}");
        }
    }
}

#[test]
fn transfers_that_time_out_are_survived_or_a_loss_but_never_a_hang() {
    let mut rig = shining();
    rig.port.set_fault(PortFault::Wedged);
    rig.run(2_000);
    assert_eq!(rig.state(), WorkerState::Lost);
    assert!(!rig.arm.is_armed());
    rig.port.set_fault(PortFault::None);
    rig.run(3_000);
    assert_eq!(rig.state(), WorkerState::Ready);
    let asked = rig.now();
    rig.port.set_fault(PortFault::Wedged);
    rig.stream.control().stop(asked);
    rig.run(2_000);
    assert!(rig.worker.is_over());
    assert!(rig.now().since(asked) < Duration::from_secs(2));
}

#[test]
fn one_failed_transfer_is_retried_in_the_dark_and_the_show_goes_on() {
    for stalls in [false, true] {
        let mut rig = shining();
        let failed = rig.now();
        if stalls {
            rig.port.stall_next();
        } else {
            rig.port.fail_next(1);
        }
        rig.run(300);
        let log = rig.log.0.lock().unwrap();
        let after: Vec<_> = log.iter().filter(|(at, _)| *at > failed + MS * 8).collect();
        let first = after.iter().find(|(_, point)| !point.is_blank()).expect("it goes on").0;
        // Dark until the mirrors have come to rest, and no longer than that and a fill.
        assert!(first > failed + MS * 9 && first < failed + MS * 100, "{:?}", first.since(failed));
        drop(log);
        assert!(rig.arm.is_armed());
        assert_eq!(rig.stream.control().stats().read().reconnects, 0);
    }
}

#[test]
fn failed_transfers_for_longer_than_a_tenth_of_a_second_are_a_loss_that_disarms() {
    let mut rig = shining();
    let failed = rig.now();
    rig.port.fail_next(u32::MAX);
    while rig.arm.is_armed() && rig.now() < failed + MS * 1000 {
        rig.step();
    }
    let after = rig.now().since(failed);
    assert!((MS * 100..MS * 130).contains(&after), "{after:?}");
    rig.arm();
    rig.port.fail_next(0);
    assert!(!rig.is_lit_within(3_000), "any re-open is disarmed");
    assert_eq!(rig.state(), WorkerState::Ready);
}

/// The kind of a Helios that never says ready.
#[test]
fn a_ring_that_does_not_move_is_told_within_two_seconds_and_disarmed() {
    let mut rig = shining();
    let now = rig.now();
    rig.port.with(|device| device.set_stuck(now, true));
    while rig.state() == WorkerState::Ready && rig.now() < now + MS * 2_000 {
        rig.step();
    }
    assert_eq!(rig.state(), WorkerState::Lost);
    assert!(!rig.arm.is_armed());
    assert!(rig.fault().contains("has not shown one"), "{}", rig.fault());
}

#[test]
fn output_is_not_switched_on_before_an_arm() {
    let mut rig = rig(1024, 0.0);
    let began = rig.now();
    let stats = rig.stream.control().stats().clone();
    while rig.now() < began + MS * 2_000 {
        rig.step();
        assert!(!rig.port.with(|device| device.is_output_on() || device.mirrors().queued() > 0));
    }
    // The stream goes on at its rate meanwhile, and nothing counts as an underflow.
    let points = stats.read().points;
    assert!((55_000..65_000).contains(&points), "{points}");
    assert_eq!(stats.read().device_underflows, 0);
    let armed = rig.now();
    rig.arm();
    assert!(rig.is_lit_within(400));
    let log = rig.log.0.lock().unwrap();
    let first = log.iter().find(|(_, point)| !point.is_blank()).unwrap().0;
    let dark = log.iter().filter(|(at, _)| *at >= armed && *at < first).count();
    assert!(dark >= 300, "{dark} dark points lead to the light");
    drop(log);
    // And off again by a disarm.
    rig.arm.disarm(rig.now(), TripReason::Operator);
    rig.run(50);
    assert!(!rig.port.with(|device| device.is_output_on()));
    rig.run(500);
    assert!(!rig.port.with(|device| device.is_output_on()));
}

#[test]
fn output_is_off_after_every_exit() {
    let mut rig = shining();
    let now = rig.now();
    rig.stream.control().stop(now);
    rig.run(500);
    assert!(!rig.port.with(|device| device.is_output_on()));
    let mut rig = shining();
    rig.stream.control().end();
    rig.run(1_500);
    assert!(!rig.port.with(|device| device.is_output_on()));
    let rig = shining();
    let port = rig.port.clone();
    drop(rig);
    assert!(!port.with(|device| device.is_output_on()), "dropped");
}

#[test]
fn a_cube_that_is_not_there_is_told_as_that_whoever_holds_another_one() {
    let (mut driver, port, clock) = alone(Device::new("LC01", 1024, 0.0, None), "LC99");
    port.set_fault(PortFault::Held);
    let error = driver.connect(clock.now()).unwrap_err();
    assert!(matches!(error, DacError::Absent { .. }), "{error}");
    assert!(error.to_string().contains("none of the serial LC99 is plugged in"), "{error}");
}

#[test]
fn a_command_refused_once_is_tried_again() {
    let (mut driver, port, clock) = alone(Device::new("LC01", 1024, 0.0, None), "LC01");
    port.with(|device| device.refuse_next(1));
    let capabilities = driver.connect(clock.now()).unwrap();
    assert_eq!(capabilities.capacity_points, Some(1024));
    assert_eq!(capabilities.max_pps, 40_000);
}

#[test]
fn old_firmware_that_tells_no_limits_gets_cautious_ones() {
    let device = Device::new("LC01", 1024, 0.0, None).without_limits();
    let (mut driver, _, clock) = alone(device, "");
    let capabilities = driver.connect(clock.now()).unwrap();
    assert_eq!((capabilities.capacity_points, capabilities.max_pps), (Some(768), 30_000));
    assert!(driver.advice().unwrap().contains("update it"));
    assert!(StreamConfig::new(30_001).check(&driver.presumed()).is_err());
}

#[test]
fn no_rate_above_the_devices_own_is_ever_sent() {
    let rig = shining();
    assert_eq!(rig.port.with(|device| device.over_rates()), 0);
}

#[test]
fn troubles_of_the_bus_are_said_with_their_cure() {
    let (mut driver, port, clock) = alone(Device::new("LC01", 1024, 0.0, None), "LC01");
    port.set_fault(PortFault::Denied);
    let denied = driver.connect(clock.now()).unwrap_err();
    assert!(denied.to_string().contains("make udev"), "{denied}");
    port.set_fault(PortFault::Held);
    assert!(matches!(driver.connect(clock.now()), Err(DacError::Busy { .. })));
    port.set_fault(PortFault::Wedged);
    let before = clock.now();
    assert!(matches!(driver.connect(before), Err(DacError::Gone { .. })));
    assert!(clock.now().since(before) <= Duration::from_secs(2));
    let (mut driver, _, clock) = alone(Device::new("LC01", 1024, 0.0, None), "LC02");
    let error = driver.connect(clock.now()).unwrap_err().to_string();
    assert!(error.contains("LC02"), "{error}");
}

/// Bytes of the vendor's library; see the file for their origin.
#[test]
fn messages_are_byte_for_byte_those_of_the_vendor() {
    let digit = |d: u8| char::from(d).to_digit(16).unwrap() as u8;
    let mut command = Command::Clear;
    for line in include_str!("../golden/lasercube_usb/messages.txt").lines() {
        let mut words = line.split_whitespace();
        let (Some(kind), Some(text)) = (words.next(), words.next()) else { continue };
        if kind.starts_with('#') {
            continue;
        }
        let bytes: Vec<u8> =
            text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
        match kind {
            "command" => {
                command = Command::parse(&bytes).unwrap();
                let (emitted, len) = command.emit();
                assert_eq!(emitted[..len], bytes, "{line}");
            }
            "reply" => {
                let reply = Reply::parse(&bytes, &command).unwrap();
                assert_eq!(reply.emit()[..bytes.len()], bytes, "{line}");
            }
            "samples" => {
                let (samples, _) = bytes.as_chunks::<8>();
                let points: Vec<_> = samples.iter().map(decode_sample).collect();
                let mut out = Vec::new();
                encode_samples(&points, &mut out);
                assert_eq!(out, bytes, "{line}");
            }
            other => panic!("{other}"),
        }
    }
}
