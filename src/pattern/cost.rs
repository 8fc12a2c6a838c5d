//! What a preset costs to draw, counted and never measured: the same on every machine, so that the same preset makes the
//! same points everywhere.
//!
//! A unit is one simple operation of a formula on one point, about half a nanosecond (`benches/preset_cost.rs` prints it).
//! Everything of a picture is counted: the operations of a formula for each of its points, the drawing of the other
//! generators, colours, each effect on each vertex, and how layers meet. The callback has [`CALLBACK_UNITS`] for one
//! picture of every projector. A preset that needs more is drawn coarser by rule, and it is told:
//!
//! 1. Formulas get fewer points, all of them at most the same number, down to 32.
//! 2. Effects are left out, the last of the last layer first.
//! 3. Layers are left out, the last first.

use super::catalog::{self, Generator};
use super::formula::{Formula, LANES};
use super::generators::formula::{MAX_LANES, lanes};
use super::instrument::MAX_VERTICES;
use super::preset::{LayerMode, Part};
use super::{Preset, PresetError};

/// What one picture of every projector may cost together, about 2 ms: sixteen projectors show every bundled preset whole.
pub const CALLBACK_UNITS: u64 = 4_000_000;
/// Vertices that the generators other than `formula` draw at most.
const GENERATED: u64 = 640;
/// Around the code of a formula, a point: its words, what it sets, and its colour.
const POINT_UNITS: u64 = 56;
/// Colours, a vertex.
const PAINT_UNITS: u64 = 16;
/// Every effect, a vertex: it is copied, and copied back.
const COPY_UNITS: u64 = 4;
/// Holding a drawing with effects within the field, a vertex.
const HOLD_UNITS: u64 = 4;

/// What a picture of one of so many projectors may cost. Files are rendered for one.
#[must_use]
pub const fn budget(projectors: usize) -> u64 {
    let projectors = if projectors == 0 { 1 } else { projectors };
    CALLBACK_UNITS / projectors as u64
}

/// What of a drawing is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Points that a formula is worked out for at most, in whole runs of [`LANES`].
    pub points: usize,
    /// Effects from the first on.
    pub effects: usize,
}

/// How a preset is drawn within a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The first drawing, then the layers; those behind it are left out.
    pub drawings: Vec<Allowed>,
    /// What a picture costs as the preset has it.
    pub whole_units: u64,
    /// What it costs at most as it is drawn.
    pub units: u64,
    /// What it may cost.
    pub budget: u64,
    /// What is not as the preset has it, in words; none if nothing.
    pub coarser: Option<String>,
}

impl Fit {
    /// What a picture costs at most, as a part of what it may cost. Above 1 only where nothing is left to leave out.
    #[must_use]
    pub const fn share(&self) -> f32 {
        let budget = if self.budget == 0 { 1 } else { self.budget };
        (self.units as f64 / budget as f64) as f32
    }
}

/// Fits a preset into what a picture may cost.
///
/// # Errors
/// What [`Preset::check`] finds.
pub fn fit(preset: &Preset, budget: u64) -> Result<Fit, PresetError> {
    let generator = preset.check()?;
    let mut drawings = vec![Counted::new(&preset.part(), generator)];
    for layer in &preset.layers {
        let part = layer.part();
        drawings.extend(catalog::find(part.generator).map(|kind| Counted::new(&part, kind)));
    }
    let whole: Vec<Allowed> = drawings.iter().map(Counted::whole).collect();
    let whole_units = units(&drawings, &whole);
    let allowed = allowed(&drawings, whole.clone(), budget);
    let coarser = in_words(&drawings, &whole, &allowed);
    Ok(Fit { units: units(&drawings, &allowed), drawings: allowed, whole_units, budget, coarser })
}

/// The most projectors that have room for a picture of so many units.
#[must_use]
pub const fn projectors_for(units: u64) -> usize {
    match CALLBACK_UNITS.checked_div(units) {
        Some(projectors) => projectors as usize,
        None => usize::MAX,
    }
}

