//! File work, off the show thread: jobs go in, answers are picked up when they are there, and nobody waits.
//!
//! Each kind of file has workers and a queue of its own, so that a disk that does not answer holds no other kind:
//! settings, presets, music. A wait is told, and shown while it lasts. What the show thread holds is a [`JobQueue`] of
//! each; a job is run by whoever has a [`MayWait`], and the show thread has none.

pub mod files;
pub mod job_queue;
pub mod music;
pub mod presets;
pub mod settings;
pub mod threads;

use std::sync::Arc;
use std::time::Duration;

pub use job_queue::{DiskWait, Done, Full, Job, JobId, JobQueue, MayWait, Workers};
pub use music::{MusicAnswer, MusicJob};
pub use presets::{PresetAnswer, PresetJob};
pub use settings::SettingsJob;
pub use threads::Threads;

use crate::time::Clock;

/// How long the end of a show waits for what is still to be written.
pub const END_PATIENCE: Duration = Duration::from_secs(2);

/// Jobs about presets that are done at the same time: they are in one order.
pub const PRESETS_AT_WORK: usize = 1;
/// Files of settings that are written at the same time: there are two.
pub const SETTINGS_AT_WORK: usize = 2;
/// Files of music that are opened at the same time. One is, unless others hang: then there are as many more tries.
pub const MUSIC_AT_WORK: usize = 8;

/// The file work of a show.
pub struct Disk {
    /// What is remembered of projectors.
    pub settings: JobQueue<SettingsJob>,
    /// The user's presets.
    pub presets: JobQueue<PresetJob>,
    /// Tracks and playlists.
    pub music: JobQueue<MusicJob>,
    /// Measures the wait at the end.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { settings, presets, music, clock: _ } = self;
        let mut told = f.debug_struct("Disk");
        told.field("settings", settings).field("presets", presets).field("music", music).finish()
    }
}

impl Disk {
    /// The real disk, worked on by threads. None is started before there is work for it.
    #[must_use]
    pub fn with_threads(clock: Arc<dyn Clock>) -> Self {
        Self {
            settings: JobQueue::new("settings", Box::new(Threads::at_most(SETTINGS_AT_WORK))),
            presets: JobQueue::new("presets", Box::new(Threads::at_most(PRESETS_AT_WORK))),
            music: JobQueue::new("music", Box::new(Threads::at_most(MUSIC_AT_WORK))),
            clock,
        }
    }
}
