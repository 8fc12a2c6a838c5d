//! Effects that move the whole drawing: turned, stretched, shifted, leaned.

use super::{Effect, EffectKind, copied};
use crate::pattern::generators::{advance, projected, sin_cos, turned};
use crate::pattern::modulation::beats;
use crate::pattern::{Figure, ParamSpec, Scene, Vertex};

/// Turns about the centre.
pub(super) const ROTATE: EffectKind = EffectKind {
    id: "rotate",
    description: "Turns the drawing about the centre.",
    params: &[
        ParamSpec::new("turn", "turns", [-1.0, 0.0, 1.0], "Fixed turn, counter-clockwise."),
        ParamSpec::new("speed", "turns/s", [-4.0, 0.0, 4.0], "Steady turn."),
        ParamSpec::new("per_bar", "turns", [-4.0, 0.0, 4.0], "Turn in a bar of four beats."),
    ],
    make: || Box::new(Rotate { phase: 0.0 }),
};

struct Rotate {
    phase: f32,
}

impl Effect for Rotate {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[turn, speed, per_bar] = scene.params else { return };
        advance(&mut self.phase, speed * scene.dt);
        let bars = beats(scene.features, scene.media) * 0.25 * f64::from(per_bar);
        let (sin, cos) = sin_cos(turn + self.phase + bars.rem_euclid(1.0) as f32);
        copied(from, to, 1, |&Vertex { x, y, colour }| Vertex {
            x: x * cos - y * sin,
            y: x * sin + y * cos,
            colour,
        });
    }
}

/// Makes it larger, smaller, wider, flatter.
pub(super) const STRETCH: EffectKind = EffectKind {
    id: "stretch",
    description: "Makes the drawing larger or smaller, wider or higher; below 0 it is flipped.",
    params: &[
        ParamSpec::new("size", "", [0.0, 1.0, 2.0], "Both ways."),
        ParamSpec::new("across", "", [-2.0, 1.0, 2.0], "From left to right."),
        ParamSpec::new("up", "", [-2.0, 1.0, 2.0], "From bottom to top."),
    ],
    make: || Box::new(Stretch),
};

struct Stretch;

impl Effect for Stretch {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[size, across, up] = scene.params else { return };
        copied(from, to, 1, |&Vertex { x, y, colour }| Vertex {
            x: x * size * across,
            y: y * size * up,
            colour,
        });
    }
}

/// Moves it aside.
pub(super) const SHIFT: EffectKind = EffectKind {
    id: "shift",
    description: "Moves the drawing aside.",
    params: &[
        ParamSpec::new("x", "", [-1.0, 0.0, 1.0], "To the right."),
        ParamSpec::new("y", "", [-1.0, 0.0, 1.0], "Upwards."),
    ],
    make: || Box::new(Shift),
};

struct Shift;

impl Effect for Shift {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[dx, dy] = scene.params else { return };
        copied(from, to, 1, |&Vertex { x, y, colour }| Vertex { x: x + dx, y: y + dy, colour });
    }
}

/// Turns it in space, as a disc of glass would.
pub(super) const LEAN: EffectKind = EffectKind {
    id: "lean",
    description: "Turns the drawing in space, seen in perspective.",
    params: &[
        ParamSpec::new("spin", "turns", [-0.5, 0.0, 0.5], "Turn about the vertical."),
        ParamSpec::new("tilt", "turns", [-0.5, 0.12, 0.5], "Turn about the horizontal."),
        ParamSpec::new("speed", "turns/s", [-1.0, 0.0, 1.0], "Steady turn about the vertical."),
        ParamSpec::new(
            "eye",
            "",
            [1.4, 2.4, 6.0],
            "Distance of the eye: nearer is more perspective.",
        ),
        ParamSpec::new("fade", "", [0.0, 0.3, 0.9], "How dark the far side is."),
    ],
    make: || Box::new(Lean { phase: 0.0 }),
};

struct Lean {
    phase: f32,
}

impl Effect for Lean {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[spin, tilt, speed, eye, fade] = scene.params else { return };
        advance(&mut self.phase, speed * scene.dt);
        let (spin, tilt) = (sin_cos(spin + self.phase), sin_cos(tilt));
        copied(from, to, 1, |vertex| {
            let space = turned([vertex.x, vertex.y, 0.0], spin, tilt);
            let (x, y) = projected(space, eye);
            let light = 1.0 - fade * (0.5 - 0.5 * space[2]).clamp(0.0, 1.0);
            Vertex { x, y, colour: vertex.colour.scaled(light) }
        });
    }
}
