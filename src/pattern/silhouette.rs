//! A silhouette of a mask stream, made ready to be drawn: contours in the field, of fixed capacity.

/// Vertices that a silhouette holds at most.
pub const MAX_SILHOUETTE_VERTICES: usize = 512;
/// Contours that a silhouette holds at most.
pub const MAX_CONTOURS: usize = 32;

/// One corner of a contour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Corner {
    /// Horizontal position, −1..=1.
    pub x: f32,
    /// Vertical position, −1..=1.
    pub y: f32,
    /// True if the line to the next corner is lit: false along the edge at which a picture was cut off.
    pub lit: bool,
}

/// A closed line of at least three corners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contour {
    first: usize,
    len: usize,
    /// The contour of the frame before that this one continues, by its place there.
    pub follows: Option<usize>,
}

/// The contours of one frame. Once built, it never allocates; what does not fit is left out whole.
#[derive(Debug, PartialEq)]
pub struct Silhouette {
    /// The frame of the stream.
    pub frame: u64,
    corners: Vec<Corner>,
    contours: Vec<Contour>,
}

impl Default for Silhouette {
    fn default() -> Self {
        Self {
            frame: 0,
            corners: Vec::with_capacity(MAX_SILHOUETTE_VERTICES),
            contours: Vec::with_capacity(MAX_CONTOURS),
        }
    }
}

impl Silhouette {
    /// Empties it for another frame; keeps the memory.
    pub fn reset(&mut self, frame: u64) {
        self.frame = frame;
        self.corners.clear();
        self.contours.clear();
    }

    /// Becomes the same as another, in its own memory.
    pub fn copy_from(&mut self, other: &Self) {
        self.reset(other.frame);
        self.corners.extend_from_slice(&other.corners);
        self.contours.extend_from_slice(&other.contours);
    }

    /// Adds a contour; false if it does not fit or has fewer than three corners.
    pub fn push(&mut self, corners: &[Corner], follows: Option<usize>) -> bool {
        let room = self.corners.capacity() - self.corners.len();
        let full = self.contours.len() == self.contours.capacity();
        if corners.len() < 3 || corners.len() > room || full {
            return false;
        }
        let first = self.corners.len();
        self.corners.extend_from_slice(corners);
        self.contours.push(Contour { first, len: corners.len(), follows });
        true
    }

    /// The contours, the largest first.
    #[must_use]
    pub fn contours(&self) -> &[Contour] {
        &self.contours
    }

    /// The corners of a contour of this silhouette.
    #[must_use]
    pub fn corners_of(&self, contour: &Contour) -> &[Corner] {
        self.corners.get(contour.first..contour.first + contour.len).unwrap_or(&[])
    }

    /// The contour that continues contour `place` of the frame before.
    #[must_use]
    pub fn follower_of(&self, place: usize) -> Option<&Contour> {
        self.contours.iter().find(|contour| contour.follows == Some(place))
    }
}

/// What there is to see of a mask stream at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub enum Sight<'a> {
    /// There is no mask stream.
    #[default]
    NoStream,
    /// There is one, with nothing to show now: its end is passed, or its bytes are late.
    Nothing,
    /// A frame.
    Frame {
        /// The frame of the moment.
        now: &'a Silhouette,
        /// The one after it, if it is there.
        next: Option<&'a Silhouette>,
        /// How much of the time between them has gone, 0..1.
        share: f32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::no_alloc;

    #[test]
    fn a_full_silhouette_leaves_contours_out_whole_and_does_not_grow() {
        let corners = [Corner::default(); 100];
        let mut silhouette = Silhouette::default();
        let ((), touched) = no_alloc::watch(|| {
            for round in 0..3 {
                silhouette.reset(round);
                assert!((0..5).all(|_| silhouette.push(&corners, None)));
                assert!(!silhouette.push(&corners, None));
                assert!(silhouette.push(&corners[..12], Some(4)));
                assert!(!silhouette.push(&corners[..2], None));
            }
        });
        assert_eq!((touched, silhouette.contours().len()), (0, 6));
        let follower = *silhouette.follower_of(4).unwrap();
        assert_eq!(silhouette.corners_of(&follower).len(), 12);
    }
}
