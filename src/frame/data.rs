//! The frame that the pool lends: a run of points of fixed capacity and what is to be known of it.

use crate::point::LaserPoint;
use crate::time::{HostTime, MediaTime, StreamInstant};

/// Points a frame holds at most: 64 KiB of them.
pub const FRAME_CAPACITY: usize = 4096;

/// Where on the way of the points a frame is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TapPoint {
    /// As the pattern drew it.
    Pattern,
    /// As the path optimiser laid it, before the safety gate.
    Path,
    /// As it is sent to the projector, after the safety gate: colours wait for the mirrors. A preview shows this one,
    /// and lets positions wait for the colours ([`FrameMeta::colour_delay_points`]).
    #[default]
    Sent,
}

impl TapPoint {
    /// All of them, in the order of the way.
    pub const ALL: [Self; 3] = [Self::Pattern, Self::Path, Self::Sent];
}

/// What is to be known of a frame, inline.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameMeta {
    /// Number of the frame at its tap point, from 0, gapless. Set by the producer.
    pub sequence: u64,
    /// Stream time of the first point.
    pub start: StreamInstant,
    /// Media time heard when the first point is seen.
    pub media: MediaTime,
    /// Media seconds between two points (0 while paused).
    pub media_per_point: f64,
    /// When the first point leaves the mirrors.
    pub plays_at: HostTime,
    /// Points per second.
    pub pps: u32,
    /// By how many points its colours come later than the positions they were made for; 0 before the safety gate.
    pub colour_delay_points: u32,
    /// The seek epoch the media time belongs to.
    pub epoch: u32,
    /// The number of the projector in the show, from 0.
    pub device: u32,
    /// Where the frame was looked at.
    pub tap_point: TapPoint,
}

impl FrameMeta {
    /// All zero, seen at `tap_point`.
    #[must_use]
    pub fn at(tap_point: TapPoint) -> Self {
        Self { tap_point, ..Self::default() }
    }

    /// The same for what begins `points` points later.
    #[must_use]
    pub fn later(self, points: usize) -> Self {
        let nanos = points as u64 * 1_000_000_000 / u64::from(self.pps.max(1));
        Self {
            start: StreamInstant(self.start.0 + points as u64),
            media: self.media.plus_secs_f64(self.media_per_point * points as f64),
            plays_at: if self.pps == 0 {
                self.plays_at
            } else {
                self.plays_at.plus_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
            },
            ..self
        }
    }
}

/// A run of points in a buffer that never grows or shrinks.
#[derive(Debug)]
pub struct FrameData {
    points: Box<[LaserPoint]>,
    actual_len: usize,
    meta: FrameMeta,
}

impl Default for FrameData {
    fn default() -> Self {
        Self::new()
    }
}

impl FrameData {
    /// An empty frame for [`FRAME_CAPACITY`] points.
    #[must_use]
    pub fn new() -> Self {
        Self {
            points: vec![LaserPoint::CENTRE; FRAME_CAPACITY].into(),
            actual_len: 0,
            meta: FrameMeta::default(),
        }
    }

    /// Replaces the contents; returns how many points fitted.
    pub fn write(&mut self, points: &[LaserPoint], meta: FrameMeta) -> usize {
        let len = points.len().min(self.points.len());
        self.points[..len].copy_from_slice(&points[..len]);
        self.actual_len = len;
        self.meta = meta;
        len
    }

    /// Empties the frame in constant time: what was in it cannot be reached any more, and is not overwritten.
    pub fn reset(&mut self) {
        self.actual_len = 0;
        self.meta = FrameMeta::default();
    }

    /// The points that are valid.
    #[must_use]
    pub fn points(&self) -> &[LaserPoint] {
        &self.points[..self.actual_len]
    }

    /// The points that are valid, to change.
    pub fn points_mut(&mut self) -> &mut [LaserPoint] {
        &mut self.points[..self.actual_len]
    }

    /// How many points are valid.
    #[must_use]
    pub fn actual_len(&self) -> usize {
        self.actual_len
    }

