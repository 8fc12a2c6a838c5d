//! The Helios driver, its device thread and its stream against a virtual Helios, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use galvo::dac::helios::Helios;
use galvo::dac::simulator::helios::Device;
use galvo::dac::simulator::usb_port::{PortFault, UsbDevice, UsbPort};
use galvo::dac::{Backend, DacError, Delivery, WorkerState};
use galvo::point::LaserPoint;
use galvo::safety::TripReason;
use galvo::stream::StreamConfig;
use galvo::time::{Clock, HostTime, ManualClock};
use galvo::wire::helios::{
    FRAME_OUT, Frame, REPLY_IN, REQUEST_OUT, Reply, Request, encode_frame, flag,
};

use super::usb_rig::Rig;

const MS: Duration = Duration::from_millis(1);

fn rig(ppm: f64) -> Rig<Device> {
    Rig::new(
        |log| Device::new(6, "Stage Left", ppm, Some(Box::new(log))),
        |port, clock| Box::new(Helios::over("helios://", "", Box::new(port), clock)),
    )
}

/// Connected, armed and shining.
fn shining() -> Rig<Device> {
    let mut rig = rig(0.0);
    rig.run(500);
    rig.arm();
    assert!(rig.is_lit_within(500));
    rig
}

fn alone(device: Device, wanted: &str) -> (Helios, UsbPort<Device>, ManualClock) {
    let clock = ManualClock::starting_at(HostTime::from_nanos(1_000_000_000));
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let port = UsbPort::new(device, Arc::clone(&shared));
    (Helios::over("helios://", wanted, Box::new(port.clone()), shared), port, clock)
}

#[test]
fn ten_seconds_play_without_underflow_on_a_clock_that_is_off() {
    for ppm in [-500.0, 0.0, 500.0] {
        let mut rig = rig(ppm);
        rig.run(500);
        rig.arm();
        rig.run(500);
        let (dry, shown) = (rig.port.with(|device| device.ran_dry()), rig.shown());
        let stats = rig.stream.control().stats().clone();
        let told = stats.read().device_underflows;
        let began = rig.now();
        rig.run(10_000);
        assert_eq!(rig.port.with(|device| device.ran_dry()), dry, "at {ppm} ppm");
        assert_eq!(stats.read().device_underflows, told, "at {ppm} ppm");
        let expected = rig.now().since(began).as_secs_f64() * 30_000.0 * (1.0 + ppm * 1e-6);
        let shown = (rig.shown() - shown) as f64;
        assert!((shown - expected).abs() < 700.0, "{shown} shown of {expected} at {ppm} ppm");
        let (frames, ignored, _) = rig.port.with(|device| device.frames());
        assert!((400..1300).contains(&frames), "{frames} frames");
        assert_eq!(ignored, 0);
        assert_eq!(rig.state(), WorkerState::Ready);
    }
}

/// Design §2: the timeline of a Helios comes from its ready edges.
#[test]
fn the_timeline_knows_from_ready_edges_when_a_point_is_shown() {
    let mut rig = shining();
    rig.run(5_000);
    let now = rig.now();
    let log = rig.log.0.lock().unwrap();
    // Every lit point tells its own number by its place on the circle; the timeline is asked for it.
    let at = |back: usize| log[log.len() - back];
    let (when, point) = at(100);
    let claimed = rig.stream.timeline().point_at(when).unwrap();
    let angle = f64::from(point.y).atan2(f64::from(point.x)).rem_euclid(std::f64::consts::TAU);
    let wanted = (claimed * 0.02).rem_euclid(std::f64::consts::TAU);
    let error = (wanted - angle + std::f64::consts::PI).rem_euclid(std::f64::consts::TAU)
        - std::f64::consts::PI;
    // 0.02 rad is one point, 33 µs: within a millisecond is 30 of them.
    assert!(error.abs() <= 0.6, "off by {:.2} ms at {now}", error / 0.02 / 30.0);
}

#[test]
fn a_disarm_is_dark_within_one_round_trip_and_shuts_the_shutter() {
    let mut rig = shining();
    assert!(rig.port.with(|device| device.is_shutter_open()));
    let disarmed = rig.now();
    rig.arm.disarm(disarmed, TripReason::Operator);
    rig.run(300);
    let last = rig.last_light().unwrap();
    assert!(last <= disarmed + MS * 8, "light {} ns on", last.nanos_since(disarmed));
    assert!(!rig.port.with(|device| device.is_shutter_open()));
    // It plays on in the dark, behind a closed shutter, and only arming lights it again.
    assert!(!rig.is_lit_within(300));
    assert!(!rig.port.with(|device| device.is_shutter_open()));
    rig.arm();
    assert!(rig.is_lit_within(500));
}

