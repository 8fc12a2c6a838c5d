//! From samples to [`Features`]: pure, causal, allocation-free after construction.

mod analyser;
mod bands;
mod bar;
mod bar_pointer;
mod beat;
mod biquad;
pub mod features;
mod filterbank;
mod flux;
mod gain;
mod history;
mod level;
mod odf;
mod onset;
mod spectrum;
mod transform;
mod waveform;
mod window;

pub use analyser::{Analyser, HOPS_PER_SECOND};
pub use features::{Beat, Features};
pub use window::FeatureWindow;
