//! The rules of the safety gate, judged on the points that a device would receive.

use std::time::Duration;

use galvo::path::{GalvoProfile, Layout, LayoutSettings, PathPoints};
use galvo::pattern::Figure;
use galvo::point::{Colour, LaserPoint};
use galvo::realtime::no_alloc;
use galvo::safety::{
    Arm, DwellLimit, Effect, Gate, GateSettings, Shape, TripReason, Zone, Zones, queue,
};
use galvo::time::{HostTime, StreamInstant};
use proptest::prelude::*;

/// What is done to the gate before a chunk.
#[derive(Clone, Copy, Debug)]
enum Deed {
    None,
    Arm,
    Disarm,
    Stop,
    ResetStop,
    Master(f32),
}

#[derive(Clone, Debug)]
struct Chunk {
    deed: Deed,
    points: Vec<LaserPoint>,
}

/// What came out, with what held when it did.
struct Sent {
    point: LaserPoint,
    armed: bool,
    since_armed: usize,
    master: f32,
}

fn coordinate() -> impl Strategy<Value = f32> {
    prop_oneof![
        20 => -1.0_f32..=1.0,
        1 => prop_oneof![
            Just(f32::NAN),
            Just(f32::INFINITY),
            Just(f32::NEG_INFINITY),
            Just(1.0_f32),
            Just(-1.0_f32),
            Just(f32::MIN_POSITIVE),
            -1e9_f32..1e9,
        ],
    ]
}

/// Wild jumps, smooth curves, standing beams and creeping ones: what patterns and faults make.
fn drawing() -> impl Strategy<Value = Vec<LaserPoint>> {
    let colour = (any::<u16>(), any::<u16>(), any::<u16>(), any::<u16>());
    let wild =
        prop::collection::vec((coordinate(), coordinate(), colour), 1..300).prop_map(|points| {
            points.into_iter().map(|(x, y, (r, g, b, i))| LaserPoint { x, y, r, g, b, i }).collect()
        });
    let curve = (0.0_f32..1.2, 0.0001_f32..0.5, 0.0_f32..3.0, 10_usize..900).prop_map(
        |(radius, turn, ratio, count)| {
            (0..count)
                .map(|k| k as f32 * turn)
                .map(|t| {
                    LaserPoint::lit(radius * t.sin(), radius * (ratio * t).cos(), Colour::WHITE)
                })
                .collect::<Vec<_>>()
        },
    );
    let line = ((-1.0_f32..1.0, -1.0_f32..1.0), (-0.12_f32..0.12, -0.12_f32..0.12), 1_usize..900)
        .prop_map(|(from, step, count)| {
            (0..count)
                .map(|k| (from.0 + step.0 * k as f32, from.1 + step.1 * k as f32))
                .map(|(x, y)| {
                    LaserPoint::lit(x.clamp(-1.0, 1.0), y.clamp(-1.0, 1.0), Colour::WHITE)
                })
                .collect::<Vec<_>>()
        });
    let creep = ((-1.0_f32..1.0, -1.0_f32..1.0), 0.0_f32..0.001, 1_usize..1500).prop_map(
        |(at, step, count)| {
            (0..count)
                .map(|k| LaserPoint::lit((at.0 + step * k as f32).min(1.0), at.1, Colour::WHITE))
                .collect::<Vec<_>>()
        },
    );
    prop_oneof![2 => wild, 2 => curve, 2 => line, 2 => creep]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        8 => Just(Deed::None),
        4 => Just(Deed::Arm),
        1 => Just(Deed::Disarm),
        1 => Just(Deed::Stop),
        2 => Just(Deed::ResetStop),
        2 => (-0.5_f32..1.5).prop_map(Deed::Master),
        1 => Just(Deed::Master(f32::NAN)),
    ]
}

fn show() -> impl Strategy<Value = Vec<Chunk>> {
    let chunk = (deed(), drawing()).prop_map(|(deed, points)| Chunk { deed, points });
    prop::collection::vec(chunk, 1..12).prop_map(|mut chunks| {
        // Most shows begin with light: an unarmed one proves little.
        chunks.insert(0, Chunk { deed: Deed::Arm, points: Vec::new() });
        chunks
    })
}

