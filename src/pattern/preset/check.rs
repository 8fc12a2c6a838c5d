//! Every name and range of a preset, checked.

use super::mistake::{Mistake, did_you_mean};
use super::part::AMOUNT;
use super::{
    EffectScheme, FormulaScheme, LOOK_TARGETS, MAX_EFFECTS, MAX_LAYERS, MAX_MODULATIONS,
    MAX_TEXT_CHARS, PRESET_VERSION, Part, Preset, UserParam,
};
use crate::pattern::ParamSpec;
use crate::pattern::board;
use crate::pattern::catalog::{self, Generator};
use crate::pattern::colouring::{self, ColourScheme, MAX_COLOURS};
use crate::pattern::effects;
use crate::pattern::formula::Formula;
use crate::pattern::modulation::{MAX_STEPS, Modulation, Source, is_default};

const MAX_NAME_CHARS: usize = 60;
const MAX_DESCRIPTION_CHARS: usize = 200;

impl Preset {
    pub(super) fn examine(&self) -> Result<&'static Generator, Mistake> {
        if self.version != PRESET_VERSION {
            return Err(Mistake::at(&["version"], format!("version {} is unknown", self.version)));
        }
        examine_text(&self.name, "name", 1, MAX_NAME_CHARS)?;
        if self.name.trim() != self.name {
            let message = "`name` must not begin or end with a space".to_owned();
            return Err(Mistake::at(&["name"], message));
        }
        examine_text(&self.description, "description", 0, MAX_DESCRIPTION_CHARS)?;
        let generator = examine_part(&self.part())?;
        if self.layers.len() > MAX_LAYERS {
            let message = format!("at most {MAX_LAYERS} layers, here are {}", self.layers.len());
            return Err(Mistake::at(&["layers"], message));
        }
        for (index, layer) in self.layers.iter().enumerate() {
            examine_part(&layer.part()).map_err(|mistake| mistake.under_row("layers", index))?;
        }
        let look = &self.look;
        examine_numbers("look", board::LOOK_NUMBERS, |name| board::look_number(look, name))?;
        examine_rows(&look.modulate, LOOK_TARGETS, "[look]", &["look", "modulate"], false)?;
        Ok(generator)
    }
}

