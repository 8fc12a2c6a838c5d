//! The work behind a handle: read, decode, rasterise, each at most so many at once, with short queues between.
//!
//! One lock guards what is planned and what is there; none is held while bytes are read, inflated or drawn.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;

use super::bitmask::BitMask;
use super::cache::Cache;
use super::config::Settings;
use super::error::FrameError;
use super::raster::Rasteriser;
use super::scheduler::{Job, Scheduler};
use super::source::{RangeSource, read_range};
use super::strips::{TooDetailed, triangle_strip};
use crate::format::asvp::{FormatError, MAX_PAYLOAD_BYTES};
use crate::format::mask_stream::{MaskStream, Scratch};
use crate::format::outlines::Outlines;
use crate::time::{Clock, HostTime};

/// Longest block that is read: the largest payload, if it does not compress at all.
const MAX_BLOCK_BYTES: u64 = MAX_PAYLOAD_BYTES as u64 + (1 << 16);
/// Frames read and not yet made, from which on reading slows down to one range at a time,
const BACKLOG_SLOW: usize = 64;
/// from which on only frames that somebody waits for are read,
const BACKLOG_FULL: usize = 256;
/// and from which on not even those.
const BACKLOG_MOST: usize = 512;
/// Masks kept to be drawn over.
const SPARE_MASKS: usize = 8;

/// A frame as it is kept.
#[derive(Debug, Default)]
pub struct Frame {
    /// Its outlines.
    pub outlines: Outlines,
    /// Its mask, if masks are made.
    pub mask: Option<BitMask>,
    /// Its triangle strip, if strips are made.
    pub strip: Option<Result<Vec<f32>, TooDetailed>>,
}

/// What a handle counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests answered from the cache.
    pub hits: u64,
    /// Requests for a frame that was not there.
    pub misses: u64,
    /// Requests that waited.
    pub stalls: u64,
    /// Time they waited in all, ns.
    pub stalled_ns: u64,
    /// Requests that waited in vain.
    pub timeouts: u64,
    /// Frames pushed out of the cache.
    pub evictions: u64,
    /// Frames made after a jump had made them unwanted.
    pub stale_results: u64,
    /// Frames decoded.
    pub decoded: u64,
    /// Frames that could not be made.
    pub failures: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Reads.
    pub reads: u64,
}

/// A stage of the work: what waits for it, and how many work at it.
#[derive(Debug)]
struct Stage<T> {
    waiting: VecDeque<(bool, T)>,
    at_work: usize,
    most: usize,
}

impl<T> Stage<T> {
    const fn new(most: usize) -> Self {
        Self { waiting: VecDeque::new(), at_work: 0, most }
    }

    /// What somebody waits for first, else the oldest.
    fn take(&mut self) -> Option<T> {
        let asked = self.waiting.iter().position(|(asked, _)| *asked).unwrap_or(0);
        self.waiting.remove(asked).map(|(_, work)| work)
    }
}

type Block = (u64, Vec<u8>);
type Drawing = (u64, Outlines);

/// What is planned and what is there.
#[derive(Debug)]
pub(super) struct State {
    pub(super) scheduler: Scheduler,
    pub(super) cache: Cache<Arc<Frame>>,
    pub(super) counters: Counters,
    reading: usize,
    decode: Stage<Block>,
    draw: Stage<Drawing>,
    spare_masks: Vec<BitMask>,
    scratches: Vec<Scratch>,
    rasterisers: Vec<Rasteriser>,
    ranges_at_once: usize,
    /// The last jump that the source was told of.
    jumps_told: u64,
    /// Frames that somebody waits for, once for each who does.
    pub(super) waited_for: Vec<u64>,
    /// Counts starts, so that the ticking of an earlier one ends.
    pub(super) starts: u64,
    closed: bool,
}

/// One loaded stream and the work on it.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) stream: Box<dyn MaskStream>,
    pub(super) source: Arc<dyn RangeSource>,
    settings: Settings,
    clock: ClockOf,
    runtime: Handle,
    state: Mutex<State>,
    changed: Condvar,
}

/// A clock that can be shown.
struct ClockOf(Arc<dyn Clock>);

