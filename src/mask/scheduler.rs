//! What is fetched next. Pure: time is an argument, and what is cached is asked for.
//!
//! There is no queue of prefetch jobs that a jump could make worthless: the next one is worked out from where
//! the playhead is. Promises: a frame is made once at a time, a frame asked for goes before all others, a frame
//! that failed is not tried for ever, nothing behind the playhead is fetched.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

use super::error::FrameError;
use super::rate::{Playhead, Rate};
use crate::time::HostTime;

/// Frames asked for that may wait at once; one more takes the place of the oldest.
pub const MAX_ASKED: usize = 64;
/// Failures that are remembered.
const MAX_FAILED: usize = 4096;
/// Times a frame is fetched if its bytes cannot be had,
const TRIES: u32 = 3;
/// and the time between two of them.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// A step back of so many frames is no jump: who asks for frame after frame may be behind the clock.
const STEP_BACK: u64 = 8;
/// Most frames in one fetch.
const MAX_RUN: u64 = 64;
/// Most bytes in one fetch, unless one frame has more.
const MAX_RUN_BYTES: u64 = 1 << 20;

/// Frames that lie side by side and are fetched at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The frames.
    pub frames: Range<u64>,
    /// True if somebody waits for it.
    pub asked: bool,
}

#[derive(Debug)]
struct Failure {
    error: FrameError,
    tries: u32,
    at: HostTime,
}

/// See the module.
#[derive(Debug)]
pub struct Scheduler {
    frames: u64,
    window: u64,
    capacity: u64,
    playhead: Playhead,
    running: bool,
    generation: u64,
    asked: VecDeque<u64>,
    /// Frames in work, and the generation they were wanted in.
    in_work: HashMap<u64, u64>,
    failed: HashMap<u64, Failure>,
    failed_order: VecDeque<u64>,
}

impl Scheduler {
    /// For a stream of so many frames, a prefetch window and a cache.
    #[must_use]
    pub fn new(frames: u64, window: usize, capacity: usize) -> Self {
        Self {
            frames,
            window: window as u64,
            capacity: capacity as u64,
            playhead: Playhead::default(),
            running: false,
            generation: 0,
            asked: VecDeque::with_capacity(MAX_ASKED),
            in_work: HashMap::new(),
            failed: HashMap::new(),
            failed_order: VecDeque::new(),
        }
    }

    /// Lets frames be prefetched and the playhead run.
    pub fn start(&mut self, now: HostTime) {
        self.running = true;
        self.playhead.run(now);
    }

    /// Nothing more is fetched; the playhead stands.
    pub fn stop(&mut self, now: HostTime) {
        self.running = false;
        self.playhead.hold(now);
        self.asked.clear();
        self.generation += 1;
    }

