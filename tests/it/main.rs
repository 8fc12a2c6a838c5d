//! Tests of the whole from outside, one module per subject.
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is a check, in its scenario too")]

mod analysis;
mod at_once;
mod audio;
mod audio_xy;
mod cases;
mod cli;
mod clocks;
mod control;
mod decode;
mod devices;
mod ether_dream;
mod examples;
mod frame;
#[cfg(feature = "gui")]
mod gui;
mod helios;
mod idn;
mod lasercube_usb;
mod lasercube_wifi;
mod layers;
mod listening;
mod mask_command;
#[cfg(feature = "http")]
mod mask_network;
mod mask_pressure;
#[cfg(feature = "gui")]
mod mask_texture;
mod masks;
mod matrix;
#[cfg(feature = "http")]
mod media;
mod mock_device;
mod path;
mod patterns;
mod queue;
mod render;
mod rows;
mod safety;
mod safety_edge;
mod safety_on_devices;
mod show;
mod soak;
mod stream;
mod synthetic_song;
mod underruns;
mod usb_rig;

/// Any test may watch the heap.
#[global_allocator]
static ALLOCATOR: galvo::realtime::CountingAllocator = galvo::realtime::CountingAllocator;
