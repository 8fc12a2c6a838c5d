//! LaserCube over USB (LaserDock): a ring that is asked for its free room. See
//! `docs/protocols/lasercube_usb.md`.

use std::sync::Arc;
use std::time::Duration;

use super::backend::{Backend, Capabilities, DacError, Delivery, DeviceReport, Written};
use super::dark_run::DarkRun;
use super::settling::Settling;
use super::usb::{Bus, Claim, Endpoints, Ids, Stumble, UsbError, dac_error};
use crate::point::LaserPoint;
use crate::safety::SafeChunk;
use crate::time::{Clock, HostTime};
use crate::wire::lasercube_usb::{
    COMMAND_OUT, Command, FALLBACK_CAPACITY, FALLBACK_MAX_PPS, PRODUCT_ID, Query, REPLY_BYTES,
    REPLY_IN, Reply, SAMPLE_BYTES, SAMPLE_OUT, VENDOR_ID, encode_samples,
};

/// The numbers of a LaserCube on the bus.
pub const IDS: Ids = Ids { vendor: VENDOR_ID, product: PRODUCT_ID };
/// Commands on interface 0, samples on interface 1 in its alternate setting 1.
const CLAIMS: [Claim; 2] = [Claim { interface: 0, setting: 0 }, Claim { interface: 1, setting: 1 }];

/// Time for a command, and for its reply.
const COMMAND_TIMEOUT: Duration = Duration::from_millis(100);
/// Time for one transfer of samples. Room is known before, so it waits for the bus alone.
const SAMPLE_TIMEOUT: Duration = Duration::from_millis(20);
/// Samples of one transfer at most.
const TRANSFER_SAMPLES: usize = 256;
/// Transfers of samples that may fail in a row.
const MAX_FAILURES: u32 = 10;
/// Replies to earlier commands that may come first.
const MAX_STALE: usize = 4;
/// The ring is asked for its room at least this often while it plays.
const ASK_EVERY: Duration = Duration::from_millis(4);
/// The same while it does not.
const ASK_EVERY_AT_REST: Duration = Duration::from_millis(100);
/// A ring that plays and does not move for so long is stuck, as is one that does not tell its room.
const PATIENCE: Duration = Duration::from_secs(1);
/// With less than this in the ring, it may run dry while the next samples are on their way.
const NEARLY_DRY: Duration = Duration::from_millis(4);
/// The rate never asked for: real devices are driven from here up.
const MIN_PPS: u32 = 100;
/// What a stream is planned with: no device has a ring that takes more.
const MAX_CHUNK: usize = 4096;
/// Rings larger or smaller than this are not believed.
const CREDIBLE_CAPACITY: std::ops::RangeInclusive<u32> = 64..=65_536;

/// The driver of one LaserCube on USB.
pub struct LaserCubeUsb {
    name: String,
    wanted: String,
    bus: Box<dyn Bus>,
    clock: Arc<dyn Clock>,
    open: Option<Open>,
}

impl std::fmt::Debug for LaserCubeUsb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LaserCubeUsb").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An open device.
struct Open {
    usb: Box<dyn Endpoints>,
    capacity: u32,
    max_pps: u32,
    /// The ring's free room by its last word, and when that was.
    free: u32,
    asked_at: HostTime,
    /// Samples sent since that word.
    sent_since: u32,
    output_on: bool,
    /// There was light since the last stop; until then the output stays off, and the dark passes by itself.
    lit: bool,
    dark: DarkRun,
    pps: u32,
    /// Bytes of samples taken over and not on the wire yet.
    unsent: Vec<u8>,
    failures: u32,
    underflows: u32,
    tells_limits: bool,
    /// Since when the ring has not moved though it plays.
    stuck_since: Option<HostTime>,
    /// A transfer failed, and the device has not answered since.
    stumble: Option<Stumble>,
    settling: Settling,
}

impl LaserCubeUsb {
    /// A device on `bus`, named as the user named it. `wanted` is its serial number or its place on the bus;
    /// empty is the first one found.
    #[must_use]
    pub fn over(name: &str, wanted: &str, bus: Box<dyn Bus>, clock: Arc<dyn Clock>) -> Self {
        Self { name: name.to_owned(), wanted: wanted.to_owned(), bus, clock, open: None }
    }

