//! A preset ready to play: the real-time value that a show draws with.

use std::f32::consts::TAU;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::catalog::{Generator, Lines, Making};
use super::colouring::Colouring;
use super::controls::Controls;
use super::cost::{self, Allowed, Fit};
use super::effects::{self, Effect};
use super::modulation::{Signal, beats};
use super::morph::morph;
use super::pen::held_within;
use super::preset::{FormulaScheme, LOOK_TARGETS, LayerMode, Part, set_values};
use super::{Figure, ParamSpec, Pattern, Preset, PresetError, Scene, Sight};
use crate::analysis::Features;
use crate::time::MediaTime;

/// Vertices that any instrument draws at most.
pub const MAX_VERTICES: usize = 768;
/// Strokes that any instrument draws at most.
pub const MAX_STROKES: usize = 64;
/// Longest step of a figure's inner time, seconds; after a longer pause it goes on from where it was.
pub const MAX_DT: f32 = 0.25;

/// What happens to a whole figure at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shade {
    /// Share of the light, 0..=1.
    pub gain: f32,
    /// Size about the centre, 0.05..=1.
    pub scale: f32,
    /// Counter-clockwise turn in radians, −π..=π.
    pub rotation: f32,
}

impl Shade {
    /// What lies between: `self` at 0, `other` at 1; the turn goes the short way round.
    #[must_use]
    pub fn towards(self, other: Self, amount: f32) -> Self {
        let mix = |a: f32, b: f32| a + (b - a) * amount;
        let turn = (other.rotation - self.rotation + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0;
        let rotation = self.rotation + turn * amount;
        Self {
            gain: mix(self.gain, other.gain),
            scale: mix(self.scale, other.scale),
            rotation: (rotation + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0,
        }
    }
}

/// A compiled preset. All memory is taken by [`Instrument::new`].
pub struct Instrument {
    generator: &'static Generator,
    first: Drawing,
    layers: Vec<(LayerMode, Drawing)>,
    /// Where a layer is drawn, and where effects and morphing write.
    layer: Figure,
    scratch: Figure,
    look: LookSignals,
    share: f32,
}

/// One drawing of the preset, at play.
struct Drawing {
    pattern: Box<dyn Pattern>,
    /// What the pattern was made from: patterns of one making differ by what they have lived through alone.
    making: u64,
    controls: Controls,
    colouring: Colouring,
    effects: Vec<Stage>,
    /// Points that its pattern may work out.
    points: usize,
    /// Its last parameter is a layer's amount, which is not the pattern's.
    is_layer: bool,
}

/// One effect at play.
struct Stage {
    kind: &'static str,
    effect: Box<dyn Effect>,
    controls: Controls,
}

impl Drawing {
    fn new(part: &Part<'_>, generator: &Generator, allowed: Allowed) -> Self {
        // It was compiled when the preset was checked: here it cannot fail.
        let formula = part.formula.and_then(|formula| formula.compile().ok());
        let lines = part.formula.map_or(Lines::CURVE, FormulaScheme::lines);
        let making =
            Making { seed: part.seed.into(), text: part.text, formula: formula.as_ref(), lines };
        let specs = part.specs(generator);
        let values = part.values(&specs);
        let mut pattern = (generator.make)(&making);
        pattern.allow(allowed.points);
        let effects = part.effects.iter().take(allowed.effects).filter_map(|scheme| {
            let kind = effects::find(&scheme.effect)?;
            let values = set_values(&scheme.params, kind.params);
            let controls = Controls::new(kind.params.into(), values, &scheme.modulate);
            Some(Stage { kind: kind.id, effect: (kind.make)(), controls })
        });
        Self {
            pattern,
            making: making_of(part),
            controls: Controls::new(specs, values, part.modulate),
            colouring: Colouring::new(part.colour),
            effects: effects.collect(),
            points: allowed.points,
            is_layer: part.layer.is_some(),
        }
    }

    /// Takes over what the pattern and the effects of `from` have lived through, where they are of one kind.
    fn inherit(&mut self, from: &mut Self) {
        if self.making == from.making {
            std::mem::swap(&mut self.pattern, &mut from.pattern);
            self.pattern.allow(self.points);
        }
        self.controls.inherit(&from.controls);
        self.colouring.inherit(&from.colouring);
        let mut taken = 0_u32;
        for stage in &mut self.effects {
            let mut others = from.effects.iter_mut().enumerate();
            let other = others.find(|(k, other)| taken & (1 << k) == 0 && other.kind == stage.kind);
            if let Some((k, other)) = other {
                taken |= 1 << k;
                std::mem::swap(&mut stage.effect, &mut other.effect);
                stage.controls.inherit(&other.controls);
            }
        }
    }

    /// Draws, colours and changes a frame; returns how much of it is to be seen.
    fn draw(
        &mut self,
        features: &Features,
        media: MediaTime,
        dt: f32,
        figure: &mut Figure,
        scratch: &mut Figure,
    ) -> f32 {
        let (params, amount) = match self.controls.at(features, media, dt) {
            [params @ .., amount] if self.is_layer => (params, *amount),
            params => (params, 1.0),
        };
        figure.clear();
        self.pattern.draw(&Scene { features, media, dt, params }, figure);
        figure.end(false, false);
        self.colouring.paint(features, media, dt, figure);
        for Stage { effect, controls, .. } in &mut self.effects {
            let params = controls.at(features, media, dt);
            scratch.clear();
            effect.apply(&Scene { features, media, dt, params }, figure, scratch);
            scratch.end(false, false);
            figure.copy_from(scratch);
        }
        if !self.effects.is_empty() {
            for vertex in figure.vertices_mut() {
                (vertex.x, vertex.y) = held_within(vertex.x, vertex.y);
            }
        }
        amount
    }
}

/// A number that two parts share if they make the same pattern.
fn making_of(part: &Part<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (part.generator, part.seed, part.text).hash(&mut hasher);
    if let Some(formula) = part.formula {
        (&formula.frame, &formula.point, formula.closed, formula.smooth).hash(&mut hasher);
        formula.params.keys().for_each(|name| name.hash(&mut hasher));
    }
    hasher.finish()
}

/// `[look]`, ready to play; a pure function of the moment.
struct LookSignals {
    /// Brightness, scale, rotation, as in [`LOOK_TARGETS`].
    base: [f32; 3],
    spin_hz: f64,
    spin_per_beat: f64,
    rows: Vec<(usize, Signal)>,
}

impl fmt::Debug for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instrument")
            .field("generator", &self.generator.id)
            .field("values", &self.first.controls.values())
            .finish_non_exhaustive()
    }
}

