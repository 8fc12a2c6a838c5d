//! A Lissajous figure with harmonics from the music.

use std::f32::consts::TAU;

use super::advance;
use crate::pattern::pen::{MAX_RADIUS, Pen, disc_from_square};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "lissajous",
    name: "Lissajous",
    description: "Two oscillations at right angles; voices add a harmonic, bass swells it.",
    params: &[
        ParamSpec::new("across", "", [1.0, 3.0, 9.0], "Oscillations from left to right."),
        ParamSpec::new("up", "", [1.0, 2.0, 9.0], "Oscillations from bottom to top."),
        ParamSpec::new("drift", "turns/s", [-2.0, 0.07, 2.0], "Drift of one against the other."),
        ParamSpec::new("size", "", [0.1, 0.65, 0.95], "Size at rest."),
        ParamSpec::new("swell", "", [0.0, 0.3, 0.6], "How far the bass enlarges it."),
        ParamSpec::new(
            "harmonic",
            "",
            [0.0, 0.25, 0.6],
            "Share of the harmonic when voices are loud.",
        ),
        ParamSpec::new("order", "", [2.0, 5.0, 9.0], "Which harmonic."),
    ],
    make: |from| Box::new(Lissajous { phase: Random::new(from.seed).unit(), twist: 0.0 }),
};

const VERTICES: usize = 360;

struct Lissajous {
    phase: f32,
    twist: f32,
}

impl Pattern for Lissajous {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[across, up, drift, size, swell, harmonic, order] = scene.params else { return };
        let bands = scene.features.bands;
        advance(&mut self.phase, drift * scene.dt * (0.5 + scene.features.level));
        advance(&mut self.twist, -2.3 * drift * scene.dt);
        let (across, up, order) = (across.round(), up.round(), order.round());
        let share = harmonic * bands.mid;
        let size = (size + swell * bands.bass).min(MAX_RADIUS);
        let (phase, twist) = (self.phase * TAU, self.twist * TAU);
        let mut pen = Pen::new(figure);
        for k in 0..VERTICES {
            let angle = k as f32 / VERTICES as f32 * TAU;
            let x = (1.0 - share) * (across * angle + phase).sin()
                + share * (order * angle + twist).sin();
            let y = (1.0 - share) * (up * angle).sin() + share * (order * angle + twist).cos();
            let (x, y) = disc_from_square(x, y);
            pen.to(size * x, size * y);
        }
        pen.close_curve();
    }
}
