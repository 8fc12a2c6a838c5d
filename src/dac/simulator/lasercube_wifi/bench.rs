//! A virtual LaserCube on a wire in memory: no socket, no thread, any clock.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::device::{Device, Port};
use crate::dac::transport::{Bind, Datagrams};
use crate::time::HostTime;
use crate::wire::lasercube_wifi::{ALIVE_PORT, COMMAND_PORT, DATA_PORT};

#[derive(Debug)]
struct Wire {
    device: Device,
    to_host: VecDeque<(Vec<u8>, u16)>,
    /// Which socket the device answers.
    socket: u64,
    reachable: bool,
    datagrams: u64,
}

/// The device and its wire. Clones share them; a clone also opens the sockets of a driver.
#[derive(Clone, Debug)]
pub struct Bench(Arc<Mutex<Wire>>);

impl Bench {
    /// The device's address on the bench.
    pub const HOST: &'static str = "192.0.2.1";

    /// Puts a device on the bench.
    #[must_use]
    pub fn new(device: Device) -> Self {
        let wire =
            Wire { device, to_host: VecDeque::new(), socket: 0, reachable: true, datagrams: 0 };
        Self(Arc::new(Mutex::new(wire)))
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the device, or changes it.
    pub fn with<T>(&self, act: impl FnOnce(&mut Device) -> T) -> T {
        act(&mut self.wire().device)
    }

    /// Pulls the cable, or plugs it in: datagrams are lost both ways while it is out.
    pub fn set_reachable(&self, reachable: bool) {
        let mut wire = self.wire();
        wire.reachable = reachable;
        wire.to_host.clear();
    }

    /// The device says this out of turn, from its command port.
    pub fn inject(&self, bytes: &[u8]) {
        self.wire().to_host.push_back((bytes.to_vec(), COMMAND_PORT));
    }

    /// Datagrams of points that have arrived.
    #[must_use]
    pub fn datagrams(&self) -> u64 {
        self.wire().datagrams
    }
}

impl Bind for Bench {
    fn bind(&mut self) -> io::Result<Box<dyn Datagrams>> {
        let mut wire = self.wire();
        wire.socket += 1;
        wire.to_host.clear();
        Ok(Box::new(End { bench: self.clone(), socket: wire.socket }))
    }
}

/// The host's end of the wire.
struct End {
    bench: Bench,
    socket: u64,
}

impl Datagrams for End {
    fn try_send_to(&mut self, now: HostTime, bytes: &[u8], to: SocketAddr) -> io::Result<bool> {
        let mut guard = self.bench.wire();
        let port = match to.port() {
            ALIVE_PORT => Port::Alive,
            COMMAND_PORT => Port::Command,
            DATA_PORT => Port::Data,
            _ => return Ok(true),
        };
        if !guard.reachable || to.ip().to_string() != Bench::HOST {
            return Ok(true);
        }
        guard.datagrams += u64::from(port == Port::Data);
        let mut answer = Vec::new();
        guard.device.feed(now, port, bytes, &mut answer);
        if !answer.is_empty() && guard.socket == self.socket {
            guard.to_host.push_back((answer, to.port()));
        }
        Ok(true)
    }

    fn try_recv_from(
        &mut self,
        now: HostTime,
        into: &mut [u8],
    ) -> io::Result<Option<(usize, SocketAddr)>> {
        let mut wire = self.bench.wire();
        wire.device.advance(now);
        if wire.socket != self.socket {
            return Ok(None);
        }
        Ok(wire.to_host.pop_front().map(|(bytes, port)| {
            let len = bytes.len().min(into.len());
            into[..len].copy_from_slice(&bytes[..len]);
            (len, SocketAddr::from(([192, 0, 2, 1], port)))
        }))
    }
}
