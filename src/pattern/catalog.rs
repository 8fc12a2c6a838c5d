//! Every generator, once. Adding one is a file in `generators/`, a line here, and its section in
//! `docs/presets.md`.

use std::borrow::Cow;

use super::Pattern;
use super::formula::Formula;
use super::generators::{
    beams, circle, comets, fireworks, flow, formula, fractal, grid, helix, knot, lissajous, mask,
    metaballs, polygon, polyhedron, portrait, ripples, rose, scope, sheet, solid, spectrum_bars,
    spectrum_ring, spirograph, star, starfield, superformula, terrain, test_pattern, text, tunnel,
};

/// A kind of drawing.
#[derive(Clone, Copy, Debug)]
pub struct Generator {
    /// The key used in presets.
    pub id: &'static str,
    /// The name an operator reads.
    pub name: &'static str,
    /// One line about it.
    pub description: &'static str,
    /// Its parameters, in the order `Scene::params` has them.
    pub params: &'static [ParamSpec],
    /// Makes one, with all the memory it will ever need; the same making makes the same drawing.
    pub make: fn(from: &Making<'_>) -> Box<dyn Pattern>,
}

/// What a generator is made from, besides its parameters.
#[derive(Clone, Copy, Debug)]
pub struct Making<'a> {
    /// Where everything random begins.
    pub seed: u64,
    /// What `text` writes.
    pub text: &'a str,
    /// What `formula` computes.
    pub formula: Option<&'a Formula>,
    /// What `formula` draws with it.
    pub lines: Lines,
}

impl Making<'_> {
    /// From a seed, with nothing else given.
    #[must_use]
    pub const fn plain(seed: u64) -> Self {
        Self { seed, text: "", formula: None, lines: Lines::CURVE }
    }
}

/// How the points of a formula are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines {
    /// A line leads from the last point back to the first.
    pub closed: bool,
    /// The points are no corners.
    pub smooth: bool,
}

impl Lines {
    /// A closed curve.
    pub const CURVE: Self = Self { closed: true, smooth: true };
}

/// A parameter of a generator.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamSpec {
    /// The key used in presets.
    pub name: Cow<'static, str>,
    /// Its unit, empty for plain numbers.
    pub unit: Cow<'static, str>,
    /// Smallest value.
    pub min: f32,
    /// Largest value.
    pub max: f32,
    /// The value when a preset names none.
    pub default: f32,
    /// One line about it.
    pub help: Cow<'static, str>,
}

impl ParamSpec {
    /// A parameter; `range` is smallest, default, largest.
    #[must_use]
    pub const fn new(
        name: &'static str,
        unit: &'static str,
        range: [f32; 3],
        help: &'static str,
    ) -> Self {
        let [min, default, max] = range;
        let (name, unit, help) = (Cow::Borrowed(name), Cow::Borrowed(unit), Cow::Borrowed(help));
        Self { name, unit, min, max, default, help }
    }

    /// The value held within the range; what is not a number becomes the default.
    #[must_use]
    pub fn clamped(&self, value: f32) -> f32 {
        if value.is_nan() { self.default } else { value.clamp(self.min, self.max) }
    }

    /// Largest minus smallest value.
    #[must_use]
    pub fn span(&self) -> f32 {
        self.max - self.min
    }
}

impl Generator {
    /// The place of a parameter in `params`.
    #[must_use]
    pub fn index_of(&self, param: &str) -> Option<usize> {
        self.params.iter().position(|spec| spec.name == param)
    }
}

/// Every generator, in the order a list shows them.
pub const GENERATORS: &[Generator] = &[
    circle::GENERATOR,
    ripples::GENERATOR,
    polygon::GENERATOR,
    star::GENERATOR,
    superformula::GENERATOR,
    rose::GENERATOR,
    lissajous::GENERATOR,
    spirograph::GENERATOR,
    fractal::GENERATOR,
    knot::GENERATOR,
    helix::GENERATOR,
    solid::GENERATOR,
    polyhedron::GENERATOR,
    grid::GENERATOR,
    tunnel::GENERATOR,
    terrain::GENERATOR,
    metaballs::GENERATOR,
    flow::GENERATOR,
    scope::GENERATOR,
    portrait::GENERATOR,
    spectrum_ring::GENERATOR,
    spectrum_bars::GENERATOR,
    starfield::GENERATOR,
    comets::GENERATOR,
    fireworks::GENERATOR,
    beams::GENERATOR,
    mask::GENERATOR,
    sheet::GENERATOR,
    text::GENERATOR,
    formula::GENERATOR,
    test_pattern::GENERATOR,
];

/// The generator of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Generator> {
    GENERATORS.iter().find(|generator| generator.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_and_parameter_names_are_unique_and_typeable() {
        let typeable =
            |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let mut ids = HashSet::new();
        for generator in GENERATORS {
            assert!(typeable(generator.id) && ids.insert(generator.id), "{}", generator.id);
            let mut names = HashSet::new();
            for spec in generator.params {
                assert!(typeable(&spec.name) && names.insert(&spec.name), "{}", spec.name);
            }
        }
    }

    #[test]
    fn every_default_lies_within_a_real_range() {
        for generator in GENERATORS {
            for spec in generator.params {
                let ordered = spec.min < spec.max && spec.clamped(spec.default) == spec.default;
                assert!(ordered, "{}.{}", generator.id, spec.name);
                assert!(spec.help.ends_with('.'), "{}.{}", generator.id, spec.name);
            }
        }
    }
}
