//! Beats of a whole file: what came after a beat is known too.
//!
//! The state space is that of the causal tracker ([`bar_pointer`](super::super::bar_pointer)), decoded with the
//! Viterbi algorithm. Inside a beat there is nothing to decide, so only the beginnings of beats are kept: for each
//! frame and each period the best period of the beat before it, one byte each (83 bytes per 10 ms, freed after).

use super::super::bar_pointer::{
    CHANGE_COST, LONGEST, OBSERVED_PARTS, PRIOR_BPM, PRIOR_OCTAVES, ROWS, SHORTEST, WIDEST_CHANGE,
};
use super::super::odf::{ODF_BANDS, QUIETEST_PEAK, WEIGHTS};

/// Half the width over which the mean flux is taken, frames: ±0.4 s.
const MEAN_FRAMES: usize = 40;
/// How fast the peak is forgotten, forwards and backwards, per frame (time constant 4 s).
const PEAK_KEEP: f32 = 0.997_503;
/// A band's peak counts no lower than this share of its highest: a rest is no reason to listen harder.
const LOWEST_PEAK_SHARE: f32 = 0.1;
/// Frames around a beat in which its attack is looked for.
const SEARCH_FRAMES: usize = 3;
/// Beats to each side over which places are smoothed.
const SMOOTH_BEATS: usize = 3;
/// An attack weaker than this says nothing of its place.
const WEAKEST_ATTACK: f32 = 0.12;
/// A grid is constant if its beats lie this close to it (root mean square), frames: 8 ms.
const GRID_RMS: f64 = 0.8;
/// A beat further from the grid than this is left out of it, frames.
const GRID_OUTLIER: f64 = 3.0;
/// Confidence that is needed somewhere, and below which beats are doubted.
const BELIEVE: f32 = 0.35;
const DOUBT: f32 = 0.2;
/// Beats in a row that must be believed for there to be a beat at all.
const BELIEVED_BEATS: usize = 8;
/// Doubtful beats between believed ones are kept up to this length, frames: a break of 16 bars.
const BRIDGE_FRAMES: f64 = 3_500.0;
/// Doubtful beats before the first and after the last believed one are kept up to this length, frames.
const EDGE_FRAMES: f64 = 1_000.0;
/// Beats to each side over which confidence is averaged.
const CONFIDENCE_BEATS: usize = 8;

/// A beat's place in frames of 10 ms (in the activation, which is later than the sound), and what speaks for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FoundBeat {
    pub(super) frame: f64,
    pub(super) strength: f32,
    pub(super) confidence: f32,
}

/// Beats, and whether they lie on one even grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FoundBeats {
    pub(super) beats: Vec<FoundBeat>,
    /// Beats per minute of the grid, if it is even.
    pub(super) grid_bpm: Option<f64>,
}

/// The activation of every frame, 0..=1, from the flux of the four bands, with mean and peak of both sides.
pub(super) fn activation(flux: &[[f32; ODF_BANDS]]) -> Vec<f32> {
    let mut total = vec![0.0_f32; flux.len()];
    let weights: f32 = WEIGHTS.iter().sum();
    for (band, weight) in WEIGHTS.iter().enumerate() {
        let over = over_mean(flux, band);
        let highest = over.iter().fold(QUIETEST_PEAK, |m, &x| if x > m { x } else { m });
        let floor = (LOWEST_PEAK_SHARE * highest).max(QUIETEST_PEAK);
        let mut peaks = vec![floor; over.len()];
        let follow = |peak: &mut f32, (x, held): (&f32, &mut f32)| {
            *peak = (*peak * PEAK_KEEP).max(*x).max(floor);
            *held = held.max(*peak);
        };
        let mut peak = floor;
        over.iter().zip(&mut peaks).for_each(|pair| follow(&mut peak, pair));
        peak = floor;
        over.iter().zip(&mut peaks).rev().for_each(|pair| follow(&mut peak, pair));
        for ((sum, x), peak) in total.iter_mut().zip(&over).zip(&peaks) {
            *sum += weight / weights * x / peak;
        }
    }
    total
}

