//! The virtual device on UDP.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::device::Device;
use crate::dac::simulator::{Faults, Recorder};
use crate::dac::transport::{Datagrams, LossPlan, Lossy};
use crate::time::{Clock, HostTime};

/// How often the thread looks at its socket.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// How long a cut lasts: longer than a session without a word.
const CUT_LASTS: Duration = Duration::from_millis(1500);
/// How long a pressed emergency stop stays pressed: long enough to be asked for.
const ESTOP_HELD: Duration = Duration::from_millis(600);

/// What a virtual device is like.
pub struct Options {
    /// What it calls itself.
    pub host_name: String,
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
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Device>>,
}

impl Server {
    /// Listens on `address`; port 0 is any free one.
    pub fn start(address: SocketAddr, options: Options, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let Options { host_name, outputs, faults, recorder } = options;
        let plan = LossPlan {
            loss: faults.loss,
            duplicates: faults.duplicates,
            reorder: faults.reorder,
            delay: faults.delay,
            jitter: faults.jitter,
            seed: faults.seed,
        };
        let mut service = Service {
            device: Device::new(&host_name, &outputs, faults.ppm, recorder),
            socket: Lossy::new(socket, plan),
            faults,
            connected_at: None,
            deaf_until: None,
            starved_at: None,
            estop_done: false,
        };
        let run = move || {
            while !stopping.load(Ordering::Acquire) {
                let now = clock.now();
                service.step(now);
                clock.sleep_until(now + LOOK_EVERY);
            }
            service.device.restart(clock.now());
            service.device
        };
        let thread = std::thread::Builder::new().name("idn-sim".into()).spawn(run)?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
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
    socket: Lossy<UdpSocket>,
    faults: Faults,
    connected_at: Option<HostTime>,
    deaf_until: Option<HostTime>,
    starved_at: Option<HostTime>,
    estop_done: bool,
}

impl Service {
    fn step(&mut self, now: HostTime) {
        self.device.advance(now);
        self.misbehave(now);
        let mut buffer = [0; 65_536];
        // A datagram that cannot be received or sent is a lost one.
        while let Ok(Some((len, client))) = self.socket.try_recv_from(now, &mut buffer) {
            if self.deaf_until.is_some_and(|until| now < until) {
                continue;
            }
            let mut replies = Vec::new();
            self.device.feed(now, client, &buffer[..len], &mut replies);
            for reply in replies {
                drop(self.socket.try_send_to(now, &reply, client));
            }
        }
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
