//! The edge of the field: no axis comes there with speed left that it cannot lose, whatever happens on the way to the
//! rate, the mirrors, the goal.

use galvo::path::{GalvoProfile, Layout, LayoutSettings, PathPoints};
use galvo::pattern::Figure;
use galvo::point::{Colour, LaserPoint};
use galvo::safety::limits::{CAUGHT_UP, Follower};
use galvo::safety::{Arm, Gate, GateSettings};
use galvo::time::{HostTime, StreamInstant};
use proptest::prelude::*;

/// Rounding of positions, half-fields; as in the rules of `safety.rs`.
const ROUNDING: f64 = 1e-6;

/// The motion of what was sent so far: where it is, and its speed in half-fields a second.
#[derive(Clone, Copy, Debug, Default)]
struct Motion {
    at: [f64; 2],
    speed: [f64; 2],
}

/// What one point asks of the mirrors: its greatest step, and the greatest change of it.
#[derive(Clone, Copy, Debug)]
struct Asked {
    step: f64,
    change: f64,
}

impl Motion {
    fn goes_to(&mut self, [x, y]: [f32; 2], pps: u32) -> Asked {
        let mut asked = Asked { step: 0.0, change: 0.0 };
        for (axis, now) in [x, y].into_iter().enumerate() {
            let step = f64::from(now) - self.at[axis];
            let kept = self.speed[axis] / f64::from(pps);
            asked.step = asked.step.max(step.abs());
            asked.change = asked.change.max((step - kept).abs());
            self.at[axis] = f64::from(now);
            self.speed[axis] = step * f64::from(pps);
        }
        asked
    }
}

impl Asked {
    /// As a part of what these mirrors bear at this rate.
    fn of(self, profile: GalvoProfile, pps: u32) -> f64 {
        let limits = profile.at(pps);
        let part = |asked: f64, most: f32| (asked - ROUNDING) / f64::from(most);
        part(self.step, limits.step).max(part(self.change, limits.change))
    }
}

/// What happens at one point of a travel.
#[derive(Clone, Copy, Debug)]
struct Turn {
    profile: GalvoProfile,
    pps: u32,
    goal: [f32; 2],
}

/// A table of travels.
struct Table<'a> {
    profiles: &'a [GalvoProfile],
    rates: &'a [u32],
    starts: &'a [[f32; 2]],
    goals: &'a [[f32; 2]],
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    travels: u64,
    points: u64,
    /// Travels with a step or a change of step beyond the limits.
    broken: u64,
    /// Travels that are lit before the last step that the present profile does not bear.
    broken_lit: u64,
    /// Travels that are lit further from the goal than [`CAUGHT_UP`].
    lit_far: u64,
    /// Travels that have not come to rest on their goal.
    lost: u64,
    /// The greatest part of a limit that was asked for.
    worst: f64,
    /// Travels with a step that only the profile before bears.
    beyond: u64,
    /// Of these, longer than the new mirrors need to stop from the greatest speed of the old ones.
    late: u64,
}

impl Table<'_> {
    /// Runs every travel of the table, and at each of its points each turn of `turns`.
    fn count(&self, turns: impl Fn(Turn) -> Vec<Turn>) -> Counted {
        let mut counted = Counted::default();
        for &profile in self.profiles {
            for &pps in self.rates {
                for &start in self.starts {
                    for &goal in self.goals {
                        let before = Turn { profile, pps, goal };
                        let mut follower = Follower::new(profile);
                        follower.set(profile, pps);
                        let mut motion = Motion::default();
                        for _ in 0..200 {
                            follower.follow(start);
                            motion.goes_to(follower.position(), pps);
                        }
                        assert_eq!((follower.position(), motion.speed), (start, [0.0; 2]));
                        let turns = turns(before);
                        for _ in 0..300 {
                            for after in &turns {
                                counted.travels += 1;
                                counted.runs_on(follower, motion, before, *after);
                            }
                            follower.follow(goal);
                            motion.goes_to(follower.position(), pps);
                            if follower.position() == goal && motion.speed == [0.0; 2] {
                                break;
                            }
                        }
                    }
                }
            }
        }
        counted
    }
}