/// What of a band's flux is above its mean of ±0.4 s.
fn over_mean(flux: &[[f32; ODF_BANDS]], band: usize) -> Vec<f32> {
    let mut sums = Vec::with_capacity(flux.len() + 1);
    let mut sum = 0.0_f64;
    sums.push(sum);
    for frame in flux {
        sum += f64::from(frame[band]);
        sums.push(sum);
    }
    (0..flux.len())
        .map(|n| {
            let (from, to) = (n.saturating_sub(MEAN_FRAMES), (n + MEAN_FRAMES + 1).min(flux.len()));
            let mean = (sums[to] - sums[from]) / (to - from) as f64;
            (flux[n][band] - mean as f32).max(0.0)
        })
        .collect()
}

/// The beats that explain the activations best.
pub(super) fn find(activation: &[f32]) -> FoundBeats {
    let begins = decode(activation);
    if begins.len() < BELIEVED_BEATS {
        return FoundBeats::default();
    }
    let own: Vec<(f64, f32)> = begins.iter().map(|&frame| attack_near(activation, frame)).collect();
    let smooth = smoothed(&own);
    let background = activation.iter().sum::<f32>() / activation.len() as f32;
    let confidences = confidences(&own, &smooth, background);
    let kept = attacked(&own, believed(&smooth, &confidences));
    let beat =
        |n: usize| FoundBeat { frame: smooth[n], strength: own[n].1, confidence: confidences[n] };
    let mut found = FoundBeats { beats: kept.clone().map(beat).collect(), grid_bpm: None };
    if let Some((first, period)) = even_grid(&own[kept]) {
        for (n, beat) in found.beats.iter_mut().enumerate() {
            beat.frame = first + period * n as f64;
        }
        found.grid_bpm = Some(6_000.0 / period);
    }
    found
}

/// Viterbi over beginnings of beats: the frames at which beats begin.
fn decode(activation: &[f32]) -> Vec<usize> {
    const RING: usize = 128;
    let frames = activation.len();
    if frames <= LONGEST {
        return Vec::new();
    }
    // How much more likely each frame is inside the beat region than outside, summed up.
    let mut gain = Vec::with_capacity(frames + 1);
    let mut sum = 0.0_f64;
    gain.push(sum);
    for &a in activation {
        let a = if a.is_finite() { a.clamp(0.05, 0.95) } else { 0.05 };
        sum += f64::from(a.ln() - ((1.0 - a) / (OBSERVED_PARTS - 1) as f32).ln());
        gain.push(sum);
    }
    let observed = |period: usize| period.div_ceil(OBSERVED_PARTS);
    let of_beat =
        |begin: usize, period: usize| gain[(begin + observed(period)).min(frames)] - gain[begin];
    let prior: Vec<f64> = (0..ROWS)
        .map(|row| {
            let octaves = (6_000.0 / (SHORTEST + row) as f64 / f64::from(PRIOR_BPM)).log2()
                / f64::from(PRIOR_OCTAVES);
            -0.5 * octaves * octaves
        })
        .collect();
    let jumps: Vec<(usize, Vec<f64>)> = (0..ROWS).map(jumps_to).collect();

    let mut begun = vec![[f64::NEG_INFINITY; ROWS]; RING];
    let mut from = vec![0_u8; frames * ROWS];
    let mut ends = [f64::NEG_INFINITY; ROWS];
    for frame in 0..frames {
        for (row, end) in ends.iter_mut().enumerate() {
            let period = SHORTEST + row;
            *end = match frame.checked_sub(period) {
                Some(begin) => begun[begin % RING][row] + of_beat(begin, period),
                None => f64::NEG_INFINITY,
            };
        }
        let back = &mut from[frame * ROWS..(frame + 1) * ROWS];
        let now = &mut begun[frame % RING];
        for (row, (first, costs)) in jumps.iter().enumerate() {
            let (mut best, mut best_row) = (f64::NEG_INFINITY, row);
            for (n, cost) in costs.iter().enumerate() {
                let arriving = ends[first + n] + cost;
                if arriving > best {
                    (best, best_row) = (arriving, first + n);
                }
            }
            // The sound may begin anywhere in a first beat.
            if frame < SHORTEST + row && prior[row] > best {
                (best, best_row) = (prior[row], usize::from(u8::MAX));
            }
            now[row] = best;
            back[row] = best_row as u8;
        }
    }
    trace(&begun, &from, frames, of_beat)
}

