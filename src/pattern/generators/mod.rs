//! The drawings themselves, one file each.
//!
//! Each declares its parameters and draws up to 640 vertices in few strokes, so that a projector of 30 kpps
//! shows it 40 to 60 times a second. Quiet music leaves a calm figure, never an empty one.

pub mod beams;
pub mod circle;
pub mod comets;
pub mod fireworks;
pub mod flow;
pub mod formula;
pub mod fractal;
pub mod grid;
pub mod helix;
pub mod knot;
pub mod lissajous;
pub mod mask;
pub mod metaballs;
pub mod polygon;
pub mod polyhedron;
pub mod portrait;
pub mod ripples;
pub mod rose;
pub mod scope;
pub mod sheet;
pub mod solid;
pub mod spectrum_bars;
pub mod spectrum_ring;
pub mod spirograph;
pub mod star;
pub mod starfield;
pub mod superformula;
pub mod terrain;
pub mod test_pattern;
pub mod text;
pub mod tunnel;

/// A phase in turns, moved on and kept within 0..1.
pub(super) fn advance(phase: &mut f32, turns: f32) {
    *phase = (*phase + turns).rem_euclid(1.0);
}

/// A value that rises at once and falls with a time constant in seconds.
fn fall(value: &mut f32, target: f32, dt: f32, fall_s: f32) {
    let fallen = *value * (-dt / fall_s).exp();
    *value = target.max(fallen);
}

/// The spectrum at a place 0..=1 from lowest to highest band, smoothly between bands.
pub(super) fn spectrum_at(
    spectrum: &[f32; crate::analysis::features::SPECTRUM_BANDS],
    place: f32,
) -> f32 {
    let last = spectrum.len() - 1;
    let position = place.clamp(0.0, 1.0) * last as f32;
    let band = (position as usize).min(last - 1);
    let part = position - band as f32;
    let eased = part * part * (3.0 - 2.0 * part);
    spectrum[band] + (spectrum[band + 1] - spectrum[band]) * eased
}

/// Turns a point in space about the vertical, then about the horizontal axis; angles in turns.
pub(super) fn turned(point: [f32; 3], spin: (f32, f32), tilt: (f32, f32)) -> [f32; 3] {
    let [x, y, z] = point;
    let (x, z) = (x * spin.1 + z * spin.0, z * spin.1 - x * spin.0);
    let (y, z) = (y * tilt.1 - z * tilt.0, z * tilt.1 + y * tilt.0);
    [x, y, z]
}

/// Sine and cosine of an angle in turns.
pub(super) fn sin_cos(turns: f32) -> (f32, f32) {
    (turns * std::f32::consts::TAU).sin_cos()
}

/// As an eye sees it that is `distance` (at least 1.2) before the origin: nearer parts are larger. The unit
/// ball stays within the unit disc.
pub(super) fn projected([x, y, z]: [f32; 3], distance: f32) -> (f32, f32) {
    // The silhouette of a unit ball seen from `distance` has this radius on the plane through its centre.
    let silhouette = distance / (distance * distance - 1.0).max(0.1).sqrt();
    let grow = distance / (distance - z).max(0.2) / silhouette;
    (x * grow, y * grow)
}

#[cfg(test)]
mod tests;
