//! What a server's answer to a range request means. Pure: words in, meaning out.

use std::ops::Range;

/// The parts of an answer's head that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) content_range: Option<String>,
    pub(super) content_length: Option<u64>,
    pub(super) content_type: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

/// What an answer brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The bytes from the place asked for up to `end`, of a file of `total` bytes.
    Part { end: u64, total: u64 },
    /// The file from its start, whatever was asked for.
    Whole { len: Option<u64> },
    /// The file, of this length, has nothing at that place.
    PastEnd { total: Option<u64> },
    /// Nothing has changed since the file that was told of.
    NotModified,
    /// A range that was not asked for: its bytes cannot be trusted.
    WrongRange,
    /// An error, worth another try.
    Fault,
    /// An error that stays.
    Refusal,
}

/// What `head` means as an answer to a request for `asked`.
pub(super) fn judge(head: &Head, asked: &Range<u64>) -> Answer {
    let told = head.content_range.as_deref().and_then(ContentRange::parse);
    match head.status {
        200 => Answer::Whole { len: head.content_length },
        206 => match told {
            Some(ContentRange { range: Some(range), total: Some(total) })
                if range.start == asked.start
                    && range.end <= total
                    && range.end <= asked.end
                    && head.content_length.is_none_or(|len| len == range.end - range.start) =>
            {
                Answer::Part { end: range.end, total }
            }
            _ => Answer::WrongRange,
        },
        304 => Answer::NotModified,
        416 => Answer::PastEnd { total: told.and_then(|told| told.total) },
        408 | 425 | 429 | 500.. => Answer::Fault,
        _ => Answer::Refusal,
    }
}

/// `bytes 0-99/1000`, `bytes 0-99/*`, `bytes */1000`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ContentRange {
    range: Option<Range<u64>>,
    total: Option<u64>,
}

impl ContentRange {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("bytes")?.trim_start();
        let (range, total) = rest.split_once('/')?;
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let range = match range.trim() {
            "*" => None,
            range => {
                let (first, last) = range.split_once('-')?;
                let (first, end) = (number(first)?, number(last)?.checked_add(1)?);
                Some((first < end).then_some(first..end)?)
            }
        };
        let total = match total.trim() {
            "*" => None,
            total => Some(number(total)?),
        };
        Some(Self { range, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partial(content_range: &str, content_length: Option<u64>) -> Head {
        let content_range = Some(content_range.to_owned());
        Head { status: 206, content_range, content_length, ..Head::default() }
    }

    #[test]
    fn a_part_is_believed_only_if_it_is_what_was_asked_for() {
        let judged = |text: &str, len| judge(&partial(text, len), &(100..200));
        let part = |end, total| Answer::Part { end, total };
        assert_eq!(judged("bytes 100-199/1000", Some(100)), part(200, 1000));
        assert_eq!(judged("bytes 100-149/150", None), part(150, 150));
        for wrong in [
            "bytes 0-99/1000",
            "bytes 100-299/1000",
            "bytes 100-199/150",
            "bytes 100-199/*",
            "bytes 199-100/1000",
            "bytes */1000",
            "bytes 100-18446744073709551615/1000",
            "bites 100-199/1000",
            "",
        ] {
            assert_eq!(judged(wrong, None), Answer::WrongRange, "{wrong}");
        }
        assert_eq!(judged("bytes 100-199/1000", Some(7)), Answer::WrongRange);
        let silent = Head { status: 206, ..Head::default() };
        assert_eq!(judge(&silent, &(0..1)), Answer::WrongRange);
    }

    #[test]
    fn other_answers_say_what_to_do() {
        let judged = |status, content_range: Option<&str>| {
            let content_range = content_range.map(str::to_owned);
            judge(&Head { status, content_range, ..Head::default() }, &(0..100))
        };
        assert_eq!(judged(200, None), Answer::Whole { len: None });
        assert_eq!(judged(416, Some("bytes */0")), Answer::PastEnd { total: Some(0) });
        assert_eq!(judged(416, None), Answer::PastEnd { total: None });
        assert_eq!(judged(304, None), Answer::NotModified);
        for status in [500, 503, 429, 408] {
            assert_eq!(judged(status, None), Answer::Fault);
        }
        for status in [400, 401, 403, 404, 410] {
            assert_eq!(judged(status, None), Answer::Refusal);
        }
    }
}