    fn said(&self, error: &UsbError) -> DacError {
        dac_error(&self.name, IDS, error)
    }

    fn gone(&self, detail: impl Into<String>) -> DacError {
        DacError::Gone { device: self.name.clone(), detail: detail.into() }
    }

    fn absent(&self, detail: impl Into<String>) -> DacError {
        DacError::Absent { device: self.name.clone(), detail: detail.into() }
    }

    fn find(&mut self) -> Result<Box<dyn Endpoints>, DacError> {
        let seats = self.bus.list(IDS).map_err(|error| self.said(&error))?;
        let seat = seats.iter().find(|seat| {
            self.wanted.is_empty()
                || seat.path == self.wanted
                || seat.serial.as_deref() == Some(self.wanted.as_str())
        });
        let Some(seat) = seat else {
            if seats.is_empty() {
                return Err(self.absent("no LaserCube is plugged in: plug it in"));
            }
            // A serial number that cannot be read is most often a missing permission. One that can be read is
            // another cube's: what holds that one is no matter here.
            for silent in seats.iter().filter(|seat| seat.serial.is_none()) {
                if let Err(error @ (UsbError::Access | UsbError::Busy)) =
                    self.bus.open(IDS, silent, &CLAIMS)
                {
                    return Err(self.said(&error));
                }
            }
            return Err(self.absent(format!(
                "none of the serial {} is plugged in: look at galvo devices",
                self.wanted
            )));
        };
        // Who names none takes the first that nobody holds.
        let mut opened = self.bus.open(IDS, seat, &CLAIMS);
        let others = seats.iter().filter(|other| self.wanted.is_empty() && *other != seat);
        for other in others {
            if !matches!(opened, Err(UsbError::Busy)) {
                break;
            }
            opened = self.bus.open(IDS, other, &CLAIMS);
        }
        opened.map_err(|error| self.said(&error))
    }

    /// Runs `act` on the open device; says its trouble as the user reads it. `None`: a transfer failed, and the
    /// device is to answer again first.
    fn with_open<T>(
        &mut self,
        act: impl FnOnce(&mut Open, &dyn Clock) -> Result<T, UsbError>,
    ) -> Result<Option<T>, DacError> {
        let Some(open) = &mut self.open else {
            return Err(self.gone("there is no connection"));
        };
        let clock = &*self.clock;
        let done = if open.stumble.is_none() || open.get_up(clock) {
            match act(open, clock) {
                Err(error) if error.may_pass() => {
                    open.stumble = Some(Stumble::new(clock.now(), error));
                    open.get_up(clock);
                    Ok(None)
                }
                other => other.map(Some),
            }
        } else {
            Ok(None)
        };
        let failures = open.failures;
        let lost = open.stumble.as_ref().filter(|stumble| stumble.is_over(clock.now()));
        let stuck = open.stuck_since.is_some_and(|since| clock.now().since(since) >= PATIENCE);
        match (done, lost.map(|stumble| stumble.error.clone())) {
            (_, Some(error)) => Err(self.said(&error)),
            (Ok(_), None) if failures >= MAX_FAILURES => {
                Err(self.gone(format!("{failures} transfers in a row did not get through")))
            }
            (Ok(_), None) if stuck => Err(self.unready(format!(
                "it holds points and has not shown one for {} s: plug it in again, and look at its interlock",
                PATIENCE.as_secs()
            ))),
            (done, None) => done.map_err(|error| self.said(&error)),
        }
    }

    fn unready(&self, detail: String) -> DacError {
        DacError::Unready { device: self.name.clone(), detail }
    }

    fn let_go(&mut self) {
        if let Some(mut open) = self.open.take()
            && let Err(error) = open.go_dark(self.clock.now())
        {
            tracing::debug!(device = self.name, %error, "closing");
        }
    }
}

impl Open {
    fn new(usb: Box<dyn Endpoints>, now: HostTime) -> Self {
        Self {
            usb,
            capacity: FALLBACK_CAPACITY,
            max_pps: FALLBACK_MAX_PPS,
            free: 0,
            asked_at: now,
            sent_since: 0,
            output_on: true,
            lit: false,
            dark: DarkRun::new(now),
            pps: 0,
            unsent: Vec::with_capacity(MAX_CHUNK * SAMPLE_BYTES),
            failures: 0,
            underflows: 0,
            tells_limits: true,
            stuck_since: None,
            stumble: None,
            settling: Settling::default(),
        }
    }