#[test]
fn an_unplugged_device_returns_dark_and_disarmed() {
    let mut rig = shining();
    rig.port.set_fault(PortFault::Unplugged);
    rig.run(500);
    assert_eq!(rig.state(), WorkerState::Lost);
    assert!(!rig.arm.is_armed());
    assert!(rig.fault().contains("plugged"), "{}", rig.fault());
    rig.arm();
    rig.port.set_fault(PortFault::None);
    assert!(!rig.is_lit_within(3_000));
    assert_eq!(rig.state(), WorkerState::Ready);
    assert!(!rig.arm.is_armed());
    rig.arm();
    assert!(rig.is_lit_within(500));
}

#[test]
fn a_storm_of_not_ready_is_ridden_out() {
    let mut rig = shining();
    let until = rig.now() + MS * 300;
    rig.port.with(|device| device.refuse_until(until));
    rig.run(300);
    assert!(rig.is_lit_within(300));
    assert_eq!(rig.stream.control().stats().read().reconnects, 0);
    // One that never ends is a device that hangs: it is opened anew, dark and disarmed.
    let hangs = rig.now();
    rig.port.with(|device| device.refuse_until(HostTime::from_nanos(i64::MAX)));
    rig.run(2_000);
    assert_eq!(rig.state(), WorkerState::Lost);
    assert!(!rig.arm.is_armed());
    assert!(rig.last_light().unwrap() < hangs + MS * 60);
    rig.port.with(|device| device.refuse_until(HostTime::ZERO));
    assert!(!rig.is_lit_within(4_000));
    assert_eq!(rig.state(), WorkerState::Ready);
    assert!(!rig.arm.is_armed());
}

#[test]
fn one_that_never_says_ready_is_told_within_two_seconds_and_is_not_armed() {
    let mut rig = rig(0.0);
    rig.port.with(|device| device.refuse_until(HostTime::from_nanos(i64::MAX)));
    rig.run(2_000);
    assert_eq!(rig.state(), WorkerState::Lost);
    assert!(rig.fault().contains("has not been ready for a frame"), "{}", rig.fault());
    assert!(!rig.worker.status().has_come_up());
    // Who arms it now is disarmed when it comes up after all.
    rig.arm();
    rig.port.with(|device| device.refuse_until(HostTime::ZERO));
    assert!(!rig.is_lit_within(4_000));
    assert_eq!(rig.state(), WorkerState::Ready);
}

/// As [`one_that_never_says_ready_is_told_within_two_seconds_and_is_not_armed`], in the middle of a show.
#[test]
fn one_that_stops_being_ready_with_nothing_in_it_is_told_within_two_seconds_and_disarmed() {
    let mut rig = shining();
    rig.arm.disarm(rig.now(), TripReason::Operator);
    rig.run(50);
    rig.port.with(|device| device.refuse_until(HostTime::from_nanos(i64::MAX)));
    rig.arm();
    rig.run(2_000);
    assert_eq!(rig.state(), WorkerState::Lost);
    assert!(!rig.arm.is_armed());
    assert!(rig.fault().contains("has not been ready for a frame"), "{}", rig.fault());
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
        rig.run(100);
        // The next transfer is up to a frame away.
        assert!(rig.last_light().unwrap() < failed + MS * 30, "retried in the dark");
        assert!(rig.is_lit_within(300), "stalls: {stalls}");
        assert!(rig.arm.is_armed());
        assert_eq!(rig.state(), WorkerState::Ready);
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
    assert_eq!(rig.state(), WorkerState::Lost);
    rig.arm();
    rig.port.fail_next(0);
    assert!(!rig.is_lit_within(3_000), "any re-open is disarmed");
    assert_eq!(rig.state(), WorkerState::Ready);
    rig.arm();
    assert!(rig.is_lit_within(500));
}

#[test]
fn a_disarm_while_a_transfer_fails_stays_dark() {
    let mut rig = shining();
    rig.port.fail_next(8);
    rig.arm.disarm(rig.now(), TripReason::Operator);
    assert!(!rig.is_lit_within(20) || rig.last_light().unwrap() < rig.now());
    assert!(!rig.is_lit_within(1_000));
    assert!(!rig.port.with(|device| device.is_shutter_open()));
}

#[test]
fn an_old_firmware_is_told_to_whoever_has_the_show() {
    let (mut driver, _, clock) = alone(Device::new(4, "", 0.0, None), "");
    assert_eq!(driver.advice(), None);
    driver.connect(clock.now()).unwrap();
    assert!(driver.advice().unwrap().contains("firmware 4"));
    let (mut driver, _, clock) = alone(Device::new(6, "", 0.0, None), "");
    driver.connect(clock.now()).unwrap();
    assert_eq!(driver.advice(), None);
}

