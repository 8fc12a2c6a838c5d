//! The device itself, as a value: datagrams and time in, answers out.
//!
//! Written from `docs/protocols/lasercube_wifi.md` alone; it shares the byte formats with the driver, and no
//! behaviour. What the sheet leaves open is a choice in [`Model`], so that the driver can be tested with both.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::dac::simulator::{Playback as Mirrors, QueuedPoint, Recorder};
use crate::point::LaserPoint;
use crate::time::HostTime;
use crate::wire::lasercube_wifi::{
    ALIVE_ANSWER, ALIVE_PING, Acknowledge, Command, Connection, DataPacket, Info, Reply,
};

/// The rate it plays at when switched on, points per second.
const POWER_ON_PPS: u32 = 30_000;
/// The code in a refusal.
const REFUSED: u8 = 1;

/// Where a datagram comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// Signs of life.
    Alive,
    /// Commands.
    Command,
    /// Points.
    Data,
}

/// What a device is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Model {
    /// Points its buffer holds.
    pub buffer_points: u16,
    /// Highest rate, points per second.
    pub max_pps: u32,
    /// Its clock is off by this many millionths.
    pub ppm: f64,
    /// How it is on the network.
    pub connection: Connection,
    /// True if points leave while the output is off: the sources do not say.
    pub drains_while_off: bool,
    /// True if it knows the command that empties the buffer: one source only.
    pub clears: bool,
    /// True if it acknowledges in the short form, without the datagram's number.
    pub short_acknowledge: bool,
    /// Its serial number, an Ethernet address; `None` for that of the one in the sheet, or one of a server's own.
    pub serial: Option<[u8; 6]>,
    /// What it is called, ended by a zero.
    pub name: [u8; 26],
}

impl Model {
    /// Called by this name, as much of it as fits.
    #[must_use]
    pub fn called(mut self, name: &str) -> Self {
        self.name = [0; 26];
        let fits = (0..=25.min(name.len())).rev().find(|&len| name.is_char_boundary(len));
        let fits = &name.as_bytes()[..fits.unwrap_or_default()];
        self.name[..fits.len()].copy_from_slice(fits);
        self
    }
}

impl Default for Model {
    fn default() -> Self {
        Self {
            buffer_points: 6000,
            max_pps: 40_000,
            ppm: 0.0,
            connection: Connection::WifiClient,
            drains_while_off: true,
            clears: true,
            short_acknowledge: false,
            serial: None,
            name: [0; 26],
        }
        .called("LaserCube")
    }
}

/// Points are dark on the mirrors while the output is off.
struct Diodes {
    on: Arc<AtomicBool>,
    inner: Box<dyn Recorder>,
}

impl Recorder for Diodes {
    fn shown(&mut self, at: HostTime, index: u64, point: &LaserPoint) {
        if self.on.load(Ordering::Relaxed) {
            self.inner.shown(at, index, point);
        } else {
            self.inner.shown(at, index, &point.blanked());
        }
    }

    fn begun(&mut self, at: HostTime) {
        self.inner.begun(at);
    }

    fn seen_until(&mut self, now: HostTime) {
        self.inner.seen_until(now);
    }
}

/// A virtual LaserCube.
#[derive(Debug)]
pub struct Device {
    model: Model,
    mirrors: Mirrors,
    pps: u32,
    output: Arc<AtomicBool>,
    acknowledges: bool,
    interlock: bool,
    too_hot: bool,
    last_message: Option<u8>,
    missed: u8,
    overruns: u64,
    battery_percent: u8,
}

impl Device {
    /// A device just switched on. `recorder` watches its mirrors.
    #[must_use]
    pub fn new(model: Model, recorder: Option<Box<dyn Recorder>>) -> Self {
        let output = Arc::new(AtomicBool::new(false));
        let recorder = recorder
            .map(|inner| Box::new(Diodes { on: Arc::clone(&output), inner }) as Box<dyn Recorder>);
        Self {
            model,
            mirrors: Mirrors::new(usize::from(model.buffer_points), model.ppm, recorder),
            pps: POWER_ON_PPS.min(model.max_pps),
            output,
            acknowledges: false,
            interlock: false,
            too_hot: false,
            last_message: None,
            missed: 0,
            overruns: 0,
            battery_percent: 87,
        }
    }

