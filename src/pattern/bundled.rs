//! The presets that come with galvo, as text.

/// File name and text of every bundled preset, in the order a list shows them.
pub const BUNDLED: &[(&str, &str)] = &[];