impl Counted {
    /// From here on with other mirrors, another rate, another goal.
    fn runs_on(&mut self, mut follower: Follower, mut motion: Motion, before: Turn, after: Turn) {
        let (mut broken, mut lit_far) = (false, false);
        let (mut first_lit, mut last_beyond) = (usize::MAX, None);
        follower.set(after.profile, after.pps);
        for k in 0..600 {
            let lit = follower.follow(after.goal);
            let at = follower.position();
            let asked = motion.goes_to(at, after.pps);
            self.points += 1;
            let mut part = asked.of(after.profile, after.pps);
            if part > 1.0001 {
                // What a lower profile does not bear may be left from the one before.
                last_beyond = Some(k);
                part = part.min(asked.of(before.profile, after.pps));
            }
            self.worst = self.worst.max(part);
            broken |= part > 1.0001;
            if lit {
                first_lit = first_lit.min(k);
            }
            let away = |axis: usize| (at[axis] - after.goal[axis]).abs();
            lit_far |= lit && away(0).max(away(1)) > CAUGHT_UP;
            if at == after.goal && motion.speed == [0.0; 2] {
                break;
            }
        }
        let to_rest = before.profile.max_speed / after.profile.max_acceleration;
        let beyond = last_beyond.map_or(0, |k| k + 1);
        self.broken += u64::from(broken);
        self.late += u64::from(beyond as f32 > to_rest * after.pps as f32 + 1.0);
        self.beyond += u64::from(beyond > 0);
        self.broken_lit += u64::from(first_lit < beyond);
        self.lit_far += u64::from(lit_far);
        self.lost += u64::from(follower.position() != after.goal);
    }

    fn assert_clean(&self) {
        let found = [self.broken, self.broken_lit, self.lit_far, self.lost, self.late];
        assert_eq!(found, [0; 5], "{self:?}");
    }
}

const RATES: [u32; 9] = [1_000, 8_000, 10_000, 12_000, 20_000, 30_000, 45_000, 60_000, 100_000];
const STARTS: [[f32; 2]; 3] = [[0.0, 0.0], [-1.0, -1.0], [0.93, -0.4]];
/// At the edge, near it, not near.
const GOALS: [[f32; 2]; 8] = [
    [1.0, 1.0],
    [1.0, -0.3],
    [0.999_9, -0.999],
    [-0.997, 0.9],
    [0.99, -1.0],
    [-1.0, 0.97],
    [0.95, 0.95],
    [0.3, -0.6],
];

const TABLE: Table<'_> =
    Table { profiles: &GalvoProfile::ALL, rates: &RATES, starts: &STARTS, goals: &GOALS };

/// Each further rate, from a table of them.
fn other_rates(rates: &[u32], before: Turn) -> Vec<Turn> {
    rates.iter().filter(|pps| **pps != before.pps).map(|pps| Turn { pps: *pps, ..before }).collect()
}

#[test]
fn no_change_of_rate_at_any_point_of_a_travel_breaks_a_limit() {
    let counted = TABLE.count(|before| other_rates(&RATES, before));
    println!("{counted:?}");
    assert!(counted.travels > 130_000 && counted.beyond == 0, "{counted:?}");
    counted.assert_clean();
}

/// As when a projector is hung the other way round while it shows: the goal jumps, and the rate with it.
#[test]
fn no_change_of_rate_and_goal_at_any_point_of_a_travel_breaks_a_limit() {
    let table = Table { rates: &[8_000, 12_000, 30_000, 60_000, 100_000], ..TABLE };
    let counted = table.count(|before| {
        let [x, y] = before.goal;
        let goals = [[-x, y], [y, x], [1.0, y], [x * 0.98, -1.0]];
        let turn = |pps| goals.map(|goal| Turn { pps, goal, ..before });
        [8_000, 30_000, 100_000].into_iter().flat_map(turn).collect()
    });
    println!("{counted:?}");
    assert!(counted.travels > 100_000, "{counted:?}");
    counted.assert_clean();
}

/// What asks for more than a lower profile gives is within the one before it, dark, and soon over.
#[test]
fn no_change_of_profile_at_any_point_of_a_travel_breaks_a_limit_of_both() {
    let table = Table { rates: &[8_000, 12_000, 30_000, 60_000, 100_000], ..TABLE };
    let counted = table.count(|before| {
        let turn = |profile| [before.pps, 30_000].map(|pps| Turn { profile, pps, ..before });
        GalvoProfile::ALL.into_iter().flat_map(turn).collect()
    });
    println!("{counted:?}");
    assert!(counted.travels > 90_000 && counted.beyond > 1_000, "{counted:?}");
    counted.assert_clean();
}

/// Goals that run along at any speed, jump, and stop at the edge; a new rate at any point.
#[test]
fn no_change_of_rate_breaks_a_limit_while_the_goal_moves() {
    let counted = moving_goals(3_000);
    println!("{counted:?}");
    counted.assert_clean();
}

