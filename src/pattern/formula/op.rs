//! Every operation, once: its name, its price, and what it does to an array of values.

use super::Slip;
use super::machine::{Lanes, map1, map2, map3};
use super::program::Heard;

/// An operation on one to three values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Pow,
    Less,
    LessEqual,
    Equal,
    NotEqual,
    And,
    Or,
    Not,
    Neg,
    Select,
    Abs,
    Sign,
    Floor,
    Ceil,
    Round,
    Fract,
    Min,
    Max,
    Clamp,
    Mix,
    Step,
    Smoothstep,
    Sqrt,
    Hypot,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Atan2,
    Exp,
    Log,
    Tri,
    Saw,
    Square,
    Rand,
    Noise,
    Wave,
    Spec,
}

/// A function of the language.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Number of arguments.
    pub arguments: usize,
    /// Price of one call in simple operations.
    pub cost: u32,
    /// One line about it.
    pub help: &'static str,
    pub(super) op: Op,
}

const fn function(
    name: &'static str,
    arguments: usize,
    cost: u32,
    op: Op,
    help: &'static str,
) -> Function {
    Function { name, arguments, cost, help, op }
}

/// Every function, in the order of the guide.
pub const FUNCTIONS: &[Function] = &[
    function("sin", 1, 3, Op::Sin, "Sine of an angle in radians."),
    function("cos", 1, 3, Op::Cos, "Cosine of an angle in radians."),
    function("tan", 1, 7, Op::Tan, "Tangent of an angle in radians."),
    function("asin", 1, 8, Op::Asin, "The angle of a sine; beyond ±1 as at ±1."),
    function("acos", 1, 8, Op::Acos, "The angle of a cosine; beyond ±1 as at ±1."),
    function("atan", 1, 8, Op::Atan, "The angle of a tangent."),
    function("atan2", 2, 10, Op::Atan2, "`atan2(y, x)`: the direction of a point, radians."),
    function("sqrt", 1, 2, Op::Sqrt, "Square root; of a negative number 0."),
    function("hypot", 2, 3, Op::Hypot, "Distance of `(x, y)` from the centre."),
    function("exp", 1, 8, Op::Exp, "e to the power."),
    function("log", 1, 8, Op::Log, "Natural logarithm; of 0 and less 0."),
    function("pow", 2, 12, Op::Pow, "The same as `^`."),
    function("abs", 1, 1, Op::Abs, "Without the sign."),
    function("sign", 1, 1, Op::Sign, "−1, 0 or 1."),
    function("floor", 1, 2, Op::Floor, "The whole number below."),
    function("ceil", 1, 2, Op::Ceil, "The whole number above."),
    function("round", 1, 1, Op::Round, "The nearest whole number; halves go to the even one."),
    function("fract", 1, 2, Op::Fract, "What is left above `floor`, 0 to 1."),
    function(
        "mod",
        2,
        4,
        Op::Rem,
        "The same as `%`: what is left of a division, with the sign of the divisor.",
    ),
    function("min", 2, 1, Op::Min, "The smaller."),
    function("max", 2, 1, Op::Max, "The larger."),
    function("clamp", 3, 2, Op::Clamp, "`clamp(x, low, high)`: held within."),
    function("mix", 3, 2, Op::Mix, "`mix(a, b, m)`: from `a` at 0 to `b` at 1."),
    function("step", 2, 1, Op::Step, "`step(edge, x)`: 0 below the edge, 1 from there."),
    function(
        "smoothstep",
        3,
        5,
        Op::Smoothstep,
        "`smoothstep(low, high, x)`: 0 below, 1 above, slow at both ends.",
    ),
    function(
        "if",
        3,
        1,
        Op::Select,
        "`if(c, a, b)`: `a` where `c` is not 0, else `b`. The same as `c ? a : b`.",
    ),
    function("tri", 1, 3, Op::Tri, "A triangle wave of a phase in turns, −1 to 1, rising from 0."),
    function("saw", 1, 3, Op::Saw, "A saw wave of a phase in turns, −1 to 1."),
    function("square", 1, 3, Op::Square, "A square wave of a phase in turns: 1, then −1."),
    function(
        "rand",
        1,
        4,
        Op::Rand,
        "A random number 0 to 1 for every whole number, always the same one.",
    ),
    function(
        "noise",
        2,
        24,
        Op::Noise,
        "`noise(x, y)`: smooth random hills, −1 to 1, one unit wide.",
    ),
    function("wave", 1, 6, Op::Wave, "The waveform of the sound at a place 0 to 1, −1 to 1."),
    function("spec", 1, 6, Op::Spec, "The spectrum at a place 0 (lowest) to 1 (highest), 0 to 1."),
];

