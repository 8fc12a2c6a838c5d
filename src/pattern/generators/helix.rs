//! Ribbons winding along a line, as thick as the music is loud there.

use super::{advance, fall, sin_cos, spectrum_at};
use crate::analysis::features::SPECTRUM_BANDS;
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "helix",
    name: "Helix",
    description: "Ribbons wind along a line; each part is as thick as its part of the spectrum is loud.",
    params: &[
        ParamSpec::new("strands", "", [1.0, 2.0, 4.0], "Number of ribbons."),
        ParamSpec::new("windings", "", [0.5, 2.0, 6.0], "Windings from end to end."),
        ParamSpec::new("thickness", "", [0.02, 0.18, 0.5], "Thickness at rest."),
        ParamSpec::new("swell", "", [0.0, 0.45, 0.8], "How far the spectrum thickens it."),
        ParamSpec::new("length", "", [0.2, 0.9, 0.95], "Half its length."),
        ParamSpec::new("spin", "turns/s", [-2.0, 0.35, 2.0], "Turn about its own axis."),
        ParamSpec::new("sway", "", [0.0, 0.12, 0.4], "How far the bass bends the line."),
        ParamSpec::new("depth", "", [0.0, 0.6, 0.9], "How dark the far side is."),
    ],
    make: |from| {
        let mut random = Random::new(from.seed);
        Box::new(Helix { turn: random.unit(), wave: random.unit(), held: [0.0; SPECTRUM_BANDS] })
    },
};

const VERTICES: usize = 128;

struct Helix {
    turn: f32,
    wave: f32,
    /// The spectrum, falling slowly.
    held: [f32; SPECTRUM_BANDS],
}

impl Pattern for Helix {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[strands, windings, thickness, swell, length, spin, sway, depth] = scene.params else {
            return;
        };
        let features = scene.features;
        advance(&mut self.turn, spin * scene.dt);
        advance(&mut self.wave, 0.23 * scene.dt * (1.0 + features.level));
        for (held, &energy) in self.held.iter_mut().zip(&features.spectrum) {
            fall(held, energy, scene.dt, 0.18);
        }
        let strands = strands.round().max(1.0) as usize;
        let bend = sway * (0.3 + 0.7 * features.bands.bass);
        let mut pen = Pen::new(figure);
        for strand in 0..strands {
            let offset = strand as f32 / strands as f32 + self.turn;
            for k in 0..VERTICES {
                // Every other ribbon runs back, so that the next begins where the last ends.
                let k = if strand % 2 == 0 { k } else { VERTICES - 1 - k };
                let along = k as f32 / (VERTICES - 1) as f32;
                let place = 2.0 * along - 1.0;
                // The bass sits in the middle; both ends taper to a point.
                let taper = (1.0 - place * place).max(0.0).sqrt();
                let loud = spectrum_at(&self.held, place.abs() * 0.8);
                let r = (thickness + swell * loud) * taper;
                let (sin, cos) = sin_cos(along * windings + offset);
                let axis = bend * sin_cos(along * 0.75 + self.wave).0 * taper;
                let room =
                    (MAX_RADIUS * MAX_RADIUS - place * place * length * length).max(0.0).sqrt();
                let y = (axis + r * sin).clamp(-room, room);
                pen.to_lit(place * length, y, 1.0 - depth * (0.5 - 0.5 * cos));
            }
            pen.end_curve();
        }
    }
}
