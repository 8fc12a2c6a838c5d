//! The points of one frame, in memory of fixed size.

use crate::point::LaserPoint;

/// Points in memory taken once: it never grows. What does not fit is dropped and counted.
#[derive(Clone, Debug)]
pub struct PathPoints {
    points: Vec<LaserPoint>,
    dropped: u32,
}

impl PathPoints {
    /// Room for `points` points.
    #[must_use]
    pub fn with_capacity(points: usize) -> Self {
        Self { points: Vec::with_capacity(points), dropped: 0 }
    }

    /// Empties it; keeps the memory.
    pub fn clear(&mut self) {
        self.points.clear();
        self.dropped = 0;
    }

    /// Appends a point; false, and counted, when full.
    pub fn push(&mut self, point: LaserPoint) -> bool {
        let fits = self.points.len() < self.points.capacity();
        if fits {
            self.points.push(point);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
        fits
    }

    /// The points, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[LaserPoint] {
        &self.points
    }

    /// Points held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Points it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.points.capacity()
    }

    /// Points dropped since the last `clear` because it was full.
    #[must_use]
    pub const fn dropped(&self) -> u32 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_frame_drops_and_counts_and_does_not_grow() {
        let mut points = PathPoints::with_capacity(3);
        let capacity = points.capacity();
        for _ in 0..capacity + 4 {
            points.push(LaserPoint::CENTRE);
        }
        assert_eq!((points.len(), points.capacity(), points.dropped()), (capacity, capacity, 4));
        points.clear();
        assert!(points.is_empty());
        assert_eq!(points.dropped(), 0);
    }
}
