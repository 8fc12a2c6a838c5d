//! From each deed that takes light away to darkness: every projector, on every line, in virtual time.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use galvo::safety::TripReason;

use super::projector::Kind;
use super::{MS, Rig, Trouble};

/// Moments of a deed within the steps of the device thread, the audio period and a frame.
const PHASES: u32 = 7;
const POINT_MS: f64 = 1e3 / super::PPS as f64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Stop,
    Disarm,
    Blackout,
    Estop,
}

impl Deed {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Stop, "STOP"),
        (Self::Disarm, "disarm"),
        (Self::Blackout, "blackout"),
        (Self::Estop, "device e-stop"),
    ];
}

/// The longest light after `deed`, ms; `None` for an emergency stop that the device does not have.
fn dark_after(kind: Kind, trouble: Trouble, deed: Deed) -> Option<f64> {
    let mut longest: f64 = 0.0;
    for phase in 0..PHASES {
        let mut rig = Rig::new(kind, trouble);
        // The switch wakes the device thread, as it does in a show.
        let woken = Arc::new(AtomicBool::new(false));
        let wake = Arc::clone(&woken);
        assert!(rig.arm.on_trip(move || wake.store(true, Ordering::Relaxed)));
        rig.run(800);
        rig.arms();
        // In the middle of a flash.
        rig.run(1_300 - 800 + 13 * phase);
        let until = rig.now() + Duration::from_micros(u64::from(phase) * 371);
        while rig.now() < until {
            rig.step();
        }
        let at = rig.now();
        assert!(rig.was_lit_within(at - MS * 100, at), "{kind:?} {trouble:?} {deed:?}: no light");
        match deed {
            Deed::Stop => rig.arm.stop(at, TripReason::Stop),
            Deed::Disarm => rig.arm.disarm(at, TripReason::Operator),
            Deed::Blackout => rig.arm.set_blackout(true),
            Deed::Estop if !rig.hands.estop(at, true) => return None,
            Deed::Estop => {}
        }
        if woken.load(Ordering::Relaxed) {
            rig.next_step = at;
        }
        rig.run(600);
        let last = rig.last_light().expect("there was light");
        longest = longest.max(last.nanos_since(at) as f64 * 1e-6);
    }
    Some(longest)
}

/// The line's own time there and back, ms; a USB command takes a frame of the bus.
fn round_trip_ms(kind: Kind, trouble: Trouble) -> f64 {
    match kind {
        Kind::Helios | Kind::LaserCubeUsb => 1.0,
        _ if trouble == Trouble::Delay && kind.is_network() => 30.0,
        _ => 0.0,
    }
}

/// Design §5.2: what a hand does reaches dark within one round trip plus one point. A sound card has no stop of its
/// own: it shows what it holds, and the table says how long. So does a device whose e-stop is only a word of its status.
#[test]
fn every_deed_is_dark_on_every_projector_as_the_table_says() {
    let mut table = String::from(
        "kind            line            |   STOP | disarm | blackout | device e-stop, ms\n",
    );
    for kind in Kind::ALL {
        for (trouble, name) in Trouble::ALL.into_iter().take(4) {
            if !trouble.befalls(kind) {
                continue;
            }
            write!(table, "{:<15} {name:<15} |", kind.name()).unwrap();
            for ((deed, _), width) in Deed::ALL.into_iter().zip([7, 7, 9, 14]) {
                let ms = dark_after(kind, trouble, deed);
                let text = ms.map_or("–".to_owned(), |ms| format!("{ms:.1}"));
                write!(table, "{text:>width$}").unwrap();
                table.push_str(if deed == Deed::Estop { "\n" } else { " |" });
                if let (Some(ms), false, false) = (ms, deed == Deed::Estop, kind == Kind::AudioXy) {
                    let bound = round_trip_ms(kind, trouble) + POINT_MS;
                    assert!(ms <= bound, "{kind:?} {trouble:?} {deed:?}: {ms} of {bound} ms");
                }
            }
        }
    }
    println!("{table}");
    insta::assert_snapshot!(table);
}
