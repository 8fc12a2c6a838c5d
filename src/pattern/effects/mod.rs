//! What can be done to a drawing after it is drawn and coloured: a chain of effects, each with parameters that the
//! music may move.
//!
//! An effect reads one figure and writes another; where copies do not fit, curves are thinned out before anything
//! is lost. Adding one is a function or a struct in a file of its subject, and a line in [`EFFECTS`].

mod copies;
mod cut;
mod light;
mod place;
mod warp;

pub use super::morph::morph;

use super::{Figure, ParamSpec, Scene, Stroke, Vertex};

/// A kind of effect.
#[derive(Clone, Copy, Debug)]
pub struct EffectKind {
    /// The key used in presets.
    pub id: &'static str,
    /// One line about it.
    pub description: &'static str,
    /// Its parameters, in the order `Scene::params` has them.
    pub params: &'static [ParamSpec],
    /// Makes one, with all the memory it will ever need.
    pub make: fn() -> Box<dyn Effect>,
}

/// An effect at play. It may hold state, moved only by `dt`.
pub trait Effect: Send {
    /// Writes what becomes of `from` into the empty figure `to`. Real-time: no allocation, lock or clock.
    fn apply(&mut self, scene: &Scene<'_>, from: &Figure, to: &mut Figure);
}

/// Every effect, in the order of the guide.
pub const EFFECTS: &[EffectKind] = &[
    place::ROTATE,
    place::STRETCH,
    place::SHIFT,
    place::LEAN,
    copies::MIRROR,
    copies::KALEIDOSCOPE,
    copies::DUPLICATE,
    copies::TRAIL,
    warp::WAVE,
    warp::TWIST,
    warp::LENS,
    warp::SHIVER,
    cut::DASH,
    cut::DOTS,
    cut::REVEAL,
    light::STROBE,
    light::COLOUR_CYCLE,
    light::SHADE,
];

/// The effect of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static EffectKind> {
    EFFECTS.iter().find(|effect| effect.id == id)
}

/// Copies the strokes of `from`, every vertex changed by `change`; of curves only every `stride`th vertex.
fn copied(from: &Figure, to: &mut Figure, stride: usize, change: impl Fn(&Vertex) -> Vertex) {
    for stroke in from.strokes() {
        copy_stroke(from, stroke, to, stride, &change);
    }
}

fn copy_stroke(
    from: &Figure,
    stroke: &Stroke,
    to: &mut Figure,
    stride: usize,
    change: &impl Fn(&Vertex) -> Vertex,
) {
    let vertices = from.vertices_of(stroke);
    // Corners are few and each of them counts.
    let stride = if stroke.smooth && vertices.len() >= 8 * stride { stride.max(1) } else { 1 };
    to.begin();
    for (index, vertex) in vertices.iter().enumerate() {
        let is_end = index + 1 == vertices.len() && !stroke.closed;
        if index % stride == 0 || is_end {
            let Vertex { x, y, colour } = change(vertex);
            to.vertex(x, y, colour);
        }
    }
    to.end(stroke.closed, stroke.smooth);
}

/// By how much curves are thinned out so that `copies` of `from` fit.
fn stride_for(from: &Figure, to: &Figure, copies: usize) -> usize {
    (from.len() * copies).div_ceil(to.capacity().max(1)).max(1)
}

#[cfg(test)]
mod tests;
