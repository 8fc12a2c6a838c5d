//! A landscape of spectra rolling towards the eye.

use super::spectrum_at;
use crate::analysis::features::SPECTRUM_BANDS;
use crate::pattern::pen::Pen;
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "terrain",
    name: "Terrain",
    description: "Ridges of spectra roll from the horizon towards the eye; bass in the middle.",
    params: &[
        ParamSpec::new("ridges", "", [2.0, 6.0, 9.0], "Ridges in sight."),
        ParamSpec::new("height", "", [0.0, 0.5, 1.0], "Height of the loudest peak."),
        ParamSpec::new("speed", "ridges/s", [0.2, 3.0, 12.0], "Speed of the flight."),
        ParamSpec::new("horizon", "", [-0.2, 0.3, 0.6], "Height of the horizon."),
        ParamSpec::new(
            "swell",
            "",
            [0.0, 0.06, 0.2],
            "Height of a slow swell that is always there.",
        ),
        ParamSpec::new("fade", "", [0.0, 0.6, 0.9], "How dark the horizon is."),
    ],
    make: |from| {
        let history = [[0.0; SPECTRUM_BANDS]; MOST_RIDGES];
        Box::new(Terrain {
            history,
            newest: 0,
            way: 0.0,
            swell: Random::new(from.seed).between(0.0, 6.0),
        })
    },
};

const MOST_RIDGES: usize = 9;
const VERTICES: usize = 56;

struct Terrain {
    /// Spectra as ridges, a ring with the newest at `newest`.
    history: [[f32; SPECTRUM_BANDS]; MOST_RIDGES],
    newest: usize,
    /// Part of the way to the next ridge.
    way: f32,
    swell: f32,
}

impl Pattern for Terrain {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[ridges, height, speed, horizon, swell, fade] = scene.params else { return };
        let features = scene.features;
        self.way += speed * scene.dt;
        while self.way >= 1.0 {
            self.way -= 1.0;
            self.newest = (self.newest + MOST_RIDGES - 1) % MOST_RIDGES;
            self.history[self.newest] = features.spectrum;
        }
        self.swell = (self.swell + scene.dt * 0.9) % 100.0;
        for (held, &energy) in self.history[self.newest].iter_mut().zip(&features.spectrum) {
            *held = held.max(energy);
        }

        let ridges = ridges.round() as usize;
        let mut pen = Pen::new(figure);
        for ridge in 0..ridges {
            let age = ridge as f32 + self.way;
            let near = age / ridges as f32;
            let spectrum = &self.history[(self.newest + ridge) % MOST_RIDGES];
            let ground = horizon - (horizon + 0.72) * near * near;
            let room = (0.94 - ground * ground).max(0.04).sqrt();
            let half_width = (0.4 + 0.6 * near) * room;
            // A ridge rises out of the horizon and sinks before it reaches the eye.
            let grown = (3.0 * near).min(1.0) * (5.0 * (1.0 - near)).min(1.0);
            let light =
                (1.0 - fade * (1.0 - near)) * (4.0 * near).min(1.0) * (6.0 * (1.0 - near)).min(1.0);
            for k in 0..VERTICES {
                // Every other ridge runs back, so that the next begins where the last ends.
                let k = if ridge % 2 == 0 { k } else { VERTICES - 1 - k };
                let place = k as f32 / (VERTICES - 1) as f32 * 2.0 - 1.0;
                let edge = 1.0 - place.powi(4);
                let peak = spectrum_at(spectrum, place.abs() * 0.9) * height * edge;
                let wave = swell * (place * 5.0 + age * 1.3 + self.swell).sin() * edge;
                let x = place * half_width;
                let ceiling = (0.94 - x * x).max(0.0).sqrt();
                let y = (ground + (peak + wave) * (0.45 + 0.55 * near) * grown).min(ceiling);
                pen.to_lit(x, y, light);
            }
            pen.end_curve();
        }
    }
}
