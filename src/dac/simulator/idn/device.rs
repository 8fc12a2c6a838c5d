//! The device itself, as a value: datagrams and time in, datagrams out.
//!
//! Written from `docs/protocols/idn.md` alone; it shares the byte formats with the driver, and no behaviour.

use std::net::SocketAddr;
use std::time::Duration;

use super::channel::Channel;
use super::mirrors::Mirrors;
use crate::dac::simulator::Recorder;
use crate::time::HostTime;
use crate::wire::idn::{
    Acknowledge, ChannelConfig, GroupReply, GroupRequest, Hello, LINK_TIMEOUT_MS, Message,
    ScanReply, ServiceEntry, ServiceMap, UnitId, command, input_event, outcome, pipeline_event,
    service_type, status,
};

/// Channels of a session.
const CHANNELS: usize = 64;

/// An output.
#[derive(Debug)]
struct Service {
    name: String,
    mirrors: Mirrors,
    /// The session and channel that hold it.
    holder: Option<(u64, u8)>,
}

/// A client and its channels.
#[derive(Debug)]
struct Connection {
    number: u64,
    client: SocketAddr,
    group: u8,
    next_sequence: u16,
    input_events: u16,
    pipeline_events: [u16; CHANNELS],
    channels: Vec<Channel>,
    heard_at: HostTime,
}

/// A virtual IDN device.
#[derive(Debug)]
pub struct Device {
    host_name: String,
    unit: UnitId,
    services: Vec<Service>,
    connections: Vec<Connection>,
    opened: u64,
    ppm: f64,
    group_mask: u16,
    offline: bool,
    malfunction: bool,
    latency_us: u32,
}

impl Device {
    /// A device just switched on, with a laser output for each name. Its clock is off by `ppm` millionths;
    /// `recorder` watches the mirrors of the first output.
    #[must_use]
    pub fn new(
        host_name: &str,
        outputs: &[String],
        ppm: f64,
        mut recorder: Option<Box<dyn Recorder>>,
    ) -> Self {
        let service = |name: &String| Service {
            name: name.clone(),
            mirrors: Mirrors::new(recorder.take()),
            holder: None,
        };
        Self {
            host_name: host_name.to_owned(),
            unit: UnitId::of_mac([0x2a, 0x78, 0x67, 0xf4, 0x73, 0x9d]),
            services: outputs.iter().take(255).map(service).collect(),
            connections: Vec::new(),
            opened: 0,
            ppm,
            group_mask: 0xffff,
            offline: false,
            malfunction: false,
            latency_us: 0,
        }
    }

    /// With this Ethernet address.
    #[must_use]
    pub const fn with_address(mut self, mac: [u8; 6]) -> Self {
        self.unit = UnitId::of_mac(mac);
        self
    }

    /// Its output goes off by itself, as with a pressed emergency stop, or comes back.
    pub fn set_offline(&mut self, now: HostTime, offline: bool) {
        self.offline = offline;
        if offline {
            self.advance(now);
            self.services.iter_mut().for_each(|service| service.mirrors.darken(now));
        }
    }

    /// It is broken, or mended.
    pub const fn set_malfunction(&mut self, malfunction: bool) {
        self.malfunction = malfunction;
    }

    /// The client groups that may use it, one bit each.
    pub const fn set_group_mask(&mut self, mask: u16) {
        self.group_mask = mask;
    }

    /// What it states as its latency in acknowledges, microseconds; 0 for nothing.
    pub const fn set_stated_latency(&mut self, micros: u32) {
        self.latency_us = micros;
    }

    /// Forgets its clients, as after a loss of power.
    pub fn restart(&mut self, now: HostTime) {
        self.advance(now);
        self.connections.clear();
        for service in &mut self.services {
            service.holder = None;
            service.mirrors.darken(now);
        }
    }

    /// The mirrors of an output, counted from 0.
    #[must_use]
    pub fn mirrors(&self, output: usize) -> Option<&Mirrors> {
        self.services.get(output).map(|service| &service.mirrors)
    }

