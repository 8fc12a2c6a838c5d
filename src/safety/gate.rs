//! The gate: the last look at every point.
//!
//! Each point passes these stages, in this order, in place and one for one:
//!
//! 1. *Number*: a position that is no number or out of the field is replaced by the last good one, dark.
//! 2. *Mirrors*: the position pursues the wanted one within the galvo profile; dark until caught up.
//! 3. *Zones*: judged where the beam will be, so after the mirrors, and along the way from the last point.
//! 4. *Switch*: dark while disarmed, and for the first millisecond after arming.
//! 5. *Dwell*: dark where light has stood still too long.
//! 6. *Colour delay*: colours wait for their mirrors. Each was judged at the position it was made for. Where it comes
//!    out, switch and dwell are looked at once more, and every zone between that position and the present one.
//! 7. *Brightness*: at most the master times the zone's gain.
//!
//! Whole chunks are then metered, and watched for flashes.

use std::time::Duration;

use super::arm::Arm;
use super::chunk::SafeChunk;
use super::colour_line::ColourLine;
use super::dwell::DwellGuard;
use super::flash::FlashWatch;
use super::limits::Follower;
use super::meters::{Counts, Meters};
use super::settings::{GateControl, GateSettings, MasterFader};
use crate::path::GalvoProfile;
use crate::point::LaserPoint;
use crate::realtime::{LatestReader, latest};
use crate::time::{HostTime, StreamInstant};

/// Every light begins with this much darkness, seconds.
const START_UP_S: f32 = 0.001;

/// Passes, dims, moves or blanks points in place; the one builder of [`SafeChunk`]s.
///
/// [`pass`](Self::pass) takes no memory, no lock and no clock. Mirrors are taken to rest in the centre at
/// first.
#[derive(Debug)]
pub struct Gate {
    arm: Arm,
    master: MasterFader,
    settings: GateSettings,
    received: LatestReader<GateSettings>,
    meters: Meters,
    follower: Follower,
    dwell: DwellGuard,
    /// The same for colours that wait, at the positions they were made for.
    dwell_made: DwellGuard,
    flash: FlashWatch,
    colours: ColourLine,
    wanted: [f32; 2],
    generation: u64,
    dark_s: f32,
}

impl Gate {
    /// A gate on one projector's switch: master 20 %, the whole field, 30 kpps mirrors, all of the field
    /// protected against standing light.
    #[must_use]
    pub fn new(arm: Arm) -> Self {
        Self::with_control(arm, &GateSettings::default()).0
    }

    /// A gate with `settings`, and the operator's side of it.
    #[must_use]
    pub fn with_control(arm: Arm, settings: &GateSettings) -> (Self, GateControl) {
        let (sent, received) = latest(*settings);
        let gate = Self {
            arm,
            master: MasterFader::default(),
            settings: *settings,
            received,
            meters: Meters::default(),
            follower: Follower::new(settings.profile),
            dwell: DwellGuard::default(),
            dwell_made: DwellGuard::default(),
            flash: FlashWatch::default(),
            colours: ColourLine::default(),
            wanted: [0.0; 2],
            generation: 0,
            dark_s: START_UP_S,
        };
        let control = GateControl::new(settings, sent, gate.fader(), gate.meters());
        (gate, control)
    }

    /// Brightness of all light, 0..=1; see [`MasterFader::set`].
    pub fn set_master(&mut self, master: f32) {
        self.master.set(master);
    }

    /// The fader of the master, to move it from elsewhere.
    #[must_use]
    pub fn fader(&self) -> MasterFader {
        self.master.clone()
    }

    /// Puts the gate on a fader that is shared, so that one movement dims every projector.
    pub fn follow_fader(&mut self, fader: MasterFader) {
        self.master = fader;
    }

    /// The meters, to read them elsewhere.
    #[must_use]
    pub fn meters(&self) -> Meters {
        self.meters.clone()
    }

