//! A virtual Ether Dream on a wire in memory: no socket, no thread, any clock.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::device::Device;
use crate::dac::transport::{ByteStream, Dial};
use crate::time::HostTime;
use crate::wire::ether_dream::Command;

#[derive(Debug)]
struct Wire {
    device: Device,
    to_host: Vec<u8>,
    /// Which connection is the open one.
    connection: u64,
    reachable: bool,
    greets_after: Duration,
    /// The greeting that is still held back, and when it comes.
    greeting: Option<(HostTime, Vec<u8>)>,
    /// Time that each command takes, one after the other.
    takes: Duration,
    busy_until: HostTime,
    /// Writes whose commands are not all handled, with the time they came.
    waiting: VecDeque<(HostTime, Vec<u8>)>,
}

impl Wire {
    /// Handles the commands that are due.
    fn handle(&mut self, now: HostTime) {
        while let Some((came, bytes)) = self.waiting.front_mut() {
            let done = self.busy_until.max(*came) + self.takes;
            let len = match Command::parse(bytes) {
                Ok((_, len)) => len,
                Err(_) => bytes.len(),
            };
            if done > now {
                return;
            }
            let command: Vec<u8> = bytes.drain(..len).collect();
            if bytes.is_empty() {
                self.waiting.pop_front();
            }
            self.busy_until = done;
            self.device.feed(done, &command, &mut self.to_host);
        }
    }
}

/// The device and its wire. Clones share them; a clone is also the transport of a driver.
#[derive(Clone, Debug)]
pub struct Bench(Arc<Mutex<Wire>>);

impl Bench {
    /// Puts a device on the bench.
    #[must_use]
    pub fn new(device: Device) -> Self {
        let wire = Wire {
            device,
            to_host: Vec::new(),
            connection: 0,
            reachable: true,
            greets_after: Duration::ZERO,
            greeting: None,
            takes: Duration::ZERO,
            busy_until: HostTime::ZERO,
            waiting: VecDeque::new(),
        };
        Self(Arc::new(Mutex::new(wire)))
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the device, or presses its buttons.
    pub fn with<T>(&self, act: impl FnOnce(&mut Device) -> T) -> T {
        act(&mut self.wire().device)
    }

    /// Breaks the connection; `reachable` says whether a new one may be made.
    pub fn cut(&self, now: HostTime, reachable: bool) {
        let mut wire = self.wire();
        wire.device.disconnect(now);
        wire.connection += 1;
        wire.reachable = reachable;
    }

    /// The greeting comes so long after a connection.
    pub fn greet_after(&self, delay: Duration) {
        self.wire().greets_after = delay;
    }

    /// Each command takes so long, one after the other.
    pub fn take_for_each_command(&self, time: Duration) {
        self.wire().takes = time;
    }

    /// The device says this out of turn.
    pub fn inject(&self, bytes: &[u8]) {
        self.wire().to_host.extend_from_slice(bytes);
    }
}

impl Dial for Bench {
    fn dial(&mut self, now: HostTime, _timeout: Duration) -> io::Result<Box<dyn ByteStream>> {
        let mut guard = self.wire();
        let wire = &mut *guard;
        if !wire.reachable {
            return Err(ErrorKind::ConnectionRefused.into());
        }
        wire.connection += 1;
        wire.to_host.clear();
        wire.greeting = None;
        wire.waiting.clear();
        let mut greeting = Vec::new();
        wire.device.connect(now, &mut greeting);
        if wire.greets_after.is_zero() {
            wire.to_host = greeting;
        } else {
            wire.greeting = Some((now + wire.greets_after, greeting));
        }
        Ok(Box::new(End { bench: self.clone(), connection: wire.connection }))
    }
}

/// The host's end of the wire.
struct End {
    bench: Bench,
    connection: u64,
}

impl End {
    fn wire(&self) -> io::Result<MutexGuard<'_, Wire>> {
        let wire = self.bench.wire();
        if wire.connection == self.connection {
            Ok(wire)
        } else {
            Err(ErrorKind::ConnectionReset.into())
        }
    }
}

impl ByteStream for End {
    fn try_write(&mut self, now: HostTime, bytes: &[u8]) -> io::Result<usize> {
        let mut guard = self.wire()?;
        let wire = &mut *guard;
        if wire.takes.is_zero() {
            wire.device.feed(now, bytes, &mut wire.to_host);
        } else {
            wire.handle(now);
            wire.waiting.push_back((now, bytes.to_vec()));
        }
        Ok(bytes.len())
    }

    fn try_read(&mut self, now: HostTime, into: &mut [u8]) -> io::Result<usize> {
        let mut wire = self.wire()?;
        wire.handle(now);
        wire.device.advance(now);
        if let Some((_, greeting)) = wire.greeting.take_if(|(due, _)| *due <= now) {
            wire.to_host.extend_from_slice(&greeting);
        }
        if wire.to_host.is_empty() && wire.device.wants_close() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let n = wire.to_host.len().min(into.len());
        for (slot, byte) in into.iter_mut().zip(wire.to_host.drain(..n)) {
            *slot = byte;
        }
        Ok(n)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut wire = self.bench.wire();
        if wire.connection == self.connection {
            wire.connection += 1;
            let seen = wire.device.mirrors().seen_until();
            wire.device.disconnect(seen);
        }
    }
}
