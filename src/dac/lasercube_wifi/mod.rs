//! LaserCube over WiFi or Ethernet. See `docs/protocols/lasercube_wifi.md`.

mod cubes;
mod flow;
mod outbox;
mod session;

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

pub use cubes::{Cubes, Search};

use self::outbox::Port;
use self::session::{Offer, Phase, SILENT_FOR, Session, Trouble};
use super::backend::{Backend, Capabilities, DacError, Delivery, DeviceReport, Written};
use super::transport::{Bind, Datagrams, Udp};
use crate::safety::SafeChunk;
use crate::time::{Clock, HostTime};
use crate::wire::lasercube_wifi::{
    FALLBACK_BUFFER_POINTS, FALLBACK_MAX_PPS, Info, MAX_POINTS_PER_PACKET,
};

/// Points of one write at most, sent as several datagrams: more than the points of one period of sound, since a
/// stream asks for one chunk in each.
const MAX_CHUNK: usize = 8 * MAX_POINTS_PER_PACKET;
/// Time for the first answer and for the device to be dark and empty.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1200);
/// Time for the confirmation at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(100);
/// While connecting or closing, how often to look.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// How far ahead to be on a cable, and over the air with its stalls.
const BUFFER_WIRED: Duration = Duration::from_millis(45);
const BUFFER_WIFI: Duration = Duration::from_millis(80);

/// An open connection.
struct Link {
    socket: Box<dyn Datagrams>,
    session: Session,
    ip: IpAddr,
}

/// The driver of one LaserCube.
pub struct LaserCube {
    name: String,
    host: String,
    /// The command port; points go one port above it.
    port: u16,
    bind: Box<dyn Bind>,
    clock: Arc<dyn Clock>,
    announced: Option<Info>,
    link: Option<Link>,
}

impl std::fmt::Debug for LaserCube {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LaserCube").field("name", &self.name).finish_non_exhaustive()
    }
}

impl LaserCube {
    /// A device reached over UDP, named as the user named it. `port` is its command port; its data port is the
    /// next one.
    #[must_use]
    pub fn new(name: &str, host: &str, port: u16, clock: Arc<dyn Clock>) -> Self {
        Self::over(name, host, port, Box::new(Udp), clock)
    }

    /// A device reached over any sockets.
    #[must_use]
    pub fn over(
        name: &str,
        host: &str,
        port: u16,
        bind: Box<dyn Bind>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            host: host.to_owned(),
            port,
            bind,
            clock,
            announced: None,
            link: None,
        }
    }

    /// Takes buffer, rate and kind of connection from what the device has told.
    #[must_use]
    pub const fn announced(mut self, info: Info) -> Self {
        self.announced = Some(info);
        self
    }

    fn gone(&self, detail: impl Into<String>) -> DacError {
        DacError::Gone { device: self.name.clone(), detail: detail.into() }
    }

    fn absent(&self, detail: impl Into<String>) -> DacError {
        DacError::Absent { device: self.name.clone(), detail: detail.into() }
    }

    fn trouble(&self, trouble: Trouble) -> DacError {
        match trouble {
            Trouble::Protocol(detail) => DacError::Protocol { device: self.name.clone(), detail },
            Trouble::Silent(silent) => {
                self.gone(format!("no answer for {} ms", silent.as_millis()))
            }
        }
    }

    fn io_error(&self, error: &io::Error) -> DacError {
        if error.kind() == io::ErrorKind::PermissionDenied {
            return DacError::PermissionDenied {
                device: self.name.clone(),
                cure: "allow galvo outgoing UDP in the firewall".to_owned(),
            };
        }
        self.gone(format!("the network says: {error}"))
    }

    fn resolve(&self) -> Result<IpAddr, DacError> {
        if let Ok(ip) = self.host.parse::<IpAddr>() {
            return Ok(ip);
        }
        let addresses = (self.host.as_str(), self.port).to_socket_addrs();
        let mut addresses = addresses.map_err(|error| {
            self.absent(format!(
                "its name is not known here ({error}): check its spelling, or use its address"
            ))
        })?;
        // The protocol is one of IPv4.
        let found = addresses.find(SocketAddr::is_ipv4);
        found
            .map(|address| address.ip())
            .ok_or_else(|| self.absent("its name has no IPv4 address: use its address"))
    }

    /// Moves datagrams both ways. Never waits.
    fn pump(&mut self, now: HostTime) -> Result<(), DacError> {
        let port = self.port;
        let Some(link) = &mut self.link else {
            return Err(self.gone("there is no connection"));
        };
        match exchange(now, port, link) {
            Ok(()) => Ok(()),
            Err(Broken::Io(error)) => Err(self.io_error(&error)),
            Err(Broken::Trouble(trouble)) => Err(self.trouble(trouble)),
        }
    }

    fn session(&mut self) -> Result<&mut Session, DacError> {
        let name = &self.name;
        self.link.as_mut().map(|link| &mut link.session).ok_or_else(|| DacError::Gone {
            device: name.clone(),
            detail: "there is no connection".to_owned(),
        })
    }

    /// Talks until `done` or until `timeout` is over; says which.
    fn talk_until(
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
            let kept_up = self.session()?.keep_up(now);
            kept_up.map_err(|trouble| self.trouble(trouble))?;
            self.pump(now)?;
            self.clock.sleep_until(now + LOOK_EVERY);
        }
    }

    fn greet(&mut self) -> Result<(), DacError> {
        let settled = |session: &Session| matches!(session.phase(), Phase::Idle | Phase::Alarm);
        if self.talk_until(CONNECT_TIMEOUT, settled)? {
            return Ok(());
        }
        let told = self.session()?.info().is_some();
        Err(if told {
            let detail = "it answers, and does not confirm that it is dark and empty: end other programs that use it, or switch it off and on";
            DacError::Unready { device: self.name.clone(), detail: detail.to_owned() }
        } else {
            self.gone(format!("no answer within {} ms", CONNECT_TIMEOUT.as_millis()))
        })
    }

    /// Dark, confirmed if it answers, and quiet.
    fn end(&mut self) -> Result<(), DacError> {
        let now = self.clock.now();
        self.session()?.stop(now);
        let dark = |session: &Session| matches!(session.phase(), Phase::Idle | Phase::Greeting);
        self.talk_until(CLOSE_TIMEOUT, dark)?;
        self.session()?.say_goodbye();
        self.pump(self.clock.now())
    }
}