    /// True between start and stop.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.running
    }

    /// Changes the rate of the playhead.
    pub fn set_rate(&mut self, rate: Rate, now: HostTime) {
        self.playhead.set_rate(rate, now);
    }

    /// The rate.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.playhead.rate()
    }

    /// The frame due now, the last one past the end.
    #[must_use]
    pub fn playhead(&self, now: HostTime) -> u64 {
        self.playhead.frame(now).min(self.frames.saturating_sub(1))
    }

    /// Puts the playhead on a frame. A jump out of the window makes what is in work unwanted.
    pub fn put_playhead(&mut self, frame: u64, now: HostTime) {
        let last = self.playhead(now);
        if !(last.saturating_sub(STEP_BACK)..=last + self.window).contains(&frame) {
            self.generation += 1;
        }
        self.playhead.put(frame, now);
    }

    /// Asks for a frame before all others; the playhead goes there.
    pub fn ask(&mut self, frame: u64, now: HostTime) {
        self.put_playhead(frame, now);
        if self.asked.contains(&frame) {
            return;
        }
        if self.asked.len() == MAX_ASKED {
            self.asked.pop_front();
        }
        self.asked.push_back(frame);
    }

    /// Why a frame cannot be had, if that is known.
    #[must_use]
    pub fn failure(&self, frame: u64) -> Option<&FrameError> {
        self.failed.get(&frame).map(|failure| &failure.error)
    }

    /// Frames that the prefetch may fill beyond the playhead's own: slots that hold frames outside the window
    /// count as free, and the frame asked for last keeps its slot.
    #[must_use]
    pub fn prefetch_amount(&self) -> u64 {
        self.window.min(self.capacity.saturating_sub(1))
    }

    /// What to fetch next, if anything. `bytes` is the range of a frame, `cached` says which are there.
    /// `asked_only` leaves the prefetch out.
    pub fn next(
        &mut self,
        now: HostTime,
        asked_only: bool,
        cached: impl Fn(u64) -> bool,
        bytes: impl Fn(u64) -> Option<Range<u64>>,
    ) -> Option<Job> {
        if !self.running {
            return None;
        }
        while let Some(frame) = self.asked.pop_back() {
            if self.is_wanted(frame, now, &cached) {
                self.in_work.insert(frame, self.generation);
                return Some(Job { frames: frame..frame + 1, asked: true });
            }
        }
        if asked_only {
            return None;
        }
        let first = self.playhead(now);
        let window = first..self.frames.min(first + 1 + self.prefetch_amount());
        let begin = window.clone().find(|frame| self.is_wanted(*frame, now, &cached))?;
        let mut end = begin + 1;
        let origin = bytes(begin)?.start;
        while end < window.end.min(begin + MAX_RUN)
            && bytes(end).is_some_and(|range| range.end.saturating_sub(origin) <= MAX_RUN_BYTES)
            && self.is_wanted(end, now, &cached)
        {
            end += 1;
        }
        for frame in begin..end {
            self.in_work.insert(frame, self.generation);
        }
        Some(Job { frames: begin..end, asked: false })
    }

    fn is_wanted(&self, frame: u64, now: HostTime, cached: impl Fn(u64) -> bool) -> bool {
        let may_try = self.failed.get(&frame).is_none_or(|failure| {
            failure.error.is_transport()
                && failure.tries < TRIES
                && now.since(failure.at) >= TRY_AGAIN_AFTER
        });
        frame < self.frames && may_try && !self.in_work.contains_key(&frame) && !cached(frame)
    }

    /// True while a frame is being made.
    #[must_use]
    pub fn is_in_work(&self, frame: u64) -> bool {
        self.in_work.contains_key(&frame)
    }

    /// Frames being made.
    #[must_use]
    pub fn in_work(&self) -> usize {
        self.in_work.len()
    }

    /// Counts the jumps that made what is in work unwanted.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// True if a jump has made a frame in work unwanted.
    #[must_use]
    pub fn is_stale(&self, frame: u64) -> bool {
        self.in_work.get(&frame).is_some_and(|generation| *generation != self.generation)
    }

    /// A frame in work is left. If it is still waited for, it goes before the prefetch again, behind all newer ones.
    pub fn left(&mut self, frame: u64, waited_for: bool) {
        self.in_work.remove(&frame);
        if waited_for && self.asked.len() < MAX_ASKED && !self.asked.contains(&frame) {
            self.asked.push_front(frame);
        }
    }

    /// A frame is made. False if a jump has made it unwanted meanwhile; it is right all the same.
    pub fn made(&mut self, frame: u64) -> bool {
        if self.failed.remove(&frame).is_some() {
            self.failed_order.retain(|failed| *failed != frame);
        }
        self.in_work.remove(&frame) == Some(self.generation)
    }

    /// A frame cannot be made.
    pub fn failed(&mut self, frame: u64, error: FrameError, now: HostTime) {
        self.in_work.remove(&frame);
        let tries = self.failed.get(&frame).map_or(1, |failure| failure.tries + 1);
        if tries == 1 {
            if self.failed_order.len() == MAX_FAILED
                && let Some(oldest) = self.failed_order.pop_front()
            {
                self.failed.remove(&oldest);
            }
            self.failed_order.push_back(frame);
        }
        self.failed.insert(frame, Failure { error, tries, at: now });
    }
}

