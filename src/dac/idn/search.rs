//! Which IDN devices are there, and which ShowNET units: asks every network, and remembers who answers.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use crate::dac::discovery::{Event, FoundDevice, LOST_AFTER};
use crate::dac::networks::everybody;
use crate::dac::transport::Datagrams;
use crate::time::HostTime;
use crate::wire::idn::{
    HELLO_BYTES, Hello, ScanReply, ServiceMap, UDP_PORT, UnitId, command, status,
};
use crate::wire::shownet;

/// Between two scans.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Between two questions to ShowNET units.
const ASK_SHOWNET_EVERY: Duration = Duration::from_secs(10);
/// Devices remembered at once: a flood of forged answers takes no more memory than this.
const MAX_UNITS: usize = 256;
/// A device that has not told its outputs by then is listed with the default one.
const MAP_QUESTIONS: u32 = 2;

/// The devices heard of: fed with datagrams and time.
#[derive(Debug, Default)]
pub struct Units {
    heard: Vec<Unit>,
    shownet: Vec<([u8; 3], IpAddr, HostTime)>,
}

#[derive(Debug)]
struct Unit {
    reply: ScanReply,
    map: Option<ServiceMap>,
    asked_for_map: u32,
    from: SocketAddr,
    at: HostTime,
}

impl Units {
    /// A datagram has come in answer to a question; returns true if the sender's outputs are to be asked for.
    pub fn hear(
        &mut self,
        bytes: &[u8],
        from: SocketAddr,
        now: HostTime,
        on_event: impl FnMut(Event),
    ) -> bool {
        let Ok((hello, body)) = Hello::parse(bytes) else { return false };
        match hello.command {
            command::SCAN_REPLY => match ScanReply::parse(body) {
                Ok(reply) => self.hear_scan(reply, from, now, on_event),
                Err(_) => false,
            },
            command::SERVICE_MAP_REPLY => {
                let known = self.heard.iter_mut().find(|unit| unit.from == from);
                if let (Ok(map), Some(unit)) = (ServiceMap::parse(body), known) {
                    let before = unit.outputs();
                    unit.map = Some(map);
                    compare(&before, &unit.outputs(), on_event);
                }
                false
            }
            _ => false,
        }
    }

    fn hear_scan(
        &mut self,
        reply: ScanReply,
        from: SocketAddr,
        now: HostTime,
        on_event: impl FnMut(Event),
    ) -> bool {
        let is_same = |unit: &Unit| {
            // Without an identity the address has to do.
            unit.reply.unit == reply.unit && (reply.unit != UnitId::default() || unit.from == from)
        };
        let Some(unit) = self.heard.iter_mut().find(|unit| is_same(unit)) else {
            if self.heard.len() >= MAX_UNITS {
                return false;
            }
            self.heard.push(Unit { reply, map: None, asked_for_map: 1, from, at: now });
            return true;
        };
        // A device answers once on each way to it: the first address stays while it is heard there.
        if unit.from != from && now.since(unit.at) <= 2 * ASK_EVERY {
            return false;
        }
        let before = unit.outputs();
        (unit.reply, unit.from, unit.at) = (reply, from, now);
        unit.asked_for_map = unit.asked_for_map.saturating_add(1);
        compare(&before, &unit.outputs(), on_event);
        true
    }

    /// An answer of a ShowNET unit.
    pub fn hear_shownet(&mut self, bytes: &[u8], from: IpAddr, now: HostTime) -> Option<Event> {
        let answer = shownet::Answer::parse(bytes)?;
        if let Some(known) = self.shownet.iter_mut().find(|(id, ..)| *id == answer.id) {
            (known.1, known.2) = (from, now);
            return None;
        }
        if self.shownet.len() >= MAX_UNITS {
            return None;
        }
        self.shownet.push((answer.id, from, now));
        Some(Event::Found(describe_shownet(answer.id, from)))
    }

    /// Forgets who has been silent for too long.
    pub fn lose(&mut self, now: HostTime, mut on_event: impl FnMut(Event)) {
        self.heard.retain(|unit| {
            let is_there = now.since(unit.at) <= LOST_AFTER;
            if !is_there {
                unit.outputs().into_iter().for_each(|output| on_event(Event::Lost(output)));
            }
            is_there
        });
        self.shownet.retain(|(id, from, at)| {
            let is_there = now.since(*at) <= ASK_SHOWNET_EVERY + LOST_AFTER;
            if !is_there {
                on_event(Event::Lost(describe_shownet(*id, *from)));
            }
            is_there
        });
    }

    /// All outputs of all devices that are there.
    #[must_use]
    pub fn list(&self) -> Vec<FoundDevice> {
        let shownet = self.shownet.iter().map(|(id, from, _)| describe_shownet(*id, *from));
        self.heard.iter().flat_map(Unit::outputs).chain(shownet).collect()
    }
}

