//! A thread that drains a UDP socket until it is dropped.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::SockRef;

/// How long the end of the thread is waited for at most.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The longest datagram that is read whole; a longer one is cut, and its parser refuses it.
const LONGEST: usize = 4096;
/// What the system is asked to keep of what has not been read yet, bytes: a flood has to last longer than the longest pause
/// of the thread before anything of it is lost.
const BUFFER: usize = 4 << 20;

/// What a socket's thread does with what it hears. Nothing of it may wait: what is not read in time is lost.
pub trait Hears: Send + 'static {
    /// A datagram, who sent it, and the socket to answer on.
    fn heard(&mut self, bytes: &[u8], from: SocketAddr, socket: &UdpSocket);
    /// Called after each datagram, and at least ten times a second.
    fn look(&mut self) {}
}

impl<F: FnMut(&[u8], SocketAddr, &UdpSocket) + Send + 'static> Hears for F {
    fn heard(&mut self, bytes: &[u8], from: SocketAddr, socket: &UdpSocket) {
        self(bytes, from, socket);
    }
}

/// See the module.
#[derive(Debug)]
pub struct Listener {
    socket: UdpSocket,
    address: SocketAddr,
    buffer: usize,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Listens on `address`.
    pub fn start(name: &str, address: SocketAddr, mut hears: impl Hears) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        let options = SockRef::from(&socket);
        // A system gives what it allows: less is no reason not to listen.
        let asked = options.set_recv_buffer_size(BUFFER);
        let buffer = options.recv_buffer_size().unwrap_or_default();
        tracing::info!("{name} on {address}: {buffer} bytes of receive buffer ({asked:?})");
        socket.set_read_timeout(Some(LOOK_EVERY))?;
        let address = socket.local_addr()?;
        let ear = socket.try_clone()?;
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let listen = move || {
            let mut bytes = [0; LONGEST];
            while !told.load(Ordering::Relaxed) {
                hears.look();
                match ear.recv_from(&mut bytes) {
                    Ok((len, from)) => hears.heard(&bytes[..len], from, &ear),
                    // A port that nobody answers on any more is reported as a reset of our own: no reason to end.
                    Err(error) if is_passing(error.kind()) => {}
                    Err(error) => {
                        tracing::warn!("{error}: nothing more is heard on {ear:?}");
                        return;
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(listen)?;
        Ok(Self { socket, address, buffer, over, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the system keeps of what has not been read yet, bytes.
    #[must_use]
    pub const fn buffer(&self) -> usize {
        self.buffer
    }

    /// Sends a datagram from where it listens. One that cannot be sent is lost, as datagrams are.
    pub fn send(&self, bytes: &[u8], to: SocketAddr) {
        if let Err(error) = self.socket.send_to(bytes, to) {
            tracing::debug!("{to}: {error}");
        }
    }
}

const fn is_passing(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock
            | ErrorKind::TimedOut
            | ErrorKind::Interrupted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
    )
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