#[cfg(test)]
mod tests {
    use super::super::cache::Cache;
    use super::*;
    use crate::format::asvp::FormatError;

    const FRAMES: u64 = 16_375;

    fn at(ms: i64) -> HostTime {
        HostTime::from_nanos(ms * 1_000_000)
    }

    /// A scheduler with a cache behind it, in virtual time.
    struct Rig {
        scheduler: Scheduler,
        cache: Cache<()>,
        order: Vec<u64>,
    }

    impl Rig {
        fn new(capacity: usize) -> Self {
            let mut scheduler = Scheduler::new(FRAMES, 120, capacity);
            scheduler.start(at(0));
            Self { scheduler, cache: Cache::new(capacity), order: Vec::new() }
        }

        fn next(&mut self, ms: i64, asked_only: bool) -> Option<Job> {
            let cache = &self.cache;
            let bytes = |frame: u64| Some(frame * 600..(frame + 1) * 600);
            self.scheduler.next(at(ms), asked_only, |frame| cache.contains(frame), bytes)
        }

        fn make(&mut self, job: &Job) {
            for frame in job.frames.clone() {
                self.scheduler.made(frame);
                self.cache.insert(frame, ());
                self.order.push(frame);
            }
        }

        /// Makes all there is to make.
        fn work(&mut self, ms: i64) {
            while let Some(job) = self.next(ms, false) {
                self.make(&job);
            }
        }
    }

    /// AS-53, AS-11: the first play makes the frame and the 120 after it, in order.
    #[test]
    fn the_first_play_fills_the_window() {
        let mut rig = Rig::new(512);
        rig.scheduler.ask(40, at(0));
        rig.work(0);
        assert_eq!(rig.order, (40..=160).collect::<Vec<_>>());
    }

    /// AS-05, AS-09, AS-36: after the window is full, frames are made at the rate, in order.
    #[test]
    fn frames_are_made_at_the_rate_in_order() {
        for rate in ["25", "30", "60", "60000/1001"] {
            let rate: Rate = rate.parse().unwrap();
            let mut rig = Rig::new(512);
            rig.scheduler.set_rate(rate, at(0));
            for ms in 0..20_000 {
                rig.work(ms);
            }
            let due = (rate.as_fps() * 19.999).floor() as usize;
            assert_eq!(rig.order.len(), 121 + due);
            assert!(rig.order.windows(2).all(|pair| pair[1] == pair[0] + 1));
        }
    }

    /// AS-54, AS-65, AS-66: a full cache still prefetches, whichever frames it holds, and never passes its cap.
    #[test]
    fn prefetch_does_not_starve_once_the_cache_is_full() {
        for capacity in [1, 2, 100, 121, 122, 512] {
            let mut rig = Rig::new(capacity);
            for ms in (0..60_000).step_by(16) {
                rig.work(ms);
                let due = rig.scheduler.playhead(at(ms));
                assert!(rig.cache.contains(due), "capacity {capacity}, {ms} ms");
                assert!(rig.cache.len() <= capacity);
                let ahead = (due..FRAMES).take_while(|frame| rig.cache.contains(*frame)).count();
                assert_eq!(ahead, capacity.min(121), "capacity {capacity}, {ms} ms");
            }
        }
    }

    /// AS-38: while 120 frames wait to be prefetched, the frame asked for is next.
    #[test]
    fn a_frame_asked_for_goes_before_all_prefetch() {
        let mut rig = Rig::new(512);
        assert_eq!(rig.next(0, false), Some(Job { frames: 0..64, asked: false }));
        rig.scheduler.ask(9000, at(1));
        assert_eq!(rig.next(1, false), Some(Job { frames: 9000..9001, asked: true }));
        assert_eq!(rig.next(1, true), None);
        assert_eq!(rig.next(1, false), Some(Job { frames: 9001..9065, asked: false }));
    }

