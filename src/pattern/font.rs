//! A single-stroke alphabet: letters as a beam writes them, with few strokes and few corners.
//!
//! Every letter lies in a cell of 4 × 6: the base line at 0, capitals 6 high. Small letters are written as capitals.

/// Width of a letter's cell, and the way to the next letter, in cells' units.
pub const WIDTH: f32 = 4.0;
/// From one letter to the next.
pub const ADVANCE: f32 = 5.6;
/// Height of a letter.
pub const HEIGHT: f32 = 6.0;

/// Letters with their strokes: a digit across and a digit up for every corner. A stroke of one corner is a dot.
const GLYPHS: &[(char, &[&str])] = &[
    ('A', &["00 04 26 44 40", "02 42"]),
    ('B', &["00 06 36 45 44 33 03", "33 42 41 30 00"]),
    ('C', &["45 36 16 05 01 10 30 41"]),
    ('D', &["00 06 36 45 41 30 00"]),
    ('E', &["46 06 00 40", "03 33"]),
    ('F', &["46 06 00", "03 33"]),
    ('G', &["45 36 16 05 01 10 30 41 43 23"]),
    ('H', &["00 06", "46 40", "03 43"]),
    ('I', &["16 36", "26 20", "10 30"]),
    ('J', &["46 41 30 10 01"]),
    ('K', &["00 06", "46 03 40"]),
    ('L', &["06 00 40"]),
    ('M', &["00 06 23 46 40"]),
    ('N', &["00 06 40 46"]),
    ('O', &["16 36 45 41 30 10 01 05 16"]),
    ('P', &["00 06 36 45 44 33 03"]),
    ('Q', &["16 36 45 41 30 10 01 05 16", "22 40"]),
    ('R', &["00 06 36 45 44 33 03", "23 40"]),
    ('S', &["45 36 16 05 04 13 33 42 41 30 10 01"]),
    ('T', &["06 46", "26 20"]),
    ('U', &["06 01 10 30 41 46"]),
    ('V', &["06 20 46"]),
    ('W', &["06 10 23 30 46"]),
    ('X', &["06 40", "46 00"]),
    ('Y', &["06 23 46", "23 20"]),
    ('Z', &["06 46 00 40"]),
    ('0', &["16 36 45 41 30 10 01 05 16", "11 35"]),
    ('1', &["05 26 20", "10 30"]),
    ('2', &["05 16 36 45 44 00 40"]),
    ('3', &["05 16 36 45 44 33 42 41 30 10 01", "33 23"]),
    ('4', &["30 36 02 42"]),
    ('5', &["46 06 03 13 33 42 41 30 10 01"]),
    ('6', &["45 36 16 05 01 10 30 41 42 33 13 02"]),
    ('7', &["06 46 10"]),
    ('8', &["13 33 44 45 36 16 05 04 13 02 01 10 30 41 42 33"]),
    ('9', &["01 10 30 41 45 36 16 05 04 13 33 44"]),
    ('.', &["20"]),
    (',', &["21 10"]),
    ('!', &["26 22", "20"]),
    ('?', &["05 16 36 45 44 23 22", "20"]),
    ('\'', &["26 24"]),
    ('"', &["16 14", "36 34"]),
    (':', &["24", "21"]),
    (';', &["24", "21 10"]),
    ('-', &["03 43"]),
    ('+', &["03 43", "25 21"]),
    ('=', &["04 44", "02 42"]),
    ('/', &["00 46"]),
    ('\\', &["06 40"]),
    ('(', &["36 25 21 30"]),
    (')', &["16 25 21 10"]),
    ('*', &["25 21", "04 42", "44 02"]),
    ('#', &["10 16", "36 30", "04 44", "42 02"]),
    ('&', &["40 15 16 26 35 01 10 20 42"]),
    ('%', &["00 46", "06 16 15 05 06", "31 41 40 30 31"]),
    ('<', &["45 03 41"]),
    ('>', &["05 43 01"]),
    ('_', &["00 40"]),
    ('@', &["32 34 24 13 12 21 32 41 45 36 16 05 01 10 40"]),
    ('♥', &["20 03 05 16 25 36 45 43 20"]),
];

/// Corners of a stroke in the letter's cell.
pub type Corners = Vec<(f32, f32)>;

/// How `letter` is written; none for a space and for letters the alphabet lacks.
#[must_use]
pub fn glyph(letter: char) -> Option<Vec<Corners>> {
    let plain = match letter {
        'Ä' | 'ä' | 'À' | 'à' | 'Á' | 'á' | 'Â' | 'â' | 'Å' | 'å' | 'Ã' | 'ã' => 'A',
        'Ö' | 'ö' | 'Ó' | 'ó' | 'Ò' | 'ò' | 'Ô' | 'ô' | 'Ø' | 'ø' | 'Õ' | 'õ' => 'O',
        'Ü' | 'ü' | 'Ú' | 'ú' | 'Ù' | 'ù' | 'Û' | 'û' => 'U',
        'É' | 'é' | 'È' | 'è' | 'Ê' | 'ê' | 'Ë' | 'ë' => 'E',
        'Í' | 'í' | 'Ì' | 'ì' | 'Î' | 'î' | 'Ï' | 'ï' => 'I',
        'Ç' | 'ç' => 'C',
        'Ñ' | 'ñ' => 'N',
        '–' | '—' | '−' => '-',
        '’' | '‘' => '\'',
        other => other.to_ascii_uppercase(),
    };
    let (_, strokes) = GLYPHS.iter().find(|(known, _)| *known == plain)?;
    Some(strokes.iter().map(|stroke| corners(stroke)).collect())
}

fn corners(stroke: &str) -> Corners {
    let digit = |byte: &u8| f32::from(byte.saturating_sub(b'0'));
    let pairs = stroke.split(' ').filter_map(|pair| match pair.as_bytes() {
        [x, y] => Some((digit(x), digit(y))),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_lies_in_its_cell_in_few_strokes() {
        for (letter, strokes) in GLYPHS {
            let written = glyph(*letter).unwrap();
            assert!((1..=4).contains(&written.len()), "{letter}");
            assert_eq!(written.len(), strokes.len());
            for corner in written.iter().flatten() {
                assert!(
                    (0.0..=WIDTH).contains(&corner.0) && (0.0..=HEIGHT).contains(&corner.1),
                    "{letter}"
                );
            }
            let corners: usize = written.iter().map(Vec::len).sum();
            assert!((1..=20).contains(&corners), "{letter}: {corners}");
        }
    }

    #[test]
    fn letters_digits_and_common_signs_are_there() {
        for letter in ('A'..='Z')
            .chain('a'..='z')
            .chain('0'..='9')
            .chain(".,!?'\":;-+=/()*#&%<>_@♥äßé".chars())
        {
            let known = glyph(letter).is_some();
            assert_eq!(known, letter != 'ß', "{letter}");
        }
        assert_eq!(glyph('a'), glyph('A'));
        assert!(glyph(' ').is_none());
    }
}
