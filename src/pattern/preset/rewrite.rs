//! A preset written into the text it was read from: comments, order and layout stay where they can.

use toml_edit::{DocumentMut, InlineTable, Item, TableLike, Value};

use super::Preset;

/// `preset` as TOML in the words of `text`. Where `text` is not a preset, or its layout cannot hold the change, the plain
/// text of the preset; a preset that could not be read back gives `text` as it is.
#[must_use]
pub fn rewritten(text: &str, preset: &Preset) -> String {
    if Preset::parse(text).is_ok_and(|read| read == *preset) {
        return text.to_owned();
    }
    let Ok(plain) = preset.to_toml() else { return text.to_owned() };
    let (Ok(old), Ok(new)) = (text.parse::<DocumentMut>(), plain.parse::<DocumentMut>()) else {
        return plain;
    };
    // What says no more than a default is kept if the preset is still the same with it.
    for kept in [Kept::All, Kept::Values, Kept::None] {
        let mut merged = old.clone();
        merge(merged.as_table_mut(), new.as_table(), kept);
        let merged = merged.to_string();
        if Preset::parse(&merged).is_ok_and(|read| read == *preset) {
            return merged;
        }
    }
    plain
}

/// What stays of the old text that the new one does not name.
#[derive(Clone, Copy)]
enum Kept {
    All,
    /// Single values; no lists, no tables.
    Values,
    None,
}

impl Kept {
    fn keeps(self, item: &Item) -> bool {
        let is_value =
            item.as_value().is_some_and(|value| !value.is_array() && !value.is_inline_table());
        match self {
            Self::All => true,
            Self::Values => is_value,
            Self::None => false,
        }
    }
}

fn merge(old: &mut dyn TableLike, new: &dyn TableLike, kept: Kept) {
    let gone: Vec<String> = old
        .iter()
        .filter(|(key, item)| new.get(key).is_none() && !kept.keeps(item))
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in gone {
        old.remove(&key);
    }
    for (key, item) in new.iter() {
        match old.get_mut(key) {
            Some(present) => merge_item(present, item, kept),
            None => {
                old.insert(key, item.clone());
            }
        }
    }
}

fn merge_item(old: &mut Item, new: &Item, kept: Kept) {
    if let (Some(old), Some(new)) = (old.as_array_of_tables_mut(), new.as_array_of_tables()) {
        while old.len() > new.len() {
            old.remove(old.len() - 1);
        }
        let common = old.len();
        for (row, new) in old.iter_mut().zip(new.iter()) {
            merge(row, new, kept);
        }
        for row in new.iter().skip(common) {
            old.push(row.clone());
        }
        return;
    }
    if let (Some(old), Some(new)) = (old.as_table_like_mut(), new.as_table_like()) {
        merge(old, new, kept);
        return;
    }
    let new = as_value(new);
    match (old.as_value_mut(), new) {
        (Some(old), Some(new)) if !same(old, &new) => {
            let decor = old.decor().clone();
            *old = new;
            *old.decor_mut() = decor;
        }
        (None, Some(new)) => *old = Item::Value(new),
        _ => {}
    }
}

/// What stands in a table of its own, as a value in a line.
fn as_value(item: &Item) -> Option<Value> {
    if let Some(rows) = item.as_array_of_tables() {
        let rows = rows.iter().map(|row| Value::InlineTable(inline(row)));
        return Some(Value::Array(rows.collect()));
    }
    item.as_value().cloned()
}

fn inline(table: &dyn TableLike) -> InlineTable {
    let mut inline = InlineTable::new();
    for (key, item) in table.iter() {
        let value = match item.as_table_like() {
            Some(table) if item.as_value().is_none() => {
                Some(Value::InlineTable(self::inline(table)))
            }
            _ => as_value(item),
        };
        if let Some(value) = value {
            inline.insert(key, value);
        }
    }
    inline
}

/// True if two values say the same, however they are written.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Value::InlineTable(a), Value::InlineTable(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (Value::String(a), Value::String(b)) => a.value() == b.value(),
        (Value::Boolean(a), Value::Boolean(b)) => a.value() == b.value(),
        _ => match (number(a), number(b)) {
            // A value is kept in single precision.
            (Some(a), Some(b)) => a as f32 == b as f32,
            _ => false,
        },
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::bundled::BUNDLED;
    use proptest::prelude::*;

    const TEXT: &str = r##"# A ring of mine.
version = 1
name = "Ring"   # short
generator = "circle"

[params]
# Wide enough for the back row.
radius = 0.50
lobes = 6

[[modulate]]
param = "radius"     # breathes
source = "bass"
depth = 0.3

[[effects]]
effect = "twist"
params = { turns = 0.1 }  # a little
modulate = [ { param = "turns", source = "mid", depth = 0.2 } ]

[colour]
colours = ["#ff0000", "#00ff00"] # warm, cold
repeats = 1.0 # once
"##;

    fn changed(change: impl FnOnce(&mut Preset)) -> String {
        let mut preset = Preset::parse(TEXT).unwrap();
        change(&mut preset);
        let text = rewritten(TEXT, &preset);
        assert_eq!(Preset::parse(&text).unwrap(), preset, "{text}");
        text
    }

    #[test]
    fn what_did_not_change_stays_to_the_letter() {
        assert_eq!(changed(|_| {}), TEXT);
    }

    #[test]
    fn one_value_changes_one_value() {
        let text = changed(|preset| {
            preset.params.insert("radius".into(), 0.75);
        });
        assert_eq!(text, TEXT.replace("0.50", "0.75"));
        let text = changed(|preset| preset.modulate[0].depth = -0.25);
        assert_eq!(text, TEXT.replace("depth = 0.3", "depth = -0.25"));
        let text = changed(|preset| preset.name = "Other".into());
        assert_eq!(text, TEXT.replace("\"Ring\"", "\"Other\""));
    }

    #[test]
    fn values_within_a_line_keep_their_comment() {
        let text = changed(|preset| {
            preset.effects[0].params.insert("turns".into(), 0.5);
        });
        assert_eq!(text, TEXT.replace("turns = 0.1", "turns = 0.5"));
        let text = changed(|preset| preset.effects[0].modulate[0].depth = 0.75);
        assert!(text.contains("0.75") && text.contains("# a little"), "{text}");
        let text = changed(|preset| preset.colour.colours.truncate(1));
        assert!(text.contains("colours = [\"#ff0000\"] # warm, cold"), "{text}");
    }

    #[test]
    fn rows_come_and_go_and_the_rest_stays() {
        let text = changed(|preset| {
            let row = preset.modulate[0].clone();
            preset.modulate.push(row);
        });
        assert!(text.contains("# breathes") && text.matches("[[modulate]]").count() == 2);
        let text = changed(|preset| preset.modulate.clear());
        assert!(text.contains("# Wide enough") && !text.contains("breathes"), "{text}");
        let text = changed(|preset| preset.effects.clear());
        assert!(text.contains("# once"), "{text}");
    }

    #[test]
    fn a_text_that_is_none_gives_the_plain_one() {
        let preset = Preset::parse(TEXT).unwrap();
        for text in ["", "not = = toml", "version = 7"] {
            assert_eq!(Preset::parse(&rewritten(text, &preset)).unwrap(), preset);
        }
    }

    proptest! {
        #[test]
        fn any_preset_fits_into_any_text(from in 0..BUNDLED.len(), to in 0..BUNDLED.len()) {
            let preset = Preset::parse(BUNDLED[to].1).unwrap();
            let text = rewritten(BUNDLED[from].1, &preset);
            prop_assert_eq!(Preset::parse(&text).unwrap(), preset);
        }
    }
}
