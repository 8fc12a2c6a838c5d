//! Lines that follow a slow wind.

use super::{fall, sin_cos};
use crate::pattern::formula::noise;
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "flow",
    name: "Flow field",
    description: "Lines that follow a wind which never comes back to where it was; bass makes it gusty.",
    params: &[
        ParamSpec::new("lines", "", [3.0, 14.0, 24.0], "Number of lines."),
        ParamSpec::new("length", "", [0.1, 0.9, 1.6], "Length of a line in loud music."),
        ParamSpec::new("grain", "", [0.4, 1.3, 4.0], "Whirls across the field."),
        ParamSpec::new("speed", "1/s", [0.0, 0.25, 2.0], "How fast the wind changes."),
        ParamSpec::new("gust", "", [0.0, 0.35, 1.0], "How far bass and drums turn the wind."),
        ParamSpec::new("spread", "", [0.2, 0.8, 0.95], "How far from the middle lines begin."),
    ],
    make: |from| Box::new(Flow { seed: from.seed as u32, way: 0.0, push: 0.0, breath: 0.4 }),
};

const STEPS: usize = 24;

struct Flow {
    seed: u32,
    way: f32,
    push: f32,
    /// Length of the lines, following the loudness.
    breath: f32,
}

impl Pattern for Flow {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[lines, length, grain, speed, gust, spread] = scene.params else { return };
        let features = scene.features;
        self.way = (self.way + speed * scene.dt * (0.4 + features.level)).rem_euclid(2_048.0);
        fall(
            &mut self.push,
            0.7 * features.bands.bass + 0.3 * features.onset.envelope,
            scene.dt,
            0.2,
        );
        let wanted = 0.35 + 0.65 * features.level;
        self.breath += (wanted - self.breath) * (1.0 - (-scene.dt / 0.15).exp());
        let lines = lines.round().max(1.0) as usize;
        let step = length * self.breath / STEPS as f32;
        let mut pen = Pen::new(figure);
        for line in 0..lines {
            // Seeds of a sunflower: even everywhere.
            let ring = ((line as f32 + 0.5) / lines as f32).sqrt() * spread;
            let (sin, cos) = sin_cos(line as f32 * 0.381_966);
            let (mut x, mut y) = (ring * cos, ring * sin);
            for k in 0..=STEPS {
                let along = k as f32 / STEPS as f32;
                // Out of the dark and into it.
                let light = (6.0 * along + 0.15).min(4.0 * (1.0 - along) + 0.1).clamp(0.0, 1.0);
                pen.to_lit(x, y, light);
                let wind = 1.2
                    * noise(x * grain + self.way, y * grain + 0.37 * self.way, self.seed)
                    + gust * self.push * noise(x * 0.7, y * 0.7 - self.way, self.seed ^ 7);
                // Near the edge the wind goes around.
                let edge = (x * x + y * y) / (MAX_RADIUS * MAX_RADIUS);
                let around = y.atan2(x) / std::f32::consts::TAU + 0.25;
                let (sin, cos) = sin_cos(wind);
                let (edge_sin, edge_cos) = sin_cos(around);
                let share = (edge * edge).min(1.0);
                x += step * (cos * (1.0 - share) + edge_cos * share);
                y += step * (sin * (1.0 - share) + edge_sin * share);
            }
            pen.end_curve();
        }
    }
}
