//! Where bars begin, and how many beats they have, over a whole file.
//!
//! A first beat is where the bass strikes and where the harmony changes. For every metre the best path of positions
//! is found (Viterbi; leaving out or repeating a beat costs), and the metre that explains most is taken.

/// Metres that are considered, and how much each must convince.
const METRES: [(usize, f32); 4] = [(4, 1.0), (3, 0.9), (5, 0.7), (7, 0.7)];
/// What a break in the count costs, in deviations.
const SLIP: f32 = 6.0;
/// Beats to each side that a value is compared with.
const NEAR: usize = 8;

/// What speaks for a beat being the first of its bar.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BeatSound {
    /// How hard the lowest band strikes.
    pub(super) low: f32,
    /// How much the sound after the stroke differs from that of the beat before.
    pub(super) change: f32,
}

/// Beats of a bar, and the position of every beat in it, from 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bars {
    pub(super) beats_per_bar: u8,
    pub(super) positions: Vec<u8>,
}

/// The bars of these beats.
pub(super) fn find(sounds: &[BeatSound]) -> Bars {
    if sounds.is_empty() {
        return Bars { beats_per_bar: 4, positions: Vec::new() };
    }
    let low = deviations(&sounds.iter().map(|s| s.low).collect::<Vec<_>>());
    let change = deviations(&sounds.iter().map(|s| s.change).collect::<Vec<_>>());
    let scores: Vec<f32> = low.iter().zip(&change).map(|(l, c)| 0.4 * l + c).collect();
    let mut best = (f32::NEG_INFINITY, Bars::default());
    for (metre, trust) in METRES {
        let (score, positions) = path(&scores, metre);
        let firsts = (scores.len() as f32 / metre as f32).max(1.0);
        // The sum over a choice of beats grows with the root of their number if there is nothing in it.
        let convinced = trust * score / firsts.sqrt();
        if convinced > best.0 {
            best = (convinced, Bars { beats_per_bar: metre as u8, positions });
        }
    }
    best.1
}

/// Distance from the local mean in units of the deviation of all, bounded.
fn deviations(values: &[f32]) -> Vec<f32> {
    let local = |n: usize| {
        let near = &values[n.saturating_sub(NEAR)..(n + NEAR + 1).min(values.len())];
        values[n] - near.iter().sum::<f32>() / near.len() as f32
    };
    let apart: Vec<f32> = (0..values.len()).map(local).collect();
    let deviation = (apart.iter().map(|x| x * x).sum::<f32>() / apart.len() as f32).sqrt();
    apart.into_iter().map(|x| (x / deviation.max(1e-6)).clamp(-2.5, 2.5)).collect()
}

fn path(scores: &[f32], metre: usize) -> (f32, Vec<u8>) {
    let rest = (metre - 1) as f32;
    let mut states = vec![0.0_f32; metre];
    let mut from: Vec<u8> = Vec::with_capacity(scores.len() * metre);
    for &score in scores {
        let top = (0..metre).fold(0, |top, p| if states[p] > states[top] { p } else { top });
        let mut next = vec![0.0; metre];
        for (position, value) in next.iter_mut().enumerate() {
            let before = (position + metre - 1) % metre;
            let slipped = states[top] - SLIP;
            let (arrived, origin) =
                if slipped > states[before] { (slipped, top) } else { (states[before], before) };
            *value = arrived + if position == 0 { score } else { -score / rest };
            from.push(origin as u8);
        }
        states = next;
    }
    let mut position = (0..metre).fold(0, |top, p| if states[p] > states[top] { p } else { top });
    let score = states[position];
    let mut positions = vec![0; scores.len()];
    for n in (0..scores.len()).rev() {
        positions[n] = position as u8;
        position = usize::from(from[n * metre + position]);
    }
    (score, positions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn song(beats: usize, metre: usize, first: usize) -> Vec<BeatSound> {
        (0..beats)
            .map(|n| {
                let one = n % metre == first;
                let noise = (n * 7_919 % 13) as f32 / 13.0;
                BeatSound { low: 0.5 * noise, change: if one { 1.0 } else { 0.4 * noise } }
            })
            .collect()
    }

    #[test]
    fn the_metre_and_the_first_beat_are_found() {
        for (metre, first) in [(4, 0), (4, 3), (3, 1), (5, 2), (7, 6)] {
            let bars = find(&song(140, metre, first));
            assert_eq!(usize::from(bars.beats_per_bar), metre);
            assert!(
                bars.positions.iter().enumerate().all(|(n, p)| (*p == 0) == (n % metre == first))
            );
        }
    }

    #[test]
    fn a_beat_too_many_shifts_the_bars_after_it() {
        let mut sounds = song(64, 4, 0);
        sounds.extend(song(65, 4, 1));
        let bars = find(&sounds);
        let firsts: Vec<usize> = (0..129).filter(|&n| bars.positions[n] == 0).collect();
        assert!(
            firsts.contains(&60) && firsts.contains(&69) && firsts.contains(&125),
            "{firsts:?}"
        );
    }

    #[test]
    fn no_beats_have_no_bars() {
        assert_eq!(find(&[]).positions, Vec::<u8>::new());
    }
}
