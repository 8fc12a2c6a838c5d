//! The rules, on what the virtual mirrors showed.

use std::collections::HashMap;
use std::time::Duration;

use galvo::point::LaserPoint;
use galvo::safety::{Arm, DwellLimit, GateSettings, Zones};
use galvo::time::HostTime;
use proptest::prelude::*;

use super::projectors::{Kind, Light, Model};
use super::show::{Held, Show};
use super::{LOOK, MS, T0};

/// Points made under older settings are on their way for at most so long.
const ON_THE_WAY: Duration = Duration::from_millis(400);

/// What held during `from..=to`, oldest first.
fn held_in(held: &[Held], from: HostTime, to: HostTime) -> &[Held] {
    let first = held.partition_point(|one| one.from <= from).saturating_sub(1);
    let end = held.partition_point(|one| one.from <= to);
    &held[first..end]
}

pub(super) fn judge(show: &Show, settings: &GateSettings) -> Result<(), TestCaseError> {
    let profile = settings.profile;
    let kind = show.kind;
    let step_of = |light: &Light, next: &Light| next.at.secs_since(light.at);
    let shown = &show.shown;
    let estops = show.all_estops();
    let mut begun: HashMap<u32, usize> = HashMap::new();
    for (k, light) in shown.iter().enumerate() {
        let point = light.point;
        let since = light.at.nanos_since(T0);
        // Rule 3.
        prop_assert!(point.is_in_range(), "{:?}", light);
        // A point stays until the next one of its run.
        let next = shown.get(k + 1).filter(|next| next.run == light.run);
        let place = begun.entry(light.run).or_insert(0);
        let since_begin = *place;
        *place += 1;

        if light.is_lit() {
            // Rules 1, 2 and 8: what was on its way when light was taken away never shines for longer than the
            // device thread needs to look and to tell the device.
            let alone = kind.plays_on_alone();
            let cut =
                |(from, to): &(HostTime, HostTime)| light.at > *from && light.at <= *to + alone;
            let alone = if show.cuts.iter().any(cut) { alone } else { Duration::ZERO };
            // Nor can a host that stands still: the device shows what it holds.
            let (mut hung, mut until) = (Duration::ZERO, light.at);
            for (from, to) in show.hangs.iter().rev() {
                if until > *from && until <= *to + kind.way_there() + MS * 3 {
                    hung += to.since(*from);
                    // One that ends where another begins leaves it no time either.
                    until = *from;
                }
            }
            let grace = alone + hung + LOOK + kind.way_there() + MS;
            let held = held_in(&show.held, light.at - grace, light.at);
            prop_assert!(held.iter().any(|one| one.armed), "light while disarmed at {} ns", since);
            let ticks = show.ticks.partition_point(|tick| *tick <= light.at);
            let silent = light.at.since(show.ticks[ticks.max(1) - 1]);
            prop_assert!(silent <= Arm::DEAD_MAN + grace, "light {:?} after the last tick", silent);
            for &(pressed, over) in &estops {
                let seen = pressed + kind.shines_in_estop() + grace;
                let dark = light.at > seen && over.is_none_or(|over| light.at < over);
                prop_assert!(!dark, "light at {} ns in emergency stop", since);
            }

            // Rules 4 and 7, under any settings that points on their way may have been made with.
            let held = held_in(&show.held, light.at - ON_THE_WAY, light.at);
            let master = held.iter().map(|one| one.master).fold(0.0, f32::max);
            // The gate looks along the way every 0.01; what lies between two points is no nearer.
            let near = if kind.is_resampled() { 0.01 } else { kind.place_step() as f32 * 1.3 };
            let gain =
                held.iter().map(|one| nearby_gain(&one.zones, point, near)).fold(0.0, f32::max);
            prop_assert!(gain > 0.0, "light in a blocked zone: {:?}", light);
            // The rounding of the wire may step off the ridge of a soft edge.
            let most = 65_535.0 * master * gain + kind.drive_rounding();
            let drive = f32::from(point.peak().max(point.i));
            prop_assert!(drive <= most, "{} above {} at {:?}", drive, most, light);

            // Rule 7: every run of the mirrors begins dark, until they have settled.
            let first = shown[k - since_begin].at;
            let settled = profile.full_swing_s().max(0.001);
            let dark = light.at.secs_since(first) + 2e-5;
            prop_assert!(
                dark >= f64::from(settled) * 0.99 / kind.hurry() || begins_unknown(show, first),
                "light {} s after a start at {} ns",
                dark,
                since
            );
        }

        // Rule 6, in time: the step to this point is made while it is shown.
        if since_begin >= 2
            && let Some(next) = next
            && !kind.has_holes()
        {
            let (before, last) = (&shown[k - 2], &shown[k - 1]);
            let (new_s, old_s) = (step_of(light, next), step_of(last, light));
            let rounding = kind.place_step();
            // The end of the last IDN packet is filled up with its last point, and a LaserCube's light is led in by points that
            // stand where it begins, both dark: the mirrors are told to hold.
            let holds = |a: &Light, b: &Light| {
                kind.holds_in_the_dark()
                    && !b.is_lit()
                    && (a.point.x, a.point.y) == (b.point.x, b.point.y)
            };
            let held = holds(last, light) || holds(before, last);
            for axis in 0..2 {
                let at = |light: &Light| f64::from([light.point.x, light.point.y][axis]);
                let step = at(light) - at(last);
                let kept = (at(last) - at(before)) * new_s / old_s;
                let most = f64::from(profile.max_speed) * new_s * kind.hurry() + 2.3 * rounding;
                prop_assert!(step.abs() <= most, "step {} above {} at {:?}", step, most, light);
                if kind.is_resampled() || held || is_between_rates(show, light.at) {
                    continue;
                }
                let change = f64::from(profile.max_acceleration)
                    * new_s
                    * new_s
                    * 1.01
                    * kind.hurry().powi(2)
                    + 4.6 * rounding * (1.0 + new_s / old_s)
                    // A device that hurries changes its speed at once.
                    + (kind.hurry() - 1.002) * kept.abs();
                prop_assert!(
                    (step - kept).abs() <= change,
                    "change {} above {} at {:?} after {:?} {:?}",
                    step - kept,
                    change,
                    light,
                    last,
                    before
                );
            }
        }
    }
    still_light_is_short(show, &settings.dwell)?;

    // Rule 9.
    prop_assert_eq!(show.untold, 0, "light was taken away without a word");
    prop_assert_eq!(show.armed_in_estop, 0, "armed in emergency stop");
    for &(at, reason) in &show.expected {
        let told = show.trips.iter().any(|trip| trip.at == at && trip.reason == reason);
        prop_assert!(told, "{:?} at {} is not in {:?}", reason, at, show.trips);
    }
    Ok(())
}