    /// The settings, for the gate's owner; they act with the next chunk.
    pub fn settings_mut(&mut self) -> &mut GateSettings {
        self.colours.zones_change();
        &mut self.settings
    }

    /// Takes the memory for colours that wait for up to `max_points` points. Without it none wait.
    pub fn make_room_for_colours(&mut self, max_points: usize) {
        self.colours = ColourLine::with_capacity(max_points);
    }

    /// How much later colours come than the positions they were made for, because mirrors are slower than diodes. It
    /// acts with the next chunk, at every rate, as far as there is room.
    pub const fn set_colour_delay(&mut self, delay: Duration) {
        self.colours.set_delay(delay);
    }

    /// Points by which the colours of the last chunk came later.
    #[must_use]
    pub const fn colour_delay_points(&self) -> usize {
        self.colours.delay_points()
    }

    /// Forgets the colours that wait: dark until new ones are due.
    pub fn forget_colours(&mut self) {
        self.colours.clear();
    }

    /// What the mirrors are taken to bear.
    #[must_use]
    pub const fn profile(&self) -> GalvoProfile {
        self.settings.profile
    }

    /// Judges `points`, which follow what was passed before without a gap and will be shown at `pps`. Their
    /// number never changes.
    pub fn pass<'a>(
        &mut self,
        _now: HostTime,
        points: &'a mut [LaserPoint],
        start: StreamInstant,
        pps: u32,
    ) -> SafeChunk<'a> {
        let pps = pps.max(1);
        let generation = self.arm.generation();
        let armed = self.arm.allows(generation);
        if generation != self.generation {
            self.generation = generation;
            self.dark_s = START_UP_S;
        }
        if let Some(settings) = self.received.read_new() {
            if settings.zones != self.settings.zones {
                self.colours.zones_change();
            }
            self.settings = *settings;
        }
        self.follower.set(self.settings.profile, pps);
        self.dwell.set(&self.settings.dwell, pps);
        self.dwell_made.set(&self.settings.dwell, pps);
        self.colours.set_rate(pps);
        let (counts, peak) = if self.colours.has_room() {
            self.judge::<true>(points, armed, pps)
        } else {
            self.judge::<false>(points, armed, pps)
        };
        let flash_warnings = self.flash.look(points, pps);
        self.meters.add(&Counts { flash_warnings, ..counts }, peak);
        let settle_s = self.settings.profile.full_swing_s().max(START_UP_S);
        let settle_points = (settle_s * pps as f32).ceil() as u32;
        SafeChunk::new(points, start, pps, generation, settle_points)
    }

    /// `WAIT`: whether colours may have to wait; what never does is not slowed by it.
    fn judge<const WAIT: bool>(
        &mut self,
        points: &mut [LaserPoint],
        armed: bool,
        pps: u32,
    ) -> (Counts, u16) {
        let mut counts = Counts { points: points.len() as u64, ..Counts::default() };
        let mut highest = 0;
        let point_s = 1.0 / pps as f32;
        let open = self.settings.zones.is_open();
        let master = self.master.get();
        let master_gain = fixed(master);
        // In locals, the state of the loop can stay in registers.
        let settings = &self.settings;
        let (mut follower, mut dwell, mut dwell_made) =
            (self.follower, self.dwell, self.dwell_made);
        let (mut wanted, mut dark_s) = (self.wanted, self.dark_s);
        let colours = &mut self.colours;
        for point in points {
            let mut lit = !point.is_blank();
            if point.is_in_range() {
                wanted = [point.x, point.y];
            } else {
                counts.bad_position += u64::from(lit);
                lit = false;
            }

            let from = follower.position();
            let arrived = follower.follow(wanted);
            let at = follower.position();
            if lit && !arrived {
                counts.travel += 1;
                lit = false;
            }

            let mut zone = 1.0;
            if (lit || WAIT) && !open {
                zone = settings.zones.gain_along(from, at);
                if lit && zone <= 0.0 {
                    counts.zone += 1;
                    lit = false;
                }
            }

            let mut may_shine = armed;
            if !armed {
                counts.disarmed += u64::from(lit);
                lit = false;
            } else if dark_s > 0.0 {
                dark_s -= point_s;
                counts.start_up += u64::from(lit);
                lit = false;
                may_shine = false;
            }

            let mut kept = LaserPoint { x: at[0], y: at[1], ..*point };
            if WAIT {
                if !dwell_made.allows(at, lit, &settings.dwell) && lit {
                    counts.dwell += 1;
                    lit = false;
                }
                let own = if lit { kept } else { kept.blanked() };
                (kept, zone) = colours.pass(own, zone);
                lit = may_shine && !kept.is_blank();
                if lit && zone <= 0.0 {
                    counts.zone += 1;
                    lit = false;
                }
            }
            if !dwell.allows(at, lit, &settings.dwell) && lit {
                counts.dwell += 1;
                lit = false;
            }

            // The gain of an open field is exact.
            let gain = if open && zone >= 1.0 { master_gain } else { fixed(master * zone) };
            *point = if lit { dimmed(kept, gain) } else { kept.blanked() };
            let peak = point.peak();
            counts.lit += u64::from(peak > 0);
            highest = highest.max(peak);
        }
        (self.follower, self.dwell, self.dwell_made) = (follower, dwell, dwell_made);
        (self.wanted, self.dark_s) = (wanted, dark_s);
        (counts, highest)
    }
}

