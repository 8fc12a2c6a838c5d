//! The time of day where the user is, for the names of files.
//!
//! The rules of the place are read from the zone file of the system (TZif, RFC 9636), its rules for the years to come
//! as POSIX has them. Where there is none, or it makes no sense, the time is UTC.

use std::path::Path;

/// Zone files are a few kilobytes.
const MOST_BYTES: u64 = 1 << 20;
const DAY_S: i64 = 86_400;

/// How much the time of a place is ahead of UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// The moments at which the offset changes, in seconds since 1970, with the offset from then on, in seconds.
    changes: Vec<(i64, i64)>,
    /// The offset before the first of them.
    first: i64,
    /// What holds after the last of them.
    rule: Option<Rule>,
}

impl Zone {
    /// The zone of this machine: `TZ` where it names one, else what the system is set to.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let named = std::env::var("TZ").unwrap_or_default();
        let named = named.trim_start_matches(':');
        if !named.is_empty() && !Path::new(named).is_absolute() && !named.contains("..") {
            let file = Path::new("/usr/share/zoneinfo").join(named);
            return read(&file)
                .or_else(|| Some(Self { rule: Some(Rule::parse(named)?), ..Self::default() }))
                .unwrap_or_default();
        }
        let file = if named.is_empty() { Path::new("/etc/localtime") } else { Path::new(named) };
        read(file).unwrap_or_default()
    }

    /// Reads a zone file; `None` if it is none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (version, counts) = header(bytes)?;
        if version < b'2' {
            return Self::block(bytes.get(HEADER..)?, &counts, 4, &[]);
        }
        // The same once more in 64 bits, and the rule behind it.
        let second = bytes.get(HEADER + counts.bytes(4)?..)?;
        let (_, counts) = header(second)?;
        let block = second.get(HEADER..)?;
        let footer = block.get(counts.bytes(8)?..)?;
        Self::block(block, &counts, 8, footer)
    }

    fn block(block: &[u8], counts: &Counts, width: usize, footer: &[u8]) -> Option<Self> {
        let (times, rest) = block.split_at_checked(counts.times.checked_mul(width)?)?;
        let (kinds, rest) = rest.split_at_checked(counts.times)?;
        let (types, _) = rest.split_at_checked(counts.types.checked_mul(6)?)?;
        let offset = |kind: usize| {
            let entry = types.get(kind.checked_mul(6)?..)?.first_chunk::<4>()?;
            Some(i64::from(i32::from_be_bytes(*entry)))
        };
        let at = |time: &[u8]| match width {
            4 => time.first_chunk().map(|t| i64::from(i32::from_be_bytes(*t))),
            _ => time.first_chunk().map(|t| i64::from_be_bytes(*t)),
        };
        let changes = times.chunks_exact(width).zip(kinds);
        let changes = changes.map(|(time, kind)| Some((at(time)?, offset(usize::from(*kind))?)));
        let text = std::str::from_utf8(footer).ok().unwrap_or_default();
        Some(Self {
            changes: changes.collect::<Option<_>>()?,
            first: offset(0)?,
            rule: Rule::parse(text.trim()),
        })
    }

    /// Seconds by which the place is ahead of UTC at a moment, in seconds since 1970.
    #[must_use]
    pub fn offset_at(&self, unix_s: i64) -> i64 {
        let passed = self.changes.partition_point(|(at, _)| *at <= unix_s);
        match (&self.rule, passed.checked_sub(1)) {
            (Some(rule), _) if passed == self.changes.len() => rule.offset_at(unix_s),
            (_, Some(last)) => self.changes[last].1,
            (_, None) => self.first,
        }
    }

    /// The date and time of day at a moment: `2026-11-21-110512`.
    #[must_use]
    pub fn stamp(&self, unix_s: i64) -> String {
        let local = unix_s.saturating_add(self.offset_at(unix_s));
        let [year, month, day] = date_of(local.div_euclid(DAY_S));
        let second = local.rem_euclid(DAY_S);
        let (hour, minute) = (second / 3600, second / 60 % 60);
        format!("{year:04}-{month:02}-{day:02}-{hour:02}{minute:02}{:02}", second % 60)
    }
}

fn read(file: &Path) -> Option<Zone> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(file).ok()?.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Zone::parse(&bytes)
}

const HEADER: usize = 44;

struct Counts {
    utc: usize,
    standard: usize,
    leaps: usize,
    times: usize,
    types: usize,
    letters: usize,
}