impl Instrument {
    /// Builds everything the preset needs, for one projector.
    ///
    /// # Errors
    /// What [`Preset::check`] finds.
    pub fn new(preset: &Preset) -> Result<Self, PresetError> {
        Self::within(preset, cost::budget(1))
    }

    /// The same for a picture that may cost so many units: see [`cost`].
    ///
    /// # Errors
    /// What [`Preset::check`] finds.
    pub fn within(preset: &Preset, budget: u64) -> Result<Self, PresetError> {
        Self::fitted(preset, &cost::fit(preset, budget)?)
    }

    /// The same as it was fitted into what a picture may cost.
    ///
    /// # Errors
    /// What [`Preset::check`] finds.
    pub fn fitted(preset: &Preset, fit: &Fit) -> Result<Self, PresetError> {
        let generator = preset.check()?;
        let [first, others @ ..] = &fit.drawings[..] else { return Self::new(preset) };
        let first = Drawing::new(&preset.part(), generator, *first);
        let mut layers = Vec::with_capacity(others.len());
        for (layer, allowed) in preset.layers.iter().zip(others) {
            let part = layer.part();
            let Some(kind) = super::catalog::find(part.generator) else { continue };
            layers.push((layer.mode, Drawing::new(&part, kind, *allowed)));
        }
        let look = &preset.look;
        let look_rows = look.modulate.iter().filter_map(|row| {
            let index = LOOK_TARGETS.iter().position(|spec| spec.name == row.param)?;
            Some((index, Signal::new(row, LOOK_TARGETS[index].span())))
        });
        Ok(Self {
            generator,
            first,
            layers,
            layer: Self::figure(),
            scratch: Self::figure(),
            look: LookSignals {
                base: [look.brightness, look.scale, look.rotation],
                spin_hz: look.spin_hz.into(),
                spin_per_beat: f64::from(look.spin_per_bar) / 4.0,
                rows: look_rows.collect(),
            },
            share: fit.share(),
        })
    }

    /// What a picture of it costs at most, as a part of what it may cost: see [`cost`].
    #[must_use]
    pub const fn share(&self) -> f32 {
        self.share
    }

    /// A figure with room for all that any instrument draws.
    #[must_use]
    pub fn figure() -> Figure {
        Figure::with_capacity(MAX_VERTICES, MAX_STROKES)
    }

