//! The virtual device on three UDP ports.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::device::{Device, Model, Port};
use crate::dac::simulator::ears::Ears;
use crate::dac::simulator::unit::own_address;
use crate::dac::simulator::{Faults, Recorder};
use crate::dac::transport::{Datagrams, LONGEST_DATAGRAM, LossPlan, Lossy};
use crate::time::{Clock, HostTime};

/// How often the thread looks at its sockets.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// Datagrams taken from each socket in one look.
const DATAGRAMS_PER_LOOK: usize = 512;
/// How long an open interlock stays open.
const INTERLOCK_OPEN: Duration = Duration::from_secs(1);
/// How long the network stays away.
const CUT_FOR: Duration = Duration::from_secs(3);
/// Tries to find three free ports in a row.
const PORT_TRIES: usize = 200;

/// What a virtual device is like.
#[derive(Default)]
pub struct Options {
    /// The device.
    pub model: Model,
    /// What goes wrong; an emergency stop is an open interlock.
    pub faults: Faults,
    /// What watches its mirrors.
    pub recorder: Option<Box<dyn Recorder>>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("model", &self.model)
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
    /// Listens for commands on `address`, for signs of life one port below and for points one port above it.
    /// Port 0: any three free ones in a row.
    pub fn start(address: SocketAddr, options: Options, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (sockets, address) = bind(address)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let deaf = sockets.iter().find_map(Ears::deaf).map(str::to_owned);
        let serial = options.model.serial.unwrap_or_else(|| own_address("lasercube", address));
        let model = Model { ppm: options.faults.ppm, serial: Some(serial), ..options.model };
        let mut plan = LossPlan {
            loss: options.faults.loss,
            duplicates: options.faults.duplicates,
            reorder: options.faults.reorder,
            delay: options.faults.delay,
            jitter: options.faults.jitter,
            seed: options.faults.seed,
        };
        let ports = [Port::Alive, Port::Command, Port::Data];
        let sockets = sockets.into_iter().zip(ports).map(|(socket, port)| {
            plan.seed = plan.seed.wrapping_add(1);
            (Lossy::new(socket, plan), port)
        });
        let mut service = Service {
            sockets: sockets.collect(),
            buffer: vec![0; LONGEST_DATAGRAM],
            device: Device::new(model, options.recorder),
            faults: options.faults,
            streaming_since: None,
            last_underflow: HostTime::ZERO,
            last_cut: HostTime::ZERO,
            interlock_done: false,
        };
        let run = move || {
            while !stopping.load(Ordering::Acquire) {
                let now = clock.now();
                if service.step(now) {
                    clock.sleep_until(now + LOOK_EVERY);
                }
            }
            // What has arrived by now still counts.
            service.step(clock.now());
            service.device
        };
        let thread = std::thread::Builder::new().name("lasercube-sim".into()).spawn(run)?;
        Ok(Self { address, deaf, stop, thread: Some(thread) })
    }

    /// Where it listens for commands.
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

/// Alive, command and data socket, and the address of the second.
fn bind(address: SocketAddr) -> io::Result<([Ears; 3], SocketAddr)> {
    let tries = if address.port() == 0 { PORT_TRIES } else { 1 };
    let mut last = io::Error::other("no three free ports in a row");
    for _ in 0..tries {
        match three_in_a_row(address.ip(), address.port()) {
            Ok(found) => return Ok(found),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn three_in_a_row(ip: IpAddr, port: u16) -> io::Result<([Ears; 3], SocketAddr)> {
    let open = |port: u16| Ears::open(SocketAddr::new(ip, port));
    let command = open(port)?;
    let address = command.address()?;
    let below = address.port().checked_sub(1).filter(|port| *port > 0);
    let (Some(below), Some(above)) = (below, address.port().checked_add(1)) else {
        return Err(io::Error::other("the ports beside it do not exist"));
    };
    Ok(([open(below)?, command, open(above)?], address))
}

struct Service {
    sockets: Vec<(Lossy<Ears>, Port)>,
    buffer: Vec<u8>,
    device: Device,
    faults: Faults,
    streaming_since: Option<HostTime>,
    last_underflow: HostTime,
    last_cut: HostTime,
    interlock_done: bool,
}

impl Service {
    /// True if nothing more waits: in a flood time has to go on.
    fn step(&mut self, now: HostTime) -> bool {
        self.device.advance(now);
        self.misbehave(now);
        let mut all_read = true;
        let mut answer = Vec::new();
        let cut = self.faults.cut.is_some()
            && self.streaming_since.is_some()
            && now.since(self.last_cut) < CUT_FOR;
        for (socket, port) in &mut self.sockets {
            for look in 0..=DATAGRAMS_PER_LOOK {
                all_read &= look < DATAGRAMS_PER_LOOK;
                let received = socket.try_recv_from(now, &mut self.buffer);
                let Ok(Some((len, peer))) = received else { break };
                if cut {
                    continue;
                }
                if *port == Port::Data && self.streaming_since.is_none() {
                    self.streaming_since = Some(now);
                    self.last_underflow = now;
                    // The first cut comes after its time of streaming.
                    self.last_cut = now - CUT_FOR;
                }
                answer.clear();
                self.device.feed(now, *port, &self.buffer[..len], &mut answer);
                if !answer.is_empty() {
                    // A lost answer is nothing special.
                    drop(socket.try_send_to(now, &answer, peer));
                }
            }
        }
        all_read
    }

    fn misbehave(&mut self, now: HostTime) {
        let Some(since) = self.streaming_since else { return };
        if self.faults.underflow.is_some_and(|every| now.since(self.last_underflow) >= every) {
            self.last_underflow = now;
            self.device.starve(now);
        }
        if self.faults.cut.is_some_and(|every| now.since(self.last_cut) >= every + CUT_FOR) {
            self.last_cut = now;
        }
        if let Some(after) = self.faults.estop
            && !self.interlock_done
        {
            let streaming = now.since(since);
            self.interlock_done = streaming >= after + INTERLOCK_OPEN;
            self.device.set_interlock_open(now, streaming >= after && !self.interlock_done);
        }
    }
}
