//! The virtual mirrors: a queue of points that leaves at an exact rate, on a clock that may be off.
//!
//! Time is an argument and nothing is rounded away: the moment of point *n* after a start is `start + n ·
//! period`, however seldom the caller looks.

use std::collections::VecDeque;

use crate::point::LaserPoint;
use crate::time::HostTime;

/// Something that watches the virtual mirrors.
pub trait Recorder: Send {
    /// Point `index` (counted from the first one ever shown) is on the mirrors at `at`.
    fn shown(&mut self, at: HostTime, index: u64, point: &LaserPoint);
    /// The mirrors begin a new run at `at`: what they showed before has nothing to do with what comes.
    fn begun(&mut self, at: HostTime) {
        let _ = at;
    }
    /// Time has come to `now`; called whenever somebody looks.
    fn seen_until(&mut self, now: HostTime) {
        let _ = now;
    }
}

/// A point in the queue; `pps` is a new rate that holds from it on.
#[derive(Clone, Copy, Debug)]
pub struct QueuedPoint {
    /// The point.
    pub point: LaserPoint,
    /// A new rate from this point on, points per second.
    pub new_pps: Option<u32>,
}

/// The queue and the mirrors behind it.
pub struct Playback {
    queue: VecDeque<QueuedPoint>,
    capacity: usize,
    /// It stops with fewer points than this.
    least: usize,
    /// The device's clock is off by this many millionths.
    ppm: f64,
    pps: u32,
    playing: bool,
    /// The moment of point number `since_anchor` = 0.
    anchor: HostTime,
    since_anchor: u64,
    shown_since_start: u64,
    shown: u64,
    underflows: u32,
    seen_until: HostTime,
    recorder: Option<Box<dyn Recorder>>,
}

impl std::fmt::Debug for Playback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Playback")
            .field("queued", &self.queue.len())
            .field("pps", &self.pps)
            .field("playing", &self.playing)
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

impl Playback {
    /// An empty queue for `capacity` points, with a clock off by `ppm` millionths.
    #[must_use]
    pub fn new(capacity: usize, ppm: f64, recorder: Option<Box<dyn Recorder>>) -> Self {
        Self {
            queue: VecDeque::with_capacity(capacity),
            capacity,
            least: 1,
            ppm,
            pps: 0,
            playing: false,
            anchor: HostTime::ZERO,
            since_anchor: 0,
            shown_since_start: 0,
            shown: 0,
            underflows: 0,
            seen_until: HostTime::ZERO,
            recorder,
        }
    }

    /// Stops as if empty with fewer than `points` queued.
    #[must_use]
    pub fn stopping_below(mut self, points: usize) -> Self {
        self.least = points.max(1);
        self
    }

    /// Adds a point; false if there is no room.
    #[must_use]
    pub fn push(&mut self, point: QueuedPoint) -> bool {
        let fits = self.queue.len() < self.capacity;
        if fits {
            self.queue.push_back(point);
        }
        fits
    }

    /// Starts at `pps` points per second; the first point is on the mirrors now.
    pub fn begin(&mut self, now: HostTime, pps: u32) {
        self.playing = true;
        self.shown_since_start = 0;
        self.re_anchor(now, pps);
        if let Some(recorder) = &mut self.recorder {
            recorder.begun(now);
        }
    }

    /// Changes the rate now.
    pub fn set_pps(&mut self, now: HostTime, pps: u32) {
        self.advance(now);
        if self.playing {
            let due = self.due();
            self.re_anchor(due, pps);
        }
    }

    /// Stops: dark at once. What is queued stays until [`clear`](Self::clear).
    pub fn stop(&mut self, now: HostTime) {
        self.advance(now);
        self.playing = false;
    }

    /// Empties the queue.
    pub fn clear(&mut self) {
        self.queue.clear();
    }

    /// Shows all points due until `now`. If the queue runs empty it stops, and returns when that was.
    pub fn advance(&mut self, now: HostTime) -> Option<HostTime> {
        self.seen_until = self.seen_until.max(now);
        let mut ran_empty = None;
        while self.playing {
            let due = self.due();
            if due > now {
                break;
            }
            let enough = self.queue.len() >= self.least;
            let Some(next) = enough.then(|| self.queue.pop_front()).flatten() else {
                self.playing = false;
                self.underflows += 1;
                ran_empty = Some(due);
                break;
            };
            if let Some(pps) = next.new_pps {
                self.re_anchor(due, pps);
            }
            if let Some(recorder) = &mut self.recorder {
                recorder.shown(due, self.shown, &next.point);
            }
            self.shown += 1;
            self.shown_since_start += 1;
            self.since_anchor += 1;
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.seen_until(now);
        }
        ran_empty
    }

