//! The spectrum as a crown around a ring.

use super::{advance, fall, sin_cos, spectrum_at};
use crate::analysis::features::SPECTRUM_BANDS;
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "spectrum_ring",
    name: "Spectrum ring",
    description: "The spectrum as a crown around a ring, the same left and right, bass below.",
    params: &[
        ParamSpec::new("radius", "", [0.1, 0.42, 0.8], "Radius of the ring at rest."),
        ParamSpec::new("height", "", [0.0, 0.45, 0.9], "Height of the loudest band."),
        ParamSpec::new("kick", "", [0.0, 0.1, 0.4], "How far the bass pushes the whole ring."),
        ParamSpec::new(
            "mirrors",
            "",
            [1.0, 1.0, 4.0],
            "How often the spectrum goes around, there and back.",
        ),
        ParamSpec::new("fall", "ms", [20.0, 180.0, 1000.0], "How slowly peaks fall."),
        ParamSpec::new("spin", "turns/s", [-2.0, 0.04, 2.0], "Steady turn."),
        ParamSpec::new(
            "core",
            "",
            [0.0, 0.0, 0.9],
            "Size of a ring inside that moves against it; 0 for none.",
        ),
    ],
    make: |from| {
        let start = Random::new(from.seed).between(-0.05, 0.05);
        Box::new(SpectrumRing { turn: start, held: [0.0; SPECTRUM_BANDS] })
    },
};

const VERTICES: usize = 288;
const CORE_VERTICES: usize = 72;

struct SpectrumRing {
    turn: f32,
    /// The spectrum, falling slowly.
    held: [f32; SPECTRUM_BANDS],
}

impl Pattern for SpectrumRing {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[radius, height, kick, mirrors, fall_ms, spin, core] = scene.params else { return };
        let features = scene.features;
        advance(&mut self.turn, spin * scene.dt);
        for (held, &energy) in self.held.iter_mut().zip(&features.spectrum) {
            fall(held, energy, scene.dt, fall_ms * 1e-3);
        }
        let base = radius + kick * features.bands.bass;
        let room = (MAX_RADIUS - base).max(0.0);
        let mirrors = mirrors.round();
        let mut pen = Pen::new(figure);
        for k in 0..VERTICES {
            let around = k as f32 / VERTICES as f32;
            let place = 1.0 - (2.0 * (around * mirrors).fract() - 1.0).abs();
            let r = base + room.min(height) * spectrum_at(&self.held, place);
            let (sin, cos) = sin_cos(around + self.turn - 0.25);
            pen.to(r * cos, r * sin);
        }
        pen.close_curve();
        if core > 0.02 {
            let r = radius * core * (1.0 - 0.35 * features.bands.bass);
            for k in 0..CORE_VERTICES {
                let (sin, cos) = sin_cos(k as f32 / CORE_VERTICES as f32 - self.turn);
                pen.to_lit(r * cos, r * sin, 0.8);
            }
            pen.close_curve();
        }
    }
}
