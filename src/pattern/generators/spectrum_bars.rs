//! The spectrum as a skyline and its reflection, in one line.

use super::{fall, spectrum_at};
use crate::analysis::features::SPECTRUM_BANDS;
use crate::pattern::pen::Pen;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "spectrum_bars",
    name: "Spectrum bars",
    description: "The spectrum as a skyline with its reflection, in one closed line.",
    params: &[
        ParamSpec::new("bars", "", [4.0, 14.0, 24.0], "Number of bars."),
        ParamSpec::new("height", "", [0.1, 0.7, 0.9], "Height of the loudest bar."),
        ParamSpec::new("floor", "", [0.01, 0.05, 0.3], "Height of a silent bar."),
        ParamSpec::new("reflection", "", [0.0, 0.6, 1.0], "Height of the reflection, as a share."),
        ParamSpec::new("centred", "", [0.0, 1.0, 1.0], "1 bass in the middle, 0 bass on the left."),
        ParamSpec::new("fall", "ms", [20.0, 160.0, 1000.0], "How slowly bars fall."),
        ParamSpec::new("round", "", [0.0, 0.0, 1.0], "0 bars, 1 a flowing hill."),
    ],
    make: |_| Box::new(SpectrumBars { held: [0.0; SPECTRUM_BANDS] }),
};

const HALF_WIDTH: f32 = 0.9;
const RADIUS: f32 = 0.96;

struct SpectrumBars {
    /// The spectrum, falling slowly.
    held: [f32; SPECTRUM_BANDS],
}

impl SpectrumBars {
    fn height(&self, place: f32, centred: bool) -> f32 {
        let band = if centred { (2.0 * place - 1.0).abs() * 0.92 } else { place };
        // A gentle lift: quiet bands are part of the skyline too.
        let energy = spectrum_at(&self.held, band).clamp(0.0, 1.0);
        energy * (1.6 - 0.6 * energy)
    }
}

impl Pattern for SpectrumBars {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[bars, height, floor, reflection, centred, fall_ms, round] = scene.params else {
            return;
        };
        for (held, &energy) in self.held.iter_mut().zip(&scene.features.spectrum) {
            fall(held, energy, scene.dt, fall_ms * 1e-3);
        }
        let centred = centred >= 0.5;
        let flowing = round >= 0.5;
        let bars = bars.round() as usize;
        let columns = if flowing { 96 } else { bars };
        let mut pen = Pen::new(figure);
        // Along the roofs to the right, and back along the reflection to the left.
        for side in [1.0, -reflection] {
            for column in 0..columns {
                let column = if side > 0.0 { column } else { columns - 1 - column };
                let place = (column as f32 + 0.5) / columns as f32;
                let left = (column as f32 / columns as f32 * 2.0 - 1.0) * HALF_WIDTH;
                let right = ((column + 1) as f32 / columns as f32 * 2.0 - 1.0) * HALF_WIDTH;
                let outer = left.abs().max(right.abs());
                let room = (RADIUS * RADIUS - outer * outer).max(0.0).sqrt();
                let y = (floor + height * self.height(place, centred)).min(room) * side;
                if flowing {
                    pen.to((left + right) * 0.5, y);
                } else if side > 0.0 {
                    pen.to(left, y);
                    pen.to(right, y);
                } else {
                    pen.to(right, y);
                    pen.to(left, y);
                }
            }
        }
        if flowing { pen.close_curve() } else { pen.close_corners() }
    }
}