fn allowed(drawings: &[Counted], mut allowed: Vec<Allowed>, budget: u64) -> Vec<Allowed> {
    let most = MAX_LANES / LANES;
    let fits = |allowed: &[Allowed]| units(drawings, allowed) <= budget;
    loop {
        let found = if fits(&allowed) {
            // A hand may still ask for more points: as far as there is room.
            (1..=most)
                .rev()
                .map(|runs| capped(drawings, &allowed, |own| own.max(runs * LANES)))
                .find(|a| fits(a))
        } else {
            (1..=most)
                .rev()
                .map(|runs| capped(drawings, &allowed, |own| own.min(runs * LANES)))
                .find(|a| fits(a))
        };
        if let Some(found) = found {
            return found;
        }
        if let Some(last) = allowed.iter_mut().rev().find(|one| one.effects > 0) {
            last.effects -= 1;
        } else if allowed.len() > 1 {
            allowed.pop();
        } else {
            return capped(drawings, &allowed, |own| own.min(LANES));
        }
    }
}

/// With other points for each formula.
fn capped(
    drawings: &[Counted],
    allowed: &[Allowed],
    points: impl Fn(usize) -> usize,
) -> Vec<Allowed> {
    let one = |(drawing, one): (&Counted, &Allowed)| Allowed {
        points: if drawing.is_formula() { points(one.points) } else { 0 },
        ..*one
    };
    drawings.iter().zip(allowed).map(one).collect()
}

fn units(drawings: &[Counted], allowed: &[Allowed]) -> u64 {
    drawings.iter().zip(allowed).map(|(drawing, allowed)| drawing.units(*allowed)).sum()
}

fn in_words(drawings: &[Counted], whole: &[Allowed], allowed: &[Allowed]) -> Option<String> {
    let mut said = Vec::new();
    let formulas = drawings.iter().zip(whole).zip(allowed).filter(|((d, _), _)| d.is_formula());
    let fewer: Vec<_> = formulas
        .filter(|((_, whole), allowed)| allowed.points < whole.points)
        .map(|(_, allowed)| allowed.points)
        .collect();
    if let Some(points) = fewer.first() {
        said.push(format!("its formulas have {points} points at most"));
    }
    let effects = |of: &[Allowed]| of.iter().map(|one| one.effects).sum::<usize>();
    let shown = whole.get(..allowed.len()).unwrap_or(whole);
    match effects(shown) - effects(allowed) {
        0 => {}
        1 => said.push("an effect is left out".to_owned()),
        lost => said.push(format!("{lost} effects are left out")),
    }
    match whole.len() - allowed.len() {
        0 => {}
        1 => said.push("a layer is left out".to_owned()),
        lost => said.push(format!("{lost} layers are left out")),
    }
    (!said.is_empty()).then(|| said.join(", "))
}

/// One drawing, as far as its cost goes.
struct Counted {
    /// Of a formula: units once a picture, and for each point.
    formula: Option<[u64; 2]>,
    /// Points that the preset's own values and movers can ask for.
    points: usize,
    /// Of another generator, for a picture.
    generator_units: u64,
    /// Units a vertex, and whether it fills the figure with copies.
    effects: Vec<(u64, bool)>,
    /// How the layer meets what was drawn before it, a vertex.
    joining_units: u64,
}

impl Counted {
    fn new(part: &Part<'_>, generator: &Generator) -> Self {
        let is_formula = generator.id == "formula";
        let formula = part.formula.and_then(|scheme| scheme.compile().ok());
        let formula = is_formula
            .then(|| formula.as_ref().map_or([0, 32], |f: &Formula| f.costs().map(u64::from)));
        let specs = part.specs(generator);
        let values = part.values(&specs);
        // A parameter that something moves can be anywhere in its range.
        let most = |name: &str| {
            let at = specs.iter().position(|spec| spec.name == name)?;
            let moved = part.modulate.iter().any(|row| row.param == name);
            Some(if moved { specs[at].max } else { values[at] }.round().max(1.0) as usize)
        };
        let points = match (is_formula, most("points"), most("strokes")) {
            (true, Some(points), Some(strokes)) => lanes(strokes, points),
            _ => 0,
        };
        let effects = part.effects.iter().map(|scheme| effect_units(&scheme.effect)).collect();
        let joining_units = match part.layer {
            None => 0,
            Some((LayerMode::Over, _)) => 4,
            Some((LayerMode::Morph, _)) => 24,
        };
        let generator_units =
            if is_formula { 0 } else { GENERATED * generator_units(generator.id) };
        Self { formula, points, generator_units, effects, joining_units }
    }

    const fn is_formula(&self) -> bool {
        self.formula.is_some()
    }

    fn whole(&self) -> Allowed {
        Allowed { points: self.points, effects: self.effects.len() }
    }

