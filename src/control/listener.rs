//! A thread that listens to a UDP socket until it is dropped.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the end of the thread is waited for at most.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The longest datagram that is read whole; a longer one is cut, and its parser refuses it.
const LONGEST: usize = 4096;

/// See the module.
#[derive(Debug)]
pub struct Listener {
    socket: UdpSocket,
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Listens on `address`; each datagram goes to `heard`, with who sent it and the socket to answer on.
    pub fn start(
        name: &str,
        address: SocketAddr,
        mut heard: impl FnMut(&[u8], SocketAddr, &UdpSocket) + Send + 'static,
    ) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        socket.set_read_timeout(Some(LOOK_EVERY))?;
        let address = socket.local_addr()?;
        let ear = socket.try_clone()?;
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let listen = move || {
            let mut bytes = [0; LONGEST];
            while !told.load(Ordering::Relaxed) {
                match ear.recv_from(&mut bytes) {
                    Ok((len, from)) => heard(&bytes[..len], from, &ear),
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
        Ok(Self { socket, address, over, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
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