    /// Takes a datagram; the answer, if there is one, is appended to `out`.
    pub fn feed(&mut self, now: HostTime, port: Port, bytes: &[u8], out: &mut Vec<u8>) {
        self.advance(now);
        match port {
            Port::Alive if bytes.starts_with(&ALIVE_PING) => out.extend_from_slice(&ALIVE_ANSWER),
            Port::Alive => {}
            Port::Command => {
                if let Ok(command) = Command::parse(bytes) {
                    self.execute(now, command, out);
                }
            }
            Port::Data => {
                if let Ok(packet) = DataPacket::parse(bytes) {
                    self.store(now, &packet, out);
                }
            }
        }
    }

    /// Lets time pass until `now`.
    pub fn advance(&mut self, now: HostTime) {
        // An empty buffer plays on with the next points.
        self.mirrors.advance(now);
    }

    fn execute(&mut self, now: HostTime, command: Command, out: &mut Vec<u8>) {
        match command {
            Command::GetInfo => return Reply::Info(self.info()).emit(out),
            Command::GetFree => return Reply::Free(self.free()).emit(out),
            Command::BufferReplies(on) => self.acknowledges = on,
            Command::Output(on) => {
                self.output.store(on, Ordering::Relaxed);
                if !on && !self.model.drains_while_off {
                    self.mirrors.stop(now);
                }
                self.begin_if_it_can(now);
            }
            Command::SetRate(pps) if pps == 0 || pps > self.model.max_pps => {
                out.extend_from_slice(&[command.opcode(), REFUSED]);
                return;
            }
            Command::SetRate(pps) => {
                self.pps = pps;
                self.mirrors.set_pps(now, pps);
            }
            Command::ClearBuffer if self.model.clears => {
                self.mirrors.stop(now);
                self.mirrors.clear();
            }
            Command::ClearBuffer | Command::Threshold(_) => {}
        }
        Reply::Done(command.opcode()).emit(out);
    }

    fn store(&mut self, now: HostTime, packet: &DataPacket<'_>, out: &mut Vec<u8>) {
        if let Some(last) = self.last_message {
            let gap = packet.message.wrapping_sub(last).wrapping_sub(1);
            if gap > 0 && gap < 128 {
                self.missed = self.missed.wrapping_add(gap);
            }
        }
        self.last_message = Some(packet.message);
        for point in packet.points() {
            let point = QueuedPoint { point: point.to_point(), new_pps: None };
            self.overruns += u64::from(!self.mirrors.push(point));
        }
        self.begin_if_it_can(now);
        if self.acknowledges {
            let message = (!self.model.short_acknowledge).then_some(packet.message);
            Acknowledge { message, free_points: self.free() }.emit(out);
        }
    }

    fn begin_if_it_can(&mut self, now: HostTime) {
        let drains = self.output_enabled() || self.model.drains_while_off;
        if drains && !self.mirrors.is_playing() && self.mirrors.queued() > 0 {
            self.mirrors.begin(now, self.pps);
            self.mirrors.advance(now);
        }
    }

    fn free(&self) -> u16 {
        (self.mirrors.capacity() - self.mirrors.queued()) as u16
    }

    /// What it says of itself now.
    #[must_use]
    pub fn info(&self) -> Info {
        let flags = u8::from(self.output_enabled())
            | u8::from(self.interlock) << 1
            | u8::from(self.too_hot) << 3
            | (self.missed & 0xf) << 4;
        Info {
            firmware: (0, 24),
            flags,
            pps: self.pps,
            max_pps: self.model.max_pps,
            free_points: self.free(),
            buffer_points: self.model.buffer_points,
            battery_percent: Some(self.battery_percent),
            temperature_c: if self.too_hot { 71 } else { 35 },
            connection: self.model.connection,
            serial: self.model.serial.unwrap_or([0x94, 0xb9, 0x7e, 0x12, 0x34, 0x56]),
            address: [0; 4],
            model: 6,
            name: self.model.name,
        }
    }

    /// True while light is allowed.
    #[must_use]
    pub fn output_enabled(&self) -> bool {
        self.output.load(Ordering::Relaxed)
    }

    /// True while it answers datagrams of points.
    #[must_use]
    pub const fn acknowledges(&self) -> bool {
        self.acknowledges
    }

    /// Points dropped because the buffer was full.
    #[must_use]
    pub const fn overruns(&self) -> u64 {
        self.overruns
    }

    /// The rate it plays at, points per second.
    #[must_use]
    pub const fn pps(&self) -> u32 {
        self.pps
    }

    /// Opens or closes the interlock. It tells; it does not blank by itself (the sources do not say).
    pub fn set_interlock_open(&mut self, now: HostTime, open: bool) {
        self.advance(now);
        self.interlock = open;
    }