/// A gain of 0..=1 with 32 fractional bits: exact, so that cutting off rounds down.
#[inline]
fn fixed(gain: f32) -> u64 {
    (f64::from(gain) * 4_294_967_296.0) as u64
}

/// All drives times a [`fixed`] gain, rounded down so that a gain never adds light; no intensity without a
/// colour.
#[inline]
fn dimmed(point: LaserPoint, gain: u64) -> LaserPoint {
    let dim = |drive: u16| ((u64::from(drive) * gain) >> 32) as u16;
    let [r, g, b] = [dim(point.r), dim(point.g), dim(point.b)];
    let i = if r | g | b == 0 { 0 } else { dim(point.i) };
    LaserPoint { r, g, b, i, ..point }
}

#[cfg(test)]
mod tests {
    use super::super::arm::TripReason;
    use super::super::zones::{Effect, Shape, Zone};
    use super::*;
    use crate::point::Colour;

    const PPS: u32 = 30_000;

    fn circle(count: usize) -> Vec<LaserPoint> {
        (0..count)
            .map(|k| (k as f32 / 300.0 * std::f32::consts::TAU).sin_cos())
            .map(|(y, x)| LaserPoint::lit(0.5 * x, 0.5 * y, Colour::WHITE))
            .collect()
    }

    fn armed() -> (Arm, Gate) {
        let arm = Arm::new();
        arm.arm(HostTime::ZERO).unwrap();
        let gate = Gate::new(arm.clone());
        (arm, gate)
    }

    fn pass(gate: &mut Gate, points: &mut [LaserPoint]) -> Vec<LaserPoint> {
        gate.pass(HostTime::ZERO, points, StreamInstant(0), PPS).points().to_vec()
    }

    /// LR-14: disarmed, all colours are 0 and positions are kept.
    #[test]
    fn a_disarmed_gate_blanks_in_place_and_keeps_positions() {
        let mut gate = Gate::new(Arm::new());
        let mut points = circle(900);
        let wanted = points.clone();
        let sent = pass(&mut gate, &mut points);
        assert_eq!(sent.len(), wanted.len());
        for (sent, wanted) in sent.iter().zip(&wanted).skip(60) {
            assert_eq!(*sent, wanted.blanked());
        }
        assert!(sent.iter().all(LaserPoint::is_blank));
        assert!(gate.meters().counts().disarmed > 800);
    }