fn moving_goals(runs: u64) -> Counted {
    let mut counted = Counted::default();
    let mut seed = 1_u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f32 / (1_u64 << 24) as f32
    };
    for run in 0..runs {
        let profile = GalvoProfile::ALL[run as usize % 4];
        let mut pps = RATES[(random() * RATES.len() as f32) as usize];
        let mut follower = Follower::new(profile);
        let mut motion = Motion::default();
        let (mut goal, mut pace) = ([0.0_f32; 2], [0.0_f32; 2]);
        let (mut broken, mut broken_lit, mut lit_far) = (false, false, false);
        for _ in 0..300 {
            if random() < 0.15 {
                pps = RATES[(random() * RATES.len() as f32) as usize];
            }
            let limits = profile.at(pps);
            if random() < 0.1 {
                pace = [random(), random()].map(|part| (part - 0.5) * 2.2 * limits.step);
            }
            if random() < 0.03 {
                goal = [random(), random()].map(|part| part * 2.0 - 1.0);
            }
            goal = [0, 1].map(|axis| (goal[axis] + pace[axis]).clamp(-1.0, 1.0));
            follower.set(profile, pps);
            let lit = follower.follow(goal);
            let at = follower.position();
            let part = motion.goes_to(at, pps).of(profile, pps);
            counted.points += 1;
            counted.worst = counted.worst.max(part);
            broken |= part > 1.0001;
            broken_lit |= lit && part > 1.0001;
            let away = |axis: usize| (at[axis] - goal[axis]).abs();
            lit_far |= lit && away(0).max(away(1)) > CAUGHT_UP;
        }
        counted.travels += 1;
        counted.broken += u64::from(broken);
        counted.broken_lit += u64::from(broken_lit);
        counted.lit_far += u64::from(lit_far);
    }
    counted
}

/// The same through the gate, as a device receives it: 30 to 60 kpps and 8 to 100 kpps among them.
#[test]
fn a_rise_of_the_rate_on_the_way_to_the_edge_breaks_no_limit_behind_the_gate() {
    let mut lit = 0;
    for profile in GalvoProfile::ALL {
        for (from, to) in [(30_000, 60_000), (8_000, 100_000), (8_000, 9_000), (60_000, 15_000)] {
            for goal in [0.96_f32, 0.99, 0.998, 1.0] {
                for turn_at in 0..40 {
                    let arm = Arm::new();
                    arm.arm(HostTime::ZERO).unwrap();
                    let settings = GateSettings { profile, ..GateSettings::default() };
                    let (mut gate, control) = Gate::with_control(arm, &settings);
                    control.master().set(1.0);
                    let mut motion = Motion::default();
                    let mut start = 0;
                    for (pps, count, x) in
                        [(from, 150, -0.9), (from, turn_at, goal), (to, 150, goal)]
                    {
                        let wanted = LaserPoint::lit(x, 0.7 * x, Colour::WHITE);
                        let mut points = vec![wanted; count];
                        let start_now = StreamInstant(start);
                        start += count as u64;
                        for point in gate.pass(HostTime::ZERO, &mut points, start_now, pps).points()
                        {
                            let part = motion.goes_to([point.x, point.y], pps).of(profile, pps);
                            let away = (point.x - wanted.x).abs().max((point.y - wanted.y).abs());
                            let case = (profile.name, from, to, goal, turn_at);
                            assert!(part <= 1.0001, "{case:?}: {part} times a limit");
                            assert!(
                                point.is_blank() || away <= CAUGHT_UP,
                                "{case:?}: lit {away} off"
                            );
                            lit += usize::from(!point.is_blank());
                        }
                    }
                }
            }
        }
    }
    assert!(lit > 10_000, "{lit} lit points");
}

#[test]
#[ignore = "millions of travels"]
fn soak_the_edge_of_the_field() {
    let rates = [
        1_000, 2_000, 5_000, 8_000, 9_000, 10_000, 11_000, 12_000, 15_000, 20_000, 25_000, 30_000,
        40_000, 50_000, 60_000, 80_000, 100_000,
    ];
    let place = |k: usize| [k % 3, k / 3].map(|k| [-1.0, 0.1, 0.93][k]);
    let starts: Vec<_> = (0..9).map(place).collect();
    let near = [[0.998, 1.0], [0.8, 0.999_5], [-0.993, -0.96], [0.0, 1.0]];
    let goals = [&GOALS[..], &near].concat();
    let table = Table { rates: &rates, starts: &starts, goals: &goals, ..TABLE };
    let counted = table.count(|before| other_rates(&rates, before));
    println!("rates: {counted:?}");
    assert!(counted.travels > 1_820_000);
    counted.assert_clean();
    let counted =
        table.count(|before| GalvoProfile::ALL.map(|profile| Turn { profile, ..before }).to_vec());
    println!("profiles: {counted:?}");
    counted.assert_clean();
    let counted = moving_goals(200_000);
    println!("moving goals: {counted:?}");
    counted.assert_clean();
}

// --- The layout keeps the same law -----------------------------------------------------------------------------

