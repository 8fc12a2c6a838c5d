//! Presets as text: TOML in, a checked value out, and back.
//!
//! Pure: files are the library's. A text that is wrong is answered with the place, the reason and, where a
//! name is close to a real one, that name.

mod check;
mod mistake;
mod part;
pub mod rewrite;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use mistake::{Place, PresetError};
pub use part::{EffectScheme, FormulaScheme, Layer, LayerMode, UserParam};

use super::ParamSpec;
use super::catalog::Generator;
use super::colouring::{ColourScheme, is_one, one};
use super::modulation::{Modulation, is_default};
use mistake::Mistake;
pub(crate) use mistake::did_you_mean;
pub(super) use part::{AMOUNT, Part, set_values};

/// The version of the preset format written, and the only one read.
pub const PRESET_VERSION: i64 = 1;
/// A preset is a page of text; longer files are refused unread.
pub const MAX_PRESET_BYTES: usize = 64 * 1024;
/// Most rows of one `modulate` list.
pub const MAX_MODULATIONS: usize = 32;
/// Most effects of a drawing.
pub const MAX_EFFECTS: usize = 8;
/// Most further drawings beside the first.
pub const MAX_LAYERS: usize = 4;
/// Most characters that a drawing writes.
pub const MAX_TEXT_CHARS: usize = 120;

/// What `[[look.modulate]]` rows may move.
pub const LOOK_TARGETS: &[ParamSpec] = &[
    ParamSpec::new("brightness", "", [0.0, 1.0, 1.0], "All light of the figure."),
    ParamSpec::new("scale", "", [0.05, 1.0, 1.0], "Size of the figure."),
    ParamSpec::new("rotation", "turns", [0.0, 0.0, 1.0], "Turns the figure counter-clockwise."),
];

/// A preset: a generator, its parameters, what moves them, and how it looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Version of the format: [`PRESET_VERSION`].
    pub version: i64,
    /// Its name: the key an operator picks it by, 1 to 60 characters.
    pub name: String,
    /// One line about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The generator's id in the catalog.
    pub generator: String,
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
    /// What happens to the figure as a whole.
    #[serde(default, skip_serializing_if = "is_default")]
    pub look: Look,
    /// What of the music moves the parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modulate: Vec<Modulation>,
    /// What is done to the drawing, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<EffectScheme>,
    /// Further drawings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
}

/// The `[look]` table: moved in blocks of about a millisecond, so it hits the beat to the point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// All light, 0..=1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub brightness: f32,
    /// Size, 0.05..=1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub scale: f32,
    /// Turns counter-clockwise, −1..=1.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rotation: f32,
    /// Turns per second, −4..=4.
    #[serde(default, skip_serializing_if = "is_default")]
    pub spin_hz: f32,
    /// Turns per bar of four beats, −8..=8.
    #[serde(default, skip_serializing_if = "is_default")]
    pub spin_per_bar: f32,
    /// What of the music moves it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modulate: Vec<Modulation>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            brightness: 1.0,
            scale: 1.0,
            rotation: 0.0,
            spin_hz: 0.0,
            spin_per_bar: 0.0,
            modulate: Vec::new(),
        }
    }
}

impl Preset {
    /// A preset of a generator with its defaults: white, unmoved.
    #[must_use]
    pub fn plain(name: &str, generator: &Generator) -> Self {
        Self {
            version: PRESET_VERSION,
            name: name.to_owned(),
            description: String::new(),
            generator: generator.id.to_owned(),
            seed: 0,
            text: String::new(),
            params: BTreeMap::new(),
            formula: None,
            colour: ColourScheme::default(),
            look: Look::default(),
            modulate: Vec::new(),
            effects: Vec::new(),
            layers: Vec::new(),
        }
    }

    /// Reads and checks a preset.
    ///
    /// # Errors
    /// A sentence with line and column: not TOML, an unknown version, an unknown key, a value out of range.
    pub fn parse(text: &str) -> Result<Self, PresetError> {
        #[derive(Deserialize)]
        struct Head {
            version: Option<i64>,
        }
        if text.len() > MAX_PRESET_BYTES {
            return Err(PresetError::TooLong { bytes: text.len(), most: MAX_PRESET_BYTES });
        }
        // The version comes first: a newer format may hold keys that only look like mistakes.
        let head: Head = toml::from_str(text).map_err(|error| mistake::from_toml(text, &error))?;
        match head.version {
            Some(PRESET_VERSION) => {}
            Some(found) => return Err(PresetError::UnknownVersion { found }),
            None => return Err(PresetError::NoVersion),
        }
        let preset: Self =
            toml::from_str(text).map_err(|error| mistake::from_toml(text, &error))?;
        preset.examine().map_err(|mistake| mistake.placed_in(text))?;
        Ok(preset)
    }

    /// The preset as TOML; parsing it gives the same preset.
    ///
    /// # Errors
    /// What [`Preset::check`] finds: a preset that could not be read back is not written.
    pub fn to_toml(&self) -> Result<String, PresetError> {
        self.check()?;
        toml::to_string(self).map_err(|error| PresetError::Unwritable { reason: error.to_string() })
    }

    /// Checks every name and range.
    ///
    /// # Errors
    /// The first mistake, without a place in a text.
    pub fn check(&self) -> Result<&'static Generator, PresetError> {
        self.examine().map_err(Mistake::unplaced)
    }

    /// The parameters of the first drawing: those of `generator`, then those of its formula.
    #[must_use]
    pub fn specs(&self, generator: &Generator) -> Cow<'static, [ParamSpec]> {
        self.part().specs(generator)
    }

    /// The value of every one of [`Preset::specs`]: the preset's, or the default.
    #[must_use]
    pub fn values(&self, generator: &Generator) -> Vec<f32> {
        self.part().values(&self.specs(generator))
    }

    /// The first drawing.
    pub(super) fn part(&self) -> Part<'_> {
        Part {
            generator: &self.generator,
            seed: self.seed,
            text: &self.text,
            params: &self.params,
            formula: self.formula.as_ref(),
            colour: &self.colour,
            modulate: &self.modulate,
            effects: &self.effects,
            layer: None,
        }
    }
}

#[cfg(test)]
mod tests;
