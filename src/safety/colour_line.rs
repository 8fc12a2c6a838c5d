//! Colours that wait for their mirrors, and the zones on the way between the two.
//!
//! The beam is somewhere between the position a colour was made for and the position it is sent with: at the first if
//! the delay is that of the mirrors, at the second if they had no lag. So a zone anywhere on this way counts: light
//! ends as many points before a keep-out, and begins as many behind it, as colours wait.

use std::time::Duration;

use crate::path::ColourDelay;
use crate::point::LaserPoint;

/// The least gain that a zone has is remembered for as many points as colours may wait.
#[derive(Debug)]
pub(super) struct ColourLine {
    colours: ColourDelay,
    delay_us: f32,
    /// The zone gain of each of the last points, in a ring.
    gains: Box<[f32]>,
    next: usize,
    /// Points since the last whose gain was below 1.
    open_for: usize,
    has_room: bool,
}

impl Default for ColourLine {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl ColourLine {
    /// For delays of up to `max_points` points; no delay yet.
    pub(super) fn with_capacity(max_points: usize) -> Self {
        Self {
            colours: ColourDelay::with_capacity(max_points),
            delay_us: 0.0,
            gains: vec![1.0; max_points + 1].into(),
            next: 0,
            open_for: max_points + 1,
            has_room: max_points > 0,
        }
    }

    /// True if colours may wait at all.
    pub(super) const fn has_room(&self) -> bool {
        self.has_room
    }

    pub(super) const fn set_delay(&mut self, delay: Duration) {
        self.delay_us = delay.as_secs_f32() * 1e6;
    }

    /// The delay is a time: at another rate it takes other points.
    pub(super) fn set_rate(&mut self, pps: u32) {
        self.colours.set(self.delay_us, pps);
    }

    pub(super) const fn delay_points(&self) -> usize {
        self.colours.delay_points()
    }

    /// Forgets the colours that wait. Where the beam was stays known.
    pub(super) fn clear(&mut self) {
        self.colours.clear();
    }

    /// There are other zones from now on: what waits was not judged by them, and stays dark.
    pub(super) fn zones_change(&mut self) {
        self.gains.fill(0.0);
        self.open_for = 0;
    }

    /// Takes a point as it was judged at its own position, with the gain of the zones there. Gives it with the colour
    /// that is due, and the least gain from that colour's position to this one.
    #[inline]
    pub(super) fn pass(&mut self, point: LaserPoint, gain: f32) -> (LaserPoint, f32) {
        let [r, g, b, i] = self.colours.pass([point.r, point.g, point.b, point.i]);
        self.gains[self.next] = gain;
        let last = self.next;
        self.next = if last + 1 == self.gains.len() { 0 } else { last + 1 };
        self.open_for = if gain >= 1.0 { self.open_for.saturating_add(1) } else { 0 };
        let way = self.colours.delay_points() + 1;
        let least = if self.open_for >= way { 1.0 } else { self.least(last, way) };
        (LaserPoint { r, g, b, i, ..point }, least)
    }

    /// The least of the `way` gains that end at `last`.
    fn least(&self, last: usize, way: usize) -> f32 {
        let (to_last, wrapped) = self.gains.split_at(last + 1);
        let newest = &to_last[to_last.len().saturating_sub(way)..];
        let older = &wrapped[wrapped.len() - way.saturating_sub(newest.len()).min(wrapped.len())..];
        newest.iter().chain(older).copied().fold(1.0, f32::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;

    const PPS: u32 = 30_000;

    fn line(points: u32) -> ColourLine {
        let mut line = ColourLine::with_capacity(16);
        line.set_delay(Duration::from_micros(u64::from(points) * 1_000_000 / u64::from(PPS)));
        line.set_rate(PPS);
        assert_eq!(line.delay_points(), points as usize);
        line
    }

    fn gains(line: &mut ColourLine, given: &[f32]) -> Vec<f32> {
        given.iter().map(|gain| line.pass(LaserPoint::CENTRE, *gain).1).collect()
    }

    #[test]
    fn a_zone_counts_for_every_colour_that_passes_it_while_it_waits() {
        let mut line = line(3);
        let found = gains(&mut line, &[1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.5, 1.0]);
        assert_eq!(found, [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.5, 0.5]);
    }

    #[test]
    fn the_least_gain_is_found_round_the_end_of_the_ring() {
        for before in 0..40 {
            let mut line = line(5);
            gains(&mut line, &vec![1.0; before]);
            let found = gains(&mut line, &[0.25, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
            assert_eq!(found, [0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.5, 1.0], "{before}");
        }
    }

    #[test]
    fn a_longer_delay_knows_the_zones_that_were_passed_before_it() {
        let mut line = line(1);
        gains(&mut line, &[1.0, 0.0, 1.0, 1.0, 1.0]);
        line.set_delay(Duration::from_micros(200));
        line.set_rate(PPS);
        assert_eq!(gains(&mut line, &[1.0, 1.0, 1.0, 1.0]), [0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn what_waits_while_the_zones_change_stays_dark() {
        let mut line = line(2);
        gains(&mut line, &[1.0; 5]);
        line.zones_change();
        assert_eq!(gains(&mut line, &[1.0; 4]), [0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn no_delay_is_the_point_itself() {
        let mut line = line(0);
        let point = LaserPoint::lit(0.5, 0.25, Colour::WHITE);
        assert_eq!(line.pass(point, 0.75), (point, 0.75));
    }
}
