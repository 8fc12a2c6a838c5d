//! IDN devices over UDP. See `docs/protocols/idn.md`.

mod metronome;
mod search;
mod session;

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use self::metronome::{MAX_CHUNK_POINTS, PRESUMED_LATENCY};
pub use self::search::{Search, Units};
use self::session::{Session, Trouble};
use super::backend::{Backend, Capabilities, DacError, Delivery, DeviceReport, Written};
use super::transport::{Bind, Datagrams, Udp};
use crate::safety::SafeChunk;
use crate::time::{Clock, HostTime};
use crate::wire::idn::{Hello, ScanReply, ServiceMap, command, status};

/// Time for each question while connecting, and how often it is asked.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(180);
const ATTEMPTS: u16 = 3;
/// Time for the stop at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(100);
/// A device forgets a session that says nothing after a second: who still finds it taken then is not in his own way.
const OWN_SESSION_FORGOTTEN: Duration = Duration::from_millis(1200);
/// While connecting or closing, how often to look.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// What the host keeps ready besides what the device holds.
const HOST_BUFFER: Duration = Duration::from_millis(20);
/// Consumers have to take at least this rate, points per second.
const MAX_PPS: u32 = 100_000;
/// The lowest rate of a device whose limits are known (HeliosPRO), points per second.
const MIN_PPS: u32 = 733;

/// Which output of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Service {
    /// The one the device calls its default, else its first laser.
    #[default]
    Default,
    /// The one of this number, 1..=255.
    Id(u8),
    /// The one of this name.
    Name(String),
}

/// The driver of one output of an IDN device.
pub struct Idn {
    name: String,
    host: String,
    port: u16,
    service: Service,
    bind: Box<dyn Bind>,
    clock: Arc<dyn Clock>,
    open: Option<Open>,
    /// Since when it has been taken by somebody.
    taken_since: Option<HostTime>,
}

/// What is open while connected.
struct Open {
    target: SocketAddr,
    /// The connection.
    connection: Box<dyn Datagrams>,
    /// Questions beside it.
    questions: Box<dyn Datagrams>,
    session: Session,
}

