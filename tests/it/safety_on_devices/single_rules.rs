//! Single rules, one test each.

use std::time::Duration;

use galvo::path::Mounting;
use galvo::point::LaserPoint;
use galvo::safety::{Arm, Effect, GateSettings, Shape, TripReason, Zone, Zones};
use galvo::stream::{FillRequest, FillResult};
use galvo::time::HostTime;

use super::drawing::Drawing;
use super::judge::judge;
use super::projectors::{Kind, Light, Model};
use super::show::{Deed, Show};
use super::{LOOK, MS};

/// A show that shines.
pub(super) fn shining(kind: Kind, drawing: Drawing) -> Show {
    let mut show = Show::new(kind, &GateSettings::default(), 30_000, 7);
    show.does(&Deed::Draw(drawing));
    show.does(&Deed::Wait(60));
    show.does(&Deed::Arm);
    show.does(&Deed::Wait(300));
    assert!(show.shown.iter().rev().take(3_000).any(Light::is_lit), "{kind:?} shines");
    show
}

pub(super) const CIRCLE: Drawing = Drawing::Circle { radius: 0.5, points: 300 };

pub(super) fn last_light(show: &Show) -> HostTime {
    show.shown.iter().rfind(|light| light.is_lit()).unwrap().at
}

/// Design §5.1: disarmed at the start, and dark.
#[test]
fn a_projector_shows_nothing_before_it_is_armed() {
    for kind in Kind::all() {
        let mut show = Show::new(kind, &GateSettings::default(), 30_000, 1);
        show.does(&Deed::Draw(CIRCLE));
        show.run(MS * 700);
        // A LaserCube's output stays off until there is light, and nothing is sent to it.
        let stays_off =
            matches!(kind.model, Model::LaserCubeWifi { .. } | Model::LaserCubeUsb { .. });
        assert_eq!(show.shown.len() < 10_000, stays_off, "{kind:?} shows dark points");
        assert!(!show.shown.iter().any(Light::is_lit));
    }
}

/// Design §5.4: zones apply after every transform.
#[test]
fn zones_hold_in_the_projectors_own_field_however_it_hangs() {
    let upper = Shape::Rect { low: [-1.0, 0.0], high: [1.0, 1.0] };
    let mut zones = Zones::default();
    zones.add(Zone { shape: upper, effect: Effect::Allowed, soft_edge: 0.0 }).unwrap();
    let colours = "-r-".parse().unwrap();
    let plain = Mounting { colours, ..Mounting::default() };
    let mountings = [
        plain,
        Mounting { invert_y: true, ..plain },
        Mounting { rotate_degrees: 137.0, ..plain },
        Mounting { swap_xy: true, ..plain },
    ];
    for kind in Kind::all() {
        for mounting in mountings {
            let mut show = shining(kind, Drawing::Circle { radius: 0.8, points: 600 });
            show.does(&Deed::Zones(Box::new(zones)));
            show.does(&Deed::Mount(mounting));
            show.run(MS * 300);
            show.shown.clear();
            show.run(MS * 300);
            let lit: Vec<_> = show.shown.iter().filter(|light| light.is_lit()).collect();
            assert!(lit.len() > 3_000, "{kind:?} {mounting:?}: {} lit", lit.len());
            for light in lit {
                let below = -1e-4 - kind.place_step() as f32;
                assert!(light.point.y > below, "{kind:?} {mounting:?}: {light:?}");
                assert!(light.point.g > 0 && light.point.r == 0 && light.point.b == 0);
            }
        }
    }
}

/// What is wide becomes high.
#[test]
fn an_exchange_of_axes_reaches_the_mirrors() {
    for kind in Kind::all() {
        let mut show = shining(kind, Drawing::Lazy);
        show.does(&Deed::Mount(Mounting { swap_xy: true, ..Mounting::default() }));
        show.run(MS * 300);
        show.shown.clear();
        show.run(MS * 300);
        let far = |axis: fn(&LaserPoint) -> f32| {
            show.shown.iter().map(|light| axis(&light.point).abs()).fold(0.0, f32::max)
        };
        let (wide, high) = (far(|point| point.x), far(|point| point.y));
        assert!(wide < 0.5 && high > 0.9, "{kind:?}: {wide} wide, {high} high");
    }
}

/// Design §5.2: a disarm acts when the device thread looks next, on the device's own queue too.
#[test]
fn a_disarm_is_dark_within_one_look_and_one_point() {
    for kind in Kind::all() {
        let mut show = shining(kind, CIRCLE);
        let at = show.now();
        show.does(&Deed::Disarm);
        show.run(MS * 300);
        let late = last_light(&show).since(at);
        let point = Duration::from_micros(34);
        assert!(late <= kind.way_there() + point, "{kind:?}: light {late:?} after the disarm");
    }
}

