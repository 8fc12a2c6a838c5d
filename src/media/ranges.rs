//! Which bytes of a file are there.

use std::ops::Range;

/// A set of places, kept as ranges that neither touch nor overlap, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RangeSet(Vec<Range<u64>>);

impl RangeSet {
    /// Adds a range.
    pub(super) fn insert(&mut self, new: Range<u64>) {
        if new.is_empty() {
            return;
        }
        let first = self.0.partition_point(|range| range.end < new.start);
        let after = self.0.partition_point(|range| range.start <= new.end);
        let mut joined = new;
        if first < after {
            joined.start = joined.start.min(self.0[first].start);
            joined.end = joined.end.max(self.0[after - 1].end);
        }
        self.0.splice(first..after, [joined]);
    }

    /// The end of what is there from `place` on without a gap; `place` itself if it is not there.
    pub(super) fn end_from(&self, place: u64) -> u64 {
        let next = self.0.partition_point(|range| range.end <= place);
        match self.0.get(next) {
            Some(range) if range.start <= place => range.end,
            _ => place,
        }
    }

    /// The first range that is missing at or after `from` and before `until`.
    pub(super) fn first_gap(&self, from: u64, until: u64) -> Option<Range<u64>> {
        let start = self.end_from(from);
        if start >= until {
            return None;
        }
        let next = self.0.partition_point(|range| range.start <= start);
        let end = self.0.get(next).map_or(until, |range| range.start.min(until));
        Some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_knows_exactly_what_was_put_in(
            ranges in proptest::collection::vec((0_u64..200, 0_u64..30), 0..30),
            from in 0_u64..240,
        ) {
            let mut set = RangeSet::default();
            let mut there = [false; 240];
            for (start, len) in ranges {
                set.insert(start..start + len);
                there[start as usize..(start + len) as usize].fill(true);
            }
            prop_assert!(set.0.windows(2).all(|pair| pair[0].end < pair[1].start));
            prop_assert!(set.0.iter().all(|range| !range.is_empty()));
            let missing = |at: &u64| !there[*at as usize];
            prop_assert_eq!(set.end_from(from), (from..240).find(missing).unwrap_or(240));
            let gap = set.first_gap(from, 240);
            let start = (from..240).find(missing);
            prop_assert_eq!(gap.as_ref().map(|gap| gap.start), start);
            if let Some(gap) = gap {
                prop_assert!((gap.start..gap.end).all(|at| missing(&at)));
                prop_assert!(gap.end == 240 || there[gap.end as usize]);
            }
        }
    }
}
