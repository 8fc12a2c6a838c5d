//! The streaming engine: decides when points are wanted and what reaches the safety gate.

pub mod fill;

pub use fill::{FillRequest, FillResult, Producer};
