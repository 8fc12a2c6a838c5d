//! Tests of the whole from outside, one module per subject.

mod safety;

/// Counts what real-time work takes from the heap; see `galvo::realtime::no_alloc`.
#[global_allocator]
static ALLOCATOR: galvo::realtime::CountingAllocator = galvo::realtime::CountingAllocator;
