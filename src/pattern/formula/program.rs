//! Two compiled texts that belong together, and what plays them.

use super::compiler::{Names, compile, names_set};
use super::lexer;
use super::machine::{Code, Machine};
use super::{
    FRAME_WORDS, FormulaError, MAX_PARAMS, MAX_VARIABLES, OUTPUTS, POINT_WORDS, Part, Slip,
};
use crate::analysis::Features;
use crate::pattern::generators::spectrum_at;
use crate::pattern::preset::did_you_mean;
use crate::point::Colour;
use crate::time::MediaTime;

/// Points that are worked on at once.
pub const LANES: usize = 32;

static SILENCE: Features = Features::silence(MediaTime::ZERO);

/// What `wave`, `spec`, `rand` and `noise` look at.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// The sound.
    pub features: &'a Features,
    /// Where everything random begins.
    pub seed: u32,
}

impl Heard<'_> {
    /// Silence.
    #[must_use]
    pub fn nothing() -> Self {
        Self { features: &SILENCE, seed: 0 }
    }

    pub(super) fn wave(&self, place: f32) -> f32 {
        let wave = &self.features.waveform;
        let position = place.clamp(0.0, 1.0) * (wave.len() - 1) as f32;
        let index = (position as usize).min(wave.len() - 2);
        wave[index] + (wave[index + 1] - wave[index]) * (position - index as f32)
    }

    pub(super) fn spectrum(&self, place: f32) -> f32 {
        spectrum_at(&self.features.spectrum, place)
    }
}

/// The values of [`FRAME_WORDS`] for a frame, in their order.
pub type Moment = [f32; FRAME_WORDS.len()];

/// In what a formula writes colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ink {
    White,
    Hue,
    Diodes,
}

/// A formula: checked and compiled, with no memory of its own.
#[derive(Clone, Debug)]
pub struct Formula {
    frame: Code,
    /// Where in `frame` each variable stands at the end.
    variables: Vec<usize>,
    point: Code,
    params: usize,
    /// Where in `point` each of [`OUTPUTS`] stands at the end.
    outputs: [Option<usize>; OUTPUTS.len()],
    ink: Ink,
}

impl Formula {
    /// Compiles the two texts of a formula with parameters of these names.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn compile(frame: &str, point: &str, params: &[&str]) -> Result<Self, FormulaError> {
        let in_frame = |slip: Slip| slip.within(Part::Frame, frame);
        let in_point = |slip: Slip| slip.within(Part::Point, point);
        if params.len() > MAX_PARAMS {
            let message = format!("at most {MAX_PARAMS} parameters, here are {}", params.len());
            return Err(in_frame(Slip::new(0, message)));
        }
        let set = names_set(frame).map_err(in_frame)?;
        if let Some((at, _)) = set.get(MAX_VARIABLES) {
            let message = format!("more than {MAX_VARIABLES} names are set");
            return Err(in_frame(Slip::new(*at, message)));
        }
        let variables: Vec<&str> = set.iter().map(|(_, name)| *name).collect();
        let common = || FRAME_WORDS.iter().map(|(word, _)| *word).chain(params.iter().copied());

        let taken = |name: &str| {
            let what = if is_word(FRAME_WORDS, name) || is_word(POINT_WORDS, name) {
                "a word of the language"
            } else if params.contains(&name) {
                "a parameter"
            } else if is_word(OUTPUTS, name) {
                "set in `point`, for every point"
            } else {
                return None;
            };
            Some(format!("`{name}` is {what}; choose another name"))
        };
        let foreign = |name: &str| {
            is_word(POINT_WORDS, name)
                .then(|| format!("`{name}` is different for every point: use it in `point`"))
        };
        let names = Names {
            inputs: common().chain(variables.iter().copied()).collect(),
            taken: &taken,
            foreign: &foreign,
        };
        let compiled = compile(frame, &names).map_err(in_frame)?;
        let place = |name: &str| compiled.set.iter().find(|(set, _)| *set == name).map(|s| s.1);
        let places = variables.iter().filter_map(|name| place(name)).collect();