fn rect() -> impl Strategy<Value = Shape> {
    (-1.0_f32..1.0, -1.0_f32..1.0, 0.05_f32..1.0, 0.05_f32..1.0)
        .prop_map(|(x, y, w, h)| Shape::Rect { low: [x, y], high: [x + w, y + h] })
}

fn triangle() -> impl Strategy<Value = Shape> {
    prop::array::uniform3((-1.0_f32..1.0, -1.0_f32..1.0)).prop_map(|corners| {
        Shape::polygon(&corners.map(|(x, y)| [x, y])).expect("three corners make a polygon")
    })
}

fn zones() -> impl Strategy<Value = Zones> {
    let effect = prop_oneof![
        Just(Effect::Allowed),
        Just(Effect::Blocked),
        (0.0_f32..1.0).prop_map(Effect::Attenuated)
    ];
    let zone = (prop_oneof![rect(), triangle()], effect, 0.0_f32..0.3);
    prop::collection::vec(zone, 0..5).prop_map(|list| {
        let mut zones = Zones::default();
        for (shape, effect, soft_edge) in list {
            zones.add(Zone { shape, effect, soft_edge }).expect("five zones fit");
        }
        zones
    })
}

fn settings() -> impl Strategy<Value = GateSettings> {
    let dwell = (0.002_f32..0.05, 0.001_f32..0.05, any::<bool>());
    (zones(), prop::sample::select(GalvoProfile::ALL.to_vec()), dwell).prop_map(
        |(zones, profile, (still_radius, max_dwell_s, everywhere))| GateSettings {
            zones,
            profile,
            dwell: DwellLimit {
                protected: Some(if everywhere {
                    Shape::FIELD
                } else {
                    Shape::Rect { low: [-1.0, -1.0], high: [1.0, 0.0] }
                }),
                still_radius,
                max_dwell_s,
            },
        },
    )
}

/// Runs a show through the gate in chunks of a size that has nothing to do with its own.
fn run(
    chunks: &[Chunk],
    settings: &GateSettings,
    pps: u32,
    size: usize,
    colour_delay: Duration,
) -> Vec<Sent> {
    let now = HostTime::ZERO;
    let arm = Arm::new();
    let (mut gate, control) = Gate::with_control(arm.clone(), settings);
    if !colour_delay.is_zero() {
        gate.make_room_for_colours(256);
        gate.set_colour_delay(colour_delay);
    }
    let mut sent = Vec::new();
    let mut start = 0;
    let mut since_armed = 0;
    for chunk in chunks {
        let was_armed = arm.is_armed();
        match chunk.deed {
            Deed::None => {}
            Deed::Arm => drop(arm.arm(now)),
            Deed::Disarm => arm.disarm(now, TripReason::Operator),
            Deed::Stop => arm.stop(now, TripReason::Stop),
            Deed::ResetStop => arm.reset_stop(),
            Deed::Master(master) => control.master().set(master),
        }
        if !was_armed && arm.is_armed() {
            since_armed = 0;
        }
        let mut points = chunk.points.clone();
        for part in points.chunks_mut(size) {
            let asked = part.len();
            let passed = gate.pass(now, part, StreamInstant(start), pps);
            assert_eq!(passed.len(), asked, "the number of points never changes");
            assert_eq!(passed.start(), StreamInstant(start));
            start += asked as u64;
            for point in passed.points() {
                sent.push(Sent {
                    point: *point,
                    armed: arm.is_armed(),
                    since_armed,
                    master: control.master().get(),
                });
                since_armed += 1;
            }
        }
    }
    sent
}

