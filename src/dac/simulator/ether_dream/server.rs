//! The virtual device on TCP, announced by UDP.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::device::{Device, Generation};
use crate::dac::networks::everybody_beside;
use crate::dac::simulator::unit::{EthernetAddress, own_address};
use crate::dac::simulator::{Faults, Recorder};
use crate::realtime::priority::{self, Urgency};
use crate::time::{Clock, HostTime};
use crate::wire::ether_dream::UDP_PORT;

/// Between two announcements.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(1);
/// How often the thread looks at its sockets.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// How long a pressed emergency stop input stays pressed.
const ESTOP_HELD: Duration = Duration::from_millis(200);
/// A client that says nothing for so long gives way to another that waits.
const IDLE_AFTER: Duration = Duration::from_secs(2);
/// A slow device reads this many bytes per look.
const SLOW_BYTES: usize = 512;

/// What a virtual device is like.
#[derive(Default)]
pub struct Options {
    /// Which generation.
    pub generation: Generation,
    /// Points its queue holds; `None` for the generation's own number.
    pub capacity: Option<u16>,
    /// What goes wrong.
    pub faults: Faults,
    /// Its Ethernet address; `None` for one of its own.
    pub address: Option<EthernetAddress>,
    /// Where it announces itself once a second; [`broadcast`] is where real ones do. Nowhere if `None`.
    pub announce_to: Option<SocketAddr>,
    /// What watches its mirrors.
    pub recorder: Option<Box<dyn Recorder>>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("generation", &self.generation)
            .field("faults", &self.faults)
            .field("announce_to", &self.announce_to)
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
    /// Listens on `address` (port 0: any free one) and serves one client after another.
    pub fn start(address: SocketAddr, options: Options, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let ppm = options.faults.ppm;
        let mac = options.address.unwrap_or_else(|| own_address("ether-dream", address));
        let device = Device::new(options.generation, options.capacity, ppm, options.recorder)
            .with_address(mac);
        let mut service = Service {
            device,
            faults: options.faults,
            random: options.faults.seed,
            announcer: options.announce_to.and_then(|to| announcer(address, to)),
            announced: None,
            client: None,
            estop_done: false,
        };
        let run = move || {
            priority::request(Urgency::Hardware);
            while !stopping.load(Ordering::Acquire) {
                let now = clock.now();
                service.step(now, &listener);
                clock.sleep_until(now + LOOK_EVERY);
            }
            let now = clock.now();
            service.hang_up(now);
            service.device
        };
        let thread = std::thread::Builder::new().name("ether-dream-sim".into()).spawn(run)?;
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

/// Where a device with this address announces itself: to everybody on its network.
#[must_use]
pub fn broadcast(address: SocketAddr) -> SocketAddr {
    let everybody = match address.ip() {
        IpAddr::V4(ip) if !ip.is_unspecified() => everybody_beside(ip),
        ip if ip.is_loopback() => Ipv4Addr::new(127, 255, 255, 255),
        _ => Ipv4Addr::BROADCAST,
    };
    SocketAddr::from((everybody, UDP_PORT))
}

/// Announcements are a convenience: without a socket for them the device still serves.
fn announcer(address: SocketAddr, to: SocketAddr) -> Option<UdpSocket> {
    // A listener knows the device by where its announcement comes from.
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip,
        IpAddr::V6(ip) if ip.is_loopback() => Ipv4Addr::LOCALHOST,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    };
    let socket = UdpSocket::bind((ip, 0)).ok()?;
    socket.set_broadcast(true).ok()?;
    socket.connect(to).ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}

struct Client {
    stream: TcpStream,
    since: HostTime,
    /// When it said something last.
    heard_at: HostTime,
    last_underflow: HostTime,
    /// Answers on their way: when they are due, and how much of them has left.
    answers: VecDeque<(HostTime, Vec<u8>, usize)>,
}

struct Service {
    device: Device,
    faults: Faults,
    random: u64,
    announcer: Option<UdpSocket>,
    announced: Option<HostTime>,
    client: Option<Client>,
    estop_done: bool,
}

impl Service {
    fn step(&mut self, now: HostTime, listener: &TcpListener) {
        self.announce(now);
        let is_idle = |client: &Client| now.since(client.heard_at) >= IDLE_AFTER;
        if self.client.as_ref().is_none_or(is_idle)
            && let Ok((stream, _)) = listener.accept()
        {
            self.hang_up(now);
            self.greet(now, stream);
        }
        self.misbehave(now);
        // What has come is taken in before time goes on: see `arrived_at`.
        if self.serve(now).is_err() || self.device.wants_close() {
            self.hang_up(now);
        }
        self.device.advance(now);
    }

    fn announce(&mut self, now: HostTime) {
        let Some(socket) = &self.announcer else { return };
        if self.announced.is_none_or(|last| now.since(last) >= ANNOUNCE_EVERY) {
            self.announced = Some(now);
            // Nobody has to listen.
            drop(socket.send(&self.device.announcement().emit()));
        }
    }

