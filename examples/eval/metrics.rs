//! How well times that were heard agree with the true ones. Pure functions; all times in seconds, ascending.
//!
//! F-measure and continuity as in M. E. P. Davies, N. Degara, M. D. Plumbley, "Evaluation methods for musical
//! audio beat tracking algorithms" (Queen Mary University, 2009).

/// Beats may be off by this much, seconds.
pub(crate) const BEAT_WINDOW_S: f64 = 0.070;
/// Onsets may be off by this much, seconds.
pub(crate) const ONSET_WINDOW_S: f64 = 0.050;
/// Phase and period may be off by this share of a beat to count as continuous.
const CONTINUOUS: f64 = 0.175;
/// Beats in a row that are a lock.
const LOCKED_BEATS: usize = 4;

/// Pairs of found and true times within `window`, each used once, as indices. Greedy in time, which pairs
/// as many as possible when both are sorted.
#[must_use]
pub(crate) fn matches(found: &[f64], truth: &[f64], window: f64) -> Vec<(usize, usize)> {
    let (mut f, mut t) = (0, 0);
    let mut pairs = Vec::new();
    while f < found.len() && t < truth.len() {
        let off = found[f] - truth[t];
        if off.abs() <= window {
            pairs.push((f, t));
            f += 1;
            t += 1;
        } else if off < 0.0 {
            f += 1;
        } else {
            t += 1;
        }
    }
    pairs
}

/// Harmonic mean of precision and recall, 0..=1. Nothing found where there is nothing counts as 1.
#[must_use]
pub(crate) fn f_measure(found: &[f64], truth: &[f64], window: f64) -> f64 {
    let both = found.len() + truth.len();
    if both == 0 {
        return 1.0;
    }
    2.0 * matches(found, truth, window).len() as f64 / both as f64
}

/// The times from `from` on.
#[must_use]
pub(crate) fn since(times: &[f64], from: f64) -> &[f64] {
    &times[times.partition_point(|&t| t < from)..]
}

/// Share of true beats inside any correctly continued stretch, at the true metrical level.
#[must_use]
pub(crate) fn cml_t(found: &[f64], truth: &[f64]) -> f64 {
    if truth.len() < 2 || found.len() < 2 {
        return 0.0;
    }
    let good = (0..found.len()).filter(|&n| is_continuous(found, truth, n)).count();
    (good as f64 / truth.len().max(found.len()) as f64).min(1.0)
}

/// The same at the best of: the true level, twice, half (either phase), and off the beat.
#[must_use]
pub(crate) fn aml_t(found: &[f64], truth: &[f64]) -> f64 {
    levels_of(truth).iter().map(|level| cml_t(found, level)).fold(0.0, f64::max)
}

/// F-measure at the best of the same levels.
#[must_use]
pub(crate) fn any_level_f(found: &[f64], truth: &[f64]) -> f64 {
    let f = |level: &Vec<f64>| f_measure(found, level, BEAT_WINDOW_S);
    levels_of(truth).iter().map(f).fold(0.0, f64::max)
}

fn levels_of(truth: &[f64]) -> [Vec<f64>; 5] {
    let between: Vec<f64> = truth.windows(2).map(|w| f64::midpoint(w[0], w[1])).collect();
    let mut double: Vec<f64> = truth.iter().chain(&between).copied().collect();
    double.sort_by(f64::total_cmp);
    let half = |from: usize| truth.iter().skip(from).step_by(2).copied().collect();
    [truth.to_vec(), double, half(0), half(1), between]
}

/// Found beat `n` lies on a true one, and so does the one before it, on the one before that.
fn is_continuous(found: &[f64], truth: &[f64], n: usize) -> bool {
    let nearest = nearest(truth, found[n]);
    let period = |t: usize| if t > 0 { truth[t] - truth[t - 1] } else { truth[1] - truth[0] };
    let true_period = period(nearest);
    if (found[n] - truth[nearest]).abs() > CONTINUOUS * true_period {
        return false;
    }
    if n == 0 {
        return nearest == 0;
    }
    if nearest == 0 {
        return false;
    }
    (found[n - 1] - truth[nearest - 1]).abs() <= CONTINUOUS * true_period
        && (found[n] - found[n - 1] - true_period).abs() <= CONTINUOUS * true_period
}

fn nearest(times: &[f64], to: f64) -> usize {
    let after = times.partition_point(|&t| t < to).min(times.len() - 1);
    if after > 0 && to - times[after - 1] < times[after] - to { after - 1 } else { after }
}

