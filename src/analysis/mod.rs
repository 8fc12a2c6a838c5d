//! From samples to [`Features`]: pure, causal, allocation-free after construction.

mod analyser;
mod bands;
mod bar;
mod bar_pointer;
mod beat;
mod biquad;
mod chroma;
pub mod features;
mod filterbank;
mod flux;
mod gain;
mod history;
mod level;
mod loudness;
mod odf;
mod onset;
mod spectrum;
pub mod steer;
mod timbre;
pub mod track;
mod transform;
mod waveform;
mod window;

pub use analyser::{Analyser, HOPS_PER_SECOND};
pub use chroma::Key;
pub use features::{Beat, Features, Song};
pub use loudness::{Loudness, QUIETEST_LUFS};
pub use steer::{BPM_RANGE, BeatSource, BeatSteering, BeatWish};
pub use timbre::Timbre;
pub use track::{Outline, SectionKind, Track, TrackAnalyser, TrackBeat};
pub use window::FeatureWindow;