    /// Draws the frame seen at `media`, `dt` seconds after the last one, over what `figure` held.
    ///
    /// The figure is within −1..=1 however it is turned. Music that holds something that is not a number
    /// counts as silence. Real-time: no allocation. The same sequence of
    /// arguments gives the same figures.
    pub fn draw(&mut self, features: &Features, media: MediaTime, dt: f32, figure: &mut Figure) {
        let dt = if dt.is_finite() { dt.clamp(0.0, MAX_DT) } else { 0.0 };
        let silence;
        let features = if is_finite(features) {
            features
        } else {
            // A pattern keeps what it hears: one wrong number would stay in it for ever.
            silence = Features::silence(media);
            &silence
        };
        let Self { first, layers, layer, scratch, .. } = self;
        first.draw(features, media, dt, figure, scratch);
        for (mode, drawing) in layers {
            let amount = drawing.draw(features, media, dt, layer, scratch);
            match mode {
                LayerMode::Over => figure.append(layer, amount),
                LayerMode::Morph => {
                    scratch.clear();
                    morph(figure, layer, amount, scratch);
                    figure.copy_from(scratch);
                }
            }
        }
    }

    /// Goes on from where `from` is: patterns and effects of the same kind keep what they have lived through, so that a
    /// preset that is edited while it plays does not begin anew. `from` is to be let go of. Real-time: no allocation.
    pub fn inherit(&mut self, from: &mut Self) {
        self.first.inherit(&mut from.first);
        let mut taken = 0_u32;
        for (_, layer) in &mut self.layers {
            let mut others = from.layers.iter_mut().enumerate();
            let other = others
                .find(|(k, (_, other))| taken & (1 << k) == 0 && other.making == layer.making);
            if let Some((k, (_, other))) = other {
                taken |= 1 << k;
                layer.inherit(other);
            }
        }
    }

    /// Shows the patterns the mask stream at the moment of the next frame. Real-time: no allocation.
    pub fn see(&mut self, sight: Sight<'_>) {
        self.first.pattern.see(sight);
        for (_, drawing) in &mut self.layers {
            drawing.pattern.see(sight);
        }
    }

    /// Light, size and turn of the figure at one moment: a pure function of its arguments, cheap enough
    /// for every block of points. Real-time: no allocation.
    #[must_use]
    pub fn shade(&self, features: &Features, media: MediaTime) -> Shade {
        let mut moved = self.look.base;
        for (index, signal) in &self.look.rows {
            moved[*index] += signal.at(features, media);
        }
        let [gain, scale, rotation] = moved;
        let spin = media.as_secs_f64() * self.look.spin_hz
            + beats(features, media) * self.look.spin_per_beat;
        let turns = (f64::from(rotation) + spin + 0.5).rem_euclid(1.0) as f32 - 0.5;
        Shade {
            gain: gain.clamp(0.0, 1.0),
            scale: scale.clamp(LOOK_TARGETS[1].min, 1.0),
            rotation: turns * TAU,
        }
    }

    /// Sets a parameter by its place in [`Instrument::params`], clamped to its range; a place that is not
    /// there is ignored. Real-time: no allocation.
    pub fn set_param(&mut self, index: usize, value: f32) {
        self.first.controls.set(index, value);
    }

    /// The parameters, in the order of [`Instrument::values`].
    #[must_use]
    pub fn params(&self) -> &[ParamSpec] {
        self.first.controls.specs()
    }

    /// The values set, before modulation.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        self.first.controls.values()
    }

    /// The values of the last frame, after modulation.
    #[must_use]
    pub fn moved_values(&self) -> &[f32] {
        self.first.controls.moved()
    }

    /// The generator at work.
    #[must_use]
    pub fn generator(&self) -> &'static Generator {
        self.generator
    }
}

/// True if every value that patterns use is a number. Sums carry a NaN or an infinity to the end.
fn is_finite(features: &Features) -> bool {
    let Features { level, bands, spectrum, waveform, onset, beat, .. } = features;
    let sum = level
        + bands.bass
        + bands.mid
        + bands.treble
        + spectrum.iter().sum::<f32>()
        + waveform.iter().sum::<f32>()
        + onset.envelope
        + onset.strength
        + beat.bpm
        + beat.confidence
        + beat.phase
        + beat.bar_phase;
    sum.is_finite()
}

#[cfg(test)]
mod tests;
