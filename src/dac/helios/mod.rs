//! Helios over USB: whole frames, one plays while the next waits. See `docs/protocols/helios.md`.

mod slots;

use std::sync::Arc;
use std::time::Duration;

use self::slots::Slots;
use super::backend::{Backend, Capabilities, DacError, Delivery, DeviceReport, Written};
use super::settling::Settling;
use super::usb::{Bus, Claim, Endpoints, Ids, Seat, Stumble, UsbError, dac_error};
use crate::safety::SafeChunk;
use crate::time::{Clock, HostTime};
use crate::wire::helios::{
    CONTROL_BYTES, FRAME_OUT, MAX_POINTS, MAX_PPS, MIN_PPS, POINT_BYTES, PRODUCT_ID, REPLY_IN,
    REQUEST_OUT, Reply, Request, SDK_LEVEL, VENDOR_ID, encode_frame, flag,
};

/// The numbers of a Helios on the bus.
pub const IDS: Ids = Ids { vendor: VENDOR_ID, product: PRODUCT_ID };
/// Interface 0 in its alternate setting 1.
pub(super) const CLAIMS: [Claim; 1] = [Claim { interface: 0, setting: 1 }];
/// The oldest firmware whose behaviour the driver was written from.
const OLDEST_FIRMWARE: u32 = 5;

/// Wait between opening and the first request.
const SETTLE: Duration = Duration::from_millis(100);
/// An earlier owner's replies are read away with this time-out.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(5);
/// Replies an earlier owner may have left.
const MAX_STALE: usize = 16;
/// A request and the answer about the slot.
const CONTROL_TIMEOUT: Duration = Duration::from_millis(16);
/// The answer about name and firmware.
const TEXT_TIMEOUT: Duration = Duration::from_millis(32);
/// Attempts at the questions of the beginning.
const ATTEMPTS: usize = 3;
/// Failures in a row after which the device is opened anew.
const MAX_FAILURES: u32 = 10;
/// The device ignores frames for 100 ms after a stop.
const DEAF_AFTER_STOP: Duration = Duration::from_millis(105);
/// How long before the end of a frame the device is asked whether the slot is free.
const ASK_AHEAD: Duration = Duration::from_millis(5);
/// A waiting frame that does not start this long after its time never will, and a device that holds none and is not
/// ready for so long never will be.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a device that begins is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(5);
/// A frame that arrives later than so long before the end of the one that plays may find the device idle: when a frame
/// began is known to a few milliseconds.
const NEARLY_DRY: Duration = Duration::from_millis(3);
/// What the bus moves, bytes per second.
const BYTES_PER_SECOND: u64 = 1_200_000;
/// Bytes of a point that say where it is.
const PLACE_BYTES: usize = 3;
/// Time a device needs for the last requests before it is let go.
const LET_GO: Duration = Duration::from_millis(1);

/// The driver of one Helios.
pub struct Helios {
    name: String,
    wanted: String,
    bus: Box<dyn Bus>,
    clock: Arc<dyn Clock>,
    open: Option<Open>,
    frame: Vec<u8>,
}

/// An open device.
struct Open {
    usb: Box<dyn Endpoints>,
    slots: Slots,
    /// The device has said "ready" since the last frame: its endpoint takes one.
    endpoint_ready: bool,
    lets_light_out: bool,
    deaf_until: HostTime,
    failures: u32,
    firmware: u32,
    /// Since when it says "not ready" though no frame waits in it.
    unready_since: Option<HostTime>,
    /// A transfer failed, and it has not answered since.
    stumble: Option<Stumble>,
    settling: Settling,
}

