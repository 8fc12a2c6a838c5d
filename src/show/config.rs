//! What a show is started with.

use std::path::PathBuf;
use std::time::Duration;

use super::deck::Transition;
use super::installation::Installation;
use super::masks::MaskChoice;
use crate::audio::AudioChoice;
use crate::control::ControlConfig;
use crate::media::Location;

/// Where the music comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Music, or nothing yet; played through a sound device.
    Playback {
        /// What to play, one after the other without a gap.
        music: Vec<Location>,
        /// Where to begin, seconds.
        start_s: f64,
        /// The sound device.
        audio: AudioChoice,
    },
    /// What is heard now.
    Live {
        /// The input, as `galvo devices` names it; the default one if `None`.
        input: Option<String>,
    },
}

/// What a show is started with. Whether light is allowed is no part of it that is ever saved.
#[derive(Clone, Debug, PartialEq)]
pub struct ShowConfig {
    /// Where the music comes from.
    pub source: Source,
    /// Projector URIs, at least one.
    pub dacs: Vec<String>,
    /// File of the projectors of the last desk: it is kept up to date, and those it names are opened instead of `dacs`;
    /// nothing is remembered if `None`.
    pub rig: Option<PathBuf>,
    /// A preset's name or path; the first bundled one if `None`.
    pub preset: Option<String>,
    /// How presets follow each other.
    pub transition: Transition,
    /// Another preset, by chance, whenever the music begins a new section.
    pub shuffle: bool,
    /// Folder of the user's presets; the system's usual one if `None`.
    pub preset_folder: Option<PathBuf>,
    /// File of how the projectors hang; the system's usual one if `None`.
    pub mountings: Option<PathBuf>,
    /// Hands from outside.
    pub control: ControlConfig,
    /// Allow light at once.
    pub arm: bool,
    /// Brightness of all light, 0..=1.
    pub master: f32,
    /// Points per second of every projector.
    pub pps: u32,
    /// Time of points to keep ahead of the mirrors, ms, for projectors without a buffer of their own; what the line of each
    /// needs if `None`.
    pub buffer_ms: Option<f32>,
    /// Moves the light against the sound, ms: positive is later.
    pub offset_ms: f64,
    /// The mask stream and how it is shown.
    pub mask: MaskChoice,
    /// End the show after this many seconds of it.
    pub duration_s: Option<f64>,
    /// Play as soon as the file is open.
    pub autoplay: bool,
}

impl ShowConfig {
    /// [`buffer_ms`](Self::buffer_ms) as a time.
    #[must_use]
    pub fn buffer(&self) -> Option<Duration> {
        let ms = self.buffer_ms.filter(|ms| Installation::BUFFER_MS.contains(ms))?;
        Some(Duration::from_secs_f32(ms / 1e3))
    }
}

impl Default for ShowConfig {
    fn default() -> Self {
        Self {
            source: Source::Playback {
                music: Vec::new(),
                start_s: 0.0,
                audio: AudioChoice::Default,
            },
            dacs: vec!["sim:".to_owned()],
            rig: None,
            preset: None,
            transition: Transition::QUICK,
            shuffle: false,
            preset_folder: None,
            mountings: None,
            control: ControlConfig::default(),
            arm: false,
            master: 0.2,
            pps: 30_000,
            buffer_ms: None,
            offset_ms: 0.0,
            mask: MaskChoice::default(),
            duration_s: None,
            autoplay: true,
        }
    }
}
