//! The conversation with an Ether Dream, without socket, thread or clock.
//!
//! Bytes received go in, bytes to send come out, time is an argument. Promises: never more points on their
//! way than the device has room for by its own word; never a rate of 0 or above its maximum; an emergency
//! stop of the device stays until it is reset on purpose.

use std::collections::VecDeque;
use std::time::Duration;

use crate::dac::backend::{AnswerTime, Hindrance};
use crate::point::LaserPoint;
use crate::time::HostTime;
use crate::wire::ether_dream::{
    Answer, Command, DATA_HEADER_BYTES, Error, LightEngine, POINT_BYTES, Playback, Response,
    Status, encode_points, opcode, playback_flag,
};

/// Data commands that may be without an answer: the points of a 35 ms pause in chunks of 1 ms just fit. How
/// many points may be on their way is the queue's size to say.
const MAX_DATA_OUTSTANDING: usize = 36;
/// Answers that usually take longer than this are slow: commands of a millisecond's points would pile up.
const SLOW_ANSWERS: Duration = Duration::from_millis(1);
/// One part in so many of the mean is the newest answer.
const NEW_ANSWER: u32 = 8;
/// Queued points that are enough to begin with.
const BEGIN_POINTS: u32 = 500;
/// With fewer points, begin this long after the first one.
const BEGIN_AFTER: Duration = Duration::from_millis(10);
/// A status older than this is asked for anew while points flow.
const STATUS_AGE: Duration = Duration::from_millis(5);
/// The same while the device rests.
const STATUS_AGE_AT_REST: Duration = Duration::from_millis(100);
/// The round trip is measured at least this often.
const MEASURE_EVERY: Duration = Duration::from_millis(100);
/// No answer for this long: the connection is out of step. Pauses of 35 ms are normal on an Ether Dream 2.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the greeting may take: it is the first word of a device that may be busy with another client.
const GREETING_TIMEOUT: Duration = Duration::from_secs(2);
/// Fewer points than these left, by the host's count: a stream that ended without a word ran dry.
const RAN_DRY_POINTS: f64 = 256.0;
/// The host's count may be off by the points of this time.
const COUNT_SLACK: Duration = Duration::from_millis(5);
/// Times a refused prepare or begin is tried again.
const MAX_REFUSALS: u32 = 3;

/// The mean of late after one more value.
fn mean(old: Duration, new: Duration) -> Duration {
    (old * (NEW_ANSWER - 1) + new) / NEW_ANSWER
}

/// What ends a conversation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The device said something the protocol does not allow.
    Protocol(String),
    /// No answer for this long.
    Silent(Duration),
    /// No first word.
    NoGreeting,
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Protocol(error.to_string())
    }
}

/// Where the conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The greeting has not come.
    Greeting,
    /// Nothing prepared.
    Idle,
    /// Prepare is on its way.
    Preparing,
    /// Points are queued, playback has not begun.
    Filling,
    /// Begin is on its way.
    Beginning,
    /// Points are shown.
    Playing,
    /// Stop is on its way.
    Stopping,
    /// The device's emergency stop.
    EmergencyStop,
}

/// What came of an offer of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    Taken,
    NotNow,
    EmergencyStop,
}

/// A command without an answer yet.
#[derive(Clone, Copy, Debug)]
struct Sent {
    opcode: u8,
    points: u32,
    at: HostTime,
    /// Which prepare it belongs to.
    epoch: u32,
    /// Where it begins in the stream of bytes sent since the connection was made.
    first_byte: u64,
    /// No other was before it: its answer says how long the device takes.
    alone: bool,
}

