//! A virtual LaserCube on the network: the device side of the protocol.
//!
//! [`Device`] is the whole device as a value; [`Server`] puts it on three UDP ports; [`Bench`] puts it on a
//! wire in memory, for virtual time.

mod bench;
mod device;
mod server;

pub use bench::Bench;
pub use device::{Device, Model, Port};
pub use server::{Options, Server};
