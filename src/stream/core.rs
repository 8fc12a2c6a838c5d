//! The real-time half of a stream: when points are wanted, and what becomes of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::config::{ConfigError, StreamConfig, UnderrunPolicy, points_in, time_of};
use super::control::{StreamControl, Wishes};
use super::fill::{FillRequest, FillResult, Producer};
use super::fullness::Fullness;
use super::media_map::MediaMap;
use super::stats::{StreamStats, bump};
use super::sync::SyncMeter;
use super::timeline::Timeline;
use crate::dac::{
    Capabilities, Delivery, LinkControl, LinkStats, ReportReceiver, ReportSender, reports,
};
use crate::frame::{FrameMeta, FrameProducer, TapPoint};
use crate::path::{Fitting, Mounting};
use crate::point::LaserPoint;
use crate::safety::{Arm, Gate, SafeReceiver, SafeSender, TripReason, queue};
use crate::time::{HostTime, MediaTime, StreamInstant};

/// Reports that may wait for the stream: at one per millisecond, a quarter second of them.
const REPORTS: usize = 256;
/// Share of a device's queue that is used.
const DEVICE_SHARE: f64 = 0.85;
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
    Draining { since: HostTime },
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
    delivery: Delivery,
    /// Points that the device is asked to hold at most: not quite all it can, as its word is always a little old.
    device_room: u64,
    /// Points that the device never plays: they come on top of every level.
    least_points: u64,
    /// The time of points to keep ahead, as the device thread needs it.
    buffer: Duration,
    /// A seek does not stop the device.
    plays_through_a_seek: bool,
    pps: u32,
    /// The first point of that rate, and the highest rate of points that may still be ahead of it.
    rate_from: StreamInstant,
    highest_pps: u32,
    start: StreamInstant,
    chunk_buffer: Box<[LaserPoint]>,
    last_chunk: Box<[LaserPoint]>,
    last_chunk_len: usize,
    last_point: LaserPoint,
    kept_len: usize,
    park_points: usize,
    startup_blank_points: usize,
    generation: u64,
    mounting: u64,
    fitting: Fitting,
    fullness: Fullness,
    timeline: Timeline,
    map: MediaMap,
    meter: SyncMeter,
    /// What the producer was told of the kept points.
    promise: Option<(HostTime, MediaTime)>,
    phase: Phase,
    last_now: HostTime,
    taps: Option<(FrameProducer, u32)>,
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
        let mut parts = parts;
        parts.gate.make_room_for_colours(longest_delay);
        let mut stream = Self {
            wishes: Arc::new(Wishes::new(&config)),
            stats: StreamStats::new(parts.link_stats.clone()),
            rates,
            queue_points,
            delivery: capabilities.delivery,
            device_room: capabilities
                .capacity_points
                .map_or(u64::MAX, |capacity| (capacity as f64 * DEVICE_SHARE) as u64),
            least_points: u64::from(capabilities.least_points),
            buffer: config.target_buffer,
            plays_through_a_seek: capabilities.start_moves_relay,
            pps: config.pps,
            rate_from: StreamInstant::default(),
            highest_pps: config.pps,
            start: StreamInstant::default(),
            chunk_buffer: vec![LaserPoint::CENTRE; chunk].into(),
            last_chunk: vec![LaserPoint::CENTRE; chunk].into(),
            last_chunk_len: 0,
            last_point: LaserPoint::CENTRE,
            kept_len: 0,
            park_points: 0,
            startup_blank_points: points_in(config.startup_blank, config.pps) as usize,
            generation: parts.arm.generation(),
            mounting: Mounting::default().to_bits(),
            fitting: Mounting::default().fitting(),
            fullness: Fullness::new(capabilities.reports_queue),
            timeline: Timeline::new(config.pps, capabilities.reports_queue),
            map: MediaMap::default(),
            meter: SyncMeter::default(),
            promise: None,
            phase: Phase::Running,
            last_now: HostTime::ZERO,
            taps: None,
            config,
            parts,
        };
        stream.parts.link.set_least_buffer(config.target_buffer);
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

    /// Points in one chunk at most.
    #[must_use]
    pub const fn chunk_points(&self) -> usize {
        self.chunk_buffer.len()
    }

    /// How it ended, once it has.
    #[must_use]
    pub const fn exit(&self) -> Option<RunExit> {
        match self.phase {
            Phase::Over(exit) => Some(exit),
            _ => None,
        }
    }

    /// True when the next tick should not be waited for: less than half the minimum is ahead of the mirrors.
    #[must_use]
    pub fn is_nearly_empty(&self) -> bool {
        let min = self.min_points(self.pps) - self.least_points;
        let nearly = self.least_points + min / 2;
        self.phase == Phase::Running && self.at_present_rate(self.buffered_points()) < nearly
    }

    /// How long until the buffer falls below its target, by the last tick; zero if it is below.
    #[must_use]
    pub fn time_to_target(&self) -> Duration {
        let target = self.target_points(self.pps);
        let buffered = self.at_present_rate(self.buffered_points());
        time_of(buffered.saturating_sub(target), self.pps)
    }

    /// True once a stop was asked for that the next tick will obey.
    pub(super) fn is_stopping(&self) -> bool {
        self.wishes.stop.load(Ordering::Acquire)
    }

    /// The map from points to host time.
    #[must_use]
    pub const fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Shows every chunk to those who look: as it was made at [`TapPoint::Path`], as it passed the gate at
    /// [`TapPoint::Sent`]; `device` is the projector's number in the show. Before the stream starts: what was set before is freed here.
    pub fn set_taps(&mut self, producer: FrameProducer, device: u32) {
        self.taps = Some((producer, device));
    }

    /// The gate, for its settings.
    pub const fn gate_mut(&mut self) -> &mut Gate {
        &mut self.parts.gate
    }

    /// Tells which media time is heard when. A new epoch drops everything queued for the older one before
    /// it can shine; stream time stays without gaps. A device that a seek does not stop shows what it holds, and what
    /// waits before it goes out dark.
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
        self.take_needed_buffer();
        self.offer_kept(now);
        self.meter.judge(now, &self.timeline, &self.map, &self.stats.counters.sync);
        let buffered = self.buffered_points();
        self.forget_older_rates(buffered);
        self.stats.counters.buffered_now.store(buffered, Ordering::Relaxed);
        if self.fullness.is_playing() {
            self.stats.counters.buffered.record(buffered);
        }
        match self.phase {
            Phase::Running if self.kept_len == 0 => Some(self.request(now, buffered)),
            Phase::Running | Phase::Over(_) => None,
            Phase::Draining { since } => {
                let drained = buffered == 0 && self.is_shown(now);
                if drained || now.since(since) >= self.config.drain_timeout {
                    let took = now.since(since).as_nanos() as u64;
                    self.stats.counters.drain_ns.store(took, Ordering::Relaxed);
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
        self.phase = Phase::Draining { since: now };
        // The last points that are meant to be seen need as many behind them as the device never plays.
        self.park_points =
            PARK_POINTS + self.parts.gate.colour_delay_points() + self.least_points as usize;
        self.offer_kept(now);
    }

    /// Dark points behind the last ones, as they fit; the chunk that waits goes first.
    fn park(&mut self, now: HostTime) {
        while self.park_points > 0 && self.kept_len == 0 {
            let len = self.park_points.min(self.chunk_buffer.len());
            self.chunk_buffer[..len].fill(self.last_point.blanked());
            self.park_points -= len;
            self.kept_len = len;
            self.offer_chunk(now);
        }
    }

    fn is_present(&self, request: &FillRequest) -> bool {
        request.start == self.start && request.epoch == self.map.epoch && self.kept_len == 0
    }

    fn request(&mut self, now: HostTime, buffered_points: u64) -> FillRequest {
        let (min, target) = (self.min_points(self.pps), self.target_points(self.pps));
        let cap = self.chunk_buffer.len();
        let counted = self.at_present_rate(buffered_points);
        let wanted = |level: u64| level.saturating_sub(counted);
        if wanted(min) > cap as u64 {
            bump(&self.stats.counters.clamped_requests);
        }
        let mut plays_at = self.timeline.host_of(self.start, now);
        if plays_at < now && buffered_points == 0 {
            self.timeline.ran_dry(self.start);
            plays_at = self.timeline.host_of(self.start, now).max(now);
        }
        FillRequest {
            start: self.start,
            pps: self.pps,
            min_points: wanted(min).min(cap as u64) as usize,
            target_points: wanted(target).min(cap as u64) as usize,
            buffered_points,
            buffered: time_of(counted, self.pps),
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
        self.promise = (filled > 0).then_some((request.plays_at, request.media));
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

    /// Offers what was kept, and at the end the dark points behind it.
    fn offer_kept(&mut self, now: HostTime) -> bool {
        let queued = self.offer_chunk(now);
        self.park(now);
        queued
    }

    /// Sends the kept chunk through mounting and gate if there is room for it: neither has seen it
    /// before, so that a chunk offered twice comes out the same.
    fn offer_chunk(&mut self, now: HostTime) -> bool {
        let len = self.kept_len;
        if len == 0 {
            return true;
        }
        if !self.parts.sender.has_room(len) {
            bump(&self.stats.counters.kept);
            return false;
        }
        let made = self.looked_at(TapPoint::Path);
        if let Some((producer, _)) = &mut self.taps {
            producer.publish(&self.chunk_buffer[..len], made);
        }
        let points = &mut self.chunk_buffer[..len];
        let last = points[len - 1];
        let blank = self.startup_blank_points.min(len);
        points[..blank].iter_mut().for_each(|point| *point = point.blanked());
        self.fitting.apply(points);
        let chunk = self.parts.gate.pass(now, points, self.start, self.pps);
        let queued = self.parts.sender.push(&chunk);
        debug_assert!(queued, "this is the only sender, and there was room");
        if let Some((producer, _)) = &mut self.taps {
            let tap_point = TapPoint::Sent;
            let colour_delay_points = self.parts.gate.colour_delay_points() as u32;
            producer.publish(chunk.points(), FrameMeta { colour_delay_points, tap_point, ..made });
        }
        if let Some((plays_at, media)) = self.promise.take() {
            let record = &self.stats.counters.sync;
            self.meter.promise(self.start, plays_at, media, &self.map, record);
            self.stats.counters.ahead_ns.record(plays_at.since(now).as_nanos() as u64);
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

    /// What those who look are told of the chunk at hand.
    fn looked_at(&self, tap_point: TapPoint) -> FrameMeta {
        let (plays_at, media) = self.promise.unwrap_or_default();
        FrameMeta {
            start: self.start,
            plays_at,
            media,
            media_per_point: self.map.rate * self.timeline.seconds_per_point(),
            pps: self.pps,
            epoch: self.map.epoch,
            device: self.taps.as_ref().map_or(0, |(_, device)| *device),
            ..FrameMeta::at(tap_point)
        }
    }

    fn read_reports(&mut self, now: HostTime) {
        // Read before the reports: the device thread may hand over its last one and leave in between.
        let thread_alive = self.parts.reports.is_connected();
        let was_connected = self.fullness.is_connected();
        while let Some(report) = self.parts.reports.next() {
            if self.timeline.report(&report, self.start, now) {
                self.fullness.report(&report);
            } else {
                bump(&self.stats.counters.rejected_reports);
            }
        }
        self.fullness.advance(now, self.timeline.real_pps(now));
        if self.fullness.is_connected() && !was_connected {
            self.blank_the_start();
        }
        if !thread_alive {
            self.finish(now, RunExit::Disconnected);
        }
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
        let mounting = self.wishes.mounting.load(Ordering::Relaxed);
        if mounting != self.mounting {
            self.mounting = mounting;
            self.fitting = Mounting::from_bits(mounting).fitting();
        }
        let delay_ns = self.wishes.colour_delay_ns.load(Ordering::Relaxed);
        self.parts.gate.set_colour_delay(Duration::from_nanos(delay_ns));
        let generation = self.parts.arm.generation();
        if generation != self.generation {
            self.generation = generation;
            self.blank_the_start();
        }
        if self.wishes.stop.load(Ordering::Acquire) {
            self.finish(now, RunExit::Stopped);
        }
        if self.wishes.end.load(Ordering::Acquire) {
            self.end(now);
        }
    }

    fn take_rate(&mut self, pps: u32) {
        // The dark at the start is a time: it takes other points now.
        let left = self.startup_blank_points as u64 * u64::from(pps);
        self.startup_blank_points = left.div_ceil(u64::from(self.pps)) as usize;
        self.pps = pps;
        self.rate_from = self.start;
        self.highest_pps = self.highest_pps.max(pps);
        self.timeline.set_rate(self.start, pps);
        self.parts.link.set_pps(pps);
        self.bound_device_fill();
    }

    /// While points of a higher rate are ahead, the device empties at that rate: its bounds stay as wide.
    fn bound_device_fill(&self) {
        let pps = self.highest_pps;
        let target = self.target_points(pps);
        let (low, high) = match self.delivery {
            // The device holds what it can: a late device thread is then never noticed. A sound card's callback
            // takes whole periods ahead of the wire, so that a low ring would be empty already.
            Delivery::Fifo | Delivery::AudioClocked => {
                let high = target.min(self.device_room);
                (high, high)
            }
            _ => (self.min_points(pps), target),
        };
        self.parts.link.set_device_fill(low as u32, high as u32);
    }

    fn take_needed_buffer(&mut self) {
        let needed = self.parts.link_stats.needed_buffer().unwrap_or(self.config.target_buffer);
        if needed != self.buffer {
            self.buffer = needed;
            self.bound_device_fill();
        }
    }

    fn target_points(&self, pps: u32) -> u64 {
        self.present_config().target_points(pps, self.queue_points) + self.least_points
    }

    fn min_points(&self, pps: u32) -> u64 {
        self.present_config().min_points(pps, self.queue_points) + self.least_points
    }

    const fn present_config(&self) -> StreamConfig {
        self.config.with_target_buffer(self.buffer)
    }

    fn forget_older_rates(&mut self, buffered: u64) {
        if self.highest_pps > self.pps && self.start.0.saturating_sub(buffered) >= self.rate_from.0
        {
            self.highest_pps = self.pps;
            self.bound_device_fill();
        }
    }

    /// Buffered points as so many of the present rate: those of an older one count by the time they take.
    fn at_present_rate(&self, buffered: u64) -> u64 {
        let first = StreamInstant(self.start.0.saturating_sub(buffered));
        if first >= self.rate_from {
            return buffered;
        }
        (self.timeline.nominal_seconds(first, self.start) * f64::from(self.pps)) as u64
    }

    /// True once the last point queued has left the mirrors, as far as can be told.
    fn is_shown(&self, now: HostTime) -> bool {
        self.kept_len == 0
            && self.parts.sender.queued_points() == 0
            && self.timeline.host_at(self.start).is_none_or(|last| last <= now)
    }

    fn blank_the_start(&mut self) {
        self.startup_blank_points = points_in(self.config.startup_blank, self.pps) as usize;
    }

    fn buffered_points(&self) -> u64 {
        self.fullness.points(self.parts.sender.queued_points())
    }

    fn flush(&mut self) {
        self.kept_len = 0;
        self.last_chunk_len = 0;
        self.parts.gate.forget_colours();
        self.promise = None;
        self.meter.flush(&self.stats.counters.sync);
        if self.plays_through_a_seek {
            // What waits goes out dark, behind what is sent: the flow of points goes on, and with it the timeline.
            self.parts.link.request_darkness(self.start);
        } else {
            self.fullness.flush();
            self.timeline.flush(self.start);
            self.parts.link.request_flush(self.start);
        }
        bump(&self.stats.counters.flushes);
    }

    pub(super) fn finish(&mut self, now: HostTime, exit: RunExit) {
        if matches!(self.phase, Phase::Over(_)) {
            return;
        }
        let reason = match exit {
            _ if std::thread::panicking() => TripReason::Panic,
            RunExit::Disconnected => TripReason::Reconnect,
            _ => TripReason::StreamEnded,
        };
        self.parts.arm.disarm(now, reason);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dac::LinkReport;
    use crate::point::Colour;
    use crate::realtime::no_alloc;

    /// LS-02, LR-20: 10⁵ callbacks with underruns, seeks, rate changes, refusals and breaks: no allocation.
    /// LS-01, LR-02: the producer writes into the stream's own buffer.
    #[test]
    fn a_hundred_thousand_callbacks_never_touch_the_heap() {
        let capabilities = Capabilities {
            delivery: Delivery::Fifo,
            max_points_per_chunk: 1799,
            capacity_points: Some(1799),
            min_pps: 1,
            max_pps: 100_000,
            reports_queue: true,
            suggested_buffer: Duration::from_millis(40),
            least_points: 0,
            start_moves_relay: false,
        };
        let config = StreamConfig::new(2_000)
            .with_colour_delay(Duration::from_millis(1))
            .with_underrun_policy(UnderrunPolicy::RepeatLast);
        let arm = Arm::new();
        let (parts, mut device) = link(&config, &capabilities, Gate::new(arm.clone()), arm.clone());
        let mut stream = Stream::new(config, &capabilities, parts).unwrap();
        let control = stream.control();
        let mut producer = |request: &FillRequest, buffer: &mut [LaserPoint]| {
            let n = request.target_points;
            buffer[..n].fill(LaserPoint::lit(0.1, 0.1, Colour::WHITE));
            match request.start.0 % 7 {
                0 => FillResult::Starved,
                1 => FillResult::Filled(n / 2),
                _ => FillResult::Filled(n),
            }
        };
        let mut accepted = 0;
        for k in 0..100_000_u64 {
            let now = HostTime::from_nanos(k as i64 * 10_000_000 + 1);
            if k % 900 == 0 {
                let _ = arm.arm(now);
                control.set_pps(1_500 + (k % 11) as u32 * 100).unwrap();
            }
            let map =
                MediaMap { epoch: (k / 5_000) as u32, host: now, rate: 1.0, ..MediaMap::default() };
            let (_, touched) = no_alloc::watch(|| {
                stream.set_media_map(map);
                stream.fill_from(now, &mut producer)
            });
            assert_eq!(touched, 0, "callback {k}");
            // The device takes nothing for a while now and then, so that the queue fills up.
            while k % 1_000 > 30
                && let Some(chunk) = device.receiver.next(1799)
            {
                accepted = chunk.start().0 + chunk.len() as u64;
                device.receiver.commit();
            }
            device.reports.send(LinkReport {
                at: now,
                accepted: StreamInstant(accepted),
                playing: Some(StreamInstant(accepted.saturating_sub(40))),
                playing_pps: Some(2_000),
                device_queued: Some(40),
                discontinuity: (k / 7_000) as u32,
                gaps: 0,
                connected: true,
            });
        }
        assert!(stream.position().0 > 1_000_000);
    }

    /// One tap sees what was made, another what passed the gate: the same places at the same times.
    #[test]
    fn what_is_made_is_seen_before_the_gate_and_what_is_sent_behind_it() {
        let config = StreamConfig::new(30_000);
        let capabilities = Capabilities {
            delivery: Delivery::Fifo,
            max_points_per_chunk: 1799,
            capacity_points: Some(1799),
            min_pps: 1,
            max_pps: 100_000,
            reports_queue: true,
            suggested_buffer: Duration::from_millis(40),
            least_points: 0,
            start_moves_relay: false,
        };
        let arm = Arm::new();
        let (parts, _device) = link(&config, &capabilities, Gate::new(arm.clone()), arm);
        let mut stream = Stream::new(config, &capabilities, parts).unwrap();
        let clock = Arc::new(crate::time::ManualClock::default());
        let (taps_in, taps) = crate::frame::producer(8, clock);
        stream.set_taps(taps_in, 3);
        let mut made = taps.ring_tap(TapPoint::Path, 4, 1).unwrap();
        let mut sent = taps.ring_tap(TapPoint::Sent, 4, 1).unwrap();
        let mut producer = |request: &FillRequest, buffer: &mut [LaserPoint]| {
            buffer[..request.target_points].fill(LaserPoint::lit(0.0, 0.0, Colour::WHITE));
            FillResult::Filled(request.target_points)
        };
        stream.fill_from(HostTime::from_nanos(1), &mut producer);
        let (made, sent) = (made.try_recv().unwrap(), sent.try_recv().unwrap());
        assert!(made.points().iter().all(|point| !point.is_blank()), "lit as it was made");
        assert!(sent.points().iter().all(LaserPoint::is_blank), "dark: nobody armed it");
        assert_eq!(made.points().len(), sent.points().len());
        let (made, sent) = (made.meta(), sent.meta());
        assert_eq!((made.start, made.plays_at, made.device), (sent.start, sent.plays_at, 3));
    }
}