impl std::fmt::Debug for Helios {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Helios").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Helios {
    /// A device on `bus`, named as the user named it. `wanted` is its stored name, its place on the bus or
    /// its serial number; empty is the first one found.
    #[must_use]
    pub fn over(name: &str, wanted: &str, bus: Box<dyn Bus>, clock: Arc<dyn Clock>) -> Self {
        Self {
            name: name.to_owned(),
            wanted: wanted.to_owned(),
            bus,
            clock,
            open: None,
            frame: Vec::with_capacity(32 * 1024),
        }
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

    /// Opens the device that is wanted.
    fn find(&mut self) -> Result<Open, DacError> {
        let seats = self.bus.list(IDS).map_err(|error| self.said(&error))?;
        if seats.is_empty() {
            return Err(self.absent("no Helios is plugged in: plug it in"));
        }
        if self.wanted.is_empty() {
            return self.open_first_free(&seats);
        }
        let is_named = |seat: &&Seat| {
            seat.path == self.wanted || seat.serial.as_deref() == Some(self.wanted.as_str())
        };
        if let Some(seat) = seats.iter().find(is_named) {
            return self.open_seat(&seat.clone());
        }
        // The only other way to tell one from another is the name each has stored.
        let mut unasked = None;
        for seat in &seats {
            match self.open_seat(seat) {
                Ok(mut open) => match open.ask(&*self.clock, Request::Name, TEXT_TIMEOUT) {
                    Ok(Some(Reply::Name(name))) if name.text() == self.wanted => return Ok(open),
                    _ => {}
                },
                Err(error @ DacError::PermissionDenied { .. }) => return Err(error),
                Err(_) => unasked = Some(seat),
            }
        }
        // Whoever holds the others need not hold this one.
        let hint = unasked.map_or_else(
            || "look at galvo devices".to_owned(),
            |seat| {
                format!(
                    "the one at {} is in use or does not answer, and cannot be asked for its name: name it helios://{0}, or end what uses it",
                    seat.path
                )
            },
        );
        Err(self.absent(format!("no Helios of the name {} is plugged in; {hint}", self.wanted)))
    }

    /// Opens the first device that nobody holds.
    fn open_first_free(&mut self, seats: &[Seat]) -> Result<Open, DacError> {
        let mut trouble = None;
        for seat in seats {
            match self.open_seat(seat) {
                Err(error @ DacError::Busy { .. }) => trouble = Some(error),
                opened => return opened,
            }
        }
        Err(trouble.unwrap_or_else(|| self.absent("no Helios is plugged in: plug it in")))
    }

    /// Opens a device, reads away what an earlier owner left, and asks for its firmware.
    fn open_seat(&mut self, seat: &Seat) -> Result<Open, DacError> {
        let usb = self
            .bus
            .open(IDS, seat, &CLAIMS)
            .map_err(|error| dac_error(&self.name, IDS, &error))?;
        self.clock.sleep_until(self.clock.now() + SETTLE);
        let mut open = Open::new(usb, self.clock.now());
        open.read_away_stale().map_err(|error| self.said(&error))?;
        for _ in 0..ATTEMPTS {
            let reply = open.ask(&*self.clock, Request::Firmware, TEXT_TIMEOUT);
            match reply.map_err(|error| self.said(&error))? {
                Some(Reply::Firmware(version)) => {
                    open.firmware = version;
                    return Ok(open);
                }
                Some(_) => {
                    let detail = "it answers one question with the reply to another".to_owned();
                    return Err(DacError::Protocol { device: self.name.clone(), detail });
                }
                None => {}
            }
        }
        Err(self.gone("it does not tell its firmware: plug it in again, and update its firmware if that does not help"))
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
        let never = open.unready_since.is_some_and(|since| clock.now().since(since) >= PATIENCE);
        match (done, lost.map(|stumble| stumble.error.clone())) {
            (_, Some(error)) => Err(self.said(&error)),
            (Ok(_), None) if failures >= MAX_FAILURES => {
                Err(self.gone(format!("{failures} transfers in a row did not get through")))
            }
            (Ok(_), None) if never => Err(self.never_ready()),
            (done, None) => done.map_err(|error| self.said(&error)),
        }
    }

    fn never_ready(&self) -> DacError {
        DacError::Unready {
            device: self.name.clone(),
            detail: format!(
                "it answers, and has not been ready for a frame for {} s though it holds none: plug it in again, and update its firmware if that does not help",
                PATIENCE.as_secs()
            ),
        }
    }

    /// Waits until a device that was just stopped says that it takes a frame.
    fn await_ready(&self, open: &mut Open) -> Result<(), DacError> {
        let deadline = self.clock.now() + PATIENCE;
        loop {
            if open.ask_ready(&*self.clock).map_err(|error| self.said(&error))? {
                return Ok(());
            }
            if open.failures >= MAX_FAILURES {
                return Err(self.gone("it does not say whether it is ready"));
            }
            if self.clock.now() >= deadline {
                return Err(self.never_ready());
            }
            self.clock.sleep_until(self.clock.now() + ASK_EVERY);
        }
    }

    /// Dark, shutter closed, let go: what cannot be said any more is left.
    fn let_go(&mut self) {
        if let Some(mut open) = self.open.take() {
            let dark = open.go_dark(&*self.clock);
            if let Err(error) = dark {
                tracing::debug!(device = self.name, %error, "closing");
            }
            self.clock.sleep_until(self.clock.now() + LET_GO);
        }
    }
}

/// The name that a device has stored, if it tells one. It must not be in use.
#[cfg(feature = "usb")]
pub(super) fn stored_name(usb: Box<dyn Endpoints>, clock: &dyn Clock) -> Option<String> {
    clock.sleep_until(clock.now() + SETTLE);
    let mut open = Open::new(usb, clock.now());
    open.read_away_stale().ok()?;
    match open.ask(clock, Request::Name, TEXT_TIMEOUT) {
        Ok(Some(Reply::Name(name))) => Some(name.text()).filter(|name| !name.is_empty()),
        _ => None,
    }
}

/// What an operator should know of this firmware.
fn firmware_notice(version: u32) -> Option<String> {
    (version < OLDEST_FIRMWARE).then(|| {
        format!(
            "firmware {version} is older than any this driver is known to work with: update it to {OLDEST_FIRMWARE} or later with the maker's tool"
        )
    })
}

impl Open {
    fn new(usb: Box<dyn Endpoints>, now: HostTime) -> Self {
        Self {
            usb,
            slots: Slots::default(),
            endpoint_ready: false,
            lets_light_out: true,
            deaf_until: now,
            failures: 0,
            firmware: 0,
            unready_since: None,
            stumble: None,
            settling: Settling::default(),
        }
    }