    fn greet(&mut self, now: HostTime, stream: TcpStream) {
        if stream.set_nonblocking(true).is_err() || stream.set_nodelay(true).is_err() {
            return;
        }
        let mut hello = Vec::new();
        self.device.connect(now, &mut hello);
        let mut client = Client {
            stream,
            since: now,
            heard_at: now,
            last_underflow: now,
            answers: VecDeque::new(),
        };
        client.answers.push_back((now, hello, 0));
        self.client = Some(client);
    }

    fn misbehave(&mut self, now: HostTime) {
        let Some(client) = &mut self.client else { return };
        let connected = now.since(client.since);
        if let Some(every) = self.faults.underflow
            && now.since(client.last_underflow) >= every
        {
            client.last_underflow = now;
            self.device.starve(now);
        }
        if let Some(after) = self.faults.estop
            && !self.estop_done
        {
            if connected >= after + ESTOP_HELD {
                self.estop_done = true;
                self.device.set_estop_input(now, false);
            } else if connected >= after {
                self.device.set_estop_input(now, true);
            }
        }
        if self.faults.cut.is_some_and(|after| connected >= after) {
            self.hang_up(now);
        }
    }

    fn serve(&mut self, now: HostTime) -> io::Result<()> {
        let Some(client) = &mut self.client else { return Ok(()) };
        let mut buffer = [0; 16 * 1024];
        let limit = if self.faults.slow { SLOW_BYTES } else { buffer.len() };
        loop {
            match client.stream.read(&mut buffer[..limit]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => {
                    client.heard_at = now;
                    let mut answer = Vec::new();
                    self.device.feed(self.device.arrived_at(now), &buffer[..n], &mut answer);
                    self.random =
                        self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let share = (self.random >> 40) as f64 / (1_u64 << 24) as f64;
                    let due = now + self.faults.delay + self.faults.jitter.mul_f64(share);
                    let due = client.answers.back().map_or(due, |(last, ..)| due.max(*last));
                    client.answers.push_back((due, answer, 0));
                    if self.faults.slow || n < limit {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        while let Some((due, answer, sent)) = client.answers.front_mut() {
            if *due > now {
                break;
            }
            match client.stream.write(&answer[*sent..]) {
                Ok(n) => *sent += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
            if *sent < answer.len() {
                break;
            }
            client.answers.pop_front();
        }
        Ok(())
    }

    fn hang_up(&mut self, now: HostTime) {
        if self.client.take().is_some() {
            self.device.disconnect(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What has come, after a few looks: on loopback it is there when the call returns.
    fn read(stream: &mut TcpStream) -> io::Result<usize> {
        stream.set_nonblocking(true)?;
        stream.read(&mut [0; 64])
    }

    #[test]
    fn an_idle_client_gives_way_to_another_that_waits_and_one_at_work_does_not() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let mut service = Service {
            device: Device::new(Generation::Two, None, 0.0, None),
            faults: Faults::default(),
            random: 1,
            announcer: None,
            announced: None,
            client: None,
            estop_done: false,
        };
        let mut look = |ms: i64| {
            for _ in 0..100 {
                service.step(HostTime::from_nanos(ms * 1_000_000), &listener);
            }
        };
        let mut first = TcpStream::connect(address).unwrap();
        look(0);
        assert_eq!(read(&mut first).unwrap(), 22, "greeted");
        let mut second = TcpStream::connect(address).unwrap();
        look(1_000);
        assert_eq!(read(&mut second).unwrap_err().kind(), ErrorKind::WouldBlock);
        // A question is work.
        first.write_all(b"?").unwrap();
        look(1_900);
        assert_eq!(read(&mut first).unwrap(), 22, "answered");
        look(3_800);
        assert_eq!(read(&mut second).unwrap_err().kind(), ErrorKind::WouldBlock);
        look(3_900);
        assert_eq!(read(&mut second).unwrap(), 22, "greeted in its turn");
        assert_eq!(read(&mut first).unwrap(), 0, "told that it is over");
        // Where nobody waits, an idle client stays.
        look(100_000);
        assert_eq!(read(&mut second).unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn a_device_on_one_address_announces_itself_from_there() {
        let to = |ip: [u8; 4]| broadcast(SocketAddr::from((ip, 7765))).ip();
        assert_eq!(to([127, 0, 0, 2]), Ipv4Addr::new(127, 255, 255, 255));
        assert_eq!(to([0, 0, 0, 0]), Ipv4Addr::BROADCAST);
        let ear = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let device = SocketAddr::from(([127, 0, 0, 1], 7765));
        let announcer = announcer(device, ear.local_addr().unwrap()).unwrap();
        assert_eq!(announcer.local_addr().unwrap().ip(), device.ip());
    }
}