impl std::fmt::Debug for ClockOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl Worker {
    pub(super) fn new(
        stream: Box<dyn MaskStream>,
        source: Arc<dyn RangeSource>,
        settings: Settings,
        clock: Arc<dyn Clock>,
        runtime: Handle,
    ) -> Arc<Self> {
        let frames = stream.frames() as u64;
        let mut scheduler = Scheduler::new(frames, settings.prefetch_frames, settings.cache_frames);
        scheduler.set_rate(settings.rate, clock.now());
        let state = State {
            scheduler,
            cache: Cache::new(settings.cache_frames),
            counters: Counters::default(),
            reading: 0,
            decode: Stage::new(settings.decode),
            draw: Stage::new(settings.raster),
            spare_masks: Vec::new(),
            scratches: Vec::new(),
            rasterisers: Vec::new(),
            ranges_at_once: settings.io,
            jumps_told: 0,
            waited_for: Vec::new(),
            starts: 0,
            closed: false,
        };
        Arc::new(Self {
            stream,
            source,
            settings,
            clock: ClockOf(clock),
            runtime,
            state: Mutex::new(state),
            changed: Condvar::new(),
        })
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.clock.0.as_ref()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, if nobody else looks at it just now.
    pub(super) fn try_lock(&self) -> Option<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Some(state),
            Err(std::sync::TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }

    /// Waits for a change, at most so long; true if it took too long.
    pub(super) fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        most: Duration,
    ) -> (MutexGuard<'a, State>, bool) {
        let woken = self.changed.wait_timeout(state, most);
        let (state, waited) = woken.unwrap_or_else(PoisonError::into_inner);
        (state, waited.timed_out())
    }