    /// AS-37: nothing grows with what is asked for.
    #[test]
    fn a_flood_of_requests_stays_bounded() {
        let mut rig = Rig::new(512);
        for frame in 0..12_000 {
            rig.scheduler.ask(frame, at(0));
        }
        let mut asked = 0;
        while rig.next(0, true).is_some() {
            asked += 1;
        }
        assert_eq!(asked, MAX_ASKED);
    }

    /// A jump makes what is in work unwanted, not wrong.
    #[test]
    fn what_was_in_work_before_a_jump_does_not_count_as_wanted() {
        let mut rig = Rig::new(512);
        let before = rig.next(0, false).unwrap();
        rig.scheduler.put_playhead(5000, at(10));
        assert!(!rig.scheduler.made(before.frames.start));
        let after = rig.next(10, false).unwrap();
        assert_eq!(after.frames.start, 5000);
        assert!(rig.scheduler.made(5000));
        // A step within the window is no jump.
        rig.scheduler.put_playhead(5001, at(20));
        assert!(rig.scheduler.made(5001));
    }

    #[test]
    fn one_frame_is_made_once_at_a_time() {
        let mut rig = Rig::new(512);
        rig.scheduler.ask(7, at(0));
        rig.scheduler.ask(7, at(0));
        assert!(rig.next(0, true).is_some());
        rig.scheduler.ask(7, at(0));
        assert_eq!(rig.next(0, true), None);
        assert!(rig.scheduler.is_in_work(7));
    }

    /// A damaged frame is tried once; one whose bytes cannot be had three times, with pauses.
    #[test]
    fn a_frame_that_fails_is_not_tried_for_ever() {
        let mut rig = Rig::new(512);
        let damaged = FrameError::Format(FormatError::ChannelSizes);
        let unread = FrameError::Transport("no route".into());
        for (frame, error, times) in [(3, damaged, 1), (4, unread, 3)] {
            let mut tried = 0;
            for ms in (0..60_000).step_by(100) {
                rig.scheduler.ask(frame, at(ms));
                if rig.next(ms, true).is_some() {
                    tried += 1;
                    rig.scheduler.failed(frame, error.clone(), at(ms));
                }
            }
            assert_eq!(tried, times);
            assert_eq!(rig.scheduler.failure(frame), Some(&error));
        }
        for frame in 0..10_000 {
            rig.scheduler.failed(frame, FrameError::Format(FormatError::ChannelSizes), at(0));
        }
        assert!(rig.scheduler.failed.len() <= MAX_FAILED);
    }

    /// AS-41: who makes 20 frames a second of 60 skips, and what it makes is what is due.
    #[test]
    fn a_worker_that_is_too_slow_skips_and_never_falls_behind() {
        let mut scheduler = Scheduler::new(FRAMES, 0, 512);
        scheduler.start(at(0));
        let mut made = Vec::new();
        for ms in (0..10_000).step_by(50) {
            let bytes = |frame: u64| Some(frame..frame + 1);
            if let Some(job) = scheduler.next(at(ms), false, |_| false, bytes) {
                assert_eq!(job.frames.start, scheduler.playhead(at(ms)));
                assert!(scheduler.in_work() <= 1);
                scheduler.made(job.frames.start);
                made.push(job.frames.start);
            }
        }
        assert_eq!(made.len(), 200);
        assert!(made.windows(2).all(|pair| pair[1] - pair[0] == 3));
    }

    #[test]
    fn the_end_of_the_stream_is_the_end_of_the_work() {
        let mut rig = Rig::new(512);
        rig.scheduler.ask(FRAMES - 3, at(0));
        rig.work(0);
        assert_eq!(rig.order, [FRAMES - 3, FRAMES - 2, FRAMES - 1]);
        rig.scheduler.ask(FRAMES, at(0));
        assert_eq!(rig.next(60_000, false), None);
    }
}