impl Counts {
    /// Length of the block behind the header, its moments being so wide.
    fn bytes(&self, width: usize) -> Option<usize> {
        let sizes = [
            (self.times, width + 1),
            (self.types, 6),
            (self.letters, 1),
            (self.leaps, width + 4),
            (self.standard, 1),
            (self.utc, 1),
        ];
        sizes.iter().try_fold(0_usize, |sum, (n, size)| sum.checked_add(n.checked_mul(*size)?))
    }
}

fn header(bytes: &[u8]) -> Option<(u8, Counts)> {
    let head = bytes.get(..HEADER)?;
    let count = |k: usize| {
        let number = head.get(20 + 4 * k..)?.first_chunk::<4>()?;
        usize::try_from(u32::from_be_bytes(*number)).ok()
    };
    let counts = Counts {
        utc: count(0)?,
        standard: count(1)?,
        leaps: count(2)?,
        times: count(3)?,
        types: count(4)?,
        letters: count(5)?,
    };
    head.starts_with(b"TZif").then_some((head[4], counts))
}

/// What holds every year: `CET-1CEST,M3.5.0,M10.5.0/3`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    standard: i64,
    summer: Option<Summer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Summer {
    offset: i64,
    /// By standard time.
    begins: Change,
    /// By summer time.
    ends: Change,
}

/// A day of every year, and seconds after its midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    day: Day,
    at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Day {
    /// 1 to 365, the 29th of February never counted.
    ShortYear(i64),
    /// 0 to 365.
    Year(i64),
    /// Month, week (5: the last), day of the week (0: Sunday).
    Week(i64, i64, i64),
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let rest = name(text)?;
        let (standard, rest) = time(rest)?;
        if rest.is_empty() {
            return Some(Self { standard: -standard, summer: None });
        }
        let rest = name(rest)?;
        let (offset, rest) = match rest.strip_prefix(',') {
            Some(_) => (3600 - standard, rest),
            None => time(rest).map(|(offset, rest)| (-offset, rest))?,
        };
        let mut changes = rest.strip_prefix(',')?.splitn(2, ',').map(Change::parse);
        let (begins, ends) = (changes.next()??, changes.next()??);
        Some(Self { standard: -standard, summer: Some(Summer { offset, begins, ends }) })
    }

    fn offset_at(&self, unix_s: i64) -> i64 {
        let Some(summer) = &self.summer else { return self.standard };
        let local = unix_s.saturating_add(self.standard);
        let [year, ..] = date_of(local.div_euclid(DAY_S));
        let begins = summer.begins.in_year(year) - self.standard;
        let ends = summer.ends.in_year(year) - summer.offset;
        let is_summer = if begins < ends {
            (begins..ends).contains(&unix_s)
        } else {
            !(ends..begins).contains(&unix_s)
        };
        if is_summer { summer.offset } else { self.standard }
    }
}

impl Change {
    fn parse(text: &str) -> Option<Self> {
        let (day, at) = text.split_once('/').map_or((text, None), |(day, at)| (day, Some(at)));
        let at = match at {
            None => 7_200,
            Some(at) => time(at).filter(|(_, rest)| rest.is_empty())?.0,
        };
        let number = |text: &str, range: std::ops::RangeInclusive<i64>| {
            text.parse::<i64>().ok().filter(|n| range.contains(n))
        };
        let day = if let Some(days) = day.strip_prefix('J') {
            Day::ShortYear(number(days, 1..=365)?)
        } else if let Some(month) = day.strip_prefix('M') {
            let mut parts = month.splitn(3, '.');
            let (month, week, day) = (parts.next()?, parts.next()?, parts.next()?);
            Day::Week(number(month, 1..=12)?, number(week, 1..=5)?, number(day, 0..=6)?)
        } else {
            Day::Year(number(day, 0..=365)?)
        };
        Some(Self { day, at })
    }

    /// Seconds since 1970 by the clock of the place.
    fn in_year(&self, year: i64) -> i64 {
        let day = match self.day {
            Day::Year(day) => day_of(year, 1, 1) + day,
            Day::ShortYear(day) => {
                let leap = i64::from(day_of(year, 3, 1) - day_of(year, 2, 28) == 2 && day >= 60);
                day_of(year, 1, 1) + day - 1 + leap
            }
            Day::Week(month, week, weekday) => {
                let first = day_of(year, month, 1);
                // The first of January 1970 was a Thursday.
                let first = first + (weekday - (first + 4)).rem_euclid(7);
                let next_month =
                    if month == 12 { day_of(year + 1, 1, 1) } else { day_of(year, month + 1, 1) };
                let wanted = first + 7 * (week - 1);
                if wanted < next_month { wanted } else { wanted - 7 }
            }
        };
        day * DAY_S + self.at
    }
}

