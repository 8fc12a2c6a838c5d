//! Ether Dream 1 to 4 over TCP. See `docs/protocols/ether_dream.md`.

mod session;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use self::session::{Offer, Phase, Session, Trouble};
use super::backend::{
    AnswerTime, Backend, Capabilities, DacError, Delivery, DeviceReport, Hindrance, Written,
};
use super::transport::{ByteStream, Dial, Tcp};
use crate::point::LaserPoint;
use crate::safety::SafeChunk;
use crate::time::{Clock, HostTime};
use crate::wire::ether_dream::{Announcement, FALLBACK_CAPACITY, FALLBACK_MAX_PPS, LEAST_POINTS};

/// Time to reach the device.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Time for the last points and the stop at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(100);
/// While connecting or closing, how often to look.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// After a ping, when to look for its answer: the round trip of a good network.
const PING_LOOK: Duration = Duration::from_micros(300);
/// The dark tail of a connection.
const TAIL: [LaserPoint; 32] = [LaserPoint::CENTRE; 32];

/// The driver of one Ether Dream.
pub struct EtherDream {
    name: String,
    dial: Box<dyn Dial>,
    clock: Arc<dyn Clock>,
    capacity: u16,
    max_pps: u32,
    least_points: u32,
    open: Option<(Box<dyn ByteStream>, Session)>,
}

impl std::fmt::Debug for EtherDream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EtherDream").field("name", &self.name).finish_non_exhaustive()
    }
}

impl EtherDream {
    /// A device reached over TCP, named as the user named it. Without an announcement it is taken for the
    /// smallest one known.
    #[must_use]
    pub fn new(name: &str, host: &str, port: u16, clock: Arc<dyn Clock>) -> Self {
        Self::over(name, Box::new(Tcp::new(host, port)), clock)
    }

    /// A device reached over any transport.
    #[must_use]
    pub fn over(name: &str, dial: Box<dyn Dial>, clock: Arc<dyn Clock>) -> Self {
        Self {
            name: name.to_owned(),
            dial,
            clock,
            capacity: FALLBACK_CAPACITY,
            max_pps: FALLBACK_MAX_PPS,
            // It may be one that needs them: only a rate below 6 kpps would notice.
            least_points: LEAST_POINTS,
            open: None,
        }
    }

    /// Takes the queue's size, the highest rate and the generation from the device's own announcement.
    #[must_use]
    pub fn announced(mut self, announcement: &Announcement) -> Self {
        self.capacity = announcement.capacity.max(2);
        self.max_pps = announcement.max_pps.max(1);
        self.least_points = announcement.least_points();
        self
    }

    fn gone(&self, detail: impl Into<String>) -> DacError {
        DacError::Gone { device: self.name.clone(), detail: detail.into() }
    }

    fn dial_error(&self, error: &io::Error) -> DacError {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => self.gone(
                "the connection was refused: another program holds it, or nothing listens there",
            ),
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                self.gone(format!("no answer within {} ms", CONNECT_TIMEOUT.as_millis()))
            }
            io::ErrorKind::NotFound => DacError::Absent {
                device: self.name.clone(),
                detail: format!(
                    "its name is not known here ({error}): check its spelling, or use its address"
                ),
            },
            io::ErrorKind::PermissionDenied => DacError::PermissionDenied {
                device: self.name.clone(),
                cure: "allow galvo outgoing TCP connections in the firewall".to_owned(),
            },
            _ => self.gone(error.to_string()),
        }
    }

    fn trouble(&self, trouble: Trouble) -> DacError {
        match trouble {
            Trouble::Protocol(detail) => DacError::Protocol { device: self.name.clone(), detail },
            Trouble::Silent(silent) => {
                self.gone(format!("no answer for {} ms", silent.as_millis()))
            }
            Trouble::NoGreeting => {
                self.gone("it accepts the connection but does not greet: another program holds it, or it is no Ether Dream")
            }
        }
    }

    /// Moves bytes both ways. Never waits.
    fn pump(&mut self, now: HostTime) -> Result<(), DacError> {
        let Some((stream, session)) = &mut self.open else {
            return Err(self.gone("there is no connection"));
        };
        let result = exchange(now, stream.as_mut(), session);
        result.map_err(|error| match error {
            Broken::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.gone(
                "it closed the connection: it was restarted, or another program has taken it",
            ),
            Broken::Io(error) => self.gone(format!("the connection broke: {error}")),
            Broken::Trouble(trouble) => self.trouble(trouble),
        })
    }

    /// Moves bytes until `done` or until `timeout` is over; says which.
    fn pump_until(
        &mut self,
        timeout: Duration,
        done: impl Fn(&Session, HostTime) -> bool,
    ) -> Result<bool, DacError> {
        let deadline = self.clock.now() + timeout;
        loop {
            let now = self.clock.now();
            self.pump(now)?;
            if self.open.as_ref().is_some_and(|(_, session)| done(session, now)) {
                return Ok(true);
            }
            if now >= deadline {
                return Ok(false);
            }
            self.clock.sleep_until(now + LOOK_EVERY);
        }
    }

    fn end(&mut self) -> Result<(), DacError> {
        let now = self.clock.now();
        let Some((_, session)) = &mut self.open else { return Ok(()) };
        if session.phase() == Phase::Playing {
            let pps = session.playing_pps().unwrap_or(1);
            if session.offer(now, &TAIL, pps) == Offer::Taken {
                let half = TAIL.len() as u32 / 2;
                self.pump_until(CLOSE_TIMEOUT, |session, now| session.estimate(now) <= half)?;
            }
        }
        let now = self.clock.now();
        if let Some((_, session)) = &mut self.open {
            session.stop(now);
        }
        let stopped = |session: &Session, _| {
            matches!(session.phase(), Phase::Idle | Phase::EmergencyStop | Phase::Greeting)
        };
        self.pump_until(CLOSE_TIMEOUT, stopped)?;
        Ok(())
    }

    fn session(&mut self) -> Result<&mut Session, DacError> {
        // Called for every write: the sentence is made only when it is needed.
        let Self { name, open, .. } = self;
        open.as_mut().map(|(_, session)| session).ok_or_else(|| DacError::Gone {
            device: name.clone(),
            detail: "there is no connection".to_owned(),
        })
    }
}

