//! A rose curve that opens with the music.

use super::{advance, sin_cos};
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "rose",
    name: "Rose",
    description: "A rose curve r = cos(k·angle) whose petals open with the music.",
    params: &[
        ParamSpec::new("petals", "", [1.0, 5.0, 12.0], "The numerator of k."),
        ParamSpec::new("folds", "", [1.0, 1.0, 4.0], "The denominator of k: how petals overlap."),
        ParamSpec::new("size", "", [0.1, 0.6, 0.95], "Radius at rest."),
        ParamSpec::new("swell", "", [0.0, 0.3, 0.6], "How far bass and loudness enlarge it."),
        ParamSpec::new("open", "", [0.0, 0.1, 1.0], "0 petals meet in the centre, 1 a ring."),
        ParamSpec::new("ruffle", "", [0.0, 0.08, 0.3], "How far cymbals ruffle the petals."),
        ParamSpec::new("spin", "turns/s", [-2.0, 0.06, 2.0], "Steady turn."),
    ],
    make: |from| Box::new(Rose { turn: Random::new(from.seed).unit() }),
};

const VERTICES_PER_TURN: usize = 180;
const MOST_VERTICES: usize = 480;

struct Rose {
    turn: f32,
}

impl Pattern for Rose {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[petals, folds, size, swell, open, ruffle, spin] = scene.params else { return };
        let features = scene.features;
        advance(&mut self.turn, spin * scene.dt * (0.6 + 0.8 * features.level));
        let (petals, folds) = lowest_terms(petals.round() as usize, folds.round() as usize);
        // With an offset the curve closes only after all folds, whether k is odd or even.
        let turns =
            if petals * folds % 2 == 1 && open == 0.0 && folds > 1 { folds } else { folds * 2 };
        let turns = if folds == 1 { 1 } else { turns };
        let vertices = (turns * VERTICES_PER_TURN).min(MOST_VERTICES);
        let k = petals as f32 / folds as f32;
        let radius = size + swell * (0.7 * features.bands.bass + 0.3 * features.level);
        let ruffle = ruffle * features.bands.treble;
        let radius = radius.min(MAX_RADIUS / (1.0 + ruffle));
        let mut pen = Pen::new(figure);
        for index in 0..vertices {
            let turn = index as f32 / vertices as f32 * turns as f32;
            let petal = sin_cos(turn * k).1;
            let r =
                radius * (petal * (1.0 - open) + open) * (1.0 + ruffle * sin_cos(turn * 24.0).0);
            let (sin, cos) = sin_cos(turn + self.turn);
            pen.to(r * cos, r * sin);
        }
        pen.close_curve();
    }
}

fn lowest_terms(petals: usize, folds: usize) -> (usize, usize) {
    let (mut a, mut b) = (petals.max(1), folds.max(1));
    while b != 0 {
        (a, b) = (b, a % b);
    }
    (petals.max(1) / a, folds.max(1) / a)
}
