//! Delays colours against positions: diodes answer at once, mirrors after some 100 µs.

use crate::point::LaserPoint;

/// A line of colours waiting for their mirrors. All memory is taken at the start.
#[derive(Debug)]
pub struct ColourDelay {
    line: Box<[[u16; 4]]>,
    next: usize,
    delay_points: usize,
}

impl ColourDelay {
    /// A line that can delay up to `max_points` points; no delay yet.
    #[must_use]
    pub fn new(max_points: usize) -> Self {
        Self { line: vec![[0; 4]; max_points + 1].into(), next: 0, delay_points: 0 }
    }

    /// Delays colours by `points` from the next point on, at most by what the line holds.
    pub fn set_points(&mut self, points: usize) {
        self.delay_points = points.min(self.line.len() - 1);
    }

    /// The delay in points.
    #[must_use]
    pub const fn points(&self) -> usize {
        self.delay_points
    }

    /// Forgets waiting colours: what comes next starts dark.
    pub fn clear(&mut self) {
        self.line.fill([0; 4]);
    }

    /// Gives each point the colour that is due at its position.
    pub fn apply(&mut self, points: &mut [LaserPoint]) {
        if self.delay_points == 0 {
            return;
        }
        let len = self.line.len();
        for point in points {
            self.line[self.next] = [point.r, point.g, point.b, point.i];
            let due = (self.next + len - self.delay_points) % len;
            [point.r, point.g, point.b, point.i] = self.line[due];
            self.next = (self.next + 1) % len;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;

    fn ramp(n: u16) -> Vec<LaserPoint> {
        (0..n)
            .map(|k| LaserPoint {
                r: k + 1,
                ..LaserPoint::lit(f32::from(k) / 100.0, 0.0, Colour::WHITE)
            })
            .collect()
    }

    #[test]
    fn positions_stay_and_colours_come_later() {
        let mut delay = ColourDelay::new(8);
        delay.set_points(3);
        let mut points = ramp(10);
        let (before, after) = points.split_at_mut(4);
        delay.apply(before);
        delay.apply(after);
        let reds: Vec<u16> = points.iter().map(|p| p.r).collect();
        assert_eq!(reds, [0, 0, 0, 1, 2, 3, 4, 5, 6, 7]);
        assert!(points.iter().zip(ramp(10)).all(|(a, b)| a.x == b.x));
    }

    #[test]
    fn a_cleared_line_starts_dark() {
        let mut delay = ColourDelay::new(4);
        delay.set_points(2);
        delay.apply(&mut ramp(5));
        delay.clear();
        let mut points = ramp(3);
        delay.apply(&mut points);
        assert!(points[0].is_blank() && points[1].is_blank() && !points[2].is_blank());
    }

    #[test]
    fn more_than_the_line_holds_is_what_it_holds() {
        let mut delay = ColourDelay::new(2);
        delay.set_points(100);
        assert_eq!(delay.points(), 2);
    }
}
