//! A preset ready to play: the real-time value that a show draws with.

use std::f32::consts::TAU;
use std::fmt;

use super::catalog::Generator;
use super::colouring::Colouring;
use super::modulation::{Signal, Smoothed, beats};
use super::preset::LOOK_TARGETS;
use super::{Figure, ParamSpec, Pattern, Preset, PresetError, Scene, Sight};
use crate::analysis::Features;
use crate::time::MediaTime;

/// Vertices that any instrument draws at most.
pub const MAX_VERTICES: usize = 768;
/// Strokes that any instrument draws at most.
pub const MAX_STROKES: usize = 64;
/// Longest step of a figure's inner time, seconds; after a longer pause it goes on from where it was.
pub const MAX_DT: f32 = 0.25;

/// What happens to a whole figure at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shade {
    /// Share of the light, 0..=1.
    pub gain: f32,
    /// Size about the centre, 0.05..=1.
    pub scale: f32,
    /// Counter-clockwise turn in radians, −π..=π.
    pub rotation: f32,
}

/// A compiled preset. All memory is taken by [`Instrument::new`].
pub struct Instrument {
    generator: &'static Generator,
    pattern: Box<dyn Pattern>,
    values: Vec<f32>,
    moved: Vec<f32>,
    rows: Vec<(usize, Smoothed)>,
    colouring: Colouring,
    look: LookSignals,
}

/// `[look]`, ready to play; a pure function of the moment.
struct LookSignals {
    /// Brightness, scale, rotation, as in [`LOOK_TARGETS`].
    base: [f32; 3],
    spin_hz: f64,
    spin_per_beat: f64,
    rows: Vec<(usize, Signal)>,
}

impl fmt::Debug for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instrument")
            .field("generator", &self.generator.id)
            .field("values", &self.values)
            .finish_non_exhaustive()
    }
}

impl Instrument {
    /// Builds everything the preset needs.
    ///
    /// # Errors
    /// What [`Preset::check`] finds.
    pub fn new(preset: &Preset) -> Result<Self, PresetError> {
        let generator = preset.check()?;
        let values = preset.values(generator);
        let rows = preset.modulate.iter().filter_map(|row| {
            let index = generator.index_of(&row.param)?;
            Some((index, Smoothed::new(Signal::new(row, generator.params[index].span()))))
        });
        let look = &preset.look;
        let look_rows = look.modulate.iter().filter_map(|row| {
            let index = LOOK_TARGETS.iter().position(|spec| spec.name == row.param)?;
            Some((index, Signal::new(row, LOOK_TARGETS[index].span())))
        });
        Ok(Self {
            generator,
            pattern: (generator.make)(preset.seed.into()),
            moved: values.clone(),
            values,
            rows: rows.collect(),
            colouring: Colouring::new(&preset.colour),
            look: LookSignals {
                base: [look.brightness, look.scale, look.rotation],
                spin_hz: look.spin_hz.into(),
                spin_per_beat: f64::from(look.spin_per_bar) / 4.0,
                rows: look_rows.collect(),
            },
        })
    }

    /// A figure with room for all that any instrument draws.
    #[must_use]
    pub fn figure() -> Figure {
        Figure::with_capacity(MAX_VERTICES, MAX_STROKES)
    }

    /// Draws the frame seen at `media`, `dt` seconds after the last one, over what `figure` held.
    ///
    /// The figure is within −1..=1 however it is turned. Music that holds something that is not a number
    /// counts as silence. Real-time: no allocation. The same sequence of
    /// arguments gives the same figures.
    pub fn draw(&mut self, features: &Features, media: MediaTime, dt: f32, figure: &mut Figure) {
        let dt = if dt.is_finite() { dt.clamp(0.0, MAX_DT) } else { 0.0 };
        let silence;
        let features = if is_finite(features) {
            features
        } else {
            // A pattern keeps what it hears: one wrong number would stay in it for ever.
            silence = Features::silence(media);
            &silence
        };
        self.moved.copy_from_slice(&self.values);
        for (index, signal) in &mut self.rows {
            self.moved[*index] += signal.step(features, media, dt);
        }
        for (value, spec) in self.moved.iter_mut().zip(self.generator.params) {
            *value = spec.clamped(*value);
        }
        figure.clear();
        self.pattern.draw(&Scene { features, media, dt, params: &self.moved }, figure);
        figure.end(false, false);
        self.colouring.paint(features, media, dt, figure);
    }

    /// Shows the pattern the mask stream at the moment of the next frame. Real-time: no allocation.
    pub fn see(&mut self, sight: Sight<'_>) {
        self.pattern.see(sight);
    }

    /// Light, size and turn of the figure at one moment: a pure function of its arguments, cheap enough
    /// for every block of points. Real-time: no allocation.
    #[must_use]
    pub fn shade(&self, features: &Features, media: MediaTime) -> Shade {
        let mut moved = self.look.base;
        for (index, signal) in &self.look.rows {
            moved[*index] += signal.at(features, media);
        }
        let [gain, scale, rotation] = moved;
        let spin = media.as_secs_f64() * self.look.spin_hz
            + beats(features, media) * self.look.spin_per_beat;
        let turns = (f64::from(rotation) + spin + 0.5).rem_euclid(1.0) as f32 - 0.5;
        Shade {
            gain: gain.clamp(0.0, 1.0),
            scale: scale.clamp(LOOK_TARGETS[1].min, 1.0),
            rotation: turns * TAU,
        }
    }

    /// Sets a parameter by its place in [`Instrument::params`], clamped to its range; a place that is not
    /// there is ignored. Real-time: no allocation.
    pub fn set_param(&mut self, index: usize, value: f32) {
        if let (Some(slot), Some(spec)) =
            (self.values.get_mut(index), self.generator.params.get(index))
        {
            *slot = spec.clamped(value);
        }
    }

    /// The parameters, in the order of [`Instrument::values`].
    #[must_use]
    pub fn params(&self) -> &'static [ParamSpec] {
        self.generator.params
    }

    /// The values set, before modulation.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values of the last frame, after modulation.
    #[must_use]
    pub fn moved_values(&self) -> &[f32] {
        &self.moved
    }

    /// The generator at work.
    #[must_use]
    pub fn generator(&self) -> &'static Generator {
        self.generator
    }
}

/// True if every value that patterns use is a number. Sums carry a NaN or an infinity to the end.
fn is_finite(features: &Features) -> bool {
    let Features { level, bands, spectrum, waveform, onset, beat, .. } = features;
    let sum = level
        + bands.bass
        + bands.mid
        + bands.treble
        + spectrum.iter().sum::<f32>()
        + waveform.iter().sum::<f32>()
        + onset.envelope
        + onset.strength
        + beat.bpm
        + beat.confidence
        + beat.phase
        + beat.bar_phase;
    sum.is_finite()
}

#[cfg(test)]
mod tests;
