//! The conversation with an IDN device, without socket, thread or clock.
//!
//! Datagrams received go in, datagrams to send come out, time is an argument. Promises: the configuration is
//! repeated every 200 ms and after every complaint; something is said every 100 ms; a stop is repeated until
//! it is acknowledged, and nothing is drawn meanwhile; an output that goes offline latches.

use std::time::Duration;

use super::metronome::{Held, Metronome};
use crate::dac::settling::Settling;
use crate::point::LaserPoint;
use crate::time::HostTime;
use crate::wire::idn::{
    Acknowledge, ChannelConfig, Chunk, HELLO_BYTES, Hello, LAYOUT_16BIT, MAX_PAYLOAD, MIN_SAMPLES,
    Message, SAMPLE_BYTES, ScanReply, command, encode_points, mode, outcome, pipeline_event,
    status,
};

/// The configuration is repeated this often.
const CONFIG_EVERY: Duration = Duration::from_millis(200);
/// It is not changed more often than this.
const CONFIG_CHANGE_EVERY: Duration = Duration::from_millis(100);
/// Messages that carry a new one besides the first.
const CONFIG_REPEATS: u32 = 2;
/// With nothing to draw, the session is kept this often.
const KEEP_ALIVE_EVERY: Duration = Duration::from_millis(100);
/// An acknowledge is asked for this often.
const ACKNOWLEDGE_EVERY: Duration = Duration::from_millis(100);
/// The device's status is asked for this often.
const ASK_STATUS_EVERY: Duration = Duration::from_millis(250);
/// No word for this long: the device is gone. It has dropped the session itself by then.
const SILENCE: Duration = Duration::from_secs(1);
/// No word for this long, with a question every 100 ms: the line may be cut, and what is shown after it is a beginning.
const QUIET: Duration = Duration::from_millis(400);
/// A stop that is not acknowledged is repeated after this time.
const STOP_AGAIN_AFTER: Duration = Duration::from_millis(5);
/// A stop is sent this often at most.
const STOP_ATTEMPTS: u32 = 5;
/// Questions for an acknowledge whose answers are waited for.
const ASKED: usize = 4;
/// The shortest round trip is believed a little less with each later one: a way may have grown longer.
const ROUND_TRIP_AGES: u32 = 16;
/// Bytes of the configuration's words.
const WORDS_BYTES: usize = LAYOUT_16BIT.len() * 2;

/// What ends a conversation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another client holds the device or the output.
    Busy,
    /// Clients of this group may not use it.
    Excluded,
    /// There is no such output any more.
    NoService,
    /// It says of itself that it is broken.
    Malfunction,
    /// It could not read what it got.
    Protocol(String),
    /// No word for this long.
    Silent(Duration),
}

/// A stop on its way.
#[derive(Clone, Copy, Debug)]
struct Stopping {
    attempts: u32,
    again_at: HostTime,
    /// The abort of this attempt has left, the close has not.
    aborted: bool,
    /// The sequence numbers of closes sent: an acknowledge of any ends it.
    first_sequence: u16,
}

/// One connection's conversation.
#[derive(Debug)]
pub(super) struct Session {
    service: u8,
    words: [u8; WORDS_BYTES],
    metronome: Metronome,
    out: Vec<u8>,
    sequence: u16,
    data_match: u8,
    /// When the configuration was sent last; `None` if the next message must carry it.
    config_at: Option<HostTime>,
    config_changed_at: HostTime,
    /// Messages more that carry it.
    config_repeats: u32,
    said_at: HostTime,
    heard_at: HostTime,
    acknowledge_asked_at: Option<HostTime>,
    /// Sequence numbers of the last questions for an acknowledge, and when they left.
    asked: [Option<(u16, HostTime)>; ASKED],
    /// The shortest round trip of late.
    round_trip: Option<Duration>,
    acknowledged: bool,
    status_asked_at: HostTime,
    status_sequence: u16,
    stopping: Option<Stopping>,
    /// The device has acknowledged a close, and nothing was said on the channel since.
    closed: bool,
    /// The greeting still has to leave.
    greet: bool,
    offline: bool,
    estop: bool,
}

