//! Hand-over between threads without locks: rings, the latest value, frees elsewhere, and a guard that
//! counts allocations.