/// From the best last beat back to the first.
fn trace(
    begun: &[[f64; ROWS]],
    from: &[u8],
    frames: usize,
    of_beat: impl Fn(usize, usize) -> f64,
) -> Vec<usize> {
    let mut best = (f64::NEG_INFINITY, 0, 0);
    for (row, period) in (SHORTEST..=LONGEST).enumerate() {
        for begin in frames - period..frames {
            let score = begun[begin % begun.len()][row] + of_beat(begin, period);
            if score > best.0 {
                best = (score, begin, row);
            }
        }
    }
    let (_, mut frame, mut row) = best;
    let mut begins = vec![frame];
    loop {
        let before = usize::from(from[frame * ROWS + row]);
        if before >= ROWS {
            break;
        }
        let Some(earlier) = frame.checked_sub(SHORTEST + before) else { break };
        (frame, row) = (earlier, before);
        begins.push(frame);
    }
    begins.reverse();
    begins
}

/// The rows from which a change to `to` is considered: the first, and the cost from each on.
fn jumps_to(to: usize) -> (usize, Vec<f64>) {
    let change = |from: usize| ((SHORTEST + to) as f64 / (SHORTEST + from) as f64 - 1.0).abs();
    let near: Vec<usize> =
        (0..ROWS).filter(|&from| change(from) <= f64::from(WIDEST_CHANGE)).collect();
    let costs = near.iter().map(|&from| -f64::from(CHANGE_COST) * change(from)).collect();
    (near.first().copied().unwrap_or(to), costs)
}

/// The centre of the attack at a beat, frames, and its strength; the beat's own place where there is none.
fn attack_near(activation: &[f32], begin: usize) -> (f64, f32) {
    let (from, to) = (
        begin.saturating_sub(SEARCH_FRAMES - 1),
        (begin + 2 * SEARCH_FRAMES).min(activation.len()),
    );
    let near = &activation[from..to];
    let top = (0..near.len()).fold(0, |top, n| if near[n] > near[top] { n } else { top }) + from;
    let strength = activation[top];
    if strength < WEAKEST_ATTACK {
        return (begin as f64 + 1.0, strength);
    }
    let (mut mass, mut moment) = (0.0_f64, 0.0_f64);
    let (from, to) = (top.saturating_sub(2), (top + 3).min(activation.len()));
    for (frame, &a) in (from..to).zip(&activation[from..to]) {
        let a = f64::from(a);
        mass += a;
        moment += a * frame as f64;
    }
    (moment / mass, strength)
}

/// Each beat half where its attack is and half where its neighbours would have it; where there is no attack,
/// wholly there, and where the tempo changes wholly at the attack.
fn smoothed(own: &[(f64, f32)]) -> Vec<f64> {
    (0..own.len())
        .map(|n| {
            let near = n.saturating_sub(SMOOTH_BEATS)..(n + SMOOTH_BEATS + 1).min(own.len());
            let line =
                line_through(near.map(|k| (k as f64 - n as f64, own[k].0, weight(own[k].1))));
            let (frame, strength) = own[n];
            let expected = line.map_or(frame, |(at, _)| at);
            let apart = (frame - expected).abs();
            if strength < WEAKEST_ATTACK {
                // Far from the line there is none: the tempo changes here.
                if apart <= 2.0 * GRID_OUTLIER { expected } else { frame }
            } else if apart <= GRID_OUTLIER {
                f64::midpoint(frame, expected)
            } else {
                frame
            }
        })
        .collect()
}

