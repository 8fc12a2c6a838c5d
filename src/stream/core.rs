//! The real-time half of a stream: when points are wanted, and what becomes of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::colour_delay::ColourDelay;
use super::config::{ConfigError, StreamConfig, UnderrunPolicy, points_in, time_of};
use super::control::{StreamControl, Wishes};
use super::fill::{FillRequest, FillResult, Producer};
use super::fullness::Fullness;
use super::media_map::MediaMap;
use super::stats::{StreamStats, bump};
use super::timeline::Timeline;
use crate::dac::{Capabilities, LinkControl, LinkStats, ReportReceiver, ReportSender, reports};
use crate::point::LaserPoint;
use crate::safety::{Arm, Gate, SafeReceiver, SafeSender, TripReason, queue};
use crate::time::{HostTime, StreamInstant};

/// Reports that may wait for the stream: at one per millisecond, a quarter second of them.
const REPORTS: usize = 256;
/// Dark points at the end: some projectors hold the last point they got.
const PARK_POINTS: usize = 16;

/// What a stream is made of besides its configuration.
#[derive(Debug)]
pub struct StreamParts {
    /// The projector's switch.
    pub arm: Arm,
    /// The last look at every point.
    pub gate: Gate,
    /// The way to the device thread.
    pub sender: SafeSender,
    /// What the device thread says.
    pub reports: ReportReceiver,
    /// What the device thread is asked for.
    pub link: LinkControl,
    /// What the device thread counts.
    pub link_stats: LinkStats,
}

/// The other half of [`StreamParts`]: what the device thread holds.
#[derive(Debug)]
pub struct DeviceEnd {
    /// The projector's switch.
    pub arm: Arm,
    /// Where points come from.
    pub receiver: SafeReceiver,
    /// Where reports go.
    pub reports: ReportSender,
    /// The stream's wishes.
    pub link: LinkControl,
    /// The counters to keep.
    pub stats: LinkStats,
}

/// Makes both ends of a link between a stream and a device thread. Takes all memory of the link.
#[must_use]
pub fn link(
    config: &StreamConfig,
    capabilities: &Capabilities,
    gate: Gate,
    arm: Arm,
) -> (StreamParts, DeviceEnd) {
    let max_chunk = config.chunk_points(capabilities).max(1);
    let points = config.queue_points(capabilities);
    let (sender, receiver) = queue(points, 1024, max_chunk, arm.clone());
    let (reports_in, reports_out) = reports(REPORTS);
    let link = LinkControl::new(config.pps);
    let stats = LinkStats::default();
    let parts = StreamParts {
        arm: arm.clone(),
        gate,
        sender,
        reports: reports_out,
        link: link.clone(),
        link_stats: stats.clone(),
    };
    (parts, DeviceEnd { arm, receiver, reports: reports_in, link, stats })
}

/// How a stream came to its end. Dark in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunExit {
    /// The producer said [`FillResult::End`], or [`StreamControl::end`] was called.
    ProducerEnded,
    /// [`StreamControl::stop`] was called.
    Stopped,
    /// The device thread is gone for good.
    Disconnected,
    /// Points were missing and the policy was [`UnderrunPolicy::Stop`].
    Underrun,
}

/// What became of submitted points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// So many points are on their way, idle filling included.
    Queued(usize),
    /// The queue is full: they are kept and offered again at the next tick, unchanged.
    Kept,
    /// The request is no longer the present one (a seek came between): the points were dropped.
    Stale,
    /// The stream is draining or over: the points were dropped.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Draining { until: HostTime },
    Over(RunExit),
}

/// The real-time half of one projector's stream. Everything here may run in an audio callback.
#[derive(Debug)]
pub struct Stream {
    config: StreamConfig,
    parts: StreamParts,
    wishes: Arc<Wishes>,
    stats: StreamStats,
    rates: (u32, u32),
    queue_points: usize,
    pps: u32,
    start: StreamInstant,
    chunk_buffer: Box<[LaserPoint]>,
    last_chunk: Box<[LaserPoint]>,
    last_chunk_len: usize,
    last_point: LaserPoint,
    kept_len: usize,
    startup_blank_points: usize,
    generation: u64,
    colour_delay: ColourDelay,
    fullness: Fullness,
    timeline: Timeline,
    map: MediaMap,
    phase: Phase,
    last_now: HostTime,
}