    #[test]
    fn light_begins_a_millisecond_after_each_arming() {
        let (arm, mut gate) = armed();
        for _ in 0..3 {
            let sent = pass(&mut gate, &mut circle(600));
            assert!(sent[..30].iter().all(LaserPoint::is_blank));
            assert!(sent[100..].iter().all(|p| !p.is_blank()));
            arm.disarm(HostTime::ZERO, TripReason::Operator);
            assert!(pass(&mut gate, &mut circle(600)).iter().all(LaserPoint::is_blank));
            arm.arm(HostTime::ZERO).unwrap();
        }
    }

    #[test]
    fn the_default_master_is_a_fifth_and_a_movement_acts_with_the_next_chunk() {
        let (_arm, mut gate) = armed();
        let fader = gate.fader();
        let sent = pass(&mut gate, &mut circle(600));
        assert_eq!(sent[599].r, 13_107);
        assert_eq!(gate.meters().take_peak(), 13_107);
        fader.set(1.0);
        assert_eq!(pass(&mut gate, &mut circle(600))[599].r, 65_535);
        gate.set_master(0.0);
        assert!(pass(&mut gate, &mut circle(600)).iter().all(|p| p.is_blank() && p.i == 0));
    }

    #[test]
    fn a_position_that_is_no_number_is_dark_at_the_last_good_one() {
        let (_arm, mut gate) = armed();
        let mut points = circle(600);
        points[400].x = f32::NAN;
        points[401].y = 1.001;
        let sent = pass(&mut gate, &mut points);
        assert!(sent[400].is_blank() && sent[401].is_blank());
        assert!(sent.iter().all(LaserPoint::is_in_range));
        assert!((sent[401].x - sent[399].x).abs() < 0.03);
        assert_eq!(gate.meters().counts().bad_position, 2);
    }

    #[test]
    fn settings_sent_from_elsewhere_act_with_the_next_chunk() {
        let arm = Arm::new();
        arm.arm(HostTime::ZERO).unwrap();
        let (mut gate, mut control) = Gate::with_control(arm, &GateSettings::default());
        assert!(pass(&mut gate, &mut circle(600))[300..].iter().all(|p| !p.is_blank()));
        let mut settings = *control.settings();
        let upper = Shape::Rect { low: [-1.0, 0.0], high: [1.0, 1.0] };
        let zone = Zone { shape: upper, effect: Effect::Allowed, soft_edge: 0.0 };
        settings.zones.add(zone).unwrap();
        control.send(&settings);
        let sent = pass(&mut gate, &mut circle(600));
        assert!(sent.iter().all(|p| p.is_blank() || p.y > 0.0));
        assert!(sent.iter().any(|p| !p.is_blank()));
        assert!(control.meters().counts().zone > 200);
    }

    /// A gate whose colours wait for `points` points.
    fn waiting(points: u64) -> (Arm, Gate) {
        let (arm, mut gate) = armed();
        gate.make_room_for_colours(64);
        gate.set_colour_delay(wait(points));
        gate.set_master(1.0);
        (arm, gate)
    }

    fn wait(points: u64) -> Duration {
        Duration::from_nanos(points * 1_000_000_000 / u64::from(PPS))
    }

    #[test]
    fn colours_wait_and_the_delay_is_a_time_at_every_rate() {
        for (pps, points) in [(30_000, 4), (15_000, 2), (60_000, 8)] {
            let (_arm, mut gate) = waiting(4);
            let now = HostTime::ZERO;
            gate.pass(now, &mut circle(1200), StreamInstant(0), pps);
            let mut marked = circle(600);
            marked[100].r = 7;
            let sent = gate.pass(now, &mut marked, StreamInstant(0), pps).points().to_vec();
            assert_eq!(sent[100 + points].r, 7);
            assert_eq!((sent[100].x, sent[100].r), (circle(600)[100].x, 65_535));
            assert_eq!(gate.colour_delay_points(), points);
        }
    }