/// The function of this name.
pub(super) fn find(name: &str, offset: usize) -> Result<&'static Function, Slip> {
    FUNCTIONS.iter().find(|function| function.name == name).ok_or_else(|| {
        let hint =
            crate::pattern::preset::did_you_mean(name, FUNCTIONS.iter().map(|known| known.name));
        Slip::new(offset, format!("there is no function `{name}`{hint}"))
    })
}

impl Op {
    /// Price of one operation that is written as a sign.
    pub(super) const fn sign_cost(self) -> u32 {
        match self {
            Self::Pow => 12,
            Self::Rem => 4,
            _ => 1,
        }
    }

    /// Does the operation to every value of the arrays.
    #[inline]
    pub(super) fn apply<const L: usize>(
        self,
        a: &Lanes<L>,
        b: &Lanes<L>,
        c: &Lanes<L>,
        heard: &Heard<'_>,
    ) -> Lanes<L> {
        let truth = |is: bool| f32::from(u8::from(is));
        match self {
            Self::Add => map2(a, b, |a, b| a + b),
            Self::Sub => map2(a, b, |a, b| a - b),
            Self::Mul => map2(a, b, |a, b| a * b),
            Self::Div => map2(a, b, |a, b| if b == 0.0 { 0.0 } else { a / b }),
            Self::Rem => map2(a, b, |a, b| if b == 0.0 { 0.0 } else { a - b * floor(a / b) }),
            Self::Pow => map2(a, b, |a, b| finite(a.powf(b))),
            Self::Less => map2(a, b, |a, b| truth(a < b)),
            Self::LessEqual => map2(a, b, |a, b| truth(a <= b)),
            Self::Equal => map2(a, b, |a, b| truth(a == b)),
            Self::NotEqual => map2(a, b, |a, b| truth(a != b)),
            Self::And => map2(a, b, |a, b| truth(a != 0.0 && b != 0.0)),
            Self::Or => map2(a, b, |a, b| truth(a != 0.0 || b != 0.0)),
            Self::Not => map1(a, |a| truth(a == 0.0)),
            Self::Neg => map1(a, |a| -a),
            Self::Select => map3(a, b, c, |a, b, c| if a == 0.0 { c } else { b }),
            Self::Abs => map1(a, f32::abs),
            Self::Sign => map1(a, |a| truth(a > 0.0) - truth(a < 0.0)),
            Self::Floor => map1(a, floor),
            Self::Ceil => map1(a, |a| -floor(-a)),
            Self::Round => map1(a, round),
            Self::Fract => map1(a, |a| a - floor(a)),
            Self::Min => map2(a, b, |a, b| if a < b { a } else { b }),
            Self::Max => map2(a, b, |a, b| if a > b { a } else { b }),
            Self::Clamp => map3(a, b, c, |x, low, high| {
                let raised = if x > low { x } else { low };
                if raised < high { raised } else { high }
            }),
            Self::Mix => map3(a, b, c, |a, b, m| a + (b - a) * m),
            Self::Step => map2(a, b, |edge, x| truth(x >= edge)),
            Self::Smoothstep => map3(a, b, c, |low, high, x| {
                let span = high - low;
                let way = if span == 0.0 { truth(x >= high) } else { (x - low) / span };
                let way = way.clamp(0.0, 1.0);
                way * way * (3.0 - 2.0 * way)
            }),
            Self::Sqrt => map1(a, |a| if a > 0.0 { a.sqrt() } else { 0.0 }),
            Self::Hypot => map2(a, b, |a, b| (a * a + b * b).sqrt()),
            Self::Sin => map1(a, |a| sin_turns(a * TURNS_PER_RADIAN)),
            Self::Cos => map1(a, |a| sin_turns(a * TURNS_PER_RADIAN + 0.25)),
            Self::Tan => map1(a, |a| {
                let turns = a * TURNS_PER_RADIAN;
                let cos = sin_turns(turns + 0.25);
                if cos == 0.0 { 0.0 } else { sin_turns(turns) / cos }
            }),
            Self::Asin => map1(a, |a| a.clamp(-1.0, 1.0).asin()),
            Self::Acos => map1(a, |a| a.clamp(-1.0, 1.0).acos()),
            Self::Atan => map1(a, f32::atan),
            Self::Atan2 => map2(a, b, f32::atan2),
            Self::Exp => map1(a, |a| finite(a.exp())),
            Self::Log => map1(a, |a| if a > 0.0 { a.ln() } else { 0.0 }),
            Self::Tri => map1(a, |a| {
                let phase = a + 0.25;
                1.0 - 4.0 * (phase - floor(phase) - 0.5).abs()
            }),
            Self::Saw => map1(a, |a| 2.0 * (a - floor(a)) - 1.0),
            Self::Square => map1(a, |a| if a - floor(a) < 0.5 { 1.0 } else { -1.0 }),
            Self::Rand => map1(a, |a| hashed(round(a) as i32, 0, heard.seed)),
            Self::Noise => map2(a, b, |x, y| noise(x, y, heard.seed)),
            Self::Wave => map1(a, |place| heard.wave(place)),
            Self::Spec => map1(a, |place| heard.spectrum(place)),
        }
    }
}

