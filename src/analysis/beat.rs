//! From activations to a steady beat: the bar pointer decides, a second-order loop makes it smooth.

use super::bar::Downbeat;
use super::bar_pointer::{BarPointer, BestState};
use super::features::Beat;
use super::odf::BeatActivation;

/// Seconds per frame.
const FRAME_S: f64 = 0.01;
/// Constant delay from an attack to its place in the activation, seconds; measured on drum loops.
pub(crate) const ACTIVATION_DELAY_S: f64 = 0.022;
/// Frames after a beat at which its place is measured.
const MEASURE_AFTER: usize = 5;
/// Frames of activation kept.
const KEPT: usize = 16;
/// Loop gains once settled: how much of a phase error is corrected, and how much of it changes the period.
const PHASE_GAIN: f64 = 0.30;
const PERIOD_GAIN: f64 = 0.03;
/// A beat further from its place than this is an outlier, beats.
const OUTLIER: f64 = 0.14;
/// After this many outliers the loop follows the bar pointer.
const OUTLIERS_TO_FOLLOW: u32 = 3;
/// The phase is corrected by slowing down or speeding up by at most this much of the tempo.
const SLEW: f64 = 0.4;
/// Confidence at which the beat is believed, and below which it is doubted.
const BELIEVE: f32 = 0.35;
const DOUBT: f32 = 0.15;
/// Doubt for this many frames ends the belief; so does silence of the second length.
const DOUBT_FRAMES: u32 = 1200;
const SILENT_FRAMES: u32 = 200;

/// The causal beat tracker.
#[derive(Debug)]
pub(crate) struct BeatTracker {
    activation: BeatActivation,
    pointer: BarPointer,
    recent: [f32; KEPT],
    frame: u64,
    last_measured: u64,
    /// Phase of the beat in the activation now, 0..1.
    phase: f64,
    /// Frames per beat.
    period: f64,
    /// Phase still to be made up for.
    pending: f64,
    measured: u32,
    outliers: u32,
    evidence: Evidence,
    believed: bool,
    doubted_frames: u32,
    silent_frames: u32,
    count: u32,
    downbeat: Downbeat,
}

impl BeatTracker {
    /// For `bins` magnitudes `bin_hz` apart, 100 frames per second.
    pub(crate) fn new(bin_hz: f32, bins: usize) -> Self {
        let activation = BeatActivation::new(bin_hz, bins, FRAME_S as f32);
        Self {
            downbeat: Downbeat::new(activation.bands().len()),
            activation,
            pointer: BarPointer::new(),
            recent: [0.0; KEPT],
            frame: 0,
            last_measured: 0,
            phase: 0.0,
            period: 50.0,
            pending: 0.0,
            measured: 0,
            outliers: 0,
            evidence: Evidence::default(),
            believed: false,
            doubted_frames: 0,
            silent_frames: 0,
            count: 0,
        }
    }

    /// One frame of magnitudes.
    pub(crate) fn step(&mut self, magnitudes: &[f32], silent: bool) {
        let activation = self.activation.step(magnitudes);
        self.frame += 1;
        self.recent[(self.frame % KEPT as u64) as usize] = activation;
        self.evidence.frame(activation);
        let best = self.pointer.step(activation);
        self.advance();
        self.downbeat.listen(self.phase, self.activation.bands());
        let began = self.frame.saturating_sub(best.position as u64);
        let apart = began.saturating_sub(self.last_measured);
        if best.position >= MEASURE_AFTER && apart as f64 > 0.5 * best.period as f64 {
            self.last_measured = began;
            self.measure(best);
        }
        self.believe(silent);
    }

    /// The beat as it is `seconds_ago` before the end of the last frame.
    pub(crate) fn beat(&self, seconds_ago: f64) -> Beat {
        if !self.believed {
            return Beat {
                confidence: self.evidence.confidence(),
                count: self.count,
                ..Beat::default()
            };
        }
        let now = Beat {
            bpm: (60.0 / (self.period * FRAME_S)) as f32,
            confidence: self.evidence.confidence(),
            phase: self.phase as f32,
            bar_phase: self.downbeat.phase(self.count, self.phase as f32),
            count: self.count,
            beats_per_bar: 4,
        };
        now.after(ACTIVATION_DELAY_S - seconds_ago)
    }

    /// What the beat was looked for in.
    pub(crate) const fn activation(&self) -> &BeatActivation {
        &self.activation
    }

