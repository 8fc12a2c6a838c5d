//! Effects that show the drawing more than once: mirrors, kaleidoscope, rows of copies, trails.

use super::{Effect, EffectKind, copied, stride_for};
use crate::pattern::generators::{advance, sin_cos};
use crate::pattern::instrument::{MAX_STROKES, MAX_VERTICES};
use crate::pattern::{Figure, ParamSpec, Scene, Vertex};

/// One mirror through the centre.
pub(super) const MIRROR: EffectKind = EffectKind {
    id: "mirror",
    description: "Adds the image in a mirror that stands on the centre.",
    params: &[
        ParamSpec::new(
            "turn",
            "turns",
            [-0.5, 0.25, 0.5],
            "Direction of the mirror; 0.25 is upright.",
        ),
        ParamSpec::new("gap", "", [-0.5, 0.0, 0.5], "How far drawing and image are moved apart."),
        ParamSpec::new("light", "", [0.0, 1.0, 1.0], "Light of the image."),
    ],
    make: || Box::new(Mirror),
};

struct Mirror;

impl Effect for Mirror {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[turn, gap, light] = scene.params else { return };
        let stride = stride_for(from, to, 2);
        let (sin, cos) = sin_cos(turn);
        // Away from the mirror, to the side the drawing stays on.
        let (away_x, away_y) = (sin * gap, -cos * gap);
        copied(from, to, stride, |&Vertex { x, y, colour }| Vertex {
            x: x + away_x,
            y: y + away_y,
            colour,
        });
        let (double_sin, double_cos) = (2.0 * sin * cos, cos * cos - sin * sin);
        copied(from, to, stride, |&Vertex { x, y, colour }| Vertex {
            x: x * double_cos + y * double_sin - away_x,
            y: x * double_sin - y * double_cos - away_y,
            colour: colour.scaled(light),
        });
    }
}

/// Copies around the centre.
pub(super) const KALEIDOSCOPE: EffectKind = EffectKind {
    id: "kaleidoscope",
    description: "Copies around the centre, every other one mirrored.",
    params: &[
        ParamSpec::new("sides", "", [2.0, 6.0, 12.0], "Number of copies."),
        ParamSpec::new("size", "", [0.1, 0.5, 1.0], "Size of a copy."),
        ParamSpec::new("offset", "", [0.0, 0.4, 0.9], "Distance of a copy from the centre."),
        ParamSpec::new("turn", "turns", [-1.0, 0.0, 1.0], "Turn of every copy about itself."),
        ParamSpec::new("speed", "turns/s", [-2.0, 0.0, 2.0], "Steady turn of the whole."),
        ParamSpec::new(
            "mirrored",
            "",
            [0.0, 1.0, 1.0],
            "1 every other copy is mirrored, 0 none is.",
        ),
    ],
    make: || Box::new(Kaleidoscope { phase: 0.0 }),
};

struct Kaleidoscope {
    phase: f32,
}

impl Effect for Kaleidoscope {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[sides, size, offset, turn, speed, mirrored] = scene.params else { return };
        advance(&mut self.phase, speed * scene.dt);
        let sides = sides.round().max(1.0) as usize;
        let stride = stride_for(from, to, sides);
        let (turn_sin, turn_cos) = sin_cos(turn);
        for side in 0..sides {
            let flip = if mirrored >= 0.5 && side % 2 == 1 { -1.0 } else { 1.0 };
            let (sin, cos) = sin_cos(side as f32 / sides as f32 + self.phase);
            copied(from, to, stride, |&Vertex { x, y, colour }| {
                let (x, y) = (x * size, y * size);
                let (x, y) = (x * turn_cos - y * turn_sin + offset, x * turn_sin + y * turn_cos);
                let y = y * flip;
                Vertex { x: x * cos - y * sin, y: x * sin + y * cos, colour }
            });
        }
    }
}