/// A drawing that seeks the edge: corners on it, lines beyond it, curves along it.
fn drawing() -> impl Strategy<Value = Figure> {
    let near = prop_oneof![
        3 => -1.0_f32..1.0,
        2 => -1.4_f32..1.4,
        1 => prop::sample::select(vec![-1.0_f32, 1.0, -0.9995, 0.999, 0.996, -0.99]),
    ];
    let corners = prop::collection::vec((near.clone(), near), 1..12);
    let round =
        (0.02_f32..1.0, any::<[bool; 3]>()).prop_map(|(radius, [touches, swaps, flips])| {
            let middle = if touches { 1.0 - radius } else { 0.0 };
            (0..240)
                .map(|k| (k as f32 / 240.0 * std::f32::consts::TAU).sin_cos())
                .map(|(y, x)| (middle + radius * x, radius * y))
                .map(|(x, y)| if swaps { (y, x) } else { (x, y) })
                .map(|(x, y)| if flips { (-x, -y) } else { (x, y) })
                .collect::<Vec<_>>()
        });
    let waves = prop::array::uniform4(0.3_f32..6.0).prop_map(|[a, b, c, d]| {
        (0..300)
            .map(|k| k as f32 * 0.02)
            .map(|t| (1.1 * (a * t + c).sin(), 0.9 * (b * t + d).sin()))
            .collect::<Vec<_>>()
    });
    let stroke = (prop_oneof![3 => corners, 1 => round, 1 => waves], any::<[bool; 2]>());
    prop::collection::vec(stroke, 1..16).prop_map(|strokes| {
        let mut figure = Figure::with_capacity(8_192, 32);
        for (vertices, [closed, smooth]) in strokes {
            figure.begin();
            for (x, y) in vertices {
                figure.vertex(x, y, Colour::WHITE);
            }
            figure.end(closed, smooth);
        }
        figure
    })
}

/// Lays the drawing out thrice, each time from where the last one ended, and looks at it behind a gate.
fn passes_unmoved(
    figure: &Figure,
    pps: u32,
    profile: GalvoProfile,
    budget: usize,
) -> Result<(), TestCaseError> {
    let arm = Arm::new();
    arm.arm(HostTime::ZERO).expect("no stop is latched");
    let settings = GateSettings { profile, ..GateSettings::default() };
    let (mut gate, _control) = Gate::with_control(arm, &settings);
    let mut layout = Layout::new(LayoutSettings { profile, ..LayoutSettings::default() }, 4_000);
    let mut points = PathPoints::with_capacity(4_000);
    let mut from = LaserPoint::CENTRE;
    for _ in 0..3 {
        layout.lay(figure, from, pps, budget, &mut points);
        let wanted = points.as_slice().to_vec();
        let mut sent = wanted.clone();
        gate.pass(HostTime::ZERO, &mut sent, StreamInstant(0), pps);
        for (sent, wanted) in sent.iter().zip(&wanted) {
            prop_assert_eq!((sent.x, sent.y), (wanted.x, wanted.y));
        }
        from = wanted.last().copied().unwrap_or(from);
    }
    prop_assert_eq!(gate.meters().counts().travel, 0);
    Ok(())
}

fn profiles() -> impl Strategy<Value = GalvoProfile> {
    prop::sample::select(GalvoProfile::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever a layout makes along the edge, at any rate and haste, the gate does not move.
    #[test]
    fn what_the_layout_makes_along_the_edge_passes_the_gate_unmoved(
        figure in drawing(),
        pps in prop_oneof![2 => 8_000_u32..12_000, 2 => 12_000_u32..100_000, 1 => 1_000_u32..8_000],
        profile in profiles(),
        budget in prop_oneof![Just(3_000_usize), 60_usize..800],
    ) {
        passes_unmoved(&figure, pps, profile, budget)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Where a point is long, and the edge so the nearer.
    #[test]
    #[ignore = "twenty thousand drawings"]
    fn soak_what_the_layout_makes_at_8_to_12_kpps_passes_the_gate_unmoved(
        lines in prop::collection::vec(prop::array::uniform4(-1.0_f32..1.0), 1..60),
        figure in drawing(),
        pps in 8_000_u32..12_000,
        profile in profiles(),
        budget in prop_oneof![Just(3_000_usize), 60_usize..800],
    ) {
        let mut inside = Figure::with_capacity(256, 64);
        for [x0, y0, x1, y1] in lines {
            inside.begin();
            inside.vertex(x0, y0, Colour::WHITE);
            inside.vertex(x1, y1, Colour::WHITE);
            inside.end(false, false);
        }
        passes_unmoved(&inside, pps, profile, budget)?;
        passes_unmoved(&figure, pps, profile, budget)?;
    }
}