#[test]
fn a_frame_that_is_cut_is_sent_again_whole() {
    let mut rig = shining();
    let (_, ignored, _) = rig.port.with(|device| device.frames());
    rig.port.cut_next_transfer(128);
    assert!(rig.is_lit_within(500));
    assert_eq!(rig.port.with(|device| device.frames()).1, ignored + 1);
    assert_eq!(rig.stream.control().stats().read().reconnects, 0);
}

#[test]
fn transfers_that_time_out_are_survived_and_ten_in_a_row_are_a_loss() {
    let mut rig = shining();
    rig.port.time_out_next(3);
    assert!(rig.is_lit_within(500));
    assert_eq!(rig.stream.control().stats().read().reconnects, 0);
    rig.port.set_fault(PortFault::Wedged);
    rig.run(2_000);
    assert_eq!(rig.state(), WorkerState::Lost);
    assert!(!rig.arm.is_armed());
}

#[test]
fn a_wedged_device_holds_up_neither_connecting_nor_the_end() {
    let mut rig = shining();
    rig.port.set_fault(PortFault::Wedged);
    let asked = rig.now();
    rig.stream.control().stop(asked);
    rig.run(1_000);
    assert!(rig.worker.is_over());
    assert!(rig.now().since(asked) < MS * 500);
    let (mut driver, port, clock) = alone(Device::new(6, "", 0.0, None), "");
    port.set_fault(PortFault::Wedged);
    let before = clock.now();
    let error = driver.connect(before).unwrap_err();
    assert!(matches!(error, DacError::Gone { .. }), "{error}");
    assert!(clock.now().since(before) <= Duration::from_secs(2));
}

#[test]
fn the_shutter_is_closed_and_the_light_off_after_every_exit() {
    let exits: [fn(&mut Rig<Device>); 4] = [
        |rig| rig.stream.control().stop(rig.now()),
        |rig| rig.stream.control().end(),
        |rig| rig.arm.stop(rig.now(), TripReason::Stop),
        // The dead man: an engine that gives no sign of life any more.
        |rig| {
            let silent = rig.now() + MS * 300;
            while rig.now() < silent {
                let next = rig.worker.step(rig.now());
                rig.clock.sleep_until(next);
            }
        },
    ];
    for (which, exit) in exits.into_iter().enumerate() {
        let mut rig = shining();
        exit(&mut rig);
        rig.run(1_500);
        assert!(!rig.port.with(|device| device.is_shutter_open()), "exit {which}");
        assert!(!rig.arm.is_armed(), "exit {which}");
        assert!(!rig.is_lit_within(300), "exit {which}");
    }
    let rig = shining();
    let port = rig.port.clone();
    drop(rig);
    assert!(!port.with(|device| device.is_shutter_open() || device.is_playing()), "dropped");
}

#[test]
fn a_missing_permission_and_a_held_device_are_said_with_their_cure() {
    let (mut driver, port, clock) = alone(Device::new(6, "", 0.0, None), "");
    port.set_fault(PortFault::Denied);
    let denied = driver.connect(clock.now()).unwrap_err();
    assert!(matches!(denied, DacError::PermissionDenied { .. }));
    assert!(denied.to_string().contains("make udev"), "{denied}");
    port.set_fault(PortFault::Held);
    assert!(matches!(driver.connect(clock.now()), Err(DacError::Busy { .. })));
    port.set_fault(PortFault::Unplugged);
    let gone = driver.connect(clock.now()).unwrap_err();
    assert!(gone.to_string().contains("no Helios is plugged in"), "{gone}");
}

#[test]
fn a_device_is_found_by_its_place_or_by_the_name_it_has_stored() {
    for wanted in ["", "1-2.3", "Stage Left"] {
        let (mut driver, _, clock) = alone(Device::new(6, "Stage Left", 0.0, None), wanted);
        assert!(driver.connect(clock.now()).is_ok(), "{wanted}");
    }
    let (mut driver, _, clock) = alone(Device::new(6, "Stage Left", 0.0, None), "Stage Right");
    let error = driver.connect(clock.now()).unwrap_err().to_string();
    assert!(error.contains("Stage Right") && error.contains("is not there"), "{error}");
    // Whoever holds the one that is there need not hold this one.
    let (mut driver, port, clock) = alone(Device::new(6, "Stage Left", 0.0, None), "Stage Right");
    port.set_fault(PortFault::Held);
    let error = driver.connect(clock.now()).unwrap_err().to_string();
    assert!(error.contains("the one at 1-2.3 is in use") && !error.contains("held by"), "{error}");
}

