//! Tests of the whole from outside, one module per subject.

mod audio;
mod decode;

/// Counts what the real-time side takes from the heap.
#[global_allocator]
static ALLOCATOR: galvo::realtime::CountingAllocator = galvo::realtime::CountingAllocator;
