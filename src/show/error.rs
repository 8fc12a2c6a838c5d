//! Why a show could not begin.

use crate::audio::{AudioError, DecodeError};
use crate::control::ControlError;
use crate::dac::DacError;
use crate::frame::TapError;
use crate::mask::MaskError;
use crate::media::PlaylistError;
use crate::pattern::PresetError;
use crate::stream::ConfigError;

use super::engine::MOST_PROJECTORS;
use super::library::LibraryError;
use super::mountings::MountingsError;
use super::playlist::QueueFull;

/// Why a show could not begin. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The music cannot be played: choose another file.
    #[error(transparent)]
    Music(#[from] DecodeError),
    /// The playlist cannot be used: choose another file.
    #[error(transparent)]
    Playlist(#[from] PlaylistError),
    /// More was named than a queue holds.
    #[error(transparent)]
    Full(#[from] QueueFull),
    /// The sound device cannot be used: choose another.
    #[error(transparent)]
    Sound(#[from] AudioError),
    /// The projector's name or address is wrong.
    #[error(transparent)]
    Projector(#[from] DacError),
    /// The preset is not there or cannot be read.
    #[error(transparent)]
    Preset(#[from] LibraryError),
    /// The preset has a mistake.
    #[error(transparent)]
    PresetText(#[from] PresetError),
    /// The mask stream cannot be used.
    #[error("the mask stream cannot be used: {0}")]
    Mask(MaskError),
    /// How the projectors hang cannot be read: mend the file.
    #[error(transparent)]
    Mountings(#[from] MountingsError),
    /// The hands from outside that were asked for cannot be had.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The stream's settings contradict each other.
    #[error(transparent)]
    Stream(#[from] ConfigError),
    /// Too many look at one stream.
    #[error(transparent)]
    Tap(#[from] TapError),
    /// No projector was named.
    #[error("a show needs a projector: name one with --dac, or leave it out for the simulator")]
    NoProjector,
    /// More projectors were named than a show can have.
    #[error("a show has at most {MOST_PROJECTORS} projectors: leave out some of --dac")]
    TooManyProjectors,
    /// There is no preset at all.
    #[error("there is no preset to begin with: name one with --preset")]
    NoPreset,
    /// The system gives no more threads.
    #[error("the system gives no more threads ({0}): end other programs")]
    Thread(#[source] std::io::Error),
}
