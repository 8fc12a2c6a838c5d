//! Bytes of network and USB protocols ↔ values. No socket, thread or clock here.

pub mod artnet;
pub mod ether_dream;
pub mod helios;
pub mod idn;
pub mod lasercube_usb;
pub mod lasercube_wifi;
pub mod midi;
pub mod osc;
pub mod shownet;
