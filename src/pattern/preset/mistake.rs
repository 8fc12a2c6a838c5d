//! What can be wrong with a preset, where, and what was probably meant.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::PRESET_VERSION;

/// Why a text is no preset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresetError {
    /// More text than a preset can be.
    #[error(
        "a preset of {bytes} bytes is too long; the most is {most}: is this another kind of file?"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        most: usize,
    },
    /// The first thing to read is missing.
    #[error(
        "the preset does not say its version; add `version = {PRESET_VERSION}` as the first line"
    )]
    NoVersion,
    /// Written for another galvo.
    #[error(
        "this preset has version {found}, but this galvo reads version {PRESET_VERSION}; \
         a newer galvo may read it"
    )]
    UnknownVersion {
        /// The version it says.
        found: i64,
    },
    /// A mistake to correct.
    #[error("{}{message}", place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default())]
    Invalid {
        /// Where; none for a preset that was not read from a text.
        place: Option<Place>,
        /// What is wrong and what would be right.
        message: String,
    },
    /// TOML cannot hold it.
    #[error("the preset cannot be written as TOML: {reason}")]
    Unwritable {
        /// What the writer says.
        reason: String,
    },
}

/// A place in a text, for people: both count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl Place {
    fn of(text: &str, span: &Range<usize>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Self { line, column }
    }
}

/// One step of the way to a value: a key of a table, or a place in a list.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Row(usize),
}

/// A mistake at a path; its place in a text is looked up only when there is one.
#[derive(Debug)]
pub(super) struct Mistake {
    path: Vec<Step>,
    /// Where within a text of several lines, bytes from its start.
    inside: Option<usize>,
    message: String,
}

impl Mistake {
    pub(super) fn at(path: &[&str], message: String) -> Self {
        let path = path.iter().map(|&key| Step::Key(key.to_owned())).collect();
        Self { path, inside: None, message }
    }

    /// Of a key in a row of the list at the path.
    pub(super) fn in_row(mut self, index: usize, key: &str) -> Self {
        self.path.extend([Step::Row(index), Step::Key(key.to_owned())]);
        self
    }

    /// The path stands in a row of the list `list`.
    pub(super) fn under_row(mut self, list: &str, index: usize) -> Self {
        self.path.splice(0..0, [Step::Key(list.to_owned()), Step::Row(index)]);
        self
    }

    /// At a byte of the text that stands at the path.
    pub(super) fn inside(self, offset: usize) -> Self {
        Self { inside: Some(offset), ..self }
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn unplaced(self) -> PresetError {
        let last_row = self.path.iter().rposition(|step| matches!(step, Step::Row(_)));
        let steps = self.path.iter().enumerate().take(last_row.map_or(0, |row| row + 1));
        let mut message: String = steps
            .map(|(index, step)| match step {
                Step::Key(key) if index > 0 => format!(", {key}"),
                Step::Key(key) => key.clone(),
                Step::Row(row) => format!(" row {}", row + 1),
            })
            .collect();
        if !message.is_empty() {
            message.push_str(": ");
        }
        message.push_str(&self.message);
        PresetError::Invalid { place: None, message }
    }

    pub(super) fn placed_in(self, text: &str) -> PresetError {
        match self.span_in(text) {
            Some(span) => {
                let span = self.inside.map_or(span.clone(), |offset| {
                    let start =
                        (span.start + quotes_len(&text[span.clone()]) + offset).min(span.end);
                    start..span.end
                });
                PresetError::Invalid { place: Some(Place::of(text, &span)), message: self.message }
            }
            None => self.unplaced(),
        }
    }

    /// Where the value at the path stands; of a path that is only partly there, its last part.
    fn span_in(&self, text: &str) -> Option<Range<usize>> {
        let document = DeTable::parse(text).ok()?;
        let mut span = None;
        let mut here: Option<&Spanned<DeValue<'_>>> = None;
        for step in &self.path {
            let table = match here.map(Spanned::get_ref) {
                None => Some(document.get_ref()),
                Some(DeValue::Table(table)) => Some(table),
                Some(_) => None,
            };
            let next = match (step, here.map(Spanned::get_ref)) {
                (Step::Key(key), _) => table.and_then(|table| table.get(key.as_str())),
                (Step::Row(row), Some(DeValue::Array(rows))) => rows.get(*row),
                (Step::Row(_), _) => None,
            };
            let Some(value) = next else { break };
            span = Some(value.span());
            here = Some(value);
        }
        span
    }
}

/// Length of what stands before the first character of a quoted text: its quotes, and the line's end that TOML leaves
/// out after three of them.
fn quotes_len(quoted: &str) -> usize {
    let opening = if quoted.starts_with("\"\"\"") || quoted.starts_with("'''") { 3 } else { 1 };
    let rest = quoted.get(opening..).unwrap_or("");
    let line_end = if opening == 1 {
        0
    } else if rest.starts_with("\r\n") {
        2
    } else {
        usize::from(rest.starts_with('\n'))
    };
    opening + line_end
}

/// A mistake found while reading TOML, with a suggestion where an unknown name is close to a known one.
pub(super) fn from_toml(text: &str, error: &toml::de::Error) -> PresetError {
    let message = error.message();
    let mut lines = message.lines();
    let mut sentence = lines.next().unwrap_or("this is not TOML").to_owned();
    for line in lines {
        sentence.push_str("; ");
        sentence.push_str(line);
    }
    // serde says "unknown field `x`, expected one of `a`, `b`": the names stand between backticks. Should
    // its words change, its own sentence is shown.
    let mut names = message.split('`').skip(1).step_by(2);
    if let Some(name) = names.next() {
        if message.starts_with("unknown field") {
            sentence = format!("there is no key `{name}` here{}", did_you_mean(name, names));
        } else if message.starts_with("unknown variant") {
            sentence = format!("`{name}` is no word for this{}", did_you_mean(name, names));
        } else if message.starts_with("missing field") {
            sentence = format!("the key `{name}` is missing here; add it");
        }
    }
    let place = error.span().map(|span| Place::of(text, &span));
    PresetError::Invalid { place, message: sentence }
}

/// "; did you mean `x`?", or the list of names when none is close.
pub(crate) fn did_you_mean<'a>(
    unknown: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let near = known
        .clone()
        .map(|name| (edits_between(unknown, name), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= name.chars().count().div_ceil(3));
    match near {
        Some((_, name)) => format!("; did you mean `{name}`?"),
        None => format!("; there are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// How many characters to insert, remove, replace or swap with a neighbour to get from one to the other
/// (optimal string alignment). The unknown word is cut at 40 characters: no name is longer.
fn edits_between(unknown: &str, name: &str) -> usize {
    let a: Vec<char> = unknown.chars().take(40).flat_map(char::to_lowercase).collect();
    let b: Vec<char> = name.chars().collect();
    let mut rows = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_slips_of_the_fingers() {
        assert_eq!(edits_between("radius", "radius"), 0);
        assert_eq!(edits_between("raduis", "radius"), 1);
        assert_eq!(edits_between("Radus", "radius"), 1);
        assert_eq!(edits_between("", "ab"), 2);
    }

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_gets_the_list() {
        let known = ["radius", "speed"];
        assert_eq!(did_you_mean("raduis", known.into_iter()), "; did you mean `radius`?");
        assert_eq!(did_you_mean("zzzzzz", known.into_iter()), "; there are radius, speed");
    }

    #[test]
    fn places_count_from_one_in_characters() {
        let text = "a = 1\nü = 2";
        let place = Place::of(text, &(text.find("= 2").unwrap()..text.len()));
        assert_eq!(place, Place { line: 2, column: 3 });
    }
}