fn lit(point: &LaserPoint) -> bool {
    !point.is_blank() || point.i > 0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Design §5, rules 1, 3, 4, 5, 6 and 7, on one stream of random points, deeds, settings and chunk sizes.
    #[test]
    fn every_rule_holds_for_what_a_device_receives(
        chunks in show(),
        settings in settings(),
        pps in prop_oneof![Just(1_000_u32), 8_000_u32..100_000],
        size in 1_usize..700,
        colour_delay_us in prop_oneof![Just(0_u64), Just(127), 0_u64..2_000],
    ) {
        let colour_delay = Duration::from_micros(colour_delay_us);
        let sent = run(&chunks, &settings, pps, size, colour_delay);
        let total: usize = chunks.iter().map(|chunk| chunk.points.len()).sum();
        prop_assert_eq!(sent.len(), total);
        let start_up = (pps as usize).div_ceil(1000);
        let limits = settings.profile.at(pps);
        let mut at = [[0.0_f32; 2]; 2];
        for (k, sent) in sent.iter().enumerate() {
            let point = &sent.point;
            prop_assert!(point.is_in_range(), "{:?}", point);
            if lit(point) {
                prop_assert!(sent.armed, "light while disarmed");
                prop_assert!(sent.since_armed >= start_up, "light {} after arming", sent.since_armed);
                let gain = sent.master * settings.zones.gain([point.x, point.y]);
                prop_assert!(gain > 0.0, "light in a blocked zone at {:?}", point);
                let most = f32::from(u16::MAX) * gain;
                prop_assert!(f32::from(point.peak().max(point.i)) <= most, "{:?} above {}", point, most);
            }
            for axis in 0..2 {
                let now = [point.x, point.y][axis];
                let step = now - at[1][axis];
                let change = step - (at[1][axis] - at[0][axis]);
                prop_assert!(step.abs() <= limits.step + 1e-6, "{} step {}", k, step);
                prop_assert!(change.abs() <= limits.change + 1e-6, "{} change {}", k, change);
            }
            at = [at[1], [point.x, point.y]];
        }
        still_light_is_short(&sent, &settings.dwell, pps)?;
    }

    /// Rule 3 and 6: what the layout makes passes the gate unmoved; nothing is spent on catching up.
    #[test]
    fn what_the_layout_makes_passes_the_gate_unmoved(
        lines in prop::collection::vec(
            prop::array::uniform4(-1.0_f32..1.0), 1..60),
        pps in prop_oneof![8_000_u32..12_000, 8_000_u32..100_000],
    ) {
        let mut figure = Figure::with_capacity(256, 128);
        for [x0, y0, x1, y1] in lines {
            figure.begin();
            figure.vertex(x0, y0, Colour::WHITE);
            figure.vertex(x1, y1, Colour::WHITE);
            figure.end(false, false);
        }
        let arm = Arm::new();
        arm.arm(HostTime::ZERO).expect("no stop is latched");
        let mut gate = Gate::new(arm);
        let mut layout = Layout::new(LayoutSettings::default(), 4000);
        let mut points = PathPoints::with_capacity(4000);
        let mut from = LaserPoint::CENTRE;
        for _ in 0..3 {
            layout.lay(&figure, from, pps, 3000, &mut points);
            let wanted = points.as_slice().to_vec();
            let mut sent = wanted.clone();
            gate.pass(HostTime::ZERO, &mut sent, StreamInstant(0), pps);
            for (sent, wanted) in sent.iter().zip(&wanted) {
                prop_assert_eq!((sent.x, sent.y), (wanted.x, wanted.y));
            }
            from = wanted[wanted.len() - 1];
        }
        prop_assert_eq!(gate.meters().counts().travel, 0);
    }
}

/// No unbroken lit run inside the protected zone stays within the still radius of where it began for longer
/// than the dwell time.
fn still_light_is_short(sent: &[Sent], limit: &DwellLimit, pps: u32) -> Result<(), TestCaseError> {
    let Some(protected) = limit.protected else { return Ok(()) };
    let most = (limit.max_dwell_s * pps as f32).ceil() as usize;
    for first in 0..sent.len() {
        let origin = &sent[first].point;
        let still = sent[first..].iter().take(most + 1).take_while(|sent| {
            let point = &sent.point;
            lit(point)
                && protected.contains([point.x, point.y])
                && (point.x - origin.x).hypot(point.y - origin.y) <= limit.still_radius
        });
        prop_assert!(still.count() <= most, "light stands still from point {}", first);
    }
    Ok(())
}

#[test]
fn light_that_stops_moving_goes_dark_within_the_dwell_time() {
    let (pps, arm) = (30_000, Arm::new());
    arm.arm(HostTime::ZERO).unwrap();
    let mut gate = Gate::new(arm);
    let mut points: Vec<_> = (0..30_000)
        .map(|k| (k.min(3_000) as f32 * 0.03).sin_cos())
        .map(|(y, x)| LaserPoint::lit(0.5 * x, 0.5 * y, Colour::WHITE))
        .collect();
    gate.pass(HostTime::ZERO, &mut points, StreamInstant(0), pps);
    let last_lit = points.iter().rposition(|p| !p.is_blank()).unwrap();
    assert!((3_000..3_600).contains(&last_lit), "{last_lit}");
}