/// One connection's conversation.
#[derive(Debug)]
pub(super) struct Session {
    capacity: u32,
    max_pps: u32,
    /// Points that it has to hold while it plays.
    least: u32,
    out: Vec<u8>,
    /// Bytes of `out` that have left.
    out_sent: usize,
    /// Stream position of `out[0]`.
    out_base: u64,
    inbox: Vec<u8>,
    awaiting: VecDeque<Sent>,
    phase: Phase,
    epoch: u32,
    status: Status,
    status_at: HostTime,
    heard_at: HostTime,
    pinged_at: HostTime,
    /// The shortest round trip of late: what is longer was spent waiting to be read.
    round_trip: Duration,
    /// Points sent and not answered.
    unanswered: u32,
    /// Points sent since prepare.
    filled: u32,
    first_point_at: HostTime,
    begin_pps: u32,
    tail_pps: u32,
    /// Points to send dark, whatever they are: after a start or a loss.
    blank_next: usize,
    refusals: u32,
    last_count: u32,
    played: u64,
    underflows: u32,
    /// An emergency stop has ended the stream, and was cleared by somebody else before it was seen.
    missed_estop: bool,
    foreign_stops: u32,
    answer_time: Option<AnswerTime>,
    /// Between two answers to commands that were sent one behind the other: the least of late.
    between_answers: Option<Duration>,
    /// When the host last looked for answers, and how long it had not looked before that.
    looked_at: HostTime,
    not_looked: Duration,
}

impl Session {
    /// A new connection, made at `now`. The device greets with the answer to a ping nobody sent.
    pub(super) fn new(now: HostTime, capacity: u16, max_pps: u32, least: u32) -> Self {
        let mut awaiting = VecDeque::with_capacity(128);
        awaiting.push_back(Sent {
            opcode: opcode::PING,
            points: 0,
            at: now,
            epoch: 0,
            first_byte: 0,
            alone: false,
        });
        Self {
            capacity: u32::from(capacity.max(2)),
            max_pps: max_pps.max(1),
            least,
            out: Vec::with_capacity(usize::from(capacity) * POINT_BYTES + 256),
            out_sent: 0,
            out_base: 0,
            inbox: Vec::with_capacity(1024),
            awaiting,
            phase: Phase::Greeting,
            epoch: 0,
            status: Status::default(),
            status_at: now,
            heard_at: now,
            pinged_at: now,
            round_trip: ANSWER_TIMEOUT,
            unanswered: 0,
            filled: 0,
            first_point_at: now,
            begin_pps: 0,
            tail_pps: 0,
            blank_next: 0,
            refusals: 0,
            last_count: 0,
            played: 0,
            underflows: 0,
            missed_estop: false,
            foreign_stops: 0,
            answer_time: None,
            between_answers: None,
            looked_at: now,
            not_looked: Duration::ZERO,
        }
    }

    /// True while it is in emergency stop, and once if it was meanwhile.
    pub(super) const fn take_estop(&mut self) -> bool {
        let missed = self.missed_estop;
        self.missed_estop = false;
        missed || matches!(self.phase, Phase::EmergencyStop)
    }

    pub(super) const fn phase(&self) -> Phase {
        self.phase
    }

    /// When the last status was true: the middle of its round trip.
    pub(super) const fn status_at(&self) -> HostTime {
        self.status_at
    }

    pub(super) const fn played(&self) -> u64 {
        self.played
    }

    pub(super) const fn underflows(&self) -> u32 {
        self.underflows
    }

    pub(super) const fn foreign_stops(&self) -> u32 {
        self.foreign_stops
    }

    /// The host looks for answers.
    pub(super) fn look(&mut self, now: HostTime) {
        self.not_looked = now.since(self.looked_at);
        self.looked_at = now;
    }

    pub(super) fn answer_time(&self) -> Option<AnswerTime> {
        let one_at_a_time = self.is_one_at_a_time();
        self.answer_time.map(|answer| AnswerTime { one_at_a_time, ..answer })
    }

    /// True if a command costs the device time, and not the way to it and back. A line that is only long answers two
    /// commands as soon as one; until two were sent at once, the worse is taken for true.
    fn is_one_at_a_time(&self) -> bool {
        self.answer_time.is_some_and(|answer| {
            let costly = |gap: Duration| 2 * gap >= answer.usual;
            answer.usual > SLOW_ANSWERS && self.between_answers.is_none_or(costly)
        })
    }