impl Unit {
    /// One entry for each laser output.
    fn outputs(&self) -> Vec<FoundDevice> {
        let name = self.reply.display_name();
        let Some(map) = &self.map else {
            let told_nothing = self.asked_for_map > MAP_QUESTIONS;
            return told_nothing.then(|| self.output(&name, 0)).into_iter().collect();
        };
        let several = map.lasers().count() > 1;
        map.lasers()
            .map(|entry| {
                let named = several && !entry.name.is_empty();
                let name = if named { format!("{name}: {}", entry.name) } else { name.clone() };
                self.output(&name, entry.id)
            })
            .collect()
    }

    fn output(&self, name: &str, id: u8) -> FoundDevice {
        let address = match self.from {
            SocketAddr::V4(from) if from.port() == UDP_PORT => from.ip().to_string(),
            SocketAddr::V6(from) if from.port() == UDP_PORT => format!("[{}]", from.ip()),
            from => from.to_string(),
        };
        let service = if id == 0 { String::new() } else { format!("/{id}") };
        FoundDevice {
            name: format!("{name} (IDN)"),
            uri: Some(format!("idn://{address}{service}")),
            serial: Some(format!("{}{service}", self.reply.unit)),
            trouble: trouble(self.reply.status).map(str::to_owned),
            ..FoundDevice::default()
        }
    }
}

/// What a status means for who wants to use the device.
const fn trouble(bits: u8) -> Option<&'static str> {
    if bits & status::MALFUNCTION != 0 {
        Some("it says that it is broken: look at the device")
    } else if bits & status::OFFLINE != 0 {
        Some("its output is offline: it starts up, is too hot, or is in emergency stop")
    } else if bits & status::EXCLUDED != 0 {
        Some("it does not let client group 0 in: change that in its settings")
    } else if bits & status::OCCUPIED != 0 {
        Some("it is taken, by a show that runs or by another program: end that first")
    } else if bits & status::REALTIME == 0 {
        Some("it takes no real-time streams")
    } else {
        None
    }
}

fn describe_shownet(id: [u8; 3], from: IpAddr) -> FoundDevice {
    let [a, b, c] = id;
    FoundDevice {
        name: format!("ShowNET unit at {from}"),
        serial: Some(format!("{a:02x}{b:02x}{c:02x}")),
        trouble: Some(
            "galvo cannot drive it, its protocol is not public: connect an IDN, Ether Dream or Helios interface to its ILDA input"
                .to_owned(),
        ),
        ..FoundDevice::default()
    }
}

/// What changed between two lists of one device's outputs.
fn compare(before: &[FoundDevice], after: &[FoundDevice], mut on_event: impl FnMut(Event)) {
    for new in after {
        match before.iter().find(|old| old.serial == new.serial) {
            None => on_event(Event::Found(new.clone())),
            Some(old) if old != new => on_event(Event::Changed(new.clone())),
            Some(_) => {}
        }
    }
    for old in before.iter().filter(|old| after.iter().all(|new| new.serial != old.serial)) {
        on_event(Event::Lost(old.clone()));
    }
}

/// Asks and listens. Never waits.
#[derive(Debug)]
pub struct Search {
    socket: UdpSocket,
    targets: Vec<SocketAddr>,
    units: Units,
    asked: Option<HostTime>,
    sequence: u16,
    shownet: Option<UdpSocket>,
    shownet_asked: Option<HostTime>,
}

