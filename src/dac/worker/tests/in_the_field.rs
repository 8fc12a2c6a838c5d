//! Ether Dreams as people have them: slow to greet, warming up, shared with other programs.

use super::*;
use crate::wire::ether_dream::LightEngine;

fn of(device: impl FnOnce(Device) -> Device) -> Rig {
    Rig::new(
        |log| device(Device::new(Generation::Two, None, 0.0, Some(Box::new(log)))),
        |bench| Box::new(bench),
    )
}

impl Rig {
    /// Another client's bytes.
    fn another_client_says(&self, bytes: &[u8]) {
        let now = self.now();
        self.bench.with(|device| device.feed(now, bytes, &mut Vec::new()));
    }

    fn prepares(&self) -> u32 {
        self.bench.with(|device| device.prepares())
    }

    fn trips(&self) -> Vec<TripReason> {
        std::iter::from_fn(|| self.arm.next_trip()).map(|trip| trip.reason).collect()
    }

    fn condition(&self) -> String {
        self.worker.status().condition().unwrap_or_default()
    }
}

#[test]
fn firmware_that_resets_at_the_version_command_lights_all_the_same() {
    let mut rig = of(Device::without_version);
    rig.arm();
    assert!(rig.is_lit_within(300));
    rig.run(2_000);
    assert_eq!(rig.stats.read().reconnects, 0);
}

#[test]
fn a_greeting_that_comes_six_tenths_of_a_second_late_is_waited_for() {
    let mut rig = of(|device| device);
    rig.bench.greet_after(MS * 600);
    rig.arm();
    rig.run(590);
    assert_eq!(rig.state(), WorkerState::Connecting);
    assert!(rig.is_lit_within(300));
    assert_eq!((rig.state(), rig.stats.read().reconnects), (WorkerState::Ready, 0));
}

#[test]
fn a_device_that_is_waited_for_does_not_hold_up_the_end() {
    let mut rig = of(|device| device);
    rig.bench.greet_after(MS * 600);
    rig.run(100);
    let asked = rig.now();
    rig.control.request_close();
    rig.step();
    assert!(rig.worker.is_over());
    assert!(rig.now().since(asked) <= MS * 2);
}

#[test]
fn what_returns_is_disarmed_even_if_it_was_armed_before_its_late_greeting() {
    let mut rig = of(|device| device);
    rig.arm();
    rig.run(300);
    rig.bench.greet_after(MS * 600);
    rig.bench.cut(rig.now(), true);
    rig.run(400);
    rig.arm();
    assert!(!rig.is_lit_within(1_500));
    assert_eq!((rig.state(), rig.stats.read().reconnects), (WorkerState::Ready, 1));
    assert!(!rig.arm.is_armed());
}

#[test]
fn a_warm_up_is_told_and_an_arm_during_it_lights_nothing_later() {
    let mut rig = of(|mut device| {
        device.set_light_engine(HostTime::ZERO, LightEngine::WarmUp);
        device
    });
    rig.run(300);
    assert_eq!(rig.state(), WorkerState::NotReady);
    assert!(rig.condition().contains("warming up"), "{}", rig.condition());
    assert_eq!(rig.worker.status().view().fault, None);
    rig.arm();
    rig.run(300);
    assert_eq!(rig.trips(), [TripReason::NotReady]);
    let now = rig.now();
    rig.bench.with(|device| device.set_light_engine(now, LightEngine::Ready));
    assert!(!rig.is_lit_within(500));
    assert_eq!((rig.state(), rig.condition().as_str()), (WorkerState::Ready, ""));
    rig.arm();
    assert!(rig.is_lit_within(300));
    assert_eq!(rig.stats.read().underflows, 0);
}

#[test]
fn a_cool_down_takes_the_light_and_tells_why() {
    let mut rig = of(|device| device);
    rig.arm();
    rig.run(300);
    let now = rig.now();
    rig.bench.with(|device| device.set_light_engine(now, LightEngine::CoolDown));
    rig.run(300);
    assert_eq!((rig.state(), rig.trips()), (WorkerState::NotReady, vec![TripReason::NotReady]));
    assert!(rig.condition().contains("cooling down"), "{}", rig.condition());
    let now = rig.now();
    rig.bench.with(|device| device.set_light_engine(now, LightEngine::Ready));
    assert!(!rig.is_lit_within(500));
    let counts = rig.stats.read();
    assert_eq!((counts.underflows, counts.reconnects), (0, 0));
}

