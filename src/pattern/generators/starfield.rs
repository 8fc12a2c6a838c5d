//! A flight through stars.

use super::advance;
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "starfield",
    name: "Starfield",
    description: "A flight through stars; loudness is speed, an attack jumps ahead.",
    params: &[
        ParamSpec::new("stars", "", [4.0, 20.0, 32.0], "Number of stars."),
        ParamSpec::new("speed", "1/s", [0.05, 0.5, 2.0], "Speed at full loudness."),
        ParamSpec::new("surge", "", [0.0, 2.0, 6.0], "How much an attack adds to the speed."),
        ParamSpec::new("streak", "", [0.02, 0.12, 0.4], "Length of the streaks."),
        ParamSpec::new("swirl", "turns", [-0.5, 0.05, 0.5], "Turn of a star on its way."),
        ParamSpec::new("spin", "turns/s", [-1.0, 0.02, 1.0], "Steady turn."),
    ],
    make: |from| {
        let mut random = Random::new(from.seed);
        let stars = std::array::from_fn(|index| {
            // Spread evenly at first, so that no part of the sky is bare.
            let angle = (index as f32 * 0.618_034 + 0.1 * random.unit()).fract();
            Star { angle, spread: random.between(0.25, 1.0), near: random.unit() }
        });
        Box::new(Starfield { stars, random, turn: 0.0 })
    },
};

const MOST_STARS: usize = 32;

#[derive(Clone, Copy)]
struct Star {
    /// Direction in turns.
    angle: f32,
    /// Distance from the axis of flight.
    spread: f32,
    /// 0 far away, 1 passing the eye.
    near: f32,
}

struct Starfield {
    stars: [Star; MOST_STARS],
    random: Random,
    turn: f32,
}

impl Pattern for Starfield {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[stars, speed, surge, streak, swirl, spin] = scene.params else { return };
        let features = scene.features;
        let drive = 0.2 + 0.8 * features.level + surge * features.onset.envelope;
        advance(&mut self.turn, spin * scene.dt);
        for star in &mut self.stars {
            star.near += speed * drive * scene.dt * 0.6;
            if star.near >= 1.0 || distance(star, star.near) > MAX_RADIUS {
                *star = Star {
                    angle: (star.angle + self.random.between(0.2, 0.8)).fract(),
                    spread: self.random.between(0.25, 1.0),
                    near: 0.0,
                };
            }
        }
        let length = streak * (0.5 + 0.5 * drive.min(2.0));
        let mut pen = Pen::new(figure);
        for star in &self.stars[..(stars.round() as usize).min(MOST_STARS)] {
            let tail = (star.near - length * (0.3 + star.near)).max(0.0);
            // Out of the dark, into full light.
            let light = (star.near * 4.0).min(1.0);
            for (near, level) in [(tail, 0.6 * light), (star.near, light)] {
                let r = distance(star, near);
                let (sin, cos) = super::sin_cos(star.angle + self.turn + swirl * near);
                pen.to_lit(r * cos, r * sin, level);
            }
            pen.end_corners();
        }
    }
}

/// Distance from the centre as the eye sees it: slow far away, fast when near.
fn distance(star: &Star, near: f32) -> f32 {
    star.spread * 0.24 / (1.14 - near)
}