impl Session {
    /// A conversation with output `service`, begun at `now`.
    pub(super) fn new(now: HostTime, service: u8) -> Self {
        let mut words = [0; WORDS_BYTES];
        for (pair, tag) in words.chunks_exact_mut(2).zip(LAYOUT_16BIT) {
            pair.copy_from_slice(&tag.to_be_bytes());
        }
        Self {
            service,
            words,
            metronome: Metronome::new(),
            out: Vec::with_capacity(MAX_PAYLOAD),
            sequence: 0,
            data_match: 0,
            config_at: None,
            config_changed_at: now,
            config_repeats: 0,
            said_at: now,
            heard_at: now,
            acknowledge_asked_at: None,
            asked: [None; ASKED],
            round_trip: None,
            acknowledged: false,
            status_asked_at: now,
            status_sequence: 0,
            stopping: None,
            closed: false,
            greet: true,
            offline: false,
            estop: false,
        }
    }

    /// Points for the mirrors: all or none.
    pub(super) fn offer(&mut self, now: HostTime, points: &[LaserPoint], pps: u32) -> bool {
        self.metronome.offer(now, points, pps)
    }

    /// How the beginning of a time line is kept dark.
    pub(super) const fn settling_mut(&mut self) -> &mut Settling {
        self.metronome.settling_mut()
    }

    /// What is not shown yet.
    pub(super) fn held(&mut self, now: HostTime) -> Held {
        self.metronome.held(now)
    }

    pub(super) const fn underflows(&self) -> u32 {
        self.metronome.underflows()
    }

    /// True once the device has acknowledged a message.
    pub(super) const fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    pub(super) const fn is_estop(&self) -> bool {
        self.estop
    }

    pub(super) const fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// Dark at once: drops everything here and there. A device that has just confirmed that it is closed, or is
    /// being told, is not told once more.
    pub(super) fn stop(&mut self, now: HostTime) {
        self.metronome.clear();
        self.greet = false;
        self.config_at = None;
        if self.closed || self.stopping.is_some() {
            return;
        }
        self.stopping = Some(Stopping {
            attempts: 0,
            again_at: now,
            aborted: false,
            first_sequence: self.sequence,
        });
    }

    /// An operator's reset: helps once the output is no longer offline.
    pub(super) const fn clear_estop(&mut self) {
        self.estop = self.offline;
    }

    /// The datagram that is due next on the connection, if there is one.
    pub(super) fn next(&mut self, now: HostTime) -> Option<&[u8]> {
        if self.stopping.is_some() {
            return self.next_of_stop(now);
        }
        if self.greet {
            return Some(self.greeting(now));
        }
        if !self.estop && self.wave(now) {
            return Some(&self.out);
        }
        if now.since(self.said_at) >= KEEP_ALIVE_EVERY {
            let asks = self.asks(now);
            self.closed = false;
            self.begin(now, if asks { command::MESSAGE_ACK } else { command::MESSAGE });
            Message::keep_alive(self.channel(), micros(now)).emit(&mut self.out);
            return Some(&self.out);
        }
        None
    }

    /// The question for the device's status that is due, sent beside the connection: there it would count
    /// as one of its packets.
    pub(super) fn next_question(&mut self, now: HostTime) -> Option<[u8; HELLO_BYTES]> {
        if now.since(self.status_asked_at) < ASK_STATUS_EVERY {
            return None;
        }
        self.status_asked_at = now;
        self.status_sequence = self.status_sequence.wrapping_add(1);
        Some(Hello::new(command::SCAN, self.status_sequence).emit())
    }

    /// Says if the device has been silent for too long.
    pub(super) fn check_silence(&self, now: HostTime) -> Result<(), Trouble> {
        match now.since(self.heard_at) {
            silence if silence > SILENCE => Err(Trouble::Silent(silence)),
            _ => Ok(()),
        }
    }

