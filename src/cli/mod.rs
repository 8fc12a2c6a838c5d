//! The command line: one file per command.
//!
//! Exit status 0 is done, 1 failed (one clear sentence on stderr), 2 wrong usage, 130 ended in its midst as asked. A show
//! that Ctrl-C or a polite kill ends in its order is done.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the terminal is this surface")]

mod analyze;
pub mod args;
mod came_up;
mod check;
pub mod control;
mod devices;
mod ending;
pub mod headless;
pub mod keys;
pub mod mask;
mod optimise;
mod out_file;
mod play;
mod presets;
mod render;
mod set_device;
mod simulate;

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::CommandFactory;

use args::{Cli, Cmd};
use ending::{CUT_SHORT, EndedEarly, Ending};

/// Runs what was typed; the exit status says how it went.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    start_log(cli.verbose);
    let done = match cli.command {
        None => play::desktop(),
        Some(Cmd::Play(args)) => play::play(args),
        Some(Cmd::Live(args)) => play::live(args),
        Some(Cmd::Analyze(args)) => analyze::analyze(&args),
        Some(Cmd::Devices(args)) => devices::devices(&args),
        Some(Cmd::Simulate(args)) => simulate::simulate(&args),
        Some(Cmd::Mask { action }) => mask::mask(&action),
        Some(Cmd::Render(args)) => render::render(&args),
        Some(Cmd::Optimise(args)) => optimise::optimise(&args),
        Some(Cmd::Check(args)) => check::check(&args),
        Some(Cmd::Presets(args)) => presets::presets(args.action),
        Some(Cmd::Control { action }) => control::control(action),
        Some(Cmd::Completions { shell }) => {
            clap_complete::generate(shell, &mut Cli::command(), "galvo", &mut std::io::stdout());
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format_args!("galvo: {error:#}"));
            if error.is::<EndedEarly>() { ExitCode::from(CUT_SHORT) } else { ExitCode::FAILURE }
        }
    }
}

/// The log goes to stderr. Without -v only what failed is said there: notices are told by the surfaces.
fn start_log(verbose: u8) {
    let level = match verbose {
        0 => "off",
        1 => "galvo=info,warn",
        _ => "galvo=debug,info",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    // A second start in one process (a test) keeps the first log.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A closed terminal is no reason for a device thread to fail: what cannot be said is not said.
    let _ = log.log_internal_errors(false).try_init();
}

/// Says a line on stderr, if anybody is there: unlike `eprintln!` it bears a terminal that was closed.
fn say(line: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A flag that Ctrl-C or a polite kill sets, for work that ends in its order then.
fn interrupt_flag() -> anyhow::Result<Arc<AtomicBool>> {
    Ok(Ending::listen()?.flag())
}