        let taken = |name: &str| {
            let what = if is_word(FRAME_WORDS, name) || is_word(POINT_WORDS, name) {
                "a word of the language"
            } else if params.contains(&name) {
                "a parameter"
            } else if variables.contains(&name) {
                "set in `frame`"
            } else {
                return None;
            };
            Some(format!("`{name}` is {what}; choose another name"))
        };
        let foreign = |name: &str| {
            is_word(OUTPUTS, name).then(|| format!("`{name}` is read here before it is set"))
        };
        let names = Names {
            inputs: common()
                .chain(variables.iter().copied())
                .chain(POINT_WORDS.iter().map(|(word, _)| *word))
                .collect(),
            taken: &taken,
            foreign: &foreign,
        };
        let drawn = compile(point, &names).map_err(in_point)?;
        let output = |name: &str| drawn.set.iter().find(|(set, _)| *set == name).map(|s| s.1);
        let outputs: [Option<usize>; OUTPUTS.len()] =
            std::array::from_fn(|index| OUTPUTS.get(index).and_then(|(name, _)| output(name)));
        for (name, place) in ["x", "y"].into_iter().zip(outputs) {
            if place.is_none() {
                let names = drawn.set.iter().map(|(name, _)| *name);
                let hint =
                    if drawn.set.is_empty() { String::new() } else { did_you_mean(name, names) };
                let message = format!("`{name}` is never set: write `{name} = …`{hint}");
                return Err(in_point(Slip::new(point.len(), message)));
            }
        }
        let [_, _, _, hue, sat, diodes @ ..] = outputs;
        let ink = match (hue.or(sat), diodes.iter().flatten().next()) {
            (None, None) => Ink::White,
            (Some(_), None) => Ink::Hue,
            (None, Some(_)) => Ink::Diodes,
            (Some(_), Some(_)) => {
                let message = "a colour is `hue` and `sat`, or `red`, `green` and `blue`: not both";
                return Err(in_point(Slip::new(point.len(), message)));
            }
        };
        Ok(Self {
            frame: compiled.code,
            variables: places,
            point: drawn.code,
            params: params.len(),
            outputs,
            ink,
        })
    }

    /// Price of the frame's text and of the point's, in simple operations (see [`FUNCTIONS`](super::FUNCTIONS)).
    #[must_use]
    pub const fn costs(&self) -> [u32; 2] {
        [self.frame.cost, self.point.cost]
    }

    /// True for a name that a parameter may have.
    #[must_use]
    pub fn is_free_name(name: &str) -> bool {
        let word = [FRAME_WORDS, POINT_WORDS, OUTPUTS].iter().any(|words| is_word(words, name));
        let constant = super::CONSTANTS.iter().any(|(known, _)| *known == name);
        let function = super::FUNCTIONS.iter().any(|function| function.name == name);
        let is_name = matches!(
            lexer::words(name).as_deref(),
            Ok([(0, lexer::Token::Name(whole)), _]) if *whole == name
        );
        is_name && !word && !constant && !function
    }
}

fn is_word(words: &[(&str, &str)], name: &str) -> bool {
    words.iter().any(|(word, _)| *word == name)
}

/// A formula at play: all the memory it needs.
#[derive(Clone, Debug)]
pub struct Player {
    frame: Machine<1>,
    point: Machine<LANES>,
    variables: Vec<usize>,
    /// What the variables of the frame were at its end: where the next one begins.
    kept: Vec<f32>,
    first_variable: usize,
    outputs: [Option<usize>; OUTPUTS.len()],
    ink: Ink,
}

impl Player {
    /// A player of `formula`, every variable at 0.
    #[must_use]
    pub fn new(formula: &Formula) -> Self {
        Self {
            frame: Machine::new(&formula.frame),
            point: Machine::new(&formula.point),
            kept: vec![0.0; formula.variables.len()],
            variables: formula.variables.clone(),
            first_variable: FRAME_WORDS.len() + formula.params,
            outputs: formula.outputs,
            ink: formula.ink,
        }
    }

    /// Works out what is the same for all points of a frame. `params` are those of the formula, in its order.
    pub fn begin_frame(&mut self, heard: &Heard<'_>, moment: &Moment, params: &[f32]) {
        let known = moment.iter().chain(params).take(self.first_variable).enumerate();
        for (place, &value) in known {
            self.frame.set(place, value);
            self.point.set(place, value);
        }
        for (place, &value) in self.kept.iter().enumerate() {
            self.frame.set(self.first_variable + place, value);
        }
        self.frame.run(heard);
        for (place, kept) in self.kept.iter_mut().enumerate() {
            let value = self.frame.register(self.variables[place])[0];
            // One wrong number would stay in it for ever.
            *kept = if value.is_finite() { value } else { 0.0 };
            self.point.set(self.first_variable + place, *kept);
        }
    }

    /// Works out the `points` points of stroke number `stroke` of `strokes`, and shows each: x, y, colour. What is
    /// not a number is 0.
    pub fn stroke(
        &mut self,
        heard: &Heard<'_>,
        (stroke, strokes): (usize, usize),
        points: usize,
        closed: bool,
        mut see: impl FnMut(f32, f32, Colour),
    ) {
        let ends = if closed { points } else { points.saturating_sub(1) };
        let share = 1.0 / ends.max(1) as f32;
        let first_word = self.first_variable + self.kept.len();
        self.point.set(first_word + 3, stroke as f32);
        self.point.set(first_word + 4, stroke as f32 / strokes.saturating_sub(1).max(1) as f32);
        for first in (0..points).step_by(LANES) {
            for lane in 0..LANES {
                let k = (first + lane) as f32;
                self.point.register(first_word)[lane] = k * share;
                self.point.register(first_word + 1)[lane] = k * share * std::f32::consts::TAU;
                self.point.register(first_word + 2)[lane] = k;
            }
            self.point.run(heard);
            for lane in 0..LANES.min(points - first) {
                let mut value = |place: usize, otherwise: f32| match self.outputs[place] {
                    Some(register) => {
                        let value = self.point.register(register)[lane];
                        if value.is_finite() { value } else { 0.0 }
                    }
                    None => otherwise,
                };
                let (x, y, light) = (value(0, 0.0), value(1, 0.0), value(2, 1.0).clamp(0.0, 1.0));
                let colour = match self.ink {
                    Ink::White => Colour::WHITE,
                    Ink::Hue => Colour::hsv(value(3, 0.0), value(4, 1.0).clamp(0.0, 1.0), 1.0),
                    Ink::Diodes => {
                        let mut diode = |place| value(place, 0.0).clamp(0.0, 1.0);
                        Colour::rgb(diode(5), diode(6), diode(7))
                    }
                };
                see(x, y, colour.scaled(light));
            }
        }
    }
}