/// When the beat was first held: the first of four true beats in a row that were all found.
#[must_use]
pub(crate) fn first_lock_s(found: &[f64], truth: &[f64]) -> Option<f64> {
    let mut hit = vec![false; truth.len()];
    for (_, t) in matches(found, truth, BEAT_WINDOW_S) {
        hit[t] = true;
    }
    let start = hit.windows(LOCKED_BEATS).position(|w| w.iter().all(|&hit| hit))?;
    Some(truth[start] - truth[0])
}

/// Whether a tempo is right within 4 %, and whether it is right up to a factor of 2 or 3.
#[must_use]
pub(crate) fn tempo_is_right(found: f64, truth: f64) -> (bool, bool) {
    let right = |truth: f64| (found - truth).abs() <= 0.04 * truth;
    let octaves = [1.0, 2.0, 0.5, 3.0, 1.0 / 3.0];
    (right(truth), octaves.iter().any(|factor| right(truth * factor)))
}

/// Tempo of the median distance between beats, beats per minute; 0 for less than two.
#[must_use]
pub(crate) fn tempo_of(beats: &[f64]) -> f64 {
    let mut periods: Vec<f64> = beats.windows(2).map(|w| w[1] - w[0]).collect();
    match quantile(&mut periods, 0.5) {
        period if period > 0.0 => 60.0 / period,
        _ => 0.0,
    }
}

/// The value below which a share of them lies; NaN of nothing. Sorts them.
#[must_use]
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((share * last as f64).round() as usize).copied().unwrap_or(f64::NAN)
}

/// The mean; NaN of nothing.
#[must_use]
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(from: f64, period: f64, count: usize) -> Vec<f64> {
        (0..count).map(|n| from + period * n as f64).collect()
    }

    #[test]
    fn a_time_is_used_once_and_the_window_is_kept() {
        assert_eq!(matches(&[1.0, 1.01], &[1.0], 0.05), [(0, 0)]);
        assert_eq!(matches(&[1.06], &[1.0], 0.05), []);
        assert_eq!(matches(&[0.96, 1.04], &[1.0, 1.08], 0.05), [(0, 0), (1, 1)]);
    }

    #[test]
    fn the_f_measure_weighs_what_is_missed_against_what_is_invented() {
        let truth = grid(0.0, 0.5, 20);
        assert_eq!(f_measure(&truth, &truth, 0.07), 1.0);
        assert_eq!(f_measure(&[], &truth, 0.07), 0.0);
        assert_eq!(f_measure(&[], &[], 0.07), 1.0);
        let double = grid(0.0, 0.25, 40);
        assert!((f_measure(&double, &truth, 0.07) - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn double_half_and_off_beat_are_other_levels_not_faults() {
        let truth = grid(1.0, 0.5, 40);
        for found in
            [grid(1.0, 0.25, 79), grid(1.0, 1.0, 20), grid(1.5, 1.0, 20), grid(1.25, 0.5, 39)]
        {
            assert!(cml_t(&found, &truth) < 0.55, "{:?}", &found[..2]);
            assert!(aml_t(&found, &truth) > 0.95, "{:?}", &found[..2]);
            assert!(any_level_f(&found, &truth) > 0.95);
        }
        assert!(aml_t(&grid(1.0, 0.37, 54), &truth) < 0.2);
    }

    #[test]
    fn one_beat_off_its_place_breaks_the_continuity_twice() {
        let truth = grid(0.0, 0.5, 20);
        let mut found = truth.clone();
        found[10] += 0.2;
        assert!((cml_t(&found, &truth) - 0.9).abs() < 1e-12);
    }

    #[test]
    fn a_lock_is_four_beats_in_a_row() {
        let truth = grid(2.0, 0.5, 20);
        let found: Vec<f64> =
            truth.iter().enumerate().filter(|(n, _)| *n != 2).map(|(_, t)| *t).collect();
        assert_eq!(first_lock_s(&found, &truth), Some(1.5));
        assert_eq!(first_lock_s(&found[..3], &truth), None);
    }

    #[test]
    fn a_tempo_may_be_an_octave_off_and_be_told_apart() {
        assert_eq!(tempo_is_right(121.0, 120.0), (true, true));
        assert_eq!(tempo_is_right(60.0, 120.0), (false, true));
        assert_eq!(tempo_is_right(100.0, 120.0), (false, false));
        assert!((tempo_of(&grid(0.0, 0.5, 9)) - 120.0).abs() < 1e-9);
    }
}
