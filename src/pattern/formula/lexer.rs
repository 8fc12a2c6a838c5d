//! A formula's text as words with their places.

use super::Slip;

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Number(f32),
    Name(&'a str),
    /// An operator, a parenthesis or a comma.
    Sign(&'static str),
    /// The end of a statement: a line's end or `;`.
    End,
}

/// A word and its first byte.
pub(super) type Placed<'a> = (usize, Token<'a>);

/// Longer ones first: the first that fits is taken.
const SIGNS: [&str; 26] = [
    "<=", ">=", "==", "!=", "&&", "||", "+=", "-=", "*=", "/=", "+", "-", "*", "/", "%", "^", "(",
    ")", ",", "=", "<", ">", "!", "?", ":", "|",
];

/// The words of `text`, with an `End` after the last.
pub(super) fn words(text: &str) -> Result<Vec<Placed<'_>>, Slip> {
    let mut words = Vec::new();
    let mut at = 0;
    // Within parentheses a line's end means nothing.
    let mut depth = 0_usize;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let len = match first {
            '\n' | ';' => {
                if depth == 0 || first == ';' {
                    words.push((at, Token::End));
                }
                1
            }
            '#' => rest.find('\n').unwrap_or(rest.len()),
            c if c.is_whitespace() => c.len_utf8(),
            '0'..='9' | '.' => {
                let len = number_len(rest);
                let number = rest[..len].parse::<f32>().ok().filter(|number| number.is_finite());
                let number = number
                    .ok_or_else(|| Slip::new(at, format!("`{}` is no number", &rest[..len])))?;
                words.push((at, Token::Number(number)));
                len
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let len = end.unwrap_or(rest.len());
                words.push((at, Token::Name(&rest[..len])));
                len
            }
            other => {
                let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) else {
                    let message = format!("`{other}` has no meaning in a formula");
                    return Err(Slip::new(at, message));
                };
                match *sign {
                    "(" => depth += 1,
                    ")" => depth = depth.saturating_sub(1),
                    _ => {}
                }
                words.push((at, Token::Sign(sign)));
                sign.len()
            }
        };
        at += len;
    }
    words.push((text.len(), Token::End));
    Ok(words)
}

/// Length of the number that `rest` begins with: digits, a point, an exponent.
fn number_len(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |from: usize| {
        bytes[from.min(bytes.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut len = digits(0);
    if bytes.get(len) == Some(&b'.') {
        len += 1 + digits(len + 1);
    }
    if matches!(bytes.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
        let exponent = digits(len + 1 + sign);
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    len
}