    /// Sends a command and reads its reply; a late reply to an earlier one may come first.
    fn tell(&mut self, command: Command) -> Result<Reply, UsbError> {
        let (bytes, len) = command.emit();
        if self.usb.bulk_out(COMMAND_OUT, &bytes[..len], COMMAND_TIMEOUT)? != len {
            return Err(UsbError::Timeout);
        }
        let mut reply = [0; REPLY_BYTES];
        let mut trouble = UsbError::Timeout;
        for _ in 0..MAX_STALE {
            let n = self.usb.bulk_in(REPLY_IN, &mut reply, COMMAND_TIMEOUT)?.min(REPLY_BYTES);
            match Reply::parse(&reply[..n], &command) {
                Ok(reply) => return Ok(reply),
                Err(error) => trouble = UsbError::Io(error.to_string()),
            }
        }
        Err(trouble)
    }

    /// A command that must be done: what is refused is tried once more.
    fn insist(&mut self, command: Command) -> Result<(), UsbError> {
        for _ in 0..2 {
            if self.tell(command)?.status == 0 {
                return Ok(());
            }
        }
        Err(UsbError::Io(format!("command 0x{:02x} is refused", command.opcode())))
    }

    /// A number of the device; `None` if it refuses twice, as old firmware may.
    fn number(&mut self, query: Query) -> Result<Option<u32>, UsbError> {
        for _ in 0..2 {
            let reply = self.tell(Command::Ask(query))?;
            if reply.status == 0 {
                return Ok(Some(reply.value));
            }
        }
        Ok(None)
    }

    fn get_to_know(&mut self) -> Result<(), UsbError> {
        let major = self.number(Query::FirmwareMajor)?;
        let minor = self.number(Query::FirmwareMinor)?;
        let max_pps = self.number(Query::MaxRate)?.filter(|pps| *pps >= MIN_PPS);
        let capacity = self.number(Query::Capacity)?.filter(|n| CREDIBLE_CAPACITY.contains(n));
        let max_value = self.number(Query::MaxValue)?;
        if let Some(value) = max_value.filter(|value| *value != 4095) {
            return Err(UsbError::Io(format!(
                "its coordinates end at {value} instead of 4095: update galvo or its firmware"
            )));
        }
        tracing::debug!(?major, ?minor, "firmware");
        self.tells_limits = max_pps.is_some() && capacity.is_some();
        self.max_pps = max_pps.unwrap_or(FALLBACK_MAX_PPS);
        self.capacity = capacity.unwrap_or(FALLBACK_CAPACITY);
        Ok(())
    }

    /// After a failed transfer: stops the device, so that it is dark and empty. True if it hears: what follows is a
    /// new flow of points.
    fn get_up(&mut self, clock: &dyn Clock) -> bool {
        let Some(stumble) = self.stumble.take_if(|stumble| !stumble.is_over(clock.now())) else {
            return false;
        };
        for endpoint in [COMMAND_OUT, REPLY_IN, SAMPLE_OUT] {
            if stumble.error == UsbError::Stall {
                self.usb.unstall(endpoint);
            }
        }
        let hears = self.go_dark(clock.now()).is_ok() && !stumble.is_over(clock.now());
        if hears {
            self.underflows += 1;
        } else {
            self.stumble = Some(stumble);
        }
        hears
    }

    /// Output off, ring empty.
    fn go_dark(&mut self, now: HostTime) -> Result<(), UsbError> {
        self.lit = false;
        self.dark = DarkRun::new(now);
        let off = self.insist(Command::SetOutput(false));
        self.output_on = off.is_err();
        // A sample that was begun is ended, or all that come later would be out of step.
        self.unsent.truncate(self.unsent.len() % SAMPLE_BYTES);
        let ended = self.flush();
        let cleared = self.insist(Command::Clear);
        self.free = self.capacity;
        self.sent_since = 0;
        self.stuck_since = None;
        off.and(ended).and(cleared)
    }

