//! The device itself, as a value: bytes and time in, bytes out.
//!
//! Written from `docs/protocols/ether_dream.md` alone; it shares the byte formats with the driver, and no
//! behaviour.

use crate::dac::simulator::{Playback as Mirrors, QueuedPoint, Recorder};
use crate::time::HostTime;
use crate::wire::ether_dream::{
    Announcement, Answer, Command, Error, LEAST_POINTS, LightEngine, Playback, PointRecords,
    Response, Status, VERSION_BYTES, engine_flag, opcode, playback_flag,
};

/// The highest rate of both generations, points per second.
const MAX_PPS: u32 = 100_000;
/// What an Ether Dream 2 fills the unused playback flags with, the shutter bit included.
const GARBAGE_FLAGS: u16 = 0x7731;
/// Rate changes that may be queued.
const RATE_QUEUE: usize = 199;

/// Which device is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// The first one: stores what fits of an overfull write, plays on when the connection goes.
    One,
    /// The second one: stores nothing of an overfull write, stops when the connection goes.
    #[default]
    Two,
    /// The third one: as the second, and goes idle without a flag with fewer than 256 points queued.
    Three,
}

/// A virtual Ether Dream.
#[derive(Debug)]
pub struct Device {
    generation: Generation,
    mac: [u8; 6],
    mirrors: Mirrors,
    state: Playback,
    light_engine: LightEngine,
    engine_flags: u16,
    ended_by: u16,
    /// The queue level a stop left in the status, shown until the next prepare.
    stale_fullness: Option<u16>,
    rates: std::collections::VecDeque<u32>,
    estop_held: bool,
    hung: bool,
    inbox: Vec<u8>,
    wants_close: bool,
    knows_version: bool,
    prepares: u32,
}

impl Device {
    /// A device just switched on. Its clock is off by `ppm` millionths; `recorder` watches its mirrors.
    /// `capacity` is that of the generation unless given.
    #[must_use]
    pub fn new(
        generation: Generation,
        capacity: Option<u16>,
        ppm: f64,
        recorder: Option<Box<dyn Recorder>>,
    ) -> Self {
        let capacity = capacity.unwrap_or(match generation {
            Generation::One => 1799,
            Generation::Two => 3899,
            // No recording is known; the number is that of the simulator of laser-dac-rs.
            Generation::Three => 4095,
        });
        let least = if generation == Generation::Three { LEAST_POINTS as usize } else { 0 };
        Self {
            generation,
            mac: [0xd8, 0x80, 0x39, 0, 0, 0],
            mirrors: Mirrors::new(usize::from(capacity), ppm, recorder).stopping_below(least),
            state: Playback::Idle,
            light_engine: LightEngine::Ready,
            engine_flags: 0,
            ended_by: 0,
            stale_fullness: None,
            rates: std::collections::VecDeque::with_capacity(RATE_QUEUE),
            estop_held: false,
            hung: false,
            inbox: Vec::new(),
            wants_close: false,
            knows_version: true,
            prepares: 0,
        }
    }

    /// With this Ethernet address.
    #[must_use]
    pub const fn with_address(mut self, mac: [u8; 6]) -> Self {
        self.mac = mac;
        self
    }

    /// Firmware that does not know `v`: it is bytes that are no command.
    #[must_use]
    pub const fn without_version(mut self) -> Self {
        self.knows_version = false;
        self
    }

    /// A client has connected: the greeting is appended to `out`.
    pub fn connect(&mut self, now: HostTime, out: &mut Vec<u8>) {
        self.inbox.clear();
        self.wants_close = false;
        self.advance(now);
        if !self.hung {
            self.answer(Answer::Ack, opcode::PING, out);
        }
    }

    /// The client has gone.
    pub fn disconnect(&mut self, now: HostTime) {
        self.advance(now);
        self.inbox.clear();
        if self.generation != Generation::One && self.state != Playback::Idle {
            self.end_stream(now, 0);
        }
    }