impl Stream {
    /// A stream for a device of these capabilities. Takes all its memory here.
    pub fn new(
        config: StreamConfig,
        capabilities: &Capabilities,
        parts: StreamParts,
    ) -> Result<Self, ConfigError> {
        config.check(capabilities)?;
        let chunk = config.chunk_points(capabilities);
        let queue_points = parts.sender.free_points() + parts.sender.queued_points();
        let rates = (capabilities.min_pps.max(1), capabilities.max_pps);
        let longest_delay =
            points_in(StreamConfig::MAX_COLOUR_DELAY, rates.1.min(1_000_000)) as usize;
        let mut stream = Self {
            wishes: Arc::new(Wishes::new(config.pps)),
            stats: StreamStats::new(parts.link_stats.clone()),
            rates,
            queue_points,
            pps: config.pps,
            start: StreamInstant::default(),
            chunk_buffer: vec![LaserPoint::CENTRE; chunk].into(),
            last_chunk: vec![LaserPoint::CENTRE; chunk].into(),
            last_chunk_len: 0,
            last_point: LaserPoint::CENTRE,
            kept_len: 0,
            startup_blank_points: points_in(config.startup_blank, config.pps) as usize,
            generation: parts.arm.generation(),
            colour_delay: ColourDelay::new(longest_delay),
            fullness: Fullness::default(),
            timeline: Timeline::new(config.pps),
            map: MediaMap::default(),
            phase: Phase::Running,
            last_now: HostTime::ZERO,
            config,
            parts,
        };
        stream.take_rate(config.pps);
        Ok(stream)
    }

    /// The handle for other threads.
    #[must_use]
    pub fn control(&self) -> StreamControl {
        StreamControl {
            wishes: Arc::clone(&self.wishes),
            arm: self.parts.arm.clone(),
            link: self.parts.link.clone(),
            stats: self.stats.clone(),
            rates: self.rates,
        }
    }

    /// The configuration it runs by.
    #[must_use]
    pub const fn config(&self) -> &StreamConfig {
        &self.config
    }

    /// Points per second now.
    #[must_use]
    pub const fn pps(&self) -> u32 {
        self.pps
    }

    /// The count of points accepted: the stream time of the next one.
    #[must_use]
    pub const fn position(&self) -> StreamInstant {
        self.start
    }

    /// How it ended, once it has.
    #[must_use]
    pub const fn exit(&self) -> Option<RunExit> {
        match self.phase {
            Phase::Over(exit) => Some(exit),
            _ => None,
        }
    }

    /// The gate, for its settings.
    pub const fn gate_mut(&mut self) -> &mut Gate {
        &mut self.parts.gate
    }

    /// Tells which media time is heard when. A new epoch drops everything queued for the older one before
    /// it can shine; stream time stays without gaps.
    pub fn set_media_map(&mut self, map: MediaMap) {
        if map.epoch != self.map.epoch {
            self.flush();
        }
        self.map = map;
    }

    /// Looks at the clock, the device and the wishes. `Some` asks for points: answer with
    /// [`submit`](Self::submit) before the next tick.
    pub fn tick(&mut self, now: HostTime) -> Option<FillRequest> {
        self.last_now = now;
        self.parts.arm.beat(now);
        self.read_reports(now);
        self.read_wishes(now);
        self.offer_kept(now);
        self.stats.counters.buffered.store(self.buffered(now), Ordering::Relaxed);
        match self.phase {
            Phase::Running if self.kept_len == 0 => Some(self.request(now)),
            Phase::Running | Phase::Over(_) => None,
            Phase::Draining { until } => {
                if self.kept_len == 0 && self.buffered(now) == 0 || now >= until {
                    self.finish(now, RunExit::ProducerEnded);
                }
                None
            }
        }
    }

