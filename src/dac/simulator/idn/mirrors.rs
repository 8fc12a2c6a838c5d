//! Virtual mirrors that follow time stamps: every point has its moment.

use std::collections::VecDeque;
use std::time::Duration;

use crate::dac::simulator::Recorder;
use crate::point::LaserPoint;
use crate::time::HostTime;

/// Points that may wait: more than a second at the highest rate.
const CAPACITY: usize = 1 << 17;

/// A frame that is shown again and again.
#[derive(Debug)]
struct Frame {
    points: Vec<LaserPoint>,
    duration: Duration,
    once: bool,
}

/// A point, its moment, and whether it does not follow the one before.
#[derive(Clone, Copy, Debug)]
struct Dated {
    at: HostTime,
    point: LaserPoint,
    begins: bool,
}

/// The queue of dated points and the mirrors behind it.
pub struct Mirrors {
    queue: VecDeque<Dated>,
    frame: Option<Frame>,
    /// When the pass of a frame ends, and the next one begins.
    pass_ends: HostTime,
    /// The light goes out then, if no further point has come.
    dark_at: Option<HostTime>,
    last: LaserPoint,
    shown: u64,
    underflows: u32,
    seen_until: HostTime,
    recorder: Option<Box<dyn Recorder>>,
}

impl std::fmt::Debug for Mirrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mirrors")
            .field("queued", &self.queue.len())
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

impl Mirrors {
    pub(super) fn new(recorder: Option<Box<dyn Recorder>>) -> Self {
        Self {
            queue: VecDeque::new(),
            frame: None,
            pass_ends: HostTime::ZERO,
            dark_at: None,
            last: LaserPoint::CENTRE,
            shown: 0,
            underflows: 0,
            seen_until: HostTime::ZERO,
            recorder,
        }
    }

    /// Queues points that are shown one after another from `begins` to `ends`; false if there is no room or
    /// it is too late. `anew`: they do not follow what is shown before them.
    pub(super) fn push(
        &mut self,
        begins: HostTime,
        ends: HostTime,
        anew: bool,
        points: impl ExactSizeIterator<Item = LaserPoint>,
    ) -> bool {
        let count = points.len() as i128;
        if self.queue.len() + points.len() > CAPACITY || begins < self.seen_until {
            return false;
        }
        let whole = i128::from(ends.nanos_since(begins));
        let at = |n: usize| begins.plus_nanos((n as i128 * whole / count.max(1)) as i64);
        let is_last = self.queue.back().is_none_or(|last| last.at < begins);
        for (n, point) in points.enumerate() {
            let time = at(n);
            let place = self.queue.partition_point(|queued| queued.at <= time);
            self.queue.insert(place, Dated { at: time, point, begins: anew && n == 0 });
        }
        if is_last {
            self.dark_at = Some(ends);
        }
        true
    }

    /// Shows a frame from now on, or once. The pass that is under way ends first.
    pub(super) fn set_frame(
        &mut self,
        now: HostTime,
        points: Vec<LaserPoint>,
        duration: Duration,
        once: bool,
    ) {
        self.pass_ends = self.pass_ends.max(now);
        let is_drawable = points.len() >= 2 && !duration.is_zero();
        self.frame = is_drawable.then_some(Frame { points, duration, once });
    }

    /// Dark, and everything forgotten.
    pub(super) fn darken(&mut self, now: HostTime) {
        self.advance(now);
        self.queue.clear();
        self.frame = None;
        self.dark_at = None;
        self.begins(now);
        if !self.last.is_blank() {
            self.show(now, self.last.blanked());
        }
    }

    /// Shows all that is due until `now`.
    pub(super) fn advance(&mut self, now: HostTime) {
        self.seen_until = self.seen_until.max(now);
        loop {
            self.begin_pass(now);
            match self.queue.front() {
                Some(&Dated { at, point, begins }) if at <= now => {
                    self.queue.pop_front();
                    if begins {
                        self.begins(at);
                    }
                    self.show(at, point);
                }
                Some(_) => break,
                None if self.frame.is_some() && self.pass_ends <= now => {}
                None => {
                    if let Some(at) = self.dark_at
                        && at <= now
                    {
                        self.dark_at = None;
                        self.underflows += u32::from(!self.last.is_blank());
                        self.begins(at);
                        self.show(at, self.last.blanked());
                    }
                    break;
                }
            }
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.seen_until(now);
        }
    }

    fn begin_pass(&mut self, now: HostTime) {
        if !self.queue.is_empty() || self.pass_ends > now {
            return;
        }
        let Some(frame) = &self.frame else { return };
        let (begins, segments) = (self.pass_ends, frame.points.len() as u32 - 1);
        for (n, point) in frame.points.iter().enumerate() {
            // The first one is where the beam starts, unseen; the last one stands until the next pass.
            let point = if n == 0 { point.blanked() } else { *point };
            let at = begins + frame.duration * n as u32 / (segments + 1);
            self.queue.push_back(Dated { at, point, begins: n == 0 });
        }
        self.pass_ends = begins + frame.duration;
        if frame.once {
            self.frame = None;
            let (at, point) = (self.pass_ends, LaserPoint::CENTRE);
            self.queue.push_back(Dated { at, point, begins: true });
        }
    }

    fn begins(&mut self, at: HostTime) {
        if let Some(recorder) = &mut self.recorder {
            recorder.begun(at);
        }
    }

    fn show(&mut self, at: HostTime, point: LaserPoint) {
        if let Some(recorder) = &mut self.recorder {
            recorder.shown(at, self.shown, &point);
        }
        self.last = point;
        self.shown += 1;
    }

    /// Points that wait for their moment.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Points shown ever.
    #[must_use]
    pub const fn shown(&self) -> u64 {
        self.shown
    }

    /// Times the light went out because a wave ran dry.
    #[must_use]
    pub const fn underflows(&self) -> u32 {
        self.underflows
    }

    /// True while light leaves.
    #[must_use]
    pub const fn is_lit(&self) -> bool {
        !self.last.is_blank()
    }

    /// How far time has come.
    #[must_use]
    pub const fn seen_until(&self) -> HostTime {
        self.seen_until
    }
}
