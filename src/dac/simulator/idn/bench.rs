//! A virtual IDN device on a wire in memory: no socket, no thread, any clock.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::device::Device;
use crate::dac::transport::{Bind, Datagrams};
use crate::time::HostTime;

#[derive(Debug)]
struct Wire {
    device: Device,
    ports: u16,
    reachable: bool,
    /// Every datagram the device got.
    heard: Vec<Vec<u8>>,
}

/// The device and its wire. Clones share them; a clone is also the transport of a driver.
#[derive(Clone, Debug)]
pub struct Bench(Arc<Mutex<Wire>>);

impl Bench {
    /// Puts a device on the bench.
    #[must_use]
    pub fn new(device: Device) -> Self {
        Self(Arc::new(Mutex::new(Wire { device, ports: 0, reachable: true, heard: Vec::new() })))
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the device is.
    #[must_use]
    pub fn address() -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], crate::wire::idn::UDP_PORT))
    }

    /// Looks at the device, or presses its buttons.
    pub fn with<T>(&self, act: impl FnOnce(&mut Device) -> T) -> T {
        act(&mut self.wire().device)
    }

    /// Pulls the network cable, or puts it back.
    pub fn set_reachable(&self, reachable: bool) {
        self.wire().reachable = reachable;
    }

    /// Takes the datagrams that the device has got since the last call.
    #[must_use]
    pub fn take_heard(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.wire().heard)
    }
}

impl Bind for Bench {
    fn bind(&mut self) -> io::Result<Box<dyn Datagrams>> {
        let mut wire = self.wire();
        wire.ports = wire.ports.wrapping_add(1);
        let client = SocketAddr::from(([192, 0, 2, 2], wire.ports));
        Ok(Box::new(Port { bench: self.clone(), client, inbox: VecDeque::new() }))
    }
}

/// A socket of the host.
struct Port {
    bench: Bench,
    client: SocketAddr,
    inbox: VecDeque<Vec<u8>>,
}

impl Datagrams for Port {
    fn try_send_to(&mut self, now: HostTime, bytes: &[u8], to: SocketAddr) -> io::Result<bool> {
        let mut wire = self.bench.wire();
        if wire.reachable && to == Bench::address() {
            let mut replies = Vec::new();
            wire.device.feed(now, self.client, bytes, &mut replies);
            wire.heard.push(bytes.to_vec());
            self.inbox.extend(replies);
        }
        Ok(true)
    }

    fn try_recv_from(
        &mut self,
        now: HostTime,
        into: &mut [u8],
    ) -> io::Result<Option<(usize, SocketAddr)>> {
        self.bench.wire().device.advance(now);
        Ok(self.inbox.pop_front().map(|packet| {
            let len = packet.len().min(into.len());
            into[..len].copy_from_slice(&packet[..len]);
            (len, Bench::address())
        }))
    }
}
