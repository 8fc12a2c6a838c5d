//! Byte streams to network projectors, behind a seam narrow enough for fakes and faults.
//!
//! A driver sees only [`Dial`] and [`ByteStream`]; TCP, the simulator in memory and the fault wrapper all fit.

mod fault;
mod tcp;

use std::io;
use std::time::Duration;

pub use fault::{Fault, FaultPlan};
pub use tcp::Tcp;

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
