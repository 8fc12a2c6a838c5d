//! The outline of a track: how loud a stretch of it gets, for those who draw it.

use super::Track;
use super::look_up::{FIRST_HOP_S, HOP_S};
use crate::time::MediaTime;

/// The loudest of a stretch of a track.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outline {
    /// Root mean square of the loudest 50 ms, 1 at full scale.
    pub rms: f32,
    /// The highest of each band, as in [`Bands`](crate::analysis::features::Bands): bass, mid, treble.
    pub bands: [f32; 3],
}

impl Track {
    /// The loudest from `from` up to `to`, and at least of one hop of 10 ms; silence outside the track.
    #[must_use]
    pub fn outline(&self, from: MediaTime, to: MediaTime) -> Outline {
        let hop =
            |at: MediaTime| ((at.as_secs_f64() - FIRST_HOP_S) / HOP_S).round().max(0.0) as usize;
        let first = hop(from).min(self.hops.len());
        let end = hop(to).max(first + 1).min(self.hops.len());
        let (mut level_db, mut bands) = (0_u8, [0_u8; 3]);
        for hop in &self.hops[first..end] {
            level_db = level_db.max(hop.level_db);
            for (most, band) in bands.iter_mut().zip([hop.bass, hop.mid, hop.treble]) {
                *most = (*most).max(band);
            }
        }
        let rms = if level_db == 0 {
            0.0
        } else {
            10_f32.powf((0.5 * f32::from(level_db) - 120.0) / 20.0)
        };
        Outline { rms: rms.min(1.0), bands: bands.map(|band| f32::from(band) / 255.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::TrackAnalyser;
    use super::*;

    #[test]
    fn the_outline_is_the_loudest_of_a_stretch_and_silence_outside() {
        let mut analyser = TrackAnalyser::new(8_000);
        let tone = |seconds: f32, gain: f32| {
            let sample = move |n: usize| gain * (n as f32 * 0.3).sin();
            (0..(seconds * 8_000.0) as usize).flat_map(move |n| [sample(n), sample(n)])
        };
        analyser
            .push(&tone(1.0, 0.0).chain(tone(1.0, 0.5)).chain(tone(1.0, 0.1)).collect::<Vec<_>>());
        let track = analyser.finish();
        let rms = |from, to| {
            track.outline(MediaTime::from_secs_f64(from), MediaTime::from_secs_f64(to)).rms
        };
        assert_eq!(rms(0.0, 0.8), 0.0);
        let loud = 0.5 / 2.0_f32.sqrt();
        assert!((rms(0.0, 3.0) / loud - 1.0).abs() < 0.1, "{}", rms(0.0, 3.0));
        assert!((rms(2.5, 2.6) / loud - 0.2).abs() < 0.02, "{}", rms(2.5, 2.6));
        assert_eq!(rms(5.0, 9.0), 0.0);
        assert_eq!(rms(2.0, -1.0), rms(2.0, 2.0), "a stretch of no length is one hop");
    }
}
