//! The waveform itself, as a line, an arc or a ring.

use std::f32::consts::PI;

use crate::analysis::features::WAVEFORM_SAMPLES;
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "scope",
    name: "Scope",
    description: "The waveform as a steady trace, bent from a line into a ring at will.",
    params: &[
        ParamSpec::new("gain", "", [0.0, 0.45, 1.0], "Height of the trace at full level."),
        ParamSpec::new("curl", "", [0.0, 0.0, 1.0], "0 a line, 1 a ring."),
        ParamSpec::new("lines", "", [1.0, 1.0, 3.0], "Traces, each lower than the one before."),
        ParamSpec::new("spread", "", [0.0, 0.15, 0.4], "Distance between the traces."),
        ParamSpec::new("zoom", "", [1.0, 1.5, 4.0], "How much of the window is left out."),
        ParamSpec::new("smooth", "", [0.0, 0.5, 0.95], "0 every wiggle, towards 1 only the body."),
        ParamSpec::new("kick", "", [0.0, 0.15, 0.5], "How far the bass moves line or ring."),
    ],
    make: |_| Box::new(Scope { trace: [0.0; WAVEFORM_SAMPLES] }),
};

const VERTICES: usize = 200;
const RING_RADIUS: f32 = 0.52;
const LINE_HALF_LENGTH: f32 = 0.93;

struct Scope {
    trace: [f32; WAVEFORM_SAMPLES],
}

impl Pattern for Scope {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[gain, curl, lines, spread, zoom, smooth, kick] = scene.params else { return };
        let features = scene.features;
        let samples = &features.waveform;
        let mut last = samples[0];
        for (out, &sample) in self.trace.iter_mut().zip(samples) {
            last += (sample - last) * (1.0 - smooth);
            *out = last;
        }
        let shown = (WAVEFORM_SAMPLES as f32 / zoom) as usize;
        let start = rising_zero_crossing(&self.trace, WAVEFORM_SAMPLES - shown);
        // Smoothing lowers the trace; give the body its height back.
        let gain = gain * (1.0 + smooth);

        let half = LINE_HALF_LENGTH + curl * (RING_RADIUS * PI - LINE_HALF_LENGTH);
        let curvature = curl * PI / half;
        let lines = lines.round().max(1.0) as usize;
        let push = kick * features.bands.bass;
        let mut pen = Pen::new(figure);
        for line in 0..lines {
            let offset = (line as f32 - (lines - 1) as f32 * 0.5) * spread + push * curl;
            let strength = gain * (1.0 - 0.3 * line as f32);
            for k in 0..VERTICES {
                let k = if line % 2 == 0 { k } else { VERTICES - 1 - k };
                let along = k as f32 / (VERTICES - 1) as f32;
                let place = 2.0 * along - 1.0;
                let position = start as f32 + along * (shown - 2) as f32;
                let index = (position as usize).min(WAVEFORM_SAMPLES - 2);
                let part = position - index as f32;
                let sample = self.trace[index] + (self.trace[index + 1] - self.trace[index]) * part;
                // The ends rest, so that a line does not dangle and a ring closes.
                let window = (1.0 - place.powi(8)).max(0.0);
                let height = offset + strength * sample * window;
                let (x, y) = on_arc(place * half, height, curvature, curl);
                let room = (MAX_RADIUS * MAX_RADIUS - x * x).max(0.0).sqrt();
                pen.to(x, y.clamp(-room, room));
            }
            pen.end_curve();
        }
    }
}

/// A place `along` an arc through the origin and `height` off it, the arc centred as it closes.
fn on_arc(along: f32, height: f32, curvature: f32, curl: f32) -> (f32, f32) {
    if curvature < 1e-3 {
        return (along, height);
    }
    let radius = 1.0 / curvature;
    let (sin, cos) = (along * curvature).sin_cos();
    let r = radius + height;
    // The centre of curvature lies below the line and moves to the origin as the ring closes.
    let sagitta = radius * (1.0 - (curl * PI).cos()) * 0.5;
    (r * sin, r * cos - radius + sagitta)
}

/// Where the trace first rises through zero, so that it stands still; 0 if it does not by `latest`.
fn rising_zero_crossing(trace: &[f32; WAVEFORM_SAMPLES], latest: usize) -> usize {
    let crosses = |pair: &[f32]| pair[0] < 0.0 && pair[1] >= 0.0;
    trace.windows(2).take(latest).position(crosses).unwrap_or(0)
}
