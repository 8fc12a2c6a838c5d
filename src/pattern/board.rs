//! Every value of a preset that can be set or moved, in one list: what an operator's desk shows and changes.
//!
//! An [`Owner`] says where a value stands in a preset; the same words address it when it is set, moved or watched.

use super::catalog::{self, ParamSpec};
use super::colouring::{self, ColourScheme};
use super::effects;
use super::modulation::Modulation;
use super::preset::{AMOUNT, EffectScheme, LOOK_TARGETS, Look, Preset};

/// A drawing of a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DrawingAt {
    /// The one at the top of the file.
    First,
    /// A row of `[[layers]]`, from 0.
    Layer(usize),
}

/// What holds values in a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The parameters of a drawing; of a layer also its `amount`.
    Drawing(DrawingAt),
    /// The colours of a drawing.
    Colour(DrawingAt),
    /// An effect of a drawing, from 0.
    Effect(DrawingAt, usize),
    /// `[look]`: light, size and turn of the whole figure.
    Look,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct Dial {
    /// Name, unit, range, default and help.
    pub spec: ParamSpec,
    /// The value set.
    pub value: f32,
    /// What a modulation of depth 1 moves it by; 0 if nothing can move it.
    pub span: f32,
    /// False for a value that is only moved.
    pub is_set: bool,
}

/// The values of one owner, in display order.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Whose they are.
    pub owner: Owner,
    /// The values.
    pub dials: Vec<Dial>,
}

/// The numbers of `[colour]`.
pub const COLOUR_NUMBERS: &[ParamSpec] = &[
    ParamSpec::new("repeats", "", [0.1, 1.0, 16.0], "How many palettes fit into the run."),
    ParamSpec::new("drift_hz", "palettes/s", [-4.0, 0.0, 4.0], "Steady travel along the run."),
    ParamSpec::new("drift_per_bar", "palettes", [-8.0, 0.0, 8.0], "Travel in a bar of four beats."),
    ParamSpec::new("hue", "turns", [-1.0, 0.0, 1.0], "Turns every colour around the colour wheel."),
    ParamSpec::new("saturation", "", [0.0, 1.0, 1.0], "1 pure colours, 0 white."),
];

/// The numbers of `[look]`.
pub const LOOK_NUMBERS: &[ParamSpec] = &[
    ParamSpec::new("brightness", "", [0.0, 1.0, 1.0], "All light of the figure."),
    ParamSpec::new("scale", "", [0.05, 1.0, 1.0], "Size of the figure."),
    ParamSpec::new("rotation", "turns", [-1.0, 0.0, 1.0], "Turns the figure counter-clockwise."),
    ParamSpec::new("spin_hz", "turns/s", [-4.0, 0.0, 4.0], "Steady turn."),
    ParamSpec::new("spin_per_bar", "turns", [-8.0, 0.0, 8.0], "Turn in a bar of four beats."),
];

impl Preset {
    /// Every drawing: the first, then the layers.
    pub fn drawings(&self) -> impl Iterator<Item = DrawingAt> + use<> {
        std::iter::once(DrawingAt::First).chain((0..self.layers.len()).map(DrawingAt::Layer))
    }

    /// Every value of the preset, drawing by drawing (parameters, colours, effects), then those of the look.
    #[must_use]
    pub fn board(&self) -> Vec<Group> {
        let mut owners = Vec::new();
        for drawing in self.drawings() {
            owners.extend([Owner::Drawing(drawing), Owner::Colour(drawing)]);
            let count = self.effects_of(drawing).map_or(0, <[_]>::len);
            owners.extend((0..count).map(|index| Owner::Effect(drawing, index)));
        }
        owners.push(Owner::Look);
        let group = |owner| Group { owner, dials: self.dials(owner).unwrap_or_default() };
        owners.into_iter().map(group).collect()
    }

