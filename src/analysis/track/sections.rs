//! The parts of a song: where the sound becomes another for a while, and what each part is for.
//!
//! The novelty of J. Foote, "Automatic audio segmentation using a measure of audio novelty" (ICME 2000): a
//! checkerboard is slid along the diagonal of the similarity of every beat to every other.

/// Half the side of the two checkerboards, beats.
const REACH: [usize; 2] = [16, 32];
/// A boundary's novelty is at least this share of the highest.
const LOWEST_PEAK: f32 = 0.25;
/// Boundaries lie at least this many beats apart.
const SHORTEST: usize = 8;
/// A boundary moves to the first of a bar within this many beats.
const SNAP: usize = 3;

/// Beats that differ by less than this sound the same (root of squared differences of compressed bands).
const SAME: f32 = 0.3;

/// A drop has at least this share of the power of the loudest part: it is at most 3 dB below it.
const DROP_POWER: f32 = 0.5;

/// Numbers that describe the sound of a beat.
pub(super) const SOUND_BANDS: usize = 12;

/// The sound of one beat.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct BeatColour {
    /// Mean of the compressed spectrum in twelve ranges of 0.75 octaves, from 30 Hz to 16 kHz.
    pub(super) bands: [f32; SOUND_BANDS],
    /// Mean power, 1 at full scale.
    pub(super) power: f32,
}

impl BeatColour {
    fn energy(&self) -> f32 {
        self.bands.iter().sum::<f32>() / SOUND_BANDS as f32
    }

    /// What the bass gives: up to 144 Hz.
    fn low(&self) -> f32 {
        self.bands[..3].iter().sum::<f32>() / 3.0
    }

    fn high(&self) -> f32 {
        self.bands[SOUND_BANDS / 2..].iter().sum::<f32>() / (SOUND_BANDS / 2) as f32
    }
}

/// What a part of a song is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SectionKind {
    /// Not known: live, or a file without a beat.
    #[default]
    Unknown,
    /// The quieter beginning.
    Intro,
    /// The ordinary part.
    Groove,
    /// Without the bass that was there before, and on until the sound is full again.
    Break,
    /// Rising towards a drop.
    Build,
    /// The bass is back, and the sound as loud as anywhere.
    Drop,
    /// The quieter end.
    Outro,
}

impl SectionKind {
    /// All kinds, in the order of their numbers in stored tracks.
    pub const ALL: [Self; 7] = [
        Self::Unknown,
        Self::Intro,
        Self::Groove,
        Self::Break,
        Self::Build,
        Self::Drop,
        Self::Outro,
    ];

    /// Its name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Intro => "intro",
            Self::Groove => "groove",
            Self::Break => "break",
            Self::Build => "build",
            Self::Drop => "drop",
            Self::Outro => "outro",
        }
    }
}

/// A part: its first beat, the beat after its last, and its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BeatSection {
    pub(super) first: usize,
    pub(super) end: usize,
    pub(super) kind: SectionKind,
}

/// The parts of a song of these beats. `positions` are the beats' places in their bars.
pub(super) fn find(colours: &[BeatColour], positions: &[u8]) -> Vec<BeatSection> {
    if colours.is_empty() {
        return Vec::new();
    }
    let mut edges = vec![0];
    edges.extend(boundaries(colours).into_iter().map(|edge| snapped(edge, colours, positions)));
    edges.push(colours.len());
    edges.dedup();
    edges.retain({
        let mut last = None;
        move |&edge| {
            let kept = last.is_none_or(|last| edge > last);
            last = Some(edge);
            kept
        }
    });
    let parts: Vec<(usize, usize)> = edges.windows(2).map(|w| (w[0], w[1])).collect();
    named(colours, &parts)
}

/// Distance of two beats' sounds.
fn apart(a: &BeatColour, b: &BeatColour) -> f32 {
    a.bands.iter().zip(&b.bands).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
}

