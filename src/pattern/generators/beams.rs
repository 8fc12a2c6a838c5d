//! A fan of single beams that swings, opens and runs with the beat.

use super::{advance, fall, sin_cos};
use crate::pattern::modulation::beat_pulse;
use crate::pattern::pen::Pen;
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "beams",
    name: "Beams",
    description: "A fan of beams for haze: swings, opens with the bass, chases on the beat.",
    params: &[
        ParamSpec::new("beams", "", [2.0, 12.0, 20.0], "Number of beams."),
        ParamSpec::new("spread", "", [0.1, 0.65, 0.93], "Half the width at rest."),
        ParamSpec::new("open", "", [0.0, 0.28, 0.6], "How far the bass opens the fan."),
        ParamSpec::new("wave", "", [0.0, 0.25, 0.6], "Height of the wave along the fan."),
        ParamSpec::new("waves", "", [0.0, 1.0, 4.0], "Waves along the fan."),
        ParamSpec::new("swing", "Hz", [0.0, 0.25, 2.0], "Speed of the wave."),
        ParamSpec::new(
            "chase",
            "",
            [0.0, 0.5, 1.0],
            "How much of the light runs along with the beat.",
        ),
        ParamSpec::new("dash", "", [0.0, 0.03, 0.1], "Length of a beam's mark; 0 single dots."),
    ],
    make: |from| Box::new(Beams { swing: Random::new(from.seed).unit(), open: 0.0 }),
};

struct Beams {
    swing: f32,
    open: f32,
}

impl Pattern for Beams {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[beams, spread, open, wave, waves, swing, chase, dash] = scene.params else { return };
        let features = scene.features;
        advance(&mut self.swing, swing * scene.dt);
        fall(&mut self.open, features.bands.bass, scene.dt, 0.15);
        let half = (spread + open * self.open).min(0.93);
        let height = wave * (0.4 + 0.6 * features.level);
        let beams = beams.round() as usize;
        let run = features.beat.bar_phase;
        let flash = beat_pulse(features);
        let mut pen = Pen::new(figure);
        for beam in 0..beams {
            let along = beam as f32 / (beams - 1).max(1) as f32;
            let place = 2.0 * along - 1.0;
            let x = place * half;
            let y = height * sin_cos(along * waves + self.swing).0;
            // Light runs from the middle to both ends once a bar, and all beams flash on the beat.
            let apart = (place.abs() - run).rem_euclid(1.0);
            let running = (1.0 - 2.5 * apart.min(1.0 - apart)).max(0.0);
            let light = 1.0 - chase * (1.0 - running.max(flash));
            if dash > 0.002 {
                pen.to_lit(x - dash * 0.5, y, light);
                pen.to_lit(x + dash * 0.5, y, light);
            } else {
                pen.to_lit(x, y, light);
            }
            pen.end_corners();
        }
    }
}
