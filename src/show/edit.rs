//! What can be changed in a preset: each act as a value, applied to a preset by a pure function.

use std::collections::BTreeMap;

use crate::pattern::board::{DrawingAt, Owner};
use crate::pattern::catalog::{self, GENERATORS};
use crate::pattern::colouring::{Blend, ColourScheme, HexColour, Run};
use crate::pattern::formula::Part;
use crate::pattern::modulation::Modulation;
use crate::pattern::preset::{
    EffectScheme, FormulaScheme, Layer, LayerMode, MAX_EFFECTS, MAX_LAYERS, MAX_MODULATIONS,
    did_you_mean,
};
use crate::pattern::random::Random;
use crate::pattern::{Preset, PresetError, effects};

/// One change of a preset.
#[derive(Clone, Debug, PartialEq)]
pub enum PresetEdit {
    /// Sets a value, held within its range.
    Value {
        /// Whose value.
        owner: Owner,
        /// Its name.
        name: String,
        /// In its own unit.
        value: f32,
    },
    /// Lets the music move a value.
    AddRow {
        /// Whose value.
        owner: Owner,
        /// The row; it names the value.
        row: Modulation,
    },
    /// Replaces a row.
    SetRow {
        /// Whose row.
        owner: Owner,
        /// Its place among the owner's rows, from 0.
        index: usize,
        /// What it is from now on.
        row: Modulation,
    },
    /// Takes a row away.
    RemoveRow {
        /// Whose row.
        owner: Owner,
        /// Its place among the owner's rows, from 0.
        index: usize,
    },
    /// Draws something else: parameters that the new generator has too are kept.
    Generator {
        /// Which drawing.
        drawing: DrawingAt,
        /// The generator's id.
        id: String,
    },
    /// Adds an effect after the last one.
    AddEffect {
        /// To which drawing.
        drawing: DrawingAt,
        /// The effect's id.
        effect: String,
    },
    /// Takes an effect away.
    RemoveEffect {
        /// From which drawing.
        drawing: DrawingAt,
        /// Its place, from 0.
        index: usize,
    },
    /// Moves an effect to another place in the chain.
    MoveEffect {
        /// In which drawing.
        drawing: DrawingAt,
        /// Its place, from 0.
        index: usize,
        /// Its new place.
        to: usize,
    },
    /// Adds a drawing over the others.
    AddLayer {
        /// The generator's id.
        generator: String,
    },
    /// Takes a layer away.
    RemoveLayer {
        /// Its place, from 0.
        index: usize,
    },
    /// How a layer meets what was drawn before it.
    Mode {
        /// Its place, from 0.
        layer: usize,
        /// The mode.
        mode: LayerMode,
    },
    /// The palette, 1 to 6 colours.
    Colours {
        /// Of which drawing.
        drawing: DrawingAt,
        /// The colours.
        colours: Vec<HexColour>,
    },
    /// Along what the palette runs.
    Run {
        /// Of which drawing.
        drawing: DrawingAt,
        /// Along what.
        run: Run,
    },
    /// How one colour meets the next.
    Blend {
        /// Of which drawing.
        drawing: DrawingAt,
        /// How.
        blend: Blend,
    },
    /// What the generator `text` writes.
    Words {
        /// Of which drawing.
        drawing: DrawingAt,
        /// The words.
        text: String,
    },
    /// One of the two texts of a formula.
    Formula {
        /// Of which drawing.
        drawing: DrawingAt,
        /// Which text.
        part: Part,
        /// The text.
        text: String,
    },
    /// Where everything random of the first drawing begins.
    Seed(u32),
    /// The line about the preset.
    Description(String),
    /// The whole preset as TOML.
    Text(String),
    /// Moves every value of every drawing and effect by chance, each within its range.
    Randomise {
        /// How far, as a share of each range, 0..=1.
        amount: f32,
        /// The same seed moves the same preset the same way.
        seed: u64,
    },
}