    fn learn_answer_time(&mut self, now: HostTime, sent: &Sent) {
        if sent.alone {
            let last = now.since(sent.at);
            let usual = self.answer_time.map_or(last, |answer| mean(answer.usual, last));
            self.answer_time = Some(AnswerTime { usual, last, one_at_a_time: false });
        } else if self.phase != Phase::Greeting {
            let gap = now.since(self.heard_at.max(sent.at));
            // A host that did not look finds answers together that came far apart.
            if self.answer_time.is_some_and(|answer| 2 * self.not_looked >= answer.usual) {
                return;
            }
            // Two answers at once prove a long line; two far apart may be its jitter.
            let least = self.between_answers.map_or(gap, |old| old + gap.saturating_sub(old) / 32);
            self.between_answers = Some(least.min(gap));
        }
    }

    /// Why it takes no points, by its last word.
    pub(super) const fn hindrance(&self) -> Option<Hindrance> {
        match (self.phase, self.status.light_engine) {
            (Phase::Greeting, _) => Some(Hindrance::Silent),
            (_, LightEngine::WarmUp) => Some(Hindrance::WarmingUp),
            (_, LightEngine::CoolDown) => Some(Hindrance::CoolingDown),
            _ => None,
        }
    }

    /// True when every command has been answered.
    pub(super) fn is_settled(&self) -> bool {
        self.awaiting.is_empty()
    }

    /// Points sent and not shown at [`status_at`](Self::status_at).
    pub(super) fn queued(&self) -> u32 {
        let holds = matches!(self.phase, Phase::Filling | Phase::Beginning | Phase::Playing);
        if holds { u32::from(self.status.fullness) + self.unanswered } else { 0 }
    }

    /// The rate it plays at, by its own word.
    pub(super) fn playing_pps(&self) -> Option<u32> {
        let plays = self.phase == Phase::Playing && self.status.playback == Playback::Playing;
        plays.then_some(if self.status.point_rate > 0 {
            self.status.point_rate
        } else {
            self.begin_pps
        })
    }

    /// Points in the device or on the way to it: its last word, plus what it has not answered, less what
    /// has been shown since.
    pub(super) fn estimate(&self, now: HostTime) -> u32 {
        let shown = match self.playing_pps() {
            Some(pps) => now.since(self.heard_at).as_secs_f64() * f64::from(pps),
            None => 0.0,
        };
        (f64::from(self.queued()) - shown).max(0.0).ceil() as u32
    }

    fn send(&mut self, now: HostTime, command: Command<'_>) {
        self.note(now, command.opcode(), 0);
        command.emit(&mut self.out);
    }

    fn note(&mut self, at: HostTime, opcode: u8, points: u32) {
        let first_byte = self.out_base + self.out.len() as u64;
        let alone = self.awaiting.is_empty();
        self.awaiting.push_back(Sent { opcode, points, at, epoch: self.epoch, first_byte, alone });
    }

    /// Offers points meant for `pps`.
    pub(super) fn offer(&mut self, now: HostTime, points: &[LaserPoint], pps: u32) -> Offer {
        match self.phase {
            Phase::EmergencyStop => return Offer::EmergencyStop,
            Phase::Idle => {
                if self.status.light_engine == LightEngine::Ready && !points.is_empty() {
                    self.prepare(now);
                }
                return Offer::NotNow;
            }
            Phase::Greeting | Phase::Preparing | Phase::Stopping => return Offer::NotNow,
            Phase::Filling | Phase::Beginning | Phase::Playing => {}
        }
        let outstanding = self.awaiting.iter().filter(|sent| sent.opcode == opcode::DATA).count();
        let room = (self.capacity - 1).saturating_sub(self.estimate(now));
        let fits = u32::try_from(points.len()).is_ok_and(|len| len <= room);
        let most = if self.is_one_at_a_time() { 1 } else { MAX_DATA_OUTSTANDING };
        if !fits || outstanding >= most || !self.unsent().is_empty() {
            return Offer::NotNow;
        }
        if !points.is_empty() {
            self.send_points(now, points, pps.clamp(1, self.max_pps));
        }
        Offer::Taken
    }

