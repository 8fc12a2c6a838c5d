//! How often the window is drawn: as the screen can, and less often where that is more than the machine can do.

use std::time::Duration;

/// Pictures a second while something moves: the show makes as many snapshots.
const MOST_PER_SECOND: f32 = 60.0;
/// The fewest while something moves.
const LEAST_PER_SECOND: f32 = 12.0;
/// While nothing moves: notices and faults still appear soon, and a picture costs a software renderer much.
const IDLE: Duration = Duration::from_millis(200);
/// A picture is late if it came this much later than it was asked for.
const LATE: f32 = 1.4;
const LATE_SECONDS: f32 = 0.002;
/// How much one picture counts in the share of late ones.
const WEIGHT: f32 = 0.05;
/// More late ones than the first share slow the window down, fewer than the second let it be faster.
const TOO_MANY: f32 = 0.3;
const FEW: f32 = 0.04;

/// The time between pictures, from how late the last ones were.
///
/// Slower pictures leave the machine to the show. A picture that is asked for and comes in time says nothing of what
/// it cost: only one that is late does, because the processors or the graphics have no time left.
#[derive(Debug)]
pub(super) struct Pace {
    interval: f32,
    /// When the last picture came, s, and whether the next was asked for in `interval`.
    last: Option<f64>,
    late: f32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { interval: 1.0 / MOST_PER_SECOND, last: None, late: 0.0 }
    }
}

impl Pace {
    /// Takes in that a picture is made at `now`, s; returns when the next one should be, given whether something
    /// `moves`.
    pub(super) fn next(&mut self, now: f64, moves: bool) -> Duration {
        if let Some(last) = self.last {
            let took = (now - last) as f32;
            // Sooner than asked for says nothing: the hand moved.
            if took >= self.interval {
                self.weigh(took > self.interval * LATE + LATE_SECONDS);
            }
        }
        self.last = moves.then_some(now);
        if moves { Duration::from_secs_f32(self.interval) } else { IDLE }
    }

    fn weigh(&mut self, is_late: bool) {
        self.late += (f32::from(u8::from(is_late)) - self.late) * WEIGHT;
        let (shortest, longest) = (1.0 / MOST_PER_SECOND, 1.0 / LEAST_PER_SECOND);
        if self.late > TOO_MANY {
            self.interval = (self.interval * 1.03).min(longest);
        } else if self.late < FEW {
            self.interval = (self.interval * 0.997).max(shortest);
        }
    }

    /// Pictures a second that are aimed at while something moves.
    pub(super) fn per_second(&self) -> f32 {
        1.0 / self.interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets a machine draw that needs `cost` s for a picture, for `seconds`; returns the aim.
    fn draw(pace: &mut Pace, from: f64, seconds: f64, cost: f64) -> f32 {
        let mut now = from;
        while now < from + seconds {
            let wait = pace.next(now, true).as_secs_f64();
            now += wait.max(cost);
        }
        pace.per_second()
    }

    #[test]
    fn a_fast_machine_draws_as_often_as_the_show_looks() {
        let mut pace = Pace::default();
        assert!(draw(&mut pace, 0.0, 20.0, 0.003) > 59.9);
        // A screen of fifty pictures a second holds each back, and none is late.
        assert!(draw(&mut pace, 100.0, 20.0, 0.020) > 59.9);
    }

    #[test]
    fn a_slow_machine_draws_less_often_and_comes_back() {
        let mut pace = Pace::default();
        let slow = draw(&mut pace, 0.0, 30.0, 0.050);
        assert!((20.0..30.0).contains(&slow), "{slow}");
        let slowest = draw(&mut pace, 100.0, 60.0, 0.5);
        assert!((slowest - LEAST_PER_SECOND).abs() < 0.01, "{slowest}");
        assert!(draw(&mut pace, 300.0, 60.0, 0.003) > 59.0);
    }

    #[test]
    fn rest_and_a_moving_hand_are_no_delay() {
        let mut pace = Pace::default();
        for k in 0..2_000 {
            assert_eq!(pace.next(f64::from(k) * 0.2, false), IDLE);
        }
        for k in 0..2_000 {
            pace.next(1_000.0 + f64::from(k) * 0.004, true);
        }
        assert!(pace.per_second() > 59.9);
    }
}