    /// Takes a datagram of the device. What cannot be read is ignored: anybody may send datagrams.
    pub(super) fn receive(&mut self, now: HostTime, packet: &[u8]) -> Result<(), Trouble> {
        let Ok((hello, body)) = Hello::parse(packet) else { return Ok(()) };
        match hello.command {
            command::ACKNOWLEDGE => match Acknowledge::parse(body) {
                Ok(said) => {
                    self.heard_at = now;
                    self.acknowledged = true;
                    self.hear(now, hello.sequence, &said)
                }
                Err(_) => Ok(()),
            },
            command::SCAN_REPLY => match ScanReply::parse(body) {
                Ok(reply) => {
                    self.heard_at = now;
                    self.take_status(reply.status)
                }
                Err(_) => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Notes that the message of the present sequence number is to be acknowledged.
    fn note_question(&mut self, now: HostTime) {
        self.asked.rotate_left(1);
        self.asked[ASKED - 1] = Some((self.sequence, now));
    }

    fn measure_way(&mut self, now: HostTime, sequence: u16) {
        let found = self.asked.iter_mut().find(|asked| asked.is_some_and(|(of, _)| of == sequence));
        let Some((_, sent)) = found.and_then(Option::take) else { return };
        let took = now.since(sent);
        let known = self.round_trip.map(|known| known + known / ROUND_TRIP_AGES);
        let round_trip = known.map_or(took, |known| known.min(took));
        self.round_trip = Some(round_trip);
        self.metronome.learn_way(round_trip / 2);
    }

    fn hear(&mut self, now: HostTime, sequence: u16, said: &Acknowledge) -> Result<(), Trouble> {
        self.measure_way(now, sequence);
        if let Some(stop) = self.stopping {
            // What was sent before the stop may be complained of now: it does not matter any more.
            if sequence.wrapping_sub(stop.first_sequence) < 0x8000 {
                self.stopping = None;
                self.closed = true;
            }
            return Ok(());
        }
        match said.result {
            outcome::OCCUPIED => return Err(Trouble::Busy),
            outcome::EXCLUDED => return Err(Trouble::Excluded),
            outcome::BAD_PAYLOAD => {
                return Err(Trouble::Protocol("it cannot read our messages".to_owned()));
            }
            _ => {}
        }
        let events = said.pipeline_events;
        if events & pipeline_event::BUSY != 0 {
            return Err(Trouble::Busy);
        }
        if events & pipeline_event::BAD_SERVICE != 0 {
            return Err(Trouble::NoService);
        }
        if events & pipeline_event::DEVICE_ERROR != 0 {
            return Err(Trouble::Malfunction);
        }
        let misread = pipeline_event::BAD_CONFIG
            | pipeline_event::WRONG_CHUNK
            | pipeline_event::MISMATCH
            | pipeline_event::BAD_DATA;
        if events & misread != 0 {
            self.renew_config(now);
        }
        // A jump alone needs no new match: were the new configuration lost, everything after it would be.
        if events & (pipeline_event::CLOSED | pipeline_event::DISCONTINUITY) != 0 {
            self.config_at = None;
        }
        if said.latency_us > 0 {
            self.metronome.learn_latency(Duration::from_micros(u64::from(said.latency_us)));
        }
        Ok(())
    }

    fn take_status(&mut self, bits: u8) -> Result<(), Trouble> {
        if bits & status::MALFUNCTION != 0 {
            return Err(Trouble::Malfunction);
        }
        if bits & status::EXCLUDED != 0 {
            return Err(Trouble::Excluded);
        }
        self.offline = bits & status::OFFLINE != 0;
        if self.offline && !self.estop {
            self.estop = true;
            self.metronome.clear();
        }
        Ok(())
    }

    /// The next messages carry the configuration anew, under another match where that is allowed: several of
    /// them, since one may be lost.
    fn renew_config(&mut self, now: HostTime) {
        self.config_at = None;
        self.config_repeats = CONFIG_REPEATS;
        if now.since(self.config_changed_at) >= CONFIG_CHANGE_EVERY {
            self.config_changed_at = now;
            self.data_match = (self.data_match + 1) & 3;
        }
    }

    const fn channel(&self) -> u8 {
        channel_of(self.service)
    }

    /// True if the message about to leave shall be acknowledged.
    fn asks(&mut self, now: HostTime) -> bool {
        let asks =
            self.acknowledge_asked_at.is_none_or(|asked| now.since(asked) >= ACKNOWLEDGE_EVERY);
        if asks {
            self.acknowledge_asked_at = Some(now);
            self.note_question(now);
        }
        asks
    }

    fn begin(&mut self, now: HostTime, command: u8) {
        self.out.clear();
        self.out.extend_from_slice(&Hello::new(command, self.sequence).emit());
        self.sequence = self.sequence.wrapping_add(1);
        self.said_at = now;
    }

    fn config(&self) -> ChannelConfig<'_> {
        ChannelConfig {
            data_match: self.data_match,
            close: false,
            routing: true,
            service: self.service,
            mode: mode::CONTINUOUS,
            words: &self.words,
        }
    }

    /// Opens the channel with dark points at the origin.
    fn greeting(&mut self, now: HostTime) -> &[u8] {
        self.closed = false;
        self.greet = false;
        self.config_at = Some(now);
        self.acknowledge_asked_at = Some(now);
        self.note_question(now);
        self.begin(now, command::MESSAGE_ACK);
        let mut out = std::mem::take(&mut self.out);
        let chunk = Chunk::Wave { data_match: self.data_match, duration: 1000, data: &[] };
        let config = Some(self.config());
        Message { channel: self.channel(), timestamp: micros(now), config, chunk }.emit_wave(
            MIN_SAMPLES * SAMPLE_BYTES,
            &mut out,
            |data| data.fill(0),
        );
        self.out = out;
        &self.out
    }

    /// Asks to be greeted once more: the first one may be lost.
    pub(super) const fn greet_again(&mut self) {
        self.greet = true;
    }

    /// Puts the wave message that is due into `out`.
    fn wave(&mut self, now: HostTime) -> bool {
        if now.since(self.heard_at) > QUIET {
            self.metronome.settling_mut().begin();
        }
        let Some(packet) = self.metronome.next_packet(now) else { return false };
        self.closed = false;
        if packet.restarts {
            self.config_at = None;
        }
        let (channel, timestamp) = (channel_of(self.service), packet.timestamp);
        let chunk =
            Chunk::Wave { data_match: self.data_match, duration: packet.duration_us, data: &[] };
        let bytes = packet.points.len() * SAMPLE_BYTES;
        let with_config = self.config_at.is_none_or(|sent| now.since(sent) >= CONFIG_EVERY);
        let asks =
            self.acknowledge_asked_at.is_none_or(|asked| now.since(asked) >= ACKNOWLEDGE_EVERY);
        let hello =
            Hello::new(if asks { command::MESSAGE_ACK } else { command::MESSAGE }, self.sequence);
        let config = with_config.then_some(ChannelConfig {
            data_match: self.data_match,
            close: false,
            routing: true,
            service: self.service,
            mode: mode::CONTINUOUS,
            words: &self.words,
        });
        self.out.clear();
        self.out.extend_from_slice(&hello.emit());
        let message = Message { channel, timestamp, config, chunk };
        message.emit_wave(bytes, &mut self.out, |data| {
            encode_points(packet.points, data);
        });
        if asks {
            self.acknowledge_asked_at = Some(now);
            self.note_question(now);
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.said_at = now;
        if with_config {
            let again = self.config_repeats > 0;
            self.config_repeats = self.config_repeats.saturating_sub(1);
            self.config_at = (!again).then_some(now);
        }
        debug_assert!(self.out.len() <= MAX_PAYLOAD);
        true
    }

    /// An abort, then a close that is acknowledged; both again until it is, a few times.
    fn next_of_stop(&mut self, now: HostTime) -> Option<&[u8]> {
        let stop = self.stopping.as_mut()?;
        if now < stop.again_at {
            return None;
        }
        if stop.attempts == STOP_ATTEMPTS {
            self.stopping = None;
            return None;
        }
        if !stop.aborted {
            stop.aborted = true;
            self.begin(now, command::ABORT);
            return Some(&self.out);
        }
        stop.aborted = false;
        stop.attempts += 1;
        stop.again_at = now + STOP_AGAIN_AFTER;
        self.begin(now, command::CLOSE_ACK);
        Message::close(self.channel(), micros(now)).emit(&mut self.out);
        Some(&self.out)
    }
}

/// The channel of an output, as the Helios SDK numbers it.
const fn channel_of(service: u8) -> u8 {
    service.saturating_sub(1) & 0x3f
}

/// The host's clock as a time stamp.
const fn micros(now: HostTime) -> u32 {
    now.as_nanos().div_euclid(1000) as u32
}
