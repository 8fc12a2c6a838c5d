//! The virtual device on UDP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::device::Device;
use crate::dac::simulator::ears::Ears;
use crate::dac::simulator::unit::{EthernetAddress, own_address};
use crate::dac::simulator::{Faults, Recorder};
use crate::dac::transport::{Datagrams, LONGEST_DATAGRAM, LossPlan, Lossy};
use crate::time::{Clock, HostTime};

/// How often the thread looks at its socket.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// Datagrams taken in one look.
const DATAGRAMS_PER_LOOK: usize = 512;
/// How long a cut lasts: longer than a session without a word.
const CUT_LASTS: Duration = Duration::from_millis(1500);
/// How long a pressed emergency stop stays pressed: long enough to be asked for.
const ESTOP_HELD: Duration = Duration::from_millis(600);

/// What a virtual device is like.
pub struct Options {
    /// What it calls itself.
    pub host_name: String,
    /// Its Ethernet address; `None` for one of its own.
    pub address: Option<EthernetAddress>,
    /// The names of its outputs.
    pub outputs: Vec<String>,
    /// What goes wrong.
    pub faults: Faults,
    /// What watches the mirrors of its first output.
    pub recorder: Option<Box<dyn Recorder>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host_name: "galvo simulator".to_owned(),
            address: None,
            outputs: vec!["Main".to_owned()],
            faults: Faults::default(),
            recorder: None,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("host_name", &self.host_name)
            .field("outputs", &self.outputs)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// A running virtual device. Stops when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    deaf: Option<String>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Device>>,
}

impl Server {
    /// Listens on `address`; port 0 is any free one.
    pub fn start(address: SocketAddr, options: Options, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let socket = Ears::open(address)?;
        let address = socket.address()?;
        let deaf = socket.deaf().map(str::to_owned);
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let Options { host_name, address: mac, outputs, faults, recorder } = options;
        let mac = mac.unwrap_or_else(|| own_address("idn", address));
        let plan = LossPlan {
            loss: faults.loss,
            duplicates: faults.duplicates,
            reorder: faults.reorder,
            delay: faults.delay,
            jitter: faults.jitter,
            seed: faults.seed,
        };
        let mut service = Service {
            device: Device::new(&host_name, &outputs, faults.ppm, recorder).with_address(mac),
            socket: Lossy::new(socket, plan),
            buffer: vec![0; LONGEST_DATAGRAM],
            faults,
            connected_at: None,
            deaf_until: None,
            starved_at: None,
            estop_done: false,
        };
        let run = move || {
            while !stopping.load(Ordering::Acquire) {
                let now = clock.now();
                if service.step(now) {
                    clock.sleep_until(now + LOOK_EVERY);
                }
            }
            service.device.restart(clock.now());
            service.device
        };
        let thread = std::thread::Builder::new().name("idn-sim".into()).spawn(run)?;
        Ok(Self { address, deaf, stop, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Why it does not hear all that is said to everybody, if that is so.
    #[must_use]
    pub fn deaf(&self) -> Option<&str> {
        self.deaf.as_deref()
    }

    /// Ends it and hands the device out; `None` only if its thread died.
    pub fn stop(mut self) -> Option<Device> {
        self.stop.store(true, Ordering::Release);
        self.thread.take().and_then(|thread| thread.join().ok())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Service {
    device: Device,
    socket: Lossy<Ears>,
    buffer: Vec<u8>,
    faults: Faults,
    connected_at: Option<HostTime>,
    deaf_until: Option<HostTime>,
    starved_at: Option<HostTime>,
    estop_done: bool,
}

impl Service {
    /// True if nothing more waits: in a flood time has to go on.
    fn step(&mut self, now: HostTime) -> bool {
        self.device.advance(now);
        self.misbehave(now);
        for _ in 0..DATAGRAMS_PER_LOOK {
            // A datagram that cannot be received or sent is a lost one.
            let received = self.socket.try_recv_from(now, &mut self.buffer);
            let Ok(Some((len, client))) = received else { return true };
            if self.deaf_until.is_some_and(|until| now < until) {
                continue;
            }
            let mut replies = Vec::new();
            self.device.feed(now, client, &self.buffer[..len], &mut replies);
            for reply in replies {
                drop(self.socket.try_send_to(now, &reply, client));
            }
        }
        false
    }

    fn misbehave(&mut self, now: HostTime) {
        if self.device.sessions() == 0 {
            self.connected_at = None;
            return;
        }
        let since = *self.connected_at.get_or_insert(now);
        if self.faults.cut.is_some_and(|after| now.since(since) >= after) {
            self.deaf_until = Some(now + CUT_LASTS);
            self.connected_at = None;
            self.device.restart(now);
        }
        if let Some(every) = self.faults.underflow
            && now.since(*self.starved_at.get_or_insert(now)) >= every
        {
            self.starved_at = Some(now);
            self.device.restart(now);
        }
        if let Some(after) = self.faults.estop
            && !self.estop_done
        {
            if now.since(since) >= after + ESTOP_HELD {
                self.estop_done = true;
                self.device.set_offline(now, false);
            } else if now.since(since) >= after {
                self.device.set_offline(now, true);
            }
        }
    }
}
