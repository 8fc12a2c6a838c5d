//! Sparks: every attack throws a handful of them.

use super::sin_cos;
use crate::pattern::pen::Pen;
use crate::pattern::random::Random;
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "fireworks",
    name: "Fireworks",
    description: "Every attack throws sparks that fly, fall and fade; a small flame is always there.",
    params: &[
        ParamSpec::new("sparks", "", [3.0, 9.0, 16.0], "Sparks of an attack of full strength."),
        ParamSpec::new("speed", "1/s", [0.2, 1.1, 3.0], "How fast they fly."),
        ParamSpec::new("gravity", "1/s²", [-2.0, 0.7, 3.0], "How fast they fall."),
        ParamSpec::new("life", "s", [0.2, 0.9, 2.5], "How long they glow."),
        ParamSpec::new(
            "tail",
            "ms",
            [5.0, 60.0, 200.0],
            "Length of a spark, as the time it flies.",
        ),
        ParamSpec::new("spread", "", [0.0, 0.45, 0.7], "How far from the middle they begin."),
        ParamSpec::new("flame", "", [0.02, 0.07, 0.4], "Size of the flame in the middle."),
    ],
    make: |from| {
        let spark = Spark { at: [0.0; 2], speed: [0.0; 2], age_s: f32::MAX };
        let random = Random::new(from.seed);
        Box::new(Fireworks { sparks: [spark; MOST_SPARKS], next: 0, random, seen: 0, sway: 0.0 })
    },
};

const MOST_SPARKS: usize = 40;
const FLAME_VERTICES: usize = 32;

#[derive(Clone, Copy)]
struct Spark {
    at: [f32; 2],
    speed: [f32; 2],
    age_s: f32,
}

struct Fireworks {
    sparks: [Spark; MOST_SPARKS],
    next: usize,
    random: Random,
    seen: u32,
    sway: f32,
}

impl Pattern for Fireworks {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[sparks, speed, gravity, life, tail, spread, flame] = scene.params else { return };
        let features = scene.features;
        let dt = scene.dt;
        if dt > 0.0 && features.onset.count != self.seen {
            self.seen = features.onset.count;
            let strength = features.onset.strength.clamp(0.0, 1.0);
            let thrown = (sparks * (0.4 + 0.6 * strength)).round() as usize;
            let (sin, cos) = sin_cos(self.random.unit());
            let out = spread * self.random.unit();
            let from = [out * cos, out * sin];
            let first = self.random.unit();
            for spark in 0..thrown {
                let (sin, cos) = sin_cos(first + spark as f32 / thrown as f32);
                let pace = speed * (0.5 + 0.5 * strength) * self.random.between(0.6, 1.0);
                self.sparks[self.next] =
                    Spark { at: from, speed: [pace * cos, pace * sin], age_s: 0.0 };
                self.next = (self.next + 1) % MOST_SPARKS;
            }
        }
        self.sway = (self.sway + dt * 3.1) % 1_000.0;
        let mut pen = Pen::new(figure);
        for k in 0..FLAME_VERTICES {
            let (sin, cos) = sin_cos(k as f32 / FLAME_VERTICES as f32);
            let lick = 0.25 * (3.0 * cos + self.sway).sin() * (2.0 * sin - 1.7 * self.sway).cos();
            let r = flame * (0.7 + 0.6 * features.level + 0.8 * features.bands.bass + lick);
            pen.to(r * cos, r * sin);
        }
        pen.close_curve();
        for spark in &mut self.sparks {
            if spark.age_s >= life {
                continue;
            }
            spark.age_s += dt;
            spark.speed[1] -= gravity * dt;
            for (at, speed) in spark.at.iter_mut().zip(&mut spark.speed) {
                // Air: what is fast is slowed.
                *speed *= (-1.1 * dt).exp();
                *at += *speed * dt;
            }
            let [x, y] = spark.at;
            if x.hypot(y) > 1.1 {
                spark.age_s = f32::MAX;
                continue;
            }
            let light = (1.0 - spark.age_s / life).clamp(0.0, 1.0).sqrt();
            let behind = tail * 1e-3;
            let [vx, vy] = spark.speed;
            pen.to_lit(x - vx * behind, y - vy * behind, 0.4 * light);
            pen.to_lit(x, y, light);
            pen.end_corners();
        }
    }
}