impl Search {
    /// Asks on every network of this host, and this host itself.
    pub fn start() -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_broadcast(true)?;
        let targets = everybody().into_iter().map(|host| SocketAddr::from((host, UDP_PORT)));
        let mut search = Self::over(socket, targets.collect())?;
        // Answers come to one fixed port; if it is taken, these units are not seen.
        search.shownet = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, shownet::HOST_PORT))
            .and_then(|socket| {
                socket.set_broadcast(true)?;
                socket.set_nonblocking(true)?;
                Ok(socket)
            })
            .ok();
        Ok(search)
    }

    /// Asks only these addresses, and only for IDN.
    pub fn over(socket: UdpSocket, targets: Vec<SocketAddr>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            targets,
            units: Units::default(),
            asked: None,
            sequence: 0,
            shownet: None,
            shownet_asked: None,
        })
    }

    fn question(&mut self, kind: u8) -> [u8; HELLO_BYTES] {
        self.sequence = self.sequence.wrapping_add(1);
        Hello::new(kind, self.sequence).emit()
    }

    /// Asks if it is time, and takes in what has arrived.
    pub fn look(&mut self, now: HostTime, mut on_event: impl FnMut(Event)) {
        if self.asked.is_none_or(|asked| now.since(asked) >= ASK_EVERY) {
            self.asked = Some(now);
            let question = self.question(command::SCAN);
            for target in &self.targets {
                // A network that is down is asked again later.
                drop(self.socket.send_to(&question, target));
            }
        }
        let mut buffer = [0; 8192];
        while let Ok(Some((len, from))) = self.socket.try_recv_from(now, &mut buffer) {
            if self.units.hear(&buffer[..len], from, now, &mut on_event) {
                let question = self.question(command::SERVICE_MAP);
                drop(self.socket.send_to(&question, from));
            }
        }
        self.look_for_shownet(now, &mut on_event);
        self.units.lose(now, on_event);
    }

    fn look_for_shownet(&mut self, now: HostTime, mut on_event: impl FnMut(Event)) {
        let Some(socket) = &mut self.shownet else { return };
        if self.shownet_asked.is_none_or(|asked| now.since(asked) >= ASK_SHOWNET_EVERY) {
            self.shownet_asked = Some(now);
            for target in &self.targets {
                let target = (target.ip(), shownet::UNIT_PORT);
                drop(socket.send_to(&shownet::discovery_request(), target));
            }
        }
        let mut buffer = [0; 256];
        while let Ok(Some((len, from))) = socket.try_recv_from(now, &mut buffer) {
            if let Some(event) = self.units.hear_shownet(&buffer[..len], from.ip(), now) {
                on_event(event);
            }
        }
    }

    /// All outputs that are there.
    #[must_use]
    pub fn list(&self) -> Vec<FoundDevice> {
        self.units.list()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dac::simulator::idn::Device;

    fn at(host: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, host], UDP_PORT))
    }

    /// What a device says to a question.
    fn answer(device: &mut Device, question: u8) -> Vec<u8> {
        let mut replies = Vec::new();
        device.feed(HostTime::ZERO, at(1), &Hello::new(question, 7).emit(), &mut replies);
        replies.remove(0)
    }

    fn heard(units: &mut Units, bytes: &[u8], from: SocketAddr, now: HostTime) -> Vec<Event> {
        let mut events = Vec::new();
        units.hear(bytes, from, now, |event| events.push(event));
        events
    }

    #[test]
    fn every_output_is_found_by_name_changed_and_lost() {
        let outputs = ["Main".to_owned(), "Left wing".to_owned()];
        let mut device = Device::new("Stage", &outputs, 0.0, None);
        let mut units = Units::default();
        let mut now = HostTime::ZERO;
        let scan = answer(&mut device, command::SCAN);
        assert!(heard(&mut units, &scan, at(7), now).is_empty(), "its outputs are asked for first");
        let map = answer(&mut device, command::SERVICE_MAP);
        let found = heard(&mut units, &map, at(7), now);
        let [Event::Found(main), Event::Found(wing)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(main.name, "Stage: Main (IDN)");
        assert_eq!(main.uri.as_deref(), Some("idn://10.0.0.7/1"));
        assert_eq!(wing.serial.as_deref(), Some("01-2A7867F4739D/2"));
        // The same device on another way is the same device.
        assert!(heard(&mut units, &scan, at(8), now).is_empty());
        assert_eq!(units.list().len(), 2);
        now += ASK_EVERY;
        device.set_malfunction(true);
        let changed = heard(&mut units, &answer(&mut device, command::SCAN), at(7), now);
        assert!(
            matches!(&changed[..], [Event::Changed(a), Event::Changed(_)] if a.trouble.is_some())
        );
        let mut lost = Vec::new();
        units.lose(now + LOST_AFTER, |event| lost.push(event));
        assert!(lost.is_empty());
        units.lose(now + LOST_AFTER * 2, |event| lost.push(event));
        assert!(matches!(&lost[..], [Event::Lost(_), Event::Lost(_)]));
        assert!(units.list().is_empty());
    }

    #[test]
    fn a_device_that_does_not_tell_its_outputs_is_listed_all_the_same() {
        let mut device = Device::new("Mute", &["Main".to_owned()], 0.0, None);
        let scan = answer(&mut device, command::SCAN);
        let mut units = Units::default();
        let mut found = Vec::new();
        for second in 0..4 {
            let now = HostTime::ZERO + ASK_EVERY * second;
            found.extend(heard(&mut units, &scan, at(7), now));
        }
        let [Event::Found(found)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(found.uri.as_deref(), Some("idn://10.0.0.7"));
    }

    #[test]
    fn a_shownet_unit_is_named_and_what_to_use_instead() {
        let mut units = Units::default();
        let from = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9));
        let mut bytes = [0; 72];
        bytes[40..43].copy_from_slice(&[1, 2, 3]);
        let Some(Event::Found(found)) = units.hear_shownet(&bytes, from, HostTime::ZERO) else {
            panic!("not found")
        };
        assert_eq!((found.uri, found.serial.as_deref()), (None, Some("010203")));
        assert!(found.trouble.unwrap().contains("ILDA input"));
        assert_eq!(units.hear_shownet(&bytes, from, HostTime::ZERO), None);
    }

    #[test]
    fn nonsense_and_floods_leave_no_trace() {
        let mut units = Units::default();
        for bytes in [&b"hello"[..], &[0x11; 60], &[0x13; 9]] {
            assert!(heard(&mut units, bytes, at(7), HostTime::ZERO).is_empty());
        }
        for n in 0..1000_u16 {
            let [a, b] = n.to_be_bytes();
            let unit = UnitId::of_mac([a, b, 0, 0, 0, 1]);
            let reply = ScanReply { unit, ..ScanReply::default() };
            let hello = Hello::new(command::SCAN_REPLY, 1).emit();
            heard(&mut units, &[&hello[..], &reply.emit()].concat(), at(1), HostTime::ZERO);
        }
        assert!(units.heard.len() <= MAX_UNITS);
    }
}