#[test]
fn what_an_earlier_owner_left_does_not_confuse_the_beginning() {
    let mut device = Device::new(5, "", 0.0, None);
    device.leave_reply(Reply::Status(false));
    device.leave_reply(Reply::Firmware(99));
    // And its frame loops.
    let mut frame = Vec::new();
    encode_frame(&[LaserPoint::CENTRE; 100], 1_000, 0, &mut frame).unwrap();
    device.receive(HostTime::ZERO, FRAME_OUT, &frame);
    let (mut driver, port, clock) = alone(device, "");
    let capabilities = driver.connect(clock.now()).unwrap();
    assert_eq!(capabilities.delivery, Delivery::FrameSwap);
    assert_eq!(capabilities.max_points_per_chunk, 4095);
    port.with(|device| {
        assert!(!device.is_playing() && !device.is_shutter_open());
        assert_eq!((device.sdk_level(), device.stops()), (11, 1));
    });
}

#[test]
fn a_rate_the_device_does_not_have_is_refused_before_anything_is_sent() {
    let (driver, ..) = alone(Device::new(6, "", 0.0, None), "");
    let presumed = driver.presumed();
    assert!(StreamConfig::new(65_535).check(&presumed).is_ok());
    assert!(StreamConfig::new(65_536).check(&presumed).is_err());
    assert!(StreamConfig::new(6).check(&presumed).is_err());
}

#[test]
fn the_virtual_device_behaves_as_the_sheet_says() {
    let ms = |n: i64| HostTime::from_nanos(n * 1_000_000);
    let mut device = Device::new(6, "", 0.0, None);
    let ready = |device: &mut Device, at| {
        device.receive(at, REQUEST_OUT, Request::Status.emit().as_bytes());
        let reply = device.reply(at, REPLY_IN).unwrap();
        Reply::parse(&reply).unwrap() == Reply::Status(true)
    };
    let mut frame = Vec::new();
    encode_frame(&[LaserPoint::CENTRE; 500], 5_000, flag::SINGLE_SHOT, &mut frame).unwrap();
    // From idle two frames are taken back to back; then the slot is free after one play time.
    assert!(ready(&mut device, ms(0)));
    assert_eq!(device.receive(ms(0), FRAME_OUT, &frame), Some(frame.len()));
    assert!(ready(&mut device, ms(1)));
    assert_eq!(device.receive(ms(1), FRAME_OUT, &frame), Some(frame.len()));
    assert!(!ready(&mut device, ms(99)));
    assert!(ready(&mut device, ms(101)));
    assert_eq!(device.receive(ms(101), FRAME_OUT, &frame), Some(frame.len()));
    // Written while not ready: two packets, then a stall.
    assert_eq!(device.receive(ms(102), FRAME_OUT, &frame), Some(128));
    // After a stop frames are deaf for 100 ms.
    device.receive(ms(103), REQUEST_OUT, Request::Stop.emit().as_bytes());
    assert!(ready(&mut device, ms(104)));
    device.receive(ms(104), FRAME_OUT, &frame);
    assert!(!device.is_playing());
    // A frame of a multiple of 64 bytes is never completed.
    assert!(ready(&mut device, ms(300)));
    assert_eq!(device.receive(ms(300), FRAME_OUT, &[0; 320]), None);
}

/// Bytes of the maker's library and of a real device; see the file for their origin.
#[test]
fn messages_are_byte_for_byte_those_of_the_maker() {
    let digit = |d: u8| char::from(d).to_digit(16).unwrap() as u8;
    for line in include_str!("../golden/helios/messages.txt").lines() {
        let mut words = line.split_whitespace();
        let (Some(origin), Some(kind), Some(text)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        if origin.starts_with('#') {
            continue;
        }
        let bytes: Vec<u8> =
            text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
        match kind {
            "request" => {
                let request = Request::parse(&bytes).unwrap();
                assert_eq!(request.emit().as_bytes(), bytes, "{line}");
            }
            "reply" => {
                let reply = Reply::parse(&bytes).unwrap();
                assert_eq!(Reply::parse(reply.emit().as_bytes()), Ok(reply), "{line}");
                assert_eq!(reply.emit().as_bytes()[..2], bytes[..2], "{line}");
            }
            "frame" => {
                let frame = Frame::parse(&bytes).unwrap();
                let points: Vec<LaserPoint> = frame.points().collect();
                let mut out = Vec::new();
                encode_frame(&points, u32::from(frame.pps), frame.flags, &mut out).unwrap();
                assert_eq!(out, bytes, "{line}");
            }
            other => panic!("{other}"),
        }
    }
}
