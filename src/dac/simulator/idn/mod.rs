//! A virtual IDN device: the consumer's side of the protocol, with a buffer that absorbs jitter.
//!
//! [`Device`] is the whole device as a value; [`Server`] puts it on UDP; [`Bench`] puts it on a wire in
//! memory, for virtual time.

mod bench;
mod channel;
mod device;
mod mirrors;
mod server;

pub use bench::Bench;
pub use device::Device;
pub use mirrors::Mirrors;
pub use server::{Options, Server};
