//! The small language of formula patterns: what a preset computes per frame and per point.
//!
//! A text is compiled once, with every name and number of arguments checked, into a flat list of operations.
//! These run over arrays of points: no tree, no loop, no jump, no allocation, so that the cost of a frame is
//! known before it is drawn. What is not a number counts as 0: a division by zero is 0, and so is the square
//! root of a negative number. `docs/formulas.md` is the guide.

mod compiler;
mod lexer;
mod machine;
mod op;
mod program;

pub use compiler::CONSTANTS;
pub(super) use op::noise;
pub use op::{FUNCTIONS, Function};
pub use program::{Formula, Heard, LANES, Moment, Player};

/// Most bytes of either text.
pub const MAX_TEXT_BYTES: usize = 8 * 1024;
/// Most work per point, and per frame in the other text, in simple operations (see [`FUNCTIONS`] for the price of
/// each): 600 points of the dearest formula take well under a millisecond.
pub const MAX_COST: u32 = 512;
/// Most parameters of a formula's own.
pub const MAX_PARAMS: usize = 16;
/// Most variables of the frame's text.
pub const MAX_VARIABLES: usize = 64;

/// Words for the moment, known in both texts: name, meaning.
pub const FRAME_WORDS: &[(&str, &str)] = &[
    ("t", "Media time, seconds."),
    ("dt", "Seconds since the last frame, 0 for the first."),
    ("phase", "Turns so far at the speed of the parameter `speed`, 0 to 1, then again from 0."),
    ("beats", "Beats since the start, with the fraction."),
    ("beat", "1 on every beat, fading."),
    ("bar", "1 on the first beat of every bar, fading within that beat."),
    ("beat_phase", "0 to 1 through every beat."),
    ("bar_phase", "0 to 1 through every bar."),
    ("bpm", "Beats per minute, 0 while unknown."),
    ("level", "Loudness, 0 to 1."),
    ("bass", "20–150 Hz, 0 to 1."),
    ("mid", "150–2 000 Hz, 0 to 1."),
    ("treble", "2–16 kHz, 0 to 1."),
    ("tone", "Where the weight of the spectrum lies: 0 dull, 1 bright."),
    ("onset", "1 at the attack of a note or drum, fading."),
    ("n", "Points of a stroke."),
    ("strokes", "Strokes of the figure."),
    ("seed", "A number from the preset's seed, 0 to 1."),
];

/// Words for the point, known in the point's text only.
pub const POINT_WORDS: &[(&str, &str)] = &[
    ("i", "Place along the stroke, 0 to 1; in a closed stroke the last point lies before 1."),
    ("a", "The same as an angle: `tau * i`."),
    ("k", "Number of the point in its stroke, from 0."),
    ("s", "Number of the stroke, from 0."),
    ("u", "Place of the stroke among all, 0 to 1."),
];

/// What the point's text may set.
pub const OUTPUTS: &[(&str, &str)] = &[
    ("x", "To the right, −1 to 1. Must be set."),
    ("y", "Upwards, −1 to 1. Must be set."),
    ("light", "Share of the light of the line to the next point, 0 to 1; 1 if not set."),
    ("hue", "Colour in turns around the wheel: 0 red, 1/3 green, 2/3 blue."),
    ("sat", "Saturation, 0 white to 1; 1 if not set."),
    ("red", "Red light, 0 to 1."),
    ("green", "Green light, 0 to 1."),
    ("blue", "Blue light, 0 to 1."),
];

/// Which of the two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Runs once a frame.
    Frame,
    /// Runs for every point.
    Point,
}

impl Part {
    /// The key in a preset.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Point => "point",
        }
    }
}

/// Why a text is no formula.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}`, line {line}, column {column}: {message}", part.key())]
pub struct FormulaError {
    /// Which text.
    pub part: Part,
    /// Where, in bytes from its start.
    pub offset: usize,
    /// Where, counted from 1.
    pub line: usize,
    /// Where in that line, in characters from 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A mistake at a byte of a text.
#[derive(Debug)]
struct Slip {
    offset: usize,
    message: String,
}

impl Slip {
    fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into() }
    }

    fn within(self, part: Part, text: &str) -> FormulaError {
        let before = text.get(..self.offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        FormulaError { part, offset: self.offset, line, column, message: self.message }
    }
}

#[cfg(test)]
mod tests;
