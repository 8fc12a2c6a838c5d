//! Hand-over between threads without locks: rings, the latest value, frees elsewhere, a guard that counts
//! allocations, and histograms that a callback may write to.
//!
//! Everything takes its memory at construction. "Full" is an answer with a counter, never a wait.

pub mod histogram;
pub mod latest;
pub mod no_alloc;
pub mod priority;
pub mod retire;
pub mod ring;

pub use histogram::{Histogram, HistogramSnapshot, SignedHistogram, SignedSnapshot};
pub use latest::{LatestReader, LatestWriter, latest};
pub use no_alloc::CountingAllocator;
pub use retire::{Retire, RetireBin, retire};
pub use ring::{RingReceiver, RingSender, ring};
