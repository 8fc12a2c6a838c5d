//! Tests of the whole from outside, one module per subject.
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is a check, in its scenario too")]

mod analysis;
mod audio;
mod clocks;
mod decode;
mod devices;
mod ether_dream;
mod examples;
mod frame;
#[cfg(feature = "gui")]
mod gui;
mod idn;
mod layers;
mod mock_device;
mod patterns;
mod rows;
mod safety;
mod safety_on_devices;
mod stream;
mod synthetic_song;

/// Any test may watch the heap.
#[global_allocator]
static ALLOCATOR: galvo::realtime::CountingAllocator = galvo::realtime::CountingAllocator;
