//! galvo: an audio-synchronised laser visualiser.
//!
//! It plays or listens to music, understands it, draws with it, and drives laser projectors so that the
//! light meets the sound. Data flows one way, and the modules are its stations; `docs/architecture.md` has
//! the picture and the reasons.

pub mod point;
pub mod realtime;
pub mod time;

pub mod frame;

pub mod format;
pub mod wire;

pub mod analysis;
pub mod path;
pub mod pattern;
pub mod safety;

pub mod audio;
pub mod control;
pub mod dac;
pub mod mask;
pub mod media;

pub mod record;
pub mod show;
pub mod stream;

pub mod cli;
#[cfg(feature = "gui")]
pub mod gui;
