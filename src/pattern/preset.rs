//! Presets as text: TOML in, a checked value out, and back.
//!
//! Pure: files are the library's. A text that is wrong is answered with the place, the reason and, where a
//! name is close to a real one, that name.

mod mistake;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use mistake::{Place, PresetError};

use super::ParamSpec;
use super::catalog::{self, Generator};
use super::colouring::{self, ColourScheme, MAX_COLOURS, is_one, one};
use super::modulation::{Modulation, Source, is_default};
use mistake::Mistake;
pub(crate) use mistake::did_you_mean;

/// The version of the preset format written, and the only one read.
pub const PRESET_VERSION: i64 = 1;
/// A preset is a page of text; longer files are refused unread.
pub const MAX_PRESET_BYTES: usize = 64 * 1024;
/// Most rows of one `modulate` list.
pub const MAX_MODULATIONS: usize = 32;
const MAX_NAME_CHARS: usize = 60;
const MAX_DESCRIPTION_CHARS: usize = 200;

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
    #[serde(default)]
    pub seed: u32,
    /// Parameters that differ from the generator's defaults, each in its own unit.
    #[serde(default)]
    pub params: BTreeMap<String, f32>,
    /// The colours.
    #[serde(default)]
    pub colour: ColourScheme,
    /// What happens to the figure as a whole.
    #[serde(default)]
    pub look: Look,
    /// What of the music moves the parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modulate: Vec<Modulation>,
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
            params: BTreeMap::new(),
            colour: ColourScheme::default(),
            look: Look::default(),
            modulate: Vec::new(),
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

    /// The value of every parameter of `generator`, in its order: the preset's, or the default.
    #[must_use]
    pub fn values(&self, generator: &Generator) -> Vec<f32> {
        let value = |spec: &ParamSpec| self.params.get(spec.name).copied().unwrap_or(spec.default);
        generator.params.iter().map(value).collect()
    }

    fn examine(&self) -> Result<&'static Generator, Mistake> {
        if self.version != PRESET_VERSION {
            return Err(Mistake::at(&["version"], format!("version {} is unknown", self.version)));
        }
        examine_text(&self.name, "name", 1, MAX_NAME_CHARS)?;
        if self.name.trim() != self.name {
            let message = "`name` must not begin or end with a space".to_owned();
            return Err(Mistake::at(&["name"], message));
        }
        examine_text(&self.description, "description", 0, MAX_DESCRIPTION_CHARS)?;
        let generator = catalog::find(&self.generator).ok_or_else(|| {
            let ids = catalog::GENERATORS.iter().map(|generator| generator.id);
            let hint = did_you_mean(&self.generator, ids);
            Mistake::at(&["generator"], format!("unknown generator `{}`{hint}", self.generator))
        })?;
        for (name, &value) in &self.params {
            let spec = named(generator.params, name, generator.id)
                .map_err(|message| Mistake::at(&["params", name], message))?;
            in_range(name, value, spec.min, spec.max)
                .map_err(|message| Mistake::at(&["params", name], message))?;
        }
        examine_rows(&self.modulate, generator.params, generator.id, &["modulate"], true)?;

        let colour = &self.colour;
        if colour.colours.is_empty() || colour.colours.len() > MAX_COLOURS {
            let message = format!("`colours` needs 1 to {MAX_COLOURS} colours");
            return Err(Mistake::at(&["colour", "colours"], message));
        }
        examine_numbers(
            "colour",
            &[
                ("repeats", colour.repeats, 0.1, 16.0),
                ("drift_hz", colour.drift_hz, -4.0, 4.0),
                ("drift_per_bar", colour.drift_per_bar, -8.0, 8.0),
                ("hue", colour.hue, -1.0, 1.0),
                ("saturation", colour.saturation, 0.0, 1.0),
            ],
        )?;
        examine_rows(
            &colour.modulate,
            colouring::TARGETS,
            "[colour]",
            &["colour", "modulate"],
            true,
        )?;

        let look = &self.look;
        examine_numbers(
            "look",
            &[
                ("brightness", look.brightness, 0.0, 1.0),
                ("scale", look.scale, 0.05, 1.0),
                ("rotation", look.rotation, -1.0, 1.0),
                ("spin_hz", look.spin_hz, -4.0, 4.0),
                ("spin_per_bar", look.spin_per_bar, -8.0, 8.0),
            ],
        )?;
        examine_rows(&look.modulate, LOOK_TARGETS, "[look]", &["look", "modulate"], false)?;
        Ok(generator)
    }
}