    /// Nothing more is begun.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.decode.waiting.clear();
        state.draw.waiting.clear();
        drop(state);
        self.changed.notify_all();
    }

    /// False once it is closed.
    pub(super) fn is_open(&self) -> bool {
        !self.lock().closed
    }

    /// Begins what can be begun.
    pub(super) fn dispatch(self: &Arc<Self>) {
        let state = self.lock();
        self.dispatch_locked(state);
    }

    pub(super) fn dispatch_locked(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let now = self.clock().now();
        let jumps = state.scheduler.generation();
        if std::mem::replace(&mut state.jumps_told, jumps) != jumps {
            // Before the next reads begin: those are wanted.
            self.source.give_up_reads();
        }
        let backlog = state.decode.waiting.len() + state.draw.waiting.len();
        let hint = if backlog >= BACKLOG_SLOW { 1 } else { self.settings.io };
        let hinted = std::mem::replace(&mut state.ranges_at_once, hint) != hint;
        while !state.closed && state.reading < self.settings.io && backlog < BACKLOG_MOST {
            // The last reader is kept for who waits.
            let last = self.settings.io > 1 && state.reading + 1 == self.settings.io;
            let asked_only = last || state.reading >= hint || backlog >= BACKLOG_FULL;
            let State { scheduler, cache, .. } = &mut *state;
            let bytes = |frame: u64| self.stream.range(usize::try_from(frame).ok()?);
            let job = scheduler.next(now, asked_only, |frame| cache.contains(frame), bytes);
            let Some(job) = job else { break };
            state.reading += 1;
            let worker = Arc::clone(self);
            self.runtime.spawn_blocking(move || worker.read(&job));
        }
        while !state.closed
            && state.decode.at_work < state.decode.most
            && state.decode.at_work < state.decode.waiting.len()
        {
            state.decode.at_work += 1;
            let worker = Arc::clone(self);
            self.runtime.spawn_blocking(move || worker.decode_all());
        }
        while !state.closed
            && state.draw.at_work < state.draw.most
            && state.draw.at_work < state.draw.waiting.len()
        {
            state.draw.at_work += 1;
            let worker = Arc::clone(self);
            self.runtime.spawn_blocking(move || worker.draw_all());
        }
        drop(state);
        if hinted {
            self.source.set_ranges_at_once(hint);
        }
    }

    /// Reads the bytes of some frames that lie side by side.
    fn read(self: Arc<Self>, job: &Job) {
        let mut state = self.lock();
        if job.frames.clone().all(|frame| state.scheduler.is_stale(frame)) {
            state.reading -= 1;
            job.frames.clone().for_each(|frame| state.leave(frame));
            self.dispatch_locked(state);
            return;
        }
        drop(state);
        let ranges: Vec<_> = job
            .frames
            .clone()
            .filter_map(|frame| Some((frame, self.stream.range(usize::try_from(frame).ok()?)?)))
            .collect();
        let begin = ranges.first().map_or(0, |(_, range)| range.start);
        let end = ranges.last().map_or(begin, |(_, range)| range.end);
        // Only a frame read alone can be so long.
        let read = if end - begin > MAX_BLOCK_BYTES {
            Err(FormatError::BlockTooLarge { bytes: end - begin }.into())
        } else {
            read_range(self.source.as_ref(), begin..end)
        };
        let now = self.clock().now();
        let mut state = self.lock();
        state.reading -= 1;
        state.counters.reads += 1;
        let mut failed = false;
        match read {
            Ok(bytes) => {
                state.counters.bytes_read += bytes.len() as u64;
                for (frame, range) in ranges {
                    let within = (range.start - begin) as usize..(range.end - begin) as usize;
                    if let Some(block) = bytes.get(within) {
                        state.decode.waiting.push_back((job.asked, (frame, block.to_vec())));
                    } else {
                        let error = FormatError::Short { needed: range.end };
                        state.fail(frame, error.into(), now);
                        failed = true;
                    }
                }
            }
            Err(error) => {
                for (frame, _) in ranges {
                    // A read that was given up says nothing of its frames.
                    if state.scheduler.is_stale(frame) {
                        state.leave(frame);
                    } else {
                        state.fail(frame, error.clone(), now);
                    }
                }
                failed = true;
            }
        }
        self.dispatch_locked(state);
        if failed {
            self.changed.notify_all();
        }
    }

    /// Decodes until nothing waits.
    fn decode_all(self: Arc<Self>) {
        let mut state = self.lock();
        let mut scratch = state.scratches.pop().unwrap_or_default();
        while let Some((frame, mut block)) = state.decode.take() {
            drop(state);
            let mut outlines = Outlines::default();
            let index = usize::try_from(frame).unwrap_or(usize::MAX);
            let decoded = self.stream.decode(index, &mut block, &mut scratch, &mut outlines);
            outlines.shrink_to_fit();
            let now = self.clock().now();
            state = self.lock();
            match decoded {
                Ok(()) => {
                    let asked = state.scheduler.playhead(now) == frame;
                    state.counters.decoded += 1;
                    state.draw.waiting.push_back((asked, (frame, outlines)));
                }
                Err(error) => {
                    state.fail(frame, error.into(), now);
                    self.changed.notify_all();
                }
            }
            self.dispatch_locked(state);
            state = self.lock();
        }
        state.decode.at_work -= 1;
        state.scratches.push(scratch);
        self.dispatch_locked(state);
    }

    /// Draws until nothing waits.
    fn draw_all(self: Arc<Self>) {
        let (width, height) = self.settings.plane;
        let mut state = self.lock();
        let mut rasteriser = state.rasterisers.pop().unwrap_or_default();
        while let Some((index, outlines)) = state.draw.take() {
            let mut mask = state.spare_masks.pop().unwrap_or_default();
            drop(state);
            let output = self.settings.output;
            if output.masks() {
                rasteriser.draw(&outlines, width, height, &mut mask);
            }
            let strip = output.triangles().then(|| triangle_strip(&outlines));
            let frame = Frame { outlines, mask: output.masks().then_some(mask), strip };
            state = self.lock();
            state.keep(index, frame);
            self.changed.notify_all();
        }
        state.draw.at_work -= 1;
        state.rasterisers.push(rasteriser);
        self.dispatch_locked(state);
    }
}

impl State {
    fn fail(&mut self, frame: u64, error: FrameError, now: HostTime) {
        self.counters.failures += 1;
        self.scheduler.failed(frame, error, now);
    }

    fn leave(&mut self, frame: u64) {
        let waited_for = self.waited_for.contains(&frame);
        self.scheduler.left(frame, waited_for);
    }

    fn keep(&mut self, index: u64, frame: Frame) {
        if !self.scheduler.made(index) {
            self.counters.stale_results += 1;
        }
        let gone = self.cache.insert(index, Arc::new(frame));
        if let Some((_, gone)) = gone {
            self.counters.evictions += 1;
            if self.spare_masks.len() < SPARE_MASKS
                && let Some(Frame { mask: Some(mask), .. }) = Arc::into_inner(gone)
            {
                self.spare_masks.push(mask);
            }
        }
    }
}