    /// Takes bytes from the client; answers are appended to `out`.
    pub fn feed(&mut self, now: HostTime, bytes: &[u8], out: &mut Vec<u8>) {
        self.advance(now);
        if self.hung || self.wants_close {
            return;
        }
        let mut inbox = std::mem::take(&mut self.inbox);
        inbox.extend_from_slice(bytes);
        let mut read = 0;
        while !self.hung && !self.wants_close {
            match Command::parse(&inbox[read..]) {
                Ok((command, len)) => read += self.execute(now, &command, len, out),
                Err(Error::Incomplete) => break,
                Err(_) => self.choke(now),
            }
        }
        inbox.drain(..read);
        self.inbox = inbox;
    }

    /// Lets time pass until `now`.
    pub fn advance(&mut self, now: HostTime) {
        if self.mirrors.advance(now).is_some() {
            self.underflow(now);
        }
    }

    /// The moment at which bytes found at `now` count as arrived. They came at some time since the last look; if
    /// the queue ran dry in between it is given the benefit of the doubt, so that a machine that lets the
    /// simulator wait is not taken for a host that was late.
    #[must_use]
    pub fn arrived_at(&self, now: HostTime) -> HostTime {
        self.mirrors.runs_dry_at().map_or(now, |dry| dry.min(now)).max(self.mirrors.seen_until())
    }

    fn underflow(&mut self, now: HostTime) {
        self.mirrors.stop(now);
        self.mirrors.clear();
        self.state = Playback::Idle;
        let tells = self.generation != Generation::Three;
        self.ended_by = if tells { playback_flag::UNDERFLOW } else { 0 };
        self.stale_fullness = None;
    }

    /// The emergency stop input: pressed, or let go. It stays in effect until it is cleared.
    pub fn set_estop_input(&mut self, now: HostTime, pressed: bool) {
        self.estop_held = pressed;
        if pressed {
            self.emergency_stop(now, engine_flag::ESTOP_BY_INPUT | engine_flag::INPUT_ACTIVE);
        } else {
            self.engine_flags &= !engine_flag::INPUT_ACTIVE;
        }
    }

    /// Another client clears the emergency stop: in vain while its input is pressed.
    pub fn clear_estop(&mut self, now: HostTime) {
        self.advance(now);
        if !self.estop_held {
            self.light_engine = LightEngine::Ready;
            self.engine_flags = 0;
        }
    }

    /// The light engine warms up, cools down or is ready: without it the device plays nothing.
    pub fn set_light_engine(&mut self, now: HostTime, state: LightEngine) {
        self.advance(now);
        if state != LightEngine::Ready && self.state != Playback::Idle {
            self.end_stream(now, 0);
        }
        self.light_engine = state;
    }

    /// Runs empty if it plays, as if the host had been late.
    pub fn starve(&mut self, now: HostTime) {
        self.advance(now);
        if self.state == Playback::Playing {
            self.underflow(now);
        }
    }

    /// True once the device wants the connection closed (it got bytes it does not know).
    #[must_use]
    pub const fn wants_close(&self) -> bool {
        self.wants_close
    }

    /// True once the device has hung: only power helps.
    #[must_use]
    pub const fn is_hung(&self) -> bool {
        self.hung
    }

    /// Times it was prepared: each moves the shutter's relay.
    #[must_use]
    pub const fn prepares(&self) -> u32 {
        self.prepares
    }

    /// The mirrors and their queue.
    #[must_use]
    pub const fn mirrors(&self) -> &Mirrors {
        &self.mirrors
    }

    /// What it broadcasts now.
    #[must_use]
    pub fn announcement(&self) -> Announcement {
        Announcement {
            mac: self.mac,
            hw_revision: match self.generation {
                Generation::One => 0,
                Generation::Two => 10,
                Generation::Three => 30,
            },
            sw_revision: 2,
            capacity: self.mirrors.capacity() as u16,
            max_pps: MAX_PPS,
            status: self.status(),
        }
    }

    /// Its state as the protocol tells it.
    #[must_use]
    pub fn status(&self) -> Status {
        let playing = self.state == Playback::Playing;
        let shutter_and_garbage = match self.generation {
            Generation::One => u16::from(playing),
            Generation::Two | Generation::Three => GARBAGE_FLAGS,
        };
        Status {
            light_engine: self.light_engine,
            playback: self.state,
            light_engine_flags: self.engine_flags,
            playback_flags: shutter_and_garbage | self.ended_by,
            fullness: self.stale_fullness.unwrap_or(self.mirrors.queued() as u16),
            point_rate: if playing { self.mirrors.pps() } else { 0 },
            point_count: if playing { self.mirrors.shown_since_start() as u32 } else { 0 },
            ..Status::default()
        }
    }