    /// Makes it too hot, or lets it cool down.
    pub fn set_too_hot(&mut self, now: HostTime, too_hot: bool) {
        self.advance(now);
        self.too_hot = too_hot;
    }

    /// The charge that it tells, percent.
    pub const fn set_battery(&mut self, percent: u8) {
        self.battery_percent = percent;
    }

    /// Loses its buffer, as if the host had been late.
    pub fn starve(&mut self, now: HostTime) {
        self.advance(now);
        self.mirrors.clear();
    }

    /// Switches it off and on again: dark, empty, and it has forgotten its settings.
    pub fn restart(&mut self, now: HostTime) {
        self.advance(now);
        self.mirrors.stop(now);
        self.mirrors.clear();
        self.output.store(false, Ordering::Relaxed);
        self.acknowledges = false;
        self.pps = POWER_ON_PPS.min(self.model.max_pps);
        self.last_message = None;
        self.missed = 0;
    }

    /// The mirrors and their queue.
    #[must_use]
    pub const fn mirrors(&self) -> &Mirrors {
        &self.mirrors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;
    use crate::wire::lasercube_wifi::encode_packet;
    use std::time::Duration;

    fn say(device: &mut Device, now: HostTime, command: Command) -> Vec<u8> {
        let (mut bytes, mut out) = (Vec::new(), Vec::new());
        command.emit(&mut bytes);
        device.feed(now, Port::Command, &bytes, &mut out);
        out
    }

    fn points(device: &mut Device, now: HostTime, message: u8, count: usize) -> Vec<u8> {
        let (mut bytes, mut out) = (Vec::new(), Vec::new());
        let lit = vec![LaserPoint::lit(0.0, 0.0, Colour::WHITE); count];
        encode_packet(message, 0, &lit, &mut bytes);
        device.feed(now, Port::Data, &bytes, &mut out);
        out
    }

    #[test]
    fn a_fresh_device_is_dark_and_says_nothing_to_points() {
        let mut device = Device::new(Model::default(), None);
        assert!(points(&mut device, HostTime::ZERO, 0, 100).is_empty());
        assert!(!device.output_enabled());
        let mut out = Vec::new();
        device.feed(HostTime::ZERO, Port::Alive, &[0x27], &mut out);
        assert_eq!(out, [0x27, 0x00]);
    }

    #[test]
    fn acknowledgements_carry_the_number_and_the_room_after_the_points() {
        let model = Model { drains_while_off: false, ..Model::default() };
        let mut device = Device::new(model, None);
        assert_eq!(say(&mut device, HostTime::ZERO, Command::BufferReplies(true)), [0x78, 0]);
        let seen = Acknowledge::parse(&points(&mut device, HostTime::ZERO, 7, 500)).unwrap();
        assert_eq!(seen, Acknowledge { message: Some(7), free_points: 5500 });
        let at_full = points(&mut device, HostTime::ZERO, 8, 6000);
        assert_eq!(Acknowledge::parse(&at_full).unwrap().free_points, 0);
        assert_eq!(device.overruns(), 500);
    }

    #[test]
    fn it_plays_at_its_rate_while_on_and_holds_while_off() {
        let model = Model { drains_while_off: false, ..Model::default() };
        let mut device = Device::new(model, None);
        points(&mut device, HostTime::ZERO, 0, 3000);
        let second = HostTime::ZERO + Duration::from_secs(1);
        device.advance(second);
        assert_eq!(device.mirrors().queued(), 3000);
        say(&mut device, second, Command::SetRate(20_000));
        say(&mut device, second, Command::Output(true));
        device.advance(second + Duration::from_millis(50));
        assert!(device.mirrors().queued().abs_diff(2000) <= 1);
        say(&mut device, second + Duration::from_millis(50), Command::ClearBuffer);
        assert_eq!(device.info().free_points, 6000);
    }

    #[test]
    fn unlawful_rates_are_refused_and_missing_numbers_counted() {
        let mut device = Device::new(Model::default(), None);
        assert_eq!(say(&mut device, HostTime::ZERO, Command::SetRate(0)), [0x82, 1]);
        assert_eq!(say(&mut device, HostTime::ZERO, Command::SetRate(40_001)), [0x82, 1]);
        for message in [250, 251, 254, 255, 0, 2] {
            points(&mut device, HostTime::ZERO, message, 1);
        }
        assert_eq!(device.info().packet_errors(), Some(3));
    }
}
