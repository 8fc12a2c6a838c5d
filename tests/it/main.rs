//! Tests of the whole from outside, one module per subject.

mod clocks;
mod mock_device;
mod stream;
