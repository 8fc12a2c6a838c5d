//! The operator's desk over a show that is only pretended: no sound, no projector, no light.
//!
//! `cargo run --example window_with_fake_show [auto|glow|wgpu]`

#[cfg(feature = "gui")]
#[path = "../tests/it/gui/fake_desk.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "the tests look into it, the example only shows it"
)]
mod fake_desk;

#[cfg(feature = "gui")]
#[path = "../tests/it/show/slow_disk.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "the tests look into it, the example only shows it"
)]
mod slow_disk;

#[cfg(feature = "gui")]
fn main() -> anyhow::Result<()> {
    use std::io::Write;

    use galvo::show::{Command, Desk};

    let mut options = galvo::gui::WindowOptions::default();
    if let Some(renderer) = std::env::args().nth(1) {
        options.renderer = renderer.parse()?;
    }
    let desk = fake_desk::FakeDesk::new();
    let mut show = desk.clone();
    show.send(Command::Play);
    galvo::gui::run(Box::new(desk), &options)?;
    let sent = show.state();
    anyhow::ensure!(sent.sent.last() == Some(&Command::Quit), "the show was not told to end");
    writeln!(std::io::stdout(), "closed after {} pictures", sent.frame)?;
    Ok(())
}

#[cfg(not(feature = "gui"))]
fn main() {}
