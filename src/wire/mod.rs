//! Bytes of network and USB protocols ↔ values. No socket, thread or clock here.

pub mod ether_dream;
pub mod idn;
pub mod shownet;
