//! Triangular filters on a logarithmic frequency axis.

/// A range of bins and the weights over it, summing to 1.
#[derive(Clone, Debug)]
struct Filter {
    first_bin: usize,
    weights: Vec<f32>,
    centre_hz: f32,
}

/// Overlapping triangular filters, each centred on its own bin.
///
/// Where the spacing asked for is finer than the bins, filters that would share a centre are merged, as in
/// Böck and Widmer, "Maximum filter vibrato suppression for onset detection" (DAFx 2013).
#[derive(Clone, Debug)]
pub(crate) struct LogFilterbank {
    filters: Vec<Filter>,
}

impl LogFilterbank {
    /// Filters from `low_hz` to `high_hz`, `per_octave` of them per octave, over `bins` magnitudes that are
    /// `bin_hz` apart.
    pub(crate) fn new(
        low_hz: f32,
        high_hz: f32,
        per_octave: f32,
        bin_hz: f32,
        bins: usize,
    ) -> Self {
        let mut centres = Vec::new();
        let steps = ((high_hz / low_hz).log2() * per_octave) as usize;
        for step in 0..=steps {
            let hz = low_hz * (step as f32 / per_octave).exp2();
            let bin = (hz / bin_hz).round() as usize;
            if bin > 0 && bin + 1 < bins && centres.last() != Some(&bin) {
                centres.push(bin);
            }
        }
        let filters = (1..centres.len().saturating_sub(1))
            .map(|i| triangle(centres[i - 1], centres[i], centres[i + 1], bin_hz))
            .collect();
        Self { filters }
    }

    /// Number of filters.
    pub(crate) fn len(&self) -> usize {
        self.filters.len()
    }

    /// Centre frequency of filter `index`, in hertz.
    pub(crate) fn centre_hz(&self, index: usize) -> f32 {
        self.filters[index].centre_hz
    }

    /// The weighted mean magnitude under each filter.
    pub(crate) fn apply(&self, magnitudes: &[f32], out: &mut [f32]) {
        for (filter, y) in self.filters.iter().zip(out) {
            let bins = &magnitudes[filter.first_bin..];
            *y = filter.weights.iter().zip(bins).map(|(w, m)| w * m).sum();
        }
    }
}

fn triangle(left: usize, centre: usize, right: usize, bin_hz: f32) -> Filter {
    let mut weights: Vec<f32> = (left + 1..right)
        .map(|bin| {
            if bin <= centre {
                (bin - left) as f32 / (centre - left) as f32
            } else {
                (right - bin) as f32 / (right - centre) as f32
            }
        })
        .collect();
    let sum: f32 = weights.iter().sum();
    for w in &mut weights {
        *w /= sum;
    }
    Filter { first_bin: left + 1, weights, centre_hz: centre as f32 * bin_hz }
}

/// `log10(1 + 3000 · magnitude)` in place: the compression that onset functions work on.
pub(crate) fn compress(magnitudes: &mut [f32]) {
    for m in magnitudes {
        *m = (3000.0_f32 * *m).ln_1p() * std::f32::consts::LOG10_E;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_spectrum_stays_flat() {
        let bank = LogFilterbank::new(30.0, 16_000.0, 24.0, 44_100.0 / 2048.0, 1025);
        let mut out = vec![0.0; bank.len()];
        bank.apply(&vec![0.25; 1025], &mut out);
        assert!(out.iter().all(|y| (y - 0.25).abs() < 1e-5));
        assert!((100..=150).contains(&bank.len()), "{} filters", bank.len());
    }
}