    fn prepare(&mut self, now: HostTime) {
        self.epoch += 1;
        self.filled = 0;
        self.last_count = 0;
        self.phase = Phase::Preparing;
        self.send(now, Command::Prepare);
    }

    fn send_points(&mut self, now: HostTime, points: &[LaserPoint], pps: u32) {
        let mut changes_rate = false;
        if self.filled == 0 {
            // A start is dark for its first millisecond, whatever was drawn.
            self.blank_next = self.blank_next.max(pps.div_ceil(1000) as usize);
            self.first_point_at = now;
            self.begin_pps = pps;
            self.tail_pps = pps;
        } else if pps != self.tail_pps {
            self.send(now, Command::QueueRate { pps });
            self.tail_pps = pps;
            changes_rate = true;
        }
        self.note(now, opcode::DATA, points.len() as u32);
        let start = self.out.len();
        self.out.resize(start + DATA_HEADER_BYTES + points.len() * POINT_BYTES, 0);
        let (header, records) = self.out[start..].split_at_mut(DATA_HEADER_BYTES);
        header[0] = opcode::DATA;
        header[1..].copy_from_slice(&(points.len() as u16).to_le_bytes());
        encode_points(points, records);
        for record in records.chunks_exact_mut(POINT_BYTES).take(self.blank_next) {
            record[6..].fill(0);
        }
        if changes_rate {
            records[1] |= 0x80;
        }
        self.blank_next = self.blank_next.saturating_sub(points.len());
        self.filled += points.len() as u32;
        self.unanswered += points.len() as u32;
        self.begin_if_due(now);
    }

    fn begin_if_due(&mut self, now: HostTime) {
        let enough = self.filled >= BEGIN_POINTS.max(2 * self.least).min(self.capacity / 2);
        // What it will not play must be there, and 10 ms above it.
        let few = if self.least > 0 { self.least + self.begin_pps / 100 } else { 0 };
        let waited = self.filled > few && now.since(self.first_point_at) >= BEGIN_AFTER;
        if self.phase == Phase::Filling && (enough || waited) {
            self.phase = Phase::Beginning;
            self.send(now, Command::Begin { low_water_mark: 0, pps: self.begin_pps });
        }
    }

    /// Dark at once: forgets what has not left, darkens the rest of a command that is half sent, stops.
    pub(super) fn stop(&mut self, now: HostTime) {
        if matches!(
            self.phase,
            Phase::Idle | Phase::Stopping | Phase::EmergencyStop | Phase::Greeting
        ) {
            return;
        }
        let left = self.out_base + self.out_sent as u64;
        while let Some(last) = self.awaiting.back().copied() {
            if last.first_byte < left || last.first_byte < self.out_base {
                self.darken_rest_of(last);
                break;
            }
            self.awaiting.pop_back();
            self.unanswered -= last.points.min(self.unanswered);
            self.out.truncate((last.first_byte - self.out_base) as usize);
        }
        self.phase = Phase::Stopping;
        self.send(now, Command::Stop);
    }

    fn darken_rest_of(&mut self, sent: Sent) {
        if sent.opcode != opcode::DATA || sent.first_byte < self.out_base {
            return;
        }
        let start = (sent.first_byte - self.out_base) as usize + DATA_HEADER_BYTES;
        for at in self.out_sent.max(start)..self.out.len() {
            if (at - start) % POINT_BYTES >= 6 {
                self.out[at] = 0;
            }
        }
    }

    /// Asks to clear the device's emergency stop.
    pub(super) fn clear_estop(&mut self, now: HostTime) {
        if self.phase == Phase::EmergencyStop {
            self.send(now, Command::ClearEstop);
        }
    }

