//! Spectral flux that ignores vibrato: the rise of each band over the loudest of its neighbours a moment ago.
//!
//! S. Böck, G. Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013.

/// Frames back to which a frame is compared.
const LAG: usize = 2;

/// Remembers the last frames of compressed band magnitudes and tells how each band has risen.
#[derive(Debug)]
pub(crate) struct SuperFlux {
    /// The last frames after the maximum filter over ±1 band.
    past: [Vec<f32>; LAG],
    oldest: usize,
    rise: Vec<f32>,
}

impl SuperFlux {
    pub(crate) fn new(bands: usize) -> Self {
        Self { past: std::array::from_fn(|_| vec![0.0; bands]), oldest: 0, rise: vec![0.0; bands] }
    }

    /// The half-wave rectified rise of every band of `frame` since two frames ago.
    pub(crate) fn step(&mut self, frame: &[f32]) -> &[f32] {
        let widest = &mut self.past[self.oldest];
        for ((rise, now), before) in self.rise.iter_mut().zip(frame).zip(widest.iter()) {
            *rise = if now > before { now - before } else { 0.0 };
        }
        for (i, w) in widest.iter_mut().enumerate() {
            let around = &frame[i.saturating_sub(1)..(i + 2).min(frame.len())];
            *w = around.iter().fold(0.0, |m, &x| if x > m { x } else { m });
        }
        self.oldest = (self.oldest + 1) % LAG;
        &self.rise
    }

    /// Forgets the past.
    pub(crate) fn clear(&mut self) {
        for frame in &mut self.past {
            frame.fill(0.0);
        }
        self.oldest = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_that_glides_to_its_neighbour_is_no_onset() {
        let mut flux = SuperFlux::new(8);
        for band in [3_usize, 3, 3, 4, 4, 4, 3] {
            let mut frame = [0.0; 8];
            frame[band] = 1.0;
            let total: f32 = flux.step(&frame).iter().sum();
            flux.rise.fill(0.0);
            if band == 4 {
                assert_eq!(total, 0.0);
            }
        }
        let mut struck = [0.0; 8];
        struck[7] = 1.0;
        assert_eq!(flux.step(&struck)[7], 1.0);
    }
}