fn weight(strength: f32) -> f64 {
    0.02 + f64::from(strength).powi(2)
}

/// Weighted least squares: value at 0 and slope.
fn line_through(points: impl Iterator<Item = (f64, f64, f64)>) -> Option<(f64, f64)> {
    let (mut w, mut x, mut y, mut xx, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (px, py, pw) in points {
        w += pw;
        x += pw * px;
        y += pw * py;
        xx += pw * px * px;
        xy += pw * px * py;
    }
    let spread = w * xx - x * x;
    if w <= 0.0 || spread <= 1e-9 {
        return None;
    }
    let slope = (w * xy - x * y) / spread;
    Some(((y - slope * x) / w, slope))
}

fn confidences(own: &[(f64, f32)], smooth: &[f64], background: f32) -> Vec<f32> {
    let each: Vec<f32> = (0..own.len())
        .map(|n| {
            let period = if n > 0 { smooth[n] - smooth[n - 1] } else { smooth[1] - smooth[0] };
            let error = ((own[n].0 - smooth[n]).abs() / period.max(1.0)) as f32;
            let contrast = (2.0 * (own[n].1 - 3.0 * background)).clamp(0.0, 1.0);
            contrast * (1.0 - 8.0 * error).clamp(0.0, 1.0)
        })
        .collect();
    (0..each.len())
        .map(|n| {
            let near = &each
                [n.saturating_sub(CONFIDENCE_BEATS)..(n + CONFIDENCE_BEATS + 1).min(each.len())];
            near.iter().sum::<f32>() / near.len() as f32
        })
        .collect()
}

/// The stretch of beats that is kept: from the first believed run on, over doubtful stretches that are not too
/// long, and a little beyond both ends. Empty if nothing is believed.
fn believed(frames: &[f64], confidences: &[f32]) -> std::ops::Range<usize> {
    let sure = |n: usize| confidences[n] >= BELIEVE;
    let runs = confidences.len().saturating_sub(BELIEVED_BEATS - 1);
    let Some(start) = (0..runs).find(|&n| (n..n + BELIEVED_BEATS).all(sure)) else {
        return 0..0;
    };
    let (mut first, mut last) = (start, start);
    for n in start..confidences.len() {
        if confidences[n] >= DOUBT && frames[n] - frames[last] <= BRIDGE_FRAMES {
            last = n;
        }
    }
    while first > 0 && frames[start] - frames[first - 1] <= EDGE_FRAMES {
        first -= 1;
    }
    let sure_to = last;
    while last + 1 < frames.len() && frames[last + 1] - frames[sure_to] <= EDGE_FRAMES {
        last += 1;
    }
    first..last + 1
}

/// The kept beats from the first that is struck to the last. The path through the states runs from the beginning of
/// the file to its end, but before the first stroke and in the fading of the last there is no beat to be heard.
fn attacked(own: &[(f64, f32)], mut kept: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let struck = |n: &usize| own[*n].1 >= WEAKEST_ATTACK;
    match (kept.clone().find(struck), kept.rfind(struck)) {
        (Some(first), Some(last)) => first..last + 1,
        _ => 0..0,
    }
}

/// The first beat and the period, frames, if nearly all attacks lie on one even grid.
fn even_grid(own: &[(f64, f32)]) -> Option<(f64, f64)> {
    let sure: Vec<(f64, f64)> = own
        .iter()
        .enumerate()
        .filter(|(_, (_, strength))| *strength >= 2.0 * WEAKEST_ATTACK)
        .map(|(n, (frame, _))| (n as f64, *frame))
        .collect();
    if sure.len() < 2 * BELIEVED_BEATS {
        return None;
    }
    let mut kept = sure.clone();
    let mut line = (0.0, 0.0);
    for _ in 0..3 {
        line = line_through(kept.iter().map(|&(n, frame)| (n, frame, 1.0)))?;
        let near = |&(n, frame): &(f64, f64)| (frame - line.0 - line.1 * n).abs() <= GRID_OUTLIER;
        kept = sure.iter().copied().filter(near).collect();
    }
    let square = |&(n, frame): &(f64, f64)| (frame - line.0 - line.1 * n).powi(2);
    let rms = (kept.iter().map(square).sum::<f64>() / kept.len().max(1) as f64).sqrt();
    (rms <= GRID_RMS && kept.len() * 10 >= sure.len() * 9).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attacks at these frames, in all bands.
    fn flux_of(frames: usize, beats: &[f64]) -> Vec<[f32; ODF_BANDS]> {
        let mut flux = vec![[0.002; ODF_BANDS]; frames];
        for beat in beats {
            let first = *beat as usize;
            let share = beat.fract() as f32;
            flux[first] = [0.2 * (1.0 - share); ODF_BANDS];
            flux[first + 1] = [0.2 * share; ODF_BANDS];
        }
        flux
    }

    #[test]
    fn an_even_beat_is_found_from_its_first_to_its_last_with_the_exact_tempo() {
        let beats: Vec<f64> = (0..80).map(|n| 30.25 + 47.3 * f64::from(n)).collect();
        let found = find(&activation(&flux_of(3_900, &beats)));
        let bpm = found.grid_bpm.expect("an even grid");
        assert!((bpm - 6_000.0 / 47.3).abs() < 0.02, "{bpm}");
        for beat in &beats {
            let off = found.beats.iter().map(|b| (b.frame - beat).abs()).fold(f64::MAX, f64::min);
            assert!(off < 0.5, "{beat}: {off} frames");
        }
    }

    #[test]
    fn a_tempo_that_steps_is_followed_without_a_lost_beat() {
        let mut beats = vec![20.0];
        for n in 1..80 {
            beats.push(beats[n - 1] + if n < 40 { 50.0 } else { 58.0 });
        }
        let found = find(&activation(&flux_of(4_500, &beats)));
        assert_eq!(found.grid_bpm, None);
        let hit = |beat: &&f64| found.beats.iter().any(|b| (b.frame - **beat).abs() < 3.0);
        assert!(beats.iter().filter(hit).count() >= 78);
        assert!(found.beats.len() <= 83);
    }

    #[test]
    fn a_break_without_attacks_keeps_its_beats() {
        let all: Vec<f64> = (0..90).map(|n| 25.0 + 50.0 * f64::from(n)).collect();
        let heard: Vec<f64> =
            all.iter().copied().filter(|t| !(1_500.0..3_000.0).contains(t)).collect();
        let found = find(&activation(&flux_of(4_600, &heard)));
        for beat in &all {
            let off = found.beats.iter().map(|b| (b.frame - beat).abs()).fold(f64::MAX, f64::min);
            assert!(off < 1.5, "{beat}: {off} frames");
        }
    }

    #[test]
    fn beats_begin_with_the_first_stroke_and_end_with_the_last() {
        let beats: Vec<f64> = (0..40).map(|n| 425.0 + 50.0 * f64::from(n)).collect();
        let found = find(&activation(&flux_of(2_900, &beats))).beats;
        assert_eq!(found.len(), beats.len());
        assert!((found[0].frame - 425.0).abs() < 0.5 && (found[39].frame - 2_375.0).abs() < 0.5);
    }

    #[test]
    fn nothing_has_no_beats_and_garbage_does_no_harm() {
        assert_eq!(find(&activation(&vec![[0.0; ODF_BANDS]; 3_000])), FoundBeats::default());
        assert_eq!(find(&activation(&vec![[0.1; ODF_BANDS]; 50])), FoundBeats::default());
        assert_eq!(find(&[]), FoundBeats::default());
        find(&vec![f32::NAN; 500]);
        find(&vec![f32::INFINITY; 500]);
    }
}
