//! Curves that contain themselves, drawn by the rules of A. Lindenmayer: the music bends the angle they turn by.

use super::{advance, fall, sin_cos};
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "fractal",
    name: "Fractal",
    description: "Curves made of themselves: snowflake, dragon, Hilbert, arrowhead, Gosper, Lévy; bass unfolds them.",
    params: &[
        ParamSpec::new(
            "curve",
            "",
            [0.0, 0.0, 5.0],
            "0 snowflake, 1 dragon, 2 Hilbert, 3 arrowhead, 4 Gosper, 5 Lévy.",
        ),
        ParamSpec::new(
            "detail",
            "",
            [0.0, 0.6, 1.0],
            "How often it contains itself: 0 once, 1 as often as can be drawn.",
        ),
        ParamSpec::new(
            "unfold",
            "turns",
            [0.0, 0.02, 0.1],
            "How far bass and drums bend the angle.",
        ),
        ParamSpec::new("sway", "turns", [0.0, 0.01, 0.1], "How far the angle sways by itself."),
        ParamSpec::new("size", "", [0.2, 0.8, 0.97], "Radius."),
        ParamSpec::new("kick", "", [0.0, 0.15, 0.6], "How far the bass enlarges it."),
        ParamSpec::new("spin", "turns/s", [-1.0, 0.03, 1.0], "Steady turn."),
    ],
    make: |from| {
        let turn = Random::new(from.seed).unit();
        Box::new(Fractal { places: Vec::with_capacity(MOST_VERTICES), turn, sway: turn, push: 0.0 })
    },
};

const MOST_VERTICES: usize = 700;

/// How a curve is written: letters become rules, signs turn, every capital but `X` and `Y` draws (if it is in
/// `draws`).
struct Rules {
    axiom: &'static str,
    letters: &'static [(u8, &'static str)],
    draws: &'static [u8],
    turn: f32,
    most: u32,
}

const CURVES: [Rules; 6] = [
    Rules {
        axiom: "F--F--F",
        letters: &[(b'F', "F+F--F+F")],
        draws: b"F",
        turn: 1.0 / 6.0,
        most: 3,
    },
    Rules {
        axiom: "FX",
        letters: &[(b'X', "X+YF+"), (b'Y', "-FX-Y")],
        draws: b"F",
        turn: 0.25,
        most: 9,
    },
    Rules {
        axiom: "A",
        letters: &[(b'A', "+BF-AFA-FB+"), (b'B', "-AF+BFB+FA-")],
        draws: b"F",
        turn: 0.25,
        most: 4,
    },
    Rules {
        axiom: "A",
        letters: &[(b'A', "B-A-B"), (b'B', "A+B+A")],
        draws: b"AB",
        turn: 1.0 / 6.0,
        most: 5,
    },
    Rules {
        axiom: "A",
        letters: &[(b'A', "A-B--B+A++AA+B-"), (b'B', "+A-BB--B-A++A+B")],
        draws: b"AB",
        turn: 1.0 / 6.0,
        most: 3,
    },
    Rules { axiom: "F", letters: &[(b'F', "+F--F+")], draws: b"F", turn: 0.125, most: 9 },
];

struct Fractal {
    places: Vec<(f32, f32)>,
    turn: f32,
    sway: f32,
    push: f32,
}

/// Walks by steps of one and turns.
struct Turtle<'a> {
    places: &'a mut Vec<(f32, f32)>,
    here: (f32, f32),
    heading: f32,
    /// The turn of a sign within a rule, and of one in the axiom: what closes stays closed, however rules are bent.
    turn: f32,
    outer_turn: f32,
}

impl Turtle<'_> {
    /// Follows `word` with its letters replaced `depth` times; as deep as the rules go, and no deeper than `most`.
    fn follow(&mut self, rules: &Rules, word: &str, depth: u32) {
        let turn = if word == rules.axiom { self.outer_turn } else { self.turn };
        for letter in word.bytes() {
            match letter {
                b'+' => self.heading += turn,
                b'-' => self.heading -= turn,
                _ => {
                    let rule = rules.letters.iter().find(|(from, _)| *from == letter);
                    match rule {
                        Some((_, word)) if depth > 0 => self.follow(rules, word, depth - 1),
                        _ if rules.draws.contains(&letter) => self.step(),
                        _ => {}
                    }
                }
            }
        }
    }

    fn step(&mut self) {
        let (sin, cos) = sin_cos(self.heading);
        self.here = (self.here.0 + cos, self.here.1 + sin);
        if self.places.len() < MOST_VERTICES {
            self.places.push(self.here);
        }
    }
}

impl Pattern for Fractal {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[curve, detail, unfold, sway, size, kick, spin] = scene.params else { return };
        let features = scene.features;
        advance(&mut self.turn, spin * scene.dt);
        advance(&mut self.sway, 0.11 * scene.dt);
        fall(
            &mut self.push,
            0.7 * features.bands.bass + 0.3 * features.onset.envelope,
            scene.dt,
            0.15,
        );
        let rules = &CURVES[(curve.round() as usize).min(CURVES.len() - 1)];
        let depth = 1 + (detail * (rules.most - 1) as f32).round() as u32;
        let bend = unfold * self.push + sway * sin_cos(self.sway).0;
        self.places.clear();
        self.places.push((0.0, 0.0));
        let turn = rules.turn - bend;
        let places = &mut self.places;
        Turtle { places, here: (0.0, 0.0), heading: 0.0, turn, outer_turn: rules.turn }.follow(
            rules,
            rules.axiom,
            depth,
        );

        // Into the middle, and as large as it should be.
        let count = self.places.len() as f32;
        let sum = self.places.iter().fold((0.0, 0.0), |sum, at| (sum.0 + at.0, sum.1 + at.1));
        let middle = (sum.0 / count, sum.1 / count);
        let far = |at: &(f32, f32)| (at.0 - middle.0).hypot(at.1 - middle.1);
        let radius = self.places.iter().map(far).fold(1e-3, f32::max);
        let scale = (size * (1.0 - kick + kick * self.push)).min(MAX_RADIUS) / radius;
        let (sin, cos) = sin_cos(self.turn);
        let mut pen = Pen::new(figure);
        for at in &self.places {
            let (x, y) = ((at.0 - middle.0) * scale, (at.1 - middle.1) * scale);
            pen.to(x * cos - y * sin, x * sin + y * cos);
        }
        pen.end_corners();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(curve: usize, depth: u32) -> Vec<(f32, f32)> {
        let mut places = vec![(0.0, 0.0)];
        let rules = &CURVES[curve];
        let turn = rules.turn;
        Turtle { places: &mut places, here: (0.0, 0.0), heading: 0.0, turn, outer_turn: turn }
            .follow(rules, rules.axiom, depth);
        places
    }

    #[test]
    fn each_curve_has_the_steps_its_rules_say_and_fits_at_its_finest() {
        for (curve, steps) in [(0, 3 * 64), (1, 512), (2, 255), (3, 243), (4, 343), (5, 512)] {
            let found = places(curve, CURVES[curve].most).len() - 1;
            assert_eq!(found, steps, "curve {curve}");
            assert!(found < MOST_VERTICES);
        }
    }

    #[test]
    fn the_snowflake_closes_and_hilbert_visits_every_place_once() {
        let snowflake = places(0, 3);
        let end = snowflake[snowflake.len() - 1];
        assert!(end.0.hypot(end.1) < 1e-3);
        let hilbert = places(2, 4);
        let mut seen: Vec<_> =
            hilbert.iter().map(|at| (at.0.round() as i32, at.1.round() as i32)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 256);
    }
}