    fn ask_room(&mut self, clock: &dyn Clock) -> Result<(), UsbError> {
        let asked = clock.now();
        let told = self.number(Query::Free)?;
        let before = self.room();
        let moved = told.is_some_and(|free| free.min(self.capacity) > before);
        let plays = self.output_on && (self.queued() > 0 || told.is_none());
        if moved || !plays {
            self.stuck_since = None;
        } else {
            self.stuck_since.get_or_insert(asked);
        }
        if let Some(free) = told {
            self.asked_at = asked.plus_nanos(clock.now().nanos_since(asked) / 2);
            self.free = free.min(self.capacity);
            // What is still in our hands has not been counted by the device.
            self.sent_since = (self.unsent.len() / SAMPLE_BYTES) as u32;
        }
        Ok(())
    }

    /// Samples in the ring and on their way to it, by its last word.
    fn queued(&self) -> u32 {
        self.capacity - self.free.min(self.capacity) + self.sent_since
    }

    /// True if the ring may be empty before samples that are sent now arrive.
    fn may_run_dry(&self, now: HostTime) -> bool {
        let gone = (now.since(self.asked_at) + NEARLY_DRY).as_secs_f64() * f64::from(self.pps);
        f64::from(self.queued()) < gone
    }

    const fn room(&self) -> u32 {
        self.free.saturating_sub(self.sent_since)
    }

    /// Puts on the wire what was taken over. What does not get through now stays for the next time, from
    /// the very byte on: a sample cut in two would turn all later ones into rubbish.
    fn flush(&mut self) -> Result<(), UsbError> {
        let mut sent = 0;
        let done = loop {
            let rest = &self.unsent[sent..];
            let transfer = &rest[..rest.len().min(TRANSFER_SAMPLES * SAMPLE_BYTES)];
            if transfer.is_empty() {
                break Ok(());
            }
            match self.usb.bulk_out(SAMPLE_OUT, transfer, SAMPLE_TIMEOUT) {
                Ok(n) if n == transfer.len() => {
                    sent += n;
                    self.failures = 0;
                }
                Ok(n) => {
                    sent += n.min(transfer.len());
                    self.failures += 1;
                    break Ok(());
                }
                Err(UsbError::Timeout) => {
                    self.failures += 1;
                    break Ok(());
                }
                Err(error) => break Err(error),
            }
        };
        self.unsent.drain(..sent);
        done
    }

    fn write(&mut self, clock: &dyn Clock, chunk: &SafeChunk<'_>) -> Result<Written, UsbError> {
        self.flush()?;
        if !self.unsent.is_empty() {
            return Ok(Written::NotNow);
        }
        let n = chunk.len() as u32;
        let pps = chunk.pps().clamp(MIN_PPS.min(self.max_pps), self.max_pps);
        if !self.lit && chunk.points().iter().all(LaserPoint::is_blank) {
            let taken = self.dark.take(clock.now(), chunk.len(), pps, self.capacity);
            return Ok(if taken { Written::Accepted } else { Written::NotNow });
        }
        if self.room() < n {
            self.ask_room(clock)?;
            if self.room() < n {
                return Ok(Written::NotNow);
            }
        }
        let faster = pps > self.pps && self.output_on;
        if pps != self.pps && !faster {
            self.insist(Command::SetRate(pps))?;
            self.pps = pps;
        }
        self.settling.learn(chunk);
        if !self.lit {
            self.lit = true;
            let lead = self.dark.lead(clock.now(), pps).min(self.room() - n);
            self.lead_in(lead, chunk.points());
            self.settling.begin();
        } else if !self.output_on || self.may_run_dry(clock.now()) {
            self.settling.begin();
        }
        let (dark, rest) = chunk.points().split_at(self.settling.dark(chunk.len(), pps));
        for point in dark {
            encode_samples(&[point.blanked()], &mut self.unsent);
        }
        encode_samples(rest, &mut self.unsent);
        self.settling.passed(chunk.len(), pps);
        self.sent_since += n;
        self.flush()?;
        if faster {
            // Data before a rate raise.
            self.insist(Command::SetRate(pps))?;
            self.pps = pps;
        }
        if !self.output_on {
            self.insist(Command::SetOutput(true))?;
            self.output_on = true;
            self.ask_room(clock)?;
        }
        Ok(Written::Accepted)
    }