    /// Sessions that are open.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.connections.len()
    }

    /// Channels that hold an output.
    #[must_use]
    pub fn open_channels(&self) -> usize {
        self.services.iter().filter(|service| service.holder.is_some()).count()
    }

    /// Lets time pass until `now`: a client that says nothing for a second is dropped, dark.
    pub fn advance(&mut self, now: HostTime) {
        let timeout = Duration::from_millis(LINK_TIMEOUT_MS);
        let silent = |connection: &Connection| now.since(connection.heard_at) > timeout;
        while let Some(index) = self.connections.iter().position(silent) {
            let at = self.connections[index].heard_at + timeout;
            self.drop_connection(at, index);
        }
        self.services.iter_mut().for_each(|service| service.mirrors.advance(now));
    }

    /// Takes a datagram from `client`; the answers to it are appended to `replies`.
    pub fn feed(
        &mut self,
        now: HostTime,
        client: SocketAddr,
        packet: &[u8],
        replies: &mut Vec<Vec<u8>>,
    ) {
        self.advance(now);
        let Ok((hello, body)) = Hello::parse(packet) else { return };
        let mut reply = |kind: u8, body: &[u8]| {
            let head = Hello { command: kind, ..hello }.emit();
            replies.push([&head[..], body].concat());
        };
        match hello.command {
            command::PING => reply(command::PING_REPLY, body),
            command::GROUP => reply(command::GROUP_REPLY, &self.group(body).emit()),
            command::SCAN => {
                let status = self.status(hello.group);
                reply(command::SCAN_REPLY, &self.scan(status).emit());
            }
            command::SERVICE_MAP => {
                let mut map = Vec::new();
                self.service_map().emit(&mut map);
                reply(command::SERVICE_MAP_REPLY, &map);
            }
            command::MESSAGE | command::CLOSE => drop(self.message(now, client, hello, body)),
            command::MESSAGE_ACK | command::CLOSE_ACK => {
                let said = self.message(now, client, hello, body);
                reply(command::ACKNOWLEDGE, &said.emit());
            }
            command::ABORT => {
                if let Some(index) = self.connection(client, hello.group) {
                    self.drop_connection(now, index);
                }
            }
            _ => {}
        }
    }

    fn group(&self, body: &[u8]) -> GroupReply {
        let mask = self.group_mask;
        let result = match GroupRequest::parse(body) {
            Ok(GroupRequest { operation: GroupRequest::GET, .. }) => 0,
            Ok(GroupRequest { operation: GroupRequest::SET, .. }) => GroupReply::UNSUPPORTED,
            _ => GroupReply::BAD_REQUEST,
        };
        GroupReply { result, mask }
    }

    fn is_excluded(&self, group: u8) -> bool {
        self.group_mask & 1 << (group & 15) == 0
    }

    fn status(&self, group: u8) -> u8 {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        status::REALTIME
            | bit(self.malfunction, status::MALFUNCTION)
            | bit(self.offline, status::OFFLINE)
            | bit(self.is_excluded(group), status::EXCLUDED)
            | bit(self.connections.len() >= self.services.len(), status::OCCUPIED)
    }

    fn scan(&self, status: u8) -> ScanReply {
        ScanReply { version: 1, status, unit: self.unit, host_name: self.host_name.clone() }
    }

    fn service_map(&self) -> ServiceMap {
        let entry = |(index, service): (usize, &Service)| ServiceEntry {
            id: index as u8 + 1,
            kind: service_type::LASER,
            flags: u8::from(index == 0),
            relay: 0,
            name: service.name.clone(),
        };
        ServiceMap {
            relays: Vec::new(),
            services: self.services.iter().enumerate().map(entry).collect(),
        }
    }

    fn connection(&self, client: SocketAddr, group: u8) -> Option<usize> {
        self.connections.iter().position(|c| c.client == client && c.group == group)
    }

    fn message(
        &mut self,
        now: HostTime,
        client: SocketAddr,
        hello: Hello,
        body: &[u8],
    ) -> Acknowledge {
        let closes = matches!(hello.command, command::CLOSE | command::CLOSE_ACK);
        let refusal = |result: u8| Acknowledge { result, ..Acknowledge::default() };
        if self.is_excluded(hello.group) {
            return refusal(outcome::EXCLUDED);
        }
        let (index, is_new) = match self.connection(client, hello.group) {
            Some(index) => (index, false),
            None if closes && body.is_empty() => return refusal(outcome::NOT_CONNECTED),
            None if !closes && self.connections.len() >= self.services.len() => {
                return refusal(outcome::OCCUPIED);
            }
            None => (self.connect(now, client, hello), true),
        };
        let connection = &mut self.connections[index];
        connection.heard_at = now;
        if hello.sequence != connection.next_sequence {
            connection.input_events |= input_event::SEQUENCE;
        }
        connection.next_sequence = hello.sequence.wrapping_add(1);
        let channel = if body.is_empty() { None } else { self.process(now, index, body) };
        let connection = &mut self.connections[index];
        let mut said = refusal(outcome::OK);
        if matches!(hello.command, command::MESSAGE_ACK | command::CLOSE_ACK) {
            said.input_events = std::mem::take(&mut connection.input_events)
                | if is_new { input_event::NEW_CONNECTION } else { 0 };
            if let Some(channel) = channel {
                said.pipeline_events =
                    std::mem::take(&mut connection.pipeline_events[usize::from(channel)]);
            }
            said.status = u8::from(connection.channels.iter().any(Channel::is_open));
            said.latency_us = self.latency_us;
        }
        if closes {
            self.drop_connection(now, index);
        }
        said
    }

    fn connect(&mut self, now: HostTime, client: SocketAddr, hello: Hello) -> usize {
        self.opened += 1;
        self.connections.push(Connection {
            number: self.opened,
            client,
            group: hello.group,
            next_sequence: hello.sequence,
            input_events: 0,
            pipeline_events: [0; CHANNELS],
            channels: (0..CHANNELS).map(|_| Channel::default()).collect(),
            heard_at: now,
        });
        self.connections.len() - 1
    }

    /// Takes the message of a packet; returns its channel.
    fn process(&mut self, now: HostTime, index: usize, body: &[u8]) -> Option<u8> {
        let Ok(message) = Message::parse(body) else {
            self.connections[index].input_events |= input_event::INVALID;
            return None;
        };
        let mut events = message.config.map_or(0, |config| {
            if config.close {
                self.close_channel(now, index, message.channel)
            } else if config.routing {
                self.route(index, message.channel, &config)
            } else {
                0
            }
        });
        let connection = &mut self.connections[index];
        let channel = &mut connection.channels[usize::from(message.channel)];
        match channel.service.and_then(|service| self.services.get_mut(service)) {
            Some(_) if self.offline => {}
            Some(service) => {
                let (input, pipeline) = channel.take(now, self.ppm, &message, &mut service.mirrors);
                connection.input_events |= input;
                events |= pipeline;
            }
            None if events == 0 && message.chunk != crate::wire::idn::Chunk::Void => {
                events = pipeline_event::CLOSED;
            }
            None => {}
        }
        connection.pipeline_events[usize::from(message.channel)] |= events;
        Some(message.channel)
    }

    /// Gives a channel its output.
    fn route(&mut self, index: usize, number: u8, config: &ChannelConfig<'_>) -> u16 {
        let session = self.connections[index].number;
        let wanted = usize::from(config.service).saturating_sub(1);
        let Some(service) = self.services.get_mut(wanted) else {
            return pipeline_event::ROUTED | pipeline_event::BAD_SERVICE;
        };
        match service.holder {
            Some(holder) if holder != (session, number) => return pipeline_event::BUSY,
            _ => {}
        }
        let channel = &mut self.connections[index].channels[usize::from(number)];
        let is_new = service.holder.is_none();
        let events = channel.configure(config);
        service.holder = Some((session, number));
        channel.service = Some(wanted);
        events | if is_new { pipeline_event::ROUTED } else { 0 }
    }

    fn close_channel(&mut self, now: HostTime, index: usize, number: u8) -> u16 {
        let session = self.connections[index].number;
        self.connections[index].channels[usize::from(number)] = Channel::default();
        let held = self.services.iter_mut().find(|s| s.holder == Some((session, number)));
        if let Some(service) = held {
            service.holder = None;
            service.mirrors.darken(now);
        }
        pipeline_event::CLOSED
    }

    fn drop_connection(&mut self, now: HostTime, index: usize) {
        let gone = self.connections.swap_remove(index);
        for service in &mut self.services {
            if service.holder.is_some_and(|(session, _)| session == gone.number) {
                service.holder = None;
                service.mirrors.darken(now);
            }
        }
    }
}