impl std::fmt::Debug for Idn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idn").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Idn {
    /// An output reached over UDP, named as the user named it.
    #[must_use]
    pub fn new(name: &str, host: &str, port: u16, service: Service, clock: Arc<dyn Clock>) -> Self {
        Self::over(name, host, port, service, Box::new(Udp), clock)
    }

    /// An output reached over any transport.
    #[must_use]
    pub fn over(
        name: &str,
        host: &str,
        port: u16,
        service: Service,
        bind: Box<dyn Bind>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (name, host) = (name.to_owned(), host.to_owned());
        Self { name, host, port, service, bind, clock, open: None, taken_since: None }
    }

    fn gone(&self, detail: impl Into<String>) -> DacError {
        DacError::Gone { device: self.name.clone(), detail: detail.into() }
    }

    fn absent(&self, detail: impl Into<String>) -> DacError {
        DacError::Absent { device: self.name.clone(), detail: detail.into() }
    }

    fn unready(&self, detail: impl Into<String>) -> DacError {
        DacError::Unready { device: self.name.clone(), detail: detail.into() }
    }

    /// All places are taken. A device forgets a silent session after a second: who starts anew within it may be
    /// in his own way.
    fn taken(&mut self) -> DacError {
        let now = self.clock.now();
        let since = *self.taken_since.get_or_insert(now);
        if now.since(since) > OWN_SESSION_FORGOTTEN {
            return DacError::Busy { device: self.name.clone() };
        }
        self.unready(
            "it is taken, by a session of galvo that ended a moment ago, which it forgets within a second, or by another program",
        )
    }

    fn broken(&self, error: &std::io::Error) -> DacError {
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => DacError::PermissionDenied {
                device: self.name.clone(),
                cure: "allow galvo to send UDP in the firewall".to_owned(),
            },
            _ => self.gone(format!("nothing can be sent: {error}")),
        }
    }

    fn trouble(&mut self, trouble: Trouble) -> DacError {
        let device = self.name.clone();
        match trouble {
            Trouble::Busy => self.taken(),
            Trouble::Excluded => DacError::PermissionDenied {
                device,
                cure: "let client group 0 in, in the settings of the device".to_owned(),
            },
            Trouble::NoService => DacError::BadAddress(format!(
                "{device} no longer has this output: look at galvo devices, and name one that is there"
            )),
            Trouble::Malfunction => self
                .unready("it says that it is broken: look at the device, and switch it off and on"),
            Trouble::Protocol(detail) => DacError::Protocol { device, detail },
            Trouble::Silent(silence) => {
                self.gone(format!("no answer for {} ms", silence.as_millis()))
            }
        }
    }

    fn target(&self) -> Result<SocketAddr, DacError> {
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        let found = found.map_err(|error| {
            self.absent(format!(
                "its name is not known here ({error}): check its spelling, or use its address"
            ))
        })?;
        // Devices speak IPv4: it is what discovery by broadcast needs.
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(SocketAddr::is_ipv6);
        found
            .first()
            .copied()
            .ok_or_else(|| self.absent("its name has no address: use its address"))
    }

    /// Asks until there is an answer that `read` understands.
    fn ask<T>(
        &self,
        socket: &mut dyn Datagrams,
        target: SocketAddr,
        question: u8,
        read: impl Fn(u8, &[u8]) -> Option<T>,
    ) -> Result<Option<T>, DacError> {
        let mut buffer = [0; 8192];
        for attempt in 0..ATTEMPTS {
            let deadline = self.clock.now() + ANSWER_TIMEOUT;
            let packet = Hello::new(question, attempt).emit();
            let sent = socket.try_send_to(self.clock.now(), &packet, target);
            sent.map_err(|error| self.broken(&error))?;
            loop {
                let now = self.clock.now();
                let received = socket.try_recv_from(now, &mut buffer);
                match received.map_err(|error| self.broken(&error))? {
                    Some((len, from)) if from == target => {
                        let parsed = Hello::parse(&buffer[..len]).ok();
                        let answer = parsed.and_then(|(hello, body)| read(hello.command, body));
                        if answer.is_some() {
                            return Ok(answer);
                        }
                    }
                    Some(_) => {}
                    None if now >= deadline => break,
                    None => self.clock.sleep_until(now + LOOK_EVERY),
                }
            }
        }
        Ok(None)
    }

    fn check_status(&mut self, bits: u8) -> Result<(), DacError> {
        if bits & status::MALFUNCTION != 0 {
            return Err(self.trouble(Trouble::Malfunction));
        }
        if bits & status::OFFLINE != 0 {
            return Err(self.unready(
                "its output is offline: it starts up, is too hot, or is in emergency stop",
            ));
        }
        if bits & status::EXCLUDED != 0 {
            return Err(self.trouble(Trouble::Excluded));
        }
        if bits & status::OCCUPIED != 0 {
            return Err(self.trouble(Trouble::Busy));
        }
        if bits & status::REALTIME == 0 {
            return Err(self.unready(
                "it takes no real-time streams: change that in the settings of the device",
            ));
        }
        Ok(())
    }

    /// The number of the wanted output.
    fn choose(&self, map: Option<&ServiceMap>) -> Result<u8, DacError> {
        let Some(map) = map else {
            return match self.service {
                Service::Id(id) => Ok(id),
                Service::Default => Ok(0),
                Service::Name(_) => Err(self.gone("it does not tell its outputs")),
            };
        };
        let lasers: Vec<_> = map.lasers().collect();
        let found = match &self.service {
            Service::Default => {
                lasers.iter().find(|entry| entry.is_default()).or_else(|| lasers.first())
            }
            Service::Id(id) => lasers.iter().find(|entry| entry.id == *id),
            Service::Name(name) => {
                lasers.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
            }
        };
        found.map(|entry| entry.id).ok_or_else(|| {
            let there: Vec<_> =
                lasers.iter().map(|entry| format!("{} ({})", entry.id, entry.name)).collect();
            DacError::BadAddress(format!(
                "{} has no such laser output: it has {}",
                self.name,
                if there.is_empty() { "none".to_owned() } else { there.join(", ") }
            ))
        })
    }

    /// Moves datagrams both ways. Never waits.
    fn pump(&mut self, now: HostTime) -> Result<(), DacError> {
        let Some(open) = &mut self.open else {
            return Err(self.gone("there is no connection"));
        };
        exchange(now, open).map_err(|error| match error {
            Broken::Io(error) => self.broken(&error),
            Broken::Trouble(trouble) => self.trouble(trouble),
        })
    }

    fn session(&mut self) -> Result<&mut Session, DacError> {
        let missing = self.gone("there is no connection");
        self.open.as_mut().map(|open| &mut open.session).ok_or(missing)
    }

    /// Moves datagrams until `done` or until `timeout` is over; says which.
    fn pump_until(
        &mut self,
        timeout: Duration,
        done: impl Fn(&Session) -> bool,
    ) -> Result<bool, DacError> {
        let deadline = self.clock.now() + timeout;
        loop {
            let now = self.clock.now();
            self.pump(now)?;
            if done(self.session()?) {
                return Ok(true);
            }
            if now >= deadline {
                return Ok(false);
            }
            self.clock.sleep_until(now + LOOK_EVERY);
        }
    }

    /// Opens the channel. A device that streams but does not acknowledge is lawful: its status answers then
    /// tell that it is there.
    fn greet(&mut self) -> Result<(), DacError> {
        for _ in 0..ATTEMPTS {
            if self.pump_until(ANSWER_TIMEOUT, Session::is_acknowledged)? {
                return Ok(());
            }
            self.session()?.greet_again();
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), DacError> {
        let now = self.clock.now();
        self.session()?.stop(now);
        self.pump_until(CLOSE_TIMEOUT, |session| !session.is_stopping())?;
        Ok(())
    }
}

