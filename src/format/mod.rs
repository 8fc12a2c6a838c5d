//! File formats: bytes to values and back, without files.

pub mod ilda;