    fn re_anchor(&mut self, at: HostTime, pps: u32) {
        self.anchor = at;
        self.since_anchor = 0;
        self.pps = pps.max(1);
    }

    /// The moment of the next point.
    fn due(&self) -> HostTime {
        self.moment(self.since_anchor)
    }

    /// The moment of point `since_anchor` after the anchor.
    fn moment(&self, since_anchor: u64) -> HostTime {
        let rate = f64::from(self.pps) * (1.0 + self.ppm * 1e-6);
        self.anchor.plus_nanos((since_anchor as f64 * 1e9 / rate).round() as i64)
    }

    /// The moment of the last queued point, just before nothing is left to show; `None` if nothing plays. Rates
    /// that are queued count as the present one.
    #[must_use]
    pub fn runs_dry_at(&self) -> Option<HostTime> {
        let last = self.since_anchor + (self.queue.len() as u64).saturating_sub(self.least as u64);
        self.playing.then(|| self.moment(last))
    }

    /// Points queued.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Points the queue may hold.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// True while points leave.
    #[must_use]
    pub const fn is_playing(&self) -> bool {
        self.playing
    }

    /// The nominal rate, points per second; 0 before the first start.
    #[must_use]
    pub const fn pps(&self) -> u32 {
        self.pps
    }

    /// Points shown since the last start.
    #[must_use]
    pub const fn shown_since_start(&self) -> u64 {
        self.shown_since_start
    }

    /// Points shown ever.
    #[must_use]
    pub const fn shown(&self) -> u64 {
        self.shown
    }

    /// How far time has come.
    #[must_use]
    pub const fn seen_until(&self) -> HostTime {
        self.seen_until
    }

    /// Times the queue ran empty.
    #[must_use]
    pub const fn underflows(&self) -> u32 {
        self.underflows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<(HostTime, u64)>>>);

    impl Recorder for Log {
        fn shown(&mut self, at: HostTime, index: u64, _point: &LaserPoint) {
            self.0.lock().unwrap().push((at, index));
        }
    }

    fn dark(n: usize, playback: &mut Playback) {
        for _ in 0..n {
            assert!(playback.push(QueuedPoint { point: LaserPoint::CENTRE, new_pps: None }));
        }
    }

    #[test]
    fn the_moment_of_a_point_does_not_depend_on_how_often_one_looks() {
        let run = |step_ns: i64| {
            let log = Log::default();
            let mut playback = Playback::new(1000, 200.0, Some(Box::new(log.clone())));
            dark(900, &mut playback);
            playback.begin(HostTime::ZERO, 30_000);
            for step in 0..(28_000_000 / step_ns) {
                playback.advance(HostTime::from_nanos(step * step_ns));
            }
            log.0.lock().unwrap().iter().take(800).copied().collect::<Vec<_>>()
        };
        let often = run(10_000);
        assert_eq!(often, run(1_000_000));
        assert_eq!(often.len(), 800);
        let expected = 799.0 * 1e9 / (30_000.0 * 1.0002);
        assert!((often[799].0.as_nanos() as f64 - expected).abs() <= 1.0);
    }

    #[test]
    fn an_empty_queue_stops_at_the_moment_the_next_point_was_due() {
        let mut playback = Playback::new(100, 0.0, None);
        dark(10, &mut playback);
        playback.begin(HostTime::ZERO, 1000);
        let late = HostTime::ZERO + Duration::from_secs(1);
        assert_eq!(playback.advance(late), Some(HostTime::from_nanos(10_000_000)));
        assert!(!playback.is_playing());
        assert_eq!((playback.shown(), playback.underflows()), (10, 1));
    }

    #[test]
    fn a_queued_rate_holds_from_its_point_on() {
        let log = Log::default();
        let mut playback = Playback::new(100, 0.0, Some(Box::new(log.clone())));
        dark(2, &mut playback);
        assert!(playback.push(QueuedPoint { point: LaserPoint::CENTRE, new_pps: Some(2000) }));
        dark(2, &mut playback);
        playback.begin(HostTime::ZERO, 1000);
        playback.advance(HostTime::from_nanos(100_000_000));
        let ms: Vec<f64> =
            log.0.lock().unwrap().iter().map(|(at, _)| at.as_secs_f64() * 1e3).collect();
        assert_eq!(ms, [0.0, 1.0, 2.0, 2.5, 3.0]);
    }
}
