//! Byte streams and datagrams to network projectors, behind seams narrow enough for fakes and faults.
//!
//! A driver sees only [`Dial`] and [`ByteStream`], or [`Bind`] and [`Datagrams`]; the system's sockets, the
//! simulators in memory and the fault wrappers all fit.

mod fault;
mod lossy;
mod tcp;
mod udp;

use std::io;
use std::time::Duration;

pub use fault::{Fault, FaultPlan};
pub use lossy::{LossPlan, Lossy};
pub use tcp::Tcp;
pub use udp::{Bind, Datagrams, LONGEST_DATAGRAM, Udp, why_not_heard};

use crate::time::HostTime;

/// An open connection that never waits.
pub trait ByteStream: Send {
    /// Sends the front of `bytes`; returns how many were taken, 0 for "not now".
    fn try_write(&mut self, now: HostTime, bytes: &[u8]) -> io::Result<usize>;

    /// Reads what has arrived; 0 for "nothing yet". A closed connection is `UnexpectedEof`.
    fn try_read(&mut self, now: HostTime, into: &mut [u8]) -> io::Result<usize>;
}

/// Opens connections to one device.
pub trait Dial: Send {
    /// Connects within `timeout`.
    fn dial(&mut self, now: HostTime, timeout: Duration) -> io::Result<Box<dyn ByteStream>>;
}
