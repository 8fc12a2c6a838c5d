//! Which beat of four is the first: where the harmony changes.

/// Beats per bar.
const BEATS: usize = 4;
/// How much of its old score a slot keeps when it is scored anew, about four bars.
const KEEP: f32 = 0.78;
/// Another slot must lead by this factor before the bar moves.
const LEAD: f32 = 1.25;
/// Part of the beat that is listened to: after the drum stroke.
const LISTEN_FROM_PHASE: f64 = 0.35;

/// Compares each beat's sound, after its stroke, with that of the beat before; chords change on downbeats
/// more often than elsewhere.
#[derive(Debug)]
pub(crate) struct Downbeat {
    sum: Vec<f32>,
    frames: f32,
    before: Vec<f32>,
    scores: [f32; BEATS],
    first: usize,
}

impl Downbeat {
    pub(crate) fn new(bands: usize) -> Self {
        Self {
            sum: vec![0.0; bands],
            frames: 0.0,
            before: vec![0.0; bands],
            scores: [0.0; BEATS],
            first: 0,
        }
    }

    /// One frame of compressed band magnitudes at a phase of the beat.
    pub(crate) fn listen(&mut self, phase: f64, bands: &[f32]) {
        if phase >= LISTEN_FROM_PHASE {
            for (sum, band) in self.sum.iter_mut().zip(bands) {
                *sum += band;
            }
            self.frames += 1.0;
        }
    }

    /// Beat number `count` has ended.
    pub(crate) fn end_beat(&mut self, count: u32) {
        if self.frames > 0.0 {
            let mut novelty = 0.0;
            for (sum, before) in self.sum.iter_mut().zip(&mut self.before) {
                let mean = *sum / self.frames;
                novelty += (mean - *before).abs();
                *before = mean;
                *sum = 0.0;
            }
            self.frames = 0.0;
            let slot = count as usize % BEATS;
            self.scores[slot] = KEEP * self.scores[slot] + (1.0 - KEEP) * novelty;
            let best =
                (0..BEATS).fold(0, |b, s| if self.scores[s] > self.scores[b] { s } else { b });
            if self.scores[best] > LEAD * self.scores[self.first] {
                self.first = best;
            }
        }
    }

    /// Position within the bar, 0..1.
    pub(crate) fn phase(&self, count: u32, beat_phase: f32) -> f32 {
        let beat = (count as usize + BEATS - self.first) % BEATS;
        (beat as f32 + beat_phase) / BEATS as f32
    }

    /// Forgets the past.
    pub(crate) fn clear(&mut self) {
        self.sum.fill(0.0);
        self.frames = 0.0;
        self.before.fill(0.0);
        self.scores = [0.0; BEATS];
        self.first = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beat_where_the_chord_changes_becomes_the_first() {
        let mut downbeat = Downbeat::new(12);
        for count in 0..64_u32 {
            let chord = ((count + 1) / 4 % 3) as usize;
            let mut bands = [0.1; 12];
            bands[chord] = 1.0;
            for frame in 0..50 {
                downbeat.listen(f64::from(frame) / 50.0, &bands);
            }
            downbeat.end_beat(count);
        }
        assert_eq!(downbeat.phase(67, 0.0), 0.0);
        assert_eq!(downbeat.phase(68, 0.5), 0.375);
    }
}
