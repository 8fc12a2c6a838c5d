//! A virtual Ether Dream: the device side of the protocol, quirks included.
//!
//! [`Device`] is the whole device as a value; [`Server`] puts it on TCP and announces it; [`Bench`] puts it
//! on a wire in memory, for virtual time.

mod bench;
mod device;
mod server;

pub use bench::Bench;
pub use device::{Device, Generation};
pub use server::{Options, Server, broadcast};
