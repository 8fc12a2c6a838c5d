//! A drawing that the preset itself computes: see `pattern::formula`.

use super::advance;
use crate::pattern::catalog::Lines;
use crate::pattern::formula::{Formula, Heard, LANES, Moment, Player};
use crate::pattern::modulation::{bar_pulse, beat_pulse, beats, tone};
use crate::pattern::pen::held_within;
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "formula",
    name: "Formula",
    description: "Whatever the formulas of the preset compute, point by point.",
    params: &[
        ParamSpec::new("points", "", [1.0, 240.0, 640.0], "Points of a stroke."),
        ParamSpec::new(
            "strokes",
            "",
            [1.0, 1.0, 32.0],
            "Strokes; all together have at most 640 points.",
        ),
        ParamSpec::new("size", "", [0.05, 0.95, 0.97], "Where a distance of 1 lies."),
        ParamSpec::new("speed", "turns/s", [-4.0, 0.1, 4.0], "Speed of `phase`."),
    ],
    make: |from| {
        let fallback;
        let formula = if let Some(formula) = from.formula {
            formula
        } else {
            fallback = Formula::compile(FRAME, POINT, &[]).expect("the text below is a formula");
            &fallback
        };
        Box::new(Computed {
            player: Player::new(formula),
            seed: from.seed as u32,
            dice: Random::new(from.seed).unit(),
            phase: 0.0,
            lines: from.lines,
            runs: MAX_LANES / LANES,
        })
    },
};

/// Most points of a frame.
const MAX_POINTS: usize = 640;
/// Most points that are worked out for a frame: short strokes fill whole runs of [`LANES`] too.
pub(in crate::pattern) const MAX_LANES: usize = MAX_STROKES * LANES;
/// Most strokes of a frame.
const MAX_STROKES: usize = 32;
/// The number of the generator's own parameters, which stand before those of the formula.
const OWN_PARAMS: usize = 4;

/// What is drawn where the preset has no formula.
const FRAME: &str = "swell = 0.55 + 0.3 * bass";
const POINT: &str =
    "r = swell + 0.12 * (0.3 + mid) * sin(6 * a + tau * phase)\nx = r * cos(a)\ny = r * sin(a)";

/// Points that are worked out for `strokes` strokes of `points` points.
pub(in crate::pattern) fn lanes(strokes: usize, points: usize) -> usize {
    let strokes = strokes.clamp(1, MAX_STROKES);
    strokes * points.clamp(1, MAX_POINTS / strokes).next_multiple_of(LANES)
}

struct Computed {
    player: Player,
    seed: u32,
    dice: f32,
    phase: f32,
    lines: Lines,
    /// Runs of [`LANES`] points that it may work out for a frame.
    runs: usize,
}

impl Pattern for Computed {
    fn allow(&mut self, points: usize) {
        self.runs = (points / LANES).max(1);
    }

    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[points, strokes, size, speed, ..] = scene.params else { return };
        let features = scene.features;
        advance(&mut self.phase, speed * scene.dt);
        let strokes = (strokes.round().max(1.0) as usize).min(self.runs);
        let most = (MAX_POINTS / strokes).min(self.runs / strokes * LANES);
        let points = (points.round().max(1.0) as usize).min(most);
        let beat = features.beat;
        // In the order of `FRAME_WORDS`.
        let moment: Moment = [
            scene.media.as_secs_f64() as f32,
            scene.dt,
            self.phase,
            beats(features, scene.media) as f32,
            beat_pulse(features),
            bar_pulse(features),
            beat.phase,
            beat.bar_phase,
            beat.bpm,
            features.level,
            features.bands.bass,
            features.bands.mid,
            features.bands.treble,
            tone(features),
            features.onset.envelope,
            points as f32,
            strokes as f32,
            self.dice,
        ];
        let heard = Heard { features, seed: self.seed };
        self.player.begin_frame(&heard, &moment, &scene.params[OWN_PARAMS..]);
        let Lines { closed, smooth } = self.lines;
        for stroke in 0..strokes {
            self.player.stroke(&heard, (stroke, strokes), points, closed, |x, y, colour| {
                // Far beyond the edge the square of a distance is not a number any more.
                let (x, y) = (x.clamp(-1e6, 1e6) * size, y.clamp(-1e6, 1e6) * size);
                let (x, y) = held_within(x, y);
                figure.vertex(x, y, colour);
            });
            figure.end(closed, smooth);
        }
    }
}