/// Beats at which the sound becomes another.
fn boundaries(colours: &[BeatColour]) -> Vec<usize> {
    let count = colours.len();
    // Means of four beats: what happens within a bar is no other part.
    let smooth: Vec<BeatColour> =
        (0..count).map(|n| mean(&colours[n..(n + 4).min(count)])).collect();
    let mut typical = 0.0;
    for n in 0..count.saturating_sub(8) {
        typical += apart(&smooth[n], &smooth[n + 8]) / count as f32;
    }
    let scale = 1.0 / typical.max(SAME);
    let alike = |a: usize, b: usize| (-scale * apart(&smooth[a], &smooth[b])).exp();
    let mut novelty = vec![0.0_f32; count];
    for reach in REACH {
        for (n, novelty) in novelty.iter_mut().enumerate() {
            let side = reach.min(n).min(count - n);
            if side < SHORTEST {
                continue;
            }
            let (mut sum, mut weights) = (0.0, 0.0);
            // The mean over four beats reaches forward, so what is just before the edge is already mixed.
            for a in (0..side).step_by(2) {
                for b in (0..side).step_by(2) {
                    let far = (a * a + b * b) as f32 / (side * side) as f32;
                    let weight = (-2.0 * far).exp();
                    let (before, after) = (n - 1 - a, n + b);
                    let (before_b, after_a) = (n - 1 - b, n + a);
                    sum += weight
                        * (alike(before, before_b) + alike(after, after_a)
                            - 2.0 * alike(before, after));
                    weights += weight;
                }
            }
            *novelty += sum / weights;
        }
    }
    let highest = novelty.iter().fold(0.0_f32, |m, &x| m.max(x));
    // What differs by less than chance is no part.
    if highest < 0.15 {
        return Vec::new();
    }
    let is_peak = |n: usize| {
        let (from, to) = (n.saturating_sub(SHORTEST), (n + SHORTEST + 1).min(count));
        novelty[n] >= LOWEST_PEAK * highest
            && (from..to).all(|k| novelty[k] < novelty[n] || novelty[k] == novelty[n] && k >= n)
    };
    (SHORTEST..count.saturating_sub(SHORTEST)).filter(|&n| is_peak(n)).collect()
}

fn mean(colours: &[BeatColour]) -> BeatColour {
    let mut mean = BeatColour::default();
    let share = 1.0 / colours.len() as f32;
    for colour in colours {
        for (sum, band) in mean.bands.iter_mut().zip(&colour.bands) {
            *sum += share * band;
        }
        mean.power += share * colour.power;
    }
    mean
}

/// The beat near `edge` at which the sound jumps most; a little rather the first of a bar.
fn snapped(edge: usize, colours: &[BeatColour], positions: &[u8]) -> usize {
    let (from, to) = (edge.saturating_sub(SNAP).max(1), (edge + SNAP + 3).min(colours.len() - 1));
    let jump = |n: usize| {
        let before = mean(&colours[n.saturating_sub(2)..n]);
        let after = mean(&colours[n..(n + 2).min(colours.len())]);
        apart(&before, &after) * if positions.get(n) == Some(&0) { 1.3 } else { 1.0 }
    };
    (from..=to).fold(edge, |best, n| if jump(n) > jump(best) { n } else { best })
}

/// Names the parts by their bass, energy and power.
fn named(colours: &[BeatColour], parts: &[(usize, usize)]) -> Vec<BeatSection> {
    let colour: Vec<BeatColour> =
        parts.iter().map(|&(first, end)| mean(&colours[first..end])).collect();
    let loudest = colour.iter().fold(0.0_f32, |m, c| m.max(c.energy()));
    let most_bass = colour.iter().fold(0.0_f32, |m, c| m.max(c.low()));
    let full_bass = |c: &BeatColour| c.low() >= 0.8 * most_bass;
    let little_bass = |c: &BeatColour| c.low() < 0.7 * most_bass;
    let most_power = colour.iter().fold(0.0_f32, |m, c| m.max(c.power));
    let loud = |c: &BeatColour| c.power >= DROP_POWER * most_power;
    let last = parts.len() - 1;
    let mut kinds: Vec<SectionKind> = Vec::with_capacity(parts.len());
    for (n, c) in colour.iter().enumerate() {
        let quieter = c.energy() < 0.85 * loudest;
        let after_break = kinds.last() == Some(&SectionKind::Break);
        let returns = n > 0 && full_bass(c) && (after_break || little_bass(&colour[n - 1]));
        kinds.push(if returns && loud(c) {
            if n == 1 && parts[0].1 - parts[0].0 < 3 * SHORTEST {
                SectionKind::Groove
            } else {
                SectionKind::Drop
            }
        } else if n == 0 && last > 0 && (quieter || little_bass(c)) {
            SectionKind::Intro
        } else if n == last && last > 0 && (quieter || little_bass(c)) {
            SectionKind::Outro
        } else if little_bass(c) || after_break && !loud(c) {
            // A bass that is held under what is left does not end the break.
            SectionKind::Break
        } else {
            SectionKind::Groove
        });
    }
    let mut sections = Vec::new();
    for (n, &(first, end)) in parts.iter().enumerate() {
        let before_drop = kinds.get(n + 1) == Some(&SectionKind::Drop);
        if before_drop && n > 0 && rises(&colours[first..end]) {
            kinds[n] = SectionKind::Build;
        }
        sections.push(BeatSection { first, end, kind: kinds[n] });
    }
    sections
}

