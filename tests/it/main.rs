//! Tests of the whole from outside, one module per subject.

mod patterns;
mod synthetic_song;
