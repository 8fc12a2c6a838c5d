//! The command line: one file per command.
//!
//! Exit status 0 is done, 1 failed (one clear sentence on stderr), 2 wrong usage.

pub mod args;
pub mod headless;
