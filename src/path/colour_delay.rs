//! The mirrors lag the diodes: colours wait for their positions.
//!
//! A delay is a time; how many points that is follows the rate. What came before is kept, so that another delay acts
//! with the very next point: a longer one shows the colours of the difference once more, a shorter one leaves them
//! out. Neither makes a point dark or lit that no drawing asked for.

use crate::point::LaserPoint;

/// A delay line for colours: positions pass, colours come `ceil(delay · pps)` points later.
///
/// The first colours out are dark. Takes its memory at construction.
#[derive(Clone, Debug)]
pub struct ColourDelay {
    line: Box<[[u16; 4]]>,
    next: usize,
    active: usize,
}

impl ColourDelay {
    /// A line for delays of up to `max_points` points, set to no delay.
    #[must_use]
    pub fn with_capacity(max_points: usize) -> Self {
        Self { line: vec![[0; 4]; max_points + 1].into(), next: 0, active: 0 }
    }

    /// Sets the delay to `ceil(delay_us · pps)` points, at most the capacity. Acts with the next point.
    pub fn set(&mut self, delay_us: f32, pps: u32) {
        self.active = points_of(delay_us, pps).min(self.line.len() - 1);
    }

    /// The delay in points.
    #[must_use]
    pub const fn delay_points(&self) -> usize {
        self.active
    }

    /// Forgets the colours on their way: dark for the next `delay_points` points.
    pub fn clear(&mut self) {
        self.line.fill([0; 4]);
    }

    /// Takes the colour of the next point, and gives the one that is due at it.
    #[inline]
    pub fn pass(&mut self, colour: [u16; 4]) -> [u16; 4] {
        self.line[self.next] = colour;
        let due = if self.next >= self.active {
            self.next - self.active
        } else {
            self.next + self.line.len() - self.active
        };
        self.next += 1;
        if self.next == self.line.len() {
            self.next = 0;
        }
        self.line[due]
    }

    /// Delays the colours of the points that follow those of the last call.
    pub fn apply(&mut self, points: &mut [LaserPoint]) {
        for point in points {
            [point.r, point.g, point.b, point.i] = self.pass([point.r, point.g, point.b, point.i]);
        }
    }
}

/// Points that a delay takes at `pps`, rounded up; a time that is no number is none.
#[must_use]
pub fn points_of(delay_us: f32, pps: u32) -> usize {
    let delay_us = if delay_us.is_finite() { delay_us.max(0.0) } else { 0.0 };
    // A thousandth of a point of rounding does not make one more.
    (f64::from(delay_us) * 1e-6 * f64::from(pps) - 1e-3).ceil().max(0.0) as usize
}

/// The reverse, for whoever looks at points that were sent: positions wait until the colours come that were made for
/// them.
#[derive(Clone, Debug, Default)]
pub struct ColourDelayUndone {
    line: Vec<[f32; 2]>,
    next: usize,
}

impl ColourDelayUndone {
    /// Points whose colours come `delay_points` later become points as they were drawn, as many points later. The
    /// first of a run, or after another delay, are dark.
    pub fn apply(&mut self, points: &mut [LaserPoint], delay_points: usize) {
        if self.line.len() != delay_points {
            // No number: nothing is known of where the beam was.
            self.line.clear();
            self.line.resize(delay_points, [f32::NAN; 2]);
            self.next = 0;
        }
        if delay_points == 0 {
            return;
        }
        for point in points {
            let [x, y] = std::mem::replace(&mut self.line[self.next], [point.x, point.y]);
            *point = if x.is_nan() { point.blanked() } else { LaserPoint { x, y, ..*point } };
            self.next = (self.next + 1) % delay_points;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;

    fn ramp(n: usize) -> Vec<LaserPoint> {
        (0..n)
            .map(|k| LaserPoint {
                r: k as u16 + 1,
                ..LaserPoint::lit(k as f32 * 0.01, 0.5, Colour::WHITE)
            })
            .collect()
    }

    #[test]
    fn colours_come_later_and_positions_do_not() {
        for chunk in [1, 2, 5, 40] {
            let mut delay = ColourDelay::with_capacity(16);
            delay.set(150.0, 30_000);
            assert_eq!(delay.delay_points(), 5);
            let mut points = ramp(40);
            points.chunks_mut(chunk).for_each(|chunk| delay.apply(chunk));
            for (k, point) in points.iter().enumerate() {
                assert_eq!(point.x, k as f32 * 0.01);
                assert_eq!(point.r, (k as u16 + 1).saturating_sub(5));
            }
            assert!(points[..5].iter().all(|p| p.is_blank() && p.i == 0));
        }
    }

    #[test]
    fn a_fraction_of_a_point_rounds_up_and_nonsense_is_no_delay() {
        let mut delay = ColourDelay::with_capacity(16);
        delay.set(101.0, 30_000);
        assert_eq!(delay.delay_points(), 4);
        delay.set(f32::NAN, 30_000);
        assert_eq!(delay.delay_points(), 0);
        delay.set(1e9, 30_000);
        assert_eq!(delay.delay_points(), 16);
    }

    #[test]
    fn no_delay_changes_nothing() {
        let mut delay = ColourDelay::with_capacity(0);
        delay.set(150.0, 30_000);
        let mut points = ramp(10);
        delay.apply(&mut points);
        assert_eq!(points, ramp(10));
    }

    #[test]
    fn a_cleared_line_starts_dark() {
        let mut delay = ColourDelay::with_capacity(4);
        delay.set(100.0, 20_000);
        delay.apply(&mut ramp(5));
        delay.clear();
        let mut points = ramp(3);
        delay.apply(&mut points);
        assert!(points[0].is_blank() && points[1].is_blank() && !points[2].is_blank());
    }

    #[test]
    fn another_delay_acts_at_once_and_makes_nothing_dark() {
        let mut delay = ColourDelay::with_capacity(16);
        let mut points = ramp(40);
        for (part, delay_us) in points.chunks_mut(10).zip([0.0, 150.0, 100.0, 0.0]) {
            delay.set(delay_us, 30_000);
            delay.apply(part);
        }
        let reds: Vec<u16> = points.iter().map(|point| point.r).collect();
        assert_eq!(reds[8..12], [9, 10, 6, 7], "longer: the last five once more");
        assert_eq!(reds[18..22], [14, 15, 18, 19], "shorter: two are left out");
        assert_eq!(reds[28..32], [26, 27, 31, 32]);
    }

    #[test]
    fn what_was_delayed_is_made_as_it_was_drawn_again() {
        for us in [0.0, 50.0, 150.0] {
            let (mut delay, mut undone) =
                (ColourDelay::with_capacity(16), ColourDelayUndone::default());
            delay.set(us, 30_000);
            let mut points = ramp(60);
            delay.apply(&mut points);
            let late = delay.delay_points();
            points.chunks_mut(7).for_each(|part| undone.apply(part, late));
            assert_eq!(points[late..], ramp(60)[..60 - late]);
            assert!(points[..late].iter().all(LaserPoint::is_blank));
        }
    }
}
