//! OSC address patterns: whether one matches an address. Pure, and its cost is bounded: pattern times address, whatever
//! stars it has.
//! Spec: opensoundcontrol.stanford.edu/spec-1_0.html, "OSC Message Dispatching and Pattern Matching".

/// The longest part between two slashes of an address that is matched.
const LONGEST_PART: usize = 63;

/// True if this is a pattern and no plain address.
#[must_use]
pub fn is_pattern(address: &str) -> bool {
    address.bytes().any(|byte| b"?*[]{}".contains(&byte))
}

/// True if `pattern` matches `address`: as many parts between slashes, each matching its own.
#[must_use]
pub fn matches(pattern: &str, address: &str) -> bool {
    let mut parts = address.split('/');
    let mut matching = pattern.split('/').map(|pattern| {
        parts.next().is_some_and(|part| part_matches(pattern.as_bytes(), part.as_bytes()))
    });
    matching.all(|matches| matches) && parts.next().is_none()
}

/// Keeps, as bits, the places of `part` that the pattern read so far may have reached.
fn part_matches(mut pattern: &[u8], part: &[u8]) -> bool {
    if part.len() > LONGEST_PART {
        return false;
    }
    let step = |reached: u64, fits: &dyn Fn(u8) -> bool| {
        let fitting =
            part.iter().enumerate().filter(|(at, byte)| reached >> at & 1 == 1 && fits(**byte));
        fitting.fold(0, |next, (at, _)| next | 1 << (at + 1))
    };
    let mut reached = 1_u64;
    while let Some((&first, rest)) = pattern.split_first() {
        pattern = rest;
        reached = match first {
            b'*' => reached | !((reached & reached.wrapping_neg()).wrapping_sub(1)),
            b'?' => step(reached, &|_| true),
            b'[' => {
                let Some((class, rest)) = up_to(pattern, b']') else { return false };
                pattern = rest;
                step(reached, &|byte| is_in(class, byte))
            }
            b'{' => {
                let Some((words, rest)) = up_to(pattern, b'}') else { return false };
                pattern = rest;
                words.split(|byte| *byte == b',').fold(0, |next, word| {
                    next | word.iter().fold(reached, |at, own| step(at, &|byte| byte == *own))
                })
            }
            b']' | b'}' => return false,
            own => step(reached, &|byte| byte == own),
        };
        if reached == 0 {
            return false;
        }
    }
    reached >> part.len() & 1 == 1
}