const TURNS_PER_RADIAN: f32 = 1.0 / std::f32::consts::TAU;
/// Adding and taking away 1.5 · 2²³ rounds to a whole number, in every lane at once; `f32::round` is a call
/// where the processor is not known to have the instruction.
const ROUNDER: f32 = 12_582_912.0;
/// From here on every number is whole.
const ALL_WHOLE: f32 = 4_194_304.0;

fn finite(value: f32) -> f32 {
    if value.is_finite() { value } else { 0.0 }
}

#[inline]
fn round(x: f32) -> f32 {
    let rounded = (x + ROUNDER) - ROUNDER;
    if x.abs() < ALL_WHOLE { rounded } else { x }
}

#[inline]
fn floor(x: f32) -> f32 {
    let rounded = round(x);
    if rounded > x { rounded - 1.0 } else { rounded }
}

/// Sine of an angle in turns. Taylor series to the eleventh power on a quarter turn: right to the last bits of an
/// `f32`, the same on every machine, and without a call that would keep the lanes apart.
#[inline]
fn sin_turns(turns: f32) -> f32 {
    let part = turns - round(turns);
    let size = part.abs();
    let quarter = if size > 0.25 { 0.5 - size } else { size };
    let z = quarter * std::f32::consts::TAU;
    let square = z * z;
    let series = 1.0
        + square
            * (-1.0 / 6.0
                + square
                    * (1.0 / 120.0
                        + square
                            * (-1.0 / 5_040.0
                                + square * (1.0 / 362_880.0 - square * (1.0 / 39_916_800.0)))));
    (z * series).copysign(part)
}

/// A number 0..1 for a place of a lattice.
#[inline]
fn hashed(x: i32, y: i32, seed: u32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x9E37_79B1)
        ^ (y as u32).wrapping_mul(0x85EB_CA77)
        ^ seed.wrapping_mul(0xC2B2_AE3D);
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    h ^= h >> 15;
    (h >> 8) as f32 / 16_777_216.0
}

/// Value noise: smooth between the numbers of a lattice, −1..=1.
pub(in crate::pattern) fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (left, bottom) = (floor(x), floor(y));
    let ease = |way: f32| way * way * (3.0 - 2.0 * way);
    let (across, up) = (ease(x - left), ease(y - bottom));
    let (column, row) = (left as i32, bottom as i32);
    let at = |dx: i32, dy: i32| hashed(column.wrapping_add(dx), row.wrapping_add(dy), seed);
    let low = at(0, 0) + (at(1, 0) - at(0, 0)) * across;
    let high = at(0, 1) + (at(1, 1) - at(0, 1)) * across;
    2.0 * (low + (high - low) * up) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sine_is_right_to_the_last_bits() {
        for step in -20_000..20_000 {
            let angle = step as f32 * 0.001;
            let error = (sin_turns(angle * TURNS_PER_RADIAN) - angle.sin()).abs();
            // The rounding of the angle itself is in it.
            assert!(error < 4e-6, "{angle}: {error}");
        }
        assert!(sin_turns(0.0) == 0.0 && (sin_turns(0.25) - 1.0).abs() < 2e-7);
    }

    #[test]
    fn whole_numbers_are_found_on_both_sides_of_zero() {
        for x in [-1e9_f32, -7.5, -1.2, -1.0, -0.1, 0.0, 0.1, 0.9, 1.0, 2.7, 5e6, 3e9] {
            assert_eq!(floor(x), x.floor(), "{x}");
        }
        assert_eq!((round(2.4), round(-2.6), round(0.5)), (2.0, -3.0, 0.0));
    }

    #[test]
    fn noise_is_smooth_bounded_and_belongs_to_its_seed() {
        let mut last = noise(0.0, 0.3, 5);
        let mut differs = false;
        for step in 1..2_000 {
            let x = step as f32 * 0.01;
            let value = noise(x, 0.3, 5);
            assert!((-1.0..=1.0).contains(&value) && (value - last).abs() < 0.06);
            differs |= (value - noise(x, 0.3, 6)).abs() > 0.1;
            last = value;
        }
        assert!(differs);
    }
}