    /// Forgets the past.
    pub(crate) fn clear(&mut self) {
        self.activation.clear();
        self.pointer.clear();
        self.recent = [0.0; KEPT];
        self.last_measured = 0;
        self.frame = 0;
        self.phase = 0.0;
        self.period = 50.0;
        self.pending = 0.0;
        self.measured = 0;
        self.outliers = 0;
        self.evidence = Evidence::default();
        self.believed = false;
        self.doubted_frames = 0;
        self.silent_frames = 0;
        self.count = 0;
        self.downbeat.clear();
    }

    fn advance(&mut self) {
        let limit = SLEW / self.period;
        let slew = (0.2 * self.pending).clamp(-limit, limit);
        self.pending -= slew;
        self.phase += 1.0 / self.period + slew;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
            self.downbeat.end_beat(self.count);
            if self.believed {
                self.count = self.count.wrapping_add(1);
            }
        }
    }

    /// Compares the beat that the bar pointer has just passed with the loop's own.
    fn measure(&mut self, best: BestState) {
        let (ago, strength) = self.place_of(best.position);
        let error = wrapped(ago / self.period - self.phase - self.pending);
        self.evidence.beat(strength, error as f32);
        self.measured = self.measured.saturating_add(1);
        let tempo_apart = (best.period as f64 / self.period - 1.0).abs();
        if error.abs() > OUTLIER || tempo_apart > 0.06 {
            self.outliers += 1;
        } else {
            self.outliers = 0;
        }
        if !self.believed && self.outliers > 0 || self.outliers >= OUTLIERS_TO_FOLLOW {
            self.follow(best, ago);
        } else if self.outliers == 0 {
            // Fast at first, as a mean over few beats would be; then slow.
            let settled = f64::from(self.measured);
            self.pending += error * PHASE_GAIN.max(1.0 / (settled + 1.0));
            self.period *= 1.0 - error * PERIOD_GAIN.max(0.4 / (settled + 1.0));
            self.period = self.period.clamp(25.0, 120.0);
        }
    }

    /// Takes over the bar pointer's tempo and phase; gently while someone may be watching.
    fn follow(&mut self, best: BestState, ago: f64) {
        self.period = best.period as f64;
        self.outliers = 0;
        self.measured = 1;
        let target = (ago / self.period).rem_euclid(1.0);
        if self.believed {
            self.pending = wrapped(target - self.phase);
        } else {
            self.pending = 0.0;
            self.phase = target;
        }
    }

    /// How many frames ago the activation around a beat had its centre, and how strong it was.
    fn place_of(&self, position: usize) -> (f64, f32) {
        let (mut mass, mut moment, mut strongest) = (0.02_f64, 0.02 * position as f64, 0.0_f32);
        for ago in position.saturating_sub(4)..=(position + 2).min(KEPT - 1) {
            let index = (self.frame + KEPT as u64 - ago as u64) % KEPT as u64;
            let activation = self.recent[index as usize];
            mass += f64::from(activation);
            moment += f64::from(activation) * ago as f64;
            strongest = strongest.max(activation);
        }
        (moment / mass, strongest)
    }

    fn believe(&mut self, silent: bool) {
        let confidence = self.evidence.confidence();
        self.silent_frames = if silent { self.silent_frames.saturating_add(1) } else { 0 };
        self.doubted_frames =
            if confidence < DOUBT { self.doubted_frames.saturating_add(1) } else { 0 };
        if self.silent_frames > SILENT_FRAMES {
            self.evidence = Evidence::default();
            self.believed = false;
        } else if self.doubted_frames > DOUBT_FRAMES {
            self.believed = false;
        } else if confidence > BELIEVE {
            self.believed = true;
        }
    }
}

/// Shortest way around the circle of phases.
fn wrapped(phase: f64) -> f64 {
    phase - phase.round()
}

/// How well the beats of the last few seconds stand out and keep their places.
#[derive(Clone, Copy, Debug, Default)]
struct Evidence {
    background: f32,
    strength: f32,
    error: f32,
    beats: u32,
}

impl Evidence {
    fn frame(&mut self, activation: f32) {
        self.background += 0.0025 * (activation - self.background);
    }

    fn beat(&mut self, strength: f32, error: f32) {
        self.beats = self.beats.saturating_add(1);
        let rate = (1.0 / self.beats as f32).max(0.2);
        self.strength += rate * (strength - self.strength);
        // The first guess of the loop is arbitrary; one bad beat must not outweigh three good ones.
        self.error += rate * (error.abs().min(0.12) - self.error);
    }

    fn confidence(&self) -> f32 {
        if self.beats < 3 {
            return 0.0;
        }
        let contrast = self.strength - 3.0 * self.background;
        let steadiness = 1.0 - 8.0 * self.error;
        ((2.0 * contrast).clamp(0.0, 1.0) * steadiness.clamp(0.0, 1.0)).clamp(0.0, 1.0)
    }
}
