//! Tests of the whole from outside, one module per subject.

#[cfg(feature = "gui")]
mod gui;
