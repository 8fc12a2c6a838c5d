//! Any number of channels to stereo.
//!
//! Surround follows ITU-R BS.775: centre and surrounds at −3 dB, no LFE, scaled so that it cannot clip.

use symphonia::core::audio::{Channels, Position};

/// Samples beyond this are held there: +12 dB over full scale is a fault in the file, and would deafen the
/// automatic gain of the analysis for seconds.
const MAX_SAMPLE: f32 = 4.0;

/// How each channel of a file goes to the left and the right.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Downmix {
    gains: Vec<[f32; 2]>,
}

impl Downmix {
    pub(super) fn new(channels: &Channels) -> Self {
        let mut gains: Vec<[f32; 2]> = match channels {
            Channels::Positioned(positions) => positions.iter().map(gain_of).collect(),
            other => (0..other.count())
                .map(|i| if i % 2 == 0 { [1.0, 0.0] } else { [0.0, 1.0] })
                .collect(),
        };
        match gains.as_mut_slice() {
            [mono] => *mono = [1.0; 2],
            [left, right] => (*left, *right) = ([1.0, 0.0], [0.0, 1.0]),
            surround => {
                let sum = |side: usize| surround.iter().map(|gain| gain[side]).sum::<f32>();
                let loudest = sum(0).max(sum(1)).max(1.0);
                surround.iter_mut().flatten().for_each(|gain| *gain /= loudest);
            }
        }
        Self { gains }
    }

    pub(super) fn channels(&self) -> usize {
        self.gains.len()
    }

    /// Appends `interleaved` as stereo. What is not a number becomes silence.
    pub(super) fn append(&self, interleaved: &[f32], stereo: &mut Vec<f32>) {
        let sane = |s: f32| if s.is_finite() { s.clamp(-MAX_SAMPLE, MAX_SAMPLE) } else { 0.0 };
        for frame in interleaved.chunks_exact(self.gains.len().max(1)) {
            let mut mixed = [0.0; 2];
            for (sample, gain) in frame.iter().zip(&self.gains) {
                let sample = sane(*sample);
                mixed[0] += sample * gain[0];
                mixed[1] += sample * gain[1];
            }
            stereo.extend_from_slice(&mixed);
        }
    }
}

fn gain_of(position: Position) -> [f32; 2] {
    const LEFT: Position = Position::REAR_LEFT
        .union(Position::FRONT_LEFT_CENTER)
        .union(Position::SIDE_LEFT)
        .union(Position::TOP_FRONT_LEFT)
        .union(Position::TOP_REAR_LEFT)
        .union(Position::TOP_SIDE_LEFT)
        .union(Position::BOTTOM_FRONT_LEFT)
        .union(Position::FRONT_LEFT_WIDE);
    const RIGHT: Position = Position::REAR_RIGHT
        .union(Position::FRONT_RIGHT_CENTER)
        .union(Position::SIDE_RIGHT)
        .union(Position::TOP_FRONT_RIGHT)
        .union(Position::TOP_REAR_RIGHT)
        .union(Position::TOP_SIDE_RIGHT)
        .union(Position::BOTTOM_FRONT_RIGHT)
        .union(Position::FRONT_RIGHT_WIDE);
    const MINUS_3_DB: f32 = std::f32::consts::FRAC_1_SQRT_2;
    match position {
        p if p == Position::FRONT_LEFT => [1.0, 0.0],
        p if p == Position::FRONT_RIGHT => [0.0, 1.0],
        p if LEFT.contains(p) => [MINUS_3_DB, 0.0],
        p if RIGHT.contains(p) => [0.0, MINUS_3_DB],
        p if p == Position::LFE1 || p == Position::LFE2 => [0.0; 2],
        _ => [MINUS_3_DB; 2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(channels: &Channels, frame: &[f32]) -> Vec<f32> {
        let mut stereo = Vec::new();
        Downmix::new(channels).append(frame, &mut stereo);
        stereo
    }

    #[test]
    fn mono_goes_to_both_sides_and_stereo_stays() {
        assert_eq!(mix(&Channels::Discrete(1), &[0.5]), [0.5, 0.5]);
        assert_eq!(mix(&Channels::Positioned(Position::FRONT_CENTER), &[0.5]), [0.5, 0.5]);
        let stereo = Position::FRONT_LEFT | Position::FRONT_RIGHT;
        assert_eq!(mix(&Channels::Positioned(stereo), &[0.1, 0.2]), [0.1, 0.2]);
    }

    #[test]
    fn surround_keeps_its_sides_and_cannot_clip() {
        let five_one = Channels::Positioned(
            Position::FRONT_LEFT
                | Position::FRONT_RIGHT
                | Position::FRONT_CENTER
                | Position::LFE1
                | Position::REAR_LEFT
                | Position::REAR_RIGHT,
        );
        let all = mix(&five_one, &[1.0; 6]);
        assert!(all.iter().all(|s| (s - 1.0).abs() < 1e-6), "{all:?}");
        let left = mix(&five_one, &[1.0, 0.0, 0.0, 0.0, 0.5, 0.0]);
        assert!(left[0] > 0.5 && left[1] == 0.0);
        let centre = mix(&five_one, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(centre[0], centre[1]);
        assert_eq!(mix(&five_one, &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]), [0.0, 0.0]);
    }

    #[test]
    fn what_is_not_sound_is_silence() {
        let odd = [f32::NAN, f32::INFINITY, -1e30, 1e30];
        assert_eq!(mix(&Channels::Discrete(2), &odd), [0.0, 0.0, -4.0, 4.0]);
        assert!(mix(&Channels::None, &[1.0]).iter().all(|s| *s == 0.0));
    }
}