fn capabilities(info: Option<&Info>) -> Capabilities {
    let buffer = info.map_or(FALLBACK_BUFFER_POINTS, |info| info.buffer_points);
    let wired = info.is_some_and(|info| info.connection.is_wired());
    Capabilities {
        delivery: Delivery::Fifo,
        max_points_per_chunk: MAX_CHUNK,
        capacity_points: Some(u32::from(buffer)),
        min_pps: 1,
        max_pps: info.map_or(FALLBACK_MAX_PPS, |info| info.max_pps).max(1),
        reports_queue: true,
        suggested_buffer: if wired { BUFFER_WIRED } else { BUFFER_WIFI },
        least_points: 0,
        start_moves_relay: false,
    }
}

enum Broken {
    Io(io::Error),
    Trouble(Trouble),
}

fn exchange(now: HostTime, port: u16, link: &mut Link) -> Result<(), Broken> {
    let data_port = port.saturating_add(1);
    while let Some((to, bytes)) = link.session.unsent() {
        let to = match to {
            Port::Command => port,
            Port::Data => data_port,
        };
        let taken = link.socket.try_send_to(now, bytes, SocketAddr::new(link.ip, to));
        if !taken.map_err(Broken::Io)? {
            break;
        }
        link.session.sent();
    }
    let mut buffer = [0; 256];
    while let Some((len, from)) = link.socket.try_recv_from(now, &mut buffer).map_err(Broken::Io)? {
        let from_port = match from.port() {
            other if from.ip() != link.ip || (other != port && other != data_port) => continue,
            other if other == port => Port::Command,
            _ => Port::Data,
        };
        link.session.receive(now, from_port, &buffer[..len]).map_err(Broken::Trouble)?;
    }
    Ok(())
}

impl Backend for LaserCube {
    fn name(&self) -> &str {
        &self.name
    }

    fn presumed(&self) -> Capabilities {
        capabilities(self.announced.as_ref())
    }

    fn connect(&mut self, _now: HostTime) -> Result<Capabilities, DacError> {
        self.link = None;
        let ip = self.resolve()?;
        let socket = self.bind.bind().map_err(|error| self.io_error(&error))?;
        let session = Session::new(self.clock.now());
        self.link = Some(Link { socket, session, ip });
        if let Err(error) = self.greet() {
            self.link = None;
            return Err(error);
        }
        let info = self.session()?.info().copied();
        Ok(capabilities(info.as_ref()))
    }

    fn write(&mut self, now: HostTime, chunk: SafeChunk<'_>) -> Result<Written, DacError> {
        let session = self.session()?;
        session.settles_in(chunk.settle_points());
        let offer = session.offer(now, chunk.points(), chunk.pps());
        self.pump(now)?;
        match offer {
            Offer::Taken => Ok(Written::Accepted),
            Offer::NotNow => Ok(Written::NotNow),
            Offer::EmergencyStop => Err(DacError::EmergencyStop { device: self.name.clone() }),
        }
    }

    fn poll(&mut self, now: HostTime) -> Result<DeviceReport, DacError> {
        self.pump(now)?;
        let kept_up = self.session()?.keep_up(now);
        kept_up.map_err(|trouble| self.trouble(trouble))?;
        self.pump(now)?;
        let session = self.session()?;
        let (at, queued, playing_pps) = session.held(now);
        Ok(DeviceReport {
            at,
            queued_points: Some(queued),
            played_points: None,
            playing_pps,
            underflows: session.flow().underflows(),
            gaps: session.flow().gaps(),
            estop: session.phase() == Phase::Alarm,
        })
    }

    fn condition(&self) -> Option<String> {
        let info = self.link.as_ref()?.session.info()?;
        Some(match info.trouble() {
            Some(trouble) => format!("{}; {trouble}", info.condition()),
            None => info.condition(),
        })
    }

    fn stop(&mut self, now: HostTime) -> Result<(), DacError> {
        self.session()?.stop(now);
        self.pump(now)
    }

    fn reset_estop(&mut self, now: HostTime) -> Result<(), DacError> {
        self.session()?.clear_alarm(now);
        self.pump(now)
    }

    fn close(&mut self, _now: HostTime) {
        // What does not answer is left: it was told to go dark.
        if let Err(error) = self.end() {
            tracing::debug!(device = self.name, %error, "closing");
        }
        if let Some(link) = &self.link {
            let lost = link.session.flow().lost_datagrams();
            tracing::debug!(device = self.name, lost, "datagrams of points not acknowledged");
        }
        self.link = None;
    }
}

const _: () = assert!(CONNECT_TIMEOUT.as_millis() < SILENT_FOR.as_millis());

#[cfg(test)]
mod tests;
