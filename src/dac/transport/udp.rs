//! UDP without waiting.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use crate::time::HostTime;

/// No datagram is longer, bytes.
pub const LONGEST_DATAGRAM: usize = 65_535;

/// An open socket that never waits.
pub trait Datagrams: Send {
    /// Sends one datagram; false for "not now".
    fn try_send_to(&mut self, now: HostTime, bytes: &[u8], to: SocketAddr) -> io::Result<bool>;

    /// Receives the oldest datagram that has arrived, cut to the length of `into`; `None` for "nothing yet".
    fn try_recv_from(
        &mut self,
        now: HostTime,
        into: &mut [u8],
    ) -> io::Result<Option<(usize, SocketAddr)>>;
}

/// Why an address cannot be listened on, and what to do about it.
#[must_use]
pub fn why_not_heard(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => "another program holds it: close that program".to_owned(),
        ErrorKind::AddrNotAvailable => {
            "it is no address of this computer: look which ones it has".to_owned()
        }
        ErrorKind::PermissionDenied => {
            "the system does not allow it: take a port from 1024 on, or look at the firewall"
                .to_owned()
        }
        _ => format!("the system says: {error}"),
    }
}

/// Opens sockets, one for each connection: what was meant for the one before does not reach the next.
pub trait Bind: Send {
    /// Opens a socket on any free port.
    fn bind(&mut self) -> io::Result<Box<dyn Datagrams>>;
}

/// The system's own sockets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Udp;

impl Bind for Udp {
    fn bind(&mut self) -> io::Result<Box<dyn Datagrams>> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_nonblocking(true)?;
        Ok(Box::new(socket))
    }
}

/// The socket must be non-blocking.
impl Datagrams for UdpSocket {
    fn try_send_to(&mut self, _now: HostTime, bytes: &[u8], to: SocketAddr) -> io::Result<bool> {
        match self.send_to(bytes, to) {
            Ok(_) => Ok(true),
            Err(error) if is_not_now(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn try_recv_from(
        &mut self,
        _now: HostTime,
        into: &mut [u8],
    ) -> io::Result<Option<(usize, SocketAddr)>> {
        match self.recv_from(into) {
            Ok(received) => Ok(Some(received)),
            Err(error) if is_not_now(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A refusal belongs to an earlier datagram: on UDP it is no reason to stop.
fn is_not_now(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock
            | ErrorKind::Interrupted
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_listened_on_is_told_with_its_own_cause() {
        let held = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let why = |at: SocketAddr| why_not_heard(&UdpSocket::bind(at).unwrap_err());
        assert!(why(held.local_addr().unwrap()).contains("another program"));
        // An address that is kept for examples: no computer has it.
        let nowhere = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 0));
        let said = why(nowhere);
        assert!(
            said.contains("no address of this computer") && !said.contains("program"),
            "{said}"
        );
        assert!(why_not_heard(&ErrorKind::PermissionDenied.into()).contains("1024"));
    }
}