/// A row of copies.
pub(super) const DUPLICATE: EffectKind = EffectKind {
    id: "duplicate",
    description: "A row of copies, each moved, turned and sized from the one before.",
    params: &[
        ParamSpec::new("copies", "", [1.0, 3.0, 8.0], "Number of copies, with the first."),
        ParamSpec::new("x", "", [-1.0, 0.0, 1.0], "To the right, from copy to copy."),
        ParamSpec::new("y", "", [-1.0, 0.0, 1.0], "Upwards, from copy to copy."),
        ParamSpec::new("turn", "turns", [-0.5, 0.05, 0.5], "Turn from copy to copy."),
        ParamSpec::new("size", "", [0.3, 0.8, 1.2], "Size from copy to copy."),
        ParamSpec::new("light", "", [0.2, 0.8, 1.0], "Light from copy to copy."),
        ParamSpec::new(
            "centred",
            "",
            [0.0, 1.0, 1.0],
            "1 the row stands in the middle, 0 it begins at the drawing.",
        ),
    ],
    make: || Box::new(Duplicate),
};

struct Duplicate;

impl Effect for Duplicate {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[copies, dx, dy, turn, size, light, centred] = scene.params else { return };
        let copies = copies.round().max(1.0) as usize;
        let stride = stride_for(from, to, copies);
        let back = if centred >= 0.5 { (copies - 1) as f32 * 0.5 } else { 0.0 };
        for copy in 0..copies {
            let number = copy as f32;
            let (sin, cos) = sin_cos(turn * number);
            let (grown, lit) = (size.powf(number), light.powf(number));
            let (left, low) = ((number - back) * dx, (number - back) * dy);
            copied(from, to, stride, |&Vertex { x, y, colour }| Vertex {
                x: (x * cos - y * sin) * grown + left,
                y: (x * sin + y * cos) * grown + low,
                colour: colour.scaled(lit),
            });
        }
    }
}

/// What was drawn a moment ago.
pub(super) const TRAIL: EffectKind = EffectKind {
    id: "trail",
    description: "Leaves behind what was drawn a moment ago, darker and darker.",
    params: &[
        ParamSpec::new("copies", "", [1.0, 2.0, 4.0], "How many moments are left behind."),
        ParamSpec::new("gap", "ms", [20.0, 80.0, 500.0], "Time from one to the next."),
        ParamSpec::new("light", "", [0.1, 0.5, 1.0], "Light from one to the next."),
        ParamSpec::new("size", "", [0.7, 1.0, 1.3], "Size from one to the next."),
    ],
    make: || {
        let past = std::array::from_fn(|_| Figure::with_capacity(MAX_VERTICES, MAX_STROKES));
        Box::new(Trail { past, newest: 0, kept: 0, since_s: 0.0 })
    },
};

const MOST_PAST: usize = 4;

struct Trail {
    past: [Figure; MOST_PAST],
    /// Where in `past` the newest moment stands.
    newest: usize,
    /// Moments there are.
    kept: usize,
    since_s: f32,
}

impl Effect for Trail {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[copies, gap_ms, light, size] = scene.params else { return };
        let copies = (copies.round() as usize).min(self.kept);
        let stride = stride_for(from, to, copies + 1);
        copied(from, to, stride, |vertex| *vertex);
        for age in 0..copies {
            let past = &self.past[(self.newest + MOST_PAST - age) % MOST_PAST];
            let (lit, grown) = (light.powi(age as i32 + 1), size.powi(age as i32 + 1));
            copied(past, to, stride, |&Vertex { x, y, colour }| Vertex {
                x: x * grown,
                y: y * grown,
                colour: colour.scaled(lit),
            });
        }
        self.since_s += scene.dt;
        if self.since_s >= gap_ms * 1e-3 {
            self.since_s = 0.0;
            self.newest = (self.newest + 1) % MOST_PAST;
            self.kept = (self.kept + 1).min(MOST_PAST);
            self.past[self.newest].copy_from(from);
        }
    }
}