/// Why an edit was refused; the preset is as it was.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum EditError {
    /// There is no value of this name.
    #[error("`{owner}` has no parameter `{name}`{hint}")]
    UnknownParam {
        /// The name asked for.
        name: String,
        /// Where it was looked for.
        owner: String,
        /// The nearest name, or what there is.
        hint: String,
    },
    /// There is no such drawing, effect, layer or row: the preset changed in the meantime.
    #[error("there is no such {0} in the preset any more; look again")]
    Gone(&'static str),
    /// No more of them fit.
    #[error("a preset has at most {most} {what}; take one away first")]
    Full {
        /// What is full.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// The preset would be wrong.
    #[error(transparent)]
    Invalid(#[from] PresetError),
}

/// A formula to begin with: a circle that breathes.
const FIRST_FORMULA: &str = "r = 0.6 + 0.3 * bass\nx = r * cos(a)\ny = r * sin(a)\n";

impl PresetEdit {
    /// The preset after this change, checked.
    ///
    /// # Errors
    /// What is named is not there, does not fit, or the preset would be wrong.
    pub fn applied_to(&self, preset: &Preset) -> Result<Preset, EditError> {
        if let Self::Text(text) = self {
            return Ok(Preset::parse(text)?);
        }
        let mut edited = preset.clone();
        self.apply(&mut edited)?;
        edited.check()?;
        Ok(edited)
    }

    /// What the next edit must share to be a part of the same gesture; none for acts that stand alone.
    #[must_use]
    pub fn gesture(&self) -> Option<String> {
        Some(match self {
            Self::Value { owner, name, .. } => value_gesture(*owner, name),
            Self::SetRow { owner, index, row } => format!("row {owner:?} {index} {:?}", row.source),
            Self::Colours { drawing, colours } => format!("colours {drawing:?} {}", colours.len()),
            Self::Words { drawing, .. } => format!("words {drawing:?}"),
            Self::Formula { drawing, part, .. } => format!("formula {drawing:?} {part:?}"),
            Self::Seed(_) => "seed".to_owned(),
            Self::Description(_) => "description".to_owned(),
            Self::Text(_) => "text".to_owned(),
            _ => return None,
        })
    }

    fn apply(&self, preset: &mut Preset) -> Result<(), EditError> {
        match self {
            Self::Value { owner, name, value } => {
                if !preset.set_dial(*owner, name, *value) {
                    return Err(unknown_param(preset, *owner, name));
                }
            }
            Self::AddRow { owner, row } => {
                let rows = preset.rows_mut(*owner).ok_or(EditError::Gone("part"))?;
                room(rows.len(), "rows that move one part", MAX_MODULATIONS)?;
                rows.push(row.clone());
            }
            Self::SetRow { owner, index, row } => *row_at(preset, *owner, *index)? = row.clone(),
            Self::RemoveRow { owner, index } => {
                row_at(preset, *owner, *index)?;
                preset.rows_mut(*owner).ok_or(EditError::Gone("row"))?.remove(*index);
            }
            Self::Generator { drawing, id } => set_generator(preset, *drawing, id)?,
            Self::AddEffect { drawing, effect } => {
                let effects = preset.effects_of_mut(*drawing).ok_or(EditError::Gone("drawing"))?;
                room(effects.len(), "effects on a drawing", MAX_EFFECTS)?;
                let (params, modulate) = (BTreeMap::new(), Vec::new());
                effects.push(EffectScheme { effect: effect.clone(), params, modulate });
            }
            Self::RemoveEffect { drawing, index } => {
                effect_at(preset, *drawing, *index)?.remove(*index);
            }
            Self::MoveEffect { drawing, index, to } => {
                let effects = effect_at(preset, *drawing, *index)?;
                let effect = effects.remove(*index);
                effects.insert((*to).min(effects.len()), effect);
            }
            Self::AddLayer { generator } => {
                room(preset.layers.len(), "layers", MAX_LAYERS)?;
                preset.layers.push(layer_of(generator));
            }
            Self::RemoveLayer { index } => {
                layer_at(preset, *index)?;
                preset.layers.remove(*index);
            }
            Self::Mode { layer, mode } => layer_at(preset, *layer)?.mode = *mode,
            Self::Colours { drawing, colours } => {
                colour_at(preset, *drawing)?.colours.clone_from(colours);
            }
            Self::Run { drawing, run } => colour_at(preset, *drawing)?.run = *run,
            Self::Blend { drawing, blend } => colour_at(preset, *drawing)?.blend = *blend,
            Self::Words { drawing, text } => match drawing {
                DrawingAt::First => preset.text.clone_from(text),
                DrawingAt::Layer(index) => layer_at(preset, *index)?.text.clone_from(text),
            },
            Self::Formula { drawing, part, text } => {
                let formula = match drawing {
                    DrawingAt::First => &mut preset.formula,
                    DrawingAt::Layer(index) => &mut layer_at(preset, *index)?.formula,
                };
                let formula = formula.as_mut().ok_or(EditError::Gone("formula"))?;
                match part {
                    Part::Frame => formula.frame.clone_from(text),
                    Part::Point => formula.point.clone_from(text),
                }
            }
            Self::Seed(seed) => preset.seed = *seed,
            Self::Description(text) => text.trim().clone_into(&mut preset.description),
            Self::Text(text) => *preset = Preset::parse(text)?,
            Self::Randomise { amount, seed } => randomise(preset, *amount, *seed),
        }
        Ok(())
    }
}

/// The gesture of a value that is being moved.
pub(super) fn value_gesture(owner: Owner, name: &str) -> String {
    format!("value {owner:?} {name}")
}

fn room(count: usize, what: &'static str, most: usize) -> Result<(), EditError> {
    if count < most { Ok(()) } else { Err(EditError::Full { what, most }) }
}

/// A preset that draws with this generator.
pub(super) fn with_generator(preset: &Preset, id: &str) -> Result<Preset, EditError> {
    // Even where the id stays the same: a formula needs its text.
    let mut made = preset.clone();
    set_generator(&mut made, DrawingAt::First, id)?;
    made.formula = formula_for(id);
    made.check()?;
    Ok(made)
}

/// What to say of a name that an owner does not have.
pub(super) fn unknown_param(preset: &Preset, owner: Owner, name: &str) -> EditError {
    let Some(dials) = preset.dials(owner) else { return EditError::Gone("part") };
    let title = match owner {
        Owner::Drawing(drawing) => preset.generator_of(drawing).unwrap_or_default().to_owned(),
        Owner::Effect(drawing, index) => preset
            .effects_of(drawing)
            .and_then(|effects| effects.get(index))
            .map_or_else(String::new, |effect| effect.effect.clone()),
        Owner::Colour(_) => "[colour]".to_owned(),
        Owner::Look => "[look]".to_owned(),
    };
    let hint = did_you_mean(name, dials.iter().map(|dial| dial.spec.name.as_ref()));
    EditError::UnknownParam { name: name.to_owned(), owner: title, hint }
}

fn row_at(preset: &mut Preset, owner: Owner, index: usize) -> Result<&mut Modulation, EditError> {
    preset.rows_mut(owner).and_then(|rows| rows.get_mut(index)).ok_or(EditError::Gone("row"))
}

fn effect_at(
    preset: &mut Preset,
    drawing: DrawingAt,
    index: usize,
) -> Result<&mut Vec<EffectScheme>, EditError> {
    let effects = preset.effects_of_mut(drawing);
    effects.filter(|effects| index < effects.len()).ok_or(EditError::Gone("effect"))
}

fn layer_at(preset: &mut Preset, index: usize) -> Result<&mut Layer, EditError> {
    preset.layers.get_mut(index).ok_or(EditError::Gone("layer"))
}

fn colour_at(preset: &mut Preset, drawing: DrawingAt) -> Result<&mut ColourScheme, EditError> {
    preset.colour_of_mut(drawing).ok_or(EditError::Gone("layer"))
}

fn layer_of(generator: &str) -> Layer {
    Layer {
        generator: generator.to_owned(),
        mode: LayerMode::Over,
        amount: 1.0,
        seed: 0,
        text: String::new(),
        params: BTreeMap::new(),
        formula: formula_for(generator),
        colour: ColourScheme::default(),
        modulate: Vec::new(),
        effects: Vec::new(),
    }
}

fn formula_for(generator: &str) -> Option<FormulaScheme> {
    (generator == "formula").then(|| FormulaScheme {
        frame: String::new(),
        point: FIRST_FORMULA.to_owned(),
        closed: true,
        smooth: true,
        params: BTreeMap::new(),
    })
}

fn set_generator(preset: &mut Preset, drawing: DrawingAt, id: &str) -> Result<(), EditError> {
    let (generator, text, params, formula, modulate) = match drawing {
        DrawingAt::First => {
            let Preset { generator, text, params, formula, modulate, .. } = preset;
            (generator, text, params, formula, modulate)
        }
        DrawingAt::Layer(index) => {
            let Layer { generator, text, params, formula, modulate, .. } = layer_at(preset, index)?;
            (generator, text, params, formula, modulate)
        }
    };
    if generator == id {
        return Ok(());
    }
    // An id that is not known is answered by the check, with the nearest one.
    id.clone_into(generator);
    if id != "text" {
        text.clear();
    }
    *formula = formula_for(id);
    let specs = catalog::find(id).map_or(&[][..], |kind| kind.params);
    let spec_of = |name: &str| specs.iter().find(|spec| spec.name == name);
    params.retain(|name, value| {
        spec_of(name).is_some_and(|spec| (spec.min..=spec.max).contains(value))
    });
    let is_layer = drawing != DrawingAt::First;
    modulate.retain(|row| spec_of(&row.param).is_some() || (is_layer && row.param == "amount"));
    Ok(())
}

/// Colours, look and the layers' amounts stay: a preset stays recognisable, and as bright as it was.
fn randomise(preset: &mut Preset, amount: f32, seed: u64) {
    let amount = if amount.is_finite() { amount.clamp(0.0, 1.0) } else { 0.0 };
    let mut random = Random::new(seed);
    for group in preset.board() {
        if !matches!(group.owner, Owner::Drawing(_) | Owner::Effect(..)) {
            continue;
        }
        for dial in group.dials {
            let step = random.between(-1.0, 1.0) * amount * dial.spec.span();
            let is_amount = matches!(group.owner, Owner::Drawing(DrawingAt::Layer(_)))
                && dial.spec.name == "amount";
            if !is_amount {
                preset.set_dial(group.owner, &dial.spec.name, dial.value + step);
            }
        }
    }
}

/// The generators that a new preset or layer may begin with: id and one line about each.
pub fn generators() -> impl Iterator<Item = (&'static str, &'static str)> {
    GENERATORS.iter().map(|kind| (kind.id, kind.description))
}

/// The effects there are: id and one line about each.
pub fn effect_kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    effects::EFFECTS.iter().map(|kind| (kind.id, kind.description))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::bundled::BUNDLED;
    use crate::pattern::modulation::Source;
    use proptest::prelude::*;

    const FIRST: Owner = Owner::Drawing(DrawingAt::First);

    fn circle() -> Preset {
        Preset::parse(
            "version = 1\nname = \"A\"\ngenerator = \"circle\"\n[params]\nradius = 0.5\nspeed = 0.2\n\
             [[modulate]]\nparam = \"radius\"\nsource = \"bass\"\ndepth = 0.3\n\
             [[modulate]]\nparam = \"lobes\"\nsource = \"bass\"\ndepth = 0.3\n",
        )
        .unwrap()
    }

    fn after(edits: &[PresetEdit]) -> Result<Preset, EditError> {
        edits.iter().try_fold(circle(), |preset, edit| edit.applied_to(&preset))
    }

    #[test]
    fn every_kind_of_row_can_be_added_changed_and_removed() {
        for (source, key) in Source::ALL {
            let row = Modulation::plain("speed", source, -0.25);
            let preset = after(&[PresetEdit::AddRow { owner: FIRST, row }]).unwrap();
            assert_eq!(preset.modulate[2].source, source);
            for (other, _) in Source::ALL {
                let row = preset.modulate[2].moved_by(other);
                let edit = PresetEdit::SetRow { owner: FIRST, index: 2, row };
                let changed = edit.applied_to(&preset).unwrap_or_else(|e| panic!("{key}: {e}"));
                assert_eq!((changed.modulate[2].source, changed.modulate[2].depth), (other, -0.25));
            }
            let edit = PresetEdit::RemoveRow { owner: FIRST, index: 2 };
            assert_eq!(edit.applied_to(&preset).unwrap(), circle());
        }
        assert!(Source::ALL.iter().all(|(source, _)| !source.help().is_empty()));
    }

    #[test]
    fn a_row_reaches_from_its_depth_to_nothing_or_both_ways() {
        assert_eq!(Modulation::plain("a", Source::Bass, 0.5).reach(), (0.0, 0.5));
        assert_eq!(Modulation::plain("a", Source::Bass, -0.5).reach(), (-0.5, 0.0));
        assert_eq!(Modulation::plain("a", Source::Lfo, -0.5).reach(), (-0.5, 0.5));
    }

    #[test]
    fn another_generator_keeps_what_it_shares_and_leaves_the_rest() {
        for kind in GENERATORS {
            let edit = PresetEdit::Generator { drawing: DrawingAt::First, id: kind.id.to_owned() };
            let preset = after(&[edit]).unwrap_or_else(|e| panic!("{}: {e}", kind.id));
            assert_eq!(preset.generator, kind.id);
            assert_eq!(preset.formula.is_some(), kind.id == "formula");
            let layer = PresetEdit::AddLayer { generator: kind.id.to_owned() };
            assert!(after(&[layer]).is_ok(), "{}", kind.id);
        }
        let rose = PresetEdit::Generator { drawing: DrawingAt::First, id: "polygon".into() };
        let preset = after(&[rose]).unwrap();
        assert_eq!(preset.params.keys().collect::<Vec<_>>(), ["radius"]);
        assert_eq!(preset.modulate.len(), 1);
        let slip = PresetEdit::Generator { drawing: DrawingAt::First, id: "cirle".into() };
        let error = slip.applied_to(&after(&[]).unwrap()).unwrap_err().to_string();
        assert!(error.contains("did you mean `circle`?"), "{error}");
    }

    #[test]
    fn effects_are_added_moved_and_taken_away() {
        let drawing = DrawingAt::First;
        let add = |effect: &str| PresetEdit::AddEffect { drawing, effect: effect.into() };
        let preset = after(&[
            add("twist"),
            add("mirror"),
            add("lens"),
            PresetEdit::MoveEffect { drawing, index: 2, to: 0 },
            PresetEdit::RemoveEffect { drawing, index: 1 },
        ]);
        let preset = preset.unwrap();
        let chain: Vec<_> = preset.effects.iter().map(|effect| effect.effect.as_str()).collect();
        assert_eq!(chain, ["lens", "mirror"]);
        let value = PresetEdit::Value {
            owner: Owner::Effect(drawing, 0),
            name: "power".into(),
            value: 9.0,
        };
        assert_eq!(value.applied_to(&preset).unwrap().effects[0].params["power"], 0.9);
        let full = vec![add("twist"); MAX_EFFECTS + 1];
        assert!(matches!(after(&full), Err(EditError::Full { most: MAX_EFFECTS, .. })));
    }

    #[test]
    fn what_is_gone_or_unknown_is_said_and_nothing_changes() {
        let drawing = DrawingAt::Layer(0);
        for edit in [
            PresetEdit::RemoveRow { owner: FIRST, index: 9 },
            PresetEdit::RemoveEffect { drawing: DrawingAt::First, index: 0 },
            PresetEdit::RemoveLayer { index: 0 },
            PresetEdit::Run { drawing, run: Run::X },
            PresetEdit::Value { owner: Owner::Drawing(drawing), name: "radius".into(), value: 0.1 },
            PresetEdit::Formula {
                drawing: DrawingAt::First,
                part: Part::Point,
                text: "x=0".into(),
            },
        ] {
            let error = after(std::slice::from_ref(&edit)).unwrap_err();
            assert!(matches!(error, EditError::Gone(_)), "{edit:?}: {error}");
        }
        let slip = PresetEdit::Value { owner: FIRST, name: "raduis".into(), value: 0.1 };
        let error = after(&[slip]).unwrap_err().to_string();
        assert_eq!(error, "`circle` has no parameter `raduis`; did you mean `radius`?");
    }

    #[test]
    fn a_formula_with_a_mistake_is_refused_with_its_place() {
        let drawing = DrawingAt::First;
        let formula = PresetEdit::Generator { drawing, id: "formula".into() };
        let text = "x = bss\ny = 0".to_owned();
        let slip = PresetEdit::Formula { drawing, part: Part::Point, text };
        let error = after(&[formula, slip]).unwrap_err().to_string();
        assert!(error.contains("did you mean `bass`?"), "{error}");
    }

    #[test]
    fn chance_moves_every_value_within_its_range_the_same_way_for_the_same_seed() {
        for (file, text) in BUNDLED {
            let preset = Preset::parse(text).unwrap();
            let by = |amount, seed| PresetEdit::Randomise { amount, seed }.applied_to(&preset);
            let moved = by(1.0, 7).unwrap_or_else(|e| panic!("{file}: {e}"));
            assert_eq!(moved, by(1.0, 7).unwrap());
            assert_ne!(moved, by(1.0, 8).unwrap());
            assert_eq!((&moved.colour, &moved.look), (&preset.colour, &preset.look));
            let still = by(0.0, 7).unwrap();
            assert_eq!(still.board(), preset.board(), "{file}");
            let dials = |preset: &Preset| {
                preset.board().into_iter().flat_map(|group| group.dials).collect::<Vec<_>>()
            };
            for (near, was) in dials(&by(0.1, 7).unwrap()).iter().zip(dials(&preset)) {
                assert!((near.value - was.value).abs() <= 0.1 * was.spec.span() + 1e-5);
            }
        }
    }

    proptest! {
        #[test]
        fn an_edited_preset_is_always_right(
            file in 0..BUNDLED.len(), group in 0_usize..40, dial in 0_usize..20, value in any::<f32>(),
            index in 0_usize..10, to in 0_usize..10,
        ) {
            let preset = Preset::parse(BUNDLED[file].1).unwrap();
            let board = preset.board();
            let Some(group) = board.get(group) else { return Ok(()) };
            let Some(dial) = group.dials.get(dial) else { return Ok(()) };
            let (owner, name) = (group.owner, dial.spec.name.to_string());
            for edit in [
                PresetEdit::Value { owner, name, value },
                PresetEdit::RemoveRow { owner, index },
                PresetEdit::MoveEffect { drawing: DrawingAt::First, index, to },
                PresetEdit::RemoveLayer { index },
            ] {
                if let Ok(edited) = edit.applied_to(&preset) {
                    prop_assert!(edited.check().is_ok());
                }
            }
        }
    }
}
