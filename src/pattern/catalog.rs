//! Every generator, once. Adding one is a file in `generators/`, a line here, and its section in
//! `docs/presets.md`.

use super::Pattern;
use super::generators::{
    beams, circle, comets, helix, knot, lissajous, mask, polygon, portrait, ripples, rose, scope,
    solid, spectrum_bars, spectrum_ring, spirograph, star, starfield, terrain, tunnel,
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
    /// Makes one, with all the memory it will ever need; the same seed makes the same drawing.
    pub make: fn(seed: u64) -> Box<dyn Pattern>,
}

/// A parameter of a generator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamSpec {
    /// The key used in presets.
    pub name: &'static str,
    /// Its unit, empty for plain numbers.
    pub unit: &'static str,
    /// Smallest value.
    pub min: f32,
    /// Largest value.
    pub max: f32,
    /// The value when a preset names none.
    pub default: f32,
    /// One line about it.
    pub help: &'static str,
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
    rose::GENERATOR,
    lissajous::GENERATOR,
    spirograph::GENERATOR,
    knot::GENERATOR,
    helix::GENERATOR,
    solid::GENERATOR,
    tunnel::GENERATOR,
    terrain::GENERATOR,
    scope::GENERATOR,
    portrait::GENERATOR,
    spectrum_ring::GENERATOR,
    spectrum_bars::GENERATOR,
    starfield::GENERATOR,
    comets::GENERATOR,
    beams::GENERATOR,
    mask::GENERATOR,
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
                assert!(typeable(spec.name) && names.insert(spec.name), "{}", spec.name);
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