    /// Answers a request with `points`, the first being shown at `request.start`. No points: see
    /// [`FillResult::Starved`].
    pub fn submit(
        &mut self,
        now: HostTime,
        request: &FillRequest,
        points: &[LaserPoint],
    ) -> Submitted {
        if !self.is_present(request) {
            return Submitted::Stale;
        }
        let n = points.len().min(self.chunk_buffer.len());
        self.chunk_buffer[..n].copy_from_slice(&points[..n]);
        self.take(now, request, FillResult::Filled(n))
    }

    /// One tick with `producer` writing straight into the stream's own buffer. `None`: no points wanted.
    pub fn fill_from<P: Producer + ?Sized>(
        &mut self,
        now: HostTime,
        producer: &mut P,
    ) -> Option<Submitted> {
        let request = self.tick(now)?;
        let result = producer.fill(&request, &mut self.chunk_buffer);
        Some(self.take(now, &request, result))
    }

    /// Ends the stream as [`FillResult::End`] does: what is queued plays out, dark points follow.
    pub fn end(&mut self, now: HostTime) {
        if self.phase != Phase::Running {
            return;
        }
        let dark = PARK_POINTS + self.colour_delay.points();
        let len = (self.kept_len + dark).min(self.chunk_buffer.len());
        let from = self.kept_len.min(len);
        let rest = if from > 0 { self.chunk_buffer[from - 1] } else { self.last_point };
        self.chunk_buffer[from..len].fill(rest.blanked());
        self.kept_len = len;
        self.phase = Phase::Draining { until: now + self.config.drain_timeout };
        self.offer_kept(now);
    }

    fn is_present(&self, request: &FillRequest) -> bool {
        request.start == self.start && request.epoch == self.map.epoch && self.kept_len == 0
    }

    fn request(&mut self, now: HostTime) -> FillRequest {
        let buffered_points = self.buffered(now);
        let target = self.config.target_points(self.pps, self.queue_points);
        let min = self.config.min_points(self.pps, self.queue_points);
        let cap = self.chunk_buffer.len();
        let wanted = |level: u64| level.saturating_sub(buffered_points);
        if wanted(min) > cap as u64 {
            bump(&self.stats.counters.clamped_requests);
        }
        let plays_at = self.timeline.host_of(self.start, now);
        FillRequest {
            start: self.start,
            pps: self.pps,
            min_points: wanted(min).min(cap as u64) as usize,
            target_points: wanted(target).min(cap as u64) as usize,
            buffered_points,
            buffered: time_of(buffered_points, self.pps),
            device_queued_points: self.fullness.device_queued(),
            plays_at,
            media: self.map.media_of_light(plays_at),
            media_per_point: self.map.rate * self.timeline.seconds_per_point(),
            epoch: self.map.epoch,
        }
    }

    /// What the producer said becomes points in the queue.
    fn take(&mut self, now: HostTime, request: &FillRequest, result: FillResult) -> Submitted {
        if self.phase != Phase::Running {
            return Submitted::Over;
        }
        let filled = match result {
            FillResult::End => {
                self.end(now);
                return Submitted::Over;
            }
            FillResult::Filled(n) => n.min(self.chunk_buffer.len()),
            FillResult::Starved => 0,
        };
        let starved = result == FillResult::Starved || (filled == 0 && request.target_points > 0);
        if starved {
            bump(&self.stats.counters.starved);
        }
        let wanted = if starved { request.target_points } else { request.min_points };
        let mut len = filled;
        if filled < wanted {
            bump(&self.stats.counters.underruns);
            if self.config.underrun_policy == UnderrunPolicy::Stop {
                self.finish(now, RunExit::Underrun);
                return Submitted::Over;
            }
            self.fill_idle(filled, wanted);
            len = wanted;
        }
        if filled > 0 {
            debug_assert_eq!(self.last_chunk.len(), self.chunk_buffer.len());
            self.last_chunk[..filled].copy_from_slice(&self.chunk_buffer[..filled]);
            self.last_chunk_len = filled;
        }
        self.kept_len = len;
        if self.offer_kept(now) { Submitted::Queued(len) } else { Submitted::Kept }
    }