    #[test]
    fn another_colour_delay_acts_at_once_and_no_point_of_a_steady_light_goes_dark_or_bright() {
        let (_arm, mut gate) = waiting(0);
        pass(&mut gate, &mut circle(600));
        for points in [4, 2, 30, 0, 7] {
            gate.set_colour_delay(wait(points));
            assert_eq!(pass(&mut gate, &mut circle(600)), circle(600), "{points}");
            assert_eq!(gate.colour_delay_points() as u64, points);
        }
        let counts = gate.meters().counts();
        assert_eq!(counts.lit + counts.start_up + counts.travel, counts.points);
    }

    /// Where the beam is if the delay is right, where it is if mirrors had no lag, and all the way between.
    #[test]
    fn light_that_waits_is_judged_by_every_zone_between_its_own_position_and_the_present_one() {
        let (_arm, mut gate) = waiting(4);
        let right = Shape::Rect { low: [0.0, -1.0], high: [1.0, 1.0] };
        let zone = Zone { shape: right, effect: Effect::Blocked, soft_edge: 0.0 };
        gate.settings_mut().zones.add(zone).unwrap();
        pass(&mut gate, &mut circle(900));
        let sent = pass(&mut gate, &mut circle(900));
        let is_right = |k: usize| sent[k].x >= 0.0;
        for (k, point) in sent.iter().enumerate().skip(4) {
            let near_it = (k - 4..=k).any(is_right);
            assert!(point.is_blank() || !near_it, "{k}: {point:?}");
        }
        // A turn is 300 points, half of them in the zone; the beam is out of it 4 points later, not 8.
        let lit = sent.iter().filter(|point| !point.is_blank()).count();
        assert!((3 * (150 - 4 - 4)..=3 * (150 - 4)).contains(&lit), "{lit}");
    }

    #[test]
    fn colours_that_wait_go_dark_with_the_switch_and_are_forgotten_on_demand() {
        let (arm, mut gate) = waiting(20);
        pass(&mut gate, &mut circle(600));
        arm.disarm(HostTime::ZERO, TripReason::Operator);
        assert!(pass(&mut gate, &mut circle(600)).iter().all(|p| p.is_blank() && p.i == 0));
        arm.arm(HostTime::ZERO).unwrap();
        let sent = pass(&mut gate, &mut circle(600));
        assert!(sent[..30].iter().all(LaserPoint::is_blank), "a millisecond, as without a delay");
        gate.forget_colours();
        let sent = pass(&mut gate, &mut circle(600));
        assert!(sent[..20].iter().all(LaserPoint::is_blank) && !sent[20].is_blank());
    }

    #[test]
    fn a_standing_beam_goes_dark_within_the_dwell_time_though_its_colours_wait() {
        for points in [0, 4, 60] {
            let (_arm, mut gate) = waiting(points);
            let mut beam = vec![LaserPoint::lit(0.0, 0.0, Colour::WHITE); 3000];
            let lit = pass(&mut gate, &mut beam).iter().filter(|p| !p.is_blank()).count();
            assert!((200..=300).contains(&lit), "{lit}");
        }
    }

    #[test]
    fn what_is_within_every_limit_passes_unmoved() {
        let (_arm, mut gate) = armed();
        gate.set_master(1.0);
        pass(&mut gate, &mut circle(600));
        assert_eq!(pass(&mut gate, &mut circle(600)), circle(600));
    }

    #[test]
    fn an_intensity_without_a_colour_is_no_light() {
        let (_arm, mut gate) = armed();
        let mut points = circle(600);
        for point in &mut points {
            (point.r, point.g, point.b) = (0, 0, 0);
        }
        assert!(pass(&mut gate, &mut points).iter().all(|p| p.i == 0));
    }
}
