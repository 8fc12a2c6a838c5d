//! Devices in virtual time: [`QueueMock`] says what it holds and plays, [`NoQueueMock`] says only what it
//! has accepted (LR-11). Both have a crystal of their own, jitter in their reports, and can be cut off.

use std::collections::VecDeque;
use std::time::Duration;

use galvo::dac::{Capabilities, Delivery, LinkReport};
use galvo::point::LaserPoint;
use galvo::safety::{Arm, Gate};
use galvo::stream::{DeviceEnd, FillRequest, Producer, Stream, StreamConfig, Submitted, link};
use galvo::time::{HostTime, StreamInstant};

/// What a mock of either kind can do.
pub(crate) fn capabilities(reports_queue: bool) -> Capabilities {
    Capabilities {
        delivery: Delivery::Fifo,
        max_points_per_chunk: 1799,
        capacity_points: Some(1799),
        min_pps: 1,
        max_pps: 100_000,
        reports_queue,
        suggested_buffer: Duration::from_millis(40),
        least_points: 0,
        start_moves_relay: false,
    }
}

/// Points that left the mirrors from one moment on, at one rate.
#[derive(Clone, Copy, Debug)]
struct Flow {
    point: u64,
    at: f64,
    pps: f64,
}

/// The device side of a link, in virtual time.
pub(crate) struct MockDevice {
    end: DeviceEnd,
    reports_queue: bool,
    /// How much its crystal is off.
    pub(crate) ppm: f64,
    /// Reports are dated wrong by up to so many seconds.
    pub(crate) jitter: f64,
    /// Points it holds at most.
    pub(crate) capacity: u64,
    /// True while it neither takes nor reports anything.
    pub(crate) stalled: bool,
    /// True if it tells nonsense in every other report.
    pub(crate) lies: bool,
    held: VecDeque<(u64, u64, u32)>,
    accepted: u64,
    next_at: f64,
    playing: bool,
    discontinuity: u32,
    flows: VecDeque<Flow>,
    seed: u64,
    /// Every point accepted, if wanted.
    pub(crate) record: Option<Vec<LaserPoint>>,
    pub(crate) underflows: u64,
    flushed: u64,
    reported: u64,
}

pub(crate) struct QueueMock;
pub(crate) struct NoQueueMock;

impl QueueMock {
    pub(crate) fn open(config: StreamConfig) -> (Stream, MockDevice, Arm) {
        open(config, &capabilities(true))
    }
}

impl NoQueueMock {
    pub(crate) fn open(config: StreamConfig) -> (Stream, MockDevice, Arm) {
        open(config, &capabilities(false))
    }
}

pub(crate) fn open(config: StreamConfig, caps: &Capabilities) -> (Stream, MockDevice, Arm) {
    let arm = Arm::new();
    let (parts, end) = link(&config, caps, Gate::new(arm.clone()), arm.clone());
    let stream = Stream::new(config, caps, parts).expect("the configuration is sound");
    let device = MockDevice {
        end,
        reports_queue: caps.reports_queue,
        ppm: 0.0,
        jitter: 0.0,
        capacity: u64::from(caps.capacity_points.unwrap_or(4096)),
        stalled: false,
        lies: false,
        held: VecDeque::new(),
        accepted: 0,
        next_at: 0.0,
        playing: false,
        discontinuity: 0,
        flows: VecDeque::new(),
        seed: 11,
        record: None,
        underflows: 0,
        flushed: 0,
        reported: 0,
    };
    (stream, device, arm)
}

impl MockDevice {
    fn noise(&mut self) -> f64 {
        self.seed = self.seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.seed >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0
    }

    pub(crate) fn held(&self) -> u64 {
        self.held.iter().map(|run| run.1).sum()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.end.link.is_closing()
    }

    /// Points in the host's queue.
    pub(crate) fn waiting(&self) -> usize {
        self.end.receiver.queued_points()
    }

    /// The device was switched off and on.
    pub(crate) fn reconnect(&mut self) {
        self.held.clear();
        self.playing = false;
        self.discontinuity += 1;
        self.end.receiver.clear();
        let report = LinkReport { connected: false, ..self.truth(self.next_at) };
        self.end.reports.send(report);
    }