/// A run that begins because datagrams were lost, which only the device knows: a hole, or a cable that was out for less
/// than the silence that tells.
fn begins_unknown(show: &Show, begins: HostTime) -> bool {
    let Kind { model, .. } = show.kind;
    let in_cut = |(from, to): &(HostTime, HostTime)| {
        begins >= *from && begins <= *to + MS * 50 && to.since(*from) <= MS * 400
    };
    show.kind.has_holes() || model == Model::Idn && show.cuts.iter().any(in_cut)
}

/// True while points of two rates may be on their way to a device whose rate does not ride with its points.
fn is_between_rates(show: &Show, at: HostTime) -> bool {
    let near = |change: &HostTime| at >= *change && at <= *change + ON_THE_WAY;
    !show.kind.rate_rides_exactly() && show.rate_changes.iter().any(near)
}

/// The highest zone gain within the rounding of the wire.
fn nearby_gain(zones: &Zones, point: LaserPoint, step: f32) -> f32 {
    // As fine as the ridge of a narrow soft zone wants: corners alone step over it.
    let near = [-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0];
    near.iter()
        .flat_map(|x| near.iter().map(move |y| [point.x + step * x, point.y + step * y]))
        .map(|at| zones.gain(at))
        .fold(0.0, f32::max)
}

/// Rule 5: no unbroken lit run stays near where it began for longer than the dwell time.
fn still_light_is_short(show: &Show, limit: &DwellLimit) -> Result<(), TestCaseError> {
    let Some(protected) = limit.protected else { return Ok(()) };
    let shown = &show.shown;
    let mut first = 0;
    while first < shown.len() {
        let origin = &shown[first];
        let still = |light: &&Light| {
            let point = light.point;
            let away = (point.x - origin.point.x).hypot(point.y - origin.point.y);
            light.is_lit()
                && light.run == origin.run
                && protected.contains([point.x, point.y])
                && away <= limit.still_radius
        };
        let last = shown[first..].iter().take_while(still).last();
        if let Some(last) = last
            && !is_between_rates(show, origin.at)
        {
            let stood = last.at.secs_since(origin.at);
            prop_assert!(stood <= f64::from(limit.max_dwell_s), "still for {} s", stood);
        }
        // Each quarter of the still radius is enough to look at; every point would be quadratic.
        first += 7;
    }
    Ok(())
}
