//! The `galvo` program: reads the command line and runs a surface.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
