//! The mirrors lag the diodes: colours wait for their positions.

use crate::point::LaserPoint;

/// A delay line for colours: positions pass, colours come `ceil(delay · pps)` points later.
///
/// The first colours out are dark. Takes its memory at construction.
#[derive(Clone, Debug)]
pub struct ColourDelay {
    line: Vec<[u16; 4]>,
    next: usize,
    active: usize,
}

impl ColourDelay {
    /// A line for delays of up to `max_points` points, set to no delay.
    #[must_use]
    pub fn with_capacity(max_points: usize) -> Self {
        Self { line: vec![[0; 4]; max_points], next: 0, active: 0 }
    }

    /// Sets the delay to `ceil(delay_us · pps)` points, at most the capacity. A change darkens what is on its
    /// way, so that no colour meets a position it was not made for.
    pub fn set(&mut self, delay_us: f32, pps: u32) {
        let delay_us = if delay_us.is_finite() { delay_us.max(0.0) } else { 0.0 };
        // A thousandth of a point of rounding does not make one more.
        let points = (f64::from(delay_us) * 1e-6 * f64::from(pps) - 1e-3).ceil().max(0.0) as usize;
        let points = points.min(self.line.len());
        if points != self.active {
            self.active = points;
            self.clear();
        }
    }

    /// The delay in points.
    #[must_use]
    pub const fn delay_points(&self) -> usize {
        self.active
    }

    /// Forgets the colours on their way: dark for the next `delay_points` points.
    pub fn clear(&mut self) {
        self.line.fill([0; 4]);
        self.next = 0;
    }

    /// Delays the colours of the points that follow those of the last call.
    pub fn apply(&mut self, points: &mut [LaserPoint]) {
        let Some(line) = self.line.get_mut(..self.active).filter(|line| !line.is_empty()) else {
            return;
        };
        for point in points {
            let due = std::mem::replace(&mut line[self.next], [point.r, point.g, point.b, point.i]);
            [point.r, point.g, point.b, point.i] = due;
            self.next += 1;
            if self.next == line.len() {
                self.next = 0;
            }
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
}
