//! Tests of the whole from outside, one module per subject.

mod clocks;
mod devices;
mod ether_dream;
mod mock_device;
mod stream;
