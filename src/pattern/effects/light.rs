//! Effects on the light alone: strobe, colours that go around, shade from place to place.

use super::{Effect, EffectKind, copied};
use crate::pattern::colouring::turned;
use crate::pattern::generators::{advance, sin_cos};
use crate::pattern::{Figure, ParamSpec, Scene, Vertex};
use crate::point::Colour;

/// Flashes, never faster than people with photosensitive epilepsy are taken to bear.
pub(super) const STROBE: EffectKind = EffectKind {
    id: "strobe",
    description: "Light in flashes: never more than three a second, whatever moves it.",
    params: &[
        ParamSpec::new("rate", "Hz", [0.1, 2.0, 3.0], "Flashes a second."),
        ParamSpec::new("share", "", [0.1, 0.5, 0.9], "Share of the time that is lit."),
        ParamSpec::new("depth", "", [0.0, 0.7, 1.0], "How dark it is between."),
    ],
    make: || Box::new(Strobe { phase: 0.0 }),
};

struct Strobe {
    /// Turns since the last flash began: it begins anew only after a whole turn, so a moved rate or share cannot make
    /// flashes follow each other faster than the highest rate.
    phase: f32,
}

impl Effect for Strobe {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[rate, share, depth] = scene.params else { return };
        advance(&mut self.phase, rate * scene.dt);
        let light = if self.phase < share { 1.0 } else { 1.0 - depth };
        copied(from, to, 1, |vertex| Vertex { colour: vertex.colour.scaled(light), ..*vertex });
    }
}

/// Colours around the wheel.
pub(super) const COLOUR_CYCLE: EffectKind = EffectKind {
    id: "colour_cycle",
    description: "Turns all colours around the colour wheel, more with the distance from the centre.",
    params: &[
        ParamSpec::new("turn", "turns", [-1.0, 0.0, 1.0], "Fixed turn."),
        ParamSpec::new("speed", "turns/s", [-4.0, 0.2, 4.0], "Steady turn."),
        ParamSpec::new("spread", "turns", [-2.0, 0.0, 2.0], "Turn from the centre to the edge."),
    ],
    make: || Box::new(ColourCycle { phase: 0.0 }),
};

struct ColourCycle {
    phase: f32,
}

impl Effect for ColourCycle {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[turn, speed, spread] = scene.params else { return };
        advance(&mut self.phase, speed * scene.dt);
        let all = turn + self.phase;
        copied(from, to, 1, |vertex| {
            let hue = all + spread * vertex.x.hypot(vertex.y);
            Vertex { colour: turned(vertex.colour, hue, 1.0), ..*vertex }
        });
    }
}

/// A shadow that moves over it.
pub(super) const SHADE: EffectKind = EffectKind {
    id: "shade",
    description: "Stripes of shadow move over the drawing.",
    params: &[
        ParamSpec::new("depth", "", [0.0, 0.8, 1.0], "How dark the shadow is."),
        ParamSpec::new("stripes", "", [0.2, 1.0, 8.0], "Stripes across the field."),
        ParamSpec::new("speed", "stripes/s", [-4.0, 0.5, 4.0], "How fast they move."),
        ParamSpec::new(
            "turn",
            "turns",
            [-0.5, 0.0, 0.5],
            "Direction they move in; 0 to the right.",
        ),
        ParamSpec::new("around", "", [0.0, 0.0, 1.0], "1 they go around the centre instead."),
    ],
    make: || Box::new(Shade { phase: 0.0 }),
};

struct Shade {
    phase: f32,
}

impl Effect for Shade {
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure) {
        let &[depth, stripes, speed, turn, around] = scene.params else { return };
        advance(&mut self.phase, speed * scene.dt);
        let (sin, cos) = sin_cos(turn);
        let phase = self.phase;
        copied(from, to, 1, |vertex| {
            let place = if around >= 0.5 {
                vertex.y.atan2(vertex.x) / std::f32::consts::TAU * stripes.round().max(1.0)
            } else {
                (vertex.x * cos + vertex.y * sin) * 0.5 * stripes
            };
            let shadow = 0.5 - 0.5 * sin_cos(place - phase).1;
            let Colour { r, g, b } = vertex.colour;
            let light = 1.0 - depth * shadow;
            Vertex { colour: Colour::rgb(r * light, g * light, b * light), ..*vertex }
        });
    }
}