    /// The values of an owner; `None` if there is no such owner.
    #[must_use]
    pub fn dials(&self, owner: Owner) -> Option<Vec<Dial>> {
        match owner {
            Owner::Drawing(drawing) => {
                let part = match drawing {
                    DrawingAt::First => self.part(),
                    DrawingAt::Layer(index) => self.layers.get(index)?.part(),
                };
                let specs = part.specs(catalog::find(part.generator)?);
                let values = part.values(&specs);
                let dial = |(spec, value): (&ParamSpec, f32)| {
                    let mut dial = movable(spec, value, spec.span());
                    if part.layer.is_some() && dial.spec.name == AMOUNT {
                        dial.spec.default = 1.0;
                    }
                    dial
                };
                Some(specs.iter().zip(values).map(dial).collect())
            }
            Owner::Colour(drawing) => {
                let scheme = self.colour_of(drawing)?;
                let number = |spec: &ParamSpec| {
                    let value = colour_number(scheme, &spec.name)?;
                    Some(movable(spec, value, span_among(colouring::TARGETS, &spec.name)))
                };
                let travel = colouring::TARGETS.iter().filter(|spec| spec.name == "travel");
                let travel =
                    travel.map(|spec| Dial { is_set: false, ..movable(spec, 0.0, spec.span()) });
                Some(travel.chain(COLOUR_NUMBERS.iter().filter_map(number)).collect())
            }
            Owner::Effect(drawing, index) => {
                let scheme = self.effects_of(drawing)?.get(index)?;
                let kind = effects::find(&scheme.effect)?;
                let value = |spec: &ParamSpec| {
                    let value = scheme.params.get(spec.name.as_ref()).copied();
                    movable(spec, value.unwrap_or(spec.default), spec.span())
                };
                Some(kind.params.iter().map(value).collect())
            }
            Owner::Look => {
                let number = |spec: &ParamSpec| {
                    let value = look_number(&self.look, &spec.name)?;
                    Some(movable(spec, value, span_among(LOOK_TARGETS, &spec.name)))
                };
                Some(LOOK_NUMBERS.iter().filter_map(number).collect())
            }
        }
    }

    /// What of the music moves the values of an owner.
    #[must_use]
    pub fn rows(&self, owner: Owner) -> Option<&[Modulation]> {
        Some(match owner {
            Owner::Drawing(DrawingAt::First) => &self.modulate,
            Owner::Drawing(DrawingAt::Layer(index)) => &self.layers.get(index)?.modulate,
            Owner::Colour(drawing) => &self.colour_of(drawing)?.modulate,
            Owner::Effect(drawing, index) => &self.effects_of(drawing)?.get(index)?.modulate,
            Owner::Look => &self.look.modulate,
        })
    }

    /// The same, to change them.
    pub fn rows_mut(&mut self, owner: Owner) -> Option<&mut Vec<Modulation>> {
        Some(match owner {
            Owner::Drawing(DrawingAt::First) => &mut self.modulate,
            Owner::Drawing(DrawingAt::Layer(index)) => &mut self.layers.get_mut(index)?.modulate,
            Owner::Colour(drawing) => &mut self.colour_of_mut(drawing)?.modulate,
            Owner::Effect(drawing, index) => {
                &mut self.effects_of_mut(drawing)?.get_mut(index)?.modulate
            }
            Owner::Look => &mut self.look.modulate,
        })
    }

    /// The generator of a drawing, as it is written.
    #[must_use]
    pub fn generator_of(&self, drawing: DrawingAt) -> Option<&str> {
        match drawing {
            DrawingAt::First => Some(&self.generator),
            DrawingAt::Layer(index) => Some(&self.layers.get(index)?.generator),
        }
    }

    /// The colours of a drawing.
    #[must_use]
    pub fn colour_of(&self, drawing: DrawingAt) -> Option<&ColourScheme> {
        match drawing {
            DrawingAt::First => Some(&self.colour),
            DrawingAt::Layer(index) => Some(&self.layers.get(index)?.colour),
        }
    }

    /// The same, to change them.
    pub fn colour_of_mut(&mut self, drawing: DrawingAt) -> Option<&mut ColourScheme> {
        match drawing {
            DrawingAt::First => Some(&mut self.colour),
            DrawingAt::Layer(index) => Some(&mut self.layers.get_mut(index)?.colour),
        }
    }

    /// The effects of a drawing.
    #[must_use]
    pub fn effects_of(&self, drawing: DrawingAt) -> Option<&[EffectScheme]> {
        match drawing {
            DrawingAt::First => Some(&self.effects),
            DrawingAt::Layer(index) => Some(&self.layers.get(index)?.effects),
        }
    }

    /// The same, to change them.
    pub fn effects_of_mut(&mut self, drawing: DrawingAt) -> Option<&mut Vec<EffectScheme>> {
        match drawing {
            DrawingAt::First => Some(&mut self.effects),
            DrawingAt::Layer(index) => Some(&mut self.layers.get_mut(index)?.effects),
        }
    }