    /// What time asks for: a begin, a status, and patience with a silent device. True if a ping was sent,
    /// whose answer should be read as soon as it can be.
    pub(super) fn keep_up(&mut self, now: HostTime) -> Result<bool, Trouble> {
        if let Some(oldest) = self.awaiting.front() {
            let silent = now.since(oldest.at);
            if self.phase == Phase::Greeting && silent >= GREETING_TIMEOUT {
                return Err(Trouble::NoGreeting);
            }
            if self.phase != Phase::Greeting && silent > ANSWER_TIMEOUT {
                return Err(Trouble::Silent(silent));
            }
        }
        self.begin_if_due(now);
        let rests = matches!(self.phase, Phase::Idle | Phase::EmergencyStop);
        let age = if rests { STATUS_AGE_AT_REST } else { STATUS_AGE };
        let due = match self.answer_time {
            // A question would stand before the next points: what they are answered with says enough.
            Some(answer) if self.is_one_at_a_time() && !rests => {
                now.since(self.heard_at) >= age + 2 * answer.usual
            }
            _ => now.since(self.heard_at) >= age || now.since(self.pinged_at) >= MEASURE_EVERY,
        };
        let pings = due && self.awaiting.is_empty();
        if pings {
            self.pinged_at = now;
            self.send(now, Command::Ping);
        }
        Ok(pings)
    }

    /// Bytes that are to be sent.
    pub(super) fn unsent(&self) -> &[u8] {
        &self.out[self.out_sent..]
    }

