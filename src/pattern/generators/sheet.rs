//! Waves from side to side: in haze, sheets of light overhead.

use super::{advance, spectrum_at};
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "sheet",
    name: "Sheets",
    description: "Wide waves from side to side: in haze they are sheets of light that roll overhead.",
    params: &[
        ParamSpec::new("sheets", "", [1.0, 2.0, 5.0], "Number of sheets."),
        ParamSpec::new("waves", "", [0.3, 1.4, 6.0], "Waves from side to side."),
        ParamSpec::new("height", "", [0.0, 0.16, 0.5], "Height of the waves at rest."),
        ParamSpec::new("swell", "", [0.0, 0.3, 0.7], "How far the bass raises them."),
        ParamSpec::new("voice", "", [0.0, 0.12, 0.5], "How far the spectrum lifts each place."),
        ParamSpec::new("spread", "", [0.0, 0.35, 0.6], "Distance of the sheets from each other."),
        ParamSpec::new("speed", "waves/s", [-2.0, 0.25, 2.0], "How fast they roll."),
        ParamSpec::new(
            "gaps",
            "",
            [0.0, 0.0, 8.0],
            "Dark gaps that travel along a sheet: fingers of light.",
        ),
    ],
    make: |from| Box::new(Sheet { phase: Random::new(from.seed).unit(), gap: 0.0, push: 0.0 }),
};

const VERTICES: usize = 110;

struct Sheet {
    phase: f32,
    gap: f32,
    push: f32,
}

impl Pattern for Sheet {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[sheets, waves, height, swell, voice, spread, speed, gaps] = scene.params else {
            return;
        };
        let features = scene.features;
        advance(&mut self.phase, speed * scene.dt * (0.4 + features.level));
        advance(&mut self.gap, (0.2 + features.onset.envelope) * scene.dt);
        super::fall(&mut self.push, features.bands.bass, scene.dt, 0.2);
        let sheets = sheets.round().max(1.0) as usize;
        let gaps = gaps.round();
        let mut pen = Pen::new(figure);
        for sheet in 0..sheets {
            let offset = (sheet as f32 - (sheets - 1) as f32 * 0.5) * spread;
            let room = (MAX_RADIUS * MAX_RADIUS - offset * offset).max(0.04).sqrt();
            // Sheets roll against each other.
            let way = if sheet % 2 == 0 { self.phase } else { -self.phase } + 0.31 * sheet as f32;
            for k in 0..VERTICES {
                let k = if sheet % 2 == 0 { k } else { VERTICES - 1 - k };
                let along = k as f32 / (VERTICES - 1) as f32;
                let place = 2.0 * along - 1.0;
                let angle = std::f32::consts::TAU * (waves * along + way);
                let roll = angle.sin() + 0.35 * (1.7 * angle + 1.0).sin();
                let lift = voice * spectrum_at(&features.spectrum, place.abs());
                let y = offset + (height + swell * self.push) * 0.74 * roll + lift;
                let x = place * room;
                let ceiling = (MAX_RADIUS * MAX_RADIUS - x * x).max(0.0).sqrt();
                let light = if gaps < 1.0 {
                    1.0
                } else {
                    let stripe = std::f32::consts::TAU * (gaps * along - self.gap);
                    (0.5 + 1.4 * stripe.cos()).clamp(0.0, 1.0)
                };
                pen.to_lit(x, y.clamp(-ceiling, ceiling), light);
            }
            pen.end_curve();
        }
    }
}
