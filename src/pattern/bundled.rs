//! The presets that come with galvo, as text.

/// File name and text of every bundled preset, in the order a list shows them. The first is what galvo
/// starts with.
pub const BUNDLED: &[(&str, &str)] = &[
    ("ember-ring.toml", include_str!("../../presets/ember-ring.toml")),
    ("war-drum.toml", include_str!("../../presets/war-drum.toml")),
    ("warp-gate.toml", include_str!("../../presets/warp-gate.toml")),
    ("trefoil.toml", include_str!("../../presets/trefoil.toml")),
    ("solar-crown.toml", include_str!("../../presets/solar-crown.toml")),
    ("night-bloom.toml", include_str!("../../presets/night-bloom.toml")),
    ("tesseract.toml", include_str!("../../presets/tesseract.toml")),
    ("deep-water.toml", include_str!("../../presets/deep-water.toml")),
    ("neon-triangles.toml", include_str!("../../presets/neon-triangles.toml")),
    ("polaris.toml", include_str!("../../presets/polaris.toml")),
    ("clockwork.toml", include_str!("../../presets/clockwork.toml")),
    ("silk-figures.toml", include_str!("../../presets/silk-figures.toml")),
    ("double-helix.toml", include_str!("../../presets/double-helix.toml")),
    ("triangle-shaft.toml", include_str!("../../presets/triangle-shaft.toml")),
    ("far-country.toml", include_str!("../../presets/far-country.toml")),
    ("oscilloscope.toml", include_str!("../../presets/oscilloscope.toml")),
    ("halo.toml", include_str!("../../presets/halo.toml")),
    ("medusa.toml", include_str!("../../presets/medusa.toml")),
    ("skyline.toml", include_str!("../../presets/skyline.toml")),
    ("hyperspace.toml", include_str!("../../presets/hyperspace.toml")),
    ("three-comets.toml", include_str!("../../presets/three-comets.toml")),
    ("cathedral.toml", include_str!("../../presets/cathedral.toml")),
    ("silhouette.toml", include_str!("../../presets/silhouette.toml")),
];
