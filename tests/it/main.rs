//! Tests of the whole from outside, one module per subject.

mod devices;
mod ether_dream;
