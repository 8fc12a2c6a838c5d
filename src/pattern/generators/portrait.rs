//! The sound against itself a moment later: its phase portrait.

use super::{advance, sin_cos};
use crate::analysis::features::WAVEFORM_SAMPLES;
use crate::pattern::pen::{MAX_RADIUS, Pen, disc_from_square};
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "portrait",
    name: "Phase portrait",
    description: "The waveform against itself a moment later: tones are loops, chords are knots.",
    params: &[
        ParamSpec::new("delay", "samples", [1.0, 18.0, 64.0], "The moment between the two axes."),
        ParamSpec::new("gain", "", [0.1, 0.8, 1.5], "Size at full level."),
        ParamSpec::new("smooth", "", [0.0, 0.6, 0.95], "0 every wiggle, towards 1 only the body."),
        ParamSpec::new("core", "", [0.0, 0.15, 0.5], "Radius of the ring that silence leaves."),
        ParamSpec::new("turn", "turns/s", [-1.0, 0.05, 1.0], "Steady turn."),
    ],
    make: |_| Box::new(Portrait { trace: [0.0; WAVEFORM_SAMPLES], turn: 0.0 }),
};

const VERTICES: usize = 180;
/// Vertices over which the end is led back to the beginning.
const CLOSING: usize = 36;

struct Portrait {
    trace: [f32; WAVEFORM_SAMPLES],
    turn: f32,
}

impl Pattern for Portrait {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[delay, gain, smooth, core, turn] = scene.params else { return };
        advance(&mut self.turn, turn * scene.dt);
        let samples = &scene.features.waveform;
        // There and back: smooth without a shift.
        let mut last = samples[0];
        for (out, &sample) in self.trace.iter_mut().zip(samples) {
            last += (sample - last) * (1.0 - smooth);
            *out = last;
        }
        for out in self.trace.iter_mut().rev() {
            last += (*out - last) * (1.0 - smooth);
            *out = last;
        }
        let delay = delay.round() as usize;
        let gain = gain * (1.0 + smooth);
        let at = |k: usize| {
            let k = k.min(WAVEFORM_SAMPLES - 1 - delay);
            (self.trace[k] * gain, self.trace[k + delay] * gain)
        };
        let first = at(0);
        let (turn_sin, turn_cos) = sin_cos(self.turn);
        let mut pen = Pen::new(figure);
        for k in 0..VERTICES {
            let (mut x, mut y) = at(k);
            if let Some(closing) = (k + CLOSING).checked_sub(VERTICES) {
                let way = closing as f32 / CLOSING as f32;
                let eased = way * way * (3.0 - 2.0 * way);
                x += (first.0 - x) * eased;
                y += (first.1 - y) * eased;
            }
            let (ring_sin, ring_cos) = sin_cos(k as f32 / VERTICES as f32);
            let x = (x + core * ring_cos).clamp(-1.0, 1.0);
            let y = (y + core * ring_sin).clamp(-1.0, 1.0);
            let (x, y) = disc_from_square(x, y);
            let (x, y) = (x * MAX_RADIUS, y * MAX_RADIUS);
            pen.to(x * turn_cos - y * turn_sin, x * turn_sin + y * turn_cos);
        }
        pen.close_curve();
    }
}