fn examine_text(text: &str, key: &str, least: usize, most: usize) -> Result<(), Mistake> {
    let count = text.chars().count();
    if count < least || count > most || text.chars().any(char::is_control) {
        let message = format!("`{key}` must be {least} to {most} characters on one line");
        return Err(Mistake::at(&[key], message));
    }
    Ok(())
}

fn examine_numbers(table: &str, numbers: &[(&str, f32, f32, f32)]) -> Result<(), Mistake> {
    numbers.iter().try_for_each(|&(key, value, min, max)| {
        in_range(key, value, min, max).map_err(|message| Mistake::at(&[table, key], message))
    })
}

fn examine_rows(
    rows: &[Modulation],
    targets: &[ParamSpec],
    owner: &str,
    path: &[&str],
    remembers: bool,
) -> Result<(), Mistake> {
    if rows.len() > MAX_MODULATIONS {
        let message = format!("at most {MAX_MODULATIONS} `modulate` rows, here are {}", rows.len());
        return Err(Mistake::at(path, message));
    }
    for (index, row) in rows.iter().enumerate() {
        examine_row(row, targets, owner, remembers)
            .map_err(|(key, message)| Mistake::at(path, message).in_row(index, key))?;
    }
    Ok(())
}

/// The key that is wrong, and what is wrong with it.
type Wrong = (&'static str, String);

fn examine_row(
    row: &Modulation,
    targets: &[ParamSpec],
    owner: &str,
    remembers: bool,
) -> Result<(), Wrong> {
    named(targets, &row.param, owner).map_err(|message| ("param", message))?;
    in_range("depth", row.depth, -1.0, 1.0).map_err(|message| ("depth", message))?;
    in_range("smooth_ms", row.smooth_ms, 0.0, 10_000.0)
        .map_err(|message| ("smooth_ms", message))?;
    if !remembers && row.smooth_ms != 0.0 {
        let message =
            "`smooth_ms` has no place in [look], which follows the moment itself; leave it out";
        return Err(("smooth_ms", message.to_owned()));
    }
    if row.source != Source::Lfo {
        let is_set = [
            ("rate_hz", row.rate_hz.is_some()),
            ("every_beats", row.every_beats.is_some()),
            ("wave", !is_default(&row.wave)),
        ];
        return is_set.iter().find(|(_, set)| *set).map_or(Ok(()), |&(key, _)| {
            Err((key, format!("`{key}` belongs to source = \"lfo\" only; leave it out")))
        });
    }
    match (row.rate_hz, row.every_beats) {
        (Some(hz), None) => in_range("rate_hz", hz, 0.001, 20.0).map_err(|m| ("rate_hz", m)),
        (None, Some(beats)) => {
            in_range("every_beats", beats, 0.125, 256.0).map_err(|m| ("every_beats", m))
        }
        _ => Err(("source", "an lfo needs one of `rate_hz` and `every_beats`".to_owned())),
    }
}

fn named<'a>(specs: &'a [ParamSpec], name: &str, owner: &str) -> Result<&'a ParamSpec, String> {
    specs.iter().find(|spec| spec.name == name).ok_or_else(|| {
        let hint = did_you_mean(name, specs.iter().map(|spec| spec.name));
        format!("{owner} has no parameter `{name}`{hint}")
    })
}

fn in_range(key: &str, value: f32, min: f32, max: f32) -> Result<(), String> {
    // Written so that what is not a number is out of range too.
    if value >= min && value <= max {
        return Ok(());
    }
    Err(format!("`{key}` is {value}, but must lie within {min} to {max}"))
}

#[cfg(test)]
mod tests;