    /// Executes a command; returns how many of its `len` bytes are consumed.
    fn execute(
        &mut self,
        now: HostTime,
        command: &Command<'_>,
        len: usize,
        out: &mut Vec<u8>,
    ) -> usize {
        let stopped = self.light_engine == LightEngine::EmergencyStop;
        let refusal = if stopped { Answer::Stop } else { Answer::Invalid };
        let streams = self.state != Playback::Idle;
        let mut consumed = len;
        let answer = match *command {
            Command::Version if !self.knows_version => {
                self.choke(now);
                return len;
            }
            Command::Version => {
                let mut text = [0; VERSION_BYTES];
                text[..12].copy_from_slice(b"r331-ed4bef5");
                out.extend_from_slice(&text);
                return len;
            }
            Command::Ping => Answer::Ack,
            Command::Prepare if self.light_engine == LightEngine::Ready && !streams => {
                self.prepares += 1;
                self.mirrors.clear();
                self.rates.clear();
                self.stale_fullness = None;
                self.ended_by = 0;
                self.state = Playback::Prepared;
                Answer::Ack
            }
            Command::Begin { pps, .. }
            | Command::UpdateRate { pps, .. }
            | Command::QueueRate { pps }
                if pps > MAX_PPS =>
            {
                // The arguments are left in the stream and executed as commands.
                consumed = 1;
                Answer::Invalid
            }
            Command::Begin { pps: 0, .. }
            | Command::UpdateRate { pps: 0, .. }
            | Command::QueueRate { pps: 0 } => {
                self.hung = true;
                self.mirrors.stop(now);
                return len;
            }
            Command::Begin { pps, .. } if !stopped => match self.state {
                // Acknowledged, and ignored.
                Playback::Idle => Answer::Ack,
                Playback::Prepared => {
                    self.mirrors.begin(now, pps);
                    self.state = Playback::Playing;
                    Answer::Ack
                }
                Playback::Playing => Answer::Invalid,
            },
            Command::UpdateRate { pps, .. } if !stopped && streams => {
                self.mirrors.set_pps(now, pps);
                Answer::Ack
            }
            Command::QueueRate { pps } if !stopped && streams && self.rates.len() < RATE_QUEUE => {
                self.rates.push_back(pps);
                Answer::Ack
            }
            Command::Data(records) if !stopped && streams => self.store(records),
            Command::Stop if streams => {
                self.end_stream(now, 0);
                Answer::Ack
            }
            Command::EmergencyStop => {
                self.emergency_stop(now, engine_flag::ESTOP_BY_PACKET);
                Answer::Ack
            }
            Command::ClearEstop => {
                if self.estop_held {
                    Answer::Stop
                } else {
                    self.light_engine = LightEngine::Ready;
                    self.engine_flags = 0;
                    Answer::Ack
                }
            }
            _ => refusal,
        };
        self.answer(answer, command.opcode(), out);
        consumed
    }

    fn store(&mut self, records: PointRecords<'_>) -> Answer {
        let room = self.mirrors.capacity() - self.mirrors.queued();
        let overfull = records.len() > room;
        if overfull && self.generation != Generation::One {
            return Answer::Invalid;
        }
        for record in records.iter().take(room) {
            let new_pps = if record.changes_rate() { self.rates.pop_front() } else { None };
            let stored = self.mirrors.push(QueuedPoint { point: record.to_point(), new_pps });
            debug_assert!(stored, "there was room");
        }
        if overfull { Answer::Invalid } else { Answer::Ack }
    }

    fn end_stream(&mut self, now: HostTime, why: u16) {
        self.mirrors.stop(now);
        self.state = Playback::Idle;
        self.ended_by = why;
        self.stale_fullness = Some(self.mirrors.queued() as u16);
        self.mirrors.clear();
    }

    fn emergency_stop(&mut self, now: HostTime, cause: u16) {
        self.advance(now);
        if self.state == Playback::Idle {
            self.ended_by = playback_flag::ESTOP;
        } else {
            self.end_stream(now, playback_flag::ESTOP);
        }
        self.light_engine = LightEngine::EmergencyStop;
        // An Ether Dream 2 shows its state's number here.
        self.engine_flags = if self.generation == Generation::One { cause } else { 3 };
    }

