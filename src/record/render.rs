//! A track and a preset into a file, from the first byte to its name: for the terminal and for the desk.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::draft::{Draft, DraftError};
use super::export::{ExportError, ExportSettings, Exported, Progress, export};
use super::offline::{Offline, OfflineError, OfflineSettings};
use crate::format::FileKind;
use crate::pattern::Preset;
use crate::safety::Counts;

/// A GIF of more than this is too large for where GIFs are shown, seconds.
pub const GIF_S: f64 = 10.0;
/// Points per second of a file that is not played by a sound card.
const USUAL_PPS: u32 = 30_000;
/// A sound file has its rate from the points: one that every card plays.
const SOUND_PPS: u32 = 48_000;

/// Why there is no file.
#[derive(Debug, Error)]
pub enum RenderError {
    /// The show cannot be made.
    #[error(transparent)]
    Offline(#[from] OfflineError),
    /// It did not become a file.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The file has no place.
    #[error(transparent)]
    Draft(#[from] DraftError),
}

impl RenderError {
    /// True if whoever hears of the progress broke it off.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Export(ExportError::Cancelled))
    }
}

/// What was rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Length of the music in it, seconds.
    pub media_s: f64,
    /// What was written.
    pub exported: Exported,
    /// What the gate passed and stopped.
    pub counts: Counts,
    /// Packets of the music that could not be decoded.
    pub damaged_packets: u64,
}

/// The part and the rate that `kind` has unless something else is said.
#[must_use]
pub fn usual_settings(kind: FileKind) -> OfflineSettings {
    OfflineSettings {
        pps: if kind == FileKind::Wav { SOUND_PPS } else { USUAL_PPS },
        duration_s: (kind == FileKind::Gif).then_some(GIF_S),
        ..OfflineSettings::default()
    }
}

/// Draws `music` with `preset` into `file`, which gets the name of `draft` once it is whole.
///
/// # Errors
/// What stopped it; nothing is left of the file then.
pub fn render(
    music: &Path,
    preset: &Preset,
    settings: &OfflineSettings,
    export_as: &ExportSettings,
    (draft, file): (Draft, File),
    progress: Progress<'_>,
) -> Result<Rendered, RenderError> {
    let mut show = Offline::open(music, preset, settings)?;
    // Rows and sound go to a projector as they are.
    if matches!(export_as.kind, FileKind::Csv | FileKind::Wav) {
        show = show.with_colours_waiting();
    }
    let mut file = BufWriter::new(file);
    let exported = export(&mut show, export_as, &mut file, progress)?;
    let file = file.into_inner().map_err(|error| ExportError::Io(error.into_error()))?;
    let bytes = file.metadata().map_err(ExportError::Io)?.len();
    drop(file);
    Ok(Rendered {
        path: draft.finish()?,
        bytes,
        media_s: show.length_s(),
        exported,
        counts: show.counts(),
        damaged_packets: show.damaged_packets(),
    })
}