/// Design §5.8, with the queues that were full when the engine fell silent.
#[test]
fn a_silent_engine_is_dark_after_a_tenth_of_a_second() {
    for kind in Kind::all() {
        let mut show = shining(kind, CIRCLE);
        let ticked = show.ticked;
        show.does(&Deed::EngineHangs(2_000));
        show.run(MS * 500);
        assert!(!show.arm.is_armed());
        assert!(last_light(&show) <= ticked + Arm::DEAD_MAN + LOOK + kind.way_there(), "{kind:?}");
    }
}

/// Design §5.8 and §5.9: a surface that is gone takes the light with it, and says so.
#[test]
fn a_surface_that_is_gone_trips_and_is_dark() {
    for kind in Kind::all() {
        let mut show = shining(kind, CIRCLE);
        let at = show.now();
        show.does(&Deed::SurfaceGone);
        show.run(MS * 200);
        assert!(last_light(&show) <= at + MS + kind.way_there(), "{kind:?}");
        assert_eq!(show.trips.last().unwrap().reason, TripReason::SurfaceGone);
    }
}

/// Design §5.1: a panic of what draws ends in the dark, queues included. LR-18.
#[test]
fn a_panic_while_drawing_is_dark() {
    for kind in Kind::all() {
        let mut show = shining(kind, CIRCLE);
        let at = show.now();
        let mut stream = show.stream.take().unwrap();
        let mut broken = |_: &FillRequest, _: &mut [LaserPoint]| -> FillResult { panic!("a bug") };
        let run = std::panic::AssertUnwindSafe(move || stream.fill_from(at, &mut broken));
        assert!(std::panic::catch_unwind(run).is_err());
        show.run(MS * 200);
        assert!(last_light(&show) <= at + MS + kind.way_there(), "{kind:?}");
        assert!(!show.arm.is_armed());
        assert_eq!(show.trips.last().unwrap().reason, TripReason::Panic);
    }
}

/// Design §4.5: a rate rides with its points. However steep the fall, the device does not run dry, the change comes
/// with the points that were still to be made, and light stays on.
#[test]
fn a_rate_change_of_any_size_reaches_the_mirrors_without_a_break() {
    for kind in Kind::exact() {
        for (from, to) in [(60_000, 5_000), (30_000, 15_000), (8_000, 90_000), (30_000, 29_000)] {
            let mut show = Show::new(kind, &GateSettings::default(), from, 7);
            show.does(&Deed::Draw(Drawing::Dot { x: 0.1, y: 0.1 }));
            show.run(MS * 500);
            let run = show.shown.last().unwrap().run;
            let at = show.now();
            show.does(&Deed::Rate(to));
            show.run(MS * 500);
            let changed = show.shown.windows(2).find(|pair| {
                let pps = 1.0 / pair[1].at.secs_since(pair[0].at);
                pair[0].at > at && (pps / f64::from(to) - 1.0).abs() < 0.01
            });
            let took = changed.unwrap()[0].at.since(at);
            assert!(took <= MS * 60, "{kind:?} {from} to {to}: {took:?}");
            assert_eq!(show.shown.last().unwrap().run, run, "{kind:?} {from} to {to}: ran dry");
        }
    }
}

/// Photosensitivity: a strobe of the whole picture is warned of, a steady picture is not.
#[test]
fn a_strobe_above_three_hertz_warns() {
    for kind in Kind::exact() {
        for (drawing, warns) in [
            (Drawing::Strobe { hz: 8.0 }, true),
            (Drawing::Strobe { hz: 1.5 }, false),
            (Drawing::Circle { radius: 0.9, points: 300 }, false),
        ] {
            let mut show = shining(kind, drawing);
            show.run(MS * 4_000);
            let warnings = show.gate.meters().counts().flash_warnings;
            assert_eq!(warnings > 0, warns, "{kind:?} {drawing:?}: {warnings}");
        }
    }
}

/// What a device shows first after a break is dark until the mirrors have settled, also where the break is so short that
/// no dead-man sees it, and the points were on their way before it.
#[test]
fn light_after_a_stall_of_the_host_begins_dark() {
    for kind in Kind::all() {
        let mut again = 0;
        for stall in (20..=98).step_by(2) {
            let mut show = shining(kind, Drawing::Circle { radius: 0.9, points: 400 });
            let run = show.shown.last().unwrap().run;
            show.does(&Deed::HostHangs(stall));
            show.run(MS * 200);
            again += usize::from(show.shown.last().unwrap().run != run);
            assert!(show.arm.is_armed(), "{kind:?}: {stall} ms are below the dead-man");
            if let Err(broken) = judge(&show, &GateSettings::default()) {
                panic!("{kind:?}: after a stall of {stall} ms: {broken}");
            }
        }
        // A sound card is fed from half a second of frames, which go on by themselves.
        assert!(again > 0 || kind.is_resampled(), "{kind:?}: no stall was a break");
    }
}