fn up_to(bytes: &[u8], end: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == end)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// `[abc]`, `[a-c]`, `[!a]`: a minus at the end and an exclamation mark after the beginning mean themselves.
fn is_in(class: &[u8], byte: u8) -> bool {
    let (mut class, negated) = match class {
        [b'!', class @ ..] => (class, true),
        class => (class, false),
    };
    let mut found = false;
    loop {
        class = match class {
            [low, b'-', high, rest @ ..] => {
                found |= (*low..=*high).contains(&byte) || (*high..=*low).contains(&byte);
                rest
            }
            [own, rest @ ..] => {
                found |= *own == byte;
                rest
            }
            [] => return found != negated,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        for address in matching {
            assert!(matches(pattern, address), "{pattern} {address}");
        }
        for address in others {
            assert!(!matches(pattern, address), "{pattern} {address}");
        }
    }

    #[test]
    fn a_question_mark_is_any_one_character() {
        check("/galvo/sto?", &["/galvo/stop"], &["/galvo/sto", "/galvo/stopp", "/galvo/sto/"]);
    }

    #[test]
    fn a_star_is_any_sequence_within_its_part() {
        check(
            "/galvo/*",
            &["/galvo/stop", "/galvo/"],
            &["/galvo/beat/tap", "/galvo", "/other/stop"],
        );
        check("/*/stop", &["/galvo/stop", "//stop"], &["/stop", "/a/b/stop"]);
        check("/galvo/*o*", &["/galvo/stop", "/galvo/o", "/galvo/blackout"], &["/galvo/arm"]);
        check("/galvo/b*t", &["/galvo/blackout", "/galvo/bt"], &["/galvo/blackouts"]);
    }

    #[test]
    fn brackets_are_one_character_of_a_list_of_a_range_or_of_neither() {
        check("/galvo/[sS]top", &["/galvo/stop", "/galvo/Stop"], &["/galvo/top", "/galvo/sStop"]);
        check("/fader/[1-3]", &["/fader/1", "/fader/3"], &["/fader/4", "/fader/-", "/fader/"]);
        check("/x/[!a-c]", &["/x/d", "/x/!"], &["/x/a", "/x/c", "/x/"]);
        check("/x/[a!]", &["/x/a", "/x/!"], &["/x/b"]);
        check("/x/[a-]", &["/x/a", "/x/-"], &["/x/b"]);
        check("/x/[a-cx]", &["/x/b", "/x/x"], &["/x/d"]);
    }

    #[test]
    fn braces_are_any_string_of_a_list() {
        check(
            "/galvo/{stop,blackout}",
            &["/galvo/stop", "/galvo/blackout"],
            &["/galvo/stopblackout", "/galvo/", "/galvo/stop,blackout"],
        );
        check("/x/a{b,}c", &["/x/abc", "/x/ac"], &["/x/abbc"]);
        check("/x/{a,ab}b*", &["/x/ab", "/x/abb", "/x/abc"], &["/x/b"]);
    }

    #[test]
    fn any_other_character_is_itself_and_an_unfinished_pattern_matches_nothing() {
        check("/galvo/stop", &["/galvo/stop"], &["/galvo/Stop", "/galvo/stop/", "/galvo"]);
        for pattern in ["/galvo/[st", "/galvo/{stop", "/galvo/stop]", "/galvo/stop}"] {
            check(pattern, &[], &["/galvo/stop", "/galvo/s", pattern]);
        }
        assert!(is_pattern("/a?") && is_pattern("/{a}") && !is_pattern("/galvo/param/a-b!"));
    }

    #[test]
    fn a_pattern_of_nothing_but_stars_costs_no_more_than_its_length() {
        let stars = format!("/{}b", "*a".repeat(1000));
        let address = format!("/{}", "a".repeat(LONGEST_PART));
        assert!(!matches(&stars, &address));
        assert!(matches(&format!("/{}", "*".repeat(2000)), &address));
    }

    /// What a part matches, said as plainly as it can be: costs too much for what comes from outside.
    fn plainly(pattern: &[u8], part: &[u8]) -> bool {
        match pattern {
            [] => part.is_empty(),
            [b'*', rest @ ..] => (0..=part.len()).any(|at| plainly(rest, &part[at..])),
            [b'?', rest @ ..] => !part.is_empty() && plainly(rest, &part[1..]),
            [b'[', rest @ ..] => up_to(rest, b']').is_some_and(|(class, rest)| {
                part.first().is_some_and(|byte| is_in(class, *byte)) && plainly(rest, &part[1..])
            }),
            [b'{', rest @ ..] => up_to(rest, b'}').is_some_and(|(words, rest)| {
                words
                    .split(|byte| *byte == b',')
                    .any(|word| part.strip_prefix(word).is_some_and(|part| plainly(rest, part)))
            }),
            [b']' | b'}', ..] => false,
            [own, rest @ ..] => part.first() == Some(own) && plainly(rest, &part[1..]),
        }
    }

    proptest! {
        #[test]
        fn it_matches_what_the_rules_say_plainly(
            pattern in "[ab*?]{0,8}(\\[[!ab-]{1,3}\\]|\\{[ab]{0,2},[ab]{0,2}\\}|)[ab*?]{0,4}",
            part in "[abc]{0,10}",
        ) {
            prop_assert_eq!(
                part_matches(pattern.as_bytes(), part.as_bytes()),
                plainly(pattern.as_bytes(), part.as_bytes()),
            );
        }
    }
}
