//! Tests of the whole from outside, one module per subject.
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is a check, in its scenario too")]

mod audio;
mod decode;
mod frame;

/// Any test may watch the heap.
#[global_allocator]
static ALLOCATOR: galvo::realtime::CountingAllocator = galvo::realtime::CountingAllocator;
