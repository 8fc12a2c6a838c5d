//! Letters for masks: capitals, digits and some signs in cells of 5 × 7, drawn for this program.

/// Columns of a letter's cell.
pub const COLUMNS: usize = 5;
/// Rows of a letter's cell.
pub const ROWS: usize = 7;

/// The rows of a letter from the top, each with its leftmost pixel as the highest of five bits. Small letters
/// are drawn as capitals, what is unknown as a box.
#[must_use]
pub const fn letter(c: char) -> [u8; ROWS] {
    match c.to_ascii_uppercase() {
        ' ' => [0; ROWS],
        'A' => [0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'B' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110],
        'C' => [0b01111, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b01111],
        'D' => [0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110],
        'E' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111],
        'F' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b10000],
        'G' => [0b01111, 0b10000, 0b10000, 0b10011, 0b10001, 0b10001, 0b01111],
        'H' => [0b10001, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'I' => [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b11111],
        'J' => [0b00111, 0b00010, 0b00010, 0b00010, 0b00010, 0b10010, 0b01100],
        'K' => [0b10001, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010, 0b10001],
        'L' => [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
        'M' => [0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001],
        'N' => [0b10001, 0b11001, 0b11101, 0b10111, 0b10011, 0b10001, 0b10001],
        'O' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'P' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000],
        'Q' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10101, 0b10010, 0b01101],
        'R' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001],
        'S' => [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110],
        'T' => [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100],
        'U' => [0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'V' => [0b10001, 0b10001, 0b10001, 0b10001, 0b11011, 0b01110, 0b00100],
        'W' => [0b10001, 0b10001, 0b10001, 0b10101, 0b10101, 0b11111, 0b01010],
        'X' => [0b10001, 0b11011, 0b01110, 0b00100, 0b01110, 0b11011, 0b10001],
        'Y' => [0b10001, 0b11011, 0b01110, 0b00100, 0b00100, 0b00100, 0b00100],
        'Z' => [0b11111, 0b00011, 0b00110, 0b00100, 0b01100, 0b11000, 0b11111],
        '0' => [0b01110, 0b11011, 0b10001, 0b10001, 0b10001, 0b11011, 0b01110],
        '1' => [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        '2' => [0b11110, 0b00001, 0b00001, 0b01110, 0b10000, 0b10000, 0b11111],
        '3' => [0b11110, 0b00001, 0b00001, 0b01110, 0b00001, 0b00001, 0b11110],
        '4' => [0b10001, 0b10001, 0b10001, 0b11111, 0b00001, 0b00001, 0b00001],
        '5' => [0b11111, 0b10000, 0b10000, 0b11110, 0b00001, 0b00001, 0b11110],
        '6' => [0b01111, 0b10000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
        '7' => [0b11111, 0b00001, 0b00011, 0b00110, 0b00100, 0b00100, 0b00100],
        '8' => [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
        '9' => [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00001, 0b11110],
        '.' => [0, 0, 0, 0, 0, 0b01100, 0b01100],
        ',' => [0, 0, 0, 0, 0b01100, 0b00100, 0b01000],
        '!' => [0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0, 0b00100],
        '?' => [0b11110, 0b00001, 0b00001, 0b00110, 0b00100, 0, 0b00100],
        '-' => [0, 0, 0, 0b11111, 0, 0, 0],
        '+' => [0, 0b00100, 0b00100, 0b11111, 0b00100, 0b00100, 0],
        ':' => [0, 0b01100, 0b01100, 0, 0b01100, 0b01100, 0],
        '\'' => [0b00100, 0b00100, 0, 0, 0, 0, 0],
        '&' => [0b01100, 0b10010, 0b10100, 0b01000, 0b10101, 0b10010, 0b01101],
        _ => [0b11111, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11111],
    }
}

/// A line of text as pixels: its width, and its rows from the top.
#[must_use]
pub fn line(text: &str) -> (usize, Vec<bool>) {
    let count = text.chars().count();
    let width = (count * (COLUMNS + 1)).saturating_sub(1);
    let mut set = vec![false; width * ROWS];
    for (place, c) in text.chars().enumerate() {
        for (row, bits) in letter(c).into_iter().enumerate() {
            for column in 0..COLUMNS {
                if bits >> (COLUMNS - 1 - column) & 1 == 1 {
                    set[row * width + place * (COLUMNS + 1) + column] = true;
                }
            }
        }
    }
    (width, set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_all_different_and_lines_are_as_wide_as_their_letters() {
        let known: Vec<char> = ('A'..='Z').chain('0'..='9').chain(" .,!?-+:'&".chars()).collect();
        for (k, a) in known.iter().enumerate() {
            assert!(known[..k].iter().all(|b| letter(*a) != letter(*b)), "{a}");
            assert_ne!(letter(*a), letter('€'));
        }
        assert_eq!(letter('a'), letter('A'));
        let (width, set) = line("Hi");
        assert_eq!((width, set.len()), (11, 77));
        assert_eq!(line("").0, 0);
    }
}