enum Broken {
    Io(std::io::Error),
    Trouble(Trouble),
}

fn exchange(now: HostTime, open: &mut Open) -> Result<(), Broken> {
    listen(now, open)?;
    while let Some(packet) = open.session.next(now) {
        // A full send buffer loses it, as the network may.
        open.connection.try_send_to(now, packet, open.target).map_err(Broken::Io)?;
    }
    if let Some(question) = open.session.next_question(now) {
        open.questions.try_send_to(now, &question, open.target).map_err(Broken::Io)?;
    }
    listen(now, open)
}

fn listen(now: HostTime, open: &mut Open) -> Result<(), Broken> {
    let mut buffer = [0; 512];
    for socket in [&mut open.connection, &mut open.questions] {
        while let Some((len, from)) = socket.try_recv_from(now, &mut buffer).map_err(Broken::Io)? {
            if from == open.target {
                open.session.receive(now, &buffer[..len]).map_err(Broken::Trouble)?;
            }
        }
    }
    Ok(())
}

impl Backend for Idn {
    fn name(&self) -> &str {
        &self.name
    }

    fn presumed(&self) -> Capabilities {
        Capabilities {
            delivery: Delivery::Timed,
            max_points_per_chunk: MAX_CHUNK_POINTS,
            capacity_points: None,
            min_pps: MIN_PPS,
            max_pps: MAX_PPS,
            reports_queue: true,
            suggested_buffer: PRESUMED_LATENCY + HOST_BUFFER,
            least_points: 0,
            start_moves_relay: false,
        }
    }

    fn connect(&mut self, _now: HostTime) -> Result<Capabilities, DacError> {
        self.open = None;
        let target = self.target()?;
        let connection = self.bind.bind().map_err(|error| self.broken(&error))?;
        let mut questions = self.bind.bind().map_err(|error| self.broken(&error))?;
        let scan = |kind: u8, body: &[u8]| {
            (kind == command::SCAN_REPLY).then(|| ScanReply::parse(body).ok()).flatten()
        };
        let Some(reply) = self.ask(questions.as_mut(), target, command::SCAN, scan)? else {
            let ms = ANSWER_TIMEOUT.as_millis() * u128::from(ATTEMPTS);
            return Err(self.gone(format!("no IDN device answers there within {ms} ms")));
        };
        self.check_status(reply.status)?;
        let map = |kind: u8, body: &[u8]| {
            (kind == command::SERVICE_MAP_REPLY).then(|| ServiceMap::parse(body).ok()).flatten()
        };
        let map = self.ask(questions.as_mut(), target, command::SERVICE_MAP, map)?;
        let service = self.choose(map.as_ref())?;
        let session = Session::new(self.clock.now(), service);
        self.open = Some(Open { target, connection, questions, session });
        if let Err(error) = self.greet() {
            // A refused session takes one of the device's places until it is closed.
            self.close(self.clock.now());
            return Err(error);
        }
        self.taken_since = None;
        Ok(self.presumed())
    }

    fn write(&mut self, now: HostTime, chunk: SafeChunk<'_>) -> Result<Written, DacError> {
        let device = self.name.clone();
        let session = self.session()?;
        if session.is_estop() {
            return Err(DacError::EmergencyStop { device });
        }
        session.settling_mut().learn(&chunk);
        let pps = chunk.pps().clamp(1, MAX_PPS);
        let taken = session.offer(now, chunk.points(), pps);
        self.pump(now)?;
        Ok(if taken { Written::Accepted } else { Written::NotNow })
    }

    fn poll(&mut self, now: HostTime) -> Result<DeviceReport, DacError> {
        self.pump(now)?;
        let session = self.session()?;
        let silence = session.check_silence(now);
        let held = session.held(now);
        let (underflows, estop) = (session.underflows(), session.is_estop());
        silence.map_err(|trouble| self.trouble(trouble))?;
        Ok(DeviceReport {
            at: held.at,
            queued_points: Some(held.points),
            played_points: Some(held.played),
            playing_pps: held.playing_pps,
            underflows,
            gaps: 0,
            estop,
        })
    }

    fn stop(&mut self, now: HostTime) -> Result<(), DacError> {
        self.session()?.stop(now);
        self.pump(now)
    }

    fn reset_estop(&mut self, now: HostTime) -> Result<(), DacError> {
        self.session()?.clear_estop();
        self.pump(now)
    }

    fn close(&mut self, _now: HostTime) {
        if self.open.is_none() {
            return;
        }
        // What does not answer is left: the device goes dark by itself after a second of silence.
        if let Err(error) = self.end() {
            tracing::debug!(device = self.name, %error, "closing");
        }
        self.open = None;
    }
}

#[cfg(test)]
mod tests;
