//! Bytes of music: where they come from.

pub mod file;

pub use file::{MediaError, open_file};