    /// Plays up to `now`, taking what fits.
    pub(crate) fn advance(&mut self, now: HostTime) {
        let now = now.as_secs_f64();
        if self.stalled {
            return;
        }
        self.obey_flush();
        loop {
            self.take();
            let Some(&(start, len, pps)) = self.held.front() else {
                if self.playing && self.next_at <= now {
                    self.playing = false;
                    self.underflows += 1;
                    self.discontinuity += 1;
                    self.end.stats.underflows(1);
                }
                return;
            };
            let pps = f64::from(pps) * (1.0 + self.ppm * 1e-6);
            if !self.playing {
                self.playing = true;
                self.next_at = now;
                self.flow(start, pps);
            } else if self.flows.back().is_none_or(|flow| flow.pps != pps) {
                self.flow(start, pps);
            }
            if self.next_at > now {
                return;
            }
            let due = ((now - self.next_at) * pps) as u64 + 1;
            let played = due.min(len);
            self.next_at += played as f64 / pps;
            self.held[0] = (start + played, len - played, self.held[0].2);
            if played == len {
                self.held.pop_front();
            }
        }
    }

    fn flow(&mut self, point: u64, pps: f64) {
        self.flows.push_back(Flow { point, at: self.next_at, pps });
        if self.flows.len() > 64 {
            self.flows.pop_front();
        }
    }

    /// When a point left the mirrors, in truth.
    pub(crate) fn left_at(&self, point: StreamInstant) -> Option<HostTime> {
        let flow = self.flows.iter().rev().find(|flow| flow.point <= point.0)?;
        let at = flow.at + (point.0 - flow.point) as f64 / flow.pps;
        (at <= self.next_at).then(|| HostTime::from_secs_f64(at))
    }

    fn obey_flush(&mut self) {
        let up_to = self.end.link.flush_up_to().0;
        if up_to <= self.flushed {
            return;
        }
        self.flushed = up_to;
        self.accepted = self.accepted.max(up_to);
        if self.held.front().is_some_and(|run| run.0 < up_to) {
            self.held.clear();
            self.playing = false;
            self.discontinuity += 1;
        }
    }

    fn take(&mut self) {
        loop {
            let free = self.capacity - self.held().min(self.capacity);
            if free == 0 {
                return;
            }
            let Some(chunk) = self.end.receiver.next(free as usize) else { return };
            let (start, len, pps) = (chunk.start().0, chunk.len() as u64, chunk.pps());
            if len > free {
                self.end.stats.would_block();
                return;
            }
            if start >= self.flushed {
                if let Some(record) = &mut self.record {
                    record.extend_from_slice(chunk.points());
                }
                match self.held.back_mut() {
                    Some(run) if run.2 == pps && run.0 + run.1 == start => run.1 += len,
                    _ => self.held.push_back((start, len, pps)),
                }
                self.accepted = start + len;
            }
            self.end.receiver.commit();
        }
    }

    fn truth(&self, at: f64) -> LinkReport {
        let held = self.held();
        let playing = self.held.front().filter(|_| self.playing);
        LinkReport {
            at: HostTime::from_secs_f64(at),
            accepted: StreamInstant(self.accepted),
            playing: playing.filter(|_| self.reports_queue).map(|run| StreamInstant(run.0)),
            playing_pps: playing.filter(|_| self.reports_queue).map(|run| run.2),
            device_queued: self.reports_queue.then_some(held),
            discontinuity: self.discontinuity,
            gaps: 0,
            connected: true,
        }
    }

    /// Tells the stream how things are.
    pub(crate) fn report(&mut self, now: HostTime) {
        if self.stalled {
            return;
        }
        self.reported += 1;
        // The point at the head leaves at `next_at`: that is when it is "playing".
        let at = if self.playing { self.next_at } else { now.as_secs_f64() };
        let at = at + self.jitter * self.noise();
        let mut report = self.truth(at);
        if self.lies && self.reported.is_multiple_of(2) {
            report = match self.reported % 8 {
                0 => LinkReport { playing: Some(StreamInstant(u64::MAX)), ..report },
                2 => LinkReport { accepted: StreamInstant(u64::MAX), ..report },
                4 => LinkReport { at: HostTime::from_nanos(i64::MAX), ..report },
                _ => LinkReport { playing: Some(StreamInstant(self.accepted / 2)), ..report },
            };
        }
        self.end.reports.send(report);
    }
}

