//! When the music changes its section, and which preset comes then.
//!
//! Pure: it is shown the sound and says when. A section is taken to change on a bar whose loudness and balance of
//! bands differ from the bars before; where nothing changes for long, time alone decides.

use crate::analysis::Features;
use crate::pattern::random::Random;

/// Bars that a preset plays at least.
const LEAST_BARS: u32 = 8;
/// Bars after which it goes, whatever the music does.
const MOST_BARS: u32 = 32;
/// How much a bar differs from those before it, where a section begins.
const NOVEL: f32 = 0.22;
/// How quickly the memory of earlier bars fades: each bar is a quarter of it.
const MEMORY: f32 = 0.25;

/// Loudness, bass, middle, treble.
type Balance = [f32; 4];

/// Listens for new sections.
#[derive(Debug)]
pub struct Shuffle {
    random: Random,
    sum: Balance,
    looks: u32,
    last_bar_phase: f32,
    /// The balance of the bars so far, once there was one.
    memory: Option<Balance>,
    bars: u32,
}

impl Shuffle {
    /// A shuffle whose choices belong to a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            sum: [0.0; 4],
            looks: 0,
            last_bar_phase: 0.0,
            memory: None,
            bars: 0,
        }
    }

    /// Takes in what is heard now; true when another preset should come. To be called many times a bar, while the
    /// music runs.
    pub fn hear(&mut self, features: &Features) -> bool {
        let bands = features.bands;
        let now = [features.level, bands.bass, bands.mid, bands.treble];
        for (sum, value) in self.sum.iter_mut().zip(now) {
            *sum += value;
        }
        self.looks += 1;
        let phase = features.beat.bar_phase;
        let is_new_bar = self.last_bar_phase - phase > 0.3;
        self.last_bar_phase = phase;
        if !is_new_bar {
            return false;
        }
        let bar = self.sum.map(|sum| sum / self.looks as f32);
        self.sum = [0.0; 4];
        self.looks = 0;
        self.bars += 1;
        let memory = *self.memory.get_or_insert(bar);
        let difference = bar.iter().zip(memory).map(|(bar, memory)| (bar - memory).abs());
        let novelty = difference.fold(0.0, f32::max);
        let fresh = novelty > NOVEL;
        self.memory = Some(if fresh {
            // A new section is compared with itself from here on.
            bar
        } else {
            std::array::from_fn(|k| memory[k] + (bar[k] - memory[k]) * MEMORY)
        });
        let comes = self.bars >= MOST_BARS || (fresh && self.bars >= LEAST_BARS);
        if comes {
            self.bars = 0;
        }
        comes
    }

    /// One of `count` presets, another than `present`; `None` if there is no other.
    pub fn choose(&mut self, count: usize, present: Option<usize>) -> Option<usize> {
        let others = (0..count).filter(|index| Some(*index) != present);
        let many = others.clone().count();
        let pick = (self.random.unit() * many as f32) as usize;
        others.clone().nth(pick.min(many.saturating_sub(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bars (from 0) at which a change comes, over bars of these loudnesses.
    fn changes(shuffle: &mut Shuffle, bars: impl Iterator<Item = f32>) -> Vec<usize> {
        let mut found = Vec::new();
        for (bar, loudness) in bars.enumerate() {
            for look in 0..100 {
                let mut features =
                    Features { level: loudness, silent: false, ..Features::default() };
                features.bands.bass = loudness * (0.8 + 0.2 * (look as f32 * 0.3).sin());
                features.beat.bar_phase = look as f32 / 100.0;
                if shuffle.hear(&features) {
                    found.push(bar);
                }
            }
        }
        found
    }

    #[test]
    fn a_new_section_brings_another_preset_on_its_first_or_second_bar() {
        let song = [0.4; 12].into_iter().chain([0.9; 16]).chain([0.2; 12]);
        assert_eq!(changes(&mut Shuffle::new(1), song), [13, 29]);
    }

    #[test]
    fn a_preset_plays_eight_bars_at_least_and_thirty_two_at_most() {
        let restless = (0..40).map(|bar| if bar % 2 == 0 { 0.2 } else { 0.9 });
        let found = changes(&mut Shuffle::new(1), restless);
        assert!(
            found.windows(2).all(|pair| pair[1] - pair[0] >= 8) && found.len() >= 4,
            "{found:?}"
        );
        let even = changes(&mut Shuffle::new(1), std::iter::repeat_n(0.5, 100));
        assert_eq!(even, [32, 64, 96]);
    }

    #[test]
    fn the_choice_is_another_one_and_belongs_to_the_seed() {
        let chosen = |seed| {
            let mut shuffle = Shuffle::new(seed);
            let mut present = 0;
            let mut all = Vec::new();
            for _ in 0..50 {
                let next = shuffle.choose(5, Some(present)).unwrap();
                assert!(next != present && next < 5);
                present = next;
                all.push(next);
            }
            all
        };
        assert_eq!(chosen(1), chosen(1));
        assert_ne!(chosen(1), chosen(2));
        assert_eq!(Shuffle::new(1).choose(1, Some(0)), None);
        assert_eq!(Shuffle::new(1).choose(0, None), None);
    }
}
