//! Frames for a stream: a picture drawn again and again until there is another.

use super::fill::{FillRequest, FillResult, Producer};
use crate::point::LaserPoint;
use crate::realtime::{LatestReader, LatestWriter, latest};

/// Cycles one frame. A new frame begins where the present one ends, in the middle of a chunk if need be.
#[derive(Debug, Default)]
pub struct FrameAdapter {
    current: Vec<LaserPoint>,
    next: Vec<LaserPoint>,
    has_next: bool,
    index: usize,
}

impl FrameAdapter {
    /// An adapter with no frame: its stream starves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows `frame` once the present one is through. An empty frame shows nothing. Allocates if the frame
    /// is longer than any before.
    pub fn update(&mut self, frame: impl AsRef<[LaserPoint]>) {
        self.next.clear();
        self.next.extend_from_slice(frame.as_ref());
        self.has_next = true;
    }

    /// Writes `target_points` points. [`FillResult::Starved`] without a frame.
    pub fn fill_chunk(&mut self, request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
        let wanted = request.target_points.min(buffer.len());
        let mut filled = 0;
        while filled < wanted || self.current.is_empty() {
            if self.index >= self.current.len() {
                self.index = 0;
                if std::mem::take(&mut self.has_next) {
                    std::mem::swap(&mut self.current, &mut self.next);
                }
            }
            if self.current.is_empty() {
                break;
            }
            let n = (self.current.len() - self.index).min(wanted - filled);
            buffer[filled..filled + n].copy_from_slice(&self.current[self.index..self.index + n]);
            self.index += n;
            filled += n;
        }
        if filled == 0 && self.current.is_empty() {
            FillResult::Starved
        } else {
            FillResult::Filled(filled)
        }
    }
}

impl Producer for FrameAdapter {
    fn fill(&mut self, request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
        self.fill_chunk(request, buffer)
    }
}

/// A frame adapter for a stream, and the hand that feeds it from another thread. Frames may have up to
/// `max_points` points. All memory is taken here.
#[must_use]
pub fn shared_frames(max_points: usize) -> (FrameWriter, SharedFrameAdapter) {
    let (writer, reader) = latest(Vec::with_capacity(max_points));
    let adapter = FrameAdapter {
        current: Vec::with_capacity(max_points),
        next: Vec::with_capacity(max_points),
        has_next: false,
        index: 0,
    };
    (FrameWriter { frames: writer, max_points }, SharedFrameAdapter { frames: reader, adapter })
}

/// The end that brings frames. The newest wins.
#[derive(Debug)]
pub struct FrameWriter {
    frames: LatestWriter<Vec<LaserPoint>>,
    max_points: usize,
}

impl FrameWriter {
    /// Shows `frame` once the present one is through; false if it is longer than was agreed.
    #[must_use]
    pub fn update(&mut self, frame: &[LaserPoint]) -> bool {
        if frame.len() > self.max_points {
            return false;
        }
        self.frames.update(|slot| {
            slot.clear();
            slot.extend_from_slice(frame);
        });
        true
    }
}

/// The end in the stream: no lock, no allocation.
#[derive(Debug)]
pub struct SharedFrameAdapter {
    frames: LatestReader<Vec<LaserPoint>>,
    adapter: FrameAdapter,
}

impl SharedFrameAdapter {
    /// As [`FrameAdapter::fill_chunk`], with the newest frame from the other end.
    pub fn fill_chunk(&mut self, request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
        if let Some(frame) = self.frames.read_new() {
            self.adapter.update(frame);
        }
        self.adapter.fill_chunk(request, buffer)
    }
}

