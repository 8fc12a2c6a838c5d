//! The hidden beat: which tempo and which position within the beat explain the activations best.
//!
//! The state space is the bar pointer of N. Whiteley, A. T. Cemgil, S. Godsill, "Bayesian modelling of
//! temporal structure in musical audio" (ISMIR 2006) in the efficient layout of F. Krebs, S. Böck,
//! G. Widmer, "An efficient state-space model for joint tempo and meter tracking" (ISMIR 2015): one row per
//! beat period in frames, one state per frame of it, and a tempo may change only where a beat ends. It is
//! filtered with max-product (a running Viterbi), exactly.
//!
//! Each row is a circular buffer, so that moving on by a frame is moving its head; only the few states in
//! the beat region change, by the ratio of the two likelihoods.

/// Shortest beat period, frames of 10 ms: 214 beats per minute.
pub(crate) const SHORTEST: usize = 28;
/// Longest beat period, frames of 10 ms: 54.5 beats per minute.
pub(crate) const LONGEST: usize = 110;
/// Number of rows.
pub(crate) const ROWS: usize = LONGEST - SHORTEST + 1;
/// Number of states.
const STATES: usize = ROWS * (SHORTEST + LONGEST) / 2;
/// The beat region is one part in this many of the beat.
pub(crate) const OBSERVED_PARTS: usize = 16;
/// How unlikely a change of tempo is: weight of `|r′/r − 1|`.
pub(crate) const CHANGE_COST: f32 = 200.0;
/// Tempo changes beyond this ratio are not considered.
pub(crate) const WIDEST_CHANGE: f32 = 0.25;
/// No state is held less likely than the best by more than this (natural log).
const DEEPEST: f32 = 50.0;
/// Tempo held most likely beforehand, beats per minute, and the deviation in octaves.
pub(crate) const PRIOR_BPM: f32 = 120.0;
pub(crate) const PRIOR_OCTAVES: f32 = 0.6;
/// The best state is subtracted from all every this many frames, to keep numbers small.
const RENORMALISE_EVERY: u32 = 64;

#[derive(Clone, Copy, Debug)]
struct Row {
    /// Frames per beat.
    period: usize,
    /// Where the row lies in the state array.
    offset: usize,
    /// Slot of position 0.
    head: usize,
    /// States of the beat region.
    observed: usize,
    /// Log prior.
    prior: f32,
    /// First row from which a jump here is considered, its count and where the costs lie.
    from: usize,
    jumps: usize,
    costs: usize,
}

/// The most likely state.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct BestState {
    /// Frames per beat.
    pub(crate) period: usize,
    /// Frames since the beat.
    pub(crate) position: usize,
}

/// The filter over all tempi and positions.
#[derive(Debug)]
pub(crate) struct BarPointer {
    rows: Vec<Row>,
    costs: Vec<f32>,
    states: Vec<f32>,
    ends: Vec<f32>,
    row_best: Vec<f32>,
    best: f32,
    since_renormalised: u32,
}

impl BarPointer {
    pub(crate) fn new() -> Self {
        let mut rows = Vec::with_capacity(ROWS);
        let mut costs = Vec::new();
        let mut offset = 0;
        for row in 0..ROWS {
            let period = SHORTEST + row;
            let change = |from: usize| (period as f32 / (SHORTEST + from) as f32 - 1.0).abs();
            let near = || (0..ROWS).filter(|&from| change(from) <= WIDEST_CHANGE);
            let bpm = 6000.0 / period as f32;
            let octaves = (bpm / PRIOR_BPM).log2() / PRIOR_OCTAVES;
            rows.push(Row {
                period,
                offset,
                head: 0,
                observed: period.div_ceil(OBSERVED_PARTS),
                prior: -0.5 * octaves * octaves,
                from: near().next().unwrap_or(row),
                jumps: near().count(),
                costs: costs.len(),
            });
            costs.extend(near().map(|from| -CHANGE_COST * change(from)));
            offset += period;
        }
        let mut pointer = Self {
            rows,
            costs,
            states: vec![0.0; STATES],
            ends: vec![0.0; ROWS],
            row_best: vec![0.0; ROWS],
            best: 0.0,
            since_renormalised: 0,
        };
        pointer.clear();
        pointer
    }