enum Broken {
    Io(io::Error),
    Trouble(Trouble),
}

fn exchange(
    now: HostTime,
    stream: &mut dyn ByteStream,
    session: &mut Session,
) -> Result<(), Broken> {
    session.look(now);
    listen(now, stream, session)?;
    let mut wrote = false;
    while !session.unsent().is_empty() {
        let n = stream.try_write(now, session.unsent()).map_err(Broken::Io)?;
        if n == 0 {
            break;
        }
        session.sent(n);
        wrote = true;
    }
    if wrote { listen(now, stream, session) } else { Ok(()) }
}

fn listen(now: HostTime, stream: &mut dyn ByteStream, session: &mut Session) -> Result<(), Broken> {
    let mut buffer = [0; 512];
    loop {
        let n = stream.try_read(now, &mut buffer).map_err(Broken::Io)?;
        if n == 0 {
            return Ok(());
        }
        session.receive(now, &buffer[..n]).map_err(Broken::Trouble)?;
    }
}

impl Backend for EtherDream {
    fn name(&self) -> &str {
        &self.name
    }

    fn presumed(&self) -> Capabilities {
        Capabilities {
            delivery: Delivery::Fifo,
            max_points_per_chunk: usize::from(self.capacity) - 1,
            capacity_points: Some(u32::from(self.capacity)),
            min_pps: 1,
            max_pps: self.max_pps,
            reports_queue: true,
            suggested_buffer: Duration::from_millis(40),
            least_points: self.least_points,
            start_moves_relay: true,
        }
    }

    fn connect(&mut self, now: HostTime) -> Result<Capabilities, DacError> {
        self.open = None;
        let dialled = self.dial.dial(now, CONNECT_TIMEOUT);
        let stream = dialled.map_err(|error| self.dial_error(&error))?;
        let session =
            Session::new(self.clock.now(), self.capacity, self.max_pps, self.least_points);
        self.open = Some((stream, session));
        // Who greets at once is ready at once.
        if let Err(error) = self.pump(self.clock.now()) {
            self.open = None;
            return Err(error);
        }
        Ok(self.presumed())
    }

    fn write(&mut self, now: HostTime, chunk: SafeChunk<'_>) -> Result<Written, DacError> {
        let offer = self.session()?.offer(now, chunk.points(), chunk.pps());
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
        let pinged = kept_up.map_err(|trouble| self.trouble(trouble))?;
        self.pump(now)?;
        if pinged && !self.session()?.is_settled() {
            // An answer that waits for the next look would date the device's word too late.
            self.clock.sleep_until(now + PING_LOOK);
            self.pump(self.clock.now())?;
        }
        let session = self.session()?;
        Ok(DeviceReport {
            at: session.status_at(),
            queued_points: Some(session.queued()),
            played_points: Some(session.played()),
            playing_pps: session.playing_pps(),
            underflows: session.underflows(),
            gaps: 0,
            estop: session.take_estop(),
        })
    }

    fn hindrance(&self) -> Option<Hindrance> {
        self.open.as_ref().and_then(|(_, session)| session.hindrance())
    }

    fn answer_time(&self) -> Option<AnswerTime> {
        self.open.as_ref().and_then(|(_, session)| session.answer_time())
    }

    fn foreign_stops(&self) -> u32 {
        self.open.as_ref().map_or(0, |(_, session)| session.foreign_stops())
    }

    fn stop(&mut self, now: HostTime) -> Result<(), DacError> {
        self.session()?.stop(now);
        self.pump(now)
    }

    fn reset_estop(&mut self, now: HostTime) -> Result<(), DacError> {
        self.session()?.clear_estop(now);
        self.pump(now)
    }

    fn close(&mut self, _now: HostTime) {
        // What does not answer is left: the device stops by itself when the connection goes.
        if let Err(error) = self.end() {
            tracing::debug!(device = self.name, %error, "closing");
        }
        self.open = None;
    }
}