    fn keep_up(&mut self, clock: &dyn Clock) -> Result<(), UsbError> {
        self.flush()?;
        let every = if self.output_on { ASK_EVERY } else { ASK_EVERY_AT_REST };
        if clock.now().since(self.asked_at) >= every {
            self.ask_room(clock)?;
        }
        let queued = self.queued();
        if self.output_on && queued == 0 {
            self.run_dry()?;
        }
        Ok(())
    }

    fn report(&self, now: HostTime) -> DeviceReport {
        let (at, queued, playing_pps) = if self.lit {
            let queued = self.queued();
            (self.asked_at, queued, (self.output_on && queued > 0).then_some(self.pps))
        } else {
            self.dark.told(now)
        };
        DeviceReport {
            at,
            queued_points: Some(queued),
            played_points: None,
            playing_pps,
            underflows: self.underflows,
            gaps: 0,
            estop: false,
        }
    }

    /// So many dark points where the light will begin: the mirrors come to rest there.
    fn lead_in(&mut self, count: u32, light: &[LaserPoint]) {
        let Some(first) = light.first() else { return };
        for _ in 0..count {
            encode_samples(&[first.blanked()], &mut self.unsent);
        }
        self.sent_since += count;
    }

    /// The ring is empty. What the beam does then is the firmware's affair: it is told to be dark.
    fn run_dry(&mut self) -> Result<(), UsbError> {
        self.underflows += 1;
        self.insist(Command::SetOutput(false))?;
        self.output_on = false;
        Ok(())
    }
}

impl Backend for LaserCubeUsb {
    fn name(&self) -> &str {
        &self.name
    }

    fn presumed(&self) -> Capabilities {
        Capabilities {
            delivery: Delivery::Fifo,
            max_points_per_chunk: MAX_CHUNK,
            capacity_points: None,
            min_pps: MIN_PPS,
            max_pps: self.open.as_ref().map_or(FALLBACK_MAX_PPS, |open| open.max_pps),
            reports_queue: true,
            suggested_buffer: Duration::from_millis(40),
            least_points: 0,
            start_moves_relay: false,
        }
    }

    fn connect(&mut self, _now: HostTime) -> Result<Capabilities, DacError> {
        self.let_go();
        let mut open = Open::new(self.find()?, self.clock.now());
        let known = open.get_to_know().and_then(|()| open.go_dark(self.clock.now()));
        known.map_err(|error| self.said(&error))?;
        let capacity = open.capacity;
        self.open = Some(open);
        Ok(Capabilities {
            // Small against the ring, so that it can be topped up.
            max_points_per_chunk: (capacity as usize / 4).max(1),
            capacity_points: Some(capacity),
            ..self.presumed()
        })
    }

    fn write(&mut self, _now: HostTime, chunk: SafeChunk<'_>) -> Result<Written, DacError> {
        if chunk.is_empty() {
            return Ok(Written::Accepted);
        }
        let written = self.with_open(|open, clock| open.write(clock, &chunk))?;
        Ok(written.unwrap_or(Written::NotNow))
    }

    fn poll(&mut self, _now: HostTime) -> Result<DeviceReport, DacError> {
        self.with_open(Open::keep_up)?;
        match &self.open {
            Some(open) => Ok(open.report(self.clock.now())),
            None => Err(self.gone("there is no connection")),
        }
    }

    fn advice(&self) -> Option<String> {
        self.open.as_ref().filter(|open| !open.tells_limits).map(|_| {
            "its firmware does not tell its limits, cautious ones are taken: update it with the vendor's program".to_owned()
        })
    }

    fn stop(&mut self, _now: HostTime) -> Result<(), DacError> {
        // What does not hear it is told again at every look, until it is lost.
        self.with_open(|open, clock| open.go_dark(clock.now())).map(|_| ())
    }

    fn reset_estop(&mut self, _now: HostTime) -> Result<(), DacError> {
        // The device reports no emergency stop.
        Ok(())
    }

    fn close(&mut self, _now: HostTime) {
        self.let_go();
    }
}

impl Drop for LaserCubeUsb {
    fn drop(&mut self) {
        self.let_go();
    }
}