    /// Sets a value, held within its range; false if there is none of this name. A value at its default is not written.
    pub fn set_dial(&mut self, owner: Owner, name: &str, value: f32) -> bool {
        let dials = self.dials(owner).unwrap_or_default();
        let Some(dial) = dials.iter().find(|dial| dial.spec.name == name && dial.is_set) else {
            return false;
        };
        let value = dial.spec.clamped(value);
        let params = match owner {
            Owner::Drawing(DrawingAt::First) => Some(&mut self.params),
            Owner::Drawing(DrawingAt::Layer(index)) => {
                let layer = self.layers.get_mut(index);
                if let (AMOUNT, Some(layer)) = (name, layer) {
                    layer.amount = value;
                    return true;
                }
                self.layers.get_mut(index).map(|layer| &mut layer.params)
            }
            Owner::Effect(drawing, index) => self
                .effects_of_mut(drawing)
                .and_then(|effects| effects.get_mut(index))
                .map(|effect| &mut effect.params),
            Owner::Colour(drawing) => {
                if let Some(scheme) = self.colour_of_mut(drawing) {
                    set_colour_number(scheme, name, value);
                }
                return true;
            }
            Owner::Look => {
                set_look_number(&mut self.look, name, value);
                return true;
            }
        };
        if let Some(params) = params {
            params.insert(name.to_owned(), value);
        }
        true
    }
}

fn movable(spec: &ParamSpec, value: f32, span: f32) -> Dial {
    Dial { spec: spec.clone(), value, span, is_set: true }
}

fn span_among(targets: &[ParamSpec], name: &str) -> f32 {
    targets.iter().find(|target| target.name == name).map_or(0.0, ParamSpec::span)
}

pub(super) fn colour_number(scheme: &ColourScheme, name: &str) -> Option<f32> {
    Some(match name {
        "repeats" => scheme.repeats,
        "drift_hz" => scheme.drift_hz,
        "drift_per_bar" => scheme.drift_per_bar,
        "hue" => scheme.hue,
        "saturation" => scheme.saturation,
        _ => return None,
    })
}

fn set_colour_number(scheme: &mut ColourScheme, name: &str, value: f32) {
    match name {
        "repeats" => scheme.repeats = value,
        "drift_hz" => scheme.drift_hz = value,
        "drift_per_bar" => scheme.drift_per_bar = value,
        "hue" => scheme.hue = value,
        "saturation" => scheme.saturation = value,
        _ => {}
    }
}

pub(super) fn look_number(look: &Look, name: &str) -> Option<f32> {
    Some(match name {
        "brightness" => look.brightness,
        "scale" => look.scale,
        "rotation" => look.rotation,
        "spin_hz" => look.spin_hz,
        "spin_per_bar" => look.spin_per_bar,
        _ => return None,
    })
}

fn set_look_number(look: &mut Look, name: &str, value: f32) {
    match name {
        "brightness" => look.brightness = value,
        "scale" => look.scale = value,
        "rotation" => look.rotation = value,
        "spin_hz" => look.spin_hz = value,
        "spin_per_bar" => look.spin_per_bar = value,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::bundled::BUNDLED;

    #[test]
    fn every_value_of_every_bundled_preset_can_be_set_to_both_ends_and_the_preset_stays_right() {
        for (file, text) in BUNDLED {
            let mut preset = Preset::parse(text).unwrap();
            for group in preset.board() {
                assert!(!group.dials.is_empty(), "{file}: {:?}", group.owner);
                assert!(preset.rows(group.owner).is_some());
                for dial in group.dials.iter().filter(|dial| dial.is_set) {
                    let Dial { spec, value, .. } = dial;
                    for end in [spec.max, spec.min] {
                        assert!(preset.set_dial(group.owner, &spec.name, end));
                        preset.check().unwrap_or_else(|e| panic!("{file} {}: {e}", spec.name));
                    }
                    assert!(preset.set_dial(group.owner, &spec.name, *value));
                }
            }
            let dials = |preset: &Preset| preset.board();
            assert_eq!(dials(&preset), dials(&Preset::parse(text).unwrap()), "{file}");
        }
    }

    #[test]
    fn every_target_of_a_row_is_a_dial_that_moves() {
        for (file, text) in BUNDLED {
            let preset = Preset::parse(text).unwrap();
            for group in preset.board() {
                for row in preset.rows(group.owner).unwrap() {
                    let dial = group.dials.iter().find(|dial| dial.spec.name == row.param);
                    assert!(dial.is_some_and(|dial| dial.span > 0.0), "{file}: {}", row.param);
                }
            }
        }
    }

    #[test]
    fn what_is_not_there_is_not_set() {
        let mut preset = Preset::plain("A", catalog::find("circle").unwrap());
        for owner in [
            Owner::Drawing(DrawingAt::Layer(0)),
            Owner::Colour(DrawingAt::Layer(3)),
            Owner::Effect(DrawingAt::First, 0),
        ] {
            assert!(preset.dials(owner).is_none() && preset.rows_mut(owner).is_none());
            assert!(!preset.set_dial(owner, "radius", 0.5));
        }
        assert!(!preset.set_dial(Owner::Look, "radius", 0.5));
        assert!(!preset.set_dial(Owner::Colour(DrawingAt::First), "travel", 0.5), "only moved");
        assert!(preset.set_dial(Owner::Look, "scale", f32::NAN) && preset.look.scale == 1.0);
    }
}
