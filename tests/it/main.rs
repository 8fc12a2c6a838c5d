//! Tests of the whole from outside, one module per subject.

mod frame;
mod safety;

/// Any test may watch the heap.
#[global_allocator]
static ALLOCATOR: galvo::realtime::CountingAllocator = galvo::realtime::CountingAllocator;