/// Behind the name of a zone: letters, or anything in angles.
fn name(text: &str) -> Option<&str> {
    if let Some(quoted) = text.strip_prefix('<') {
        return quoted.split_once('>').map(|(_, rest)| rest);
    }
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    (end >= 3).then(|| &text[end..])
}

/// `[+-]hh[:mm[:ss]]` in seconds, and what follows.
fn time(text: &str) -> Option<(i64, &str)> {
    let (sign, text) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let mut seconds = 0;
    for (part, unit) in digits.splitn(3, ':').zip([3600, 60, 1]) {
        seconds += part.parse::<i64>().ok().filter(|n| *n <= 167)? * unit;
    }
    Some((sign * seconds, rest))
}

/// Days since 1970 of a date of our calendar; March is the first month of its year, so that leap days come last.
fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a day since 1970.
fn date_of(day: i64) -> [i64; 3] {
    let (era, of_era) = ((day + 719_468).div_euclid(146_097), (day + 719_468).rem_euclid(146_097));
    // The year that began in March; January and February belong to the next one.
    let mut year = era * 400 + (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    while day_of(year + 1, 1, 1) <= day {
        year += 1;
    }
    let month = (1..=12).rev().find(|month| day_of(year, *month, 1) <= day).unwrap_or(1);
    [year, month, day - day_of(year, month, 1) + 1]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_rule(text: &str) -> Zone {
        Zone { rule: Rule::parse(text), ..Zone::default() }
    }

    /// Origin: `TZ=… date -d @… +%F-%H%M%S`.
    #[test]
    fn the_time_of_day_is_that_of_the_place() {
        for (rule, unix_s, stamp) in [
            ("UTC0", 1_795_258_712, "2026-11-21-105832"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 1_795_258_712, "2026-11-21-115832"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 1_774_745_999, "2026-03-29-015959"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 1_774_746_000, "2026-03-29-030000"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_889_999, "2026-10-25-025959"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_890_000, "2026-10-25-020000"),
            ("EST5EDT,M3.2.0,M11.1.0", 1_795_258_712, "2026-11-21-055832"),
            ("EST5EDT,M3.2.0,M11.1.0", 1_783_000_000, "2026-07-02-094640"),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_795_258_712, "2026-11-21-215832"),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_783_000_000, "2026-07-02-234640"),
            ("<+0545>-5:45", 1_795_258_712, "2026-11-21-164332"),
            ("UTC0", 951_782_400, "2000-02-29-000000"),
            ("UTC0", -1, "1969-12-31-235959"),
        ] {
            assert_eq!(by_rule(rule).stamp(unix_s), stamp, "{rule}");
        }
    }

    #[test]
    fn a_zone_file_is_read_with_its_changes_and_its_rule() {
        let mut file = b"TZif2".to_vec();
        file.resize(HEADER, 0);
        let mut second = file.clone();
        for (at, count) in [(32, 2_u32), (36, 2), (40, 8)] {
            second[at..at + 4].copy_from_slice(&count.to_be_bytes());
        }
        for at in [-1_000_i64, 1_000] {
            second.extend(at.to_be_bytes());
        }
        second.extend([1, 0]);
        for offset in [3_600_i32, 7_200] {
            second.extend(offset.to_be_bytes());
            second.extend([0, 0]);
        }
        second.extend(b"CET\0XXX\0");
        second.extend(b"\nCET-1CEST,M3.5.0,M10.5.0/3\n");
        file.extend(second);
        let zone = Zone::parse(&file).unwrap();
        assert_eq!([-2_000, 0].map(|at| zone.offset_at(at)), [3_600, 7_200]);
        assert_eq!([1_000, 1_783_000_000].map(|at| zone.offset_at(at)), [3_600, 7_200]);
        for length in 0..file.len() - 30 {
            assert_eq!(Zone::parse(&file[..length]), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_rule_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            text in "[A-Z<>]{0,6}-?[0-9:]{0,4}[A-Z]{0,4},?[MJ]?[0-9.]{0,8}/?[0-9]{0,3},?[MJ]?[0-9.]{0,8}",
            unix_s in any::<i32>(),
        ) {
            let mut file = b"TZif2".to_vec();
            file.extend(&bytes);
            let _ = Zone::parse(&file).map(|zone| zone.stamp(unix_s.into()));
            let _ = by_rule(&text).stamp(unix_s.into());
        }

        #[test]
        fn a_day_is_that_of_its_date(day in -800_000_i64..3_000_000) {
            let [year, month, of_month] = date_of(day);
            prop_assert_eq!(day_of(year, month, of_month), day);
            prop_assert!((1..=12).contains(&month) && (1..=31).contains(&of_month));
        }
    }
}
