//! Effects that bend the drawing: waves, twist, lens, shiver.

use super::{Effect, EffectKind, copied};
use crate::pattern::formula::noise;
use crate::pattern::generators::{advance, sin_cos};
use crate::pattern::{Figure, ParamSpec, Scene, Vertex};

/// A wave that runs through it.
pub(super) const WAVE: EffectKind = EffectKind {
    id: "wave",
    description: "A wave runs through the drawing and moves it sideways.",
    params: &[
        ParamSpec::new("depth", "", [0.0, 0.1, 0.6], "How far it is moved."),
        ParamSpec::new("waves", "", [0.2, 2.0, 12.0], "Waves across the field."),
        ParamSpec::new("speed", "waves/s", [-4.0, 0.5, 4.0], "How fast they run."),
        ParamSpec::new("turn", "turns", [-0.5, 0.0, 0.5], "Direction they run in; 0 to the right."),
    ],
    make: || Box::new(Wave { phase: 0.0 }),
};

struct Wave {
    phase: f32,
}

impl Effect for Wave {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[depth, waves, speed, turn] = scene.params else { return };
        advance(&mut self.phase, speed * scene.dt);
        let (sin, cos) = sin_cos(turn);
        let phase = self.phase;
        copied(from, to, 1, |&Vertex { x, y, colour }| {
            let along = x * cos + y * sin;
            let push = depth * sin_cos(along * 0.5 * waves - phase).0;
            Vertex { x: x - push * sin, y: y + push * cos, colour }
        });
    }
}

/// The edge turned against the middle.
pub(super) const TWIST: EffectKind = EffectKind {
    id: "twist",
    description: "Turns the edge against the middle.",
    params: &[
        ParamSpec::new("turns", "turns", [-2.0, 0.25, 2.0], "How far the edge is turned."),
        ParamSpec::new("bend", "", [0.5, 1.0, 4.0], "1 evenly, more: the edge alone."),
    ],
    make: || Box::new(Twist),
};

struct Twist;

impl Effect for Twist {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[turns, bend] = scene.params else { return };
        copied(from, to, 1, |&Vertex { x, y, colour }| {
            let (sin, cos) = sin_cos(turns * x.hypot(y).powf(bend));
            Vertex { x: x * cos - y * sin, y: x * sin + y * cos, colour }
        });
    }
}

/// A lens over the middle.
pub(super) const LENS: EffectKind = EffectKind {
    id: "lens",
    description: "A lens over the middle: above 0 it swells, below 0 it shrinks.",
    params: &[
        ParamSpec::new("power", "", [-0.9, 0.3, 0.9], "How strong it is."),
        ParamSpec::new("x", "", [-1.0, 0.0, 1.0], "Where it lies, to the right."),
        ParamSpec::new("y", "", [-1.0, 0.0, 1.0], "Where it lies, upwards."),
    ],
    make: || Box::new(Lens),
};

struct Lens;

impl Effect for Lens {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[power, centre_x, centre_y] = scene.params else { return };
        copied(from, to, 1, |&Vertex { x, y, colour }| {
            let (dx, dy) = (x - centre_x, y - centre_y);
            let distance = dx.hypot(dy).min(1.0);
            // A power of the distance: 1 stays at 1.
            let grow = if distance > 1e-4 { distance.powf(-power) } else { 1.0 };
            let grow = grow.min(8.0);
            Vertex { x: centre_x + dx * grow, y: centre_y + dy * grow, colour }
        });
    }
}

/// A restless hand.
pub(super) const SHIVER: EffectKind = EffectKind {
    id: "shiver",
    description: "Bends the drawing with smooth chance, as heat bends the air.",
    params: &[
        ParamSpec::new("depth", "", [0.0, 0.06, 0.5], "How far it is bent."),
        ParamSpec::new("grain", "", [0.5, 3.0, 16.0], "Bends across the field."),
        ParamSpec::new("speed", "1/s", [0.0, 1.5, 16.0], "How fast they change."),
    ],
    make: || Box::new(Shiver { way: 0.0 }),
};

struct Shiver {
    way: f32,
}

impl Effect for Shiver {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[depth, grain, speed] = scene.params else { return };
        self.way = (self.way + speed * scene.dt).rem_euclid(4_096.0);
        let way = self.way;
        copied(from, to, 1, |&Vertex { x, y, colour }| {
            let bend = |seed| noise(x * grain + way, y * grain - way * 0.7, seed);
            Vertex { x: x + depth * bend(1), y: y + depth * bend(2), colour }
        });
    }
}