    /// Back to the prior.
    pub(crate) fn clear(&mut self) {
        for row in &mut self.rows {
            row.head = 0;
            // A long row has more states; each row weighs the same.
            self.states[row.offset..row.offset + row.period].fill(row.prior);
        }
        self.best = 0.0;
        self.since_renormalised = 0;
    }

    /// One frame on, having seen `activation` (0..=1).
    pub(crate) fn step(&mut self, activation: f32) -> BestState {
        let a = if activation.is_finite() { activation.clamp(0.05, 0.95) } else { 0.05 };
        let beat_over_rest = a.ln() - ((1.0 - a) / (OBSERVED_PARTS - 1) as f32).ln();

        for (end, row) in self.ends.iter_mut().zip(&self.rows) {
            let last = if row.head == 0 { row.period - 1 } else { row.head - 1 };
            // What fell out of sight comes back at the prior: recovery takes a bounded time.
            *end = self.states[row.offset + last].max(self.best - DEEPEST + row.prior);
        }
        for row in &mut self.rows {
            let costs = &self.costs[row.costs..row.costs + row.jumps];
            let ends = &self.ends[row.from..row.from + row.jumps];
            let mut begin = f32::NEG_INFINITY;
            for (cost, end) in costs.iter().zip(ends) {
                let arriving = cost + end;
                if arriving > begin {
                    begin = arriving;
                }
            }
            row.head = if row.head == 0 { row.period - 1 } else { row.head - 1 };
            self.states[row.offset + row.head] = begin;
            for position in 0..row.observed {
                let slot = row.head + position;
                let slot = if slot >= row.period { slot - row.period } else { slot };
                self.states[row.offset + slot] += beat_over_rest;
            }
        }
        self.read_out()
    }

    fn read_out(&mut self) -> BestState {
        for (best, row) in self.row_best.iter_mut().zip(&self.rows) {
            *best = largest(&self.states[row.offset..row.offset + row.period]);
        }
        let top = (0..ROWS).fold(0, |t, r| if self.row_best[r] > self.row_best[t] { r } else { t });
        self.best = self.row_best[top];
        let row = self.rows[top];
        let states = &self.states[row.offset..row.offset + row.period];
        let slot = states.iter().position(|&s| s >= self.best).unwrap_or(row.head);
        let best =
            BestState { period: row.period, position: (slot + row.period - row.head) % row.period };
        self.since_renormalised += 1;
        if self.since_renormalised >= RENORMALISE_EVERY {
            self.renormalise();
        }
        best
    }

    fn renormalise(&mut self) {
        self.since_renormalised = 0;
        if !self.best.is_finite() {
            self.clear();
            return;
        }
        let best = self.best;
        for state in &mut self.states {
            *state = (*state - best).max(-4.0 * DEEPEST);
        }
        self.best = 0.0;
    }
}

fn largest(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 8];
    let chunks = values.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = if x > *lane { x } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |m, &x| if x > m { x } else { m })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_pulse_is_found_with_its_tempo_and_phase() {
        for period in [35_usize, 48, 60, 75] {
            let mut pointer = BarPointer::new();
            let mut best = BestState::default();
            let mut last_beat = 0;
            for n in 0..1500 {
                let on = n % period == 7;
                if on {
                    last_beat = n;
                }
                best = pointer.step(if on { 0.9 } else { 0.0 });
            }
            assert_eq!(best.period, period);
            let off = best.position.abs_diff(1499 - last_beat);
            assert!(off <= 2, "period {period}: {best:?}, beat was {} ago", 1499 - last_beat);
        }
    }

    #[test]
    fn garbage_never_leaves_a_state_that_is_not_finite() {
        let mut pointer = BarPointer::new();
        for n in 0..500 {
            pointer.step([f32::NAN, f32::INFINITY, -3.0, 1e30][n % 4]);
        }
        assert!(pointer.states.iter().all(|s| s.is_finite()));
    }

    #[test]
    fn the_number_of_states_is_the_sum_of_the_rows() {
        let pointer = BarPointer::new();
        assert_eq!(pointer.rows.iter().map(|r| r.period).sum::<usize>(), STATES);
        assert_eq!(pointer.rows.last().map(|r| r.offset + r.period), Some(STATES));
    }
}
