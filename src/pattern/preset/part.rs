//! What a preset is made of: drawings, each with parameters, colours and effects.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pattern::ParamSpec;
use crate::pattern::catalog::{Generator, Lines};
use crate::pattern::colouring::{ColourScheme, is_one, one};
use crate::pattern::formula::{Formula, FormulaError};
use crate::pattern::modulation::{Modulation, is_default};

/// The `[formula]` table: what the generator `formula` computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormulaScheme {
    /// Runs once a frame.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub frame: String,
    /// Runs for every point.
    pub point: String,
    /// A line leads from the last point of a stroke back to its first.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub closed: bool,
    /// The points are no corners.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub smooth: bool,
    /// Parameters of its own, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, UserParam>,
}

fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_yes(value: &bool) -> bool {
    *value
}

impl FormulaScheme {
    /// Compiles the texts.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn compile(&self) -> Result<Formula, FormulaError> {
        let names: Vec<&str> = self.params.keys().map(String::as_str).collect();
        Formula::compile(&self.frame, &self.point, &names)
    }

    /// How the points are joined.
    #[must_use]
    pub const fn lines(&self) -> Lines {
        Lines { closed: self.closed, smooth: self.smooth }
    }
}

/// A parameter that a formula declares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserParam {
    /// The value when nothing sets it.
    pub default: f32,
    /// Smallest value.
    #[serde(default, skip_serializing_if = "is_default")]
    pub min: f32,
    /// Largest value.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub max: f32,
    /// Its unit, empty for plain numbers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// One line about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
}

/// A row of `[[effects]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectScheme {
    /// The effect's id in the catalog of effects.
    pub effect: String,
    /// Parameters that differ from its defaults, each in its own unit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, f32>,
    /// What of the music moves them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modulate: Vec<Modulation>,
}

/// What a layer does with what was drawn before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerMode {
    /// Both are seen.
    #[default]
    Over,
    /// What was drawn before becomes this drawing, as far as `amount` says.
    Morph,
}

impl LayerMode {
    /// Every mode with its key in presets.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Over, "over"), (Self::Morph, "morph")];
}

/// A row of `[[layers]]`: one more drawing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The generator's id in the catalog.
    pub generator: String,
    /// What it does with what was drawn before it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mode: LayerMode,
    /// `over`: its share of light; `morph`: 0 what was before, 1 this drawing.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub amount: f32,
    /// Seed of everything random in it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub seed: u32,
    /// What the generator `text` writes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Parameters that differ from the generator's defaults, each in its own unit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, f32>,
    /// What the generator `formula` computes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<FormulaScheme>,
    /// The colours.
    #[serde(default, skip_serializing_if = "is_default")]
    pub colour: ColourScheme,
    /// What of the music moves its parameters, and its `amount`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modulate: Vec<Modulation>,
    /// What is done to it, in this order, before it meets the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<EffectScheme>,
}

impl Layer {
    pub(in crate::pattern) fn part(&self) -> Part<'_> {
        Part {
            generator: &self.generator,
            seed: self.seed,
            text: &self.text,
            params: &self.params,
            formula: self.formula.as_ref(),
            colour: &self.colour,
            modulate: &self.modulate,
            effects: &self.effects,
            layer: Some((self.mode, self.amount)),
        }
    }
}

/// The name under which rows of a layer move its amount.
pub(in crate::pattern) const AMOUNT: &str = "amount";

/// One drawing of a preset, wherever it stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::pattern) struct Part<'a> {
    pub(in crate::pattern) generator: &'a str,
    pub(in crate::pattern) seed: u32,
    pub(in crate::pattern) text: &'a str,
    pub(in crate::pattern) params: &'a BTreeMap<String, f32>,
    pub(in crate::pattern) formula: Option<&'a FormulaScheme>,
    pub(in crate::pattern) colour: &'a ColourScheme,
    pub(in crate::pattern) modulate: &'a [Modulation],
    pub(in crate::pattern) effects: &'a [EffectScheme],
    /// For a layer: what it does, and how much.
    pub(in crate::pattern) layer: Option<(LayerMode, f32)>,
}

impl Part<'_> {
    /// Its parameters: the generator's, then those of its formula, then a layer's amount.
    pub(in crate::pattern) fn specs(&self, generator: &Generator) -> Cow<'static, [ParamSpec]> {
        if self.formula.is_none() && self.layer.is_none() {
            return Cow::Borrowed(generator.params);
        }
        let mut specs = generator.params.to_vec();
        let own = self.formula.iter().flat_map(|formula| &formula.params);
        specs.extend(own.map(|(name, param)| ParamSpec {
            name: Cow::Owned(name.clone()),
            unit: Cow::Owned(param.unit.clone()),
            min: param.min,
            max: param.max,
            default: param.default,
            help: Cow::Owned(param.help.clone()),
        }));
        if let Some((_, amount)) = self.layer {
            specs.push(ParamSpec::new(
                AMOUNT,
                "",
                [0.0, amount, 1.0],
                "How much of the layer is seen.",
            ));
        }
        Cow::Owned(specs)
    }

    /// The value of every one of `specs`: the one set, or the default.
    pub(in crate::pattern) fn values(&self, specs: &[ParamSpec]) -> Vec<f32> {
        set_values(self.params, specs)
    }
}

/// The value of every one of `specs`: the one in `set`, or the default.
pub(in crate::pattern) fn set_values(set: &BTreeMap<String, f32>, specs: &[ParamSpec]) -> Vec<f32> {
    let value = |spec: &ParamSpec| set.get(spec.name.as_ref()).copied().unwrap_or(spec.default);
    specs.iter().map(value).collect()
}
