//! The `galvo` program: reads the command line and runs a command.

use std::process::ExitCode;

use clap::Parser;
use galvo::cli;

/// Debug builds count what the audio callback allocates; the figure stands in every report.
#[cfg(debug_assertions)]
#[global_allocator]
static ALLOCATOR: galvo::realtime::no_alloc::CountingAllocator =
    galvo::realtime::no_alloc::CountingAllocator;

fn main() -> ExitCode {
    cli::run(cli::args::Cli::parse())
}
