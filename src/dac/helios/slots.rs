//! What the two frame slots of a Helios hold, told from writes and from ready edges.
//!
//! The device says one bit: is the next slot free? It becomes free at the moment the waiting frame starts to
//! play, so the edge from "not ready" to "ready" dates the first point of that frame. No USB, no clock.

use std::time::Duration;

use crate::time::HostTime;

/// A frame in a slot.
#[derive(Clone, Copy, Debug)]
struct Held {
    points: u32,
    pps: u32,
    /// When it was handed over.
    handed_over: HostTime,
}

impl Held {
    fn lasts(&self) -> Duration {
        Duration::from_nanos(u64::from(self.points) * 1_000_000_000 / u64::from(self.pps.max(1)))
    }
}

/// A frame that plays.
#[derive(Clone, Copy, Debug)]
struct Playing {
    held: Held,
    /// Since when, as well as that is known.
    since: HostTime,
    /// Since when at the earliest.
    earliest: HostTime,
}

/// The two slots.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// The frame that plays.
    playing: Option<Playing>,
    waiting: Option<Held>,
    /// When the device last said "not ready" with the present frame waiting.
    not_ready_at: Option<HostTime>,
    underflows: u32,
}

impl Slots {
    /// A frame has been handed over. An idle device starts it at once.
    pub(super) fn wrote(&mut self, now: HostTime, points: u32, pps: u32) {
        self.advance(now);
        let held = Held { points, pps, handed_over: now };
        if self.playing.is_none() {
            self.playing = Some(Playing { held, since: now, earliest: now });
        } else {
            self.waiting = Some(held);
        }
        self.not_ready_at = None;
    }

    /// The device has said at `at` whether the next slot is free.
    pub(super) fn told(&mut self, free: bool, at: HostTime) {
        let Some(waiting) = self.waiting else { return };
        if !free {
            self.not_ready_at = Some(at);
            return;
        }
        let since = match self.not_ready_at {
            // Somewhere between the two answers: the middle is right on average.
            Some(before) => before.plus_nanos(at.nanos_since(before) / 2),
            None => self.end().unwrap_or(at).clamp(waiting.handed_over.min(at), at),
        };
        // It has not begun before the last frame was over, nor before it was seen to wait.
        let earliest = self.not_ready_at.unwrap_or(waiting.handed_over);
        let earliest =
            self.surely_plays_until().map_or(earliest, |end| end.max(earliest)).min(since);
        self.playing = Some(Playing { held: waiting, since, earliest });
        self.waiting = None;
        self.not_ready_at = None;
    }

    /// Time has come to `now`: a frame without a successor plays once, then the device is idle.
    pub(super) fn advance(&mut self, now: HostTime) {
        if self.waiting.is_none() && self.end().is_some_and(|end| end <= now) {
            self.playing = None;
            self.underflows += 1;
        }
    }

    /// The device has been stopped: both slots are empty.
    pub(super) fn clear(&mut self) {
        self.playing = None;
        self.waiting = None;
        self.not_ready_at = None;
    }

    /// As [`clear`](Self::clear), in the middle of a show: the flow of points is broken.
    pub(super) fn broke(&mut self) {
        self.clear();
        self.underflows += 1;
    }

    /// When the frame that plays will be over, by its nominal rate.
    pub(super) fn end(&self) -> Option<HostTime> {
        self.playing.map(|playing| playing.since + playing.held.lasts())
    }

    /// The earliest time at which it may be over: a host that stood still does not know when it began.
    pub(super) fn surely_plays_until(&self) -> Option<HostTime> {
        self.playing.map(|playing| playing.earliest + playing.held.lasts())
    }

    /// True while both slots are taken, as far as is known.
    pub(super) const fn is_full(&self) -> bool {
        self.waiting.is_some()
    }

    /// Since when the frame plays that plays now, and its rate.
    pub(super) fn playing(&self) -> Option<(HostTime, u32)> {
        self.playing.map(|playing| (playing.since, playing.held.pps))
    }

    /// Points in the device at the start of the frame that plays.
    pub(super) fn points(&self) -> u32 {
        let playing = self.playing.map_or(0, |playing| playing.held.points);
        playing + self.waiting.map_or(0, |held| held.points)
    }

    /// Times the device ran out of frames.
    pub(super) const fn underflows(&self) -> u32 {
        self.underflows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: i64) -> HostTime {
        HostTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_ready_edge_dates_the_first_point_of_the_frame_that_waited() {
        let mut slots = Slots::default();
        slots.wrote(ms(0), 600, 30_000);
        assert_eq!(slots.playing(), Some((ms(0), 30_000)));
        slots.wrote(ms(2), 300, 30_000);
        assert_eq!((slots.is_full(), slots.points()), (true, 900));
        slots.told(false, ms(18));
        assert_eq!(slots.playing(), Some((ms(0), 30_000)));
        slots.told(true, ms(22));
        assert_eq!(slots.playing(), Some((ms(20), 30_000)));
        assert_eq!((slots.is_full(), slots.points()), (false, 300));
    }

    #[test]
    fn an_edge_nobody_watched_was_when_the_frame_before_ended() {
        let mut slots = Slots::default();
        slots.wrote(ms(0), 600, 30_000);
        slots.wrote(ms(2), 600, 30_000);
        slots.told(true, ms(35));
        assert_eq!(slots.playing(), Some((ms(20), 30_000)));
    }

    #[test]
    fn what_played_unseen_may_be_over_as_early_as_it_could_begin() {
        let mut slots = Slots::default();
        slots.wrote(ms(0), 600, 30_000);
        slots.wrote(ms(5), 600, 30_000);
        slots.told(false, ms(19));
        // The host stands still; when it looks again the second frame has begun, nobody knows when.
        slots.told(true, ms(45));
        assert_eq!(slots.end(), Some(ms(52)));
        assert_eq!(slots.surely_plays_until(), Some(ms(40)));
    }

    #[test]
    fn a_frame_without_a_successor_is_an_underflow_and_one_with_is_none() {
        let mut slots = Slots::default();
        slots.wrote(ms(0), 300, 30_000);
        slots.advance(ms(9));
        assert_eq!(slots.underflows(), 0);
        slots.wrote(ms(9), 300, 30_000);
        slots.advance(ms(500));
        assert_eq!(slots.underflows(), 0, "the device has not said that it went on");
        slots.told(true, ms(501));
        slots.advance(ms(600));
        assert_eq!((slots.underflows(), slots.points()), (1, 0));
    }
}