#[test]
fn another_clients_stop_is_told_and_not_relit() {
    let mut rig = of(|device| device);
    rig.arm();
    rig.run(300);
    let stopped = rig.now();
    for _ in 0..10 {
        rig.another_client_says(b"s");
        rig.run(200);
    }
    assert_eq!(rig.prepares(), 1, "it is left to the other client");
    assert!(rig.last_light().unwrap() <= stopped);
    assert_eq!(rig.trips(), [TripReason::StoppedElsewhere]);
    assert!(rig.condition().contains("stopped from elsewhere"), "{}", rig.condition());
    assert_eq!((rig.state(), rig.stats.read().underflows), (WorkerState::Ready, 0));
    rig.arm();
    assert!(rig.is_lit_within(300));
    assert_eq!(rig.condition(), "");
}

/// Between two looks another client has stopped it, prepared it and begun a stream of its own.
#[test]
fn a_stream_of_another_client_is_not_taken_for_the_own_one() {
    let mut rig = of(|device| device);
    rig.arm();
    rig.run(300);
    let mut theirs = b"sp".to_vec();
    theirs.extend([b'd', 0x88, 0x02]);
    theirs.extend(vec![0; 0x288 * 18]);
    theirs.extend([b'b', 0, 0, 0xe8, 0x03, 0, 0]);
    rig.another_client_says(&theirs);
    let mine = rig.prepares();
    rig.run(200);
    assert_eq!(rig.trips(), [TripReason::StoppedElsewhere]);
    assert_eq!(rig.prepares(), mine, "it is left to the other client");
    assert!(rig.last_report.accepted.0 <= rig.sent);
}

/// A rest lets points go at their own rate: neither a flood nor a standstill.
#[test]
fn while_it_rests_the_stream_keeps_its_pace() {
    let mut rig = of(|device| device);
    rig.arm();
    rig.run(300);
    rig.another_client_says(b"s");
    rig.run(100);
    let before = rig.last_report.accepted.0;
    rig.run(1_000);
    let passed = rig.last_report.accepted.0 - before;
    assert!(passed.abs_diff(30_000) < 1_300, "{passed} points in a second");
}

/// A blackout stops the device, and its relay moves again when light is wanted and not before.
#[test]
fn after_a_blackout_the_prepare_waits_until_light_is_wanted() {
    let mut rig = of(|device| device);
    rig.arm();
    assert!(rig.is_lit_within(300));
    for turn in 1..=3 {
        let at = rig.now();
        rig.arm.set_blackout(true);
        rig.run(400);
        assert!(rig.last_light().unwrap() <= at, "turn {turn}");
        assert!(!rig.bench.with(|device| device.mirrors().is_playing()), "the device's own stop");
        assert_eq!(rig.prepares(), turn);
        rig.arm.set_blackout(false);
        assert!(rig.is_lit_within(100), "turn {turn}");
        assert_eq!(rig.prepares(), turn + 1);
    }
    assert_eq!(rig.stats.read().underflows, 0);
}

#[test]
fn a_blackout_lifted_at_once_still_stops_the_device() {
    let mut rig = of(|device| device);
    rig.arm();
    rig.run(300);
    rig.arm.set_blackout(true);
    rig.arm.set_blackout(false);
    assert!(rig.is_lit_within(300));
    assert_eq!(rig.prepares(), 2);
}

#[test]
fn after_an_emergency_stop_is_reset_it_is_left_idle_until_it_is_armed() {
    let mut rig = of(|device| device);
    rig.arm();
    rig.run(300);
    let pressed = rig.now();
    rig.bench.with(|device| {
        device.set_estop_input(pressed, true);
        device.set_estop_input(pressed, false);
    });
    rig.run(100);
    rig.control.request_estop_reset();
    rig.arm.reset_stop();
    rig.run(500);
    assert_eq!((rig.state(), rig.prepares()), (WorkerState::Ready, 1));
    rig.arm();
    assert!(rig.is_lit_within(300));
    assert_eq!(rig.prepares(), 2);
}

/// What the device holds stays what it is; what waits before it goes out dark, behind it.
#[test]
fn what_waits_at_a_seek_goes_out_dark_behind_what_is_sent() {
    let mut rig = of(|device| device);
    rig.control.set_device_fill(600, 600);
    rig.arm();
    rig.run(300);
    let held = rig.bench.with(|device| device.mirrors().queued());
    let first = rig.shown() + held;
    let dropped = rig.stats.read().dropped_points;
    let waiting = (rig.sent - dropped) as usize - first;
    assert!(waiting > 300, "{waiting} points wait");
    rig.control.request_darkness(StreamInstant(rig.sent));
    rig.run(300);
    let log = rig.log.0.lock().unwrap();
    assert!(log[first..first + waiting].iter().all(|(_, point)| point.is_blank()));
    assert!(log[first + waiting..].iter().all(|(_, point)| !point.is_blank()));
    drop(log);
    assert_eq!((rig.prepares(), rig.stats.read().dropped_points), (1, dropped));
}