    /// How many points fit.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.points.len()
    }

    /// What is to be known of the frame.
    #[must_use]
    pub fn meta(&self) -> &FrameMeta {
        &self.meta
    }

    /// A look at the frame that copies nothing.
    #[must_use]
    pub fn view(&self) -> FrameView<'_> {
        FrameView { points: self.points(), meta: self.meta }
    }
}

impl Clone for FrameData {
    fn clone(&self) -> Self {
        let mut twin = Self::new();
        twin.clone_from(self);
        twin
    }

    /// Copies the valid points into the buffer that is there: no heap.
    fn clone_from(&mut self, source: &Self) {
        self.write(source.points(), source.meta);
    }
}

/// A borrowed look at a frame. What an observer wants to keep, it copies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameView<'a> {
    points: &'a [LaserPoint],
    meta: FrameMeta,
}

impl<'a> FrameView<'a> {
    /// A look at points that are in no frame.
    #[must_use]
    pub fn new(points: &'a [LaserPoint], meta: FrameMeta) -> Self {
        Self { points, meta }
    }

    /// The points.
    #[must_use]
    pub fn points(&self) -> &'a [LaserPoint] {
        self.points
    }

    /// What is to be known of them.
    #[must_use]
    pub fn meta(&self) -> &FrameMeta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DP-14: the buffer keeps its size, `actual_len` says how much of it counts.
    #[test]
    fn the_buffer_never_grows_or_shrinks() {
        let mut frame = FrameData::new();
        let address = frame.points.as_ptr();
        for len in [0, 1, 300, FRAME_CAPACITY, FRAME_CAPACITY + 1, 7] {
            let written = frame.write(&vec![LaserPoint::CENTRE; len], FrameMeta::default());
            assert_eq!(written, len.min(FRAME_CAPACITY));
            assert_eq!((frame.actual_len(), frame.capacity()), (written, FRAME_CAPACITY));
            assert_eq!(frame.points.as_ptr(), address);
        }
    }

    /// DP-05, DP-15: what belongs to a laser frame is inline, about a hundred bytes.
    #[test]
    fn metadata_is_inline_and_small() {
        assert!(size_of::<FrameMeta>() <= 100, "{}", size_of::<FrameMeta>());
        assert!(size_of::<FrameData>() <= 128, "{}", size_of::<FrameData>());
    }

    /// DP-16, DP-17: reset leaves the payload alone and out of reach.
    #[test]
    fn a_reset_frame_shows_nothing_of_before_and_overwrites_nothing() {
        let mut frame = FrameData::new();
        let meta = FrameMeta { sequence: 9, epoch: 3, ..FrameMeta::at(TapPoint::Path) };
        frame.write(&[LaserPoint::blank(0.25, 0.0); 100], meta);
        frame.reset();
        assert!(frame.points().is_empty() && frame.points_mut().is_empty());
        assert!(frame.view().points().is_empty());
        assert_eq!(frame.meta(), &FrameMeta::default());
        assert_eq!(frame.points[99].x, 0.25, "reset takes no time for the payload");
    }

    /// DP-04: a view borrows.
    #[test]
    fn a_view_is_the_frame_itself() {
        let mut frame = FrameData::new();
        frame.write(&[LaserPoint::CENTRE; 5], FrameMeta::at(TapPoint::Pattern));
        let view = frame.view();
        assert_eq!((view.points().as_ptr(), view.points().len()), (frame.points.as_ptr(), 5));
        assert_eq!(view.meta().tap_point, TapPoint::Pattern);
    }

    #[test]
    fn a_later_frame_begins_later_in_every_time() {
        let meta = FrameMeta {
            start: StreamInstant(10),
            media_per_point: 1.0 / 30_000.0,
            pps: 30_000,
            ..FrameMeta::default()
        };
        let later = meta.later(3_000);
        assert_eq!(later.start, StreamInstant(3_010));
        assert_eq!(later.plays_at, HostTime::from_nanos(100_000_000));
        assert_eq!(later.media, MediaTime::from_nanos(100_000_000));
        assert_eq!(FrameMeta::default().later(5).plays_at, HostTime::ZERO);
    }
}