impl Producer for SharedFrameAdapter {
    fn fill(&mut self, request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
        self.fill_chunk(request, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::no_alloc;
    use crate::time::{HostTime, MediaTime, StreamInstant};
    use std::time::Duration;

    fn request(target_points: usize) -> FillRequest {
        FillRequest {
            start: StreamInstant(0),
            pps: 30_000,
            min_points: 0,
            target_points,
            buffered_points: 0,
            buffered: Duration::ZERO,
            device_queued_points: None,
            plays_at: HostTime::ZERO,
            media: MediaTime::ZERO,
            media_per_point: 0.0,
            epoch: 0,
        }
    }

    fn frame(name: u16, n: u16) -> Vec<LaserPoint> {
        (0..n).map(|k| LaserPoint { r: name, g: k, ..LaserPoint::CENTRE }).collect()
    }

    fn names(points: &[LaserPoint]) -> Vec<(u16, u16)> {
        points.iter().map(|point| (point.r, point.g)).collect()
    }

    /// LS-62: a frame is cycled over chunks of any length.
    #[test]
    fn a_frame_is_cycled_without_a_seam() {
        let mut adapter = FrameAdapter::new();
        adapter.update(frame(1, 3));
        let mut buffer = [LaserPoint::CENTRE; 8];
        assert_eq!(adapter.fill_chunk(&request(5), &mut buffer), FillResult::Filled(5));
        assert_eq!(names(&buffer[..5]), [(1, 0), (1, 1), (1, 2), (1, 0), (1, 1)]);
        assert_eq!(adapter.fill_chunk(&request(2), &mut buffer), FillResult::Filled(2));
        assert_eq!(names(&buffer[..2]), [(1, 2), (1, 0)]);
    }

    /// LS-62, LS-86: a new frame begins at the end of the present one, in the middle of a chunk.
    #[test]
    fn frames_are_swapped_in_mid_chunk_at_the_end_of_a_frame() {
        let mut adapter = FrameAdapter::new();
        adapter.update(frame(1, 4));
        let mut buffer = [LaserPoint::CENTRE; 6];
        adapter.fill_chunk(&request(2), &mut buffer);
        adapter.update(frame(2, 3));
        adapter.fill_chunk(&request(6), &mut buffer);
        assert_eq!(names(&buffer), [(1, 2), (1, 3), (2, 0), (2, 1), (2, 2), (2, 0)]);
    }

    /// LS-63: no frame, or an empty one, starves.
    #[test]
    fn an_empty_frame_starves() {
        let mut adapter = FrameAdapter::new();
        let mut buffer = [LaserPoint::CENTRE; 6];
        assert_eq!(adapter.fill_chunk(&request(4), &mut buffer), FillResult::Starved);
        adapter.update(frame(1, 4));
        assert_eq!(adapter.fill_chunk(&request(4), &mut buffer), FillResult::Filled(4));
        adapter.update([]);
        assert_eq!(adapter.fill_chunk(&request(4), &mut buffer), FillResult::Starved);
    }

    /// LS-61: no more than was asked for, no more than fits.
    #[test]
    fn an_adapter_writes_what_is_wanted_and_fits() {
        let mut adapter = FrameAdapter::new();
        adapter.update(frame(1, 100));
        let mut buffer = [LaserPoint::CENTRE; 6];
        assert_eq!(adapter.fill_chunk(&request(0), &mut buffer), FillResult::Filled(0));
        assert_eq!(adapter.fill_chunk(&request(60), &mut buffer), FillResult::Filled(6));
    }

    /// LS-64: frames come from another thread; the newest wins and nothing is torn or allocated.
    #[test]
    fn frames_from_another_thread_arrive_whole_and_newest_first() {
        let (mut writer, mut adapter) = shared_frames(64);
        let feeder = std::thread::spawn(move || {
            for name in 1..=2_000_u16 {
                assert!(writer.update(&frame(name, 1 + name % 60)));
            }
            writer
        });
        let mut buffer = [LaserPoint::CENTRE; 50];
        let mut newest = 0;
        let mut check = |adapter: &mut SharedFrameAdapter| {
            let (result, allocations) =
                no_alloc::watch(|| adapter.fill_chunk(&request(50), &mut buffer));
            assert_eq!(allocations, 0);
            let FillResult::Filled(n) = result else { return 0 };
            for pair in buffer[..n].windows(2) {
                let follows = pair[1].r == pair[0].r && pair[1].g == pair[0].g + 1;
                assert!(follows || pair[1].g == 0, "torn frame");
            }
            assert!(buffer[n - 1].r >= newest, "an older frame came back");
            newest = buffer[n - 1].r;
            newest
        };
        while !feeder.is_finished() {
            check(&mut adapter);
        }
        let mut writer = feeder.join().unwrap();
        check(&mut adapter);
        check(&mut adapter);
        assert_eq!(check(&mut adapter), 2_000);
        assert!(!writer.update(&frame(1, 65)), "longer than agreed");
    }
}
