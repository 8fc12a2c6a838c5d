//! The sockets of a virtual device on UDP: one with its own address, and beside it those that hear what is said to
//! everybody, since a socket that is bound to one address does not hear broadcasts.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use crate::dac::networks::everybody_beside;
use crate::dac::transport::{Datagrams, why_not_heard};
use crate::time::HostTime;

/// The sockets of one port.
#[derive(Debug)]
pub(super) struct Ears {
    own: UdpSocket,
    everybody: Vec<UdpSocket>,
    deaf: Option<String>,
}

impl Ears {
    /// Listens on `address` and, if that is one address of several, to what is said to everybody on its network.
    pub(super) fn open(address: SocketAddr) -> io::Result<Self> {
        let own = UdpSocket::bind(address)?;
        own.set_nonblocking(true)?;
        let bound = own.local_addr()?;
        let mut ears = Self { own, everybody: Vec::new(), deaf: None };
        let IpAddr::V4(ip) = bound.ip() else {
            ears.deaf = Some("a broadcast is of IPv4: listen on an IPv4 address".to_owned());
            return Ok(ears);
        };
        if !ip.is_unspecified() {
            for to in [everybody_beside(ip), Ipv4Addr::BROADCAST] {
                match shared(SocketAddr::from((to, bound.port()))) {
                    Ok(socket) => ears.everybody.push(socket),
                    Err(error) => ears.deaf = Some(format!("{to}: {}", why_not_heard(&error))),
                }
            }
        }
        Ok(ears)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.own.local_addr()
    }

    /// Why some of what is said to everybody is not heard here.
    pub(super) fn deaf(&self) -> Option<&str> {
        self.deaf.as_deref()
    }
}

/// A socket on an address that others may listen on as well.
fn shared(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

impl Datagrams for Ears {
    /// From its own address: who asked everybody is answered by one.
    fn try_send_to(&mut self, now: HostTime, bytes: &[u8], to: SocketAddr) -> io::Result<bool> {
        self.own.try_send_to(now, bytes, to)
    }

    fn try_recv_from(
        &mut self,
        now: HostTime,
        into: &mut [u8],
    ) -> io::Result<Option<(usize, SocketAddr)>> {
        for socket in std::iter::once(&mut self.own).chain(&mut self.everybody) {
            if let Some(heard) = socket.try_recv_from(now, into)? {
                return Ok(Some(heard));
            }
        }
        Ok(None)
    }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn heard(ears: &mut Ears) -> Option<Vec<u8>> {
        let mut into = [0; 16];
        // On loopback it has arrived when the call returns; a system where it has not gets another look.
        (0..1000).find_map(|_| {
            let (len, _) = ears.try_recv_from(HostTime::ZERO, &mut into).unwrap()?;
            Some(into[..len].to_vec())
        })
    }

    #[test]
    fn one_address_still_hears_what_is_said_to_everybody() {
        let mut ears = Ears::open(SocketAddr::from(([127, 0, 0, 2], 0))).unwrap();
        assert_eq!(ears.deaf(), None);
        let port = ears.address().unwrap().port();
        let mouth = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        mouth.set_broadcast(true).unwrap();
        for to in [[127, 0, 0, 2], [127, 255, 255, 255]] {
            mouth.send_to(&to, SocketAddr::from((to, port))).unwrap();
            assert_eq!(heard(&mut ears).as_deref(), Some(&to[..]));
        }
        // The answer comes from its own address.
        ears.try_send_to(HostTime::ZERO, b"here", mouth.local_addr().unwrap()).unwrap();
        let mut into = [0; 16];
        let (_, from) = mouth.recv_from(&mut into).unwrap();
        assert_eq!(from, ears.address().unwrap());
    }

    #[test]
    fn two_of_a_kind_on_two_addresses_both_hear_it_on_the_same_port() {
        let mut one = Ears::open(SocketAddr::from(([127, 0, 0, 2], 0))).unwrap();
        let port = one.address().unwrap().port();
        let mut two = Ears::open(SocketAddr::from(([127, 0, 0, 3], port))).unwrap();
        let mouth = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        mouth.set_broadcast(true).unwrap();
        mouth.send_to(b"who", (Ipv4Addr::new(127, 255, 255, 255), port)).unwrap();
        assert_eq!(heard(&mut one).as_deref(), Some(&b"who"[..]));
        assert_eq!(heard(&mut two).as_deref(), Some(&b"who"[..]));
    }

    #[test]
    fn what_cannot_be_heard_is_said() {
        // Somebody else has the port on every address, and does not share it.
        let everywhere = UdpSocket::bind((Ipv4Addr::new(127, 255, 255, 255), 0)).unwrap();
        let port = everywhere.local_addr().unwrap().port();
        let ears = Ears::open(SocketAddr::from(([127, 0, 0, 4], port))).unwrap();
        assert!(ears.deaf().unwrap().contains("another program"), "{:?}", ears.deaf());
    }
}
