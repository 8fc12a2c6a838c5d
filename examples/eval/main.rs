//! How well galvo hears, beside aubio, on pieces of which every beat is known: `make eval`.
//!
//! The pieces are made from numbers, so the figures are no figures of real recordings; they compare trackers with
//! each other and a change with what was before it. `--pieces` prints every piece, `--alone` leaves peers out,
//! `--write FOLDER` keeps the pieces as WAV with their beats beside them.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the terminal is this program's surface"
)]

mod corpus;
mod metrics;
mod ours;
mod peers;
mod score;
mod table;

use std::path::PathBuf;

use corpus::sound::RATE;
use score::score;
use table::Rows;

fn main() -> anyhow::Result<()> {
    let typed: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| typed.iter().any(|word| word == flag);
    let write = typed.iter().position(|word| word == "--write").and_then(|n| typed.get(n + 1));
    let with_aubio = !has("--alone") && peers::aubio_is_here();
    if !with_aubio && !has("--alone") {
        eprintln!("aubio is not installed (Debian: aubio-tools): galvo is judged alone");
    }
    let folder = tempfile::tempdir()?;
    let pieces = corpus::all();
    let mut rows = Rows::default();
    for (n, piece) in pieces.iter().enumerate() {
        eprint!("\r{}/{} {:<30}", n + 1, pieces.len(), piece.name);
        let seconds = piece.stereo.len() as f64 / 2.0 / f64::from(RATE);
        rows.add("galvo live", piece, score(piece, &ours::live(&piece.stereo), seconds));
        rows.add("galvo file", piece, score(piece, &ours::file(&piece.stereo), seconds));
        if with_aubio {
            let heard = peers::aubio(&piece.stereo, folder.path())?;
            rows.add("aubio", piece, score(piece, &heard, seconds));
        }
        if let Some(folder) = write {
            table::write_piece(&PathBuf::from(folder), piece)?;
        }
    }
    eprintln!("\r{:<50}", "");
    if has("--pieces") {
        rows.print_pieces();
    }
    rows.print_groups();
    Ok(())
}
