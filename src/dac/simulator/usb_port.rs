//! A virtual USB port: plugs a virtual device in behind the endpoint seam, in any time.
//!
//! Transfers take their time on a full-speed bus: each sleeps on the clock it is given, so that a driver sees
//! in virtual time what it would see on a cable.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::dac::usb::{Bus, Claim, Endpoints, Ids, Seat, UsbError};
use crate::time::{Clock, HostTime};

/// Time of a small transfer: a request and its reply together take 2 ms on a real Helios.
const SMALL_TRANSFER: Duration = Duration::from_millis(1);
/// What a full-speed bus moves, bytes per second.
const BYTES_PER_SECOND: u64 = 1_200_000;

/// What is wrong with the port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PortFault {
    /// Nothing.
    #[default]
    None,
    /// Nothing is plugged in.
    Unplugged,
    /// The system denies access.
    Denied,
    /// Another program holds the device.
    Held,
    /// The device takes nothing and says nothing.
    Wedged,
}

/// The device's end of the endpoints.
pub trait UsbDevice: Send {
    /// Its numbers on the bus.
    fn ids(&self) -> Ids;
    /// Its serial number, if it has one.
    fn serial(&self) -> Option<String>;
    /// The interfaces that a host has to claim before it may use the endpoints.
    fn claims(&self) -> &'static [Claim];
    /// Power comes: it starts from nothing.
    fn power_up(&mut self, now: HostTime);
    /// The plug is pulled.
    fn power_down(&mut self, now: HostTime);
    /// Time passes.
    fn advance(&mut self, now: HostTime);
    /// Bytes arrive on an OUT endpoint; how many it takes, `None` for none at all until the time-out.
    fn receive(&mut self, now: HostTime, endpoint: u8, bytes: &[u8]) -> Option<usize>;
    /// What it has to say on an IN endpoint.
    fn reply(&mut self, now: HostTime, endpoint: u8) -> Option<Vec<u8>>;
}

#[derive(Debug)]
struct Inside<D> {
    device: D,
    fault: PortFault,
    /// Which opening is the present one.
    opened: u64,
    /// The next large transfer ends after so many bytes.
    cut_next: Option<usize>,
    /// Transfers to come that time out.
    time_outs: u32,
    /// Transfers to come that fail on the bus.
    failures: u32,
    /// The endpoint of the next transfer stalls.
    stall_next: bool,
    stalled: Option<u8>,
}

/// The port and the device in it. Clones share them; a clone is also the bus of a driver.
pub struct UsbPort<D> {
    inside: Arc<Mutex<Inside<D>>>,
    clock: Arc<dyn Clock>,
}

impl<D> std::fmt::Debug for UsbPort<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UsbPort").finish_non_exhaustive()
    }
}

impl<D> Clone for UsbPort<D> {
    fn clone(&self) -> Self {
        Self { inside: Arc::clone(&self.inside), clock: Arc::clone(&self.clock) }
    }
}

impl<D: UsbDevice> UsbPort<D> {
    /// Plugs a device in. Its transfers take time on `clock`.
    #[must_use]
    pub fn new(device: D, clock: Arc<dyn Clock>) -> Self {
        let inside = Inside {
            device,
            fault: PortFault::None,
            opened: 0,
            cut_next: None,
            time_outs: 0,
            failures: 0,
            stall_next: false,
            stalled: None,
        };
        Self { inside: Arc::new(Mutex::new(inside)), clock }
    }

    fn lock(&self) -> MutexGuard<'_, Inside<D>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the device now, or changes it.
    pub fn with<T>(&self, act: impl FnOnce(&mut D) -> T) -> T {
        let mut inside = self.lock();
        inside.device.advance(self.clock.now());
        act(&mut inside.device)
    }

    /// From now on this is wrong with the port.
    pub fn set_fault(&self, fault: PortFault) {
        let now = self.clock.now();
        let mut inside = self.lock();
        let was = std::mem::replace(&mut inside.fault, fault);
        if fault == PortFault::Unplugged && was != fault {
            inside.device.power_down(now);
            inside.opened += 1;
        } else if was == PortFault::Unplugged && fault != was {
            inside.device.power_up(now);
        }
    }

    /// The next transfer of more than a packet ends after `bytes` bytes.
    pub fn cut_next_transfer(&self, bytes: usize) {
        self.lock().cut_next = Some(bytes);
    }

    /// The next `count` transfers time out.
    pub fn time_out_next(&self, count: u32) {
        self.lock().time_outs = count;
    }

    /// The next `count` transfers fail on the bus, at once.
    pub fn fail_next(&self, count: u32) {
        self.lock().failures = count;
    }

    /// The endpoint of the next transfer stalls: it takes nothing more until the host lets it.
    pub fn stall_next(&self) {
        self.lock().stall_next = true;
    }
}