#[test]
fn a_dead_engine_is_dark_within_a_tenth_of_a_second_even_for_queued_points() {
    let arm = Arm::new();
    arm.arm(HostTime::ZERO).unwrap();
    let mut gate = Gate::new(arm.clone());
    let (mut to_device, mut at_device) = queue(6_000, 16, 1_000, arm.clone());
    let mut points: Vec<_> = (0..6_000)
        .map(|k| (k as f32 * 0.03).sin_cos())
        .map(|(y, x)| LaserPoint::lit(0.5 * x, 0.5 * y, Colour::WHITE))
        .collect();
    assert!(to_device.push(&gate.pass(HostTime::ZERO, &mut points, StreamInstant(0), 30_000)));
    let lit_now = |receiver: &mut galvo::safety::SafeReceiver| {
        let lit = receiver.next(1_000).unwrap().points().iter().any(|p| !p.is_blank());
        receiver.commit();
        lit
    };
    assert!(!arm.check_alive(HostTime::ZERO + Duration::from_millis(100)));
    assert!(lit_now(&mut at_device));
    assert!(arm.check_alive(HostTime::ZERO + Duration::from_millis(101)));
    assert!(!lit_now(&mut at_device));
    assert_eq!(arm.next_trip().map(|trip| trip.reason), Some(TripReason::DeadMan));
}

#[test]
fn a_change_of_rate_keeps_speed_and_acceleration_in_time_within_the_profile() {
    let arm = Arm::new();
    arm.arm(HostTime::ZERO).unwrap();
    let mut gate = Gate::new(arm);
    let profile = gate.profile();
    let (mut at, mut speed, mut jump) = ([0.0_f32; 2], [0.0_f32; 2], 0);
    for (round, pps) in [30_000_u32, 12_000, 45_000, 20_000, 30_000].into_iter().enumerate() {
        let mut points: Vec<_> = (0..500)
            .map(|k| if (k / 37 + round) % 2 == 0 { 0.8 } else { -0.7 })
            .map(|x| LaserPoint::lit(x, -0.5 * x, Colour::WHITE))
            .collect();
        gate.pass(HostTime::ZERO, &mut points, StreamInstant(0), pps);
        for point in points {
            for axis in 0..2 {
                let now = [point.x, point.y][axis];
                let new_speed = (now - at[axis]) * pps as f32;
                let acceleration = (new_speed - speed[axis]) * pps as f32;
                assert!(new_speed.abs() <= profile.max_speed * 1.001);
                jump += usize::from(acceleration.abs() > profile.max_acceleration * 1.01);
                at[axis] = now;
                speed[axis] = new_speed;
            }
        }
    }
    assert_eq!(jump, 0);
}

#[test]
fn the_gate_and_the_layout_take_no_memory() {
    let arm = Arm::new();
    arm.arm(HostTime::ZERO).unwrap();
    let (mut gate, mut control) = Gate::with_control(arm, &GateSettings::default());
    let mut figure = Figure::with_capacity(600, 200);
    for k in 0..120 {
        let (y, x) = (k as f32 * 2.4).sin_cos();
        figure.begin();
        figure.vertex(0.3 * x, 0.2 * y, Colour::WHITE);
        figure.vertex(-0.9 * y, 0.9 * x, Colour::WHITE);
        figure.end(k % 3 == 0, k % 2 == 0);
    }
    let mut layout = Layout::new(LayoutSettings::default(), 4000);
    let mut points = PathPoints::with_capacity(4000);
    let mut sent = vec![LaserPoint::CENTRE; 4000];
    let ((), touched) = no_alloc::watch(|| {
        for budget in [300, 900, 4000, 1] {
            layout.lay(&figure, LaserPoint::CENTRE, 30_000, budget, &mut points);
            let sent = &mut sent[..points.len()];
            sent.copy_from_slice(points.as_slice());
            control.master().set(0.7);
            control.send(&GateSettings::default());
            gate.pass(HostTime::ZERO, sent, StreamInstant(0), 30_000);
        }
    });
    assert_eq!(touched, 0);
}
