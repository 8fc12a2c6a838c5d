//! TCP without delays and without waiting.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::{ByteStream, Dial};
use crate::time::HostTime;

/// Where to connect to.
#[derive(Clone, Debug)]
pub struct Tcp {
    host: String,
    port: u16,
}

impl Tcp {
    /// A host name or address (IPv6 without brackets) and a port.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port }
    }
}

impl Dial for Tcp {
    fn dial(&mut self, _now: HostTime, timeout: Duration) -> io::Result<Box<dyn ByteStream>> {
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        // Whatever the system says of a name it does not know: there is no such host.
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        let addresses: Vec<_> =
            found.map_err(|error| io::Error::new(ErrorKind::NotFound, error))?.collect();
        // All addresses of one name together stay within the time-out.
        let each = timeout / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
        for address in addresses {
            match TcpStream::connect_timeout(&address, each.max(Duration::from_millis(1))) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_nonblocking(true)?;
                    return Ok(Box::new(Open(stream)));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

struct Open(TcpStream);

impl ByteStream for Open {
    fn try_write(&mut self, _now: HostTime, bytes: &[u8]) -> io::Result<usize> {
        not_now_is_zero(self.0.write(bytes))
    }

    fn try_read(&mut self, _now: HostTime, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into) {
            Ok(0) if !into.is_empty() => Err(ErrorKind::UnexpectedEof.into()),
            other => not_now_is_zero(other),
        }
    }
}

fn not_now_is_zero(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(0)
        }
        other => other,
    }
}