    /// Replies that an earlier owner has left.
    fn read_away_stale(&mut self) -> Result<(), UsbError> {
        let mut stale = [0; CONTROL_BYTES];
        for _ in 0..MAX_STALE {
            match self.usb.interrupt_in(REPLY_IN, &mut stale, DRAIN_TIMEOUT) {
                Ok(_) => {}
                Err(UsbError::Timeout) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn send(&mut self, request: Request) -> Result<(), UsbError> {
        let packet = request.emit();
        let bytes = packet.as_bytes();
        match self.usb.interrupt_out(REQUEST_OUT, bytes, CONTROL_TIMEOUT)? {
            n if n == bytes.len() => Ok(()),
            _ => Err(UsbError::Timeout),
        }
    }

    /// One request and its reply. `None`: none came in time, which is counted.
    fn ask(
        &mut self,
        clock: &dyn Clock,
        request: Request,
        timeout: Duration,
    ) -> Result<Option<Reply>, UsbError> {
        let deadline = clock.now() + CONTROL_TIMEOUT + timeout;
        let answer = self.send(request).and_then(|()| self.hear(clock, request, timeout, deadline));
        match answer {
            Ok(reply) => {
                self.failures = 0;
                Ok(Some(reply))
            }
            Err(UsbError::Timeout) => {
                self.failures += 1;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The reply to `request`. A late one to an earlier request may come first.
    fn hear(
        &mut self,
        clock: &dyn Clock,
        request: Request,
        timeout: Duration,
        deadline: HostTime,
    ) -> Result<Reply, UsbError> {
        let mut bytes = [0; CONTROL_BYTES];
        for _ in 0..MAX_STALE {
            let n = self.usb.interrupt_in(REPLY_IN, &mut bytes, timeout)?.min(CONTROL_BYTES);
            let reply =
                Reply::parse(&bytes[..n]).map_err(|error| UsbError::Io(error.to_string()))?;
            let fits = matches!(
                (request, reply),
                (Request::Status, Reply::Status(_))
                    | (Request::Firmware, Reply::Firmware(_))
                    | (Request::Name, Reply::Name(_))
            );
            if fits {
                return Ok(reply);
            }
            if clock.now() >= deadline {
                break;
            }
        }
        Err(UsbError::Timeout)
    }

    /// Asks whether the next slot is free.
    fn ask_ready(&mut self, clock: &dyn Clock) -> Result<bool, UsbError> {
        let asked = clock.now();
        let reply = self.ask(clock, Request::Status, CONTROL_TIMEOUT)?;
        let Some(Reply::Status(free)) = reply else { return Ok(false) };
        let middle = asked.plus_nanos(clock.now().nanos_since(asked) / 2);
        self.slots.told(free, middle);
        self.endpoint_ready = free;
        if free || self.slots.is_full() {
            self.unready_since = None;
        } else {
            self.unready_since.get_or_insert(middle);
        }
        Ok(free)
    }

    /// After a failed transfer: stops the device, so that it is dark, and asks whether it hears. True if it does:
    /// what follows is a new flow of points.
    fn get_up(&mut self, clock: &dyn Clock) -> bool {
        let Some(stumble) = self.stumble.take_if(|stumble| !stumble.is_over(clock.now())) else {
            return false;
        };
        for endpoint in [REQUEST_OUT, REPLY_IN, FRAME_OUT] {
            if stumble.error == UsbError::Stall {
                self.usb.unstall(endpoint);
            }
        }
        let failures = self.failures;
        let answered = self.go_dark(clock).and_then(|()| self.ask_ready_or_not(clock));
        self.failures = failures;
        let hears = answered == Ok(true) && !stumble.is_over(clock.now());
        if hears {
            self.slots.broke();
        } else {
            self.stumble = Some(stumble);
        }
        hears
    }

    /// True if it answers at all.
    fn ask_ready_or_not(&mut self, clock: &dyn Clock) -> Result<bool, UsbError> {
        Ok(self.ask(clock, Request::Status, CONTROL_TIMEOUT)?.is_some())
    }

    fn go_dark(&mut self, clock: &dyn Clock) -> Result<(), UsbError> {
        self.slots.clear();
        self.endpoint_ready = false;
        self.unready_since = None;
        let stopped = self.send(Request::Stop);
        self.deaf_until = clock.now() + DEAF_AFTER_STOP;
        // Stop alone leaves the shutter as it is; and it is closed even if the stop was not heard.
        let closed = self.send(Request::Shutter(false));
        self.lets_light_out = closed.is_err();
        stopped.and(closed)
    }

    /// True if the device may be idle by the time a frame arrives that is sent now: it then shows it at once.
    fn may_find_it_idle(&self, now: HostTime, frame: &[u8]) -> bool {
        let transfer = Duration::from_nanos(frame.len() as u64 * 1_000_000_000 / BYTES_PER_SECOND);
        self.slots.surely_plays_until().is_none_or(|end| end < now + transfer + NEARLY_DRY)
    }

    fn write(
        &mut self,
        clock: &dyn Clock,
        frame: &mut [u8],
        chunk: &SafeChunk<'_>,
        pps: u32,
    ) -> Result<Written, UsbError> {
        let lit = chunk.points().iter().any(|point| !point.is_blank());
        if lit && !self.lets_light_out {
            self.send(Request::Shutter(true))?;
            self.lets_light_out = true;
        }
        self.settling.learn(chunk);
        if self.may_find_it_idle(clock.now(), frame) {
            self.settling.begin();
        }
        let dark = self.settling.dark(chunk.len(), pps);
        for point in frame.chunks_exact_mut(POINT_BYTES).take(dark) {
            point[PLACE_BYTES..].fill(0);
        }
        let timeout = Duration::from_millis(8 + frame.len() as u64 / 32);
        // The endpoint takes one frame for each "ready".
        self.endpoint_ready = false;
        match self.usb.bulk_out(FRAME_OUT, frame, timeout) {
            Ok(n) if n == frame.len() => {
                self.failures = 0;
                self.slots.wrote(clock.now(), chunk.len() as u32, pps);
                self.settling.passed(chunk.len(), pps);
                Ok(Written::Accepted)
            }
            // The device throws away a frame that is cut: the whole of it is offered again.
            Ok(_) | Err(UsbError::Timeout) => {
                self.failures += 1;
                Ok(Written::NotNow)
            }
            Err(error) => Err(error),
        }
    }
}

impl Backend for Helios {
    fn name(&self) -> &str {
        &self.name
    }

    fn presumed(&self) -> Capabilities {
        Capabilities {
            delivery: Delivery::FrameSwap,
            max_points_per_chunk: MAX_POINTS,
            capacity_points: None,
            min_pps: MIN_PPS,
            max_pps: MAX_PPS,
            // Each ready edge dates a frame, and with it what the device holds.
            reports_queue: true,
            suggested_buffer: Duration::from_millis(50),
            least_points: 0,
            start_moves_relay: false,
        }
    }

    fn connect(&mut self, _now: HostTime) -> Result<Capabilities, DacError> {
        self.let_go();
        let mut open = self.find()?;
        // The last owner's frame may still loop.
        let dark =
            open.send(Request::SdkLevel(SDK_LEVEL)).and_then(|()| open.go_dark(&*self.clock));
        dark.map_err(|error| self.said(&error))?;
        self.await_ready(&mut open)?;
        self.open = Some(open);
        Ok(self.presumed())
    }

    fn write(&mut self, _now: HostTime, chunk: SafeChunk<'_>) -> Result<Written, DacError> {
        if chunk.is_empty() {
            return Ok(Written::Accepted);
        }
        let pps = chunk.pps().clamp(MIN_PPS, MAX_PPS);
        let mut frame = std::mem::take(&mut self.frame);
        let encoded = encode_frame(chunk.points(), pps, flag::SINGLE_SHOT, &mut frame);
        let written = self.with_open(|open, clock| {
            if open.slots.is_full() || clock.now() < open.deaf_until {
                return Ok(Written::NotNow);
            }
            if !open.endpoint_ready && !open.ask_ready(clock)? {
                return Ok(Written::NotNow);
            }
            encoded.map_err(|error| UsbError::Io(error.to_string()))?;
            open.write(clock, &mut frame, &chunk, pps)
        });
        self.frame = frame;
        Ok(written?.unwrap_or(Written::NotNow))
    }

    fn poll(&mut self, _now: HostTime) -> Result<DeviceReport, DacError> {
        let now = self.clock.now();
        let end =
            self.open.as_ref().filter(|open| open.slots.is_full()).and_then(|o| o.slots.end());
        if end.is_some_and(|end| now >= end + PATIENCE) {
            return Err(self.gone("it holds a frame and does not show it"));
        }
        self.with_open(|open, clock| {
            if end.is_some_and(|end| now + ASK_AHEAD >= end) {
                open.ask_ready(clock)?;
            }
            Ok(())
        })?;
        let now = self.clock.now();
        let Some(open) = &mut self.open else {
            return Err(self.gone("there is no connection"));
        };
        open.slots.advance(now);
        let playing = open.slots.playing();
        Ok(DeviceReport {
            at: playing.map_or(open.deaf_until.min(now), |(since, _)| since),
            queued_points: Some(open.slots.points()),
            played_points: None,
            playing_pps: playing.map(|(_, pps)| pps),
            underflows: open.slots.underflows(),
            gaps: 0,
            estop: false,
        })
    }

    fn advice(&self) -> Option<String> {
        self.open.as_ref().and_then(|open| firmware_notice(open.firmware))
    }

    fn stop(&mut self, _now: HostTime) -> Result<(), DacError> {
        // What does not hear it is told again at every look, and its frames run out by themselves.
        self.with_open(Open::go_dark).map(|_| ())
    }

    fn reset_estop(&mut self, _now: HostTime) -> Result<(), DacError> {
        // The device knows no emergency stop of its own.
        Ok(())
    }

    fn close(&mut self, _now: HostTime) {
        self.let_go();
    }
}

impl Drop for Helios {
    fn drop(&mut self) {
        self.let_go();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "usb")]
    #[test]
    fn a_device_that_nobody_uses_tells_the_name_it_has_stored() {
        use crate::dac::simulator::helios::Device;
        use crate::dac::simulator::usb_port::UsbPort;
        use crate::time::ManualClock;

        let clock = ManualClock::default();
        for (stored, told) in [("Stage Left", Some("Stage Left")), ("", None)] {
            let device = Device::new(6, stored, 0.0, None);
            let mut port = UsbPort::new(device, Arc::new(clock.clone()));
            let seat = port.list(IDS).unwrap().remove(0);
            let usb = port.open(IDS, &seat, &CLAIMS).unwrap();
            assert_eq!(stored_name(usb, &clock).as_deref(), told);
        }
    }

    #[test]
    fn an_old_firmware_is_said_with_its_cure() {
        assert_eq!(firmware_notice(5), None);
        assert_eq!(firmware_notice(6), None);
        let notice = firmware_notice(4).unwrap();
        assert!(notice.contains("firmware 4") && notice.contains("update"), "{notice}");
    }
}