    fn fill_idle(&mut self, from: usize, to: usize) {
        let rest = if from > 0 { self.chunk_buffer[from - 1] } else { self.last_point };
        let idle = &mut self.chunk_buffer[from..to];
        match self.config.underrun_policy {
            UnderrunPolicy::RepeatLast if self.last_chunk_len > 0 => {
                let last = &self.last_chunk[..self.last_chunk_len];
                for (point, again) in idle.iter_mut().zip(last.iter().cycle()) {
                    *point = *again;
                }
            }
            UnderrunPolicy::Park => idle.fill(LaserPoint::CENTRE),
            _ => idle.fill(rest.blanked()),
        }
    }

    /// Sends the kept chunk through colour delay and gate if there is room for it: neither has seen it
    /// before, so that a chunk offered twice comes out the same.
    fn offer_kept(&mut self, now: HostTime) -> bool {
        let len = self.kept_len;
        if len == 0 {
            return true;
        }
        if self.parts.sender.free_points() < len {
            bump(&self.stats.counters.kept);
            return false;
        }
        let points = &mut self.chunk_buffer[..len];
        let last = points[len - 1];
        let blank = self.startup_blank_points.min(len);
        points[..blank].iter_mut().for_each(|point| *point = point.blanked());
        self.colour_delay.apply(points);
        let chunk = self.parts.gate.pass(now, points, self.start, self.pps);
        if !self.parts.sender.push(&chunk) {
            bump(&self.stats.counters.kept);
            return false;
        }
        self.startup_blank_points -= blank;
        self.last_point = last;
        self.start.0 += len as u64;
        self.fullness.pushed(len as u64);
        self.kept_len = 0;
        bump(&self.stats.counters.chunks);
        self.stats.counters.points.fetch_add(len as u64, Ordering::Relaxed);
        true
    }

    fn read_reports(&mut self, now: HostTime) {
        while let Some(report) = self.parts.reports.next() {
            self.timeline.report(&report);
            self.fullness.report(&report);
        }
        self.fullness.advance(now, f64::from(self.pps));
    }

    fn read_wishes(&mut self, now: HostTime) {
        let pps = self.wishes.pps.load(Ordering::Relaxed);
        if pps != self.pps {
            self.take_rate(pps);
        }
        let master = f32::from_bits(self.wishes.master.load(Ordering::Relaxed));
        if !master.is_nan() {
            self.parts.gate.set_master(master);
        }
        let generation = self.parts.arm.generation();
        if generation != self.generation {
            self.generation = generation;
            self.blank_the_start();
        }
        if self.wishes.stop.load(Ordering::Acquire) && self.exit().is_none() {
            self.finish(now, RunExit::Stopped);
        }
        if self.wishes.end.load(Ordering::Acquire) {
            self.end(now);
        }
    }

    fn take_rate(&mut self, pps: u32) {
        self.pps = pps;
        self.timeline.set_rate(self.start, pps);
        self.parts.link.set_pps(pps);
        self.colour_delay.set_points(points_in(self.config.colour_delay, pps) as usize);
        let low = self.config.min_points(pps, self.queue_points);
        let high = self.config.target_points(pps, self.queue_points);
        self.parts.link.set_device_fill(low as u32, high as u32);
    }

    fn blank_the_start(&mut self) {
        self.startup_blank_points = points_in(self.config.startup_blank, self.pps) as usize;
    }

    fn buffered(&self, _now: HostTime) -> u64 {
        self.fullness.points()
    }

    fn flush(&mut self) {
        self.kept_len = 0;
        self.last_chunk_len = 0;
        self.colour_delay.clear();
        self.fullness.flush();
        self.parts.link.request_flush(self.start);
        bump(&self.stats.counters.flushes);
    }

    fn finish(&mut self, now: HostTime, exit: RunExit) {
        if matches!(self.phase, Phase::Over(_)) {
            return;
        }
        self.parts.arm.disarm(now, TripReason::Operator);
        self.parts.link.request_flush(self.start);
        self.parts.link.request_close();
        self.phase = Phase::Over(exit);
        self.wishes.over.store(true, Ordering::Release);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.finish(self.last_now, RunExit::Stopped);
    }
}
