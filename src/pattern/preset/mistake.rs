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

/// A mistake at a path of keys; its place in a text is looked up only when there is one.
#[derive(Debug)]
pub(super) struct Mistake {
    path: Vec<String>,
    row: Option<(usize, &'static str)>,
    message: String,
}

impl Mistake {
    pub(super) fn at(path: &[&str], message: String) -> Self {
        Self { path: path.iter().map(|&key| key.to_owned()).collect(), row: None, message }
    }

    pub(super) fn in_row(self, index: usize, key: &'static str) -> Self {
        Self { row: Some((index, key)), ..self }
    }

    pub(super) fn unplaced(self) -> PresetError {
        let message = match self.row {
            Some((index, _)) => {
                format!("{} row {}: {}", self.path.join("."), index + 1, self.message)
            }
            None => self.message,
        };
        PresetError::Invalid { place: None, message }
    }

    pub(super) fn placed_in(self, text: &str) -> PresetError {
        match self.span_in(text) {
            Some(span) => {
                PresetError::Invalid { place: Some(Place::of(text, &span)), message: self.message }
            }
            None => self.unplaced(),
        }
    }

    /// Where the value at the path stands; of a path that is only partly there, its last part.
    fn span_in(&self, text: &str) -> Option<Range<usize>> {
        let document = DeTable::parse(text).ok()?;
        let mut table = document.get_ref();
        let mut span = None;
        let mut rows = None;
        for key in &self.path {
            let Some(value) = table.get(key.as_str()) else { return span };
            span = Some(value.span());
            match value.get_ref() {
                DeValue::Table(inner) => table = inner,
                DeValue::Array(array) => rows = Some(array),
                _ => {}
            }
        }
        let Some((index, key)) = self.row else { return span };
        let row: &Spanned<DeValue<'_>> = rows?.get(index)?;
        let DeValue::Table(row_table) = row.get_ref() else { return Some(row.span()) };
        Some(row_table.get(key).map_or_else(|| row.span(), Spanned::span))
    }
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
