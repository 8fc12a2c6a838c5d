//! From samples to [`Features`]: pure, causal, allocation-free after construction.

pub mod features;

pub use features::Features;
