//! The part of a track that is played round and round: from the keys, and snapped to beats.

use std::path::PathBuf;

use crate::analysis::{Track, TrackBeat};
use crate::show::{Command, Snapshot};
use crate::time::MediaTime;

/// A moment further from every beat than this is left where it is, s.
const FARTHEST_BEAT_SECONDS: f64 = 1.0;
/// A loop without an end of its own is so long: in bars, and in s where no beat is known.
const BARS: usize = 4;
const SECONDS: f64 = 8.0;

/// A part of a track.
pub(super) type Part = (MediaTime, MediaTime);

/// What was begun and what was there before, of the track that is open.
#[derive(Debug, Default)]
pub(super) struct Looping {
    of: Option<PathBuf>,
    /// Set, and waits for its end.
    start: Option<MediaTime>,
    last: Option<Part>,
}

impl Looping {
    /// Forgets what belongs to another track.
    pub(super) fn look(&mut self, seen: &Snapshot) {
        if self.of != seen.transport.path {
            *self = Self { of: seen.transport.path.clone(), ..Self::default() };
        }
        self.last = seen.transport.loop_region.or(self.last);
    }

    /// The start that waits for its end.
    pub(super) fn start(&self) -> Option<MediaTime> {
        self.start
    }

    /// True if the end can be set here.
    pub(super) fn can_end(&self, seen: &Snapshot) -> bool {
        let start = self.start.or(seen.transport.loop_region.map(|part| part.0));
        start.is_some_and(|start| here(seen) > start)
    }

    /// It begins here.
    pub(super) fn begin(&mut self, seen: &Snapshot) -> Option<Command> {
        let here = here(seen);
        match seen.transport.loop_region {
            Some((_, end)) if here < end => Some(Command::SetLoop(Some((here, end)))),
            _ => {
                self.start = can_loop(seen).then_some(here);
                None
            }
        }
    }

    /// It ends here, and is played.
    pub(super) fn end(&mut self, seen: &Snapshot) -> Option<Command> {
        if !self.can_end(seen) {
            return None;
        }
        let start = self.start.take().or(seen.transport.loop_region.map(|part| part.0))?;
        Some(Command::SetLoop(Some((start, here(seen)))))
    }

    /// Off, or the last one again, or the four bars at hand.
    pub(super) fn toggle(&mut self, seen: &Snapshot) -> Option<Command> {
        if seen.transport.loop_region.is_some() {
            return Some(Command::SetLoop(None));
        }
        self.start = None;
        can_loop(seen).then(|| Command::SetLoop(Some(self.last.unwrap_or_else(|| at_hand(seen)))))
    }

    /// A part that was marked, s.
    pub(super) fn marked(
        &mut self,
        part: (f64, f64),
        seen: &Snapshot,
        free: bool,
    ) -> Option<Command> {
        self.start = None;
        let (start, end) = snapped_part(seen, part, free);
        (end > start).then_some(Command::SetLoop(Some((start, end))))
    }
}

/// True where there is something to play round and round.
pub(super) fn can_loop(seen: &Snapshot) -> bool {
    !seen.transport.live && seen.transport.duration.is_some_and(|end| end > MediaTime::ZERO)
}

/// A part in s, snapped to beats unless it is `free`.
pub(super) fn snapped_part(seen: &Snapshot, (from, to): (f64, f64), free: bool) -> Part {
    let track = seen.track.as_deref().filter(|_| !free);
    let at = |seconds| snapped(track, MediaTime::from_secs_f64(seconds));
    (at(from), at(to))
}

fn here(seen: &Snapshot) -> MediaTime {
    snapped(seen.track.as_deref(), seen.transport.position)
}

/// The beat nearest to a moment; the moment itself where no beat is near.
fn snapped(track: Option<&Track>, at: MediaTime) -> MediaTime {
    let beats = track.map_or(&[][..], Track::beats);
    let next = beats.partition_point(|beat| beat.at < at);
    let apart = |beat: &TrackBeat| beat.at.secs_since(at).abs();
    let near = &beats[next.saturating_sub(1)..(next + 1).min(beats.len())];
    let nearest = near.iter().min_by(|a, b| apart(a).total_cmp(&apart(b)));
    nearest.filter(|beat| apart(beat) <= FARTHEST_BEAT_SECONDS).map_or(at, |beat| beat.at)
}

/// Four bars from the one at hand; some seconds where no bar is known.
fn at_hand(seen: &Snapshot) -> Part {
    let position = seen.transport.position;
    let limit = seen.transport.duration.unwrap_or(position);
    if let Some(track) = seen.track.as_deref() {
        let beats = track.beats();
        let passed = beats.partition_point(|beat| beat.at <= position);
        let first = beats[..passed].iter().rposition(|beat| beat.of_bar == 1);
        let last = first.map(|first| first + BARS * usize::from(track.beats_per_bar()));
        if let (Some(first), Some(last)) = (first, last)
            && let Some(end) = beats.get(last)
        {
            return (beats[first].at, end.at);
        }
    }
    let start = position.min(limit.plus_secs_f64(-SECONDS)).max(MediaTime::ZERO);
    (start, start.plus_secs_f64(SECONDS).min(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen_at(seconds: f64) -> Snapshot {
        let mut seen = Snapshot::default();
        seen.transport.duration = Some(MediaTime::from_secs_f64(60.0));
        seen.transport.position = MediaTime::from_secs_f64(seconds);
        seen
    }

    fn loops(from: f64, to: f64) -> Command {
        Command::SetLoop(Some((MediaTime::from_secs_f64(from), MediaTime::from_secs_f64(to))))
    }

    #[test]
    fn a_loop_is_begun_and_ended_by_two_presses_and_comes_back() {
        let mut looping = Looping::default();
        assert_eq!(looping.end(&seen_at(5.0)), None, "there is no start");
        assert_eq!(looping.begin(&seen_at(10.0)), None);
        assert_eq!(looping.end(&seen_at(9.0)), None, "before its start");
        assert_eq!(looping.end(&seen_at(14.0)), Some(loops(10.0, 14.0)));
        let mut seen = seen_at(12.0);
        seen.transport.loop_region =
            Some((MediaTime::from_secs_f64(10.0), MediaTime::from_secs_f64(14.0)));
        looping.look(&seen);
        assert_eq!(looping.begin(&seen), Some(loops(12.0, 14.0)), "a start is moved");
        assert_eq!(looping.toggle(&seen), Some(Command::SetLoop(None)));
        assert_eq!(looping.toggle(&seen_at(30.0)), Some(loops(10.0, 14.0)));
        let mut other = seen_at(58.0);
        other.transport.path = Some("other.flac".into());
        looping.look(&other);
        assert_eq!(looping.toggle(&other), Some(loops(52.0, 60.0)), "not that of another track");
    }

    #[test]
    fn what_has_no_length_is_not_looped() {
        let mut looping = Looping::default();
        let mut live = seen_at(5.0);
        live.transport.live = true;
        assert_eq!(looping.toggle(&live), None);
        assert_eq!(looping.toggle(&Snapshot::default()), None);
        assert_eq!(looping.marked((3.0, 3.0), &seen_at(1.0), false), None);
    }
}