/// Stream, device and time in one.
pub(crate) struct Rig {
    pub(crate) stream: Stream,
    pub(crate) device: MockDevice,
    pub(crate) arm: Arm,
    pub(crate) now: HostTime,
    pub(crate) tick: Duration,
    promises: VecDeque<(StreamInstant, HostTime)>,
    /// Light less promise, seconds, with the moment.
    pub(crate) errors: Vec<(f64, f64)>,
}

impl Rig {
    pub(crate) fn new((stream, device, arm): (Stream, MockDevice, Arm)) -> Self {
        let tick = stream.config().tick_interval;
        Self {
            stream,
            device,
            arm,
            now: HostTime::from_secs_f64(50.0),
            tick,
            promises: VecDeque::new(),
            errors: Vec::new(),
        }
    }

    pub(crate) fn queue(config: StreamConfig) -> Self {
        Self::new(QueueMock::open(config))
    }

    pub(crate) fn no_queue(config: StreamConfig) -> Self {
        Self::new(NoQueueMock::open(config))
    }

    pub(crate) fn armed(mut self) -> Self {
        self.arm.arm(self.now).expect("nothing is stopped");
        self.device.record = Some(Vec::new());
        self
    }

    /// One tick: the device plays, reports, the stream asks `producer`, the device takes.
    pub(crate) fn step<P: Producer + ?Sized>(&mut self, producer: &mut P) -> Option<Submitted> {
        self.now += self.tick;
        self.device.advance(self.now);
        self.device.report(self.now);
        let mut promise = None;
        let submitted = self.stream.fill_from(
            self.now,
            &mut |request: &FillRequest, buffer: &mut [LaserPoint]| {
                promise = Some((request.start, request.plays_at));
                producer.fill(request, buffer)
            },
        );
        if let (Some(promise), Some(Submitted::Queued(1..))) = (promise, submitted) {
            self.promises.push_back(promise);
        }
        let accepted = self.device.accepted;
        self.device.advance(self.now);
        if !self.device.reports_queue && self.device.accepted > accepted {
            // A driver with nothing else to say tells at once what was taken.
            self.device.report(self.now);
        }
        while let Some(&(point, plays_at)) = self.promises.front() {
            let Some(left) = self.device.left_at(point) else { break };
            self.promises.pop_front();
            self.errors.push((self.now.as_secs_f64(), left.secs_since(plays_at)));
        }
        submitted
    }

    pub(crate) fn run<P: Producer + ?Sized>(&mut self, seconds: f64, producer: &mut P) {
        let end = self.now.plus_secs_f64(seconds);
        while self.now < end {
            self.step(producer);
        }
    }

    /// The largest error since `from` (host seconds).
    pub(crate) fn worst_since(&self, from: f64) -> f64 {
        let late = self.errors.iter().filter(|error| error.0 >= from);
        assert!(late.clone().count() > 10, "nothing was measured");
        late.map(|error| error.1.abs()).fold(0.0, f64::max)
    }
}

/// Fills what is wanted with a slow white circle.
pub(crate) fn circle(
    request: &FillRequest,
    buffer: &mut [LaserPoint],
) -> galvo::stream::FillResult {
    for (k, point) in buffer[..request.target_points].iter_mut().enumerate() {
        let turn = (request.start.0 + k as u64) as f64 / 3000.0;
        let (y, x) = ((turn.fract() * std::f64::consts::TAU) as f32).sin_cos();
        *point = LaserPoint::lit(x * 0.5, y * 0.5, galvo::point::Colour::WHITE);
    }
    galvo::stream::FillResult::Filled(request.target_points)
}

/// Fills what is wanted at almost no cost.
pub(crate) fn dot(request: &FillRequest, buffer: &mut [LaserPoint]) -> galvo::stream::FillResult {
    buffer[..request.target_points].fill(LaserPoint::lit(0.1, 0.1, galvo::point::Colour::WHITE));
    galvo::stream::FillResult::Filled(request.target_points)
}