/// The upper half of the spectrum grows from the first half to the last quarter.
fn rises(colours: &[BeatColour]) -> bool {
    let (half, quarter) = (colours.len() / 2, colours.len() / 4);
    quarter > 0
        && mean(&colours[colours.len() - quarter..]).high() > 1.1 * mean(&colours[..half]).high()
}

#[cfg(test)]
mod tests {
    use super::SectionKind::{Break, Build, Drop, Groove, Intro, Outro};
    use super::*;

    fn part(colours: &mut Vec<BeatColour>, beats: usize, colour: impl Fn(f32, usize) -> f32) {
        for n in 0..beats {
            let along = n as f32 / beats as f32;
            let wobble = 0.02 * ((colours.len() * 31 % 7) as f32 - 3.0) / 3.0;
            colours.push(BeatColour {
                bands: std::array::from_fn(|band| colour(along, band) + wobble),
                power: 0.0,
            });
        }
    }

    #[test]
    fn the_parts_of_a_dance_track_are_found_on_their_beats_and_named() {
        let mut colours = Vec::new();
        part(&mut colours, 32, |_, band| if band > 7 { 0.8 } else { 0.3 });
        part(&mut colours, 64, |_, _| 1.0);
        part(&mut colours, 32, |_, band| if band < 4 { 0.2 } else { 0.6 });
        part(&mut colours, 16, |along, band| if band < 3 { 0.2 } else { 0.6 + 0.6 * along });
        part(&mut colours, 64, |_, _| 1.2);
        part(&mut colours, 32, |_, band| if band < 4 { 0.7 } else { 0.2 });
        let positions: Vec<u8> = (0..colours.len()).map(|n| (n % 4) as u8).collect();
        let sections = find(&colours, &positions);
        let kinds: Vec<(usize, SectionKind)> = sections.iter().map(|s| (s.first, s.kind)).collect();
        assert!(kinds.contains(&(0, Intro)) && kinds.contains(&(144, Drop)), "{kinds:?}");
        assert!(kinds.contains(&(96, Break)) && kinds.contains(&(208, Outro)), "{kinds:?}");
        assert!(kinds.iter().any(|k| k.1 == Build && k.0.abs_diff(128) <= 4), "{kinds:?}");
        assert!(kinds.iter().any(|k| k.0 == 32 && matches!(k.1, Groove | Drop)), "{kinds:?}");
    }

    #[test]
    fn a_bass_that_is_held_drops_nothing() {
        let mut colours = Vec::new();
        part(&mut colours, 64, |_, _| 1.0);
        part(&mut colours, 16, |_, band| if band < 4 { 0.2 } else { 0.6 });
        part(&mut colours, 32, |_, band| if band < 4 { 0.9 } else { 0.6 });
        part(&mut colours, 64, |_, _| 1.0);
        for (n, colour) in colours.iter_mut().enumerate() {
            colour.power = if (64..112).contains(&n) { 0.02 } else { 0.05 };
        }
        let positions: Vec<u8> = (0..colours.len()).map(|n| (n % 4) as u8).collect();
        let sections = find(&colours, &positions);
        let kinds: Vec<(usize, SectionKind)> = sections.iter().map(|s| (s.first, s.kind)).collect();
        assert_eq!(kinds, [(0, Groove), (64, Break), (80, Break), (112, Drop)]);
    }

    #[test]
    fn a_song_that_stays_the_same_is_one_part() {
        let mut colours = Vec::new();
        part(&mut colours, 100, |_, _| 0.7);
        let sections = find(&colours, &[0; 100]);
        assert_eq!(sections.len(), 1);
        assert_eq!((sections[0].first, sections[0].end), (0, 100));
        assert!(find(&[], &[]).is_empty());
        assert_eq!(find(&colours[..1], &[0]).len(), 1);
    }
}