impl<D: UsbDevice + 'static> Bus for UsbPort<D> {
    fn list(&mut self, ids: Ids) -> Result<Vec<Seat>, UsbError> {
        let inside = self.lock();
        let there = inside.device.ids() == ids && inside.fault != PortFault::Unplugged;
        let serial = inside.device.serial().filter(|_| inside.fault != PortFault::Denied);
        Ok(there.then(|| Seat { path: "1-2.3".to_owned(), serial }).into_iter().collect())
    }

    fn open(
        &mut self,
        ids: Ids,
        seat: &Seat,
        claims: &[Claim],
    ) -> Result<Box<dyn Endpoints>, UsbError> {
        let mut inside = self.lock();
        let known = inside.device.ids() == ids && seat.path == "1-2.3";
        match inside.fault {
            PortFault::Unplugged => return Err(UsbError::NoDevice),
            PortFault::Denied => return Err(UsbError::Access),
            PortFault::Held => return Err(UsbError::Busy),
            PortFault::None | PortFault::Wedged if !known => return Err(UsbError::NoDevice),
            PortFault::None | PortFault::Wedged => {}
        }
        if claims != inside.device.claims() {
            return Err(UsbError::Io("not all interfaces are claimed".to_owned()));
        }
        inside.opened += 1;
        Ok(Box::new(HostEnd { port: self.clone(), opened: inside.opened }))
    }
}

/// The host's end of the cable.
struct HostEnd<D> {
    port: UsbPort<D>,
    opened: u64,
}

impl<D: UsbDevice> HostEnd<D> {
    fn is_open(&self, inside: &Inside<D>) -> Result<(), UsbError> {
        if inside.opened == self.opened { Ok(()) } else { Err(UsbError::NoDevice) }
    }

    /// True if a transfer on `endpoint` gets through.
    fn check(&self, inside: &mut Inside<D>, endpoint: u8) -> Result<bool, UsbError> {
        self.is_open(inside)?;
        if std::mem::take(&mut inside.stall_next) {
            inside.stalled = Some(endpoint);
        }
        if inside.stalled == Some(endpoint) {
            return Err(UsbError::Stall);
        }
        if inside.failures > 0 {
            inside.failures -= 1;
            return Err(UsbError::Io("a checksum is wrong".to_owned()));
        }
        if inside.time_outs > 0 {
            inside.time_outs -= 1;
            return Ok(false);
        }
        Ok(inside.fault != PortFault::Wedged)
    }

    fn pass(&self, time: Duration) -> HostTime {
        self.port.clock.sleep_until(self.port.clock.now() + time);
        self.port.clock.now()
    }

    fn send(&mut self, to: u8, bytes: &[u8], timeout: Duration) -> Result<usize, UsbError> {
        let alive = self.check(&mut self.port.lock(), to)?;
        let taken = if alive {
            let now = self.pass(transfer_time(bytes.len()).min(timeout));
            let mut inside = self.port.lock();
            self.is_open(&inside)?;
            let cut = if bytes.len() > 64 { inside.cut_next.take() } else { None };
            let arrives = &bytes[..cut.unwrap_or(bytes.len()).min(bytes.len())];
            inside.device.receive(now, to, arrives)
        } else {
            None
        };
        if taken.is_none() {
            self.pass(timeout);
        }
        taken.ok_or(UsbError::Timeout)
    }

    fn hear(&mut self, from: u8, into: &mut [u8], timeout: Duration) -> Result<usize, UsbError> {
        let alive = self.check(&mut self.port.lock(), from)?;
        let said = if alive {
            let now = self.pass(SMALL_TRANSFER.min(timeout));
            let mut inside = self.port.lock();
            self.is_open(&inside)?;
            inside.device.reply(now, from)
        } else {
            None
        };
        let Some(said) = said else {
            self.pass(timeout);
            return Err(UsbError::Timeout);
        };
        let n = said.len().min(into.len());
        into[..n].copy_from_slice(&said[..n]);
        Ok(n)
    }
}

fn transfer_time(bytes: usize) -> Duration {
    let long = Duration::from_nanos(bytes as u64 * 1_000_000_000 / BYTES_PER_SECOND);
    if bytes <= 64 { SMALL_TRANSFER } else { long }
}

impl<D: UsbDevice> Endpoints for HostEnd<D> {
    fn bulk_out(&mut self, to: u8, bytes: &[u8], timeout: Duration) -> Result<usize, UsbError> {
        self.send(to, bytes, timeout)
    }

    fn bulk_in(&mut self, from: u8, into: &mut [u8], timeout: Duration) -> Result<usize, UsbError> {
        self.hear(from, into, timeout)
    }

    fn interrupt_out(
        &mut self,
        to: u8,
        bytes: &[u8],
        timeout: Duration,
    ) -> Result<usize, UsbError> {
        self.send(to, bytes, timeout)
    }

    fn interrupt_in(
        &mut self,
        from: u8,
        into: &mut [u8],
        timeout: Duration,
    ) -> Result<usize, UsbError> {
        self.hear(from, into, timeout)
    }

    fn unstall(&mut self, endpoint: u8) {
        let mut inside = self.port.lock();
        inside.stalled = inside.stalled.filter(|stalled| *stalled != endpoint);
    }
}