    /// The first `bytes` of [`unsent`](Self::unsent) have left.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.out_sent = (self.out_sent + bytes).min(self.out.len());
        if self.out_sent == self.out.len() {
            self.out_base += self.out.len() as u64;
            self.out.clear();
            self.out_sent = 0;
        }
    }

    /// Bytes have arrived.
    pub(super) fn receive(&mut self, now: HostTime, bytes: &[u8]) -> Result<(), Trouble> {
        self.inbox.extend_from_slice(bytes);
        let mut read = 0;
        while read < self.inbox.len() {
            let rest = &self.inbox[read..];
            let Some(sent) = self.awaiting.front().copied() else {
                return Err(Trouble::Protocol("it answers what nobody asked".to_owned()));
            };
            let response = match Response::parse(rest) {
                Err(Error::Incomplete) => break,
                other => other?,
            };
            read += Response::BYTES;
            self.awaiting.pop_front();
            if response.command != sent.opcode {
                return Err(Trouble::Protocol(format!(
                    "it answers command 0x{:02x} where 0x{:02x} was asked",
                    response.command, sent.opcode
                )));
            }
            self.apply(now, &sent, &response)?;
        }
        self.inbox.drain(..read);
        Ok(())
    }

    fn apply(&mut self, now: HostTime, sent: &Sent, response: &Response) -> Result<(), Trouble> {
        let status = response.status;
        if status.point_rate > self.max_pps && status.playback == Playback::Playing {
            return Err(Trouble::Protocol(format!(
                "it claims to play {} points per second, more than it can: switch it off and on",
                status.point_rate
            )));
        }
        let left = self.surely_left(now);
        self.status = status;
        let aged = self.round_trip + self.round_trip / 64 + Duration::from_micros(1);
        self.round_trip = now.since(sent.at).min(aged);
        self.status_at = sent.at + self.round_trip / 2;
        self.learn_answer_time(now, sent);
        self.heard_at = now;
        self.unanswered -= sent.points.min(self.unanswered);
        if status.light_engine == LightEngine::EmergencyStop {
            self.phase = Phase::EmergencyStop;
            self.unanswered = 0;
            return Ok(());
        }
        if matches!(self.phase, Phase::EmergencyStop | Phase::Greeting) {
            self.phase = Phase::Idle;
            if status.playback != Playback::Idle {
                // Left over from another client.
                self.phase = Phase::Stopping;
                self.send(now, Command::Stop);
            }
            return Ok(());
        }
        if sent.epoch != self.epoch {
            return Ok(());
        }
        let flowed = matches!(self.phase, Phase::Filling | Phase::Beginning | Phase::Playing);
        if status.playback == Playback::Playing {
            let shown = status.point_count.wrapping_sub(self.last_count);
            if flowed && shown > u32::MAX / 2 {
                // It counts anew: another client's stream is in it.
                self.end_flow(true);
                return Ok(());
            }
            self.played += u64::from(shown);
            self.last_count = status.point_count;
        }
        match sent.opcode {
            opcode::PREPARE => self.prepared(now, response)?,
            opcode::BEGIN if status.playback == Playback::Playing => {
                self.refusals = 0;
                if self.phase == Phase::Beginning {
                    self.phase = Phase::Playing;
                }
            }
            opcode::BEGIN if self.phase == Phase::Beginning => {
                self.refused("begin")?;
                self.phase = Phase::Filling;
            }
            opcode::STOP => {
                if status.playback != Playback::Idle {
                    return Err(Trouble::Protocol("it does not stop when told to".to_owned()));
                }
                self.phase = Phase::Idle;
            }
            opcode::QUEUE_RATE
                if response.answer != Answer::Ack && status.playback != Playback::Idle =>
            {
                return Err(Trouble::Protocol("it refuses a lawful rate".to_owned()));
            }
            opcode::DATA if response.answer != Answer::Ack && status.playback != Playback::Idle => {
                // Overfull: points were lost, so the figure jumps. Both F and I are seen for this.
                self.blank_next = self.blank_next.max(self.tail_pps.div_ceil(1000) as usize);
            }
            _ => {}
        }
        let flows = matches!(self.phase, Phase::Filling | Phase::Beginning | Phase::Playing);
        if flows && status.playback == Playback::Idle {
            let few = RAN_DRY_POINTS + COUNT_SLACK.as_secs_f64() * f64::from(self.tail_pps);
            let flag = |flag| status.playback_flags & flag != 0;
            let by_estop = flag(playback_flag::ESTOP);
            let ran_dry = flag(playback_flag::UNDERFLOW)
                || self.phase == Phase::Playing && left < few && !by_estop;
            self.missed_estop |= by_estop;
            // A light engine that is not ready has stopped it itself, and is told as that.
            let is_ready = status.light_engine == LightEngine::Ready;
            self.underflows += u32::from(ran_dry && is_ready);
            self.end_flow(!ran_dry && is_ready && !by_estop);
        }
        Ok(())
    }

    fn end_flow(&mut self, by_others: bool) {
        self.foreign_stops += u32::from(by_others);
        self.phase = Phase::Idle;
        self.unanswered = 0;
    }

    /// The fewest points that can be left now, by what was known before.
    fn surely_left(&self, now: HostTime) -> f64 {
        let pps = self.playing_pps().map_or(0.0, f64::from);
        (f64::from(self.queued()) - now.since(self.status_at).as_secs_f64() * pps).max(0.0)
    }

    fn prepared(&mut self, now: HostTime, response: &Response) -> Result<(), Trouble> {
        if self.phase != Phase::Preparing {
            return Ok(());
        }
        let status = response.status;
        if response.answer == Answer::Ack && status.playback == Playback::Prepared {
            self.phase = Phase::Filling;
            return Ok(());
        }
        self.phase = Phase::Idle;
        if status.light_engine == LightEngine::Ready {
            self.refused("prepare")?;
            if status.playback != Playback::Idle {
                self.phase = Phase::Stopping;
                self.send(now, Command::Stop);
            }
        }
        Ok(())
    }

    fn refused(&mut self, what: &str) -> Result<(), Trouble> {
        self.refusals += 1;
        if self.refusals > MAX_REFUSALS {
            return Err(Trouble::Protocol(format!("it refuses to {what}, again and again")));
        }
        Ok(())
    }
}