fn examine_part(part: &Part<'_>) -> Result<&'static Generator, Mistake> {
    let generator = catalog::find(part.generator).ok_or_else(|| {
        let ids = catalog::GENERATORS.iter().map(|generator| generator.id);
        let hint = did_you_mean(part.generator, ids);
        Mistake::at(&["generator"], format!("unknown generator `{}`{hint}", part.generator))
    })?;
    if let Some((_, amount)) = part.layer {
        in_range(AMOUNT, amount, 0.0, 1.0).map_err(|message| Mistake::at(&[AMOUNT], message))?;
    }
    examine_text(part.text, "text", 0, MAX_TEXT_CHARS)?;
    if !part.text.is_empty() && generator.id != "text" {
        let message =
            format!("`text` belongs to generator = \"text\"; `{}` writes none", generator.id);
        return Err(Mistake::at(&["text"], message));
    }
    if let Some(formula) = part.formula {
        if generator.id != "formula" {
            let message =
                format!("[formula] belongs to generator = \"formula\", not to `{}`", generator.id);
            return Err(Mistake::at(&["formula"], message));
        }
        examine_formula(formula, generator)?;
    }
    let specs = part.specs(generator);
    for (name, &value) in part.params {
        let own = &specs[..specs.len() - usize::from(part.layer.is_some())];
        let spec = named(own, name, generator.id)
            .map_err(|message| Mistake::at(&["params", name], message))?;
        in_range(name, value, spec.min, spec.max)
            .map_err(|message| Mistake::at(&["params", name], message))?;
    }
    examine_rows(part.modulate, &specs, generator.id, &["modulate"], true)?;
    examine_colour(part.colour)?;
    if part.effects.len() > MAX_EFFECTS {
        let message = format!("at most {MAX_EFFECTS} effects, here are {}", part.effects.len());
        return Err(Mistake::at(&["effects"], message));
    }
    for (index, effect) in part.effects.iter().enumerate() {
        examine_effect(effect).map_err(|mistake| mistake.under_row("effects", index))?;
    }
    Ok(generator)
}

fn examine_effect(scheme: &EffectScheme) -> Result<(), Mistake> {
    let effect = effects::find(&scheme.effect).ok_or_else(|| {
        let hint = did_you_mean(&scheme.effect, effects::EFFECTS.iter().map(|effect| effect.id));
        Mistake::at(&["effect"], format!("unknown effect `{}`{hint}", scheme.effect))
    })?;
    for (name, &value) in &scheme.params {
        let wrong = |message| Mistake::at(&["params", name], message);
        let spec = named(effect.params, name, effect.id).map_err(wrong)?;
        in_range(name, value, spec.min, spec.max).map_err(wrong)?;
    }
    examine_rows(&scheme.modulate, effect.params, effect.id, &["modulate"], true)
}

fn examine_formula(scheme: &FormulaScheme, generator: &Generator) -> Result<(), Mistake> {
    for (name, param) in &scheme.params {
        let wrong = |message| Mistake::at(&["formula", "params", name], message);
        if !Formula::is_free_name(name) || generator.index_of(name).is_some() || name == AMOUNT {
            let message = format!(
                "`{name}` cannot be the name of a parameter: it is a word of the language, or not \
                 one word of letters, digits and `_`"
            );
            return Err(wrong(message));
        }
        let UserParam { default, min, max, unit, help } = param;
        let finite = min.is_finite() && max.is_finite() && min.abs().max(max.abs()) <= 1e6;
        if !finite || min >= max {
            return Err(wrong(format!(
                "`min` of `{name}` must be below its `max`, both within ±1e6"
            )));
        }
        in_range("default", *default, *min, *max).map_err(wrong)?;
        for (key, text) in [("unit", unit), ("help", help)] {
            examine_text(text, key, 0, MAX_DESCRIPTION_CHARS)
                .map_err(|mistake| wrong(mistake.message().to_owned()))?;
        }
    }
    scheme.compile().map(drop).map_err(|error| {
        Mistake::at(&["formula", error.part.key()], error.message).inside(error.offset)
    })
}

fn examine_colour(colour: &ColourScheme) -> Result<(), Mistake> {
    if colour.colours.is_empty() || colour.colours.len() > MAX_COLOURS {
        let message = format!("`colours` needs 1 to {MAX_COLOURS} colours");
        return Err(Mistake::at(&["colour", "colours"], message));
    }
    let number = |name: &str| board::colour_number(colour, name);
    examine_numbers("colour", board::COLOUR_NUMBERS, number)?;
    examine_rows(&colour.modulate, colouring::TARGETS, "[colour]", &["colour", "modulate"], true)
}

fn examine_text(text: &str, key: &str, least: usize, most: usize) -> Result<(), Mistake> {
    let count = text.chars().count();
    if count < least || count > most || text.chars().any(char::is_control) {
        let message = format!("`{key}` must be {least} to {most} characters on one line");
        return Err(Mistake::at(&[key], message));
    }
    Ok(())
}

fn examine_numbers(
    table: &str,
    specs: &[ParamSpec],
    value: impl Fn(&str) -> Option<f32>,
) -> Result<(), Mistake> {
    for spec in specs {
        let value = value(&spec.name).unwrap_or(spec.default);
        in_range(&spec.name, value, spec.min, spec.max)
            .map_err(|message| Mistake::at(&[table, &spec.name], message))?;
    }
    Ok(())
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
    examine_owners(row)?;
    let (lfo, steps, walk) = (Source::Lfo, Source::Steps, Source::Walk);
    if row.source == steps {
        if row.steps.is_empty() || row.steps.len() > MAX_STEPS {
            let message = format!("source = \"steps\" needs `steps` with 1 to {MAX_STEPS} values");
            return Err(("steps", message));
        }
        let value = |&value| in_range("steps", value, -1.0, 1.0).map_err(|m| ("steps", m));
        row.steps.iter().try_for_each(value)?;
    }
    in_range("phase", row.phase, -1.0, 1.0).map_err(|m| ("phase", m))?;
    let times = [("attack_ms", row.attack_ms, 0.0), ("decay_ms", row.decay_ms, 1.0)];
    for (key, ms, least) in times {
        in_range(key, ms.unwrap_or(least), least, 10_000.0).map_err(|m| (key, m))?;
    }
    if ![lfo, steps, walk].contains(&row.source) {
        return Ok(());
    }
    match (row.rate_hz, row.every_beats) {
        (Some(hz), None) => in_range("rate_hz", hz, 0.001, 20.0).map_err(|m| ("rate_hz", m)),
        (None, Some(beats)) => {
            in_range("every_beats", beats, 0.125, 256.0).map_err(|m| ("every_beats", m))
        }
        _ => {
            let which = if row.source == lfo { "an lfo" } else { row.source.key() };
            Err(("source", format!("{which} needs one of `rate_hz` and `every_beats`")))
        }
    }
}

/// A key that means nothing to the row's source is a mistake.
fn examine_owners(row: &Modulation) -> Result<(), Wrong> {
    const CYCLIC: &[Source] = &[Source::Lfo, Source::Steps, Source::Walk];
    let keys: [(&'static str, bool, &[Source]); 9] = [
        ("rate_hz", row.rate_hz.is_some(), CYCLIC),
        ("every_beats", row.every_beats.is_some(), CYCLIC),
        ("phase", row.phase != 0.0, CYCLIC),
        ("wave", !is_default(&row.wave), &[Source::Lfo]),
        ("steps", !row.steps.is_empty(), &[Source::Steps]),
        ("seed", row.seed != 0, &[Source::Walk]),
        ("trigger", row.trigger.is_some(), &[Source::Envelope]),
        ("attack_ms", row.attack_ms.is_some(), &[Source::Envelope]),
        ("decay_ms", row.decay_ms.is_some(), &[Source::Envelope]),
    ];
    for (key, is_set, owners) in keys {
        if is_set && !owners.contains(&row.source) {
            let owners: Vec<_> =
                owners.iter().map(|owner| format!("\"{}\"", owner.key())).collect();
            let message =
                format!("`{key}` belongs to source = {} only; leave it out", owners.join(" or "));
            return Err((key, message));
        }
    }
    Ok(())
}

fn named<'a>(specs: &'a [ParamSpec], name: &str, owner: &str) -> Result<&'a ParamSpec, String> {
    specs.iter().find(|spec| spec.name == name).ok_or_else(|| {
        let hint = did_you_mean(name, specs.iter().map(|spec| spec.name.as_ref()));
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