    /// Bytes that are no command: the first generation hangs up, the second resets.
    fn choke(&mut self, now: HostTime) {
        self.wants_close = true;
        self.inbox.clear();
        if self.generation != Generation::One && self.state != Playback::Idle {
            self.end_stream(now, 0);
        }
    }

    fn answer(&self, answer: Answer, command: u8, out: &mut Vec<u8>) {
        let status = self.status();
        out.extend_from_slice(&Response { answer, command, status }.emit());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::LaserPoint;
    use std::time::Duration;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let digit = |d: u8| (d as char).to_digit(16).unwrap() as u8;
        digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    }

    fn points(n: u16) -> Vec<u8> {
        let mut bytes = vec![opcode::DATA];
        bytes.extend_from_slice(&n.to_le_bytes());
        bytes.resize(3 + usize::from(n) * 18, 0);
        bytes
    }

    fn ask(device: &mut Device, at_us: i64, bytes: &[u8]) -> String {
        let mut out = Vec::new();
        device.feed(HostTime::from_nanos(at_us * 1000), bytes, &mut out);
        out.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    fn ether_dream_2() -> Device {
        Device::new(Generation::Two, None, 0.0, None)
    }

    /// The recordings of an Ether Dream 2 (build r331-ed4bef5, published with laser-dac-rs), replayed: same
    /// questions at the same moments, same answers.
    #[test]
    fn it_answers_as_the_recorded_ether_dream_2_did() {
        let mut device = ether_dream_2();
        let d = &mut device;
        assert_eq!(ask(d, 0, b"v"), "723333312d65643462656635".to_owned() + &"00".repeat(20));
        assert_eq!(ask(d, 0, b"p"), "61700000010000003177000000000000000000000000");
        assert_eq!(ask(d, 0, &points(500)), "616400000100000031770000f4010000000000000000");
        assert_eq!(
            ask(d, 0, &hex("62000030750000")),
            "616200000200000031770000f4013075000000000000"
        );
        assert_eq!(ask(d, 5_470, b"?"), "613f000002000000317700004f0130750000a5000000");
        assert_eq!(ask(d, 50_000, b"?"), "613f0000000000003377000000000000000000000000");
        assert_eq!(ask(d, 50_000, &points(1)), "49640000000000003377000000000000000000000000");
        assert_eq!(
            ask(d, 50_000, &hex("62000030750000")),
            "61620000000000003377000000000000000000000000"
        );
        assert_eq!(
            device.announcement().emit().to_vec(),
            hex("d880390000000a0002003b0fa08601000000000000003377000000000000000000000000")
        );
    }

    /// Origin as above.
    #[test]
    fn rates_stop_and_emergency_stop_answer_as_recorded() {
        let mut device = ether_dream_2();
        let d = &mut device;
        ask(d, 0, b"p");
        ask(d, 0, &points(300));
        ask(d, 0, &hex("62000030750000"));
        assert_eq!(
            ask(d, 290, &hex("750000204e0000")),
            "6175000002000000317700002301204e000009000000"
        );
        assert_eq!(ask(d, 880, &hex("71a8610000")), "6171000002000000317700001701204e000015000000");
        assert_eq!(ask(d, 1_330, b"s"), "6173000000000000317700000e010000000000000000");
        assert_eq!(ask(d, 1_330, b"s"), "4973000000000000317700000e010000000000000000");
        assert_eq!(ask(d, 1_330, &[0]), "6100000300000300357700000e010000000000000000");
        assert_eq!(ask(d, 1_330, b"c"), "6163000000000000357700000e010000000000000000");
    }

    /// Origin as above.
    #[test]
    fn it_takes_exactly_its_capacity() {
        let mut device = ether_dream_2();
        let d = &mut device;
        ask(d, 0, b"p");
        assert_eq!(ask(d, 0, &points(3899)), "6164000001000000317700003b0f0000000000000000");
        assert_eq!(ask(d, 0, &points(1)), "4964000001000000317700003b0f0000000000000000");
        assert_eq!(
            ask(d, 0, &hex("620000e8030000")),
            "6162000002000000317700003b0fe803000000000000"
        );
    }

    #[test]
    fn a_first_generation_device_keeps_what_fits_of_an_overfull_write() {
        let mut device = Device::new(Generation::One, None, 0.0, None);
        let d = &mut device;
        ask(d, 0, b"p");
        ask(d, 0, &points(1700));
        assert!(ask(d, 0, &points(200)).starts_with("4964"));
        assert_eq!(device.mirrors().queued(), 1799);
        assert_eq!(device.announcement().capacity, 1799);
    }

    #[test]
    fn the_third_generation_goes_idle_below_256_points_without_a_flag() {
        let mut device = Device::new(Generation::Three, None, 0.0, None);
        let d = &mut device;
        ask(d, 0, b"p");
        ask(d, 0, &points(300));
        ask(d, 0, &hex("62000010270000"));
        // 10 000 points per second: 45 may be shown.
        d.advance(HostTime::from_nanos(4_450_000));
        assert_eq!((d.mirrors().is_playing(), d.mirrors().shown()), (true, 45));
        d.advance(HostTime::from_nanos(4_550_000));
        let status = d.status();
        assert_eq!((status.playback, status.fullness), (Playback::Idle, 0));
        assert_eq!(status.playback_flags & playback_flag::UNDERFLOW, 0);
    }

    #[test]
    fn a_rate_above_the_maximum_leaves_its_arguments_to_be_executed() {
        let mut device = ether_dream_2();
        ask(&mut device, 0, b"p");
        // The zero bytes of the arguments are emergency stops.
        let answers = ask(&mut device, 0, &hex("62 0000 a1860100"));
        assert!(answers.starts_with("4962"));
        assert_eq!(device.status().light_engine, LightEngine::EmergencyStop);
    }

    #[test]
    fn a_rate_of_zero_hangs_it() {
        let mut device = ether_dream_2();
        ask(&mut device, 0, b"p");
        ask(&mut device, 0, &hex("62 0000 00000000"));
        assert!(device.is_hung());
        assert_eq!(ask(&mut device, 1, b"?"), "");
    }

    #[test]
    fn a_held_emergency_stop_is_not_cleared() {
        let mut device = ether_dream_2();
        device.set_estop_input(HostTime::ZERO, true);
        assert!(ask(&mut device, 0, b"p").starts_with("2170"));
        assert!(ask(&mut device, 0, b"c").starts_with("2163"));
        device.set_estop_input(HostTime::ZERO, false);
        assert!(ask(&mut device, 0, b"c").starts_with("6163"));
    }

    #[test]
    fn bytes_that_are_no_command_end_the_connection() {
        let mut device = ether_dream_2();
        ask(&mut device, 0, &[0x74]);
        assert!(device.wants_close());
    }

    #[test]
    fn the_generations_differ_in_what_a_lost_connection_means() {
        for (generation, plays_on) in [(Generation::One, true), (Generation::Two, false)] {
            let mut device = Device::new(generation, None, 0.0, None);
            ask(&mut device, 0, b"p");
            ask(&mut device, 0, &points(600));
            ask(&mut device, 0, &hex("62000030750000"));
            device.disconnect(HostTime::ZERO + Duration::from_millis(1));
            device.advance(HostTime::ZERO + Duration::from_millis(5));
            assert_eq!(device.mirrors().is_playing(), plays_on, "{generation:?}");
        }
    }

    #[test]
    fn points_come_out_as_they_were_sent() {
        #[derive(Clone, Default)]
        struct Log(std::sync::Arc<std::sync::Mutex<Vec<LaserPoint>>>);
        impl Recorder for Log {
            fn shown(&mut self, _at: HostTime, _index: u64, point: &LaserPoint) {
                self.0.lock().unwrap().push(*point);
            }
        }
        let log = Log::default();
        let mut device = Device::new(Generation::Two, None, 0.0, Some(Box::new(log.clone())));
        ask(&mut device, 0, b"p");
        ask(&mut device, 0, &hex("64 0100 0000 ff7f 0180 0100 0200 0300 0400 0000 0000"));
        ask(&mut device, 0, &hex("62000030750000"));
        device.advance(HostTime::from_nanos(1_000_000));
        let expected = LaserPoint { x: 1.0, y: -1.0, r: 1, g: 2, b: 3, i: 4 };
        assert_eq!(log.0.lock().unwrap()[..], [expected]);
    }
}
