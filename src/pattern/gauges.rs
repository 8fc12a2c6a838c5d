//! What every value of a preset is at a moment: the sum that the light is drawn with, without drawing.
//!
//! A desk shows it beside the control. It is computed from the same rows by the same code as in an
//! [`Instrument`](super::Instrument), but elsewhere: the real-time path is not asked.

use super::modulation::{Signal, Smoothed};
use super::{ParamSpec, Preset};
use crate::analysis::Features;
use crate::time::MediaTime;

/// The values of a preset at play, in the order of [`Preset::board`], its groups one after the other.
#[derive(Debug)]
pub struct Gauges {
    gauges: Vec<Gauge>,
    last: Option<MediaTime>,
}

#[derive(Debug)]
struct Gauge {
    spec: ParamSpec,
    set: f32,
    rows: Vec<Smoothed>,
}

/// Longest step of the smoothing, seconds: after a seek or a pause it goes on from where it was.
const MAX_DT: f64 = 0.25;

impl Gauges {
    /// The gauges of a preset.
    #[must_use]
    pub fn new(preset: &Preset) -> Self {
        let mut gauges = Vec::new();
        for group in preset.board() {
            let rows = preset.rows(group.owner).unwrap_or_default();
            for dial in group.dials {
                let own = rows.iter().filter(|row| row.param == dial.spec.name);
                let rows = own.map(|row| Smoothed::new(Signal::new(row, dial.span))).collect();
                gauges.push(Gauge { spec: dial.spec, set: dial.value, rows });
            }
        }
        Self { gauges, last: None }
    }

    /// Replaces `out` by the values at a moment.
    pub fn read(&mut self, features: &Features, media: MediaTime, out: &mut Vec<f32>) {
        let dt = self.last.map_or(0.0, |last| media.secs_since(last)).clamp(0.0, MAX_DT) as f32;
        self.last = Some(media);
        out.clear();
        for gauge in &mut self.gauges {
            let moved: f32 = gauge.rows.iter_mut().map(|row| row.step(features, media, dt)).sum();
            out.push(gauge.spec.clamped(gauge.set + moved));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::bundled::BUNDLED;
    use crate::pattern::{Instrument, board::DrawingAt, board::Owner};

    fn loud(at: MediaTime) -> Features {
        let mut features = Features { level: 0.7, silent: false, ..Features::silence(at) };
        features.bands.bass = 0.8;
        features.bands.mid = 0.4;
        features.bands.treble = 0.6;
        features.onset.envelope = 0.5;
        features.beat.bpm = 120.0;
        features.beat.confidence = 0.9;
        features.beat.phase = at.as_secs_f64().rem_euclid(0.5) as f32 * 2.0;
        features
    }

    #[test]
    fn gauges_show_what_the_instrument_draws_with() {
        for (file, text) in BUNDLED {
            let preset = Preset::parse(text).unwrap();
            let mut instrument = Instrument::new(&preset).unwrap();
            let mut gauges = Gauges::new(&preset);
            let (mut figure, mut out) = (Instrument::figure(), Vec::new());
            for frame in 0..60 {
                let media = MediaTime::from_secs_f64(f64::from(frame) * 0.02);
                let features = loud(media);
                let dt = if frame == 0 { 0.0 } else { 0.02 };
                instrument.draw(&features, media, dt, &mut figure);
                gauges.read(&features, media, &mut out);
            }
            for (drawn, shown) in instrument.moved_values().iter().zip(&out) {
                assert!(
                    (drawn - shown).abs() < 1e-3 * drawn.abs().max(1.0),
                    "{file}: {drawn} {shown}"
                );
            }
        }
    }

    #[test]
    fn colours_effects_and_look_are_moved_within_their_own_span() {
        let text = "version = 1\nname = \"A\"\ngenerator = \"circle\"\n\
                    [colour]\ncolours = [\"#ff0000\"]\n\
                    [[colour.modulate]]\nparam = \"hue\"\nsource = \"bass\"\ndepth = 0.5\n\
                    [look]\nscale = 0.5\n\
                    [[look.modulate]]\nparam = \"scale\"\nsource = \"level\"\ndepth = 1.0\n\
                    [[effects]]\neffect = \"twist\"\n\
                    modulate = [{ param = \"turns\", source = \"mid\", depth = -1.0 }]\n";
        let preset = Preset::parse(text).unwrap();
        let (mut gauges, mut out) = (Gauges::new(&preset), Vec::new());
        gauges.read(&loud(MediaTime::ZERO), MediaTime::ZERO, &mut out);
        let value = |owner: Owner, name: &str| {
            let board = preset.board();
            let dials = board.iter().flat_map(|group| group.dials.iter().map(|d| (group.owner, d)));
            let place = dials.clone().position(|(o, dial)| o == owner && dial.spec.name == name);
            out[place.unwrap()]
        };
        assert!((value(Owner::Colour(DrawingAt::First), "hue") - 0.4).abs() < 1e-6);
        assert_eq!(value(Owner::Look, "scale"), 1.0, "held within its range");
        let twist = value(Owner::Effect(DrawingAt::First, 0), "turns");
        assert!((twist - (0.25 - 0.4 * 4.0)).abs() < 1e-5, "{twist}");
    }
}