    fn units(&self, allowed: Allowed) -> u64 {
        let points = allowed.points as u64;
        let (drawn, mut vertices) = match self.formula {
            Some([frame, point]) => (frame + points * (point + POINT_UNITS), points.min(GENERATED)),
            None => (self.generator_units, GENERATED),
        };
        let mut units = drawn + vertices * PAINT_UNITS;
        for (effect, fills) in self.effects.iter().take(allowed.effects) {
            if *fills {
                vertices = MAX_VERTICES as u64;
            }
            units += vertices * (effect + COPY_UNITS);
        }
        if allowed.effects > 0 {
            units += vertices * HOLD_UNITS;
        }
        units + vertices * self.joining_units
    }
}

/// Of a generator other than `formula`, a vertex: at the dearest ends of its parameters.
fn generator_units(id: &str) -> u64 {
    match id {
        "superformula" | "flow" => 176,
        "metaballs" => 96,
        "circle" | "grid" | "scope" | "sheet" | "fractal" | "helix" | "spirograph" | "knot"
        | "terrain" | "mask" | "portrait" => 64,
        _ => 32,
    }
}

/// Of an effect, a vertex, at the dearest ends of its parameters, and whether it may fill the figure.
fn effect_units(id: &str) -> (u64, bool) {
    match id {
        "dots" => (240, true),
        "kaleidoscope" | "duplicate" | "trail" => (40, true),
        "mirror" => (12, true),
        "dash" => (32, true),
        "twist" | "shiver" | "shade" => (48, false),
        "lens" => (32, false),
        "wave" | "reveal" => (24, false),
        "colour_cycle" => (16, false),
        _ => (12, false),
    }
}

#[cfg(test)]
mod tests {
    use super::super::bundled::BUNDLED;
    use super::*;

    fn worst() -> Preset {
        Preset::parse(include_str!("../../tests/cases/worst.toml")).unwrap()
    }

    #[test]
    fn every_bundled_preset_is_drawn_whole_on_sixteen_projectors() {
        for (_, text) in BUNDLED {
            let preset = Preset::parse(text).unwrap();
            let fit = fit(&preset, budget(16)).unwrap();
            assert_eq!(fit.coarser, None, "{}: {} units", preset.name, fit.whole_units);
        }
    }

    #[test]
    fn the_dearest_preset_is_whole_on_one_projector_and_within_the_budget_on_any_number_up_to_64() {
        let worst = worst();
        assert_eq!(fit(&worst, budget(1)).unwrap().coarser, None);
        for projectors in 2..=64 {
            let fit = fit(&worst, budget(projectors)).unwrap();
            assert!(fit.units <= budget(projectors), "{projectors}: {fit:?}");
            assert!(fit.coarser.is_some());
        }
        let fit = fit(&worst, budget(8)).unwrap();
        assert!(fit.coarser.unwrap().starts_with("its formulas have "));
        assert_eq!(fit.drawings.len(), 5, "no layer is lost");
        assert!(fit.drawings.iter().all(|one| one.points < 640));
    }

    #[test]
    fn above_32_projectors_even_a_plain_preset_may_exceed_its_share() {
        let share = |generator: &Generator, projectors| {
            let plain = Preset::plain(generator.name, generator);
            fit(&plain, budget(projectors)).unwrap().share()
        };
        assert!(catalog::GENERATORS.iter().all(|generator| share(generator, 32) <= 1.0));
        assert!(catalog::GENERATORS.iter().any(|generator| share(generator, 33) > 1.0));
    }

    #[test]
    fn what_fits_may_still_get_more_points_by_hand_as_far_as_there_is_room() {
        let text = "version = 1\nname = \"F\"\ngenerator = \"formula\"\n[params]\npoints = 100\n";
        let fit = fit(&Preset::parse(text).unwrap(), budget(1)).unwrap();
        assert_eq!((fit.coarser, fit.drawings[0].points), (None, MAX_LANES));
    }

    #[test]
    fn effects_and_then_layers_are_left_out_where_fewer_points_are_not_enough() {
        let worst = worst();
        let effects = fit(&worst, 200_000).unwrap();
        assert!(effects.coarser.unwrap().contains("effects are left out"));
        assert!(effects.units <= 200_000);
        assert!(effects.drawings[0].effects >= effects.drawings[4].effects, "the last first");
        let layers = fit(&worst, 30_000).unwrap();
        assert!(layers.units <= 30_000 && layers.drawings.len() < 5, "{layers:?}");
        assert!(layers.coarser.unwrap().contains("layer"));
    }
}
